package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"slices"

	"github.com/kith-photos/kith/exif"
)

// momentPage is how many moments are read at a time, with the people in them.
const momentPage = 256

func (q *MomentQuery) check() error {
	bad := func(field, why string) error { return &QueryError{Field: field, Why: why} }
	switch q.Kind {
	case "", KindMoment, KindDay, KindTrip:
	default:
		return bad("Kind", "it is none")
	}
	if q.Country != "" {
		if err := checkCountry("Country", q.Country); err != nil {
			return err
		}
	}
	switch {
	case q.Limit < 0:
		return bad("Limit", "it is below zero")
	case q.Order != NewestFirst && q.Order != OldestFirst:
		return bad("Order", "it is none")
	case q.Wall == Span{}:
		return nil
	}
	return q.Wall.check("Wall", wallMicros)
}

// Moments lists moments, days or trips, on one snapshot, with the people in
// them. It yields *QueryError where the query makes no sense, and ErrCursor
// where there is no moment After.
func (db *DB) Moments(ctx context.Context, q MomentQuery) iter.Seq2[MomentRow, error] {
	return func(yield func(MomentRow, error) bool) {
		if err := q.check(); err != nil {
			yield(MomentRow{}, err)
			return
		}
		stop := false
		err := db.view(ctx, "list moments of", func(tx *sql.Tx) error {
			l := &momentLister{finder: &finder{ctx: ctx, db: db, sql: tx}, q: q, left: q.Limit}
			return l.list(func(m MomentRow) bool {
				stop = !yield(m, nil)
				return !stop
			})
		})
		if err != nil && !stop {
			yield(MomentRow{}, err)
		}
	}
}

// momentLister lists moments of one query.
type momentLister struct {
	*finder
	q    MomentQuery
	in   map[int64]int // rows of those that all the people are in; nil: no matter
	left int           // of the limit
}

func (l *momentLister) list(yield func(MomentRow) bool) error {
	l.q.Kind = cmp.Or(l.q.Kind, KindMoment)
	at := position{at: math.MaxInt64, photo: math.MaxInt64}
	if l.q.Order == OldestFirst {
		at = position{at: math.MinInt64, photo: -1}
	}
	if l.q.After != "" {
		err := l.sql.QueryRowContext(l.ctx, "SELECT at, id FROM moments WHERE uid = ? AND kind = ?", string(l.q.After), string(l.q.Kind)).Scan(&at.at, &at.photo)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrCursor
		}
		if err != nil {
			return err
		}
	}
	if err := l.withPeople(); err != nil {
		return err
	}
	for {
		page, rows, next, err := l.page(at)
		if err == nil {
			err = l.people(page, rows)
		}
		if err != nil {
			return err
		}
		for _, m := range page {
			if !yield(m) {
				return nil
			}
			if l.left--; l.left == 0 {
				return nil
			}
		}
		if next == nil {
			return nil
		}
		at = *next
	}
}

// page reads up to momentPage moments behind a place, of which those are left
// that match; next is where to go on, nil: there are no more.
func (l *momentLister) page(at position) (page []MomentRow, ids []int64, next *position, err error) {
	var f filter
	f.add("m.kind = ?", string(l.q.Kind))
	order := " ORDER BY m.at, m.id"
	if l.q.Order == OldestFirst {
		f.add("(m.at, m.id) > (?, ?)", at.at, at.photo)
	} else {
		f.add("(m.at, m.id) < (?, ?)", at.at, at.photo)
		order = " ORDER BY m.at DESC, m.id DESC"
	}
	if l.q.In != "" {
		const day = "(SELECT id FROM moments WHERE uid = ?)"
		f.add("(m.parent = "+day+" OR d.parent = "+day+")", string(l.q.In), string(l.q.In))
	}
	if l.q.Place != "" {
		f.add("m.place = (SELECT id FROM places WHERE uid = ?)", string(l.q.Place))
	}
	if !l.q.Wall.From.IsZero() {
		f.add("m.last >= ?", dayOf(wallMicros(l.q.Wall.From)))
	}
	if !l.q.Wall.To.IsZero() {
		f.add("m.day <= ?", dayOf(wallMicros(l.q.Wall.To)-1))
	}
	query := `SELECT m.id, m.uid, m.kind, m.day, m.last, m.at, m.until, m.shots,
		coalesce((SELECT uid FROM photos WHERE id = m.cover), ''), coalesce((SELECT uid FROM places WHERE id = m.place), ''),
		m.value, coalesce(d.uid, ''), coalesce(d.kind, ''), coalesce(t.uid, ''), m.coarse,
		CASE WHEN m.kind = 'moment' AND NOT m.coarse THEN
			(SELECT s.wall FROM shots s INDEXED BY shots_moment WHERE s.moment = m.id ORDER BY s.at LIMIT 1) END,
		CASE WHEN m.kind = 'moment' AND NOT m.coarse THEN
			(SELECT s.wall FROM shots s INDEXED BY shots_moment WHERE s.moment = m.id ORDER BY s.at DESC LIMIT 1) END
		FROM moments m INDEXED BY moments_kind LEFT JOIN moments d ON d.id = m.parent LEFT JOIN moments t ON t.id = d.parent` +
		f.where() + order + f.limit(momentPage)
	n := 0
	err = each(l.ctx, l.sql, query, f.args, func(rows *sql.Rows) error {
		var m MomentRow
		var row int64
		var value, parent, above string
		var kind MomentKind
		var begin, end sql.NullInt64
		err := rows.Scan(&row, &m.ID, &m.Kind, &m.First, &m.Last, &m.At, &m.Until, &m.Shots, &m.Cover, &m.Place, &value, &parent, &kind, &above,
			&m.Coarse, &begin, &end)
		if err != nil {
			return err
		}
		n++
		m.Begin, m.End = fromNullMicros(begin), fromNullMicros(end)
		at = position{at: m.At, photo: row}
		if kind == KindDay {
			m.Day, m.Trip = MomentID(parent), MomentID(above)
		} else {
			m.Trip = MomentID(parent)
		}
		if value != "" {
			m.Spot = new(Spot)
			if err := l.db.readValue("moments.value", string(m.ID), value, m.Spot); err != nil {
				return err
			}
		}
		if l.in != nil && l.in[row] == 0 || l.q.Country != "" && (m.Spot == nil || m.Spot.Country != l.q.Country) {
			return nil
		}
		page, ids = append(page, m), append(ids, row)
		return nil
	})
	if n == momentPage {
		next = &at
	}
	return page, ids, next, err
}

// dayOf is the day of a wall clock's microseconds, rounded down.
func dayOf(wall int64) int64 {
	const day = 24 * 60 * 60 * 1_000_000
	if wall < 0 {
		return -((-wall + day - 1) / day)
	}
	return wall / day
}

// momentsWith are the moments of a person's photos, one for each photo.
const momentsWith = `SELECT group_concat(s.moment) FROM people e CROSS JOIN faces f INDEXED BY faces_person ON f.person = e.id
	CROSS JOIN shots s ON s.photo = f.photo WHERE e.uid = ?`

func (l *momentLister) withPeople() error {
	levels := map[MomentKind]int{KindDay: 1, KindTrip: 2}[l.q.Kind]
	for _, id := range l.q.People {
		text, err := l.text(momentsWith, string(id))
		if err != nil {
			return err
		}
		with := map[int64]int{}
		err = eachNumber(text, func(row int64) error {
			with[row] = 1
			return nil
		})
		if err == nil {
			with, err = l.parents(with, levels)
		}
		if err != nil {
			return err
		}
		for row := range with {
			if l.in != nil && l.in[row] == 0 {
				delete(with, row)
			}
		}
		l.in = with
	}
	return nil
}

// peopleIn are the people of moments, by the photos of these and of what is
// under them.
const peopleIn = `WITH RECURSIVE m (top, id) AS (
	SELECT value, value FROM json_each(?)
	UNION SELECT m.top, c.id FROM m CROSS JOIN moments c INDEXED BY moments_parent ON c.parent = m.id)
	SELECT group_concat(top || ' ' || person || ' ' || n, char(10)) FROM (
		SELECT m.top, f.person, count(DISTINCT f.photo) n FROM m
		CROSS JOIN shots s INDEXED BY shots_moment ON s.moment = m.id
		CROSS JOIN faces f INDEXED BY faces_photo ON f.photo = s.photo
		WHERE f.person IS NOT NULL GROUP BY m.top, f.person)`

// people fills in who is in the moments.
func (l *momentLister) people(page []MomentRow, rows []int64) error {
	if len(page) == 0 {
		return nil
	}
	text, err := l.text(peopleIn, jsonList(rows))
	if err != nil || text == "" {
		return err
	}
	in, all := map[int64]map[int64]int{}, map[int64]int{}
	v := make([]int64, 3)
	err = eachLine(text, "\n", func(line string) error {
		if err := numbers(line, v); err != nil {
			return err
		}
		if in[v[0]] == nil {
			in[v[0]] = map[int64]int{}
		}
		in[v[0]][v[1]] = int(v[2])
		all[v[1]]++
		return nil
	})
	if err == nil {
		err = l.dropIgnored(all)
	}
	if err != nil {
		return err
	}
	ids, err := l.uids("people", all)
	if err != nil {
		return err
	}
	for i, row := range rows {
		counts := map[PersonID]int{}
		for person, n := range in[row] {
			if id := ids[person]; id != "" {
				counts[PersonID(id)] = n
			}
		}
		if len(counts) > 0 {
			page[i].People = rank(counts, 0, cmp.Compare[PersonID])
		}
	}
	return nil
}

// Places lists frequent places, those with most photos first.
func (db *DB) Places(ctx context.Context, q PlaceQuery) iter.Seq2[Place, error] {
	return func(yield func(Place, error) bool) {
		if q.Country != "" {
			if err := checkCountry("Country", q.Country); err != nil {
				yield(Place{}, err)
				return
			}
		}
		places, _, err := loadValues(ctx, db, db.read, "places", "uid", func(p *Place, uid string) { p.ID = PlaceID(uid) })
		if err := db.fail(ctx, "list places of", err); err != nil {
			yield(Place{}, err)
			return
		}
		slices.SortFunc(places, func(a, b Place) int { return cmp.Or(cmp.Compare(b.Shots, a.Shots), cmp.Compare(a.ID, b.ID)) })
		for _, p := range places {
			switch {
			case p.Shots == 0: // what was said of it went with a photo
			case q.Kind != "" && p.Kind != q.Kind, q.Country != "" && p.Country != q.Country:
			case q.Region != nil && !q.Region.Contains(p.Lat, p.Lon):
			case !yield(p, nil):
				return
			}
		}
	}
}

// Cameras lists cameras, those with most photos first.
func (db *DB) Cameras(ctx context.Context) iter.Seq2[CameraRow, error] {
	return func(yield func(CameraRow, error) bool) {
		var out []CameraRow
		err := db.view(ctx, "list cameras of", func(tx *sql.Tx) error {
			cameras, ids, err := loadValues(ctx, db, tx, "cameras", "CAST(id AS TEXT)", func(*exif.Camera, string) {})
			if err != nil {
				return err
			}
			at := positionsOf(ids)
			return each(ctx, tx, camerasCounted, []any{int64(NoTime)}, func(rows *sql.Rows) error {
				var row int64
				var c CameraRow
				err := rows.Scan(&row, &c.Photos, &c.First, &c.Last)
				if i := at.of(row); i >= 0 {
					c.Camera = cameras[i]
					out = append(out, c)
				}
				return err
			})
		})
		if err != nil {
			yield(CameraRow{}, err)
			return
		}
		slices.SortFunc(out, func(a, b CameraRow) int {
			return cmp.Or(cmp.Compare(b.Photos, a.Photos), compareCameras(a.Camera, b.Camera))
		})
		for _, c := range out {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// camerasCounted goes through the photos of each camera, along its index.
const camerasCounted = `SELECT camera, count(*), coalesce(min(nullif(at, ?1)), ?1), coalesce(max(nullif(at, ?1)), ?1)
	FROM shots INDEXED BY shots_camera WHERE camera >= 0 GROUP BY camera`
