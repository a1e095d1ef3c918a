package cluster_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// library is a set of faces with what is known of each.
type library struct {
	cluster.Faces
	taken []int64  // Unix seconds; 0: unknown
	truth []string // who it is; "": nobody says, and the face is not scored
}

func (l *library) add(v face.Vector, quality float64, photo int32, taken int64, truth string) {
	l.Dim = len(v)
	l.Data = append(l.Data, v...)
	l.Quality = append(l.Quality, quality)
	l.Photo = append(l.Photo, photo)
	l.taken = append(l.taken, taken)
	l.truth = append(l.truth, truth)
}

// vector is the vector of face i.
func (l *library) vector(i int) face.Vector { return l.Data[i*l.Dim : (i+1)*l.Dim] }

// collection is one or more libraries of a kind, whose scores are averaged.
type collection struct {
	name, about string
	draws       []*library
}

// person is somebody of an album, with the places of the faces in it.
type person struct {
	name  string
	faces []int
}

// population is an album from which libraries are drawn.
type population struct {
	*library
	people []person // by name
}

func newPopulation(l *library) population {
	of := map[string][]int{}
	for i, who := range l.truth {
		if who != "" {
			of[who] = append(of[who], i)
		}
	}
	p := population{library: l}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		p.people = append(p.people, person{name, of[name]})
	}
	return p
}

// sized are the people of lo to hi faces.
func (p population) sized(lo, hi int) []person {
	return slices.DeleteFunc(slices.Clone(p.people), func(q person) bool {
		return len(q.faces) < lo || len(q.faces) > hi
	})
}

// sample is n of all, in random order; all of them if there are no more.
func sample[T any](rng *rand.Rand, all []T, n int) []T {
	all = slices.Clone(all)
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// draft is a library being put together, one face a photo.
type draft struct {
	p   population
	rng *rand.Rand
	library
}

func (p population) draft(seed uint64) *draft {
	return &draft{p: p, rng: rand.New(rand.NewPCG(seed, 7))}
}

// take adds up to n faces of each of the people.
func (d *draft) take(n int, people ...person) {
	for _, q := range people {
		for _, i := range sample(d.rng, q.faces, n) {
			d.add(d.p.vector(i), d.p.Quality[i], 0, d.p.taken[i], q.name)
		}
	}
}

// noisy is v with random noise of the given length, normalised. With a length
// of r, the two have a similarity of about 1/√(1+r²).
func (d *draft) noisy(v face.Vector, length float64) face.Vector {
	out := make(face.Vector, len(v))
	for k, x := range v {
		out[k] = x + float32(length/math.Sqrt(float64(len(v)))*d.rng.NormFloat64())
	}
	out.Normalize()
	return out
}

// done is the library in random order.
func (d *draft) done() *library {
	out := &library{}
	for at, i := range d.rng.Perm(d.Len()) {
		out.add(d.vector(i), d.Quality[i], int32(at), d.taken[i], d.truth[i])
	}
	return out
}

const (
	familySize  = 6
	manyPhotos  = 20 // and more: a member of the family
	mostPhotos  = 80
	fewPhotos   = 5 // and fewer: a stranger
	burstShare  = 0.3
	burstNoise  = 0.25 // similarity of about 0.97
	junkShare   = 0.2
	junkNoise   = 2.0 // similarity of about 0.45 to the face that it was
	junkQuality = 0.05
)

func (p population) family(d *draft) {
	d.take(mostPhotos, sample(d.rng, p.sized(manyPhotos, math.MaxInt), familySize)...)
}

// burst doubles faces until a share of all are near-duplicates of another,
// taken at the same moment.
func (d *draft) burst() {
	n := d.Len()
	extra := int(math.Round(float64(n) * burstShare / (1 - burstShare)))
	for range extra {
		i := d.rng.IntN(n)
		d.add(d.noisy(d.vector(i), burstNoise), d.Quality[i], 0, d.taken[i], d.truth[i])
	}
}

// junk adds faces in which nobody can be recognised. Each counts as a person
// of its own, so that it is right alone and wrong in any cluster.
func (d *draft) junk() {
	n := d.Len()
	extra := int(math.Round(float64(n) * junkShare / (1 - junkShare)))
	for k := range extra {
		v := d.noisy(d.vector(d.rng.IntN(n)), junkNoise)
		d.add(v, junkQuality, 0, 0, fmt.Sprintf("junk %d", k))
	}
}

// lookAlikes are the pairs of people of at least least photos whose mean
// vectors are most similar, the most similar first.
func (p population) lookAlikes(pairs, least int) [][2]person {
	people := p.sized(least, math.MaxInt)
	means := make([]face.Vector, len(people))
	for i, q := range people {
		means[i] = make(face.Vector, p.Dim)
		for _, k := range q.faces {
			for c, x := range p.vector(k) {
				means[i][c] += x
			}
		}
		means[i].Normalize()
	}
	type pair struct {
		people     [2]person
		similarity float64
	}
	var all []pair
	for i := range people {
		for j := range i {
			all = append(all, pair{[2]person{people[j], people[i]}, means[i].Dot(means[j])})
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(b.similarity, a.similarity) })
	var out [][2]person
	for _, x := range all[:min(pairs, len(all))] {
		out = append(out, x.people)
	}
	return out
}

// random draws n faces of random people, one to six of each.
func (p population) random(d *draft, n int) {
	for _, q := range sample(d.rng, p.people, len(p.people)) {
		if d.Len() == n {
			return
		}
		d.take(min(1+d.rng.IntN(6), n-d.Len()), q)
	}
}

// repeat draws n libraries with seeds of their own.
func (p population) repeat(n int, fill func(d *draft)) []*library {
	var out []*library
	for seed := range uint64(n) {
		d := p.draft(seed)
		fill(d)
		out = append(out, d.done())
	}
	return out
}

// collections draws every kind of library from an album of many people.
func (p population) collections() []collection {
	crowd := p.sized(1, fewPhotos)
	out := []collection{
		{"family", "6 people of 20 to 80 photos", p.repeat(5, p.family)},
		{"portraits", "4 people of 10 to 50 photos", p.repeat(10, func(d *draft) {
			d.take(mostPhotos, sample(d.rng, p.sized(10, 50), 4)...)
		})},
		{"mixture", "a family among everybody of 1 to 5 photos", p.repeat(2, func(d *draft) {
			p.family(d)
			d.take(fewPhotos, crowd...)
		})},
		{"strangers", "everybody, 1 or 2 photos", p.repeat(1, func(d *draft) {
			for _, q := range p.people {
				d.take(1+d.rng.IntN(2), q)
			}
		})},
		{"bursts", "a family, 30 % near-duplicates", p.repeat(5, func(d *draft) {
			p.family(d)
			d.burst()
		})},
		{"noise", "a family, 20 % unrecognisable faces", p.repeat(5, func(d *draft) {
			p.family(d)
			d.junk()
		})},
	}
	var alike []*library
	for i, pair := range p.lookAlikes(5, 10) {
		d := p.draft(uint64(i))
		d.take(mostPhotos, pair[:]...)
		d.take(fewPhotos, sample(d.rng, crowd, 100)...)
		alike = append(alike, d.done())
	}
	out = append(out, collection{"look-alikes", "two alike of 10 or more photos among 100 others", alike})
	for _, n := range []int{10, 22, 60, 150} {
		out = append(out, collection{fmt.Sprintf("small-%d", n), "random people, 1 to 6 photos",
			p.repeat(100, func(d *draft) { p.random(d, n) })})
	}
	return out
}
