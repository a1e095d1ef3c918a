package raw

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The seeds in testdata/fuzz are the samples of this package's tests; with
// -write-seeds, TestSeeds writes them.
var writeSeeds = flag.Bool("write-seeds", false, "write the seeds of the fuzz target to testdata/fuzz")

// TestSeeds: the committed seeds are those that the writers build.
func TestSeeds(t *testing.T) {
	dir := filepath.Join("testdata", "fuzz", "FuzzFind")
	for _, s := range samples() {
		path := filepath.Join(dir, s.name)
		want := []byte("go test fuzz v1\n[]byte(" + strconv.Quote(string(s.file)) + ")\n")
		if *writeSeeds {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the writers build (%v): run go test -run TestSeeds -write-seeds", path, err)
		}
	}
}

// check checks what holds for every answer, whatever the bytes were.
func check(t *testing.T, data []byte) {
	t.Helper()
	p, ok, err := Find(data)
	switch {
	case !ok:
		if err != nil || p.JPEG != nil || p.Format != "" {
			t.Errorf("no RAW file, but %s, %d bytes, %v", p.Format, len(p.JPEG), err)
		}
	case p.Format == "":
		t.Error("no format")
	case err != nil:
		if !errors.Is(err, ErrNoPreview) || p.JPEG != nil {
			t.Errorf("%v beside %d bytes", err, len(p.JPEG))
		}
	default:
		w, h, err := frame(p.JPEG)
		if err != nil || w != p.Width || h != p.Height || max(w, h) < minSide || w <= 0 || h <= 0 {
			t.Errorf("%d x %d, the JPEG has %d x %d (%v)", p.Width, p.Height, w, h, err)
		}
		if !within(p.JPEG, data) || p.Orientation < 0 || p.Orientation > 1 {
			t.Errorf("%d bytes, orientation %d", len(p.JPEG), p.Orientation)
		}
	}
}

// within reports whether part is a slice of the array under whole.
func within(part, whole []byte) bool {
	for i := range whole {
		if &whole[i] == &part[0] {
			return len(part) <= len(whole)-i
		}
	}
	return false
}

func FuzzFind(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		start := time.Now()
		check(t, data)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v for %d bytes", took, len(data))
		}
		if !bytes.Equal(data, before) {
			t.Error("the file was changed")
		}
	})
}

func BenchmarkFind(b *testing.B) {
	for _, s := range samples() {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Find(s.file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
