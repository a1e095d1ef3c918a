package raw

import (
	"bytes"
	"slices"
)

// sample is a RAW file of this test and what is to be found in it.
type sample struct {
	name, format string
	file         []byte
	want         []byte // the JPEG
	orientation  int
	// exiftool's tag for the JPEG: "" where exiftool 12.57 has none.
	tag string
}

func samples() []sample {
	return slices.Concat(tiffSamples(), noteSamples(), []sample{
		{name: "raf", format: "RAF", file: rafFile(photo(1920, 1280)), want: photo(1920, 1280), tag: "PreviewImage"},
		{name: "cr3", format: "CR3", file: cr3File(photo(6000, 4000), photo(1620, 1080), photo(160, 120), true), want: photo(6000, 4000), tag: "JpgFromRaw"},
		{name: "cr3-stco", format: "CR3", file: cr3File(photo(6000, 4000), photo(1620, 1080), photo(160, 120), false), want: photo(6000, 4000), tag: "JpgFromRaw"},
		{name: "cr3-preview", format: "CR3", file: cr3File([]byte("\xff\x01 HEVC"), photo(1620, 1080), photo(160, 120), true), want: photo(1620, 1080), tag: "PreviewImage"},
		{name: "cr3-thumbnail", format: "CR3", file: cr3File([]byte("\xff\x01 HEVC"), nil, photo(320, 214), true), want: photo(320, 214), tag: "ThumbnailImage"},
	})
}

func tiffSamples() []sample {
	var out []sample
	add := func(name, format string, want []byte, tag string, file []byte) {
		out = append(out, sample{name: name, format: format, file: file, want: want, tag: tag})
	}
	large := photo(3000, 2000)

	t := newTIFF("II*\x00")
	add("dng", "DNG", large, "PreviewImage", t.file(t.dir(0, slices.Concat(
		t.picture(1, 1, 2, 256, 171), t.strip(make([]byte, 16)), t.camera("Kith", nil, nil),
		[]field{{tagDNGVersion, typeByte, 4, []byte{1, 6, 0, 0}}, t.long(tagSubIFDs,
			t.cfa(7),
			t.dir(0, slices.Concat(t.picture(1, 7, 6, 1024, 683), t.strip(photo(1024, 683)))...),
			t.dir(0, slices.Concat(t.picture(8, 7, photometricDepth, 3500, 2500), t.strip(photo(3500, 2500)))...),
			t.dir(0, slices.Concat(t.picture(0x10004, 7, photometricMask, 3600, 2500), t.strip(photo(3600, 2500)))...),
			t.dir(0, slices.Concat(t.picture(16, 7, 6, 3700, 2500), t.strip(photo(3700, 2500)))...),
			t.dir(0, slices.Concat(t.picture(0, 34892, photometricLinear, 4000, 3000), t.strip(photo(4000, 3000)))...),
			t.dir(0, slices.Concat(t.picture(0x10001, 7, 6, 3000, 2000), t.strip(large))...))})...)))

	t = newTIFF("MM\x00*")
	add("dng-big-endian", "DNG", head(0xc2, 800, 600), "PreviewImage", t.file(t.dir(0, slices.Concat(
		t.picture(1, 7, 6, 800, 600), t.strip(head(0xc2, 800, 600)), t.camera("Kith", nil, nil),
		[]field{{tagDNGVersion, typeByte, 4, []byte{1, 4, 0, 0}}, t.long(tagSubIFDs, t.cfa(7))})...)))

	t = newTIFF("II*\x00")
	copy(t.out[8:], "CR\x02\x00")
	ifd3 := t.dir(0, slices.Concat([]field{t.short(tagCompression, 6)}, t.strip(head(0xc3, 2784, 3708)))...)
	ifd2 := t.dir(ifd3, slices.Concat(t.picture(0, 6, 2, 362, 234), t.strip(make([]byte, 64)))...)
	ifd1 := t.dir(ifd2, t.jpeg(photo(160, 120))...)
	add("cr2", "CR2", large, "PreviewImage", t.file(t.dir(ifd1, slices.Concat(
		[]field{t.short(tagCompression, 6), t.short(tagWidth, 3000), t.short(tagHeight, 2000)}, t.strip(large), t.camera("Canon", nil, nil))...)))

	t = newTIFF("II*\x00")
	add("nef", "NEF", large, "JpgFromRaw", t.file(t.dir(0, slices.Concat(
		t.picture(1, 1, 2, 160, 120), t.strip(make([]byte, 16)), t.camera("NIKON CORPORATION", nil, nil),
		[]field{t.long(tagSubIFDs,
			t.dir(0, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(large))...),
			t.cfa(34713),
			t.dir(0, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(photo(570, 375)))...))})...)))

	t = newTIFF("II*\x00")
	ifd1 = t.dir(0, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(photo(160, 120)))...)
	add("arw", "ARW", photo(1616, 1080), "PreviewImage", t.file(t.dir(ifd1, slices.Concat(
		[]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(photo(1616, 1080)), t.camera("SONY", nil, nil),
		[]field{t.long(tagSubIFDs, t.cfa(32767))})...)))

	// The sensor's data interpolated already, in lossless JPEG: only the
	// small IFD0 above the full picture tells.
	t = newTIFF("II*\x00")
	ifd2 = t.dir(0, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(large))...)
	ifd1 = t.dir(ifd2, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(photo(160, 120)))...)
	add("arw-linear", "ARW", large, "JpgFromRaw", t.file(t.dir(ifd1, slices.Concat(
		[]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(photo(1616, 1080)), t.camera("SONY", nil, nil),
		[]field{t.long(tagSubIFDs, t.dir(0, slices.Concat(t.picture(0, 7, 6, 4000, 3000), t.strip(head(0xc3, 4000, 3000)))...))})...)))

	t = newTIFF("MM\x00*")
	ifd2 = t.dir(0, slices.Concat([]field{t.short(tagCompression, 6), t.long(tagWidth, 3000), t.long(tagHeight, 2000)}, t.jpeg(large))...)
	ifd1 = t.dir(ifd2, slices.Concat([]field{t.short(tagCompression, 6)}, t.jpeg(photo(160, 120)))...)
	add("pef", "PEF", large, "JpgFromRaw", t.file(t.dir(ifd1, slices.Concat(
		t.picture(0, 65535, photometricCFA, 4000, 3000), t.strip(make([]byte, 16)), t.camera("PENTAX Corporation", nil, nil))...)))

	t = newTIFF("II*\x00")
	add("srw", "SRW", large, "JpgFromRaw", t.file(t.dir(0, slices.Concat(
		t.picture(1, 1, 2, 160, 120), t.camera("SAMSUNG", nil, nil),
		[]field{t.long(tagSubIFDs,
			t.dir(0, slices.Concat([]field{t.long(tagSubfileType, 1), t.short(tagCompression, 6)}, t.jpeg(large))...),
			t.cfa(32770))})...)))

	for _, c := range []struct {
		name string
		tag  uint16
		jpeg []byte
		exif string
	}{{"rw2", tagJpgFromRaw, photo(1920, 1440), "JpgFromRaw"}, {"rw2-second", tagJpgFromRaw2, large, ""}} {
		t = newTIFF("IIU\x00")
		t.out = append(t.out[:8], "\x88\xe7\x74\xd8\xf8\x25\x1d\x4d\x94\x7a\x6e\x77\x82\x2b\x5d\x6a"...)
		fields := []field{t.short(tagSensorWidth, 4816), t.short(tagSensorHeight, 3464), t.bytes(c.tag, c.jpeg)}
		if c.tag != tagJpgFromRaw {
			fields = append(fields, t.bytes(tagJpgFromRaw, photo(640, 480)))
		}
		add(c.name, "RW2", c.jpeg, c.exif, t.file(t.dir(0, append(fields, t.camera("Panasonic", nil, nil)...)...)))
	}
	return out
}

// noteSamples keep their preview in the maker note.
func noteSamples() []sample {
	var out []sample
	want := photo(1600, 1200)
	type layout struct {
		name, format, magic, maker, mark, order string
		inside                                  bool // offsets count from the note
		fields                                  func(t *tiffFile, jpeg uint32) uint32
	}
	settings := func(t *tiffFile, jpeg uint32) uint32 { // a directory before the one with its offset
		size := uint32(2 + 12 + 4)
		at := uint32(len(t.out)) + size
		t.dir(0, field{0x2020, typeIFD, 1, t.order.AppendUint32(nil, at)})
		t.dir(0, t.long(0x0100, 1), t.long(0x0101, jpeg), t.long(0x0102, uint32(len(want))))
		return 0
	}
	oldSettings := func(t *tiffFile, jpeg uint32) uint32 {
		at := uint32(len(t.out)) + 18
		t.dir(0, field{0x2020, 7, 40, t.order.AppendUint32(nil, at)})
		return t.dir(0, t.long(0x0100, 1), t.long(0x0101, jpeg), t.long(0x0102, uint32(len(want))))
	}
	camedia := func(t *tiffFile, jpeg uint32) uint32 {
		return t.dir(0, t.long(0x1035, 1), t.long(0x1036, jpeg), t.long(0x1037, uint32(len(want))))
	}
	pentax := func(t *tiffFile, jpeg uint32) uint32 {
		return t.dir(0, t.short(0x0002, 1600, 1200), t.long(0x0003, uint32(len(want))), t.long(0x0004, jpeg))
	}
	for _, l := range []layout{
		{"orf", "ORF", "IIRO", "OLYMPUS IMAGING CORP.", "OLYMPUS\x00II\x03\x00", "II", true, settings},
		{"orf-om", "ORF", "IIRS", "OM Digital Solutions", "OM SYSTEM\x00\x00\x00II\x04\x00", "II", true, settings},
		{"orf-old", "ORF", "MMOR", "OLYMPUS CORPORATION", "OLYMP\x00\x01\x00", "MM", false, oldSettings},
		{"orf-camedia", "ORF", "IIRO", "OLYMPUS OPTICAL CO.,LTD", "OLYMP\x00\x01\x00", "II", false, camedia},
		{"pef-note", "PEF", "II*\x00", "RICOH IMAGING COMPANY, LTD.", "PENTAX \x00II", "II", true, pentax},
		{"pef-aoc", "PEF", "MM\x00*", "PENTAX Corporation", "AOC\x00MM", "MM", false, pentax},
	} {
		t := newTIFF(l.magic)
		body := func(at, jpeg uint32) []byte {
			if l.inside {
				return note(l.mark, l.order, 0, func(t *tiffFile) uint32 { return l.fields(t, jpeg-at) })
			}
			return note(l.mark, l.order, at, func(t *tiffFile) uint32 { return l.fields(t, jpeg) })
		}
		camera := t.camera(l.maker, body, want)
		out = append(out, sample{name: l.name, format: l.format, want: want, tag: "PreviewImage",
			file: t.file(t.dir(0, slices.Concat(t.picture(0, 1, photometricCFA, 4000, 3000), t.strip(make([]byte, 16)), camera)...))})
	}

	// Nikon's note has a TIFF header of its own. This camera turned the
	// preview: its sides are those of the photo, not of the sensor's data.
	turned := photo(960, 1280)
	t := newTIFF("MM\x00*")
	camera := t.camera("NIKON", func(at, jpeg uint32) []byte {
		n := newTIFF("MM\x00*")
		n.out = n.out[:8]
		n.order.PutUint32(n.out[4:], 8)
		n.dir(0, n.long(0x0011, 26))
		n.dir(0, n.short(tagCompression, 6), n.long(tagJPEGOffset, jpeg-at-10), n.long(tagJPEGLength, uint32(len(turned))))
		return append([]byte("Nikon\x00\x02\x10\x00\x00"), n.out...)
	}, turned)
	return append(out, sample{name: "nef-note", format: "NEF", want: turned, orientation: 1, tag: "PreviewImage", file: t.file(t.dir(0,
		slices.Concat(t.picture(1, 1, 2, 96, 72), t.strip(make([]byte, 16)), camera, []field{t.long(tagSubIFDs, t.cfa(1))})...))})
}

func rafFile(jpeg []byte) []byte {
	out := append([]byte("FUJIFILMCCD-RAW 0201FF383501"), make([]byte, 148-28)...)
	copy(out[28:], "Camera One")
	copy(out[60:], "0100")
	be.PutUint32(out[84:], 148)
	be.PutUint32(out[88:], uint32(len(jpeg)))
	return append(out, jpeg...)
}

// cr3File has a track with a full JPEG and one with sensor data, a preview
// (nil for none) and a thumbnail.
func cr3File(full, preview, thumb []byte, wide bool) []byte {
	sensor := []byte("\xff\x01 sensor data")
	ftyp := box("ftyp", []byte("crx \x00\x00\x00\x01crx isom"))
	num := func(v int) []byte { return be.AppendUint32(nil, uint32(v)) }
	var tail []byte
	if preview != nil {
		tail = box("uuid", []byte(uuidPreview), num(0), num(1),
			box("PRVW", slices.Concat(num(0), []byte{0, 1, 0x06, 0x54, 0x04, 0x38, 0, 1}, num(len(preview))), preview))
	}
	track := func(at, size int, config []byte) []byte {
		offset := box("stco", num(0), num(1), num(at))
		if wide {
			offset = box("co64", num(0), num(1), num(0), num(at))
		}
		craw := box("CRAW", make([]byte, 6), []byte{0, 1}, make([]byte, 74), config)
		return box("trak", box("mdia", box("hdlr", make([]byte, 8), []byte("vide"), make([]byte, 13)), box("minf", box("stbl",
			box("stsd", num(0), num(1), craw),
			box("stts", num(0), num(1), num(1), num(1)),
			box("stsc", num(0), num(1), num(1), num(1), num(1)),
			box("stsz", num(0), num(size), num(1)), offset))))
	}
	moov := func(at int) []byte {
		return box("moov", box("uuid", []byte(uuidMeta), box("CNCV", []byte("CanonCR3_001/00.09.00/00.00.00")),
			box("THMB", slices.Concat(num(0), []byte{0, 160, 0, 120}, num(len(thumb)), num(0x10000)), thumb)),
			track(at, len(full), box("JPEG", num(0))), track(at+len(full), len(sensor), box("CMP1", make([]byte, 52))))
	}
	at := len(ftyp) + len(moov(0)) + len(tail) + 16
	return bytes.Join([][]byte{ftyp, moov(at), tail, longBox("mdat", slices.Concat(full, sensor))}, nil)
}
