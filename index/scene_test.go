package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"github.com/kith-photos/kith/face"
)

// A scene is a photo in a format of the tests' own: a few lines of text that
// list who is where. It is decoded by a plug-in and analysed without looking
// at pixels, so that a test of a thousand steps is over in a second. What
// depends on pixels is tested with package facetest.
type scene struct {
	image.Rectangle
	faces []sceneFace
	text  string
}

type sceneFace struct {
	person int
	box    face.Box
}

func (s *scene) ColorModel() color.Model { return color.GrayModel }
func (s *scene) Bounds() image.Rectangle { return s.Rectangle }
func (s *scene) At(int, int) color.Color { return color.Gray{Y: 127} }

const sceneMagic = "kith scene"

// shot is the file of a scene: title makes its content one of its own, and
// people stand from left to right.
func shot(title string, people ...int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q\n", sceneMagic, title)
	for i, p := range people {
		fmt.Fprintf(&b, "%d %d 10 80 80\n", p, 10+100*i)
	}
	return []byte(b.String())
}

type sceneDecoder struct{}

func (sceneDecoder) Match(head []byte) bool { return bytes.HasPrefix(head, []byte(sceneMagic)) }

func (d sceneDecoder) Open(ctx context.Context, data []byte, maxPixels int) (face.Source, error) {
	img, err := d.Decode(ctx, data, maxPixels)
	if err != nil {
		return nil, err
	}
	return face.Whole(img), nil
}

func (sceneDecoder) Decode(_ context.Context, data []byte, _ int) (image.Image, error) {
	s := &scene{Rectangle: image.Rect(0, 0, 1000, 100), text: string(data)}
	r := bytes.NewReader(data)
	var title string
	if _, err := fmt.Fscanf(r, sceneMagic+" %q\n", &title); err != nil {
		return nil, err
	}
	for {
		var f sceneFace
		_, err := fmt.Fscanf(r, "%d %f %f %f %f\n", &f.person, &f.box.X, &f.box.Y, &f.box.W, &f.box.H)
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		s.faces = append(s.faces, f)
	}
}

const sceneDim = 64

// analyzer finds the faces of scenes.
type analyzer struct {
	space string // "": "scene"
	shift float64
	// hook, where set, may change the faces or fail.
	hook  func(ctx context.Context, s *scene, faces []face.Face) ([]face.Face, error)
	calls atomic.Int64
}

func (a *analyzer) Space() string {
	if a.space == "" {
		return "scene"
	}
	return a.space
}

// Impostors is the tail of random directions: normal with variance 1/dim.
func (a *analyzer) Impostors() face.Impostors {
	im := face.Impostors{Source: "assumed: random directions"}
	for t := 0.1; t < 0.7; t += 0.05 {
		im.Thresholds = append(im.Thresholds, t)
		im.FAR = append(im.FAR, math.Erfc(t*math.Sqrt(sceneDim/2.))/2)
	}
	return im
}

func (a *analyzer) Analyze(ctx context.Context, img image.Image) ([]face.Face, error) {
	a.calls.Add(1)
	s, ok := img.(*scene)
	if !ok {
		return nil, fmt.Errorf("a %T is no scene", img)
	}
	var faces []face.Face
	for i, sf := range s.faces {
		h := fnv.New64a()
		_, _ = fmt.Fprint(h, a.Space(), i, s.text)
		f := face.Face{
			Box: sf.box, Score: 0.9, Quality: 0.5 + 0.4*float64(h.Sum64()%100)/100,
			Detector: "scene", Vector: portrait(sf.person, h.Sum64()),
		}
		f.Box.X += a.shift
		for k := range f.Landmarks {
			f.Landmarks[k] = face.Point{X: f.Box.X + float64(20+10*k), Y: f.Box.Y + 30}
		}
		faces = append(faces, f)
	}
	if a.hook != nil {
		return a.hook(ctx, s, faces)
	}
	return faces, ctx.Err()
}

// portrait is a vector of a person: two of one person have a cosine of about
// 0.8, of two people of 0 (with a standard deviation of 1/8). Person 102 is
// half like person 1 and half like person 2.
func portrait(person int, noise uint64) face.Vector {
	how := rand.New(rand.NewPCG(noise, 2))
	v := make(face.Vector, sceneDim)
	for _, p := range []int{person / 100, person % 100} {
		if p == 0 {
			continue
		}
		who := rand.New(rand.NewPCG(uint64(p), 1))
		for i := range v {
			v[i] += float32(who.NormFloat64())
		}
	}
	v.Normalize()
	for i := range v {
		v[i] += float32(0.5 / 8 * how.NormFloat64()) // sceneDim is the square of 8
	}
	v.Normalize()
	return v
}
