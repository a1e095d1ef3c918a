package exif

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rwcarlsen/goexif/tiff"
)

// TestMalformed breaks one thing at a time: what is sound beside it must be
// read, and the fault be named.
func TestMalformed(t *testing.T) {
	base := func() *block { return newBlock(le).short(dirMain, tagOrientation, 6) }
	patch := func(b []byte, at int, v uint32) []byte {
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name  string
		data  []byte
		fault string // in the error; empty: no error
	}{
		{"count*size beyond 32 bits", base().raw(dirMain, tagMake, typeASCII, 5, []byte{0, 0, 0, 1, 0}).bytes(), ""},
		{"huge count of an unwanted tag", base().raw(dirMain, 0x8827, 8, 0xfefefefe, nil).bytes(), ""},
		{"huge count of fractions", base().raw(dirGPS, tagLat, 5, 0x20000001, nil).bytes(), "GPS IFD tag 0x0002"},
		{"largest count", base().raw(dirMain, tagMake, typeASCII, 0xffffffff, nil).bytes(), "IFD0 tag 0x010f"},
		{"value behind the end", base().raw(dirMain, tagMake, typeASCII, 900, nil).bytes(), "IFD0 tag 0x010f"},
		{"count 0", base().raw(dirMain, tagMake, typeASCII, 0, nil).bytes(), ""},
		{"type 0", base().raw(dirMain, tagMake, 0, 1, nil).bytes(), "unknown type 0"},
		{"type 200", base().raw(dirMain, tagMake, 200, 1, nil).bytes(), "unknown type 200"},
		{"text as a number", base().short(dirMain, tagMake, 7).bytes(), "for a text"},
		{"pointer as text", base().raw(dirMain, tagExifIFD, typeASCII, 4, []byte("abcd")).bytes(), "for an offset"},
		{"pointer outside", base().raw(dirMain, tagExifIFD, typeLong, 1, []byte{255, 255, 255, 255}).bytes(), "Exif IFD"},
		{"pointer to IFD0", base().raw(dirMain, tagExifIFD, typeLong, 1, []byte{8, 0, 0, 0}).bytes(), "already read"},
		{"both pointers alike", base().raw(dirMain, tagExifIFD, typeLong, 1, []byte{10, 0, 0, 0}).
			raw(dirMain, tagGPSIFD, typeLong, 1, []byte{10, 0, 0, 0}).bytes(), "already read"},
		{"next directory is itself", patch(base().bytes(), 8+2+12, 8), ""},
		{"directory cut short", func() []byte {
			b := base().bytes()
			b[8] = 200
			return b
		}(), "200 entries announced"},
		{"odd time", base().ascii(dirExif, tagOriginal, "2023:13:05 04:03:02").bytes(), "Exif IFD tag 0x9003"},
		{"odd zone", base().ascii(dirExif, tagOriginal, "2023:12:05 04:03:02").ascii(dirExif, tagOffsetOriginal, "+99:00").bytes(), "Exif IFD tag 0x9011"},
		{"number as an offset", base().raw(dirGPS, tagLon, typeIFD, 2, make([]byte, 8)).bytes(), "GPS IFD tag 0x0004"},
		{"orientation twice", base().short(dirMain, tagOrientation, 0).bytes(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Decode(c.data)
			if m.Orientation != 6 {
				t.Errorf("orientation %d is lost", m.Orientation)
			}
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

// TestMalformedContainers: the container around the block is broken.
func TestMalformedContainers(t *testing.T) {
	full := fullBlock(be, 8).bytes()
	cutBox := heifFile(0, heifItem{kind: "Exif", data: heifExif(full)})
	bomb := deflateLevel(strings.Repeat("0", maxBlock+1), zlib.BestSpeed)
	for _, c := range []struct {
		name  string
		data  []byte
		fault string
	}{
		{"jpeg, segment too short", jpegFile([]byte{0xff, 0xe2, 0, 1}), "length 1"},
		{"jpeg, no TIFF header", jpegFile(segment(mAPP1, "Exif\x00\x00nonsense")), "no TIFF header"},
		{"BigTIFF", append([]byte("MM\x00+\x00\x08\x00\x00"), make([]byte, 20)...), "BigTIFF"},
		{"TIFF, offset 0", []byte("II*\x00\x00\x00\x00\x00"), "offset 0"},
		{"png, chunk cut", pngFile(chunk("eXIf", string(full)))[:60], "cut short"},
		{"png, bomb", pngFile(chunk("zTXt", "XML:com.adobe.xmp\x00\x00"+bomb)), "larger"},
		{"png, odd iTXt", pngFile(chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00no more")), "cut short"},
		{"png, odd hex", pngFile(chunk("tEXt", "Raw profile type exif\x00\nexif\n 2\nzz\n")), "hex"},
		{"webp, chunk cut", webpFile(riffChunk("EXIF", string(full)))[:60], "cut short"},
		{"heif, item beyond the end", cutBox[:len(cutBox)-20], "cut short"},
		{"heif, box cut", box("ftyp", []byte("heic"), make([]byte, 4), []byte{0, 0, 1, 0}), ""},
		{"heif, meta cut", cutBox[:100], "boxes"},
		{"heif, no header", heifFile(1, heifItem{kind: "Exif", data: []byte("\xff\xff\xff\xffnonsense")}), "no TIFF header"},
		{"heif, too large in parts", heifFile(1, heifItem{kind: "Exif", data: make([]byte, maxBlock+1), parts: 2}), "larger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.data)
			var e *Error
			if c.fault == "" {
				if err != nil {
					t.Errorf("error %v", err)
				}
			} else if !errors.As(err, &e) || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

// TestTruncated: no prefix of a file may panic, and a JPEG whose EXIF segment
// is cut gives what stands before the cut.
func TestTruncated(t *testing.T) {
	full := fullBlock(le, 5).bytes()
	for name, data := range containers(full) {
		for n := range data {
			if _, err := Decode(data[:n:n]); err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%s[:%d]: %v is no *Error", name, n, err)
				}
			}
		}
	}
	data := jpegFile(exifSegment(full))
	m, err := Decode(data[:bytes.Index(data, []byte("-03:30"))])
	if err == nil || m.Orientation != 5 || m.Camera.Make != "Kith" {
		t.Errorf("cut segment: %+v, %v", m, err)
	}
}

// TestCosts gives lengths and counts that would cost much to believe, and
// measures what Decode allocates and how long it takes.
func TestCosts(t *testing.T) {
	iloc := []byte{1, 0, 0, 0, 0, 0, 0xff, 0xff} // fields of no bytes, 65535 items
	for range 20000 {
		iloc = append(iloc, 0, 1, 0, 0, 0, 0, 0xff, 0xff) // item 1 with 65535 extents
	}
	infe := box("infe", []byte("\x02\x00\x00\x00\x00\x01\x00\x00Exif\x00"))
	extents := bytes.Join([][]byte{
		box("ftyp", []byte("heic\x00\x00\x00\x00")),
		box("meta", make([]byte, 4), box("iinf", []byte{0, 0, 0, 0, 0, 1}, infe), box("iloc", iloc)),
	}, nil)
	// Item 1 again and again, each time in 64 parts of 64 KiB.
	again := []byte("\x01\x00\x00\x00\x44\x00\x03\xe8")
	for range 1000 {
		again = append(again, 0, 1, 0, 0, 0, 0, 0, 64)
		for range 64 {
			again = append(again, 0, 0, 0, 0, 0, 1, 0, 0)
		}
	}
	repeats := bytes.Join([][]byte{
		box("ftyp", []byte("heic\x00\x00\x00\x00")),
		box("meta", make([]byte, 4), box("iinf", []byte{0, 0, 0, 0, 0, 1}, infe), box("iloc", again)),
	}, nil)
	nested := packet("", strings.Repeat("<a>", 100000))
	bomb := func(n int) []byte {
		return chunk("zTXt", "XML:com.adobe.xmp\x00\x00"+deflateLevel(strings.Repeat("\x00", n), zlib.BestSpeed))
	}
	entries := newBlock(le)
	for range 60000 {
		entries.raw(dirMain, tagMake, typeASCII, 0xfffffff0, nil)
	}
	entries.ascii(dirMain, tagModel, "behind the limit")
	for name, data := range map[string][]byte{
		"iloc":    extents,
		"repeats": repeats,
		"nesting": webpFile(riffChunk("XMP ", nested)),
		"bombs":   pngFile(bytes.Repeat(bomb(maxBlock), 500)),
		"larger":  pngFile(bytes.Repeat(bomb(maxBlock+1), 500)),
		"entries": entries.bytes(),
		"boxes":   bytes.Join([][]byte{box("ftyp", []byte("heic\x00\x00\x00\x00")), bytes.Repeat(box("free"), 500000)}, nil),
		"markers": jpegFile(bytes.Repeat([]byte{0xff, 0xe1, 0, 2}, 500000)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			m, _ := Decode(data) // an error is allowed
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if m != (Meta{}) {
				t.Errorf("read %+v", m)
			}
			// inflate grows its buffer by doubling, up to some times its limit.
			if got := after.TotalAlloc - before.TotalAlloc; got > 8*maxBlock {
				t.Errorf("%d MiB allocated for %d KiB", got>>20, len(data)>>10)
			}
			if took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestKeptTags: of a tag that stands twice the last counts, unless empty;
// EXIF 3.0's UTF-8 type and other types of text are read.
func TestKeptTags(t *testing.T) {
	for _, c := range []struct {
		name string
		b    *block
		want string
	}{
		{"twice", newBlock(le).ascii(dirMain, tagModel, "first").ascii(dirMain, tagModel, "second"), "second"},
		{"twice, last empty", newBlock(le).ascii(dirMain, tagModel, "first").ascii(dirMain, tagModel, "\x00\x00\x00\x00\x00"), "first"},
		{"UTF-8", newBlock(be).raw(dirMain, tagModel, typeUTF8, 8, []byte("Caméra\x00")), "Caméra"},
		{"undefined", newBlock(be).raw(dirMain, tagModel, typeUndef, 3, []byte("abc")), "abc"},
		{"bytes", newBlock(be).raw(dirMain, tagModel, typeByte, 6, []byte("abcd\x00x")), "abcd"},
		{"no NUL", newBlock(le).raw(dirMain, tagModel, typeASCII, 5, []byte("abcde")), "abcde"},
		{"not UTF-8", newBlock(le).raw(dirMain, tagModel, typeASCII, 7, []byte(" a\xe9b\x01 \x00")), "a\uFFFDb"},
	} {
		m, err := Decode(c.b.bytes())
		if err != nil || m.Camera.Model != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, m.Camera.Model, err, c.want)
		}
	}
}

// TestFence: blocks that goexif alone refuses as a whole are read, and a panic
// below becomes an error.
func TestFence(t *testing.T) {
	for name, b := range map[string]*block{
		"empty string": fullBlock(le, 7).raw(dirMain, 0x010e, typeASCII, 0, nil),
		"unknown type": fullBlock(le, 7).raw(dirMain, 0x010e, 99, 1, nil),
		"cut value":    fullBlock(le, 7).raw(dirMain, 0x010e, typeASCII, 0xffff, nil),
	} {
		data := b.bytes()
		if _, err := tiff.Decode(bytes.NewReader(data)); err == nil {
			t.Errorf("%s: goexif reads it", name)
		}
		m, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkFull(t, m, 7)
	}
	f := file{container: "tiff"}
	if src := f.readTIFF(nil); !src.empty() || f.err() == nil || !strings.Contains(f.err().Error(), "panic") {
		t.Errorf("no block: %+v, %v", src, f.err())
	}
}

func TestOddOrientation(t *testing.T) {
	for _, c := range []struct {
		b     *block
		want  int
		fault bool
	}{
		{newBlock(be).raw(dirMain, tagOrientation, typeLong, 1, []byte{0, 0, 0, 5}), 5, false},
		{newBlock(be).raw(dirMain, tagOrientation, typeByte, 1, []byte{5}), 5, false},
		{newBlock(be).short(dirMain, tagOrientation, 0), 0, false},
		{newBlock(be).short(dirMain, tagOrientation, 9), 0, true},
		{newBlock(be).ascii(dirMain, tagOrientation, "5"), 0, true},
		{newBlock(be).raw(dirMain, tagOrientation, 9, 1, []byte{255, 255, 255, 255}), 0, true},
	} {
		if m, err := Decode(c.b.bytes()); m.Orientation != c.want || (err != nil) != c.fault {
			t.Errorf("%+v: %d, %v", c.b.dirs[dirMain], m.Orientation, err)
		}
	}
}
