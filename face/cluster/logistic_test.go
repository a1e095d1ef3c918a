package cluster_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// observation is one of a logistic regression: its features, the first of them
// 1, the outcome in [0,1], and how much it counts.
type observation struct {
	features []float64
	outcome  float64
	weight   float64
}

const (
	ridge      = 1e-3 // pulls coefficients that nothing determines to zero
	mostSteps  = 100
	smallStep  = 1e-10
	leastShare = 1e-12 // of p(1-p), so that the Hessian stays regular
)

// logistic fits the coefficients of a logistic regression by Newton's method.
// It returns nil where that does not converge.
func logistic(data []observation) []float64 {
	n := len(data[0].features)
	theta := mat.NewVecDense(n, nil)
	for range mostSteps {
		hessian, gradient := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
		for i := range n {
			hessian.SetSym(i, i, ridge)
		}
		gradient.AddScaledVec(gradient, -ridge, theta)
		for _, o := range data {
			x := mat.NewVecDense(n, o.features)
			p := sigmoid(mat.Dot(theta, x))
			gradient.AddScaledVec(gradient, o.weight*(o.outcome-p), x)
			hessian.SymRankOne(hessian, o.weight*max(p*(1-p), leastShare), x)
		}
		var chol mat.Cholesky
		var step mat.VecDense
		if !chol.Factorize(hessian) || chol.SolveVecTo(&step, gradient) != nil {
			return nil
		}
		theta.AddVec(theta, &step)
		if mat.Norm(&step, 2) < smallStep {
			return theta.RawVector().Data
		}
	}
	return nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// predict is the probability of an observation with those features.
func predict(theta, features []float64) float64 {
	sum := 0.0
	for k, x := range features {
		sum += theta[k] * x
	}
	return sigmoid(sum)
}

// logLoss is the mean of -ln of the probability given to what happened.
func logLoss(data []observation, probability func(i int) float64) float64 {
	sum, weight := 0.0, 0.0
	for i, o := range data {
		p := min(max(probability(i), 1e-6), 1-1e-6)
		sum -= o.weight * (o.outcome*math.Log(p) + (1-o.outcome)*math.Log(1-p))
		weight += o.weight
	}
	return sum / weight
}

// What draws outcomes by known coefficients is found again.
func TestLogistic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	want := []float64{-2, 1.5, -0.7}
	var data []observation
	for range 20000 {
		o := observation{features: []float64{1, 2 * rng.NormFloat64(), rng.NormFloat64()}, weight: 0.5 + rng.Float64()}
		if rng.Float64() < predict(want, o.features) {
			o.outcome = 1
		}
		data = append(data, o)
	}
	got := logistic(data)
	for k := range want {
		if math.Abs(got[k]-want[k]) > 0.1 {
			t.Fatalf("coefficients %.3f, want %.3f", got, want)
		}
	}
	best := logLoss(data, func(i int) float64 { return predict(got, data[i].features) })
	for k := range got {
		for _, off := range []float64{-0.05, 0.05} {
			got[k] += off
			if l := logLoss(data, func(i int) float64 { return predict(got, data[i].features) }); l <= best {
				t.Errorf("log loss %v with coefficient %d off by %v, %v at the optimum", l, k, off, best)
			}
			got[k] -= off
		}
	}
}
