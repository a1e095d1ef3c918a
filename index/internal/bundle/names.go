package bundle

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// maxElement is how long, in bytes, one element of a name may be, before what
// is added to make it different: most file systems take 255.
const maxElement = 200

// Names gives files names that every file system takes: relative, of valid
// UTF-8, without what Windows refuses, and different even where upper and lower
// case are not told apart. The zero value is ready.
type Names struct {
	folder map[string]bool // names in lower case; whether it is a folder
}

// For is the name of a file that stands for what lies at p, with ext behind it.
// If p is not valid UTF-8 it goes by fallback, which must be fit as it is.
func (n *Names) For(p, fallback, ext string) string {
	if n.folder == nil {
		n.folder = map[string]bool{}
	}
	name := fallback
	if utf8.ValidString(p) && p != "" {
		name = Clean(p)
	}
	if n.inFile(name) { // one of its folders has the name of a file
		name = fallback
	}
	for i := 1; ; i++ {
		try := name + ext
		if i > 1 {
			try = fmt.Sprintf("%s (%d)%s", name, i, ext)
		}
		if _, taken := n.folder[strings.ToLower(try)]; !taken && !n.inFile(try) {
			n.take(try)
			return try
		}
	}
}

// inFile reports whether a folder of a name is a file.
func (n *Names) inFile(name string) bool {
	for dir := path.Dir(strings.ToLower(name)); dir != "."; dir = path.Dir(dir) {
		if folder, taken := n.folder[dir]; taken && !folder {
			return true
		}
	}
	return false
}

func (n *Names) take(name string) {
	name = strings.ToLower(name)
	n.folder[name] = false
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		n.folder[dir] = true
	}
}

// Clean makes a path of valid UTF-8 one that every file system takes, by
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file: "_" for
// control characters and <>:"\|?*, for dots and spaces at an element's end, and
// before a device's name. It never is absolute or leads upwards.
func Clean(p string) string {
	var out []string
	for e := range strings.SplitSeq(p, "/") {
		if e != "" {
			out = append(out, cleanElement(e))
		}
	}
	if len(out) == 0 {
		return "_"
	}
	return strings.Join(out, "/")
}

func cleanElement(e string) string {
	e = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || strings.ContainsRune(`<>:"\|?*`, r) {
			return '_'
		}
		return r
	}, e)
	for len(e) > maxElement {
		_, size := utf8.DecodeLastRuneInString(e)
		e = e[:len(e)-size]
	}
	if kept := strings.TrimRight(e, ". "); kept != e {
		e = kept + "_"
	}
	stem, _, _ := strings.Cut(strings.ToUpper(e), ".")
	switch stem = strings.TrimRight(stem, " "); {
	case stem == "CON", stem == "PRN", stem == "AUX", stem == "NUL",
		len(stem) >= 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && strings.Contains("0123456789¹²³", stem[3:]):
		e = "_" + e
	}
	return e
}
