package models

import (
	"encoding/json"
	"math"
	"testing"
)

func TestTailValidate(t *testing.T) {
	good := Tail{Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.5, 0.5}, Pairs: 1}
	if err := good.validate(); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]Tail{
		"empty":            {Pairs: 1},
		"lengths":          {Thresholds: []float64{0.1}, Pairs: 1},
		"negative pairs":   {Thresholds: []float64{0.1}, FAR: []float64{0.1}, Pairs: -1},
		"threshold falls":  {Thresholds: []float64{0.2, 0.1}, FAR: []float64{0.5, 0.4}, Pairs: 1},
		"share rises":      {Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.4, 0.5}, Pairs: 1},
		"not a cosine":     {Thresholds: []float64{1.1}, FAR: []float64{0.1}, Pairs: 1},
		"share above 1":    {Thresholds: []float64{0.1}, FAR: []float64{1.1}, Pairs: 1},
		"not a number":     {Thresholds: []float64{math.NaN()}, FAR: []float64{0.1}, Pairs: 1},
		"share not a num.": {Thresholds: []float64{0.1}, FAR: []float64{math.NaN()}, Pairs: 1},
	} {
		if bad.validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Every built-in table must be usable and belong to the weights in the manifest.
func TestBuiltInTails(t *testing.T) {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	files, err := tailFiles.ReadDir("tails")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == "README.md" {
			continue
		}
		id := f.Name()[:len(f.Name())-len(".json")]
		a, ok := m.Artifact(id)
		if !ok || a.Task != TaskEmbedder {
			t.Errorf("tails/%s is of no embedder in the manifest", f.Name())
			continue
		}
		if _, ok, err := a.Tail(); err != nil || !ok {
			t.Errorf("tails/%s: usable %v, error %v", f.Name(), ok, err)
		}
	}
}

func TestTailOfArtifact(t *testing.T) {
	own := &Tail{Thresholds: []float64{0.1}, FAR: []float64{0.1}, Pairs: 1}
	if got, ok, err := (Artifact{ID: "x", Impostors: own}).Tail(); err != nil || !ok || got.Pairs != 1 {
		t.Errorf("the manifest's own tail: %v, %v, %v", got, ok, err)
	}
	if _, ok, err := (Artifact{ID: "no-such-embedder"}).Tail(); err != nil || ok {
		t.Errorf("an embedder without a tail: %v, %v", ok, err)
	}
}

func FuzzTail(f *testing.F) {
	data, err := json.Marshal(Tail{Thresholds: []float64{0.1, 0.2}, FAR: []float64{0.5, 0.25}, Pairs: 8, Source: "s"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		tail, err := parseTail(data)
		if err != nil {
			return
		}
		for i := range tail.Thresholds {
			if tail.FAR[i] < 0 || tail.FAR[i] > 1 {
				t.Fatalf("share %v was accepted", tail.FAR[i])
			}
		}
	})
}
