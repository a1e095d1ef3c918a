package index_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

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
	undone        int // how many decisions there were when it was undone, 0: it stands
}

// chronicle is an account together with all that was said about it.
type chronicle struct {
	t    *rapid.T
	path string
	eye  *analyzer
	acc  *index.Account
	src  *files
	said []said
	// refused counts decisions that were, resolved those that became possible.
	refused, resolved int
	// midway: some photos have been looked at by another model, and some not.
	// Then a copy may be with another person than the photo.
	midway bool
	events follower
}

func newChronicle(t *rapid.T, dir string) *chronicle {
	c := &chronicle{t: t, path: filepath.Join(dir, "a.kith"), eye: &analyzer{}, src: crowd(9, 3)}
	c.src.put("half.jpg", shot("half", 102, 3)) // who might be taken for another
	c.src.put("half too.jpg", shot("half too", 203))
	c.src.put("copy.jpg", c.src.get("00/000.jpg").data)
	c.open()
	must(t, c.acc.SetConsent(t.Context(), yes))
	reindex(t, c.acc, c.src, index.ReindexOptions{})
	return c
}

func (c *chronicle) open() {
	cfg := withScenes(index.Config{Workers: 1, Analyzer: c.eye})
	c.acc = must1[*index.Account](c.t)(index.Open(c.t.Context(), c.path, cfg))
}

// view is the account as it is: faces by photo and place, "sha@n" for the
// n-th from the left, which a copy of the photo shares.
type view struct {
	key      map[index.FaceID]string
	whose    map[index.FaceID]index.PersonID
	who      map[string]index.PersonID
	rejected map[string]bool
	people   map[index.PersonID]index.Person
}

func (c *chronicle) look() view {
	v := view{
		map[index.FaceID]string{}, map[index.FaceID]index.PersonID{}, map[string]index.PersonID{},
		map[string]bool{}, map[index.PersonID]index.Person{},
	}
	content, nth := map[index.PhotoID]string{}, map[index.PhotoID]int{}
	for _, p := range all(c.t, c.acc.Photos(c.t.Context(), index.PhotoQuery{})) {
		content[p.ID] = fmt.Sprintf("%x", p.SHA256[:4])
	}
	for _, f := range all(c.t, c.acc.Faces(c.t.Context(), index.FaceQuery{Rejected: index.Include})) {
		k := fmt.Sprintf("%s@%d", content[f.Photo], nth[f.Photo])
		nth[f.Photo]++
		if p, ok := v.who[k]; ok && !c.midway && (p != f.Person || v.rejected[k] != (f.Rejected != "")) {
			c.t.Errorf("the face %s is %q on one copy of the photo, and %q on another", k, p, f.Person)
		}
		v.key[f.ID], v.whose[f.ID], v.who[k], v.rejected[k] = k, f.Person, f.Person, f.Rejected != ""
	}
	for _, p := range all(c.t, c.acc.People(c.t.Context(), index.PeopleQuery{Ignored: index.Include})) {
		v.people[p.ID] = p
	}
	return v
}

// of lists the faces of a person.
func (v view) of(id index.PersonID) []string {
	var out []string
	for f, p := range v.who {
		if p == id && !v.rejected[f] {
			out = append(out, f)
		}
	}
	slices.Sort(out)
	return out
}

// ids finds one face for each key; one of the copies speaks for all.
func (v view) ids(keys []string) []index.FaceID {
	first := map[string]index.FaceID{}
	for id, k := range v.key {
		if old, ok := first[k]; !ok || id < old {
			first[k] = id
		}
	}
	var out []index.FaceID
	for _, k := range keys {
		if id, ok := first[k]; ok {
			out = append(out, id)
		}
	}
	return out
}

// someone draws a person. Ids are random: the order is by what is not.
func (c *chronicle) someone(v view, label string) index.PersonID {
	ids := slices.SortedFunc(maps.Keys(v.people), func(a, b index.PersonID) int {
		return slices.Compare(append(v.of(a), v.people[a].Name), append(v.of(b), v.people[b].Name))
	})
	if len(ids) == 0 {
		return ""
	}
	return ids[rapid.IntRange(0, len(ids)-1).Draw(c.t, label)]
}

// some draws one to three of the faces.
func (c *chronicle) some(keys []string, label string) []string {
	if len(keys) == 0 {
		return nil
	}
	out := rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, min(3, len(keys)), rapid.ID).Draw(c.t, label)
	slices.Sort(out)
	return out
}

// decide draws something to say, and says it.
func (c *chronicle) decide(kind store.DecisionKind) {
	v := c.look()
	s := said{kind: kind}
	switch kind {
	case store.DecisionMerge, store.DecisionDifferent:
		s.person, s.other = c.someone(v, "one"), c.someone(v, "other")
		if s.person == s.other {
			return
		}
		s.faces, s.others = v.of(s.person), v.of(s.other)
	case store.DecisionSplit, store.DecisionRemove:
		s.other = c.someone(v, "person")
		s.faces = c.some(v.of(s.other), "leave")
		s.others = slices.DeleteFunc(v.of(s.other), func(f string) bool { return slices.Contains(s.faces, f) })
		if len(s.faces) == 0 || kind == store.DecisionSplit && len(s.others) == 0 {
			return
		}
	case store.DecisionSame:
		if rapid.IntRange(0, 3).Draw(c.t, "to somebody") > 0 {
			s.person = c.someone(v, "to")
		}
		s.faces = c.some(slices.Sorted(maps.Keys(v.who)), "faces")
	case store.DecisionNotAFace:
		s.faces = c.some(slices.Sorted(maps.Keys(v.who)), "faces")[:1]
	case store.DecisionCover:
		s.person = c.someone(v, "person")
		keys := v.of(s.person)
		if rapid.IntRange(0, 4).Draw(c.t, "of anybody") == 0 {
			keys = slices.Sorted(maps.Keys(v.rejected))
		}
		if s.faces = c.some(keys, "cover"); len(s.faces) == 0 {
			return
		}
		s.faces = s.faces[:1]
		if f := s.faces[0]; !v.rejected[f] && v.who[f] != s.person {
			return
		}
	default:
		s.person = c.someone(v, "person")
		s.name = rapid.SampledFrom([]string{"", "Anna", "Bert", "Cara", "Dora"}).Draw(c.t, "name")
		s.faces = v.of(s.person)
	}
	if s.person == "" && s.other == "" && kind != store.DecisionSame && kind != store.DecisionNotAFace {
		return // there is nobody
	}
	c.attempt(v, s)
}

// contradict draws a decision that stands and says the opposite.
func (c *chronicle) contradict() {
	var standing []said
	for _, s := range c.said {
		if s.undone == 0 && len(s.faces) > 0 {
			standing = append(standing, s)
		}
	}
	if len(standing) == 0 {
		return
	}
	d := rapid.SampledFrom(standing).Draw(c.t, "contradicted")
	v, s := c.look(), said{faces: d.faces[:1]}
	who := v.who[d.faces[0]]
	switch d.kind {
	case store.DecisionSplit, store.DecisionDifferent:
		s = said{kind: store.DecisionMerge, person: who, faces: v.of(who)}
		if len(d.others) > 0 {
			s.other = v.who[d.others[0]]
			s.others = v.of(s.other)
		}
		if s.person == "" || s.other == "" || s.person == s.other {
			return
		}
	case store.DecisionRemove, store.DecisionNotAFace:
		s.kind, s.person = store.DecisionSame, d.other
	case store.DecisionSame, store.DecisionMerge:
		s.kind, s.other = store.DecisionRemove, who
		if d.kind == store.DecisionMerge {
			s.faces = slices.DeleteFunc(slices.Clone(d.others), func(f string) bool { return v.who[f] != who })
		}
		s.others = slices.DeleteFunc(v.of(who), func(f string) bool { return slices.Contains(s.faces, f) })
		if who == "" || len(s.faces) == 0 {
			return
		}
	case store.DecisionCover:
		s.kind = store.DecisionNotAFace
	default:
		return
	}
	if _, there := v.who[s.faces[0]]; !there || s.person != "" && v.people[s.person].ID == "" {
		return
	}
	c.attempt(v, s)
}

// attempt says it, and checks the refusal if it is refused.
func (c *chronicle) attempt(v view, s said) {
	err := c.say(v, &s)
	var conflict *index.ConflictError
	if errors.As(err, &conflict) {
		c.contradicted(s, conflict)
		return
	}
	must(c.t, err)
}

// say says it, and remembers it if it was not refused.
func (c *chronicle) say(v view, s *said) (err error) {
	ctx, ids := c.t.Context(), v.ids(s.faces)
	switch s.kind {
	case store.DecisionName:
		s.id, err = c.acc.Name(ctx, s.person, s.name)
	case store.DecisionIgnore:
		s.id, err = c.acc.Ignore(ctx, s.person)
	case store.DecisionUnignore:
		s.id, err = c.acc.Unignore(ctx, s.person)
	case store.DecisionCover:
		s.id, err = c.acc.Cover(ctx, s.person, ids[0])
	case store.DecisionMerge:
		s.id, err = c.acc.Merge(ctx, s.person, s.other)
	case store.DecisionDifferent:
		s.id, err = c.acc.Different(ctx, s.person, s.other)
	case store.DecisionSplit:
		s.person, s.id, err = c.acc.Split(ctx, ids)
	case store.DecisionRemove:
		s.id, err = c.acc.Remove(ctx, ids...)
	case store.DecisionSame:
		var to index.PersonID
		if to, s.id, err = c.acc.Assign(ctx, s.person, ids...); err == nil {
			s.person = to
		}
	case store.DecisionNotAFace:
		s.id, err = c.acc.NotAFace(ctx, ids...)
	}
	if err == nil {
		c.said = append(c.said, *s)
	}
	return err
}

// contradicted checks a refusal, and that undoing what it names makes room.
func (c *chronicle) contradicted(s said, conflict *index.ConflictError) {
	c.refused++
	if n := len(all(c.t, c.acc.Decisions(c.t.Context()))); n != len(c.said) {
		c.t.Errorf("%v, and yet recorded", conflict)
	}
	resolve := rapid.Bool().Draw(c.t, "make room")
	for round := 0; ; round++ {
		if len(conflict.Standing) == 0 || round > 10 {
			c.t.Fatalf("refused for nothing, or without end: %v", conflict)
		}
		for _, id := range conflict.Standing {
			i := slices.IndexFunc(c.said, func(o said) bool { return o.id == id })
			if i < 0 || c.said[i].undone != 0 {
				c.t.Fatalf("%v: %s does not stand", conflict, id)
			}
			if resolve {
				must(c.t, c.acc.Undo(c.t.Context(), id))
				c.said[i].undone = len(c.said)
				c.check()
			}
		}
		if !resolve {
			return
		}
		v := c.look()
		if s.kind == store.DecisionCover && v.who[s.faces[0]] != s.person {
			return // as a face it is somebody else's
		}
		again := s
		switch s.kind {
		case store.DecisionMerge:
			again.faces, again.others = v.of(s.person), v.of(s.other)
		case store.DecisionSplit, store.DecisionRemove: // some may have left by the undoing
			again.person = ""
			again.faces = slices.DeleteFunc(slices.Clone(s.faces), func(f string) bool { return v.who[f] != s.other })
			again.others = slices.DeleteFunc(v.of(s.other), func(f string) bool { return slices.Contains(s.faces, f) })
			if len(again.faces) == 0 || s.kind == store.DecisionSplit && len(again.others) == 0 {
				return
			}
		}
		err := c.say(v, &again)
		switch {
		case errors.As(err, &conflict):
			continue // what came back by undoing stands against it for another reason
		case err == nil:
			c.resolved++
		case errors.Is(err, index.ErrNotFound): // the person came by what was undone, and is one with the other
		default:
			c.t.Errorf("%s was refused, and when all that was named was undone: %v", s.kind, err)
		}
		return
	}
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
