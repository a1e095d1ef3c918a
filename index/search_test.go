package index_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/index"
)

// brute compares a probe with every face of the export.
func brute(ex exported, probe face.Vector) []index.Match {
	var out []index.Match
	for _, f := range ex.Faces {
		m := index.Match{Face: f.ID, Photo: f.Photo, Similarity: probe.Dot(f.Embedding)}
		if f.Person != nil {
			m.Person = *f.Person
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b index.Match) int { return cmp.Compare(b.Similarity, a.Similarity) })
	return out
}

func TestSearch(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := crowd(60, 5)
	reindex(t, acc, src, index.ReindexOptions{})
	ex := exportOf(t, acc, index.ExportOptions{Embeddings: true})
	for probe := range 8 {
		for _, k := range []int{1, 2, 17, len(ex.Faces), len(ex.Faces) + 1, math.MaxInt} {
			p := portrait(1+probe, uint64(9000+probe))
			got := must1[[]index.Match](t)(acc.Search(t.Context(), p, k))
			want := brute(ex, p)
			want = want[:min(k, len(want))]
			if len(got) != len(want) {
				t.Fatalf("k %d: %d found, want %d", k, len(got), len(want))
			}
			for i := range got { // two sums of float32 may differ in the last places
				if math.Abs(got[i].Similarity-want[i].Similarity) > 1e-5 {
					t.Errorf("k %d: match %d is %v, want %v", k, i, got[i], want[i])
				}
				if i > 0 && got[i].Similarity > got[i-1].Similarity {
					t.Errorf("k %d: match %d is better than the one before", k, i)
				}
				j := slices.IndexFunc(want, func(m index.Match) bool { return m.Face == got[i].Face })
				if j >= 0 && (want[j].Person != got[i].Person || want[j].Photo != got[i].Photo) {
					t.Errorf("k %d: match %d is %v, want %v", k, i, got[i], want[j])
				}
			}
		}
	}
	for _, k := range []int{0, -1} {
		if _, err := acc.Search(t.Context(), portrait(1, 1), k); err == nil {
			t.Errorf("k %d is accepted", k)
		}
	}
	for _, dim := range []int{0, 1, sceneDim - 1, sceneDim + 1} {
		_, err := acc.Search(t.Context(), make(face.Vector, dim), 3)
		wantErr(t, fmt.Sprintf("a probe of %d values", dim), err, index.ErrModelMismatch)
	}
}

// The first search reads the file, later ones have it in memory, and a
// read-only account always reads: all find the same.
func TestSearchReadsOrRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	src := crowd(60, 5)
	src.put("copy.jpg", src.get("00/000.jpg").data) // equally similar faces
	reindex(t, acc, src, index.ReindexOptions{})
	must1[index.DecisionID](t)(acc.NotAFace(t.Context(), facesOf(t, acc, "01/001.jpg")[0].ID))
	anna := personOf(t, acc, "00/000.jpg", 0)
	reader := openAt(t, path, withScenes(index.Config{ReadOnly: true}))
	order := func(ms []index.Match) []index.Match {
		slices.SortFunc(ms, func(a, b index.Match) int {
			return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Face, b.Face))
		})
		return ms
	}
	find := func(from *index.Account, p face.Vector, k int) []index.Match {
		return order(must1[[]index.Match](t)(from.Search(t.Context(), p, k)))
	}
	for probe := range 8 {
		p := portrait(1+probe, uint64(500+probe))
		for _, k := range []int{1, 3, 40, 1000} {
			want := find(acc, p, k)
			for i, again := range [][]index.Match{find(acc, p, k), find(acc, p, k), find(reader, p, k)} {
				if len(again) != len(want) {
					t.Fatalf("k %d, time %d: %d found, want %d", k, i, len(again), len(want))
				}
				for j := range want { // at the end of the list one of two copies may be there
					same := again[j] == want[j] || again[j].Similarity == want[j].Similarity && again[j].Similarity == want[len(want)-1].Similarity
					if !same {
						t.Errorf("k %d, time %d: match %d is %v, want %v", k, i, j, again[j], want[j])
					}
				}
			}
			must1[index.DecisionID](t)(acc.Name(t.Context(), anna, fmt.Sprint("Anna ", k))) // forgets
		}
	}
	for _, from := range []*index.Account{acc, reader} {
		for _, p := range []face.Vector{make(face.Vector, sceneDim), nil, {1}} {
			if ms, err := from.Search(t.Context(), p, 3); err == nil {
				t.Errorf("a probe of %d values finds %v", len(p), ms)
			}
		}
	}
}

// What a search finds is never older than the last change.
func TestSearchIsFresh(t *testing.T) {
	acc, src, p := grouped(t)
	find := func(when string, person int, want index.PersonID, n int) {
		t.Helper()
		for i, m := range must1[[]index.Match](t)(acc.Search(t.Context(), portrait(person, 4711), n)) {
			if m.Person != want {
				t.Errorf("%s: match %d is %q, want %q", when, i, m.Person, want)
			}
		}
	}
	find("at first", 1, p[0], 3)
	find("at first", 2, p[1], 3)
	id := merged(t, acc, p[0], p[1])
	find("merged", 2, p[0], 6)
	must(t, acc.Undo(t.Context(), id))
	find("undone", 2, p[1], 3)
	src.put("c/7.jpg", shot("7", 8))
	must1[index.Photo](t)(acc.Index(t.Context(), src, "c/7.jpg"))
	find("new and not grouped", 8, "", 1)
	src.put("c/8.jpg", shot("8", 8))
	reindex(t, acc, src, index.ReindexOptions{})
	eight := personOf(t, acc, "c/8.jpg", 0)
	if ms := must1[[]index.Match](t)(acc.Search(t.Context(), portrait(8, 4711), 2)); ms[1].Person != eight || eight == "" {
		t.Errorf("grouped: %v", ms)
	}
	src.remove("c/8.jpg")
	reindex(t, acc, src, index.ReindexOptions{})
	if ms := must1[[]index.Match](t)(acc.Search(t.Context(), portrait(8, 4711), 50)); len(ms) != 10 {
		t.Errorf("%d faces are found, want 10", len(ms))
	}
}

func TestSearchImage(t *testing.T) {
	acc := newAccount(t, index.Config{Analyzer: facetest.NewAnalyzer()})
	src := newFiles(nil)
	for i, who := range [][]int{{1}, {1, 2}, {2, 3}, {3, 1}} {
		src.put(fmt.Sprintf("%d.png", i), pngOf(facetest.Photo(120+10*i, 64, who...)))
	}
	reindex(t, acc, src, index.ReindexOptions{})
	probe := image.NewRGBA(image.Rect(0, 0, 200, 120))
	facetest.Draw(probe, image.Rect(10, 10, 50, 60), 3)
	facetest.Draw(probe, image.Rect(80, 10, 160, 110), 2) // the largest
	ms := must1[[]index.Match](t)(acc.SearchImage(t.Context(), probe, 2))
	if len(ms) != 2 || ms[0].Similarity < 0.6 {
		t.Fatalf("found %v", ms)
	}
	var in []string
	for _, m := range ms {
		in = append(in, must1[index.Photo](t)(acc.Photo(t.Context(), m.Photo)).Path)
	}
	slices.Sort(in)
	if !slices.Equal(in, []string{"1.png", "2.png"}) {
		t.Errorf("person 2 was found in %v", in)
	}
	if n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{}))); n != 4 {
		t.Errorf("%d photos: the probe was stored", n)
	}
	_, err := acc.SearchImage(t.Context(), facetest.Photo(50, 50), 2)
	wantErr(t, "a photo without faces", err, index.ErrNoFace)
	_, err = acc.SearchImage(t.Context(), image.NewRGBA(image.Rectangle{}), 2)
	if err == nil || errors.Is(err, index.ErrNoFace) {
		t.Errorf("a photo without pixels: %v", err)
	}
}

// Two accounts with one analyzer, hammered at once: nothing of one is ever
// seen in the other.
func TestTwoAccounts(t *testing.T) {
	eye := &analyzer{}
	var accs [2]*index.Account
	var srcs [2]*files
	for i := range accs {
		accs[i] = newAccount(t, index.Config{Analyzer: eye, Workers: 2})
		srcs[i] = newFiles(nil)
		for n := range 12 { // the same people, and half of the photos the same
			title := fmt.Sprint(n)
			if n%2 == 0 {
				title = fmt.Sprint(n, " of ", i)
			}
			srcs[i].put(fmt.Sprintf("%d/%d.jpg", i, n), shot(title, 1+n%3))
		}
		reindex(t, accs[i], srcs[i], index.ReindexOptions{})
	}
	var mu sync.Mutex
	owner := map[string]int{}
	see := func(i int, ids ...string) {
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			if was, ok := owner[id]; id != "" && ok && was != i {
				t.Errorf("account %d shows %s of account %d", i, id, was)
			}
			owner[id] = i
		}
	}
	var wg sync.WaitGroup
	for i, acc := range accs {
		work := []func(ctx context.Context) error{
			func(ctx context.Context) error {
				_, err := acc.Reindex(ctx, srcs[i], index.ReindexOptions{Force: true})
				return err
			},
			func(ctx context.Context) error {
				ms, err := acc.Search(ctx, portrait(1, 1), 20)
				for _, m := range ms {
					see(i, string(m.Face), string(m.Person), string(m.Photo))
				}
				return err
			},
			func(ctx context.Context) error {
				for f, err := range acc.Faces(ctx, index.FaceQuery{}) {
					if err != nil {
						return err
					}
					see(i, string(f.ID), string(f.Person), string(f.Photo))
				}
				return nil
			},
			func(ctx context.Context) error {
				for p, err := range acc.People(ctx, index.PeopleQuery{Limit: 1}) {
					if err != nil {
						return err
					}
					id, err := acc.Name(ctx, p.ID, fmt.Sprint("of ", i))
					if errors.Is(err, index.ErrNotFound) {
						continue
					}
					see(i, string(p.ID), string(id))
					return err
				}
				return nil
			},
		}
		for _, f := range work {
			wg.Go(func() {
				for range 15 {
					if err := f(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for i, acc := range accs {
		for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{Named: true})) {
			if p.Name != fmt.Sprint("of ", i) {
				t.Errorf("account %d has %q", i, p.Name)
			}
		}
		if got := partition(t, acc); len(got) != 3 {
			t.Errorf("account %d: people %v", i, got)
		}
	}
}
