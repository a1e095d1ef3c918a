package store

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
)

// rectified is an account with photos whose time and place are corrected.
type rectified struct {
	t  *testing.T
	db *DB
}

func newRectified(t *testing.T, keys KeyProvider) *rectified {
	t.Helper()
	return &rectified{t, openAt(t, filepath.Join(t.TempDir(), "a.kith"), Options{Now: clock(), Keys: keys})}
}

// at is a time of the day, as a camera without a zone tells it.
func at(hour int) exif.Time {
	return exif.Time{Wall: time.Date(2020, 1, 2, hour, 3, 4, 0, time.UTC), Zone: exif.ZoneNone}
}

func gpsAt(lat float64) *exif.GPS { return &exif.GPS{Lat: lat, Lon: 5.25} }

// put records a photo whose file says an hour and a latitude.
func (r *rectified) put(path, content string, hour int, lat float64) {
	r.t.Helper()
	must(r.t, r.db.PutPhotos(r.t.Context(), testSpace, []Analysis{{Photo: r.photo(path, content, hour, lat)}}))
}

func (r *rectified) photo(path, content string, hour int, lat float64) Photo {
	p := okPhoto(path, content)
	p.Taken, p.GPS = at(hour), gpsAt(lat)
	return p
}

func (r *rectified) say(content string, kind DecisionKind, c *Correction) DecisionID {
	r.t.Helper()
	return must1[DecisionID](r.t)(r.db.Decide(r.t.Context(), Decision{Kind: kind, Faces: []FaceRef{{SHA256: sha(content)}}, Correction: c}, Assignment{}))
}

func (r *rectified) time(content string, hour int) DecisionID {
	taken := at(hour)
	return r.say(content, DecisionTime, &Correction{Taken: &taken})
}

func (r *rectified) place(content string, lat float64) DecisionID {
	return r.say(content, DecisionPlace, &Correction{GPS: gpsAt(lat)})
}

func (r *rectified) undo(id DecisionID) {
	r.t.Helper()
	must(r.t, r.db.Revoke(r.t.Context(), id, Assignment{}))
}

// expect looks at a photo: the hour and latitude it has now, and whether the
// file keeps what was before.
func (r *rectified) expect(what, path string, hour int, lat float64, kept bool) {
	r.t.Helper()
	p := must1[Photo](r.t)(r.db.PhotoByPath(r.t.Context(), path))
	if !reflect.DeepEqual(p.Taken, at(hour)) || p.GPS == nil || p.GPS.Lat != lat || p.GPS.Lon != 5.25 || p.Corrected != kept {
		r.t.Errorf("%s: %s was taken %v at %+v, corrected %v; want %d o'clock, %g, %v", what, path, p.Taken.Wall, p.GPS, p.Corrected, hour, lat, kept)
	}
	var original bool
	must(r.t, r.db.read.QueryRow("SELECT original IS NOT NULL FROM photos WHERE uid = ?", string(p.ID)).Scan(&original))
	if original != kept {
		r.t.Errorf("%s: what the file of %s says is kept: %v, want %v", what, path, original, kept)
	}
}

// What is corrected holds for every photo of the content, whatever becomes of
// the files, until it is undone; then it is what the file says.
func TestCorrections(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		r := newRectified(t, keys)
		r.put("a", "1", 10, 1)
		r.put("copy", "1", 10, 1)
		r.put("other", "2", 11, 2)
		r.expect("before", "a", 10, 1, false)
		first := r.time("1", 20)
		for _, path := range []string{"a", "copy"} {
			r.expect("corrected", path, 20, 1, true)
		}
		r.expect("corrected", "other", 11, 2, false)
		second := r.time("1", 21)
		where := r.place("1", 7)
		r.expect("twice", "a", 21, 7, true)
		r.undo(first)
		r.expect("the first undone", "a", 21, 7, true)
		r.put("a", "1", 12, 3) // the file says otherwise by now
		r.expect("read again", "a", 21, 7, true)
		r.expect("read again", "copy", 21, 7, true)
		r.undo(second)
		r.expect("the second undone", "a", 12, 7, true)
		r.expect("the second undone", "copy", 10, 7, true)
		r.undo(where)
		r.expect("all undone", "a", 12, 3, false)
		r.expect("all undone", "copy", 10, 1, false)
		for _, d := range collect(t, r.db.Decisions(t.Context())) {
			if d.Correction != nil {
				t.Errorf("%s keeps what it said after it was undone: %+v", d.ID, d.Correction)
			}
		}
		mustCheck(t, r.db)
	})
}

func TestCorrectionsOfMovedPhotos(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		r := newRectified(t, keys)
		ctx := t.Context()
		early := r.time("1", 20) // before there is any photo of it
		r.put("a", "1", 10, 1)
		r.expect("said before it came", "a", 20, 1, true)
		a := must1[Photo](t)(r.db.PhotoByPath(ctx, "a"))
		copied := a
		copied.ID, copied.Path = "", "copied"
		must(t, r.db.PutPhotos(ctx, testSpace, []Analysis{{Photo: copied, CopyOf: a.ID}}))
		r.expect("copied, as it is shown", "copied", 20, 1, true)
		moved := r.photo("moved", "1", 10, 1)
		moved.ID = a.ID
		must(t, r.db.PutPhotos(ctx, testSpace, []Analysis{{Photo: moved}}))
		r.expect("moved", "moved", 20, 1, true)
		must(t, r.db.PutPhotos(ctx, "", []Analysis{{Photo: Photo{Path: "moved", Status: StatusFailed, Stage: "read", Error: "no"}}}))
		r.expect("unreadable", "moved", 20, 1, true)
		r.put("moved", "2", 11, 2)
		r.expect("another photo under its path", "moved", 11, 2, false)
		r.undo(early)
		r.expect("undone", "copied", 10, 1, false)
		r.expect("undone", "moved", 11, 2, false)
		r.put("moved", "1", 10, 1)
		r.expect("back, and nothing stands", "moved", 10, 1, false)
		r.place("1", 9)
		must1[int](t)(r.db.DropPhotos(ctx, []PhotoID{must1[Photo](t)(r.db.PhotoByPath(ctx, "copied")).ID}))
		r.put("copied", "1", 10, 1)
		r.expect("dropped and found again", "copied", 10, 9, true)
		mustCheck(t, r.db)
	})
}

// A correction can say that nothing is known, and every time and place comes
// back as it was said.
func TestCorrectionValues(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		r := newRectified(t, keys)
		r.put("a", "1", 10, 1)
		r.say("1", DecisionTime, &Correction{})
		id := r.say("1", DecisionPlace, &Correction{})
		if p := must1[Photo](t)(r.db.PhotoByPath(t.Context(), "a")); !p.Taken.IsZero() || p.GPS != nil || !p.Corrected {
			t.Errorf("nothing is known, and yet %+v, %+v", p.Taken, p.GPS)
		}
		r.undo(id)
		if p := must1[Photo](t)(r.db.PhotoByPath(t.Context(), "a")); p.GPS == nil || p.GPS.Lat != 1 {
			t.Errorf("the place is %+v again", p.GPS)
		}
		alt := -0.1
		for _, taken := range []exif.Time{
			{Wall: time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC), Offset: 14 * time.Hour, Zone: exif.ZoneOffset},
			{Wall: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), Offset: -12*time.Hour - 30*time.Minute, Zone: exif.ZoneGPS}, {},
		} {
			gps := exif.GPS{Lat: math.Nextafter(-90, 0), Lon: 0.1 + 0.2, Alt: &alt}
			r.say("1", DecisionTime, &Correction{Taken: &taken})
			r.say("1", DecisionPlace, &Correction{GPS: &gps})
			p := must1[Photo](t)(r.db.PhotoByPath(t.Context(), "a"))
			if !reflect.DeepEqual(p.Taken, taken) || !reflect.DeepEqual(p.GPS, &gps) {
				t.Errorf("got %+v, %+v, said was %+v, %+v", p.Taken, p.GPS, taken, gps)
			}
		}
		ds := collect(t, r.db.Decisions(t.Context()))
		if last := ds[len(ds)-1]; last.Correction == nil || last.Correction.GPS == nil || *last.Correction.GPS.Alt != alt {
			t.Errorf("the last decision is %+v", last)
		}
		mustCheck(t, r.db)
	})
}

// What is no correction is refused, and nothing is recorded.
func TestCorrectionRefused(t *testing.T) {
	r := newRectified(t, nil)
	r.put("a", "1", 10, 1)
	taken, nan := at(20), math.NaN()
	for name, d := range map[string]Decision{
		"nothing said":     {Kind: DecisionTime, Faces: []FaceRef{{SHA256: sha("1")}}},
		"of no photo":      {Kind: DecisionTime, Correction: &Correction{Taken: &taken}},
		"of two photos":    {Kind: DecisionTime, Faces: []FaceRef{{SHA256: sha("1")}, {SHA256: sha("2")}}, Correction: &Correction{Taken: &taken}},
		"no latitude":      {Kind: DecisionPlace, Faces: []FaceRef{{SHA256: sha("1")}}, Correction: &Correction{GPS: gpsAt(nan)}},
		"endless altitude": {Kind: DecisionPlace, Faces: []FaceRef{{SHA256: sha("1")}}, Correction: &Correction{GPS: &exif.GPS{Alt: &nan}}},
	} {
		if id, err := r.db.Decide(t.Context(), d, Assignment{}); err == nil || id != "" || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %q, %v, want an error", name, id, err)
		}
	}
	r.expect("refused", "a", 10, 1, false)
	if ds := collect(t, r.db.Decisions(t.Context())); len(ds) != 0 {
		t.Errorf("%d decisions are recorded", len(ds))
	}
}

// The value before, and what was said, are in the file as long as they are
// needed, and then no more. So much for Undo; that the pages are clean too is
// what an erasure sees to.
func TestUndoneCorrectionIsGone(t *testing.T) {
	needsPlain(t)
	r := newRectified(t, nil)
	dir := filepath.Dir(r.db.path)
	r.put("a", "1", 10, 1.0625)
	id := r.place("1", 77.123456789)
	m := marks{"said as text": "77.123456789"}
	m.float64("said", 77.123456789)
	if missing := m.missing(t, dir); len(missing) > 0 {
		t.Fatalf("%q is not found while it stands", missing)
	}
	r.undo(id)
	must(t, r.db.Close())
	if found := m.in(t, dir); len(found) > 0 {
		t.Errorf("undone, and closed: %q", found)
	}
}

// A photo that is erased takes its corrections with it, those of others stay.
func TestCorrectionsErased(t *testing.T) {
	sealedOrNot(t, func(t *testing.T, keys KeyProvider) {
		r := newRectified(t, keys)
		r.put("a", "1", 10, 1)
		r.put("b", "2", 11, 2)
		r.time("1", 20)
		r.time("2", 21)
		a := must1[Photo](t)(r.db.PhotoByPath(t.Context(), "a"))
		must1[Receipt](t)(r.db.ErasePhotos(t.Context(), a.ID))
		ds := collect(t, r.db.Decisions(t.Context()))
		if len(ds) != 1 || ds[0].Faces[0].SHA256 != sha("2") {
			t.Errorf("decisions %+v", ds)
		}
		must1[Receipt](t)(r.db.EraseBiometrics(t.Context(), false))
		p := must1[Photo](t)(r.db.PhotoByPath(t.Context(), "b"))
		if !reflect.DeepEqual(p.Taken, at(21)) || !p.Corrected {
			t.Errorf("biometrics went, and the correction too: %+v", p.Taken)
		}
		r.undo(ds[0].ID)
		if p = must1[Photo](t)(r.db.PhotoByPath(t.Context(), "b")); !reflect.DeepEqual(p.Taken, at(11)) {
			t.Errorf("undone after that: %+v", p.Taken)
		}
	})
}

// A damaged value beside a photo is an error that says where, and no panic.
func TestDamagedOriginal(t *testing.T) {
	needsPlain(t)
	for _, value := range []string{"{", "{}", "null", `{"spot":{"Lat":1,"Lon":2}}`, `[]`, ""} {
		t.Run(fmt.Sprintf("%q", value), func(t *testing.T) {
			c, dir := castAt(t, Options{})
			must(t, c.db.Close())
			path := filepath.Join(dir, "a.kith")
			rawExec(t, path, fmt.Sprintf("UPDATE photos SET original = '%s' WHERE original IS NOT NULL", value))
			db := must1[*DB](t)(Open(t.Context(), path, Options{}))
			defer func() { must(t, db.Close()) }()
			var corrupt *CorruptError
			if err := db.Revoke(t.Context(), c.decisions["place"], Assignment{}); !errors.As(err, &corrupt) || corrupt.Path != path {
				t.Errorf("Revoke: %v, want *CorruptError", err)
			}
			if s := faults(t, db); !strings.Contains(s, "what its file says") && !strings.Contains(s, "correction") {
				t.Errorf("Check finds %q", s)
			}
		})
	}
}
