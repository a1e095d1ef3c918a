package index_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// fsOf shows an export's JSON as a folder that has it.
func fsOf(text []byte) fs.FS { return fstest.MapFS{"export.json": {Data: text}} }

func importOf(t cleaner, acc *index.Account, text []byte, opt index.ImportOptions) index.ImportReport {
	t.Helper()
	rep, err := acc.Import(t.Context(), fsOf(text), opt)
	must(t, err)
	mustCheck(t, acc)
	return rep
}

// normal is an export without what belongs to one account only: its id, consent
// and audit. measured leaves out what an import without vectors loses until the
// photos are looked at again.
func normal(t cleaner, text []byte, measured bool) string {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	must(t, dec.Decode(&m))
	delete(m, "account")
	delete(m, "consent")
	delete(m, "audit")
	if measured {
		delete(m, "spaces")
		for _, p := range m["photos"].([]any) {
			delete(p.(map[string]any), "status")
			delete(p.(map[string]any), "analyzer")
		}
	}
	out, err := json.MarshalIndent(m, "", " ")
	must(t, err)
	return string(out)
}

// wantSame compares two texts by their first different line.
func wantSame(t cleaner, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			at := max(0, i-12)
			t.Fatalf("%s: line %d differs\ngot:\n%s\nwant:\n%s", what, i,
				strings.Join(g[at:min(len(g), i+4)], "\n"), strings.Join(w[at:min(len(w), i+4)], "\n"))
		}
	}
}

// chronicled is an account about which everything has been said once.
func chronicled(t *testing.T, src *files) *index.Account {
	t.Helper()
	return chronicledBy(t, index.Config{AccountID: "anna's"}, src)
}

func chronicledBy(t *testing.T, cfg index.Config, src *files) *index.Account {
	t.Helper()
	acc := newAccount(t, cfg)
	src.put("bad.jpg", []byte("no photo"))
	src.put("c/copy.jpg", src.get("00/000.jpg").data)
	src.put("c/odd\xff\xfe.jpg", shot("odd", 1, 4))
	src.put("c/alone.jpg", shot("alone", 9))
	_, _ = reindexFailing(t, acc, src, index.ReindexOptions{Source: "/photos"})
	ctx := t.Context()
	people := all(t, acc.People(ctx, index.PeopleQuery{}))
	if len(people) < 5 {
		t.Fatalf("only %d people", len(people))
	}
	named(t, acc, people[0].ID, "Anna \"\u2028</script>")
	must(t, acc.Undo(ctx, named(t, acc, people[1].ID, "Nobody")))
	named(t, acc, people[1].ID, "Bert")
	must1[index.DecisionID](t)(acc.Ignore(ctx, people[2].ID))
	must1[index.DecisionID](t)(acc.Different(ctx, people[0].ID, people[3].ID))
	of := func(i int) []index.Face { return all(t, acc.Faces(ctx, index.FaceQuery{Person: people[i].ID})) }
	must1[index.DecisionID](t)(acc.Cover(ctx, people[0].ID, of(0)[2].ID))
	must1[index.DecisionID](t)(acc.NotAFace(ctx, of(1)[0].ID))
	_, _, err := acc.Split(ctx, []index.FaceID{of(3)[0].ID})
	must(t, err)
	merge := must1[index.DecisionID](t)(acc.Merge(ctx, people[3].ID, people[4].ID))
	must1[index.DecisionID](t)(acc.Remove(ctx, of(0)[1].ID))
	must(t, acc.Undo(ctx, merge))
	_, _, err = acc.Assign(ctx, people[1].ID, facesOf(t, acc, "c/alone.jpg")[0].ID)
	must(t, err)
	must1[index.Report](t)(acc.Regroup(ctx))
	return acc
}

func TestImportFresh(t *testing.T) {
	src := crowd(60, 6)
	acc := chronicled(t, src)
	for _, embeddings := range []bool{true, false} {
		t.Run(fmt.Sprint("embeddings ", embeddings), func(t *testing.T) {
			text := exportText(t, acc, index.ExportOptions{Embeddings: embeddings})
			fresh := newAccount(t, index.Config{})
			rep := importOf(t, fresh, text, index.ImportOptions{})
			ex := exportOf(t, acc, index.ExportOptions{})
			if !rep.Fresh || rep.Photos != len(ex.Photos) || rep.Faces != len(ex.Faces) || rep.People != len(ex.People) ||
				rep.Decisions != len(ex.Decisions) || rep.Settings != 1 || rep.Consents != 1 || rep.Account != "anna's" {
				t.Errorf("%+v", rep)
			}
			if (rep.Pending == 0) != embeddings {
				t.Errorf("%d photos must be looked at again", rep.Pending)
			}
			wantSame(t, "the export of what was imported",
				normal(t, exportText(t, fresh, index.ExportOptions{Embeddings: embeddings}), !embeddings), normal(t, text, !embeddings))

			// Nothing needs to be read again, or every photo with faces; then all is the same for good.
			analysed := reindexReport(t, fresh, src)
			if embeddings && analysed.Indexed != 0 || !embeddings && analysed.Indexed+analysed.Copied < rep.Pending {
				t.Errorf("%+v", analysed)
			}
			must1[index.Report](t)(fresh.Regroup(t.Context()))
			wantSame(t, "after Reindex", normal(t, exportText(t, fresh, index.ExportOptions{Embeddings: true}), false),
				normal(t, exportText(t, acc, index.ExportOptions{Embeddings: true}), false))
			sameSearch(t, fresh, acc)
		})
	}
}

func reindexReport(t *testing.T, acc *index.Account, src *files) index.Report {
	t.Helper()
	rep, _ := reindexFailing(t, acc, src, index.ReindexOptions{Source: "/photos"})
	return rep
}

// sameSearch searches two accounts for everybody.
func sameSearch(t *testing.T, a, b *index.Account) {
	t.Helper()
	for person := range 6 {
		probe := portrait(person+1, 12345)
		var found [2][]string
		for i, acc := range []*index.Account{a, b} {
			for _, m := range must1[[]index.Match](t)(acc.Search(t.Context(), probe, 8)) {
				// Copies are as alike, and come in any order.
				found[i] = append(found[i], fmt.Sprint(m.Similarity, m.Person))
			}
		}
		if len(found[1]) != 8 || !slices.Equal(found[0], found[1]) {
			t.Errorf("searching for %d: %v, want %v", person+1, found[0], found[1])
		}
	}
}

// A library that moved: the files lie under other names, and were indexed there
// before the import.
func TestImportOtherPaths(t *testing.T) {
	src := crowd(60, 6)
	acc := chronicled(t, src)
	moved := newFiles(nil)
	for _, name := range src.names() {
		moved.set("new/"+name, src.get(name))
	}
	other := newAccount(t, index.Config{})
	_, _ = reindexFailing(t, other, moved, index.ReindexOptions{})
	before := len(all(t, other.Photos(t.Context(), index.PhotoQuery{})))
	text := exportText(t, acc, index.ExportOptions{})
	rep := importOf(t, other, text, index.ImportOptions{})
	// All but bad.jpg: its content is known too.
	if rep.Fresh || rep.Photos != 0 || rep.Recognised != before || rep.Matched != len(exportOf(t, acc, index.ExportOptions{}).Faces) {
		t.Errorf("%+v", rep)
	}
	if n := len(all(t, other.Photos(t.Context(), index.PhotoQuery{}))); n != before {
		t.Errorf("%d photos became %d", before, n)
	}
	want := partition(t, acc)
	for i := range want {
		words := strings.Split(want[i], " ")
		for k, w := range words {
			if strings.Contains(w, ".jpg#") {
				words[k] = "new/" + w
			}
		}
		want[i] = strings.Join(words, " ")
	}
	slices.Sort(want)
	wantSame(t, "people", strings.Join(partition(t, other), "\n"), strings.Join(want, "\n"))
	wantPeople(t, other, acc)

	// A second time nothing happens.
	then := normal(t, exportText(t, other, index.ExportOptions{Embeddings: true}), false)
	rep = importOf(t, other, text, index.ImportOptions{})
	if rep.Decisions != 0 || rep.People != 0 || rep.Repeated == 0 || len(rep.Conflicts) != 0 || rep.Contested != 0 {
		t.Errorf("the second time: %+v", rep)
	}
	wantSame(t, "imported twice", normal(t, exportText(t, other, index.ExportOptions{Embeddings: true}), false), then)
}

// wantPeople compares people with their ids, names, and what was chosen.
func wantPeople(t *testing.T, got, want *index.Account) {
	t.Helper()
	list := func(acc *index.Account) (out []string) {
		for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{Ignored: index.Include})) {
			out = append(out, fmt.Sprintf("%s %q %d ignored %t cover chosen %t", p.ID, p.Name, p.Faces, p.Ignored, p.CoverChosen))
		}
		slices.Sort(out)
		return out
	}
	wantSame(t, "people", strings.Join(list(got), "\n"), strings.Join(list(want), "\n"))
}

// Decisions about photos that are not here yet hold when they come.
func TestImportBeforePhotos(t *testing.T) {
	src := crowd(60, 6)
	acc := chronicled(t, src)
	other := newAccount(t, index.Config{})
	first := newFiles(map[string][]byte{"z.jpg": shot("another", 1)})
	reindex(t, other, first, index.ReindexOptions{})
	rep := importOf(t, other, exportText(t, acc, index.ExportOptions{}), index.ImportOptions{})
	if rep.Photos != 0 || rep.Skipped == 0 || rep.Decisions == 0 {
		t.Errorf("%+v", rep)
	}
	for _, name := range src.names() {
		first.set(name, src.get(name))
	}
	_, _ = reindexFailing(t, other, first, index.ReindexOptions{})
	for name, path := range map[string]string{"Bert": "c/alone.jpg"} {
		if id := personOf(t, other, path, 0); must1[index.Person](t)(other.Person(t.Context(), id)).Name != name {
			t.Errorf("%s is not %s", path, name)
		}
	}
	got := namedFaces(t, other)
	if want := namedFaces(t, acc); !slices.Equal(got, want) {
		t.Errorf("named faces:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// namedFaces lists the faces of those with names, but z.jpg's.
func namedFaces(t *testing.T, acc *index.Account) (out []string) {
	for _, set := range partition(t, acc) {
		if strings.HasPrefix(set, "Anna") || strings.HasPrefix(set, "Bert") {
			out = append(out, strings.ReplaceAll(set, " z.jpg#0", ""))
		}
	}
	return out
}

func TestImportAddsPhotosWhenAsked(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	named(t, acc, personOf(t, acc, "b/4.jpg", 0), "Anna")
	other := newAccount(t, index.Config{})
	src := newFiles(map[string][]byte{"b/4.jpg": shot("another", 2), "c.jpg": shot("1", 1, 2)})
	reindex(t, other, src, index.ReindexOptions{})
	rep := importOf(t, other, exportText(t, acc, index.ExportOptions{Embeddings: true}), index.ImportOptions{Photos: true})
	// a/1.jpg is c.jpg here, and b/4.jpg is another photo.
	if rep.Photos != 4 || rep.Recognised != 1 || rep.Skipped != 1 || rep.Matched != 2 || rep.Faces != 6 {
		t.Errorf("%+v", rep)
	}
	wantPartition(t, other, "Anna a/2.jpg#0 c.jpg#0", "a/2.jpg#1 a/3.jpg#1 b/6.jpg#0", "a/3.jpg#0 b/4.jpg#0 b/5.jpg#0 c.jpg#1")
}

func TestImportConflicts(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	one, two := personOf(t, acc, "a/1.jpg", 0), personOf(t, acc, "a/1.jpg", 1)
	text := exportText(t, acc, index.ExportOptions{Embeddings: true})
	other := newAccount(t, index.Config{})
	importOf(t, other, text, index.ImportOptions{}) // the same people with the same ids

	different := must1[index.DecisionID](t)(other.Different(t.Context(), one, two))
	other5 := facesOf(t, other, "b/5.jpg")[0].ID
	isFace := must1[index.DecisionID](t)(other.Cover(t.Context(), two, other5))
	name := named(t, other, one, "Anna")

	// What contradicts it, and what does not.
	named(t, acc, one, "Ann")
	named(t, acc, two, "Bert")
	must1[index.DecisionID](t)(acc.NotAFace(t.Context(), facesOf(t, acc, "b/5.jpg")[0].ID))
	must1[index.DecisionID](t)(acc.Merge(t.Context(), one, two))
	rep := importOf(t, other, exportText(t, acc, index.ExportOptions{}), index.ImportOptions{})
	var got []string
	for _, c := range rep.Conflicts {
		got = append(got, fmt.Sprintf("%s %v", c.Decision.Kind, c.Err.Standing))
	}
	want := []string{fmt.Sprintf("name [%s]", name), fmt.Sprintf("not-a-face [%s]", isFace), fmt.Sprintf("merge [%s]", different)}
	if !slices.Equal(got, want) || rep.Decisions != 1 {
		t.Errorf("%d decisions, conflicts %v, want %v", rep.Decisions, got, want)
	}
	wantPartition(t, other, "Anna "+familyPeople[0], "Bert "+familyPeople[1], familyPeople[2])

	// The other way round: a merge that stands, and two people who are two.
	third := newAccount(t, index.Config{})
	importOf(t, third, text, index.ImportOptions{})
	merge := must1[index.DecisionID](t)(third.Merge(t.Context(), one, two))
	rep = importOf(t, third, exportText(t, other, index.ExportOptions{}), index.ImportOptions{})
	if len(rep.Conflicts) != 1 || rep.Conflicts[0].Decision.Kind != store.DecisionDifferent ||
		!slices.Equal(rep.Conflicts[0].Err.Standing, []index.DecisionID{merge}) {
		t.Errorf("%+v", rep)
	}
}

// Faces stay with whom somebody spoke of here.
func TestImportContested(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	named(t, acc, personOf(t, acc, "b/4.jpg", 0), "Anna")
	named(t, acc, personOf(t, acc, "b/5.jpg", 0), "Bert")
	other := newAccount(t, index.Config{})
	reindex(t, other, family(), index.ReindexOptions{})
	named(t, other, personOf(t, other, "b/4.jpg", 0), "Aunt Anna")
	rep := importOf(t, other, exportText(t, acc, index.ExportOptions{}), index.ImportOptions{})
	if rep.Contested != 3 || rep.Matched != 9 {
		t.Errorf("%+v", rep)
	}
	wantPartition(t, other, "Aunt Anna "+familyPeople[0], "Bert "+familyPeople[1], familyPeople[2])
}

// An account's own export of an earlier day changes nothing of what came since.
func TestImportOwnExport(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	one, two := personOf(t, acc, "b/4.jpg", 0), personOf(t, acc, "b/5.jpg", 0)
	first := named(t, acc, one, "Ann")
	text := exportText(t, acc, index.ExportOptions{Embeddings: true})
	must(t, acc.Undo(t.Context(), first))
	named(t, acc, one, "Anna")
	must1[index.DecisionID](t)(acc.Merge(t.Context(), one, two))
	now := normal(t, exportText(t, acc, index.ExportOptions{}), false)
	rep := importOf(t, acc, text, index.ImportOptions{})
	if rep.Repeated != 1 || rep.Decisions != 0 || rep.People != 0 {
		t.Errorf("%+v", rep)
	}
	wantSame(t, "the account", normal(t, exportText(t, acc, index.ExportOptions{}), false), now)
}

// Names that another program wrote into the format, without decisions.
func TestImportNamesWithoutDecisions(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	one := personOf(t, acc, "b/4.jpg", 0)
	text := bytes.Replace(exportText(t, acc, index.ExportOptions{}),
		fmt.Appendf(nil, `{"id":%q,"name":""`, one), fmt.Appendf(nil, `{"id":%q,"name":"Anna"`, one), 1)
	other := newAccount(t, index.Config{})
	reindex(t, other, family(), index.ReindexOptions{})
	for i, want := range []int{1, 0} {
		if rep := importOf(t, other, text, index.ImportOptions{}); rep.Named != want {
			t.Errorf("time %d: %+v", i, rep)
		}
		wantPartition(t, other, "Anna "+familyPeople[0], familyPeople[1], familyPeople[2])
	}
}

func TestImportNeedsConsent(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, family(), index.ReindexOptions{})
	text := exportText(t, acc, index.ExportOptions{})
	bare := openAt(t, filepath.Join(t.TempDir(), "b.kith"), withScenes(index.Config{}))
	_, err := bare.Import(t.Context(), fsOf(text), index.ImportOptions{})
	wantErr(t, "without consent", err, index.ErrNoConsent)
	if n := len(all(t, bare.Photos(t.Context(), index.PhotoQuery{}))); n != 0 {
		t.Errorf("%d photos came all the same", n)
	}

	// Photos alone tell of no face, and the export's consent is not consent here.
	plain := openAt(t, filepath.Join(t.TempDir(), "c.kith"), withScenes(index.Config{}))
	reindex(t, plain, family(), index.ReindexOptions{NoFaces: true})
	rep := importOf(t, bare, exportText(t, plain, index.ExportOptions{}), index.ImportOptions{})
	if rep.Photos != 6 {
		t.Errorf("%+v", rep)
	}
	if c := must1[index.Consent](t)(bare.Consent(t.Context())); c != (index.Consent{}) {
		t.Errorf("consent came along: %+v", c)
	}
}

func TestImportSources(t *testing.T) {
	acc := newAccount(t, index.Config{Now: func() time.Time { return start }})
	reindex(t, acc, family(), index.ReindexOptions{Source: "/photos"})
	named(t, acc, personOf(t, acc, "b/4.jpg", 0), "Anna")
	want := normal(t, exportText(t, acc, index.ExportOptions{Embeddings: true}), false)
	opt := index.ExportOptions{Embeddings: true}
	dir := filepath.Join(t.TempDir(), "out")
	must(t, acc.ExportDir(t.Context(), dir, opt))
	var zipped bytes.Buffer
	must(t, acc.ExportZIP(t.Context(), &zipped, opt))
	alone := filepath.Join(t.TempDir(), "anna.json")
	must(t, os.WriteFile(alone, exportText(t, acc, opt), 0o600))
	archive := must1[fs.FS](t)(index.OpenExport(bytes.NewReader(zipped.Bytes()), int64(zipped.Len())))
	for name, from := range map[string]struct {
		fsys fs.FS
		opt  index.ImportOptions
	}{
		"folder": {os.DirFS(dir), index.ImportOptions{}},
		"ZIP":    {archive, index.ImportOptions{}},
		"file":   {os.DirFS(filepath.Dir(alone)), index.ImportOptions{File: "anna.json"}},
	} {
		fresh := newAccount(t, index.Config{})
		_, err := fresh.Import(t.Context(), from.fsys, from.opt)
		must(t, err)
		wantSame(t, name, normal(t, exportText(t, fresh, opt), false), want)
		_, err = fresh.Reindex(t.Context(), family(), index.ReindexOptions{Source: "/elsewhere"})
		wantErr(t, "the source came along", err, index.ErrOtherSource)
	}
	_, err := newAccount(t, index.Config{}).Import(t.Context(), os.DirFS(dir), index.ImportOptions{File: "missing.json"})
	var bad *index.ImportError
	if !errors.As(err, &bad) || !errors.Is(err, fs.ErrNotExist) || bad.Part != "missing.json" {
		t.Errorf("%v", err)
	}
}
