package exif

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// containers wraps an EXIF block in every way a photo file may hold it.
func containers(b []byte) map[string][]byte {
	s := string(b)
	return map[string][]byte{
		"jpeg":                    jpegFile(exifSegment(b)),
		"jpeg with fill bytes":    jpegFile([]byte{0xff, 0xff}, exifSegment(b)),
		"jpeg with stray bytes":   jpegFile([]byte{0, 0, 7}, exifSegment(b)),
		"jpeg after other APP1":   jpegFile(segment(mAPP1, "something else"), xmpSegment(packet("", "")), exifSegment(b)),
		"jpeg with two blocks":    jpegFile(exifSegment(b), exifSegment(newBlock(be).ascii(dirMain, tagMake, "second").bytes())),
		"jpeg, first block empty": jpegFile(exifSegment(newBlock(le).bytes()), exifSegment(b)),
		"png eXIf":                pngFile(chunk("eXIf", s)),
		"png eXIf after data":     pngFile(chunk("IDAT", "x"), chunk("eXIf", s)),
		"png raw profile":         pngFile(chunk("zTXt", "Raw profile type exif\x00\x00"+deflate(rawProfile("exif", []byte("Exif\x00\x00"+s))))),
		"png raw APP1, plain":     pngFile(chunk("tEXt", "Raw profile type APP1\x00"+rawProfile("APP1", b))),
		"webp":                    webpFile(riffChunk("EXIF", s)),
		"webp with prefix":        webpFile(riffChunk("ICCP", "odd"), riffChunk("EXIF", "Exif\x00\x00"+s)),
		"tiff":                    b,
		"heif":                    heifFile(0, heifItem{kind: "hvc1", data: []byte("pixels")}, heifItem{kind: "Exif", data: heifExif(b)}),
		"heif in idat":            heifFile(1, heifItem{kind: "Exif", data: heifExif(b), idat: true}),
		"heif with wide ids":      heifFile(2, heifItem{kind: "Exif", data: heifExif(b)}),
		"heif in three extents":   heifFile(1, heifItem{kind: "Exif", data: heifExif(b), parts: 3}),
		"heif without prefix":     heifFile(0, heifItem{kind: "Exif", data: append([]byte{0, 0, 0, 0}, b...)}),
		"raf":                     rafFile(jpegFile(exifSegment(b))),
		"cr3":                     cr3File(splitBlock(b), ""),
		"heif, header at once":    heifFile(0, heifItem{kind: "Exif", data: b}),
	}
}

func TestDecodeContainers(t *testing.T) {
	for _, order := range []byteOrder{le, be} {
		for o := range uint16(9) {
			for name, data := range containers(fullBlock(order, o).bytes()) {
				t.Run(fmt.Sprintf("%s/%s/%d", name, order, o), func(t *testing.T) {
					m, err := Decode(data)
					if err != nil {
						t.Fatal(err)
					}
					want := int(o)
					if strings.HasPrefix(name, "heif") {
						want = min(want, upright)
					}
					checkFull(t, m, want)
				})
			}
		}
	}
}

// checkFull compares with what fullBlock says.
func checkFull(t *testing.T, m Meta, orientation int) {
	t.Helper()
	if m.Orientation != orientation {
		t.Errorf("orientation %d, want %d", m.Orientation, orientation)
	}
	if want := (Camera{Make: "Kith", Model: "Camera One", Serial: "0451"}); m.Camera != want {
		t.Errorf("camera %+v, want %+v", m.Camera, want)
	}
	want := Time{Wall: time.Date(2023, 6, 5, 4, 3, 2, 57e6, time.UTC), Offset: -3*time.Hour - 30*time.Minute, Zone: ZoneOffset}
	if m.Taken != want || m.TakenFrom != TimeOriginal {
		t.Errorf("taken %+v from %q, want %+v", m.Taken, m.TakenFrom, want)
	}
	if want := time.Date(2023, 6, 5, 7, 33, 1, 500e6, time.UTC); !m.Fix.Equal(want) {
		t.Errorf("fix %v, want %v", m.Fix, want)
	}
	if at, ok := m.Taken.Instant(); !ok || !at.Equal(time.Date(2023, 6, 5, 7, 33, 2, 57e6, time.UTC)) {
		t.Errorf("instant %v, %v", at, ok)
	}
	if m.GPS == nil || m.GPS.Alt == nil {
		t.Fatalf("no position or altitude: %+v", m.GPS)
	}
	checkNear(t, "latitude", m.GPS.Lat, -(33 + 51/60.0 + 31.26/3600))
	checkNear(t, "longitude", m.GPS.Lon, 151+12/60.0+51/3600.0)
	checkNear(t, "altitude", *m.GPS.Alt, -12.5)
	if m.GPS.Accuracy != 4.75 || m.GPS.Datum != "" || m.GPS.Stale {
		t.Errorf("position %+v", *m.GPS)
	}
}

func checkNear(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-9) {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}

// TestDecodeMagics: raw formats that put something else in the place of 42.
func TestDecodeMagics(t *testing.T) {
	for magic, order := range map[string]byteOrder{"IIRO": le, "IIRS": le, "MMOR": be, "IIU\x00": le} {
		b := fullBlock(order, 6)
		b.magic = magic
		m, err := Decode(b.bytes())
		if err != nil {
			t.Fatalf("%q: %v", magic, err)
		}
		checkFull(t, m, 6)
	}
}

// TestDecodeNothing: files that say nothing are no error.
func TestDecodeNothing(t *testing.T) {
	for name, data := range map[string]string{
		"empty":             "",
		"text":              "package exif",
		"gif":               "GIF89a\x01\x00\x01\x00\x00\x00\x00;",
		"soi":               "\xff\xd8\xff",
		"jpeg":              string(jpegFile()),
		"png":               string(pngFile(chunk("tEXt", "Title\x00a photo"), chunk("tEXt", "no key"))),
		"webp":              string(webpFile()),
		"raf, no EXIF":      string(rafFile(jpegFile())),
		"raf, no JPEG":      string(rafFile(nil)),
		"cr3, no directory": string(cr3File([dirCount][]byte{}, "")),
		"heif, no items":    string(heifFile(0)),
		"heif, only pixels": string(heifFile(1, heifItem{kind: "hvc1", data: []byte("pixels")})),
		"heif, other mime":  string(heifFile(1, heifItem{kind: "mime", contentType: "text/plain", data: []byte("x")})),
		"mp4":               string(box("ftyp", []byte("isom\x00\x00\x00\x00"))) + string(box("moov", box("mvhd"))),
		"tiff":              string(newBlock(le).bytes()),
	} {
		if m, err := Decode([]byte(data)); err != nil || m != (Meta{}) {
			t.Errorf("%s: %+v, %v; want nothing", name, m, err)
		}
	}
}

// TestDecodeXMP: XMP alone, in every container that holds it.
func TestDecodeXMP(t *testing.T) {
	x := packet(fullXMPAttrs, "")
	files := map[string][]byte{
		"jpeg":             jpegFile(xmpSegment(x)),
		"jpeg, odd header": jpegFile(segment(mAPP1, "XMP\x00://ns.adobe.com/xap/1.0/\x00"+x)),
		"png":              pngFile(chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+x)),
		"png, deflated":    pngFile(chunk("iTXt", "XML:com.adobe.xmp\x00\x01\x00en\x00key\x00"+deflate(x))),
		"png zTXt":         pngFile(chunk("zTXt", "XML:com.adobe.xmp\x00\x00"+deflate(x))),
		"png raw profile":  pngFile(chunk("zTXt", "Raw profile type xmp\x00\x00"+deflate(rawProfile("xmp", []byte(x))))),
		"webp":             webpFile(riffChunk("XMP ", x)),
		"tiff":             newBlock(be).raw(dirMain, tagXMP, typeByte, uint32(len(x)), []byte(x)).bytes(),
		"heif":             heifFile(0, heifItem{kind: "mime", contentType: "application/rdf+xml", data: []byte(x)}),
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			m, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			want := Time{Wall: time.Date(2011, 5, 1, 12, 0, 0, 250e6, time.UTC), Offset: 2 * time.Hour, Zone: ZoneOffset}
			orientation := 6
			if name == "heif" {
				orientation = upright
			}
			if m.Taken != want || m.Orientation != orientation || m.Camera != (Camera{Make: "Kith", Model: "Camera Two"}) {
				t.Errorf("got %+v", m)
			}
			if m.GPS == nil || m.GPS.Alt == nil {
				t.Fatalf("no position or altitude: %+v", m.GPS)
			}
			checkNear(t, "latitude", m.GPS.Lat, 60+27.5/60)
			checkNear(t, "longitude", m.GPS.Lon, -(22 + 16/60.0 + 12/3600.0))
			checkNear(t, "altitude", *m.GPS.Alt, -239.8)
		})
	}
}

// TestDecodeMerge: which of the two sources speaks.
func TestDecodeMerge(t *testing.T) {
	wall := func(h int) time.Time { return time.Date(2020, 1, 1, h, 0, 0, 0, time.UTC) }
	text := func(h int) string { return wall(h).Format("2006:01:02 15:04:05") }
	attr := func(key string, h int) string { return " " + key + `="` + wall(h).Format("2006-01-02T15:04:05") + `"` }
	for _, c := range []struct {
		name string
		exif *block
		xmp  string
		want int // hour
		from TimeSource
	}{
		{"original first", newBlock(le).ascii(dirExif, tagOriginal, text(1)).ascii(dirExif, tagDigitized, text(2)), attr("exif:DateTimeOriginal", 3), 1, TimeOriginal},
		{"digitized next", newBlock(le).ascii(dirExif, tagOriginal, "0000:00:00 00:00:00").ascii(dirExif, tagDigitized, text(2)), attr("exif:DateTimeOriginal", 3), 2, TimeDigitized},
		{"XMP before the change", newBlock(le).ascii(dirMain, tagModified, text(4)), attr("exif:DateTimeOriginal", 3) + attr("photoshop:DateCreated", 5), 3, TimeXMP},
		{"photoshop", newBlock(le), attr("photoshop:DateCreated", 5) + attr("xmp:CreateDate", 6), 5, TimeXMP},
		{"bare date is none", newBlock(le), ` photoshop:DateCreated="2020-01-01"` + attr("xmp:CreateDate", 6), 6, TimeXMP},
		{"XMP digitized", newBlock(le), attr("exif:DateTimeDigitized", 7) + attr("xmp:CreateDate", 6), 7, TimeXMP},
		{"the change at last", newBlock(le).ascii(dirMain, tagModified, text(4)), "", 4, TimeModified},
		{"TIFF/EP", newBlock(le).ascii(dirMain, tagOriginal, text(8)).ascii(dirMain, tagModified, text(4)), "", 8, TimeOriginal},
	} {
		m, err := Decode(jpegFile(exifSegment(c.exif.bytes()), xmpSegment(packet(c.xmp, ""))))
		if err != nil || !m.Taken.Wall.Equal(wall(c.want)) || m.TakenFrom != c.from {
			t.Errorf("%s: %v from %q, %v; want hour %d from %q", c.name, m.Taken, m.TakenFrom, err, c.want, c.from)
		}
	}
	m, err := Decode(jpegFile(exifSegment(fullBlock(be, 3).bytes()), xmpSegment(packet(fullXMPAttrs, ""))))
	if err != nil {
		t.Fatal(err)
	}
	checkFull(t, m, 3)
}

// TestCameraFill: a number goes only to the camera that it is the number of.
func TestCameraFill(t *testing.T) {
	one, two := Camera{Make: "Kith", Model: "One"}, Camera{Make: "Kith", Model: "Two"}
	with := func(c Camera, serial string) Camera {
		c.Serial = serial
		return c
	}
	for _, c := range []struct {
		name            string
		exif, xmp, want Camera
	}{
		{"nothing", Camera{}, Camera{}, Camera{}},
		{"only EXIF", with(one, "1"), Camera{}, with(one, "1")},
		{"only XMP", Camera{}, with(one, "1"), with(one, "1")},
		{"EXIF first", with(one, "1"), with(two, "2"), with(one, "1")},
		{"the same camera", one, with(one, "1"), with(one, "1")},
		{"the same maker", one, with(two, "2"), one},
		{"a number alone", one, with(Camera{}, "1"), with(one, "1")},
		{"a name for a number", with(Camera{}, "1"), one, with(one, "1")},
		{"a name with the same number", with(Camera{}, "1"), with(one, "1"), with(one, "1")},
		{"a name of another number", with(Camera{}, "1"), with(two, "2"), with(Camera{}, "1")},
		{"no half of a name", Camera{Make: "Kith"}, with(two, "2"), Camera{Make: "Kith"}},
	} {
		b := newBlock(le)
		for _, v := range []struct {
			dir  int
			tag  uint16
			text string
		}{{dirMain, tagMake, c.exif.Make}, {dirMain, tagModel, c.exif.Model}, {dirExif, tagBodySerial, c.exif.Serial}} {
			if v.text != "" {
				b.ascii(v.dir, v.tag, v.text)
			}
		}
		for _, serial := range []string{`xmlns:a="` + nsAux + `" a:SerialNumber="`, `xmlns:a="` + nsEXIF2 + `" a:BodySerialNumber="`} {
			x := packet(serial+c.xmp.Serial+`" tiff:Make="`+c.xmp.Make+`" tiff:Model="`+c.xmp.Model+`"`, "")
			if m, err := Decode(jpegFile(exifSegment(b.bytes()), xmpSegment(x))); err != nil || m.Camera != c.want {
				t.Errorf("%s: %+v, %v; want %+v", c.name, m.Camera, err, c.want)
			}
		}
	}
}

// TestXMPBesideFullEXIF: where EXIF has all that it has tags for, XMP still
// tells of bursts, videos and numbers, and its other values change nothing.
func TestXMPBesideFullEXIF(t *testing.T) {
	full := fullBlock(le, 6)
	full.dirs[dirExif] = full.dirs[dirExif][:len(full.dirs[dirExif])-1] // the number
	x := func(attrs string) string {
		return packet(fullXMPAttrs[:strings.Index(fullXMPAttrs, "tiff:Make")]+`xmlns:c="`+nsGCamera+`" xmlns:a="`+nsAux+`" a:SerialNumber="0451" `+attrs, "")
	}
	for attrs, want := range map[string][2]string{
		`c:BurstID="b-1" c:BurstPrimary="1"`:     {"b-1", ""},
		`c:MotionPhoto="1"`:                      {"", VideoInside},
		`c:MicroVideo=" 1 " c:BurstID="b-1"`:     {"b-1", VideoInside},
		`c:MotionPhoto="0" c:BurstID="000-0"`:    {"", ""},
		`c:MotionPhoto="true" c:MicroVideo="11"`: {"", ""},
	} {
		m, err := Decode(jpegFile(exifSegment(full.bytes()), xmpSegment(x(attrs))))
		if err != nil || m.Burst != want[0] || m.Video != want[1] {
			t.Errorf("%s: %+v, %v; want %q", attrs, m, err, want)
		}
		checkFull(t, m, 6)
	}
	m, err := Decode(jpegFile(exifSegment(full.bytes()), xmpSegment(x(`c:BurstID="`+strings.Repeat("x", maxID+1)+`"`))))
	if m.Burst != "" || !errors.Is(err, errTooLarge) {
		t.Errorf("a long id: %q, %v", m.Burst, err)
	}
}

func TestErrorIsTyped(t *testing.T) {
	_, err := Decode(pngFile(chunk("eXIf", "no header"), chunk("zTXt", "XML:com.adobe.xmp\x00\x00nothing deflated")))
	var e *Error
	if !errors.As(err, &e) || e.Container != "png" || e.Part != "chunk eXIf" || !errors.Is(err, errNotTIFF) {
		t.Errorf("%#v", err)
	}
	if !strings.Contains(err.Error(), "zTXt") {
		t.Errorf("the second fault is missing in %q", err)
	}
}
