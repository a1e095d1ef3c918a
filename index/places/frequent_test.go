package places

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index/geo"
)

// life makes visits.
type life struct {
	r      *rand.Rand
	visits []Visit
}

func newLife(seed uint64) *life { return &life{r: rand.New(rand.NewPCG(seed, 1))} }

// off is a point some metres north and east of another.
func off(p geo.Point, north, east float64) geo.Point {
	const degree = math.Pi / 180 * geo.Radius
	lon := p.Lon + east/degree/math.Cos(p.Lat*math.Pi/180)
	return geo.Point{Lat: p.Lat + north/degree, Lon: math.Remainder(lon, 360)}
}

// shoot takes photos at a place on a day, from one hour to another, with a GPS
// that is 15 m off.
func (l *life) shoot(p geo.Point, day, n, from, to int) {
	for range n {
		l.visits = append(l.visits, Visit{Point: off(p, 15*l.r.NormFloat64(), 15*l.r.NormFloat64()), Accuracy: 15, Day: int32(day),
			Minute: int16(from*60 + l.r.IntN((to-from)*60))})
	}
}

// live is home from one day to another: photos every second day, mostly in the evening.
func (l *life) live(p geo.Point, from, to int) {
	for day := from; day < to; day++ {
		if l.r.IntN(2) == 0 {
			l.shoot(p, day, 1+l.r.IntN(4), 17, 23)
		}
	}
}

// work is a photo at work on every fifth weekday or so.
func (l *life) work(p geo.Point, from, to int) {
	for day := from; day < to; day++ {
		if !weekend(int32(day)) && l.r.IntN(5) == 0 {
			l.shoot(p, day, 2, 9, 16)
		}
	}
}

var (
	turku  = geo.Point{Lat: 60.4518, Lon: 22.2666}
	parkad = off(turku, 900, 1500)
	cabin  = geo.Point{Lat: 60.1, Lon: 21.5}
	oslo   = geo.Point{Lat: 59.91, Lon: 10.75}
)

const start = 15_000 // some day in 2011

func TestDaysCountNotPhotos(t *testing.T) {
	l := newLife(1)
	l.live(turku, start, start+200)
	l.shoot(oslo, start+50, 2000, 12, 24)            // a wedding
	for day := start + 100; day < start+118; day++ { // a hotel
		l.shoot(cabin, day, 30, 7, 23)
	}
	got, of := Frequent(l.visits)
	if len(got) != 1 || geo.Distance(got[0].Center, turku) > 10 {
		t.Fatalf("%+v", got)
	}
	for i, v := range l.visits {
		if home := geo.Distance(v.Point, turku) < 1000; (of[i] == 0) != home {
			t.Errorf("%+v is of place %d", v, of[i])
		}
	}
}

func TestHomeWorkCottage(t *testing.T) {
	l := newLife(2)
	l.live(turku, start, start+1000)
	l.work(parkad, start, start+1000)
	for summer := start + 100; summer < start+1000; summer += 365 {
		for day := summer; day < summer+75; day++ { // nearly all photos of ten weeks
			l.shoot(cabin, day, 10, 6, 24)
		}
	}
	got, _ := Frequent(l.visits)
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for _, p := range got {
		want, at := KindHome, turku
		switch {
		case geo.Distance(p.Center, parkad) < 100:
			want, at = KindWork, parkad
		case geo.Distance(p.Center, cabin) < 100:
			want, at = KindOther, cabin
		}
		if p.Kind != want || geo.Distance(p.Center, at) > 10 || p.Radius < 20 || p.Radius > 60 {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	homes := Homes(got)
	if len(homes) != 1 || homes[0].From > start+10 || homes[0].To < start+990 || geo.Distance(homes[0].Center, turku) > 10 ||
		homes[0].Radius != got[homes[0].Place].Radius {
		t.Errorf("%+v", homes)
	}
}

func TestMovedHouse(t *testing.T) {
	l := newLife(3)
	l.live(turku, start, start+800)
	l.live(oslo, start+790, start+1500)
	for visit := start + 900; visit < start+1500; visit += 90 { // at the parents', in the old house
		for day := visit; day < visit+4; day++ {
			l.shoot(turku, day, 5, 18, 23)
		}
	}
	got, _ := Frequent(l.visits)
	homes := Homes(got)
	if len(homes) != 2 {
		t.Fatalf("%+v", homes)
	}
	for i, want := range []struct {
		p        geo.Point
		from, to int32
	}{{turku, start, start + 800}, {oslo, start + 790, start + 1500}} {
		h := homes[i]
		// Months are 30 days: a photo of the month in which the change falls may count.
		if geo.Distance(h.Center, want.p) > 10 || abs(h.From-want.from) > 30 || abs(h.To-want.to) > 30 {
			t.Errorf("%+v, want %+v", h, want)
		}
	}
}

func abs(d int32) int32 { return max(d, -d) }

func TestTwoHouseholds(t *testing.T) {
	l := newLife(4)
	other := off(turku, 0, 4000)
	for week := start; week < start+700; week += 14 {
		l.live(turku, week, week+7)
		l.live(other, week+7, week+14)
	}
	got, _ := Frequent(l.visits)
	homes := Homes(got)
	if len(homes) != 2 || homes[0].Place == homes[1].Place || min(homes[0].To, homes[1].To) < start+650 || max(homes[0].From, homes[1].From) > start+50 {
		t.Errorf("%+v", homes)
	}
}

func TestNoHomeWithFewData(t *testing.T) {
	l := newLife(5)
	for day := start; day < start+9*40; day += 40 {
		l.shoot(turku, day, 5, 19, 23)
	}
	got, _ := Frequent(l.visits)
	if len(got) != 1 || got[0].Kind != KindOther || len(Homes(got)) != 0 {
		t.Errorf("nine evenings: %+v", got)
	}
	if got, of := Frequent(nil); len(got) != 0 || len(of) != 0 {
		t.Errorf("nothing: %+v", got)
	}
	if got, of := Frequent([]Visit{{Point: geo.Point{Lat: math.NaN()}}, {Accuracy: 201}, {Day: math.MinInt32}, {Day: math.MaxInt32}}); len(got) != 0 ||
		!slices.Equal(of, []int32{-1, -1, -1, -1}) {
		t.Errorf("no positions: %+v", got)
	}
}

func TestTwoHomesInOneStreet(t *testing.T) {
	for _, c := range []struct{ apart, want int }{{50, 1}, {100, 1}, {220, 2}, {300, 2}} {
		l := newLife(6)
		l.live(turku, start, start+400)
		l.live(off(turku, 0, float64(c.apart)), start+400, start+800)
		if got, _ := Frequent(l.visits); len(got) != c.want {
			t.Errorf("%d m apart: %+v, want %d places", c.apart, got, c.want)
		}
	}
}

func TestScatterOfAHomeIsNoPlace(t *testing.T) {
	l := newLife(7)
	l.live(turku, start, start+1500)
	for i := range l.visits {
		if i%40 == 0 { // indoors, now and then
			l.visits[i].Point = off(turku, 290+10*l.r.NormFloat64(), 10*l.r.NormFloat64())
		}
	}
	got, of := Frequent(l.visits)
	if len(got) != 1 {
		t.Errorf("%+v", got)
	}
	for i, p := range of {
		if (p < 0) != (i%40 == 0) {
			t.Errorf("%v is of place %d", l.visits[i].Point, p)
		}
	}
}

// TestAFieldIsNoPlace comes back to a field in the country, each day at another
// end of it.
func TestAFieldIsNoPlace(t *testing.T) {
	l := newLife(16)
	for day := start; day < start+1000; day += 10 {
		l.shoot(off(cabin, 300*l.r.Float64(), 300*l.r.Float64()), day, 3, 10, 18)
	}
	if got, _ := Frequent(l.visits); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestATownIsNoPlace photographs a town all over, each day somewhere else, and
// comes back to one spot in it.
func TestATownIsNoPlace(t *testing.T) {
	l := newLife(14)
	for day := start; day < start+3000; day++ {
		p := off(turku, 5000*l.r.Float64()-2500, 5000*l.r.Float64()-2500)
		for range 10 { // a walk
			p = off(p, 60*l.r.NormFloat64(), 60*l.r.NormFloat64())
			l.shoot(p, day, 1, 10, 18)
		}
		if day%70 == 0 {
			l.shoot(turku, day, 3, 12, 13)
		}
	}
	got, _ := Frequent(l.visits)
	if len(got) == 0 || geo.Distance(got[0].Center, turku) > 40 || len(got) > 5 {
		t.Errorf("%d places: %+v", len(got), got)
	}
}

// TestFringesDoNotCutAHome adds spots on both sides of a home, which have all
// of its days within their disc, and some of their own.
func TestFringesDoNotCutAHome(t *testing.T) {
	l := newLife(15)
	l.live(turku, start, start+500)
	for day := start; day < start+500; day += 20 {
		l.shoot(off(turku, 0, 95), day, 1, 12, 14)
		l.shoot(off(turku, 0, -95), day+10, 1, 12, 14)
	}
	if got, of := Frequent(l.visits); len(got) != 1 || slices.Contains(of, -1) {
		t.Errorf("%+v", got)
	}
}

// TestNoBorderCutsAPlace puts one home in a hundred places, on borders of cells
// of many levels, at the poles and at the 180th meridian.
func TestNoBorderCutsAPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	points := []geo.Point{{Lat: 0, Lon: 0}, {Lat: 0, Lon: 45}, {Lat: 35.264, Lon: 45}, {Lat: 0, Lon: 180}, {Lat: -17, Lon: -180}, {Lat: 89.9999, Lon: 0}}
	for range 60 {
		cell := geo.CellOf(geo.Point{Lat: 85 * (2*r.Float64() - 1), Lon: 360 * (r.Float64() - 0.5)}, 14)
		next := cell.Around()[r.IntN(4)]
		points = append(points, geo.Centroid([]geo.Point{cell.Center(), next.Center()}))
	}
	for _, p := range points {
		l := newLife(9)
		if p.Lat > 89 {
			for day := start; day < start+200; day++ { // east has no sense there
				l.visits = append(l.visits, Visit{Point: geo.Point{Lat: 90 - 0.0001*l.r.Float64(), Lon: 360*l.r.Float64() - 180}, Day: int32(day), Minute: 1200})
			}
		} else {
			l.live(p, start, start+200)
		}
		got, of := Frequent(l.visits)
		if len(got) != 1 || got[0].Kind != KindHome || slices.Contains(of, -1) || got[0].Shots != len(l.visits) {
			t.Errorf("at %v: %+v", p, got)
		}
	}
}

// someLife is a home, a second one perhaps, work, places seen now and then, and noise.
func someLife(t *rapid.T, around geo.Point) *life {
	l := newLife(rapid.Uint64().Draw(t, "seed"))
	days := rapid.IntRange(1, 600).Draw(t, "days")
	l.live(around, start, start+days)
	if rapid.Bool().Draw(t, "moved") {
		l.live(off(around, 0, rapid.Float64Range(0, 5000).Draw(t, "apart")), start+days, start+2*days)
	}
	l.work(off(around, 2000, 0), start, start+days)
	for range rapid.IntRange(0, 5).Draw(t, "others") {
		p := off(around, 3000*l.r.NormFloat64(), 3000*l.r.NormFloat64())
		for range l.r.IntN(12) {
			l.shoot(p, start+l.r.IntN(days), 1+l.r.IntN(5), 8, 20)
		}
	}
	for range rapid.IntRange(0, 300).Draw(t, "noise") {
		l.shoot(off(around, 500*l.r.NormFloat64(), 500*l.r.NormFloat64()), start+l.r.IntN(days), 1, 0, 24)
	}
	return l
}

func TestFrequentProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := someLife(t, geo.Point{Lat: rapid.Float64Range(-80, 80).Draw(t, "lat"), Lon: rapid.Float64Range(-180, 180).Draw(t, "lon")})
		got, of := Frequent(l.visits)
		days := make([]map[int32]bool, len(got))
		shots, within := make([]int, len(got)), make([]int, len(got))
		for i, v := range l.visits {
			p := of[i]
			if p < 0 {
				continue
			}
			if days[p] == nil {
				days[p] = map[int32]bool{}
			}
			days[p][v.Day] = true
			shots[p]++
			d := geo.Distance(v.Point, got[p].Center)
			// A visit is up to 78 m from its spot's middle, that is within reach of
			// the peak, and so is the centre.
			if d > 2*reach+78 {
				t.Fatalf("%+v is %.0f m from %+v", v, d, got[p])
			}
			if d <= got[p].Radius {
				within[p]++
			}
			if v.Day < got[p].First || v.Day > got[p].Last {
				t.Fatalf("%+v at another time than %+v", v, got[p])
			}
		}
		for i, p := range got {
			if len(days[i]) != p.Days || shots[i] != p.Shots || within[i]*10 < p.Shots*9 || p.Days < minDays || p.Nights > p.Days ||
				p.Share <= 0 || p.Share > 1 || (p.Kind == KindHome) != (len(p.Lived) > 0) || i > 0 && p.Days > got[i-1].Days {
				t.Fatalf("%d: %+v, seen %d days, %d shots, %d within", i, p, len(days[i]), shots[i], within[i])
			}
			for j, s := range p.Lived {
				if s.From > s.To || s.From < p.First || s.To > p.Last || j > 0 && s.From <= p.Lived[j-1].To {
					t.Fatalf("%+v", p)
				}
			}
		}
		// In another order.
		order := l.r.Perm(len(l.visits))
		shuffled := make([]Visit, len(order))
		for to, from := range order {
			shuffled[to] = l.visits[from]
		}
		again, ofAgain := Frequent(shuffled)
		if !reflect.DeepEqual(got, again) {
			t.Fatalf("%+v, in another order %+v", got, again)
		}
		for to, from := range order {
			if of[from] != ofAgain[to] {
				t.Fatalf("%+v is of %d, in another order of %d", l.visits[from], of[from], ofAgain[to])
			}
		}
		// Each photo five times.
		many, _ := Frequent(slices.Concat(l.visits, l.visits, l.visits, l.visits, l.visits))
		for i := range many {
			many[i].Shots /= 5
			if geo.Distance(many[i].Center, got[i].Center) < 1e-6 { // a sum five times as large is rounded elsewhere
				many[i].Center = got[i].Center
			}
			if !reflect.DeepEqual(many[i], got[i]) {
				t.Fatalf("%+v, five times %+v", got[i], many[i])
			}
		}
	})
}

// TestAMeridianChangesNothing moves a life along its parallel. The spots are
// others there, and so the centre, which weighs spots by their days, is some
// metres off; nothing else is.
func TestAMeridianChangesNothing(t *testing.T) {
	l := newLife(10)
	l.live(turku, start, start+500)
	l.work(parkad, start, start+500)
	l.live(off(turku, 5000, 3000), start+500, start+1000)
	want, wantOf := Frequent(l.visits)
	for _, by := range []float64{90, -22.2666, 157.7334, 157.7, -157.3, 180} {
		moved := slices.Clone(l.visits)
		for i := range moved {
			moved[i].Point.Lon = math.Remainder(moved[i].Point.Lon+by, 360)
		}
		got, of := Frequent(moved)
		if !slices.Equal(of, wantOf) || len(got) != len(want) {
			t.Fatalf("by %f degrees: %+v, want %+v", by, got, want)
		}
		for i := range got {
			p, w := got[i], want[i]
			p.Center.Lon = math.Remainder(p.Center.Lon-by, 360)
			if geo.Distance(p.Center, w.Center) > 6 || math.Abs(p.Radius-w.Radius) > 6 {
				t.Errorf("by %f degrees: %+v, want %+v", by, p, w)
			}
			p.Center, p.Radius = w.Center, w.Radius
			if !reflect.DeepEqual(p, w) {
				t.Errorf("by %f degrees: %+v, want %+v", by, p, w)
			}
		}
	}
}
