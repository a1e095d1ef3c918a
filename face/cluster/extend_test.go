package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
	"pgregory.net/rapid"
)

func TestDue(t *testing.T) {
	for _, c := range []struct {
		then, now int
		want      bool
	}{
		{0, 0, true},
		{0, 5000, true},
		{999, 1000, true}, // small
		{1000, 1001, false},
		{1000, 1099, false},
		{1000, 1100, true},
		{5000, 5499, false},
		{5000, 5500, true},
		{5000, 4501, false},
		{5000, 4500, true}, // most of a tenth was erased
	} {
		if got := Due(c.then, c.now); got != c.want {
			t.Errorf("Due(%d, %d) is %v", c.then, c.now, got)
		}
	}
}

// extendCase is a library, drawn, some of whose faces are fresh. The others
// were grouped before.
type extendCase struct {
	f     Faces
	label []int
	fresh []int
	o     Options
}

func drawExtendCase(t *rapid.T) extendCase {
	c := extendCase{f: drawFaces(t), o: drawOptions(t)}
	var old []int
	for i := range c.f.Len() {
		if rapid.IntRange(0, 2).Draw(t, "fresh") == 0 {
			c.fresh = append(c.fresh, i)
		} else {
			old = append(old, i)
		}
	}
	res, err := Group(t.Context(), permuted(c.f, old), Links{}, c.o)
	if err != nil {
		t.Fatal(err)
	}
	c.o.Library = res.Calibration
	c.label = slices.Repeat([]int{-1}, c.f.Len())
	for k, i := range old {
		c.label[i] = res.Label[k]
	}
	return c
}

func (c extendCase) extend(t testing.TB, links func([]int) Links) Extension {
	t.Helper()
	s, err := NewScanner(c.f)
	if err != nil {
		t.Fatal(err)
	}
	ext, err := Extend(context.Background(), s, c.f, c.label, c.fresh, links, c.o)
	if err != nil {
		t.Fatal(err)
	}
	return ext
}

// check fails where an extension is not what it claims to be.
func (c extendCase) check(t testing.TB, ext Extension) {
	t.Helper()
	if len(ext.Faces) != len(ext.Label) || !slices.IsSorted(ext.Faces) || len(slices.Compact(slices.Clone(ext.Faces))) != len(ext.Faces) {
		t.Fatalf("faces %v with labels %v", ext.Faces, ext.Label)
	}
	for _, i := range c.fresh {
		if !slices.Contains(ext.Faces, i) {
			t.Fatalf("fresh face %d is not in the region %v", i, ext.Faces)
		}
	}
	used := make([]bool, ext.Clusters)
	for _, l := range ext.Label {
		if l >= 0 {
			used[l] = true
		}
	}
	if slices.Contains(used, false) {
		t.Fatalf("%d clusters, labels %v", ext.Clusters, ext.Label)
	}
}

func TestExtendEverythingIsGroup(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawExtendCase(rt)
		c.fresh = indices(c.f.Len())
		ext := c.extend(t, nil)
		want := group(t, c.f, Links{}, c.o)
		if !slices.Equal(ext.Label, want.Label) || ext.Clusters != want.Clusters || !slices.Equal(ext.Faces, c.fresh) {
			rt.Fatalf("labels %v of %v, want those of Group, %v", ext.Label, ext.Faces, want.Label)
		}
	})
}

func TestExtendIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawExtendCase(rt)
		a := c.extend(t, nil)
		c.check(t, a)
		order := rapid.Permutation(indices(c.f.Len())).Draw(rt, "order")
		other := extendCase{f: permuted(c.f, order), o: c.o}
		for at, i := range order {
			other.label = append(other.label, c.label[i])
			if slices.Contains(c.fresh, i) {
				other.fresh = append(other.fresh, at)
			}
		}
		slices.Reverse(other.fresh)
		b := other.extend(t, nil)
		got := map[int]int{}
		for k, at := range b.Faces {
			got[order[at]] = b.Label[k]
		}
		for k, i := range a.Faces {
			if l, ok := got[i]; !ok || l != a.Label[k] {
				rt.Fatalf("face %d is labelled %d or, in another order, %d, %v", i, a.Label[k], l, ok)
			}
		}
		if len(a.Faces) != len(b.Faces) {
			rt.Fatalf("%d faces in the region or, in another order, %d", len(a.Faces), len(b.Faces))
		}
	})
}

func TestExtendObeysLinks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawExtendCase(rt)
		all := drawLinks(rt, c.f.Len())
		s, err := NewScanner(c.f)
		if err != nil {
			t.Fatal(err)
		}
		var asked []int
		var l Links // what was answered, by position in asked
		ext, err := Extend(t.Context(), s, c.f, c.label, c.fresh, func(faces []int) Links {
			asked, l = faces, within(all, faces)
			return l
		}, c.o)
		if isConflict(err) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		c.check(t, ext)
		if !slices.Equal(asked, ext.Faces) {
			rt.Fatalf("asked about %v last, grouped %v", asked, ext.Faces)
		}
		for _, same := range l.Same {
			for _, k := range same {
				if ext.Label[k] < 0 || ext.Label[k] != ext.Label[same[0]] {
					rt.Fatalf("%v are the same, labels %v", same, ext.Label)
				}
			}
		}
		for _, p := range l.Different {
			if a := ext.Label[p[0]]; a >= 0 && a == ext.Label[p[1]] {
				rt.Fatalf("%v are different, labels %v", p, ext.Label)
			}
		}
	})
}

// within is the part of links that is about some faces, by position in them.
func within(l Links, faces []int) Links {
	var out Links
	for _, same := range l.Same {
		var rows []int
		for _, i := range same {
			if k, ok := slices.BinarySearch(faces, i); ok {
				rows = append(rows, k)
			}
		}
		if len(rows) > 0 {
			out.Same = append(out.Same, rows)
		}
	}
	for _, p := range l.Different {
		a, okA := slices.BinarySearch(faces, p[0])
		b, okB := slices.BinarySearch(faces, p[1])
		if okA && okB {
			out.Different = append(out.Different, [2]int{a, b})
		}
	}
	return out
}

// TestExtendLargePerson adds photos to a person of whom a region holds a part.
func TestExtendLargePerson(t *testing.T) {
	const dim, size = 64, 3 * maxMembers
	rng := rand.New(rand.NewPCG(4, 4))
	center := direction(rng, dim)
	a := &album{}
	c := extendCase{o: Options{Impostors: normalTail(strangerSD), Library: Calibration{Threshold: 0.4}}}
	for i := range size {
		a.add(mix(center, direction(rng, dim), 0.6+0.9*rng.Float64()), 0, int32(i))
		c.label = append(c.label, 0)
	}
	stranger := direction(rng, dim)
	for _, v := range []face.Vector{mix(center, direction(rng, dim), 0.8), mix(stranger, direction(rng, dim), 0.5)} {
		c.fresh = append(c.fresh, a.Len())
		c.label = append(c.label, -1)
		a.add(v, 1, size)
	}
	c.f = a.Faces
	ext := c.extend(t, nil)
	c.check(t, ext)
	if n := len(ext.Faces); n > maxMembers+len(c.fresh) {
		t.Errorf("the region has %d faces", n)
	}
	for k, i := range ext.Faces {
		if want := ext.Label[0]; (i != size+1) != (ext.Label[k] == want && want >= 0) {
			t.Errorf("face %d of %d is labelled %d, the person %d", i, size, ext.Label[k], want)
		}
	}
}

// TestExtendBridge joins two people by photos that are like both.
func TestExtendBridge(t *testing.T) {
	const dim, size = 64, 4
	rng := rand.New(rand.NewPCG(5, 5))
	a := &album{}
	root := direction(rng, dim)
	c := extendCase{o: Options{Impostors: normalTail(strangerSD), Library: Calibration{Threshold: 0.45}}}
	for side := range 2 {
		center := mix(root, direction(rng, dim), 1.2)
		for range size {
			a.add(mix(center, direction(rng, dim), 0.3), 0, int32(a.Len()))
			c.label = append(c.label, side)
		}
	}
	for range 2 * size {
		c.fresh = append(c.fresh, a.Len())
		c.label = append(c.label, -1)
		a.add(mix(root, direction(rng, dim), 0.3), 0, int32(a.Len()))
	}
	c.f = a.Faces
	before := group(t, permuted(c.f, indices(2*size)), Links{}, c.o)
	if before.Clusters != 2 {
		t.Fatalf("%d people before, want 2: %v", before.Clusters, before.Label)
	}
	ext := c.extend(t, nil)
	if ext.Clusters != 1 || slices.Contains(ext.Label, -1) || len(ext.Faces) != a.Len() {
		t.Errorf("%d people of %d faces, want one of %d: %v", ext.Clusters, len(ext.Faces), a.Len(), ext.Label)
	}
}

func TestExtendRefuses(t *testing.T) {
	c := extendCase{f: newAlbum(3, 40).Faces, label: slices.Repeat([]int{-1}, 40), fresh: []int{39}}
	c.o = Options{Impostors: normalTail(strangerSD), Library: Calibration{Threshold: 0.4}}
	s, err := NewScanner(c.f)
	if err != nil {
		t.Fatal(err)
	}
	c.extend(t, nil) // is in order
	for name, change := range map[string]func(c *extendCase){
		"no measure":             func(c *extendCase) { c.o.Library = Calibration{} },
		"no impostors":           func(c *extendCase) { c.o.Impostors = face.Impostors{} },
		"other faces":            func(c *extendCase) { c.f.Data = c.f.Data[:39*c.f.Dim] },
		"too few labels":         func(c *extendCase) { c.label = c.label[:39] },
		"too few photos":         func(c *extendCase) { c.f.Photo = c.f.Photo[:39] },
		"a label that is high":   func(c *extendCase) { c.label = append(slices.Clone(c.label[:39]), 40) },
		"a label that is low":    func(c *extendCase) { c.label = append(slices.Clone(c.label[:39]), -2) },
		"a fresh face too many":  func(c *extendCase) { c.fresh = []int{40} },
		"a fresh face below all": func(c *extendCase) { c.fresh = []int{-1} },
	} {
		bad := c
		change(&bad)
		if ext, err := Extend(t.Context(), s, bad.f, bad.label, bad.fresh, nil, bad.o); err == nil {
			t.Errorf("%s: no error, %d faces", name, len(ext.Faces))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Extend(ctx, s, c.f, c.label, c.fresh, nil, c.o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after a cancel", err)
	}
}

// TestScansOfManyProbes compares what several probes find together with what
// each finds alone.
func TestScansOfManyProbes(t *testing.T) {
	f := newAlbum(6, 700).Faces
	s, err := NewScanner(f)
	if err != nil {
		t.Fatal(err)
	}
	var probes [][]float32
	for i := range 5 {
		probes = append(probes, f.row(i*137))
	}
	together, err := s.aboveEach(probes, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	for k, probe := range probes {
		alone, err := s.Above(probe, 0.3)
		if err != nil {
			t.Fatal(err)
		}
		var brute []int
		for i := range f.Len() {
			if face.Vector(probe).Dot(f.row(i)) > 0.3 {
				brute = append(brute, i)
			}
		}
		if !slices.Equal(together[k], alone) || len(alone) != len(brute) {
			t.Errorf("probe %d finds %d faces with the others, %d alone, want %d", k, len(together[k]), len(alone), len(brute))
		}
	}
}
