package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
)

// recorder notes the statements that it passes on.
type recorder struct {
	querier
	statements map[string][]any
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.statements[query] = args
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.statements[query] = args
	return r.querier.QueryRowContext(ctx, query, args...)
}

// scansAllowed are the statements that read all of an index of photos or faces,
// and why each may. Besides these, facets read the whole index of their column,
// as a search without bounds (streamColumn, facesByPerson, momentOf), but only
// where so many photos matched that looking up each would take longer.
var scansAllowed = map[string]string{
	"SELECT (SELECT count(*) FROM photos), (SELECT count(*) FROM shots)": "SQLite counts by the inner pages of an index",
	"SELECT count(*) FROM faces":                                         "the same",
	photosStray:                                                          "only where photos were not arranged, which indexing ends with",
	photosSeen:                                                           "the photos with a face are as many as there are to find, and all come from this index",
	shotsAll:                                                             "all photos without a limit",
}

var scanOfMany = regexp.MustCompile(`^SCAN (shots|photos|faces|s|p|f|o)\b(.*)`)

// checkPlans fails where a statement reads a table from end to end, or sorts
// or looks up by an index that SQLite would have to make first.
func checkPlans(t *testing.T, db *DB, statements map[string][]any) {
	t.Helper()
	for query, args := range statements {
		err := each(t.Context(), db.read, "EXPLAIN QUERY PLAN "+query, args, func(rows *sql.Rows) error {
			var id, parent, unused int
			var line string
			err := rows.Scan(&id, &parent, &unused, &line)
			if strings.Contains(line, "AUTOMATIC") {
				t.Errorf("%s\nis answered by an index made for it: %s", query, line)
			}
			if scan := scanOfMany.FindStringSubmatch(line); scan != nil {
				if _, ok := scansAllowed[query]; !ok || !strings.Contains(scan[2], "USING COVERING INDEX") {
					t.Errorf("%s\nreads all: %s", query, line)
				}
			}
			return err
		})
		must(t, err)
	}
}

// TestNoFullScanHides asks SQLite for its plan of each statement that queries
// are made of.
func TestNoFullScanHides(t *testing.T) {
	for i := range 2 {
		a := albumNo(t, i)
		ctx := t.Context()
		r := &recorder{querier: a.db.read, statements: map[string][]any{}}
		all := map[Facet]int{ByYear: 0, ByMonth: 1, ByPerson: 1, ByPlace: 1, ByCamera: 1, ByCountry: 1, ByMoment: 1, ByDay: 1, ByTrip: 1}
		span := []Span{{start.AddDate(-3, 0, 0), start.AddDate(3, 0, 0)}}
		half := box{South: -90, West: -180, North: a.photos[1].shot.Where.Lat, East: 180}
		queries := humanQueries(a)
		for i, q := range []Query{
			{Facets: all}, {Limit: 1, Order: OldestFirst, Facets: all}, {Limit: 1, None: a.people[:1], Facets: all},
			{Any: a.people, Wall: span, Instants: span, Facets: all}, {Time: With, Faces: With}, {Time: Without}, {Faces: Without},
			{Months: []time.Month{1, 7}, Weekdays: []time.Weekday{1}}, {Dates: []Date{{1, 1}}}, {Places: []PlaceID{a.next.Places[0].ID}},
			{Moments: []MomentID{a.next.Moments[0].ID}}, {Cameras: []exif.Camera{{Make: "make1"}}}, {Countries: []string{"FI"}},
			{Region: half, Facets: all}, {Position: HasPosition}, {Position: Measured}, {Position: Estimated, Vanished: Only}, {Position: NoPosition},
			{Vanished: Include, Limit: 1000, Order: OldestFirst},
		} {
			queries[fmt.Sprint(i)] = q
		}
		for name, q := range queries {
			f := &finder{ctx: ctx, db: a.db, sql: r, q: q}
			if _, err := f.find(nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.shots = 1 // and as if what matched were many
			_, err1 := f.facets(1 << 40)
			_, err2 := f.walk(5, &position{at: NoTime})
			if err1 != nil || err2 != nil {
				t.Fatalf("%s: %v, %v", name, err1, err2)
			}
		}
		for _, q := range []MomentQuery{
			{}, {Kind: KindTrip, Order: OldestFirst}, {In: a.next.Moments[0].ID}, {People: a.people[:2]}, {Place: a.next.Places[0].ID}, {Wall: span[0]},
			{After: a.next.Moments[len(a.next.Moments)-1].ID}, {Country: "FI"},
		} {
			l := &momentLister{finder: &finder{ctx: ctx, db: a.db, sql: r}, q: q}
			must(t, l.list(func(MomentRow) bool { return true }))
		}
		for _, id := range []PersonID{"", a.people[0]} {
			q := Query{}
			if id != "" {
				q.All = []PersonID{id}
			}
			g := &together{finder: &finder{ctx: ctx, db: a.db, sql: r, q: q}, person: id}
			must1[[]Pair](t)(g.find())
		}
		r.statements[camerasCounted] = []any{int64(NoTime)}
		if len(r.statements) < 40 {
			t.Errorf("%d statements were seen, too few to be all", len(r.statements))
		}
		checkPlans(t, a.db, r.statements)
		for query := range scansAllowed {
			if _, ok := r.statements[query]; !ok && query != photosStray {
				t.Errorf("nothing runs what may scan: %s", query)
			}
		}
	}
}

// TestAPlanThatScansIsSeen: a statement of each kind that must not be.
func TestAPlanThatScansIsSeen(t *testing.T) {
	a := albumNo(t, 2)
	for _, query := range []string{
		"SELECT count(*) FROM shots s WHERE zone = 'x'",
		"SELECT group_concat(f.quality) FROM faces f",
		"SELECT count(*) FROM photos p JOIN shots s ON s.source = p.model",
	} {
		found := false
		must(t, each(t.Context(), a.db.read, "EXPLAIN QUERY PLAN "+query, nil, func(rows *sql.Rows) error {
			var n int
			var line string
			err := rows.Scan(&n, &n, &n, &line)
			found = found || scanOfMany.MatchString(line)
			return err
		}))
		if !found {
			t.Errorf("%s: its scan is not seen", query)
		}
	}
}
