package cluster

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/internal/simd"
)

// gonumTile is the side of the blocks that gonum multiplies at one go, in the
// calling goroutine; from 128 on it cuts the vectors into pieces of 64 numbers
// and spreads them over goroutines, which was measured to cost 1.7 times the
// processor time.
const gonumTile = 64

// gonumSimilarities is similarities in float32 with gonum's matrix product: what
// the integers are tested and timed against. Vectors that do not fill whole
// groups of 16 numbers cost a little more.
func gonumSimilarities(f Faces, visit func(i, j int, sim []float32)) {
	n, c := f.Len(), make([]float32, gonumTile*gonumTile)
	block := func(from int) blas32.General {
		rows := min(gonumTile, n-from)
		return blas32.General{Rows: rows, Cols: f.Dim, Stride: f.Dim, Data: f.Data[from*f.Dim : (from+rows)*f.Dim]}
	}
	for i0 := 0; i0 < n; i0 += gonumTile {
		a := block(i0)
		for j0 := i0; j0 < n; j0 += gonumTile {
			b := block(j0)
			prod := blas32.General{Rows: a.Rows, Cols: b.Rows, Stride: b.Rows, Data: c}
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, a, b, 0, prod)
			for i := range prod.Rows {
				from := 0
				if j0 == i0 {
					from = i + 1
				}
				visit(i0+i, j0+from, c[i*prod.Stride+from:(i+1)*prod.Stride])
			}
		}
	}
}

// roundingSteps is by how many steps the rounding of two unit vectors can move
// their similarity: each number moves by at most half a unit, each vector by
// √dim times that (Cauchy-Schwarz). One step more for the rounding to steps.
func roundingSteps(dim int) float64 {
	moved := math.Sqrt(float64(dim)) / 2 / simd.Scale
	return (2*moved+moved*moved)*one + 1
}

// TestSimilaritiesEqualGonum: all pairs above the floor and only those, each
// once, within what rounding explains of gonum's float32.
func TestSimilaritiesEqualGonum(t *testing.T) {
	for _, dim := range []int{1, 3, 16, 65, 128, 510, 512} {
		for _, n := range []int{0, 1, 2, 31, 33, 2*tileRows*simd.Lanes + 7} {
			rng := rand.New(rand.NewPCG(uint64(dim), uint64(n)))
			f := Faces{Dim: dim}
			for range n {
				f.Data = append(f.Data, direction(rng, dim)...)
			}
			floors := []int32{-one - 1, -1, 0, one / 10, one - 1, one}
			if n > 100 { // a map of all pairs takes its time
				floors = floors[3:4]
			}
			for _, floor := range floors {
				checkSimilarities(t, f, floor)
			}
		}
	}
}

func checkSimilarities(t *testing.T, f Faces, floor int32) {
	t.Helper()
	type key struct{ u, v int }
	got := map[key]int32{}
	err := similarities(t.Context(), quantized(f.Dim, f.Len(), f.row), floor, func(pairs []pair) {
		for _, p := range pairs {
			k := key{int(p.u), int(p.v)}
			if _, twice := got[k]; twice || p.u >= p.v || p.step <= floor {
				t.Errorf("dim %d, floor %d: pair %v, visited before: %v", f.Dim, floor, p, twice)
			}
			got[k] = p.step
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	gonumSimilarities(f, func(u, v0 int, sims []float32) {
		for k, sim := range sims {
			step, ok := got[key{u, v0 + k}]
			want := stepOf(f.row(u), f.row(v0+k))
			if ok != (want > floor) || ok && step != want {
				t.Fatalf("dim %d, floor %d: %d and %d have %d steps, found %v with %d", f.Dim, floor, u, v0+k, want, ok, step)
			}
			if off := math.Abs(float64(want) - float64(sim)*one); off > roundingSteps(f.Dim) {
				t.Fatalf("dim %d: %d and %d have %d steps, gonum says %v", f.Dim, u, v0+k, want, sim*one)
			}
			if ok {
				found++
			}
		}
	})
	if found != len(got) {
		t.Fatalf("dim %d, floor %d: %d pairs visited, want %d", f.Dim, floor, len(got), found)
	}
}

// TestStepRounding: a product of vectors whose numbers need no rounding comes
// out as the similarity rounded to the nearest step.
func TestStepRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for range 1000 {
		x, y := make(face.Vector, 8), make(face.Vector, 8)
		for k := range x {
			x[k], y[k] = float32(rng.IntN(257)-128)/512, float32(rng.IntN(257)-128)/512
		}
		want := int32(min(math.Floor(x.Dot(y)*one+0.5), one))
		if got := stepOf(x, y); got != want {
			t.Fatalf("%v·%v is %d steps, want %d", x, y, got, want)
		}
	}
	for _, floor := range []int32{-one - 1, -1, 0, 1, 1000, one - 1} {
		if low := dotFloor(floor); dotStep(low) != floor || dotStep(low+1) != floor+1 {
			t.Errorf("floor %d: the products %d and %d have %d and %d steps", floor, low, low+1, dotStep(low), dotStep(low+1))
		}
	}
}

func TestSimilaritiesCancel(t *testing.T) {
	f := newAlbum(1, 1000).Faces
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	visits := 0
	err := similarities(ctx, quantized(f.Dim, f.Len(), f.row), 0, func([]pair) { visits++; cancel() })
	if !errors.Is(err, context.Canceled) || visits == 0 || visits > 16 {
		t.Fatalf("error %v after %d visits", err, visits)
	}
}
