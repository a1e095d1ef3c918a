package store

import (
	"errors"
	"math"
	"strings"

	"github.com/kith-photos/kith/exif"
)

const (
	photosOf = "SELECT group_concat(f.photo) FROM json_each(?) j CROSS JOIN people e ON e.uid = j.value" +
		" CROSS JOIN faces f INDEXED BY faces_person ON f.person = e.id"
	photosVanished = "SELECT group_concat(id) FROM photos INDEXED BY photos_vanished WHERE vanished IS NOT NULL"
	// photosStray reads the rows of all photos, and only where there are strays.
	photosStray = "SELECT group_concat(id) FROM (SELECT id FROM photos INDEXED BY photos_added EXCEPT SELECT photo FROM shots INDEXED BY shots_at)"
	// photosSeen reads all faces: that is how many there are to find.
	photosSeen = "SELECT group_concat(photo) FROM faces INDEXED BY faces_photo"
	// photosMisseen are those whose every face somebody said is none.
	photosMisseen = "SELECT group_concat(f.photo) FROM faces f INDEXED BY faces_rejected WHERE f.rejected IS NOT NULL" +
		" AND NOT EXISTS (SELECT 1 FROM faces o INDEXED BY faces_photo WHERE o.photo = f.photo AND o.rejected IS NULL)"
	shotsIn = "SELECT group_concat(photo) FROM shots INDEXED BY "
	// A range whose ends are bound; MinInt64 itself is no time.
	spanOf    = " WHERE %s >= ? AND %s < ?"
	shotsEach = "SELECT group_concat(s.photo) FROM json_each(?) j CROSS JOIN shots s INDEXED BY "
	// The moments of moments, days and trips, these included.
	momentsUnder = `WITH RECURSIVE m (id) AS (
		SELECT d.id FROM json_each(?) j CROSS JOIN moments d ON d.uid = j.value
		UNION SELECT c.id FROM m CROSS JOIN moments c INDEXED BY moments_parent ON c.parent = m.id) `
	shotsUnder = momentsUnder + "SELECT group_concat(s.photo) FROM m CROSS JOIN shots s INDEXED BY shots_moment ON s.moment = m.id"
	shotsPlace = "SELECT group_concat(s.photo) FROM json_each(?) j CROSS JOIN places p ON p.uid = j.value" +
		" CROSS JOIN shots s INDEXED BY shots_place ON s.place = p.id"
)

// match finds out which photos the query asks for.
func (f *finder) match() error {
	f.m.all = true
	for _, step := range []func() error{f.matchState, f.matchPeople, f.matchTime, f.matchKinds, f.matchWhere} {
		if err := step(); err != nil {
			return err
		}
		if f.m.none() {
			return nil
		}
	}
	f.m.settle()
	return nil
}

// narrow keeps the photos of a statement.
func (f *finder) narrow(query string, args ...any) error {
	s, err := f.photos(query, args...)
	f.m.narrow(s)
	return err
}

// exclude leaves the photos of a statement out.
func (f *finder) exclude(query string, args ...any) error {
	s, err := f.photos(query, args...)
	f.m.exclude(s)
	return err
}

func (f *finder) matchState() error {
	var photos int
	// SQLite counts a whole table by its inner pages.
	err := f.sql.QueryRowContext(f.ctx, "SELECT (SELECT count(*) FROM photos), (SELECT count(*) FROM shots)").Scan(&photos, &f.shots)
	if err == nil && photos != f.shots {
		if f.strays, err = f.photos(photosStray); err == nil {
			f.m.exclude(f.strays)
		}
	}
	if err != nil || f.q.Vanished == Include {
		return err
	}
	if f.q.Vanished == Only {
		return f.narrow(photosVanished)
	}
	return f.exclude(photosVanished)
}

func (f *finder) matchPeople() error {
	for _, id := range f.q.All {
		if err := f.narrow(photosOf, jsonList([]PersonID{id})); err != nil || f.m.none() {
			return err
		}
	}
	var err1, err2 error
	if len(f.q.Any) > 0 {
		err1 = f.narrow(photosOf, jsonList(f.q.Any))
	}
	if len(f.q.None) > 0 {
		err2 = f.exclude(photosOf, jsonList(f.q.None))
	}
	return errors.Join(err1, err2, f.matchFaces())
}

func (f *finder) matchFaces() error {
	if f.q.Faces == Either {
		return nil
	}
	seen, err1 := f.photos(photosSeen)
	not, err2 := f.photos(photosMisseen)
	seen.without(not)
	if f.q.Faces == With {
		f.m.narrow(seen)
	} else {
		f.m.exclude(seen)
	}
	return errors.Join(err1, err2)
}

func (f *finder) matchTime() error {
	switch f.q.Time {
	case With:
		if err := f.exclude(shotsIn+"shots_at WHERE at = ?", int64(NoTime)); err != nil {
			return err
		}
	case Without:
		if err := f.narrow(shotsIn+"shots_at WHERE at = ?", int64(NoTime)); err != nil {
			return err
		}
	}
	if len(f.q.Wall) > 0 {
		n, err := f.spans("wall", f.q.Wall, func(s Span) (int64, int64) { return wallMicros(s.From), wallMicros(s.To) })
		if f.timed = n; err != nil {
			return err
		}
	}
	if len(f.q.Instants) > 0 {
		_, err := f.spans("instant", f.q.Instants, func(s Span) (int64, int64) { return micros(s.From), micros(s.To) })
		return err
	}
	return nil
}

// spans keeps the photos of spans and tells how many are in them.
func (f *finder) spans(column string, spans []Span, ends func(Span) (int64, int64)) (int, error) {
	var union photoSet
	for _, s := range spans {
		from, to := ends(s)
		if s.From.IsZero() {
			from = math.MinInt64
		}
		if s.To.IsZero() {
			to = math.MaxInt64
		}
		part, err := f.photos(shotsIn+"shots_"+column+strings.ReplaceAll(spanOf, "%s", column), from, to)
		if err != nil {
			return 0, err
		}
		union.or(part)
	}
	n := union.count()
	f.m.narrow(union)
	return n, nil
}

// matchKinds handles what is a list of values of one column.
func (f *finder) matchKinds() error {
	if len(f.q.Months) > 0 {
		months, err := f.monthsOf()
		if err == nil {
			err = f.narrow(shotsEach+"shots_month ON s.month = j.value", jsonList(months))
		}
		if err != nil {
			return err
		}
	}
	if len(f.q.Weekdays) > 0 {
		if err := f.narrow(shotsEach+"shots_weekday ON s.weekday = j.value", jsonList(f.q.Weekdays)); err != nil {
			return err
		}
	}
	if len(f.q.Dates) > 0 {
		var days []int
		for _, d := range f.q.Dates {
			days = append(days, 100*int(d.Month)+d.Day)
		}
		if err := f.narrow(shotsEach+"shots_date ON s.date = j.value", jsonList(days)); err != nil {
			return err
		}
	}
	if len(f.q.Moments) > 0 {
		if err := f.narrow(shotsUnder, jsonList(f.q.Moments)); err != nil {
			return err
		}
	}
	if len(f.q.Places) > 0 {
		if err := f.narrow(shotsPlace, jsonList(f.q.Places)); err != nil {
			return err
		}
	}
	return f.matchCameras()
}

// monthsOf are the values of shots.month that are one of the query's months.
func (f *finder) monthsOf() (months []int, err error) {
	var first, last *int
	// Two statements of one: the least and the greatest alone are found at the
	// ends of an index.
	err = f.sql.QueryRowContext(f.ctx, `SELECT (SELECT min(month) FROM shots INDEXED BY shots_month WHERE month >= 0),
		(SELECT max(month) FROM shots INDEXED BY shots_month WHERE month >= 0)`).Scan(&first, &last)
	if err != nil || first == nil || last == nil || *last-*first > 12*10_000 {
		return nil, err
	}
	for m := *first; m <= *last; m++ {
		for _, want := range f.q.Months {
			if m%12 == int(want)-1 {
				months = append(months, m)
			}
		}
	}
	return months, nil
}

func (f *finder) matchCameras() error {
	if len(f.q.Cameras) == 0 {
		return nil
	}
	cameras, ids, err := loadValues(f.ctx, f.db, f.sql, "cameras", "CAST(id AS TEXT)", func(*exif.Camera, string) {})
	if err != nil {
		return err
	}
	var rows []int64
	for i, c := range cameras {
		for _, want := range f.q.Cameras {
			if matches(want, c) {
				rows = append(rows, ids[i])
				break
			}
		}
	}
	return f.narrow(shotsEach+"shots_camera ON s.camera = j.value", jsonList(rows))
}
