package index

import (
	"slices"

	"github.com/kith-photos/kith/store"
)

// standing lists the decisions that count, in the order they were made, of
// the whole ledger. A decision that was made while a merge stood which has
// been undone since also names the faces that the merge had brought; it no
// longer speaks of them. The same is true of faces that an undone same had
// brought.
func standing(ledger []Decision) []Decision {
	ds := slices.Clone(ledger)
	for i, m := range ledger {
		if m.Revoked == nil || m.Kind != store.DecisionMerge && m.Kind != store.DecisionSame {
			continue
		}
		brought, to := newRefSet(moved(m)), carriers{m.Person: true}
		for j := i + 1; j < len(ds) && ds[j].Seq <= m.RevokedAfter; j++ {
			to.follow(&ds[j], brought)
		}
	}
	return slices.DeleteFunc(ds, func(d Decision) bool { return d.Revoked != nil })
}

// moved are the faces that a decision takes from where they were.
func moved(d Decision) []store.FaceRef {
	switch d.Kind {
	case store.DecisionMerge:
		return d.Others
	case store.DecisionSplit, store.DecisionSame, store.DecisionRemove, store.DecisionNotAFace:
		return d.Faces
	default:
		return nil
	}
}

// heldBy are those of the faces that d moved which h held before.
func heldBy(d Decision, h store.Holder) []store.FaceRef {
	refs := moved(d)
	if h.Faces == nil {
		return refs
	}
	var out []store.FaceRef
	for _, i := range h.Faces {
		if i < len(refs) {
			out = append(out, refs[i])
		}
	}
	return out
}

// carriers are the people to whom faces came that a decision brought: the one
// it brought them to, and whoever that one was merged into.
type carriers map[PersonID]bool

// follow takes the faces that were brought out of what d says of their
// carriers, and goes with them where d took them.
func (c carriers) follow(d *Decision, brought refSet) {
	switch d.Kind {
	case store.DecisionSplit, store.DecisionRemove: // somebody looked at these faces one by one
		if c[d.Other] {
			brought.remove(d.Faces)
		}
	case store.DecisionSame:
		brought.remove(d.Faces)
		if c[d.Person] {
			d.Others = brought.without(d.Others)
		}
	case store.DecisionNotAFace: // whatever is no face is so whosever it was
	default:
		if c[d.Other] {
			d.Others = brought.without(d.Others)
			if d.Kind == store.DecisionMerge {
				c[d.Person] = true
			}
		}
		if c[d.Person] {
			d.Faces = brought.without(d.Faces)
		}
	}
}

// origins says whose the faces were that d moved, by their position in what
// it moved. Who held them because of a merge that has been undone since does
// not count.
func origins(ledger []Decision, d Decision) []PersonID {
	refs := moved(d)
	was := make([]PersonID, len(refs))
	for i := range was {
		was[i] = d.Other
	}
	for _, h := range d.Before { // missing where an older version recorded it
		for i := range was {
			if _, held := slices.BinarySearch(h.Faces, i); held || h.Faces == nil {
				was[i] = h.Person
			}
		}
	}
	for _, m := range slices.Backward(ledger) {
		if m.Seq >= d.Seq || m.Kind != store.DecisionMerge || m.Revoked == nil || m.RevokedAfter < d.Seq {
			continue
		}
		brought := newRefSet(m.Others)
		for i, r := range refs {
			if was[i] == m.Person && brought.has(r) {
				was[i] = m.Other
			}
		}
	}
	return was
}

// successor is who a person has become by the merges that stand.
func successor(ds []Decision, id PersonID) PersonID {
	for _, d := range ds {
		if d.Kind == store.DecisionMerge && d.Other == id {
			id = d.Person
		}
	}
	return id
}

// sayings are what decisions say of people and not of faces.
type sayings struct {
	names   map[PersonID]string
	ignored map[PersonID]bool
	covers  map[PersonID][]store.FaceRef
}

// replayPeople goes through the decisions in their order. Who stays in a merge
// keeps name and chosen cover, or takes the other's, and is ignored if it was.
func replayPeople(ds []Decision) sayings {
	s := sayings{map[PersonID]string{}, map[PersonID]bool{}, map[PersonID][]store.FaceRef{}}
	for _, d := range ds {
		switch d.Kind {
		case store.DecisionName:
			s.names[d.Person] = d.Name
		case store.DecisionIgnore:
			s.ignored[d.Person] = true
		case store.DecisionUnignore:
			delete(s.ignored, d.Person)
		case store.DecisionCover:
			s.covers[d.Person] = d.Faces
		case store.DecisionMerge:
			if s.names[d.Person] == "" {
				s.names[d.Person] = s.names[d.Other]
			}
			if len(s.covers[d.Person]) == 0 {
				s.covers[d.Person] = s.covers[d.Other]
			}
			delete(s.names, d.Other)
			delete(s.ignored, d.Other)
			delete(s.covers, d.Other)
		default:
		}
	}
	return s
}

// lasting reports whether a person stays even without a face.
func (s sayings) lasting(id PersonID) bool { return s.names[id] != "" || s.ignored[id] }
