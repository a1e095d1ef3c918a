package synth

import (
	"fmt"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// family says how a family lives.
type family struct {
	places float64 // share of phones' photos with a position
	events float64 // how much happens
	keen   float64 // how much is shot of it
	trips  int
	shots  float64 // screenshots a day
}

func date(t time.Time) (int, time.Month, int) { return t.Year(), t.Month(), t.Day() }

func (m *maker) live(h *household, first, last time.Time) {
	m.homes = append(m.homes, Span{Who: h.who[0].who, Point: h.home, From: first, To: last})
	m.works = append(m.works, Span{Who: h.who[0].who, Point: h.work, From: first, To: last})
}

// pair are two phones and a camera without positions.
func (m *maker) pair(places, keen float64) []shooter {
	return []shooter{
		{who: "Anna", camera: "Phone A", phone: true, places: places, keen: keen},
		{who: "Ben", camera: "Phone B", phone: true, places: places, keen: keen * m.between(0.3, 0.9)},
		{who: "Anna", camera: "Camera C", keen: keen * 2},
	}
}

// company is who of the family goes and shoots: one of the two, or both, and
// now and then the camera.
func (m *maker) company(who []shooter) []shooter {
	var out []shooter
	for i, s := range who {
		if m.chance([]float64{0.8, 0.6, 0.12}[i]) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = who[:1]
	}
	return out
}

func (m *maker) family(years float64, f family) {
	if f.keen == 0 {
		f.keen = 1
	}
	c := Cities()[m.r.IntN(4)]
	h := m.settle(c, m.pair(f.places, f.keen)...)
	first := c.local(2012+m.r.IntN(12), time.Month(1+m.r.IntN(12)), 1, 0)
	days := int(years * 365)
	last := first.AddDate(0, 0, days)
	m.live(h, first, last)
	trips := map[int]bool{}
	for range f.trips {
		trips[10+m.r.IntN(max(days-30, 1))] = true
	}
	for n := 0; n < days; n++ {
		if trips[n] {
			n += m.trip(h, first, n, 3+m.r.IntN(7))
			continue
		}
		m.ordinary(h, first, n, f.events)
	}
	if f.shots > 0 {
		m.screenshots(h.who[0], c, first, last, f.shots)
	}
}

// ordinary is the n-th day, at home.
func (m *maker) ordinary(h *household, first time.Time, n int, events float64) {
	wall := first.Add(h.city.Offset(first)).AddDate(0, 0, n)
	y, mo, d := date(wall)
	if wd := wall.Weekday(); wd != time.Saturday && wd != time.Sunday {
		m.day(h, m.company(h.who), y, mo, d, 0.8*events, weekday(), -1)
		return
	}
	if m.chance(0.15) { // each for himself, at the same time
		m.day(h, h.who[:1], y, mo, d, 1.5*events, weekend(), -1)
		m.day(h, h.who[1:2], y, mo, d, 1.5*events, weekend(), -1)
		return
	}
	if m.chance(0.02) { // a race, a birth, a night on a ship: on and on
		long := doing{"long", town, 18 * time.Hour, 1, 0, 20 * minute, 1.7, 100, 0, 8, 12, 1}
		m.do(h, m.company(h.who), long, m.spot(h, town), h.city.local(y, mo, d, 10*time.Hour), -1)
		return
	}
	m.day(h, m.company(h.who), y, mo, d, 2*events, weekend(), -1)
}

// trip is a trip of that many nights, from the n-th day on: a flight, perhaps
// by way of a third city, days there, and back. It tells the days it took.
func (m *maker) trip(h *household, first time.Time, n, nights int) int {
	cities := Cities()
	to := cities[m.r.IntN(len(cities))]
	for geo.Distance(to.Point, h.home) < 300_000 {
		to = cities[m.r.IntN(len(cities))]
	}
	k := len(m.tripSpans)
	wall := first.Add(h.city.Offset(first)).AddDate(0, 0, n)
	y, mo, d := date(wall)
	leave := h.city.local(y, mo, d, time.Duration(m.between(6, 15)*float64(time.Hour)))
	m.tripSpans = append(m.tripSpans, Span{Who: h.who[0].who, Point: to.Point, From: leave})
	arrive := m.fly(h, h.city, to, leave, k)

	stay := *h
	stay.city, stay.home = to, m.ring(to.Point, 300, 2500)
	local := arrive.Add(to.Offset(arrive))
	for range nights {
		local = local.AddDate(0, 0, 1)
		y, mo, d = date(local)
		m.day(&stay, m.company(h.who), y, mo, d, 4, sights(), k)
	}
	y, mo, d = date(local.AddDate(0, 0, 1))
	back := m.fly(&stay, to, h.city, to.local(y, mo, d, time.Duration(m.between(7, 15)*float64(time.Hour))), k)
	m.tripSpans[k].To = back
	return int(back.Sub(first)/(24*time.Hour)) - n + 1
}

// fly takes them from a city to another: the airport, the window, perhaps a
// layover, and the arrival. It tells when they were there.
func (m *maker) fly(h *household, from, to City, leave time.Time, trip int) time.Time {
	who := m.company(h.who)
	airport := func(c City) geo.Point { return move(c.Point, 14_000, 9_000) }
	wait := doing{"airport", away, 60 * minute, 1, 0, 15 * minute, 1.4, 150, 0, 0, 24, 1}
	legs := []City{from, to}
	if cities := Cities(); geo.Distance(from.Point, to.Point) > 3e6 && m.chance(0.6) {
		via := cities[m.r.IntN(len(cities))]
		direct := geo.Distance(from.Point, to.Point)
		if geo.Distance(from.Point, via.Point)+geo.Distance(via.Point, to.Point) < 1.4*direct && via.Name != from.Name && via.Name != to.Name {
			legs = []City{from, via, to}
		}
	}
	t := leave.Add(m.span(50*minute, 0.3))
	for i := range len(legs) - 1 {
		a, b := airport(legs[i]), airport(legs[i+1])
		g := *h
		g.city = legs[i]
		if m.chance(0.6) || i > 0 {
			t = m.do(&g, who, wait, a, t, trip)
		}
		t = t.Add(m.span(25*minute, 0.3))
		length := time.Duration(geo.Distance(a, b)/230)*time.Second + 30*minute
		if m.chance(0.6) { // phones seldom know where they are up there
			window := act{
				event: m.event("flight", trip), city: legs[i], at: a, to: b, start: t, length: length,
				spread: 500, gap: m.span(35*minute, 0.5), per: 1.8, people: h.people, trip: trip,
			}
			m.events[window.event].Point = a
			for _, s := range who {
				s.places *= 0.15
				m.shoot(s, window)
			}
		}
		t = t.Add(length + m.span(25*minute, 0.3))
	}
	return t.Add(m.span(60*minute, 0.3))
}

func (m *maker) trips(years float64) {
	c := Cities()[m.r.IntN(7)]
	h := m.settle(c, m.pair(0.9, 1.2)...)
	days := int(years * 365)
	first := c.local(2015+m.r.IntN(9), time.January, 1, 0)
	m.live(h, first, first.AddDate(0, 0, days))
	at := map[int]bool{}
	for i := range max(int(4*years), 1) {
		at[int(float64(days)*(float64(i)+m.between(0.2, 0.7))/(4*years))] = true
	}
	for n := 0; n < days; n++ {
		if at[n] {
			n += m.trip(h, first, n, 2+m.r.IntN(12))
			continue
		}
		m.ordinary(h, first, n, 0.25)
	}
}

// singles are the snaps of somebody who takes one now and then.
func (m *maker) singles(years float64) {
	c := Cities()[m.r.IntN(6)]
	h := m.settle(c, shooter{who: "Anna", camera: "Phone A", phone: true, places: 0.85, keen: 1})
	first := c.local(2010, time.March, 1, 0)
	days := int(years * 365)
	m.live(h, first, first.AddDate(0, 0, days))
	for n := range days {
		if !m.chance(0.3) {
			continue
		}
		y, mo, d := date(first.Add(c.Offset(first)).AddDate(0, 0, n))
		free := 7.0
		for range 1 + m.poisson(0.35) {
			if free = m.between(free, 22.5); free > 22 {
				break
			}
			do := m.pick(weekday())
			e := m.event("snap", -1)
			at := m.spot(h, do.where)
			m.events[e].Point = at
			t := c.local(y, mo, d, time.Duration(free*float64(time.Hour)))
			for range 1 + m.poisson(0.25) { // the first was blurred
				m.take(h.who[0], act{event: e, city: c, trip: -1, people: h.people}, t, m.about(at, do.spread), -1)
				t = t.Add(time.Second + m.span(15*time.Second, 1))
			}
			free += m.logNormal(1, 0.8)
		}
	}
}

// apart are two parents in two cities in one account.
func (m *maker) apart(years float64) {
	cities := Cities()
	a := m.settle(cities[m.r.IntN(3)], shooter{who: "Anna", camera: "Phone A", phone: true, places: 0.9, keen: 1.3})
	b := m.settle(cities[3+m.r.IntN(4)],
		shooter{who: "Ben", camera: "Phone B", phone: true, places: 0.9, keen: 1},
		shooter{who: "Ben", camera: "Camera C", keen: 1.5})
	for _, h := range []*household{a, b} {
		first := h.city.local(2021, time.February, 1, 0)
		days := int(years * 365)
		m.live(h, first, first.AddDate(0, 0, days))
		for n := range days {
			y, mo, d := date(first.Add(h.city.Offset(first)).AddDate(0, 0, n))
			who := h.who
			if len(who) > 1 && m.chance(0.8) {
				who = who[:1]
			}
			if wd := (time.Date(y, mo, d, 0, 0, 0, 0, time.UTC).Weekday() + 6) % 7; wd < 5 {
				m.day(h, who, y, mo, d, 1.2, weekday(), -1)
			} else {
				m.day(h, who, y, mo, d, 2.5, weekend(), -1)
			}
		}
	}
}

// wedding is one day: getting ready at two places at once, the ceremony, the
// dinner, the dance past midnight, by four guests and a photographer.
func (m *maker) wedding(photos int) {
	c := Cities()[m.r.IntN(5)]
	var who []shooter
	for i := range 5 {
		who = append(who, shooter{
			who: fmt.Sprint("Guest ", i), camera: fmt.Sprint("Phone ", i), phone: i > 0,
			places: 0.9, keen: m.logNormal(1, 0.5),
		})
	}
	who[0].camera, who[0].places, who[0].keen = "Camera", 0, 4
	h := m.settle(c, who...)
	church, garden := m.spot(h, town), m.spot(h, away)
	bride, groom := h.home, m.spot(h, town)
	hall := garden
	venues := 2 + m.r.IntN(2)
	if venues == 3 {
		hall = m.ring(garden, 600, 6000)
	}
	day := c.local(2018+m.r.IntN(6), time.June, 1+m.r.IntN(28), 0)
	m.live(h, day, day.Add(36*time.Hour))
	parts := []struct {
		kind   string
		at     geo.Point
		from   float64
		length float64 // hours
		busy   float64
		who    []shooter
	}{
		{"bride", bride, 10, 1.5, 1, who[:2]},
		{"groom", groom, 10.3, 1.3, 0.7, who[2:3]},
		{"ceremony", church, 14, 1.2, 2, who},
		{"dinner", garden, 16.5, 4, 1, who},
		{"dance", hall, 21.2, 4.5, 0.8, who},
	}
	// Hours of people times how busy, so that the photos come out at about the
	// number: each thing worth a photo gives about 2.5.
	sum := 0.0
	for _, p := range parts {
		for _, s := range p.who {
			sum += p.length * p.busy * s.keen
		}
	}
	// The mean of gaps is exp(1.1²/2) = 1.8 times their median.
	gap := time.Duration(sum / float64(photos) * 2.5 / 1.8 * float64(time.Hour))
	event := -1
	for i, p := range parts {
		if i < 4 || venues == 3 {
			event = m.event(p.kind, -1)
			m.events[event].Point = p.at
		}
		for _, s := range p.who {
			m.shoot(s, act{
				event: event, city: c, at: p.at, to: p.at, spread: 35, trip: -1, people: h.people, per: 2.2, burst: 0.04,
				start:  day.Add(time.Duration((p.from + m.normal(0.05)) * float64(time.Hour))),
				length: time.Duration(p.length * float64(time.Hour)),
				gap:    time.Duration(float64(gap) / p.busy),
			})
		}
	}
}
