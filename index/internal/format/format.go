// Package format names files by their first bytes, for reports.
//
// Its table has what is found in photo folders and is no photo that kith
// reads by itself. It says what a file claims to be, not that it is sound.
package format

import (
	"bytes"
	"strings"
)

// HeadLen is how much of a file Name looks at, in bytes.
const HeadLen = 512

// signature is how a format begins.
type signature struct {
	name   string
	magic  string // '?' stands for any byte
	within string // for markup: what else is in the head
}

// signatures lists the formats; the first that matches counts. Those of
// markup begin with '<' and are compared in lower case, behind white space.
func signatures() []signature {
	return []signature{
		// Still pictures.
		{name: "HEIC", magic: "????ftyphei"},
		{name: "HEIC", magic: "????ftyphev"},
		{name: "HEIF", magic: "????ftypmif1"},
		{name: "HEIF", magic: "????ftypmsf1"},
		{name: "AVIF", magic: "????ftypavi"},
		{name: "JPEG XL", magic: "\x00\x00\x00\x0cJXL "},
		{name: "JPEG XL", magic: "\xff\x0a"},
		{name: "JPEG 2000", magic: "\x00\x00\x00\x0cjP  "},
		{name: "JPEG 2000", magic: "\xff\x4f\xff\x51"},
		{name: "JPEG XR", magic: "II\xbc"},
		{name: "BigTIFF", magic: "II+\x00"},
		{name: "BigTIFF", magic: "MM\x00+"},
		{name: "Canon CRW", magic: "II????HEAPCCDR"},
		{name: "Sigma X3F", magic: "FOVb"},
		{name: "Minolta MRW", magic: "\x00MRM"},
		{name: "Photoshop PSD", magic: "8BPS\x00\x01"},
		{name: "Photoshop PSB", magic: "8BPS\x00\x02"},
		{name: "GIMP XCF", magic: "gimp xcf"},
		{name: "OpenEXR", magic: "v/1\x01"},
		{name: "Radiance HDR", magic: "#?RADIANCE"},
		{name: "DICOM", magic: strings.Repeat("?", 128) + "DICM"},
		{name: "ICO", magic: "\x00\x00\x01\x00"},
		{name: "Apple icon", magic: "icns"},
		{name: "DDS", magic: "DDS "},
		{name: "QOI", magic: "qoif"},
		{name: "BPG", magic: "BPG\xfb"},
		{name: "DjVu", magic: "AT&TFORM"},
		{name: "PNM", magic: "P4\n"},
		{name: "PNM", magic: "P5\n"},
		{name: "PNM", magic: "P6\n"},

		// Documents and archives.
		{name: "PDF", magic: "%PDF-"},
		{name: "PostScript", magic: "%!PS"},
		{name: "HTML", magic: "<!doctype html"},
		{name: "HTML", magic: "<html"},
		{name: "SVG", magic: "<svg"},
		{name: "SVG", magic: "<!doctype svg"},
		{name: "SVG", magic: "<?xml", within: "<svg"},
		{name: "SVG", magic: "<!--", within: "<svg"},
		{name: "XMP", magic: "<x:xmpmeta"},
		{name: "XMP", magic: "<?xpacket"},
		{name: "XML", magic: "<?xml"},
		{name: "ZIP", magic: "PK\x03\x04"},
		{name: "gzip", magic: "\x1f\x8b\x08"},

		// Films and sound. The brands of ISO media come after those above.
		{name: "QuickTime video", magic: "????ftypqt  "},
		{name: "QuickTime video", magic: "\x00???moov"},
		{name: "QuickTime video", magic: "????mdat"},
		{name: "QuickTime video", magic: "\x00\x00??wide"},
		{name: "QuickTime video", magic: "\x00\x00??free"},
		{name: "3GP video", magic: "????ftyp3g"},
		{name: "MPEG-4 audio", magic: "????ftypM4A "},
		{name: "MP4 video", magic: "????ftypisom"},
		{name: "MP4 video", magic: "????ftypiso"},
		{name: "MP4 video", magic: "????ftypmp4"},
		{name: "MP4 video", magic: "????ftypM4V"},
		{name: "MP4 video", magic: "????ftypavc1"},
		{name: "MP4 video", magic: "????ftypMSNV"},
		{name: "MP4 video", magic: "????ftypXAVC"},
		{name: "ISO media", magic: "????ftyp"},
		{name: "AVI video", magic: "RIFF????AVI "},
		{name: "WAV audio", magic: "RIFF????WAVE"},
		{name: "Matroska video", magic: "\x1aE\xdf\xa3"},
		{name: "MPEG video", magic: "\x00\x00\x01\xba"},
		{name: "MPEG video", magic: "\x00\x00\x01\xb3"},
		{name: "AVCHD video", magic: "????G" + strings.Repeat("?", 191) + "G" + strings.Repeat("?", 191) + "G"},
		{name: "Windows Media", magic: "0&\xb2u\x8ef\xcf\x11"},
		{name: "Flash video", magic: "FLV\x01"},
		{name: "MP3 audio", magic: "ID3"},

		// What stands under a photo's name and never was one.
		{name: "AppleDouble (macOS keeps attributes in it)", magic: "\x00\x05\x16\x07"},
		{name: "Git LFS pointer", magic: "version https://git-lfs"},
		{name: "zeros", magic: strings.Repeat("\x00", 64)},
	}
}

// Name is what a file that starts with head is, empty where it is unknown.
// The head is the first HeadLen bytes, or all of a smaller file.
func Name(head []byte) string {
	head = head[:min(len(head), HeadLen)]
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	for _, s := range signatures() {
		b := head
		if s.magic[0] == '<' {
			b = text
		}
		if begins(b, s.magic) && bytes.Contains(b, []byte(s.within)) {
			return s.name
		}
	}
	return ""
}

func begins(b []byte, magic string) bool {
	if len(b) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != b[i] {
			return false
		}
	}
	return true
}
