package index_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
)

var (
	inTurku    = geo.Point{Lat: 60.4518, Lon: 22.2666}
	inKamakura = geo.Point{Lat: 35.3192, Lon: 139.5467}
)

// Every source of a time, and of a zone, out of files.
func TestWhenSources(t *testing.T) {
	cases := []struct {
		name string
		snap
		without, with string // what comes of it without plug-ins and default, and with both
	}{
		{"offset.jpg", snap{at: "2019:07:09 10:00:14", sub: "62", offset: "+05:30"},
			"2019-07-09 10:00:14.62 +05:30 zone by offset, time by original", ""},
		{"position.jpg", snap{at: "2019:07:09 10:00:14", point: &inKamakura},
			"2019-07-09 10:00:14 zone by none, time by original", "2019-07-09 10:00:14 +09:00 zone by position, time by original"},
		{"offset and position.jpg", snap{at: "2019:07:09 10:00:14", offset: "+03:00", point: &inKamakura},
			"2019-07-09 10:00:14 +03:00 zone by offset, time by original", ""},
		{"fix.jpg", snap{at: "2019:07:09 10:00:14", fix: "2019:07:09 01:00:16", point: &inTurku},
			"2019-07-09 10:00:14 +09:00 zone by gps, time by original", ""},
		{"fix alone.jpg", snap{fix: "2019:07:09 01:00:16", point: &inKamakura},
			"2019-07-09 01:00:16 +00:00 zone by utc, time by gps", "2019-07-09 10:00:16 +09:00 zone by position, time by gps"},
		{"none.jpg", snap{at: "2019:07:09 10:00:14"},
			"2019-07-09 10:00:14 zone by none, time by original", "2019-07-09 10:00:14 -04:00 zone by default, time by original"},
		{"digitized.jpg", snap{digit: "2019:07:09 10:00:14"},
			"2019-07-09 10:00:14 zone by none, time by digitized", "2019-07-09 10:00:14 -04:00 zone by default, time by digitized"},
		{"modified.jpg", snap{change: "2019:07:09 10:00:14"},
			"2019-07-09 10:00:14 zone by none, time by modified", "2019-07-09 10:00:14 -04:00 zone by default, time by modified"},
		{"xmp.jpg", snap{xmp: "2019-07-09T10:00:14+01:00"},
			"2019-07-09 10:00:14 +01:00 zone by offset, time by xmp", ""},
		{"IMG_20190709_100014.jpg", snap{},
			"2019-07-09 10:00:14 zone by none, time by name", "2019-07-09 10:00:14 -04:00 zone by default, time by name"},
		{"PXL_20190709_010014321.jpg", snap{},
			"2019-07-09 01:00:14.321 +00:00 zone by utc, time by name", "2019-07-08 21:00:14.321 -04:00 zone by default, time by name"},
		{"a/PXL_20190709_010014321.jpg", snap{point: &inKamakura},
			"2019-07-09 01:00:14.321 +00:00 zone by utc, time by name", "2019-07-09 10:00:14.321 +09:00 zone by position, time by name"},
		{"IMG-20190709-WA0007.jpg", snap{},
			"2019-07-09 00:00:00 zone by none, time by name, to 24h0m0s", ""},
		{"Screenshot_20190709-100014.png", snap{},
			"2019-07-09 10:00:14 zone by none, time by name", "2019-07-09 10:00:14 -04:00 zone by default, time by name"},
		{"b/IMG_20190709_100014.jpg", snap{at: "2018:01:02 03:04:05"},
			"2018-01-02 03:04:05 zone by none, time by original", "2018-01-02 03:04:05 -05:00 zone by default, time by original"},
		{"year zero.jpg", snap{at: "0000:00:00 00:00:00"},
			"2024-05-17 09:30:00 +00:00 zone by utc, time by modtime", "2024-05-17 05:30:00 -04:00 zone by default, time by modtime"},
		{"nothing.jpg", snap{},
			"2024-05-17 09:30:00 +00:00 zone by utc, time by modtime", "2024-05-17 05:30:00 -04:00 zone by default, time by modtime"},
		{"2019-07-09.jpg", snap{},
			"2019-07-09 00:00:00 zone by none, time by name, to 24h0m0s", ""},
		{"reset/IMG_20190709_100014.jpg", snap{at: "1970:01:01 00:03:12", camera: other},
			"2019-07-09 10:00:14 zone by none, time by name", "2019-07-09 10:00:14 -04:00 zone by default, time by name"},
		{"reset.jpg", snap{at: "2000:01:01 00:03:12", fix: "2019:07:09 01:00:16", point: &inKamakura, camera: other},
			"2019-07-09 01:00:16 +00:00 zone by utc, time by gps", "2019-07-09 10:00:16 +09:00 zone by position, time by gps"},
	}
	l := library{}
	for _, c := range cases {
		l[c.name] = c.snap
	}
	without := taken(t, withDated(index.Config{}), l)
	with := taken(t, plugged(index.Config{Zone: mustZone("America/New_York")}), l)
	for _, c := range cases {
		wantShot(t, without, c.name, c.without)
		wantShot(t, with, c.name, cmp.Or(c.with, c.without))
	}
}

// What the photos around a photo tell, and what a person says.
func TestWhenSeries(t *testing.T) {
	l := library{
		"before.jpg":   {at: "2019:07:09 10:00:14", offset: "+09:00", camera: mobile},
		"between.jpg":  {at: "2019:07:09 11:00:14", camera: mobile},
		"after.jpg":    {at: "2019:07:09 12:00:14", offset: "+09:00", camera: mobile},
		"other.jpg":    {at: "2019:07:09 11:00:14", camera: slr},
		"too late.jpg": {at: "2019:07:12 11:00:14", camera: mobile},
		"bare.jpg":     {},
	}
	acc := taken(t, withDated(index.Config{}), l)
	wantShot(t, acc, "between.jpg", "2019-07-09 11:00:14 +09:00 zone by series, time by original")
	wantShot(t, acc, "other.jpg", "2019-07-09 11:00:14 zone by none, time by original")
	wantShot(t, acc, "too late.jpg", "2019-07-12 11:00:14 zone by none, time by original")
	// Unknown is sorted by its wall clock, among its neighbours.
	if got, want := shotOf(t, acc, "other.jpg").At, shotOf(t, acc, "between.jpg").At; got != want {
		t.Errorf("a photo of no zone is sorted at %d, want %d", got, want)
	}
	ctx := t.Context()
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "other.jpg").ID, wall("2001-02-03 04:05:06")))
	wantShot(t, acc, "other.jpg", "2001-02-03 04:05:06 +02:00 zone by said, time by said")
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "bare.jpg").ID, exif.Time{}))
	wantShot(t, acc, "bare.jpg", "unknown said")
	if s := shotOf(t, acc, "bare.jpg"); s.At != index.NoTime || s.Moment != "" || s.Day != "" {
		t.Errorf("a photo without a time: %+v", s)
	}
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "too late.jpg").ID,
		exif.Time{Wall: time.Date(2019, 7, 9, 1, 0, 0, 0, time.UTC), Zone: exif.ZoneNone}))
	wantShot(t, acc, "too late.jpg", "2019-07-09 01:00:00 +09:00 zone by series, time by said")
	// A person's word about a photo is none about its camera's clock.
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "before.jpg").ID, wall("2019-07-09 03:00:14")))
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "after.jpg").ID, wall("2019-07-09 05:00:14")))
	wantShot(t, acc, "between.jpg", "2019-07-09 11:00:14 zone by none, time by original")
}

// The file's own time is the last resort: it follows the file, and a file from
// the future, or from a file system without a clock, has none.
func TestWhenModTime(t *testing.T) {
	src := newFiles(nil)
	put := func(at time.Time) { src.set("x.jpg", file{data: snap{}.file("x"), at: at}) }
	put(start)
	acc := bare(t, withDated(index.Config{}))
	reindex(t, acc, src, noFaces)
	wantShot(t, acc, "x.jpg", "2024-05-17 09:30:00 +00:00 zone by utc, time by modtime")
	put(start.AddDate(-3, 0, 0)) // the same content
	reindex(t, acc, src, noFaces)
	wantShot(t, acc, "x.jpg", "2021-05-17 09:30:00 +00:00 zone by utc, time by modtime")
	for _, at := range []time.Time{time.Unix(0, 0), time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2088, 1, 1, 0, 0, 0, 0, time.UTC)} {
		put(at)
		reindex(t, acc, src, noFaces)
		wantShot(t, acc, "x.jpg", "unknown")
	}
	src.move("x.jpg", "IMG_20010101_101112.jpg")
	reindex(t, acc, src, noFaces)
	wantShot(t, acc, "IMG_20010101_101112.jpg", "2001-01-01 10:11:12 zone by none, time by name")
}

// A host's zone is remembered until another is said.
func TestWhenDefaultZone(t *testing.T) {
	path := t.TempDir() + "/a.kith"
	l := library{"a.jpg": {at: "2019:07:09 10:00:14", camera: mobile}}
	open := func(zone *time.Location, want string) {
		t.Helper()
		acc := openAt(t, path, withDated(index.Config{Zone: zone}))
		wantShot(t, acc, "a.jpg", "2019-07-09 10:00:14"+want)
		reindex(t, acc, l.files(), noFaces)
		for s := range l {
			wantShot(t, acc, s, "2019-07-09 10:00:14"+want)
		}
		closeChecked(t, acc)
	}
	acc := openAt(t, path, withDated(index.Config{}))
	reindex(t, acc, l.files(), noFaces)
	closeChecked(t, acc)
	open(nil, " zone by none, time by original")
	open(mustZone("Asia/Tokyo"), " +09:00 zone by default, time by original")
	open(nil, " +09:00 zone by default, time by original")
	l["b.jpg"] = snap{at: "2019:07:09 10:00:14", camera: slr}
	open(nil, " +09:00 zone by default, time by original")
	open(mustZone("America/New_York"), " -04:00 zone by default, time by original")
	open(time.UTC, " +00:00 zone by default, time by original")
	open(nil, " +00:00 zone by default, time by original")
}

// A zone that no database knows by its name cannot be remembered, and is refused.
func TestWhenFixedDefaultZone(t *testing.T) {
	path := t.TempDir() + "/a.kith"
	for _, z := range []*time.Location{time.FixedZone("Ship", 5*3600), time.FixedZone("", 3600)} {
		if acc, err := index.Open(t.Context(), path, index.Config{Zone: z}); err == nil {
			closeChecked(t, acc)
			t.Errorf("%q is taken", z)
		}
	}
}
