package index

import (
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// resolver finds the faces that a decision speaks of among those that exist
// now: by the photo's content, which every copy has, and the nearest box.
type resolver struct {
	faces  []store.VectorFace
	photos map[[32]byte][][]int // the faces of each photo of a content
}

func newResolver(faces []store.VectorFace) resolver {
	r := resolver{faces: faces, photos: map[[32]byte][][]int{}}
	where := map[PhotoID]int{} // in the content's list
	for i, f := range faces {
		at, ok := where[f.Photo]
		if !ok {
			at = len(r.photos[f.SHA256])
			where[f.Photo] = at
			r.photos[f.SHA256] = append(r.photos[f.SHA256], nil)
		}
		r.photos[f.SHA256][at] = append(r.photos[f.SHA256][at], i)
	}
	return r
}

// with is the resolver for the same faces with other things known of them.
func (r resolver) with(faces []store.VectorFace) resolver {
	return resolver{faces: faces, photos: r.photos}
}

// resolve lists the faces that refs mean: for each, the best in every photo
// with that content, unless somebody said that it is no face.
func (r resolver) resolve(refs []store.FaceRef) []int {
	return slices.DeleteFunc(r.resolveAll(refs), func(i int) bool { return r.faces[i].Rejected != "" })
}

// resolveAll is resolve with rejected faces left in.
func (r resolver) resolveAll(refs []store.FaceRef) []int {
	var out []int
	for _, ref := range refs {
		for _, in := range r.photos[ref.SHA256] {
			if k := ref.Best(len(in), func(k int) face.Box { return r.faces[in[k]].Box }); k >= 0 {
				out = append(out, in[k])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// refSet is a set of face references. Two that overlap as one face's boxes do
// are one: a detector may have come between them.
type refSet map[[32]byte][]face.Box

func newRefSet(refs []store.FaceRef) refSet {
	s := refSet{}
	for _, r := range refs {
		s[r.SHA256] = append(s[r.SHA256], r.Box)
	}
	return s
}

func (s refSet) best(r store.FaceRef) int {
	boxes := s[r.SHA256]
	return r.Best(len(boxes), func(i int) face.Box { return boxes[i] })
}

func (s refSet) has(r store.FaceRef) bool { return s.best(r) >= 0 }

func (s refSet) remove(refs []store.FaceRef) {
	for _, r := range refs {
		if i := s.best(r); i >= 0 {
			s[r.SHA256] = slices.Delete(slices.Clone(s[r.SHA256]), i, i+1)
		}
	}
}

// without leaves the set's faces out of refs, which it does not change.
func (s refSet) without(refs []store.FaceRef) []store.FaceRef {
	return slices.DeleteFunc(slices.Clone(refs), s.has)
}
