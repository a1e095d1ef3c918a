package exif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The maker note of Apple's devices begins with this name, a version and the
// byte order, and goes on with one TIFF directory, whose offsets count from
// the note's first byte (as exiftool's documentation of Apple tags has it).
const (
	appleName   = "Apple iOS\x00"
	appleHeader = len(appleName) + 4

	maxAppleEntries = 256
	maxID           = 128 // bytes of an id; those in use have 36
)

// Tags of that directory. Both are texts.
const (
	tagAppleBurst   = 0x000b // BurstUUID
	tagAppleContent = 0x0011 // ContentIdentifier, also known as MediaGroupUUID
)

// apple reads the ids in Apple's maker note. Those of other makers, some of
// which are read by no two programs alike, are left alone.
func (f *file) apple(note []byte, src *source) {
	if len(note) < appleHeader+2 || !bytes.HasPrefix(note, []byte(appleName)) {
		return
	}
	order := byteOrder(binary.BigEndian)
	if string(note[appleHeader-2:appleHeader]) == "II" {
		order = binary.LittleEndian
	}
	entries := note[appleHeader+2:]
	n := int(order.Uint16(note[appleHeader:]))
	if most := min(len(entries)/12, maxAppleEntries); n > most {
		f.fault("Apple maker note", fmt.Errorf("%d entries announced: %w", n, errCut))
		n = most
	}
	for i := range n {
		e := entries[12*i : 12*i+12]
		var to *string
		switch order.Uint16(e) {
		case tagAppleBurst:
			to = &src.burst
		case tagAppleContent:
			to = &src.video
		default:
			continue
		}
		id, err := appleText(note, e, order)
		if err != nil {
			f.fault(fmt.Sprintf("Apple maker note tag 0x%04x", order.Uint16(e)), err)
		}
		if id != "" {
			*to = id
		}
	}
}

// appleText is the text of a directory entry.
func appleText(note, entry []byte, order byteOrder) (string, error) {
	if typ := order.Uint16(entry[2:]); typ != typeASCII && typ != typeUTF8 {
		return "", fmt.Errorf("type %d for a text", typ)
	}
	value, n := entry[8:12], uint64(order.Uint32(entry[4:]))
	if n > maxID+1 { // and a NUL
		return "", fmt.Errorf("%d bytes: %w", n, errTooLarge)
	}
	if n > 4 {
		from := uint64(order.Uint32(value))
		if from+n > uint64(len(note)) {
			return "", fmt.Errorf("%d bytes at offset %d of %d: %w", n, from, len(note), errCut)
		}
		return cleanID(string(note[from : from+n]))
	}
	return cleanID(string(value[:n]))
}

// cleanID makes an id fit to compare and to show. One of zeros alone is none.
func cleanID(s string) (string, error) {
	s = cleanName(s)
	if len(s) > maxID {
		return "", fmt.Errorf("id of %d bytes: %w", len(s), errTooLarge)
	}
	if strings.Contains(s, " ") {
		return "", errors.New("an id with spaces")
	}
	if strings.Trim(s, "0-{}") == "" {
		return "", nil
	}
	return s, nil
}
