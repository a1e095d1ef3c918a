package index_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// bigFamily is a library of two people with 60 photos each and a third with 10;
// some photos show two of them, and one face is with nobody.
func bigFamily(t *testing.T, acc *index.Account) [3]index.PersonID {
	t.Helper()
	reindex(t, acc, bigSource(), index.ReindexOptions{})
	return [3]index.PersonID{personOf(t, acc, "one/00.jpg", 0), personOf(t, acc, "two/00.jpg", 0), personOf(t, acc, "three/00.jpg", 0)}
}

func bigSource() *files {
	src := newFiles(nil)
	for i := range 60 {
		src.put(fmt.Sprintf("one/%02d.jpg", i), shot(fmt.Sprint("one", i), 1))
		src.put(fmt.Sprintf("two/%02d.jpg", i), shot(fmt.Sprint("two", i), 2))
		if i < 10 {
			src.put(fmt.Sprintf("three/%02d.jpg", i), shot(fmt.Sprint("three", i), 3, 1+i%2))
		}
	}
	src.put("copy.jpg", src.get("two/07.jpg").data)
	src.put("alone.jpg", shot("alone", 9))
	return src
}

// exportedState is an export without the ledger and the audit.
func exportedState(t *testing.T, acc *index.Account) map[string]string {
	t.Helper()
	var parts map[string]json.RawMessage
	must(t, json.Unmarshal(exportText(t, acc, index.ExportOptions{}), &parts))
	delete(parts, "decisions")
	delete(parts, "audit")
	out := map[string]string{}
	for name, text := range parts {
		out[name] = string(text)
	}
	return out
}

// everyKind is every kind of decision, on the people and faces of bigFamily.
func everyKind(t *testing.T, acc *index.Account, p [3]index.PersonID) map[string]func() (index.DecisionID, error) {
	ctx := t.Context()
	faceAt := func(path string, i int) index.FaceID { return facesOf(t, acc, path)[i].ID }
	id := func(_ index.PersonID, id index.DecisionID, err error) (index.DecisionID, error) { return id, err }
	return map[string]func() (index.DecisionID, error){
		"name":        func() (index.DecisionID, error) { return acc.Name(ctx, p[2], "Cara") },
		"merge":       func() (index.DecisionID, error) { return acc.Merge(ctx, p[0], p[1]) },
		"merge named": func() (index.DecisionID, error) { return acc.Merge(ctx, p[2], p[0]) },
		"different":   func() (index.DecisionID, error) { return acc.Different(ctx, p[0], p[1]) },
		"split": func() (index.DecisionID, error) {
			return id(acc.Split(ctx, []index.FaceID{faceAt("one/03.jpg", 0), faceAt("one/04.jpg", 0)}))
		},
		"remove": func() (index.DecisionID, error) {
			return acc.Remove(ctx, faceAt("two/07.jpg", 0), faceAt("two/08.jpg", 0))
		},
		"remove all": func() (index.DecisionID, error) {
			var faces []index.FaceID
			for _, f := range all(t, acc.Faces(ctx, index.FaceQuery{Person: p[2]})) {
				faces = append(faces, f.ID)
			}
			return acc.Remove(ctx, faces...)
		},
		"same": func() (index.DecisionID, error) {
			return id(acc.Assign(ctx, p[0], faceAt("two/05.jpg", 0), faceAt("three/01.jpg", 0), faceAt("alone.jpg", 0), faceAt("one/05.jpg", 0)))
		},
		"same, somebody new": func() (index.DecisionID, error) {
			return id(acc.Assign(ctx, "", faceAt("copy.jpg", 0), faceAt("alone.jpg", 0)))
		},
		"same, of all": func() (index.DecisionID, error) {
			var faces []index.FaceID
			for _, f := range all(t, acc.Faces(ctx, index.FaceQuery{Person: p[2]})) {
				faces = append(faces, f.ID)
			}
			return id(acc.Assign(ctx, p[1], faces...))
		},
		"not a face": func() (index.DecisionID, error) {
			return acc.NotAFace(ctx, faceAt("copy.jpg", 0), faceAt("alone.jpg", 0), faceAt("three/00.jpg", 0), faceAt("three/00.jpg", 1))
		},
		"ignore":   func() (index.DecisionID, error) { return acc.Ignore(ctx, p[1]) },
		"unignore": func() (index.DecisionID, error) { return acc.Unignore(ctx, p[1]) },
		"cover":    func() (index.DecisionID, error) { return acc.Cover(ctx, p[1], faceAt("two/09.jpg", 0)) },
	}
}

// Undo restores exactly what was there, at once and when people have been
// derived anew in between and after.
func TestUndoRestores(t *testing.T) {
	alone(t)
	for _, name := range slices.Sorted(maps.Keys(everyKind(t, nil, [3]index.PersonID{}))) {
		t.Run(name, func(t *testing.T) {
			clock := start
			acc := newAccount(t, index.Config{Now: func() time.Time { clock = clock.Add(time.Second); return clock }})
			p := bigFamily(t, acc)
			named(t, acc, p[0], "Anna")
			must1[index.DecisionID](t)(acc.Cover(t.Context(), p[0], facesOf(t, acc, "one/11.jpg")[0].ID))
			must1[index.DecisionID](t)(acc.Ignore(t.Context(), p[2]))
			must1[index.Report](t)(acc.Regroup(t.Context()))
			before := exportedState(t, acc)
			for _, regroup := range []bool{false, true} {
				id, err := everyKind(t, acc, p)[name]()
				must(t, err)
				changed := exportedState(t, acc)
				if same := maps.Equal(changed, before); same != (name == "different" || name == "unignore") {
					t.Errorf("the decision changed nothing: %v", same)
				}
				if regroup {
					must1[index.Report](t)(acc.Regroup(t.Context()))
				}
				must(t, acc.Undo(t.Context(), id))
				wantState(t, exportedState(t, acc), before)
			}
			must1[index.Report](t)(acc.Regroup(t.Context()))
			wantState(t, exportedState(t, acc), before)
		})
	}
}

func wantState(t *testing.T, got, want map[string]string) {
	t.Helper()
	for part := range want {
		if got[part] != want[part] {
			t.Errorf("%s are not as before:\n%s\nbefore:\n%s", part, lines(got[part], want[part]), lines(want[part], got[part]))
		}
	}
}

// lines are the lines of a that b has not.
func lines(a, b string) (out string) {
	in := map[string]bool{}
	for l := range strings.Lines(b) {
		in[l] = true
	}
	for l := range strings.Lines(a) {
		if !in[l] && len(out) < 2000 {
			out += l
		}
	}
	return out
}

// A person whom an undone split had made, and whom somebody named since,
// stays.
func TestUndoSplitOfNamed(t *testing.T) {
	acc, _, p := grouped(t)
	fresh, id, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, "b/4.jpg")[0].ID})
	must(t, err)
	name := named(t, acc, fresh, "Xaver")
	must(t, acc.Undo(t.Context(), id))
	for range 2 {
		if got := personOf(t, acc, "b/4.jpg", 0); got != p[0] {
			t.Errorf("the face went to %q, want %s", got, p[0])
		}
		if x := must1[index.Person](t)(acc.Person(t.Context(), fresh)); x.Name != "Xaver" || x.Faces != 0 {
			t.Errorf("the named person is %+v", x)
		}
		must1[index.Report](t)(acc.Regroup(t.Context()))
	}
	must(t, acc.Undo(t.Context(), name))
	_, err = acc.Person(t.Context(), fresh)
	wantErr(t, "neither face nor name", err, index.ErrNotFound)
}

// Undo leaves faces where they are rather than contradict what stands.
func TestUndoSplitOfDifferent(t *testing.T) {
	for _, merge := range []bool{false, true} {
		acc, src, p := grouped(t)
		if merge {
			merged(t, acc, p[0], p[1])
		}
		lone := "b/4.jpg"
		if merge {
			lone = "b/5.jpg" // one of those that the merge holds
		}
		fresh, id, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, lone)[0].ID})
		must(t, err)
		must1[index.DecisionID](t)(acc.Different(t.Context(), p[0], fresh))
		must(t, acc.Undo(t.Context(), id))
		for range 3 {
			if got := personOf(t, acc, lone, 0); got != fresh {
				t.Errorf("merged %v: the face is with %q, and was said to be no face of %s", merge, got, p[0])
			}
			if got := must1[index.Person](t)(acc.Person(t.Context(), p[0])).Faces; got != map[bool]int{false: 2, true: 5}[merge] {
				t.Errorf("merged %v: %d faces stay", merge, got)
			}
			reindex(t, acc, src, index.ReindexOptions{Force: true})
			if personOf(t, acc, lone, 0) == "" {
				break // alone, without a decision that holds it
			}
		}
	}
}

// What was split while a merge stood returns, when both are undone, to whom it
// was with before the merge.
func TestUndoMergeAndThenSplit(t *testing.T) {
	acc, _, p := grouped(t)
	before := worldOf(t, acc)
	merge := merged(t, acc, p[0], p[1])
	_, split, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, "b/5.jpg")[0].ID})
	must(t, err)
	must(t, acc.Undo(t.Context(), merge))
	must(t, acc.Undo(t.Context(), split))
	if after := worldOf(t, acc); !after.equal(before) {
		t.Errorf("after all was undone %v, before %v", after, before)
	}
}

// The first photos that another model looked at lose nobody, although their
// faces have none to be like yet.
func TestHalfWayToAnotherModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	before := worldOf(t, acc)
	closeChecked(t, acc)
	acc = openAt(t, path, withScenes(index.Config{Analyzer: &analyzer{space: "newer"}}))
	for _, name := range []string{"a/1.jpg", "b/4.jpg", "b/6.jpg"} {
		must1[index.Photo](t)(acc.Index(t.Context(), src, name))
		must1[index.Report](t)(acc.Regroup(t.Context()))
		if after := worldOf(t, acc); !after.equal(before) {
			t.Errorf("after %s: %v, before %v", name, after, before)
		}
	}
}

// A clock that jumps back does not change what was said when.
func TestUndoWithAClockThatJumps(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, 0, -time.Hour} {
		now := start
		acc := newAccount(t, index.Config{Now: func() time.Time { now = now.Add(step); return now }})
		src := family()
		reindex(t, acc, src, index.ReindexOptions{})
		a, b, c := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0), personOf(t, acc, "b/6.jpg", 0)
		first := merged(t, acc, a, b)
		must(t, acc.Undo(t.Context(), first))
		// Said after the merge was undone: this counts in full.
		second := merged(t, acc, c, b)
		third := merged(t, acc, a, c)
		// Said while the second stood: what it brought is not meant.
		must(t, acc.Undo(t.Context(), second))
		must1[index.Report](t)(acc.Regroup(t.Context()))
		for path, want := range map[string]index.PersonID{"b/4.jpg": a, "b/5.jpg": b, "b/6.jpg": a} {
			if got := personOf(t, acc, path, 0); got != want {
				t.Errorf("step %v: %s is with %s, want %s", step, path, got, want)
			}
		}
		must(t, acc.Undo(t.Context(), third))
		wantPartition(t, acc, familyPeople...)
	}
}

// Decisions of every kind survive another embedder whose detector finds boxes
// elsewhere (IoU 0.6), although the change is interrupted.
func TestDecisionsSurviveAnotherModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	p := bigFamily(t, acc)
	ctx := t.Context()
	faceAt := func(path string, i int) index.FaceID { return facesOf(t, acc, path)[i].ID }
	named(t, acc, p[0], "Anna")
	must1[index.DecisionID](t)(acc.Ignore(ctx, p[2]))
	must1[index.DecisionID](t)(acc.Cover(ctx, p[1], faceAt("two/30.jpg", 0)))
	fresh, _, err := acc.Split(ctx, []index.FaceID{faceAt("one/01.jpg", 0), faceAt("one/02.jpg", 0)})
	must(t, err)
	must1[index.DecisionID](t)(acc.Remove(ctx, faceAt("one/03.jpg", 0)))
	_, _, err = acc.Assign(ctx, p[0], faceAt("two/04.jpg", 0))
	must(t, err)
	must1[index.DecisionID](t)(acc.NotAFace(ctx, faceAt("one/05.jpg", 0)))
	must1[index.DecisionID](t)(acc.Different(ctx, p[0], p[1]))
	merged(t, acc, p[1], p[2])
	must1[index.Report](t)(acc.Regroup(ctx))
	want := partition(t, acc)
	check := func(when string) {
		t.Helper()
		if got := partition(t, acc); !slices.Equal(got, want) {
			t.Errorf("%s: people\n%q, want\n%q", when, got, want)
		}
		for _, c := range []struct {
			path string
			who  index.PersonID
		}{{"one/00.jpg", p[0]}, {"one/01.jpg", fresh}, {"two/04.jpg", p[0]}, {"two/00.jpg", p[1]}, {"three/05.jpg", p[1]}} {
			if got := personOf(t, acc, c.path, 0); got != c.who {
				t.Errorf("%s: %s shows %q, want %q", when, c.path, got, c.who)
			}
		}
		two := must1[index.Person](t)(acc.Person(ctx, p[1]))
		if two.Cover != faceAt("two/30.jpg", 0) || !two.CoverChosen || two.Ignored {
			t.Errorf("%s: %+v", when, two)
		}
		if len(facesOf(t, acc, "one/05.jpg")) != 0 || personOf(t, acc, "one/03.jpg", 0) == p[0] {
			t.Errorf("%s: what is no face or was removed is back", when)
		}
	}
	check("before")
	closeChecked(t, acc)

	eye := &analyzer{space: "newer", shift: 20}
	acc = openAt(t, path, withScenes(index.Config{Analyzer: eye}))
	half, cancel := context.WithCancel(ctx)
	defer cancel()
	eye.hook = func(_ context.Context, _ *scene, faces []face.Face) ([]face.Face, error) {
		if eye.calls.Load() >= 40 {
			cancel()
		}
		return faces, nil
	}
	_, err = acc.Reindex(half, bigSource(), index.ReindexOptions{})
	wantErr(t, "cancelled", err, context.Canceled)
	must1[index.Report](t)(acc.Regroup(ctx))
	check("interrupted")
	closeChecked(t, acc)
	acc = openAt(t, path, withScenes(index.Config{Analyzer: eye}))
	reindex(t, acc, bigSource(), index.ReindexOptions{})
	check("completed")
}
