package index_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

func TestConsentRecord(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		clock, path := newHands(), filepath.Join(t.TempDir(), "a.kith")
		cfg := withScenes(index.Config{Now: clock.now, Keys: keys})
		acc := openAt(t, path, cfg)
		want := func(c index.Consent) {
			t.Helper()
			c.Purpose, c.At = store.PurposeFaces, clock.now()
			if got := must1[index.Consent](t)(acc.Consent(t.Context())); got != c {
				t.Errorf("the record is %+v, want %+v", got, c)
			}
			if s := must1[index.State](t)(acc.State(t.Context())); s.Consent != c.Given {
				t.Errorf("the state says %v", s.Consent)
			}
		}
		if c := must1[index.Consent](t)(acc.Consent(t.Context())); c != (index.Consent{}) {
			t.Errorf("a new account says %+v", c)
		}
		for _, given := range []bool{true, false} {
			err := acc.SetConsent(t.Context(), index.Consent{Given: given, Purpose: "advertising", By: "anna"})
			if err == nil {
				t.Errorf("consent to advertising (%v) was recorded", given)
			}
		}
		if c := must1[index.Consent](t)(acc.Consent(t.Context())); c != (index.Consent{}) {
			t.Errorf("what was refused is recorded: %+v", c)
		}
		given := index.Consent{Given: true, By: "anna", Version: "2024-05", Means: "terminal"}
		must(t, acc.SetConsent(t.Context(), given))
		want(given)
		clock.turn(time.Hour)
		withdrawn := index.Consent{By: "anna", Version: "2024-06", Means: "host"}
		must1[index.Receipt](t)(acc.WithdrawConsent(t.Context(), withdrawn, true))
		want(withdrawn)
		clock.turn(time.Hour)
		again := index.Consent{Given: true, Purpose: store.PurposeFaces, By: "bert", Version: "2024-07", Means: "flag"}
		must(t, acc.SetConsent(t.Context(), again))
		want(again)
		closeChecked(t, acc)
		acc = openAt(t, path, cfg)
		want(again)
		var actions []string
		for _, e := range all(t, acc.Audit(t.Context())) {
			actions = append(actions, e.Action)
		}
		if n := len(actions); n < 4 || actions[0] != "consent given" || actions[1] != "consent withdrawn" || actions[n-1] != "consent given" {
			t.Errorf("the audit says %q", actions)
		}
	})
}

// With keep, what was said waits for the faces, and holds for them again.
func TestWithdrawKeep(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		acc := newAccount(t, index.Config{Keys: keys})
		src := crowd(30, 3)
		reindex(t, acc, src, index.ReindexOptions{})
		anna, bert := personOf(t, acc, "00/000.jpg", 0), personOf(t, acc, "01/001.jpg", 0)
		early := must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Anne"))
		late := must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Anna"))
		must1[index.DecisionID](t)(acc.Name(t.Context(), bert, "Bert"))
		must1[index.DecisionID](t)(acc.Different(t.Context(), anna, bert))
		must1[index.DecisionID](t)(acc.NotAFace(t.Context(), facesOf(t, acc, "03/003.jpg")[0].ID))
		must1[index.DecisionID](t)(acc.Remove(t.Context(), facesOf(t, acc, "01/021.jpg")[0].ID))
		before, said := partition(t, acc), len(all(t, acc.Decisions(t.Context())))
		faces := len(all(t, acc.Faces(t.Context(), index.FaceQuery{Rejected: index.Include})))

		r := must1[index.Receipt](t)(acc.WithdrawConsent(t.Context(), index.Consent{By: "anna"}, true))
		if r.Counts[index.ClassFaces] != faces || r.Counts[index.ClassTemplates] != faces || r.Counts[index.ClassDecisions] != 0 || r.Counts[index.ClassPeople] != 1 {
			t.Errorf("the receipt counts %v, want %d faces and the one person without a name", r.Counts, faces)
		}
		w := worldOf(t, acc)
		if len(w.faces) != 0 || len(w.names) != 2 || w.names[anna] != "Anna" || w.names[bert] != "Bert" {
			t.Errorf("left: %v", w.names)
		}
		if n := len(all(t, acc.Decisions(t.Context()))); n != said {
			t.Errorf("%d decisions are left of %d", n, said)
		}
		must(t, acc.SetConsent(t.Context(), yes))
		reindex(t, acc, src, index.ReindexOptions{})
		wantPartition(t, acc, before...)
		if id := personOf(t, acc, "00/000.jpg", 0); id != anna {
			t.Errorf("Anna was %s, and is %s", anna, id)
		}
		must(t, acc.Undo(t.Context(), late))
		if p := must1[index.Person](t)(acc.Person(t.Context(), anna)); p.Name != "Anne" {
			t.Errorf("undone, the name is %q", p.Name)
		}
		must(t, acc.Undo(t.Context(), early))
		if p := must1[index.Person](t)(acc.Person(t.Context(), anna)); p.Name != "" {
			t.Errorf("undone, the name is %q", p.Name)
		}
	})
}

func TestWithdrawWithoutKeep(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	must1[index.DecisionID](t)(acc.Name(t.Context(), personOf(t, acc, "a/1.jpg", 0), "Anna"))
	r := must1[index.Receipt](t)(acc.WithdrawConsent(t.Context(), index.Consent{By: "anna"}, false))
	if c := r.Counts; c[index.ClassFaces] != 9 || c[index.ClassTemplates] != 9 || c[index.ClassPeople] != 3 || c[index.ClassDecisions] != 1 || c[index.ClassPhotos] != 0 {
		t.Errorf("the receipt counts %v", c)
	}
	must(t, acc.SetConsent(t.Context(), yes))
	reindex(t, acc, family(), index.ReindexOptions{})
	wantPartition(t, acc, familyPeople...)
	if n := len(all(t, acc.Decisions(t.Context()))); n != 0 {
		t.Errorf("%d decisions are left", n)
	}
}

func TestPersonConsent(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		dir := t.TempDir()
		cfg := withScenes(index.Config{Keys: keys})
		path := filepath.Join(dir, "a.kith")
		acc := openAt(t, path, cfg)
		must(t, acc.SetConsent(t.Context(), yes))
		reindex(t, acc, crowd(90, 3), index.ReindexOptions{})
		anna := personOf(t, acc, "00/000.jpg", 0)
		probe := portrait(2, 12345) // who has not consented
		everybody := must1[[]index.Match](t)(acc.Search(t.Context(), probe, 1000))
		closeChecked(t, acc)

		cfg.PersonConsent = true
		acc = openAt(t, path, cfg)
		_, err := acc.Name(t.Context(), anna, "Annabella Unasked")
		wantErr(t, "Name", err, index.ErrNoConsent)
		if ms := must1[[]index.Match](t)(acc.Search(t.Context(), probe, 10)); len(ms) != 0 {
			t.Errorf("nobody consented, and %d are found", len(ms))
		}
		wantErr(t, "consent of nobody", acc.SetConsent(t.Context(), index.Consent{Given: true, Person: "nobody"}), index.ErrNotFound)
		must(t, acc.SetConsent(t.Context(), index.Consent{Given: true, Person: anna, By: "anna"}))
		if c := must1[index.Consent](t)(acc.ConsentOf(t.Context(), anna)); !c.Given || c.Person != anna || c.By != "anna" {
			t.Errorf("her record is %+v", c)
		}
		if c := must1[index.Consent](t)(acc.Consent(t.Context())); !c.Given || c.Person != "" {
			t.Errorf("the owner's record is %+v", c)
		}
		must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Annabella Asked"))
		must1[index.DecisionID](t)(acc.Name(t.Context(), anna, "Annabella Again"))
		var want []index.FaceID
		for _, m := range everybody {
			if m.Person == anna {
				want = append(want, m.Face)
			}
		}
		for _, k := range []int{1, 10, len(want), len(want) + 5} {
			for range 3 { // from the file, and from memory
				var got []index.FaceID
				for _, m := range must1[[]index.Match](t)(acc.Search(t.Context(), probe, k)) {
					got = append(got, m.Face)
				}
				if !slices.Equal(got, want[:min(k, len(want))]) {
					t.Errorf("search for %d found %d faces, want the first of her %d", k, len(got), len(want))
				}
			}
		}
		image := must1[*scene](t)(decoded(shot("probe", 2)))
		for _, m := range must1[[]index.Match](t)(acc.SearchImage(t.Context(), image, 10)) {
			if m.Person != anna {
				t.Errorf("a search by image finds %s", m.Person)
			}
		}

		m := marks{}
		m.text("Annabella Asked")
		m.text("Annabella Again")
		if keys == nil {
			m.wantAll(t, "before", dir)
		}
		must(t, acc.SetConsent(t.Context(), index.Consent{Person: anna, By: "anna"}))
		m.wantNone(t, "withdrawn", dir)
		if p := must1[index.Person](t)(acc.Person(t.Context(), anna)); p.Name != "" || p.Faces == 0 {
			t.Errorf("she is %+v", p)
		}
		for _, d := range all(t, acc.Decisions(t.Context())) {
			if d.Name != "" || d.OldName != "" {
				t.Errorf("the ledger says %+v", d)
			}
		}
		if ms := must1[[]index.Match](t)(acc.Search(t.Context(), probe, 10)); len(ms) != 0 {
			t.Errorf("she is found: %+v", ms)
		}
		must1[index.Report](t)(acc.Regroup(t.Context()))
		if p := must1[index.Person](t)(acc.Person(t.Context(), anna)); p.Name != "" {
			t.Errorf("regrouped, she is called %q", p.Name)
		}
		_, err = acc.Name(t.Context(), anna, "Annabella Unasked")
		wantErr(t, "Name", err, index.ErrNoConsent)
		closeChecked(t, acc)
		m.wantNone(t, "closed", dir)
	})
}

// A person's name may have come by a merge.
func TestPersonConsentMerged(t *testing.T) {
	dir := t.TempDir()
	acc := openAt(t, filepath.Join(dir, "a.kith"), withScenes(index.Config{PersonConsent: true}))
	must(t, acc.SetConsent(t.Context(), yes))
	reindex(t, acc, family(), index.ReindexOptions{})
	one, two := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0)
	for _, id := range []index.PersonID{one, two} {
		must(t, acc.SetConsent(t.Context(), index.Consent{Given: true, Person: id}))
	}
	must1[index.DecisionID](t)(acc.Name(t.Context(), two, "Bartholomew Merged"))
	must1[index.DecisionID](t)(acc.Merge(t.Context(), one, two))
	if p := must1[index.Person](t)(acc.Person(t.Context(), one)); p.Name != "Bartholomew Merged" {
		t.Errorf("merged, the name is %q", p.Name)
	}
	must(t, acc.SetConsent(t.Context(), index.Consent{Person: one}))
	m := marks{}
	m.text("Bartholomew Merged")
	m.wantNone(t, "withdrawn", dir)
	must1[index.Report](t)(acc.Regroup(t.Context()))
	if p := must1[index.Person](t)(acc.Person(t.Context(), one)); p.Name != "" {
		t.Errorf("withdrawn and regrouped, the name is %q", p.Name)
	}
}

// A merge must not name somebody who was not asked.
func TestMergeNamesNobodyUnasked(t *testing.T) {
	acc := newAccount(t, index.Config{PersonConsent: true})
	reindex(t, acc, family(), index.ReindexOptions{})
	one, two := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0)
	must(t, acc.SetConsent(t.Context(), index.Consent{Given: true, Person: two}))
	must1[index.DecisionID](t)(acc.Name(t.Context(), two, "Bea"))
	if _, err := acc.Merge(t.Context(), one, two); !errors.Is(err, index.ErrNoConsent) {
		p := must1[index.Person](t)(acc.Person(t.Context(), one))
		if c := must1[index.Consent](t)(acc.ConsentOf(t.Context(), one)); p.Name != "" && !c.Given {
			t.Errorf("the merge (%v) named %q, whose consent is %+v", err, p.Name, c)
		}
	}
}

// Restricting stops what runs and keeps what it did; lifting lets it go on with
// the rest.
func TestRestrictResumes(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye, Workers: 2})
	src := crowd(120, 5)
	reached := make(chan struct{})
	var mu sync.Mutex
	calls := 0
	eye.hook = func(ctx context.Context, _ *scene, fs []face.Face) ([]face.Face, error) {
		mu.Lock()
		calls++
		n := calls
		mu.Unlock()
		if n == 70 {
			close(reached)
		}
		if n >= 70 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute): // nobody stops it
			}
		}
		return fs, ctx.Err()
	}
	done := make(chan error, 1)
	go func() {
		_, err := acc.Reindex(context.Background(), src, index.ReindexOptions{})
		done <- err
	}()
	<-reached
	e := must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
	wantErr(t, "the Reindex that ran", <-done, index.ErrRestricted)
	if e.Action != "restrict" || e.ID == "" {
		t.Errorf("the entry is %+v", e)
	}
	n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{Status: "ok"})))
	if n < 60 || n > 69 {
		t.Errorf("%d photos of 69 that were looked at are kept", n)
	}
	src.opened()
	for _, opt := range []index.ReindexOptions{{}, {NoFaces: true}, {Force: true}} {
		_, err := acc.Reindex(t.Context(), src, opt)
		wantErr(t, fmt.Sprintf("Reindex %+v", opt), err, index.ErrRestricted)
	}
	if k := src.opened(); k != 0 {
		t.Errorf("%d files were opened", k)
	}
	eye.hook = nil
	must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Unchanged != n || rep.Indexed != 120-n {
		t.Errorf("%d were there; the next run: %+v", n, rep)
	}
	if k := src.opened(); k != 120-n {
		t.Errorf("%d files were opened of the %d that were left", k, 120-n)
	}
}
