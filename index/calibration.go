package index

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kith-photos/kith/face/cluster"
)

// grouped is what the latest grouping of the whole library left behind, so
// that a part of it can be grouped alike. It says nothing about people.
type grouped struct {
	Space     string
	Threshold float64
	Loose     int
	Faces     int
}

const groupedKey = "grouped"

// calibration is that of the latest grouping in a space, the zero value if
// there was none.
func (a *Account) calibration(ctx context.Context, space string) (cluster.Calibration, error) {
	g, err := a.grouped(ctx)
	if err != nil || g.Space != space {
		return cluster.Calibration{}, err
	}
	return cluster.Calibration{Threshold: g.Threshold, Loose: g.Loose}, nil
}

func (a *Account) grouped(ctx context.Context) (grouped, error) {
	var g grouped
	value, err := a.db.Setting(ctx, groupedKey)
	if err != nil || value == "" {
		return g, err
	}
	if err := json.Unmarshal([]byte(value), &g); err != nil {
		return g, fmt.Errorf("index: the setting %q: %w", groupedKey, err)
	}
	return g, nil
}

func (a *Account) putGrouped(ctx context.Context, g grouped) error {
	value, err := json.Marshal(g)
	if err != nil {
		return err
	}
	return a.db.SetSetting(ctx, groupedKey, string(value))
}
