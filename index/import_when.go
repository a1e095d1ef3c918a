package index

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/store"
)

// arrangedKey is the export's setting that says by what it was arranged.
const arrangedKey = "arranged"

// readStretch is a moment, day or trip of an export. All but its id, kind and
// parent is worked out anew.
type readStretch struct {
	id, parent MomentID
	kind       store.MomentKind
}

func (j jsonStretch) read() (readStretch, error) {
	var c checks
	c.id("id", string(j.ID))
	if j.Parent != "" {
		c.id("parent", string(j.Parent))
	}
	switch j.Kind {
	case store.KindMoment, store.KindDay, store.KindTrip:
	default:
		c.that(false, "kind %.80q", string(j.Kind))
	}
	return readStretch{j.ID, j.Parent, j.Kind}, c.err
}

func (j jsonPlace) read() (store.Place, error) {
	var c checks
	c.id("id", string(j.ID))
	return store.Place{ID: j.ID}, c.err
}

// where reads where a photo is said to have been taken, for what is known of
// that spot; the rest is worked out anew.
func (c *checks) where(j jsonWhere) (*exif.GPS, store.Cell) {
	p := geo.Point{Lat: j.Lat, Lon: j.Lon}
	c.that(p.Valid(), "taken at %v, %v", j.Lat, j.Lon)
	for _, s := range []string{j.Zone, j.Name, j.Region, j.Country} {
		c.text("name", s)
	}
	if c.err != nil {
		return nil, store.Cell{}
	}
	return &exif.GPS{Lat: j.Lat, Lon: j.Lon}, store.Cell{Number: uint64(geo.CellOf(p, cellLevel)), Zone: j.Zone, Named: j.Named}
}

func (c *checks) facts(p *Photo, j jsonFacts) {
	p.TakenFrom, p.Burst, p.Video, p.Camera.Serial = j.TakenFrom, j.Burst, j.Video, j.Serial
	for _, s := range []string{string(j.TakenFrom), j.Burst, j.Video, j.Serial} {
		c.text("text", s)
	}
	p.Fix = c.stamp(j.Fix)
}

func (c *checks) clock(j jsonClock) *store.Clock {
	k := store.Clock{
		Camera: exif.Camera{Make: j.Make, Model: j.Model, Serial: j.Serial}, From: c.stamp(j.From), To: c.stamp(j.To),
	}
	for _, s := range []string{j.Make, j.Model, j.Serial} {
		c.text("camera", s)
	}
	c.that(j.By >= math.MinInt64/1000 && j.By <= math.MaxInt64/1000, "a clock that was %d microseconds off", j.By)
	k.By = time.Duration(j.By) * time.Microsecond
	if err := checkClock(k); err != nil {
		c.that(false, "%w", err)
	}
	return &k
}

// checkArranged looks at what moments and photos say of one another.
func (x *exported) checkArranged() error {
	at := map[MomentID]int{}
	for i, m := range x.moments {
		if _, twice := at[m.id]; twice {
			return faulty("moments", i, fmt.Errorf("%s: %w", m.id, errTwice))
		}
		if parent, ok := at[m.parent]; m.parent != "" && (!ok || !partOf(m.kind, x.moments[parent].kind)) {
			return faulty("moments", i, fmt.Errorf("in %s: %w", m.parent, errUnknown))
		}
		at[m.id] = i
	}
	places := map[PlaceID]bool{}
	for i, p := range x.places {
		if places[p.ID] {
			return faulty("places", i, fmt.Errorf("%s: %w", p.ID, errTwice))
		}
		places[p.ID] = true
	}
	for i, p := range x.photos {
		if m, ok := at[p.moment]; p.moment != "" && (!ok || x.moments[m].kind != store.KindMoment) {
			return faulty("photos", i, fmt.Errorf("moment %s: %w", p.moment, errUnknown))
		}
		if p.place != "" && !places[p.place] {
			return faulty("photos", i, fmt.Errorf("place %s: %w", p.place, errUnknown))
		}
	}
	if text := x.settings[arrangedKey]; text != "" {
		var by arrangedBy
		if err := json.Unmarshal([]byte(text), &by); err != nil {
			return &ImportError{Part: "settings", Err: fmt.Errorf("%s: %w", arrangedKey, err)}
		}
	}
	return nil
}

// partOf reports whether something of a kind can be part of another.
func partOf(child, parent store.MomentKind) bool {
	return child == store.KindMoment && parent == store.KindDay || child == store.KindDay && parent == store.KindTrip
}

// seedArrangement gives a fresh account the ids of the export's moments and
// places, and what it knew of spots, and arranges the photos anew: what they come
// to keeps these ids.
func (a *Account) seedArrangement(ctx context.Context, x *exported) error {
	var by arrangedBy
	if text := x.settings[arrangedKey]; text != "" {
		if err := json.Unmarshal([]byte(text), &by); err != nil {
			return err
		}
	}
	by.Rules = 0 // nobody's: whatever becomes of us, it is arranged anew
	about, err := json.Marshal(by)
	if err != nil {
		return err
	}
	seed := store.Arrangement{About: string(about), Places: x.places}
	moment, place := map[MomentID]int{}, map[PlaceID]int{}
	for _, m := range x.moments { // parents come first; see checkArranged
		parent := -1
		if m.parent != "" {
			parent = moment[m.parent]
		}
		moment[m.id] = len(seed.Moments)
		seed.Moments = append(seed.Moments, store.Moment{ID: m.id, Kind: m.kind, Parent: parent, Place: -1})
	}
	for i, p := range x.places {
		place[p.ID] = i
	}
	cells := map[store.Cell]int32{}
	for _, p := range x.photos {
		s := store.Shot{Photo: p.ID, At: store.NoTime, Where: p.where, Camera: -1, Cell: -1, Place: -1, Moment: -1}
		if p.where != nil {
			if s.Cell = int(intern(cells, p.cell)); s.Cell == len(seed.Cells) {
				seed.Cells = append(seed.Cells, p.cell)
			}
		}
		if p.moment != "" {
			s.Moment = moment[p.moment]
		}
		if p.place != "" {
			s.Place = place[p.place]
		}
		seed.Shots = append(seed.Shots, s)
	}
	was, err := a.db.LoadArrangement(ctx)
	if err != nil {
		return err
	}
	if err := a.db.PutArrangement(ctx, was, seed); err != nil {
		return err
	}
	return a.arrange(ctx)
}
