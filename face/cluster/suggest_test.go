package cluster

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// asked are two people of six faces and some more faces, each on a photo of
// its own, grouped by a given threshold.
func asked(t *testing.T, l Links, extra ...[]float32) (Faces, []int, Options) {
	t.Helper()
	f := Faces{Dim: gatherDim, Data: slices.Concat(somebody(0), somebody(8))}
	for _, v := range extra {
		f.Data = append(f.Data, v...)
	}
	for i := range f.Len() {
		f.Photo = append(f.Photo, int32(i))
	}
	o := Options{Impostors: normalTail(0.1), Library: Calibration{Threshold: 0.4}}
	res, err := Group(t.Context(), f, l, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, res.Label, o
}

func TestCandidates(t *testing.T) {
	f, label, o := asked(t, Links{},
		facing(20, map[int]float64{0: 0.2}),           // 12: somewhat like the first
		facing(21, map[int]float64{8: 0.22}),          // 13: a little more like the second
		facing(22, nil),                               // 14: like nobody
		facing(23, map[int]float64{0: 0.18, 8: 0.15}), // 15: a little like both
	)
	cs, err := Candidates(t.Context(), f, label, Links{}, o)
	if err != nil {
		t.Fatal(err)
	}
	var order []int
	for i, c := range cs {
		order = append(order, c.Faces[0])
		if len(c.Faces) != 1 || c.Label != -1 {
			t.Errorf("candidate %d is %+v, want a single face", i, c)
		}
		if !(c.Probability > 0 && c.Probability < 1) || c.Similarity <= c.RunnerUp {
			t.Errorf("candidate %d is %+v", i, c)
		}
		if i > 0 && c.Probability > cs[i-1].Probability {
			t.Errorf("candidate %d is likelier than the one before: %v", i, cs)
		}
	}
	if want := []int{13, 12, 15}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, want %v: %+v", order, want, cs)
	}
	for i, want := range []int{label[6], label[0], label[0]} {
		if i < len(cs) && cs[i].Person != want {
			t.Errorf("face %d may be cluster %d's, want %d", cs[i].Faces[0], cs[i].Person, want)
		}
	}
}

func TestCandidatesOfAnAnswer(t *testing.T) {
	face := facing(20, map[int]float64{0: 0.22, 8: 0.2})
	f, label, o := asked(t, Links{}, face)
	no := Links{Different: [][2]int{{3, 12}}}
	cs, err := Candidates(t.Context(), f, label, no, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(cs) != 1 || cs[0].Person != label[6] || cs[0].RunnerUp != 0 {
		t.Errorf("with the first person refused: %+v, want the second and no runner-up", cs)
	}
	no.Different = append(no.Different, [2]int{12, 7})
	if cs, err = Candidates(t.Context(), f, label, no, o); err != nil || len(cs) != 0 {
		t.Errorf("with both refused: %+v, %v", cs, err)
	}
	// The same by photos: nobody stands beside himself.
	f.Photo[12] = f.Photo[3]
	if cs, err = Candidates(t.Context(), f, label, Links{}, o); err != nil || len(cs) != 1 || cs[0].Person != label[6] {
		t.Errorf("beside the first person: %+v, %v", cs, err)
	}
}

// A cluster that is like a larger one is a question about all its faces, and
// a bolder one than that about a single face.
func TestCandidatesOfClusters(t *testing.T) {
	small := func(own int) []float32 { return facing(own, map[int]float64{0: 0.4, 16: 0.6}) }
	f, label, o := asked(t, Links{Different: [][2]int{{0, 12}, {0, 13}, {0, 14}}}, small(20), small(21), small(22))
	if label[12] < 0 || label[12] != label[14] || label[12] == label[0] {
		t.Fatalf("labels %v", label)
	}
	cs, err := Candidates(t.Context(), f, label, Links{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(cs) == 0 || !slices.Equal(cs[0].Faces, []int{12, 13, 14}) || cs[0].Person != label[0] {
		t.Fatalf("candidates %+v", cs)
	}
	one := cs[0]
	one.judge(1)
	if one.Probability <= cs[0].Probability {
		t.Errorf("a cluster of three is taken for likelier (%v) than a face (%v)", cs[0].Probability, one.Probability)
	}
}

func TestCandidatesDoNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	f, label, o := asked(t, Links{},
		facing(20, map[int]float64{0: 0.2}), facing(21, map[int]float64{8: 0.22}), facing(23, map[int]float64{0: 0.3, 8: 0.2}))
	want, err := Candidates(t.Context(), f, label, Links{}, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		perm := rng.Perm(f.Len())
		g := Faces{Dim: f.Dim}
		var l []int
		at := make([]int, f.Len())
		for to, from := range perm {
			g.Data = append(g.Data, f.row(from)...)
			g.Photo = append(g.Photo, f.Photo[from])
			l = append(l, label[from])
			at[to] = from
		}
		got, err := Candidates(t.Context(), g, l, Links{}, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			for k, face := range got[i].Faces {
				got[i].Faces[k] = at[face]
			}
			slices.Sort(got[i].Faces)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order %+v\nwant %+v", got, want)
		}
	}
}

func TestCandidatesErrors(t *testing.T) {
	f, label, o := asked(t, Links{})
	if _, err := Candidates(t.Context(), f, label[1:], Links{}, o); err == nil {
		t.Error("too few labels are taken")
	}
	if _, err := Candidates(t.Context(), f, label, Links{Different: [][2]int{{0, 99}}}, o); err == nil {
		t.Error("a link to a face that is not there is taken")
	}
	if _, err := Candidates(t.Context(), f, label, Links{}, Options{}); err == nil {
		t.Error("options without a tail are taken")
	}
}
