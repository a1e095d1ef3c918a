package index_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
)

// Libraries in which there is little, or nothing, to go by.
func TestArrangeLittle(t *testing.T) {
	ctx := t.Context()
	for what, c := range map[string]struct {
		l                           library
		moments, days, timed, there int
	}{
		"no photo":  {library{}, 0, 0, 0, 0},
		"one photo": {library{"a.jpg": {at: "2019:07:09 10:00:00", point: &inTurku}}, 1, 1, 1, 1},
		"no positions": {library{
			"a.jpg": {at: "2019:07:09 10:00:00"}, "b.jpg": {at: "2019:07:09 10:01:00"}, "c.jpg": {at: "2019:07:19 10:01:00"},
		}, 2, 2, 3, 0},
		"the same moment": {library{
			"a.jpg": {at: "2019:07:09 10:00:00"}, "b.jpg": {at: "2019:07:09 10:00:00"}, "c.jpg": {at: "2019:07:09 10:00:00"},
		}, 1, 1, 3, 0},
	} {
		t.Run(what, func(t *testing.T) {
			acc := taken(t, plugged(index.Config{}), c.l)
			_ = picture(t, acc)
			n := func(k index.MomentKind) int { return len(all(t, acc.Moments(ctx, index.MomentQuery{Kind: k}))) }
			if n(index.KindMoment) != c.moments || n(index.KindDay) != c.days || n(index.KindTrip) != 0 {
				t.Errorf("%d moments, %d days, %d trips", n(index.KindMoment), n(index.KindDay), n(index.KindTrip))
			}
			found := func(q index.Query) int { return must1[index.Found](t)(acc.Find(ctx, q)).Total }
			if a, b, m := found(index.Query{Time: index.With}), found(index.Query{Position: index.HasPosition}), found(index.Query{}); a != c.timed || b != c.there || m != len(c.l) {
				t.Errorf("%d with a time, %d with a place, %d in all", a, b, m)
			}
			must(t, validate(t, schemaOf(t), exportWhen(t, acc)))
		})
	}
	t.Run("no times", func(t *testing.T) {
		src := newFiles(nil)
		for i := range 3 {
			src.set(fmt.Sprintf("%d.jpg", i), file{data: snap{point: &inTurku, camera: mobile}.file(fmt.Sprint(i)), at: time.Unix(0, 0)})
		}
		acc := bare(t, plugged(index.Config{Zone: time.UTC}))
		reindex(t, acc, src, noFaces)
		f := must1[index.Found](t)(acc.Find(ctx, index.Query{Time: index.Without, Facets: map[index.Facet]int{index.ByYear: 0, index.ByMoment: 0}}))
		if f.Total != 3 || len(f.Facets.Years)+len(f.Facets.Moments) != 0 {
			t.Errorf("%+v", f)
		}
		for _, h := range f.Hits {
			if h.At != index.NoTime || h.Near.Name != "Turku" || h.Moment != "" {
				t.Errorf("%+v", h)
			}
		}
		if m := all(t, acc.Moments(ctx, index.MomentQuery{})); len(m) != 0 {
			t.Errorf("moments of no time: %+v", m)
		}
		must(t, validate(t, schemaOf(t), exportWhen(t, acc)))
	})
}

// The ends of the Earth, of the calendar and of the clocks.
func TestArrangeExtremes(t *testing.T) {
	ctx := t.Context()
	l := library{
		"north.jpg":      {at: "2019:07:09 10:00:00", point: at(90, 0), camera: other},
		"south.jpg":      {at: "2019:07:09 10:00:00", point: at(-90, 12.5), camera: other},
		"west.jpg":       {at: "2019:07:19 10:00:00", offset: "-12:00", point: at(-17, -179.9999), camera: mobile},
		"between.jpg":    {at: "2019:07:19 10:00:30", offset: "-12:00", camera: mobile},
		"east.jpg":       {at: "2019:07:19 10:01:00", offset: "-12:00", point: at(-17, 179.9999), camera: mobile},
		"180.jpg":        {at: "2019:08:19 10:01:00", point: at(10, 180), camera: mobile},
		"-180.jpg":       {at: "2019:08:20 10:01:00", point: at(10, -180), camera: mobile},
		"ahead.jpg":      {at: "2019:12:31 23:59:59", sub: "999", point: at(1.87, -157.4), camera: slr},
		"behind.jpg":     {at: "2019:12:31 23:59:59", offset: "-12:00", camera: other},
		"said ahead.jpg": {at: "2019:12:31 23:59:59", offset: "+14:00", camera: other},
		"old.jpg":        {}, "new.jpg": {}, "older.jpg": {}, "newer.jpg": {},
	}
	cfg := plugged(index.Config{})
	acc := taken(t, cfg, l)
	for path, year := range map[string]int{"old.jpg": 1800, "new.jpg": 2999} {
		id := photoOf(t, acc, path).ID
		must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, exif.Time{Wall: time.Date(year, 12, 31, 23, 59, 59, 999999000, time.UTC), Offset: -12 * time.Hour, Zone: exif.ZoneOffset}))
		wantShot(t, acc, path, fmt.Sprintf("%d-12-31 23:59:59.999999 -12:00 zone by said, time by said", year))
	}
	for path, year := range map[string]int{"older.jpg": 1, "newer.jpg": 9999} {
		id := photoOf(t, acc, path).ID
		// It may be refused, but not turned into another time.
		if _, err := acc.CorrectTime(ctx, id, exif.Time{Wall: time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC), Zone: exif.ZoneNone}); err == nil {
			if got := shotOf(t, acc, path).Taken.Wall.Year(); got != year {
				t.Errorf("%s was taken in %d, not in %d", path, got, year)
			}
		}
	}
	wantShot(t, acc, "ahead.jpg", "2019-12-31 23:59:59.999 +14:00 zone by position, time by original")
	wantShot(t, acc, "behind.jpg", "2019-12-31 23:59:59 -12:00 zone by offset, time by original")
	if a, b := shotOf(t, acc, "said ahead.jpg").At, shotOf(t, acc, "behind.jpg").At; b-a != (26 * time.Hour).Microseconds() {
		t.Errorf("New Year in Kiritimati is %d µs before that of the last", b-a)
	}
	if s := shotOf(t, acc, "between.jpg"); !s.Guessed || geo.Distance(geo.Point{Lat: s.Where.Lat, Lon: s.Where.Lon}, *at(-17, 180)) > 15 {
		t.Errorf("between two photos on both sides of the date line: %+v", s.Where)
	}
	for _, kind := range []index.MomentKind{index.KindMoment, index.KindDay} {
		m := shotOf(t, acc, "west.jpg")
		if e := shotOf(t, acc, "east.jpg"); m.Moment != e.Moment || m.Day != e.Day {
			t.Errorf("the date line parts a %s", kind)
		}
	}
	for _, m := range all(t, acc.Moments(ctx, index.MomentQuery{})) {
		if m.Shots == 3 && m.Spot != nil && geo.Distance(geo.Point{Lat: m.Spot.Lat, Lon: m.Spot.Lon}, *at(-17, 180)) > 50 {
			t.Errorf("its middle is %+v", m.Spot)
		}
	}
	for what, q := range map[string]struct {
		geo.Region
		want int
	}{
		"north":     {geo.Circle{Center: geo.Point{Lat: 90}, Radius: 1000}, 1},
		"south":     {geo.Circle{Center: geo.Point{Lat: -89.999, Lon: 170}, Radius: 1000}, 1},
		"date line": {geo.Box{South: -18, North: -16, West: 179, East: -179}, 3},
		"the 180th": {geo.Circle{Center: geo.Point{Lat: 10, Lon: 180}, Radius: 100}, 2},
	} {
		if n := must1[index.Found](t)(acc.Find(ctx, index.Query{Region: index.Within(q.Region)})).Total; n != q.want {
			t.Errorf("%s: %d photos, want %d", what, n, q.want)
		}
	}
	text := exportWhen(t, acc)
	if err := validate(t, schemaOf(t), text); err != nil {
		t.Error(err)
	}
	fresh := bare(t, withDated(index.Config{}))
	_ = importOf(t, fresh, text, index.ImportOptions{})
	wantPicture(t, "imported", fresh, picture(t, acc))
}
