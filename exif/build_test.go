package exif

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
)

// The writers below build photo files byte by byte. They hold no image data
// beyond what makes the container complete.

var (
	le = byteOrder(binary.LittleEndian)
	be = byteOrder(binary.BigEndian)
)

// block is an EXIF block under construction.
type block struct {
	order byteOrder
	magic string // instead of the plain TIFF header's first four bytes
	dirs  [dirCount][]entry
}

func newBlock(order byteOrder) *block { return &block{order: order} }

func (b *block) raw(dir int, tag, typ uint16, count uint32, value []byte) *block {
	b.dirs[dir] = append(b.dirs[dir], entry{tag, typ, count, value})
	return b
}

func (b *block) ascii(dir int, tag uint16, s string) *block {
	return b.raw(dir, tag, typeASCII, uint32(len(s)+1), append([]byte(s), 0))
}

func (b *block) short(dir int, tag, v uint16) *block {
	return b.raw(dir, tag, typeShort, 1, b.order.AppendUint16(nil, v))
}

// rat adds unsigned fractions: numerator, denominator, and so on.
func (b *block) rat(dir int, tag uint16, v ...uint32) *block {
	var value []byte
	for _, n := range v {
		value = b.order.AppendUint32(value, n)
	}
	return b.raw(dir, tag, 5, uint32(len(v)/2), value)
}

// bytes lays the block out as cameras do: each directory with its values
// behind it, IFD0 pointing to the others. offsetOf[dir] is where it begins.
func (b *block) bytes() []byte {
	dirs := b.dirs
	for _, p := range []struct {
		dir int
		tag uint16
	}{{dirExif, tagExifIFD}, {dirGPS, tagGPSIFD}} {
		if len(dirs[p.dir]) > 0 {
			dirs[dirMain] = append(dirs[dirMain][:len(dirs[dirMain]):len(dirs[dirMain])],
				entry{p.tag, typeLong, 1, b.order.AppendUint32(nil, 0)})
		}
	}
	magic := b.magic
	if magic == "" {
		magic = map[bool]string{true: "MM\x00*", false: "II*\x00"}[b.order == be]
	}
	out := b.order.AppendUint32([]byte(magic), 8)
	for dir, entries := range dirs {
		if dir > 0 && len(entries) == 0 {
			continue
		}
		start := len(out)
		if dir > 0 { // set the pointer in IFD0
			at := bytes.Index(out[8:], append(b.order.AppendUint16(nil, [...]uint16{0, tagExifIFD, tagGPSIFD}[dir]),
				b.order.AppendUint16(nil, typeLong)...))
			b.order.PutUint32(out[8+at+8:], uint32(start))
		}
		out = b.order.AppendUint16(out, uint16(len(entries)))
		values := []byte{}
		base := start + 2 + 12*len(entries) + 4
		for _, e := range entries {
			out = b.order.AppendUint16(out, e.tag)
			out = b.order.AppendUint16(out, e.typ)
			out = b.order.AppendUint32(out, e.count)
			if len(e.value) <= 4 {
				out = append(out, append(bytes.Clone(e.value), 0, 0, 0, 0)[:4]...)
				continue
			}
			out = b.order.AppendUint32(out, uint32(base+len(values)))
			values = append(values, e.value...)
		}
		out = b.order.AppendUint32(out, 0)
		out = append(out, values...)
	}
	return out
}

// fullBlock has every tag that is read, but no maker note.
func fullBlock(order byteOrder, orientation uint16) *block {
	return newBlock(order).
		ascii(dirMain, tagMake, "Kith  ").
		ascii(dirMain, tagModel, "Camera One").
		short(dirMain, tagOrientation, orientation).
		ascii(dirMain, tagModified, "2024:02:01 00:00:00").
		ascii(dirExif, tagOriginal, "2023:06:05 04:03:02").
		ascii(dirExif, tagDigitized, "2023:06:05 04:03:09").
		ascii(dirExif, tagOffset, "+09:00").
		ascii(dirExif, tagOffsetOriginal, "-03:30").
		ascii(dirExif, tagSubSecOriginal, "057").
		ascii(dirExif, tagBodySerial, "0451").
		ascii(dirGPS, tagLatRef, "S").
		rat(dirGPS, tagLat, 33, 1, 51, 1, 3126, 100).
		ascii(dirGPS, tagLonRef, "E").
		rat(dirGPS, tagLon, 151, 1, 12, 1, 51, 1).
		raw(dirGPS, tagAltRef, typeByte, 1, []byte{1}).
		rat(dirGPS, tagAlt, 125, 10).
		rat(dirGPS, tagGPSTime, 7, 1, 33, 1, 15, 10).
		ascii(dirGPS, tagGPSStatus, "A").
		ascii(dirGPS, tagDatum, "WGS-84").
		ascii(dirGPS, tagGPSDate, "2023:06:05").
		rat(dirGPS, tagAccuracy, 475, 100)
}

// segment is a JPEG segment with its length.
func segment(marker byte, body string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)), body...)
}

func exifSegment(b []byte) []byte { return segment(mAPP1, "Exif\x00\x00"+string(b)) }
func xmpSegment(x string) []byte {
	return segment(mAPP1, "http://ns.adobe.com/xap/1.0/\x00"+x)
}

// jpegFile has the segments between a JFIF segment and a scan. In the scan and
// behind the image stands what must not be read: a damaged image's data may
// look like a segment, and a multi-picture file has further images.
func jpegFile(segments ...[]byte) []byte {
	out := append([]byte{0xff, mSOI}, segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")...)
	for _, s := range segments {
		out = append(out, s...)
	}
	other := exifSegment(newBlock(le).ascii(dirMain, tagMake, "other").bytes())
	out = append(out, segment(mSOS, "\x00\x00\x3f\x00")...)
	out = append(out, other...)
	out = append(out, 0xff, mEOI)
	return append(out, other...)
}

func chunk(kind, body string) []byte {
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind+body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE([]byte(kind+body)))
}

func pngFile(chunks ...[]byte) []byte {
	out := append([]byte(pngSignature), chunk("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00")...)
	for _, c := range chunks {
		out = append(out, c...)
	}
	return append(out, chunk("IEND", "")...)
}

// deflate stores s without compressing it, so that the result is the same
// with every version of the compressor.
func deflate(s string) string { return deflateLevel(s, zlib.NoCompression) }

func deflateLevel(s string, level int) string {
	var buf bytes.Buffer
	w, err := zlib.NewWriterLevel(&buf, level)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write([]byte(s)) // a bytes.Buffer takes everything
	_ = w.Close()
	return buf.String()
}

// rawProfile is ImageMagick's text form.
func rawProfile(name string, b []byte) string {
	h := hex.EncodeToString(b)
	out := fmt.Sprintf("\n%s\n%8d\n", name, len(b))
	for len(h) > 72 {
		out, h = out+h[:72]+"\n", h[72:]
	}
	return out + h + "\n"
}

func riffChunk(kind, body string) []byte {
	out := append([]byte(kind), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func webpFile(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), riffChunk("VP8L", "\x2f\x00\x00\x00\x00")...)
	for _, c := range chunks {
		body = append(body, c...)
	}
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...), body...)
}

func box(kind string, bodies ...[]byte) []byte {
	body := bytes.Join(bodies, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), kind...), body...)
}

// heifItem is an item of a HEIF file; parts > 1 splits it into extents.
type heifItem struct {
	kind, contentType string
	data              []byte
	idat              bool
	parts             int
}

// heifFile writes the items with an iloc box of the given version.
func heifFile(version byte, items ...heifItem) []byte {
	ftyp := box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	// The offsets are known once the size of meta is, which does not depend
	// on them: so it is laid out twice.
	meta := heifMeta(version, 0, items)
	meta = heifMeta(version, len(ftyp)+len(meta)+8, items)
	var mdat []byte
	for _, it := range items {
		if !it.idat {
			mdat = append(mdat, it.data...)
		}
	}
	return bytes.Join([][]byte{ftyp, meta, box("mdat", mdat)}, nil)
}

func heifMeta(version byte, mdat int, items []heifItem) []byte {
	idSize := map[bool]int{true: 4, false: 2}[version == 2]
	num := func(size, v int) []byte {
		return binary.BigEndian.AppendUint32(nil, uint32(v))[4-size:]
	}
	iinf := append([]byte{0, 0, 0, 0}, num(2, len(items))...)
	iloc := []byte{version, 0, 0, 0, 0x44, 0x40} // offsets, lengths and bases of 4 bytes
	iloc = append(iloc, num(idSize, len(items))...)
	var idat []byte
	for i, it := range items {
		infe := append([]byte{map[bool]byte{true: 3, false: 2}[version == 2], 0, 0, 0}, num(idSize, i+1)...)
		infe = append(infe, 0, 0)
		infe = append(infe, it.kind+"\x00"...)
		if it.kind == "mime" {
			infe = append(infe, it.contentType+"\x00"...)
		}
		iinf = append(iinf, box("infe", infe)...)

		base := mdat
		iloc = append(iloc, num(idSize, i+1)...)
		if it.idat {
			base = len(idat)
			idat = append(idat, it.data...)
		} else {
			mdat += len(it.data)
		}
		if version > 0 {
			iloc = append(iloc, 0, map[bool]byte{true: 1, false: 0}[it.idat])
		}
		iloc = append(iloc, 0, 0)
		iloc = append(iloc, num(4, base)...)
		parts := max(1, it.parts)
		iloc = append(iloc, num(2, parts)...)
		for p := range parts {
			from, to := p*len(it.data)/parts, (p+1)*len(it.data)/parts
			iloc = append(iloc, num(4, from)...)
			iloc = append(iloc, num(4, to-from)...)
		}
	}
	return box("meta", []byte{0, 0, 0, 0}, box("hdlr", make([]byte, 4), []byte("\x00\x00\x00\x00pict"), make([]byte, 13)),
		box("iinf", iinf), box("iloc", iloc), box("idat", idat))
}

// heifExif is the payload of an Exif item: how far the TIFF header is, first.
func heifExif(b []byte) []byte {
	return append([]byte("\x00\x00\x00\x06Exif\x00\x00"), b...)
}

// packet is an XMP packet with attributes and child elements of its one
// rdf:Description.
func packet(attrs, elements string) string {
	return `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" ` + attrs + `>` + elements + `</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>` + "\x00\x00"
}

const fullXMPAttrs = `exif:DateTimeOriginal="2011-05-01T12:00:00.25+02:00" tiff:Orientation="6" tiff:Make="Kith" tiff:Model="Camera Two"
 exif:GPSLatitude="60,27.5N" exif:GPSLongitude="22,16,12W" exif:GPSAltitude="2398/10" exif:GPSAltitudeRef="1"`

// rafFile has a JPEG behind Fujifilm's header.
func rafFile(jpeg []byte) []byte {
	out := append([]byte(rafMagic+"0201FF383501Camera One"), make([]byte, 110)...)
	binary.BigEndian.PutUint32(out[84:], uint32(len(out)))
	binary.BigEndian.PutUint32(out[88:], uint32(len(jpeg)))
	return append(out, jpeg...)
}

// splitBlock makes a block of each directory of b, which becomes its first.
// IFD0 loses its pointers to the others.
func splitBlock(b []byte) (out [dirCount][]byte) {
	order := map[bool]byteOrder{true: be, false: le}[b[0] == 'M']
	out[dirMain] = bytes.Clone(b)
	for i := range int(order.Uint16(b[8:])) {
		e := b[10+12*i:]
		dir, ok := map[uint16]int{tagExifIFD: dirExif, tagGPSIFD: dirGPS}[order.Uint16(e)]
		if ok {
			out[dir] = append(bytes.Clone(b[:4]), e[8:12]...)
			out[dir] = append(out[dir], b[8:]...)
			order.PutUint16(out[dirMain][10+12*i:], 0xfffe)
		}
	}
	return out
}

// cr3File has the directories, and an XMP packet where there is one.
func cr3File(dirs [dirCount][]byte, xmp string) []byte {
	canon := [][]byte{[]byte(uuidCanon), box("CNCV", []byte("CanonCR3_001/00.09.00/00.00.00"))}
	for dir, kind := range []string{"CMT1", "CMT2", "CMT4"} {
		if dirs[dir] != nil {
			canon = append(canon, box(kind, dirs[dir]))
		}
	}
	out := [][]byte{box("ftyp", []byte("crx \x00\x00\x00\x01crx isom")), box("moov", box("uuid", canon...))}
	if xmp != "" {
		out = append(out, box("uuid", []byte(uuidXMP), []byte(xmp)))
	}
	return bytes.Join(append(out, box("mdat", []byte("sensor data"))), nil)
}

// rw2Block has a JPEG as Panasonic's RAW files have it.
func rw2Block(b *block, jpeg []byte) *block {
	b.magic = "IIU\x00"
	return b.raw(dirMain, tagJpgFromRaw, typeUndef, uint32(len(jpeg)), jpeg)
}
