package index_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// said is a decision as the test remembers it, with faces by photo and place:
// their ids change when photos vanish and come back.
type said struct {
	id            index.DecisionID
	kind          store.DecisionKind
	person, other index.PersonID
	name          string
	faces, others []string
	undone        int // after how many decisions it was undone, 0: it stands
}

// chronicle is an account together with all that was said about it.
type chronicle struct {
	t    *rapid.T
	path string
	acc  *index.Account
	src  *files
	said []said
}

// keys names every face by its photo's content and place, which a copy shares.
func (c *chronicle) keys() map[index.FaceID]string {
	content := map[index.PhotoID]string{}
	for _, p := range all(c.t, c.acc.Photos(c.t.Context(), index.PhotoQuery{})) {
		content[p.ID] = fmt.Sprintf("%x", p.SHA256[:4])
	}
	out := map[index.FaceID]string{}
	for _, f := range all(c.t, c.acc.Faces(c.t.Context(), index.FaceQuery{})) {
		out[f.ID] = fmt.Sprintf("%s@%v", content[f.Photo], f.Box.X)
	}
	return out
}

func (c *chronicle) faces() map[string]index.PersonID {
	keys, out := c.keys(), map[string]index.PersonID{}
	for _, f := range all(c.t, c.acc.Faces(c.t.Context(), index.FaceQuery{})) {
		k := keys[f.ID]
		if p, ok := out[k]; ok && p != f.Person {
			c.t.Errorf("the face %s is %q on one copy of the photo, and %q on another", k, p, f.Person)
		}
		out[k] = f.Person
	}
	return out
}

func (c *chronicle) people() []index.Person {
	return all(c.t, c.acc.People(c.t.Context(), index.PeopleQuery{}))
}

func (c *chronicle) of(id index.PersonID) []string {
	var out []string
	for f, p := range c.faces() {
		if p == id {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// someone draws a person.
func (c *chronicle) someone(label string) index.PersonID {
	people := c.people()
	slices.SortFunc(people, func(a, b index.Person) int { // ids are random: order by what is not
		return slices.Compare(c.of(a.ID), c.of(b.ID))
	})
	return people[rapid.IntRange(0, len(people)-1).Draw(c.t, label)].ID
}

func (c *chronicle) name() {
	id := c.someone("person")
	s := said{kind: store.DecisionName, person: id, faces: c.of(id)}
	s.name = rapid.SampledFrom([]string{"", "Anna", "Bert", "Cara", "Dora"}).Draw(c.t, "name")
	s.id = named(c.t, c.acc, id, s.name)
	c.said = append(c.said, s)
}

func (c *chronicle) merge() {
	into, from := c.someone("into"), c.someone("from")
	if into == from {
		return
	}
	s := said{kind: store.DecisionMerge, person: into, other: from, faces: c.of(into), others: c.of(from)}
	s.id = merged(c.t, c.acc, into, from)
	c.said = append(c.said, s)
}

func (c *chronicle) split() {
	id := c.someone("person")
	s := said{kind: store.DecisionSplit, other: id}
	for _, f := range c.of(id) {
		if rapid.Bool().Draw(c.t, "leaves") {
			s.faces = append(s.faces, f)
		} else {
			s.others = append(s.others, f)
		}
	}
	if len(s.faces) == 0 || len(s.others) == 0 {
		return
	}
	keys, first := c.keys(), map[string]bool{}
	var ids []index.FaceID
	for _, f := range all(c.t, c.acc.Faces(c.t.Context(), index.FaceQuery{Person: id})) {
		if k := keys[f.ID]; slices.Contains(s.faces, k) && !first[k] {
			first[k] = true // one of the copies speaks for all
			ids = append(ids, f.ID)
		}
	}
	var err error
	s.person, s.id, err = c.acc.Split(c.t.Context(), ids)
	must(c.t, err)
	c.said = append(c.said, s)
}

func (c *chronicle) undo() {
	var standing []int
	for i, s := range c.said {
		if s.undone == 0 {
			standing = append(standing, i)
		}
	}
	if len(standing) == 0 {
		return
	}
	i := rapid.SampledFrom(standing).Draw(c.t, "decision")
	must(c.t, c.acc.Undo(c.t.Context(), c.said[i].id))
	c.said[i].undone = len(c.said)
}

// derive does something that says nothing about people: whoever has a name
// keeps id, name and faces.
func (c *chronicle) derive(act func()) {
	before := c.faces()
	var with []index.Person
	for _, p := range c.people() {
		if p.Name != "" {
			with = append(with, p)
		}
	}
	act()
	after := c.faces()
	for _, p := range with {
		if got := nameOf(c.t, c.acc, p.ID); got != p.Name {
			c.t.Errorf("%s was called %q and is called %q", p.ID, p.Name, got)
		}
		had, has := 0, 0
		for f, id := range before {
			if id == p.ID {
				had++
				if after[f] == p.ID {
					has++
				}
			}
		}
		if had > 0 && has == 0 {
			c.t.Errorf("%q (%s) had %d faces and kept none", p.Name, p.ID, had)
		}
	}
}

func (c *chronicle) regroup() {
	must1[index.Report](c.t)(c.acc.Regroup(c.t.Context()))
}

func (c *chronicle) force() {
	reindex(c.t, c.acc, c.src, index.ReindexOptions{Force: true})
}

func (c *chronicle) reopen() {
	closeChecked(c.t, c.acc)
	c.acc = must1[*index.Account](c.t)(index.Open(c.t.Context(), c.path, withScenes(index.Config{Workers: 1})))
}

// vanish lets some photos vanish and come back.
func (c *chronicle) vanish() {
	gone := map[string]file{}
	for _, name := range c.src.names() {
		if rapid.IntRange(0, 2).Draw(c.t, "vanishes") == 0 {
			gone[name] = c.src.remove(name)
		}
	}
	reindex(c.t, c.acc, c.src, index.ReindexOptions{AllowEmpty: true})
	c.check()
	for name, f := range gone {
		c.src.set(name, f)
	}
	reindex(c.t, c.acc, c.src, index.ReindexOptions{})
}

// standing is what is still said: a merge that was undone takes the faces it
// brought out of what was said of their person while it stood.
func (c *chronicle) standing() []said {
	out := slices.Clone(c.said)
	for i, m := range c.said {
		if m.kind != store.DecisionMerge || m.undone == 0 {
			continue
		}
		brought, at := slices.Clone(m.others), []index.PersonID{m.person}
		without := func(fs []string) []string {
			return slices.DeleteFunc(slices.Clone(fs), func(f string) bool { return slices.Contains(brought, f) })
		}
		for j := i + 1; j < m.undone; j++ {
			s := &out[j]
			took, from := slices.Contains(at, s.person), slices.Contains(at, s.other)
			switch {
			case s.kind == store.DecisionSplit && from:
				brought = slices.DeleteFunc(brought, func(f string) bool { return slices.Contains(s.faces, f) })
			case s.kind == store.DecisionMerge && from:
				s.others, at = without(s.others), append(at, s.person)
				s.faces = without(s.faces)
			case s.kind != store.DecisionSplit && took:
				s.faces = without(s.faces)
			}
		}
	}
	return slices.DeleteFunc(out, func(s said) bool { return s.undone != 0 })
}

// check holds the account against what is said.
func (c *chronicle) check() {
	who := c.faces()
	together := map[string]int{} // the set that a face is held in
	names := map[index.PersonID]string{}
	sets := 0
	hold := func(faces []string, joined bool) {
		sets++
		for _, f := range faces {
			if old, ok := together[f]; ok && joined {
				for g, s := range together {
					if s == old {
						together[g] = sets
					}
				}
			}
			together[f] = sets
		}
	}
	ds := c.standing()
	for _, s := range ds {
		switch s.kind {
		case store.DecisionName:
			names[s.person] = s.name
		case store.DecisionMerge:
			hold(slices.Concat(s.faces, s.others), true)
			if names[s.person] == "" {
				names[s.person] = names[s.other]
			}
			delete(names, s.other)
		case store.DecisionSplit:
			hold(s.faces, false)
		}
	}
	holder := map[int]string{}
	for f, set := range together {
		if _, there := who[f]; !there {
			continue
		}
		if other, ok := holder[set]; ok && who[f] != who[other] || who[f] == "" {
			c.t.Errorf("%s (%q) and %s (%q) were said to be one", f, who[f], other, who[other])
		}
		holder[set] = f
	}
	for _, s := range ds {
		if s.kind != store.DecisionSplit {
			continue
		}
		for _, a := range s.faces {
			for _, b := range s.others {
				if together[a] != together[b] && who[a] != "" && who[a] == who[b] {
					c.t.Errorf("%s and %s were said to be two, and are %s", a, b, who[a])
				}
			}
		}
	}
	for _, p := range c.people() {
		if p.Name != names[p.ID] {
			c.t.Errorf("%s is called %q, and was said to be %q", p.ID, p.Name, names[p.ID])
		}
	}
}

// Whatever is said and undone, and whatever derives the people anew: what is
// still said is true.
func TestDecisionsAlwaysHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		c := &chronicle{t: rt, path: filepath.Join(dir, "a.kith"), acc: openIn(rt, dir), src: crowd(9, 3)}
		c.src.put("half.jpg", shot("half", 102, 3)) // who might be taken for another
		c.src.put("half too.jpg", shot("half too", 203))
		c.src.put("copy.jpg", c.src.get("00/000.jpg").data)
		reindex(rt, c.acc, c.src, index.ReindexOptions{})
		steps := map[string]func(){
			"name": c.name, "merge": c.merge, "split": c.split, "undo": c.undo,
			"regroup": func() { c.derive(c.regroup) }, "force": func() { c.derive(c.force) },
			"reopen": func() { c.derive(c.reopen) }, "vanish": c.vanish,
		}
		kinds := []string{"name", "merge", "split", "name", "merge", "split", "undo", "undo", "regroup", "regroup", "force", "reopen", "vanish"}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			steps[rapid.SampledFrom(kinds).Draw(rt, "step")]()
			c.check()
		}
		c.derive(c.regroup)
		c.check()
		closeChecked(rt, c.acc)
	})
}
