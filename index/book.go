package index

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kith-photos/kith/store"
)

// book is all that a decision is made on, as it is at one moment: what was
// said, and whose each face is.
type book struct {
	ledger   []Decision // revoked ones included
	standing []Decision
	faces    []store.VectorFace // of all spaces, rejected ones included
	find     resolver
	at       map[FaceID]int
	people   map[PersonID]Person
	held     map[PersonID][]int
	now      time.Time
	cover    FaceID // the one of several copies that was just chosen
}

// openBook reads the account. The caller holds a.people.
func (a *Account) openBook(ctx context.Context) (*book, error) {
	ds, err := a.ledger(ctx)
	if err != nil {
		return nil, err
	}
	faces, err := a.db.AllFaces(ctx)
	if err != nil {
		return nil, err
	}
	people, err := collect(a.db.AllPeople(ctx))
	if err != nil {
		return nil, err
	}
	return newBook(ds, faces, people, a.cfg.Now()), nil
}

func newBook(ds []Decision, faces []store.VectorFace, people []Person, now time.Time) *book {
	b := &book{
		ledger: ds, standing: standing(ds), faces: faces, find: newResolver(faces),
		at: make(map[FaceID]int, len(faces)), people: map[PersonID]Person{}, held: map[PersonID][]int{}, now: now,
	}
	for i, f := range faces {
		b.at[f.ID] = i
		if f.Person != "" {
			b.held[f.Person] = append(b.held[f.Person], i)
		}
	}
	for _, p := range people {
		b.people[p.ID] = p
	}
	return b
}

// person is a person, or an error that is ErrNotFound.
func (b *book) person(id PersonID) (Person, error) {
	p, ok := b.people[id]
	if !ok {
		return Person{}, fmt.Errorf("index: person %q: %w", id, ErrNotFound)
	}
	return p, nil
}

// chosen lists the positions of faces and of the same faces on copies of
// their photos.
func (b *book) chosen(ids []FaceID) ([]int, error) {
	if len(ids) == 0 {
		return nil, errNoFaces
	}
	var out []int
	for _, id := range ids {
		i, ok := b.at[id]
		if !ok {
			return nil, fmt.Errorf("index: face %q: %w", id, ErrNotFound)
		}
		out = append(out, i)
	}
	out = append(out, b.find.resolveAll(b.refs(out))...)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// refs are references to faces, each once however many copies it has.
func (b *book) refs(faces []int) []store.FaceRef {
	var out []store.FaceRef
	seen := map[store.FaceRef]bool{}
	for _, i := range faces {
		r := store.FaceRef{SHA256: b.faces[i].SHA256, Box: b.faces[i].Box}
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

// holders says whose the faces of refs are, the people in the order in which
// they first appear.
func (b *book) holders(refs []store.FaceRef) []store.Holder {
	var out []store.Holder
	for k, ref := range refs {
		var id PersonID
		for _, i := range b.find.resolveAll([]store.FaceRef{ref}) {
			if id = b.holder(i); id != "" {
				break
			}
		}
		at := slices.IndexFunc(out, func(h store.Holder) bool { return h.Person == id })
		if at < 0 {
			at = len(out)
			out = append(out, store.Holder{Person: id, Created: b.people[id].Created})
		}
		out[at].Faces = append(out[at].Faces, k)
	}
	if len(out) == 1 {
		out[0].Faces = nil
	}
	return out
}

// holder is whose a face is or, of one that is rejected, was.
func (b *book) holder(i int) PersonID {
	f := b.faces[i]
	if f.Rejected == "" {
		return f.Person
	}
	at := slices.IndexFunc(b.standing, func(d Decision) bool { return d.ID == f.Rejected })
	if at < 0 {
		return ""
	}
	d := b.standing[at]
	for k, id := range origins(b.ledger, d) {
		if slices.Contains(b.find.resolveAll(d.Faces[k:k+1]), i) {
			return id
		}
	}
	return ""
}

// others are a person's faces without some.
func (b *book) others(id PersonID, without []int) []int {
	return slices.DeleteFunc(slices.Clone(b.held[id]), func(i int) bool {
		_, found := slices.BinarySearch(without, i)
		return found
	})
}

// decided is what follows from d at once.
func (b *book) decided(d Decision) store.Assignment {
	faces, person := slices.Clone(b.faces), b.holdersNow()
	for _, i := range b.find.resolve(d.Faces) {
		switch d.Kind {
		case store.DecisionRemove:
			person[i] = ""
		case store.DecisionNotAFace:
			person[i], faces[i].Rejected = "", d.ID
		default:
		}
	}
	return b.settle(append(slices.Clone(b.standing), d), faces, person)
}

// undone is what follows from d no longer counting: faces that decisions hold
// go where those say, and the others that d had moved return to whom they
// came from, or whom that one has become, unless another decision forbids it.
func (b *book) undone(d Decision) store.Assignment {
	ledger := slices.Clone(b.ledger)
	for i := range ledger {
		if ledger[i].ID == d.ID {
			ledger[i].Revoked, ledger[i].RevokedAfter = &b.now, ledger[len(ledger)-1].Seq
		}
	}
	ds := standing(ledger)
	faces, person := slices.Clone(b.faces), b.holdersNow()
	b.unreject(d, ds, faces)
	b.goBack(d, origins(ledger, d), ds, faces, person)
	return b.settle(ds, faces, person)
}

// unreject makes those faces that d alone rejected faces again.
func (b *book) unreject(d Decision, ds []Decision, faces []store.VectorFace) {
	if d.Kind != store.DecisionNotAFace {
		return
	}
	for i := range faces {
		if faces[i].Rejected == d.ID {
			faces[i].Rejected = ""
		}
	}
	for _, o := range ds {
		if o.Kind != store.DecisionNotAFace {
			continue
		}
		for _, i := range b.find.resolveAll(o.Faces) {
			if b.faces[i].Rejected == d.ID {
				faces[i].Rejected = o.ID
			}
		}
	}
}

// goBack returns the faces that d moved to whom they were with.
func (b *book) goBack(d Decision, was []PersonID, ds []Decision, faces []store.VectorFace, person []PersonID) {
	l := b.find.with(faces).replay(ds)
	at := successor(ds, d.Person) // where d has put them
	now, barred := slices.Clone(person), map[PersonID][]bool{}
	for k, ref := range moved(d) {
		to := successor(ds, was[k])
		if barred[to] == nil && to != "" {
			barred[to] = l.barred(to, now)
		}
		for _, i := range b.find.resolveAll([]store.FaceRef{ref}) {
			switch {
			case d.Kind == store.DecisionNotAFace && b.faces[i].Rejected != d.ID:
			case at != "" && now[i] != at: // it has moved on since
			case to != "" && barred[to][i]:
			default:
				person[i] = to
			}
		}
	}
}

func (b *book) holdersNow() []PersonID {
	person := make([]PersonID, len(b.faces))
	for i, f := range b.faces {
		person[i] = f.Person
	}
	return person
}

// settle enforces what decisions say and lists what that changes.
func (b *book) settle(ds []Decision, faces []store.VectorFace, person []PersonID) store.Assignment {
	l := b.find.with(faces).replay(ds)
	l.claims(person)
	l.separate(person)
	return b.outcome(l, person, false)
}

// born is when a person was made, as far as the ledger remembers.
func (b *book) born(id PersonID) time.Time {
	for _, d := range slices.Backward(b.ledger) {
		for _, h := range d.Before {
			if h.Person == id && !h.Created.IsZero() {
				return h.Created
			}
		}
	}
	return b.now
}
