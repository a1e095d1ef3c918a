package index_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

func ids(people []index.Person) (out []index.PersonID) {
	for _, p := range people {
		out = append(out, p.ID)
	}
	slices.Sort(out)
	return out
}

func TestIgnore(t *testing.T) {
	acc, src, p := grouped(t)
	ctx := t.Context()
	first := must1[index.DecisionID](t)(acc.Ignore(ctx, p[1]))
	check := func(when string, ignored bool) {
		t.Helper()
		shown, only := all(t, acc.People(ctx, index.PeopleQuery{})), all(t, acc.People(ctx, index.PeopleQuery{Ignored: index.Only}))
		both := all(t, acc.People(ctx, index.PeopleQuery{Ignored: index.Include}))
		listed, hidden := slices.Contains(ids(shown), p[1]), slices.Contains(ids(only), p[1])
		if listed == ignored || hidden != ignored || len(both) != len(shown)+len(only) {
			t.Errorf("%s: shown %v, ignored %v, all %v", when, ids(shown), ids(only), ids(both))
		}
	}
	check("ignored", true)
	// Faces that are found later join, although nobody gave the person a name.
	for i := range 12 {
		src.put(fmt.Sprintf("later/%d.jpg", i), shot(fmt.Sprint("later", i), 2))
	}
	reindex(t, acc, src, index.ReindexOptions{})
	check("later", true)
	for i := range 12 {
		if got := personOf(t, acc, fmt.Sprintf("later/%d.jpg", i), 0); got != p[1] {
			t.Errorf("a later face is with %q, want %s", got, p[1])
		}
	}
	reindex(t, acc, newFiles(nil), index.ReindexOptions{AllowEmpty: true})
	check("all photos gone", true)
	reindex(t, acc, src, index.ReindexOptions{})
	check("all photos back", true)
	second := must1[index.DecisionID](t)(acc.Unignore(ctx, p[1]))
	check("shown again", false)
	must(t, acc.Undo(ctx, second))
	check("that was undone", true)
	again := must1[index.DecisionID](t)(acc.Ignore(ctx, p[1])) // changes nothing, and is recorded
	must(t, acc.Undo(ctx, first))
	check("said twice, undone once", true)
	must(t, acc.Undo(ctx, again))
	check("all undone", false)
}

func TestCover(t *testing.T) {
	acc, src, p := grouped(t)
	ctx := t.Context()
	cover := func() index.FaceID { return must1[index.Person](t)(acc.Person(ctx, p[0])).Cover }
	best, faces := cover(), all(t, acc.Faces(ctx, index.FaceQuery{Person: p[0]}))
	i := slices.IndexFunc(faces, func(f index.Face) bool { return f.ID != best })
	chosen := faces[i].ID
	first := must1[index.DecisionID](t)(acc.Cover(ctx, p[0], chosen))
	src.put("copy of it.jpg", src.get(photoPath(t, acc, faces[i].Photo)).data)
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	if cover() != chosen {
		t.Error("the chosen cover was replaced")
	}
	copied := facesOf(t, acc, "copy of it.jpg")
	k := slices.IndexFunc(copied, func(f index.Face) bool { return f.Person == p[0] })
	second := must1[index.DecisionID](t)(acc.Cover(ctx, p[0], copied[k].ID))
	must1[index.Report](t)(acc.Regroup(ctx))
	if cover() != copied[k].ID {
		t.Error("of two copies the other is shown")
	}
	must(t, acc.Undo(ctx, second))
	must(t, acc.Undo(ctx, first))
	if cover() != best {
		t.Error("the best face is not shown again")
	}
	if _, err := acc.Cover(ctx, p[1], chosen); err == nil {
		t.Error("somebody else's face was taken")
	}
	_, err := acc.Cover(ctx, p[0], "nothing")
	wantErr(t, "no such face", err, index.ErrNotFound)
	_, err = acc.Cover(ctx, "nobody", chosen)
	wantErr(t, "no such person", err, index.ErrNotFound)
}

func photoPath(t *testing.T, acc *index.Account, id index.PhotoID) string {
	t.Helper()
	return must1[index.Photo](t)(acc.Photo(t.Context(), id)).Path
}

// What is no face is never seen again, not even for a moment.
func TestNotAFace(t *testing.T) {
	acc, src, _ := grouped(t)
	ctx := t.Context()
	before := worldOf(t, acc)
	no := facesOf(t, acc, "a/1.jpg")[0]
	vector := portrait(1, 1)
	id := must1[index.DecisionID](t)(acc.NotAFace(ctx, no.ID))
	hidden := func(when string) {
		t.Helper()
		for _, p := range all(t, acc.Photos(ctx, index.PhotoQuery{})) {
			faces := all(t, acc.Faces(ctx, index.FaceQuery{Photo: p.ID}))
			if want := p.Path == "a/1.jpg" || p.Path == "moved.jpg"; want && len(faces) != 1 {
				t.Errorf("%s: %d faces are listed, want 1", when, len(faces))
			}
		}
		for _, m := range must1[[]index.Match](t)(acc.Search(ctx, vector, 100)) {
			if m.Face == no.ID {
				t.Errorf("%s: it is found", when)
			}
		}
		for _, f := range all(t, acc.Faces(ctx, index.FaceQuery{Unassigned: true})) {
			if f.ID == no.ID {
				t.Errorf("%s: it is listed as nobody's", when)
			}
		}
	}
	hidden("at once")
	rejected := all(t, acc.Faces(ctx, index.FaceQuery{Rejected: index.Only}))
	if len(rejected) != 1 || rejected[0].ID != no.ID || rejected[0].Rejected != id || rejected[0].Person != "" {
		t.Errorf("rejected: %+v", rejected)
	}
	watched := func(when string, opt index.ReindexOptions) {
		t.Helper()
		opt.Progress = func(index.Progress) { hidden(when) }
		reindex(t, acc, src, opt)
	}
	watched("forced", index.ReindexOptions{Force: true})
	src.move("a/1.jpg", "moved.jpg")
	watched("moved", index.ReindexOptions{})
	gone := src.remove("moved.jpg")
	watched("gone", index.ReindexOptions{})
	src.set("a/1.jpg", gone)
	watched("back", index.ReindexOptions{})
	src.put("moved.jpg", gone.data)
	watched("copied", index.ReindexOptions{NoGroup: true})
	src.remove("moved.jpg")
	watched("copy gone", index.ReindexOptions{})
	must(t, acc.Undo(ctx, id))
	must1[index.Report](t)(acc.Regroup(ctx))
	if got := len(facesOf(t, acc, "a/1.jpg")); got != 2 {
		t.Errorf("undone: %d faces", got)
	}
	if got, want := personOf(t, acc, "a/1.jpg", 0), before.faces[no.ID]; got != want {
		t.Errorf("it came back to %q, and was with %s", got, want)
	}
	wantPartition(t, acc, familyPeople...)
}

func TestRemoved(t *testing.T) {
	acc, src, p := grouped(t)
	ctx := t.Context()
	lone := facesOf(t, acc, "b/4.jpg")[0].ID
	must1[index.DecisionID](t)(acc.Remove(ctx, lone))
	for i := range 4 {
		if got := personOf(t, acc, "b/4.jpg", 0); got == p[0] || i == 0 && got != "" {
			t.Errorf("it is with %q", got)
		}
		switch i {
		case 1:
			reindex(t, acc, src, index.ReindexOptions{Force: true})
		case 2:
			merged(t, acc, p[2], p[0])
			p[0] = p[2]
		}
		must1[index.Report](t)(acc.Regroup(ctx))
	}
	// It may find others of its own.
	for i := range 12 {
		src.put(fmt.Sprintf("like it/%d.jpg", i), shot(fmt.Sprint("like it", i), 7))
	}
	reindex(t, acc, src, index.ReindexOptions{})
	who := personOf(t, acc, "like it/0.jpg", 0)
	_, id, err := acc.Assign(ctx, who, lone)
	must(t, err)
	must(t, acc.Undo(ctx, id))
	if got := personOf(t, acc, "b/4.jpg", 0); got == p[0] {
		t.Errorf("it is with %q", got)
	}
}

func TestAssign(t *testing.T) {
	acc, src, p := grouped(t)
	ctx := t.Context()
	src.put("alone.jpg", shot("alone", 9))
	reindex(t, acc, src, index.ReindexOptions{})
	alone, lone := facesOf(t, acc, "alone.jpg")[0].ID, facesOf(t, acc, "b/5.jpg")[0].ID
	who, id, err := acc.Assign(ctx, p[0], alone, lone)
	must(t, err)
	if who != p[0] {
		t.Errorf("they are %s, want %s", who, p[0])
	}
	fresh, _, err := acc.Assign(ctx, "", facesOf(t, acc, "a/1.jpg")[1].ID)
	must(t, err)
	for range 3 {
		for path, want := range map[string]index.PersonID{"alone.jpg": p[0], "b/5.jpg": p[0], "a/2.jpg": p[0]} {
			if got := personOf(t, acc, path, 0); got != want {
				t.Errorf("%s shows %q, want %s", path, got, want)
			}
		}
		if got := personOf(t, acc, "a/1.jpg", 1); got != fresh {
			t.Errorf("the new person's face is with %q", got)
		}
		reindex(t, acc, src, index.ReindexOptions{Force: true})
	}
	must(t, acc.Undo(ctx, id))
	if personOf(t, acc, "alone.jpg", 0) != "" || personOf(t, acc, "b/5.jpg", 0) != p[1] {
		t.Error("they did not go back")
	}
	_, _, err = acc.Assign(ctx, "nobody", alone)
	wantErr(t, "to nobody", err, index.ErrNotFound)
	_, _, err = acc.Assign(ctx, p[0], "nothing")
	wantErr(t, "no such face", err, index.ErrNotFound)
	if _, _, err = acc.Assign(ctx, p[0]); err == nil {
		t.Error("no face was taken")
	}
	_, err = acc.Different(ctx, p[0], "nobody")
	wantErr(t, "different from nobody", err, index.ErrNotFound)
	if _, err = acc.Different(ctx, p[0], p[0]); err == nil {
		t.Error("somebody is different from himself")
	}
	if _, err = acc.Remove(ctx, alone); err == nil {
		t.Error("a face was removed from nobody")
	}
}

func TestEvents(t *testing.T) {
	now := start
	acc := newAccount(t, index.Config{Now: func() time.Time { now = now.Add(time.Second); return now }})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	ctx := t.Context()
	var last index.EventID
	since := func() (out []string) {
		t.Helper()
		for _, e := range all(t, acc.Events(ctx, last)) {
			if e.ID <= last || e.At.Before(start) {
				t.Errorf("%+v after %d", e, last)
			}
			last = e.ID
			out = append(out, fmt.Sprintf("%s %s %s +%d -%d", e.Kind, e.Person, e.Other, e.Joined, e.Left))
		}
		return out
	}
	wantEvents := func(when string, want ...string) {
		t.Helper()
		if got := since(); !slices.Equal(got, want) {
			t.Errorf("%s: events\n%q, want\n%q", when, got, want)
		}
	}
	if got := since(); len(got) != 3 {
		t.Errorf("at first: %q", got)
	}
	p := [3]index.PersonID{personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0), personOf(t, acc, "b/6.jpg", 0)}
	must1[index.Report](t)(acc.Regroup(ctx))
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	wantEvents("nothing changed")
	named(t, acc, p[0], "Anna")
	wantEvents("named", fmt.Sprintf("renamed %s  +0 -0", p[0]))
	named(t, acc, p[0], "Anna")
	wantEvents("named again")
	oldCover := must1[index.Person](t)(acc.Person(ctx, p[0])).Cover
	id := merged(t, acc, p[0], p[1])
	want := []string{fmt.Sprintf("faces %s  +3 -0", p[0])}
	if must1[index.Person](t)(acc.Person(ctx, p[0])).Cover != oldCover {
		want = append(want, fmt.Sprintf("cover %s  +0 -0", p[0]))
	}
	wantEvents("merged", append(slices.Clone(want), fmt.Sprintf("gone %s %s +0 -3", p[1], p[0]))...)
	must(t, acc.Undo(ctx, id))
	want[0] = fmt.Sprintf("faces %s  +0 -3", p[0])
	wantEvents("undone", append([]string{fmt.Sprintf("new %s %s +3 -0", p[1], p[0])}, want...)...)
	must1[index.DecisionID](t)(acc.Ignore(ctx, p[2]))
	wantEvents("ignored", fmt.Sprintf("ignored %s  +0 -0", p[2]))
	must1[index.DecisionID](t)(acc.Unignore(ctx, p[2]))
	wantEvents("shown", fmt.Sprintf("unignored %s  +0 -0", p[2]))
	src.remove("b/6.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	if got := since(); len(got) == 0 || got[0] != fmt.Sprintf("faces %s  +0 -1", p[2]) {
		t.Errorf("a photo vanished: %q", got)
	}
	for e, err := range acc.Events(ctx, 0) { // a host may stop
		must(t, err)
		if e.ID != 1 {
			t.Errorf("the oldest is %+v", e)
		}
		break
	}
	must(t, acc.SetConsent(context.WithoutCancel(ctx), index.Consent{}))
	if got := all(t, acc.Events(ctx, 0)); len(got) != 1 || got[0].Kind != index.EventErased || got[0].ID <= last || got[0].Left != 8 {
		t.Errorf("erased: %+v after %d", got, last)
	}
}
