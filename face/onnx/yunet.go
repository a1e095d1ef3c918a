package onnx

import (
	"context"
	"fmt"
	"math"

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

var yunetStrides = [3]int{8, 16, 32}

func (y *yunet) Name() string { return y.id }

// Detect scales the photo down (never up) to the input's size, at the top
// left, decodes what the network finds, and looks again where it is in doubt.
func (y *yunet) Detect(ctx context.Context, p *face.Picture) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pw, ph := p.Size()
	w, h, scale := y.geometry(pw, ph)
	ds, err := y.look(p, face.Affine{A: scale, E: scale}, w, h, y.score)
	if err != nil {
		return nil, err
	}
	return y.confirm(ctx, p, face.Suppress(ds, y.iou, 1))
}

// Where the network is in doubt, a second look decides: what is a face stays
// one from close by; hands, trophies, half faces at a border and dogs mostly do
// not. sure is the score from which a detection is not doubted; the second look
// is at windows of doubtWindow box sides, warped to these inputs, and must find
// the box again with a mean score of doubtMean.
var doubtSides = [2]int{96, 160}

const (
	sure        = 0.85
	doubtWindow = 2.2
	doubtMean   = 0.3
	doubtIoU    = 0.4
)

// confirm drops the doubtful detections that do not come back. An input of
// fixed size is too large for a second look to be worth its cost.
func (y *yunet) confirm(ctx context.Context, p *face.Picture, ds []face.Detection) ([]face.Detection, error) {
	if y.input.Width > 0 {
		return ds, nil
	}
	kept := ds[:0]
	for _, d := range ds {
		if d.Score < sure {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			mean, err := y.again(p, d.Box)
			if err != nil {
				return nil, err
			}
			if mean < doubtMean {
				continue
			}
		}
		kept = append(kept, d)
	}
	return kept, nil
}

// again is the mean score with which a box comes back from close by.
func (y *yunet) again(p *face.Picture, b face.Box) (float64, error) {
	side := doubtWindow * max(b.W, b.H)
	c := b.Center()
	sum := 0.0
	for _, n := range doubtSides {
		scale := side / float64(n)
		m := face.Affine{A: scale, C: c.X - side/2, E: scale, F: c.Y - side/2}
		found, err := y.look(p, m, n, n, 0.05)
		if err != nil {
			return 0, err
		}
		best := 0.0
		for _, f := range found {
			if f.Box.IoU(b) >= doubtIoU {
				best = max(best, f.Score)
			}
		}
		sum += best
	}
	return sum / float64(len(doubtSides)), nil
}

// look runs the network once over w by h pixels, warped from the photo by m,
// which only scales and shifts, and returns what scores at least least.
func (y *yunet) look(p *face.Picture, m face.Affine, w, h int, least float64) ([]face.Detection, error) {
	out, err := y.run(p, m, w, h)
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

// geometry is the input's size and how many pixels of the photo one of its
// pixels covers.
func (y *yunet) geometry(pw, ph int) (w, h int, scale float64) {
	in := y.input
	if in.Width > 0 && in.Height > 0 {
		scale = max(1, float64(pw)/float64(in.Width), float64(ph)/float64(in.Height))
		return in.Width, in.Height, scale
	}
	scale = max(1, float64(max(pw, ph))/float64(in.MaxSide))
	pad := max(in.Multiple, yunetStrides[2])
	up := func(side int) int {
		n := int(math.Ceil(float64(side) / scale))
		return max(1, (n+pad-1)/pad) * pad
	}
	return up(pw), up(ph), scale
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
