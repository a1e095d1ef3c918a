package index

import (
	"cmp"
	"slices"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/moments"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/store"
)

func (g *gathering) places(frequent []places.Place) []store.Place {
	out := make([]store.Place, len(frequent))
	for i, p := range frequent {
		out[i] = store.Place{
			Kind: string(p.Kind), Lat: p.Center.Lat, Lon: p.Center.Lon, Radius: p.Radius, Shots: p.Shots, Days: p.Days,
			First: p.First, Last: p.Last, Named: g.names.cell(p.Center).Named,
		}
	}
	return out
}

// moments puts the trips, days and moments of a timeline into an arrangement, in
// this order, and lets its shots point to the moments. from says which photo each
// of the timeline's is.
func (g *gathering) moments(next *store.Arrangement, t moments.Timeline, from []int32) {
	cover := func(shot int32) PhotoID {
		if shot < 0 {
			return ""
		}
		return g.ids[from[shot]]
	}
	tripOf := make([]int, len(t.Moments)) // position of each moment's trip
	for i := range tripOf {
		tripOf[i] = -1
	}
	for i, trip := range t.Trips {
		for _, m := range trip.Moments {
			tripOf[m] = i
		}
		next.Moments = append(next.Moments, store.Moment{
			Kind: store.KindTrip, Parent: -1, First: trip.First, Last: trip.Last, Cover: cover(trip.Cover), Place: -1,
			Spot: spotOfTrip(t, trip),
		})
	}
	// A day on which some were away and others at home is two days.
	dayOf := make([]int, len(t.Moments))
	at := map[[2]int]int{}
	for _, d := range t.Days {
		for _, m := range d.Moments {
			key := [2]int{int(d.Day), tripOf[m]}
			n, ok := at[key]
			if !ok {
				n = len(next.Moments)
				at[key] = n
				next.Moments = append(next.Moments, store.Moment{
					Kind: store.KindDay, Parent: tripOf[m], First: d.Day, Last: d.Day, Cover: cover(t.Moments[m].Cover), Place: -1,
				})
			}
			dayOf[m] = n
			if best := &next.Moments[n].Cover; g.weights[*best] < g.weights[cover(t.Moments[m].Cover)] {
				*best = cover(t.Moments[m].Cover)
			}
		}
	}
	above := len(next.Moments)
	for i, m := range t.Moments {
		next.Moments = append(next.Moments, store.Moment{
			Kind: store.KindMoment, Parent: dayOf[i], First: m.Day, Last: m.Day, At: m.Start, Until: m.End, Shots: len(m.Shots), Coarse: m.Coarse,
			Cover: cover(m.Cover), Place: -1, Spot: spotOf(m.Center, m.Radius),
		})
	}
	for i := range next.Shots {
		if s := &next.Shots[i]; s.Moment >= 0 {
			s.Moment += above
		}
	}
	g.sumUp(next)
}

// spotOfTrip is the middle of a trip, and how far its moments are from it.
func spotOfTrip(t moments.Timeline, trip moments.Trip) *store.Spot {
	radius := 0.0
	for _, m := range trip.Moments {
		if c := t.Moments[m].Center; c != nil {
			radius = max(radius, geo.Distance(*c, trip.Center))
		}
	}
	return spotOf(&trip.Center, radius)
}

func spotOf(center *geo.Point, radius float64) *store.Spot {
	if center == nil {
		return nil
	}
	return &store.Spot{Lat: center.Lat, Lon: center.Lon, Radius: radius}
}

// sumUp gives days and trips what their moments have, and moments the place at
// which, and the name by which, most of their photos are.
func (g *gathering) sumUp(next *store.Arrangement) {
	names := make([]map[store.Named]int, len(next.Moments))
	at := make([]map[int]int, len(next.Moments))
	for _, s := range next.Shots {
		for m := s.Moment; m >= 0; m = next.Moments[m].Parent {
			if s.Cell >= 0 {
				count(&names[m], next.Cells[s.Cell].Named)
			}
			if s.Place >= 0 {
				count(&at[m], s.Place)
			}
		}
	}
	for i := len(next.Moments) - 1; i >= 0; i-- { // children first
		m := &next.Moments[i]
		if m.Spot != nil {
			m.Spot.Named = commonest(names[i])
		}
		for place, n := range at[i] {
			if 2*n > m.Shots && m.Kind == store.KindMoment {
				m.Place = place
			}
		}
		if m.Parent < 0 {
			continue
		}
		p := &next.Moments[m.Parent]
		if p.Shots == 0 {
			p.At, p.Until = m.At, m.Until
		}
		p.At, p.Until, p.Shots = min(p.At, m.At), max(p.Until, m.Until), p.Shots+m.Shots
	}
}

func count[K comparable](m *map[K]int, key K) {
	if *m == nil {
		*m = map[K]int{}
	}
	(*m)[key]++
}

// keepIDs gives moments and places the ids of those before them that have most
// of their photos.
func (g *gathering) keepIDs(next *store.Arrangement) {
	was := make(map[PhotoID]*store.Shot, len(g.was.Shots))
	for i := range g.was.Shots {
		was[g.was.Shots[i].Photo] = &g.was.Shots[i]
	}
	shared := overlaps{}
	placed := overlaps{}
	for i := range next.Shots {
		s := &next.Shots[i]
		old, ok := was[s.Photo]
		if !ok {
			continue
		}
		if s.Place >= 0 && old.Place >= 0 {
			placed[[2]int{s.Place, old.Place}]++
		}
		for n, o := s.Moment, old.Moment; n >= 0 && o >= 0; n, o = next.Moments[n].Parent, g.was.Moments[o].Parent {
			shared[[2]int{n, o}]++
		}
	}
	shared.match(func(n, o int) { next.Moments[n].ID = g.was.Moments[o].ID })
	placed.match(func(n, o int) {
		next.Places[n].ID = g.was.Places[o].ID
		if named := g.was.Places[o].Named; g.names.gazetteer == nil && named != (store.Named{}) {
			next.Places[n].Named = named // its middle may lie where there is no photo
		}
	})
}

// overlaps counts the photos that a new and an old one share.
type overlaps map[[2]int]int

// match pairs new and old ones one to one, those that share most first.
func (o overlaps) match(pair func(n, o int)) {
	pairs := make([][2]int, 0, len(o))
	for p := range o {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b [2]int) int {
		return cmp.Or(cmp.Compare(o[b], o[a]), slices.Compare(a[:], b[:]))
	})
	taken, given := map[int]bool{}, map[int]bool{}
	for _, p := range pairs {
		if !given[p[0]] && !taken[p[1]] {
			given[p[0]], taken[p[1]] = true, true
			pair(p[0], p[1])
		}
	}
}
