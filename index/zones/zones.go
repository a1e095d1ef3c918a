// Package zones finds the time zone of a position without asking anybody: by
// the borders of the tz database's zones (timezone-boundary-builder, ODbL) as
// ringsaturn/tzf holds them, simplified, and by Go's own copy of the rules. It
// is a plug-in that a program chooses: it links net, which the library must
// not. It adds 12 MB to a stripped binary (7 MB of borders, 0.4 MB of rules, the
// rest protobuf and what tzf comes with), keeps 32 MB in memory, and takes 170 MB
// for the second in which New reads the borders (see BenchmarkNew).
//
// The borders are simplified, so that a position near one may get the zone
// beyond it. At sea the answer is a nautical
// zone, Etc/GMT-12 to Etc/GMT+12, whose names have the opposite sign of their
// offset: Etc/GMT-2 is two hours ahead of UTC. Ships often keep another time.
package zones

import (
	"errors"
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // the rules for systems without any, or with older names

	"github.com/ringsaturn/tzf"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/when"
)

// Zones finds zones. It is safe for concurrent use.
type Zones struct {
	finder tzf.F
	rules  sync.Map // name to *time.Location; nil where the rules are missing
}

var _ when.Zones = (*Zones)(nil)

// New reads the borders, which takes almost a second. One Zones is enough for a
// process.
func New() (z *Zones, err error) {
	defer func() {
		if p := recover(); p != nil { // tzf panics on data it cannot read
			z, err = nil, fmt.Errorf("zones: reading the borders: %v", p)
		}
	}()
	finder, err := tzf.NewDefaultFinder()
	if err != nil {
		return nil, fmt.Errorf("zones: reading the borders: %w", err)
	}
	if len(finder.TimezoneNames()) == 0 {
		return nil, errors.New("zones: no borders")
	}
	return &Zones{finder: finder}, nil
}

// Zone is the time zone in which a position lies, and nil where it is not
// known. The rules are the system's where it has the zone (see
// time.LoadLocation), and else those built in.
func (z *Zones) Zone(p geo.Point) *time.Location {
	name := z.Name(p)
	if name == "" {
		return nil
	}
	if l, ok := z.rules.Load(name); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		l = nil
	}
	kept, _ := z.rules.LoadOrStore(name, l) // as many as there are zones, some 440
	return kept.(*time.Location)
}

// Name is the tz database's name of the zone, "" where it is not known.
func (z *Zones) Name(p geo.Point) (name string) {
	if !p.Valid() {
		return ""
	}
	defer func() {
		if recover() != nil { // of a position that tzf trips over nothing is known
			name = ""
		}
	}()
	return z.finder.GetTimezoneName(p.Lon, p.Lat)
}
