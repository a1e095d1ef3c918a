package index_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// decade puts n photos of ten years into an account: evenings at home, outings
// nearby and a journey each summer, by a mobile and a camera that knows neither
// zone nor place.
func decade(b *testing.B, path string, n int) {
	b.Helper()
	ctx, r := context.Background(), rand.New(rand.NewPCG(1, 2))
	db := must1[*store.DB](b)(store.Open(ctx, path, store.Options{}))
	when := time.Date(2010, 1, 1, 8, 0, 0, 0, time.UTC)
	lat, lon := 60.4518, 22.2666
	var batch []store.Analysis
	for i := range n {
		if i%20 == 0 { // the next event
			when = when.Add(time.Duration(float64(10*365*24*time.Hour) / float64(n) * 20))
			switch {
			case when.Month() == time.July && when.Day() < 21:
				lat, lon = 35.3192+r.Float64()/5, 139.5467+r.Float64()/5
			case i%60 == 0:
				lat, lon = 60.4518, 22.2666
			default:
				lat, lon = 60.4518+r.Float64()/10, 22.2666+r.Float64()/10
			}
		}
		at := when.Add(time.Duration(i%20)*7*time.Minute + time.Duration(r.IntN(300_000_000))*time.Microsecond)
		p := photoAt(i, at)
		if p.Camera = mobile; i%4 == 3 {
			p.Camera = slr
		} else if i%16 != 2 {
			p.GPS = &exif.GPS{Lat: lat + r.NormFloat64()*1e-4, Lon: lon + r.NormFloat64()*1e-4, Accuracy: 10}
		}
		if batch = append(batch, store.Analysis{Photo: p}); len(batch) == 2000 || i == n-1 {
			must(b, db.PutPhotos(ctx, "", batch))
			batch = batch[:0]
		}
	}
	must(b, db.Close())
}

func photoAt(i int, at time.Time) store.Photo {
	return store.Photo{
		Path: fmt.Sprintf("%d/%06d.jpg", i/1000, i), Size: 4_000_000, ModTime: start, Width: 4000, Height: 3000,
		SHA256: sha256.Sum256(fmt.Append(nil, i)), Status: store.StatusPending,
		Taken: exif.Time{Wall: at.Truncate(time.Microsecond), Zone: exif.ZoneNone}, TakenFrom: exif.TimeOriginal,
	}
}

// BenchmarkArrange opens an account of 100,000 photos and finds the newest ten:
// before it was ever arranged, when nothing has changed since, and when one
// photo has come.
func BenchmarkArrange(b *testing.B) {
	const n = 100_000
	ctx, dir := context.Background(), b.TempDir()
	raw, path := filepath.Join(dir, "raw.kith"), filepath.Join(dir, "a.kith")
	decade(b, raw, n)
	find := func(b *testing.B) {
		acc := must1[*index.Account](b)(index.Open(ctx, path, index.Config{Zones: globe{}, Gazetteer: &atlas{version: "1"}}))
		f := must1[index.Found](b)(acc.Find(ctx, index.Query{Limit: 10}))
		if f.Total < n {
			b.Fatalf("%d photos", f.Total)
		}
		b.StopTimer()
		must(b, acc.Close())
		b.StartTimer()
	}
	again := func(b *testing.B) {
		b.StopTimer()
		must(b, os.WriteFile(path, must1[[]byte](b)(os.ReadFile(raw)), 0o600))
		b.StartTimer()
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			again(b)
			find(b)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
	})
	again(b)
	find(b)
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			find(b)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
	})
	added := n
	b.Run("one more", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			db := must1[*store.DB](b)(store.Open(ctx, path, store.Options{}))
			must(b, db.PutPhotos(ctx, "", []store.Analysis{{Photo: photoAt(added, start.Add(time.Duration(added)*time.Hour))}}))
			must(b, db.Close())
			added++
			b.StartTimer()
			find(b)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
	})
}
