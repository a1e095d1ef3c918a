package when

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
)

// party makes the photos of several cameras at the same events: over some days,
// sessions of moments, each of which every camera takes with a chance and some
// seconds late, and photos of its own between them. Camera "a" is off by the
// returned correction, with its sign turned.
type party struct {
	days, sessions, moments int
	cameras                 int
	chance                  float64 // that a camera takes a moment
	alone                   float64 // photos of its own for each moment
	late                    time.Duration
	apart                   bool // cameras are at the same sessions but never at the same moments
}

func (p party) photos(rng *rand.Rand, off time.Duration) []Evidence {
	var out []Evidence
	start := utc("2023-07-01 00:00:00")
	take := func(camera int, at time.Time) {
		e := Evidence{Key: fmt.Sprintf("%x", rng.Uint64()), Camera: string(rune('a' + camera)), Taken: exif.Time{Wall: at.Truncate(time.Second), Zone: exif.ZoneNone}}
		if camera == 0 {
			e.Taken.Wall = e.Taken.Wall.Add(-off)
		}
		out = append(out, e)
	}
	for day := range p.days {
		for range p.sessions {
			from := start.Add(time.Duration(day)*24*time.Hour + 9*time.Hour + time.Duration(rng.Int64N(int64(12*time.Hour))))
			long := 20*time.Minute + time.Duration(rng.Int64N(int64(100*time.Minute)))
			some := func() time.Time { return from.Add(time.Duration(rng.Int64N(int64(long)))) }
			for range p.moments {
				at := some()
				for camera := range p.cameras {
					if rng.Float64() < p.chance {
						if p.apart {
							at = some()
						}
						for shots := 1 + rng.IntN(3); shots > 0; shots-- {
							take(camera, at.Add(time.Duration(rng.NormFloat64()*float64(p.late))+time.Duration(shots)*2*time.Second))
						}
					}
					if rng.Float64() < p.alone {
						take(camera, some())
					}
				}
			}
		}
	}
	return out
}

func offBy(rng *rand.Rand) time.Duration {
	if rng.IntN(3) == 0 {
		return time.Duration(rng.IntN(25)-12) * time.Hour // a zone
	}
	return time.Duration(rng.Int64N(int64(50*time.Hour)) - int64(25*time.Hour)).Round(time.Second)
}

// kinds of parties that TestEstimateFromOtherCameras and the figures go over.
func parties() map[string]party {
	return map[string]party{
		"wedding":       {days: 1, sessions: 5, moments: 60, cameras: 4, chance: .5, alone: .5, late: 4 * time.Second},
		"trip of two":   {days: 5, sessions: 3, moments: 20, cameras: 2, chance: .6, alone: .4, late: 6 * time.Second},
		"one afternoon": {days: 1, sessions: 1, moments: 40, cameras: 2, chance: .6, alone: .5, late: 5 * time.Second},
		"loose":         {days: 3, sessions: 3, moments: 20, cameras: 3, chance: .4, alone: 1, late: 15 * time.Second},
		"apart":         {days: 3, sessions: 4, moments: 40, cameras: 3, chance: .6, alone: .5, late: 5 * time.Second, apart: true},
	}
}

// figures are how many corrections of a party were found, and wrong.
func figures(p party, seed uint64, runs int) (right, wrong int) {
	for run := range runs {
		rng := rand.New(rand.NewPCG(seed, uint64(run)))
		off := offBy(rng)
		got, ok := EstimateShift(p.photos(rng, off), "a", time.Time{}, time.Time{}, nil, Options{})
		switch {
		case ok && (got.By-off).Abs() <= time.Minute:
			right++
		case ok:
			wrong++
		}
	}
	return right, wrong
}

// TestEstimateFromOtherCameras holds that most corrections are found where
// cameras took the same moments, and hardly any wrong one, even where they did
// not.
func TestEstimateFromOtherCameras(t *testing.T) {
	runs := 10
	if testing.Short() {
		runs = 3
	}
	for name, p := range parties() {
		right, wrong := figures(p, 1, runs)
		if wrong > 0 || (name == "wedding" || name == "trip of two") && right < runs*8/10 {
			t.Errorf("%s: %d right and %d wrong of %d", name, right, wrong, runs)
		}
	}
}

// BenchmarkEstimateShift reports on many parties which part of the corrections
// is found within a minute, and which part is wrong.
func BenchmarkEstimateShift(b *testing.B) {
	for name, p := range parties() {
		b.Run(name, func(b *testing.B) {
			right, wrong, n := 0, 0, 0
			for b.Loop() {
				r, w := figures(p, uint64(n)+2, 20)
				right, wrong, n = right+r, wrong+w, n+20
			}
			b.ReportMetric(float64(right)/float64(n), "recall")
			b.ReportMetric(float64(wrong)/float64(n), "wrong")
		})
	}
}

// TestEstimateFromGPS holds the readings of a camera against its own GPS time
// stamps, some of which are old.
func TestEstimateFromGPS(t *testing.T) {
	make := func(stale int, change func(*Evidence)) []Evidence {
		var out []Evidence
		for i := range 10 {
			at := utc("2023-07-04 09:00:00").Add(time.Duration(i) * 37 * time.Minute)
			e := Evidence{Key: fmt.Sprint(i), Camera: "a", Fix: at, Point: turku, Taken: exif.Time{Wall: at.Add(3*time.Hour - 63*time.Minute), Zone: exif.ZoneNone}}
			if i < stale {
				e.Fix = e.Fix.Add(-time.Duration(5+7*i) * time.Minute)
			}
			if change != nil {
				change(&e)
			}
			out = append(out, e)
		}
		return out
	}
	host := Options{Default: location(t, "Europe/Helsinki")}
	nowhere := func(e *Evidence) { e.Point = nil }
	for _, c := range []struct {
		what   string
		photos []Evidence
		opt    Options
		ok     bool
	}{
		{"with the zone of the place", make(0, nil), Options{Zones: east{t}}, true},
		{"some stamps are old", make(3, nil), Options{Zones: east{t}}, true},
		{"half of the stamps are old", make(5, nil), Options{Zones: east{t}}, false},
		{"with the host's zone", make(0, nowhere), host, true},
		{"with the camera's", make(0, func(e *Evidence) { e.Taken.Offset, e.Taken.Zone = 3*time.Hour, exif.ZoneOffset }), Options{}, true},
		{"without any: an hour may be a zone", make(0, nowhere), Options{}, false},
		{"two photos", make(0, nil)[:2], Options{Zones: east{t}}, false},
		{"the last change is not the clock", make(0, func(e *Evidence) { e.From = exif.TimeModified }), Options{Zones: east{t}}, false},
	} {
		got, ok := EstimateShift(c.photos, "a", time.Time{}, time.Time{}, nil, c.opt)
		if ok != c.ok || ok && (got.By != 63*time.Minute || got.Basis != BasisGPS) {
			t.Errorf("%s: %+v, %v", c.what, got, ok)
		}
		if !ok {
			continue
		}
		c.opt.Shifts = []Shift{got.Shift}
		for i, at := range Resolve(c.photos, c.opt) {
			if instant, ok := at.Instant(); !ok || i >= 5 && !instant.Equal(c.photos[i].Fix) {
				t.Errorf("%s: photo %d at %v, not at %v", c.what, i, instant, c.photos[i].Fix)
			}
		}
	}
}

// TestEstimateFromAnchors holds what a person says of two photos.
func TestEstimateFromAnchors(t *testing.T) {
	photos := []Evidence{
		{Key: "a1", Camera: "a", Taken: wall("2023-07-04 10:57:00")},
		{Key: "a2", Camera: "a", Taken: wall("2023-07-05 10:57:10")},
		{Key: "a3", Camera: "a", Taken: wall("2023-07-09 10:00:00")},
		{Key: "a4", Camera: "a", Taken: zonedAt("2023-07-04 10:00:00", 0, exif.ZoneOffset)},
		{Key: "b1", Camera: "b", Taken: zonedAt("2023-07-04 12:00:00", 3, exif.ZoneOffset)},
		{Key: "b2", Camera: "b", Taken: wall("2023-07-05 12:00:10")},
		{Key: "b3", Camera: "b", Taken: wall("2023-07-05 14:00:00")},
		{Key: "c1", ModTime: utc("2023-07-04 12:00:00")},
		{Key: "d1", Name: "IMG-20230704-WA0001.jpg"},
	}
	to := utc("2023-07-08 00:00:00")
	for _, c := range []struct {
		what    string
		anchors []Anchor
		want    time.Duration
		ok      bool
	}{
		{"one", []Anchor{{"a1", "b1"}}, 63 * time.Minute, true},
		{"two", []Anchor{{"a1", "b1"}, {"a2", "b2"}}, 63 * time.Minute, true},
		{"by the instant, where the camera writes its zone", []Anchor{{"a4", "b1"}}, -time.Hour, true},
		{"two that contradict each other", []Anchor{{"a1", "b1"}, {"a2", "b3"}}, 0, false},
		{"another time of that clock", []Anchor{{"a3", "b3"}}, 0, false},
		{"the same camera", []Anchor{{"a1", "a2"}}, 0, false},
		{"the wrong way round", []Anchor{{"b1", "a1"}}, 0, false},
		{"the time of a file", []Anchor{{"a1", "c1"}}, 0, false},
		{"a day", []Anchor{{"a1", "d1"}}, 0, false},
		{"photos that are gone", []Anchor{{"a1", "x"}, {"y", "b1"}}, 0, false},
	} {
		got, ok := EstimateShift(photos, "a", time.Time{}, to, c.anchors, Options{Shifts: []Shift{{Camera: "a", By: time.Minute}}})
		if ok != c.ok || ok && (got.By != c.want || got.Camera != "a" || !got.To.Equal(to) || got.Support != len(c.anchors)) {
			t.Errorf("%s: %+v, %v", c.what, got, ok)
		}
	}
	if got, ok := EstimateShift(photos, "", time.Time{}, to, []Anchor{{"a1", "b1"}}, Options{}); ok {
		t.Errorf("no camera: %+v", got)
	}
}

// TestAnchorsAreNotOverruled holds that nothing is estimated from GPS where a
// person named photos that contradict each other.
func TestAnchorsAreNotOverruled(t *testing.T) {
	var photos []Evidence
	for i := range 6 {
		at := utc("2023-07-04 09:00:00").Add(time.Duration(i) * time.Hour)
		photos = append(photos, Evidence{Key: fmt.Sprint("a", i), Camera: "a", Fix: at, Taken: exif.Time{Wall: at, Zone: exif.ZoneNone}},
			Evidence{Key: fmt.Sprint("b", i), Camera: "b", Taken: exif.Time{Wall: at, Zone: exif.ZoneNone}})
	}
	opt := Options{Default: location(t, "Europe/Helsinki")}
	if got, ok := EstimateShift(photos, "a", time.Time{}, time.Time{}, nil, opt); !ok || got.By != 3*time.Hour {
		t.Fatalf("%+v, %v", got, ok)
	}
	if got, ok := EstimateShift(photos, "a", time.Time{}, time.Time{}, []Anchor{{"a0", "b0"}, {"a1", "b2"}}, opt); ok {
		t.Errorf("%+v", got)
	}
}

// TestPeaks holds that a peak must stand out from chance and from every other.
func TestPeaks(t *testing.T) {
	for _, c := range []struct {
		what  string
		peaks map[int]float64
		want  int
		ok    bool
	}{
		{"nothing", nil, 0, false},
		{"a few by chance", map[int]float64{5000: 5}, 0, false},
		{"one", map[int]float64{5000: 30}, 5000, true},
		{"at the end", map[int]float64{alignBins - 1: 30}, alignBins - 1, true},
		{"two alike", map[int]float64{5000: 30, 9000: 25}, 0, false},
		{"a small one more", map[int]float64{5000: 30, 9000: 15}, 5000, true},
	} {
		bins := make([]float64, alignBins)
		for i, n := range c.peaks {
			bins[i] = n
		}
		got, ratio, ok := clearPeak(bins)
		if ok != c.ok || ok && (got < c.want-1 || got > c.want+1) {
			t.Errorf("%s: %d, %.1f, %v", c.what, got, ratio, ok)
		}
	}
	hill := make([]float64, alignBins) // as of two parties on one evening
	for i := range 400 {
		hill[8000+i] = 20 + float64(min(i, 400-i))/10
	}
	if got, ratio, ok := clearPeak(hill); ok {
		t.Errorf("a hill: %d, %.1f", got, ratio)
	}
}

// TestMoments holds that a burst is one moment, and that a long one is several.
func TestMoments(t *testing.T) {
	got := moments([]int64{60_000, 0, 1_000, 19_000, 21_000, 39_000, 41_000})
	if want := []int64{0, 21_000, 41_000}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestEstimateOfARealCamera holds a Nikon Coolpix P6000, whose photos are widely
// used as samples, against its own GPS: its date was a day behind, so that no
// zone follows from the stamps.
func TestEstimateOfARealCamera(t *testing.T) {
	var photos []Evidence
	for i, c := range [][2]string{
		{"2008-10-22 16:28:39", "2008-10-23 14:27:07"}, {"2008-10-22 16:29:49", "2008-10-23 14:28:17"},
		{"2008-10-22 16:38:20", "2008-10-23 14:36:47"}, {"2008-10-22 16:43:21", "2008-10-23 14:41:49"},
		{"2008-10-22 16:44:01", "2008-10-23 14:42:29"}, {"2008-10-22 16:46:53", "2008-10-23 14:45:20"},
		{"2008-10-22 16:52:15", "2008-10-23 14:50:40"}, {"2008-10-22 17:00:07", "2008-10-23 14:57:41"},
	} {
		photos = append(photos, Evidence{Key: fmt.Sprint(i), Camera: "NIKON|COOLPIX P6000|", Taken: wall(c[0]), Fix: utc(c[1])})
	}
	opt := Options{Default: location(t, "Europe/Rome")}
	for i, at := range Resolve(photos, opt) {
		if at.Zone != exif.ZoneDefault || at.Source != SourceOriginal {
			t.Errorf("photo %d before: %+v", i, at)
		}
	}
	got, ok := EstimateShift(photos, photos[0].Camera, time.Time{}, time.Time{}, nil, opt)
	if !ok || got.By != 24*time.Hour-92*time.Second || got.Support != 8 {
		t.Fatalf("%+v, %v", got, ok)
	}
	opt.Shifts = []Shift{got.Shift}
	for i, at := range Resolve(photos, opt) {
		if at.Zone != exif.ZoneGPS || at.Offset != 2*time.Hour || at.Wall.Day() != 23 {
			t.Errorf("photo %d after: %+v", i, at)
		}
	}
}
