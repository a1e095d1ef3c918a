package when

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
)

// many makes photos of ten years: a phone that writes its zone or place, two
// cameras that do not, and some that only have a name.
func many(n int) []Evidence {
	rng := rand.New(rand.NewPCG(5, 6))
	photos := make([]Evidence, n)
	at := utc("2014-01-01 00:00:00")
	step := 10 * 365 * 24 * time.Hour / time.Duration(n)
	for i := range photos {
		at = at.Add(time.Duration(rng.Int64N(int64(2 * step))))
		e := &photos[i]
		*e = Evidence{Key: fmt.Sprintf("%016x", rng.Uint64()), Name: "DSC_0123.JPG", ModTime: at, Camera: "phone|1|"}
		e.Taken, e.From = exif.Time{Wall: at, Zone: exif.ZoneNone}, exif.TimeOriginal
		switch k := rng.IntN(10); {
		case k < 3:
			e.Taken.Offset, e.Taken.Zone = 3*time.Hour, exif.ZoneOffset
		case k < 5:
			e.Point = turku
		case k < 9:
			e.Camera = "camera|" + string(rune('a'+k%2)) + "|"
			if k == 8 {
				e.Taken.Offset, e.Taken.Zone = 2*time.Hour, exif.ZoneGPS
			}
		default:
			e.Taken, e.Camera, e.Name = exif.Time{}, "", at.Format("IMG_20060102_150405.jpg")
		}
	}
	rng.Shuffle(n, func(i, j int) { photos[i], photos[j] = photos[j], photos[i] })
	return photos
}

// BenchmarkResolve resolves a million photos at once.
func BenchmarkResolve(b *testing.B) {
	photos := many(1_000_000)
	for name, opt := range map[string]Options{
		"bare": {}, "host": {Zones: kept{location(b, "Europe/Helsinki")}, Default: location(b, "Europe/Helsinki"), Shifts: []Shift{{Camera: "camera|a|", By: time.Hour}}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Resolve(photos, opt)
			}
		})
	}
}

// kept is one zone for every place: what finding a zone costs is not when's.
type kept struct{ zone *time.Location }

func (k kept) Zone(geo.Point) *time.Location { return k.zone }
