package cluster

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
)

func isConflict(err error) bool {
	var conflict *ConflictError
	return errors.As(err, &conflict)
}

func TestGroupIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFaces(t), drawOptions(t)
		l := drawLinks(t, f.Len())
		// Faces that content does not tell apart are told apart by position:
		// a copy on the same photo may not be linked here.
		if indistinct(f) {
			l = Links{}
		}
		got, err := Group(t.Context(), f, l, o)
		if isConflict(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		order := rapid.Permutation(indices(f.Len())).Draw(t, "order")
		moved, err := Group(t.Context(), permuted(f, order), moveLinks(l, order), o)
		if err != nil {
			t.Fatal(err)
		}
		for at, i := range order {
			if moved.Label[at] != got.Label[i] {
				t.Fatalf("face %d is in cluster %d, and in %d at position %d", i, got.Label[i], moved.Label[at], at)
			}
		}
		got.Label, moved.Label = nil, nil
		if got.Threshold != moved.Threshold || got.Edges != moved.Edges || got.Clusters != moved.Clusters {
			t.Fatalf("%+v became %+v", got, moved)
		}
	})
}

// TestLargeGroupIgnoresOrder does the same with vectors of real length, which
// fill many blocks of the matrix product and whose dot products do round.
func TestLargeGroupIgnoresOrder(t *testing.T) {
	a := newFamilyAlbum(1, 12, 300, 0.4)
	o := Options{Impostors: normalTail(strangerSD)}
	got := group(t, a.Faces, Links{}, o)
	for seed := range uint64(3) {
		order := rand.New(rand.NewPCG(seed, 2)).Perm(a.Len())
		moved := group(t, permuted(a.Faces, order), Links{}, o)
		for at, i := range order {
			if moved.Label[at] != got.Label[i] {
				t.Fatalf("face %d is in cluster %d, and in %d at position %d", i, got.Label[i], moved.Label[at], at)
			}
		}
		if moved.Threshold != got.Threshold || moved.Edges != got.Edges {
			t.Fatalf("threshold %v, %d edges became %v, %d", got.Threshold, got.Edges, moved.Threshold, moved.Edges)
		}
	}
}

func TestGroupObeysLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFaces(t), drawOptions(t)
		l := drawLinks(t, f.Len())
		got, err := Group(t.Context(), f, l, o)
		if isConflict(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, same := range l.Same {
			for _, i := range same {
				if got.Label[i] < 0 || got.Label[i] != got.Label[same[0]] {
					t.Fatalf("faces %d and %d are linked and have labels %d and %d", same[0], i, got.Label[same[0]], got.Label[i])
				}
			}
		}
		for _, p := range l.Different {
			if a, b := got.Label[p[0]], got.Label[p[1]]; a == b && a >= 0 {
				t.Fatalf("faces %d and %d are kept apart and both have label %d", p[0], p[1], a)
			}
		}
		used := make([]bool, got.Clusters)
		for i, c := range got.Label {
			if c < -1 || c >= got.Clusters {
				t.Fatalf("label %d of face %d with %d clusters", c, i, got.Clusters)
			}
			if c >= 0 {
				used[c] = true
			}
		}
		if slices.Contains(used, false) {
			t.Fatalf("an empty cluster in %v", got)
		}
	})
}

func TestGroupSmall(t *testing.T) {
	x, y := []float32{1, 0, 0}, []float32{0, 1, 0}
	near := []float32{0.8, 0.6, 0} // similarity 0.8 with x, 0.6 with y
	faces := func(vs ...[]float32) Faces { return Faces{Dim: 3, Data: slices.Concat(vs...)} }
	onPhotos := func(f Faces, photo ...int32) Faces { f.Photo = photo; return f }
	tests := []struct {
		name  string
		faces Faces
		links Links
		want  []int
	}{
		{"nothing", Faces{}, Links{}, []int{}},
		{"nothing of a length", Faces{Dim: 512}, Links{}, []int{}},
		{"one face", faces(x), Links{}, []int{-1}},
		{"one face, held", faces(x), Links{Same: [][]int{{0}}}, []int{0}},
		{"a pair", faces(x, near), Links{}, []int{0, 0}},
		{"a pair kept apart", faces(x, near), Links{Different: [][2]int{{0, 1}}}, []int{-1, -1}},
		{"a pair kept apart, both held", faces(x, near), Links{Same: [][]int{{0}, {1}}, Different: [][2]int{{0, 1}}}, []int{1, 0}},
		{"strangers", faces(x, y), Links{}, []int{-1, -1}},
		{"strangers held together", faces(x, y), Links{Same: [][]int{{0, 1}}}, []int{0, 0}},
		{"groups that share a face", faces(x, y, []float32{0, 0, 1}), Links{Same: [][]int{{0, 1}, {1, 2}}}, []int{0, 0, 0}},
		{"copies of one photo", faces(x, x, x), Links{}, []int{-1, -1, -1}},
		{"copies follow", faces(x, near, x), Links{}, []int{0, 0, 0}},
		{"copies follow a held one", faces(x, y, x), Links{Same: [][]int{{0, 1}}}, []int{0, 0, 0}},
		{"copies held apart", faces(x, near, x), Links{Same: [][]int{{0}, {2}}, Different: [][2]int{{0, 2}}}, nil},
		{"one photo, alike", onPhotos(faces(x, near), 7, 7), Links{}, []int{-1, -1}},
		{"one photo, 0.70 alike", onPhotos(faces(x, []float32{0.9, 0.43588989, 0}, []float32{0.7, -0.71414284, 0}), 1, 2, 1), Links{}, []int{0, 0, -1}},
		{"one photo, 0.80 alike", onPhotos(faces(x, []float32{0.9, 0.43588989, 0}, []float32{0.8, -0.6, 0}), 1, 2, 1), Links{}, []int{0, 0, 0}},
		{"two photos", onPhotos(faces(x, near), 7, 8), Links{}, []int{0, 0}},
		{"no photo", onPhotos(faces(x, near), -1, -1), Links{}, []int{0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := group(t, test.faces, test.links, Options{Impostors: normalTail(0.2)})
			if test.want != nil && !slices.Equal(got.Label, test.want) {
				t.Errorf("labels %v, want %v", got.Label, test.want)
			}
			if test.want == nil && (got.Label[0] == got.Label[2] || got.Clusters != 2) {
				t.Errorf("labels %v: faces 0 and 2 are kept apart and held", got.Label)
			}
		})
	}
}

// TestMirror: two faces of one photo that are as alike as two photos of one
// moment are one person where the album has evidence for a threshold.
func TestMirror(t *testing.T) {
	a := newAlbum(1, 200)
	twin := mix(a.row(0), a.row(1), 0.3)
	a.add(twin, a.person[0], a.Photo[0])
	got := group(t, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)})
	if l := got.Label; l[0] < 0 || l[0] != l[len(l)-1] {
		t.Errorf("a face and its mirror image (similarity %.2f) have labels %d and %d",
			face.Vector(a.row(0)).Dot(twin), l[0], l[len(l)-1])
	}
}

func TestStrangersAreAbstainedOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a := &album{}
	for i := range 1000 {
		a.add(direction(rng, 512), i, int32(i))
	}
	got := group(t, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)})
	grouped := 0
	for _, l := range got.Label {
		if l >= 0 {
			grouped++
		}
	}
	if grouped > 4 {
		t.Errorf("%d of 1000 strangers were grouped, threshold %v, %d edges", grouped, got.Threshold, got.Edges)
	}
}

func TestGroupFindsPeople(t *testing.T) {
	for name, a := range map[string]*album{
		"power law": newAlbum(1, 1000),
		"families":  newFamilyAlbum(1, 12, 200, 0.3),
	} {
		t.Run(name, func(t *testing.T) {
			got := group(t, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)})
			s := BCubed(got.Label, a.person)
			t.Logf("%d faces, %d clusters, threshold %.3f: BCubed %v", a.Len(), got.Clusters, got.Threshold, s)
			if s.F < 0.98 || s.Precision < 0.97 {
				t.Errorf("BCubed %v, want at least F 98, P 97", s)
			}
			if bound := 0.025 * float64(got.Edges); got.ExpectedFalse > bound {
				t.Errorf("%v false edges expected, bound %v", got.ExpectedFalse, bound)
			}
		})
	}
}

func TestGroupRefuses(t *testing.T) {
	ok := Faces{Dim: 2, Data: []float32{1, 0, 0, 1}}
	tail := normalTail(0.1)
	nan := float32(math.NaN())
	tests := []struct {
		name  string
		faces Faces
		links Links
		opt   Options
		want  string
	}{
		{"negative Dim", Faces{Dim: -1, Data: ok.Data}, Links{}, Options{Impostors: tail}, "Dim"},
		{"no Dim", Faces{Data: ok.Data}, Links{}, Options{Impostors: tail}, "Dim"},
		{"half a vector", Faces{Dim: 2, Data: ok.Data[:3]}, Links{}, Options{Impostors: tail}, "whole vectors"},
		{"NaN", Faces{Dim: 2, Data: []float32{1, 0, nan, 1}}, Links{}, Options{Impostors: tail}, "vector of face 1"},
		{"infinity", Faces{Dim: 2, Data: []float32{float32(math.Inf(1)), 0}}, Links{}, Options{Impostors: tail}, "vector of face 0"},
		{"long vector", Faces{Dim: 2, Data: []float32{1, 0.2}}, Links{}, Options{Impostors: tail}, "length"},
		{"short Quality", Faces{Dim: 2, Data: ok.Data, Quality: []float64{1}}, Links{}, Options{Impostors: tail}, "Quality"},
		{"NaN Quality", Faces{Dim: 2, Data: ok.Data, Quality: []float64{1, math.NaN()}}, Links{}, Options{Impostors: tail}, "Quality of face 1"},
		{"short Photo", Faces{Dim: 2, Data: ok.Data, Photo: []int32{1}}, Links{}, Options{Impostors: tail}, "Photo"},
		{"link out of range", ok, Links{Same: [][]int{{0, 2}}}, Options{Impostors: tail}, "face 2 of 2"},
		{"negative link", ok, Links{Different: [][2]int{{0, -1}}}, Options{Impostors: tail}, "face -1 of 2"},
		{"empty group", ok, Links{Same: [][]int{{}}}, Options{Impostors: tail}, "empty group"},
		{"contradiction", ok, Links{Same: [][]int{{0, 1}}, Different: [][2]int{{1, 0}}}, Options{Impostors: tail}, "faces 1 and 0"},
		{"different from itself", ok, Links{Different: [][2]int{{1, 1}}}, Options{Impostors: tail}, "faces 1 and 1"},
		{"no tail", ok, Links{}, Options{}, "Impostors"},
		{"FalseEdges of 1", ok, Links{}, Options{Impostors: tail, FalseEdges: 1}, "FalseEdges"},
		{"SureFAR of 2", ok, Links{}, Options{Impostors: tail, SureFAR: 2}, "SureFAR"},
		{"negative SureFAR", ok, Links{}, Options{Impostors: tail, SureFAR: -1}, "SureFAR"},
		{"negative FalseEdges", ok, Links{}, Options{Impostors: tail, FalseEdges: -1}, "FalseEdges"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Group(t.Context(), test.faces, test.links, test.opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one about %q", err, test.want)
			}
		})
	}
}

func TestConflictNamesTheFaces(t *testing.T) {
	f := Faces{Dim: 1, Data: []float32{1, 1, -1}}
	_, err := Group(t.Context(), f, Links{Same: [][]int{{0, 1}, {2, 1}}, Different: [][2]int{{2, 0}}}, Options{Impostors: normalTail(0.1)})
	var conflict *ConflictError
	if !errors.As(err, &conflict) || *conflict != (ConflictError{2, 0}) {
		t.Errorf("error %v, want a conflict of faces 2 and 0", err)
	}
}

func TestGroupStopsWhenCancelled(t *testing.T) {
	a := newAlbum(1, 4000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Group(ctx, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after cancelling, want context.Canceled", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Group(ctx, a.Faces, Links{}, Options{Impostors: normalTail(strangerSD)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v after 20 ms, want context.DeadlineExceeded", err)
	}
}

func group(t testing.TB, f Faces, l Links, o Options) Result {
	t.Helper()
	got, err := Group(t.Context(), f, l, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// indistinct reports whether two faces have the same vector and photo.
func indistinct(f Faces) bool {
	for i := range f.Len() {
		for j := range i {
			if slices.Equal(f.row(i), f.row(j)) && (f.Photo == nil || f.Photo[i] == f.Photo[j]) {
				return true
			}
		}
	}
	return false
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// moveLinks renames the faces of the links after permuted(f, order).
func moveLinks(l Links, order []int) Links {
	at := make([]int, len(order))
	for to, from := range order {
		at[from] = to
	}
	var out Links
	for _, same := range l.Same {
		var moved []int
		for _, i := range same {
			moved = append(moved, at[i])
		}
		out.Same = append(out.Same, moved)
	}
	for _, p := range l.Different {
		out.Different = append(out.Different, [2]int{at[p[0]], at[p[1]]})
	}
	return out
}
