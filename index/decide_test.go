package index_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// grouped is the family, indexed, with the ids of its three people.
func grouped(t *testing.T) (acc *index.Account, src *files, people [3]index.PersonID) {
	t.Helper()
	acc, src = newAccount(t, index.Config{}), family()
	reindex(t, acc, src, index.ReindexOptions{})
	for i, path := range []string{"b/4.jpg", "b/5.jpg", "b/6.jpg"} {
		people[i] = personOf(t, acc, path, 0)
	}
	return acc, src, people
}

func named(t cleaner, acc *index.Account, id index.PersonID, name string) index.DecisionID {
	t.Helper()
	return must1[index.DecisionID](t)(acc.Name(t.Context(), id, name))
}

func merged(t cleaner, acc *index.Account, into, from index.PersonID) index.DecisionID {
	t.Helper()
	return must1[index.DecisionID](t)(acc.Merge(t.Context(), into, from))
}

func nameOf(t cleaner, acc *index.Account, id index.PersonID) string {
	t.Helper()
	return must1[index.Person](t)(acc.Person(t.Context(), id)).Name
}

func TestName(t *testing.T) {
	acc, _, p := grouped(t)
	first := named(t, acc, p[0], "  Anna ")
	if got := nameOf(t, acc, p[0]); got != "Anna" {
		t.Errorf("called %q", got)
	}
	second := named(t, acc, p[0], "Änna")
	third := named(t, acc, p[0], "")
	if got := nameOf(t, acc, p[0]); got != "" {
		t.Errorf("the name was taken away, and is %q", got)
	}
	for _, undo := range []struct {
		id   index.DecisionID
		want string
	}{{third, "Änna"}, {first, "Änna"}, {second, ""}} {
		must(t, acc.Undo(t.Context(), undo.id))
		if got := nameOf(t, acc, p[0]); got != undo.want {
			t.Errorf("after undo called %q, want %q", got, undo.want)
		}
	}
	ds := all(t, acc.Decisions(t.Context()))
	// What was undone keeps no name.
	if len(ds) != 3 || ds[1].Name != "" || ds[1].OldName != "" || ds[1].Revoked == nil || len(ds[1].Faces) != 3 {
		t.Errorf("the ledger has %+v", ds)
	}
}

func TestDecisionErrors(t *testing.T) {
	acc, _, p := grouped(t)
	ctx := t.Context()
	before := worldOf(t, acc)
	face := func(path string, i int) index.FaceID { return facesOf(t, acc, path)[i].ID }
	var errs []error
	fail := func(what string, err, want error) {
		t.Helper()
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want an error (%v)", what, err, want)
		}
		errs = append(errs, err)
	}
	second := func(_ index.DecisionID, err error) error { return err }
	third := func(_ index.PersonID, _ index.DecisionID, err error) error { return err }
	fail("name nobody", second(acc.Name(ctx, "nobody", "x")), index.ErrNotFound)
	fail("a name that is no UTF-8", second(acc.Name(ctx, p[0], "A\xff")), nil)
	fail("a name without end", second(acc.Name(ctx, p[0], strings.Repeat("x", 1025))), nil)
	fail("merge with itself", second(acc.Merge(ctx, p[0], p[0])), nil)
	fail("merge into nobody", second(acc.Merge(ctx, "nobody", p[0])), index.ErrNotFound)
	fail("merge nobody", second(acc.Merge(ctx, p[0], "nobody")), index.ErrNotFound)
	fail("split nothing", third(acc.Split(ctx, nil)), nil)
	fail("split nobody's face", third(acc.Split(ctx, []index.FaceID{"nobody"})), index.ErrNotFound)
	fail("split two people's faces", third(acc.Split(ctx, []index.FaceID{face("a/1.jpg", 0), face("a/1.jpg", 1)})), nil)
	fail("split all", third(acc.Split(ctx, []index.FaceID{face("a/1.jpg", 0), face("a/2.jpg", 0), face("b/4.jpg", 0)})), nil)
	fail("undo nothing", acc.Undo(ctx, "nothing"), index.ErrNotFound)
	if !worldOf(t, acc).equal(before) || len(all(t, acc.Decisions(ctx))) != 0 {
		t.Error("a refused decision changed something")
	}

	// Faces named twice count once; all of them still are all.
	fail("split all, one of them twice", third(acc.Split(ctx,
		[]index.FaceID{face("a/1.jpg", 0), face("a/2.jpg", 0), face("b/4.jpg", 0), face("b/4.jpg", 0)})), nil)
	_, id, err := acc.Split(ctx, []index.FaceID{face("a/1.jpg", 0), face("a/1.jpg", 0)})
	must(t, err)
	must(t, acc.Undo(ctx, id))
	fail("undo twice", acc.Undo(ctx, id), store.ErrRevoked)
	must1[index.DecisionID](t)(acc.Name(ctx, p[0], strings.Repeat("x", 1024)))
	for _, err := range errs {
		if err != nil && len(err.Error()) < 10 {
			t.Errorf("%v says too little", err)
		}
	}
}

func TestMergeUndo(t *testing.T) {
	for _, names := range [][2]string{{"", ""}, {"Anna", ""}, {"", "Bert"}, {"Anna", "Bert"}} {
		acc, src, p := grouped(t)
		for i, n := range names {
			if n != "" {
				named(t, acc, p[i], n)
			}
		}
		before := worldOf(t, acc)
		id := merged(t, acc, p[0], p[1])
		want := names[0]
		if want == "" {
			want = names[1]
		}
		for range 2 {
			if got := nameOf(t, acc, p[0]); got != want {
				t.Errorf("%q: merged and called %q", names, got)
			}
			if got := personOf(t, acc, "b/5.jpg", 0); got != p[0] {
				t.Errorf("%q: b/5.jpg is with %s", names, got)
			}
			if _, err := acc.Person(t.Context(), p[1]); !errors.Is(err, index.ErrNotFound) {
				t.Errorf("%q: the merged person is still there: %v", names, err)
			}
			reindex(t, acc, src, index.ReindexOptions{Force: true})
		}
		must(t, acc.Undo(t.Context(), id))
		if after := worldOf(t, acc); !after.equal(before) {
			t.Errorf("%q: after undo %v, before %v", names, after, before)
		}
		must1[index.Report](t)(acc.Regroup(t.Context()))
		if after := worldOf(t, acc); !after.equal(before) {
			t.Errorf("%q: after undo and Regroup %v, before %v", names, after, before)
		}
	}
}

// Three people are made one by two merges, which are undone in either order.
func TestUndoOlderMerge(t *testing.T) {
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		for _, regroup := range []bool{false, true} {
			acc, _, p := grouped(t)
			named(t, acc, p[0], "Anna")
			before := worldOf(t, acc)
			ids := []index.DecisionID{merged(t, acc, p[0], p[1]), merged(t, acc, p[0], p[2])}
			for _, i := range order {
				must(t, acc.Undo(t.Context(), ids[i]))
				for _, person := range all(t, acc.People(t.Context(), index.PeopleQuery{})) {
					if person.Faces == 0 {
						t.Errorf("order %v: %s has no faces", order, person.ID)
					}
				}
				if regroup {
					must1[index.Report](t)(acc.Regroup(t.Context()))
				}
			}
			if after := worldOf(t, acc); !after.equal(before) {
				t.Errorf("order %v: after all was undone %v, before %v", order, after, before)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	acc, src, p := grouped(t)
	named(t, acc, p[0], "Anna")
	before := worldOf(t, acc)
	lone := facesOf(t, acc, "b/4.jpg")[0].ID
	fresh, id, err := acc.Split(t.Context(), []index.FaceID{lone})
	must(t, err)
	split := []string{"Anna a/1.jpg#0 a/2.jpg#0", familyPeople[1], familyPeople[2], "b/4.jpg#0"}
	wantPartition(t, acc, split...)
	if person := must1[index.Person](t)(acc.Person(t.Context(), fresh)); person.Cover != lone || person.Faces != 1 {
		t.Errorf("the new person is %+v", person)
	}
	// It stands through all that derives the people anew.
	must1[index.Report](t)(acc.Regroup(t.Context()))
	wantPartition(t, acc, split...)
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	src.move("b/4.jpg", "a/4.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	wantPartition(t, acc, split[0], split[1], split[2], "a/4.jpg#0")
	four := src.remove("a/4.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	src.set("b/4.jpg", four)
	src.put("z copy.jpg", four.data)
	reindex(t, acc, src, index.ReindexOptions{})
	wantPartition(t, acc, split[0], split[1], split[2], "b/4.jpg#0 z copy.jpg#0")
	if got := personOf(t, acc, "b/4.jpg", 0); got != fresh {
		t.Errorf("it came back as %s, was %s", got, fresh)
	}
	src.remove("z copy.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	must(t, acc.Undo(t.Context(), id))
	after := worldOf(t, acc)
	if !maps.Equal(after.names, before.names) || personOf(t, acc, "b/4.jpg", 0) != p[0] {
		t.Errorf("undone: %v, before: %v", after, before)
	}
	must1[index.Report](t)(acc.Regroup(t.Context()))
	wantPartition(t, acc, "Anna "+familyPeople[0], familyPeople[1], familyPeople[2])
}

// A split is undone after the person it was taken from was merged away.
func TestUndoSplitAfterMerge(t *testing.T) {
	acc, _, p := grouped(t)
	_, id, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, "b/5.jpg")[0].ID})
	must(t, err)
	merged(t, acc, p[0], p[1])
	must(t, acc.Undo(t.Context(), id))
	if got := personOf(t, acc, "b/5.jpg", 0); got != p[0] {
		t.Errorf("the face went to %s and not to %s, whom its person was merged with", got, p[0])
	}
}

// Names, a merge and a split survive the file being closed, the detector
// changing, and all photos vanishing and coming back.
func TestDecisionsSurvive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := family()
	src.put("c/7.jpg", shot("7", 1))
	reindex(t, acc, src, index.ReindexOptions{})
	anna, cara := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/6.jpg", 0)
	named(t, acc, anna, "Anna")
	merged(t, acc, cara, personOf(t, acc, "b/5.jpg", 0))
	named(t, acc, cara, "Cara")
	fresh, _, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, "b/4.jpg")[0].ID, facesOf(t, acc, "c/7.jpg")[0].ID})
	must(t, err)
	want := partition(t, acc)
	if len(want) != 3 {
		t.Fatalf("people %q", want)
	}
	closeChecked(t, acc)

	acc = openAt(t, path, withScenes(index.Config{Analyzer: &analyzer{shift: 15}})) // IoU 0.68
	check := func(when string) {
		t.Helper()
		if got := partition(t, acc); !slices.Equal(got, want) {
			t.Errorf("%s: people %q, want %q", when, got, want)
		}
		for path, id := range map[string]index.PersonID{"b/4.jpg": fresh, "a/1.jpg": anna, "b/6.jpg": cara} {
			if got := personOf(t, acc, path, 0); got != id {
				t.Errorf("%s: %s shows %s, want %s", when, path, got, id)
			}
		}
	}
	check("reopened")
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	check("another detector")
	reindex(t, acc, newFiles(nil), index.ReindexOptions{AllowEmpty: true})
	if w := worldOf(t, acc); len(w.faces) != 0 || w.names[anna] != "Anna" || w.names[cara] != "Cara" {
		t.Errorf("without photos: %v", w)
	}
	reindex(t, acc, src, index.ReindexOptions{})
	check("all came back")
}
