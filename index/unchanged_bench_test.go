package index_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

const (
	unchangedFiles   = 100_000
	unchangedFolders = 200
)

// unchangedLibrary makes a folder of 100,000 files that begin as JPEG files
// do, and an account that knows them, with two faces on every tenth.
func unchangedLibrary(b *testing.B, path, dir string) fs.FS {
	b.Helper()
	ctx := context.Background()
	src := os.DirFS(dir)
	db := must1[*store.DB](b)(store.Open(ctx, path, store.Options{}))
	must(b, db.PutConsent(ctx, store.Consent{Given: true}))
	impostors := face.Impostors{Thresholds: []float64{0.1, 0.2, 0.3, 0.4, 0.5}, FAR: []float64{1e-1, 1e-2, 1e-3, 1e-4, 1e-5}}
	must(b, db.PutSpace(ctx, store.Space{Name: "scene", Dim: 64, Impostors: impostors}))
	const perFolder = unchangedFiles / unchangedFolders
	for n := range unchangedFolders {
		folder := fmt.Sprintf("folder %03d", n)
		must(b, os.MkdirAll(filepath.Join(dir, folder), 0o755))
		var batch []store.Analysis
		for i := range perFolder {
			name := fmt.Sprintf("%s/IMG_%05d.JPG", folder, i)
			data := fmt.Append([]byte{0xff, 0xd8, 0xff, 0xe0}, name)
			must(b, os.WriteFile(filepath.Join(dir, name), data, 0o644))
			info := must1[fs.FileInfo](b)(fs.Stat(src, name))
			a := store.Analysis{Photo: store.Photo{
				Path: name, Size: info.Size(), ModTime: info.ModTime(), SHA256: sha256.Sum256(data),
				Width: 4000, Height: 3000, Status: store.StatusOK, Analyzer: "scene",
			}}
			if i%10 == 0 {
				for k := range 2 {
					a.Faces = append(a.Faces, face.Face{
						Box: face.Box{X: float64(500 * k), Y: 100, W: 300, H: 300}, Score: 0.9, Quality: 0.5, Detector: "test",
						Vector: portrait(i%70+k, uint64(2*(perFolder*n+i)+k)),
					})
				}
			}
			batch = append(batch, a)
		}
		must(b, db.PutPhotos(ctx, "scene", batch))
	}
	must(b, db.Close())
	return src
}

// BenchmarkUnchanged runs Reindex on a library of 100,000 files in which
// nothing has changed, and compares it with walking through them.
func BenchmarkUnchanged(b *testing.B) {
	path, dir := filepath.Join(b.TempDir(), "a.kith"), b.TempDir()
	src := unchangedLibrary(b, path, dir)
	acc := must1[*index.Account](b)(index.Open(b.Context(), path, withScenes(index.Config{})))
	defer func() { must(b, acc.Close()) }()
	began := time.Now()
	want := must1[index.Report](b)(acc.Reindex(b.Context(), src, index.ReindexOptions{})).Grouping
	b.Logf("the first run, which groups %d faces: %v", want.Faces, time.Since(began))
	var run, walk spent
	for b.Loop() {
		run.on(b, func() {
			rep := must1[index.Report](b)(acc.Reindex(b.Context(), src, index.ReindexOptions{}))
			if rep.Unchanged != unchangedFiles || rep.Grouping != want {
				b.Fatalf("%+v", rep)
			}
		})
		walk.on(b, func() {
			n := 0
			must(b, fs.WalkDir(src, ".", func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					n++
					_, err = d.Info()
				}
				return err
			}))
			if n != unchangedFiles {
				b.Fatal(n)
			}
		})
	}
	run.report(b, "run")
	walk.report(b, "walk")
	run.compare(b, "walk", walk)
}

// spent is what repetitions of one piece of work took, by the clock and of the
// processor, in seconds.
type spent struct{ wall, cpu []float64 }

func (s *spent) on(b *testing.B, work func()) {
	b.Helper()
	began, cpu := time.Now(), processCPU(b)
	work()
	s.wall = append(s.wall, time.Since(began).Seconds())
	s.cpu = append(s.cpu, (processCPU(b) - cpu).Seconds())
}

// middle are the medians.
func (s *spent) middle() (wall, cpu float64) {
	slices.Sort(s.wall)
	slices.Sort(s.cpu)
	return s.wall[len(s.wall)/2], s.cpu[len(s.cpu)/2]
}

// report is in milliseconds.
func (s *spent) report(b *testing.B, name string) {
	wall, cpu := s.middle()
	b.ReportMetric(1000*wall, "ms-"+name)
	b.ReportMetric(1000*cpu, "cpu-ms-"+name)
}

// compare reports how many times as long this took as something else.
func (s *spent) compare(b *testing.B, name string, other spent) {
	wall, cpu := s.middle()
	otherWall, otherCPU := other.middle()
	b.ReportMetric(wall/otherWall, "x-"+name)
	b.ReportMetric(cpu/otherCPU, "cpu-x-"+name)
}
