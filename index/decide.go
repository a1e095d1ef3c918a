package index

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kith-photos/kith/store"
)

// maxName is the longest name, in bytes.
const maxName = 1024

// Name says what a person is called; an empty name takes the name away.
func (a *Account) Name(ctx context.Context, id PersonID, name string) (DecisionID, error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || len(name) > maxName {
		return "", fmt.Errorf("index: a name must be valid UTF-8 of at most %d bytes", maxName)
	}
	return a.decide(ctx, func(ctx context.Context) (Decision, store.Assignment, error) {
		p, err := a.db.Person(ctx, id)
		if err != nil {
			return Decision{}, store.Assignment{}, err
		}
		refs, _, err := a.facesOf(ctx, id)
		return Decision{Kind: store.DecisionName, Person: id, Name: name, OldName: p.Name, Faces: refs}, store.Assignment{}, err
	})
}

// Merge says that two people are one: from's faces go to into, and stay
// together with into's from now on. into keeps its name, or takes from's if it
// has none.
func (a *Account) Merge(ctx context.Context, into, from PersonID) (DecisionID, error) {
	if into == from {
		return "", errors.New("index: a person cannot be merged with itself")
	}
	return a.decide(ctx, func(ctx context.Context) (Decision, store.Assignment, error) {
		as := store.Assignment{Faces: map[FaceID]store.Placed{}, Drop: []PersonID{from}}
		if _, err := a.db.Person(ctx, into); err != nil {
			return Decision{}, as, err
		}
		other, err := a.db.Person(ctx, from)
		if err != nil {
			return Decision{}, as, err
		}
		these, _, err := a.facesOf(ctx, into)
		if err != nil {
			return Decision{}, as, err
		}
		others, ids, err := a.facesOf(ctx, from)
		for _, id := range ids {
			as.Faces[id] = store.Placed{Person: into, By: store.ByDecision}
		}
		return Decision{
			Kind: store.DecisionMerge, Person: into, Other: from, OldName: other.Name,
			Faces: these, Others: others,
		}, as, err
	})
}

// Split says that some faces of one person are somebody else: they become a
// new person, whose id is returned, and will not be grouped with the faces
// that stay. At least one face must stay.
func (a *Account) Split(ctx context.Context, faces []FaceID) (PersonID, DecisionID, error) {
	fresh := store.NewPersonID()
	id, err := a.decide(ctx, func(ctx context.Context) (Decision, store.Assignment, error) {
		d := Decision{Kind: store.DecisionSplit, Person: fresh}
		as := store.Assignment{
			People: []Person{{ID: fresh, Created: a.cfg.Now()}},
			Faces:  map[FaceID]store.Placed{},
		}
		for _, id := range faces {
			f, err := a.db.Face(ctx, id)
			if err != nil {
				return d, as, err
			}
			if f.Person == "" || (d.Other != "" && f.Person != d.Other) {
				return d, as, errors.New("index: the faces of a split must all be one person's")
			}
			d.Other = f.Person
			as.People[0].Cover = id
			as.Faces[id] = store.Placed{Person: fresh, By: store.ByDecision}
		}
		if d.Other == "" {
			return d, as, errors.New("index: a split needs at least one face")
		}
		refs, ids, err := a.facesOf(ctx, d.Other)
		if err != nil {
			return d, as, err
		}
		chosen := map[store.FaceRef]bool{}
		for i, id := range ids {
			if _, leaves := as.Faces[id]; leaves {
				chosen[refs[i]] = true
			}
		}
		for i, id := range ids {
			if chosen[refs[i]] { // also the same face on a copy of the photo
				d.Faces = append(d.Faces, refs[i])
				as.Faces[id] = store.Placed{Person: fresh, By: store.ByDecision}
			} else {
				d.Others = append(d.Others, refs[i])
			}
		}
		if len(d.Others) == 0 {
			return d, as, errors.New("index: a split must leave the person at least one face")
		}
		return d, as, nil
	})
	if err != nil {
		return "", "", err
	}
	return fresh, id, nil
}

// decide lets prepare look at the account and say what is decided and what
// follows from it at once, and stores both together.
func (a *Account) decide(ctx context.Context, prepare func(context.Context) (Decision, store.Assignment, error)) (DecisionID, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return "", err
	}
	defer unlock()
	d, as, err := prepare(ctx)
	if err != nil {
		return "", err
	}
	ds, err := a.standing(ctx)
	if err != nil {
		return "", err
	}
	if err := a.rename(ctx, append(ds, d), &as); err != nil {
		return "", err
	}
	defer a.forgetVectors()
	return a.db.Decide(ctx, d, as)
}

// Undo revokes a decision. What other decisions say stays true: the undone
// merge's faces go back to the person they came from, an undone split's return,
// and a person is called what the remaining decisions call it. What was said
// of a person while an undone merge stood no longer speaks of the faces that
// the merge had brought.
func (a *Account) Undo(ctx context.Context, id DecisionID) error {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return err
	}
	defer unlock()
	d, err := a.db.Decision(ctx, id)
	if err != nil {
		return err
	}
	ds, err := collect(a.db.Decisions(ctx))
	if err != nil {
		return err
	}
	undone := a.cfg.Now()
	for i := range ds {
		if ds[i].ID == id && ds[i].Revoked == nil {
			ds[i].Revoked = &undone
		}
	}
	as, err := a.settle(ctx, d, standing(ds))
	if err != nil {
		return err
	}
	if err := a.rename(ctx, standing(ds), &as); err != nil {
		return err
	}
	defer a.forgetVectors()
	return a.db.Revoke(ctx, id, as)
}

// settle works out who is whose when d no longer counts and ds do: faces that
// these hold together go where they say, and those that d alone had moved
// return to the person they came from, or whom that one has become.
func (a *Account) settle(ctx context.Context, d Decision, ds []Decision) (store.Assignment, error) {
	as := store.Assignment{Faces: map[FaceID]store.Placed{}}
	refs := d.Others
	switch d.Kind {
	case store.DecisionName:
		return as, nil
	case store.DecisionSplit:
		refs = d.Faces
	case store.DecisionMerge:
	}
	space, err := a.space(ctx)
	if err != nil {
		return as, err
	}
	vs, err := a.db.Vectors(ctx, space)
	if err != nil && !isNotFound(err) {
		return as, err
	}
	people, err := a.allPeople(ctx)
	if err != nil {
		return as, err
	}
	l := replay(ds, vs.Faces)
	from, to := successor(ds, d.Person), successor(ds, d.Other)
	person := make([]PersonID, len(vs.Faces))
	for i, f := range vs.Faces {
		person[i] = f.Person
	}
	for _, i := range newResolver(vs.Faces).resolve(refs) {
		if person[i] == from {
			person[i] = to
		}
	}
	for i := range l.tie {
		person[i] = l.claim[i]
	}
	l.part(person)
	moved(&as, l, vs.Faces, person)
	a.populate(&as, people, vs.Faces, person)
	// The person they return to went with the merge. One with a name comes
	// back even where no face of theirs is left.
	if names := replayNames(ds); names[to] != "" && !hasPerson(as.People, to) && !hasPerson(people, to) {
		as.People = append(as.People, Person{ID: to, Created: a.cfg.Now()})
	}
	return as, nil
}

// moved lists the faces whose person becomes another.
func moved(as *store.Assignment, l *ledger, faces []store.VectorFace, person []PersonID) {
	for i, f := range faces {
		if f.Person == person[i] {
			continue
		}
		by := store.ByGroup
		if _, tied := l.tie[i]; tied {
			by = store.ByDecision
		}
		as.Faces[f.ID] = store.Placed{Person: person[i], By: by}
	}
}

// populate adds the people that faces move to and that are not there, and
// drops those that lose their last face.
func (a *Account) populate(as *store.Assignment, people []Person, faces []store.VectorFace, person []PersonID) {
	left := map[PersonID]bool{}
	for _, id := range person {
		left[id] = true
	}
	delete(left, "")
	had := map[PersonID]bool{}
	for _, f := range faces {
		had[f.Person] = true
	}
	for _, p := range people {
		if had[p.ID] && !left[p.ID] {
			as.Drop = append(as.Drop, p.ID)
		}
		delete(left, p.ID)
	}
	for _, id := range sortedKeys(left) {
		as.People = append(as.People, Person{ID: id, Created: a.cfg.Now()})
	}
}

func hasPerson(people []Person, id PersonID) bool {
	return slices.ContainsFunc(people, func(p Person) bool { return p.ID == id })
}

// rename makes the people's names what the decisions say.
func (a *Account) rename(ctx context.Context, ds []Decision, as *store.Assignment) error {
	names := replayNames(ds)
	for i := range as.People {
		as.People[i].Name = names[as.People[i].ID]
	}
	people, err := a.allPeople(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Name == names[p.ID] || slices.Contains(as.Drop, p.ID) || hasPerson(as.People, p.ID) {
			continue
		}
		p.Name = names[p.ID]
		as.People = append(as.People, p)
	}
	return nil
}

// facesOf lists a person's faces, as a decision refers to them and by id.
func (a *Account) facesOf(ctx context.Context, id PersonID) ([]store.FaceRef, []FaceID, error) {
	faces, err := collect(a.db.Faces(ctx, FaceQuery{Person: id}))
	if err != nil {
		return nil, nil, err
	}
	var refs []store.FaceRef
	var ids []FaceID
	content := map[PhotoID][32]byte{}
	for _, f := range faces {
		sum, ok := content[f.Photo]
		if !ok {
			p, err := a.db.Photo(ctx, f.Photo)
			if err != nil {
				return nil, nil, err
			}
			sum = p.SHA256
			content[f.Photo] = sum
		}
		refs = append(refs, store.FaceRef{SHA256: sum, Box: f.Box})
		ids = append(ids, f.ID)
	}
	return refs, ids, nil
}

// Decisions lists what was decided, in order, revoked entries included.
func (a *Account) Decisions(ctx context.Context) iter.Seq2[Decision, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Decision, error] { return a.db.Decisions(ctx) })
}
