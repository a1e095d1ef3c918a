package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kith-photos/kith/face"
)

const (
	benchFaces = 10_000
	benchDim   = 512
	benchBatch = 100
)

func benchAnalyses() []Analysis {
	all := make([]Analysis, benchFaces)
	for i := range all {
		path := fmt.Sprintf("folder/%05d.jpg", i)
		f := faceAt(0)
		f.Vector = vector(benchDim, uint64(i))
		all[i] = Analysis{Photo: okPhoto(path, path), Faces: []face.Face{f}}
	}
	return all
}

func benchInsert(b *testing.B, path string, all []Analysis) {
	db := must1[*DB](b)(Open(context.Background(), path, Options{}))
	must(b, db.PutSpace(context.Background(), Space{Name: testSpace, Dim: benchDim}))
	for i := 0; i < len(all); i += benchBatch {
		must(b, db.PutPhotos(context.Background(), testSpace, all[i:i+benchBatch]))
	}
	must(b, db.Close())
}

// BenchmarkPutPhotos records 10,000 photos of one face (512 numbers each) in
// batches of 100.
func BenchmarkPutPhotos(b *testing.B) {
	all := benchAnalyses()
	n := 0
	dir := b.TempDir()
	for b.Loop() {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		benchInsert(b, path, all)
		b.ReportMetric(float64(must1[os.FileInfo](b)(os.Stat(path)).Size())/(1<<20), "MiB/file")
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n*benchFaces), "µs/photo")
}

func benchDB(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "a.kith")
	benchInsert(b, path, benchAnalyses())
	return path
}

// BenchmarkVectors loads 10,000 vectors of 512 numbers.
func BenchmarkVectors(b *testing.B) {
	db := openAt(b, benchDB(b), Options{})
	b.ReportAllocs()
	for b.Loop() {
		set := must1[VectorSet](b)(db.Vectors(context.Background(), testSpace))
		if len(set.Faces) != benchFaces {
			b.Fatal(len(set.Faces))
		}
	}
}

// BenchmarkOpen opens and closes an account of 10,000 faces, which includes
// looking for corruption.
func BenchmarkOpen(b *testing.B) {
	path := benchDB(b)
	for b.Loop() {
		db := must1[*DB](b)(Open(context.Background(), path, Options{}))
		must(b, db.Close())
	}
}

// BenchmarkFiles lists what an incremental run compares with.
func BenchmarkFiles(b *testing.B) {
	db := openAt(b, benchDB(b), Options{})
	for b.Loop() {
		if files := collect(b, db.Files(context.Background())); len(files) != benchFaces {
			b.Fatal(len(files))
		}
	}
}
