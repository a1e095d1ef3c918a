package models

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// Tail is the measured upper tail of the cosines between faces of different
// people: what a threshold costs in false matches.
type Tail struct {
	SHA256     string    `json:"sha256,omitempty"` // of the weights that were measured
	Thresholds []float64 `json:"thresholds"`       // cosines, rising
	FAR        []float64 `json:"far"`              // share of the pairs at or above the threshold, 0..1, never rising
	Pairs      int64     `json:"pairs"`            // how many impostor pairs were compared; 0: assumed, not measured
	Source     string    `json:"source"`           // which faces, which pairs
}

//go:embed tails
var tailFiles embed.FS

// Tail returns the impostor tail of an embedder and whether there is one: the
// manifest's own, else the built-in one that was measured with exactly these
// weights.
func (a Artifact) Tail() (Tail, bool, error) {
	if a.Impostors != nil {
		return *a.Impostors, true, nil
	}
	data, err := tailFiles.ReadFile("tails/" + a.ID + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return Tail{}, false, nil
	}
	if err != nil {
		return Tail{}, false, fmt.Errorf("models: tail of %s: %w", a.ID, err)
	}
	t, err := parseTail(data)
	if err != nil {
		return Tail{}, false, fmt.Errorf("models: tail of %s: %w", a.ID, err)
	}
	return t, t.SHA256 == a.SHA256, nil
}

func parseTail(data []byte) (Tail, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var t Tail
	if err := dec.Decode(&t); err != nil {
		return Tail{}, err
	}
	return t, t.validate()
}

func (t Tail) validate() error {
	if len(t.Thresholds) == 0 || len(t.Thresholds) != len(t.FAR) {
		return fmt.Errorf("%d thresholds and %d shares", len(t.Thresholds), len(t.FAR))
	}
	if t.Pairs < 0 {
		return fmt.Errorf("%d pairs", t.Pairs)
	}
	for i, th := range t.Thresholds {
		// Written so that NaN fails too.
		if !(th >= -1 && th <= 1) || !(t.FAR[i] >= 0 && t.FAR[i] <= 1) {
			return fmt.Errorf("threshold %v with share %v is out of range", th, t.FAR[i])
		}
		if i > 0 && (th <= t.Thresholds[i-1] || t.FAR[i] > t.FAR[i-1]) {
			return fmt.Errorf("thresholds must rise and shares must not, see %v", th)
		}
	}
	return nil
}
