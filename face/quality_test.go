package face

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func anyMeasures() *rapid.Generator[Measures] {
	return rapid.Custom(func(t *rapid.T) Measures {
		return Measures{
			EyeDistance: rapid.Float64Range(0, 80).Draw(t, "eyes"),
			Sharpness:   rapid.Float64Range(0, 1).Draw(t, "sharpness"),
			Yaw:         rapid.Float64Range(0, 2).Draw(t, "yaw"),
			Pitch:       rapid.Float64Range(-1, 2).Draw(t, "pitch"),
			Score:       rapid.Float64Range(0, 1).Draw(t, "score"),
		}
	})
}

// Getting better in one measure never lowers the quality.
func TestQualityIsMonotonic(t *testing.T) {
	toPitch := func(m *Measures, by float64) { m.Pitch = 0.55 + (m.Pitch-0.55)*(1-by) }
	better := map[string]func(m *Measures, by float64){
		"size":      func(m *Measures, by float64) { m.EyeDistance += 40 * by },
		"sharpness": func(m *Measures, by float64) { m.Sharpness += by },
		"yaw":       func(m *Measures, by float64) { m.Yaw *= 1 - by },
		"pitch":     toPitch,
		"score":     func(m *Measures, by float64) { m.Score += by },
	}
	for name, improve := range better {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m := anyMeasures().Draw(t, "measures")
				before := m.Quality()
				improve(&m, rapid.Float64Range(0, 1).Draw(t, "by"))
				after := m.Quality()
				if after < before-1e-12 || before < 0 || after > 1 {
					t.Fatalf("from %v to %v", before, after)
				}
			})
			middling := Measures{EyeDistance: 20, Sharpness: 0.1, Yaw: 0.6, Pitch: 0.9, Score: 0.6}
			before := middling.Quality()
			improve(&middling, 0.1)
			if middling.Quality() <= before {
				t.Error("the measure has no influence")
			}
		})
	}
}

func TestQualityEnds(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		m    Measures
		want float64
	}{
		"best":    {Measures{EyeDistance: 36, Sharpness: 0.2, Yaw: 0.3, Pitch: 0.55, Score: 0.8}, 1},
		"tiny":    {Measures{EyeDistance: 6, Sharpness: 0.2, Yaw: 0, Pitch: 0.55, Score: 1}, 0},
		"half":    {Measures{EyeDistance: 21, Sharpness: 0.2, Yaw: 0, Pitch: 0.55, Score: 1}, 0.5},
		"blurred": {Measures{EyeDistance: 40, Sharpness: 0, Yaw: 0, Pitch: 0.55, Score: 1}, 0.2},
		"profile": {Measures{EyeDistance: 40, Sharpness: 1, Yaw: 1, Pitch: 0.55, Score: 1}, 0.2},
		"nodding": {Measures{EyeDistance: 40, Sharpness: 1, Yaw: 0, Pitch: 2, Score: 1}, 0.4},
		"unsure":  {Measures{EyeDistance: 40, Sharpness: 1, Yaw: 0, Pitch: 0.55, Score: 0.4}, 0.4},
		"NaN":     {Measures{nan, nan, nan, nan, nan}, 0},
		"NaN but size": {Measures{EyeDistance: 40, Sharpness: nan, Yaw: nan, Pitch: nan, Score: nan},
			0.2 * 0.2 * 0.4 * 0.4},
		"infinite": {Measures{math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}, 0.2 * 0.4},
	} {
		if got := c.m.Quality(); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// pattern is a square crop of stripes of the given width, softened n times.
func pattern(stripe, soften int, contrast float32) []float32 {
	crop := make([]float32, ArcFaceSize*ArcFaceSize)
	for i := range crop {
		if (i%ArcFaceSize/stripe+i/ArcFaceSize/stripe)%2 == 0 {
			crop[i] = contrast
		}
	}
	for range soften {
		next := append([]float32(nil), crop...)
		for y := 1; y < ArcFaceSize-1; y++ {
			for x := 1; x < ArcFaceSize-1; x++ {
				i := y*ArcFaceSize + x
				next[i] = (crop[i]*4 + crop[i-1] + crop[i+1] + crop[i-ArcFaceSize] + crop[i+ArcFaceSize]) / 8
			}
		}
		crop = next
	}
	return crop
}

func TestSharpness(t *testing.T) {
	last := math.Inf(1)
	for soften := range 12 {
		s := sharpness(pattern(8, 2*soften, 200), ArcFaceSize)
		if !(s < last) || s < 0 {
			t.Errorf("softened %d times: %v after %v", 2*soften, s, last)
		}
		if dim := sharpness(pattern(8, 2*soften, 40), ArcFaceSize); math.Abs(dim-s) > 1e-3 {
			t.Errorf("depends on contrast: %v and %v", s, dim)
		}
		last = s
	}
	if s := sharpness(make([]float32, ArcFaceSize*ArcFaceSize), ArcFaceSize); s != 0 {
		t.Errorf("a flat crop has sharpness %v", s)
	}
	bad := pattern(8, 0, 200)
	bad[60*ArcFaceSize+60] = float32(math.NaN())
	if q := (Measures{EyeDistance: 40, Sharpness: sharpness(bad, ArcFaceSize), Pitch: 0.55, Score: 1}).Quality(); !(q >= 0 && q <= 1) {
		t.Errorf("quality %v", q)
	}
}

// The measures do not depend on how a face is turned or scaled, but for the
// eyes' distance.
func TestMeasureInvariance(t *testing.T) {
	crop := pattern(8, 1, 200)
	straight := measure(arcFace, crop, 0.9)
	if straight.Yaw > 0.1 || straight.Pitch < 0.45 || straight.Pitch > 0.65 || straight.Score != 0.9 {
		t.Errorf("the template measures %+v", straight)
	}
	for _, c := range []struct {
		nose       Point
		yaw, pitch float64
	}{{Point{50, 55}, 0, 0.5}, {Point{70, 50}, 1, 0}, {Point{25, 60}, 1.25, 1}, {Point{50, 40}, 0, -1}} {
		got := measure(Landmarks{{30, 50}, {70, 50}, c.nose, {35, 60}, {65, 60}}, crop, 1)
		if got.EyeDistance != 40 || math.Abs(got.Yaw-c.yaw) > 1e-9 || math.Abs(got.Pitch-c.pitch) > 1e-9 {
			t.Errorf("nose at %v: %+v, want yaw %v and pitch %v", c.nose, got, c.yaw, c.pitch)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := anySimilarity().Draw(t, "similarity")
		lm := arcFace
		// The nose anywhere, so that yaw and pitch vary.
		lm[2].X += rapid.Float64Range(-20, 20).Draw(t, "nose x")
		lm[2].Y += rapid.Float64Range(-20, 20).Draw(t, "nose y")
		want := measure(lm, crop, 0.9)
		for i := range lm {
			lm[i] = m.Apply(lm[i])
		}
		got := measure(lm, crop, 0.9)
		if math.Abs(got.Yaw-want.Yaw) > 1e-6 || math.Abs(got.Pitch-want.Pitch) > 1e-6 ||
			math.Abs(got.EyeDistance-want.EyeDistance*m.Scale()) > 1e-6*(1+m.Scale()) {
			t.Fatalf("%+v, want %+v at scale %v", got, want, m.Scale())
		}
	})
	shut := arcFace
	shut[1] = shut[0]
	if q := measure(shut, crop, 1).Quality(); q != 0 {
		t.Errorf("without a distance between the eyes the quality is %v", q)
	}
}
