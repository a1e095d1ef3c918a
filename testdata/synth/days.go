package synth

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// Sight is a photo with a position, as a phone has it.
type Sight struct {
	At       time.Time // UTC
	Point    geo.Point // with its error
	Accuracy float64   // metres
	True     geo.Point
}

// Leg is a part of a phone's way: from a place to a place, straight.
type Leg struct {
	From, To time.Time
	A, B     geo.Point
}

// Phone is what a phone saw, by time, and its true way, without a hole from
// the first day's beginning to the last one's end.
type Phone struct {
	Home  geo.Point
	Seen  []Sight
	Track []Leg
}

// Where is where the phone truly was.
func (p Phone) Where(at time.Time) geo.Point {
	i, _ := slices.BinarySearchFunc(p.Track, at, func(l Leg, at time.Time) int { return l.From.Compare(at.Add(1)) })
	l := p.Track[max(i-1, 0)]
	share := min(1, max(0, float64(at.Sub(l.From))/float64(l.To.Sub(l.From)+1)))
	return between(l.A, l.B, share)
}

// Encounter is what two phones had or just did not have together.
type Encounter struct {
	A, B       int    // phones, A < B
	Kind       string // of meetings "meeting", "walk"; of misses see PhoneDays
	Start, End time.Time
	Place      geo.Point // of A at the start
}

// DaysOptions say how many; the zero value is two phones and 30 days.
type DaysOptions struct {
	Phones, Days int
}

// PhoneDays are the days of phones in one city.
type PhoneDays struct {
	First    time.Time // 00:00 UTC
	Days     int
	Phones   []Phone
	Meetings []Encounter // truly together, within 30 m, at least 20 minutes, both took photos
	// Misses are planned near misses: "later" at one place, at least two hours
	// after the other had gone; "apart" at the same time, 2 km away; "quarter"
	// the same, 1,000 to 1,300 m away; "street" the same, but 150 to 350 m
	// away, which is between near and not near; "passing" one stays at a place
	// and shoots, the other comes through at 11 m/s and does not shoot there;
	// "train" the same way, 35 minutes later.
	Misses []Encounter
}

// Days makes days of phones. Each phone has a home of its own, at least 2 km
// from any other. A day has stays, at home, at work and around, ways between
// them, and, with one other phone, now and then a meeting or a near miss.
func Days(seed uint64, opt DaysOptions) PhoneDays {
	if opt.Phones == 0 {
		opt.Phones = 2
	}
	if opt.Days == 0 {
		opt.Days = 30
	}
	m := &maker{r: rand.New(rand.NewPCG(seed, kindSeed("days")))}
	c := Cities()[m.r.IntN(5)]
	d := &daymaker{maker: m, out: PhoneDays{
		First: time.Date(2022, time.Month(1+m.r.IntN(12)), 1, 0, 0, 0, 0, time.UTC), Days: opt.Days,
	}}
	for range opt.Phones {
		home := m.ring(c.Point, 0, 12_000)
		for slices.ContainsFunc(d.out.Phones, func(p Phone) bool { return geo.Distance(p.Home, home) < 2000 }) {
			home = m.ring(c.Point, 0, 12_000)
		}
		d.out.Phones = append(d.out.Phones, Phone{Home: home})
		d.work = append(d.work, m.ring(c.Point, 0, 5000))
		d.at = append(d.at, home)
		d.since = append(d.since, d.out.First)
	}
	for n := range opt.Days {
		d.day(n)
	}
	for i := range d.out.Phones {
		d.stay(i, d.out.First.AddDate(0, 0, opt.Days))
	}
	return d.out
}

type daymaker struct {
	*maker
	out   PhoneDays
	work  []geo.Point
	at    []geo.Point // where each phone is
	since []time.Time // from when on: its track ends there
}

// stay keeps a phone where it is.
func (d *daymaker) stay(i int, until time.Time) {
	if until.After(d.since[i]) {
		d.leg(i, until, d.at[i])
	}
}

// leg brings a phone to a place by a time.
func (d *daymaker) leg(i int, by time.Time, to geo.Point) {
	p := &d.out.Phones[i]
	p.Track = append(p.Track, Leg{d.since[i], by, d.at[i], to})
	d.at[i], d.since[i] = to, by
}

// be brings a phone to a place by a time: it leaves as late as it can.
func (d *daymaker) be(i int, by time.Time, to geo.Point) {
	length := time.Duration(geo.Distance(d.at[i], to)/11) * time.Second
	if leave := by.Add(-length); leave.After(d.since[i]) {
		d.stay(i, leave)
	}
	if by.After(d.since[i]) {
		d.leg(i, by, to)
	}
}

// photos takes photos from the phone's way.
func (d *daymaker) photos(i int, from, to time.Time, gap time.Duration, atLeast int) {
	p := &d.out.Phones[i]
	n := 0
	one := func(t time.Time) {
		t = t.Truncate(time.Millisecond)
		here := p.Where(t)
		e := d.logNormal(8, 0.8)
		p.Seen = append(p.Seen, Sight{At: t, Point: d.about(here, min(e, 80)/1.5), Accuracy: e, True: here})
		n++
	}
	for t := from.Add(time.Duration(d.r.Float64() * float64(gap))); t.Before(to); t = t.Add(time.Second + d.span(gap, 1.1)) {
		one(t)
	}
	for n < atLeast {
		one(from.Add(time.Duration(d.r.Float64() * float64(to.Sub(from)))))
	}
	slices.SortFunc(p.Seen, func(a, b Sight) int { return a.At.Compare(b.At) })
}

// alone is a phone's own time at a place, with photos or without.
func (d *daymaker) alone(i int, place geo.Point, from time.Time, length time.Duration, photos int) {
	d.be(i, from, place)
	d.stay(i, from.Add(length))
	if photos > 0 {
		d.photos(i, from, from.Add(length), length/time.Duration(photos+1), 1)
	}
}

// day is the n-th day: a morning at home or at work for each, an afternoon
// with somebody for some, an evening for each.
func (d *daymaker) day(n int) {
	start := d.out.First.AddDate(0, 0, n)
	hour := func(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }
	order := d.r.Perm(len(d.out.Phones))
	for _, i := range order {
		if d.chance(0.7) {
			d.alone(i, d.work[i], hour(d.between(7, 9)), d.span(2*time.Hour, 0.2), d.poisson(1))
		} else {
			d.stay(i, hour(8))
			d.photos(i, hour(5), hour(8), 5*time.Hour, 0)
		}
	}
	for k := 0; k+1 < len(order); k += 2 {
		if d.chance(0.75) {
			d.together(min(order[k], order[k+1]), max(order[k], order[k+1]), hour(d.between(14, 15.5)))
		}
	}
	for _, i := range order {
		if d.chance(0.6) {
			d.alone(i, d.ring(d.out.Phones[i].Home, 300, 900), hour(d.between(19.7, 20.3)), d.span(40*minute, 0.3), 1+d.poisson(2))
		}
		d.be(i, hour(d.between(22, 23)), d.out.Phones[i].Home)
	}
}

// together is an afternoon of two: a meeting, or nearly one.
func (d *daymaker) together(a, b int, at time.Time) {
	kinds := []string{"meeting", "meeting", "walk", "later", "apart", "street", "quarter", "passing", "train"}
	e := Encounter{A: a, B: b, Kind: kinds[d.r.IntN(len(kinds))], Start: at}
	e.Place = d.ring(d.out.Phones[a].Home, 1000, 6000)
	length := max(20*minute, d.span(80*minute, 0.5))
	e.End = at.Add(min(length, 150*minute))
	shots := func() int { return 2 + d.poisson(4) }
	pair := func(first, second geo.Point, late time.Duration) {
		d.alone(a, first, at, e.End.Sub(at), shots())
		d.alone(b, second, at.Add(late), e.End.Sub(at), shots())
	}
	switch e.Kind {
	case "meeting":
		pair(e.Place, d.about(e.Place, 10), 0)
	case "walk":
		to := d.ring(e.Place, 500, 3000)
		for _, i := range []int{a, b} {
			d.be(i, at, e.Place)
			d.leg(i, e.End, to)
			d.photos(i, at, e.End, e.End.Sub(at)/time.Duration(shots()), 2)
		}
	case "later":
		e.End = at.Add(min(e.End.Sub(at), 60*minute))
		pair(e.Place, e.Place, e.End.Sub(at)+2*time.Hour)
	case "apart":
		pair(e.Place, d.ring(e.Place, 2000, 2200), 0)
	case "street":
		pair(e.Place, d.ring(e.Place, 150, 350), 0)
	case "quarter":
		pair(e.Place, d.ring(e.Place, 1000, 1300), 0)
	case "passing": // b is there and shoots before and after; a goes through at 11 m/s
		d.alone(b, e.Place, at, e.End.Sub(at), 0)
		d.photos(b, at, at.Add(2*minute), minute, 1)
		from := d.ring(e.Place, 4000, 5000)
		to := between(from, e.Place, 2)
		d.be(a, at.Add(-6*minute), from)
		d.leg(a, at.Add(8*minute), to)
		d.alone(a, to, e.End, 10*minute, 1)
	case "train":
		to := d.ring(e.Place, 12_000, 20_000)
		for k, i := range []int{a, b} {
			from := at.Add(time.Duration(k) * 35 * minute)
			d.be(i, from, e.Place)
			d.leg(i, from.Add(20*minute), to)
			d.photos(i, from, from.Add(20*minute), 5*minute, 1)
		}
		e.End = at.Add(20 * minute)
	}
	if e.Kind == "meeting" || e.Kind == "walk" {
		d.out.Meetings = append(d.out.Meetings, e)
	} else {
		d.out.Misses = append(d.out.Misses, e)
	}
}
