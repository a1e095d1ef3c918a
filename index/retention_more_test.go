package index_test

import (
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

// Faces that expired do not come back while their photos stay as they are.
func TestExpireFaces(t *testing.T) {
	clock, src := newHands(), family()
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: 10 * day}))
	reindex(t, acc, src, index.ReindexOptions{})
	anna := personOf(t, acc, "b/4.jpg", 0)
	must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Anna"))
	clock.turn(9 * day)
	src.put("c/7.jpg", shot("7", 1))
	reindex(t, acc, src, index.ReindexOptions{})
	clock.turn(day)
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if e.Counts[index.ClassFaces] != 9 || e.Counts[index.ClassTemplates] != 9 || e.Counts[index.ClassPhotos] != 0 || e.Counts[index.ClassDecisions] != 0 {
		t.Errorf("the expiry counts %v", e.Counts)
	}
	// A photo that moves, is copied or touched is still the old one.
	src.move("a/1.jpg", "d/1.jpg")
	src.put("d/2.jpg", src.get("a/2.jpg").data)
	f := src.get("a/3.jpg")
	f.at = f.at.Add(time.Hour)
	src.set("a/3.jpg", f)
	for range 2 {
		reindex(t, acc, src, index.ReindexOptions{})
		if fs := all(t, acc.Faces(t.Context(), index.FaceQuery{})); len(fs) != 1 || fs[0].Person != anna {
			t.Errorf("%d faces are there", len(fs))
		}
	}
	if ms := must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 3), 10)); len(ms) != 1 {
		t.Errorf("%d faces are found", len(ms))
	}
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	if n := len(worldOf(t, acc).faces); n != 12 {
		t.Errorf("forced, %d faces are there", n)
	}
	if p := must1[index.Person](t)(acc.Person(t.Context(), anna)); p.Name != "Anna" || p.Faces != 5 {
		t.Errorf("forced, Anna is %+v", p)
	}
	// They are as old as before.
	if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Counts[index.ClassFaces] < 9 {
		t.Errorf("the expiry counts %v", e.Counts)
	}
}

func TestExpireStrangers(t *testing.T) {
	clock, src := newHands(), crowd(40, 4)
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassStrangers: 10 * day}))
	reindex(t, acc, src, index.ReindexOptions{})
	named, ignored := personOf(t, acc, "00/000.jpg", 0), personOf(t, acc, "01/001.jpg", 0)
	must1[index.DecisionID](t)(acc.Name(t.Context(), named, "Anna"))
	must1[index.DecisionID](t)(acc.Ignore(t.Context(), ignored))
	var keep, reject int
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{})) {
		switch {
		case f.Person == named || f.Person == ignored:
			keep++
		case reject == 0:
			reject++
			must1[index.DecisionID](t)(acc.NotAFace(t.Context(), f.ID))
		}
	}
	total := len(all(t, acc.Faces(t.Context(), index.FaceQuery{Rejected: index.Include})))
	clock.turn(10 * day)
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if want := total - keep - reject; e.Counts[index.ClassFaces] != want || e.Counts[index.ClassPeople] != 2 || want == 0 {
		t.Errorf("the expiry counts %v, want %d faces of 2 people", e.Counts, want)
	}
	for _, f := range all(t, acc.Faces(t.Context(), index.FaceQuery{Rejected: index.Include})) {
		if f.Person != named && f.Person != ignored && f.Rejected == "" {
			t.Errorf("left: %+v", f)
		}
	}
	reindex(t, acc, src, index.ReindexOptions{})
	if n := len(all(t, acc.Faces(t.Context(), index.FaceQuery{Rejected: index.Include}))); n != keep+reject {
		t.Errorf("%d faces are there, want %d", n, keep+reject)
	}
}

// A photo that is missed for a while is the same when it is back, with its
// people.
func TestVanishedAndBack(t *testing.T) {
	for name, back := range map[string]func(src *files, old file){
		"as it was": func(src *files, old file) { src.set("b/4.jpg", old) },
		"with another time": func(src *files, old file) {
			old.at = old.at.Add(time.Hour)
			src.set("b/4.jpg", old)
		},
		"elsewhere": func(src *files, old file) { src.set("z/4.jpg", old) },
	} {
		t.Run(name, func(t *testing.T) {
			clock, src := newHands(), family()
			acc := newAccount(t, index.Config{Now: clock.now})
			must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassVanished: 30 * day}))
			reindex(t, acc, src, index.ReindexOptions{})
			photo, face := photoOf(t, acc, "b/4.jpg"), facesOf(t, acc, "b/4.jpg")[0]
			must1[index.DecisionID](t)(acc.Name(t.Context(), face.Person, "Anna"))
			clock.turn(day)
			old := src.remove("b/4.jpg")
			if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Vanished != 1 {
				t.Errorf("the report is %+v", rep)
			}
			clock.turn(10 * day)
			for _, opt := range []index.ReindexOptions{{}, {Force: true}} {
				if rep := reindex(t, acc, src, opt); rep.Vanished != 0 {
					t.Errorf("missed again: %+v", rep)
				}
			}
			if p := photoOf(t, acc, "b/4.jpg"); !p.Vanished.Equal(start.Add(day)) || p.ID != photo.ID {
				t.Errorf("missing, it is %+v", p)
			}
			if fs := facesOf(t, acc, "b/4.jpg"); len(fs) != 1 || fs[0].ID != face.ID || fs[0].Person != face.Person {
				t.Errorf("missing, its faces are %+v", fs)
			}
			clock.turn(20*day - time.Microsecond)
			must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			back(src, old)
			if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Indexed != 0 || rep.Faces != 0 || rep.Unchanged+rep.Moved != 6 {
				t.Errorf("back: %+v", rep)
			}
			p := must1[index.Photo](t)(acc.Photo(t.Context(), photo.ID))
			if !p.Vanished.IsZero() || !p.Added.Equal(start) {
				t.Errorf("back, it is %+v", p)
			}
			fs := facesOf(t, acc, p.Path)
			if len(fs) != 1 || fs[0].ID != face.ID || fs[0].Person != face.Person {
				t.Errorf("back, its faces are %+v", fs)
			}
			clock.turn(day)
			if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Counts[index.ClassPhotos] != 0 {
				t.Errorf("back, and yet expired: %+v", e)
			}

			src.remove(p.Path)
			reindex(t, acc, src, index.ReindexOptions{})
			clock.turn(30 * day)
			if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Counts[index.ClassPhotos] != 1 || e.Counts[index.ClassFaces] != 1 {
				t.Errorf("missing too long: %+v", e)
			}
			if p := must1[index.Person](t)(acc.Person(t.Context(), face.Person)); p.Name != "Anna" || p.Faces != 2 {
				t.Errorf("Anna is %+v", p)
			}
		})
	}
}

// Photos that are known to be missing are not expected.
func TestVanishedAreNotExpected(t *testing.T) {
	acc := newAccount(t, index.Config{})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassVanished: day}))
	reindex(t, acc, family(), index.ReindexOptions{})
	none := newFiles(nil)
	_, err := acc.Reindex(t.Context(), none, index.ReindexOptions{})
	wantErr(t, "an empty folder", err, index.ErrNothingFound)
	wantReport(t, reindex(t, acc, none, index.ReindexOptions{AllowEmpty: true}), "vanished 6")
	wantReport(t, reindex(t, acc, none, index.ReindexOptions{}), "")
}

// By default a photo whose file is missing leaves at once.
func TestVanishedAtOnce(t *testing.T) {
	acc, src := newAccount(t, index.Config{}), family()
	reindex(t, acc, src, index.ReindexOptions{})
	src.remove("b/4.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 5, vanished 1, ignored 1")
	if n := len(worldOf(t, acc).photos); n != 5 {
		t.Errorf("%d photos are left", n)
	}
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassVanished: index.Forever}))
	src.remove("b/5.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	must(t, acc.SetRetention(t.Context(), nil)) // shorter than when it went
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 4, unchanged 4, vanished 1, ignored 1")
	if n := len(worldOf(t, acc).photos); n != 4 {
		t.Errorf("%d photos are left", n)
	}
}
