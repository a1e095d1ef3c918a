package index

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face/cluster"
	"github.com/kith-photos/kith/store"
)

// maxSudden is how many faces are grouped as a whole because of one new photo,
// which takes about two seconds of CPU. A larger library is left to Regroup.
const maxSudden = 20_000

// extend groups the faces of a photo that is new to the account, together with
// those that they can move. vs is what was in memory before, nil if nothing
// was. The caller holds a.people.
func (a *Account) extend(ctx context.Context, space string, photo PhotoID, vs *vectors) error {
	g, err := a.grouped(ctx)
	if err != nil {
		return err
	}
	if vs == nil || vs.Space.Name != space {
		vs, err = a.loadVectors(ctx, space)
	} else {
		err = a.appendVectors(ctx, vs, photo)
	}
	if err != nil || len(vs.Space.Impostors.Thresholds) == 0 {
		return err
	}
	known := g.Space == space && g.Threshold != 0
	if !known || cluster.Due(g.Faces, len(vs.Faces)) {
		if len(vs.Faces) <= maxSudden {
			_, err := a.derive(ctx)
			return err
		}
		if !known {
			return nil
		}
	}
	a.keepVectors(vs)
	var fresh []int
	for i, f := range vs.Faces {
		if f.Photo == photo {
			fresh = append(fresh, i)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	var r *region
	var failed error
	decided := func(faces []int) cluster.Links {
		if r, failed = a.openRegion(ctx, vs, faces); failed != nil {
			return cluster.Links{}
		}
		return cluster.Links{Different: r.pairs(r.ledger.different())} // as in derive
	}
	label, _ := labels(vs.Faces)
	ext, err := cluster.Extend(ctx, vs.scanner, clusterFaces(vs.VectorSet), label, fresh, decided, cluster.Options{
		Impostors: vs.Space.Impostors, Library: cluster.Calibration{Threshold: g.Threshold, Loose: g.Loose},
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("group the faces of photo %s: %w", photo, err)
	}
	as := r.outcome(ext.Label, ext.Clusters)
	if err := a.db.PutPeople(ctx, as); err != nil {
		return err
	}
	a.vectors.Lock()
	defer a.vectors.Unlock()
	for k, i := range r.faces {
		if placed, ok := as.Faces[r.book.faces[k].ID]; ok {
			vs.Faces[i].Person, vs.Faces[i].By = placed.Person, placed.By
		}
	}
	return nil
}

// region is a part of the library that is grouped by itself.
type region struct {
	*placing
	book    *book
	faces   []int            // positions in the whole
	outside map[PersonID]int // how many faces of a person are not in the region
}

func (a *Account) openRegion(ctx context.Context, vs *vectors, faces []int) (*region, error) {
	ds, err := a.ledger(ctx)
	if err != nil {
		return nil, err
	}
	r := &region{faces: faces, outside: map[PersonID]int{}}
	part := store.VectorSet{Space: vs.Space}
	var people []Person
	for _, i := range faces {
		f := vs.Faces[i]
		part.Faces = append(part.Faces, f)
		part.Data = append(part.Data, vs.Vector(i)...)
		if _, seen := r.outside[f.Person]; f.Person != "" && !seen {
			p, err := a.db.Person(ctx, f.Person)
			if err != nil {
				return nil, err
			}
			people = append(people, p)
			r.outside[f.Person] = p.Faces
		}
		if f.Person != "" {
			r.outside[f.Person]--
		}
	}
	r.book = newBook(ds, part.Faces, people, a.cfg.Now())
	r.placing = newPlacing(r.book, part)
	return r, nil
}

// outcome is the book's, but for people of whom it sees a part at most: they
// are not dropped, and keep their cover.
func (r *region) outcome(label []int, clusters int) store.Assignment {
	person := r.place(label, clusters)
	as := r.book.outcome(r.ledger, person, false)
	as.Drop = slices.DeleteFunc(as.Drop, func(id PersonID) bool { return r.outside[id] > 0 })
	as.People = slices.DeleteFunc(as.People, func(p Person) bool {
		_, known := r.book.people[p.ID]
		return !known && !slices.Contains(person, p.ID)
	})
	for k := range as.People {
		p := &as.People[k]
		if old := r.book.people[p.ID]; r.outside[p.ID] > 0 && old.Cover != "" {
			p.Cover, p.CoverChosen = old.Cover, old.CoverChosen
		}
	}
	return as
}
