package raw

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

//go:generate go run testdata/golden.go ../../../../shared/albums/exif testdata/exiftool.json

// golden is what exiftool found in one RAW file; see testdata/golden.go.
type golden struct {
	Path, SHA256, Type string
	JPEGs              map[string]struct {
		Start, Length int
		SHA256        string
	}
}

// albums is the folder of photos that the goldens were made from. It is not
// part of the project: KITH_ALBUMS or a folder beside the checkout has it.
func albums(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "shared", "albums")
	if env := os.Getenv("KITH_ALBUMS"); env != "" {
		dir = env
	}
	dir = filepath.Join(dir, "exif")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no photos to compare with exiftool: %v (set KITH_ALBUMS)", err)
	}
	return dir
}

func goldens(t *testing.T) map[string]golden {
	t.Helper()
	b, err := os.ReadFile("testdata/exiftool.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]golden)
	for _, g := range all {
		out[g.Path] = g
	}
	if len(out) == 0 {
		t.Fatal("no goldens")
	}
	return out
}

// TestGolden: of all files of the album, those are RAW files that exiftool
// takes for one, and the JPEG is the one that exiftool takes out. Most of
// these files are the first part of a photo only: where exiftool says that a
// JPEG is behind their end, one is put there, and must be found.
func TestGolden(t *testing.T) {
	dir := albums(t)
	all := goldens(t)
	met, extracted, completed, others := 0, 0, 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		p, ok, err := Find(data)
		g, listed := all[filepath.ToSlash(rel)]
		if !listed {
			others++
			if ok || err != nil {
				t.Errorf("%s is taken for %s (%v)", rel, p.Format, err)
			}
			return nil
		}
		met++
		if sum := fmt.Sprintf("%x", sha256.Sum256(data)); !strings.HasPrefix(sum, g.SHA256) {
			t.Errorf("%s is another file than when the goldens were made", rel)
			return nil
		}
		if !ok || p.Format != g.Type {
			t.Errorf("%s: format %q, exiftool has %s", rel, p.Format, g.Type)
		}
		want := ""
		for tag, img := range g.JPEGs {
			if img.SHA256 != "" {
				want = img.SHA256 // no file of the album has two of them whole
				extracted++
			}
			if end := img.Start + img.Length; end > len(data) {
				completed++
				whole := append(bytes.Clone(data), make([]byte, end-len(data))...)
				put := photo(6000, 4000)
				copy(whole[img.Start:], put)
				got, _, err := Find(whole)
				if err != nil || len(got.JPEG) != img.Length || !bytes.HasPrefix(got.JPEG, put) {
					t.Errorf("%s: %s put at %d is not found: %d bytes, %v", rel, tag, img.Start, len(got.JPEG), err)
				}
			}
		}
		switch {
		case want == "" && !errors.Is(err, ErrNoPreview):
			t.Errorf("%s: %d bytes of JPEG, %v; exiftool has none", rel, len(p.JPEG), err)
		case want != "" && fmt.Sprintf("%x", sha256.Sum256(p.JPEG)) != want:
			t.Errorf("%s: %d bytes are not exiftool's JPEG (%v)", rel, len(p.JPEG), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if met != len(all) || extracted == 0 || completed == 0 || others == 0 {
		t.Errorf("met %d of %d RAW files, %d JPEGs in them and %d behind their ends, and %d other files", met, len(all), extracted, completed, others)
	}
	t.Logf("%d RAW files, %d JPEGs in them and %d behind their ends; %d other files", met, extracted, completed, others)
}
