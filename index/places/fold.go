package places

import (
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold is what is alike in a name however it is written: small letters without
// accents, words with one space between. Marks outside of the block Combining
// Diacritical Marks are kept: in Devanagari or Thai they are the vowels.
func fold(s string) string { return string(new(folder).fold(s)) }

// folder folds one name after another in the same memory.
type folder struct{ in, out []byte }

// fold is valid until the next call.
func (f *folder) fold(s string) []byte {
	f.in = append(f.in[:0], s...)
	if strings.IndexFunc(s, mayDecompose) >= 0 {
		f.in = norm.NFKD.AppendString(f.in[:0], s)
	}
	b := f.out[:0]
	space := false
	for i := 0; i < len(f.in); {
		r, n := rune(f.in[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(f.in[i:])
		}
		i += n
		switch {
		case r >= 0x300 && r <= 0x36f, r == '\'', r == '.', r == '’', r == 'ʻ', r == '`', r == 'ʼ':
			continue
		case r == ' ', r == '-', mayDecompose(r) && (unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)):
			space = true
			continue
		}
		if space && len(b) > 0 {
			b = append(b, ' ')
		}
		space = false
		switch {
		case r >= 'A' && r <= 'Z':
			b = append(b, byte(r)+'a'-'A')
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		case r >= 'А' && r <= 'Я': // Cyrillic
			b = utf8.AppendRune(b, r+'а'-'А')
		case !mayDecompose(r):
			b = append(b, f.in[i-n:i]...)
		default:
			b = appendPlain(b, unicode.ToLower(r))
		}
	}
	f.out = b
	return b
}

// mayDecompose is false of ASCII and of the letters that are whole and the most
// frequent ones beyond it, Cyrillic and Chinese, as there are millions of names.
func mayDecompose(r rune) bool {
	switch {
	case r < utf8.RuneSelf, r >= 0x4e00 && r <= 0x9fff:
		return false
	case r >= 0x410 && r <= 0x44f:
		return r == 'Й' || r == 'й'
	}
	return true
}

// appendPlain appends a small letter as it is written where it is not on the keyboard.
func appendPlain(b []byte, r rune) []byte {
	switch r {
	case 'ß':
		return append(b, "ss"...)
	case 'æ':
		return append(b, "ae"...)
	case 'œ':
		return append(b, "oe"...)
	case 'ø':
		return append(b, 'o')
	case 'đ', 'ð':
		return append(b, 'd')
	case 'þ':
		return append(b, "th"...)
	case 'ł':
		return append(b, 'l')
	case 'ı':
		return append(b, 'i')
	case 'ħ':
		return append(b, 'h')
	case 'ς':
		r = 'σ'
	}
	return utf8.AppendRune(b, r)
}

// lower is a name with its accents, in one way of writing them.
func lower(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// hash is short: what has it is compared as a whole.
func hash(folded []byte) uint32 { return crc32.ChecksumIEEE(folded) }
