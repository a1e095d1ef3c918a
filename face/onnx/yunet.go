package onnx

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/models"
)

// yunet is Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023:
// an anchor-free network with three strides. Outputs, for strides 8, 16, 32 in
// turn: cls, obj, bbox, kps. The input is either of one fixed size or free, with
// sides that are multiples of the largest stride.
type yunet struct {
	*net
	score, iou float64
}

func newYunet(n *net, m models.Model) (*yunet, error) {
	y := &yunet{net: n, score: m.Params["score"], iou: m.Params["iou"]}
	if y.score <= 0 || y.iou <= 0 {
		return nil, fmt.Errorf("model %s: the manifest gives no score and iou", m.ID)
	}
	if fixed := m.Input.Width > 0 && m.Input.Height > 0; !fixed && m.Input.MaxSide <= 0 {
		return nil, fmt.Errorf("model %s: the manifest gives no input size", m.ID)
	}
	return y, nil
}

// faint is the least score of what a look returns: far below a face's, but most
// landscapes have nothing small that scores as much.
const faint = 0.05

var yunetStrides = [3]int{8, 16, 32}

func (y *yunet) Name() string { return y.id }

// fixed reports whether every look costs the same, however little there is to
// see: then a second one is not worth its cost.
func (y *yunet) fixed() bool { return y.input.Width > 0 && y.input.Height > 0 }

func (y *yunet) limits() limits {
	if y.fixed() {
		return limits{}
	}
	return limits{
		plain: 0.91, turned: sure, ahead: 0.02, glance: 0.5,
		sides: []float64{160, 320}, hint: 0.3,
		closeScore: sure, closeSide: 0.3,
	}
}

// plain is the score: of 780 photos of people 94 % have a face of 0.91 or more,
// on their head 1.3 %, and on a side none.
func (y *yunet) plain(_ context.Context, _ frame, d face.Detection) (float64, error) {
	return d.Score, nil
}

// find scales the frame down (never up) to the input's size, at the top left,
// decodes what the network finds, looks closer where faces are small and
// again where it is in doubt.
func (y *yunet) find(ctx context.Context, f frame, how care) ([]face.Detection, float64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	w, h, scale := y.geometry(f.w, f.h, float64(y.input.MaxSide))
	ds, err := y.view(f, face.Affine{A: scale, E: scale}, w, h, faint)
	if err != nil {
		return nil, 0, err
	}
	best := top(ds)
	ds = face.Suppress(ds, y.iou, 1)
	if how.tiles && !y.fixed() {
		if ds, err = y.closer(ctx, f, f.whole(), ds, scale); err != nil {
			return nil, 0, err
		}
	}
	trusted, least := sure, doubtMean
	if how.strict {
		trusted, least = math.Inf(1), strictMean
	}
	ds, err = y.confirm(ctx, f, y.likely(ds), trusted, least)
	return ds, best, err
}

// likely are the detections that score as a face does.
func (y *yunet) likely(ds []face.Detection) []face.Detection {
	return slices.DeleteFunc(ds, func(d face.Detection) bool { return d.Score < y.score })
}

// glance scales the frame down to an input of at most side pixels.
func (y *yunet) glance(ctx context.Context, f frame, side float64) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, h, scale := y.geometry(f.w, f.h, side)
	ds, err := y.view(f, face.Affine{A: scale, E: scale}, w, h, faint)
	return face.Suppress(ds, y.iou, 1), err
}

// view runs the network once over w by h pixels, sampled from the frame by m,
// which only scales and shifts, and returns what scores at least least.
func (y *yunet) view(f frame, m face.Affine, w, h int, least float64) ([]face.Detection, error) {
	out, err := y.look(f, m, w, h)
	if err != nil {
		return nil, err
	}
	var ds []face.Detection
	for i, stride := range yunetStrides {
		found, err := y.decode(out[i], out[3+i], out[6+i], out[9+i], w/stride, h/stride, stride, least)
		if err != nil {
			return nil, err
		}
		ds = append(ds, found...)
	}
	for i := range ds {
		b := &ds[i].Box
		at := m.Apply(face.Point{X: b.X, Y: b.Y})
		*b = face.Box{X: at.X, Y: at.Y, W: b.W * m.A, H: b.H * m.E}
		for j, q := range ds[i].Landmarks {
			ds[i].Landmarks[j] = m.Apply(q)
		}
	}
	return ds, nil
}

// geometry is the size of an input whose long side is at most side and how
// many pixels of the frame one of its pixels covers.
func (y *yunet) geometry(fw, fh, side float64) (w, h int, scale float64) {
	if y.fixed() {
		w, h = y.input.Width, y.input.Height
		return w, h, max(1, fw/float64(w), fh/float64(h))
	}
	scale = max(1, max(fw, fh)/side)
	return y.padded(fw / scale), y.padded(fh / scale), scale
}

// padded is a side of the input that holds n pixels.
func (y *yunet) padded(n float64) int {
	pad := max(y.input.Multiple, yunetStrides[2])
	return max(1, (int(math.Ceil(n))+pad-1)/pad) * pad
}

func (y *yunet) decode(cls, obj, box, kps []float32, cols, rows, stride int, least float64) ([]face.Detection, error) {
	n := cols * rows
	for _, o := range []struct {
		out  []float32
		k    int
		name string
	}{{cls, 1, "cls"}, {obj, 1, "obj"}, {box, 4, "bbox"}, {kps, 10, "kps"}} {
		if err := y.want(o.out, n*o.k, o.name); err != nil {
			return nil, err
		}
	}
	s := float64(stride)
	var ds []face.Detection
	for i := range n {
		score := math.Sqrt(unit(cls[i]) * unit(obj[i]))
		if !(score >= least) {
			continue
		}
		col, row := float64(i%cols), float64(i/cols)
		b, k := box[4*i:4*i+4], kps[10*i:10*i+10]
		cx, cy := (col+float64(b[0]))*s, (row+float64(b[1]))*s
		bw, bh := math.Exp(float64(b[2]))*s, math.Exp(float64(b[3]))*s
		lm := new(face.Landmarks)
		for j := range lm {
			lm[j] = face.Point{X: (col + float64(k[2*j])) * s, Y: (row + float64(k[2*j+1])) * s}
		}
		ds = append(ds, face.Detection{
			Box:       face.Box{X: cx - bw/2, Y: cy - bh/2, W: bw, H: bh},
			Score:     score,
			Landmarks: lm,
		})
	}
	return ds, nil
}

func unit(v float32) float64 { return float64(max(0, min(1, v))) }
