package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fills8 are kinds of numbers.
var fills8 = map[string]func(rng *rand.Rand) int8{
	"random":   func(rng *rand.Rand) int8 { return int8(rng.IntN(255) - 127) },
	"small":    func(rng *rand.Rand) int8 { return int8(rng.IntN(3) - 1) },
	"zero":     func(*rand.Rand) int8 { return 0 },
	"highest":  func(*rand.Rand) int8 { return 127 },
	"lowest":   func(*rand.Rand) int8 { return -127 },
	"extremes": func(rng *rand.Rand) int8 { return int8(254*rng.IntN(2) - 127) },
}

// random8 is a matrix of n vectors of dim numbers.
func random8(n, dim int, number func() int8) *Matrix8 {
	m := NewMatrix8(n, dim, func(int) []float32 { return make([]float32, dim) })
	for i := range n {
		for k := range dim {
			m.data[m.at(i, k)] = number()
		}
	}
	return m
}

// at is where number k of vector i lies, by the comment of packed.
func (m *Matrix8) at(i, k int) int {
	return i/Lanes*Lanes*m.width + k/4*4*Lanes + i%Lanes*4 + k%4
}

// dot is a product by definition.
func (m *Matrix8) dot(probe []int8, i int) int32 {
	var sum int32
	for k, x := range probe {
		sum += int32(x) * int32(m.data[m.at(i, k)])
	}
	return sum
}

func TestDots(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) { testDots(t, k) })
	}
}

// testDots multiplies every kind of vectors with every kind of probe.
func testDots(t *testing.T, k kernel) {
	rng := rand.New(rand.NewPCG(1, 3))
	const guard = 7
	for name, number := range fills8 {
		for _, dim := range []int{1, 2, 3, 4, 7, 8, 9, 31, 64, 510, 512, 513} {
			m := random8(3*Lanes+5, dim, func() int8 { return number(rng) })
			for with, of := range fills8 {
				probe := make([]int8, m.width)
				for i := range dim {
					probe[i] = of(rng)
				}
				for panels := range m.Panels() + 1 {
					out := slices.Repeat([]int32{guard}, panels*Lanes+1)
					k.dots(out[:panels*Lanes], probe, m.panels(0, panels))
					for j, got := range out[:panels*Lanes] {
						if want := m.dot(probe, j); got != want {
							t.Fatalf("%s, %s by %s numbers, dim %d: product with %d is %d, want %d", k.name, name, with, dim, j, got, want)
						}
					}
					if out[panels*Lanes] != guard {
						t.Fatalf("%s, dim %d: writes beyond its end", k.name, dim)
					}
				}
			}
		}
	}
}

// checkRounded rounds a vector and holds what Quantize8 promises against it.
func checkRounded(t *testing.T, v []float32) Rounding {
	t.Helper()
	q := slices.Repeat([]int8{99}, Width8(len(v)))
	r := Quantize8(q, v)
	var square, rest, length float64
	for k, x := range v {
		d := float64(x) - float64(r.Step)*float64(q[k])
		square, rest, length = square+float64(x)*float64(x), rest+d*d, length+float64(q[k])*float64(q[k])
		if q[k] == -128 {
			t.Fatalf("%v becomes -128", x)
		}
	}
	if slices.ContainsFunc(q[len(v):], func(x int8) bool { return x != 0 }) {
		t.Fatalf("filled up with %v", q[len(v):])
	}
	if norm := math.Sqrt(square); !(norm <= math.MaxFloat64) { // NaN and infinity
		if r.Lost <= math.MaxFloat32 || length != 0 {
			t.Fatalf("length %v: %v, integers of length² %v", norm, r, length)
		}
		return r
	}
	if !(float64(r.Lost) >= math.Sqrt(rest)) {
		t.Fatalf("step %v, lost %v, but the rest has %v", r.Step, r.Lost, math.Sqrt(rest))
	}
	// Half a step a number, or nothing where the vector is too short.
	if most := math.Sqrt(float64(len(v))) * max(0.5001*float64(r.Step), 130*shortest); float64(r.Lost) > most+1e-40 {
		t.Fatalf("step %v, lost %v, more than %v", r.Step, r.Lost, most)
	}
	if length > math.MaxInt32 {
		t.Fatalf("the integers' length² is %v", length)
	}
	return r
}

func TestQuantize8(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	peak := normal(rng, 512)
	peak[100] = -1
	for name, v := range map[string][]float32{
		"none":       {},
		"zero":       make([]float32, 9),
		"one":        {1},
		"minus one":  {-1},
		"halves":     {127, 0.5, 1.5, -0.5, -2.5, 0.49999997},
		"random":     normal(rng, 512),
		"peak":       peak,
		"tiny":       {1e-45, -1e-45, 1e-40},
		"short":      {1e-29, 3e-30, -1e-28},
		"huge":       {math.MaxFloat32, -math.MaxFloat32, 1},
		"NaN":        {1, nan},
		"payload":    {math.Float32frombits(0x7fc00080), 1},
		"infinity":   {inf, 1},
		"-infinity":  {-inf, inf},
		"long":       slices.Repeat([]float32{1}, 200_000), // 127 each would give 127²×200,000 > 2^31
		"long peaks": append(slices.Repeat([]float32{-1, 1}, 150_000), 3),
	} {
		t.Run(name, func(t *testing.T) { checkRounded(t, v) })
	}
	if r := checkRounded(t, normal(rng, 512)); !(r.Lost > 0.002 && r.Lost < 0.02) {
		t.Errorf("a vector of length 1 loses %v, want about 0.007", r.Lost)
	}
	got := make([]int8, 8)
	if r := Quantize8(got, []float32{-254, 1, 3, -5, 254, 7}); r.Step != 2 || !slices.Equal(got, []int8{-127, 0, 2, -2, 127, 4, 0, 0}) {
		t.Errorf("rounded to %v by %v", got, r)
	}
}

// TestLongProducts: the products of vectors that are as long as they get fit
// into int32.
func TestLongProducts(t *testing.T) {
	const dim = 300_000
	v := slices.Repeat([]float32{1}, dim)
	m := NewMatrix8(1, dim, func(int) []float32 { return v })
	probe, out := make([]int8, Width8(dim)), make([]int32, Lanes)
	r := Quantize8(probe, v)
	m.Dots(out, probe, 0, 1)
	if got := float64(out[0]) * float64(r.Step) * float64(r.Step); math.Abs(got-dim) > dim/50 {
		t.Errorf("the product is %v (%d), want about %d", got, out[0], dim)
	}
}

// TestAppend: vectors that come later are as if they had come at once, and a
// product is within the bound that the comment of Rounding gives.
func TestAppend(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 11))
	const n, dim = 3*Lanes + 9, 77
	v := make([][]float32, n)
	for i := range v {
		v[i] = normal(rng, dim)
		v[i][i%dim] *= float32(rng.IntN(20))
	}
	all := NewMatrix8(n, dim, func(i int) []float32 { return v[i] })
	m := NewMatrix8(0, dim, nil)
	for m.Rows() < n {
		first := m.Rows()
		m.Append(min(rng.IntN(40), n-first), func(i int) []float32 { return v[first+i] })
	}
	if m.Rows() != n || m.Panels() != 4 || !slices.Equal(m.data, all.data) || !slices.Equal(m.Roundings(0, n), all.Roundings(0, n)) {
		t.Fatal("not as if they had come at once")
	}
	probe, dots := make([]int8, Width8(dim)), make([]int32, m.Panels()*Lanes)
	p := Quantize8(probe, v[5])
	m.Dots(dots, probe, 0, m.Panels())
	norm := func(v []float32) float64 { return math.Sqrt(product(v, v)) }
	for i, r := range m.Roundings(0, n) {
		got, want := float64(dots[i])*float64(p.Step)*float64(r.Step), product(v[5], v[i])
		bound := norm(v[5])*float64(r.Lost) + float64(p.Lost)*(norm(v[i])+float64(r.Lost))
		if math.Abs(got-want) > bound {
			t.Errorf("the product with %d is %v, want %v within %v", i, got, want, bound)
		}
	}
	if slices.ContainsFunc(dots[n:], func(d int32) bool { return d != 0 }) {
		t.Errorf("filled up with %v", dots[n:])
	}
}

func product(x, y []float32) float64 {
	var sum float64
	for k, v := range x {
		sum += float64(v) * float64(y[k])
	}
	return sum
}
