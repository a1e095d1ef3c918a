package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/store"
)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func TestAgesAreFromBirthdayToBirthday(t *testing.T) {
	for _, c := range []struct {
		born       time.Time
		from, to   int
		first, end time.Time
	}{
		{date(2010, time.May, 17), 0, 12, date(2010, time.May, 17), date(2023, time.May, 17)},
		{date(2010, time.May, 17), 1, 1, date(2011, time.May, 17), date(2012, time.May, 17)},
		{date(2012, time.February, 29), 1, 3, date(2013, time.March, 1), date(2016, time.February, 29)},
		{time.Date(2010, time.May, 17, 23, 30, 0, 0, time.FixedZone("", -8*3600)), 0, 0, date(2010, time.May, 17), date(2011, time.May, 17)},
	} {
		if got := index.Ages(c.born, c.from, c.to); !got.From.Equal(c.first) || !got.To.Equal(c.end) {
			t.Errorf("Ages(%v, %d, %d) is from %v to %v", c.born, c.from, c.to, got.From, got.To)
		}
	}
	if got := index.Between(date(2019, time.June, 1), date(2019, time.August, 31)); got.To != date(2019, time.September, 1) {
		t.Errorf("Between ends %v", got.To)
	}
}

// arrangedAccount is an account whose photos were taken a day apart, from
// 2019-06-01 on, each a kilometre further north, in one moment, the first two at
// a frequent place, and nobody in them; and an id that nobody has.
func arrangedAccount(t *testing.T) (*index.Account, []index.PhotoID, index.PersonID) {
	t.Helper()
	path := t.TempDir() + "/a.kith"
	ctx := t.Context()
	db := must1[*store.DB](t)(store.Open(ctx, path, store.Options{}))
	var batch []store.Analysis
	for i := range 6 {
		batch = append(batch, store.Analysis{Photo: store.Photo{Path: fmt.Sprint(i), Status: store.StatusPending, ModTime: start}})
	}
	must(t, db.PutPhotos(ctx, "", batch))
	was := must1[*store.Arranged](t)(db.LoadArrangement(ctx))
	next := store.Arrangement{
		Cameras: []exif.Camera{{Make: "Acme", Model: "One"}},
		Moments: []store.Moment{{Kind: store.KindMoment, Parent: -1, Place: -1, At: date(2019, 6, 1).UnixMicro(), Until: date(2019, 6, 6).UnixMicro(), Shots: 6}},
		Places:  []store.Place{{Lat: turku.Lat, Lon: turku.Lon, Shots: 2, Named: store.Named{Name: "Turku", Country: "FI"}}},
	}
	var ids []index.PhotoID
	for i := range 6 {
		p := must1[store.Photo](t)(db.PhotoByPath(ctx, fmt.Sprint(i)))
		at := geo.Point{Lat: turku.Lat + float64(i)*0.009, Lon: turku.Lon}
		cell := uint64(geo.CellOf(at, geo.Level13))
		c := slices.IndexFunc(next.Cells, func(x store.Cell) bool { return x.Number == cell })
		if c < 0 {
			c = len(next.Cells)
			next.Cells = append(next.Cells, store.Cell{Number: cell, Named: store.Named{Country: "FI"}})
		}
		wall := date(2019, time.June, 1+i).Add(10 * time.Hour)
		next.Shots = append(next.Shots, store.Shot{Photo: p.ID, Taken: exif.Time{Wall: wall, Zone: exif.ZoneNone}, At: wall.UnixMicro(),
			Where: &exif.GPS{Lat: at.Lat, Lon: at.Lon}, Camera: 0, Cell: c, Place: max(-1, min(0, 1-i)), Moment: 0})
		ids = append(ids, p.ID)
	}
	must(t, db.PutArrangement(ctx, was, next))
	must(t, db.Close())
	return openAt(t, path, index.Config{ReadOnly: true}), ids, "nobody" // which arranges nothing anew
}

var turku = geo.Point{Lat: 60.4518, Lon: 22.2666}

func found(t *testing.T, acc *index.Account, q index.Query) []index.PhotoID {
	t.Helper()
	q.Order = index.OldestFirst
	var ids []index.PhotoID
	for _, h := range must1[index.Found](t)(acc.Find(t.Context(), q)).Hits {
		ids = append(ids, h.Photo)
	}
	return ids
}

// TestPhotosAreFoundWithoutConsent to work on faces: by time and place, and
// with nobody in them.
func TestPhotosAreFoundWithoutConsent(t *testing.T) {
	acc, ids, anna := arrangedAccount(t)
	for name, c := range map[string]struct {
		q    index.Query
		want []index.PhotoID
	}{
		"all":       {index.Query{}, ids},
		"near":      {index.Query{Region: index.Within(geo.Circle{Center: turku, Radius: 2_500})}, ids[:3]},
		"box":       {index.Query{Region: index.Within(geo.Box{South: turku.Lat + 0.005, North: turku.Lat + 0.02, West: 22, East: 23})}, ids[1:3]},
		"days":      {index.Query{Wall: []index.Span{index.Between(date(2019, 6, 2), date(2019, 6, 3))}}, ids[1:3]},
		"this day":  {index.Query{Dates: []index.Date{{Month: time.June, Day: 4}}}, ids[3:4]},
		"at an age": {index.Query{Wall: []index.Span{index.Ages(date(2015, 6, 3), 4, 4)}}, ids[2:]},
		"a country": {index.Query{Countries: []string{"FI"}}, ids},
		"a person":  {index.Query{All: []index.PersonID{anna}}, nil},
		"nobody":    {index.Query{None: []index.PersonID{anna}, Faces: index.Without}, ids},
	} {
		if got := found(t, acc, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	shot := must1[index.Shot](t)(acc.Shot(t.Context(), ids[1]))
	if shot.Path != "1" || shot.Camera.Make != "Acme" || shot.Near.Country != "FI" || shot.Moment == "" || shot.Place == "" {
		t.Errorf("shot %+v", shot)
	}
	moments := all(t, acc.Moments(t.Context(), index.MomentQuery{}))
	if len(moments) != 1 || moments[0].ID != shot.Moment || moments[0].People != nil {
		t.Errorf("moments %+v", moments)
	}
	places, cameras := all(t, acc.Places(t.Context(), index.PlaceQuery{})), all(t, acc.Cameras(t.Context()))
	if len(places) != 1 || places[0].ID != shot.Place || len(cameras) != 1 || cameras[0].Photos != 6 {
		t.Errorf("places %+v, cameras %+v", places, cameras)
	}
	if pairs := must1[[]index.Pair](t)(acc.Together(t.Context(), "", 0)); len(pairs) != 0 {
		t.Errorf("pairs %+v", pairs)
	}
}

// TestACursorKnowsItsRegion although regions are values of other packages.
func TestACursorKnowsItsRegion(t *testing.T) {
	acc, ids, _ := arrangedAccount(t)
	ctx := t.Context()
	q := index.Query{Region: index.Within(geo.Circle{Center: turku, Radius: 4_500}), Limit: 2}
	first := must1[index.Found](t)(acc.Find(ctx, q))
	q.After = first.Next
	second := must1[index.Found](t)(acc.Find(ctx, q))
	if first.Total != 5 || len(second.Hits) != 2 || second.Hits[0].Photo != ids[2] {
		t.Errorf("pages: %+v\n%+v", first, second)
	}
	for _, other := range []geo.Region{geo.Circle{Center: turku, Radius: 4_501}, geo.Box{North: 1}} {
		q.Region = index.Within(other)
		if _, err := acc.Find(ctx, q); !errors.Is(err, index.ErrCursor) {
			t.Errorf("%v: %v", other, err)
		}
	}
}

// TestQueriesEndWithTheirAccount: closed, and with a context that ended.
func TestQueriesEndWithTheirAccount(t *testing.T) {
	acc, ids, _ := arrangedAccount(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	ask := func(ctx context.Context) map[string]error {
		_, find := acc.Find(ctx, index.Query{})
		_, shot := acc.Shot(ctx, ids[0])
		_, pairs := acc.Together(ctx, "", 0)
		var moments, places, cameras error
		for _, moments = range acc.Moments(ctx, index.MomentQuery{}) {
		}
		for _, places = range acc.Places(ctx, index.PlaceQuery{}) {
		}
		for _, cameras = range acc.Cameras(ctx) {
		}
		return map[string]error{"Find": find, "Shot": shot, "Together": pairs, "Moments": moments, "Places": places, "Cameras": cameras}
	}
	for call, err := range ask(ended) {
		wantErr(t, call+", cancelled", err, context.Canceled)
	}
	if _, err := acc.Shot(t.Context(), "none"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("Shot of no photo: %v", err)
	}
	var bad *index.QueryError
	if _, err := acc.Find(t.Context(), index.Query{Months: []time.Month{13}}); !errors.As(err, &bad) {
		t.Errorf("month 13: %v", err)
	}
	must(t, acc.Close())
	for call, err := range ask(t.Context()) {
		wantErr(t, call+", closed", err, index.ErrClosed)
	}
}
