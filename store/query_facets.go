package store

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// facetColumns are the columns of shots that facets count by.
var facetColumns = map[Facet]string{
	ByYear: "month", ByMonth: "month", ByPlace: "place", ByCamera: "camera", ByCountry: "cell",
	ByMoment: "moment", ByDay: "moment", ByTrip: "moment",
}

// What reading a row takes, in nanoseconds or so: one that is looked up, each
// of its columns, a row of an index read from end to end, a face looked up.
const (
	costLookup = 500
	costColumn = 120
	costStream = 65
	costFace   = 450
	costSeen   = 80
)

// facets counts what was asked for.
func (f *finder) facets(total int) (out Facets, err error) {
	columns := map[string]map[int64]int{}
	for facet := range f.q.Facets {
		if c := facetColumns[facet]; c != "" {
			columns[c] = map[int64]int{}
		}
	}
	if err := f.countColumns(columns, total); err != nil {
		return out, err
	}
	for facet, top := range f.q.Facets {
		c := columns[facetColumns[facet]]
		switch facet {
		case ByYear:
			out.Years = rank(keyed(c, func(m int64) int { return int(m / 12) }), top, cmp.Compare[int])
		case ByMonth:
			out.Months = rank(keyed(c, func(m int64) YearMonth { return YearMonth{int(m / 12), time.Month(m%12 + 1)} }), top,
				func(a, b YearMonth) int { return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Month, b.Month)) })
		case ByPerson:
			var people map[int64]int
			if people, err = f.countPeople(total); err == nil {
				out.People, err = rankIDs[PersonID](f, "people", people, top)
			}
		case ByPlace:
			out.Places, err = rankIDs[PlaceID](f, "places", c, top)
		case ByCamera:
			out.Cameras, err = f.rankCameras(c, top)
		case ByCountry:
			out.Countries, err = f.rankCountries(c, top)
		case ByMoment:
			out.Moments, err = rankIDs[MomentID](f, "moments", c, top)
		case ByDay:
			if c, err = f.parents(c, 1); err == nil {
				out.Days, err = rankIDs[MomentID](f, "moments", c, top)
			}
		case ByTrip:
			if c, err = f.parents(c, 2); err == nil {
				out.Trips, err = rankIDs[MomentID](f, "moments", c, top)
			}
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// countColumns counts what matched by the values of columns of shots. Few
// photos are looked up, once for all columns; of many it is cheaper to read the
// whole index of each column, which is narrow and has them grouped already.
func (f *finder) countColumns(columns map[string]map[int64]int, total int) error {
	if len(columns) == 0 || total == 0 {
		return nil
	}
	lookups := func(n int) int { return n * (costLookup + costColumn*len(columns)) }
	few := 0
	for column := range columns {
		if column == "month" && len(f.q.Wall) > 0 {
			few += f.timed * costStream
		} else {
			few += f.shots * costStream
		}
	}
	if !f.m.all && lookups(total) < few {
		return f.lookUpColumns(f.m.in, columns, 1, f.sorts(total))
	}
	// Where all but a few match, all are counted, and these few subtracted.
	subtract := f.m.all && lookups(f.m.out.count()) < few/2
	for column, counts := range columns {
		if err := f.streamColumn(column, counts, subtract); err != nil {
			return err
		}
	}
	if subtract && f.m.out.count() > 0 {
		return f.lookUpColumns(f.m.out, columns, -1, false)
	}
	return nil
}

// lookUpColumns adds to the counts what photos have, or with -1 takes it off,
// and keeps their times if these are needed.
func (f *finder) lookUpColumns(photos photoSet, columns map[string]map[int64]int, add int, times bool) error {
	names := slices.Sorted(maps.Keys(columns)) // so that a statement is prepared once
	fields := "coalesce(s." + strings.Join(names, ", -1), coalesce(s.") + ", -1)"
	if times {
		fields += ", s.photo, s.at"
	}
	text, err := f.text("SELECT group_concat(concat_ws(' ', "+fields+"), char(10)) FROM json_each(?) j"+
		" CROSS JOIN shots s ON s.photo = j.value", photos.list())
	if err != nil {
		return err
	}
	values := make([]int64, len(names), len(names)+2)
	if times {
		values = values[:cap(values)]
		f.times = make([]position, 0, photos.count())
	}
	return eachLine(text, "\n", func(line string) error {
		if err := numbers(line, values); err != nil {
			return err
		}
		for i, name := range names {
			if v := values[i]; v >= 0 {
				counts := columns[name]
				if counts[v] += add; counts[v] == 0 {
					delete(counts, v)
				}
			}
		}
		if times {
			f.times = append(f.times, position{photo: values[len(names)], at: values[len(names)+1]})
		}
		return nil
	})
}

// streamColumn counts by the whole index of a column; all: every photo, whether
// or not it matched.
func (f *finder) streamColumn(column string, counts map[int64]int, all bool) error {
	from := " FROM shots INDEXED BY shots_" + column + " WHERE " + column + " BETWEEN ? AND ? GROUP BY " + column
	args := []any{int64(0), int64(math.MaxInt64)}
	if column == "month" && len(f.q.Wall) > 0 {
		args = f.monthsOfWall()
	}
	if all {
		text, err := f.text("SELECT group_concat(k || ' ' || n, char(10)) FROM (SELECT "+column+" k, count(*) n"+from+")", args...)
		if err != nil {
			return err
		}
		pair := make([]int64, 2)
		return eachLine(text, "\n", func(line string) error {
			err := numbers(line, pair)
			counts[pair[0]] = int(pair[1])
			return err
		})
	}
	return f.groups("SELECT group_concat(k || ' ' || v, char(10)) FROM (SELECT "+column+" k, group_concat(photo) v"+from+")",
		func(key int64, photos string) error {
			n := 0
			err := eachNumber(photos, func(row int64) error {
				if f.m.has(row) {
					n++
				}
				return nil
			})
			if n > 0 {
				counts[key] = n
			}
			return err
		}, args...)
}

// monthsOfWall are the first and the last month of the query's spans.
func (f *finder) monthsOfWall() []any {
	first, last := int64(math.MaxInt64), int64(0)
	month := func(t time.Time) int64 { return int64(12*t.Year() + int(t.Month()) - 1) }
	for _, s := range f.q.Wall {
		from, to := int64(0), int64(math.MaxInt64)
		if !s.From.IsZero() {
			from = month(s.From)
		}
		if !s.To.IsZero() {
			to = month(s.To)
		}
		first, last = min(first, from), max(last, to)
	}
	return []any{first, last}
}

// groups reads lines of a number and what belongs to it.
func (f *finder) groups(query string, use func(key int64, rest string) error, args ...any) error {
	text, err := f.text(query, args...)
	if err != nil {
		return err
	}
	return eachLine(text, "\n", func(line string) error {
		id, rest, _ := strings.Cut(line, " ")
		key, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return &CorruptError{Detail: "rows: " + err.Error()}
		}
		return use(key, rest)
	})
}

const (
	facesOf = `SELECT group_concat(f.photo || ' ' || f.person, char(10)) FROM json_each(?) j
		CROSS JOIN faces f INDEXED BY faces_photo ON f.photo = j.value WHERE f.person IS NOT NULL`
	// facesByPerson reads all faces that are somebody's.
	facesByPerson = `SELECT group_concat(k || ' ' || v, char(10)) FROM
		(SELECT person k, group_concat(photo) v FROM faces INDEXED BY faces_person WHERE person >= 0 GROUP BY person)`
	ignoredPeople = "SELECT group_concat(id) FROM people WHERE ignored"
)

// eachFace goes through the faces of what matched whose person is known: those
// of a person or a photo on end, and one person once for a photo.
func (f *finder) eachFace(total int, use func(photo, person int64)) error {
	var faces int
	if err := f.sql.QueryRowContext(f.ctx, "SELECT count(*) FROM faces").Scan(&faces); err != nil {
		return err
	}
	if !f.m.all && total*costFace < faces*costSeen {
		text, err := f.text(facesOf, f.m.in.list())
		if err != nil {
			return err
		}
		var was [2]int64
		pair := make([]int64, 2)
		return eachLine(text, "\n", func(line string) error { // by photo, then person, as the index is
			err := numbers(line, pair)
			if err == nil && [2]int64(pair) != was {
				was = [2]int64(pair)
				use(pair[0], pair[1])
			}
			return err
		})
	}
	return f.groups(facesByPerson, func(person int64, photos string) error {
		was := int64(-1)
		return eachNumber(photos, func(photo int64) error {
			if photo != was && f.m.has(photo) {
				use(photo, person)
			}
			was = photo
			return nil
		})
	})
}

func (f *finder) countPeople(total int) (map[int64]int, error) {
	counts := map[int64]int{}
	if total == 0 {
		return counts, nil
	}
	last, n := int64(-1), (*int)(nil)
	at := map[int64]*int{}
	err := f.eachFace(total, func(_, person int64) {
		if person != last { // they come on end
			if n = at[person]; n == nil {
				n = new(int)
				at[person] = n
			}
			last = person
		}
		*n++
	})
	if err != nil {
		return nil, err
	}
	for person, n := range at {
		counts[person] = *n
	}
	return counts, f.dropIgnored(counts)
}

func (f *finder) dropIgnored(counts map[int64]int) error {
	text, err := f.text(ignoredPeople)
	if err != nil {
		return err
	}
	return eachNumber(text, func(row int64) error {
		delete(counts, row)
		return nil
	})
}

// parents turns counts by moments into those by their days or trips.
func (f *finder) parents(counts map[int64]int, levels int) (map[int64]int, error) {
	for range levels {
		parent, err := f.parentsOf(counts)
		if err != nil {
			return nil, err
		}
		above := map[int64]int{}
		for row, n := range counts {
			if p := parent[row]; p != 0 {
				above[p] += n
			}
		}
		counts = above
	}
	return counts, nil
}

// parentsOf are the parents of moments, or of all if these are many.
func (f *finder) parentsOf(counts map[int64]int) (map[int64]int64, error) {
	query, args := "SELECT group_concat(id || ' ' || parent, char(10)) FROM moments INDEXED BY moments_parent WHERE parent IS NOT NULL", []any(nil)
	if len(counts) < 10_000 {
		query = "SELECT group_concat(m.id || ' ' || m.parent, char(10)) FROM json_each(?) j CROSS JOIN moments m ON m.id = j.value WHERE m.parent IS NOT NULL"
		args = []any{jsonList(slices.Sorted(maps.Keys(counts)))}
	}
	text, err := f.text(query, args...)
	if err != nil {
		return nil, err
	}
	parent := make(map[int64]int64, len(counts))
	pair := make([]int64, 2)
	return parent, eachLine(text, "\n", func(line string) error {
		err := numbers(line, pair)
		parent[pair[0]] = pair[1]
		return err
	})
}
