package index_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/disintegration/imaging"
	//nolint:depguard // the naive program is one that knows no kith, and talks to the runtime itself
	ort "github.com/yalue/onnxruntime_go"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
)

// naive is the program that one writes first, with the libraries that come to
// mind: imaging.Open decodes the photo at full size and turns it, imaging.Fit
// shrinks it for the detector by Lanczos, loops over At and Set fill the
// tensors and cut the crops, bilinearly, out of the full photo. The networks,
// their thresholds and the runtime are kith's own; so are [face.Suppress] and
// [face.Align], which cost nothing. It does no more than find and describe the
// faces: no EXIF, no second look at doubtful faces, no quality, nothing stored.
//
// Nor does it know that the embedder's weights hold many subnormal floats,
// which make it ten times as slow. Flushing, it does: this tells what the
// pixels cost from what that costs.
type naive struct {
	detector, landmarker, embedder naiveNet
}

type naiveNet struct {
	models.Model
	session *ort.DynamicAdvancedSession
}

// openNaive loads the networks. Where it shall treat subnormals as zero, they
// must be the process' first: the runtime sets that once, on the thread that
// creates the first session, so the test stays on this one till it ends.
func openNaive(tb testing.TB, inst models.Installation, flushing bool) *naive {
	tb.Helper()
	runtime.LockOSThread()
	if !ort.IsInitialized() {
		ort.SetSharedLibraryPath(inst.Runtime)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
			tb.Fatal(err)
		}
	}
	opt, err := ort.NewSessionOptions()
	if err != nil {
		tb.Fatal(err)
	}
	err = errors.Join(opt.SetIntraOpNumThreads(1), opt.SetInterOpNumThreads(1))
	if flushing {
		err = errors.Join(err, opt.AddSessionConfigEntry("session.set_denormal_as_zero", "1"))
	}
	if err != nil {
		tb.Fatal(err)
	}
	load := func(m models.Model) naiveNet {
		s, err := ort.NewDynamicAdvancedSession(m.Path, []string{m.Input.Name}, m.Outputs, opt)
		if err != nil {
			tb.Fatal(err)
		}
		return naiveNet{m, s}
	}
	n := &naive{load(inst.Detector), load(*inst.Landmarker), load(inst.Embedder)}
	tb.Cleanup(func() {
		err := errors.Join(opt.Destroy(), n.detector.session.Destroy(), n.landmarker.session.Destroy(), n.embedder.session.Destroy())
		if err != nil {
			tb.Error(err)
		}
	})
	return n
}

// index finds the faces of all photos of a folder.
func (n *naive) index(tb testing.TB, dir string) outcome {
	tb.Helper()
	o := outcome{Version: "imaging and onnxruntime_go"}
	photos, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	cpu, start := processCPU(tb), time.Now()
	for _, p := range photos {
		faces, err := n.photo(filepath.Join(dir, p.Name()))
		if err != nil {
			tb.Fatalf("%s: %v", p.Name(), err)
		}
		for _, f := range faces {
			f.Photo = p.Name()
			o.Faces = append(o.Faces, f)
		}
	}
	o.CPU, o.Wall = (processCPU(tb) - cpu).Seconds(), time.Since(start).Seconds()
	return o
}

func (n *naive) photo(path string) ([]seen, error) {
	img, err := imaging.Open(path, imaging.AutoOrientation(true))
	if err != nil {
		return nil, err
	}
	boxes, err := n.detect(img)
	if err != nil {
		return nil, err
	}
	var faces []seen
	for _, b := range boxes {
		lm, err := n.landmarks(img, b)
		if err != nil {
			return nil, err
		}
		m, err := face.Align(lm)
		if err != nil {
			return nil, err
		}
		side := n.embedder.Input.Width
		out, err := n.embedder.run(cut(img, m, side), side, side)
		if err != nil {
			return nil, err
		}
		v := face.Vector(out[0])
		if !v.Normalize() {
			return nil, errors.New("the vector cannot be normalised")
		}
		faces = append(faces, seen{Box: [4]float64{b.X, b.Y, b.W, b.H}, Vector: v})
	}
	return faces, nil
}

// detect is YuNet on the photo at a long side of 640.
func (n *naive) detect(img image.Image) ([]face.Box, error) {
	in := n.detector.Input
	small := img
	if b := img.Bounds(); max(b.Dx(), b.Dy()) > in.MaxSide {
		small = imaging.Fit(img, in.MaxSide, in.MaxSide, imaging.Lanczos)
	}
	w, h := in.Width, in.Height
	if w == 0 {
		w, h = (small.Bounds().Dx()+31)/32*32, (small.Bounds().Dy()+31)/32*32
	}
	out, err := n.detector.run(small, w, h)
	if err != nil {
		return nil, err
	}
	up := float64(img.Bounds().Dx()) / float64(small.Bounds().Dx())
	var found []face.Detection
	for i, stride := range []int{8, 16, 32} {
		cls, obj, box := out[i], out[3+i], out[6+i]
		s := float64(stride)
		for j := range cls {
			one := func(v float32) float64 { return min(max(float64(v), 0), 1) }
			score := math.Sqrt(one(cls[j]) * one(obj[j]))
			if score < n.detector.Params["score"] {
				continue
			}
			x := (float64(j%(w/stride)) + float64(box[4*j])) * s
			y := (float64(j/(w/stride)) + float64(box[4*j+1])) * s
			bw, bh := math.Exp(float64(box[4*j+2]))*s, math.Exp(float64(box[4*j+3]))*s
			found = append(found, face.Detection{
				Box: face.Box{X: (x - bw/2) * up, Y: (y - bh/2) * up, W: bw * up, H: bh * up}, Score: score,
			})
		}
	}
	var boxes []face.Box
	for _, d := range face.Suppress(found, n.detector.Params["iou"], 1) {
		boxes = append(boxes, d.Box)
	}
	return boxes, nil
}

func (n *naive) landmarks(img image.Image, b face.Box) (lm face.Landmarks, err error) {
	side := n.landmarker.Input.Width
	scale, left, top := b.H/float64(side), b.Center().X-b.H/2, b.Y
	out, err := n.landmarker.run(cut(img, face.Affine{A: scale, C: left, E: scale, F: top}, side), side, side)
	if err != nil {
		return lm, err
	}
	for i, of := range [5][2]int{{36, 41}, {42, 47}, {30, 30}, {48, 48}, {54, 54}} {
		k := b.H / float64(of[1]-of[0]+1)
		lm[i] = face.Point{X: left, Y: top}
		for j := of[0]; j <= of[1]; j++ {
			lm[i].X += float64(out[0][2*j]) * k
			lm[i].Y += float64(out[0][2*j+1]) * k
		}
	}
	return lm, nil
}

// cut samples a square crop bilinearly.
func cut(img image.Image, m face.Affine, side int) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	b := img.Bounds()
	at := func(x, y int) (float64, float64, float64) {
		x, y = min(max(x, 0), b.Dx()-1), min(max(y, 0), b.Dy()-1)
		r, g, b, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
		return float64(r), float64(g), float64(b)
	}
	for y := range side {
		for x := range side {
			p := m.Apply(face.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5})
			x0, y0 := math.Floor(p.X-0.5), math.Floor(p.Y-0.5)
			fx, fy := p.X-0.5-x0, p.Y-0.5-y0
			r1, g1, b1 := at(int(x0), int(y0))
			r2, g2, b2 := at(int(x0)+1, int(y0))
			r3, g3, b3 := at(int(x0), int(y0)+1)
			r4, g4, b4 := at(int(x0)+1, int(y0)+1)
			mix := func(a, b, c, d float64) uint8 {
				return uint8(((a*(1-fx)+b*fx)*(1-fy)+(c*(1-fx)+d*fx)*fy)/257 + 0.5)
			}
			out.Set(x, y, color.NRGBA{R: mix(r1, r2, r3, r4), G: mix(g1, g2, g3, g4), B: mix(b1, b2, b3, b4), A: 255})
		}
	}
	return out
}

// run puts the picture at the top left of a tensor of w by h and runs the network.
func (n naiveNet) run(img image.Image, w, h int) (out [][]float32, err error) {
	planes := 3
	if n.Input.Color == "GRAY" {
		planes = 1
	}
	in := make([]float32, planes*w*h)
	for i := range in {
		in[i] = (n.Input.Fill - n.Input.Mean) * n.Input.Scale
	}
	rect := img.Bounds()
	for y := range rect.Dy() {
		for x := range rect.Dx() {
			r16, g16, b16, _ := img.At(rect.Min.X+x, rect.Min.Y+y).RGBA()
			r, g, b := float32(r16>>8), float32(g16>>8), float32(b16>>8)
			v := [3]float32{r, g, b}
			switch n.Input.Color {
			case "GRAY":
				v[0] = 0.299*r + 0.587*g + 0.114*b
			case "BGR":
				v[0], v[2] = b, r
			}
			for c := range planes {
				in[(c*h+y)*w+x] = (v[c] - n.Input.Mean) * n.Input.Scale
			}
		}
	}
	tensor, err := ort.NewTensor(ort.NewShape(1, int64(planes), int64(h), int64(w)), in)
	if err != nil {
		return nil, err
	}
	values := make([]ort.Value, len(n.Outputs))
	if err := n.session.Run([]ort.Value{tensor}, values); err != nil {
		return nil, errors.Join(err, tensor.Destroy())
	}
	err = tensor.Destroy()
	for i, v := range values {
		t, ok := v.(*ort.Tensor[float32])
		if !ok {
			return nil, fmt.Errorf("model %s: output %d is not float32", n.ID, i)
		}
		out = append(out, append([]float32(nil), t.GetData()...))
		err = errors.Join(err, v.Destroy())
	}
	return out, err
}
