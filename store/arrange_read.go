package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kith-photos/kith/exif"
)

// ArrangedBy is what was said about the latest arrangement, "" if there was
// none, and whether nothing has changed since that it depends on.
func (db *DB) ArrangedBy(ctx context.Context) (about string, current bool, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT about, current FROM arrangement").Scan(&about, &current)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return about, current, db.fail(ctx, "read the arrangement of", err)
}

// shotRow is a row of shots; 0 stands for NULL in references.
type shotRow struct {
	at                          int64
	instant, wall               sql.NullInt64
	zone, source                string
	fine, shift                 int64
	camera, cell, place, moment int64
	spot                        string // in plain
}

// spotText is the column spot of a shot: latitude, longitude, accuracy, and
// whether it is an estimate.
func spotText(s Shot) string {
	if s.Where == nil {
		return ""
	}
	guessed := 0.0
	if s.Guessed {
		guessed = 1
	}
	b, err := json.Marshal([4]float64{s.Where.Lat, s.Where.Lon, s.Where.Accuracy, guessed})
	if err != nil { // not finite; PutArrangement has refused it
		return ""
	}
	return string(b)
}

func readSpot(s *Shot, text string) error {
	if text == "" {
		return nil
	}
	v, err := parseSpot(text)
	if err != nil {
		return fmt.Errorf("where it was taken: %w", err)
	}
	s.Where, s.Guessed = &exif.GPS{Lat: v[0], Lon: v[1], Accuracy: v[2]}, v[3] != 0
	return nil
}

// row is what the columns of a shot are to be.
func (s *Shot) row(a *Arranged) shotRow {
	ref := func(rows []int64, i int) int64 {
		if i < 0 {
			return 0
		}
		return rows[i]
	}
	r := shotRow{
		at: s.At, zone: cmp.Or(string(s.Taken.Zone), string(exif.ZoneNone)), source: s.Source, fine: int64(s.Fine / time.Second),
		shift: s.Shift.Microseconds(), camera: ref(a.cameras, s.Camera), cell: ref(a.cells, s.Cell),
		place: ref(a.places, s.Place), moment: ref(a.moments, s.Moment), spot: spotText(*s),
	}
	if !s.Taken.IsZero() {
		r.wall = sql.NullInt64{Int64: micros(s.Taken.Wall), Valid: true}
	}
	if at, ok := s.Taken.Instant(); ok {
		r.instant = sql.NullInt64{Int64: micros(at), Valid: true}
	}
	return r
}

// shot is row's inverse, but for what refers to others.
func (r shotRow) shot(id PhotoID) (Shot, error) {
	s := Shot{
		Photo: id, At: r.at, Source: r.source, Fine: time.Duration(r.fine) * time.Second, Shift: time.Duration(r.shift) * time.Microsecond,
		Camera: -1, Cell: -1, Place: -1, Moment: -1,
	}
	if r.wall.Valid {
		s.Taken = exif.Time{Wall: fromMicros(r.wall.Int64), Zone: exif.ZoneSource(r.zone)}
	}
	if r.wall.Valid && r.instant.Valid {
		s.Taken.Offset = time.Duration(r.wall.Int64-r.instant.Int64) * time.Microsecond
	}
	return s, readSpot(&s, r.spot)
}

func (r *shotRow) columns() []any {
	return []any{&r.at, &r.instant, &r.wall, &r.zone, &r.source, &r.fine, &r.shift, &r.camera, &r.cell, &r.place, &r.moment, &r.spot}
}

// LoadArrangement reads what the account holds. A Shot of it is there only for
// photos that were arranged.
func (db *DB) LoadArrangement(ctx context.Context) (*Arranged, error) {
	a, err := db.loadArrangement(ctx, db.read)
	return a, db.fail(ctx, "read the arrangement of", err)
}

func (db *DB) loadArrangement(ctx context.Context, q querier) (*Arranged, error) {
	a := &Arranged{rows: map[PhotoID]int64{}, shots: map[int64]shotRow{}}
	var err1, err2, err3 error
	a.Cameras, a.cameras, err1 = loadValues(ctx, db, q, "cameras", "CAST(id AS TEXT)", func(*exif.Camera, string) {})
	a.Cells, a.cells, err2 = loadValues(ctx, db, q, "cells", "CAST(id AS TEXT)", func(*Cell, string) {})
	a.Places, a.places, err3 = loadValues(ctx, db, q, "places", "uid", func(p *Place, uid string) { p.ID = PlaceID(uid) })
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if err := a.loadMoments(ctx, db, q); err != nil {
		return nil, err
	}
	camera, cell, place, moment := positionsOf(a.cameras), positionsOf(a.cells), positionsOf(a.places), positionsOf(a.moments)
	var raw shotScan
	dst := raw.columns()
	err := each(ctx, q, `SELECT p.id, p.uid, s.photo, s.at, s.instant, s.wall, s.zone, s.source, s.fine, s.shift,
		s.camera, s.cell, s.place, s.moment, s.spot FROM photos p LEFT JOIN shots s ON s.photo = p.id`, nil, func(rows *sql.Rows) error {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		id := PhotoID(raw.uid)
		a.rows[id] = raw.row
		if raw.there == nil {
			return nil
		}
		r, err := raw.shot(db)
		if err != nil {
			return asCorrupt(err, "photo", raw.uid)
		}
		s, err := r.shot(id)
		s.Camera, s.Cell, s.Place, s.Moment = camera.of(r.camera), cell.of(r.cell), place.of(r.place), moment.of(r.moment)
		a.shots[raw.row], a.Shots = r, append(a.Shots, s)
		return asCorrupt(err, "photo", string(id))
	})
	return a, err
}

// shotScan is what one row is read into; see factRow.
type shotScan struct {
	row                                   int64
	uid                                   string
	there, at, instant, wall, fine, shift any
	camera, cell, place, moment           any
	zone, source, spot                    sql.RawBytes
	texts                                 texts
}

func (r *shotScan) columns() []any {
	r.texts = texts{}
	return []any{&r.row, &r.uid, &r.there, &r.at, &r.instant, &r.wall, &r.zone, &r.source, &r.fine, &r.shift,
		&r.camera, &r.cell, &r.place, &r.moment, &r.spot}
}

// shot is the row of a photo that was arranged.
func (r *shotScan) shot(db *DB) (shotRow, error) {
	number := func(v any) int64 {
		n, _ := v.(int64)
		return n
	}
	null := func(v any) sql.NullInt64 {
		n, ok := v.(int64)
		return sql.NullInt64{Int64: n, Valid: ok}
	}
	spot, err := db.vault.openText("shots.spot", r.uid, string(r.spot))
	return shotRow{
		at: number(r.at), instant: null(r.instant), wall: null(r.wall), zone: r.texts.of(r.zone), source: r.texts.of(r.source),
		fine: number(r.fine), shift: number(r.shift), camera: number(r.camera), cell: number(r.cell),
		place: number(r.place), moment: number(r.moment), spot: spot,
	}, err
}

// positions finds the position of a row's id.
type positions map[int64]int

func positionsOf(ids []int64) positions {
	at := make(positions, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	return at
}

func (p positions) of(id int64) int {
	if i, ok := p[id]; ok {
		return i
	}
	return -1
}

// loadValues reads a table of sealed JSON values.
func loadValues[T any](ctx context.Context, db *DB, q querier, table, key string, set func(*T, string)) (out []T, ids []int64, err error) {
	err = each(ctx, q, "SELECT id, "+key+", value FROM "+table+" ORDER BY id", nil, func(rows *sql.Rows) error {
		var id int64
		var row, text string
		if err := rows.Scan(&id, &row, &text); err != nil {
			return err
		}
		var v T
		if err := db.readValue(table+".value", row, text, &v); err != nil {
			return err
		}
		set(&v, row)
		out, ids = append(out, v), append(ids, id)
		return nil
	})
	return out, ids, err
}

// readValue opens a sealed JSON value; ” leaves v as it is.
func (db *DB) readValue(column, row, text string, v any) error {
	text, err := db.vault.openText(column, row, text)
	if err != nil || text == "" {
		return err
	}
	return asCorrupt(json.Unmarshal([]byte(text), v), column, row)
}

const momentSelect = `SELECT m.id, m.uid, m.kind, coalesce(m.parent, 0), m.day, m.last, m.at, m.until, m.shots, m.coarse,
	coalesce((SELECT uid FROM photos WHERE id = m.cover), ''), coalesce(m.place, 0), m.value FROM moments m`

// scanMoment reads a moment; row, parent and place are row ids, 0 for none.
func (db *DB) scanMoment(rows scanner) (m Moment, row, parent, place int64, err error) {
	var value string
	err = rows.Scan(&row, &m.ID, &m.Kind, &parent, &m.First, &m.Last, &m.At, &m.Until, &m.Shots, &m.Coarse, &m.Cover, &place, &value)
	if err == nil && value != "" {
		m.Spot = new(Spot)
		err = db.readValue("moments.value", string(m.ID), value, m.Spot)
	}
	return m, row, parent, place, err
}

func (a *Arranged) loadMoments(ctx context.Context, db *DB, q querier) error {
	var parents []int64
	place := positionsOf(a.places)
	err := each(ctx, q, momentSelect+" ORDER BY m.kind = 'moment', m.kind = 'day', m.id", nil, func(rows *sql.Rows) error {
		m, row, parent, at, err := db.scanMoment(rows)
		m.Place = place.of(at)
		a.Moments, a.moments, parents = append(a.Moments, m), append(a.moments, row), append(parents, parent)
		return err
	})
	at := positionsOf(a.moments)
	for i, parent := range parents {
		a.Moments[i].Parent = at.of(parent)
	}
	return err
}

// CoverWeights says how good a photo is as the cover of a moment, by the faces
// on it: up to five count one each, and the best one's quality parts equals.
// Photos without a face are not in it.
func (db *DB) CoverWeights(ctx context.Context) (map[PhotoID]float32, error) {
	weights := map[PhotoID]float32{}
	err := each(ctx, db.read, `SELECT p.uid, min(5, count(*)) + min(1, max(f.quality)) FROM faces f JOIN photos p ON p.id = f.photo
		WHERE f.rejected IS NULL GROUP BY f.photo`, nil, func(rows *sql.Rows) error {
		var id PhotoID
		var weight float64
		err := rows.Scan(&id, &weight)
		weights[id] = float32(weight)
		return err
	})
	return weights, db.fail(ctx, "read the faces of", err)
}
