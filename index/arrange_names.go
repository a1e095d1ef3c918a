package index

import (
	"cmp"
	"time"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/index/when"
	"github.com/kith-photos/kith/store"
)

// namer says what the world knows of a spot: its zone and its name, both as of
// the middle of the patch in which it lies, an S2 cell of level 16, which is at
// most some 110 m away. What was asked before is kept with the account's photos,
// for programs that bring neither zones nor a gazetteer, and because the borders
// of zones take a second to load.
type namer struct {
	zones     when.Zones
	gazetteer places.Gazetteer
	renew     bool // the gazetteer is another one than before
	patches   map[geo.Cell]store.Cell
	around    map[geo.Cell][]store.Cell // what is known in a cell of about a kilometre
	asked     map[geo.Cell]store.Cell   // patches, this time
	locations map[string]*time.Location

	// Nobody could be asked for a zone, or a name.
	missedZone, missedName bool
}

const (
	cellLevel  = geo.Level13
	patchLevel = geo.Level16
)

func newNamer(cfg Config, was *store.Arranged, renew bool) *namer {
	n := &namer{
		zones: cfg.Zones, gazetteer: cfg.Gazetteer, renew: renew, patches: map[geo.Cell]store.Cell{},
		around: map[geo.Cell][]store.Cell{}, asked: map[geo.Cell]store.Cell{}, locations: map[string]*time.Location{},
	}
	for _, s := range was.Shots {
		if s.Where != nil && s.Cell >= 0 {
			n.patches[geo.CellOf(geo.Point{Lat: s.Where.Lat, Lon: s.Where.Lon}, patchLevel)] = was.Cells[s.Cell]
		}
	}
	for _, c := range was.Cells {
		n.around[geo.Cell(c.Number)] = append(n.around[geo.Cell(c.Number)], c)
	}
	return n
}

// Zone implements when.Zones.
func (n *namer) Zone(p geo.Point) *time.Location {
	name := n.cell(p).Zone
	if name == "" {
		return nil
	}
	z, ok := n.locations[name]
	if !ok {
		var err error
		if z, err = time.LoadLocation(name); err != nil { // the machine does not know it
			z = nil
			if n.zones != nil {
				z = n.zones.Zone(geo.CellOf(p, patchLevel).Center())
			}
		}
		n.locations[name] = z
	}
	return z
}

// cell is what is known of the spot at a point. Its number is that of the cell of
// about a kilometre in which it lies; on a border several have one number.
func (n *namer) cell(p geo.Point) store.Cell {
	patch := geo.CellOf(p, patchLevel)
	if c, ok := n.asked[patch]; ok {
		return c
	}
	known, cell := n.patches[patch], geo.CellOf(p, cellLevel)
	c := store.Cell{Number: uint64(cell), Zone: known.Zone, Named: known.Named}
	switch {
	case c.Zone != "": // borders of zones hardly move
	case n.zones != nil:
		if z := n.zones.Zone(patch.Center()); z != nil {
			c.Zone = z.String()
			n.locations[c.Zone] = z
		}
	default:
		c.Zone = unanimous(n.around[cell], func(c store.Cell) string { return c.Zone })
		n.missedZone = n.missedZone || c.Zone == ""
	}
	switch {
	case n.gazetteer != nil && (n.renew || c.Named == store.Named{}):
		c.Named = store.Named{}
		if name, ok := n.gazetteer.Nearest(patch.Center()); ok {
			c.Named = store.Named{Name: name.Name, Region: name.Region, Country: name.Country}
		}
	case c.Named == store.Named{}:
		c.Named = unanimous(n.around[cell], func(c store.Cell) store.Named { return c.Named })
		n.missedName = n.missedName || c.Named == store.Named{}
	}
	n.asked[patch] = c
	return c
}

// unanimous is what all cells say, or nothing.
func unanimous[T comparable](cells []store.Cell, says func(store.Cell) T) T {
	var none T
	for i, c := range cells {
		if i > 0 && says(c) != says(cells[0]) {
			return none
		}
	}
	if len(cells) == 0 {
		return none
	}
	return says(cells[0])
}

// commonest is the name that most of a moment's photos have, the first in the
// alphabet of equals; photos without one do not count.
func commonest(counts map[store.Named]int) store.Named {
	var best store.Named
	for name, n := range counts {
		if name == (store.Named{}) {
			continue
		}
		if better := cmp.Or(cmp.Compare(n, counts[best]), cmp.Compare(best.Name, name.Name), cmp.Compare(best.Region, name.Region),
			cmp.Compare(best.Country, name.Country)); better > 0 || best == (store.Named{}) {
			best = name
		}
	}
	return best
}
