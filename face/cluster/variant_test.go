package cluster

import (
	"context"
	"math"
	"reflect"
	"testing"
)

// Variant is the rule of Group with parts of it left out, for BenchmarkAblation.
type Variant struct {
	NoShares bool // rule 5: sets are what is connected
	NoMeans  bool // rule 7: what is left over stays so
}

// Joining is a set of faces that the second stage gave to a person.
type Joining struct{ Loose, Person []int }

// Joinings is what the second stage did to a library.
type Joinings struct {
	Joinings []Joining
	// ExpectedFalse is how many of them the impostor tail predicts to be false:
	// for each person and round, as many as there are loose sets, times the rate
	// at the similarity of the least similar that joined.
	ExpectedFalse float64
}

// Group is Group without links and without those parts.
func (v Variant) Group(ctx context.Context, f Faces, o Options) (Result, error) {
	res, _, err := v.group(ctx, f, o)
	return res, err
}

// SecondStage groups faces and tells what joined in rule 7.
func SecondStage(ctx context.Context, f Faces, o Options) (Joinings, error) {
	_, js, err := Variant{}.group(ctx, f, o)
	return js, err
}

func (v Variant) group(ctx context.Context, f Faces, o Options) (res Result, js Joinings, err error) {
	o = o.withDefaults()
	d := distinctVectors(f)
	ns, err := contract(f, d, Links{})
	if err != nil {
		return res, js, err
	}
	floor := floorStep(o)
	if o.Library.Threshold != 0 {
		floor = int32(math.Round(o.Library.Threshold * one))
	}
	near, err := nearest(ctx, f, d, floor)
	if err != nil {
		return res, js, err
	}
	cut := near.cut(o)
	g := newGraph(f, d, ns, near, cut.step)
	ds, err := v.partition(ctx, g)
	if err == nil && !v.NoMeans {
		js, err = g.joinings(ctx, f, d, ds, o)
	}
	if err != nil {
		return res, js, err
	}
	res = Result{
		Calibration: Calibration{Threshold: float64(cut.step) / one},
		Edges:       cut.edges, ExpectedFalse: cut.expectedFalse,
	}
	res.Label, res.Clusters = g.people(ds, f.Len())
	return res, js, nil
}

func (v Variant) partition(ctx context.Context, g *graph) (disjoint, error) {
	if !v.NoShares {
		return g.partition(ctx)
	}
	label := g.alone()
	if err := g.whisper(ctx, label, g.alone(), photoPenalty); err != nil {
		return nil, err
	}
	if _, err := g.separate(ctx, g.connected(label), label); err != nil {
		return nil, err
	}
	return g.connected(label), nil
}

// joinings does what gather does, round by round.
func (g *graph) joinings(ctx context.Context, f Faces, d distinct, ds disjoint, o Options) (js Joinings, err error) {
	r := gathering{g: g, tail: func(s float64) float64 { return FAR(o.Impostors, s-meanShift) }}
	for round := range maxGatherings {
		r.persons, r.loose = nil, nil
		if r.sort(ds); round == 0 {
			r.all = max(len(r.loose), o.Library.Loose)
		}
		joins, err := r.joins(ctx, f, d, ds)
		if err != nil || len(joins) == 0 {
			return js, err
		}
		number, least := map[int32]int{}, map[int32]int32{}
		for _, j := range joins {
			if number[j.person]++; number[j.person] == 1 || j.step < least[j.person] {
				least[j.person] = j.step
			}
			js.Joinings = append(js.Joinings, Joining{g.facesOf(r.loose[j.loose]), g.facesOf(r.persons[j.person])})
		}
		for _, step := range least {
			js.ExpectedFalse += float64(r.all) * r.tail(float64(step)/one)
		}
		for _, j := range joins {
			ds.join(r.loose[j.loose].root, r.persons[j.person].root)
		}
	}
	return js, nil
}

func (g *graph) facesOf(s *set) (faces []int) {
	for _, a := range s.nodes {
		faces = append(faces, g.nodes[a].faces...)
	}
	return faces
}

// EdgesAbove visits the pairs that Group counts as edges at a threshold, as
// two faces each.
func EdgesAbove(ctx context.Context, f Faces, threshold float64, visit func(i, j int)) error {
	d := distinctVectors(f)
	m := quantized(f.Dim, d.len(), func(u int) []float32 { return f.row(int(d.rep[u])) })
	return similarities(ctx, m, int32(threshold*one), func(pairs []pair) {
		for _, p := range pairs {
			if !d.together(int(p.u), int(p.v)) {
				visit(int(d.rep[p.u]), int(d.rep[p.v]))
			}
		}
	})
}

// The whole variant is Group, and each part that is left out shows.
func TestVariants(t *testing.T) {
	o := Options{Impostors: normalTail(strangerSD)}
	differ := map[Variant]bool{{NoShares: true}: false, {NoMeans: true}: false}
	joined := 0
	for seed := range uint64(5) {
		f := newPoorAlbum(seed, 400, 0.6, direction).Faces
		want, err := Group(t.Context(), f, Links{}, o)
		if err != nil {
			t.Fatal(err)
		}
		got, js, err := Variant{}.group(t.Context(), f, o)
		want.Loose = 0 // which a variant does not tell
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("album %d: without anything left out not what Group gives (%v)", seed, err)
		}
		joined += len(js.Joinings)
		given := o
		given.Library = Calibration{Threshold: 0.4, Loose: 50}
		want4, err := Group(t.Context(), f, Links{}, given)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (Variant{}).Group(t.Context(), f, given); err != nil || !reflect.DeepEqual(got.Label, want4.Label) {
			t.Errorf("album %d: with a threshold that is given not what Group gives (%v)", seed, err)
		}
		edges := 0
		if err := EdgesAbove(t.Context(), f, want.Threshold, func(_, _ int) { edges++ }); err != nil || edges != want.Edges {
			t.Errorf("album %d: %d edges, want %d (%v)", seed, edges, want.Edges, err)
		}
		for v := range differ {
			if got, err = v.Group(t.Context(), f, o); err != nil {
				t.Fatal(err)
			}
			differ[v] = differ[v] || !reflect.DeepEqual(got.Label, want.Label)
		}
	}
	for v, d := range differ {
		if !d {
			t.Errorf("%+v makes no difference", v)
		}
	}
	if joined == 0 {
		t.Error("nothing joined in the second stage")
	}
}
