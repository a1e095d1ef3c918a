package index

import (
	"slices"

	"github.com/kith-photos/kith/store"
)

// ledger is what the standing decisions mean for the faces that exist now.
// Faces go by their position in the list that it was replayed on.
type ledger struct {
	sayings
	ds    []Decision
	faces []store.VectorFace
	cover map[PersonID][]int // the chosen cover, on every copy of its photo
	// claim says whose a face is by the latest decision that speaks of it, ""
	// by none. That of a face without a tie is weaker than what grouping finds
	// later: it only helps who vanished to come back.
	claim []PersonID
	// tie numbers the set that a face is held in, from 1; 0 is none. All faces
	// of a set have one claim.
	tie  []int
	sets [][]int
	pos  []int // of a face in its set
	// apart are the sides that must not meet.
	apart []apart
	// given are the decisions, as positions in ds, that gave a face to the
	// person who has a claim to it.
	given map[int][]int
	// taken says from whom such a face was taken.
	taken map[int]PersonID
}

// apart keeps the faces of two sides apart from one another, and each side's
// from the other's person.
type apart struct {
	by   int // position of the decision
	side [2][]int
	who  [2]PersonID // who the sides' people have become; "" is nobody
}

// replay goes through the decisions in their order; a later one prevails over
// an earlier one that it contradicts.
func replay(ds []Decision, faces []store.VectorFace) *ledger { return newResolver(faces).replay(ds) }

func (r resolver) replay(ds []Decision) *ledger {
	n := len(r.faces)
	l := &ledger{
		sayings: replayPeople(ds), ds: ds, faces: r.faces, cover: map[PersonID][]int{},
		claim: make([]PersonID, n), tie: make([]int, n), pos: make([]int, n), sets: [][]int{nil},
		given: map[int][]int{}, taken: map[int]PersonID{},
	}
	for k, d := range ds {
		these := r.resolve(d.Faces)
		others := slices.DeleteFunc(r.resolve(d.Others), func(i int) bool {
			_, both := slices.BinarySearch(these, i) // two boxes of old may be one face now
			return both
		})
		switch d.Kind {
		case store.DecisionName, store.DecisionIgnore, store.DecisionUnignore:
			l.suggest(these, d.Person)
		case store.DecisionCover:
			these = slices.DeleteFunc(these, func(i int) bool { return l.tied(i) && l.claim[i] == d.Person })
			l.take(these)
			l.hold(these, d.Person)
		case store.DecisionMerge:
			l.follow(d.Other, d.Person, these)
			l.join(slices.Concat(these, others), d.Person, d.Other)
		case store.DecisionSplit:
			l.take(these)
			l.hold(these, d.Person)
			l.part(k, these, others)
		case store.DecisionSame:
			l.give(k, these)
			for _, h := range d.Before {
				for _, i := range r.resolve(heldBy(d, h)) {
					l.taken[i] = h.Person
				}
			}
			l.suggest(others, d.Person)
		case store.DecisionDifferent:
			l.loosen(these, d.Other)
			l.loosen(others, d.Person)
			l.suggest(these, d.Person)
			l.suggest(others, d.Other)
			l.part(k, these, others)
		case store.DecisionRemove:
			l.take(these)
			l.part(k, these, others)
		case store.DecisionNotAFace: // such faces are not resolved
		}
	}
	for id, refs := range l.covers {
		l.cover[id] = r.resolve(refs)
	}
	return l
}

// tied reports whether a decision holds a face with its person.
func (l *ledger) tied(i int) bool { return l.tie[i] != 0 }

// together reports whether decisions hold two faces with one person.
func (l *ledger) together(i, j int) bool { return l.tied(i) && l.tied(j) && l.claim[i] == l.claim[j] }

func (l *ledger) suggest(faces []int, p PersonID) {
	for _, i := range faces {
		if !l.tied(i) {
			l.claim[i] = p
		}
	}
}

// take ends what was said of whose faces are.
func (l *ledger) take(faces []int) {
	for _, i := range faces {
		l.leave(i)
		l.claim[i] = ""
		delete(l.given, i)
		delete(l.taken, i)
	}
}

// leave takes a face out of its set and leaves it its claim.
func (l *ledger) leave(i int) {
	t := l.tie[i]
	if t == 0 {
		return
	}
	l.tie[i] = 0
	last := len(l.sets[t]) - 1
	at := l.pos[i]
	moved := l.sets[t][last]
	l.sets[t][at], l.pos[moved] = moved, at
	l.sets[t] = l.sets[t][:last]
}

// hold ties faces that have no tie into a set of their own.
func (l *ledger) hold(faces []int, p PersonID) {
	if len(faces) == 0 {
		return
	}
	for k, i := range faces {
		l.tie[i], l.pos[i], l.claim[i] = len(l.sets), k, p
	}
	l.sets = append(l.sets, slices.Clone(faces))
}

// give is hold for the decision at position k, by which these faces are a
// person's one by one: what parts them from it later must name that decision.
func (l *ledger) give(k int, faces []int) {
	p := l.ds[k].Person
	for _, i := range faces {
		earlier := l.given[i]
		if l.claim[i] != p {
			earlier = nil
		}
		l.take([]int{i})
		l.given[i] = append(earlier, k)
	}
	l.hold(faces, p)
}

func (l *ledger) part(k int, these, others []int) {
	l.apart = append(l.apart, apart{k, [2][]int{these, others}, [2]PersonID{l.ds[k].Person, l.ds[k].Other}})
}

// follow gives what somebody has a claim to, and is not there to be merged, to
// the one they were merged into; not so a set that was parted from that one's
// faces.
func (l *ledger) follow(from, into PersonID, faces []int) {
	parted := map[int]bool{}
	in := l.mark(faces)
	for k := range l.apart {
		a := &l.apart[k]
		for side := range a.side {
			if a.who[side] == from {
				a.who[side] = into
			}
			if slices.ContainsFunc(a.side[1-side], func(i int) bool { return in[i] }) {
				for _, i := range a.side[side] {
					parted[l.tie[i]] = true
				}
			}
		}
	}
	for i, p := range l.taken {
		if p == from {
			l.taken[i] = into
		}
	}
	for i, p := range l.claim {
		if p == from && (!l.tied(i) || !parted[l.tie[i]]) {
			l.claim[i] = into
		}
	}
}

// join ties faces into one set, and with them whatever was tied to one of
// them and has the same claim as the people who are merged. Not so what is
// held apart from one of the faces: it came into their set by a decision that
// was undone and thereby made an older one count again.
func (l *ledger) join(faces []int, p, other PersonID) {
	named, barred := l.mark(faces), l.opposite(faces)
	var all []int
	seen := map[int]bool{}
	for _, i := range faces {
		t := l.tie[i]
		if t != 0 && !seen[t] && (l.claim[i] == p || l.claim[i] == other) {
			seen[t] = true
			for _, j := range slices.Clone(l.sets[t]) {
				if barred[j] && !named[j] {
					l.take([]int{j})
				} else {
					all = append(all, j)
				}
			}
		}
		all = append(all, i)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	for _, i := range all {
		l.leave(i)
	}
	l.hold(all, p)
}

// loosen ends the ties of faces to a person of whom they are said to be
// different. They have some only where a decision in between was undone.
func (l *ledger) loosen(faces []int, from PersonID) {
	for _, i := range faces {
		if l.tied(i) && l.claim[i] == from {
			l.take([]int{i})
		}
	}
}

// opposite marks the faces that are held apart from one of those given.
func (l *ledger) opposite(faces []int) []bool {
	in, out := l.mark(faces), make([]bool, len(l.faces))
	for _, a := range l.apart {
		for k, side := range a.side {
			if slices.ContainsFunc(side, func(i int) bool { return in[i] }) {
				for _, j := range a.side[1-k] {
					out[j] = true
				}
			}
		}
	}
	return out
}

// mark makes a set of faces one that is asked by position.
func (l *ledger) mark(faces []int) []bool {
	in := make([]bool, len(l.faces))
	for _, i := range faces {
		in[i] = true
	}
	return in
}

// claims enforces what decisions say of whose a face is.
func (l *ledger) claims(person []PersonID) {
	for i := range person {
		switch {
		case l.faces[i].Rejected != "":
			person[i] = ""
		case l.tied(i):
			person[i] = l.claim[i]
		}
	}
}
