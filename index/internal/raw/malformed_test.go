package raw

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNotRAW: what else begins like one.
func TestNotRAW(t *testing.T) {
	const noSub = 99
	plain := func(maker string, subfile, sub uint32, fields ...field) []byte {
		t := newTIFF("II*\x00")
		main := slices.Concat(t.picture(subfile, 7, 6, 640, 480), t.strip(photo(640, 480)), []field{t.text(tagMake, maker)}, fields)
		if sub != noSub {
			main = append(main, t.long(tagSubIFDs, t.dir(0, slices.Concat(t.picture(sub, 7, 6, 3000, 2000), t.strip(photo(3000, 2000)))...)))
		}
		return t.file(t.dir(0, main...))
	}
	f := newTIFF("MM\x00*")
	few := f.file(f.dir(0, f.text(tagMake, "PENTAX"), f.long(tagWidth, 1)))
	for name, file := range map[string][]byte{
		"nothing":                  nil,
		"text":                     []byte("II*\x00 is how TIFF begins"),
		"JPEG":                     photo(640, 480),
		"TIFF with JPEG":           plain("Kith", 0, noSub),
		"TIFF of a scanner":        plain("NIKON", 0, noSub),
		"TIFF with small picture":  plain("NIKON", 0, 1),
		"TIFF, picture in SubIFD":  plain("Kith", 1, 0),
		"TIFF of an editor":        plain("SONY", 0, 0),
		"TIFF without compression": few,
		"BigTIFF":                  []byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"HEIC":                     box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")),
		"header only":              []byte("II*\x00\x08\x00\x00\x00"),
		"directory outside":        []byte("II*\x00\xff\xff\xff\x7f\x00\x00\x00\x00\x00\x00\x00\x00"),
	} {
		if p, ok, err := Find(file); ok || err != nil || p.JPEG != nil {
			t.Errorf("%s: %s, %v, %v", name, p.Format, ok, err)
		}
	}
}

// TestNoPreview: RAW files of which the reason must be told.
func TestNoPreview(t *testing.T) {
	dng := func(fields func(t *tiffFile) []field) []byte {
		t := newTIFF("II*\x00")
		return t.file(t.dir(0, append(fields(t), field{tagDNGVersion, typeByte, 4, []byte{1, 4, 0, 0}})...))
	}
	preview := func(j []byte) func(t *tiffFile) []field {
		return func(t *tiffFile) []field {
			return slices.Concat(t.picture(1, 7, 6, 640, 480), t.strip(j))
		}
	}
	cut := rafFile(photo(640, 480))
	noTables := bytes.Replace(photo(640, 480), []byte{0xff, 0xdb}, []byte{0xff, 0xfe}, 1)
	deep := bytes.Replace(photo(640, 480), []byte{17, 8}, []byte{17, 12}, 1)
	for _, c := range []struct {
		name, format, says string
		file               []byte
	}{
		{"nothing inside", "DNG", "no usable preview", dng(func(t *tiffFile) []field { return nil })},
		{"thumbnail", "DNG", "only a thumbnail of 160 x 120", dng(preview(photo(160, 120)))},
		{"lossless", "DNG", "not a DCT JPEG", dng(preview(head(0xc3, 4000, 3000)))},
		{"arithmetic", "DNG", "not a DCT JPEG", dng(preview(head(0xc9, 4000, 3000)))},
		{"12 bits", "DNG", "not a DCT JPEG", dng(preview(deep))},
		{"tables elsewhere", "DNG", "not a DCT JPEG", dng(preview(noTables))},
		{"no size", "DNG", "not a DCT JPEG", dng(preview(photo(0, 480)))},
		{"another compression", "DNG", "no usable preview", dng(preview([]byte("\x00\x00\x00\x0cJXL \r\n\x87\n")))},
		{"two strips", "DNG", "no usable preview", dng(func(t *tiffFile) []field {
			a, b := photo(640, 240), photo(640, 240)
			return append(t.picture(1, 7, 6, 640, 480), t.long(tagStripOffset, t.put(a), t.put(b)), t.long(tagStripLength, uint32(len(a)), uint32(len(b))))
		})},
		{"RAF cut", "RAF", "beyond the end", cut[:len(cut)-1]},
		{"RAF header cut", "RAF", "beyond the end", cut[:60]},
		{"RAF without", "RAF", "no usable preview", rafFile(nil)},
		{"CR3 cut", "CR3", "no usable preview", cr3File(photo(6000, 4000), photo(1620, 1080), photo(160, 120), true)[:80]},
		{"CR3 in HEVC", "CR3", "no usable preview", cr3File([]byte("HEVC"), []byte("HEVC"), []byte("HEVC"), true)},
		{"ORF header", "ORF", "no usable preview", []byte("IIRO\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")},
	} {
		p, ok, err := Find(c.file)
		if !ok || p.Format != c.format || p.JPEG != nil || !errors.Is(err, ErrNoPreview) || !strings.Contains(err.Error(), c.says) ||
			!strings.HasPrefix(err.Error(), c.format) {
			t.Errorf("%s: %+v, %v, %v; want %q", c.name, p, ok, err, c.says)
		}
	}
}

// TestSmallerRemains: where the largest JPEG is not in the file any more, the
// next one is taken.
func TestSmallerRemains(t *testing.T) {
	file := cr3File(photo(6000, 4000), photo(1620, 1080), photo(160, 120), true)
	at := bytes.Index(file, photo(6000, 4000))
	p, ok, err := Find(file[:at+20])
	if err != nil || !ok || p.Width != 1620 {
		t.Errorf("%d x %d, %v, %v", p.Width, p.Height, ok, err)
	}
}

// TestDecodes: what is found is what image/jpeg reads, baseline and progressive.
func TestDecodes(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 352, 288)), nil); err != nil {
		t.Fatal(err)
	}
	p, ok, err := Find(rafFile(b.Bytes()))
	if err != nil || !ok || p.Width != 352 || p.Height != 288 {
		t.Fatalf("%d x %d, %v, %v", p.Width, p.Height, ok, err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(p.JPEG)); err != nil || img.Bounds().Dx() != 352 {
		t.Errorf("image/jpeg: %v", err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(head(0xc2, 640, 480))); err != nil || c.Width != 640 {
		t.Errorf("the writer's JPEG: %+v, %v", c, err)
	}
}

// TestOrientation: swapped sides tell that a camera turned the preview. Not
// in DNG, where an editor's crop may have swapped them.
func TestOrientation(t *testing.T) {
	for _, c := range []struct {
		maker         string
		dng           bool
		width, height int
		want          int
	}{
		{"NIKON", false, 3000, 2000, 0}, {"NIKON", false, 2000, 3000, 1}, {"NIKON", false, 2000, 2000, 0},
		{"NIKON", true, 2000, 3000, 0}, {"SONY", false, 1080, 1616, 1},
	} {
		f := newTIFF("MM\x00*")
		main := slices.Concat(f.picture(1, 7, 6, 160, 120), f.strip(photo(c.width, c.height)),
			f.camera(c.maker, nil, nil), []field{f.long(tagSubIFDs, f.cfa(1))})
		if c.dng {
			main = append(main, field{tagDNGVersion, typeByte, 4, []byte{1, 4, 0, 0}})
		}
		p, ok, err := Find(f.file(f.dir(0, main...)))
		if err != nil || !ok || p.Orientation != c.want {
			t.Errorf("%+v: orientation %d, %v, %v", c, p.Orientation, ok, err)
		}
	}
}

// TestTruncated: no prefix of a file panics or yields bytes that are not there.
func TestTruncated(t *testing.T) {
	for _, s := range samples() {
		for n := range s.file {
			check(t, s.file[:n:n])
		}
	}
}

// TestCosts gives structures without end, and measures time and allocations.
func TestCosts(t *testing.T) {
	circle := newTIFF("II*\x00")
	at := uint32(len(circle.out))
	circle.dir(at, circle.long(tagSubIFDs, at, at, at, at), field{tagDNGVersion, typeByte, 4, []byte{1, 4, 0, 0}})

	many := newTIFF("II*\x00")
	large := photo(640, 480)
	segments := slices.Concat(large[:2], bytes.Repeat([]byte{0xff, 0xe5, 0, 2}, 200000), large[2:])
	place := many.put(segments)
	next := uint32(0)
	for range 1000 {
		sub := many.dir(0, many.long(tagJPEGOffset, place), many.long(tagJPEGLength, uint32(len(segments))))
		next = many.dir(next, many.long(tagJPEGOffset, place), many.long(tagJPEGLength, uint32(len(segments))),
			many.long(tagSubIFDs, slices.Repeat([]uint32{sub}, 1000)...))
	}

	full := newTIFF("II*\x00")
	var fields []field
	for range maxEntries + 1 {
		fields = append(fields, full.long(0xfff0, 0xffffffff))
	}
	huge := newTIFF("IIU\x00")
	for name, file := range map[string][]byte{
		"circle":        circle.file(at),
		"directories":   many.file(next),
		"entries":       full.file(full.dir(0, fields...)),
		"largest count": huge.file(huge.dir(0, field{tagJpgFromRaw, 7, 0xffffffff, []byte{9, 0, 0, 0}}, field{tagMake, 12, 0xffffffff, []byte{9, 0, 0, 0}})),
		"boxes":         slices.Concat(box("ftyp", []byte("crx \x00\x00\x00\x00")), bytes.Repeat(box("moov", bytes.Repeat(box("trak"), 100)), 1000)),
		"fill bytes":    rafFile(slices.Concat([]byte{0xff, 0xd8}, bytes.Repeat([]byte{0xff}, 1<<20))),
	} {
		start := time.Now()
		allocs := testing.AllocsPerRun(1, func() {
			if p, _, _ := Find(file); p.JPEG != nil { // an error is allowed
				t.Errorf("%s: found %d x %d", name, p.Width, p.Height)
			}
		})
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if allocs > 2000 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
		t.Logf("%s: %v allocations, %v", name, allocs, time.Since(start))
	}
}
