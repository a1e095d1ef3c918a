package exif

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// factDifferences is what differences is for the files of factFiles.
var factDifferences = map[[2]string]string{
	{"tokyo.jpg", "position"}:     "exiftool converts no datum",
	{"tokyo.jpg", "datum"}:        "exiftool converts no datum",
	{"swapped.jpg", "position"}:   "exiftool keeps a latitude beyond the pole",
	{"near-zero.jpg", "position"}: "noise around 0 N 0 E, without a fix",
	{"rollover.jpg", "fix"}:       "exiftool does not compare it with the camera's clock",
	{"rollover.jpg", "offset"}:    "there is one once the date is right",
	{"modified.jpg", "time"}:      "there was no year 0",
	{"modified.jpg", "from"}:      "there was no year 0",
	{"absurd.jpg", "altitude"}:    "no photo is taken there",
	{"absurd.jpg", "accuracy"}:    "that is no position any more",
}

// factFiles are the small files in testdata/facts: what few photos say, and in
// the ways that only some devices say it.
func factFiles() map[string][]byte {
	const burst, content = "5E8CBE29-38C0-4DE5-9E8F-1E3E8E6F5F5A", "0A5E2C2E-9C35-4E8F-8F0F-7A4F3B1D2C11"
	shot := func(order byteOrder) *block {
		return newBlock(order).ascii(dirMain, tagMake, "Kith").ascii(dirMain, tagModel, "Camera One").
			ascii(dirExif, tagOriginal, "2023:07:01 14:00:00")
	}
	at := func(b *block, latRef string, lat uint32, lonRef string, lon uint32) *block {
		return b.ascii(dirGPS, tagLatRef, latRef).rat(dirGPS, tagLat, lat, 1, 27, 1, 3000, 100).
			ascii(dirGPS, tagLonRef, lonRef).rat(dirGPS, tagLon, lon, 1, 16, 1, 1200, 100)
	}
	stamp := func(b *block, date string, h, m, s uint32) *block {
		return b.ascii(dirGPS, tagGPSDate, date).rat(dirGPS, tagGPSTime, h, 1, m, 1, s, 100)
	}
	signed := func(b *block, latRef string) *block {
		minus := func(n int32) []byte { return b.order.AppendUint32(b.order.AppendUint32(nil, uint32(-n)), 1) }
		return b.ascii(dirGPS, tagLatRef, latRef).raw(dirGPS, tagLat, 10, 3, slices.Concat(minus(33), minus(51), minus(31))).
			ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLon, 151, 1, 12, 1, 51, 1)
	}
	note := func(order byteOrder, ids ...string) *block {
		return shot(order).raw(dirExif, tagMakerNote, typeUndef, uint32(len(appleNote(order, ids...))), appleNote(order, ids...))
	}
	camera := func(attrs string) string {
		return packet(`xmlns:GCamera="`+nsGCamera+`" xmlns:aux="`+nsAux+`" xmlns:exifEX="`+nsEXIF2+`" `+attrs, "")
	}
	blocks := map[string]*block{
		"apple":      at(stamp(note(be, burst, content), "2023:07:01", 12, 0, 100), "N", 60, "E", 22).rat(dirGPS, tagAccuracy, 4766, 1000),
		"apple-ii":   note(le, burst, ""),
		"apple-live": note(be, "", content),
		"serial":     shot(le).ascii(dirExif, tagBodySerial, "0044051002852 "),
		"words":      at(shot(be), "south", 33, "West", 70),
		"signed":     signed(shot(be), "S"),
		"signed-n":   signed(shot(le), "N"),
		"void":       at(stamp(shot(le), "2023:07:01", 11, 59, 3025), "N", 60, "E", 22).ascii(dirGPS, tagGPSStatus, "V").ascii(dirGPS, tagDatum, "WGS84  "),
		"measured":   at(shot(le), "N", 60, "E", 22).ascii(dirGPS, tagGPSStatus, "A").ascii(dirGPS, tagDatum, "WGS-84"),
		"datum":      at(shot(le), "N", 51, "W", 0).ascii(dirGPS, tagDatum, "OSGB-36 "),
		"tokyo":      at(shot(le), "N", 35, "E", 139).ascii(dirGPS, tagDatum, "TOKYO"),
		"swapped":    at(shot(le), "N", 139, "E", 35),
		"near-zero":  shot(le).ascii(dirGPS, tagLatRef, "N").rat(dirGPS, tagLat, 4, 100000).ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLon, 5, 100000),
		"time-only":  shot(be).rat(dirGPS, tagGPSTime, 8, 1, 15, 1, 0, 1),
		"time-twice": shot(be).rat(dirGPS, tagGPSTime, 0, 1, 0, 1, 1, 1),
		"nul-date":   stamp(shot(be), "2023\x0007\x0001", 18, 0, 0),
		"rollover":   stamp(shot(be), "2003:11:15", 12, 0, 0),
		"below":      at(shot(le), "N", 31, "E", 35).raw(dirGPS, tagAltRef, typeByte, 1, []byte{1}).raw(dirGPS, tagAlt, 10, 1, le.AppendUint32(le.AppendUint32(nil, 0xffffffff-429), 1)),
		"absurd":     at(shot(le), "N", 31, "E", 35).rat(dirGPS, tagAlt, 4294967, 1).rat(dirGPS, tagAccuracy, 6553500, 1),
		"digitized":  newBlock(le).ascii(dirExif, tagDigitized, "2023:07:01 14:00:00").ascii(dirMain, tagModified, "2024:07:01 14:00:00"),
		"modified":   newBlock(le).ascii(dirExif, tagOriginal, "0000:01:01 00:00:00").ascii(dirMain, tagModified, "2024:07:01 14:00:00"),
	}
	out := make(map[string][]byte)
	for name, b := range blocks {
		out[name+".jpg"] = jpegFile(exifSegment(b.bytes()))
	}
	for name, attrs := range map[string]string{
		"google":     `GCamera:BurstID="` + strings.ToLower(burst) + `" GCamera:BurstPrimary="1" GCamera:MotionPhoto="1"`,
		"microvideo": `GCamera:MicroVideo="1" GCamera:MotionPhoto="0" GCamera:MicroVideoOffset="4096"`,
		"still":      `GCamera:MotionPhoto="0"`,
		"aux":        `aux:SerialNumber="123" exif:DateTimeOriginal="2023-07-01T14:00:00"`,
		"other-aux":  `tiff:Make="Other" tiff:Model="Camera" aux:SerialNumber="123"`,
		"exifex":     `tiff:Make="Kith" tiff:Model="Camera One" exifEX:BodySerialNumber="456"`,
		"xmp-gps": `exif:DateTimeOriginal="2023-07-01T14:00:00" exif:GPSTimeStamp="2023-07-01T11:00:01.5Z" exif:GPSLatitude="60,27.5N" exif:GPSLongitude="22,16,12E"
 exif:GPSStatus="V" exif:GPSMapDatum="ED50" exif:GPSHPositioningError="65/10"`,
	} {
		out[name+".jpg"] = jpegFile(exifSegment(shot(be).bytes()), xmpSegment(camera(attrs)))
		out[name+"-only.jpg"] = jpegFile(xmpSegment(camera(attrs)))
	}
	return out
}

// TestFacts: the committed files are those that the writers build, and what is
// read from them is what exiftool reads.
func TestFacts(t *testing.T) {
	dir := filepath.Join("testdata", "facts")
	files := factFiles()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if *writeSeeds {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, files[name], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s is not what the writers build (%v): run go test -run TestFacts -write-seeds and go generate", path, err)
		}
	}
	if n := len(goldens(t, "testdata/facts.json")); n != len(files) {
		t.Errorf("goldens of %d files, want %d", n, len(files))
	}
	compareGoldens(t, dir, "testdata/facts.json", factDifferences)
}

func saidFacts(m Meta, out map[string]string) {
	put := func(field, value string) {
		if value != "" {
			out[field] = value
		}
	}
	put("from", string(m.TakenFrom))
	put("serial", m.Camera.Serial)
	put("burst", m.Burst)
	put("video", m.Video)
	if !m.Fix.IsZero() {
		out["fix"] = m.Fix.Format("2006:01:02 15:04:05.000")
	}
	if m.GPS == nil {
		return
	}
	put("datum", m.GPS.Datum)
	if m.GPS.Accuracy > 0 {
		out["accuracy"] = fmt.Sprintf("%.3f", m.GPS.Accuracy)
	}
	if m.GPS.Stale {
		out["stale"] = "V"
	}
}

// fix is the moment of the GPS time stamp.
func (g golden) fix() (time.Time, bool) {
	for _, text := range []string{g.Tags["GPS:GPSDateStamp"] + " " + g.Tags["GPS:GPSTimeStamp"], g.Tags["XMP-exif:GPSDateTime"]} {
		at, err := time.Parse("2006:01:02 15:04:05", strings.TrimSuffix(text, "Z"))
		if err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (g golden) expectFacts(out map[string]string) {
	if at, ok := g.fix(); ok {
		out["fix"] = at.Format("2006:01:02 15:04:05.000")
	}
	tag := func(key string) string { return strings.TrimSpace(g.Tags[key]) }
	serial := tag("ExifIFD:SerialNumber")
	ours := tag("IFD0:Make") + tag("IFD0:Model")
	theirs := tag("XMP-tiff:Make") + tag("XMP-tiff:Model")
	for _, key := range []string{"XMP-aux:SerialNumber", "XMP-exifEX:SerialNumber"} {
		if serial == "" && (ours == "" || theirs == "" || ours == theirs) {
			serial = tag(key)
		}
	}
	if serial != "" {
		out["serial"] = serial
	}
	for _, key := range []string{"XMP-GCamera:BurstID", "Apple:BurstUUID"} {
		if id := tag(key); id != "" {
			out["burst"] = id
		}
	}
	for _, key := range []string{"XMP-GCamera:MotionPhoto", "XMP-GCamera:MicroVideo"} {
		if tag(key) == "1" {
			out["video"] = "inside"
		}
	}
	for _, key := range []string{"Apple:ContentIdentifier", "Apple:MediaGroupUUID"} {
		if id := tag(key); id != "" {
			out["video"] = id
		}
	}
	if out["position"] == "" {
		return
	}
	for _, group := range []string{"XMP-exif", "GPS"} {
		if v, err := strconv.ParseFloat(tag(group+":GPSHPositioningError"), 64); err == nil {
			out["accuracy"] = fmt.Sprintf("%.3f", v)
		}
		if tag(group+":GPSStatus") == "V" {
			out["stale"] = "V"
		}
		if d := tag(group + ":GPSMapDatum"); d != "" && !strings.HasPrefix(d, "WGS") {
			out["datum"] = d
		}
	}
}
