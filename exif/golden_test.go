package exif

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:generate go run testdata/golden.go ../../shared/albums/exif testdata/exiftool.json
//go:generate go run testdata/golden.go testdata/facts testdata/facts.json

// differences lists, by path and field, where kith and exiftool part, and why
// kith is not changed. Each must still differ.
var differences = map[[2]string]string{
	{nullIsland, "position"}: "0 N 0 E is what a device without a fix writes",
	{nullIsland, "altitude"}: "there is no altitude without a position",
	{commas, "position"}: "text with decimal commas, 52,00000,50,00000,34,01180: exiftool takes " +
		"the first three numbers for degrees, minutes and seconds, which is 92 km off",
	{commas, "altitude"}: "there is no altitude without a position",
	{fractions, "position"}: "XMP with EXIF's fractions, 55/1 54/1 4074/100: exiftool takes the " +
		"denominators for minutes and the minutes for seconds, which is 98 km off",
}

const (
	nullIsland = "bep_imagemeta/images/goexif/2011-05-07-13-02-49-sep-2011-05-07-13-02-49a.jpg"
	commas     = "bep_imagemeta/images/goexif/geodegrees_as_string.jpg"
	fractions  = "bep_imagemeta/images/metadata-extractor/issue-590.png"
)

// golden is what exiftool said of one file; see testdata/golden.go.
type golden struct {
	Path, SHA256, Type string
	Closed             bool
	Tags               map[string]string
}

// albums is the folder of photos that the goldens were made from. It is not
// part of the project: KITH_ALBUMS or a folder beside the checkout has it.
func albums(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "albums")
	if env := os.Getenv("KITH_ALBUMS"); env != "" {
		dir = env
	}
	dir = filepath.Join(dir, "exif")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no photos to compare with exiftool: %v (set KITH_ALBUMS)", err)
	}
	return dir
}

func goldens(t *testing.T, path string) []golden {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Files []golden }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Files) == 0 {
		t.Fatal("no goldens")
	}
	return all.Files
}

// TestGolden compares every file with what exiftool reads from the same tags.
func TestGolden(t *testing.T) {
	compareGoldens(t, albums(t), "testdata/exiftool.json", differences)
}

func compareGoldens(t *testing.T, dir, answers string, differences map[[2]string]string) {
	t.Helper()
	compared, met := map[string]int{}, 0
	for _, g := range goldens(t, answers) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(g.Path)))
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(data)); !strings.HasPrefix(sum, g.SHA256) {
			t.Errorf("%s is another file than when the goldens were made", g.Path)
			continue
		}
		m, err := Decode(data)
		checkMeta(t, m, err)
		got, want := said(m), g.expect()
		for _, field := range []string{"orientation", "time", "from", "offset", "fix", "position", "altitude",
			"accuracy", "datum", "stale", "camera", "serial", "burst", "video"} {
			if want[field] != "" {
				compared[field]++
			}
			_, listed := differences[[2]string{g.Path, field}]
			if listed {
				met++
			}
			switch same := want[field] == got[field]; {
			case listed && same:
				t.Errorf("%s: %s no longer differs; take it off the list", g.Path, field)
			case !listed && !same:
				t.Errorf("%s: %s is %q, exiftool has %q (%v)", g.Path, field, got[field], want[field], err)
			}
		}
	}
	if met != len(differences) {
		t.Errorf("%d of %d listed differences are in the goldens", met, len(differences))
	}
	t.Logf("values compared: %v", compared)
}

// said writes a Meta as expect writes what exiftool has, so that the two
// compare as text; unknown values are empty.
func said(m Meta) map[string]string {
	out := map[string]string{"camera": strings.TrimSpace(m.Camera.Make + "|" + m.Camera.Model)}
	if out["camera"] == "|" {
		out["camera"] = ""
	}
	if m.Orientation != 0 {
		out["orientation"] = strconv.Itoa(m.Orientation)
	}
	if !m.Taken.IsZero() {
		out["time"] = m.Taken.Wall.Format("2006:01:02 15:04:05.000")
		if m.Taken.Zone != ZoneNone {
			out["offset"] = fmt.Sprintf("%v %s", m.Taken.Offset, m.Taken.Zone)
		}
	}
	if m.GPS != nil {
		out["position"] = fmt.Sprintf("%.9f %.9f", m.GPS.Lat, m.GPS.Lon)
		if m.GPS.Alt != nil {
			out["altitude"] = fmt.Sprintf("%.3f", *m.GPS.Alt)
		}
	}
	saidFacts(m, out)
	return out
}

// exiftoolTime is how exiftool prints times of EXIF and XMP alike.
var exiftoolTime = regexp.MustCompile(`^(\d{4}:\d\d:\d\d \d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d+:\d\d)?$`)

// expect applies the order of sources that Decode documents to exiftool's
// values. It shares no code with Decode.
func (g golden) expect() map[string]string {
	out := map[string]string{}
	first := func(keys ...string) string {
		for _, k := range keys {
			if v := strings.TrimSpace(g.Tags[k]); v != "" {
				return v
			}
		}
		return ""
	}
	if o := first("IFD0:Orientation", "XMP-tiff:Orientation"); o != "0" {
		out["orientation"] = o
	}
	for _, group := range []string{"IFD0", "XMP-tiff"} {
		if c := first(group+":Make") + "|" + first(group+":Model"); c != "|" && out["camera"] == "" {
			out["camera"] = c
		}
	}
	g.expectTime(out)
	g.expectGPS(out)
	g.expectFacts(out)
	return out
}

func (g golden) expectTime(out map[string]string) {
	parse := func(key string) (time.Time, string, bool) {
		part := exiftoolTime.FindStringSubmatch(g.Tags[key])
		if part == nil {
			return time.Time{}, "", false
		}
		layout := "2006:01:02 15:04:05"[:len(part[1])]
		wall, err := time.Parse(layout, part[1])
		if err != nil {
			return time.Time{}, "", false
		}
		ms, _ := strconv.Atoi((part[2] + "000")[:3])
		return wall.Add(time.Duration(ms) * time.Millisecond), part[3], true
	}
	type candidate struct{ key, subSec, offset string }
	sources := map[string]string{"DateTimeOriginal": "original", "CreateDate": "digitized", "ModifyDate": "modified"}
	var wall time.Time
	for _, c := range []candidate{
		{"ExifIFD:DateTimeOriginal", "ExifIFD:SubSecTimeOriginal", "ExifIFD:OffsetTimeOriginal"},
		{"IFD0:DateTimeOriginal", "ExifIFD:SubSecTimeOriginal", "ExifIFD:OffsetTimeOriginal"},
		{"ExifIFD:CreateDate", "ExifIFD:SubSecTimeDigitized", "ExifIFD:OffsetTimeDigitized"},
		{"XMP-exif:DateTimeOriginal", "", ""}, {"XMP-photoshop:DateCreated", "", ""},
		{"XMP-exif:DateTimeDigitized", "", ""}, {"XMP-xmp:CreateDate", "", ""},
		{"IFD0:ModifyDate", "ExifIFD:SubSecTime", "ExifIFD:OffsetTime"},
	} {
		at, zone, ok := parse(c.key)
		if !ok {
			continue
		}
		wall = at
		group, name, _ := strings.Cut(c.key, ":")
		if out["from"] = sources[name]; strings.HasPrefix(group, "XMP") {
			out["from"] = "xmp"
		}
		if digits := strings.TrimSpace(g.Tags[c.subSec]); digits != "" {
			ms, _ := strconv.Atoi((digits + "000")[:3])
			wall = wall.Truncate(time.Second).Add(time.Duration(ms) * time.Millisecond)
		}
		out["time"] = wall.Format("2006:01:02 15:04:05.000")
		if c.offset != "" && g.Tags[c.offset] != "" {
			zone = g.Tags[c.offset]
		}
		if zone == "" && c.key != "IFD0:ModifyDate" && !strings.HasPrefix(c.key, "XMP") {
			digitized, _, hasDigitized := parse("ExifIFD:CreateDate")
			modified, _, hasModified := parse("IFD0:ModifyDate")
			switch {
			case hasDigitized && digitized.Sub(wall).Abs() < time.Minute && g.Tags["ExifIFD:OffsetTimeDigitized"] != "":
				zone = g.Tags["ExifIFD:OffsetTimeDigitized"]
			case !hasModified || modified.Sub(wall).Abs() < time.Minute:
				zone = g.Tags["ExifIFD:OffsetTime"]
			}
			if zone == "" {
				out["offset"] = g.gpsZone(wall)
			}
		}
		if out["from"] == "xmp" && zone == "" {
			out["offset"] = g.gpsZone(wall)
		}
		if d, ok := clockZone(zone); ok {
			out["offset"] = fmt.Sprintf("%v offset", d)
		}
		return
	}
}

// clockZone reads "+02:00" by way of the time package.
func clockZone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) == 5 { // "+1:00"
		s = s[:1] + "0" + s[1:]
	}
	at, err := time.Parse("-07:00", s)
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second, err == nil
}

// gpsZone tries every zone, and with no date every day, where Decode rounds.
func (g golden) gpsZone(wall time.Time) string {
	date, clock := g.Tags["GPS:GPSDateStamp"], g.Tags["GPS:GPSTimeStamp"]
	dates := []string{date}
	if at, ok := g.fix(); ok {
		dates, clock = []string{at.Format("2006:01:02")}, at.Format("15:04:05.999")
	} else if strings.Trim(date, "0: ") == "" && strings.Trim(clock, "0:") != "" && g.Tags["GPS:GPSStatus"] != "V" {
		dates = nil
		for day := -1; day <= 1; day++ {
			dates = append(dates, wall.AddDate(0, 0, day).Format("2006:01:02"))
		}
	}
	var found []string
	for _, date := range dates {
		utc, err := time.Parse("2006:01:02 15:04:05", date+" "+clock)
		if err != nil {
			continue
		}
		for quarter := -12 * 4; quarter <= 14*4; quarter++ {
			zone := time.Duration(quarter) * 15 * time.Minute
			inUse := quarter%2 == 0 || quarter == 23 || quarter == 35 || quarter == 51 || quarter == 55
			if inUse && wall.Sub(utc.Add(zone)).Abs() <= 2*time.Minute {
				found = append(found, fmt.Sprintf("%v gps", zone))
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

func (g golden) expectGPS(out map[string]string) {
	number := func(key string) float64 {
		v, err := strconv.ParseFloat(g.Tags[key], 64)
		if err != nil {
			return math.NaN()
		}
		return v
	}
	lat, lon := number("GPS:GPSLatitude"), number("GPS:GPSLongitude")
	alt, below := number("GPS:GPSAltitude"), g.Tags["GPS:GPSAltitudeRef"] == "1"
	if math.IsNaN(lat) || math.IsNaN(lon) {
		lat, lon = number("XMP-exif:GPSLatitude"), number("XMP-exif:GPSLongitude") // with their signs
		alt, below = number("XMP-exif:GPSAltitude"), g.Tags["XMP-exif:GPSAltitudeRef"] == "1"
	} else {
		// As exiftool's composite position has it: the first letter counts.
		if strings.HasPrefix(strings.ToUpper(g.Tags["GPS:GPSLatitudeRef"]), "S") {
			lat = -lat
		}
		if strings.HasPrefix(strings.ToUpper(g.Tags["GPS:GPSLongitudeRef"]), "W") {
			lon = -lon
		}
	}
	if math.IsNaN(lat) || math.IsNaN(lon) {
		return
	}
	out["position"] = fmt.Sprintf("%.9f %.9f", lat, lon)
	if below {
		alt = -math.Abs(alt) // likewise
	}
	if !math.IsNaN(alt) {
		out["altitude"] = fmt.Sprintf("%.3f", alt)
	}
}

// TestAlbumCorpora decodes what the album's fuzz corpora hold, each of which
// once broke some other reader.
func TestAlbumCorpora(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(albums(t), "bep_imagemeta", "fuzz", "*", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpora: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			quoted, ok := strings.CutPrefix(strings.TrimSpace(string(line)), "[]byte(")
			if !ok {
				continue
			}
			data, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			m, err := Decode([]byte(data))
			checkMeta(t, m, err)
		}
	}
}
