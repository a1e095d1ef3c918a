package cluster

import (
	"math"
	"math/rand/v2"

	"github.com/kith-photos/kith/face"
)

// strangerSD is the standard deviation of the similarity of two strangers
// that albums are made with; embedders of the ArcFace kind have about this.
const strangerSD = 0.097

// normalTail is the impostor tail of normally distributed similarities around
// zero with standard deviation sd, over the thresholds that an embedder's
// tail would be measured at.
func normalTail(sd float64) face.Impostors {
	im := face.Impostors{Source: "normal approximation"}
	for z := 1.0; z <= 5 && z*sd <= 1; z += 0.25 {
		im.Thresholds = append(im.Thresholds, z*sd)
		im.FAR = append(im.FAR, math.Erfc(z/math.Sqrt2)/2)
	}
	return im
}

// direction is a random unit vector of a space in which strangers have a
// similarity of about 0 ± strangerSD: the coordinates' variances fall
// geometrically by r, which gives (1+r)/(1-r) effective dimensions.
func direction(rng *rand.Rand, dim int) face.Vector {
	r := (1 - strangerSD*strangerSD) / (1 + strangerSD*strangerSD)
	v := make(face.Vector, dim)
	scale := 1.0
	for i := range v {
		v[i] = float32(scale * rng.NormFloat64())
		scale *= math.Sqrt(r)
	}
	v.Normalize()
	return v
}

// mix is the unit vector in the direction of a + noise×b.
func mix(a, b face.Vector, noise float64) face.Vector {
	v := make(face.Vector, len(a))
	for i := range v {
		v[i] = a[i] + float32(noise)*b[i]
	}
	v.Normalize()
	return v
}

// album is a labelled set of synthetic faces.
type album struct {
	Faces
	person []int
}

func (a *album) add(v face.Vector, person int, photo int32) {
	a.Dim = len(v)
	a.Data = append(a.Data, v...)
	a.person = append(a.person, person)
	a.Photo = append(a.Photo, photo)
}

// newAlbum makes n faces of 512 numbers, one a photo. The people's sizes
// follow a power law, from dozens of photos to a single one, and each face
// is its person's direction with noise of 0.6 to 1.2: two photos of a person
// have a similarity of 0.41 to 0.74.
func newAlbum(seed uint64, n int) *album {
	const dim = 512
	rng := rand.New(rand.NewPCG(seed, 0))
	a := &album{}
	for person := 0; len(a.person) < n; person++ {
		size := min(int(math.Pow(rng.Float64(), -0.8)), 60, n-len(a.person))
		center := direction(rng, dim)
		for range size {
			a.add(mix(center, direction(rng, dim), 0.6+0.6*rng.Float64()), person, int32(len(a.person)))
		}
	}
	return a
}

// newFamilyAlbum makes group photos of families: the members of a family are
// alike (similarity about kin), and each photo shows two to five of them.
func newFamilyAlbum(seed uint64, families, photos int, kin float64) *album {
	const dim, members = 512, 5
	rng := rand.New(rand.NewPCG(seed, 1))
	a := &album{}
	var centers [][]face.Vector
	for range families {
		root := direction(rng, dim)
		family := make([]face.Vector, members)
		for m := range family {
			family[m] = mix(root, direction(rng, dim), math.Sqrt(1/kin-1))
		}
		centers = append(centers, family)
	}
	for photo := range photos {
		f := rng.IntN(families)
		for _, m := range rng.Perm(members)[:2+rng.IntN(4)] {
			noise := 0.6 + 0.6*rng.Float64()
			a.add(mix(centers[f][m], direction(rng, dim), noise), f*members+m, int32(photo))
		}
	}
	return a
}

// permuted is the faces in another order: face i of the result is face
// order[i] of f.
func permuted(f Faces, order []int) Faces {
	out := Faces{Dim: f.Dim}
	for _, i := range order {
		out.Data = append(out.Data, f.row(i)...)
		if f.Quality != nil {
			out.Quality = append(out.Quality, f.Quality[i])
		}
		if f.Photo != nil {
			out.Photo = append(out.Photo, f.Photo[i])
		}
	}
	return out
}
