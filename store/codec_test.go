package store

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
)

// What a blob decodes to must encode to the same blob, and no bytes may panic.
func FuzzHolders(f *testing.F) {
	for _, seed := range []string{"", "[]", `[{"person":"anna","created":1,"faces":[0,2]},{}]`, `[{"faces":[-1]}]`, `[{"created":9223372036854775807}]`, "{"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, faces int) {
		hs, err := unpackHolders(b, faces)
		if err != nil {
			return
		}
		for _, h := range hs {
			for _, i := range h.Faces {
				if i < 0 || i >= faces {
					t.Errorf("%q names face %d of %d", b, i, faces)
				}
			}
		}
		packed, err := packHolders(hs)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := packed.(string)
		if again, err := unpackHolders([]byte(text), faces); err != nil || !reflect.DeepEqual(again, hs) {
			t.Errorf("%q became %+v and then %+v, %v", b, hs, again, err)
		}
	})
}

func FuzzCodec(f *testing.F) {
	refs, err := packRefs([]FaceRef{{sha("1"), face.Box{X: 1, Y: -2, W: 3.5, H: 1e-9}}, {sha("2"), face.Box{}}})
	must(f, err)
	nan := bytes.Repeat([]byte{0xff}, refSize)
	for _, seed := range [][]byte{nil, {0}, refs, refs[:len(refs)-1], nan, packLandmarks(faceAt(7).Landmarks), packVector(vector(8, 1))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if refs, err := unpackRefs(b); err == nil {
			again, err := packRefs(refs)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("references %x became %x, %v", b, again, err)
			}
		}
		if lm, err := unpackLandmarks(b); err == nil && !bytes.Equal(packLandmarks(lm), b) {
			t.Errorf("landmarks %x became %x", b, packLandmarks(lm))
		}
		v := make([]float32, len(b)/4)
		slow := slices.Clone(v)
		unpackFloats(slow, b[:4*len(slow)])
		if err := unpackVector(v, b[:4*len(v)]); err != nil || !bytes.Equal(packVector(v), packVector(slow)) {
			t.Errorf("%x became %v on this machine and %v on any, %v", b, v, slow, err)
		}
		clear(v)
		if err := unpackVector(v, b); (err == nil) != (len(b)%4 == 0) {
			t.Errorf("vector of %d bytes: %v", len(b), err)
		} else if err == nil && checkUnit(v) == nil && !bytes.Equal(packVector(v), b) {
			t.Errorf("vector %x became %x", b, packVector(v))
		}
	})
}

func TestUnit(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		v  face.Vector
		ok bool
	}{
		{face.Vector{1}, true}, {face.Vector{0.6, -0.8}, true}, {face.Vector{1.0009}, true}, {face.Vector{1.002}, false},
		{face.Vector{0.998}, false}, {face.Vector{}, false}, {face.Vector{0}, false}, {face.Vector{1, nan}, false},
		{face.Vector{inf}, false}, {face.Vector{math.MaxFloat32, math.MaxFloat32}, false},
	} {
		if err := checkUnit(c.v); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.v, err)
		}
	}
}

// Each pair of matchFaces is a real overlap, nobody is paired twice, and no
// two that are left over, or would gain by it, could have been paired.
func TestMatchFaces(t *testing.T) {
	box := rapid.Custom(func(rt *rapid.T) face.Box {
		at := rapid.IntRange(0, 12)
		return face.Box{X: float64(at.Draw(rt, "x")), Y: float64(at.Draw(rt, "y")),
			W: float64(at.Draw(rt, "w")), H: float64(at.Draw(rt, "h"))}
	})
	rapid.Check(t, func(rt *rapid.T) {
		var found []foundFace
		for _, b := range rapid.SliceOfN(box, 0, 6).Draw(rt, "found") {
			found = append(found, foundFace{Face: face.Face{Box: b}})
		}
		var stored []storedFace
		for _, b := range rapid.SliceOfN(box, 0, 6).Draw(rt, "stored") {
			stored = append(stored, storedFace{box: b})
		}
		match := matchFaces(found, stored)
		iou := func(i, j int) float64 { return found[i].Box.IoU(stored[j].box) }
		for i, j := range match {
			if j >= 0 && (iou(i, j) < sameFace || slices.Index(match, j) != i) {
				rt.Fatalf("found %d and stored %d are paired: %v", i, j, match)
			}
		}
		for i := range found {
			for j := range stored {
				if iou(i, j) < sameFace || match[i] == j {
					continue
				}
				k := slices.Index(match, j)
				better := match[i] >= 0 && iou(i, match[i]) >= iou(i, j) || k >= 0 && iou(k, j) >= iou(i, j)
				if !better {
					rt.Fatalf("found %d and stored %d overlap by %v and are not paired: %v", i, j, iou(i, j), match)
				}
			}
		}
	})
}
