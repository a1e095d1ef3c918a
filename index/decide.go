package index

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/kith-photos/kith/store"
)

// maxName is the longest name, in bytes.
const maxName = 1024

var errNoFaces = errors.New("index: a decision about faces needs at least one")

// Name says what a person is called; an empty name takes the name away. A
// later name prevails.
//
// Like every decision it is recorded in the account's ledger even where it
// changes nothing, holds through all that derives people anew, and is refused
// with a *ConflictError if it contradicts a decision that stands.
func (a *Account) Name(ctx context.Context, id PersonID, name string) (DecisionID, error) {
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || len(name) > maxName {
		return "", fmt.Errorf("index: a name must be valid UTF-8 of at most %d bytes", maxName)
	}
	return a.decide(ctx, func(b *book) (Decision, error) {
		p, err := b.person(id)
		return Decision{
			Kind: store.DecisionName, Person: id, Name: name, OldName: p.Name, Faces: b.refs(b.held[id]),
		}, err
	})
}

// Ignore says that a person is nobody to be shown, like a passer-by or a face
// on a poster: listings leave the person out unless asked, and faces that are
// found later keep joining it. A later Ignore or Unignore prevails.
func (a *Account) Ignore(ctx context.Context, id PersonID) (DecisionID, error) {
	return a.decide(ctx, sayOf(store.DecisionIgnore, id))
}

// Unignore says that a person is to be shown again.
func (a *Account) Unignore(ctx context.Context, id PersonID) (DecisionID, error) {
	return a.decide(ctx, sayOf(store.DecisionUnignore, id))
}

func sayOf(kind store.DecisionKind, id PersonID) func(*book) (Decision, error) {
	return func(b *book) (Decision, error) {
		_, err := b.person(id)
		return Decision{Kind: kind, Person: id, Faces: b.refs(b.held[id])}, err
	}
}

// Cover chooses the face to show for a person, which must be one of the
// person's; no better face replaces it. It counts as long as the face is with
// the person. A later Cover prevails.
func (a *Account) Cover(ctx context.Context, id PersonID, face FaceID) (DecisionID, error) {
	return a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionCover, Person: id}
		if _, err := b.person(id); err != nil {
			return d, err
		}
		i, ok := b.at[face]
		if !ok {
			return d, fmt.Errorf("index: face %q: %w", face, ErrNotFound)
		}
		d.Faces, b.cover = b.refs([]int{i}), face
		if f := b.faces[i]; f.Person != id && f.Rejected == "" {
			return d, fmt.Errorf("index: face %q is not a face of person %q", face, id)
		}
		return d, nil
	})
}

// Merge says that two people are one: from's faces go to into, and stay
// together with into's from now on. into keeps its name and chosen cover, or
// takes from's if it has none, and is ignored if it was.
func (a *Account) Merge(ctx context.Context, into, from PersonID) (DecisionID, error) {
	if into == from {
		return "", errors.New("index: a person cannot be merged with itself")
	}
	return a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionMerge, Person: into, Other: from}
		_, err := b.person(into)
		if err != nil {
			return d, err
		}
		other, err := b.person(from)
		d.OldName = other.Name
		d.Before = []store.Holder{{Person: from, Created: other.Created}}
		d.Faces, d.Others = b.refs(b.held[into]), b.refs(b.held[from])
		return d, err
	})
}

// Different says that two people are two: no person will ever hold a face of
// both.
func (a *Account) Different(ctx context.Context, one, other PersonID) (DecisionID, error) {
	if one == other {
		return "", errors.New("index: a person cannot be different from itself")
	}
	return a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionDifferent, Person: one, Other: other}
		if _, err := b.person(one); err != nil {
			return d, err
		}
		_, err := b.person(other)
		d.Faces, d.Others = b.refs(b.held[one]), b.refs(b.held[other])
		return d, err
	})
}

// Split says that some faces of one person are somebody else: they become a
// new person, whose id is returned, and will not be grouped with the faces
// that stay. At least one face must stay.
func (a *Account) Split(ctx context.Context, faces []FaceID) (PersonID, DecisionID, error) {
	fresh := store.NewPersonID()
	id, err := a.decide(ctx, func(b *book) (Decision, error) {
		d, err := b.leaving(store.DecisionSplit, faces)
		d.Person = fresh
		if err == nil && d.Other != "" && len(d.Others) == 0 {
			err = errors.New("index: a split must leave the person at least one face")
		}
		return d, err
	})
	if err != nil {
		return "", "", err
	}
	return fresh, id, nil
}

// Remove says that faces of one person are not that person: they are with
// nobody at once and never return to that person, whoever it is merged into,
// nor to the faces that stay. They may be grouped with others.
func (a *Account) Remove(ctx context.Context, faces ...FaceID) (DecisionID, error) {
	return a.decide(ctx, func(b *book) (Decision, error) { return b.leaving(store.DecisionRemove, faces) })
}

// leaving is a decision by which faces leave the person they are with.
func (b *book) leaving(kind store.DecisionKind, ids []FaceID) (Decision, error) {
	d := Decision{Kind: kind}
	chosen, err := b.chosen(ids)
	if err != nil {
		return d, err
	}
	d.Faces = b.refs(chosen)
	if b.anyRejected(chosen) {
		return d, nil // refused for that
	}
	d.Other = b.faces[b.at[ids[0]]].Person
	for _, id := range ids {
		if p := b.faces[b.at[id]].Person; p == "" || p != d.Other {
			return d, fmt.Errorf("index: the faces of a %s must all be one person's", kind)
		}
	}
	d.Before = []store.Holder{{Person: d.Other, Created: b.people[d.Other].Created}}
	d.Others = b.refs(b.others(d.Other, chosen))
	return d, nil
}

// Assign says that faces are a person's, or, with an empty id, those of a new
// person, whose id is returned. They may be with nobody before, or with
// others, whom they leave.
func (a *Account) Assign(ctx context.Context, to PersonID, faces ...FaceID) (PersonID, DecisionID, error) {
	fresh := to == ""
	if fresh {
		to = store.NewPersonID()
	}
	id, err := a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionSame, Person: to}
		if _, err := b.person(to); err != nil && !fresh {
			return d, err
		}
		chosen, err := b.chosen(faces)
		if err != nil {
			return d, err
		}
		d.Faces, d.Others = b.refs(chosen), b.refs(b.others(to, chosen))
		d.Before = b.holders(d.Faces)
		return d, nil
	})
	if err != nil {
		return "", "", err
	}
	return to, id, nil
}

// NotAFace says that what was found is no face. It is with nobody from now on
// and left out of listings, searches and groups, also where it is found again.
func (a *Account) NotAFace(ctx context.Context, faces ...FaceID) (DecisionID, error) {
	return a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionNotAFace}
		chosen, err := b.chosen(faces)
		if err != nil {
			return d, err
		}
		d.Faces = b.refs(chosen)
		d.Before = b.holders(d.Faces)
		return d, nil
	})
}

// deciding is begin for what somebody says: nobody else derives people until
// it is done.
func (a *Account) deciding(ctx context.Context) (_ context.Context, done func(), _ error) {
	ctx, end, err := a.begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	unlock, err := lock(ctx, a.people)
	if err != nil {
		end()
		return nil, nil, err
	}
	done = func() {
		unlock()
		end()
	}
	if err := a.mayChange(ctx); err != nil {
		done()
		return nil, nil, err
	}
	return ctx, done, nil
}

// decide lets say look at the account and put into words what is decided, and
// stores it together with what follows from it at once.
func (a *Account) decide(ctx context.Context, say func(*book) (Decision, error)) (DecisionID, error) {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	b, err := a.openBook(ctx)
	if err != nil {
		return "", err
	}
	d, err := say(b)
	if err != nil {
		return "", err
	}
	if err := b.refuse(d); err != nil {
		return "", err
	}
	if err := a.mayName(ctx, b, d); err != nil {
		return "", err
	}
	d.ID = store.NewDecisionID()
	defer a.forgetDecided(d)
	return a.db.Decide(ctx, d, b.decided(d))
}

// Undo revokes a decision. What other decisions say stays true. Faces that it
// moved return to the person they came from, with the id that person had,
// unless they have moved on since or another decision forbids it, and people
// are called, ignored and shown as the remaining decisions say. A person with
// a name stays even without a face. What was said of a person while an undone
// merge or Assign stood no longer speaks of the faces that it had brought.
//
// ErrNotFound if there is no such decision, store.ErrRevoked if it was undone
// before.
func (a *Account) Undo(ctx context.Context, id DecisionID) error {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return err
	}
	defer done()
	d, err := a.db.Decision(ctx, id)
	if err != nil {
		return err
	}
	if d.Revoked != nil {
		return fmt.Errorf("index: decision %s: %w", id, store.ErrRevoked)
	}
	if corrects(d) {
		return a.db.Revoke(ctx, id, store.Assignment{})
	}
	b, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer a.forgetDecided(d)
	return a.db.Revoke(ctx, id, b.undone(d))
}

// mayName returns ErrNoConsent, where persons' own consent is asked for, if a
// decision names somebody who has not given it.
func (a *Account) mayName(ctx context.Context, b *book, d Decision) error {
	merged := d.Kind == store.DecisionMerge && d.OldName != "" && b.people[d.Person].Name == "" // who takes over the name
	if named := d.Kind == store.DecisionName && d.Name != ""; !named && !merged {
		return nil
	}
	consents, err := a.consents(ctx)
	if err == nil && consents != nil && !consents[d.Person] {
		err = fmt.Errorf("person %s: %w", d.Person, ErrNoConsent)
	}
	return err
}

// forgetDecided forgets what a decision, or undoing it, may have changed: which
// faces there are, or only whose they are.
func (a *Account) forgetDecided(d Decision) {
	if d.Kind == store.DecisionNotAFace {
		a.forgetVectors()
		return
	}
	a.forgetFaces()
}

// Decisions lists what was decided, in order, revoked entries included.
func (a *Account) Decisions(ctx context.Context) iter.Seq2[Decision, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Decision, error] { return a.db.Decisions(ctx) })
}

// Events lists what became of people, in order, beginning after the event of
// the given id; 0 begins with the oldest. A host that remembers the last id it
// saw, and on EventErased forgets all people, misses nothing.
func (a *Account) Events(ctx context.Context, after EventID) iter.Seq2[Event, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Event, error] { return a.db.Events(ctx, after) })
}
