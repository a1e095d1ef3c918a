package index_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// dated is a scene in a JPEG file that says, in XMP, when and where it was
// taken.
func dated(at string, lat, lon int, scene []byte) []byte {
	xmp := fmt.Sprintf(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+
		`<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="%s" exif:GPSLatitude="%d,0.0N" exif:GPSLongitude="%d,0.0E"/>`+
		`</rdf:RDF></x:xmpmeta>`, at, lat, lon)
	packet := "http://ns.adobe.com/xap/1.0/\x00" + xmp
	b := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(packet)+2))...)
	b = append(b, packet...)
	return append(append(b, 0xff, 0xda), scene...)
}

// datedDecoder decodes the scene in such a file.
type datedDecoder struct{ sceneDecoder }

func (datedDecoder) Match(head []byte) bool { return bytes.HasPrefix(head, []byte{0xff, 0xd8}) }

func (d datedDecoder) Open(ctx context.Context, data []byte, maxPixels int) (face.Source, error) {
	at := bytes.Index(data, []byte(sceneMagic))
	if at < 0 {
		return nil, errors.New("no scene in it")
	}
	return d.sceneDecoder.Open(ctx, data[at:], maxPixels)
}

// datedFamily is family, in files that know when and where.
func datedFamily() *files {
	src := newFiles(nil)
	for i, name := range familyPhotos {
		src.put(name, dated(fmt.Sprintf("2011-05-%02dT12:00:00+02:00", i+1), 40+i, 10+i, family().get(name).data))
	}
	return src
}

func wall(s string) exif.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return exif.Time{Wall: t, Offset: 2 * time.Hour, Zone: exif.ZoneOffset}
}

func withDated(cfg index.Config) index.Config {
	cfg.Decoders = append(cfg.Decoders, datedDecoder{})
	return withScenes(cfg)
}

func wantTaken(t cleaner, when string, acc *index.Account, path string, at exif.Time, place *exif.GPS, corrected bool) {
	t.Helper()
	p := photoOf(t, acc, path)
	same := (p.GPS == nil) == (place == nil) && (place == nil || p.GPS.Lat == place.Lat && p.GPS.Lon == place.Lon)
	if p.Taken != at || !same || p.Corrected != corrected {
		t.Errorf("%s: %s was taken %+v at %+v (corrected %v), want %+v at %+v (%v)", when, path, p.Taken, p.GPS, p.Corrected, at, place, corrected)
	}
}

// A correction holds for the content, wherever it is and however often it is
// read, until it is undone.
func TestCorrect(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		ctx, src := t.Context(), datedFamily()
		path := filepath.Join(t.TempDir(), "a.kith")
		cfg := withDated(index.Config{Keys: keys})
		acc := openAt(t, path, cfg)
		must(t, acc.SetConsent(ctx, yes))
		reindex(t, acc, src, index.ReindexOptions{})
		own, ownPlace := wall("2011-05-01 12:00:00"), &exif.GPS{Lat: 40, Lon: 10}
		wantTaken(t, "at first", acc, "a/1.jpg", own, ownPlace, false)
		people := partition(t, acc)

		at, place := wall("1999-12-31 23:59:58"), &exif.GPS{Lat: -33.5, Lon: 151.25}
		id := photoOf(t, acc, "a/1.jpg").ID
		byTime := must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, at))
		wantTaken(t, "time", acc, "a/1.jpg", at, ownPlace, true)
		byPlace := must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id, place))
		wantTaken(t, "place", acc, "a/1.jpg", at, place, true)
		wantTaken(t, "another photo", acc, "a/2.jpg", wall("2011-05-02 12:00:00"), &exif.GPS{Lat: 41, Lon: 11}, false)
		reindex(t, acc, src, index.ReindexOptions{Force: true})
		wantTaken(t, "forced", acc, "a/1.jpg", at, place, true)
		src.put("c/copy.jpg", src.get("a/1.jpg").data)
		reindex(t, acc, src, index.ReindexOptions{})
		wantTaken(t, "copied", acc, "c/copy.jpg", at, place, true)
		src.move("a/1.jpg", "d/moved.jpg")
		reindex(t, acc, src, index.ReindexOptions{})
		wantTaken(t, "moved", acc, "d/moved.jpg", at, place, true)
		closeChecked(t, acc)
		acc = openAt(t, path, cfg)
		src.put("e/another copy.jpg", src.get("c/copy.jpg").data)
		reindex(t, acc, src, index.ReindexOptions{Force: true, NoFaces: true})
		wantTaken(t, "copied and forced", acc, "e/another copy.jpg", at, place, true)
		reindex(t, acc, src, index.ReindexOptions{})
		wantExported(t, acc, "d/moved.jpg", "1999-12-31T23:59:58+02:00", place)

		must(t, acc.Undo(ctx, byTime))
		for _, name := range []string{"d/moved.jpg", "c/copy.jpg", "e/another copy.jpg"} {
			wantTaken(t, "time undone", acc, name, own, place, true)
		}
		wantErr(t, "undo again", acc.Undo(ctx, byTime), store.ErrRevoked)
		reindex(t, acc, src, index.ReindexOptions{Force: true})
		wantTaken(t, "time undone and forced", acc, "c/copy.jpg", own, place, true)
		must(t, acc.Undo(ctx, byPlace))
		for _, name := range []string{"d/moved.jpg", "c/copy.jpg", "e/another copy.jpg"} {
			wantTaken(t, "both undone", acc, name, own, ownPlace, false)
		}
		wantExported(t, acc, "d/moved.jpg", "2011-05-01T12:00:00+02:00", ownPlace)
		src.remove("c/copy.jpg")
		src.remove("e/another copy.jpg")
		src.move("d/moved.jpg", "a/1.jpg")
		reindex(t, acc, src, index.ReindexOptions{})
		wantPartition(t, acc, people...)
	})
}

// wantExported checks what the export says of a photo.
func wantExported(t *testing.T, acc *index.Account, path, at string, place *exif.GPS) {
	t.Helper()
	var out bytes.Buffer
	must(t, acc.Export(t.Context(), &out, index.ExportOptions{}))
	var doc struct {
		Photos []struct {
			Path  string
			Taken struct{ Time string }
			GPS   struct{ Lat, Lon float64 }
		}
	}
	must(t, json.Unmarshal(out.Bytes(), &doc))
	for _, p := range doc.Photos {
		if p.Path == path {
			if p.Taken.Time != at || p.GPS.Lat != place.Lat || p.GPS.Lon != place.Lon {
				t.Errorf("the export says %+v, want %s at %+v", p, at, place)
			}
			return
		}
	}
	t.Errorf("the export does not have %s", path)
}

// Unknown is an answer too, and another version of the file is not meant.
func TestCorrectToUnknown(t *testing.T) {
	acc, src := newAccount(t, withDatedOnly()), datedFamily()
	reindex(t, acc, src, index.ReindexOptions{})
	id := photoOf(t, acc, "b/4.jpg").ID
	must1[index.DecisionID](t)(acc.CorrectTime(t.Context(), id, exif.Time{}))
	must1[index.DecisionID](t)(acc.CorrectPlace(t.Context(), id, nil))
	reindex(t, acc, src, index.ReindexOptions{Force: true})
	wantTaken(t, "unknown", acc, "b/4.jpg", exif.Time{}, nil, true)
	old := src.get("b/4.jpg").data
	src.put("b/4.jpg", dated("2020-01-02T03:04:05+02:00", 60, 5, shot("4, touched up", 1)))
	reindex(t, acc, src, index.ReindexOptions{})
	wantTaken(t, "another version", acc, "b/4.jpg", wall("2020-01-02 03:04:05"), &exif.GPS{Lat: 60, Lon: 5}, false)
	src.put("b/4.jpg", old)
	reindex(t, acc, src, index.ReindexOptions{})
	wantTaken(t, "the first version again", acc, "b/4.jpg", exif.Time{}, nil, true)
}

func withDatedOnly() index.Config { return index.Config{Decoders: []index.Decoder{datedDecoder{}}} }

func TestCorrectRefused(t *testing.T) {
	acc, src, ctx := newAccount(t, withDatedOnly()), datedFamily(), t.Context()
	src.set("bad.jpg", file{err: errors.New("a bad sector"), at: start})
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	_ = failed.of(t, "bad.jpg")
	id := photoOf(t, acc, "a/1.jpg").ID
	refused := func(what string, want, byTime, byPlace error) {
		t.Helper()
		for _, err := range []error{byTime, byPlace} {
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", what, err, want)
			}
		}
	}
	both := func(id index.PhotoID) (byTime, byPlace error) {
		return second(acc.CorrectTime(ctx, id, wall("2000-01-01 00:00:00"))), second(acc.CorrectPlace(ctx, id, &exif.GPS{}))
	}
	byTime, byPlace := both("nothing")
	refused("an unknown photo", index.ErrNotFound, byTime, byPlace)
	byTime, byPlace = both(photoOf(t, acc, "bad.jpg").ID)
	refused("a photo that was never read", nil, byTime, byPlace)
	for _, g := range []exif.GPS{{Lat: 90.1}, {Lat: -91}, {Lon: 180.5}, {Lon: -181}, {Lat: math.NaN()}, {Lon: math.Inf(1)}} {
		if _, err := acc.CorrectPlace(ctx, id, &g); err == nil {
			t.Errorf("%+v is accepted", g)
		}
	}
	infinite := math.Inf(1)
	if _, err := acc.CorrectPlace(ctx, id, &exif.GPS{Alt: &infinite}); err == nil {
		t.Error("an endless height is accepted")
	}
	said := must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, wall("2000-01-01 00:00:00")))
	must1[index.AuditEntry](t)(acc.Restrict(ctx))
	byTime, byPlace = both(id)
	refused("restricted", index.ErrRestricted, byTime, byPlace)
	wantErr(t, "Undo", acc.Undo(ctx, said), index.ErrRestricted)
	must1[index.AuditEntry](t)(acc.Unrestrict(ctx))
	wantTaken(t, "afterwards", acc, "a/1.jpg", wall("2000-01-01 00:00:00"), &exif.GPS{Lat: 40, Lon: 10}, true)
	if n := len(all(t, acc.Decisions(ctx))); n != 1 {
		t.Errorf("%d decisions are recorded", n)
	}
}

// placeMarks are how a place lies in a file: as JSON, and as SQLite's numbers.
func placeMarks(g exif.GPS) marks {
	m := marks{}
	for name, v := range map[string]float64{"latitude": g.Lat, "longitude": g.Lon} {
		m[name+" as a number"] = binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
		m[name+" as text"] = fmt.Append(nil, v)
	}
	return m
}

// What a correction said goes with it, and what the file says is kept twice
// only as long as one stands.
func TestCorrectedBytes(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		dir, ctx, src := t.TempDir(), t.Context(), datedFamily()
		path := filepath.Join(dir, "a.kith")
		cfg := withDated(index.Config{Keys: keys})
		acc := openAt(t, path, cfg)
		must(t, acc.SetConsent(ctx, yes))
		reindex(t, acc, src, index.ReindexOptions{})
		id := photoOf(t, acc, "a/1.jpg").ID
		first, later := exif.GPS{Lat: 12.3456789, Lon: -98.7654321}, exif.GPS{Lat: 45.6789123, Lon: 32.1987654}
		texts := marks{"the first time": []byte("1987-06-05T04:03:02"), "the later time": []byte("1976-05-04T03:02:01")}
		saidFirst := must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id, &first))
		saidLater := must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id, &later))
		timeFirst := must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, wall("1987-06-05 04:03:02")))
		timeLater := must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, wall("1976-05-04 03:02:01")))
		reopen := func() {
			t.Helper()
			closeChecked(t, acc)
			acc = openAt(t, path, cfg)
		}
		reopen()
		if keys == nil {
			texts.wantAll(t, "while they stand", dir)
			placeMarks(later).wantAll(t, "while it stands", dir)
		} else {
			texts.wantNone(t, "sealed", dir)
			placeMarks(later).wantNone(t, "sealed", dir)
		}
		must(t, acc.Undo(ctx, saidFirst)) // under another
		must(t, acc.Undo(ctx, timeLater))
		reopen()
		placeMarks(first).wantNone(t, "undone", dir)
		marks{"the later time": texts["the later time"]}.wantNone(t, "undone", dir)
		must(t, acc.Undo(ctx, saidLater))
		must(t, acc.Undo(ctx, timeFirst))
		reopen()
		placeMarks(later).wantNone(t, "all undone", dir)
		texts.wantNone(t, "all undone", dir)

		// It goes with the photo, too.
		must1[index.DecisionID](t)(acc.CorrectPlace(ctx, id, &first))
		must1[index.DecisionID](t)(acc.CorrectTime(ctx, id, wall("1987-06-05 04:03:02")))
		must1[index.Receipt](t)(acc.ErasePhotos(ctx, id))
		placeMarks(first).wantNone(t, "erased", dir)
		texts.wantNone(t, "erased", dir)
		if n := len(all(t, acc.Decisions(ctx))); n != 4 && n != 0 {
			t.Errorf("%d decisions are left", n)
		}
	})
}

// Corrections and decisions about people, made and undone in any order, do not
// know of each other; of corrections the latest that stands prevails.
func TestCorrectInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		dir := must1[string](t)(os.MkdirTemp("", "kith-correct"))
		defer func() { _ = os.RemoveAll(dir) }()
		src := datedFamily()
		src.remove("a/2.jpg")
		src.remove("b/6.jpg")
		src.put("c/copy.jpg", src.get("a/1.jpg").data)
		open := func(name string) *index.Account {
			acc := must1[*index.Account](t)(index.Open(ctx, filepath.Join(dir, name), withDated(index.Config{Workers: 1})))
			must(t, acc.SetConsent(ctx, yes))
			reindex(t, acc, src, index.ReindexOptions{})
			return acc
		}
		acc, plain := open("a.kith"), open("b.kith") // the other one hears of people only
		defer closeChecked(t, acc)
		defer closeChecked(t, plain)
		type said struct {
			id, twin index.DecisionID // twin: what the other was told
			at       exif.Time
			place    *exif.GPS
			undone   bool
		}
		var ledger []said
		for range rapid.IntRange(2, 8).Draw(t, "steps") {
			var s said
			photo := photoOf(t, acc, rapid.SampledFrom([]string{"a/1.jpg", "c/copy.jpg"}).Draw(t, "photo")).ID
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				s.at = wall(fmt.Sprintf("20%02d-01-01 00:00:00", rapid.IntRange(10, 99).Draw(t, "year")))
				s.id = must1[index.DecisionID](t)(acc.CorrectTime(ctx, photo, s.at))
			case 1:
				s.place = &exif.GPS{Lat: float64(rapid.IntRange(-90, 90).Draw(t, "latitude")), Lon: 1}
				s.id = must1[index.DecisionID](t)(acc.CorrectPlace(ctx, photo, s.place))
			case 2:
				name := rapid.SampledFrom([]string{"Anna", "Bert", ""}).Draw(t, "name")
				s.id = must1[index.DecisionID](t)(acc.Name(ctx, personOf(t, acc, "b/4.jpg", 0), name))
				s.twin = must1[index.DecisionID](t)(plain.Name(ctx, personOf(t, plain, "b/4.jpg", 0), name))
			case 3:
				reindex(t, acc, src, index.ReindexOptions{Force: true})
				reindex(t, plain, src, index.ReindexOptions{Force: true})
				continue
			default:
				standing := slices.DeleteFunc(slices.Clone(ledger), func(s said) bool { return s.undone })
				if len(standing) == 0 {
					continue
				}
				u := rapid.SampledFrom(standing).Draw(t, "undone")
				must(t, acc.Undo(ctx, u.id))
				if u.twin != "" {
					must(t, plain.Undo(ctx, u.twin))
				}
				ledger[slices.IndexFunc(ledger, func(s said) bool { return s.id == u.id })].undone = true
				continue
			}
			ledger = append(ledger, s)
		}
		at, place, corrected := wall("2011-05-01 12:00:00"), &exif.GPS{Lat: 40, Lon: 10}, false
		for _, s := range ledger {
			if s.undone || s.twin != "" {
				continue
			}
			if corrected = true; s.place != nil {
				place = s.place
			} else {
				at = s.at
			}
		}
		for _, name := range []string{"a/1.jpg", "c/copy.jpg"} {
			wantTaken(t, "in the end", acc, name, at, place, corrected)
		}
		if got, want := partition(t, acc), partition(t, plain); !slices.Equal(got, want) {
			t.Errorf("people:\n  %s\nwithout corrections:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		if n := len(all(t, acc.Decisions(ctx))); n != len(ledger) {
			t.Errorf("%d decisions are listed of %d", n, len(ledger))
		}
	})
}
