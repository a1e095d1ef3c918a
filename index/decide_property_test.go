package index_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// standing is what is still said: a merge or an assignment that was undone
// takes the faces it brought out of what was said of their person while it
// stood.
func (c *chronicle) standing() []said {
	out := slices.Clone(c.said)
	for i, m := range c.said {
		if m.undone == 0 || m.kind != store.DecisionMerge && m.kind != store.DecisionSame {
			continue
		}
		brought, at := slices.Clone(m.others), []index.PersonID{m.person}
		if m.kind == store.DecisionSame {
			brought = slices.Clone(m.faces)
		}
		without := func(fs, gone []string) []string {
			return slices.DeleteFunc(slices.Clone(fs), func(f string) bool { return slices.Contains(gone, f) })
		}
		for j := i + 1; j < m.undone; j++ {
			s := &out[j]
			person, other := slices.Contains(at, s.person), slices.Contains(at, s.other)
			switch s.kind {
			case store.DecisionNotAFace:
			case store.DecisionSame:
				brought = without(brought, s.faces)
			case store.DecisionSplit, store.DecisionRemove:
				if other {
					brought = without(brought, s.faces)
				}
			case store.DecisionMerge:
				if other {
					s.others, at, person = without(s.others, brought), append(at, s.person), true
				}
				if person {
					s.faces = without(s.faces, brought)
				}
			default:
				if other {
					s.others = without(s.others, brought)
				}
				if person {
					s.faces = without(s.faces, brought)
				}
			}
		}
	}
	return slices.DeleteFunc(out, func(s said) bool { return s.undone != 0 })
}

// become is who a person is by the merges after the i-th decision.
func become(ds []said, i int, id index.PersonID) index.PersonID {
	for _, d := range ds[i+1:] {
		if d.kind == store.DecisionMerge && d.other == id {
			id = d.person
		}
	}
	return id
}

// check holds the account against what is said.
func (c *chronicle) check() {
	c.t.Helper()
	v, ds := c.look(), c.standing()
	for i, d := range ds {
		switch d.kind {
		case store.DecisionSplit, store.DecisionDifferent, store.DecisionRemove:
			c.checkApart(v, ds, i)
		case store.DecisionSame:
			for _, f := range d.faces {
				if p, there := v.who[f]; there && p != become(ds, i, d.person) {
					c.t.Errorf("%s was said to be %s, and is %q", f, d.person, p)
				}
			}
		case store.DecisionNotAFace:
			for _, f := range d.faces {
				if p, there := v.who[f]; there && (p != "" || !v.rejected[f]) {
					c.t.Errorf("%s was said to be no face, and is %q", f, p)
				}
			}
		}
		switch d.kind {
		case store.DecisionMerge:
			c.checkTogether(v, ds, i, slices.Concat(d.faces, d.others))
		case store.DecisionSplit, store.DecisionCover:
			c.checkTogether(v, ds, i, d.faces)
		}
	}
	c.checkRejected(v, ds)
	c.checkPeople(v, ds)
	c.events.follow(c.t, c.acc)
	c.events.compare(c.t, v)
}

// checkApart: no face of one side is with a face of the other, or with the
// other's person.
func (c *chronicle) checkApart(v view, ds []said, i int) {
	d := ds[i]
	sides := [2][]string{d.faces, d.others}
	who := [2]index.PersonID{become(ds, i, d.person), become(ds, i, d.other)}
	for k, side := range sides {
		for _, f := range side {
			p := v.who[f]
			if p == "" {
				continue
			}
			if p == who[1-k] {
				c.t.Errorf("%s: %s was said not to be %s, and is", d.kind, f, p)
			}
			for _, g := range sides[1-k] {
				if v.who[g] == p {
					c.t.Errorf("%s: %s and %s were said to be two, and are %s", d.kind, f, g, p)
				}
			}
		}
	}
}

// checkTogether: what the i-th decision holds together is with one person, but
// for faces of which something finer was said.
func (c *chronicle) checkTogether(v view, ds []said, i int, faces []string) {
	want := become(ds, i, ds[i].person)
	for _, f := range faces {
		p, there := v.who[f]
		if !there || v.rejected[f] || p == want {
			continue
		}
		finer := false
		for j, d := range ds {
			in, out := slices.Contains(d.faces, f), slices.Contains(d.others, f)
			switch d.kind {
			case store.DecisionSplit, store.DecisionRemove, store.DecisionSame, store.DecisionCover:
				finer = finer || j > i && in
			case store.DecisionMerge: // with whom it was when something finer was, that is undone since
				finer = finer || j > i && (in || out) && become(ds, j, d.person) != want
			}
			switch d.kind { // held apart from one of the others
			case store.DecisionSplit, store.DecisionRemove, store.DecisionDifferent:
				far := d.others
				if out {
					far = d.faces
				}
				finer = finer || (in || out) && (become(ds, j, d.other) == want || become(ds, j, d.person) == want ||
					slices.ContainsFunc(far, func(g string) bool { return v.who[g] == want }))
			}
		}
		if !finer {
			c.t.Errorf("%s: %s was said to be %s, and is %q", ds[i].kind, f, want, p)
		}
	}
}

// checkRejected: no face is rejected by nobody, and what is rejected shows up
// nowhere.
func (c *chronicle) checkRejected(v view, ds []said) {
	no := map[string]bool{}
	for _, d := range ds {
		for _, f := range d.faces {
			no[f] = no[f] || d.kind == store.DecisionNotAFace
		}
	}
	for f, rejected := range v.rejected {
		if rejected && !no[f] {
			c.t.Errorf("%s is rejected by no decision that stands", f)
		}
	}
	for _, f := range all(c.t, c.acc.Faces(c.t.Context(), index.FaceQuery{})) {
		if v.rejected[v.key[f.ID]] {
			c.t.Errorf("%s is listed", v.key[f.ID])
		}
	}
	for _, m := range must1[[]index.Match](c.t)(c.acc.Search(c.t.Context(), portrait(1, 1), 1000)) {
		if v.rejected[v.key[m.Face]] {
			c.t.Errorf("%s is found", v.key[m.Face])
		}
	}
}

// checkPeople: names, who is ignored, and covers.
func (c *chronicle) checkPeople(v view, ds []said) {
	names, ignored, covers := map[index.PersonID]string{}, map[index.PersonID]bool{}, map[index.PersonID][]string{}
	for _, d := range ds {
		switch d.kind {
		case store.DecisionName:
			names[d.person] = d.name
		case store.DecisionIgnore, store.DecisionUnignore:
			ignored[d.person] = d.kind == store.DecisionIgnore
		case store.DecisionCover:
			covers[d.person] = d.faces
		case store.DecisionMerge:
			if names[d.person] == "" {
				names[d.person] = names[d.other]
			}
			if len(covers[d.person]) == 0 {
				covers[d.person] = covers[d.other]
			}
			delete(names, d.other)
			delete(ignored, d.other)
			delete(covers, d.other)
		}
	}
	for id, name := range names {
		if name != "" && v.people[id].Name != name {
			c.t.Errorf("%s was called %q, and is %+v", id, name, v.people[id])
		}
	}
	shown := all(c.t, c.acc.People(c.t.Context(), index.PeopleQuery{}))
	for id, p := range v.people {
		if p.Name != names[id] || p.Ignored != ignored[id] {
			c.t.Errorf("%+v was said to be %q (ignored: %v)", p, names[id], ignored[id])
		}
		if listed := slices.ContainsFunc(shown, func(s index.Person) bool { return s.ID == id }); listed == p.Ignored {
			c.t.Errorf("%+v is listed: %v", p, listed)
		}
		cover := v.key[p.Cover]
		if p.Cover != "" && v.whose[p.Cover] != id {
			c.t.Errorf("the cover of %+v is %s, a face of %q", p, cover, v.whose[p.Cover])
		}
		chosen := len(covers[id]) > 0 && v.who[covers[id][0]] == id && !c.midway
		if chosen && cover != covers[id][0] {
			c.t.Errorf("the cover of %+v is %s, chosen was %s", p, cover, covers[id][0])
		}
	}
}

// follower knows who is there, and with how many faces, by events alone.
type follower struct {
	last  index.EventID
	faces map[index.PersonID]int
	state map[index.PersonID]bool // ignored
}

func (f *follower) follow(t cleaner, acc *index.Account) {
	t.Helper()
	if f.faces == nil {
		f.faces, f.state = map[index.PersonID]int{}, map[index.PersonID]bool{}
	}
	for e, err := range acc.Events(t.Context(), f.last) {
		must(t, err)
		_, known := f.faces[e.Person]
		if e.ID <= f.last || known == (e.Kind == index.EventNew) {
			t.Errorf("event %+v after %d, of somebody known: %v", e, f.last, known)
		}
		f.last = e.ID
		switch e.Kind {
		case index.EventNew:
			f.faces[e.Person] = e.Joined
		case index.EventFaces:
			f.faces[e.Person] += e.Joined - e.Left
		case index.EventIgnored, index.EventUnignored:
			f.state[e.Person] = e.Kind == index.EventIgnored
		case index.EventGone:
			if f.faces[e.Person] != e.Left {
				t.Errorf("%+v, who had %d faces", e, f.faces[e.Person])
			}
			delete(f.faces, e.Person)
			delete(f.state, e.Person)
		}
	}
}

func (f *follower) compare(t cleaner, v view) {
	t.Helper()
	want := map[index.PersonID]int{}
	for id, p := range v.people {
		want[id] = p.Faces
	}
	if !maps.Equal(f.faces, want) {
		t.Errorf("by events people have %v faces, and there are %v", f.faces, want)
	}
}

// Whatever is said and undone, and whatever derives the people anew: what is
// still said is true.
func TestDecisionsAlwaysHold(t *testing.T) {
	refused, resolved := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		c := newChronicle(rt, t.TempDir())
		steps := map[string]func(){
			"undo": c.undo, "regroup": func() { c.derive(c.regroup) }, "force": func() { c.derive(c.force) },
			"reopen": func() { c.derive(c.reopen) }, "vanish": c.vanish, "rename": func() { c.derive(c.rename) }, "model": c.model,
		}
		kinds := []string{"undo", "undo", "undo", "regroup", "regroup", "force", "reopen", "vanish", "rename", "model"}
		for _, k := range []store.DecisionKind{
			store.DecisionName, store.DecisionMerge, store.DecisionSplit, store.DecisionSame, store.DecisionDifferent,
			store.DecisionRemove, store.DecisionNotAFace, store.DecisionIgnore, store.DecisionUnignore, store.DecisionCover,
		} {
			steps[string(k)] = func() { c.decide(k) }
			kinds = append(kinds, string(k), string(k))
		}
		steps["contradict"] = c.contradict
		kinds = append(kinds, "merge", "contradict", "contradict", "contradict")
		c.check()
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			steps[rapid.SampledFrom(kinds).Draw(rt, "step")]()
			c.check()
		}
		c.derive(c.regroup)
		c.check()
		closeChecked(rt, c.acc)
		refused, resolved = refused+c.refused, resolved+c.resolved
	})
	t.Logf("%d decisions were refused, %d of them possible when others were undone", refused, resolved)
}
