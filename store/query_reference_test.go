package store

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/kith-photos/kith/exif"
)

// reference answers a query by looking at every photo.
func (a *album) reference(q Query) (hits []PhotoID, facets Facets) {
	var matched []int
	for i := range a.photos {
		if a.asked(q, &a.photos[i]) {
			matched = append(matched, i)
		}
	}
	slices.SortStableFunc(matched, func(i, j int) int {
		x, y := a.photos[i].shot.At, a.photos[j].shot.At
		if (x == NoTime) != (y == NoTime) {
			if x == NoTime {
				return 1
			}
			return -1
		}
		if c := cmp.Or(cmp.Compare(x, y), cmp.Compare(i, j)); q.Order == OldestFirst {
			return c
		} else {
			return -c
		}
	})
	for _, i := range matched {
		hits = append(hits, a.photos[i].shot.Photo)
	}
	facets.Years = countBy(q, ByYear, a, matched, cmp.Compare[int], func(p *taken) []int { return oneOf(!p.shot.Taken.IsZero(), p.shot.Taken.Wall.Year()) })
	facets.Months = countBy(q, ByMonth, a, matched, func(x, y YearMonth) int {
		return cmp.Compare(12*x.Year+int(x.Month), 12*y.Year+int(y.Month))
	}, func(p *taken) []YearMonth {
		return oneOf(!p.shot.Taken.IsZero(), YearMonth{p.shot.Taken.Wall.Year(), p.shot.Taken.Wall.Month()})
	})
	facets.People = countBy(q, ByPerson, a, matched, cmp.Compare[PersonID], func(p *taken) (ids []PersonID) {
		for _, id := range a.peopleOf(p) {
			if !a.ignored[id] {
				ids = append(ids, id)
			}
		}
		return ids
	})
	facets.Places = countBy(q, ByPlace, a, matched, cmp.Compare[PlaceID], func(p *taken) []PlaceID {
		return oneOf(p.shot.Place >= 0, a.next.Places[max(0, p.shot.Place)].ID)
	})
	facets.Cameras = countBy(q, ByCamera, a, matched, compareCameras, func(p *taken) []exif.Camera {
		return oneOf(p.shot.Camera >= 0, a.next.Cameras[max(0, p.shot.Camera)])
	})
	facets.Countries = countBy(q, ByCountry, a, matched, cmp.Compare[string], func(p *taken) []string {
		return oneOf(a.countryOf(p) != "", a.countryOf(p))
	})
	for facet, kind := range map[Facet]MomentKind{ByMoment: KindMoment, ByDay: KindDay, ByTrip: KindTrip} {
		out := map[Facet]*[]Count[MomentID]{ByMoment: &facets.Moments, ByDay: &facets.Days, ByTrip: &facets.Trips}[facet]
		*out = countBy(q, facet, a, matched, cmp.Compare[MomentID], func(p *taken) []MomentID {
			return oneOf(a.above(p, kind) != "", a.above(p, kind))
		})
	}
	return hits, facets
}

func oneOf[K any](there bool, k K) []K {
	if !there {
		return nil
	}
	return []K{k}
}

func countBy[K comparable](q Query, facet Facet, a *album, matched []int, compare func(x, y K) int, keys func(*taken) []K) []Count[K] {
	top, asked := q.Facets[facet]
	if !asked {
		return nil
	}
	counts := map[K]int{}
	for _, i := range matched {
		for _, k := range keys(&a.photos[i]) {
			counts[k]++
		}
	}
	out := []Count[K]{}
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(x, y K) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), compare(x, y))
	}) {
		if top <= 0 || len(out) < top {
			out = append(out, Count[K]{k, counts[k]})
		}
	}
	return out
}

func (a *album) peopleOf(p *taken) (ids []PersonID) {
	for _, who := range p.people {
		if who >= 0 && !slices.Contains(ids, a.people[who]) {
			ids = append(ids, a.people[who])
		}
	}
	return ids
}

func (a *album) countryOf(p *taken) string {
	if p.shot.Cell < 0 {
		return ""
	}
	return a.next.Cells[p.shot.Cell].Country
}

// above is the moment, day or trip of a photo.
func (a *album) above(p *taken, kind MomentKind) MomentID {
	for i := p.shot.Moment; i >= 0; i = a.next.Moments[i].Parent {
		if a.next.Moments[i].Kind == kind {
			return a.next.Moments[i].ID
		}
	}
	return ""
}

// asked reports whether a query asks for a photo.
func (a *album) asked(q Query, p *taken) bool {
	people, s := a.peopleOf(p), p.shot
	has := func(id PersonID) bool { return slices.Contains(people, id) }
	wall, timed := s.Taken.Wall, !s.Taken.IsZero()
	instant, known := s.Taken.Instant()
	digits := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}
	within := func(spans []Span, t time.Time, read func(time.Time) time.Time) bool {
		return slices.ContainsFunc(spans, func(s Span) bool {
			return (s.From.IsZero() || !t.Before(read(s.From))) && (s.To.IsZero() || t.Before(read(s.To)))
		})
	}
	faces := slices.ContainsFunc(p.people, func(who int) bool { return who != noFaceHere })
	wants := func(h Has, is bool) bool { return h == Either || (h == With) == is }
	switch {
	case q.Vanished == LeaveOut && p.vanished, q.Vanished == Only && !p.vanished:
	case slices.ContainsFunc(q.All, func(id PersonID) bool { return !has(id) }):
	case len(q.Any) > 0 && !slices.ContainsFunc(q.Any, has), slices.ContainsFunc(q.None, has):
	case len(q.Wall) > 0 && (!timed || !within(q.Wall, wall, digits)):
	case len(q.Instants) > 0 && (!known || !within(q.Instants, instant, func(t time.Time) time.Time { return t })):
	case len(q.Months) > 0 && (!timed || !slices.Contains(q.Months, wall.Month())):
	case len(q.Weekdays) > 0 && (!timed || !slices.Contains(q.Weekdays, wall.Weekday())):
	case len(q.Dates) > 0 && (!timed || !slices.Contains(q.Dates, Date{wall.Month(), wall.Day()})):
	case len(q.Places) > 0 && (s.Place < 0 || !slices.Contains(q.Places, a.next.Places[s.Place].ID)):
	case len(q.Moments) > 0 && !slices.ContainsFunc([]MomentKind{KindMoment, KindDay, KindTrip}, func(k MomentKind) bool {
		id := a.above(p, k)
		return id != "" && slices.Contains(q.Moments, id)
	}):
	case len(q.Countries) > 0 && !slices.Contains(q.Countries, a.countryOf(p)):
	case q.Region != nil && !(s.Where != nil && q.Region.Contains(s.Where.Lat, s.Where.Lon)):
	case len(q.Cameras) > 0 && !(s.Camera >= 0 && slices.ContainsFunc(q.Cameras, func(want exif.Camera) bool {
		c := a.next.Cameras[s.Camera]
		return (want.Make == "" || want.Make == c.Make) && (want.Model == "" || want.Model == c.Model) && (want.Serial == "" || want.Serial == c.Serial)
	})):
	case !wants(q.Time, timed), !wants(q.Faces, faces):
	case q.Position == NoPosition && s.Where != nil, q.Position != NoPosition && q.Position != AnyPosition && s.Where == nil:
	case q.Position == Measured && s.Guessed, q.Position == Estimated && !s.Guessed:
	default:
		return true
	}
	return false
}
