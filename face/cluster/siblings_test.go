package cluster_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kith-photos/kith/face"
)

const (
	familyPhotos = 30
	// kinship is how much of the family's direction each face of it is given.
	// With it two siblings' similarity is about 0.35, where that of one person's
	// photos is about 0.75.
	kinship = 0.4
)

// siblings are group photos of two families of three, made of the faces of
// people who have nothing to do with each other. On no other library drawn from
// an album does a photo show two people.
func (p population) siblings() collection {
	c := collection{name: "siblings", about: "group photos of 2 families of 3 alike"}
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 11))
		l, people, photo := &library{}, sample(rng, p.sized(familyPhotos, math.MaxInt), 6), int32(0)
		for len(people) >= 3 {
			family := people[:3]
			people = people[3:]
			kin := p.direction(family)
			for k := range familyPhotos {
				for _, m := range rng.Perm(3)[:2+rng.IntN(2)] {
					l.add(leaning(p.vector(family[m].faces[k]), kin), 1, photo, 0, family[m].name)
				}
				photo++
			}
		}
		c.draws = append(c.draws, l)
	}
	return c
}

// direction is that of the people's mean vectors together.
func (p population) direction(people []person) face.Vector {
	sum := make(face.Vector, p.Dim)
	for _, q := range people {
		mean := make(face.Vector, p.Dim)
		for _, i := range q.faces {
			for k, x := range p.vector(i) {
				mean[k] += x
			}
		}
		mean.Normalize()
		for k, x := range mean {
			sum[k] += x
		}
	}
	sum.Normalize()
	return sum
}

func leaning(v, kin face.Vector) face.Vector {
	out := make(face.Vector, len(v))
	for k, x := range v {
		out[k] = x + kinship*kin[k]
	}
	out.Normalize()
	return out
}

func TestSiblings(t *testing.T) {
	c := synthetic(2500).siblings()
	for _, l := range c.draws {
		if n := len(count(l.truth)); n != 3 && n != 6 || l.Len() < 2*familyPhotos {
			t.Fatalf("%d faces of %d people", l.Len(), n)
		}
		var same, kin, other []float64
		for i := range l.Len() {
			for j := range i {
				s := l.vector(i).Dot(l.vector(j))
				switch {
				case l.truth[i] == l.truth[j] && l.Photo[i] == l.Photo[j]:
					t.Fatalf("%s is twice on photo %d", l.truth[i], l.Photo[i])
				case l.truth[i] == l.truth[j]:
					same = append(same, s)
				case l.Photo[i]/familyPhotos == l.Photo[j]/familyPhotos:
					kin = append(kin, s)
				default:
					other = append(other, s)
				}
			}
		}
		if a, b := average(same), average(kin); a < b+0.15 || b < 0.25 || len(other) > 0 && b < average(other)+0.2 {
			t.Errorf("similarities of one person %.2f, of siblings %.2f, of others %.2f", a, b, average(other))
		}
	}
}

func average(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(max(len(xs), 1))
}
