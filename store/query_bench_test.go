package store

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
)

// bigAlbum is 100,000 photos of 15 years, with 300 people.
var bigAlbum = albumOf{seed: 1, photos: 100_000, years: 15, people: 300, perMoment: 8, odd: 0.01}

// humanQueries are questions that people ask, each with what a page of an
// answer needs.
func humanQueries(a *album) map[string]Query {
	anna, ben := a.people[0], a.people[1]
	wall := func(y, m, d, y2, m2, d2 int) []Span {
		return []Span{{time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC), time.Date(y2, time.Month(m2), d2, 0, 0, 0, 0, time.UTC)}}
	}
	var trip MomentID
	most := 0
	for _, m := range a.next.Moments {
		if m.Kind == KindTrip && m.Shots > most {
			trip, most = m.ID, m.Shots
		}
	}
	years := map[Facet]int{ByYear: 0}
	return map[string]Query{
		"AnnaAndBenInSummer2019NearTurku": {All: []PersonID{anna, ben}, Wall: wall(2019, 6, 1, 2019, 9, 1), Region: turku, Limit: 50,
			Facets: map[Facet]int{ByPerson: 10, ByMoment: 10, ByPlace: 10}},
		"OnThisDay":          {Dates: []Date{{time.July, 4}}, Limit: 50, Facets: map[Facet]int{ByYear: 0, ByPerson: 10}},
		"AnnaAsAChild":       {All: []PersonID{anna}, Wall: wall(2012, 3, 1, 2018, 3, 1), Order: OldestFirst, Limit: 50, Facets: years},
		"WhoIsWithAnna":      {All: []PersonID{anna}, Limit: 50, Facets: map[Facet]int{ByPerson: 20}},
		"Anna":               {All: []PersonID{anna}, Limit: 50, Facets: years},
		"Trip":               {Moments: []MomentID{trip}, Order: OldestFirst, Limit: 50, Facets: map[Facet]int{ByPerson: 10, ByCamera: 0, ByDay: 0, ByCountry: 0}},
		"CameraInAMonth":     {Cameras: []exif.Camera{{Make: "make1", Model: "model2"}}, Wall: wall(2020, 5, 1, 2020, 6, 1), Limit: 50, Facets: map[Facet]int{ByPlace: 5}},
		"CameraInJulies":     {Cameras: []exif.Camera{{Make: "make1"}}, Months: []time.Month{time.July}, Limit: 50, Facets: years},
		"NoneOfAnna":         {None: []PersonID{anna}, Limit: 50, Facets: years},
		"Everything":         {Limit: 50, Facets: years},
		"EverythingPage2000": {Limit: 50, Order: OldestFirst, Wall: wall(2024, 1, 1, 2030, 1, 1), Facets: years},
		"NearTurku":          {Region: turku, Limit: 50, Facets: years},
		"FiveMilesFromHome":  {Region: box{South: 60.38, West: 22.13, North: 60.52, East: 22.40}, Limit: 50, Facets: years},
		"Italy":              {Countries: []string{"IT"}, Limit: 50, Facets: map[Facet]int{ByYear: 0, ByTrip: 10}},
		"WeekendsWithFaces":  {Weekdays: []time.Weekday{time.Saturday, time.Sunday}, Faces: With, Limit: 50, Facets: years},
		"NoPosition":         {Position: NoPosition, Limit: 50},
		"Estimated":          {Position: Estimated, Wall: wall(2019, 1, 1, 2020, 1, 1), Limit: 50},
		"EstimatedOfAll":     {Position: Estimated, Limit: 50},
		"AllFacetsOfAll": {Limit: 50, Facets: map[Facet]int{ByYear: 0, ByMonth: 0, ByPerson: 10, ByPlace: 10, ByCamera: 10, ByCountry: 10,
			ByMoment: 10, ByDay: 10, ByTrip: 10}},
		"AllFacetsOfAnna": {All: []PersonID{anna}, Limit: 50, Facets: map[Facet]int{ByYear: 0, ByMonth: 0, ByPerson: 10, ByPlace: 10, ByCamera: 10,
			ByCountry: 10, ByMoment: 10, ByDay: 10, ByTrip: 10}},
	}
}

// BenchmarkFind answers what people ask of 100,000 photos: a page of 50, the
// total, and facets.
func BenchmarkFind(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		name, opt := "plain", Options{}
		if sealed {
			name, opt.Keys = "sealed", fixedKeys{}
		}
		b.Run(name, func(b *testing.B) {
			began := time.Now()
			a := bigAlbum.generate()
			a.store(b, openAt(b, filepath.Join(b.TempDir(), "a.kith"), opt))
			b.Logf("made in %v: %d cells, %d moments", time.Since(began).Round(time.Second/10), len(a.next.Cells), len(a.next.Moments))
			ctx := context.Background()
			run := func(name string, f func() int) {
				b.Run(name, func(b *testing.B) {
					n, best := 0, time.Hour
					for b.Loop() {
						began := time.Now()
						n = f()
						best = min(best, time.Since(began))
					}
					b.ReportMetric(float64(n), "found")
					b.ReportMetric(float64(best.Microseconds())/1000, "ms/best")
				})
			}
			queries := humanQueries(a)
			for _, name := range slices.Sorted(maps.Keys(queries)) {
				run(name, func() int { return must1[Found](b)(a.db.Find(ctx, queries[name])).Total })
			}
			run("TogetherWithAnna", func() int { return len(must1[[]Pair](b)(a.db.Together(ctx, a.people[0], 20))) })
			run("TogetherAll", func() int { return len(must1[[]Pair](b)(a.db.Together(ctx, "", 20))) })
			run("MomentsPage", func() int { return len(collect(b, a.db.Moments(ctx, MomentQuery{Limit: 50}))) })
			run("TripsWithAnna", func() int {
				return len(collect(b, a.db.Moments(ctx, MomentQuery{Kind: KindTrip, People: a.people[:1], Limit: 50})))
			})
			run("Cameras", func() int { return len(collect(b, a.db.Cameras(ctx))) })
			run("Places", func() int { return len(collect(b, a.db.Places(ctx, PlaceQuery{}))) })
			run("Shot", func() int { must1[ShotRow](b)(a.db.Shot(ctx, a.photos[500].shot.Photo)); return 1 })
		})
	}
}
