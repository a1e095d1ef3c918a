package index

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kith-photos/kith/store"
)

// ConflictError is a decision that was refused because it contradicts others
// that stand. Nothing is recorded of it. When all of Standing are undone, what
// it asked for is possible, or has come about by that.
type ConflictError struct {
	Kind          store.DecisionKind // of the decision refused
	Person, Other PersonID           // whom it spoke of, as Decision has them
	Standing      []DecisionID       // what stands against it, the oldest first
	kinds         []store.DecisionKind
}

func (e *ConflictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "index: %s", e.Kind)
	for i, id := range slices.DeleteFunc([]PersonID{e.Person, e.Other}, func(id PersonID) bool { return id == "" }) {
		fmt.Fprintf(&b, " %s person %s", []string{"of", "and"}[i], id)
	}
	b.WriteString(" contradicts ")
	for i, id := range e.Standing {
		if i > 0 {
			b.WriteString(" and ")
		}
		fmt.Fprintf(&b, "decision %s (%s)", id, e.kinds[i])
	}
	b.WriteString(", which stands: undo that to make room")
	return b.String()
}

// refuse returns a *ConflictError if d contradicts what stands:
//
//   - Merge and same must not bring together faces that a split, different or
//     remove holds apart, nor a face and a person that one holds apart.
//   - Split, remove and same must not take a face from the person to whom a
//     same gave it, nor part what is left of one side of a merge from what is
//     left of the other. Taking only some faces is a finer word than the
//     merge's, and prevails.
//   - No face can be spoken of that not-a-face rejects, nor can not-a-face
//     reject one that a same or cover names.
func (b *book) refuse(d Decision) error {
	var against []int // positions in b.standing
	these := b.find.resolve(d.Faces)
	l := b.find.replay(b.standing)
	switch d.Kind {
	case store.DecisionMerge:
		against = l.between(b.held[d.Other], b.held[d.Person], d.Other, d.Person)
	case store.DecisionSame:
		to := slices.Concat(b.held[d.Person], these)
		against = slices.Concat(b.rejecting(d), l.between(these, to, "", d.Person), l.tearing(these, d, b.find.resolve))
	case store.DecisionSplit, store.DecisionRemove:
		against = slices.Concat(b.rejecting(d), l.tearing(these, d, b.find.resolve))
	case store.DecisionCover:
		against = b.rejecting(d)
	case store.DecisionNotAFace:
		against = b.speaking(these, b.find.resolve, store.DecisionSame, store.DecisionCover)
	default: // different people hold no face in common, and names and the like prevail
	}
	if len(against) == 0 {
		return nil
	}
	slices.Sort(against)
	e := &ConflictError{Kind: d.Kind, Person: d.Person, Other: d.Other}
	for _, k := range slices.Compact(against) {
		e.Standing = append(e.Standing, b.standing[k].ID)
		e.kinds = append(e.kinds, b.standing[k].Kind)
	}
	return e
}

func (b *book) anyRejected(faces []int) bool {
	return slices.ContainsFunc(faces, func(i int) bool { return b.faces[i].Rejected != "" })
}

// rejecting lists the decisions by which a face that d speaks of is none.
func (b *book) rejecting(d Decision) []int {
	faces := slices.DeleteFunc(b.find.resolveAll(d.Faces), func(i int) bool { return b.faces[i].Rejected == "" })
	return b.speaking(faces, b.find.resolveAll, store.DecisionNotAFace)
}

// speaking lists the standing decisions of some kinds that name one of faces.
func (b *book) speaking(faces []int, resolve func([]store.FaceRef) []int, kinds ...store.DecisionKind) []int {
	if len(faces) == 0 {
		return nil
	}
	var out []int
	for k, d := range b.standing {
		if slices.Contains(kinds, d.Kind) && slices.ContainsFunc(resolve(d.Faces), func(i int) bool {
			_, found := slices.BinarySearch(faces, i)
			return found
		}) {
			out = append(out, k)
		}
	}
	return out
}

// between lists the decisions that hold faces x of person px apart from faces
// y of person py; either person may be nobody. What a later decision holds
// together all the same is passed over.
func (l *ledger) between(x, y []int, px, py PersonID) []int {
	inX, inY := l.mark(x), l.mark(y)
	var out []int
	for _, a := range l.apart {
		for k := range a.side {
			xs := slices.DeleteFunc(slices.Clone(a.side[k]), func(i int) bool { return !inX[i] })
			ys := slices.DeleteFunc(slices.Clone(a.side[1-k]), func(i int) bool { return !inY[i] })
			parted := slices.ContainsFunc(xs, func(i int) bool {
				return slices.ContainsFunc(ys, func(j int) bool { return !l.together(i, j) })
			})
			if a.who[0] != a.who[1] {
				isX, isY := px != "" && a.who[k] == px, py != "" && a.who[1-k] == py
				parted = parted || isX && isY || len(xs) > 0 && isY || len(ys) > 0 && isX
			}
			if parted {
				out = append(out, a.by)
				break
			}
		}
	}
	return out
}

// tearing lists the decisions that would no longer be true if faces came to
// d's person by d: those that gave one of them to another person, and merges
// of which no two faces, one of each side, would still be together.
func (l *ledger) tearing(faces []int, d Decision, find func([]store.FaceRef) []int) []int {
	var out []int
	for _, i := range faces {
		if l.claim[i] != d.Person {
			out = append(out, l.given[i]...)
		}
	}
	leaves := l.mark(faces)
	for k, m := range l.ds {
		if m.Kind != store.DecisionMerge {
			continue
		}
		var before, after [2]map[PersonID]bool // with whom each side's faces are held
		for s, refs := range [2][]store.FaceRef{m.Faces, m.Others} {
			before[s], after[s] = map[PersonID]bool{}, map[PersonID]bool{}
			for _, i := range find(refs) {
				if l.tied(i) {
					before[s][l.claim[i]] = true
				}
				if l.tied(i) && !leaves[i] {
					after[s][l.claim[i]] = true
				}
				if leaves[i] && d.Kind != store.DecisionRemove {
					after[s][d.Person] = true
				}
			}
		}
		if meet(before) && !meet(after) {
			out = append(out, k)
		}
	}
	return out
}

func meet(sides [2]map[PersonID]bool) bool {
	for id := range sides[0] {
		if sides[1][id] {
			return true
		}
	}
	return false
}
