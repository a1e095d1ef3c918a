package exif

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestBoxes(t *testing.T) {
	wide := append(binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01wide"), 18), "ab"...)
	toEnd := []byte("\x00\x00\x00\x00lastcd")
	for _, c := range []struct {
		name, want, fault string
		data              []byte
	}{
		{"plain", "free= skip=xy ", "", append(box("free"), box("skip", []byte("xy"))...)},
		{"64-bit size", "wide=ab free= ", "", append(bytes.Clone(wide), box("free")...)},
		{"to the end", "free= last=cd ", "", append(box("free"), toEnd...)},
		{"a few bytes left", "free= ", "", append(box("free"), 0, 0, 1)},
		{"longer than the rest", "free= ", `box "long" of 100 bytes`, append(box("free"), "\x00\x00\x00\x64long"...)},
		{"shorter than its head", "", `box "tiny" of 7 bytes`, []byte("\x00\x00\x00\x07tiny....")},
		{"64-bit size cut", "", "cut short", []byte("\x00\x00\x00\x01wide1234")},
		{"64-bit overflow", "", "cut short", []byte("\x00\x00\x00\x01wide\xff\xff\xff\xff\xff\xff\xff\xff")},
		{"too many", strings.Repeat("free= ", maxBoxes), "more than", bytes.Repeat(box("free"), maxBoxes+1)},
	} {
		var got strings.Builder
		err := boxes(c.data, func(kind string, body []byte) bool {
			got.WriteString(kind + "=" + string(body) + " ")
			return true
		})
		if got.String() != c.want || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %.40q, %v; want %.40q, %q", c.name, got.String(), err, c.want, c.fault)
		}
	}
}

// TestHEIFItems: what an item's description and location may say.
func TestHEIFItems(t *testing.T) {
	exifInfe := box("infe", []byte("\x02\x00\x00\x00\x00\x01\x00\x00Exif\x00"))
	iinf := func(infe ...[]byte) []byte {
		return box("iinf", append([]byte{0, 0, 0, 0, 0, byte(len(infe))}, bytes.Join(infe, nil)...))
	}
	iloc := func(b string) []byte { return box("iloc", []byte(b)) }
	const entry = "\x00\x01\x00\x00\x00\x01" // item 1, no data reference, one extent
	payload := heifExif(newBlock(le).ascii(dirMain, tagMake, "K").bytes())
	for _, c := range []struct {
		name, fault string
		meta        [][]byte
		read        bool
	}{
		{"item to the end of idat", "", [][]byte{iinf(exifInfe), iloc("\x01\x00\x00\x00\x44\x00\x00\x01\x00\x01\x00\x01\x00\x00\x00\x01" + strings.Repeat("\x00", 8))}, true},
		{"old infe is passed by", "", [][]byte{iinf(box("infe", []byte("\x00\x00\x00\x00\x00\x02\x00\x00name\x00")), exifInfe),
			iloc("\x01\x00\x00\x00\x44\x00\x00\x01\x00\x01\x00\x01\x00\x00\x00\x01" + strings.Repeat("\x00", 8))}, true},
		{"wide count", "", [][]byte{box("iinf", []byte{1, 0, 0, 0, 0, 0, 0, 1}, exifInfe),
			iloc("\x01\x00\x00\x00\x44\x00\x00\x01\x00\x01\x00\x01\x00\x00\x00\x01" + strings.Repeat("\x00", 8))}, true},
		{"no iinf", "", [][]byte{iloc("\x00\x00\x00\x00\x44\x00\x00\x00")}, false},
		{"no iloc", "", [][]byte{iinf(exifInfe)}, false},
		{"infe cut", "", [][]byte{iinf(box("infe", []byte("\x02\x00\x00\x00\x00\x01\x00\x00Ex")))}, false},
		{"iinf cut", "box iinf", [][]byte{box("iinf", []byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\xffinfe"))}, false},
		{"iloc of the future", "version 3", [][]byte{iinf(exifInfe), iloc("\x03\x00\x00\x00\x44\x00\x00\x00")}, false},
		{"wide fields", "field sizes", [][]byte{iinf(exifInfe), iloc("\x00\x00\x00\x00\x94\x00\x00\x01")}, false},
		{"iloc cut", "cut short", [][]byte{iinf(exifInfe), iloc("\x00\x00\x00\x00\x44\x00\x00\x01\x00\x01")}, false},
		{"extent cut", "cut short", [][]byte{iinf(exifInfe), iloc("\x00\x00\x00\x00\x44\x00\x00\x01" + entry + "\x00")}, false},
		{"derived item", "construction method 2", [][]byte{iinf(exifInfe), iloc("\x01\x00\x00\x00\x44\x00\x00\x01\x00\x01\x00\x02\x00\x00\x00\x01" + strings.Repeat("\x00", 8))}, false},
		{"far away", "item 1", [][]byte{iinf(exifInfe), iloc("\x00\x00\x00\x00\x88\x00\x00\x01" + entry + strings.Repeat("\xff", 16))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := append([][]byte{{0, 0, 0, 0}, box("idat", payload)}, c.meta...)
			m, err := Decode(append(box("ftyp", []byte("avif\x00\x00\x00\x00")), box("meta", body...)...))
			if (m.Camera.Make == "K") != c.read {
				t.Errorf("read %+v", m)
			}
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

// TestHEIFOrientation: a HEIF decoder turns the image by its own properties,
// and what EXIF and XMP say of it is not to be applied again.
func TestHEIFOrientation(t *testing.T) {
	item := func(o uint16) heifItem {
		return heifItem{kind: "Exif", data: heifExif(newBlock(be).short(dirMain, tagOrientation, o).bytes())}
	}
	xmp := heifItem{kind: "mime", contentType: "application/rdf+xml", data: []byte(packet(`tiff:Orientation="6"`, ""))}
	for name, c := range map[string]struct {
		items []heifItem
		want  int
	}{
		"none":              {nil, 0},
		"1 in EXIF":         {[]heifItem{item(1)}, 1},
		"6 in EXIF":         {[]heifItem{item(6)}, 1},
		"8 in EXIF, XMP":    {[]heifItem{item(8), xmp}, 1},
		"XMP alone":         {[]heifItem{xmp}, 1},
		"unknown, in EXIF":  {[]heifItem{item(0)}, 0},
		"unknown, then XMP": {[]heifItem{item(0), xmp}, 1},
	} {
		m, err := Decode(heifFile(1, c.items...))
		if err != nil || m.Orientation != c.want {
			t.Errorf("%s: orientation %d, %v; want %d", name, m.Orientation, err, c.want)
		}
	}
}
