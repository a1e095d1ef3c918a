package face

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
	image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
}

// noiseYCbCr is a sub-image at min of a larger image of random samples.
func noiseYCbCr(w, h int, ratio image.YCbCrSubsampleRatio, min image.Point, seed uint64) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, min.X+w+3, min.Y+h+2), ratio)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for _, plane := range [][]byte{m.Y, m.Cb, m.Cr} {
		for i := range plane {
			plane[i] = byte(rnd.Uint32())
		}
	}
	return m.SubImage(image.Rectangle{min, min.Add(image.Pt(w, h))}).(*image.YCbCr)
}

// noiseRGBA is the same of opaque RGBA; whole says that it is no sub-image.
func noiseRGBA(w, h int, min image.Point, whole bool, seed uint64) *image.RGBA {
	around := image.Rect(min.X-1, min.Y-2, min.X+w+3, min.Y+h+2)
	inner := image.Rectangle{min, min.Add(image.Pt(w, h))}
	if whole {
		around = inner
	}
	m := image.NewRGBA(around)
	rnd := rand.New(rand.NewPCG(seed, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(rnd.Uint32())
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m.SubImage(inner).(*image.RGBA)
}

// colour is red, green, blue and grey.
type colour [4]float64

func rgbOf(r, g, b float64) colour { return colour{r, g, b, 0.299*r + 0.587*g + 0.114*b} }

// slow is the reference: what one output pixel of a full-size warp is, worked
// out from the image's own At methods in the photo as stored.
func slow(img image.Image, pos Point, fill float64) colour {
	if m, ok := img.(*image.YCbCr); ok && !onGrid(m) {
		img = flatten(m)
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if pos.X < -0.5 || pos.Y < -0.5 || pos.X > float64(w)+0.5 || pos.Y > float64(h)+0.5 {
		return rgbOf(fill, fill, fill)
	}
	x, y := pos.X-0.5, pos.Y-0.5
	clampTo := func(i, n int) int { return max(0, min(n-1, i)) }
	mix := func(sample func(x, y int) float64) float64 {
		x0, y0 := int(math.Floor(x)), int(math.Floor(y))
		var sum float64
		for _, c := range [4][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
			wx, wy := x-math.Floor(x), y-math.Floor(y)
			if c[0] == 0 {
				wx = 1 - wx
			}
			if c[1] == 0 {
				wy = 1 - wy
			}
			sum += wx * wy * sample(b.Min.X+clampTo(x0+c[0], w), b.Min.Y+clampTo(y0+c[1], h))
		}
		return sum
	}
	if m, ok := img.(*image.YCbCr); ok {
		luma := mix(func(x, y int) float64 { return float64(m.YCbCrAt(x, y).Y) })
		// The nearest pixel; half way belongs to the next one.
		c := m.YCbCrAt(b.Min.X+clampTo(int(math.Floor(x+0.5)), w), b.Min.Y+clampTo(int(math.Floor(y+0.5)), h))
		cb, cr := float64(c.Cb)-128, float64(c.Cr)-128
		in := func(v float64) float64 { return max(0, min(255, v)) }
		return colour{in(luma + 1.402*cr), in(luma - 0.344136*cb - 0.714136*cr), in(luma + 1.772*cb), luma}
	}
	channel := func(k int) float64 {
		return mix(func(x, y int) float64 {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			return float64([3]uint8{c.R, c.G, c.B}[k])
		})
	}
	return rgbOf(channel(0), channel(1), channel(2))
}

// A warp that does not shrink is the slow reference, for each kind of pixels,
// orientation, colour order and map.
func TestWarpAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 23).Draw(t, "w"), rapid.IntRange(1, 23).Draw(t, "h")
		min := image.Pt(rapid.IntRange(0, 5).Draw(t, "min x"), rapid.IntRange(0, 5).Draw(t, "min y"))
		seed := rapid.Uint64().Draw(t, "seed")
		var img image.Image
		switch kind := rapid.IntRange(0, len(ratios)+1).Draw(t, "kind"); {
		case kind < len(ratios):
			img = noiseYCbCr(w, h, ratios[kind], min, seed)
		default:
			img = noiseRGBA(w, h, min, kind == len(ratios), seed)
		}
		o := rapid.IntRange(1, 8).Draw(t, "orientation")
		p, err := NewPicture(Upright(img, o))
		if err != nil {
			t.Fatal(err)
		}
		s := rapid.Float64Range(0.2, 1.4).Draw(t, "scale")
		at := rapid.Float64Range(-8, 20)
		m := Affine{A: s, C: at.Draw(t, "x"), E: s, F: at.Draw(t, "y")}
		if rapid.Bool().Draw(t, "turned") {
			sin, cos := math.Sincos(rapid.Float64Range(-4, 4).Draw(t, "angle"))
			m.A, m.B, m.D, m.E = s*cos, -s*sin, s*sin, s*cos
		}
		pack := Packing{Order: Order(rapid.IntRange(0, 2).Draw(t, "order")), Mean: 127.5, Scale: 1.0 / 128, Fill: 99}
		ow, oh := rapid.IntRange(1, 9).Draw(t, "ow"), rapid.IntRange(1, 9).Draw(t, "oh")
		got := make([]float32, pack.Order.Planes()*ow*oh)
		p.Warp(got, ow, oh, m, pack)
		in := m.Then(orient(o, w, h))
		off := 1e-4
		if p.level(0).ycc != nil { // rounded to 8 bits, with weights of 8 bits
			off = 1.6 * float64(pack.Scale)
		}
		for v := range oh {
			for u := range ow {
				pos := in.Apply(Point{float64(u) + 0.5, float64(v) + 0.5})
				if nearEdge(pos, w, h) {
					continue // rounding decides between two neighbours
				}
				want := planesOf(slow(img, pos, 99), pack)
				for k, x := range want {
					if g := float64(got[k*ow*oh+v*ow+u]); math.Abs(g-x) > off {
						t.Fatalf("pixel %d,%d plane %d from %v is %v, want %v", u, v, k, pos, g, x)
					}
				}
			}
		}
	})
}

// nearEdge tells where a rounding error matters: at the border between fill
// and photo and between two chroma samples.
func nearEdge(p Point, w, h int) bool {
	const eps = 1e-9
	for _, v := range [...]float64{p.X, p.Y} {
		if f := v - math.Floor(v); f < eps || f > 1-eps {
			return true
		}
	}
	return math.Abs(p.X+0.5) < eps || math.Abs(p.Y+0.5) < eps ||
		math.Abs(p.X-float64(w)-0.5) < eps || math.Abs(p.Y-float64(h)-0.5) < eps
}

func planesOf(c colour, pack Packing) []float64 {
	pk := func(v float64) float64 { return (v - float64(pack.Mean)) * float64(pack.Scale) }
	switch pack.Order {
	case Gray:
		return []float64{pk(c[3])}
	case BGR:
		return []float64{pk(c[2]), pk(c[1]), pk(c[0])}
	}
	return []float64{pk(c[0]), pk(c[1]), pk(c[2])}
}

// Each halving is the mean of four pixels.
func TestHalf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(2, 19).Draw(t, "w"), rapid.IntRange(2, 19).Draw(t, "h")
		min := image.Pt(rapid.IntRange(0, 3).Draw(t, "min x"), rapid.IntRange(0, 3).Draw(t, "min y"))
		kind := rapid.IntRange(0, len(ratios)).Draw(t, "kind")
		seed := rapid.Uint64().Draw(t, "seed")
		var img image.Image = noiseRGBA(w, h, min, true, seed)
		if kind < len(ratios) {
			img = noiseYCbCr(w, h, ratios[kind], min, seed)
		}
		p, err := NewPicture(img)
		if err != nil {
			t.Fatal(err)
		}
		lv := p.level(1)
		if lv.w != w/2 || lv.h != h/2 || lv.shrink != 0.5 {
			t.Fatalf("level of %dx%d at %v", lv.w, lv.h, lv.shrink)
		}
		for y := range lv.h {
			for x := range lv.w {
				var got [3]byte
				var want [3]float64
				switch m, ok := img.(*image.YCbCr); {
				case lv.ycc != nil:
					c := lv.ycc.YCbCrAt(x, y)
					got = [3]byte{c.Y, c.Cb, c.Cr}
					want = planarMean(m, min.X+2*x, min.Y+2*y)
				case ok:
					got = [3]byte(lv.pix[4*(y*lv.w+x):])
					want = blockMean(flatten(m), 2*x, 2*y)
				default:
					got = [3]byte(lv.pix[4*(y*lv.w+x):])
					want = blockMean(img, min.X+2*x, min.Y+2*y)
				}
				for k := range got {
					if math.Abs(float64(got[k])-want[k]) > 0.51 { // rounding
						t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
					}
				}
			}
		}
	})
}

// blockMean is the mean colour of 2x2 pixels.
func blockMean(img image.Image, x, y int) (sum [3]float64) {
	for _, p := range [4]image.Point{{x, y}, {x + 1, y}, {x, y + 1}, {x + 1, y + 1}} {
		c := color.NRGBAModel.Convert(img.At(p.X, p.Y)).(color.NRGBA)
		for k, v := range [3]uint8{c.R, c.G, c.B} {
			sum[k] += float64(v) / 4
		}
	}
	return sum
}

// planarMean is the mean of 2x2 pixels as they are stored.
func planarMean(m *image.YCbCr, x, y int) (sum [3]float64) {
	for _, p := range [4]image.Point{{x, y}, {x + 1, y}, {x, y + 1}, {x + 1, y + 1}} {
		c := m.YCbCrAt(p.X, p.Y)
		for k, v := range [3]uint8{c.Y, c.Cb, c.Cr} {
			sum[k] += float64(v) / 4
		}
	}
	return sum
}

// A linear ramp stays where it is at any scale and orientation, and every
// output pixel whose centre lies in the photo is read from it.
func TestWarpScalesInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 150).Draw(t, "w"), rapid.IntRange(1, 150).Draw(t, "h")
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		ramp := func(x, y float64) float64 { return 10 + 0.9*x + 0.6*y }
		for i := range w * h {
			v := uint8(ramp(float64(i%w)+0.5, float64(i/w)+0.5) + 0.5)
			copy(img.Pix[4*i:], []byte{v, v, v, 255})
		}
		o := rapid.IntRange(1, 8).Draw(t, "orientation")
		p, err := NewPicture(Upright(img, o))
		if err != nil {
			t.Fatal(err)
		}
		pw, ph := p.Size()
		s := math.Exp(rapid.Float64Range(-0.5, 4).Draw(t, "log scale"))
		ow, oh := int(math.Ceil(float64(pw)/s)), int(math.Ceil(float64(ph)/s))
		got := make([]float32, ow*oh)
		const fill = -1000
		p.Warp(got, ow, oh, Affine{A: s, E: s}, Packing{Order: Gray, Scale: 1, Fill: fill})
		for i, g := range got {
			pos := Point{(float64(i%ow) + 0.5) * s, (float64(i/ow) + 0.5) * s}
			if pos.X > float64(pw) || pos.Y > float64(ph) {
				continue
			}
			if g == fill {
				t.Fatalf("pixel %d of %dx%d at %v of the %dx%d photo is fill", i, ow, oh, pos, pw, ph)
			}
			stored := orient(o, w, h).Apply(pos)
			// A block at the border cannot be centred on what lies beyond.
			edge := 2 * s
			if stored.X < edge || stored.Y < edge || stored.X > float64(w)-edge || stored.Y > float64(h)-edge {
				continue
			}
			if want := ramp(stored.X, stored.Y); math.Abs(float64(g)-want) > 3 {
				t.Fatalf("at %v (scale %v, orientation %d): %v, want %v", pos, s, o, g, want)
			}
		}
	})
}

func TestFlattenOverWhite(t *testing.T) {
	half := color.NRGBA{R: 200, A: 128}
	for name, img := range map[string]draw.Image{
		"NRGBA": image.NewNRGBA(image.Rect(2, 3, 4, 5)), "RGBA": image.NewRGBA(image.Rect(2, 3, 4, 5)),
		"NRGBA64":  image.NewNRGBA64(image.Rect(2, 3, 4, 5)),
		"Paletted": image.NewPaletted(image.Rect(2, 3, 4, 5), color.Palette{color.Transparent, half, color.Black}),
	} {
		img.Set(2, 3, color.Transparent)
		img.Set(3, 3, half)
		img.Set(2, 4, color.Black)
		img.Set(3, 4, color.Transparent)
		p, err := NewPicture(img)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 12)
		p.Warp(got, 2, 2, Affine{A: 1, E: 1}, Packing{Scale: 1})
		// Red, green and blue of the four pixels.
		want := []float32{255, 227, 0, 255, 255, 127, 0, 255, 255, 127, 0, 255}
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1.5 {
				t.Errorf("%s: %v, want %v", name, got, want)
				break
			}
		}
	}
}
