package nearby

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/testdata/synth"
)

// tally counts meetings of phones' days. A real meeting is one of the days'
// truth: two phones within 30 m of each other for 20 minutes or more, and
// photos taken with both; it is found if there is a claim in it. A claim is a
// Meeting, it is false if the phones were not, from half an hour before it to
// half an hour after it, within 300 m of each other.
type tally struct {
	real, found, claims, wrong int
	misses, missed             map[string]int // near misses, and those of them that were claimed
	spots                      []int          // a day
}

const apart = 300.0

func newTally() *tally {
	return &tally{misses: make(map[string]int), missed: make(map[string]int)}
}

func (c *tally) recall() float64 { return float64(c.found) / float64(c.real) }
func (c *tally) falsely() float64 {
	return float64(c.wrong) / float64(max(c.claims, 1))
}

type claim struct {
	a, b     int
	from, to int64
}

// count plays all days of all pairs of phones. What the messages find is what
// spots share: TestBothSidesFindTheSame.
func (c *tally) count(w synth.PhoneDays) {
	seen := make([][]Seen, len(w.Phones))
	for i, p := range w.Phones {
		seen[i] = seenBy(p)
	}
	first := DayOf(w.First.UnixMicro())
	var claims []claim
	for d := first; d <= first+Day(w.Days); d++ {
		touched := make([]map[spot][]int, len(seen))
		for b := range seen {
			touched[b] = spots(d, seen[b])
			c.spots = append(c.spots, len(touched[b]))
			for a := range b {
				both := common(touched[a], touched[b])
				if len(both) == 0 {
					continue
				}
				for _, m := range meetings(d, seen[a], func(s spot) bool { return both[s] }) {
					claims = append(claims, claim{a, b, m.From, m.To})
				}
			}
		}
	}
	c.claims += len(claims)
	for _, m := range claims {
		if !together(w, m) {
			c.wrong++
		}
	}
	claimed := func(e synth.Encounter) bool {
		return slices.ContainsFunc(claims, func(m claim) bool {
			return m.a == e.A && m.b == e.B && m.to > e.Start.UnixMicro()-30*minute && m.from < e.End.UnixMicro()+30*minute
		})
	}
	for _, e := range w.Meetings {
		c.real++
		if claimed(e) {
			c.found++
		}
	}
	for _, e := range w.Misses {
		c.misses[e.Kind]++
		if claimed(e) {
			c.missed[e.Kind]++
		}
	}
}

func together(w synth.PhoneDays, m claim) bool {
	for at := m.from - 30*minute; at <= m.to+30*minute; at += minute / 2 {
		t := time.UnixMicro(at).UTC()
		if geo.Distance(w.Phones[m.a].Where(t), w.Phones[m.b].Where(t)) <= apart {
			return true
		}
	}
	return false
}

func TestRealMeetingsAreFoundAndNoOthers(t *testing.T) {
	c := newTally()
	for seed := range uint64(24) {
		c.count(synth.Days(seed, synth.DaysOptions{Phones: 4, Days: 30}))
	}
	t.Logf("%d of %d real meetings found, %d of %d claims false, near misses claimed: %v of %v", c.found, c.real, c.wrong, c.claims, c.missed, c.misses)
	if c.real < 300 || c.claims < 300 || len(c.misses) < 6 {
		t.Fatalf("too little happened to say anything")
	}
	if r := c.recall(); r < 0.98 {
		t.Errorf("%.4f of the real meetings found", r)
	}
	if f := c.falsely(); f > 0.01 {
		t.Errorf("%.4f of the claims are false", f)
	}
	for _, kind := range []string{"later", "apart", "quarter", "train"} {
		if c.missed[kind] > 0 {
			t.Errorf("%d of %d near misses %q are claimed", c.missed[kind], c.misses[kind], kind)
		}
	}
	if m := slices.Max(c.spots); m > BatchSize {
		t.Errorf("a day has %d spots", m)
	}
}

// TestNearPhotosShareASpot holds what Reach and Span promise, anywhere.
func TestNearPhotosShareASpot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := geo.Point{Lat: rapid.Float64Range(-89.9, 89.9).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon")}
		when := int64(someDay)*day + rapid.Int64Range(0, 2*day).Draw(t, "at")
		far := rapid.Bool().Draw(t, "far")
		metres := rapid.Float64Range(0, Reach-0.5).Draw(t, "metres")
		later := rapid.Int64Range(0, Span).Draw(t, "later")
		if far && rapid.Bool().Draw(t, "far in time") {
			later = 30*minute + rapid.Int64Range(1, 1e11).Draw(t, "more")
		} else if far {
			metres = 400 + rapid.Float64Range(0, 1e6).Draw(t, "more")
		}
		a := Seen{At: when, Point: p}
		b := Seen{At: when + later, Point: displace(p, metres, rapid.Float64Range(0, 2*math.Pi).Draw(t, "bearing"))}
		n := 0
		for d := DayOf(a.At) - 1; d <= DayOf(b.At)+1; d++ {
			n += len(shared(d, []Seen{a}, []Seen{b}))
		}
		if far == (n > 0) {
			t.Fatalf("%.0f m and %d s apart: %d spots in common", geo.Distance(a.Point, b.Point), later/1e6, n)
		}
	})
}

// displace is the point at a distance and a bearing.
func displace(p geo.Point, metres, bearing float64) geo.Point {
	lat, d := p.Lat*math.Pi/180, metres/geo.Radius
	sin := math.Sin(lat)*math.Cos(d) + math.Cos(lat)*math.Sin(d)*math.Cos(bearing)
	lon := math.Atan2(math.Sin(bearing)*math.Sin(d)*math.Cos(lat), math.Cos(d)-math.Sin(lat)*sin)
	return geo.Point{Lat: math.Asin(sin) * 180 / math.Pi, Lon: math.Remainder(p.Lon+lon*180/math.Pi, 360)}
}

// BenchmarkMeetings prints recall, false claims and what a day costs, over
// more seeds than the test has.
func BenchmarkMeetings(b *testing.B) {
	for b.Loop() {
		c := newTally()
		for seed := range uint64(60) {
			c.count(synth.Days(1000+seed, synth.DaysOptions{Phones: 4, Days: 30}))
		}
		slices.Sort(c.spots)
		b.Logf("%d of %d real meetings found, %d of %d claims false, near misses claimed: %v of %v; spots a day: median %d, 99 %% %d, most %d",
			c.found, c.real, c.wrong, c.claims, c.missed, c.misses, c.spots[len(c.spots)/2], c.spots[len(c.spots)*99/100], c.spots[len(c.spots)-1])
		b.ReportMetric(c.recall(), "recall")
		b.ReportMetric(c.falsely(), "false")
	}
}

// BenchmarkDay is all that a day of a pair costs one side, the other's part
// not counted.
func BenchmarkDay(b *testing.B) {
	me, friend := paired(b, 1)
	seen := []Seen{at(0, 0, "p"), at(30, 500, "q"), at(90, 9000, "r")}
	other := begin(b, friend, 2, someDay, seen)
	theirs := batch(b, other)
	for b.Loop() {
		r := begin(b, me, 1, someDay, seen)
		x := batch(b, r)
		answer(b, r, theirs)
		b.StopTimer()
		back := answer(b, other.forget(), x)
		b.StartTimer()
		must(b, r.Take(back))
		if len(r.Meetings(seen)) != 2 {
			b.Fatal("other meetings")
		}
	}
	b.ReportMetric(float64(2*Size), "bytes/day")
}

// forget is the round before it was asked.
func (r *Round) forget() *Round {
	out := *r
	out.asked = false
	return &out
}

// BenchmarkApart prints how often two photos share a spot by how far apart
// they are, in cities all over the world.
func BenchmarkApart(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	share := func(metres float64, later int64) string {
		const n = 3000
		hits := 0
		for range n {
			p := geo.Point{Lat: r.Float64()*120 - 55, Lon: r.Float64()*360 - 180}
			x := Seen{At: someDay.start() + day/4 + r.Int64N(day/2), Point: p}
			y := Seen{At: x.At + later, Point: displace(p, metres, r.Float64()*2*math.Pi)}
			if len(shared(someDay, []Seen{x}, []Seen{y})) > 0 {
				hits++
			}
		}
		return fmt.Sprintf("%.3f", float64(hits)/n)
	}
	for b.Loop() {
		for _, m := range []float64{0, 150, 200, 250, 300, 350, 400} {
			b.Logf("%3.0f m, same time: %s", m, share(m, 0))
		}
		for _, l := range []int64{20, 25, 30} {
			b.Logf("same place, %d min later: %s", l, share(0, l*minute))
		}
	}
}
