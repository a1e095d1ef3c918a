package ort

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// product keeps the compiler from multiplying constants.
//
//go:noinline
func product(a, b float32) float32 { return a * b }

func TestFlushIsRestored(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	subnormals := func(when string, want bool) {
		t.Helper()
		// The least normal float32 is 2^-126.
		if got := product(0x1p-126, 0.5) != 0; got != want {
			t.Errorf("%s: a subnormal result counts: %v, want %v", when, got, want)
		}
		if got := product(0x1p-130, 0x1p100) != 0; got != want {
			t.Errorf("%s: a subnormal operand counts: %v, want %v", when, got, want)
		}
	}
	flushes := runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"
	subnormals("before", true)
	broken := errors.New("broken")
	took, err := withFlush(func() error {
		subnormals("inside", !flushes)
		for start := time.Now(); time.Since(start) < 10*time.Millisecond; {
			subnormals("inside, at work", !flushes)
		}
		if _, err := withFlush(func() error { return nil }); err != nil {
			t.Error(err)
		}
		subnormals("inside, after another", !flushes)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if took < 0 || took > time.Minute {
		t.Errorf("took %v of CPU time", took)
	}
	subnormals("after", true)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was lost")
			}
		}()
		_, _ = withFlush(func() error { panic("broken") })
	}()
	subnormals("after a panic", true)
}

// embedder is the default embedder and one input for it: a smooth random crop.
func embedder(t testing.TB) (*Session, []float32) {
	t.Helper()
	inst := modelstest.Require(t)
	if err := Init(inst.Runtime); err != nil {
		t.Fatal(err)
	}
	s := load(t, inst.Embedder)
	n := inst.Embedder.Input.Width
	rnd := rand.New(rand.NewPCG(1, 2))
	in := make([]float32, 3*n*n)
	for c := range 3 {
		fx, fy, ph := rnd.Float64()/8, rnd.Float64()/8, rnd.Float64()*6
		for i := range n * n {
			in[c*n*n+i] = float32(math.Sin(fx*float64(i%n)+ph) * math.Cos(fy*float64(i/n)))
		}
	}
	return s, in
}

func load(t testing.TB, m models.Model) *Session {
	t.Helper()
	data, err := os.ReadFile(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(data, m.Input.Name, m.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func embed(t testing.TB, s *Session, in []float32) []float32 {
	t.Helper()
	out, err := s.Run(in, 1, 3, 112, 112)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// embedPlain is a run without flushing.
func embedPlain(t testing.TB, s *Session, in []float32) []float32 {
	t.Helper()
	tensor, err := ort.NewTensor(ort.NewShape(1, 3, 112, 112), in)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]ort.Value, 1)
	if err := s.session.Run([]ort.Value{tensor}, values); err != nil {
		t.Fatal(err)
	}
	out := slices.Clone(values[0].(*ort.Tensor[float32]).GetData())
	if err := errors.Join(tensor.Destroy(), values[0].Destroy()); err != nil {
		t.Fatal(err)
	}
	return out
}

// What flushing rounds away is far below what tells faces apart.
func TestFlushChangesNothing(t *testing.T) {
	s, in := embedder(t)
	flushed := embed(t, s, in)
	plain := embedPlain(t, s, in)
	var dot, a, b, worst float64
	for i := range plain {
		x, y := float64(plain[i]), float64(flushed[i])
		dot, a, b, worst = dot+x*y, a+x*x, b+y*y, max(worst, math.Abs(x-y))
	}
	worst /= math.Sqrt(a)
	t.Logf("of a unit vector the coordinates differ by at most %.2g", worst)
	if cosine := dot / math.Sqrt(a*b); !(cosine > 1-1e-6) || worst > 1e-5 {
		t.Errorf("cosine %v, coordinates differ by up to %v", cosine, worst)
	}
}

// The pair shows why subnormals are flushed.
func BenchmarkFlush(b *testing.B) {
	for _, c := range []struct {
		name  string
		embed func(testing.TB, *Session, []float32) []float32
	}{{"flushed", embed}, {"plain", embedPlain}} {
		b.Run(c.name, func(b *testing.B) {
			s, in := embedder(b)
			for b.Loop() {
				c.embed(b, s, in)
			}
		})
	}
}
