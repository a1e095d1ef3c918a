package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
)

// oddAlbum is small, and everything that can be missing is.
var oddAlbum = albumOf{seed: 7, photos: 160, years: 3, people: 12, perMoment: 4, odd: 0.12, rejected: true}

// albums are one album in plain and sealed, and another that few is odd in.
func albums(t testing.TB) (all []*album) {
	for i := range 3 {
		all = append(all, albumNo(t, i))
	}
	return all
}

// albumNo is one of albums.
func albumNo(t testing.TB, i int) *album {
	o, opt := oddAlbum, Options{}
	switch i {
	case 1:
		opt.Keys = fixedKeys{}
	case 2:
		o = albumOf{seed: 9, photos: 90, years: 1, people: 5, perMoment: 6}
	}
	a := o.generate()
	a.store(t, openAt(t, filepath.Join(t.TempDir(), fmt.Sprint(i)), opt))
	return a
}

// some draws a few of what there is.
func some[T any](t *rapid.T, of []T, name string) []T {
	if len(of) == 0 || rapid.IntRange(0, 4).Draw(t, "has "+name) > 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(of), 1, 3).Draw(t, name)
}

func drawSpan(t *rapid.T) Span {
	at := func(name string, min int) time.Time {
		return time.Date(2023, 1, 1, 0, 0, 0, 0, time.FixedZone("x", 5*3600)).Add(time.Duration(rapid.IntRange(min, 26_000).Draw(t, name)) * time.Hour)
	}
	s := Span{From: at("from", 0)}
	s.To = s.From.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "hours")) * time.Hour)
	switch rapid.IntRange(0, 5).Draw(t, "open") {
	case 0:
		s.From = time.Time{}
	case 1:
		s.To = time.Time{}
	}
	return s
}

// draw makes a query of what an album has.
func (a *album) draw(t *rapid.T) Query {
	people := append(slices.Clone(a.people), "nobody")
	var moments []MomentID
	for _, m := range a.next.Moments {
		moments = append(moments, m.ID)
	}
	var places []PlaceID
	for _, p := range a.next.Places {
		places = append(places, p.ID)
	}
	rare := func(name string, of ...int) int {
		return rapid.SampledFrom(append([]int{0, 0, 0, 0, 0, 0}, of...)).Draw(t, name)
	}
	q := Query{
		All: some(t, people[:3], "all"), Any: some(t, people, "any"), None: some(t, people, "none"),
		Months: some(t, []time.Month{1, 2, 3, 6, 7, 12}, "months"), Weekdays: some(t, []time.Weekday{0, 1, 2, 6}, "weekdays"),
		Places: some(t, append(places, "nowhere"), "places"), Moments: some(t, append(moments, "never"), "moments"),
		Countries: some(t, []string{"FI", "SE", "IT", "XX"}, "countries"),
		Cameras:   some(t, append(slices.Clone(a.next.Cameras), exif.Camera{Make: "make1"}, exif.Camera{Serial: "a"}, exif.Camera{Make: "none"}), "cameras"),
		Time:      Has(rare("time", 1, 2)), Faces: Has(rare("faces", 1, 2)), Position: Position(rare("position", 1, 2, 3, 4)),
		Vanished: Which(rapid.IntRange(0, 2).Draw(t, "vanished")), Order: Order(rapid.IntRange(0, 1).Draw(t, "order")),
		Facets: map[Facet]int{},
	}
	if rare("wall", 1) == 1 {
		q.Wall = rapid.SliceOfN(rapid.Custom(drawSpan), 1, 2).Draw(t, "wall spans")
	}
	if rare("instants", 1) == 1 {
		q.Instants = rapid.SliceOfN(rapid.Custom(drawSpan), 1, 2).Draw(t, "instant spans")
	}
	if rare("dates", 1) == 1 {
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(a.photos)-1), 1, 20).Draw(t, "dates of") {
			if w := a.photos[i].shot.Taken.Wall; !w.IsZero() {
				q.Dates = append(q.Dates, Date{w.Month(), w.Day()})
			}
		}
	}
	if rare("region", 1, 1) == 1 {
		p := a.photos[rapid.IntRange(0, len(a.photos)-1).Draw(t, "region of")]
		if w := p.shot.Where; w != nil {
			d := rapid.Float64Range(0.001, 0.2).Draw(t, "size")
			q.Region = box{South: w.Lat - d, North: w.Lat + d/2, West: w.Lon - d, East: w.Lon + d}
		}
	}
	for _, facet := range []Facet{ByYear, ByMonth, ByPerson, ByPlace, ByCamera, ByCountry, ByMoment, ByDay, ByTrip} {
		if top := rapid.IntRange(-1, 8).Draw(t, "top "+string(facet)); top < 5 {
			q.Facets[facet] = top
		}
	}
	return q
}

func idsOf(rows []ShotRow) (ids []PhotoID) {
	for _, r := range rows {
		ids = append(ids, r.Photo)
	}
	return ids
}

// TestFindIsWhatLookingAtEveryPhotoFinds: hits, their order, total and facets,
// in plain and sealed, and pages of any size join to the whole.
func TestFindIsWhatLookingAtEveryPhotoFinds(t *testing.T) {
	all := albums(t)
	empty := 0
	rapid.Check(t, func(rt *rapid.T) {
		a := all[rapid.IntRange(0, len(all)-1).Draw(rt, "album")]
		q := a.draw(rt)
		want, facets := a.reference(q)
		got, err := a.db.Find(t.Context(), q)
		if err != nil {
			rt.Fatal(err)
		}
		if ids := idsOf(got.Hits); !slices.Equal(ids, want) || got.Total != len(want) || got.Next != "" {
			rt.Fatalf("found %d of %d (next %q):\n%v\nwant %d:\n%v", len(ids), got.Total, got.Next, ids, len(want), want)
		}
		if !reflect.DeepEqual(got.Facets, facets) {
			rt.Fatalf("facets:\n%+v\nwant:\n%+v", got.Facets, facets)
		}
		if len(want) == 0 {
			empty++
			return
		}
		q.Limit = rapid.IntRange(max(1, len(want)/6), len(want)+1).Draw(rt, "limit")
		var pages []PhotoID
		for {
			page, err := a.db.Find(t.Context(), q)
			if err != nil {
				rt.Fatal(err)
			}
			if page.Total != len(want) || len(page.Hits) > q.Limit || len(page.Hits) == 0 {
				rt.Fatalf("a page of %d of %d", len(page.Hits), page.Total)
			}
			pages = append(pages, idsOf(page.Hits)...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(pages, want) {
			rt.Fatalf("pages of %d:\n%v\nwant:\n%v", q.Limit, pages, want)
		}
	})
}

// TestFindOfManyIsWhatFindOfFewIs: an account is small in tests, and most
// photos are looked up; here every query takes the ways that large answers take.
func TestFindOfManyIsWhatFindOfFewIs(t *testing.T) {
	a := albumNo(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		q := a.draw(rt)
		want, facets := a.reference(q)
		must(t, a.db.view(t.Context(), "", func(tx *sql.Tx) error {
			f := &finder{ctx: t.Context(), db: a.db, sql: tx, q: q}
			if err := f.match(); err != nil {
				return err
			}
			f.shots = 1 // so that anything is many
			many := 1 << 40
			got, err := f.facets(many)
			if err != nil {
				return err
			}
			if len(want) > 0 && !reflect.DeepEqual(got, facets) {
				rt.Fatalf("facets:\n%+v\nwant:\n%+v", got, facets)
			}
			limit := rapid.IntRange(len(want)/5+1, len(want)+1).Draw(rt, "limit")
			var walked []PhotoID
			for after := (*position)(nil); ; {
				page, err := f.walk(limit, after)
				if err != nil {
					return err
				}
				rows, err := f.rows(page)
				if err != nil {
					return err
				}
				walked = append(walked, idsOf(rows)...)
				if len(page) < limit {
					break
				}
				after = &position{at: rows[limit-1].At, photo: page[limit-1]}
			}
			if !slices.Equal(walked, want) {
				rt.Fatalf("walked to %v\nwant %v", walked, want)
			}
			return nil
		}))
	})
}

// TestFacetsOfSeveralSpans: the index of months is read from the first to the
// last of them.
func TestFacetsOfSeveralSpans(t *testing.T) {
	a := albumNo(t, 0)
	year := func(y int) Span {
		return Span{time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y+1, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	for _, spans := range [][]Span{{year(2023), year(2025)}, {year(2025), year(2023)}, {{To: year(2024).To}, year(2025)}} {
		q := Query{Wall: spans, Facets: map[Facet]int{ByMonth: 0}}
		_, want := a.reference(q)
		f := &finder{ctx: t.Context(), db: a.db, sql: a.db.read, q: q}
		must(t, f.match())
		got := must1[Facets](t)(f.facets(1 << 40))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v:\n%v\nwant\n%v", spans, got, want)
		}
	}
}

// TestAHitSaysAllOfItsPhoto compares every column of every hit with the truth.
func TestAHitSaysAllOfItsPhoto(t *testing.T) {
	for _, a := range albums(t) {
		found := must1[Found](t)(a.db.Find(t.Context(), Query{Vanished: Include}))
		if len(found.Hits) != len(a.photos) {
			t.Fatalf("%d hits, want %d", len(found.Hits), len(a.photos))
		}
		truth := map[PhotoID]*taken{}
		for i := range a.photos {
			truth[a.photos[i].shot.Photo] = &a.photos[i]
		}
		for _, h := range found.Hits {
			p := truth[h.Photo]
			s := p.shot
			want := ShotRow{Photo: s.Photo, Path: p.path, Taken: s.Taken, Source: s.Source, Fine: s.Fine, Shift: s.Shift, At: s.At, Where: s.Where,
				Guessed: s.Guessed, Moment: a.above(p, KindMoment), Day: a.above(p, KindDay), Trip: a.above(p, KindTrip)}
			if s.Taken.IsZero() {
				want.Taken = exif.Time{}
			}
			if s.Cell >= 0 {
				want.Near = a.next.Cells[s.Cell].Named
			}
			if s.Camera >= 0 {
				want.Camera = a.next.Cameras[s.Camera]
			}
			if s.Place >= 0 {
				want.Place = a.next.Places[s.Place].ID
			}
			if !reflect.DeepEqual(h, want) {
				t.Fatalf("hit:\n%+v\nwant:\n%+v", h, want)
			}
			if one := must1[ShotRow](t)(a.db.Shot(t.Context(), h.Photo)); !reflect.DeepEqual(one, h) {
				t.Fatalf("Shot:\n%+v\nwant:\n%+v", one, h)
			}
		}
	}
	if _, err := albumNo(t, 0).db.Shot(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Shot of no photo: %v", err)
	}
}

// TestAPageGoesOnWhereTheOneBeforeEnded although photos went and came meanwhile.
func TestAPageGoesOnWhereTheOneBeforeEnded(t *testing.T) {
	a := albumNo(t, 2)
	ctx := t.Context()
	whole := idsOf(must1[Found](t)(a.db.Find(ctx, Query{})).Hits)
	q := Query{Limit: 10}
	first := must1[Found](t)(a.db.Find(ctx, q))
	must1[int](t)(a.db.DropPhotos(ctx, whole[8:12])) // the cursor's own photo among them
	must(t, a.db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
	put(t, a.db, "new", "new")
	p, _ := photoAt(t, a.db, "new")
	arr := must1[*Arranged](t)(a.db.LoadArrangement(ctx))
	next := arr.Arrangement
	next.Shots = append(slices.Clone(next.Shots), Shot{Photo: p.ID, At: a.db.now().UnixMicro() * 2, Camera: -1, Cell: -1, Place: -1, Moment: -1,
		Taken: exif.Time{Wall: start}})
	must(t, a.db.PutArrangement(ctx, arr, next))
	q.After, q.Limit = first.Next, 0
	if rest := idsOf(must1[Found](t)(a.db.Find(ctx, q)).Hits); !slices.Equal(rest, whole[12:]) {
		t.Errorf("after the first page came\n%v\nwant\n%v", rest, whole[12:])
	}
}

// TestPhotosThatWereNotArrangedAreNotFound, nor counted.
func TestPhotosThatWereNotArrangedAreNotFound(t *testing.T) {
	db := newDB(t)
	_, faces := put(t, db, "a", "a", 10)
	anna := person(t, db, "Anna", faces...)
	for _, q := range []Query{{}, {All: []PersonID{anna}}, {None: []PersonID{anna}}, {Faces: With}} {
		q.Facets = map[Facet]int{ByPerson: 0}
		if got := must1[Found](t)(db.Find(t.Context(), q)); len(got.Hits) != 0 || got.Total != 0 || len(got.Facets.People) != 0 {
			t.Errorf("%+v: found %+v", q, got)
		}
	}
}

func TestQueriesThatMakeNoSenseAreRefused(t *testing.T) {
	a := albumNo(t, 2)
	now := start
	for _, c := range []struct {
		field string
		q     Query
	}{
		{"Wall", Query{Wall: []Span{{now, now.Add(-time.Hour)}}}},
		{"Wall", Query{Wall: []Span{{now, now.In(time.FixedZone("", -3600))}}}}, // an hour earlier on the wall
		{"Wall", Query{Wall: []Span{{}}}},
		{"Instants", Query{Instants: []Span{{now, now}}}},
		{"Months", Query{Months: []time.Month{13}}},
		{"Weekdays", Query{Weekdays: []time.Weekday{7}}},
		{"Dates", Query{Dates: []Date{{time.February, 30}}}},
		{"Dates", Query{Dates: []Date{{0, 1}}}},
		{"Cameras", Query{Cameras: []exif.Camera{{}}}},
		{"Countries", Query{Countries: []string{"Finland"}}},
		{"Limit", Query{Limit: -1}},
		{"Order", Query{Order: 2}},
		{"Time", Query{Time: 3}},
		{"Faces", Query{Faces: -1}},
		{"Position", Query{Position: 5}},
		{"Vanished", Query{Vanished: 3}},
		{"Facets", Query{Facets: map[Facet]int{"colours": 1}}},
	} {
		var bad *QueryError
		if _, err := a.db.Find(t.Context(), c.q); !errors.As(err, &bad) || bad.Field != c.field {
			t.Errorf("%+v: %v, want a *QueryError of %s", c.q, err, c.field)
		}
	}
	if _, err := a.db.Find(t.Context(), Query{Dates: []Date{{time.February, 29}}}); err != nil {
		t.Errorf("the 29th of February: %v", err)
	}
}

func TestACursorIsOfItsQueryAndAccount(t *testing.T) {
	all := albums(t)
	a := all[0]
	q := Query{Limit: 3, Region: box{North: 90, West: -180, East: 180}}
	next := must1[Found](t)(a.db.Find(t.Context(), q)).Next
	for name, f := range map[string]func(*Query){
		"another order":  func(q *Query) { q.Order = OldestFirst },
		"another person": func(q *Query) { q.None = a.people[:1] },
		"another region": func(q *Query) { q.Region = box{North: 89, West: -180, East: 180} },
		"another span":   func(q *Query) { q.Wall = []Span{{To: start}} },
		"no cursor":      func(q *Query) { q.After = "rubbish" },
		"half a cursor":  func(q *Query) { q.After = next[:10] },
	} {
		other := q
		other.After = next
		f(&other)
		if _, err := a.db.Find(t.Context(), other); !errors.Is(err, ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q.After, q.Limit, q.Facets = next, 7, map[Facet]int{ByYear: 1}
	must1[Found](t)(a.db.Find(t.Context(), q))
	if _, err := all[2].db.Find(t.Context(), q); !errors.Is(err, ErrCursor) {
		t.Errorf("another account: %v", err)
	}
	for err := range func(yield func(error) bool) {
		for _, err := range a.db.Moments(t.Context(), MomentQuery{After: "none"}) {
			yield(err)
		}
	} {
		if !errors.Is(err, ErrCursor) {
			t.Errorf("moments after none: %v", err)
		}
	}
}

func TestAFindStopsWithItsContext(t *testing.T) {
	a := albumNo(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.db.Find(ctx, Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestFacetsNobodyAskedForAreNil, and those that found nothing are empty.
func TestFacetsNobodyAskedForAreNil(t *testing.T) {
	a := albumNo(t, 0)
	got := must1[Found](t)(a.db.Find(t.Context(), Query{All: []PersonID{"nobody"}, Facets: map[Facet]int{ByYear: 0}}))
	if got.Facets.Years == nil || len(got.Facets.Years) != 0 || got.Facets.People != nil {
		t.Errorf("%+v", got.Facets)
	}
}
