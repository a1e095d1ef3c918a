package index

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/kith-photos/kith/store"
)

// plan finds whom a name means, the zero Person for somebody new, and the faces
// to be given to that person: those of which it was not decided already and
// against which nothing stands. ErrNoConsent if the person may not be named.
func (r *regionReader) plan(ctx context.Context, name string) (Person, []FaceID, error) {
	unlock, err := lock(ctx, r.a.people)
	if err != nil {
		return Person{}, nil, err
	}
	defer unlock()
	b, err := r.a.openBook(ctx)
	if err != nil {
		return Person{}, nil, err
	}
	to := r.whose(b, name)
	if to.Name != name {
		if err := r.a.mayName(ctx, b, Decision{Kind: store.DecisionName, Person: to.ID, Name: name}); err != nil {
			return Person{}, nil, err
		}
	}
	var give []FaceID
	for _, id := range sortedKeys(r.said[name]) {
		i, ok := b.at[id]
		switch {
		case !ok: // it has gone since
		case to.ID != "" && b.faces[i].Person == to.ID && b.faces[i].By == store.ByDecision:
			r.report.Agreed++
		default:
			give = append(give, id)
		}
	}
	if len(give) == 0 || b.refuse(b.giving(to.ID, give...)) == nil {
		return to, give, nil
	}
	return to, slices.DeleteFunc(give, func(id FaceID) bool {
		var conflict *ConflictError
		refused := errors.As(b.refuse(b.giving(to.ID, id)), &conflict)
		if refused {
			r.conflict(name, []FaceID{id}, conflict)
		}
		return refused
	}), nil
}

// giving is the decision by which faces, and their copies, would be a person's.
func (b *book) giving(to PersonID, ids ...FaceID) Decision {
	if to == "" {
		to = store.NewPersonID()
	}
	chosen, _ := b.chosen(ids) // they are there
	return Decision{Kind: store.DecisionSame, Person: to, Faces: b.refs(chosen), Others: b.refs(b.others(to, chosen))}
}

// whose is the person whom a name means: who has it; else who has none, holds
// most of the name's faces, and of whom no other name has more; else nobody.
func (r *regionReader) whose(b *book, name string) Person {
	held := map[PersonID]int{}
	for id := range r.said[name] {
		if i, ok := b.at[id]; ok {
			held[b.faces[i].Person]++
		}
	}
	best := func(fit func(Person) bool) (p Person, found bool) {
		for _, id := range sortedKeys(b.people) {
			if c := b.people[id]; fit(c) && (!found || held[id] > held[p.ID]) {
				p, found = c, true
			}
		}
		return p, found
	}
	if p, ok := best(func(p Person) bool { return p.Name == strings.TrimSpace(name) }); ok {
		return p
	}
	most := 0
	for id, n := range held {
		if id != "" {
			most = max(most, n)
		}
	}
	p, _ := best(func(p Person) bool {
		return p.Name == "" && !p.Ignored && held[p.ID] > 0 && held[p.ID] == most && !r.morePlaces(b, p.ID, name, held[p.ID])
	})
	return p
}

// morePlaces reports whether another name has more than n faces with a person,
// or as many and comes first.
func (r *regionReader) morePlaces(b *book, id PersonID, name string, n int) bool {
	for other, faces := range r.said {
		if other == name {
			continue
		}
		theirs := 0
		for f := range faces {
			if i, ok := b.at[f]; ok && b.faces[i].Person == id {
				theirs++
			}
		}
		if theirs > n || theirs == n && other < name {
			return true
		}
	}
	return false
}
