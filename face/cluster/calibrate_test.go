package cluster

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kith-photos/kith/face"
)

func TestFAR(t *testing.T) {
	im := face.Impostors{Thresholds: []float64{0.2, 0.3, 0.5}, FAR: []float64{1e-1, 1e-2, 1e-4}}
	for _, test := range []struct{ at, want float64 }{
		{-1, 1}, {0.1999, 1}, // unknown
		{0.2, 1e-1}, {0.25, math.Pow(10, -1.5)}, {0.3, 1e-2}, {0.4, 1e-3}, {0.5, 1e-4},
		{0.6, 1e-5}, {1, 1e-9}, // continued
	} {
		if got := FAR(im, test.at); math.Abs(got/test.want-1) > 1e-9 {
			t.Errorf("FAR(%v) = %v, want %v", test.at, got, test.want)
		}
	}
	single := face.Impostors{Thresholds: []float64{0.2}, FAR: []float64{0.1}}
	if got := FAR(single, 0.9); got != 0.1 {
		t.Errorf("a tail of one threshold is %v beyond it, want 0.1", got)
	}
}

func TestValidateImpostors(t *testing.T) {
	for name, im := range map[string]face.Impostors{
		"empty":          {},
		"lengths":        {Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.1}},
		"falling":        {Thresholds: []float64{0.2, 0.1}, FAR: []float64{0.1, 0.01}},
		"equal":          {Thresholds: []float64{0.2, 0.2}, FAR: []float64{0.1, 0.01}},
		"NaN threshold":  {Thresholds: []float64{math.NaN()}, FAR: []float64{0.1}},
		"threshold of 2": {Thresholds: []float64{2}, FAR: []float64{0.1}},
		"rising rate":    {Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.1, 0.2}},
		"rate of zero":   {Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.1, 0}},
		"rate of 2":      {Thresholds: []float64{0.1}, FAR: []float64{2}},
		"NaN rate":       {Thresholds: []float64{0.1}, FAR: []float64{math.NaN()}},
	} {
		if ValidateImpostors(im) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := ValidateImpostors(normalTail(0.1)); err != nil {
		t.Error(err)
	}
}

func TestMeasureImpostors(t *testing.T) {
	// Two people of 20 and 30 faces: 600 pairs of strangers, of which the
	// first 12 faces of each, equal but for their person, give 144 at 1.
	rng := rand.New(rand.NewPCG(1, 1))
	const dim = 64
	f := Faces{Dim: dim}
	var identity []int
	twin := direction(rng, dim)
	for i := range 50 {
		person, v := i/20, direction(rng, dim)
		if person == 2 {
			person = 1
		}
		if i < 12 || i >= 20 && i < 32 {
			v = twin
		}
		f.Data = append(f.Data, v...)
		identity = append(identity, person)
	}
	// An unknown face, equal to the twins, counts for nothing.
	f.Data = append(f.Data, twin...)
	identity = append(identity, -1)

	im, err := MeasureImpostors(t.Context(), f, identity, []float64{-1, 0.9, 0.95, 1})
	if err != nil {
		t.Fatal(err)
	}
	if im.Pairs != 600 || len(im.FAR) < 3 || im.FAR[0] != 1 || im.FAR[1] != 144./600 || im.FAR[2] != 144./600 {
		t.Errorf("%+v, want 600 pairs, 144 of them above 0.9 and 0.95", im)
	}
	if err := ValidateImpostors(im); err != nil {
		t.Error(err)
	}
}

func TestMeasuredTailIsTheNormalOne(t *testing.T) {
	a := newAlbum(7, 3000)
	var thresholds []float64
	for x := 0.1; x < 0.6; x += 0.05 {
		thresholds = append(thresholds, x)
	}
	im, err := MeasureImpostors(t.Context(), a.Faces, a.person, thresholds)
	if err != nil {
		t.Fatal(err)
	}
	if last := len(im.FAR) - 1; im.FAR[last]*float64(im.Pairs) < minTailPairs {
		t.Errorf("the tail ends at a rate of %v of %d pairs", im.FAR[last], im.Pairs)
	}
	for i, x := range im.Thresholds {
		want := math.Erfc(x/strangerSD/math.Sqrt2) / 2
		if im.FAR[i] > 1e-4 && math.Abs(math.Log(im.FAR[i]/want)) > math.Log(1.5) {
			t.Errorf("FAR(%.2f) = %.3g, want about %.3g", x, im.FAR[i], want)
		}
	}
}

func TestMeasureImpostorsRefuses(t *testing.T) {
	f := Faces{Dim: 1, Data: []float32{1, -1}}
	for name, test := range map[string]struct {
		identity   []int
		thresholds []float64
	}{
		"identities":    {[]int{0}, []float64{0.1}},
		"no thresholds": {[]int{0, 1}, nil},
		"falling":       {[]int{0, 1}, []float64{0.2, 0.1}},
	} {
		if _, err := MeasureImpostors(t.Context(), f, test.identity, test.thresholds); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := MeasureImpostors(t.Context(), f, []int{0, 1}, []float64{0.1}); !errors.Is(err, ErrNoTail) {
		t.Errorf("no pair above the threshold: error %v, want ErrNoTail", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MeasureImpostors(ctx, f, []int{0, 1}, []float64{0.1}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
