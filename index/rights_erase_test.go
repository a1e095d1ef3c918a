package index_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// After each erasure its bytes are in none of the files, of a sealed account
// not before either.
func TestErasedBytes(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		dir, eye := t.TempDir(), &analyzer{}
		path := filepath.Join(dir, "a.kith")
		cfg := withScenes(index.Config{Analyzer: eye, Keys: keys})
		acc := openAt(t, path, cfg)
		_, m := markedFamily(t, acc, eye)
		gone := func(when string, m marks, erase func() (index.Receipt, error), want index.Counts) {
			t.Helper()
			if keys == nil {
				m.wantAll(t, "before "+when, dir)
			}
			r, err := erase()
			must(t, err)
			for class, n := range want {
				if r.Counts[class] != n {
					t.Errorf("%s: the receipt counts %v, want %d %s", when, r.Counts, n, class)
				}
			}
			m.wantNone(t, when, dir)
			if entries := all(t, acc.Audit(t.Context())); entries[len(entries)-1].ID != r.ID || r.ID == "" {
				t.Errorf("%s: the receipt %s is not the last of the audit", when, r.ID)
			}
			closeChecked(t, acc)
			m.wantNone(t, "closed after "+when, dir)
			acc = openAt(t, path, cfg)
		}
		if keys != nil {
			for _, m := range []marks{m.photo, m.person, m.biometrics, m.account} {
				m.wantNone(t, "sealed", dir)
			}
		}
		first, who := photoOf(t, acc, "Aloysius Album/Quincunx.jpg").ID, personOf(t, acc, "Balthasar Album/5.jpg", 0)
		gone("ErasePhotos", m.photo, func() (index.Receipt, error) { return acc.ErasePhotos(t.Context(), first) },
			index.Counts{index.ClassPhotos: 1, index.ClassFaces: 2, index.ClassTemplates: 2})
		gone("ErasePerson", m.person, func() (index.Receipt, error) { return acc.ErasePerson(t.Context(), who) },
			index.Counts{index.ClassPeople: 1, index.ClassFaces: 3, index.ClassTemplates: 3, index.ClassDecisions: 2, index.ClassPhotos: 0})
		for what := range m.photo {
			delete(m.biometrics, what)
		}
		for what := range m.person {
			delete(m.biometrics, what)
		}
		gone("WithdrawConsent", m.biometrics,
			func() (index.Receipt, error) { return acc.WithdrawConsent(t.Context(), index.Consent{}, false) },
			index.Counts{index.ClassFaces: 4, index.ClassTemplates: 4, index.ClassPeople: 2, index.ClassDecisions: 1})
		gone("EraseAll", m.account, func() (index.Receipt, error) { return acc.EraseAll(t.Context()) },
			index.Counts{index.ClassPhotos: 5, index.ClassConsent: 2})
		for _, m := range []marks{m.photo, m.person, m.biometrics} {
			m.wantNone(t, "in the end", dir)
		}
	})
}

// EraseBiometrics says nothing of consent: what is there is found anew.
func TestEraseBiometrics(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		for _, keep := range []bool{true, false} {
			dir, eye := t.TempDir(), &analyzer{}
			acc := openAt(t, filepath.Join(dir, "a.kith"), withScenes(index.Config{Analyzer: eye, Keys: keys}))
			src, m := markedFamily(t, acc, eye)
			before := partition(t, acc)
			r := must1[index.Receipt](t)(acc.EraseBiometrics(t.Context(), keep))
			if r.Counts[index.ClassFaces] != 9 || r.Counts[index.ClassTemplates] != 9 {
				t.Errorf("the receipt counts %v", r.Counts)
			}
			if keep {
				delete(m.biometrics, "Zebedee Zimmermann") // a name
			}
			m.biometrics.wantNone(t, fmt.Sprintf("keep %v", keep), dir)
			eye.hook = nil
			reindex(t, acc, src, index.ReindexOptions{})
			after := partition(t, acc)
			if keep != slices.Equal(before, after) || len(after) != 3 {
				t.Errorf("keep %v: people were %q, and are %q", keep, before, after)
			}
		}
	})
}

// returns checks, in whatever way the photos are looked at, which faces are
// there.
type returns struct {
	t    *testing.T
	path string
	cfg  index.Config
	acc  *index.Account
	src  *files
}

func (r *returns) reopen(eye *analyzer) {
	r.t.Helper()
	closeChecked(r.t, r.acc)
	cfg := r.cfg
	cfg.Analyzer = eye
	r.acc = openAt(r.t, r.path, cfg)
}

// want runs Reindex and checks the faces left on each photo, as persons.
func (r *returns) want(when string, opt index.ReindexOptions, want map[string][]int) {
	r.t.Helper()
	reindex(r.t, r.acc, r.src, opt)
	for _, p := range all(r.t, r.acc.Photos(r.t.Context(), index.PhotoQuery{})) {
		fs := all(r.t, r.acc.Faces(r.t.Context(), index.FaceQuery{Photo: p.ID, Rejected: index.Include}))
		var got []int
		s := must1[*scene](r.t)(decoded(r.src.get(p.Path).data))
		for _, f := range fs {
			ref := store.FaceRef{Box: f.Box}
			if i := ref.Best(len(s.faces), func(i int) face.Box { return s.faces[i].box }); i >= 0 {
				got = append(got, s.faces[i].person)
			}
		}
		if !slices.Equal(got, want[p.Path]) || len(got) != len(fs) {
			r.t.Errorf("%s: %s has the faces of %v, want %v", when, p.Path, got, want[p.Path])
		}
	}
}

func newReturns(t *testing.T, keys store.KeyProvider) *returns {
	r := &returns{t: t, path: filepath.Join(t.TempDir(), "a.kith"), cfg: withScenes(index.Config{Keys: keys}), src: family()}
	r.src.put("c/copy.jpg", r.src.get("a/1.jpg").data)
	r.acc = openAt(t, r.path, r.cfg)
	must(t, r.acc.SetConsent(t.Context(), yes))
	r.want("at first", index.ReindexOptions{}, map[string][]int{
		"a/1.jpg": {1, 2}, "a/2.jpg": {1, 3}, "a/3.jpg": {2, 3}, "b/4.jpg": {1}, "b/5.jpg": {2}, "b/6.jpg": {3}, "c/copy.jpg": {1, 2},
	})
	return r
}

func TestErasedPersonStaysAway(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		for _, objects := range []bool{true, false} {
			testErasedPerson(t, newReturns(t, keys), objects)
		}
	})
}

func testErasedPerson(t *testing.T, r *returns, objects bool) {
	ctx := index.WithActor(t.Context(), "user-17")
	anna := personOf(t, r.acc, "b/4.jpg", 0)
	must1[index.DecisionID](t)(r.acc.Name(ctx, anna, "Anna"))
	must1[index.DecisionID](t)(r.acc.Different(ctx, anna, personOf(t, r.acc, "b/5.jpg", 0)))
	erase, action := r.acc.ErasePerson, "erase person"
	if objects {
		erase, action = r.acc.Object, "objection"
	}
	_, err := erase(ctx, "nobody")
	wantErr(t, "erase nobody", err, index.ErrNotFound)
	receipt := must1[index.Receipt](t)(erase(ctx, anna))
	if receipt.Action != action || receipt.Actor != "user-17" || receipt.Counts[index.ClassFaces] != 4 || receipt.Counts[index.ClassPeople] != 1 {
		t.Errorf("the receipt is %+v", receipt)
	}
	_, err = erase(ctx, anna)
	wantErr(t, "erase again", err, index.ErrNotFound)
	if n := len(all(t, r.acc.Decisions(ctx))); n != 0 {
		t.Errorf("%d decisions are left", n)
	}
	left := map[string][]int{"a/1.jpg": {2}, "a/2.jpg": {3}, "a/3.jpg": {2, 3}, "b/5.jpg": {2}, "b/6.jpg": {3}, "c/copy.jpg": {2}}
	r.want("erased", index.ReindexOptions{}, left)
	r.want("forced", index.ReindexOptions{Force: true}, left)
	for _, eye := range []*analyzer{{shift: 20}, {space: "another", shift: -15}, {}} {
		r.reopen(eye)
		r.want("another detector", index.ReindexOptions{Force: true}, left)
	}
	r.src.move("a/1.jpg", "d/moved.jpg")
	left["d/moved.jpg"], left["a/1.jpg"] = []int{2}, nil
	r.want("moved", index.ReindexOptions{}, left)
	r.src.put("d/copied.jpg", r.src.get("a/2.jpg").data)
	left["d/copied.jpg"] = []int{3}
	r.want("copied", index.ReindexOptions{}, left)
	r.src.put("d/copied too.jpg", r.src.get("b/4.jpg").data)
	r.want("copied and forced", index.ReindexOptions{Force: true}, left)
	must1[index.Receipt](t)(r.acc.EraseBiometrics(ctx, false))
	r.want("found anew", index.ReindexOptions{}, left)
	must1[index.Photo](t)(r.acc.Index(ctx, r.src, "b/4.jpg"))
	must1[index.Report](t)(r.acc.Regroup(ctx))

	_, err = r.acc.Readmit(ctx, "nothing")
	wantErr(t, "readmit nothing", err, index.ErrNotFound)
	must1[index.AuditEntry](t)(r.acc.Readmit(ctx, receipt.ID))
	_, err = r.acc.Readmit(ctx, receipt.ID)
	wantErr(t, "readmit again", err, index.ErrNotFound)
	r.want("readmitted and not looked at", index.ReindexOptions{}, left)
	r.want("readmitted", index.ReindexOptions{Force: true}, map[string][]int{
		"a/2.jpg": {1, 3}, "a/3.jpg": {2, 3}, "b/4.jpg": {1}, "b/5.jpg": {2}, "b/6.jpg": {3}, "c/copy.jpg": {1, 2},
		"d/moved.jpg": {1, 2}, "d/copied.jpg": {1, 3}, "d/copied too.jpg": {1},
	})
	for _, p := range all(t, r.acc.People(ctx, index.PeopleQuery{})) {
		if p.Name != "" {
			t.Errorf("somebody is called %q", p.Name)
		}
	}
}

func TestErasedPhotosStayAway(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		r := newReturns(t, keys)
		ctx := t.Context()
		one, six := photoOf(t, r.acc, "c/copy.jpg").ID, photoOf(t, r.acc, "b/6.jpg").ID
		_, err := r.acc.ErasePhotos(ctx, one, "nothing")
		wantErr(t, "an unknown one", err, index.ErrNotFound)
		if n := len(worldOf(t, r.acc).photos); n != 7 {
			t.Errorf("%d photos are left", n)
		}
		receipt := must1[index.Receipt](t)(r.acc.ErasePhotos(ctx, one, six))
		if receipt.Counts[index.ClassPhotos] != 3 || receipt.Counts[index.ClassFaces] != 5 {
			t.Errorf("the receipt counts %v", receipt.Counts)
		}
		away := func(when string, opt index.ReindexOptions, erased int) {
			t.Helper()
			rep := reindex(t, r.acc, r.src, opt)
			if rep.Erased != erased {
				t.Errorf("%s: the report counts %d erased, want %d", when, rep.Erased, erased)
			}
			if w := worldOf(t, r.acc); len(w.photos) != 4 || len(w.faces) != 6 {
				t.Errorf("%s: %d photos and %d faces", when, len(w.photos), len(w.faces))
			}
		}
		away("a run", index.ReindexOptions{}, 3)
		away("another", index.ReindexOptions{}, 3)
		away("forced", index.ReindexOptions{Force: true}, 3)
		away("without faces", index.ReindexOptions{NoFaces: true}, 3)
		for _, eye := range []*analyzer{{shift: 20}, {space: "another"}, {}} {
			r.reopen(eye)
			away("another detector", index.ReindexOptions{}, 3)
		}
		r.src.move("a/1.jpg", "d/moved.jpg")
		r.src.put("d/copied.jpg", r.src.get("b/6.jpg").data)
		away("moved and copied", index.ReindexOptions{}, 4)
		for _, name := range []string{"d/moved.jpg", "b/6.jpg"} {
			var pe *index.PhotoError
			_, err := r.acc.Index(ctx, r.src, name)
			if !errors.Is(err, index.ErrTombstone) || !errors.As(err, &pe) || pe.Path != name {
				t.Errorf("Index %s: %v", name, err)
			}
		}
		away("after Index", index.ReindexOptions{}, 4)
		must1[index.AuditEntry](t)(r.acc.Readmit(ctx, receipt.ID))
		r.want("readmitted", index.ReindexOptions{}, map[string][]int{
			"a/2.jpg": {1, 3}, "a/3.jpg": {2, 3}, "b/4.jpg": {1}, "b/5.jpg": {2}, "b/6.jpg": {3}, "c/copy.jpg": {1, 2},
			"d/moved.jpg": {1, 2}, "d/copied.jpg": {3},
		})
		if n := len(worldOf(t, r.acc).photos); n != 8 {
			t.Errorf("readmitted, there are %d photos", n)
		}
	})
}

// A photo that comes to have the content of an erased one leaves.
func TestErasedContentTakesPlace(t *testing.T) {
	r := newReturns(t, nil)
	gone := r.src.get("b/4.jpg").data
	must1[index.Receipt](t)(r.acc.ErasePhotos(t.Context(), photoOf(t, r.acc, "b/4.jpg").ID))
	r.src.put("b/5.jpg", gone)
	if rep := reindex(t, r.acc, r.src, index.ReindexOptions{}); rep.Erased != 2 || rep.Failed != 0 {
		t.Errorf("the report is %+v", rep)
	}
	for path := range worldOf(t, r.acc).photos {
		if path == "b/4.jpg" || path == "b/5.jpg" {
			t.Errorf("%s is there", path)
		}
	}
}

func TestEraseDuringReindex(t *testing.T) {
	for name, erase := range map[string]func(context.Context, *index.Account, index.PersonID, index.PhotoID) error{
		"person": func(ctx context.Context, acc *index.Account, who index.PersonID, _ index.PhotoID) error {
			return second(acc.Object(ctx, who))
		},
		"photo": func(ctx context.Context, acc *index.Account, _ index.PersonID, photo index.PhotoID) error {
			return second(acc.ErasePhotos(ctx, photo))
		},
	} {
		t.Run(name, func(t *testing.T) {
			eye, reached, release := blocking()
			hook := eye.hook
			eye.hook = nil
			acc, src := newAccount(t, index.Config{Analyzer: eye, Workers: 2}), family()
			reindex(t, acc, src, index.ReindexOptions{})
			who, photo := personOf(t, acc, "b/4.jpg", 0), photoOf(t, acc, "b/4.jpg").ID
			eye.hook = hook
			done := make(chan error, 1)
			go func() {
				_, err := acc.Reindex(context.Background(), src, index.ReindexOptions{Force: true})
				done <- err
			}()
			<-reached
			must(t, erase(t.Context(), acc, who, photo))
			wantErr(t, "the Reindex that ran", <-done, index.ErrInterrupted)
			close(release)
			reindex(t, acc, src, index.ReindexOptions{Force: true})
			if name == "photo" {
				for path := range worldOf(t, acc).photos {
					if path == "b/4.jpg" {
						t.Error("the photo is back")
					}
				}
			} else if fs := facesOf(t, acc, "b/4.jpg"); len(fs) != 0 || len(worldOf(t, acc).faces) != 6 {
				t.Errorf("the faces are back: %v", fs)
			}
		})
	}
}
