package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

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
	db := must1[*DB](b)(testOpen(context.Background(), path, Options{}))
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
		db := must1[*DB](b)(testOpen(context.Background(), path, Options{}))
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

const loadFaces = 100_000

// loadDB is an account of 100,000 faces on 500 photos, and a file that holds
// as many bytes as their vectors.
func loadDB(b *testing.B) (db *DB, plain string) {
	b.Helper()
	dir := b.TempDir()
	db = openAt(b, filepath.Join(dir, "a.kith"), Options{})
	ctx := context.Background()
	must(b, db.PutSpace(ctx, Space{Name: testSpace, Dim: benchDim}))
	const perPhoto = 200
	for n := range loadFaces / perPhoto {
		a := Analysis{Photo: okPhoto(fmt.Sprint(n), fmt.Sprint(n))}
		for i := range perPhoto {
			f := faceAt(float64(300 * i))
			f.Vector = vector(benchDim, uint64(n*perPhoto+i))
			a.Faces = append(a.Faces, f)
		}
		must(b, db.PutPhotos(ctx, testSpace, []Analysis{a}))
	}
	plain = filepath.Join(dir, "plain")
	must(b, os.WriteFile(plain, make([]byte, 4*benchDim*loadFaces), 0o600))
	return db, plain
}

// readInto reads a file into memory that is in use already.
func readInto(b *testing.B, path string, warm []byte) {
	f := must1[*os.File](b)(os.Open(path))
	must1[int](b)(io.ReadFull(f, warm))
	must(b, f.Close())
}

// BenchmarkEmbeddings loads 100,000 vectors of 512 numbers from the page cache
// and compares that with reading as many bytes of a plain file: into new
// memory, as os.ReadFile does and as the vectors need it, and into memory that
// is in use already, which is next to nothing but copying.
func BenchmarkEmbeddings(b *testing.B) {
	db, plain := loadDB(b)
	warm := make([]byte, 4*benchDim*loadFaces)
	readInto(b, plain, warm)
	var load, fresh, reused time.Duration
	for b.Loop() {
		began := time.Now()
		if e := must1[Embeddings](b)(db.Embeddings(context.Background(), testSpace)); len(e.IDs) != loadFaces {
			b.Fatal(len(e.IDs))
		}
		load += time.Since(began)
		began = time.Now()
		must1[[]byte](b)(os.ReadFile(plain))
		fresh += time.Since(began)
		began = time.Now()
		readInto(b, plain, warm)
		reused += time.Since(began)
	}
	b.ReportMetric(float64(b.N)*float64(len(warm))/1e9/load.Seconds(), "GB/s")
	b.ReportMetric(load.Seconds()/fresh.Seconds(), "x-ReadFile")
	b.ReportMetric(load.Seconds()/reused.Seconds(), "x-read")
}
