package bundle

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	var n Names
	long := strings.Repeat("ä", 150)
	for _, c := range []struct{ path, want string }{
		{"a/b.jpg", "a/b.jpg.xmp"},
		{"A/B.JPG", "A/B.JPG (2).xmp"}, // one file where case does not count
		{"a/b.jpg.", "a/b.jpg_.xmp"},
		{"a/b.jpg_", "a/b.jpg_ (2).xmp"},
		{"a:b?*<>|\"\\\x01\x7f\u0085.jpg", "a_b__________.jpg.xmp"},
		{"../../etc/passwd", "_/_/etc/passwd.xmp"},
		{"/abs", "abs.xmp"},
		{"a/./b", "a/_/b.xmp"},
		{"CON", "_CON.xmp"},
		{"x/nul.tar.gz", "x/_nul.tar.gz.xmp"},
		{"lpt1 .txt", "_lpt1 .txt.xmp"},
		{"com0x", "com0x.xmp"},
		{"folder ", "folder_.xmp"},
		{long, strings.Repeat("ä", 100) + ".xmp"},
		{long + "x", strings.Repeat("ä", 100) + " (2).xmp"},
		{"bad\xff", "id1.xmp"},
		{"", "id1 (2).xmp"},
		{"id1", "id1 (3).xmp"},
		{"d", "d.xmp"},
		{"d.xmp/e", "id1 (4).xmp"}, // d.xmp is a file
		{"f.xmp/g", "f.xmp/g.xmp"},
		{"f", "f (2).xmp"}, // f.xmp is a folder
		{"///", "_.xmp"},
		{"Ünï/Кот 😀.jpg", "Ünï/Кот 😀.jpg.xmp"},
	} {
		if got := n.For(c.path, "id1", ".xmp"); got != c.want {
			t.Errorf("%q: %q, want %q", c.path, got, c.want)
		}
	}
}

// Whatever the paths: names are valid, relative, safe and different, and no
// file is in the place of another's folder.
func TestNamesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n Names
		element := rapid.SampledFrom([]string{"a", "A", "a.xmp", "a.xmp (2)", "a (2)", "..", ".", "", "con", "b ", "b_", "\xff", "id", "c:\\"})
		files, folders := map[string]string{}, map[string]string{}
		for range rapid.IntRange(1, 30).Draw(t, "files") {
			p := strings.Join(rapid.SliceOfN(element, 1, 4).Draw(t, "path"), "/")
			name := n.For(p, "id", ".xmp")
			fold := strings.ToLower(name)
			if !fs.ValidPath(name) || !utf8.ValidString(name) || strings.ContainsAny(name, "\\:\x00") || !strings.HasSuffix(name, ".xmp") {
				t.Fatalf("%q: %q", p, name)
			}
			if other, ok := files[fold]; ok {
				t.Fatalf("%q and %q: %q", p, other, name)
			}
			if other, ok := folders[fold]; ok {
				t.Fatalf("%q is %q, which is a folder of %q", p, name, other)
			}
			files[fold] = p
			for dir := path.Dir(fold); dir != "."; dir = path.Dir(dir) {
				if other, ok := files[dir]; ok {
					t.Fatalf("%q is %q, in what is the file of %q", p, name, other)
				}
				folders[dir] = p
			}
		}
	})
}
