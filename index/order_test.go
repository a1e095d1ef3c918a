package index_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// crowd is a source of n photos that show some of a few people.
func crowd(n, people int) *files {
	src := newFiles(nil)
	for i := range n {
		who := []int{1 + i%people}
		if i%3 == 0 {
			who = append(who, 1+(i/3+1+i)%people)
		}
		if len(who) == 2 && who[0] == who[1] {
			who = who[:1]
		}
		src.put(fmt.Sprintf("%02d/%03d.jpg", i%5, i), shot(fmt.Sprint(i), who...))
	}
	return src
}

func TestWorkers(t *testing.T) {
	src := crowd(80, 6)
	src.put("bad.jpg", []byte("no photo"))
	src.put("copy.jpg", src.get("00/000.jpg").data)
	one := newAccount(t, index.Config{Workers: 1})
	rep1, failed := reindexFailing(t, one, src, index.ReindexOptions{})
	_ = failed.of(t, "bad.jpg")
	four := newAccount(t, index.Config{Workers: 4})
	rep4, _ := reindexFailing(t, four, src, index.ReindexOptions{})
	if got, want := partition(t, four), partition(t, one); !slices.Equal(got, want) || len(want) < 6 {
		t.Errorf("4 workers: %v\n1 worker: %v", got, want)
	}
	wantReport(t, rep1, "seen 82, indexed 80, copied 1, failed 1, faces 103")
	wantReport(t, rep4, "seen 82, indexed 80, copied 1, failed 1, faces 103")
	for _, stage := range []string{"read", "exif", "decode", "analyze", "commit", "group"} {
		if rep4.Work[stage] <= 0 {
			t.Errorf("no time was spent in %q: %v", stage, rep4.Work)
		}
	}
}

// Photos one by one in any order, with some indexed twice, end in the same
// people as all at once.
func TestOrderDoesNotMatter(t *testing.T) {
	src := crowd(14, 3)
	src.put("copy.jpg", src.get("00/000.jpg").data)
	once := newAccount(t, index.Config{})
	reindex(t, once, src, index.ReindexOptions{})
	want := partition(t, once)
	names := src.names()
	rapid.Check(t, func(rt *rapid.T) {
		acc := openIn(rt, t.TempDir())
		order := rapid.Permutation(names).Draw(rt, "order")
		for i, name := range order {
			must1[index.Photo](rt)(acc.Index(rt.Context(), src, name))
			if rapid.IntRange(0, 4).Draw(rt, "again") == 0 {
				must1[index.Photo](rt)(acc.Index(rt.Context(), src, order[rapid.IntRange(0, i).Draw(rt, "which")]))
			}
			if rapid.IntRange(0, 6).Draw(rt, "regroup") == 0 {
				must1[index.Report](rt)(acc.Regroup(rt.Context()))
			}
		}
		must1[index.Report](rt)(acc.Regroup(rt.Context()))
		if got := partition(rt, acc); !slices.Equal(got, want) {
			rt.Errorf("people %v, want %v", got, want)
		}
		closeChecked(rt, acc)
	})
}

// openIn is newAccount for a property test.
func openIn(t cleaner, dir string) *index.Account {
	acc := must1[*index.Account](t)(index.Open(t.Context(), filepath.Join(dir, "a.kith"), withScenes(index.Config{Workers: 1})))
	must(t, acc.SetConsent(t.Context(), yes))
	return acc
}

func TestIndexOne(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye})
	src := family()
	p := must1[index.Photo](t)(acc.Index(t.Context(), src, "a/1.jpg"))
	if p.Path != "a/1.jpg" || p.Status != "ok" || p.Width != 1000 || p.Height != 100 || p.ID == "" || p.Analyzer != "scene" {
		t.Errorf("got %+v", p)
	}
	first := worldOf(t, acc)
	again := must1[index.Photo](t)(acc.Index(t.Context(), src, "a/1.jpg"))
	if again != p || !worldOf(t, acc).equal(first) {
		t.Errorf("indexed again: %+v, was %+v", again, p)
	}
	src.put("copy.jpg", src.get("a/1.jpg").data)
	must1[index.Photo](t)(acc.Index(t.Context(), src, "copy.jpg"))
	if n := eye.calls.Load(); n != 1 {
		t.Errorf("one content was analysed %d times", n)
	}
	if n := len(facesOf(t, acc, "copy.jpg")); n != 2 {
		t.Errorf("the copy has %d faces", n)
	}

	var pe *index.PhotoError
	_, err := acc.Index(t.Context(), src, "missing.jpg")
	if !errors.As(err, &pe) || pe.Path != "missing.jpg" || pe.Stage != index.StageRead || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	_, err = acc.Index(t.Context(), src, "../a/1.jpg")
	if !errors.As(err, &pe) || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a path out of the source: %v", err)
	}
	_, err = acc.Index(t.Context(), src, "b/notes.txt")
	if !errors.As(err, &pe) || pe.Stage != index.StageDecode {
		t.Errorf("no photo: %v", err)
	}
	if p := photoOf(t, acc, "b/notes.txt"); p.Status != "failed" || p.Error == "" {
		t.Errorf("what failed is recorded as %+v", p)
	}
	src.open = func(string) error { return fs.ErrPermission }
	_, err = acc.Index(t.Context(), src, "a/1.jpg")
	if !errors.As(err, &pe) || pe.Stage != index.StageRead || pe.Path != "a/1.jpg" {
		t.Errorf("unreadable: %v", err)
	}
	if n := len(facesOf(t, acc, "a/1.jpg")); n != 2 {
		t.Errorf("a photo that could not be read this time has %d of 2 faces", n)
	}
}

func TestProgress(t *testing.T) {
	src := crowd(70, 4)
	for i := range 7 {
		src.put(fmt.Sprintf("bad/%d.jpg", i), []byte("no photo"))
		src.put(fmt.Sprintf("copy/%d.jpg", i), src.get("00/000.jpg").data)
	}
	acc := newAccount(t, index.Config{Workers: 3})
	var seen []index.Progress
	var failed failures
	rep := must1[index.Report](t)(acc.Reindex(t.Context(), src, index.ReindexOptions{
		Progress: func(p index.Progress) { seen = append(seen, p) }, // the race detector sees whether one at a time
		Failed:   failed.add,
	}))
	var phases []index.Phase
	var last index.Progress
	for _, p := range seen {
		if p.Phase != last.Phase {
			if last.Done != last.Total {
				t.Errorf("phase %s ended at %d of %d", last.Phase, last.Done, last.Total)
			}
			phases = append(phases, p.Phase)
			last = index.Progress{Phase: p.Phase, Total: p.Total, Failed: last.Failed, Faces: last.Faces}
		}
		if p.Done < last.Done || p.Done > p.Total || p.Total != last.Total || p.Failed < last.Failed ||
			p.Faces < last.Faces || p.Elapsed < last.Elapsed || p.Elapsed < 0 {
			t.Errorf("after %+v came %+v", last, p)
		}
		last = p
		if p.Phase == index.PhaseIndex && p.Total != 84 {
			t.Errorf("%d photos in all, want 84", p.Total)
		}
	}
	want := []index.Phase{index.PhaseWalk, index.PhaseIndex, index.PhaseGroup, index.PhaseArrange, index.PhaseDone}
	if !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
	if last.Failed != rep.Failed || last.Faces != rep.Faces || rep.Failed != 7 || len(failed) != 7 {
		t.Errorf("the last progress says %+v, the report %+v; %d failures were reported", last, rep, len(failed))
	}
	for i := range 7 {
		_ = failed.of(t, fmt.Sprintf("bad/%d.jpg", i))
	}
}

func TestRemaining(t *testing.T) {
	for _, c := range []struct {
		p    index.Progress
		want time.Duration
	}{
		{index.Progress{Done: 10, Total: 40, Elapsed: time.Minute}, 3 * time.Minute},
		{index.Progress{Done: 0, Total: 40, Elapsed: time.Minute}, 0},
		{index.Progress{Done: 40, Total: 40, Elapsed: time.Minute}, 0},
		{index.Progress{}, 0},
	} {
		if got := c.p.Remaining(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.p, got, c.want)
		}
	}
}

// A face that is found in another space replaces the old one and keeps its id
// and person; vectors of the two spaces are never compared.
func TestAnotherModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	old := openAt(t, path, withScenes(index.Config{}))
	must(t, old.SetConsent(t.Context(), yes))
	src := family()
	reindex(t, old, src, index.ReindexOptions{})
	anna := personOf(t, old, "a/1.jpg", 0)
	must1[index.DecisionID](t)(old.Name(t.Context(), anna, "Anna"))
	before := worldOf(t, old)
	closeChecked(t, old)

	eye := &analyzer{space: "newer"}
	acc := openAt(t, path, withScenes(index.Config{Analyzer: eye}))
	// Stopped half way, so that both spaces have vectors.
	ctx, cancel := context.WithCancel(t.Context())
	eye.hook = func(_ context.Context, s *scene, faces []face.Face) ([]face.Face, error) {
		if eye.calls.Load() == 4 {
			cancel()
		}
		return faces, nil
	}
	_, err := acc.Reindex(ctx, src, index.ReindexOptions{})
	wantErr(t, "cancelled", err, context.Canceled)
	must1[[]index.Match](t)(acc.Search(t.Context(), portrait(1, 1), 3))
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{Force: true}), "seen 6, indexed 6, ignored 1, faces 9")
	after := worldOf(t, acc)
	if !maps.Equal(before.photos, after.photos) || !maps.Equal(before.faces, after.faces) || after.names[anna] != "Anna" {
		t.Error("ids, people or names changed with the model")
	}
}
