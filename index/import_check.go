package index

import (
	"errors"
	"fmt"

	"github.com/kith-photos/kith/store"
)

var errUnknown = errors.New("refers to what is not in the export")

// check looks at what the parts of an export say of one another, and joins the
// faces with their photos.
func (x *exported) check() error {
	for _, part := range []func() error{x.checkPhotos, x.checkPeople, x.checkDecisions, x.checkFaces, x.checkCovers, x.checkArranged} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func faulty(part string, i int, err error) error {
	return &ImportError{Part: fmt.Sprintf("%s[%d]", part, i), Err: err}
}

func (x *exported) checkPhotos() error {
	ids, paths := map[PhotoID]bool{}, map[string]bool{}
	for i, p := range x.photos {
		if ids[p.ID] || paths[p.Path] {
			return faulty("photos", i, fmt.Errorf("%s at %q: %w", p.ID, p.Path, errTwice))
		}
		ids[p.ID], paths[p.Path] = true, true
	}
	return nil
}

func (x *exported) checkPeople() error {
	ids := map[PersonID]bool{}
	for i, p := range x.people {
		if ids[p.ID] {
			return faulty("people", i, fmt.Errorf("%s: %w", p.ID, errTwice))
		}
		ids[p.ID] = true
	}
	return nil
}

func (x *exported) checkDecisions() error {
	ids := map[DecisionID]bool{}
	var last int64
	for i, d := range x.decisions {
		if ids[d.ID] {
			return faulty("decisions", i, fmt.Errorf("%s: %w", d.ID, errTwice))
		}
		if d.Seq <= last {
			return faulty("decisions", i, fmt.Errorf("at place %d, after %d", d.Seq, last))
		}
		ids[d.ID], last = true, d.Seq
	}
	return nil
}

func (x *exported) checkFaces() error {
	photos, people, ids := map[PhotoID]int{}, map[PersonID]bool{}, map[FaceID]bool{}
	for i, p := range x.photos {
		photos[p.ID] = i
	}
	for _, p := range x.people {
		people[p.ID] = true
	}
	rejecting := map[DecisionID]bool{}
	for _, d := range x.decisions {
		rejecting[d.ID] = d.Kind == store.DecisionNotAFace && d.Revoked == nil
	}
	dims := map[string]int{}
	for i, s := range x.spaces {
		if _, twice := dims[s.Name]; twice {
			return faulty("spaces", i, fmt.Errorf("%q: %w", s.Name, errTwice))
		}
		dims[s.Name] = s.Dim
	}
	for i := range x.faces {
		f := &x.faces[i]
		at, ok := photos[f.photo]
		switch {
		case ids[f.ID]:
			return faulty("faces", i, fmt.Errorf("%s: %w", f.ID, errTwice))
		case !ok:
			return faulty("faces", i, fmt.Errorf("photo %s: %w", f.photo, errUnknown))
		case x.photos[at].SHA256 == [32]byte{}:
			return faulty("faces", i, fmt.Errorf("on photo %s, whose content is not known", f.photo))
		case f.person != "" && !people[f.person]:
			return faulty("faces", i, fmt.Errorf("person %s: %w", f.person, errUnknown))
		case f.rejected != "" && !rejecting[f.rejected]:
			return faulty("faces", i, fmt.Errorf("no face by decision %s, which does not say so", f.rejected))
		}
		if f.Vector == nil {
			f.Space = ""
		} else {
			if f.Space == "" {
				f.Space = x.space
			}
			if dim, ok := dims[f.Space]; !ok || dim != len(f.Vector) {
				return faulty("faces", i, fmt.Errorf("an embedding of %d numbers, where space %q has %d", len(f.Vector), f.Space, dim))
			}
		}
		ids[f.ID] = true
		x.photos[at].faces = append(x.photos[at].faces, i)
	}
	return nil
}

func (x *exported) checkCovers() error {
	of := map[FaceID]PersonID{}
	for _, f := range x.faces {
		of[f.ID] = f.person
	}
	for i, p := range x.people {
		if p.Cover != "" && of[p.Cover] != p.ID {
			return faulty("people", i, fmt.Errorf("cover %s, which is not a face of the person", p.Cover))
		}
	}
	return nil
}
