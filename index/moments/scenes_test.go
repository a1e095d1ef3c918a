package moments

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kith-photos/kith/index/geo"
)

// at is a shot at a time, in hours since 2020-01-01, of a camera at a point.
func at(hours float64, camera int32, points ...geo.Point) Shot {
	t := 18_262*day + int64(hours*float64(hour))
	s := Shot{At: t, Day: int32(t / day), Camera: camera, Burst: -1}
	if len(points) > 0 {
		s.HasPoint, s.Point = true, points[0]
	}
	return s
}

var (
	turku  = geo.Point{Lat: 60.45, Lon: 22.27}
	lisbon = geo.Point{Lat: 38.72, Lon: -9.14}
	tokyo  = geo.Point{Lat: 35.68, Lon: 139.65}
	suva   = geo.Point{Lat: -18.12, Lon: 178.45}
	hawaii = geo.Point{Lat: 21.31, Lon: -157.86}
	cabin  = geo.Point{Lat: 60.45, Lon: 23.5} // 68 km off
)

func north(p geo.Point, metres float64) geo.Point {
	p.Lat += metres / degree
	return p
}

func TestScenes(t *testing.T) {
	home := []Home{{Point: turku, Radius: 100, From: 0, To: 30_000}}
	for _, c := range []struct {
		name  string
		shots []Shot
		want  []int // the moment of each shot
	}{
		{"a pause", []Shot{at(12, 0), at(12.1, 0), at(12.6, 0), at(15, 0)}, []int{0, 0, 0, 1}},
		{"the same pause in a slow series", []Shot{at(8, 0), at(8.6, 0), at(9.2, 0), at(9.8, 0), at(10.4, 0), at(11.8, 0)}, []int{0, 0, 0, 0, 0, 0}},
		{"and in a quick one", []Shot{at(8, 0), at(8.01, 0), at(8.02, 0), at(8.03, 0), at(8.04, 0), at(9.44, 0)}, []int{0, 0, 0, 0, 0, 1}},
		{"a long pause at one place that is no home", []Shot{at(12, 0, cabin), at(13.9, 0, cabin)}, []int{0, 0}},
		{"the same at home", []Shot{at(12, 0, turku), at(13.9, 0, turku)}, []int{0, 1}},
		{"a night's sleep", []Shot{at(23, 0, cabin), at(31, 0, cabin)}, []int{0, 1}},
		{"another place soon after", []Shot{at(12, 0, turku), at(12.01, 0, turku), at(12.2, 0, north(turku, 5000)), at(12.21, 0, north(turku, 5000))}, []int{0, 0, 1, 1}},
		{"on foot", []Shot{at(12, 0, turku), at(12.35, 0, north(turku, 1500)), at(12.7, 0, north(turku, 3000)), at(13.05, 0, north(turku, 4500))}, []int{0, 0, 0, 0}},
		{
			"by train, after the station",
			[]Shot{at(12, 0, turku), at(12.1, 0, turku), at(12.2, 0, north(turku, 9000)), at(12.3, 0, north(turku, 18_000)), at(12.4, 0, north(turku, 27_000)), at(12.401, 0, north(turku, 27_100)), at(12.5, 0, north(turku, 36_000))},
			[]int{0, 0, 1, 1, 1, 1, 1},
		},
		{
			"two in two cities at once",
			[]Shot{at(12, 0, turku), at(12.01, 1, lisbon), at(12.02, 0, turku), at(12.03, 1, lisbon), at(12.04, 0), at(12.05, 1), at(12.06, 1, lisbon)},
			[]int{0, 1, 0, 1, 0, 1, 1},
		},
		{
			"one whose phone says only later where",
			[]Shot{at(12, 0, turku), at(12.01, 1), at(12.02, 0, turku), at(12.05, 1, lisbon)},
			[]int{0, 1, 0, 1},
		},
		{
			"a position that is wrong by three kilometres",
			[]Shot{at(12, 0, turku), at(12.001, 0, north(turku, 3000)), at(12.002, 0, turku), at(12.003, 0, turku)},
			[]int{0, 0, 0, 0},
		},
		{
			"two phones that cannot be told from each other",
			[]Shot{at(12, 0, turku), at(12.01, 0, lisbon), at(12.02, 0, turku), at(12.03, 0, lisbon), at(12.04, 0, turku)},
			[]int{0, 1, 0, 1, 0},
		},
		{
			"a camera that tells no places stays with whom it was",
			[]Shot{at(12, 0, turku), at(12.01, 2), at(12.02, 1, lisbon), at(12.03, 0, turku), at(12.04, 1, lisbon), at(12.041, 2)},
			[]int{0, 0, 1, 0, 1, 0},
		},
		{"a position that came a little late", []Shot{at(12, 0, turku), at(12.2, 0), at(12.201, 0, north(turku, 5000))}, []int{0, 1, 1}},
		{"two phones at one place", []Shot{at(12, 0, turku), at(12.01, 1, north(turku, 30)), at(12.02, 2), at(12.03, -1)}, []int{0, 0, 0, 0}},
	} {
		for i := range c.shots {
			c.shots[i].Key = fmt.Sprintf("%03d", i)
		}
		tl := Group(c.shots, home)
		var got []int
		for _, m := range tl.Of {
			got = append(got, int(m))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestNightBelongsToItsEvening holds a party that runs past midnight on its
// day, and the breakfast on the next.
func TestNightBelongsToItsEvening(t *testing.T) {
	var shots []Shot
	for i := range 30 {
		shots = append(shots, at(21+float64(i)/5, 0, cabin)) // until 3
	}
	shots = append(shots, at(33, 0, cabin))
	for i := range shots {
		shots[i].Key = fmt.Sprintf("%03d", i)
	}
	tl := Group(shots, nil)
	if len(tl.Days) != 2 || len(tl.Moments) != 2 || len(tl.Moments[0].Shots) != 30 || tl.Days[0].Day != 18_262 || tl.Days[1].Day != 18_263 {
		t.Errorf("%+v", tl)
	}
}

func TestTrips(t *testing.T) {
	home := []Home{{Point: turku, Radius: 100, From: 18_000, To: 18_400}}
	stay := func(from, to float64, camera int32, p ...geo.Point) (out []Shot) {
		for h := from; h < to; h += 5 {
			out = append(out, at(h, camera, p...))
		}
		return out
	}
	for _, c := range []struct {
		name  string
		homes []Home
		shots [][]Shot
		want  [][3]int // first and last day since 2020-01-01, moments
	}{
		{"days away, with the airport", home, [][]Shot{stay(0, 20, 0, turku), {at(22, 0, north(turku, 20_000)), at(23, 0)}, stay(40, 90, 0, lisbon), {at(100, 0, north(turku, 20_000))}, stay(120, 150, 0, turku)}, [][3]int{{0, 4, 13}}},
		{"no home known", nil, [][]Shot{stay(0, 20, 0, turku), stay(40, 90, 0, lisbon), stay(120, 150, 0, turku)}, nil},
		{"not a home then", []Home{{Point: turku, Radius: 100, From: 17_000, To: 18_261}}, [][]Shot{stay(0, 20, 0, turku), stay(40, 90, 0, lisbon)}, nil},
		{"a day out", home, [][]Shot{stay(0, 8, 0, turku), stay(9, 17, 0, cabin), stay(20, 30, 0, turku)}, nil},
		{"two days out", home, [][]Shot{stay(9, 17, 0, cabin), {at(20, 0, north(turku, 9000))}, stay(33, 41, 0, cabin)}, nil},
		{"an evening out", home, [][]Shot{{at(19, 0, cabin), at(24.5, 0, cabin)}}, nil},
		{"a weekend out", home, [][]Shot{stay(0, 8, 0, turku), stay(9, 40, 0, cabin), stay(44, 60, 0, turku)}, [][3]int{{0, 1, 7}}},
		{"two weekends out", home, [][]Shot{stay(9, 40, 0, cabin), stay(9+7*24, 40+7*24, 0, cabin)}, [][3]int{{0, 1, 7}, {7, 8, 7}}},
		{"days without a position in it", home, [][]Shot{stay(0, 20, 0, turku), stay(40, 60, 0, lisbon), stay(64, 100, 0), stay(104, 120, 0, lisbon), stay(140, 160, 0, turku)}, [][3]int{{1, 4, 16}}},
		{"one parent away, one at home", home, [][]Shot{stay(0, 200, 0, turku), stay(0, 30, 1, turku), stay(51, 120, 1, tokyo), stay(151, 200, 1, turku)}, [][3]int{{2, 4, 14}}},
		{"both, who never met there", home, [][]Shot{stay(0, 30, 0, turku), stay(50, 100, 0, lisbon), stay(52.5, 140, 1, north(lisbon, 4000)), stay(160, 200, 1, turku)}, [][3]int{{2, 5, 28}}},
		{"at once, to two ends of the world", home, [][]Shot{stay(50, 100, 0, lisbon), stay(52.5, 140, 1, tokyo)}, [][3]int{{2, 3, 10}, {2, 5, 18}}},
		{
			"with a camera that tells no places", home,
			[][]Shot{stay(0, 30, 0, turku), {at(52.2, 2)}, stay(52, 100, 0, lisbon), {at(54.6, 2), at(62.2, 2)}, stay(120, 150, 0, turku), {at(200.2, 2)}, stay(200, 250, 0, tokyo)},
			[][3]int{{2, 4, 11}, {8, 10, 10}},
		},
		{"together", home, [][]Shot{stay(0, 30, 0, turku), stay(50, 100, 0, lisbon), stay(50.1, 140, 1, lisbon), stay(160, 200, 1, turku)}, [][3]int{{2, 5, 18}}},
	} {
		shots := slices.Concat(c.shots...)
		for i := range shots {
			shots[i].Key = fmt.Sprintf("%03d", i)
		}
		tl := Group(shots, c.homes)
		var got [][3]int
		for _, tr := range tl.Trips {
			got = append(got, [3]int{int(tr.First) - 18_262, int(tr.Last) - 18_262, len(tr.Moments)})
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTripOverTheDateLine goes from Suva to Honolulu, where it is yesterday.
func TestTripOverTheDateLine(t *testing.T) {
	var shots []Shot
	add := func(hours, zone float64, p geo.Point) {
		s := at(hours, 0, p)
		s.Day = int32((s.At + int64(zone*float64(hour))) / day)
		s.Key = fmt.Sprintf("%03d", len(shots))
		shots = append(shots, s)
	}
	for h := 0.0; h < 48; h += 6 {
		add(h, 2, turku)
	}
	for h := 72.0; h < 130; h += 6 {
		add(h, 12, suva)
	}
	for h := 137.0; h < 200; h += 6 {
		add(h, -10, hawaii)
	}
	tl := Group(shots, []Home{{Point: turku, Radius: 100, From: 0, To: 30_000}})
	if len(tl.Trips) != 1 {
		t.Fatalf("%d trips", len(tl.Trips))
	}
	tr := tl.Trips[0]
	if want := len(shots) - 8; len(tr.Moments) != want || tr.First != 18_265 || tr.Last != 18_269 || len(tr.Days) != 5 {
		t.Errorf("%+v", tr)
	}
	if d := geo.Distance(turku, suva); tr.Farthest < d-1 || tr.Farthest > d+1 {
		t.Errorf("as far as %.0f km, want %.0f", tr.Farthest/1000, d/1000)
	}
}
