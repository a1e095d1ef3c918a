package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"slices"

	"github.com/kith-photos/kith/exif"
)

// Find finds the photos that a query asks for, on one snapshot. It returns
// *QueryError where the query makes no sense, and ErrCursor where Query.After
// is not of the query.
func (db *DB) Find(ctx context.Context, q Query) (Found, error) {
	if err := q.check(); err != nil {
		return Found{}, err
	}
	after, err := db.after(q)
	if err != nil {
		return Found{}, err
	}
	var found Found
	err = db.view(ctx, "find photos in", func(tx *sql.Tx) error {
		f := &finder{ctx: ctx, db: db, sql: tx, q: q}
		found, err = f.find(after)
		return err
	})
	if err != nil {
		return Found{}, err
	}
	return found, nil
}

func (f *finder) find(after *position) (found Found, err error) {
	if err := f.match(); err != nil {
		return found, err
	}
	if found.Total = f.m.in.count(); f.m.all {
		out := slices.Clone(f.m.out)
		out.without(f.strays)
		found.Total = f.shots - out.count()
	}
	if found.Facets, err = f.facets(found.Total); err != nil {
		return found, err
	}
	page, more, err := f.page(found.Total, after)
	if err != nil {
		return found, err
	}
	found.Hits, err = f.rows(page)
	if err == nil && more {
		last := len(page) - 1
		found.Next = f.db.cursor(f.q, position{at: found.Hits[last].At, photo: page[last]})
	}
	return found, err
}

// page is the rows of the page behind after, and whether there are more.
func (f *finder) page(total int, after *position) (page []int64, more bool, err error) {
	limit := f.q.Limit
	if limit == 0 {
		limit = total
	}
	if f.sorts(total) {
		page, err = f.sorted(after)
	} else {
		page, err = f.walk(limit+1, after)
	}
	if more = len(page) > limit; more {
		page = page[:limit]
	}
	return page, more, err
}

// sorts reports how a page is found: few photos are looked up and sorted; of
// many it is found by walking along the index, which may have to be read to its
// end.
func (f *finder) sorts(total int) bool {
	return f.q.Limit == 0 || !f.m.all && total*(costLookup+2*costColumn) < f.shots*costStream
}

// compare orders positions as the query does.
func (o Order) compare(a, b position) int {
	if (a.at == NoTime) != (b.at == NoTime) {
		if a.at == NoTime {
			return 1
		}
		return -1
	}
	c := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.photo, b.photo))
	if o == NewestFirst {
		return -c
	}
	return c
}

// sorted is all that matched and is behind after.
func (f *finder) sorted(after *position) ([]int64, error) {
	all := f.times
	if all == nil {
		query, args := "SELECT group_concat(s.photo || ' ' || s.at, char(10)) FROM json_each(?) j CROSS JOIN shots s ON s.photo = j.value", []any{f.m.in.list()}
		if f.m.all {
			query, args = shotsAll, nil
		}
		text, err := f.text(query, args...)
		if err != nil {
			return nil, err
		}
		pair := make([]int64, 2)
		err = eachLine(text, "\n", func(line string) error {
			err := numbers(line, pair)
			if f.m.has(pair[0]) {
				all = append(all, position{photo: pair[0], at: pair[1]})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, f.q.Order.compare)
	rows := make([]int64, 0, len(all))
	for _, p := range all {
		if after == nil || f.q.Order.compare(p, *after) > 0 {
			rows = append(rows, p.photo)
		}
	}
	return rows, nil
}

// shotsAll reads all photos, for whom asks for all of them.
const shotsAll = "SELECT group_concat(photo || ' ' || at, char(10)) FROM shots INDEXED BY shots_at"

// Each walks along shots_at from a place on, and ends at the time that it gives
// beside the photos. These come in the order of the part in FROM, which has a
// LIMIT and is so computed apart.
const (
	walkDown = `SELECT group_concat(photo), min(at) FROM (SELECT photo, at FROM shots INDEXED BY shots_at
		WHERE (at, photo) < (?, ?) ORDER BY at DESC, photo DESC LIMIT ?)`
	walkUp = `SELECT group_concat(photo), max(at) FROM (SELECT photo, at FROM shots INDEXED BY shots_at
		WHERE (at, photo) > (?, ?) ORDER BY at, photo LIMIT ?)`
	walkTimeless = `SELECT group_concat(photo), max(at) FROM (SELECT photo, at FROM shots INDEXED BY shots_at
		WHERE at = ? AND photo > ? ORDER BY photo LIMIT ?)`
)

// walk collects want photos that match, along the index. It reads longer and
// longer parts, at worst the whole index once.
func (f *finder) walk(want int, after *position) (page []int64, err error) {
	at := position{at: math.MaxInt64, photo: math.MaxInt64}
	if f.q.Order == OldestFirst {
		at = position{at: NoTime, photo: math.MaxInt64}
	}
	timeless := false // oldest first: those without a time are what is left
	if after != nil {
		at = *after
		timeless = f.q.Order == OldestFirst && at.at == NoTime
	}
	for part := 2*want + 64; ; part *= 4 {
		query := walkDown
		switch {
		case timeless:
			query = walkTimeless
		case f.q.Order == OldestFirst:
			query = walkUp
		}
		var text sql.NullString
		var last sql.NullInt64
		if err := f.sql.QueryRowContext(f.ctx, query, at.at, at.photo, part).Scan(&text, &last); err != nil {
			return nil, err
		}
		read := 0
		at.at = last.Int64
		err = eachNumber(text.String, func(row int64) error {
			read++
			if at.photo = row; f.m.has(row) && len(page) < want {
				page = append(page, row)
			}
			return nil
		})
		switch {
		case err != nil || len(page) >= want:
			return page, err
		case read == part:
		case timeless || f.q.Order == NewestFirst:
			return page, nil
		default:
			timeless, at = true, position{at: NoTime, photo: -1}
		}
	}
}

const shotRows = `SELECT s.photo, p.uid, p.path, p.sealed, s.at, s.instant, s.wall, s.zone, s.source, s.fine, s.shift,
	coalesce(s.camera, 0), coalesce(s.cell, 0), 0, 0, s.spot,
	coalesce((SELECT uid FROM places WHERE id = s.place), ''), coalesce(m.uid, ''), coalesce(d.uid, ''), coalesce(t.uid, '')
	FROM json_each(?) j CROSS JOIN shots s ON s.photo = j.value CROSS JOIN photos p ON p.id = s.photo
	LEFT JOIN moments m ON m.id = s.moment LEFT JOIN moments d ON d.id = m.parent LEFT JOIN moments t ON t.id = d.parent`

// rows reads what is to be told of photos, in their order.
func (f *finder) rows(page []int64) ([]ShotRow, error) {
	if len(page) == 0 {
		return nil, nil
	}
	place := make(map[int64]int, len(page))
	for i, row := range page {
		place[row] = i
	}
	out := make([]ShotRow, len(page))
	cameras, cells := map[int64][]int{}, map[int64][]int{}
	err := each(f.ctx, f.sql, shotRows, []any{jsonList(page)}, func(rows *sql.Rows) error {
		var row int64
		var r shotRow
		var s ShotRow
		var sealed []byte
		dst := append([]any{&row, &s.Photo, &s.Path, &sealed}, r.columns()...)
		if err := rows.Scan(append(dst, &s.Place, &s.Moment, &s.Day, &s.Trip)...); err != nil {
			return err
		}
		var err1, err2 error
		s.Path, err1 = f.db.vault.photoPath(string(s.Photo), s.Path, sealed)
		r.spot, err2 = f.db.vault.openText("shots.spot", string(s.Photo), r.spot)
		if err := errors.Join(err1, err2); err != nil {
			return asCorrupt(err, "photo", string(s.Photo))
		}
		shot, err := r.shot(s.Photo)
		s.Taken, s.Source, s.Fine, s.Shift, s.At = shot.Taken, shot.Source, shot.Fine, shot.Shift, shot.At
		s.Where, s.Guessed = shot.Where, shot.Guessed
		i := place[row]
		cameras[r.camera], cells[r.cell] = append(cameras[r.camera], i), append(cells[r.cell], i)
		out[i] = s
		return asCorrupt(err, "photo", string(s.Photo))
	})
	if err != nil {
		return nil, err
	}
	return out, f.describe(out, cameras, cells)
}

// describe fills in the cameras and cells of rows, by the rows of theirs.
func (f *finder) describe(out []ShotRow, cameras, cells map[int64][]int) error {
	known, ids, err := loadValues(f.ctx, f.db, f.sql, "cameras", "CAST(id AS TEXT)", func(*exif.Camera, string) {})
	if err != nil {
		return err
	}
	for i, id := range ids {
		for _, n := range cameras[id] {
			out[n].Camera = known[i]
		}
	}
	var rows []int64
	for row := range cells {
		if row != 0 {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	slices.Sort(rows)
	return f.cells(rows, func(row int64, value string) error {
		var c Cell
		err := json.Unmarshal([]byte(value), &c)
		for _, n := range cells[row] {
			out[n].Near, out[n].ZoneName = c.Named, c.Zone
		}
		return err
	})
}

// Shot is when and where a photo was taken, or ErrNotFound where it is unknown
// or was not arranged.
func (db *DB) Shot(ctx context.Context, id PhotoID) (ShotRow, error) {
	var out ShotRow
	err := db.view(ctx, "read a photo of", func(tx *sql.Tx) error {
		f := &finder{ctx: ctx, db: db, sql: tx}
		var photo int64
		err := tx.QueryRowContext(ctx, "SELECT s.photo FROM photos p CROSS JOIN shots s ON s.photo = p.id WHERE p.uid = ?", string(id)).Scan(&photo)
		if err != nil {
			return err
		}
		rows, err := f.rows([]int64{photo})
		if err == nil {
			out = rows[0]
		}
		return err
	})
	return out, err
}
