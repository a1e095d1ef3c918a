package when

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
)

// album draws photos of a few cameras within some days, with any of the
// evidence, and often with equal times.
func album(t *rapid.T) []Evidence {
	start := rapid.SampledFrom([]time.Time{utc("2023-10-28 12:00:00"), utc("2000-01-01 00:00:00"), utc("2023-07-04 00:00:00")}).Draw(t, "start")
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return start.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "steps")) * 90 * time.Minute)
	})
	maybe := func(t *rapid.T, what string) bool { return rapid.IntRange(0, 2).Draw(t, what) == 0 }
	photo := rapid.Custom(func(t *rapid.T) Evidence {
		e := Evidence{Camera: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "camera")}
		if !maybe(t, "no time") {
			e.Taken = exif.Time{Wall: moment.Draw(t, "taken"), Zone: exif.ZoneNone}
			if maybe(t, "zoned") {
				e.Taken.Offset = time.Duration(rapid.SampledFrom([]int{-4, 2, 3, 9}).Draw(t, "offset")) * time.Hour
				e.Taken.Zone = rapid.SampledFrom([]exif.ZoneSource{exif.ZoneOffset, exif.ZoneGPS}).Draw(t, "zone")
			}
			e.From = rapid.SampledFrom([]exif.TimeSource{exif.TimeOriginal, exif.TimeXMP, exif.TimeModified}).Draw(t, "from")
		}
		if maybe(t, "fixed") {
			e.Fix = moment.Draw(t, "fix")
		}
		if maybe(t, "placed") {
			e.Point = rapid.SampledFrom([]*geo.Point{turku, tokyo, sea}).Draw(t, "point")
		}
		if maybe(t, "file") {
			e.ModTime = moment.Draw(t, "file time")
		}
		at := moment.Draw(t, "named")
		e.Name = rapid.SampledFrom([]string{"", "DSC_0123.JPG", "DSC_0124.JPG", at.Format("IMG_20060102_150405.jpg"), at.Format("PXL_20060102_150405123.jpg"), at.Format("IMG-20060102-WA0001.jpg")}).Draw(t, "name")
		if maybe(t, "asked") {
			said := exif.Time{Zone: exif.ZoneNone}
			if rapid.Bool().Draw(t, "known") {
				said.Wall = moment.Draw(t, "said")
			}
			e.Said, e.SaidTo = &said, Precision(rapid.IntRange(0, 2).Draw(t, "precision"))
		}
		return e
	})
	photos := rapid.SliceOfN(photo, 1, 30).Draw(t, "photos")
	for i := range photos {
		photos[i].Key = fmt.Sprintf("%02d", i)
	}
	return photos
}

func options(t testing.TB, rt *rapid.T) Options {
	opt := Options{}
	if rapid.Bool().Draw(rt, "zones") {
		opt.Zones = east{t}
	}
	if rapid.Bool().Draw(rt, "default") {
		opt.Default = location(t, "America/New_York")
	}
	if rapid.Bool().Draw(rt, "shifts") {
		opt.Shifts = []Shift{{Camera: "a", By: time.Duration(rapid.IntRange(-900, 900).Draw(rt, "by")) * time.Minute}}
	}
	return opt
}

// TestOrderChangesNothing holds that times depend on the set of photos only.
func TestOrderChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		photos, opt := album(rt), options(t, rt)
		want := map[string]Time{}
		for i, at := range Resolve(photos, opt) {
			want[photos[i].Key] = at
		}
		seed := rapid.Uint64().Draw(rt, "seed")
		mixed := slices.Clone(photos)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for i, at := range Resolve(mixed, opt) {
			if at != want[mixed[i].Key] {
				rt.Fatalf("%s: %+v, and %+v in another order", mixed[i].Key, want[mixed[i].Key], at)
			}
		}
	})
}

// TestPrimaryZonesStay holds that a file that has its zone from Resolve gets
// the same time from Resolve again.
func TestPrimaryZonesStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		photos, opt := album(rt), options(t, rt)
		opt.Shifts = nil
		once := Resolve(photos, opt)
		for i, at := range once {
			if primary(&at) && at.Source != SourceName && at.Source != SourceModified {
				photos[i].Taken = at.Time
				photos[i].Taken.Zone = exif.ZoneOffset
			}
		}
		for i, at := range Resolve(photos, opt) {
			if primary(&once[i]) && (!at.Wall.Equal(once[i].Wall) || at.Sort != once[i].Sort) {
				rt.Fatalf("%s: %+v, then %+v", photos[i].Key, once[i], at)
			}
		}
	})
}

// TestNothingIsInvented holds every reading and every zone against its
// evidence.
func TestNothingIsInvented(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		photos, opt := album(rt), options(t, rt)
		for i, at := range Resolve(photos, opt) {
			e := photos[i]
			bad := func(what string) { rt.Fatalf("%s: %s: %+v of %+v", e.Key, what, at, e) }
			if at.IsZero() && (at.Time != exif.Time{} || at.Sort != 0 || at.Shift != 0) {
				bad("no time, and something")
			}
			if (at.Source == SourceSaid) != (e.Said != nil) {
				bad("a person's word")
			}
			if e.Said != nil && at.IsZero() != e.Said.IsZero() {
				bad("not what the person said")
			}
			if at.Source == SourceNone != (at.IsZero() && e.Said == nil) {
				bad("no time has no source")
			}
			if at.Precision == Day && at.Zone != exif.ZoneNone && !at.IsZero() {
				bad("a day with an instant")
			}
			if instant, ok := at.Instant(); ok && at.Sort != instant.UnixMicro() {
				bad("not sorted by its instant")
			}
			switch at.Zone {
			case exif.ZoneNone:
				if at.Offset != 0 || opt.Default != nil && at.Precision != Day {
					bad("no zone, and an offset or a default")
				}
			case exif.ZonePosition:
				if opt.Zones == nil || e.Point == nil {
					bad("no place")
				}
			case exif.ZoneGPS:
				if e.Fix.IsZero() && e.Taken.Zone != exif.ZoneGPS {
					bad("no GPS time stamp")
				}
			case exif.ZoneSeries:
				if e.Camera == "" || !slices.ContainsFunc(photos, func(o Evidence) bool {
					return o.Key != e.Key && o.Camera == e.Camera && (o.Taken.Zone != exif.ZoneNone || !o.Fix.IsZero() || o.Point != nil)
				}) {
					bad("no series")
				}
			case exif.ZoneDefault:
				if opt.Default == nil {
					bad("no default")
				}
			}
			switch {
			case at.Shift != 0 && !at.Wall.Add(-at.Shift).Equal(e.Taken.Wall):
				bad("the shift does not lead back")
			case at.Source == SourceOriginal && at.Shift == 0 && !at.Wall.Equal(e.Taken.Wall):
				bad("another reading than the file's")
			}
		}
	})
}

// TestShiftIsUndone holds that a correction and its opposite leave the times as
// they were.
func TestShiftIsUndone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		photos, opt := album(rt), options(t, rt)
		opt.Shifts = nil
		for i := range photos { // only what a shift is for
			photos[i].Fix = time.Time{}
			if photos[i].Taken.Zone == exif.ZoneGPS {
				photos[i].Taken.Zone = exif.ZoneOffset
			}
		}
		by := time.Duration(rapid.IntRange(-2000, 2000).Draw(rt, "by")) * time.Minute
		want := Resolve(photos, opt)
		opt.Shifts = []Shift{{Camera: "a", By: -by}}
		for i := range photos {
			if photos[i].Camera == "a" && !photos[i].Taken.IsZero() {
				photos[i].Taken.Wall = photos[i].Taken.Wall.Add(by)
			}
		}
		for i, at := range Resolve(photos, opt) {
			at.Shift = 0
			if at != want[i] {
				rt.Fatalf("%s: %+v, was %+v", photos[i].Key, at, want[i])
			}
		}
	})
}
