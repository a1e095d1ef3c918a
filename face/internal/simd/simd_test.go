package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The tests run every implementation that the processor has. Those of another
// architecture run in an emulator:
//
//	GOARCH=arm64 CGO_ENABLED=0 go test -exec qemu-aarch64-static ./face/internal/simd
//	GOARCH=arm64 CGO_ENABLED=0 go test -exec 'qemu-aarch64-static -cpu cortex-a72' ./face/internal/simd
//
// of which the second has no dot product of bytes.

// fills are kinds of numbers.
var fills = map[string]func(rng *rand.Rand) int16{
	"random":   func(rng *rand.Rand) int16 { return int16(rng.Uint32()) },
	"small":    func(rng *rand.Rand) int16 { return int16(rng.IntN(3) - 1) },
	"zero":     func(*rand.Rand) int16 { return 0 },
	"highest":  func(*rand.Rand) int16 { return math.MaxInt16 },
	"lowest":   func(*rand.Rand) int16 { return math.MinInt16 },
	"extremes": func(rng *rand.Rand) int16 { return int16(math.MaxInt16 + rng.IntN(2)) },
}

// random is a matrix of n vectors of dim numbers.
func random(n, dim int, number func() int16) *Matrix {
	m := NewMatrix(n, dim, func(int) []float32 { return make([]float32, dim) })
	for i := range n {
		for k := range dim {
			m.data[m.at(i, k)] = number()
		}
	}
	return m
}

// at is where number k of vector i lies, by the comment of packed.
func (m *Matrix) at(i, k int) int {
	return i/Lanes*Lanes*m.width + k/2*2*Lanes + i%Lanes*2 + k%2
}

// dot is a product by definition.
func (m *Matrix) dot(i, j int) int32 {
	var sum int32
	for k := range m.width {
		sum += int32(m.data[m.at(i, k)]) * int32(m.data[m.at(j, k)])
	}
	return sum
}

func TestTile(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) { testTile(t, k) })
	}
}

func testTile(t *testing.T, k kernel) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, number := range fills {
		for _, dim := range []int{1, 2, 3, 31, 64, 510, 512, 513} {
			m := random(3*Lanes+5, dim, func() int16 { return number(rng) })
			const guard = 7
			a0, a1, b0, b1 := 1, 3, 0, 4
			stride := (b1 - b0) * Lanes
			out := make([]int32, (a1-a0)*Lanes*stride+guard)
			for i := range out {
				out[i] = guard
			}
			k.tile(out, stride, m.panels(a0, a1), m.panels(b0, b1), m.width)
			for i := range (a1 - a0) * Lanes {
				for j := range stride {
					if got, want := out[i*stride+j], m.dot(a0*Lanes+i, b0*Lanes+j); got != want {
						t.Fatalf("%s, %s numbers, dim %d: product of %d and %d is %d, want %d", k.name, name, dim, i, j, got, want)
					}
				}
			}
			if slices.ContainsFunc(out[len(out)-guard:], func(x int32) bool { return x != guard }) {
				t.Fatalf("%s, dim %d: writes beyond its end", k.name, dim)
			}
		}
	}
}

func TestAbove(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) { testAbove(t, k) })
	}
}

func testAbove(t *testing.T, k kernel) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, floor := range []int32{0, 1, -1, 1000, math.MaxInt32, math.MinInt32} {
		for words := range 5 {
			dots := make([]int32, 32*words)
			for j := range dots {
				switch rng.IntN(3) {
				case 0:
					dots[j] = int32(rng.Uint32())
				case 1:
					dots[j] = floor + int32(rng.IntN(3)) - 1
				default:
					dots[j] = []int32{math.MinInt32, math.MaxInt32}[rng.IntN(2)]
				}
			}
			hits := make([]uint32, words+1)
			k.above(hits[:words], dots, floor)
			for j, d := range dots {
				if got := hits[j/32]>>(j%32)&1 != 0; got != (d > floor) {
					t.Fatalf("%s: %d above %d is %v", k.name, d, floor, got)
				}
			}
			if hits[words] != 0 {
				t.Fatalf("%s writes beyond its end", k.name)
			}
		}
	}
}

// TestQuantize: rounded to the nearest, halves to even, and held within int16.
func TestQuantize(t *testing.T) {
	inf, tiny := float32(math.Inf(1)), float32(math.SmallestNonzeroFloat32)
	numbers := []float32{0, tiny, -tiny, 1, -1, 1.01, -1.01, 1.9999, 2, -2, 2.1, -2.1, 1e30, inf, -inf}
	for i := -70; i < 70; i++ {
		numbers = append(numbers, float32(i)/4/Scale, float32(i)/4/Scale+1)
	}
	rng := rand.New(rand.NewPCG(1, 8))
	for range 10000 {
		numbers = append(numbers, float32(rng.NormFloat64()))
	}
	for _, x := range numbers {
		want := math.RoundToEven(float64(x) * Scale)
		want = min(max(want, math.MinInt16), math.MaxInt16)
		if got := quantize(x); float64(got) != want {
			t.Errorf("%v becomes %d, want %v", x, got, want)
		}
	}
}

// TestDot: the product of two vectors alone is the one that Tile and a Matrix
// give, also for lengths that do not fill a pair.
func TestDot(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, dim := range []int{1, 2, 7, 512} {
		v := make([][]float32, Lanes+3)
		for i := range v {
			v[i] = normal(rng, dim)
		}
		m := NewMatrix(len(v), dim, func(i int) []float32 { return v[i] })
		side := m.Panels() * Lanes
		tile := make([]int32, side*side)
		m.Tile(tile, 0, m.Panels(), 0, m.Panels())
		for i := range v {
			for j := range v {
				if want := Dot(v[i], v[j]); tile[i*side+j] != want {
					t.Fatalf("dim %d: the product of %d and %d is %d, in a tile %d", dim, i, j, want, tile[i*side+j])
				}
			}
		}
		if m.Rows() != len(v) || tile[len(v)] != 0 {
			t.Errorf("dim %d: %d vectors, filled up with %d", dim, m.Rows(), tile[len(v)])
		}
	}
}

// normal is a vector of about length 1 in any direction.
func normal(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for k := range v {
		v[k] = float32(rng.NormFloat64() / math.Sqrt(float64(dim)))
	}
	return v
}

func TestRefusals(t *testing.T) {
	zeros := func(n int) func(int) []float32 { return func(int) []float32 { return make([]float32, n) } }
	m, m8 := NewMatrix(5, 3, zeros(3)), NewMatrix8(5, 3, zeros(3))
	for name, f := range map[string]func(){
		"no dimension":         func() { NewMatrix(1, 0, nil) },
		"negative number":      func() { NewMatrix(-1, 1, nil) },
		"row too short":        func() { NewMatrix(1, 2, zeros(1)) },
		"row too long":         func() { NewMatrix(1, 2, zeros(3)) },
		"short vector":         func() { Dot(make([]float32, 3), make([]float32, 2)) },
		"marks":                func() { Above(make([]uint32, 2), make([]int32, 63), 0) },
		"panels":               func() { m.Tile(make([]int32, 2*Lanes*Lanes), 0, 1, 0, 2) },
		"8: no dimension":      func() { NewMatrix8(1, 0, nil) },
		"8: negative number":   func() { NewMatrix8(-1, 1, nil) },
		"8: negative addition": func() { m8.Append(-1, nil) },
		"8: row too short":     func() { NewMatrix8(1, 2, zeros(1)) },
		"8: row too long":      func() { m8.Append(1, zeros(4)) },
		"8: rounded into odd":  func() { Quantize8(make([]int8, 3), make([]float32, 3)) },
		"8: short probe":       func() { m8.Dots(make([]int32, 32), make([]int8, 3), 0, 1) },
		"8: short output":      func() { m8.Dots(make([]int32, 31), make([]int8, 8), 0, 1) },
		"8: panels":            func() { m8.Dots(make([]int32, 64), make([]int8, 8), 0, 2) },
	} {
		if !panics(f) {
			t.Errorf("%s: no panic", name)
		}
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}
