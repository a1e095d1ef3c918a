package cluster

import (
	"cmp"
	"slices"
)

// distinct numbers the different vectors among the faces in canonical order:
// sorted by their numbers, first to last. Everything after this step speaks
// of these numbers, which is what makes a result independent of the order in
// which the faces were given.
type distinct struct {
	rep    []int32   // vector -> one face that has it
	of     []int32   // face -> its vector
	photos [][]int32 // vector -> photos on which it was found, rising; nil without Faces.Photo
}

func distinctVectors(f Faces) distinct {
	n := f.Len()
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return slices.Compare(f.row(int(a)), f.row(int(b)))
	})
	d := distinct{of: make([]int32, n)}
	for k, i := range order {
		if k == 0 || !slices.Equal(f.row(int(order[k-1])), f.row(int(i))) {
			d.rep = append(d.rep, i)
		}
		d.of[i] = int32(len(d.rep) - 1)
	}
	if f.Photo != nil {
		d.photos = make([][]int32, len(d.rep))
		for i, p := range f.Photo {
			if p >= 0 {
				d.photos[d.of[i]] = append(d.photos[d.of[i]], p)
			}
		}
		for u, p := range d.photos {
			d.photos[u] = sortedSet(p)
		}
	}
	return d
}

func (d distinct) len() int { return len(d.rep) }

// together reports whether one photo shows both vectors.
func (d distinct) together(u, v int) bool {
	return d.photos != nil && intersects(d.photos[u], d.photos[v])
}

// apart counts the pairs of vectors that no photo shows together.
func (d distinct) apart() int {
	n := d.len()
	pairs := n * (n - 1) / 2
	if d.photos == nil {
		return pairs
	}
	on := map[int32][]int32{}
	for u, photos := range d.photos {
		for _, p := range photos {
			on[p] = append(on[p], int32(u))
		}
	}
	// met[v] == u: the pair is counted already, on another photo.
	met := make([]int32, n)
	for u, photos := range d.photos {
		for _, p := range photos {
			for _, v := range on[p] {
				if int(v) < u && met[v] != int32(u) {
					met[v] = int32(u)
					pairs--
				}
			}
		}
	}
	return pairs
}

// sortedSet sorts s in place and drops repetitions.
func sortedSet[T cmp.Ordered](s []T) []T {
	slices.Sort(s)
	return slices.Compact(s)
}

// intersects reports whether two rising lists have a common element.
func intersects(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			return true
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}
