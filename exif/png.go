package exif

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// png walks the chunks (PNG third edition, 5.3) and takes eXIf, the XMP in
// iTXt, and the text form in which ImageMagick kept both before eXIf came.
func (f *file) png() {
	budget := maxBlock // bytes that may still be decompressed
	for p := len(pngSignature); len(f.data)-p >= 8; {
		n := uint64(binary.BigEndian.Uint32(f.data[p:]))
		kind := string(f.data[p+4 : p+8])
		body := f.data[p+8:]
		whole := n <= uint64(len(body))
		if whole {
			body = body[:n]
		}
		switch kind {
		case "IEND":
			return
		case "eXIf":
			if !f.addExif(body) {
				f.fault("chunk eXIf", errNotTIFF)
			}
		case "tEXt", "zTXt", "iTXt":
			if err := f.pngText(kind, body, &budget); err != nil {
				f.fault("chunk "+kind, err)
			}
		}
		if !whole {
			if kind != "IDAT" {
				f.fault(fmt.Sprintf("chunk %q", kind), errCut)
			}
			return
		}
		p += 8 + int(n) + 4 // length and type, body, CRC
	}
}

// pngText takes a text chunk that holds EXIF or XMP, and passes by others.
func (f *file) pngText(kind string, b []byte, budget *int) error {
	key, text, ok := bytes.Cut(b, []byte{0})
	if !ok {
		return nil
	}
	var isRaw, isXMP bool
	switch string(key) {
	case "Raw profile type exif", "Raw profile type APP1", "Raw profile type xmp":
		isRaw = true
	case "XML:com.adobe.xmp":
		isXMP = true
	}
	if !isRaw && !isXMP {
		return nil
	}
	deflated := false
	switch kind {
	case "zTXt": // compression method, text
		if len(text) < 1 {
			return errCut
		}
		deflated, text = true, text[1:]
	case "iTXt": // compression flag and method, language, translated key, text
		if len(text) < 2 {
			return errCut
		}
		deflated = text[0] != 0
		parts := bytes.SplitN(text[2:], []byte{0}, 3)
		if len(parts) < 3 {
			return errCut
		}
		text = parts[2]
	}
	if deflated {
		if *budget <= 0 {
			return errTooLarge
		}
		var err error
		if text, err = inflate(text, *budget); err != nil {
			*budget = 0 // what it cost is not known
			return err
		}
		*budget -= len(text)
	}
	if isXMP {
		f.addXMP(text)
		return nil
	}
	return f.rawProfile(text)
}

// inflate decompresses at most limit bytes.
func inflate(b []byte, limit int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(out) > limit {
		return nil, errTooLarge
	}
	return out, nil
}

// rawProfile takes a profile in ImageMagick's text form: an empty line, a
// name, a length in decimal, and the bytes in hexadecimal over many lines.
func (f *file) rawProfile(text []byte) error {
	if len(text) > maxBlock {
		return errTooLarge
	}
	text = bytes.TrimSpace(text)
	_, text, _ = bytes.Cut(text, []byte{'\n'})                    // the name
	_, text, ok := bytes.Cut(bytes.TrimSpace(text), []byte{'\n'}) // the length
	if !ok {
		return errCut
	}
	b := bytes.ReplaceAll(text, []byte{'\n'}, nil)
	n, err := hex.Decode(b, b)
	if err != nil {
		return err
	}
	b = b[:n]
	if at := bytes.Index(b, []byte("<x:xmpmeta")); at >= 0 && !bytes.HasPrefix(b, []byte("Exif\x00")) {
		f.addXMP(b[at:])
		return nil
	}
	if !f.addExif(b) {
		return errNotTIFF
	}
	return nil
}
