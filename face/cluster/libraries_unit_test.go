package cluster_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// synthetic is a population of made-up people.
func synthetic(n int) population {
	f, who, _ := cluster.SyntheticAlbum(1, n)
	l := &library{}
	for i := range who {
		l.add(f.Data[i*f.Dim:(i+1)*f.Dim], 1, f.Photo[i], 0, fmt.Sprintf("person %04d", who[i]))
	}
	return newPopulation(l)
}

func count(truth []string) map[string]int {
	n := map[string]int{}
	for _, who := range truth {
		n[who]++
	}
	return n
}

func TestCollections(t *testing.T) {
	p := synthetic(1500)
	for _, c := range p.collections() {
		for _, l := range c.draws {
			if err := checkLibrary(c.name, l); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if slices.IsSorted(l.truth) {
				t.Errorf("%s: in the order of the people", c.name)
			}
		}
	}
	if a, b := p.repeat(2, p.family), p.repeat(2, p.family); !slices.Equal(a[1].Data, b[1].Data) {
		t.Error("drawing twice gives different families")
	}
}

func checkLibrary(name string, l *library) error {
	people, n := count(l.truth), l.Len()
	most := 0
	for _, k := range people {
		most = max(most, k)
	}
	junk := 0
	for i, q := range l.Quality {
		if q == junkQuality {
			junk++
			if people[l.truth[i]] != 1 {
				return fmt.Errorf("%s is %d faces", l.truth[i], people[l.truth[i]])
			}
		}
	}
	var bad bool
	switch name {
	case "family":
		bad = len(people) != familySize || n < familySize*manyPhotos || most > mostPhotos
	case "portraits":
		bad = len(people) != 4 || n < 40 || most > 50
	case "mixture":
		bad = len(people) < 100 || most < manyPhotos
	case "strangers":
		bad = most != 2 || n <= len(people)
	case "bursts":
		near := 0
		for i := range n {
			for j := range i {
				if l.vector(i).Dot(l.vector(j)) > 0.9 {
					near++
					break
				}
			}
		}
		bad = len(people) != familySize || math.Abs(float64(near)/float64(n)-burstShare) > 0.02
	case "noise":
		bad = math.Abs(float64(junk)/float64(n)-junkShare) > 0.01
	case "look-alikes":
		bad = len(people) != 102
	default:
		bad = fmt.Sprintf("small-%d", n) != name || most > 6
	}
	if bad || (junk > 0) != (name == "noise") {
		return fmt.Errorf("%d faces of %d people, at most %d a person, %d junk", n, len(people), most, junk)
	}
	return nil
}

func TestLookAlikes(t *testing.T) {
	l := &library{}
	for i, v := range [][]float32{{1, 0, 0}, {0.96, 0.28, 0}, {0, 1, 0}, {0, 0.8, 0.6}, {0, 0, 1}} {
		for range 2 {
			l.add(v, 1, int32(i), 0, string(rune('A'+i)))
		}
	}
	l.add([]float32{1, 0, 0}, 1, 9, 0, "Z") // too few photos
	got := newPopulation(l).lookAlikes(2, 2)
	if len(got) != 2 || got[0][0].name+got[0][1].name != "AB" || got[1][0].name+got[1][1].name != "CD" {
		t.Errorf("%v, want A with B, then C with D", got)
	}
}
