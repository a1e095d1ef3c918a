package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index"
)

// family is a source of three people on six photos.
func family() *files {
	return newFiles(map[string][]byte{
		"a/1.jpg": shot("1", 1, 2), "a/2.jpg": shot("2", 1, 3), "a/3.jpg": shot("3", 2, 3),
		"b/4.jpg": shot("4", 1), "b/5.jpg": shot("5", 2), "b/6.jpg": shot("6", 3),
		"b/notes.txt": []byte("no photo"),
	})
}

var familyPeople = []string{
	"a/1.jpg#0 a/2.jpg#0 b/4.jpg#0",
	"a/1.jpg#1 a/3.jpg#0 b/5.jpg#0",
	"a/2.jpg#1 a/3.jpg#1 b/6.jpg#0",
}

func TestReindexIncrement(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye})
	src := family()
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, indexed 6, ignored 1, faces 9")
	wantPartition(t, acc, familyPeople...)
	before := worldOf(t, acc)

	// Nothing changed: no photo is opened. The text is, to see what it is.
	src.opened()
	src.open = func(name string) error {
		if strings.HasSuffix(name, ".jpg") {
			t.Errorf("%s was opened", name)
		}
		return nil
	}
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, unchanged 6, ignored 1")
	src.open = nil

	// Touched: another time, the same content.
	touched := src.get("a/1.jpg")
	src.put("a/1.jpg", touched.data)
	calls := eye.calls.Load()
	src.opened()
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, unchanged 6, ignored 1")
	if n := eye.calls.Load() - calls; n != 0 {
		t.Errorf("a touched photo was analysed %d times", n)
	}
	if n := src.opened(); n != 2 { // it and the text
		t.Errorf("%d files were opened to see that one was touched", n)
	}
	reindex(t, acc, src, index.ReindexOptions{})
	if n := src.opened(); n != 1 {
		t.Errorf("%d files were opened after the new time was noted", n)
	}
	if !worldOf(t, acc).equal(before) {
		t.Error("ids changed although no content did")
	}

	// Changed and new.
	src.put("a/1.jpg", shot("1 edited", 1, 2))
	src.put("b/7.jpg", shot("7", 1))
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 7, unchanged 5, indexed 2, ignored 1, faces 3")
	if a, b := photoOf(t, acc, "a/1.jpg").ID, before.photos["a/1.jpg"]; a != b {
		t.Errorf("the changed photo's id went from %s to %s", b, a)
	}

	// Vanished, with a person who was on no other photo.
	src.put("c/8.jpg", shot("8", 9))
	src.put("c/9.jpg", shot("9", 9))
	reindex(t, acc, src, index.ReindexOptions{})
	people := len(all(t, acc.People(t.Context(), index.PeopleQuery{})))
	src.remove("c/8.jpg")
	src.remove("c/9.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 7, unchanged 7, vanished 2, ignored 1")
	if n := len(all(t, acc.People(t.Context(), index.PeopleQuery{}))); people != 4 || n != 3 {
		t.Errorf("%d people, and %d after one vanished; want 4 and 3", people, n)
	}
}

func TestReindexMoved(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	before := worldOf(t, acc)
	who := personOf(t, acc, "a/1.jpg", 0)
	calls := eye.calls.Load()

	src.move("a/1.jpg", "new/1.jpg")
	src.move("b/6.jpg", "a/1b.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 6, unchanged 4, moved 2, ignored 1")
	after := worldOf(t, acc)
	if after.photos["new/1.jpg"] != before.photos["a/1.jpg"] || after.photos["a/1b.jpg"] != before.photos["b/6.jpg"] {
		t.Error("a moved photo got another id")
	}
	if !maps.Equal(before.faces, after.faces) || !maps.Equal(before.names, after.names) {
		t.Error("a moved photo's faces or people got other ids")
	}

	// Moved, and a copy left elsewhere: one of them keeps the id.
	data := src.get("new/1.jpg").data
	src.move("new/1.jpg", "x/1.jpg")
	src.put("x/2.jpg", data)
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 7, unchanged 5, moved 1, copied 1, ignored 1")
	for _, p := range []string{"x/1.jpg", "x/2.jpg"} {
		if got := personOf(t, acc, p, 0); got != who {
			t.Errorf("%s shows %s, want %s", p, got, who)
		}
	}
	if n := eye.calls.Load() - calls; n != 0 {
		t.Errorf("moved photos were analysed %d times", n)
	}
}

func TestReindexCopies(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye, Workers: 4})
	src := newFiles(nil)
	for i := range 20 { // a folder, copied before the first run
		data := shot(fmt.Sprint(i), 1+i%2)
		src.put(fmt.Sprintf("a/%d.jpg", i), data)
		src.put(fmt.Sprintf("copy of a/%d.jpg", i), data)
	}
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 40, indexed 20, copied 20, faces 20")
	if n := eye.calls.Load(); n != 20 {
		t.Errorf("20 contents were analysed %d times", n)
	}
	for i := range 20 {
		a, b := fmt.Sprintf("a/%d.jpg", i), fmt.Sprintf("copy of a/%d.jpg", i)
		if personOf(t, acc, a, 0) != personOf(t, acc, b, 0) {
			t.Errorf("%s and its copy show two people", a)
		}
	}
	// One of two known with the same content goes, the other stays.
	src.remove("a/3.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 39, unchanged 39, vanished 1")
	if personOf(t, acc, "copy of a/3.jpg", 0) != personOf(t, acc, "a/5.jpg", 0) {
		t.Error("the copy that stayed lost its person")
	}
	// One of the two moves.
	src.move("copy of a/4.jpg", "c.jpg")
	rep := reindex(t, acc, src, index.ReindexOptions{})
	if rep.Moved+rep.Copied != 1 || eye.calls.Load() != 20 {
		t.Errorf("one of two copies moved: %+v, %d analysed", rep, eye.calls.Load())
	}
	if personOf(t, acc, "c.jpg", 0) != personOf(t, acc, "a/4.jpg", 0) {
		t.Error("the moved copy lost its person")
	}
}

// Files that change places: what is known of a path no longer holds while the
// run goes on.
func TestReindexRenamedRoundAbout(t *testing.T) {
	for name, shuffle := range map[string]func(src *files){
		"swapped": func(src *files) {
			a, b := src.get("a/1.jpg"), src.get("b/4.jpg")
			src.put("a/1.jpg", b.data)
			src.put("b/4.jpg", a.data)
		},
		"round": func(src *files) {
			a, b, c := src.get("a/1.jpg"), src.get("b/4.jpg"), src.get("b/6.jpg")
			src.put("a/1.jpg", b.data)
			src.put("b/4.jpg", c.data)
			src.put("b/6.jpg", a.data)
		},
		"the original kept under another name": func(src *files) {
			src.put("a/1 original.jpg", src.get("a/1.jpg").data)
			src.put("a/1.jpg", shot("1 edited", 2))
		},
		"the original kept under a later name": func(src *files) {
			src.put("z.jpg", src.get("a/1.jpg").data)
			src.put("a/1.jpg", shot("1 edited", 2))
		},
		"moved over another": func(src *files) {
			src.put("a/1.jpg", src.remove("b/6.jpg").data)
		},
		"copied over another": func(src *files) {
			src.put("a/1.jpg", src.get("b/6.jpg").data)
		},
	} {
		for _, workers := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, workers), func(t *testing.T) {
				acc := newAccount(t, index.Config{Workers: workers})
				src := family()
				reindex(t, acc, src, index.ReindexOptions{})
				shuffle(src)
				reindex(t, acc, src, index.ReindexOptions{})
				fresh := newAccount(t, index.Config{})
				reindex(t, fresh, src, index.ReindexOptions{})
				if got, want := partition(t, acc), partition(t, fresh); !slices.Equal(got, want) {
					t.Errorf("people:\n%s\nwant, as from nothing:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				for _, name := range src.names() {
					if name == "b/notes.txt" {
						continue
					}
					if got, want := photoOf(t, acc, name).SHA256, photoOf(t, fresh, name).SHA256; got != want {
						t.Errorf("%s is recorded with another content", name)
					}
				}
				rep := reindex(t, acc, src, index.ReindexOptions{})
				if rep.Unchanged != rep.Seen {
					t.Errorf("the next run finds something to do: %+v", rep)
				}
			})
		}
	}
}

// A folder that cannot be read has not vanished, nor has a link.
func TestReindexBlind(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	before := worldOf(t, acc)
	locked := errors.New("permission denied")
	src.open = func(name string) error {
		if name == "b" || strings.HasPrefix(name, "b/") {
			return locked
		}
		return nil
	}
	src.remove("a/3.jpg")
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	wantReport(t, rep, "seen 2, unchanged 2, vanished 1, failed 1")
	if e := failed.of(t, "b"); e.Stage != index.StageWalk || !errors.Is(e, locked) || !strings.Contains(e.Error(), `"b"`) {
		t.Errorf("got %v", e)
	}
	after := worldOf(t, acc)
	for _, p := range []string{"b/4.jpg", "b/5.jpg", "b/6.jpg"} {
		if after.photos[p] != before.photos[p] {
			t.Errorf("%s is lost", p)
		}
	}
	src.open = nil
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 5, ignored 1")

	// A root that cannot be read is an error, and nothing has vanished.
	src.open = func(string) error { return locked }
	rep, err := acc.Reindex(t.Context(), src, index.ReindexOptions{AllowEmpty: true})
	var pe *index.PhotoError
	if !errors.As(err, &pe) || pe.Path != "." || pe.Stage != index.StageWalk || !errors.Is(err, locked) || rep.Vanished != 0 {
		t.Errorf("got %v and %+v", err, rep)
	}
	src.open = nil
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 5, ignored 1")
}

func TestReindexForce(t *testing.T) {
	eye := &analyzer{}
	acc := newAccount(t, index.Config{Analyzer: eye})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{})
	who := personOf(t, acc, "a/1.jpg", 0)
	must1[index.DecisionID](t)(acc.Name(t.Context(), who, "Anna"))
	before := worldOf(t, acc)
	eye.shift = 3 // the detector has become another
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{Force: true}), "seen 6, indexed 6, ignored 1, faces 9")
	if !worldOf(t, acc).equal(before) {
		t.Error("ids or names changed")
	}
	if x := facesOf(t, acc, "a/1.jpg")[0].Box.X; x != 13 {
		t.Errorf("the box is still at %v", x)
	}
}

func TestReindexFacesLater(t *testing.T) {
	path := t.TempDir() + "/a.kith"
	plain := must1[*index.Account](t)(index.Open(t.Context(), path, index.Config{Decoders: []index.Decoder{sceneDecoder{}}}))
	src := family()
	src.put("a/copy.jpg", src.get("a/1.jpg").data)
	wantReport(t, reindex(t, plain, src, index.ReindexOptions{NoFaces: true}), "seen 7, indexed 6, copied 1, ignored 1")
	for _, p := range all(t, plain.Photos(t.Context(), index.PhotoQuery{})) {
		if p.Status != "pending" || p.Width != 1000 || p.Analyzer != "" {
			t.Errorf("%s is %s, %d pixels wide, looked at by %q", p.Path, p.Status, p.Width, p.Analyzer)
		}
	}
	wantReport(t, reindex(t, plain, src, index.ReindexOptions{NoFaces: true}), "seen 7, unchanged 7, ignored 1")
	closeChecked(t, plain)

	acc := openAt(t, path, withScenes(index.Config{}))
	must(t, acc.SetConsent(t.Context(), yes))
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 7, indexed 6, copied 1, ignored 1, faces 9")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{NoFaces: true}), "seen 7, unchanged 7, ignored 1")
	if n := len(all(t, acc.People(t.Context(), index.PeopleQuery{}))); n != 3 {
		t.Errorf("%d people", n)
	}
}

func TestReindexGuards(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	reindex(t, acc, src, index.ReindexOptions{Source: "/photos"})
	reindex(t, acc, src, index.ReindexOptions{})
	_, err := acc.Reindex(t.Context(), src, index.ReindexOptions{Source: "/other"})
	wantErr(t, "another source", err, index.ErrOtherSource)
	if err == nil || !strings.Contains(err.Error(), "/photos") {
		t.Errorf("%v does not name the source", err)
	}
	reindex(t, acc, src, index.ReindexOptions{Source: "/other", Moved: true})
	reindex(t, acc, src, index.ReindexOptions{Source: "/other"})
	_, err = acc.Reindex(t.Context(), src, index.ReindexOptions{Source: "/photos"})
	wantErr(t, "the source before it moved", err, index.ErrOtherSource)

	empty := newFiles(map[string][]byte{"lost+found/x": []byte("no photo")})
	_, err = acc.Reindex(t.Context(), empty, index.ReindexOptions{})
	wantErr(t, "an empty source", err, index.ErrNothingFound)
	if n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{}))); n != 6 {
		t.Fatalf("%d photos are left", n)
	}
	wantReport(t, reindex(t, acc, empty, index.ReindexOptions{AllowEmpty: true}), "vanished 6, ignored 1")
	wantReport(t, reindex(t, acc, empty, index.ReindexOptions{}), "ignored 1")
	if w := worldOf(t, acc); len(w.photos)+len(w.faces)+len(w.names) != 0 {
		t.Errorf("left: %v", w)
	}
}

func TestReindexNoGroup(t *testing.T) {
	acc := newAccount(t, index.Config{})
	rep := reindex(t, acc, family(), index.ReindexOptions{NoGroup: true})
	if n := len(all(t, acc.People(t.Context(), index.PeopleQuery{}))); n != 0 || rep.Grouping.Faces != 0 {
		t.Errorf("%d people, grouping %+v", n, rep.Grouping)
	}
	rep = must1[index.Report](t)(acc.Regroup(t.Context()))
	if g := rep.Grouping; g.Faces != 9 || g.People != 3 || g.Unassigned != 0 || !(g.Threshold > 0.1 && g.Threshold < 0.8) {
		t.Errorf("grouping %+v", g)
	}
	wantPartition(t, acc, familyPeople...)
}

func TestReindexHidden(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := newFiles(map[string][]byte{
		".thumbs/1.jpg": shot("1", 1), ".hidden.jpg": shot("2", 1), "a/.b/3.jpg": shot("3", 1),
		"shown.jpg": shot("4", 1), "no extension": shot("5", 1),
		"photo without a name for it": append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte{0}, 20)...),
	})
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	wantReport(t, rep, "seen 2, indexed 1, failed 1, ignored 4, faces 1")
	if e := failed.of(t, "photo without a name for it"); e.Stage != index.StageDecode {
		t.Errorf("got %v", e)
	}
}

// A source may be given as a sub-folder or anything else that is an fs.FS.
func TestReindexSub(t *testing.T) {
	acc := newAccount(t, index.Config{})
	sub := must1[fs.FS](t)(fs.Sub(family(), "a"))
	rep := must1[index.Report](t)(acc.Reindex(t.Context(), sub, index.ReindexOptions{}))
	wantReport(t, rep, "seen 3, indexed 3, faces 6")
}
