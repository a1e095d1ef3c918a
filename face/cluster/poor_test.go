package cluster

import (
	"math"
	"math/rand/v2"

	"github.com/kith-photos/kith/face"
)

// newPoorAlbum makes n faces of people who are hard to group, one a photo: of
// each there are four photos at least with noise of 0.8 to 2. Two of them have
// a similarity of 0.2 to 0.61, so that many are left over, and less if a person
// has two guises, as with and without a beard, that differ by the noise guise.
// Every third person is alike the one before by 0.32. Strangers are as alike as
// the directions that draw gives.
func newPoorAlbum(seed uint64, n int, guise float64, draw func(*rand.Rand, int) face.Vector) *album {
	const dim = 512
	rng := rand.New(rand.NewPCG(seed, 2))
	a := &album{}
	var guises [2]face.Vector
	for person := 0; len(a.person) < n; person++ {
		size := min(int(4*math.Pow(rng.Float64(), -0.8)), 60, n-len(a.person))
		center := draw(rng, dim)
		if person%3 == 2 {
			center = mix(guises[0], center, 3)
		}
		guises = [2]face.Vector{center, mix(center, draw(rng, dim), guise)}
		for i := range size {
			a.add(mix(guises[i%2], draw(rng, dim), 0.8+1.2*rng.Float64()), person, int32(len(a.person)))
		}
	}
	return a
}

// anyDirection is a random unit vector. Two have a similarity of 0 ± 0.044 if
// they are of 512 numbers, so that no two strangers are taken for one person
// by a tail for strangerSD.
func anyDirection(rng *rand.Rand, dim int) face.Vector {
	v := make(face.Vector, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	v.Normalize()
	return v
}

// PoorAlbum lends newPoorAlbum and the truth about it to the tests outside this
// package.
func PoorAlbum(seed uint64, n int) (Faces, []int) {
	a := newPoorAlbum(seed, n, 0, anyDirection)
	return a.Faces, a.person
}
