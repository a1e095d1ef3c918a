package exif

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rwcarlsen/goexif/tiff"
)

// The seeds in testdata/fuzz are built by the writers of this package's
// tests; with -write-seeds, TestSeeds writes them.
var writeSeeds = flag.Bool("write-seeds", false, "write the seeds of the fuzz targets to testdata/fuzz")

// seeds gives the inputs of each fuzz target by file name.
func seeds() map[string]map[string][]byte {
	full := fullBlock(be, 6).bytes()
	x := packet(fullXMPAttrs, "<xmp:CreateDate>2020-02-03T04:05:06Z</xmp:CreateDate>")
	decode := make(map[string][]byte)
	for name, data := range containers(full) {
		decode[strings.NewReplacer(" ", "-", ",", "").Replace(name)] = data
	}
	decode["jpeg-xmp"] = jpegFile(xmpSegment(x))
	decode["png-xmp"] = pngFile(chunk("zTXt", "XML:com.adobe.xmp\x00\x00"+deflate(x)))
	decode["heif-both"] = heifFile(1, heifItem{kind: "Exif", data: heifExif(full), idat: true},
		heifItem{kind: "mime", contentType: "application/rdf+xml", data: []byte(x), parts: 2})
	decode["cr3-xmp"] = cr3File(splitBlock(full), x)
	decode["jpeg-extended"] = jpegFile(xmpSegment(packet(`xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="`+strings.Repeat("A", 32)+`"`, "")),
		segment(mAPP1, extendedXMPName+strings.Repeat("A", 32)+"\x00\x00\x00\x08\x00\x00\x00\x00<a>b</a>"))
	decode["heif-turned"] = turnedHEIF(mwgPacket(regionEntry("Anna", goodArea)), true, box("irot", []byte{1}), box("imir", []byte{0}))
	decode["jpeg-apple"] = factFiles()["apple.jpg"]
	decode["jpeg-google"] = factFiles()["google.jpg"]
	decode["jpeg-rollover"] = factFiles()["rollover.jpg"]
	decode["jpeg-tokyo"] = factFiles()["tokyo.jpg"]
	decode["rw2"] = rw2Block(newBlock(le).short(dirMain, tagOrientation, 8), jpegFile(exifSegment(fullBlock(le, 6).bytes()))).bytes()
	loop := newBlock(le).raw(dirMain, tagExifIFD, typeLong, 1, []byte{8, 0, 0, 0})
	texts := make(map[string][]byte)
	for i, s := range []string{"2011:05:01 12:00:00", "2011-05-01T12:00:00.25+02:00", "2011/5/ 1 24:00", "-0330", "Z",
		"    :  :     :  :  ", "60,27.5N", "60,27,30S", "2398/10", "057"} {
		texts[fmt.Sprintf("text-%02d", i)] = []byte(s)
	}
	regions := map[string][]byte{"microsoft": []byte(packet(regionSpaces, microsoft(`<rdf:li MPReg:PersonDisplayName="A" MPReg:Rectangle="0.1, 0.2, 0.3, 0.4"/>`))),
		"attributes": []byte(mwgPacket(regionEntry("Anna", goodArea))), "pixels": []byte(mwgPacket(regionEntry("Anna", `stArea:x="9" stArea:y="9" stArea:d="9" stArea:unit="pixel"`))),
		"elements": []byte(mwgPacket(`<rdf:li rdf:parseType="Resource"><mwg-rs:Name>A</mwg-rs:Name><mwg-rs:Area rdf:parseType="Resource"><stArea:x>1</stArea:x><stArea:y>.5</stArea:y>
<stArea:w>1e-1</stArea:w><stArea:h>2</stArea:h></mwg-rs:Area></rdf:li>`)),
		"nested":   []byte(packet(regionSpaces, `<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Seq>`+regionEntry("&#955;&lt;", goodArea)+`</rdf:Seq></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>`)),
		"entities": []byte(`<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>` + mwgPacket(regionEntry("&b;", goodArea))), "not-xml": []byte("<<>")}
	return map[string]map[string][]byte{
		"FuzzDecode":       decode,
		"FuzzParseRegions": regions,
		"FuzzTIFF": {"big": full, "little": fullBlock(le, 1).bytes(), "loop": loop.bytes(), "empty": newBlock(be).bytes(),
			"huge": newBlock(le).raw(dirMain, tagMake, typeASCII, 0xffffffff, nil).bytes()},
		"FuzzApple": {"both": appleNote(be, "5E8CBE29", "0A5E2C2E"), "little": appleNote(le, "5E8CBE29", ""), "name": []byte(appleName),
			"huge": noteOf(be, entry{tagAppleBurst, typeASCII, 0xffffffff, nil})},
		"FuzzXMP":  {"attributes": []byte(x), "element": []byte(packet("", "<tiff:Make>K</tiff:Make>")), "not-xml": []byte("<<>")},
		"FuzzTime": texts,
		"FuzzBMFF": {"v0": heifFile(0, heifItem{kind: "Exif", data: heifExif(full)}), "v1": decode["heif-both"],
			"v2": heifFile(2, heifItem{kind: "Exif", data: heifExif(full), parts: 3}), "no-meta": box("ftyp", []byte("avif"), make([]byte, 4))},
	}
}

// TestSeeds: the committed seeds are those that the writers build.
func TestSeeds(t *testing.T) {
	for target, files := range seeds() {
		dir := filepath.Join("testdata", "fuzz", target)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			path := filepath.Join(dir, name)
			want := []byte("go test fuzz v1\n[]byte(" + strconv.Quote(string(files[name])) + ")\n")
			if *writeSeeds {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, want, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not what the writers build (%v): run go test -run TestSeeds -write-seeds", path, err)
			}
		}
	}
}

// checkMeta checks what holds for every result, whatever the bytes were.
func checkMeta(t *testing.T, m Meta, err error) {
	t.Helper()
	if m.Orientation < 0 || m.Orientation > 8 {
		t.Errorf("orientation %d", m.Orientation)
	}
	checkTime(t, m.Taken)
	if g := m.GPS; g != nil {
		if !(math.Abs(g.Lat) <= 90 && math.Abs(g.Lon) <= 180) || g.Lat == 0 && g.Lon == 0 {
			t.Errorf("position %v, %v", g.Lat, g.Lon)
		}
		if g.Alt != nil && !plausibleAltitude(*g.Alt) {
			t.Errorf("altitude %v", *g.Alt)
		}
		if !(g.Accuracy >= 0 && g.Accuracy <= maxAccuracy) {
			t.Errorf("accuracy %v", g.Accuracy)
		}
		if g.Datum != cleanName(g.Datum) {
			t.Errorf("datum %q", g.Datum)
		}
	}
	if m.Taken.IsZero() != (m.TakenFrom == "") {
		t.Errorf("time %v from %q", m.Taken, m.TakenFrom)
	}
	if y := m.Fix.Year(); !m.Fix.IsZero() && (y < minYear || y > maxYear+40 || m.Fix.Location() != time.UTC) {
		t.Errorf("fix %v", m.Fix)
	}
	for _, id := range []string{m.Burst, m.Video} {
		if id != cleanName(id) || len(id) > maxID {
			t.Errorf("id %q", id)
		}
	}
	for _, s := range []string{m.Camera.Make, m.Camera.Model, m.Camera.Serial} {
		if s != cleanName(s) || len(s) > 3*maxValue { // an invalid byte becomes three
			t.Errorf("name %q", s)
		}
	}
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Container == "" || e.Part == "" || e.Err == nil) {
		t.Errorf("error %#v", err)
	}
	if err != nil && strings.Contains(err.Error(), "panic") {
		t.Errorf("the fence let something through: %v", err)
	}
}

func checkTime(t *testing.T, at Time) {
	t.Helper()
	if at.IsZero() {
		if at != (Time{}) {
			t.Errorf("unknown time %+v", at)
		}
		return
	}
	if y := at.Wall.Year(); y < minYear || y > maxYear+1 || at.Wall.Location() != time.UTC {
		t.Errorf("time %v", at.Wall)
	}
	if at.Offset.Abs() > maxOffset || at.Zone == ZoneNone && at.Offset != 0 {
		t.Errorf("offset %v, %v", at.Offset, at.Zone)
	}
	switch at.Zone {
	case ZoneNone, ZoneOffset, ZoneGPS:
	default:
		t.Errorf("zone source %q", at.Zone)
	}
}

func FuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		start := time.Now()
		m, err := Decode(data)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v for %d bytes", took, len(data))
		}
		checkMeta(t, m, err)
		r, err := ReadRegions(data)
		checkRegions(t, r, err)
		if !bytes.Equal(data, before) {
			t.Error("the file was changed")
		}
	})
}

// checkRegions checks what holds for every result, and that what is read can be
// written and read again.
func checkRegions(t *testing.T, r Regions, err error) {
	t.Helper()
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Container == "" || e.Part == "" || e.Err == nil) {
		t.Errorf("error %#v", err)
	}
	if len(r.Areas) > maxRegions || r.Orientation < 0 || r.Orientation > 8 || r.Turn < 0 || r.Turn > 8 || !(r.Width >= 0 && r.Height >= 0) {
		t.Errorf("%d areas of %+v", len(r.Areas), r)
	}
	for o := range 9 {
		s := Sidecar{Width: 4000, Height: 3000, Orientation: o}
		for _, p := range r.Upright(o, s.Width, s.Height) {
			if p.Name != cleanLabel(p.Name) || p.Type != cleanLabel(p.Type) || max(len(p.Name), len(p.Type)) > maxXMPValue || !utf8.ValidString(p.Name) {
				t.Errorf("name %q, type %q", p.Name, p.Type)
			}
			if !(p.X >= 0 && p.Y >= 0 && p.W > 0 && p.H > 0 && p.X+p.W <= 1+1e-12 && p.Y+p.H <= 1+1e-12) {
				t.Errorf("orientation %d: region %+v", o, p)
			}
			if min(p.W, p.H) > 1e-6 {
				s.Regions = append(s.Regions, p)
			}
		}
		packet, err := s.XMP()
		if errors.Is(err, errTooLarge) {
			continue
		}
		again, errAgain := ParseRegions(packet)
		got := again.Upright(o, s.Width, s.Height)
		if err != nil || errAgain != nil || len(got) != len(s.Regions) {
			t.Fatalf("%d of %d regions read again: %v, %v", len(got), len(s.Regions), err, errAgain)
		}
		for i, p := range s.Regions {
			if g := got[i]; g.Name != p.Name || g.Type != p.Type || !near(2e-9, g.X, p.X, g.Y, p.Y, g.W, p.W, g.H, p.H) {
				t.Errorf("orientation %d: %+v read again as %+v", o, p, g)
			}
		}
	}
}

func FuzzParseRegions(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRegions(data)
		checkRegions(t, r, err)
		r.Turn = 6 // as a caller sets it for a HEIF file
		checkRegions(t, r, err)
	})
}

func FuzzTIFF(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if !isTIFF(data) {
			return
		}
		scan := scanTIFF(data, dirMain, func(string, error) {})
		clean := scan.compact()
		if len(clean) > 64<<10 {
			t.Errorf("%d bytes given to goexif", len(clean))
		}
		if _, err := tiff.Decode(bytes.NewReader(clean)); err != nil {
			t.Errorf("goexif refuses the compact block: %v", err)
		}
		fl := file{container: "tiff"}
		fl.readTIFF(data)
		fl.addExif(data)
		checkMeta(t, fl.meta(), fl.err())
	})
}

func FuzzXMP(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		fl := file{container: "jpeg"}
		fl.addXMP(data)
		checkMeta(t, fl.meta(), fl.err())
	})
}

func FuzzTime(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		text := string(data)
		s, err := parseStamp(text)
		if err != nil && s != (stamp{}) {
			t.Errorf("%q: %v beside %v", text, s, err)
		}
		checkTime(t, s.time())
		if d, known, err := parseOffset(text); d.Abs() > maxOffset || known && err != nil || !known && d != 0 {
			t.Errorf("%q: offset %v, %v, %v", text, d, known, err)
		}
		if d, _ := parseFraction(text); d < 0 || d >= time.Second {
			t.Errorf("%q: fraction %v", text, d)
		}
		if c, err := parseXMPDegrees(text); !(c.degrees >= 0) || err != nil && c != (coordinate{}) {
			t.Errorf("%q: degrees %v, %v", text, c, err)
		}
		if v, ok := parseXMPAltitude(text, ""); ok && !plausibleAltitude(v) {
			t.Errorf("%q: altitude %v", text, v)
		}
	})
}

func FuzzBMFF(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 12 {
			return
		}
		fl := file{data: data, container: "heif"}
		fl.heif()
		if len(fl.tiffs) > maxBlocks || len(fl.xmps) > maxBlocks {
			t.Errorf("%d EXIF blocks, %d packets", len(fl.tiffs), len(fl.xmps))
		}
		total := 0
		for _, b := range slices.Concat(fl.tiffs, fl.xmps) {
			total += len(b)
		}
		if total > maxItems*max(len(data), maxBlock) {
			t.Errorf("%d bytes of items in a file of %d", total, len(data))
		}
		checkMeta(t, fl.meta(), fl.err())
	})
}
