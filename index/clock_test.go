package index_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// A camera's clock is corrected, and the correction undone.
func TestCorrectClock(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		ctx, l := t.Context(), life(1)
		cfg := plugged(index.Config{Keys: keys})
		acc := taken(t, cfg, l)
		want := picture(t, acc)
		before := shotOf(t, acc, "trip/s0-0.jpg")

		const by = -time.Hour - 3*time.Minute
		d := must1[index.DecisionID](t)(acc.CorrectClock(ctx, index.Clock{Camera: slr, By: by}))
		for path := range l {
			moved := strings.HasPrefix(path, "trip/s")
			if s := shotOf(t, acc, path); (s.Shift == by) != moved {
				t.Errorf("%s was shifted by %v", path, s.Shift)
			}
		}
		after := shotOf(t, acc, "trip/s0-0.jpg")
		if got := after.Taken.Wall.Sub(before.Taken.Wall); got != by {
			t.Errorf("it was moved by %v, want %v", got, by)
		}
		if p := photoOf(t, acc, "trip/s0-0.jpg"); p.Taken.Wall != before.Taken.Wall || p.Corrected {
			t.Errorf("the photo itself says %+v (corrected: %v)", p.Taken, p.Corrected)
		}
		// A later correction prevails where two hold, and only there.
		day2 := time.Date(2019, 7, 10, 0, 0, 0, 0, time.UTC)
		later := must1[index.DecisionID](t)(acc.CorrectClock(ctx, index.Clock{Camera: slr, From: day2, To: day2.AddDate(0, 0, 1), By: 5 * time.Second}))
		for path, want := range map[string]time.Duration{"trip/s0-0.jpg": by, "trip/s1-0.jpg": 5 * time.Second, "trip/s2-0.jpg": by} {
			if s := shotOf(t, acc, path); s.Shift != want {
				t.Errorf("%s was shifted by %v, want %v", path, s.Shift, want)
			}
		}
		// It holds for photos that come.
		src := l.files()
		src.put("new.jpg", snap{at: "2019:07:10 23:59:59", camera: slr}.file("new"))
		src.put("at midnight.jpg", snap{at: "2019:07:11 00:00:00", camera: slr}.file("at midnight"))
		reindex(t, acc, src, noFaces)
		wantShot(t, acc, "new.jpg", "2019-07-11 00:00:04 zone by none, time by original, shifted 5s")
		wantShot(t, acc, "at midnight.jpg", "2019-07-10 22:57:00 zone by none, time by original, shifted -1h3m0s")
		src.remove("new.jpg")
		src.remove("at midnight.jpg")
		reindex(t, acc, src, noFaces)

		must(t, acc.Undo(ctx, later))
		if s := shotOf(t, acc, "trip/s1-0.jpg"); s.Shift != by {
			t.Errorf("after the later one is undone it is shifted by %v", s.Shift)
		}
		must(t, acc.Undo(ctx, d))
		wantPicture(t, "undone", acc, want)
		wantErr(t, "undone twice", acc.Undo(ctx, d), store.ErrRevoked)
	})
}

// The zone is that of the corrected time, and moments follow.
func TestCorrectClockZone(t *testing.T) {
	l := library{}
	for i := range 3 {
		l[fmt.Sprintf("p%d.jpg", i)] = snap{at: fmt.Sprintf("2019:03:31 02:5%d:00", i), point: at(60.4518, 22.2666), camera: mobile}
		l[fmt.Sprintf("s%d.jpg", i)] = snap{at: fmt.Sprintf("2019:06:30 14:5%d:30", i), point: at(60.4518, 22.2666), camera: slr}
	}
	l["fix.jpg"] = snap{at: "2019:06:30 14:55:30", fix: "2019:03:31 00:54:30", camera: slr}
	acc := taken(t, plugged(index.Config{}), l)
	if a, b := shotOf(t, acc, "p0.jpg").Moment, shotOf(t, acc, "s0.jpg").Moment; a == b {
		t.Fatal("one moment before it is corrected")
	}
	wantShot(t, acc, "s0.jpg", "2019-06-30 14:50:30 +03:00 zone by position, time by original")
	by := time.Date(2019, 3, 31, 2, 50, 0, 0, time.UTC).Sub(time.Date(2019, 6, 30, 14, 50, 0, 0, time.UTC))
	must1[index.DecisionID](t)(acc.CorrectClock(t.Context(), index.Clock{Camera: slr, By: by}))
	wantShot(t, acc, "s0.jpg", "2019-03-31 02:50:30 +02:00 zone by position, time by original, shifted "+by.String())
	wantShot(t, acc, "fix.jpg", "2019-03-31 02:55:30 +02:00 zone by gps, time by original, shifted "+by.String())
	if a, b := shotOf(t, acc, "p0.jpg").Moment, shotOf(t, acc, "s0.jpg").Moment; a != b {
		t.Error("two moments after it is corrected")
	}
}

// What makes no sense is refused, and so is what may not be changed.
func TestCorrectClockRefused(t *testing.T) {
	ctx, path := t.Context(), t.TempDir()+"/a.kith"
	acc := openAt(t, path, withDated(index.Config{}))
	reindex(t, acc, walk().files(), noFaces)
	want := picture(t, acc)
	for what, c := range map[string]index.Clock{
		"no camera":           {By: time.Hour},
		"turned round":        {Camera: slr, From: start, To: start.Add(-1), By: 1000},
		"empty":               {Camera: slr, From: start, To: start, By: 1000},
		"year 1799":           {Camera: slr, From: time.Date(1799, 12, 31, 0, 0, 0, 0, time.UTC), By: 1000},
		"year 3000":           {Camera: slr, To: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), By: 1000},
		"nanoseconds":         {Camera: slr, By: 1},
		"more than a century": {Camera: slr, By: 101 * 366 * 24 * time.Hour},
		"the least duration":  {Camera: slr, By: math.MinInt64},
	} {
		if d, err := acc.CorrectClock(ctx, c); err == nil {
			t.Errorf("%s: taken as %s", what, d)
		}
	}
	wantPicture(t, "refused", acc, want)
	if ds := all(t, acc.Decisions(ctx)); len(ds) != 0 {
		t.Errorf("the ledger has %+v", ds)
	}
	// An unknown camera may come yet.
	must1[index.DecisionID](t)(acc.CorrectClock(ctx, index.Clock{Camera: exif.Camera{Model: "not bought yet"}, By: time.Hour}))
	wantPicture(t, "an unknown camera", acc, want)

	must1[index.AuditEntry](t)(acc.Restrict(ctx))
	_, err := acc.CorrectClock(ctx, index.Clock{Camera: mobile, By: time.Hour})
	wantErr(t, "restricted", err, index.ErrRestricted)
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{ReadOnly: true}))
	_, err = acc.CorrectClock(ctx, index.Clock{Camera: mobile, By: time.Hour})
	if !errors.Is(err, index.ErrReadOnly) && !errors.Is(err, index.ErrRestricted) {
		t.Errorf("read only: %v", err)
	}
	wantPicture(t, "refused", acc, want)
	if _, _, err := acc.EstimateClock(ctx, mobile, time.Time{}, time.Time{}); err != nil {
		t.Errorf("estimate, read only and restricted: %v", err)
	}
	closeChecked(t, acc)
	_, err = acc.CorrectClock(ctx, index.Clock{Camera: mobile, By: time.Hour})
	wantErr(t, "closed", err, index.ErrClosed)
}

// outing is an event that two cameras saw, of which the second is off.
func outing(off time.Duration) library {
	l := library{}
	for i := range 40 {
		// Bursts and pauses, so that only one shift fits.
		when := time.Date(2019, 7, 9, 10+i/8, (i*i*7)%60, (i*13)%60, 0, time.UTC)
		l[fmt.Sprintf("p%02d.jpg", i)] = snap{at: when.Format("2006:01:02 15:04:05"), offset: "+03:00", camera: mobile}
		l[fmt.Sprintf("s%02d.jpg", i)] = snap{at: when.Add(off + 4*time.Second).Format("2006:01:02 15:04:05"), camera: slr}
	}
	return l
}

func TestEstimateClock(t *testing.T) {
	ctx := t.Context()
	const off = 63 * time.Minute
	near := func(e index.ClockEstimate, ok bool, basis string, want, within time.Duration) {
		t.Helper()
		if !ok || e.Basis != basis || (e.By-want).Abs() > within || e.Camera != slr || e.Support < 1 || e.Support > e.Of {
			t.Errorf("got %+v (%v), want %v by %s", e, ok, want, basis)
		}
	}
	t.Run("two cameras", func(t *testing.T) {
		acc := taken(t, plugged(index.Config{Zone: mustZone("Europe/Helsinki")}), outing(off))
		want := picture(t, acc)
		e, ok, err := acc.EstimateClock(ctx, slr, time.Time{}, time.Time{})
		must(t, err)
		near(e, ok, "others", -off, 30*time.Second)
		wantPicture(t, "an estimate changes nothing", acc, want)
		d := must1[index.DecisionID](t)(acc.CorrectClock(ctx, e.Clock))
		if s := shotOf(t, acc, "s00.jpg"); s.Shift != e.By || s.Moment != shotOf(t, acc, "p00.jpg").Moment {
			t.Errorf("corrected by its estimate: %+v", s)
		}
		// A correction that stands is left out of account.
		again, ok, err := acc.EstimateClock(ctx, slr, time.Time{}, time.Time{})
		must(t, err)
		near(again, ok, "others", e.By, 0)
		must(t, acc.Undo(ctx, d))
		// The other way round: the mobile is right by itself, but compared with the
		// other it is early.
		if _, _, err := acc.EstimateClock(ctx, mobile, time.Time{}, time.Time{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("anchors", func(t *testing.T) {
		acc := taken(t, plugged(index.Config{Zone: mustZone("Europe/Helsinki")}), outing(off))
		id := func(path string) index.PhotoID { return photoOf(t, acc, path).ID }
		e, ok, err := acc.EstimateClock(ctx, slr, time.Time{}, time.Time{}, index.SameMoment{This: id("s03.jpg"), That: id("p05.jpg")})
		must(t, err)
		want := shotOf(t, acc, "p05.jpg").Taken.Wall.Sub(shotOf(t, acc, "s03.jpg").Taken.Wall)
		near(e, ok, "anchors", want, time.Second)
		for what, s := range map[string]index.SameMoment{
			"unknown":            {This: "nobody", That: "nothing"},
			"of the same camera": {This: id("s03.jpg"), That: id("s04.jpg")},
			"of another camera":  {This: id("p03.jpg"), That: id("p04.jpg")},
			"one photo":          {This: id("s03.jpg"), That: id("s03.jpg")},
		} {
			if e, ok, err := acc.EstimateClock(ctx, slr, time.Time{}, time.Time{}, s); err == nil && ok && e.Basis == "anchors" {
				t.Errorf("an anchor %s: %+v", what, e)
			}
		}
	})
	t.Run("GPS", func(t *testing.T) {
		l := library{}
		for i := range 6 {
			when := time.Date(2019, 7, 9, 7, 11*i, 13, 0, time.UTC)
			l[fmt.Sprintf("s%d.jpg", i)] = snap{
				at: when.Add(9*time.Hour + off).Format("2006:01:02 15:04:05"), fix: when.Format("2006:01:02 15:04:05"), point: &inKamakura, camera: slr,
			}
		}
		acc := taken(t, plugged(index.Config{}), l)
		e, ok, err := acc.EstimateClock(ctx, slr, time.Time{}, time.Time{})
		must(t, err)
		near(e, ok, "gps", -off, time.Minute)
		must1[index.DecisionID](t)(acc.CorrectClock(ctx, e.Clock))
		if s := shotOf(t, acc, "s0.jpg"); s.Taken.Offset != 9*time.Hour || s.Taken.Wall.Sub(time.Date(2019, 7, 9, 16, 0, 13, 0, time.UTC)).Abs() > time.Minute {
			t.Errorf("corrected: %s", describeTime(s))
		}
	})
	t.Run("nothing to tell", func(t *testing.T) {
		acc := taken(t, plugged(index.Config{}), library{
			"a.jpg": {at: "2019:07:09 10:00:00", camera: slr}, "b.jpg": {at: "2009:07:09 10:00:00", camera: mobile},
		})
		for _, c := range []exif.Camera{slr, mobile, other} {
			if e, ok, err := acc.EstimateClock(ctx, c, time.Time{}, time.Time{}); ok || err != nil {
				t.Errorf("%v: %+v, %v", c, e, err)
			}
		}
		for what, f := range map[string][2]time.Time{"turned round": {start, start.Add(-1)}, "year 1": {time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), start}} {
			if _, _, err := acc.EstimateClock(ctx, slr, f[0], f[1]); err == nil {
				t.Errorf("%s: no error", what)
			}
		}
		if _, _, err := acc.EstimateClock(ctx, exif.Camera{}, time.Time{}, time.Time{}); err == nil {
			t.Error("no camera: no error")
		}
	})
	t.Run("out of range", func(t *testing.T) {
		acc := taken(t, plugged(index.Config{Zone: mustZone("Europe/Helsinki")}), outing(off))
		from := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
		if e, ok, err := acc.EstimateClock(ctx, slr, from, time.Time{}); ok || err != nil {
			t.Errorf("of no photos: %+v, %v", e, err)
		}
	})
}
