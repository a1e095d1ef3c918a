package format

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	for head, want := range map[string]string{
		"":                                   "",
		"a text about photos":                "",
		"\xff\xd8\xff\xe0\x00\x10JFIF\x00":   "",
		"\x89PNG\r\n\x1a\n":                  "",
		"II*\x00\x08\x00\x00\x00":            "",
		"RIFF\x00\x01\x00\x00WEBPVP8 ":       "",
		"\x00\x00\x00\x18ftypheic":           "HEIC",
		"\x00\x00\x00\x18ftyphevc":           "HEIC",
		"\x00\x00\x00\x18ftypmif1":           "HEIF",
		"\x00\x00\x00\x18ftypavif":           "AVIF",
		"\x00\x00\x00\x0cJXL \r\n\x87\n":     "JPEG XL",
		"\xff\x0a\xfa\x1f":                   "JPEG XL",
		"\x00\x00\x00\x0cjP  \r\n\x87\n":     "JPEG 2000",
		"II\x1a\x00\x00\x00HEAPCCDR\x02":     "Canon CRW",
		"FOVb\x03\x00\x02\x00":               "Sigma X3F",
		"\x00MRM\x00\x02":                    "Minolta MRW",
		"8BPS\x00\x01\x00\x00":               "Photoshop PSD",
		"\x00\x00\x01\x00\x02\x00":           "ICO",
		"%PDF-1.7\n":                         "PDF",
		"\x00\x00\x00\x20ftypisom":           "MP4 video",
		"\x00\x00\x00\x1cftypiso5":           "MP4 video",
		"\x00\x00\x00\x14ftypqt  ":           "QuickTime video",
		"\x00\x00\x00\x14ftypnew!":           "ISO media",
		"RIFF\x00\x01\x00\x00AVI LIST":       "AVI video",
		"\x1aE\xdf\xa3\x01\x00":              "Matroska video",
		"<svg xmlns=\"...\">":                "SVG",
		"\xef\xbb\xbf \n<?XML ?>\n<SVG>":     "SVG",
		"<?xml version=\"1.0\"?><note/>":     "XML",
		"<!DOCTYPE html><p>404 <svg>":        "HTML",
		"<!DOCTYPE svg PUBLIC":               "SVG",
		"<!-- a drawing --><svg>":            "SVG",
		"<!-- a comment -->":                 "",
		"<x:xmpmeta>":                        "XMP",
		"\x00\x05\x16\x07\x00\x02\x00\x00":   "AppleDouble (macOS keeps attributes in it)",
		strings.Repeat("\x00", 512):          "zeros",
		strings.Repeat("\x00", 63):           "",
		strings.Repeat("\x00", 128) + "DICM": "DICOM",
		"\x00\x00\x00\x10G" + strings.Repeat("x", 191) + "G" + strings.Repeat("x", 191) + "G": "AVCHD video",
	} {
		if got := Name([]byte(head)); got != want {
			t.Errorf("%.20q is named %q, want %q", head, got, want)
		}
		// What is behind the head does not matter.
		long := slices.Concat([]byte(head), bytes.Repeat([]byte{'.'}, HeadLen))
		more := append(bytes.Clone(long), "<svg"...)
		if Name(long) != Name(more) {
			t.Errorf("%.20q: %q, with more behind the head %q", head, Name(long), Name(more))
		}
	}
}

// TestTable: every entry can be met, is met by its own magic, and fits in the head.
func TestTable(t *testing.T) {
	for _, s := range signatures() {
		head := strings.ReplaceAll(s.magic, "?", "\x7f")
		if s.magic[0] == '<' {
			head = s.magic // a question mark is one there
		}
		if got := Name([]byte(head + s.within)); got != s.name {
			t.Errorf("%q is named %q, want %q", s.magic, got, s.name)
		}
		if s.name == "" || len(s.magic) < 2 || len(s.magic) > HeadLen || strings.ToLower(s.magic) != s.magic && s.magic[0] == '<' {
			t.Errorf("entry %+v", s)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Fuzz(func(t *testing.T, head []byte) {
		before := bytes.Clone(head)
		name := Name(head)
		if name != "" && !slices.ContainsFunc(signatures(), func(s signature) bool { return s.name == name }) {
			t.Errorf("%q", name)
		}
		if !bytes.Equal(head, before) {
			t.Error("the head was changed")
		}
	})
}
