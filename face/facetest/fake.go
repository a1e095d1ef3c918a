package facetest

import (
	"context"
	"encoding/binary"
	"image"
	"math"
	"math/rand/v2"

	"github.com/kith-photos/kith/face"
)

// Fake finds and tells apart the faces that [Draw] painted, by the pixels
// alone. It knows nothing of photographed faces.
//
// It sees a photo as it stands upright, so one that is stored turned must be
// given to it through [face.Upright], as to any detector. On images that were
// compressed without loss its boxes are exactly the rectangles that were
// painted; JPEG of good quality shifts them by a pixel or two.
//
// A person's vector is a random direction drawn from the person's number, plus
// noise drawn from the person and the place of the face in the photo: two
// looks at one person have a cosine similarity of about 0.8, two people one of
// about 0 with a standard deviation below 0.09. Two copies of a photo, and two
// photos with the same person in exactly the same place, give equal vectors.
//
// It keeps no state and is safe for concurrent use if Hook is. It is a
// [face.Detector], [face.Embedder] and [face.Calibrated].
type Fake struct {
	// Hook, if set, is called at the beginning of each Detect. It may block,
	// panic, or return an error, with which Detect then fails; the size of
	// the photo is a way to recognise it.
	Hook func(ctx context.Context, p *face.Picture) error
}

var (
	_ face.Detector   = (*Fake)(nil)
	_ face.Embedder   = (*Fake)(nil)
	_ face.Calibrated = (*Fake)(nil)
)

// NewFake returns a Fake without a hook.
func NewFake() *Fake { return &Fake{} }

// NewAnalyzer returns an analyzer made of a Fake.
func NewAnalyzer() *face.Analyzer { return NewFake().Analyzer() }

// Analyzer returns an analyzer made of the fake.
func (f *Fake) Analyzer() *face.Analyzer {
	a, err := face.NewAnalyzer(f, nil, f)
	if err != nil {
		panic(err) // only for parts that are nil
	}
	return a
}

// Name is "facetest".
func (f *Fake) Name() string { return "facetest" }

// Space is "facetest".
func (f *Fake) Space() string { return "facetest" }

// dim makes strangers' similarities spread by 1/sqrt(128).
const dim = 128

// Dim is 128.
func (f *Fake) Dim() int { return dim }

// Impostors is an assumed tail: that of a normal distribution 1.6 times as
// wide as the one of random directions in 128 dimensions. The width makes up
// for what a tail cannot tell: all looks at one pair of people are similar
// alike.
func (f *Fake) Impostors() face.Impostors {
	im := face.Impostors{Source: "assumed"}
	sd := 1.6 / math.Sqrt(dim)
	for t := 20; t <= 75; t += 5 {
		x := float64(t) / 100
		im.Thresholds = append(im.Thresholds, x)
		im.FAR = append(im.FAR, math.Erfc(x/(sd*math.Sqrt2))/2)
	}
	return im
}

// score is the confidence in a painted face.
const score = 0.95

// Detect finds the painted faces.
func (f *Fake) Detect(ctx context.Context, p *face.Picture) ([]face.Detection, error) {
	if f.Hook != nil {
		if err := f.Hook(ctx, p); err != nil {
			return nil, err
		}
	}
	mask, err := magenta(ctx, p)
	if err != nil {
		return nil, err
	}
	w, _ := p.Size()
	var ds []face.Detection
	var stack []int
	for i := range mask {
		if !mask[i] {
			continue
		}
		r, n := flood(mask, w, i, &stack)
		if r.Dx() < MinSide || r.Dy() < MinSide {
			continue
		}
		t := frame(r.Dx(), r.Dy())
		in := r.Inset(t)
		ring := r.Dx()*r.Dy() - in.Dx()*in.Dy()
		if n < ring*8/10 || n > ring*12/10 {
			continue
		}
		b := face.Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}
		code, clear := read(p, b)
		if _, ok := decode(code); !ok || !clear {
			continue
		}
		lm := landmarks(b)
		ds = append(ds, face.Detection{Box: b, Score: score, Landmarks: &lm})
	}
	return ds, nil
}

// magenta marks the pixels of the frames' colour. It reads the photo in strips
// to hold little of it.
func magenta(ctx context.Context, p *face.Picture) ([]bool, error) {
	const strip = 64
	w, h := p.Size()
	mask := make([]bool, w*h)
	buf := make([]float32, 3*w*min(h, strip))
	for y := 0; y < h; y += strip {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := w * min(strip, h-y)
		p.Warp(buf[:3*n], w, n/w, face.Affine{A: 1, E: 1, F: float64(y)}, face.Packing{Scale: 1})
		r, g, b := buf[:n], buf[n:2*n], buf[2*n:3*n]
		for i := range n {
			mask[y*w+i] = r[i] > 170 && g[i] < 110 && b[i] > 170
		}
	}
	return mask, ctx.Err()
}

// flood clears the marked pixels connected with the one at i and returns their
// bounds and number.
func flood(mask []bool, w, i int, stack *[]int) (image.Rectangle, int) {
	var r image.Rectangle
	n := 0
	mask[i] = false
	todo := append((*stack)[:0], i)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x, y := i%w, i/w
		r = r.Union(image.Rect(x, y, x+1, y+1))
		n++
		for _, next := range [4]struct {
			at int
			ok bool
		}{{i - 1, x > 0}, {i + 1, x+1 < w}, {i - w, y > 0}, {i + w, i+w < len(mask)}} {
			if next.ok && mask[next.at] {
				mask[next.at] = false
				todo = append(todo, next.at)
			}
		}
	}
	*stack = todo
	return r, n
}

// read reads the code in the box. clear is false if a cell is neither dark nor
// light.
func read(p *face.Picture, b face.Box) (code uint16, clear bool) {
	t := float64(frame(int(b.W), int(b.H)))
	w, h := b.W-2*t, b.H-2*t
	// At least one sample a pixel, so that the photo is read at full size.
	sub := max(4, min(256, int(math.Ceil(max(w, h)/grid))))
	n := sub * grid
	buf := make([]float32, n*n)
	m := face.Affine{A: w / float64(n), C: b.X + t, E: h / float64(n), F: b.Y + t}
	p.Warp(buf, n, n, m, face.Packing{Order: face.Gray, Scale: 1})
	clear = true
	for i := range grid * grid {
		// The mean of the cell's middle.
		x0, y0 := i%grid*sub+sub/4, i/grid*sub+sub/4
		side := sub - 2*(sub/4)
		var v float32
		for y := range side {
			for _, s := range buf[(y0+y)*n+x0:][:side] {
				v += s
			}
		}
		v /= float32(side * side)
		code <<= 1
		if v > (dark+light)/2 {
			code |= 1
		}
		clear = clear && (math.Abs(float64(v)-dark) < 45 || math.Abs(float64(v)-light) < 45)
	}
	return code, clear
}

// The places of the landmarks in the box, as shares of its sides: those of a
// face that looks straight ahead.
const (
	eyeX, eyeY     = 0.30, 0.40
	noseY          = 0.62
	mouthX, mouthY = 0.34, 0.80
)

func landmarks(b face.Box) face.Landmarks {
	at := func(x, y float64) face.Point { return face.Point{X: b.X + x*b.W, Y: b.Y + y*b.H} }
	return face.Landmarks{at(eyeX, eyeY), at(1-eyeX, eyeY), at(0.5, noseY), at(mouthX, mouthY), at(1-mouthX, mouthY)}
}

// boxOf is the inverse of landmarks, to whole pixels.
func boxOf(lm face.Landmarks) face.Box {
	w := math.Round(math.Abs(lm[1].X-lm[0].X) / (1 - 2*eyeX))
	h := math.Round(math.Abs(lm[3].Y-lm[0].Y) / (mouthY - eyeY))
	return face.Box{X: math.Round(lm[0].X - eyeX*w), Y: math.Round(lm[0].Y - eyeY*h), W: max(1, w), H: max(1, h)}
}

// noise is the length of what is added to a person's direction: the cosine
// similarity of two looks is about 1/(1+noise²).
const noise = 0.5

// Embed describes what is painted around the landmarks, which must be those of
// Detect. Where no face is painted the vector is that of nobody in particular.
func (f *Fake) Embed(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := face.Align(lm); err != nil {
		return nil, err
	}
	b := boxOf(lm)
	code, _ := read(p, b)
	v := direction(uint64(code), 0)
	var place [32]byte
	for i, x := range [...]float64{b.X, b.Y, b.W, b.H} {
		binary.LittleEndian.PutUint64(place[8*i:], math.Float64bits(x))
	}
	hash := uint64(14695981039346656037) // FNV-1a
	for _, c := range place {
		hash = (hash ^ uint64(c)) * 1099511628211
	}
	for i, x := range direction(uint64(code), hash) {
		v[i] += noise * x
	}
	v.Normalize()
	return v, nil
}

// direction is a random unit vector. A look of 0 is the person's own
// direction.
func direction(code, look uint64) face.Vector {
	rnd := rand.New(rand.NewPCG(code, look))
	v := make(face.Vector, dim)
	for i := range v {
		v[i] = float32(rnd.NormFloat64())
	}
	v.Normalize()
	return v
}
