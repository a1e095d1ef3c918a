package cluster

import (
	"math"
	"math/rand/v2"

	"pgregory.net/rapid"
)

// drawFaces draws up to 16 faces of up to 4 people. The coordinates are
// multiples of 1/256, so that every dot product is exact in float32 and a
// comparison with float64 has no rounding to forgive.
func drawFaces(t *rapid.T) Faces {
	const dim = 16
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	people := make([][]float64, rapid.IntRange(1, 4).Draw(t, "people"))
	for p := range people {
		people[p] = gaussian(rng, dim)
	}
	noise := rapid.Float64Range(0.2, 1.5).Draw(t, "noise")
	n := rapid.IntRange(0, 16).Draw(t, "faces")
	f := Faces{Dim: dim}
	if rapid.Bool().Draw(t, "photos") {
		f.Photo = make([]int32, n)
		photos := rapid.IntRange(0, n).Draw(t, "last photo")
		for i := range f.Photo {
			f.Photo[i] = int32(rapid.IntRange(-1, photos).Draw(t, "photo"))
		}
	}
	for i := range n {
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "copy") == 0 {
			f.Data = append(f.Data, f.row(rng.IntN(i))...)
			continue
		}
		v := gaussian(rng, dim)
		center := people[rng.IntN(len(people))]
		var norm float64
		for k := range v {
			v[k] = center[k] + noise*v[k]
			norm += v[k] * v[k]
		}
		for _, x := range v {
			f.Data = append(f.Data, float32(math.Round(x/math.Sqrt(norm)*256)/256))
		}
	}
	return f
}

func gaussian(rng *rand.Rand, dim int) []float64 {
	v := make([]float64, dim)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

func drawLinks(t *rapid.T, n int) Links {
	var l Links
	if n == 0 {
		return l
	}
	at := rapid.IntRange(0, n-1)
	l.Same = rapid.SliceOfN(rapid.SliceOfN(at, 1, 3), 0, 2).Draw(t, "same")
	for range rapid.IntRange(0, 4).Draw(t, "different") {
		l.Different = append(l.Different, [2]int{at.Draw(t, "a"), at.Draw(t, "b")})
	}
	return l
}

func drawOptions(t *rapid.T) Options {
	return Options{
		Impostors:  normalTail(rapid.Float64Range(0.05, 0.3).Draw(t, "sd")),
		FalseEdges: rapid.Float64Range(0.001, 0.5).Draw(t, "false edges"),
		SureFAR:    rapid.SampledFrom([]float64{1e-4, 0.01, 0.1, 1}).Draw(t, "SureFAR"),
	}
}
