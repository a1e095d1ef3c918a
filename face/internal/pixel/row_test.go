package pixel

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawColumns are columns of any kind that read within n pixels and m samples
// of chroma; fits tells that a kernel must be able to read them.
func drawColumns(t *rapid.T, n, m int) (cols []Column, fits bool) {
	count := rapid.IntRange(0, 70).Draw(t, "columns")
	kind := rapid.SampledFrom([]string{"evenly", "near", "anywhere", "any chroma"}).Draw(t, "kind")
	cols = make([]Column, count)
	fits = (kind == "evenly" || kind == "near") && count >= lanes
	step := rapid.Float64Range(0, 2).Draw(t, "distance")
	at := rapid.Float64Range(-2, float64(n+2)).Draw(t, "begin")
	if rapid.Bool().Draw(t, "mirrored") {
		step = -step
	}
	weight := rapid.OneOf(rapid.SampledFrom([]int32{0, 1, 128, 255, 256}), rapid.Int32Range(0, 256))
	within := func(i, n int) int32 { return int32(min(max(i, 0), n-1)) }
	for u := range cols {
		c := &cols[u]
		switch kind {
		case "evenly", "any chroma":
			i := int(math.Floor(at + step*float64(u)))
			*c = Column{I: within(i, n), J: within(i+1, n), C: within(i/2, m)}
			if kind == "any chroma" {
				c.C = rapid.Int32Range(0, int32(m-1)).Draw(t, "c")
			}
		case "near": // any order within a window
			span := min(window, n, m)
			c.I = within(rapid.IntRange(0, span-1).Draw(t, "i"), n)
			c.J = within(rapid.IntRange(0, span-1).Draw(t, "j"), n)
			c.C = within(rapid.IntRange(0, span-1).Draw(t, "c"), m)
		default:
			c.I = rapid.Int32Range(0, int32(n-1)).Draw(t, "i")
			c.J = rapid.Int32Range(0, int32(n-1)).Draw(t, "j")
			c.C = rapid.Int32Range(0, int32(m-1)).Draw(t, "c")
		}
		c.T = weight.Draw(t, "t")
	}
	return cols, fits
}

// drawNorm has any mean and scale that are numbers.
func drawNorm(t *rapid.T) Norm {
	return NewNorm(rapid.Float32Range(-300, 300).Draw(t, "mean"), rapid.Float32().Draw(t, "scale"))
}

// canvas is three rows of n, and numbers around them that must stay.
type canvas struct {
	all []float32
	n   int
}

const untouched = float32(-12345)

func newCanvas(n int) canvas {
	c := canvas{make([]float32, 3*(n+9)+9), n}
	for i := range c.all {
		c.all[i] = untouched
	}
	return c
}

func (c canvas) rows() [3][]float32 {
	var r [3][]float32
	for k := range r {
		r[k] = c.all[9+k*(c.n+9):][:c.n:c.n]
	}
	return r
}

// differ is where two canvases do, to the bit.
func differ(a, b canvas) (at int, yes bool) {
	for i := range a.all {
		if math.Float32bits(a.all[i]) != math.Float32bits(b.all[i]) {
			return i, true
		}
	}
	return 0, false
}

// TestRow: what a kernel makes is what the loop over columns makes, to the bit,
// for rows of any length, address and content.
func TestRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(1, 90).Draw(t, "pixels"), rapid.IntRange(1, 90).Draw(t, "samples")
		cols, fits := drawColumns(t, n, m)
		shift := rapid.IntRange(0, 31).Draw(t, "shift")
		var rows [4][]byte
		for k, size := range []int{n, n, m, m} {
			rows[k] = draw(t, shift+size, "row")[shift:]
		}
		weight, norm := rapid.OneOf(rapid.Int32Range(0, 256), rapid.Int32Range(-1<<20, -1<<16), rapid.Int32Range(1<<16, 1<<20)).Draw(t, "t"), drawNorm(t)
		c := Prepare(cols)
		if fits = fits && c.luma >= window && c.chroma >= window; fits && best.colour != nil && c.blocks == nil {
			t.Fatalf("no blocks for %d columns in %d pixels and %d samples", len(cols), n, m)
		}
		got, want := newCanvas(len(cols)), newCanvas(len(cols))
		w := want.rows()
		row := colourRow{w[0], w[1], w[2], rows[0], rows[1], rows[2], rows[3], weight, 0, 0}
		row.generic(cols, &norm)
		c.Colour(got.rows(), rows[0], rows[1], rows[2], rows[3], weight, &norm)
		if i, yes := differ(got, want); yes {
			t.Fatalf("colour: number %d is %v, want %v", i, got.all[i], want.all[i])
		}
		grey := greyRow{w[0], rows[0], rows[1], weight, 0, 0}
		grey.generic(cols, &norm)
		c.Grey(got.rows()[0], rows[0], rows[1], weight, &norm)
		if i, yes := differ(got, want); yes {
			t.Fatalf("grey: number %d is %v, want %v", i, got.all[i], want.all[i])
		}
	})
}

// A detector's row goes through a kernel, where there is one.
func TestRowKernel(t *testing.T) {
	cols := make([]Column, 640) // of 500 pixels and half as many samples
	for u := range cols {
		x := 500 * u / len(cols)
		cols[u] = Column{I: int32(x), J: int32(min(x+1, 499)), C: int32(x / 2), T: int32(u % 257)}
	}
	if c := Prepare(cols); best.colour != nil && c.blocks == nil {
		t.Error("the row has no blocks")
	}
}

// TestRowColours sends every luma with every chroma through a kernel, of which
// many make colours out of range.
func TestRowColours(t *testing.T) {
	cols := make([]Column, 256)
	var luma, cb, cr [256]byte
	for i := range cols {
		cols[i] = Column{I: int32(i), J: int32(i), C: int32(i)}
		luma[i] = byte(i)
	}
	c, norm := Prepare(cols), NewNorm(0, 1)
	if best.colour != nil && c.blocks == nil {
		t.Fatal("no blocks")
	}
	got := newCanvas(256)
	rows := got.rows()
	for u := 0; u < 256; u += 3 {
		for i := range cols {
			cb[i], cr[i] = byte(u), byte(i*7+u*5)
		}
		c.Colour(rows, luma[:], luma[:], cb[:], cr[:], 77, &norm)
		for i := range cols {
			r, g, b := RGB(int32(i)<<fraction, cb[i], cr[i])
			if rows[0][i] != float32(r) || rows[1][i] != float32(g) || rows[2][i] != float32(b) {
				t.Fatalf("luma %d, chroma %d and %d: %v %v %v, want %d %d %d", i, cb[i], cr[i], rows[0][i], rows[1][i], rows[2][i], r, g, b)
			}
		}
	}
}

// TestCut: columns read the same in the part of a row as in the whole, and the
// part is no longer than they need.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, count := rapid.IntRange(1, 20).Draw(t, "pixels"), rapid.IntRange(1, 12).Draw(t, "columns")
		step := rapid.Float64Range(-2, 2).Draw(t, "distance")
		x := rapid.Float64Range(0, float64(n)).Draw(t, "begin")
		all := make([]Column, count)
		low, high := Column{I: math.MaxInt32, C: math.MaxInt32}, Column{}
		for u := range all {
			at := x + step*float64(u)
			i := int(math.Floor(at))
			c := Column{I: int32(min(max(i, 0), n-1)), J: int32(min(max(i+1, 0), n-1)), T: int32(u)}
			if c.C = c.I; at-math.Floor(at) >= 0.5 { // of the nearer one
				c.C = c.J
			}
			low.I, high.J = min(low.I, c.I), max(high.J, c.J)
			low.C, high.C = min(low.C, c.C), max(high.C, c.C)
			all[u] = c
		}
		cut := slices.Clone(all)
		luma, long, chroma, longc := Cut(cut)
		if luma != int(low.I) || luma+long-1 != int(high.J) || chroma != int(low.C) || chroma+longc-1 != int(high.C) {
			t.Fatalf("luma from %d, %d long, chroma from %d, %d long, of %v", luma, long, chroma, longc, all)
		}
		for u, c := range cut {
			c.I, c.J, c.C = c.I+int32(luma), c.J+int32(luma), c.C+int32(chroma)
			if c != all[u] {
				t.Fatalf("column %d reads %v, want %v", u, c, all[u])
			}
		}
	})
}

// TestRowRefusals: what a row does not hold is a panic, as in a loop over the
// columns, even where its capacity does.
func TestRowRefusals(t *testing.T) {
	const n = 40
	c, norm := Prepare(evenly(n, 0.9, 0)), NewNorm(0, 1)
	long, short := make([]byte, n), make([]byte, c.luma-1, n)
	dst := newCanvas(n).rows()
	c.Colour(dst, long, long, long, long, 9, &norm)
	for name, f := range map[string]func(){
		"top":    func() { c.Colour(dst, short, long, long, long, 9, &norm) },
		"bottom": func() { c.Colour(dst, long, short, long, long, 9, &norm) },
		"cb":     func() { c.Colour(dst, long, long, short[:c.chroma-1], long, 9, &norm) },
		"cr":     func() { c.Colour(dst, long, long, long, short[:c.chroma-1], 9, &norm) },
		"blue":   func() { c.Colour([3][]float32{dst[0], dst[1], nil}, long, long, long, long, 9, &norm) },
		"grey":   func() { c.Grey(dst[0], long, short, 9, &norm) },
		"output": func() { c.Grey(nil, long, long, 9, &norm) },
		"before": func() {
			cols := evenly(n, 0.9, 0)
			cols[3].I = -1
			before := Prepare(cols)
			before.Grey(dst[0], long, long, 9, &norm)
		},
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}
