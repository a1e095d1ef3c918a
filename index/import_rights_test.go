package index_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// keys is a store.KeyProvider that keeps one key in memory.
type keys []byte

func newKeys() keys {
	k := make(keys, 32)
	_, _ = rand.Read(k) // never fails
	return k
}

func (k keys) DataKey(context.Context, string, bool) ([]byte, error) { return bytes.Clone(k), nil }
func (k keys) DestroyKey(context.Context, string) error              { clear(k); return nil }

var _ store.KeyProvider = keys{}

// From a plain account into a sealed one and back: the same account, and no
// name in the sealed one's files.
func TestImportSealed(t *testing.T) {
	src := crowd(60, 6)
	acc := chronicled(t, src)
	named(t, acc, personOf(t, acc, "c/alone.jpg", 0), "Theophrastus")
	opt := index.ExportOptions{Embeddings: true}
	text := exportText(t, acc, opt)
	path := filepath.Join(t.TempDir(), "sealed.kith")
	cfg := withScenes(index.Config{Keys: newKeys()})
	sealed := must1[*index.Account](t)(index.Open(t.Context(), path, cfg))
	must(t, sealed.SetConsent(t.Context(), yes))
	importOf(t, sealed, text, index.ImportOptions{})
	wantSame(t, "the sealed account", normal(t, exportText(t, sealed, opt), false), normal(t, text, false))
	closeChecked(t, sealed)
	for _, name := range must1[[]string](t)(filepath.Glob(path + "*")) {
		if b := must1[[]byte](t)(os.ReadFile(name)); bytes.Contains(b, []byte("Theophrastus")) || bytes.Contains(b, []byte("00/000.jpg")) {
			t.Errorf("%s tells of people", filepath.Base(name))
		}
	}
	sealed = openAt(t, path, cfg)
	plain := newAccount(t, index.Config{})
	importOf(t, plain, exportText(t, sealed, opt), index.ImportOptions{})
	wantSame(t, "the plain account", normal(t, exportText(t, plain, opt), false), normal(t, text, false))
}

// Corrections come along, and undoing one shows again what the file says.
func TestImportCorrections(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := newFiles(map[string][]byte{"1.jpg": stamped("2023:07:14 18:30:05", "+05:30"), "2.jpg": stamped("2023:07:15 18:30:05", "")})
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true})
	was := photoOf(t, acc, "1.jpg")
	at := exif.Time{Wall: start, Offset: -3 * time.Hour, Zone: exif.ZoneOffset}
	place := &exif.GPS{Lat: 47.5, Lon: -8.25}
	undo := must1[index.DecisionID](t)(acc.CorrectTime(t.Context(), was.ID, at))
	must1[index.DecisionID](t)(acc.CorrectPlace(t.Context(), was.ID, place))
	must1[index.DecisionID](t)(acc.CorrectTime(t.Context(), photoOf(t, acc, "2.jpg").ID, exif.Time{}))
	text := exportText(t, acc, index.ExportOptions{})

	moved := newFiles(map[string][]byte{"new/1.jpg": src.get("1.jpg").data, "2.jpg": src.get("2.jpg").data})
	for _, known := range []bool{false, true} {
		other, path := newAccount(t, index.Config{}), "1.jpg"
		if known {
			reindex(t, other, moved, index.ReindexOptions{NoFaces: true})
			path = "new/1.jpg"
		}
		importOf(t, other, text, index.ImportOptions{})
		got := photoOf(t, other, path)
		if got.Taken != at || *got.GPS != *place || !got.Corrected || !photoOf(t, other, "2.jpg").Taken.IsZero() {
			t.Errorf("known %t: %+v", known, got)
		}
		must(t, other.Undo(t.Context(), undo))
		if got := photoOf(t, other, path); got.Taken != was.Taken || *got.GPS != *place {
			t.Errorf("known %t, undone: %+v", known, got)
		}
		// What somebody said here stays.
		must1[index.DecisionID](t)(other.CorrectTime(t.Context(), photoOf(t, other, "2.jpg").ID, at))
		rep := importOf(t, other, renamed(text), index.ImportOptions{})
		if got := photoOf(t, other, "2.jpg"); got.Taken != at || len(rep.Conflicts) != 2 {
			t.Errorf("known %t: %+v, %+v", known, got.Taken, rep)
		}
	}
}

// renamed puts a letter before all ids of an export without faces.
func renamed(text []byte) []byte {
	for _, member := range []string{"id", "parent", "moment", "place"} {
		text = bytes.ReplaceAll(text, []byte(`"`+member+`":"`), []byte(`"`+member+`":"x`))
	}
	return text
}

// What was erased on request does not come back by an older export.
func TestImportAfterErasure(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	anna, bert, cara := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0), personOf(t, acc, "b/6.jpg", 0)
	named(t, acc, anna, "Anna")
	named(t, acc, bert, "Bert")
	must1[index.DecisionID](t)(acc.Different(t.Context(), anna, bert))
	text := exportText(t, acc, index.ExportOptions{Embeddings: true})
	must1[index.Receipt](t)(acc.ErasePerson(t.Context(), anna))
	must1[index.Receipt](t)(acc.ErasePhotos(t.Context(), photoOf(t, acc, "b/6.jpg").ID))
	for _, opt := range []index.ImportOptions{{}, {Photos: true}} {
		rep := importOf(t, acc, text, opt)
		// Three faces of hers, b/6.jpg and its face.
		if rep.Erased != 5 || rep.Photos != 0 {
			t.Errorf("%+v", rep)
		}
		wantPartition(t, acc, "Bert a/1.jpg#0 a/3.jpg#0 b/5.jpg#0", "a/2.jpg#0 a/3.jpg#1")
		now := string(exportText(t, acc, index.ExportOptions{}))
		for _, gone := range []string{"Anna", string(anna), "b/6.jpg"} {
			if strings.Contains(now, gone) {
				t.Errorf("%s is back", gone)
			}
		}
	}
	if personOf(t, acc, "a/2.jpg", 0) != cara {
		t.Error("the third person has another id")
	}
}

// Where people's own consent is asked for, names come with it and not with an
// export.
func TestImportPersonConsent(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	anna, bert := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0)
	text := exportText(t, acc, index.ExportOptions{Embeddings: true})
	named(t, acc, anna, "Anna")
	named(t, acc, bert, "Bert")
	careful := newAccount(t, index.Config{PersonConsent: true})
	importOf(t, careful, text, index.ImportOptions{})
	must(t, careful.SetConsent(t.Context(), index.Consent{Given: true, Person: anna, By: "anna", Version: "1", Means: "test"}))
	rep := importOf(t, careful, exportText(t, acc, index.ExportOptions{}), index.ImportOptions{})
	if rep.Withheld != 1 {
		t.Errorf("%+v", rep)
	}
	wantPartition(t, careful, "Anna "+familyPeople[0], familyPeople[1], familyPeople[2])
	src.put("b/5.jpg.xmp", marked(t, 0, 0, "Bert"))
	regions, _ := importRegions(t, careful, src)
	if regions.Withheld != 1 || regions.Assigned != 0 {
		t.Errorf("%+v", regions)
	}
}

func TestImportStates(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	text := exportText(t, acc, index.ExportOptions{})
	must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
	_, err := acc.Import(t.Context(), fsOf(text), index.ImportOptions{})
	wantErr(t, "restricted", err, index.ErrRestricted)
	_, err = acc.ImportRegions(t.Context(), src, index.RegionOptions{})
	wantErr(t, "regions of a restricted account", err, index.ErrRestricted)
	var b bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &b, index.ExportOptions{Originals: src})) // which its owner may have at any time
	must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	importOf(t, acc, text, index.ImportOptions{})
	audit := all(t, acc.Audit(t.Context()))
	if !slices.ContainsFunc(audit, func(e index.AuditEntry) bool { return e.Action == "import" }) {
		t.Error("the audit has no import")
	}
	must1[index.AuditEntry](t)(acc.Delete(t.Context()))
	_, err = acc.Import(t.Context(), fsOf(text), index.ImportOptions{})
	wantErr(t, "deleted", err, index.ErrDeleted)
	must(t, acc.ExportDir(t.Context(), filepath.Join(t.TempDir(), "out"), index.ExportOptions{Originals: src}))
}
