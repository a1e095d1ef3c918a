package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/kith-photos/kith/exif"
)

// PutArrangement makes the account hold next in place of was, which must be
// what LoadArrangement gave and nothing have been written since; only what
// differs is written, in one transaction. Places and moments without an ID get
// one. A photo that is unknown by now is left out.
func (db *DB) PutArrangement(ctx context.Context, was *Arranged, next Arrangement) error {
	if err := next.check(); err != nil {
		return fmt.Errorf("store: arrange %q: %w", db.path, err)
	}
	return db.update(ctx, "arrange", func(tx *sql.Tx) error {
		w := &arranger{ctx: ctx, tx: tx, db: db, was: was, next: &Arranged{Arrangement: next}}
		for _, step := range []func() error{w.cameras, w.cells, w.places, w.moments, w.shots, w.sweep} {
			if err := step(); err != nil {
				return err
			}
		}
		// Last: the triggers take current back.
		return w.exec(`INSERT INTO arrangement (id, about, current) VALUES (1, ?1, 1)
			ON CONFLICT (id) DO UPDATE SET about = ?1, current = 1`, next.About)
	})
}

// check reports what cannot be recorded.
func (a *Arrangement) check() error {
	for i, m := range a.Moments {
		if m.Parent >= i || m.Parent < -1 || m.Place >= len(a.Places) {
			return fmt.Errorf("moment %d is of day or trip %d, at place %d", i, m.Parent, m.Place)
		}
		if m.Spot != nil && !finite(m.Spot.Lat, m.Spot.Lon, m.Spot.Radius) {
			return fmt.Errorf("moment %d: its place is not finite", i)
		}
	}
	for _, p := range a.Places {
		if !finite(p.Lat, p.Lon, p.Radius) {
			return errors.New("a place is not finite")
		}
	}
	for _, s := range a.Shots {
		if s.Camera >= len(a.Cameras) || s.Cell >= len(a.Cells) || s.Place >= len(a.Places) || s.Moment >= len(a.Moments) {
			return fmt.Errorf("photo %s refers to what is not there", s.Photo)
		}
		if s.Where != nil && !finite(s.Where.Lat, s.Where.Lon, s.Where.Accuracy) {
			return fmt.Errorf("photo %s: where it was taken is not finite", s.Photo)
		}
	}
	return nil
}

// arranger writes an arrangement in the place of another.
type arranger struct {
	ctx       context.Context // of the one call that it lives in
	tx        *sql.Tx
	db        *DB
	was, next *Arranged
}

func (w *arranger) exec(query string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, query, args...)
	return err
}

func (w *arranger) insert(query string, args ...any) (int64, error) {
	res, err := w.tx.ExecContext(w.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (w *arranger) cameras() error {
	known := make(map[exif.Camera]int64, len(w.was.Cameras))
	for i, c := range w.was.Cameras {
		known[c] = w.was.cameras[i]
	}
	for _, c := range w.next.Cameras {
		id := known[c]
		if id == 0 {
			var err error
			if id, err = w.newValue("cameras", c); err != nil {
				return err
			}
		}
		w.next.cameras = append(w.next.cameras, id)
	}
	return nil
}

func (w *arranger) cells() error {
	known := make(map[Cell]int64, len(w.was.Cells))
	for i, c := range w.was.Cells {
		known[c] = w.was.cells[i]
	}
	for _, c := range w.next.Cells {
		id := known[c]
		if id == 0 {
			var err error
			if id, err = w.newValue("cells", c); err != nil {
				return err
			}
		}
		w.next.cells = append(w.next.cells, id)
	}
	return nil
}

// newValue inserts a row whose value is sealed under its own id.
func (w *arranger) newValue(table string, v any) (int64, error) {
	id, err := w.insert("INSERT INTO " + table + " (value) VALUES ('')")
	if err != nil {
		return 0, err
	}
	return id, w.putValue(table, id, strconv.FormatInt(id, 10), v)
}

func (w *arranger) putValue(table string, id int64, row string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.exec("UPDATE "+table+" SET value = ? WHERE id = ?", w.db.vault.sealText(table+".value", row, string(b)), id)
}

func (w *arranger) places() error {
	known := make(map[PlaceID]int, len(w.was.Places))
	for i, p := range w.was.Places {
		known[p.ID] = i
	}
	for n := range w.next.Places {
		p := &w.next.Places[n]
		i, ok := known[p.ID]
		if ok && w.was.Places[i] == *p {
			w.next.places = append(w.next.places, w.was.places[i])
			continue
		}
		var id int64
		var err error
		if ok {
			id = w.was.places[i]
		} else {
			if p.ID == "" {
				p.ID = PlaceID(newUID())
			}
			id, err = w.insert("INSERT INTO places (uid, value) VALUES (?, '')", string(p.ID))
		}
		if err == nil {
			err = w.putValue("places", id, string(p.ID), *p)
		}
		if err != nil {
			return err
		}
		w.next.places = append(w.next.places, id)
	}
	return nil
}

func (w *arranger) moments() error {
	known := make(map[MomentID]int, len(w.was.Moments))
	for i, m := range w.was.Moments {
		known[m.ID] = i
	}
	for n := range w.next.Moments {
		m := &w.next.Moments[n]
		if m.ID == "" {
			m.ID = MomentID(newUID())
		}
		i, ok := known[m.ID]
		if !ok {
			id, err := w.insert(`INSERT INTO moments (uid, kind, day, last, at, until, shots, coarse, value)
				VALUES (?, ?, 0, 0, 0, 0, 0, 0, '')`, string(m.ID), string(m.Kind))
			if err != nil {
				return err
			}
			w.next.moments = append(w.next.moments, id)
		} else {
			w.next.moments = append(w.next.moments, w.was.moments[i])
		}
		if ok && w.sameMoment(&w.was.Moments[i], m) {
			continue
		}
		if err := w.putMoment(w.next.moments[n], m); err != nil {
			return err
		}
	}
	return nil
}

// sameMoment compares two moments by what their rows are.
func (w *arranger) sameMoment(a, b *Moment) bool {
	x, y := *a, *b
	x.Parent, y.Parent, x.Place, y.Place, x.Spot, y.Spot = 0, 0, 0, 0, nil, nil
	return x == y && (a.Spot == nil) == (b.Spot == nil) && (a.Spot == nil || *a.Spot == *b.Spot) &&
		rowOf(w.was.moments, a.Parent) == rowOf(w.next.moments, b.Parent) &&
		rowOf(w.was.places, a.Place) == rowOf(w.next.places, b.Place)
}

// rowOf is the row id at a position, nil for none.
func rowOf(rows []int64, i int) any {
	if i < 0 {
		return nil
	}
	return rows[i]
}

func (w *arranger) putMoment(id int64, m *Moment) error {
	value := ""
	if m.Spot != nil {
		b, err := json.Marshal(m.Spot)
		if err != nil {
			return err
		}
		value = w.db.vault.sealText("moments.value", string(m.ID), string(b))
	}
	var cover any
	if row, ok := w.was.rows[m.Cover]; ok {
		cover = row
	}
	return w.exec(`UPDATE moments SET kind = ?, parent = ?, day = ?, last = ?, at = ?, until = ?, shots = ?, coarse = ?,
		cover = (SELECT id FROM photos WHERE id = ?), place = ?, value = ? WHERE id = ?`,
		string(m.Kind), rowOf(w.next.moments, m.Parent), m.First, m.Last, m.At, m.Until, m.Shots, m.Coarse,
		cover, rowOf(w.next.places, m.Place), value, id)
}

func (w *arranger) shots() error {
	put, err := w.tx.PrepareContext(w.ctx, `INSERT INTO shots
		(photo, at, instant, wall, zone, source, fine, shift, month, date, weekday, camera, cell, place, moment, spot, guessed)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 WHERE EXISTS (SELECT 1 FROM photos WHERE id = ?1)
		ON CONFLICT (photo) DO UPDATE SET at = ?2, instant = ?3, wall = ?4, zone = ?5, source = ?6, fine = ?7, shift = ?8,
		month = ?9, date = ?10, weekday = ?11, camera = ?12, cell = ?13, place = ?14, moment = ?15, spot = ?16, guessed = ?17`)
	if err != nil {
		return err
	}
	defer func() { _ = put.Close() }()
	for i := range w.next.Shots {
		s := &w.next.Shots[i]
		photo, ok := w.was.rows[s.Photo]
		if !ok {
			continue
		}
		r := s.row(w.next)
		if was, ok := w.was.shots[photo]; ok && was == r {
			continue
		}
		var month, date, weekday any
		if !s.Taken.IsZero() {
			wall := s.Taken.Wall
			month, date, weekday = 12*wall.Year()+int(wall.Month())-1, 100*int(wall.Month())+wall.Day(), int(wall.Weekday())
		}
		null := func(id int64) any {
			if id == 0 {
				return nil
			}
			return id
		}
		_, err := put.ExecContext(w.ctx, photo, r.at, r.instant, r.wall, r.zone, r.source, r.fine, r.shift, month, date, weekday,
			null(r.camera), null(r.cell), null(r.place), null(r.moment),
			w.db.vault.sealText("shots.spot", string(s.Photo), r.spot), s.Guessed && s.Where != nil)
		if err != nil {
			return fmt.Errorf("photo %s: %w", s.Photo, err)
		}
	}
	return nil
}

// sweep deletes what is not there any more, once nothing refers to it.
func (w *arranger) sweep() error {
	for _, t := range []struct {
		table    string
		was, now []int64
	}{
		{"moments", w.was.moments, w.next.moments}, {"places", w.was.places, w.next.places},
		{"cells", w.was.cells, w.next.cells}, {"cameras", w.was.cameras, w.next.cameras},
	} {
		kept := positionsOf(t.now)
		gone := slices.DeleteFunc(slices.Clone(t.was), func(id int64) bool { return kept.of(id) >= 0 })
		for _, id := range gone {
			if err := w.exec("DELETE FROM "+t.table+" WHERE id = ?", id); err != nil {
				return err
			}
		}
	}
	return nil
}
