package heic_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/heic"
)

// sized lists photos of testdata and their upright sizes.
func sized() map[string][2]int {
	return map[string][2]int{
		"plain.heic": {256, 192}, "irot90.heic": {192, 256}, "imir1irot90.heic": {192, 256},
		"grid.heic": {190, 250}, "deep.heic": {256, 192},
	}
}

// account indexes the photos and returns them by path, and what decoded them.
func account(t *testing.T, cfg index.Config) (map[string]index.Photo, map[string]int) {
	t.Helper()
	cfg.Analyzer = facetest.NewAnalyzer()
	acc, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "account.kith"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := acc.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := acc.SetConsent(t.Context(), index.Consent{Given: true, By: "anna", Version: "1", Means: "test"}); err != nil {
		t.Fatal(err)
	}
	src := fstest.MapFS{}
	for name := range sized() {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		src[name] = &fstest.MapFile{Data: b}
	}
	rep, err := acc.Reindex(t.Context(), src, index.ReindexOptions{})
	if err != nil {
		t.Fatal(err)
	}
	photos := map[string]index.Photo{}
	for p, err := range acc.Photos(t.Context(), index.PhotoQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		photos[p.Path] = p
	}
	return photos, rep.Decoders
}

// TestAccount: an account indexes HEIC by the plug-in, upright.
func TestAccount(t *testing.T) {
	d := heic.New(heic.Options{})
	photos, by := account(t, index.Config{Decoders: []index.Decoder{d}})
	if want := map[string]int{d.Name(): len(sized())}; !maps.Equal(by, want) {
		t.Errorf("decoded by %v, want %v", by, want)
	}
	for name, size := range sized() {
		if p := photos[name]; p.Status != "ok" || p.Width != size[0] || p.Height != size[1] {
			t.Errorf("%s: %s, %d x %d, want %d x %d; %s", name, p.Status, p.Width, p.Height, size[0], size[1], p.Error)
		}
	}
}

// TestAccountMemory: a photo that needs more than the account's memory is
// refused with the numbers.
func TestAccountMemory(t *testing.T) {
	photos, by := account(t, index.Config{Decoders: []index.Decoder{heic.New(heic.Options{})}, MaxMemory: 1 << 20})
	if len(by) != 0 {
		t.Errorf("decoded by %v", by)
	}
	for _, name := range slices.Sorted(maps.Keys(sized())) {
		p := photos[name]
		if p.Status != "failed" || !strings.Contains(p.Error, index.ErrTooLarge.Error()) || !strings.Contains(p.Error, "it needs") || !strings.Contains(p.Error, "photos is 1") {
			t.Errorf("%s: %s, %s", name, p.Status, p.Error)
		}
	}
}
