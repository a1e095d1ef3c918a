package onnx

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models/modelstest"
)

// golden is testdata/golden/demo.json: the faces of the demonstration photos
// by a second implementation, which shares no code with this one.
type golden struct {
	Photos []struct {
		File    string
		SHA256  string
		Visible int
		Faces   map[string][]goldenFace
	}
}

type goldenFace struct {
	Box       [4]float64
	Score     float64
	Landmarks [5][2]float64
	Vector    string
}

func (g goldenFace) box() face.Box {
	return face.Box{X: g.Box[0], Y: g.Box[1], W: g.Box[2], H: g.Box[3]}
}

// vector decodes base64 of little-endian int16; the scale does not matter.
func (g goldenFace) vector(t testing.TB) face.Vector {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(g.Vector)
	if err != nil || len(data)%2 != 0 {
		t.Fatalf("golden vector of %d bytes: %v", len(data), err)
	}
	v := make(face.Vector, len(data)/2)
	for i := range v {
		v[i] = float32(int16(binary.LittleEndian.Uint16(data[2*i:])))
	}
	if !v.Normalize() {
		t.Fatal("golden vector is zero")
	}
	return v
}

func readGolden(t testing.TB) golden {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Photos) != 6 {
		t.Fatalf("%d golden photos, want 6", len(g.Photos))
	}
	return g
}

// photo is a golden photo's file, which must be the one that was measured.
func (g golden) photo(t testing.TB, i int) image.Image {
	t.Helper()
	for _, path := range modelstest.DemoPhotos(t) {
		if filepath.Base(path) != g.Photos[i].File {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != g.Photos[i].SHA256 {
			t.Fatalf("%s is not the photo that was measured", path)
		}
		return decode(t, path)
	}
	t.Fatalf("no demonstration photo %s", g.Photos[i].File)
	return nil
}

func (g goldenFace) points() (lm face.Landmarks) {
	for i, p := range g.Landmarks {
		lm[i] = face.Point{X: p[0], Y: p[1]}
	}
	return lm
}

// apart is the largest distance between two faces' points.
func apart(a, b face.Landmarks) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Hypot(a[i].X-b[i].X, a[i].Y-b[i].Y))
	}
	return worst
}

// tolerances of the whole way, as measured, with some room. The two
// implementations shrink a photo by different filters; where two anchors of a
// network score alike, that decides which of their boxes is kept, hence the
// gap between the least and the mean overlap. UltraFace's second look depends
// on the first and doubles the effect.
type tolerances struct {
	iou, meanIoU       float64 // at least
	score              float64 // at most apart
	landmark, meanLand float64 // at most, in box heights
	cosine, meanCosine float64 // at least
}

var goldenTolerances = map[string]tolerances{
	"yunet-n-dynamic":   {0.93, 0.975, 0.01, 0.03, 0.010, 0.94, 0.988},
	"yunet-s-dynamic":   {0.92, 0.975, 0.01, 0.03, 0.010, 1, 1},
	"yunet-2023mar":     {0.92, 0.975, 0.01, 0.03, 0.010, 1, 1},
	"ultraface-rfb-320": {0.70, 0.89, 0.01, 0.15, 0.025, 1, 1},
}

// doubtful is the score below which YuNet is no longer sure. One box of the
// second implementation is below it, the back of a chair; every true face is
// above.
const doubtful = 0.85

// The whole way from the photo to boxes, scores, points and vectors.
func TestGolden(t *testing.T) {
	g := readGolden(t)
	for id, tol := range goldenTolerances {
		t.Run(id, func(t *testing.T) {
			e := open(t, modelstest.RequireDetector(t, id), Options{})
			var iou, land, cosine mean
			for i, p := range g.Photos {
				faces := analyze(t, e, g.photo(t, i))
				certain := 0
				for _, f := range faces {
					if f.Score >= doubtful {
						certain++
					}
				}
				if certain != p.Visible {
					t.Errorf("%s: %d faces, %d are visible", p.File, certain, p.Visible)
				}
				for _, want := range p.Faces[id] {
					if want.Score < doubtful {
						continue
					}
					f, ok := nearest(faces, want.box())
					if !ok {
						t.Errorf("%s: the face at %v is missing", p.File, want.Box)
						continue
					}
					overlap := f.Box.IoU(want.box())
					off := apart(f.Landmarks, want.points()) / want.Box[3]
					iou.add(overlap)
					land.add(off)
					if overlap < tol.iou || off > tol.landmark || math.Abs(f.Score-want.Score) > tol.score {
						t.Errorf("%s: IoU %.3f, points %.3f heights apart, score %.4f for %.4f",
							p.File, overlap, off, f.Score, want.Score)
					}
					if want.Vector == "" {
						continue
					}
					c := f.Vector.Dot(want.vector(t))
					if cosine.add(c); c < tol.cosine {
						t.Errorf("%s: the vector's cosine similarity is %.4f", p.File, c)
					}
				}
			}
			t.Logf("%d faces: IoU %v, points %v box heights apart, %d vectors: cosine %v", iou.n, iou, land, cosine.n, cosine)
			if iou.n < 22 || iou.mean() < tol.meanIoU || land.mean() > tol.meanLand || cosine.n > 0 && cosine.mean() < tol.meanCosine {
				t.Errorf("%d faces compared, want 22; means beyond %+v", iou.n, tol)
			}
		})
	}
}

// nearest is the face that overlaps the box most, if by a third at least.
func nearest(faces []face.Face, b face.Box) (best face.Face, ok bool) {
	for _, f := range faces {
		if iou := f.Box.IoU(b); iou > 1.0/3 && iou > best.Box.IoU(b) {
			best, ok = f, true
		}
	}
	return best, ok
}

type mean struct {
	n             int
	sum, min, max float64
}

func (m *mean) add(v float64) {
	if m.n == 0 {
		m.min, m.max = v, v
	}
	m.n++
	m.sum += v
	m.min, m.max = min(m.min, v), max(m.max, v)
}

func (m mean) mean() float64 { return m.sum / float64(m.n) }

func (m mean) String() string { return fmt.Sprintf("%.4f (%.4f to %.4f)", m.mean(), m.min, m.max) }

// Each step for itself, given the second implementation's result of the one
// before it: here nothing adds up, so the bounds are close.
func TestGoldenSteps(t *testing.T) {
	g := readGolden(t)
	inst := modelstest.RequireDetector(t, "yunet-n-dynamic")
	e := open(t, inst, Options{})
	_, landmarker, embedder := partsOf(t, e, inst)
	var land, cosine mean
	for i, photo := range g.Photos {
		p, err := face.NewPicture(g.photo(t, i))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range photo.Faces[inst.Detector.ID] {
			lm, err := landmarker.Landmarks(t.Context(), p, want.box())
			if err != nil {
				t.Fatal(err)
			}
			off := apart(lm, want.points()) / want.Box[3]
			if land.add(off); off > 0.015 { // all but a face in profile are below 0.01
				t.Errorf("%s: points %.4f box heights apart", photo.File, off)
			}
			v, err := embedder.Embed(t.Context(), p, want.points())
			if err != nil {
				t.Fatal(err)
			}
			c := v.Dot(want.vector(t))
			if cosine.add(c); c < 0.99 {
				t.Errorf("%s: cosine similarity %.4f", photo.File, c)
			}
		}
	}
	t.Logf("%d faces: points %v box heights apart, cosine %v", land.n, land, cosine)
	if land.n < 22 {
		t.Errorf("%d faces compared, want 22", land.n)
	}
}
