package index_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// manifest describes one measuring album; see testdata/albums.
type manifest struct {
	Name, About, Source, Licence string
	Layout                       string            // folders, boxes, labels, counts
	Pairs, Boxes                 string            // files of the album
	Faceless                     []string          // photos without any face
	Counts                       map[string][2]int // photo: fewest and most faces
}

func readManifest(tb testing.TB, name string) manifest {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "albums", name+".json"))
	if err != nil {
		tb.Fatal(err)
	}
	var m manifest
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return m
}

// albumDir finds an album, or skips.
func albumDir(tb testing.TB, name string) string {
	tb.Helper()
	if name == "demo" {
		return filepath.Dir(modelstest.DemoPhotos(tb)[0])
	}
	return modelstest.Album(tb, name)
}

func openEngine(tb testing.TB, inst models.Installation) *onnx.Engine {
	tb.Helper()
	e, err := onnx.Open(inst, onnx.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// export is what a test reads of Account.Export.
type export struct {
	Format string
	Photos []struct {
		ID, Path, Status      string
		Width, Height, Orient int
	}
	Faces []struct {
		ID, Photo string
		Box       struct{ X, Y, W, H float64 }
		Quality   float64
		Person    *string
		Embedding face.Vector
	}
	People []struct{ ID, Name string }
}

// measured is one album, indexed from nothing.
type measured struct {
	export
	report   index.Report
	cpu, ort time.Duration // of the process, and in ONNX Runtime alone
	faces    map[string][]int
}

func consented(tb testing.TB, path string, cfg index.Config) *index.Account {
	tb.Helper()
	acc, err := index.Open(tb.Context(), path, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := acc.Close(); err != nil {
			tb.Error(err)
		}
	})
	err = acc.SetConsent(tb.Context(), index.Consent{Given: true, By: "test", Version: "1", Means: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	return acc
}

func measure(tb testing.TB, dir string, inst models.Installation, workers int) measured {
	tb.Helper()
	return measureWith(tb, dir, openEngine(tb, inst), index.Config{Workers: workers})
}

// measureWith indexes a folder in an account of its own.
func measureWith(tb testing.TB, dir string, e *onnx.Engine, cfg index.Config) measured {
	tb.Helper()
	cfg.Analyzer = e.Analyzer()
	acc := consented(tb, filepath.Join(tb.TempDir(), "album.kith"), cfg)
	ort := e.Time()
	var m measured
	cpu := processCPU(tb)
	var err error
	m.report, err = acc.Reindex(tb.Context(), os.DirFS(dir), index.ReindexOptions{
		NoGroup: os.Getenv("KITH_WRITE_TAIL") != "", // there is no tail to group by yet
		Failed:  func(e *index.PhotoError) { tb.Logf("failed: %v", e) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	m.cpu, m.ort = processCPU(tb)-cpu, e.Time()-ort
	var buf bytes.Buffer
	if err := acc.Export(tb.Context(), &buf, index.ExportOptions{Embeddings: true}); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(buf.Bytes(), &m.export); err != nil {
		tb.Fatal(err)
	}
	for err := range acc.Check(tb.Context()) {
		tb.Error(err)
	}
	m.faces = map[string][]int{}
	for i, f := range m.Faces {
		m.faces[f.Photo] = append(m.faces[f.Photo], i)
	}
	return m
}

func processCPU(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// central is the face nearest the middle of a photo, whose folder names the
// person; -1 where none was found.
func (m *measured) central(photo int) int {
	p := m.Photos[photo]
	best, dist := -1, math.Inf(1)
	for _, i := range m.faces[p.ID] {
		b := m.Faces[i].Box
		d := math.Hypot(b.X+b.W/2-float64(p.Width)/2, b.Y+b.H/2-float64(p.Height)/2)
		if d < dist {
			best, dist = i, d
		}
	}
	return best
}

// identities scores an album whose folders are people: how pure and how whole
// the people are that kith made of the central faces.
type identities struct {
	photos, missed int
	bcubed         cluster.Score
	perPerson      float64
	people         []string               // the truth of each scored face
	vectors        map[string]face.Vector // by photo path
}

func (m *measured) identities() identities {
	id := identities{vectors: map[string]face.Vector{}}
	number := map[string]int{}
	var labels []int
	for i, p := range m.Photos {
		id.photos++
		f := m.central(i)
		if f < 0 {
			id.missed++
			continue
		}
		label := -1
		if who := m.Faces[f].Person; who != nil {
			if _, ok := number[*who]; !ok {
				number[*who] = len(number)
			}
			label = number[*who]
		}
		labels = append(labels, label)
		id.people = append(id.people, path.Dir(p.Path))
		id.vectors[p.Path] = m.Faces[f].Embedding
	}
	id.bcubed = cluster.BCubed(labels, id.people)
	id.perPerson = cluster.ClustersPerPerson(labels, id.people)
	return id
}

// verify reads pairs in the LFW format ("name i j" is one person, "name i
// other j" two) and scores those whose photos were found.
func (id identities) verify(tb testing.TB, file string) cluster.Verification {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	photo := func(name, n string) face.Vector {
		i, err := strconv.Atoi(n)
		if err != nil {
			tb.Fatal(err)
		}
		return id.vectors[fmt.Sprintf("%s/%s_%04d.jpg", name, name, i)]
	}
	var scores []float64
	var same []bool
	var fold []int
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		var a, b face.Vector
		switch len(f) {
		case 3:
			a, b = photo(f[0], f[1]), photo(f[0], f[2])
		case 4:
			a, b = photo(f[0], f[1]), photo(f[2], f[3])
		default:
			tb.Fatalf("%s: %q", file, line)
		}
		if a == nil || b == nil {
			continue
		}
		fold = append(fold, len(scores)%10)
		scores, same = append(scores, a.Dot(b)), append(same, len(f) == 3)
	}
	v, err := cluster.KFoldAccuracy(scores, same, fold)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// boxed counts the hand-drawn faces that were found at an IoU of 0.4, and the
// boxes on photos that have no face.
func (m *measured) boxed(tb testing.TB, file string, faceless []string) (found, all, onNone int) {
	tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	truth := map[string][]face.Box{}
	for _, r := range rows[1:] {
		var v [4]float64
		for i := range v {
			if v[i], err = strconv.ParseFloat(r[1+i], 64); err != nil {
				tb.Fatal(err)
			}
		}
		if r[5] == "0" { // not marked "ignore"
			truth[r[0]] = append(truth[r[0]], face.Box{X: v[0], Y: v[1], W: v[2], H: v[3]})
		}
	}
	for _, p := range m.Photos {
		if slices.Contains(faceless, p.Path) {
			onNone += len(m.faces[p.ID])
		}
		used := map[int]bool{}
		for _, t := range truth[p.Path] {
			all++
			best, at := 0.0, -1
			for _, i := range m.faces[p.ID] {
				if iou := face.Box(m.Faces[i].Box).IoU(t); iou > best && !used[i] {
					best, at = iou, i
				}
			}
			if best >= 0.4 {
				found++
				used[at] = true
			} else {
				tb.Logf("%s: no face at %v (best IoU %.2f)", p.Path, t, best)
			}
		}
	}
	return found, all, onNone
}

// counts reads the fewest and most faces of each photo.
func (m manifest) counts(tb testing.TB, dir string) map[string][2]int {
	tb.Helper()
	if m.Layout == "counts" {
		return m.Counts
	}
	f, err := os.Open(filepath.Join(dir, "labels.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string][2]int{}
	for _, r := range rows[1:] {
		lo, err1 := strconv.Atoi(r[2])
		hi, err2 := strconv.Atoi(r[3])
		if err1 != nil || err2 != nil {
			tb.Fatalf("labels.csv: %q", r)
		}
		out[r[0]] = [2]int{lo, hi}
	}
	return out
}

// outside counts the photos whose number of faces is not what a person sees.
func (m *measured) outside(tb testing.TB, counts map[string][2]int) (few, many int) {
	tb.Helper()
	for _, p := range m.Photos {
		c, ok := counts[p.Path]
		if !ok {
			tb.Errorf("%s has no label", p.Path)
		}
		n := len(m.faces[p.ID])
		if n < c[0] {
			few += c[0] - n
			tb.Logf("%s: %d faces, a person sees at least %d", p.Path, n, c[0])
		}
		if n > c[1] {
			many += n - c[1]
			tb.Logf("%s: %d faces, a person sees at most %d", p.Path, n, c[1])
		}
	}
	return few, many
}
