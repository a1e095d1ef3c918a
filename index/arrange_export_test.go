package index_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
)

// richLife is life with what few files say.
func richLife(n int) library {
	l := life(n)
	l["live.jpg"] = snap{
		at: "2019:07:11 10:03:00", sub: "5", offset: "+09:00", fix: "2019:07:11 01:02:59", point: &inKamakura, acc: 4.75, camera: mobile,
		burst: "B0B0B0B0-1111-2222-3333-444455556666", video: "A1A1A1A1-1111-2222-3333-444455556666",
	}
	l["estimated.jpg"] = snap{at: "2019:07:11 10:01:30", offset: "+09:00", camera: mobile}
	l["stale.jpg"] = snap{at: "2019:07:11 12:03:00", fix: "2019:07:11 00:02:59", point: &inKamakura, void: true, camera: mobile}
	l["datum.jpg"] = snap{at: "2019:07:11 12:05:00", offset: "+09:00", point: &inKamakura, datum: "Potsdam", camera: other}
	return l
}

// rich is an account in which all is set that is known of when and where.
func rich(t *testing.T) *index.Account {
	t.Helper()
	acc := openAt(t, t.TempDir()+"/a.kith", plugged(index.Config{AccountID: "anna's", Zone: mustZone("Europe/Helsinki")}))
	reindex(t, acc, richLife(1).files(), noFaces)
	sayWhen(t, acc, "")
	return acc
}

// sayWhen says something of everything that can be corrected.
func sayWhen(t *testing.T, acc *index.Account, under string) {
	t.Helper()
	ctx := t.Context()
	id := func(path string) index.PhotoID { return photoOf(t, acc, under+path).ID }
	say := must1[index.DecisionID](t)
	from := time.Date(2019, 7, 9, 0, 0, 0, 0, time.UTC)
	say(acc.CorrectClock(ctx, index.Clock{Camera: slr, From: from, To: from.AddDate(0, 0, 2), By: 63*time.Second + 250*time.Millisecond}))
	must(t, acc.Undo(ctx, say(acc.CorrectClock(ctx, index.Clock{Camera: mobile, By: time.Hour}))))
	say(acc.CorrectTime(ctx, id("scan.jpg"), wall("1987-06-05 12:00:00")))
	say(acc.CorrectTime(ctx, id("home/02-0.jpg"), exif.Time{}))
	say(acc.CorrectPlace(ctx, id("home/04-0.jpg"), nil))
	say(acc.CorrectPlace(ctx, id("trip/s1-0.jpg"), &exif.GPS{Lat: 35.3193, Lon: 139.5466}))
}

func exportWhen(t *testing.T, acc *index.Account) []byte {
	t.Helper()
	return exportText(t, acc, index.ExportOptions{})
}

// An import into a new account comes to the same, ids included, with plug-ins and
// without, sealed or plain, and so does an import of its export.
func TestArrangeImport(t *testing.T) {
	acc := rich(t)
	text := exportWhen(t, acc)
	if err := validate(t, schemaOf(t), text); err != nil {
		t.Error(err)
	}
	want, looks := normal(t, text, false), picture(t, acc)
	for what, cfg := range map[string]index.Config{
		"bare": withDated(index.Config{}), "with plug-ins": plugged(index.Config{}), "sealed": withDated(index.Config{Keys: &keySafe{}}),
	} {
		if testing.Short() && what != "sealed" {
			continue // one of them shows the detector of races all that it can see
		}
		t.Run(what, func(t *testing.T) {
			fresh := bare(t, cfg)
			_ = importOf(t, fresh, text, index.ImportOptions{})
			wantPicture(t, "imported", fresh, looks)
			again := exportWhen(t, fresh)
			wantSame(t, "exported again", normal(t, again, false), want)
			// What was known goes on to hold.
			ctx := t.Context()
			must(t, fresh.Undo(ctx, must1[index.DecisionID](t)(fresh.CorrectClock(ctx, index.Clock{Camera: mobile, By: time.Hour}))))
			wantPicture(t, "arranged again", fresh, looks)
			third := bare(t, withDated(index.Config{}))
			_ = importOf(t, third, again, index.ImportOptions{})
			wantSame(t, "exported a third time", normal(t, exportWhen(t, third), false), want)
		})
	}
	// Without what is derived, it is derived.
	var doc map[string]json.RawMessage
	must(t, json.Unmarshal(text, &doc))
	delete(doc, "moments")
	delete(doc, "places")
	slim := must1[[]byte](t)(json.Marshal(doc))
	for _, s := range []string{"moment", "place"} {
		slim = dropMember(t, slim, s)
	}
	fresh := bare(t, plugged(index.Config{}))
	_ = importOf(t, fresh, slim, index.ImportOptions{})
	wantPicture(t, "without moments", fresh, looks)
}

// dropMember leaves a member out of all photos.
func dropMember(t *testing.T, text []byte, name string) []byte {
	t.Helper()
	var doc map[string]any
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.UseNumber()
	must(t, dec.Decode(&doc))
	for _, p := range doc["photos"].([]any) {
		delete(p.(map[string]any), name)
	}
	return must1[[]byte](t)(json.Marshal(doc))
}

// Hostile values in what is told of when and where are refused, and nothing
// changes.
func TestArrangeImportRefuses(t *testing.T) {
	text := exportWhen(t, rich(t))
	type doc = map[string]any
	first := func(list string, which func(doc) bool) func(doc) doc {
		return func(d doc) doc {
			for _, e := range d[list].([]any) {
				if which(e.(doc)) {
					return e.(doc)
				}
			}
			t.Fatalf("no such element of %s", list)
			return nil
		}
	}
	has := func(name string) func(doc) bool { return func(e doc) bool { return e[name] != nil } }
	kind := func(k string) func(doc) bool { return func(e doc) bool { return e["kind"] == k } }
	photo, trip, day := first("photos", has("moment")), first("moments", kind("trip")), first("moments", kind("day"))
	moment, place := first("moments", kind("moment")), first("places", has("kind"))
	located, clock := first("photos", has("where")), first("decisions", func(e doc) bool { return e["clock"] != nil })
	fixed := first("photos", has("gps_time"))
	set := func(of func(doc) doc, path string, v any) func(doc) {
		return func(d doc) {
			e := of(d)
			names := strings.Split(path, ".")
			for _, n := range names[:len(names)-1] {
				e = e[n].(doc)
			}
			e[names[len(names)-1]] = v
		}
	}
	long := strings.Repeat("x", 1<<20)
	fresh := bare(t, index.Config{})
	for what, change := range map[string]func(doc){
		"a moment of an unknown kind":    set(moment, "kind", "year"),
		"a moment with a bad id":         set(moment, "id", "../x"),
		"a moment in nothing":            set(moment, "parent", "nobody"),
		"a moment in a trip":             func(d doc) { moment(d)["parent"] = trip(d)["id"] },
		"a moment in itself":             func(d doc) { moment(d)["parent"] = moment(d)["id"] },
		"a trip in a day":                func(d doc) { trip(d)["parent"] = day(d)["id"] },
		"two moments of one id":          func(d doc) { moment(d)["id"] = day(d)["id"] },
		"a day behind its moments":       func(d doc) { slices.Reverse(d["moments"].([]any)) },
		"two places of one id":           func(d doc) { d["places"] = append(d["places"].([]any), d["places"].([]any)...) },
		"a place with a bad id":          set(place, "id", ""),
		"a photo in an unknown moment":   set(photo, "moment", "nobody"),
		"a photo in a day":               func(d doc) { photo(d)["moment"] = day(d)["id"] },
		"a photo at an unknown place":    set(photo, "place", "nobody"),
		"beyond the pole":                set(located, "where.lat", 90.5),
		"beyond the date line":           set(located, "where.lon", -181),
		"a name of a megabyte":           set(located, "where.name", long+long),
		"a clock of no camera":           set(clock, "clock", doc{"by": 5}),
		"a clock off by an eternity":     set(clock, "clock.by", int64(1)<<62),
		"a clock off by a thousand year": set(clock, "clock.by", int64(1000*365*86400)*1e6),
		"a clock that ends first":        func(d doc) { c := clock(d)["clock"].(doc); c["from"], c["to"] = c["to"], c["from"] },
		"a clock of the year 1":          set(clock, "clock.from", "0001-02-03T00:00:00Z"),
		"a clock on no decision":         func(d doc) { delete(clock(d), "clock") },
		"a GPS time of no year":          set(fixed, "gps_time", "20190-01-01T00:00:00Z"),
		"a serial number of a megabyte":  set(first("photos", has("serial")), "serial", long+long),
		"settings that are no settings":  set(func(d doc) doc { return d["settings"].(doc) }, "arranged", "}{"),
		"a text for a number":            set(moment, "begin", "x"),
		"a day that is none":             set(moment, "photos", -1.5),
	} {
		t.Run(what, func(t *testing.T) {
			var d doc
			dec := json.NewDecoder(strings.NewReader(string(text)))
			dec.UseNumber()
			must(t, dec.Decode(&d))
			change(d)
			_, err := fresh.Import(t.Context(), fsOf(must1[[]byte](t)(json.Marshal(d))), index.ImportOptions{})
			wantBad(t, fresh, what, err)
		})
	}
}

// What is told of when and where, and cannot be, is found out by arranging anew:
// it is not believed.
func TestArrangeImportDerives(t *testing.T) {
	acc := rich(t)
	looks, text := picture(t, acc), string(exportWhen(t, acc))
	for _, c := range [][2]string{
		{`"begin":`, `"begin":1`}, {`"end":`, `"end":9`}, {`"first_day":"2019`, `"first_day":"1819`}, {`"order":`, `"order":-1`},
		{`"photos":1`, `"photos":999991`}, {`"shots":`, `"shots":7`}, {`"radius":`, `"radius":1`}, {`"estimated":true`, `"estimated":false`},
	} {
		if !strings.Contains(text, c[0]) {
			t.Fatalf("the export has no %s", c[0])
		}
		text = strings.ReplaceAll(text, c[0], c[1])
	}
	fresh := bare(t, index.Config{})
	_ = importOf(t, fresh, []byte(text), index.ImportOptions{})
	wantPicture(t, "imported", fresh, looks)
}

// In an account that knows the photos already, corrections of clocks are taken
// over, and the account's own moments and places stay.
func TestArrangeImportMerges(t *testing.T) {
	ctx, l := t.Context(), life(1)
	theirs := taken(t, plugged(index.Config{}), l)
	must1[index.DecisionID](t)(theirs.CorrectClock(ctx, index.Clock{Camera: slr, By: time.Hour}))
	ours := taken(t, plugged(index.Config{}), l)
	ids := idsOf(t, ours)
	text := exportWhen(t, theirs)
	if r := importOf(t, ours, text, index.ImportOptions{}); r.Fresh || r.Decisions != 1 {
		t.Errorf("%+v", r)
	}
	wantPicture(t, "merged", ours, picture(t, theirs))
	if r := importOf(t, ours, text, index.ImportOptions{}); r.Decisions != 0 || r.Repeated != 1 {
		t.Errorf("twice: %+v", r)
	}
	got := idsOf(t, ours)
	for what, id := range ids {
		if strings.Contains(what, "home/") && got[what] != id {
			t.Errorf("the id of %s changed", what)
		}
	}
}

// Whatever a correction is taken with, an export carries it into another account.
func TestArrangeImportCameras(t *testing.T) {
	ctx := t.Context()
	for what, camera := range map[string]exif.Camera{
		"no UTF-8": {Make: "La\xffhna"}, "a NUL": {Make: "a\x00b"}, "long": {Model: strings.Repeat("x", 1<<16)}, "longer": {Serial: strings.Repeat("x", 1<<21)},
	} {
		acc := bare(t, withDated(index.Config{}))
		d, err := acc.CorrectClock(ctx, index.Clock{Camera: camera, By: time.Hour})
		if err != nil {
			continue // refused, which is as well
		}
		fresh := bare(t, withDated(index.Config{}))
		if _, err := fresh.Import(ctx, fsOf(exportWhen(t, acc)), index.ImportOptions{}); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if c := decisionOf(t, fresh, d).Correction.Clock; c.Camera != camera {
			t.Errorf("%s: the camera is %.50q now", what, c.Camera)
		}
	}
}
