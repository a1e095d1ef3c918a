package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
)

// entry is one entry of an archive as a test makes it.
type entry struct {
	name  string
	data  string
	alter func(*zip.FileHeader)
	raw   bool // data is what lies in the archive, whatever the header claims
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.alter != nil {
			e.alter(h)
		}
		create := z.CreateHeader
		if e.raw {
			create = z.CreateRaw
		}
		w, err := create(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte, lim Limits) (fs.FS, error) {
	return Open(bytes.NewReader(b), int64(len(b)), lim)
}

func TestOpen(t *testing.T) {
	b := archive(t, entry{name: "export.json", data: "{}"}, entry{name: "sidecars/"}, entry{name: "sidecars/ä/1.jpg.xmp", data: "x"},
		entry{name: "crops/1.jpg", data: strings.Repeat("x", 1000), alter: func(h *zip.FileHeader) { h.Method = zip.Store }})
	fsys, err := open(b, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"export.json": "{}", "sidecars/ä/1.jpg.xmp": "x", "crops/1.jpg": strings.Repeat("x", 1000)} {
		if got, err := fs.ReadFile(fsys, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	ok := entry{name: "export.json", data: "{}"}
	named := func(name string) []entry { return []entry{ok, {name: name}} }
	altered := func(f func(*zip.FileHeader)) []entry { return []entry{ok, {name: "a", data: "b", alter: f}} }
	for _, c := range []struct {
		what    string
		entries []entry
		want    error
	}{
		{"a path upwards", named("../a"), ErrName},
		{"a path upwards further down", named("a/../../b"), ErrName},
		{"an absolute path", named("/etc/passwd"), ErrName},
		{"a backslash", named(`a\..\b`), ErrName},
		{"a drive", named("C:a"), ErrName},
		{"a stream", named("a:b"), ErrName},
		{"a NUL byte", named("a\x00.json"), ErrName},
		{"an empty name", named(""), ErrName},
		{"the root itself", named("./"), ErrName},
		{"a dot", named("./a"), ErrName},
		{"two slashes", named("a//b"), ErrName},
		{"no UTF-8", named("a\xff"), ErrName},
		{"a name twice", named("export.json"), ErrTwice},
		{"a file that is a folder", []entry{{name: "a"}, {name: "a/b"}}, ErrTwice},
		{"a folder that is a file", []entry{{name: "a/b"}, {name: "a"}}, ErrTwice},
		{"a folder's entry that is a file's", []entry{{name: "a/"}, {name: "a"}}, ErrTwice},
		{"a link", altered(func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }), ErrLink},
		{"a device", altered(func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o666) }), ErrLink},
		{"a pipe", altered(func(h *zip.FileHeader) { h.SetMode(fs.ModeNamedPipe | 0o666) }), ErrLink},
		{"a file that says it is a folder", altered(func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o700) }), ErrLink},
		{"an encrypted file", altered(func(h *zip.FileHeader) { h.Flags |= 0x1 }), ErrEncrypted},
		{"a strongly encrypted file", altered(func(h *zip.FileHeader) { h.Flags |= 0x40 }), ErrEncrypted},
		{"another method", []entry{ok, {name: "a", data: "x", raw: true, alter: func(h *zip.FileHeader) { h.Method = 99 }}}, ErrMethod},
		{"a bomb", []entry{{name: "export.json", data: strings.Repeat("0", 8<<20)}}, ErrTooLarge},
		{"many small bombs", func() (es []entry) {
			for i := range 40 {
				es = append(es, entry{name: strings.Repeat("a", i+1), data: strings.Repeat("0", 1<<20)})
			}
			return es
		}(), ErrTooLarge},
		{"a size beyond all", []entry{{name: "a", data: "x", raw: true, alter: func(h *zip.FileHeader) {
			h.Method, h.UncompressedSize64, h.CompressedSize64 = zip.Deflate, 1<<60, 1<<59
		}}}, ErrTooLarge},
		{"too many entries", func() (es []entry) {
			for i := range 60 {
				es = append(es, entry{name: strings.Repeat("a", i+1)})
			}
			return es
		}(), ErrTooLarge},
	} {
		t.Run(c.what, func(t *testing.T) {
			lim := DefaultLimits()
			lim.Entries = 50
			_, err := open(archive(t, c.entries...), lim)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// The list of entries is not read beyond its limit, whatever the archive says.
func TestOpenLargeDirectory(t *testing.T) {
	var es []entry
	for i := range 1000 {
		es = append(es, entry{name: strings.Repeat("a", 1+i)})
	}
	b := archive(t, es...)
	lim := DefaultLimits()
	if _, err := open(b, lim); err != nil {
		t.Fatal(err)
	}
	lim.Directory = 100 << 10
	if _, err := open(b, lim); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestOpenDamaged(t *testing.T) {
	b := archive(t, entry{name: "export.json", data: "{}"})
	for n := range len(b) {
		if _, err := open(b[:n], DefaultLimits()); !errors.Is(err, ErrNoZIP) {
			t.Errorf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	// What is longer than it says does not come through.
	long := archive(t, entry{name: "a", data: "xyz", raw: true, alter: func(h *zip.FileHeader) {
		h.Method, h.UncompressedSize64, h.CompressedSize64 = zip.Store, 2, 3
	}})
	fsys, err := open(long, DefaultLimits())
	if err == nil {
		_, err = fs.ReadFile(fsys, "a")
	}
	if err == nil {
		t.Error("a file of three bytes that says two was read")
	}
}

func FuzzOpen(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := DefaultLimits()
		lim.Slack = 1 << 16
		fsys, err := open(b, lim)
		if err != nil {
			return
		}
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") || d.Type()&^fs.ModeDir != 0 {
				t.Errorf("%q of mode %v", name, d.Type())
			}
			if d.IsDir() {
				return nil
			}
			file, err := fsys.Open(name)
			if err != nil {
				return nil
			}
			defer func() { _ = file.Close() }()
			if n, _ := io.Copy(io.Discard, file); n > int64(200*len(b)+1<<16) {
				t.Errorf("%q: %d bytes out of an archive of %d", name, n, len(b))
			}
			return nil
		})
	})
}
