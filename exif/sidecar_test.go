package exif

import (
	"image"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// storedPicture draws an upright picture with a block in it as a camera stores
// it that was turned so: pixel by pixel from the definition of the tag (CIPA
// DC-008, 0x0112), which says what side of the upright picture the first row and
// the first column are, and not by turning areas.
func storedPicture(width, height int, block image.Rectangle, orientation int) *image.Gray {
	sides := [9][2]string{{}, {"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"},
		{"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"}}[orientation]
	w, h := width, height
	if orientation >= 5 {
		w, h = h, w
	}
	img := image.NewGray(image.Rect(0, 0, w, h))
	for row := range h {
		for column := range w {
			var at image.Point // in the upright picture
			for i, n := range []int{row, column} {
				switch sides[i] {
				case "top":
					at.Y = n
				case "bottom":
					at.Y = height - 1 - n
				case "left":
					at.X = n
				case "right":
					at.X = width - 1 - n
				}
			}
			if at.In(block) {
				img.Pix[img.PixOffset(column, row)] = 255
			}
		}
	}
	return img
}

// bright is the rectangle around the bright pixels.
func bright(img *image.Gray) image.Rectangle {
	var out image.Rectangle
	b := img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			if img.GrayAt(x, y).Y > 128 {
				out = out.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return out
}

// TestSidecarPixels: the area in the sidecar covers the block in the stored
// picture, to a hundredth of a pixel.
func TestSidecarPixels(t *testing.T) {
	const width, height = 48, 32
	block := image.Rect(30, 4, 42, 13)
	for o := 1; o <= 8; o++ {
		img := storedPicture(width, height, block, o)
		w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
		s := Sidecar{Width: img.Rect.Dx(), Height: img.Rect.Dy(), Orientation: o,
			Regions: []Region{{"Anna", "Face", 30. / width, 4. / height, 12. / width, 9. / height}}}
		packet, err := s.XMP()
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRegions(packet)
		if err != nil || len(r.Areas) != 1 || r.Width != w || r.Height != h || r.Orientation != o {
			t.Fatalf("orientation %d: %+v, %v", o, r, err)
		}
		a, b := r.Areas[0], bright(img)
		if !near(0.01, (a.X-a.W/2)*w, float64(b.Min.X), (a.Y-a.H/2)*h, float64(b.Min.Y), a.W*w, float64(b.Dx()), a.H*h, float64(b.Dy())) {
			t.Errorf("orientation %d: area %+v, block %v", o, a, b)
		}
	}
}

// TestSidecarZones: a zone that is only assumed is not written, for it would be
// read as the camera's own.
func TestSidecarZones(t *testing.T) {
	taken := Time{Wall: time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC), Offset: 2 * time.Hour}
	for zone, want := range map[ZoneSource]string{
		ZoneNone: "", ZoneSeries: "", ZoneDefault: "", ZoneUTC: "Z",
		ZoneOffset: "+02:00", ZoneGPS: "+02:00", ZonePosition: "+02:00", ZoneSaid: "+02:00",
	} {
		taken.Zone = zone
		packet, err := Sidecar{Taken: &taken}.XMP()
		if err != nil || !strings.Contains(string(packet), "<exif:DateTimeOriginal>2024-02-29T23:59:58"+want+"<") {
			t.Errorf("%s: %v, %s", zone, err, packet)
		}
		m, err := Decode(jpegFile(xmpSegment(string(packet))))
		at, ok := taken.Instant()
		if got, known := m.Taken.Instant(); err != nil || known != (want != "") || known && (!ok || !got.Equal(at)) {
			t.Errorf("%s: read again as %+v, %v", zone, m.Taken, err)
		}
	}
}

// TestSidecarRoundTrip: what was written is read back, for any orientation,
// regions, names, times and positions.
func TestSidecarRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Sidecar{
			Width: rapid.IntRange(1, 60000).Draw(t, "width"), Height: rapid.IntRange(1, 60000).Draw(t, "height"),
			Orientation: rapid.IntRange(0, 8).Draw(t, "orientation"),
		}
		for range rapid.IntRange(0, 5).Draw(t, "regions") {
			r := Region{
				Name: cleanLabel(rapid.StringN(0, 40, 200).Draw(t, "name")),
				Type: rapid.SampledFrom([]string{"Face", "Pet", ""}).Draw(t, "type"),
				W:    rapid.Float64Range(1e-6, 1).Draw(t, "w"), H: rapid.Float64Range(1e-6, 1).Draw(t, "h"),
			}
			r.X, r.Y = rapid.Float64Range(0, 1-r.W).Draw(t, "x"), rapid.Float64Range(0, 1-r.H).Draw(t, "y")
			s.Regions = append(s.Regions, r)
		}
		wall := time.Unix(rapid.Int64Range(-5e9, 30e9).Draw(t, "time"), rapid.Int64Range(0, 999).Draw(t, "ms")*1e6).UTC()
		s.Taken = &Time{Wall: wall, Zone: ZoneNone}
		if rapid.Bool().Draw(t, "zoned") {
			s.Taken.Zone, s.Taken.Offset = ZoneOffset, time.Duration(rapid.IntRange(-12*4, 14*4).Draw(t, "zone"))*15*time.Minute
		}
		alt := float64(rapid.IntRange(-9_000_000, 9_000_000).Draw(t, "mm")) / 1000
		s.GPS = &GPS{Lat: rapid.Float64Range(-90, 90).Draw(t, "lat"), Lon: rapid.Float64Range(0.001, 180).Draw(t, "lon"), Alt: &alt,
			Accuracy: float64(rapid.IntRange(0, maxAccuracy*1000).Draw(t, "accuracy")) / 1000,
			Datum:    rapid.SampledFrom([]string{"", "NAD27", "a & b"}).Draw(t, "datum"), Stale: rapid.Bool().Draw(t, "stale")}

		packet, err := s.XMP()
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(packet) {
			t.Error("not UTF-8")
		}
		r, err := ParseRegions(packet)
		if err != nil {
			t.Fatalf("%v in %s", err, packet)
		}
		got := r.Upright(s.Orientation, s.Width, s.Height)
		if len(got) != len(s.Regions) {
			t.Fatalf("%d of %d regions: %s", len(got), len(s.Regions), packet)
		}
		for i, want := range s.Regions {
			g := got[i]
			if g.Name != want.Name || g.Type != want.Type || !near(2e-9, g.X, want.X, g.Y, want.Y, g.W, want.W, g.H, want.H) {
				t.Errorf("region %d: %+v, want %+v", i, g, want)
			}
		}
		fl := file{container: "xmp"}
		src := fl.readXMP(packet)
		if fl.err() != nil || src.original != *s.Taken || src.orientation != s.Orientation || src.gps == nil ||
			!near(1e-8, src.gps.Lat, s.GPS.Lat, src.gps.Lon, s.GPS.Lon) || src.gps.Alt == nil || !near(1e-9, *src.gps.Alt, alt) ||
			!near(1e-9, src.gps.Accuracy, s.GPS.Accuracy) || src.gps.Datum != s.GPS.Datum || src.gps.Stale != s.GPS.Stale {
			t.Errorf("%+v, %v in %s", src, fl.err(), packet)
		}
	})
}

// TestSidecarRefused: XMP writes nothing that is not true or that ParseRegions
// would not read back.
func TestSidecarRefused(t *testing.T) {
	nan := func() float64 { var zero float64; return zero / zero }()
	face := Region{"Anna", "Face", 0.1, 0.1, 0.1, 0.1}
	with := func(change func(*Region)) Sidecar {
		r := face
		change(&r)
		return Sidecar{Width: 10, Height: 10, Regions: []Region{r}}
	}
	alt := 1e9
	for name, s := range map[string]Sidecar{
		"orientation 9":    {Orientation: 9},
		"orientation -1":   {Orientation: -1},
		"no size":          {Regions: []Region{face}},
		"negative size":    {Width: -1},
		"too many":         {Width: 1, Height: 1, Regions: make([]Region, maxRegions+1)},
		"long name":        with(func(r *Region) { r.Name = strings.Repeat("x", maxXMPValue+1) }),
		"long type":        with(func(r *Region) { r.Type = strings.Repeat("x", maxXMPValue+1) }),
		"outside":          with(func(r *Region) { r.X = 1 }),
		"empty":            with(func(r *Region) { r.W = 0 }),
		"negative":         with(func(r *Region) { r.H = -0.1 }),
		"not a number":     with(func(r *Region) { r.Y = nan }),
		"no width":         with(func(r *Region) { r.W = nan }),
		"year 20000":       {Taken: &Time{Wall: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"zone of 20 hours": {Taken: &Time{Wall: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Offset: 20 * time.Hour, Zone: ZoneOffset}},
		"latitude 91":      {GPS: &GPS{Lat: 91}},
		"0 N 0 E":          {GPS: &GPS{}},
		"altitude":         {GPS: &GPS{Lat: 1, Alt: &alt}},
		"accuracy":         {GPS: &GPS{Lat: 1, Accuracy: -1}},
		"no accuracy":      {GPS: &GPS{Lat: 1, Accuracy: nan}},
		"datum":            {GPS: &GPS{Lat: 1, Datum: "a\nb"}},
		"large": func() Sidecar {
			s := Sidecar{Width: 1, Height: 1}
			for range maxRegions {
				s.Regions = append(s.Regions, Region{strings.Repeat("<", maxXMPValue), "Face", 0, 0, 1, 1})
			}
			return s
		}(),
	} {
		if packet, err := s.XMP(); err == nil || packet != nil || !strings.HasPrefix(err.Error(), "exif: sidecar") {
			t.Errorf("%s: %d bytes, error %v", name, len(packet), err)
		}
	}
	if packet, err := (Sidecar{}).XMP(); err != nil || strings.Contains(string(packet), "tiff:Orientation>") {
		t.Errorf("nothing to say: %s, %v", packet, err)
	}
}
