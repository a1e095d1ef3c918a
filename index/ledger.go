package index

import (
	"slices"

	"github.com/kith-photos/kith/store"
)

// resolver finds the faces that a decision speaks of among those that exist
// now: by the photo's content, which every copy has, and the nearest box.
type resolver struct {
	faces     []store.VectorFace
	byContent map[[32]byte][]int
}

func newResolver(faces []store.VectorFace) resolver {
	r := resolver{faces: faces, byContent: map[[32]byte][]int{}}
	for i, f := range faces {
		r.byContent[f.SHA256] = append(r.byContent[f.SHA256], i)
	}
	return r
}

// sameFace is the least IoU at which two boxes of one photo are one face:
// what two detectors make of a face overlaps more, two people's faces less.
const sameFace = 0.4

// resolve lists the faces that refs mean: for each, the one of best IoU in
// every photo with that content.
func (r resolver) resolve(refs []store.FaceRef) []int {
	var out []int
	for _, ref := range refs {
		best := map[store.PhotoID]int{}
		for _, i := range r.byContent[ref.SHA256] {
			f := r.faces[i]
			iou := f.Box.IoU(ref.Box)
			if iou < sameFace {
				continue
			}
			if j, ok := best[f.Photo]; !ok || iou > r.faces[j].Box.IoU(ref.Box) {
				best[f.Photo] = i
			}
		}
		for _, i := range best {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ledger is what the standing decisions mean for the faces that exist now.
type ledger struct {
	names map[PersonID]string
	// claim says whose a face is by the latest decision that speaks of it. A
	// claim made by a name alone is weaker than what grouping finds later.
	claim map[int]PersonID
	// tie numbers the sets of faces that decisions hold together.
	tie  map[int]int
	ties int
	// apart are pairs of sets that a split separated.
	apart [][2][]int
}

// standing lists the decisions that count, in the order they were made, of
// the whole ledger. A decision that was made while a merge stood which has
// been undone since also names the faces that the merge had brought; it no
// longer speaks of them.
func standing(ledger []Decision) []Decision {
	ds := slices.Clone(ledger)
	for i, m := range ledger {
		if m.Kind != store.DecisionMerge || m.Revoked == nil {
			continue
		}
		brought, to := refSet(m.Others), carriers{m.Person: true}
		for j := i + 1; j < len(ds) && !ds[j].At.After(*m.Revoked); j++ {
			to.follow(&ds[j], brought)
		}
	}
	return slices.DeleteFunc(ds, func(d Decision) bool { return d.Revoked != nil })
}

// carriers are the people whom the faces that a merge brought came to: the
// one they were merged into, and whoever that one was merged into.
type carriers map[PersonID]bool

// follow takes the faces that were brought out of what d says of their
// carriers, and goes with them where d took them.
func (c carriers) follow(d *Decision, brought map[store.FaceRef]bool) {
	isBrought := func(r store.FaceRef) bool { return brought[r] }
	switch d.Kind {
	case store.DecisionSplit: // somebody looked at these faces one by one
		if c[d.Other] {
			for _, r := range d.Faces {
				delete(brought, r)
			}
		}
		return
	case store.DecisionMerge:
		if c[d.Other] {
			d.Others = slices.DeleteFunc(slices.Clone(d.Others), isBrought)
			c[d.Person] = true
		}
	case store.DecisionName:
	}
	if c[d.Person] {
		d.Faces = slices.DeleteFunc(slices.Clone(d.Faces), isBrought)
	}
}

func refSet(refs []store.FaceRef) map[store.FaceRef]bool {
	set := make(map[store.FaceRef]bool, len(refs))
	for _, r := range refs {
		set[r] = true
	}
	return set
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

// replay goes through the decisions in their order; a later one prevails over
// an earlier one that it contradicts.
func replay(ds []Decision, faces []store.VectorFace) *ledger {
	l := &ledger{names: replayNames(ds), claim: map[int]PersonID{}, tie: map[int]int{}}
	r := newResolver(faces)
	for _, d := range ds {
		these, others := r.resolve(d.Faces), r.resolve(d.Others)
		switch d.Kind {
		case store.DecisionName:
			for _, i := range these {
				if _, tied := l.tie[i]; !tied { // a tied set has one claim
					l.claim[i] = d.Person
				}
			}
		case store.DecisionMerge:
			l.follow(d.Other, d.Person, these)
			l.join(append(these, others...), d.Person)
		case store.DecisionSplit:
			l.leave(these, d.Person)
			l.apart = append(l.apart, [2][]int{these, others})
		}
	}
	return l
}

// follow gives what somebody has a claim to, and is not there to be merged, to
// the one they were merged into; not so a set that a split had taken from that
// one's faces.
func (l *ledger) follow(from, into PersonID, faces []int) {
	parted := map[int]bool{}
	for _, a := range l.apart {
		for side := range a {
			if slices.ContainsFunc(a[1-side], func(i int) bool { return slices.Contains(faces, i) }) {
				for _, i := range a[side] {
					if t, tied := l.tie[i]; tied {
						parted[t] = true
					}
				}
			}
		}
	}
	for i, p := range l.claim {
		if t, tied := l.tie[i]; p == from && (!tied || !parted[t]) {
			l.claim[i] = into
		}
	}
}

// join ties faces, and whatever was tied to one of them, into one set.
func (l *ledger) join(faces []int, p PersonID) {
	l.ties++
	old := map[int]bool{}
	for _, i := range faces {
		if t, ok := l.tie[i]; ok {
			old[t] = true
		}
		l.tie[i], l.claim[i] = l.ties, p
	}
	for i, t := range l.tie {
		if old[t] {
			l.tie[i], l.claim[i] = l.ties, p
		}
	}
}

// leave ties faces into a set of their own.
func (l *ledger) leave(faces []int, p PersonID) {
	l.ties++
	for _, i := range faces {
		l.tie[i], l.claim[i] = l.ties, p
	}
}

// same lists the sets that must stay together.
func (l *ledger) same() [][]int {
	sets := map[int][]int{}
	for i, t := range l.tie {
		sets[t] = append(sets[t], i)
	}
	var out [][]int
	for _, t := range sortedKeys(sets) {
		slices.Sort(sets[t])
		out = append(out, sets[t])
	}
	return out
}

// different lists the pairs that must stay apart, leaving out those that a
// later decision brought together. One face of a tied set speaks for all.
func (l *ledger) different() [][2]int {
	var out [][2]int
	for _, a := range l.apart {
		spoken := map[int]bool{}
		for _, i := range a[0] {
			if spoken[l.tie[i]] {
				continue
			}
			spoken[l.tie[i]] = true
			for _, j := range a[1] {
				if t, ok := l.tie[j]; ok && t == l.tie[i] {
					continue
				}
				out = append(out, [2]int{i, j})
			}
		}
	}
	return out
}

// part abstains on faces that ended with a person whom they were said not to
// be: grouping keeps the two apart, but both clusters may continue one person.
func (l *ledger) part(person []PersonID) {
	for _, pair := range l.different() {
		if id := person[pair[0]]; id == "" || id != person[pair[1]] {
			continue
		}
		for _, i := range pair {
			if _, tied := l.tie[i]; !tied {
				person[i] = ""
			}
		}
	}
}

// replayNames is what each person is called after all decisions. A merge
// keeps the name of the person that stays, or takes the other's.
func replayNames(ds []Decision) map[PersonID]string {
	names := map[PersonID]string{}
	for _, d := range ds {
		switch d.Kind {
		case store.DecisionName:
			names[d.Person] = d.Name
		case store.DecisionMerge:
			if names[d.Person] == "" {
				names[d.Person] = names[d.Other]
			}
			delete(names, d.Other)
		case store.DecisionSplit:
		}
	}
	return names
}
