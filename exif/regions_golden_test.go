package exif

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:generate go run testdata/golden_regions.go testdata/regions testdata/regions.json

// With -write-sidecars, TestSidecarGolden writes the sidecars, and what exiftool
// reads from them.
var writeSidecars = flag.Bool("write-sidecars", false, "write testdata/sidecars and testdata/sidecars.json")

// exiftoolXMP is what exiftool reads; see testdata/golden_regions.go.
type exiftoolXMP struct {
	Orientation  int
	RegionInfo   exiftoolRegions
	RegionInfoMP struct {
		Regions []struct{ PersonDisplayName, Rectangle string }
	}
}

type exiftoolRegions struct {
	AppliedToDimensions struct{ W, H float64 }
	RegionList          []struct {
		Area struct {
			X, Y, W, H, D number
			Unit          string
		}
		Name, Type string
	}
}

// number is a number that exiftool prints as a text where it is no number of
// JSON, such as ".5".
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*n = number(v)
	return err
}

// areas is the list that ParseRegions should read: MWG's, or else Microsoft's.
func (e exiftoolXMP) areas(t *testing.T) []Area {
	var out []Area
	for _, r := range e.RegionInfo.RegionList {
		out = append(out, Area{r.Name, r.Type, float64(r.Area.X), float64(r.Area.Y), float64(r.Area.W), float64(r.Area.H), float64(r.Area.D)})
	}
	if len(out) > 0 {
		return out
	}
	for _, r := range e.RegionInfoMP.Regions {
		var x, y, w, h float64
		if r.Rectangle == "" {
			continue
		}
		if _, err := fmt.Sscanf(strings.ReplaceAll(r.Rectangle, ",", " "), "%g %g %g %g", &x, &y, &w, &h); err != nil {
			t.Fatalf("%q: %v", r.Rectangle, err)
		}
		if w > 0 {
			out = append(out, Area{r.PersonDisplayName, "Face", x + w/2, y + h/2, w, h, 0})
		}
	}
	return out
}

func sameAreas(a, b []Area) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		p, q := a[i], b[i]
		if p.Name != q.Name || p.Type != q.Type || !near(1e-12, p.X, q.X, p.Y, q.Y, p.W, q.W, p.H, q.H, p.D, q.D) {
			return false
		}
	}
	return true
}

// near compares numbers by pairs.
func near(tolerance float64, pairs ...float64) bool {
	for i := 0; i < len(pairs); i += 2 {
		if !(math.Abs(pairs[i]-pairs[i+1]) <= tolerance) {
			return false
		}
	}
	return true
}

// TestRegionsGolden compares what is read from files that exiftool wrote, and
// from others, with what exiftool reads; and the first region, upright, with the
// block in the upright picture that it was counted from.
func TestRegionsGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/regions.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Files []struct {
			File   string
			XMP    exiftoolXMP
			Turned *exiftoolRegions
		}
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	compared, turned := 0, 0
	for _, g := range all.Files {
		data, err := os.ReadFile(filepath.Join("testdata", "regions", g.File))
		if err != nil {
			t.Error(err)
			continue
		}
		var r Regions
		if filepath.Ext(g.File) == ".xmp" {
			r, err = ParseRegions(data)
			if r.Orientation != g.XMP.Orientation {
				t.Errorf("%s: orientation %d, exiftool has %d", g.File, r.Orientation, g.XMP.Orientation)
			}
		} else {
			r, err = ReadRegions(data)
		}
		if err != nil {
			t.Errorf("%s: %v", g.File, err)
		}
		if want := g.XMP.areas(t); !sameAreas(r.Areas, want) || len(want) == 0 {
			t.Errorf("%s: %+v, exiftool has %+v", g.File, r.Areas, want)
		}
		if dim := g.XMP.RegionInfo.AppliedToDimensions; r.Width != dim.W || r.Height != dim.H {
			t.Errorf("%s: drawn on %v x %v, exiftool has %v", g.File, r.Width, r.Height, dim)
		}
		compared += len(r.Areas)
		if !strings.HasPrefix(g.File, "orientation-") {
			continue
		}
		w, h := int(r.Width), int(r.Height)
		if filepath.Ext(g.File) != ".xmp" { // else the picture itself says
			config, _, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			w, h = config.Width, config.Height
		}
		if !r.Fits(g.XMP.Orientation, w, h) {
			t.Errorf("%s: does not fit", g.File)
		}
		up := r.Upright(g.XMP.Orientation, w, h)
		if len(up) != 3 {
			t.Fatalf("%s: %d regions", g.File, len(up))
		}
		// The block of testdata/golden_regions.go, of 12 x 9 pixels at 30, 4 of 48 x 32.
		if p := up[0]; !near(1e-6, p.X, 30./48, p.Y, 4./32, p.W, 12./48, p.H, 9./32) {
			t.Errorf("%s: block at %+v", g.File, p)
		}
		if p := up[2]; !near(1e-6, p.W*48, 4, p.H*32, 4) { // an eighth of the smaller side
			t.Errorf("%s: circle of %v x %v pixels", g.File, p.W*48, p.H*32)
		}
		if g.Turned != nil {
			turned++
			for i, want := range exiftoolAreas(*g.Turned)[:2] {
				if p := up[i]; !near(1e-6, p.X+p.W/2, want.X, p.Y+p.H/2, want.Y, p.W, want.W, p.H, want.H) {
					t.Errorf("%s: region %d at %+v, exiftool turns it to %+v", g.File, i, p, want)
				}
			}
		}
	}
	if compared < 80 || turned != 6 {
		t.Errorf("only %d regions and %d turned files compared", compared, turned)
	}
	t.Logf("%d regions of %d files compared, of %d also exiftool's own turn", compared, len(all.Files), turned)
}

func exiftoolAreas(r exiftoolRegions) []Area { return exiftoolXMP{RegionInfo: r}.areas(nil) }

// goldenSidecars are the sidecars in testdata/sidecars by name.
func goldenSidecars() map[string]Sidecar {
	out := make(map[string]Sidecar)
	for o := range 9 {
		s := Sidecar{Width: 6000, Height: 4000, Orientation: o, Regions: []Region{
			{"Anna", "Face", 0.125, 0.25, 0.0625, 0.1}, {"Zoë O'Brien", "Face", 0.7, 0.1, 0.2, 0.3}, {"", "Face", 0, 0, 0.1, 0.1}}}
		if o >= 5 {
			s.Width, s.Height = s.Height, s.Width
		}
		out["orientation-"+strconv.Itoa(o)] = s
	}
	alt := -12.3456
	out["full"] = Sidecar{Width: 30000, Height: 20000, Orientation: 1, Regions: []Region{
		{"山田 太郎", "Face", 1. / 3, 1. / 7, 1. / 30000, 1. / 20000},
		{`<b>&amp; "quoted" ]]>` + "\n\u0001line\ttab\xff", "Face", 0.9, -0.1, 0.5, 0.3},
		{"Rex", "Pet", 0.1, 0.2, 0.3, 0.4}, {"Anna", "", 0.5, 0.5, 0.1, 0.1}, {"Anna", "Face", 0.5, 0.5, 0.1, 0.1}},
		Taken: &Time{Wall: time.Date(2024, 2, 29, 23, 59, 58, 125e6, time.UTC), Offset: -(3*time.Hour + 30*time.Minute), Zone: ZoneOffset},
		GPS:   &GPS{Lat: -33.8567844, Lon: 151.9999999999, Alt: &alt, Accuracy: 4.75, Datum: "NAD27", Stale: true}}
	out["bare"] = Sidecar{Taken: &Time{Wall: time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC), Zone: ZoneNone}}
	return out
}

// TestSidecarGolden: the committed sidecars are those that XMP writes, and where
// exiftool is installed it still reads from them what was committed.
func TestSidecarGolden(t *testing.T) {
	dir := filepath.Join("testdata", "sidecars")
	for name, s := range goldenSidecars() {
		got, err := s.XMP()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".xmp")
		if *writeSidecars {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what XMP writes (%v): run go test -run TestSidecarGolden -write-sidecars", path, err)
		}
	}
	answers := filepath.Join("testdata", "sidecars.json")
	t.Run("exiftool", func(t *testing.T) {
		if _, err := exec.LookPath("exiftool"); err != nil {
			t.Skipf("exiftool does not read the sidecars again: %v", err)
		}
		cmd := exec.CommandContext(t.Context(), "exiftool", "-json", "-struct", "-n", "-G1", "-Warning", "-Error", "-XMP:all", dir)
		var problems bytes.Buffer
		cmd.Stderr = &problems // it counts the files there
		got, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, problems.Bytes())
		}
		if *writeSidecars {
			if err := os.WriteFile(answers, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(answers)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := sortedAnswers(t, got), sortedAnswers(t, want); a != b {
			t.Errorf("exiftool reads\n%s\nwant\n%s", a, b)
		}
	})
	compareSidecars(t, answers)
}

// sortedAnswers makes the answers independent of the order of the files.
func sortedAnswers(t *testing.T, text []byte) string {
	t.Helper()
	var all []map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	byFile := make(map[string]any)
	for _, a := range all {
		byFile[fmt.Sprint(a["SourceFile"])] = a
	}
	out, err := json.MarshalIndent(byFile, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// compareSidecars compares exiftool's answers with what was written.
func compareSidecars(t *testing.T, answers string) {
	t.Helper()
	text, err := os.ReadFile(answers)
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		SourceFile  string
		Warning     string          `json:"ExifTool:Warning"`
		Toolkit     string          `json:"XMP-x:XMPToolkit"`
		Orientation int             `json:"XMP-tiff:Orientation"`
		Info        exiftoolRegions `json:"XMP-mwg-rs:RegionInfo"`
		People      []string        `json:"XMP-iptcExt:PersonInImage"`
		Subject     []string        `json:"XMP-dc:Subject"`
		Taken       string          `json:"XMP-exif:DateTimeOriginal"`
		Lat         float64         `json:"XMP-exif:GPSLatitude"`
		Lon         float64         `json:"XMP-exif:GPSLongitude"`
		Alt         float64         `json:"XMP-exif:GPSAltitude"` // without its sign
		Below       int             `json:"XMP-exif:GPSAltitudeRef"`
		Accuracy    float64         `json:"XMP-exif:GPSHPositioningError"`
		Datum       string          `json:"XMP-exif:GPSMapDatum"`
		Status      string          `json:"XMP-exif:GPSStatus"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	sidecars := goldenSidecars()
	if len(all) != len(sidecars) {
		t.Errorf("%d answers for %d sidecars", len(all), len(sidecars))
	}
	for _, a := range all {
		s := sidecars[strings.TrimSuffix(filepath.Base(a.SourceFile), ".xmp")]
		areas := exiftoolAreas(a.Info)
		if a.Warning != "" || a.Toolkit != "kith" || a.Orientation != s.Orientation || len(areas) != len(s.Regions) ||
			len(areas) > 0 && (a.Info.AppliedToDimensions.W != float64(s.Width) || a.Info.AppliedToDimensions.H != float64(s.Height)) {
			t.Errorf("%s: %+v", a.SourceFile, a)
			continue
		}
		if strings.Contains(a.SourceFile, "orientation-") && (fmt.Sprint(a.People) != "[Anna Zoë O'Brien]" || fmt.Sprint(a.Subject) != fmt.Sprint(a.People)) {
			t.Errorf("%s: people %q, subject %q", a.SourceFile, a.People, a.Subject)
		}
		if !strings.HasSuffix(a.SourceFile, "full.xmp") {
			continue
		}
		const odd = `<b>&amp; "quoted" ]]> line tab` + "\uFFFD"
		if want := []string{odd, "Anna", "山田 太郎"}; fmt.Sprint(a.People) != fmt.Sprint(want) {
			t.Errorf("people %q, want %q", a.People, want)
		}
		if want := []string{odd, "Anna", "Rex", "山田 太郎"}; fmt.Sprint(a.Subject) != fmt.Sprint(want) {
			t.Errorf("subject %q, want %q", a.Subject, want)
		}
		if a.Taken != "2024:02:29 23:59:58.125-03:30" || !near(1e-8, a.Lat, s.GPS.Lat, a.Lon, s.GPS.Lon) || !near(5e-4, -a.Alt, *s.GPS.Alt) || a.Below != 1 {
			t.Errorf("time %q, position %v, %v, altitude %v", a.Taken, a.Lat, a.Lon, a.Alt)
		}
		if a.Accuracy != s.GPS.Accuracy || a.Datum != s.GPS.Datum || a.Status != "V" {
			t.Errorf("accuracy %v, datum %q, status %q", a.Accuracy, a.Datum, a.Status)
		}
		first := areas[0] // a pixel of 30,000 x 20,000, to a tenth and better
		if !near(0.001, first.X*30000, 10000.5, first.Y*20000, 20000./7+0.5, first.W*30000, 1, first.H*20000, 1) {
			t.Errorf("a pixel became %+v", first)
		}
	}
}
