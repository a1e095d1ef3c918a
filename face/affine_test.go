package face

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

func anySimilarity() *rapid.Generator[Affine] {
	return rapid.Custom(func(t *rapid.T) Affine {
		s := math.Exp(rapid.Float64Range(-3, 3).Draw(t, "log scale"))
		sin, cos := math.Sincos(rapid.Float64Range(-math.Pi, math.Pi).Draw(t, "angle"))
		at := rapid.Float64Range(-3000, 3000)
		return Affine{A: s * cos, B: -s * sin, C: at.Draw(t, "x"), D: s * sin, E: s * cos, F: at.Draw(t, "y")}
	})
}

func distance(a, b Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func TestAffineThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num := rapid.Float64Range(-10, 10)
		draw := func(name string) Affine {
			return Affine{num.Draw(t, name), num.Draw(t, name), num.Draw(t, name),
				num.Draw(t, name), num.Draw(t, name), num.Draw(t, name)}
		}
		m, n := draw("m"), draw("n")
		p := Point{num.Draw(t, "x"), num.Draw(t, "y")}
		if got, want := m.Then(n).Apply(p), n.Apply(m.Apply(p)); distance(got, want) > 1e-9 {
			t.Fatalf("%v, want %v", got, want)
		}
		if got, want := m.Then(n).Scale(), m.Scale()*n.Scale(); math.Abs(got-want) > 1e-6 {
			t.Fatalf("scale %v, want %v", got, want)
		}
	})
}

// Landmarks that are a similarity of the template are met exactly.
func TestAlignRecoversSimilarity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anySimilarity().Draw(t, "similarity")
		var lm Landmarks
		for i, p := range arcFace {
			lm[i] = want.Apply(p)
		}
		got, err := Align(lm)
		if err != nil {
			t.Fatal(err)
		}
		for _, corner := range []Point{{0, 0}, {112, 0}, {0, 112}, {112, 112}} {
			if d := distance(got.Apply(corner), want.Apply(corner)); d > 1e-6*(1+want.Scale()) {
				t.Fatalf("corner %v is %v off", corner, d)
			}
		}
	})
}

// leastSquares solves for the similarity (a, b, c, f) from src to dst that
// minimises the squared error: a linear problem in these four, here left to a
// QR decomposition.
func leastSquares(src, dst Landmarks) (Affine, error) {
	m, rhs := mat.NewDense(10, 4, nil), mat.NewVecDense(10, nil)
	for i, p := range src {
		m.SetRow(2*i, []float64{p.X, -p.Y, 1, 0})
		m.SetRow(2*i+1, []float64{p.Y, p.X, 0, 1})
		rhs.SetVec(2*i, dst[i].X)
		rhs.SetVec(2*i+1, dst[i].Y)
	}
	var x mat.VecDense
	if err := x.SolveVec(m, rhs); err != nil {
		return Affine{}, err
	}
	a, b := x.AtVec(0), x.AtVec(1)
	return Affine{A: a, B: -b, C: x.AtVec(2), D: b, E: a, F: x.AtVec(3)}, nil
}

func TestAlignIsLeastSquares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Float64Range(-200, 200)
		var lm Landmarks
		for i := range lm {
			lm[i] = Point{at.Draw(t, "x"), at.Draw(t, "y")}
		}
		want, err := leastSquares(lm, arcFace)
		if err != nil || !(want.Scale() > 0.01 && want.Scale() < 100) {
			t.Skip("ill-conditioned")
		}
		got, err := Align(lm)
		if err != nil {
			t.Fatal(err)
		}
		// The inverse of the numeric fit, by applying one after the other.
		for _, p := range lm {
			if d := distance(got.Apply(want.Apply(p)), p); d > 1e-5 {
				t.Fatalf("%v comes back %v px away", p, d)
			}
		}
	})
}

func TestAlignDegenerate(t *testing.T) {
	point := func(p Point) (lm Landmarks) {
		for i := range lm {
			lm[i] = p
		}
		return lm
	}
	with := func(i int, p Point) Landmarks {
		lm := arcFace
		lm[i] = p
		return lm
	}
	for name, lm := range map[string]Landmarks{
		"zero":     {},
		"one":      point(Point{40, 50}),
		"rounding": point(Point{27.2, 15.4}), // the mean of five differs from them
		"far":      point(Point{1e7 + 0.1, -1e7 - 0.7}),
		"huge":     point(Point{1e15, 1e15 / 3}),
		"NaN":      with(2, Point{math.NaN(), 1}),
		"infinite": with(4, Point{1, math.Inf(-1)}),
	} {
		if m, err := Align(lm); !errors.Is(err, ErrDegenerate) {
			t.Errorf("%s: %+v, %v; want ErrDegenerate", name, m, err)
		}
	}
}

func TestAlignNeverYieldsNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lm Landmarks
		for i := range lm {
			lm[i] = Point{rapid.Float64().Draw(t, "x"), rapid.Float64().Draw(t, "y")}
		}
		m, err := Align(lm)
		if err != nil {
			return
		}
		for _, v := range [...]float64{m.A, m.B, m.C, m.D, m.E, m.F} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v", m)
			}
		}
		if s := m.Scale(); !(s > 1e-7 && s < 1e7) {
			t.Fatalf("scale %v", s)
		}
	})
}
