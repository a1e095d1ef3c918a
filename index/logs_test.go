package index_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image"
	"io/fs"
	"log"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/nearby"
)

// What no log may hold. The paths are taken apart, and vectors and places come
// on top of it.
const (
	secretName   = "Zacharias Quendel"
	secretOther  = "Ottilie Quendel"
	secretFolder = "Quendels Hochzeit/Standesamt"
	secretSource = "/home/quendel/Bilder"
	secretOwner  = "quendel@example.org"
	secretCamera = "Quendelflex"
	secretLat    = 48.12541666
	secretLon    = 11.57549
)

// secretAlbum has photos that succeed and photos that fail in every stage.
func secretAlbum() *files {
	whole := jpegOf(image.NewRGBA(image.Rect(0, 0, 120, 80)))
	placed := slices.Concat(whole[:2], placeSegment(secretCamera, secretLat, secretLon), whole[2:])
	src := newFiles(map[string][]byte{
		"Zacharias solo.jpg": shot("solo", 1), "Zacharias lacht.jpg": shot("laughs", 1),
		"Zacharias mit Ottilie.jpg": shot("both", 1, 2), "Ottilie tanzt.jpg": shot("dances", 2),
		"Ottilie lacht.jpg": shot("laughs too", 2), "Schwiegermutter.jpg": shot("other", 3),
	})
	bad := newFiles(map[string][]byte{
		"Pleite.jpg": shot("error"), "Filmriss.jpg": shot("panic"), "Stecker gezogen.jpg": []byte("panic in the plug-in"),
		"abgeschnitten.jpg": whole[:len(whole)/2], "Telefonfoto.heic": []byte("\x00\x00\x00\x18ftypheic"),
		"Liebesbrief.png": []byte("my dear"), "leer.jpg": {}, "Riesenposter.jpg": jpegHeader(65535, 65535), "Standort.jpg": placed,
	})
	bad.set("Kratzer auf der Platte.jpg", file{data: whole, err: errDisk})
	bad.set("unlesbar.jpg", file{data: whole, info: errDisk})
	album := newFiles(nil)
	for _, part := range []*files{src, bad} {
		for _, name := range part.names() {
			album.set(secretFolder+"/"+name, part.get(name))
		}
	}
	return album
}

// placeSegment is the Exif segment of a photo by a camera at a place.
func placeSegment(camera string, lat, lon float64) []byte {
	const head, ifd0, gps = 8, 2 + 2*12 + 4, 2 + 4*12 + 4
	var ifds, values []byte
	be, at := binary.BigEndian, uint32(head+ifd0+gps)
	entry := func(tag, kind uint16, n uint32, value []byte) {
		ifds = be.AppendUint32(be.AppendUint16(be.AppendUint16(ifds, tag), kind), n)
		if len(value) > 4 {
			ifds = be.AppendUint32(ifds, at+uint32(len(values)))
			values = append(values, value...)
			return
		}
		ifds = append(ifds, append(value, 0, 0, 0, 0)[:4]...)
	}
	degrees := func(v float64) (b []byte) {
		for _, x := range []uint32{uint32(math.Round(v * 1e6)), 1e6, 0, 1, 0, 1} {
			b = be.AppendUint32(b, x)
		}
		return b
	}
	ifds = be.AppendUint16(ifds, 2)
	entry(0x010f, 2, uint32(len(camera)+1), append([]byte(camera), 0)) // Make
	entry(0x8825, 4, 1, be.AppendUint32(nil, head+ifd0))               // GPS
	ifds = be.AppendUint16(be.AppendUint32(ifds, 0), 4)
	entry(1, 2, 2, []byte("N\x00"))
	entry(2, 5, 3, degrees(lat))
	entry(3, 2, 2, []byte("E\x00"))
	entry(4, 5, 3, degrees(lon))
	ifds = be.AppendUint32(ifds, 0)
	body := slices.Concat([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"), ifds, values)
	return append(be.AppendUint16([]byte("\xff\xe1"), uint16(len(body)+2)), body...)
}

// captureLogs takes what is logged in the whole process, by whatever way.
func captureLogs(t *testing.T) *logBuffer {
	t.Helper()
	buf := &logBuffer{}
	old, flags := slog.Default(), log.Flags()
	slog.SetDefault(loggerTo(buf)) // package log writes to it then
	t.Cleanup(func() {
		slog.SetDefault(old)
		log.SetOutput(os.Stderr)
		log.SetFlags(flags)
	})
	return buf
}

// TestLogsHoldNothingPersonal does everything that an account can, and
// everything that it refuses, with a logger that takes every level.
func TestLogsHoldNothingPersonal(t *testing.T) {
	buf := captureLogs(t)
	path := filepath.Join(t.TempDir(), "quendel.kith")
	cfg := withScenes(index.Config{
		AccountID: secretOwner, Analyzer: failingEye(), Decoders: []index.Decoder{panicky{}},
		MaxBytes: 1 << 20, Logger: loggerTo(buf),
	})
	acc := must1[*index.Account](t)(index.Open(t.Context(), path, cfg))
	src := secretAlbum()
	indexSecrets(t, acc, src)
	secrets := secretsOf(t, acc)
	decideSecrets(t, acc, src)
	refuseSecrets(t, acc, src, path, cfg)
	must(t, acc.SetConsent(t.Context(), index.Consent{By: secretOwner}))
	_, err := acc.Reindex(t.Context(), src, index.ReindexOptions{})
	wantErr(t, "Reindex without consent", err, index.ErrNoConsent)
	_, err = acc.Search(t.Context(), portrait(1, 1), 3)
	wantErr(t, "Search without consent", err, index.ErrNoConsent)
	closeChecked(t, acc)
	_, err = acc.Regroup(t.Context())
	wantErr(t, "Regroup when closed", err, index.ErrClosed)

	text := buf.String()
	if leak := leaked(text, secrets); leak != "" {
		t.Errorf("%q was logged:\n%s", leak, text)
	}
	// The same search finds each of them where it was logged, by account or
	// anybody else.
	for _, s := range secrets {
		planted := &logBuffer{}
		loggerTo(planted).LogAttrs(t.Context(), slog.LevelDebug-100, "photo", slog.String("about", "x "+s+" y"))
		if leaked(planted.String(), secrets) == "" {
			t.Errorf("%q was logged and not found in %s", s, planted.String())
		}
	}
	slog.Debug("by another way")
	if log.Print("by the oldest way"); strings.Count(buf.String(), "way") != 2 {
		t.Errorf("what the process logs is not seen: %q", buf.String())
	}
	t.Logf("%d secrets, none in these %d bytes:\n%s", len(secrets), len(text), text)
}

// failingEye fails where a scene's title says so.
func failingEye() *analyzer {
	return &analyzer{hook: func(_ context.Context, s *scene, fs []face.Face) ([]face.Face, error) {
		switch {
		case strings.Contains(s.text, `"error"`):
			return nil, errModel
		case strings.Contains(s.text, `"panic"`):
			panic("no such model")
		}
		return fs, nil
	}}
}

// leaked is the first of the secrets that a text holds.
func leaked(text string, secrets []string) string {
	for _, s := range secrets {
		if strings.Contains(text, s) {
			return s
		}
	}
	return ""
}

func indexSecrets(t *testing.T, acc *index.Account, src *files) {
	t.Helper()
	ctx := t.Context()
	_, err := acc.Reindex(ctx, src, index.ReindexOptions{})
	wantErr(t, "Reindex before consent", err, index.ErrNoConsent)
	must1[index.Report](t)(acc.Reindex(ctx, src, index.ReindexOptions{NoFaces: true}))
	must(t, acc.SetConsent(ctx, index.Consent{Given: true, By: secretOwner, Version: "1", Means: "test"}))
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{Source: secretSource})
	if len(failed) != 11 { // the photo with a place is no scene, so no analysis
		t.Errorf("%d photos failed: %v", len(failed), []*index.PhotoError(failed))
	}
	if p := photoOf(t, acc, secretFolder+"/Standort.jpg"); p.GPS == nil || p.Camera.Make != secretCamera {
		t.Errorf("the photo with a place has %+v", p)
	}
	_, err = acc.Reindex(ctx, src, index.ReindexOptions{Source: secretSource + "2"})
	wantErr(t, "another source", err, index.ErrOtherSource)
	for _, name := range []string{"Pleite.jpg", "leer.jpg", "weg.jpg"} {
		var photo *index.PhotoError
		if _, err := acc.Index(ctx, src, secretFolder+"/"+name); !errors.As(err, &photo) {
			t.Errorf("Index of %s: %v", name, err)
		}
	}
	must1[index.Report](t)(acc.Regroup(ctx))
	people := all(t, acc.People(ctx, index.PeopleQuery{}))
	if len(people) < 2 {
		t.Fatalf("%d people", len(people))
	}
	named(t, acc, people[0].ID, secretName)
	named(t, acc, people[1].ID, secretOther)
}

// decideSecrets says, asks and takes back all kinds of things.
func decideSecrets(t *testing.T, acc *index.Account, src *files) {
	t.Helper()
	ctx := t.Context()
	people := all(t, acc.People(ctx, index.PeopleQuery{}))
	one, two := people[0].ID, people[1].ID
	faces := all(t, acc.Faces(ctx, index.FaceQuery{Person: one}))
	undo := must1[index.DecisionID](t)(acc.Different(ctx, one, two))
	var conflict *index.ConflictError
	if _, err := acc.Merge(ctx, one, two); !errors.As(err, &conflict) {
		t.Errorf("merge of different people: %v", err)
	}
	must(t, acc.Undo(ctx, undo))
	must(t, acc.Undo(ctx, merged(t, acc, one, two)))
	must1[index.DecisionID](t)(acc.Cover(ctx, one, faces[0].ID))
	must1[index.DecisionID](t)(acc.Ignore(ctx, two))
	must1[index.DecisionID](t)(acc.Unignore(ctx, two))
	must1[index.DecisionID](t)(acc.NotAFace(ctx, faces[1].ID))
	must1[index.Explanation](t)(acc.Explain(ctx, faces[0].ID))
	must1[[]index.Match](t)(acc.Search(ctx, portrait(1, 1), 3))
	var out bytes.Buffer
	must(t, acc.Export(ctx, &out, index.ExportOptions{Embeddings: true}))
	all(t, acc.Suggestions(ctx, index.SuggestionQuery{}))
	all(t, acc.Events(ctx, 0))
	all(t, acc.Decisions(ctx))
	_, invitation, err := acc.InviteFriend(ctx, secretOther)
	must(t, err)
	_, err = acc.AcceptFriend(ctx, secretOther, invitation)
	wantErr(t, "AcceptFriend of oneself", err, nearby.ErrReplayed)
	must1[int](t)(acc.CompareDays(ctx, index.CompareOptions{}))
	_, err = acc.Receive(ctx, invitation)
	wantErr(t, "Receive of an invitation", err, nearby.ErrForeign)
	mustCheck(t, acc)
	if cut := all(t, acc.Crops(ctx, src, []index.FaceID{faces[0].ID}, 16)); len(cut) != 1 {
		t.Errorf("%d crops", len(cut))
	}
}

// refuseSecrets asks for what cannot be had.
func refuseSecrets(t *testing.T, acc *index.Account, src *files, path string, cfg index.Config) {
	t.Helper()
	ctx := t.Context()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := acc.Reindex(cancelled, src, index.ReindexOptions{Force: true})
	wantErr(t, "Reindex, cancelled", err, context.Canceled)
	_, err = acc.Search(ctx, face.Vector{1}, 3)
	wantErr(t, "a probe of one number", err, index.ErrModelMismatch)
	_, err = acc.SearchImage(ctx, &scene{Rectangle: image.Rect(0, 0, 9, 9)}, 3)
	wantErr(t, "nobody in the picture", err, index.ErrNoFace)
	_, err = acc.Name(ctx, secretName, secretName)
	wantErr(t, "Name of nobody", err, index.ErrNotFound)
	faces := all(t, acc.Faces(ctx, index.FaceQuery{}))
	gone := last(acc.Crops(ctx, newFiles(nil), []index.FaceID{faces[0].ID}, 16))
	wantErr(t, "Crops of what is gone", gone, fs.ErrNotExist)
	_, err = acc.Reindex(ctx, newFiles(nil), index.ReindexOptions{Source: secretSource})
	wantErr(t, "Reindex of an empty folder", err, index.ErrNothingFound)
	_, err = index.Open(ctx, path, cfg)
	wantErr(t, "Open twice", err, index.ErrBusy)
	cfg.ReadOnly = true
	reader := openAt(t, path, cfg)
	_, err = reader.Name(ctx, faces[0].Person, secretName)
	wantErr(t, "Name, read-only", err, index.ErrReadOnly)
	cfg.AccountID = secretName
	_, err = index.Open(ctx, path, cfg)
	wantErr(t, "Open as another", err, index.ErrWrongAccount)
}

// secretsOf lists what must not be logged, as it would look in a log.
func secretsOf(t *testing.T, acc *index.Account) []string {
	t.Helper()
	secrets := []string{"Quendel", "quendel", "Zacharias", "Ottilie", "48.125", "11.575"}
	for _, p := range all(t, acc.Photos(t.Context(), index.PhotoQuery{})) {
		base := filepath.Base(p.Path)
		secrets = append(secrets, base, strings.TrimSuffix(base, filepath.Ext(base)))
		secrets = append(secrets, strings.Split(filepath.ToSlash(filepath.Dir(p.Path)), "/")...)
	}
	var out bytes.Buffer
	must(t, acc.Export(t.Context(), &out, index.ExportOptions{Embeddings: true}))
	var e struct {
		Faces []struct{ Embedding []json.Number }
	}
	must(t, json.Unmarshal(out.Bytes(), &e))
	vectors := 0
	for _, f := range e.Faces {
		for _, x := range f.Embedding {
			digits := strings.TrimLeft(string(x), "-0.")
			if len(digits) >= 6 && !strings.Contains(digits, "e") {
				secrets = append(secrets, digits[:4]) // as %f and %v begin
				vectors++
			}
		}
	}
	if len(secrets)-vectors < 20 || vectors < 100 {
		t.Fatalf("only %d secrets, %d of vectors", len(secrets), vectors)
	}
	slices.Sort(secrets)
	return slices.Compact(secrets)
}
