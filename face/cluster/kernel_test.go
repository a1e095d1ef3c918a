package cluster

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kith-photos/kith/face"
)

// TestSimilaritiesDoNotDependOnPosition: the same two vectors give the same
// bits wherever they stand, for lengths that fill lanes and lengths that do
// not, and the bits are those of a dot product.
func TestSimilaritiesDoNotDependOnPosition(t *testing.T) {
	const n = 3*tile + 7
	for _, dim := range []int{1, 3, 16, 65, 128, 510, 512} {
		rng := rand.New(rand.NewPCG(uint64(dim), 0))
		vectors := make([]face.Vector, n)
		for i := range vectors {
			vectors[i] = direction(rng, dim)
		}
		bits := map[[2]int]float32{}
		for round := range 3 {
			at := rng.Perm(n)
			pairs := 0
			err := similarities(t.Context(), dim, n, func(i int) []float32 { return vectors[at[i]] }, func(i, j int, sims []float32) {
				for k, sim := range sims {
					a, b := at[i], at[j+k]
					key := [2]int{min(a, b), max(a, b)}
					pairs++
					if round == 0 {
						bits[key] = sim
						if want := vectors[a].Dot(vectors[b]); math.Abs(float64(sim)-want) > 1e-6 {
							t.Fatalf("dim %d: similarity %v, want %v", dim, sim, want)
						}
					} else if bits[key] != sim {
						t.Fatalf("dim %d: similarity %v at one place, %v at another", dim, bits[key], sim)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if pairs != n*(n-1)/2 || len(bits) != pairs {
				t.Fatalf("dim %d: %d pairs visited, %d of them different, want %d", dim, pairs, len(bits), n*(n-1)/2)
			}
		}
	}
}
