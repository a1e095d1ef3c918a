package exif

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// appleNote is a maker note of Apple's with a version, the ids that are not
// empty, BurstUUID and ContentIdentifier, and a text that is not read.
func appleNote(order byteOrder, ids ...string) []byte {
	entries := []entry{{0x0001, 9, 1, order.AppendUint32(nil, 14)}}
	for i, id := range ids {
		if id != "" {
			entries = append(entries, entry{[]uint16{tagAppleBurst, tagAppleContent}[i], typeASCII, uint32(len(id) + 1), append([]byte(id), 0)})
		}
	}
	return noteOf(order, append(entries, entry{0x0015, typeASCII, 9, []byte("not read\x00")})...)
}

func noteOf(order byteOrder, entries ...entry) []byte {
	out := append([]byte(appleName+"\x00\x01"), map[bool]string{true: "MM", false: "II"}[order == be]...)
	out = order.AppendUint16(out, uint16(len(entries)))
	base := len(out) + 12*len(entries) + 4
	var values []byte
	for _, e := range entries {
		out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, e.tag), e.typ), e.count)
		if len(e.value) <= 4 {
			out = append(out, append(append([]byte{}, e.value...), 0, 0, 0, 0)[:4]...)
			continue
		}
		out = order.AppendUint32(out, uint32(base+len(values)))
		values = append(values, e.value...)
	}
	return append(order.AppendUint32(out, 0), values...)
}

func TestAppleMakerNote(t *testing.T) {
	const id = "5E8CBE29-38C0-4DE5-9E8F-1E3E8E6F5F5A"
	text := func(s string) entry { return entry{tagAppleBurst, typeASCII, uint32(len(s)), []byte(s)} }
	patched := func(at int, v uint32) []byte {
		note := appleNote(be, id, "")
		binary.BigEndian.PutUint32(note[at:], v)
		return note
	}
	const first = len(appleName) + 4 + 2 // entry; the id's is the second
	long := strings.Repeat("A", maxID)
	for _, c := range []struct {
		name  string
		note  []byte
		burst string
		fault error // nil: none; errCut, errTooLarge, or any other
	}{
		{"both orders", appleNote(le, id, ""), id, nil},
		{"big", appleNote(be, id, ""), id, nil},
		{"short, in the entry itself", noteOf(be, text("ab\x00")), "ab", nil},
		{"longest", noteOf(be, text(long+"\x00")), long, nil},
		{"too long", noteOf(be, text(long+"A\x00")), "", errTooLarge},
		{"no NUL at the end", noteOf(be, text(long+"A")), "", errTooLarge},
		{"zeros", noteOf(be, text("00000000-0000-0000-0000-000000000000\x00")), "", nil},
		{"blank", noteOf(be, text("   \x00")), "", nil},
		{"words", noteOf(be, text("two words\x00")), "", errors.New("spaces")},
		{"not UTF-8", noteOf(be, text("abcd\xff\x00")), "abcd\uFFFD", nil},
		{"a number", noteOf(be, entry{tagAppleBurst, typeLong, 1, []byte{0, 0, 0, 1}}), "", errors.New("type")},
		{"largest count", patched(first+12+4, 0xffffffff), "", errTooLarge},
		{"offset behind the end", patched(first+12+8, 0xfffffff0), "", errCut},
		{"a text that ends behind the note", patched(first+12+8, uint32(len(appleNote(be, id, ""))-9)), "", errCut},
		{"offset of the file, not of the note", patched(first+12+8, 700), "", errCut},
		{"more entries than bytes", func() []byte {
			note := appleNote(be, id, "")
			note[first-1] = 200
			return note
		}(), id, errCut},
		{"another maker", append([]byte("Nikon\x00"), appleNote(be, id, "")[6:]...), "", nil},
		{"only the name", []byte(appleName), "", nil},
		{"empty", nil, "", nil},
	} {
		b := newBlock(le).ascii(dirMain, tagMake, "Apple")
		if len(c.note) > 0 {
			b.raw(dirExif, tagMakerNote, typeUndef, uint32(len(c.note)), c.note)
		}
		m, err := Decode(b.bytes())
		if m.Burst != c.burst || m.Video != "" || m.Camera != (Camera{Make: "Apple"}) {
			t.Errorf("%s: %+v, want burst %q", c.name, m, c.burst)
		}
		var e *Error
		if (err != nil) != (c.fault != nil) || err != nil && (!errors.As(err, &e) || !strings.HasPrefix(e.Part, "Apple maker note")) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.fault)
		}
		if (c.fault == errCut || c.fault == errTooLarge) && !errors.Is(err, c.fault) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.fault)
		}
	}
	both, err := Decode(newBlock(be).raw(dirExif, tagMakerNote, typeUndef, uint32(len(appleNote(be, "burst", "video"))), appleNote(be, "burst", "video")).bytes())
	if err != nil || both.Burst != "burst" || both.Video != "video" {
		t.Errorf("%+v, %v", both, err)
	}
}

func FuzzApple(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		fl := file{container: "tiff"}
		var src source
		fl.apple(data, &src)
		checkMeta(t, Meta{Burst: src.burst, Video: src.video}, fl.err())
		if src.burst != "" && len(data) < appleHeader+2+12 {
			t.Errorf("%q of %d bytes", src.burst, len(data))
		}
	})
}
