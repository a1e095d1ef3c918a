package synth

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

func TestSameSeedSameAlbum(t *testing.T) {
	for _, kind := range Kinds() {
		short := Options{Years: 0.2}
		a, b := Make(7, kind, short), Make(7, kind, short)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: two albums of one seed differ", kind)
		}
		if c := Make(8, kind, short); reflect.DeepEqual(a, c) {
			t.Errorf("%s: two seeds give one album", kind)
		}
	}
}

// TestAlbumsHoldTheirTruth holds what an album says of itself together.
func TestAlbumsHoldTheirTruth(t *testing.T) {
	for _, kind := range Kinds() {
		a := Make(3, kind, Options{Years: map[Kind]float64{Singles: 3}[kind]})
		keys := map[string]bool{}
		had := make([]int, len(a.Events))
		located, trips := 0, 0
		for _, p := range a.Photos {
			if keys[p.Key] {
				t.Fatalf("%s: key %s twice", kind, p.Key)
			}
			keys[p.Key] = true
			e := a.Events[p.Event]
			had[p.Event]++
			if p.Instant.Before(e.Start) || p.Instant.After(e.End) || e.Trip != p.Trip {
				t.Fatalf("%s: %v is not in its event %v", kind, p, e)
			}
			if !p.Wall.Equal(p.Instant.Add(p.Offset)) || !p.Where.Valid() {
				t.Fatalf("%s: wrong wall clock or place: %+v", kind, p)
			}
			if off := p.Clock.Sub(p.Instant.Add(p.Zone)); off.Abs() > 5*time.Minute {
				t.Fatalf("%s: clock off by %v", kind, off)
			}
			if p.Point != nil {
				located++
				if d := geo.Distance(*p.Point, p.Where); d > 20_000 {
					t.Fatalf("%s: %f m off", kind, d)
				}
			}
			if p.Trip >= 0 {
				trips++
				if s := a.Trips[p.Trip]; p.Instant.Before(s.From.Add(-time.Hour)) || p.Instant.After(s.To) {
					t.Fatalf("%s: photo of %v on a trip %v", kind, p.Instant, s)
				}
			}
		}
		for i, n := range had {
			if n == 0 {
				t.Errorf("%s: event %d has no photo", kind, i)
			}
		}
		t.Logf("%s: %d photos, %d events, %d located, %d on %d trips", kind, len(a.Photos), len(a.Events), located, trips, len(a.Trips))
		if len(a.Photos) < 300 || located == 0 || (kind == Trips || kind == Everyday) != (trips > 0) {
			t.Errorf("%s: %d photos, %d with a position, %d on trips", kind, len(a.Photos), located, trips)
		}
		if kind == Wedding && (len(a.Photos) < 1300 || len(a.Photos) > 3000) {
			t.Errorf("a wedding of %d photos", len(a.Photos))
		}
	}
}

// TestOffsets holds the zones against the IANA data of the machine or of Go.
func TestOffsets(t *testing.T) {
	for _, c := range Cities() {
		loc, err := time.LoadLocation(c.Zone)
		if err != nil {
			t.Skip("no zone data here: ", err)
		}
		for at := time.Date(2009, 2, 1, 0, 30, 0, 0, time.UTC); at.Year() < 2020; at = at.Add(997 * time.Minute) {
			if c.Name == "Suva" { // had summer time in some of these years, until 2021
				at = at.AddDate(13, 0, 0)
			}
			_, want := at.In(loc).Zone()
			if got := c.Offset(at); got != time.Duration(want)*time.Second {
				t.Fatalf("%s at %v: %v, want %d s", c.Name, at, got, want)
			}
		}
	}
}

// TestMeetingsAreMeetings holds meetings and misses against the true ways.
func TestMeetingsAreMeetings(t *testing.T) {
	for seed := range uint64(8) {
		d := Days(seed, DaysOptions{Phones: 4})
		if !reflect.DeepEqual(d, Days(seed, DaysOptions{Phones: 4})) {
			t.Fatal("two days of one seed differ")
		}
		end := d.First.AddDate(0, 0, d.Days)
		for i, p := range d.Phones {
			for k, l := range p.Track {
				if k > 0 && (!l.From.Equal(p.Track[k-1].To) || l.A != p.Track[k-1].B) || !l.To.After(l.From) {
					t.Fatalf("phone %d jumps: %v then %v", i, p.Track[k-1], l)
				}
				if v := geo.Distance(l.A, l.B) / l.To.Sub(l.From).Seconds(); v > 60 {
					t.Fatalf("phone %d goes at %.0f m/s: %v", i, v, l)
				}
			}
			if !p.Track[0].From.Equal(d.First) || p.Track[len(p.Track)-1].To.Before(end) {
				t.Fatalf("phone %d has a way from %v to %v", i, p.Track[0].From, p.Track[len(p.Track)-1].To)
			}
			for _, s := range p.Seen {
				if off := geo.Distance(s.True, p.Where(s.At)); off > 1 {
					t.Fatalf("phone %d has a photo %.0f m away of its way", i, off)
				}
			}
		}
		kinds := map[string]int{}
		for _, e := range append(append([]Encounter{}, d.Meetings...), d.Misses...) {
			kinds[e.Kind]++
			nearest, farthest := math.Inf(1), 0.0
			for at := e.Start; !at.After(e.End); at = at.Add(10 * time.Second) {
				x := geo.Distance(d.Phones[e.A].Where(at), d.Phones[e.B].Where(at))
				nearest, farthest = min(nearest, x), max(farthest, x)
			}
			switch e.Kind {
			case "meeting", "walk":
				if farthest > 80 || e.End.Sub(e.Start) < 20*time.Minute || !shot(d.Phones[e.A], e) || !shot(d.Phones[e.B], e) {
					t.Errorf("%+v: up to %.0f m apart", e, farthest)
				}
			case "apart", "quarter", "street":
				if nearest < 950 && e.Kind != "street" || nearest < 140 {
					t.Errorf("%+v: as near as %.0f m", e, nearest)
				}
			}
		}
		if len(kinds) != 8 {
			t.Errorf("seed %d: only %v", seed, kinds)
		}
	}
}

func shot(p Phone, e Encounter) bool {
	for _, s := range p.Seen {
		if !s.At.Before(e.Start) && !s.At.After(e.End) {
			return true
		}
	}
	return false
}
