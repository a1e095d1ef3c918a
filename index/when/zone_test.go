package when

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
)

// TestOffsets holds readings at changes of the clocks against the rules of the
// tz database.
func TestOffsets(t *testing.T) {
	for _, c := range []struct {
		zone, wall    string
		first, second float64
	}{
		{"Europe/Helsinki", "2023-03-26 02:59:59", 2, 2},
		{"Europe/Helsinki", "2023-03-26 03:30:00", 2, 2}, // never shown: a clock that was not set yet
		{"Europe/Helsinki", "2023-03-26 04:00:00", 3, 3},
		{"Europe/Helsinki", "2023-10-29 02:59:59", 3, 3},
		{"Europe/Helsinki", "2023-10-29 03:00:00", 3, 2}, // twice
		{"Europe/Helsinki", "2023-10-29 03:59:59", 3, 2},
		{"Europe/Helsinki", "2023-10-29 04:00:00", 2, 2},
		{"America/New_York", "2023-11-05 01:30:00", -4, -5},
		{"America/New_York", "2023-03-12 02:30:00", -5, -5},
		{"Australia/Lord_Howe", "2023-04-02 01:45:00", 11, 10.5}, // half an hour
		{"Pacific/Apia", "2011-12-29 23:00:00", -10, -10},
		{"Pacific/Apia", "2011-12-30 12:00:00", -10, -10}, // a day that was left out
		{"Pacific/Apia", "2011-12-31 00:00:00", 14, 14},
		{"Asia/Kathmandu", "2023-10-29 03:30:00", 5.75, 5.75},
		{"UTC", "2023-10-29 03:30:00", 0, 0},
	} {
		first, second := offsets(location(t, c.zone), utc(c.wall))
		if first.Hours() != c.first || second.Hours() != c.second {
			t.Errorf("%s in %s: %v and %v", c.wall, c.zone, first, second)
		}
	}
}

// TestOffsetsAreOfTheInstant holds that an instant's own reading finds its
// offset again.
func TestOffsetsAreOfTheInstant(t *testing.T) {
	zones := []string{"Europe/Helsinki", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Pyongyang"}
	rapid.Check(t, func(rt *rapid.T) {
		loc := location(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(rt, "at"), 0)
		want := offsetAt(loc, at)
		first, second := offsets(loc, at.UTC().Add(want))
		if want != first && want != second {
			rt.Fatalf("%v in %v: %v and %v", at.UTC(), loc, first, second)
		}
		if first < second {
			rt.Fatalf("%v in %v: %v before %v", at.UTC(), loc, first, second)
		}
	})
}

// TestTwice holds that numbers of photos tell the first hour from the second
// where the clock was set back between them, and only then.
func TestTwice(t *testing.T) {
	for _, c := range []struct {
		what  string
		walls []string
		want  []float64
	}{
		{"one photo", []string{"03:30"}, []float64{3}},
		{"no way back", []string{"03:10", "03:20", "03:50"}, []float64{3, 3, 3}},
		{"back once", []string{"03:40", "03:55", "03:05", "03:30"}, []float64{3, 3, 2, 2}},
		{"to and fro", []string{"03:40", "03:05", "03:50", "03:10"}, []float64{3, 3, 3, 3}},
	} {
		var photos []Evidence
		for i, w := range c.walls {
			photos = append(photos, Evidence{
				Key: fmt.Sprint(9 - i), Camera: "a", Name: fmt.Sprintf("DSC_%04d.JPG", 120+i), Point: turku,
				Taken: wall("2023-10-29 " + w + ":00"),
			})
		}
		for zone, opt := range map[exif.ZoneSource]Options{
			exif.ZonePosition: {Zones: east{t}}, exif.ZoneDefault: {Default: location(t, "Europe/Helsinki")},
		} {
			for i, got := range Resolve(photos, opt) {
				if got.Offset.Hours() != c.want[i] || got.Zone != zone {
					t.Errorf("%s: photo %d at %v %s", c.what, i, got.Offset, got.Zone)
				}
			}
		}
	}
}

// TestSeries holds what a camera's other photos tell of its zone.
func TestSeries(t *testing.T) {
	const at = "2023-07-04 12:00:00"
	photo := func(hours float64, offset int) Evidence {
		e := Evidence{Camera: "a", Taken: zonedAt(at, offset, exif.ZoneOffset)}
		e.Taken.Wall = e.Taken.Wall.Add(time.Duration(hours * float64(time.Hour)))
		return e
	}
	other := photo(1, 9)
	other.Camera = "b"
	nameless := photo(1, 9)
	nameless.Camera = ""
	said := photo(1, 9)
	said.Said, said.Taken = &said.Taken, exif.Time{}
	local := wall("2023-07-04 13:00:00")
	saidThere := Evidence{Camera: "a", Said: &local, Point: tokyo}
	for _, c := range []struct {
		what   string
		around []Evidence
		want   float64
		zone   exif.ZoneSource
	}{
		{"alone", nil, 0, exif.ZoneNone},
		{"one before", []Evidence{photo(-20, 3)}, 3, exif.ZoneSeries},
		{"one after", []Evidence{photo(20, 3)}, 3, exif.ZoneSeries},
		{"too long before", []Evidence{photo(-25, 3)}, 0, exif.ZoneNone},
		{"both agree", []Evidence{photo(-20, 3), photo(23, 3)}, 3, exif.ZoneSeries},
		{"they differ: the nearer one", []Evidence{photo(-20, 3), photo(5, 9)}, 9, exif.ZoneSeries},
		{"equally near: the earlier one", []Evidence{photo(-5, 3), photo(5, 9)}, 3, exif.ZoneSeries},
		{"they differ, and none is near", []Evidence{photo(-20, 3), photo(7, 9)}, 0, exif.ZoneNone},
		{"the nearest count", []Evidence{photo(-20, 3), photo(-1, 9), photo(2, 9), photo(20, 3)}, 9, exif.ZoneSeries},
		{"another camera", []Evidence{other}, 0, exif.ZoneNone},
		{"no camera", []Evidence{nameless}, 0, exif.ZoneNone},
		{"what a person said is not the clock", []Evidence{said}, 0, exif.ZoneNone},
		{"nor is it of a place", []Evidence{saidThere}, 0, exif.ZoneNone},
	} {
		photos := append([]Evidence{{Key: "x", Camera: "a", Taken: wall(at)}}, c.around...)
		for i := range photos[1:] {
			photos[i+1].Key = fmt.Sprint(i)
		}
		got := Resolve(photos, Options{Zones: east{t}})[0]
		if got.Offset.Hours() != c.want || got.Zone != c.zone {
			t.Errorf("%s: %v %s", c.what, got.Offset, got.Zone)
		}
	}
}

// TestSeriesDoesNotWander holds that an inferred zone tells no further photo
// its own.
func TestSeriesDoesNotWander(t *testing.T) {
	photos := []Evidence{{Key: "0", Camera: "a", Taken: zonedAt("2023-07-01 00:00:00", 3, exif.ZoneOffset)}}
	for i := 1; i < 10; i++ {
		e := Evidence{Key: fmt.Sprint(i), Camera: "a", Taken: wall("2023-07-01 00:00:00")}
		e.Taken.Wall = e.Taken.Wall.Add(time.Duration(i) * 10 * time.Hour)
		photos = append(photos, e)
	}
	for i, got := range Resolve(photos, Options{})[1:] {
		want := exif.ZoneSeries
		if i >= 2 {
			want = exif.ZoneNone
		}
		if got.Zone != want {
			t.Errorf("%d hours on: %s", 10*(i+1), got.Zone)
		}
	}
}

// TestSort holds how photos without an instant are put among the others.
func TestSort(t *testing.T) {
	tokyoNoon := zonedAt("2023-07-04 12:00:00", 9, exif.ZoneOffset)
	photos := []Evidence{
		{Key: "a", Taken: tokyoNoon},
		{Key: "b", Taken: wall("2023-07-04 12:30:00")},
		{Key: "c", Name: "IMG-20230704-WA0012.jpg"},
		{Key: "d", Name: "IMG-20230704-WA0013.jpg"},
		{Key: "e", Name: "IMG-20230704-WA0014.jpg", ModTime: utc("2023-07-04 07:00:00")},
		{Key: "f", Name: "IMG-20230704-WA0015.jpg", ModTime: utc("2023-07-04 17:00:00")}, // the next day in Tokyo
		{Key: "g", ModTime: utc("2023-07-04 03:10:00")},
		{Key: "h", Taken: wall("2023-07-04 03:12:00")}, // the reading of g is nearer, and of no zone
	}
	noon := utc("2023-07-04 03:00:00").UnixMicro()
	got := Resolve(photos, Options{})
	const minute = int64(time.Minute / time.Microsecond)
	for i, want := range []int64{0, 30 * minute, 12, 13, 240 * minute, 15, 10 * minute, -(8*60 + 48) * minute} {
		if got[i].Sort-noon != want {
			t.Errorf("%s: %d µs after noon, want %d", photos[i].Key, got[i].Sort-noon, want)
		}
	}
	if at := Resolve(photos[1:2], Options{})[0]; at.Sort != at.Wall.UnixMicro() {
		t.Errorf("alone it sorts at %d", at.Sort)
	}
	// Years away from any other photo, the host's zone is the better guess.
	photos[2].Name = "IMG-20130704-WA0012.jpg"
	if at := Resolve([]Evidence{photos[0], photos[2]}, Options{Default: location(t, "America/New_York")})[1]; at.Sort != utc("2013-07-04 16:00:00").UnixMicro()+12 {
		t.Errorf("years away: %v", time.UnixMicro(at.Sort).UTC())
	}
}

// TestSeriesTies holds that of two photos that a camera's clock read alike, in
// different zones, the keys choose and not the order they come in.
func TestSeriesTies(t *testing.T) {
	photos := []Evidence{
		{Key: "p", Camera: "a", Taken: zonedAt("2023-07-04 11:00:00", 9, exif.ZoneOffset)},
		{Key: "q", Camera: "a", Taken: zonedAt("2023-07-04 11:00:00", 3, exif.ZoneOffset)},
		{Key: "x", Camera: "a", Taken: wall("2023-07-04 12:00:00")},
	}
	for range 2 {
		if got := Resolve(photos, Options{})[2]; got.Offset != 3*time.Hour {
			t.Errorf("%s after %s: %v", photos[1].Key, photos[0].Key, got.Offset)
		}
		photos[0], photos[1] = photos[1], photos[0]
	}
}
