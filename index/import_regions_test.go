package index_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// framed is the file of a scene inside of a JPEG file, which may hold XMP.
func framed(xmp []byte, title string, people ...int) []byte {
	j := []byte("\xff\xd8")
	if xmp != nil {
		body := append([]byte("http://ns.adobe.com/xap/1.0/\x00"), xmp...)
		j = append(j, 0xff, 0xe1)
		j = binary.BigEndian.AppendUint16(j, uint16(2+len(body)))
		j = append(j, body...)
	}
	return slices.Concat(j, []byte("\xff\xd9"), shot(title, people...))
}

// framedDecoder sees the scene in it.
type framedDecoder struct{ sceneDecoder }

func (framedDecoder) Match(head []byte) bool { return bytes.HasPrefix(head, []byte("\xff\xd8")) }

func (d framedDecoder) Open(ctx context.Context, data []byte, maxPixels int) (face.Source, error) {
	return d.sceneDecoder.Open(ctx, data[bytes.Index(data, []byte(sceneMagic)):], maxPixels)
}

// marked is a packet that names the people of a scene, from left to right;
// grow makes the regions so much larger than the faces, and shift moves them,
// both in pixels.
func marked(t *testing.T, grow, shift float64, names ...string) []byte {
	t.Helper()
	s := exif.Sidecar{Width: 1000, Height: 100, Orientation: 1}
	for i, name := range names {
		kind := "Face"
		if rest, ok := strings.CutPrefix(name, "pet "); ok {
			kind, name = "Pet", rest
		}
		s.Regions = append(s.Regions, exif.Region{
			Name: name, Type: kind, X: (float64(10+100*i) + shift - grow/2) / 1000, Y: (10 - min(10, grow/2)) / 100,
			W: (80 + grow) / 1000, H: min(100, 80+grow) / 100,
		})
	}
	return must1[[]byte](t)(s.XMP())
}

func importRegions(t *testing.T, acc *index.Account, src fs.FS) (index.RegionReport, failures) {
	t.Helper()
	var failed failures
	rep, err := acc.ImportRegions(t.Context(), src, index.RegionOptions{Failed: failed.add})
	must(t, err)
	if rep.Failed != len(failed) {
		t.Errorf("the report counts %d failures, %d were reported", rep.Failed, len(failed))
	}
	mustCheck(t, acc)
	return rep, failed
}

func TestImportRegions(t *testing.T) {
	src := family()
	src.put("a/7.jpg", framed(marked(t, 16, 3, "Anna", "Bert"), "7", 1, 2))
	src.put("a/8.jpg", framed(nil, "8", 3, 1))
	src.put("a/9.jpg", framed(marked(t, 0, 0, "Nobody knows", "Nobody here"), "9", 1)) // a sidecar says otherwise
	src.put("a/10.jpg", framed(nil, "10", 3))
	src.put("b/11.jpg", framed(nil, "11", 1))
	acc := newAccount(t, index.Config{Decoders: []index.Decoder{framedDecoder{}}})
	reindex(t, acc, src, index.ReindexOptions{})
	// Sidecars beside the photos, in all their names.
	src.put("a/8.jpg.xmp", marked(t, 0, 0, "Cara", "", "Gone"))
	src.put("a/9.XMP", marked(t, 20, -5, "Anna"))
	src.put("a/10.xmp", marked(t, 0, 0, "pet Rex"))
	src.put("b/11.jpg.XMP", marked(t, 0, 40, "Dora")) // half beside the face
	src.put("b/4.xmp", []byte(`<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>`))

	rep, failed := importRegions(t, acc, src)
	// 7: Anna, Bert. 8: Cara, and Gone, where nobody is. 9: Anna. 11: Dora.
	want := index.RegionReport{Photos: 4, Regions: 6, Matched: 5, Unmatched: 1, Assigned: 5, People: 1, Named: 4, Failed: 1}
	if fmt.Sprintf("%+v", rep) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v, want %+v", rep, want)
	}
	if e := failed.of(t, "b/4.jpg"); !strings.Contains(e.Error(), "document type") || !strings.Contains(e.Error(), "b/4.xmp") {
		t.Errorf("%v", e)
	}
	wantPartition(t, acc,
		"Anna a/1.jpg#0 a/2.jpg#0 a/7.jpg#0 a/8.jpg#1 a/9.jpg#0 b/4.jpg#0",
		"Bert a/1.jpg#1 a/3.jpg#0 a/7.jpg#1 b/5.jpg#0",
		"Cara a/10.jpg#0 a/2.jpg#1 a/3.jpg#1 a/8.jpg#0 b/6.jpg#0",
		"Dora b/11.jpg#0")

	// Again: nothing to say.
	n := len(all(t, acc.Decisions(t.Context())))
	rep, _ = importRegions(t, acc, src)
	if m := len(all(t, acc.Decisions(t.Context()))); m != n || rep.Agreed != 5 || rep.Assigned+rep.People+rep.Named != 0 {
		t.Errorf("%d decisions became %d: %+v", n, m, rep)
	}
	// And it can be undone.
	for _, d := range slices.Backward(all(t, acc.Decisions(t.Context()))) {
		must(t, acc.Undo(t.Context(), d.ID))
	}
	must1[index.Report](t)(acc.Regroup(t.Context()))
	for _, p := range all(t, acc.People(t.Context(), index.PeopleQuery{})) {
		if p.Name != "" {
			t.Errorf("%q is left", p.Name)
		}
	}
}

func TestImportRegionsConflict(t *testing.T) {
	src := family()
	acc := newAccount(t, index.Config{})
	reindex(t, acc, src, index.ReindexOptions{})
	ctx := t.Context()
	given, _, err := acc.Assign(ctx, "", facesOf(t, acc, "b/4.jpg")[0].ID) // who is somebody else
	must(t, err)
	named(t, acc, given, "Dora")
	no := must1[index.DecisionID](t)(acc.NotAFace(ctx, facesOf(t, acc, "b/6.jpg")[0].ID))
	src.put("a/1.jpg.xmp", marked(t, 0, 0, "Anna", "Bert"))
	src.put("b/4.jpg.xmp", marked(t, 0, 0, "Anna"))
	src.put("b/6.jpg.xmp", marked(t, 0, 0, "Cara"))
	rep, _ := importRegions(t, acc, src)
	var got []string
	for _, c := range rep.Conflicts {
		got = append(got, fmt.Sprintf("%s %d %v", c.Name, len(c.Faces), c.Err.Standing))
	}
	slices.Sort(got)
	same := all(t, acc.Decisions(ctx))[0].ID
	if want := []string{fmt.Sprintf("Anna 1 [%s]", same), fmt.Sprintf("Cara 1 [%s]", no)}; !slices.Equal(got, want) {
		t.Errorf("conflicts %v, want %v", got, want)
	}
	wantPartition(t, acc, "Anna a/1.jpg#0 a/2.jpg#0", "Bert "+familyPeople[1], "Dora b/4.jpg#0", "a/2.jpg#1 a/3.jpg#1")
}

// One person's faces that another program knows as two names: each name gets
// its own, and the person the one that has more of it.
func TestImportRegionsTwoNames(t *testing.T) {
	src := family()
	acc := newAccount(t, index.Config{})
	reindex(t, acc, src, index.ReindexOptions{})
	src.put("a/1.jpg.xmp", marked(t, 0, 0, "Anna"))
	src.put("a/2.jpg.xmp", marked(t, 0, 0, "Anna"))
	src.put("b/4.jpg.xmp", marked(t, 0, 0, "Zoe"))
	id := personOf(t, acc, "a/1.jpg", 0)
	rep, _ := importRegions(t, acc, src)
	if rep.People != 1 || rep.Named != 2 || must1[index.Person](t)(acc.Person(t.Context(), id)).Name != "Anna" {
		t.Errorf("%+v", rep)
	}
	wantPartition(t, acc, "Anna a/1.jpg#0 a/2.jpg#0", "Zoe b/4.jpg#0", familyPeople[1], familyPeople[2])
}

func TestImportRegionsFailures(t *testing.T) {
	src := family()
	src.put("a/7.jpg", framed(marked(t, 0, 0, "Anna"), "7", 1))
	acc := newAccount(t, index.Config{Decoders: []index.Decoder{framedDecoder{}}})
	reindex(t, acc, src, index.ReindexOptions{})
	src.put("a/7.jpg", framed(marked(t, 0, 0, "Bert"), "7 anew", 1))
	src.put("b/4.jpg.xmp", bytes.Repeat([]byte(" "), 1<<20+1))
	src.remove("b/5.jpg")
	src.put("b/6.jpg.xmp", must1[[]byte](t)(exif.Sidecar{
		Width: 100, Height: 100, Regions: []exif.Region{{Name: "Cara", Type: "Face", X: 0.01, Y: 0.1, W: 0.08, H: 0.8}},
	}.XMP()))
	_, failed := importRegions(t, acc, src)
	for path, why := range map[string]string{"a/7.jpg": "changed", "b/4.jpg": "too large", "b/6.jpg": "another shape"} {
		if e := failed.of(t, path); !strings.Contains(e.Error(), why) {
			t.Errorf("%v, want %q in it", e, why)
		}
	}
	if len(failed) != 3 {
		t.Errorf("%v", failed)
	}
	if n := len(all(t, acc.Decisions(t.Context()))); n != 0 {
		t.Errorf("%d decisions", n)
	}

	bare := openAt(t, filepath.Join(t.TempDir(), "b.kith"), withScenes(index.Config{}))
	_, err := bare.ImportRegions(t.Context(), src, index.RegionOptions{})
	wantErr(t, "without consent", err, index.ErrNoConsent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = acc.ImportRegions(ctx, src, index.RegionOptions{})
	wantErr(t, "cancelled", err, context.Canceled)
}

// Our own sidecars, put beside the photos of an account that knows nobody.
func TestImportOwnSidecars(t *testing.T) {
	src := family()
	acc := newAccount(t, index.Config{})
	reindex(t, acc, src, index.ReindexOptions{})
	for i, name := range []string{"Anna & \"Co\" <x>", "Бе\u200dрт 😀", "-"} {
		named(t, acc, personOf(t, acc, fmt.Sprintf("b/%d.jpg", 4+i), 0), name)
	}
	dir := filepath.Join(t.TempDir(), "out")
	must(t, acc.ExportDir(t.Context(), dir, index.ExportOptions{}))
	sidecars := os.DirFS(filepath.Join(dir, "sidecars"))
	must(t, fs.WalkDir(sidecars, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			src.put(name, must1[[]byte](t)(fs.ReadFile(sidecars, name)))
		}
		return err
	}))
	other := newAccount(t, index.Config{})
	reindex(t, other, src, index.ReindexOptions{})
	rep, _ := importRegions(t, other, src)
	if rep.Regions != 9 || rep.Matched != 9 || rep.Named != 3 || rep.People != 0 {
		t.Errorf("%+v", rep)
	}
	wantSame(t, "people", strings.Join(partition(t, other), "\n"), strings.Join(partition(t, acc), "\n"))
}
