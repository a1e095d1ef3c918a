package synth

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

type maker struct {
	r                       *rand.Rand
	photos                  []Photo
	events                  []Event
	homes, works, tripSpans []Span
	clocks                  map[string]time.Duration // how far a camera's clock is off
	bursts                  int
}

// shooter is a person with a camera.
type shooter struct {
	who, camera string
	phone       bool
	places      float64 // share of photos that have a position
	keen        float64 // 1: as people are
	home        City    // whose time a camera shows, that is no phone
}

// act is an activity of an event.
type act struct {
	event  int
	city   City
	at, to geo.Point // it moves from one to the other
	spread float64   // metres around
	start  time.Time
	length time.Duration
	gap    time.Duration // median between things worth a photo
	per    float64       // photos of each
	burst  float64       // share of them that are bursts
	people []string
	trip   int
}

func (m *maker) normal(sigma float64) float64            { return m.r.NormFloat64() * sigma }
func (m *maker) chance(p float64) bool                   { return m.r.Float64() < p }
func (m *maker) between(low, high float64) float64       { return low + m.r.Float64()*(high-low) }
func (m *maker) about(p geo.Point, d float64) geo.Point  { return move(p, m.normal(d), m.normal(d)) }
func (m *maker) logNormal(median, sigma float64) float64 { return median * math.Exp(m.normal(sigma)) }
func (m *maker) span(median time.Duration, sigma float64) time.Duration {
	return time.Duration(m.logNormal(float64(median), sigma))
}

func (m *maker) event(kind string, trip int) int {
	m.events = append(m.events, Event{Kind: kind, Trip: trip})
	return len(m.events) - 1
}

// shoot lets a person take photos of an activity, and tells how many.
func (m *maker) shoot(s shooter, a act) int {
	n := 0
	gap := time.Duration(float64(a.gap) / s.keen)
	t := a.start.Add(time.Duration(m.r.Float64() * float64(min(gap, a.length))))
	for end := a.start.Add(a.length); t.Before(end); t = t.Add(time.Second + m.span(gap, 1.1)) {
		here := m.about(between(a.at, a.to, float64(t.Sub(a.start))/float64(a.length+1)), a.spread)
		if m.chance(a.burst) {
			for range 3 + m.r.IntN(8) {
				m.take(s, a, t, here, m.bursts)
				t = t.Add(time.Duration(m.between(80, 250)) * time.Millisecond)
				n++
			}
			m.bursts++
			continue
		}
		for {
			m.take(s, a, t, here, -1)
			n++
			if !m.chance(1 - 1/a.per) {
				break
			}
			t = t.Add(time.Second + m.span(6*time.Second, 1))
		}
	}
	return n
}

// take takes one photo.
func (m *maker) take(s shooter, a act, t time.Time, here geo.Point, burst int) {
	t = t.Truncate(time.Millisecond).UTC()
	p := Photo{
		Camera: s.camera, Burst: burst, Instant: t, Offset: a.city.Offset(t),
		Where: here, By: s.who, Event: a.event, Trip: a.trip,
	}
	p.Wall = t.Add(p.Offset)
	off, ok := m.clocks[s.camera]
	if !ok {
		if off = 0; !s.phone {
			off = time.Duration(m.normal(40)) * time.Second
		}
		m.clocks[s.camera] = off
	}
	if p.Zoned, p.Zone = s.phone, p.Offset; !s.phone {
		p.Zone = s.home.Offset(t)
		t = t.Truncate(time.Second)
	}
	p.Clock = t.Add(p.Zone + off)
	if m.chance(s.places) {
		e := m.logNormal(8, 0.8)
		if m.chance(0.02) {
			e = m.logNormal(200, 0.7) // indoors, by masts
		}
		q := m.about(here, e/1.5)
		p.Point, p.Accuracy = &q, math.Round(e)
	}
	for _, who := range a.people {
		if who != s.who && m.chance(0.4) {
			p.People = append(p.People, who)
		}
	}
	m.photos = append(m.photos, p)
}

// screenshots puts screenshots into a phone owner's time from first to last.
// One of a time when its owner took photos belongs to that event.
func (m *maker) screenshots(s shooter, c City, first, last time.Time, perDay float64) {
	type span struct {
		from, to time.Time
		trip     int
	}
	had := map[int]*span{}
	var order []int
	for i := range m.photos {
		p := &m.photos[i]
		if p.By != s.who {
			continue
		}
		if e := had[p.Event]; e == nil {
			had[p.Event] = &span{p.Instant, p.Instant, p.Trip}
			order = append(order, p.Event)
		} else {
			if p.Instant.Before(e.from) {
				e.from = p.Instant
			}
			if p.Instant.After(e.to) {
				e.to = p.Instant
			}
		}
	}
	for t := first; ; {
		t = t.Add(time.Duration(m.r.ExpFloat64() / perDay * 24 * float64(time.Hour)))
		if !t.Before(last) {
			return
		}
		if h := t.Add(c.Offset(t)).Hour(); h < 7 {
			continue
		}
		event, trip := -1, -1
		for _, i := range order {
			if e := had[i]; !t.Before(e.from) && !t.After(e.to) {
				event, trip = i, e.trip
				break
			}
		}
		if event < 0 {
			event = m.event("screenshot", -1)
		}
		shot := shooter{who: s.who, phone: true, keen: 1}
		m.take(shot, act{event: event, city: c, trip: trip}, t, m.homes[0].Point, -1)
	}
}
