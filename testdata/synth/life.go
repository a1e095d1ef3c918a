package synth

import (
	"math"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// doing is a thing that people do and take photos of.
type doing struct {
	kind   string
	where  place
	length time.Duration // median of an activity
	parts  int           // activities, at most
	rest   time.Duration // median of a break between them
	gap    time.Duration // median between things worth a photo
	per    float64       // photos of each
	spread float64       // metres
	way    float64       // metres that it moves
	from   float64       // hour from which it may begin
	to     float64       // hour up to which
	share  float64       // how often, against the others
}

type place byte

const (
	athome place = iota
	atwork
	atschool
	near  // within 3 km of home
	town  // within 8 km
	away  // within 40 km
	trail // within 30 km, and on from there
)

const minute = time.Minute

func weekday() []doing {
	return []doing{
		{"home", athome, 12 * minute, 1, 0, 4 * minute, 1.5, 12, 0, 7, 21, 4},
		{"evening", athome, 50 * minute, 2, 50 * minute, 12 * minute, 1.4, 12, 0, 17, 22, 2},
		{"work", atwork, 5 * minute, 1, 0, 5 * minute, 1.3, 25, 0, 8.5, 16, 1.5},
		{"school", atschool, 70 * minute, 2, 20 * minute, 3 * minute, 2, 40, 0, 9, 18, 0.5},
		{"errand", near, 4 * minute, 1, 0, 4 * minute, 1.2, 20, 0, 9, 19, 2},
		{"walk", near, 45 * minute, 1, 0, 7 * minute, 1.6, 30, 1500, 8, 20, 2},
		{"restaurant", town, 90 * minute, 1, 0, 14 * minute, 1.6, 15, 0, 17, 21, 0.7},
	}
}

func weekend() []doing {
	return []doing{
		{"home", athome, 20 * minute, 2, 40 * minute, 5 * minute, 1.6, 12, 0, 8, 21, 3},
		{"playground", near, 60 * minute, 1, 0, 5 * minute, 2, 40, 0, 9, 18, 2},
		{"visit", town, 2 * time.Hour, 3, 45 * minute, 9 * minute, 1.8, 15, 0, 11, 19, 1.5},
		{"birthday", athome, 70 * minute, 4, 30 * minute, 2 * minute, 2.4, 15, 0, 11, 17, 0.4},
		{"party", town, 100 * minute, 3, 25 * minute, 6 * minute, 2, 20, 0, 19, 22.5, 0.4},
		{"hike", trail, 3 * time.Hour, 1, 0, 11 * minute, 1.7, 40, 7000, 9, 14, 1},
		{"fair", away, 80 * minute, 3, 40 * minute, 4 * minute, 1.8, 120, 0, 10, 15, 0.8},
		{"drive", trail, 50 * minute, 1, 0, 6 * minute, 1.5, 20, 60000, 9, 17, 0.5},
		{"match", town, 100 * minute, 1, 0, 2 * minute, 3, 60, 0, 10, 18, 0.7},
	}
}

// sights is what is done on a trip, in the city where one stays.
func sights() []doing {
	return []doing{
		{"sight", near, 40 * minute, 1, 0, 2 * minute, 1.8, 60, 0, 9, 19, 4},
		{"stroll", town, 80 * minute, 1, 0, 5 * minute, 1.6, 30, 2500, 9, 21, 3},
		{"museum", town, 90 * minute, 2, 25 * minute, 5 * minute, 1.6, 50, 0, 10, 16, 1.5},
		{"restaurant", near, 70 * minute, 1, 0, 15 * minute, 1.5, 12, 0, 12, 21, 2},
		{"hotel", athome, 10 * minute, 1, 0, 4 * minute, 1.5, 15, 0, 7, 22, 1},
		{"excursion", away, 2 * time.Hour, 3, 30 * minute, 4 * minute, 1.8, 150, 1500, 9, 12, 1},
		{"train", town, 60 * minute, 1, 0, 6 * minute, 1.5, 20, 80000, 9, 17, 0.5},
		{"night", town, 2 * time.Hour, 2, 25 * minute, 7 * minute, 1.8, 30, 600, 20, 22.5, 0.7},
	}
}

// household is people who live together, and where.
type household struct {
	city               City
	home, work, school geo.Point
	who                []shooter
	people             []string
	keen               float64 // how much of what they do is photographed
}

func (m *maker) settle(c City, who ...shooter) *household {
	h := &household{city: c, home: m.about(c.Point, 2500), keen: 1}
	for geo.Distance(h.home, c.Point) > 6000 {
		h.home = m.about(c.Point, 2500)
	}
	h.work, h.school = m.ring(c.Point, 1500, 5000), m.ring(h.home, 500, 1500)
	for i := range who {
		who[i].home = c
		h.people = append(h.people, who[i].who)
	}
	h.who = who
	return h
}

// ring is a point at a distance from low to high of another.
func (m *maker) ring(p geo.Point, low, high float64) geo.Point {
	a, d := m.between(0, 2*math.Pi), m.between(low, high)
	return move(p, d*math.Cos(a), d*math.Sin(a))
}

func (m *maker) pick(of []doing) doing {
	sum := 0.0
	for _, d := range of {
		sum += d.share
	}
	x := m.r.Float64() * sum
	for _, d := range of {
		if x -= d.share; x < 0 {
			return d
		}
	}
	return of[len(of)-1]
}

func (m *maker) spot(h *household, p place) geo.Point {
	switch p {
	case atwork:
		return h.work
	case atschool:
		return h.school
	case near:
		return m.ring(h.home, 300, 3000)
	case town:
		return m.ring(h.home, 800, 8000)
	case away:
		return m.ring(h.home, 8000, 40000)
	case trail:
		return m.ring(h.home, 5000, 30000)
	}
	return h.home
}

// day is a day of some of a household: about n things, one after the other.
func (m *maker) day(h *household, who []shooter, year int, month time.Month, date int, n float64, of []doing, trip int) {
	free := h.city.local(year, month, date, 7*time.Hour)
	midnight := h.city.local(year, month, date+1, 0)
	last := h.home
	for range m.poisson(n) {
		d := m.pick(of)
		clock := func(hour float64) time.Time {
			return h.city.local(year, month, date, time.Duration(hour*float64(time.Hour)))
		}
		start := clock(m.between(d.from, d.to))
		if start.Before(free) {
			start = free
		}
		if start.After(clock(min(d.to+1.5, 23.5))) || start.After(midnight) {
			continue
		}
		at := m.spot(h, d.where)
		way := time.Duration(geo.Distance(last, at)/m.between(3, 14)) * time.Second
		if way += m.span(5*minute, 0.5); start.Before(free.Add(way)) {
			start = free.Add(way)
		}
		free = m.do(h, who, d, at, start, trip)
		if last = at; len(m.photos) == 0 || d.where != athome {
			free = free.Add(m.span(30*minute, 1))
		} else {
			free = free.Add(m.span(100*minute, 0.9))
		}
		free = free.Add(m.span(20*minute, 1))
	}
}

// do lets people do a thing and tells when it was over.
func (m *maker) do(h *household, who []shooter, d doing, at geo.Point, start time.Time, trip int) time.Time {
	a := act{
		event: m.event(d.kind, trip), city: h.city, at: at, start: start, spread: d.spread,
		per: d.per, people: h.people, trip: trip, burst: 0.02,
	}
	m.events[a.event].Point = at
	for part := range 1 + m.r.IntN(max(d.parts, 1)) {
		if part > 0 {
			a.start = a.start.Add(m.span(d.rest, 0.7))
		}
		a.length = m.span(d.length, 0.5)
		a.gap = m.span(d.gap, 0.8)
		a.to = a.at
		if d.way > 0 {
			a.to = m.ring(a.at, d.way/3, d.way)
		}
		for _, s := range who {
			m.shoot(s, a)
		}
		a.start, a.at = a.start.Add(a.length), a.to
	}
	return a.start
}

func (m *maker) poisson(mean float64) int {
	n, p := 0, math.Exp(-mean)
	for x := m.r.Float64(); x > p; x *= m.r.Float64() {
		n++
	}
	return n
}
