package index

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/kith-photos/kith/face/cluster"
)

// grouped is what the latest grouping of the whole library left behind: what it
// came to, and what it takes to group a part of the library alike. It says
// nothing about people.
type grouped struct {
	Rules      int // groupingRules then
	Space      string
	Threshold  float64
	Loose      int
	Faces      int
	People     int
	Unassigned int
}

// groupingRules is raised by every change after which the same faces and
// decisions may be grouped otherwise: then libraries in which nothing has
// changed are grouped anew, too.
const groupingRules = 1

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
	g, _, err := a.latestGrouping(ctx)
	return g, err
}

// latestGrouping also reports whether grouping the library in the same space
// would come to the same again.
func (a *Account) latestGrouping(ctx context.Context) (g grouped, current bool, err error) {
	about, current, err := a.db.Grouping(ctx)
	if err != nil || about == "" {
		return g, false, err
	}
	if err := json.Unmarshal([]byte(about), &g); err != nil {
		return g, false, fmt.Errorf("index: what is kept of the latest grouping: %w", err)
	}
	return g, current && g.Rules == groupingRules, nil
}

// report is what a grouping came to.
func (g grouped) report() Grouping {
	return Grouping{Faces: g.Faces, People: g.People, Unassigned: g.Unassigned, Threshold: g.Threshold}
}

// regroupChanged is regroup, unless nothing has changed since the latest.
func (a *Account) regroupChanged(ctx context.Context) (Grouping, error) {
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return Grouping{}, err
	}
	defer unlock()
	space, err := a.space(ctx)
	if err != nil {
		return Grouping{}, err
	}
	g, current, err := a.latestGrouping(ctx)
	if err != nil {
		return Grouping{}, err
	}
	if current && g.Space == space {
		return g.report(), nil
	}
	return a.derive(ctx)
}
