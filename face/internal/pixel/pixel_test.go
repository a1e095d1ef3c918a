package pixel

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The tests run every implementation that the processor has. Those of another
// architecture run in an emulator:
//
//	GOARCH=arm64 CGO_ENABLED=0 go test -exec qemu-aarch64-static ./face/internal/pixel

// draw is n bytes of which many are extremes.
func draw(t *rapid.T, n int, name string) []byte {
	return rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{0, 255}), rapid.Byte()), n, n).Draw(t, name)
}

// guard is what lies around memory that must not be written.
const guard = 0xa5

// guarded is n bytes at any address, and those together with what lies around.
func guarded(n, shift int) (inside, all []byte) {
	all = bytes.Repeat([]byte{guard}, shift+n+64)
	return all[shift : shift+n : shift+n], all
}

// intact fails if something around the n bytes at shift has changed.
func intact(t interface{ Fatalf(string, ...any) }, all []byte, n, shift int) {
	for i, v := range all {
		if (i < shift || i >= shift+n) && v != guard {
			t.Fatalf("wrote at %d, outside of 0..%d", i-shift, n)
		}
	}
}

func halfOf(a, b []byte, i int) byte {
	return byte(math.Floor(float64(int(a[2*i])+int(a[2*i+1])+int(b[2*i])+int(b[2*i+1]))/4 + 0.5))
}

func TestHalve(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			n, shift := rapid.IntRange(0, 150).Draw(t, "n"), rapid.IntRange(0, 40).Draw(t, "shift")
			a, b := draw(t, 2*n+shift, "a")[shift:], draw(t, 2*n+rapid.IntRange(0, 3).Draw(t, "more"), "b")
			dst, all := guarded(n, shift)
			k.halve(dst, a, b)
			for i, got := range dst {
				if want := halfOf(a, b, i); got != want {
					t.Fatalf("value %d of %d is %d, want %d", i, n, got, want)
				}
			}
			intact(t, all, n, shift)
		}))
	}
}

// TestHalveSums goes through all sums of four, in all places of a step.
func TestHalveSums(t *testing.T) {
	for _, k := range kernels() {
		for sum := range 4*255 + 1 {
			a, b, dst := make([]byte, 128), make([]byte, 128), make([]byte, 64)
			for i := range dst {
				rest := sum
				for _, p := range []*byte{&a[2*i], &b[2*i+1], &a[2*i+1], &b[2*i]} {
					*p = byte(min(rest, 255))
					rest -= int(*p)
				}
			}
			k.halve(dst, a, b)
			if want := bytes.Repeat([]byte{byte((sum + 2) / 4)}, 64); !bytes.Equal(dst, want) {
				t.Fatalf("%s: a quarter of %d is %v", k.name, sum, dst)
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, rapid.MakeCheck(func(t *rapid.T) {
			w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
			stride, shift := w+rapid.IntRange(0, 20).Draw(t, "gap"), rapid.IntRange(0, 9).Draw(t, "shift")
			src := draw(t, (h-1)*stride+w, "src")
			dst, all := guarded(w*h, shift)
			k.transpose(dst, src, stride, w, h)
			for i, got := range dst {
				if want := src[i%h*stride+i/h]; got != want {
					t.Fatalf("row %d, column %d is %d, want %d", i/h, i%h, got, want)
				}
			}
			intact(t, all, w*h, shift)
		}))
	}
}

// TestByte: rounded to the nearest, and held within a byte.
func TestByte(t *testing.T) {
	for v := int32(-70 << 14); v < 340<<14; v += 97 {
		want := math.Floor(float64(v)/(1<<14) + 0.5)
		if got := Byte(v); float64(got) != min(max(want, 0), 255) {
			t.Fatalf("%d becomes %d, want %v", v, got, want)
		}
	}
}

// TestColours compares the arithmetic in whole numbers with that of JFIF.
func TestColours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 6, "pixels and chroma")
		x, y := rapid.Int32Range(0, 256).Draw(t, "x"), rapid.Int32Range(0, 256).Draw(t, "y")
		fx, fy := float64(x)/256, float64(y)/256
		luma := (1-fy)*((1-fx)*float64(p[0])+fx*float64(p[1])) + fy*((1-fx)*float64(p[2])+fx*float64(p[3]))
		got := Bilinear(p[0], p[1], p[2], p[3], x, y)
		if off := luma - float64(got)/(1<<14); off < 0 || off > 1.0/(1<<14) {
			t.Fatalf("luma of %v by %d, %d is %v, want %v", p, x, y, float64(got)/(1<<14), luma)
		}
		u, v := float64(p[4])-128, float64(p[5])-128
		r, g, b := RGB(got, p[4], p[5])
		for k, c := range []struct {
			got  byte
			want float64
		}{{r, luma + 1.402*v}, {g, luma - 0.344136*u - 0.714136*v}, {b, luma + 1.772*u}} {
			if off := math.Abs(float64(c.got) - min(max(c.want, 0), 255)); off > 0.51 {
				t.Fatalf("colour %d of luma %v and %v is %d, want %v", k, luma, p[4:], c.got, c.want)
			}
		}
	})
}

func TestNorm(t *testing.T) {
	n := NewNorm(127.5, 1.0/128)
	for _, c := range []struct {
		colour uint8
		want   float32
	}{{0, -0.99609375}, {127, -0.00390625}, {255, 0.99609375}} {
		if got := n.Of(c.colour); got != c.want {
			t.Errorf("the norm of %d is %v, want %v", c.colour, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	bytes := func(n int) []byte { return make([]byte, n, 1000) } // a capacity is no length
	for name, f := range map[string]func(){
		"first row":         func() { Halve(bytes(64), bytes(127), bytes(128)) },
		"second row":        func() { Halve(bytes(64), bytes(128), bytes(127)) },
		"output":            func() { Transpose(bytes(255), bytes(256), 16, 16, 16) },
		"plane":             func() { Transpose(bytes(256), bytes(255), 16, 16, 16) },
		"plane with gaps":   func() { Transpose(bytes(256), bytes(15*20+15), 20, 16, 16) },
		"rows that overlap": func() { Transpose(bytes(256), bytes(256), 15, 16, 16) },
		"no stride":         func() { Transpose(bytes(256), bytes(256), 0, 16, 16) },
		"size":              func() { Transpose(bytes(256), bytes(256), 1<<40, 1<<40, 1<<40) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
	Halve(nil, nil, nil)
	Transpose(nil, nil, 0, 0, 5)
	Transpose(bytes(256), bytes(15*20+16), 20, 16, 16)
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}
