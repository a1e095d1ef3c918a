package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Together tells which two people are most often on one photo, those with most
// photos first, then with most moments, then by id: with a person, or, where
// the id is empty, of all. Ignored people and photos whose files have vanished
// do not count. limit 0: all pairs.
func (db *DB) Together(ctx context.Context, person PersonID, limit int) ([]Pair, error) {
	if limit < 0 {
		return nil, &QueryError{Field: "limit", Why: fmt.Sprintf("it is %d", limit)}
	}
	q := Query{}
	if person != "" {
		q.All = []PersonID{person}
	}
	var out []Pair
	err := db.view(ctx, "find who is together in", func(tx *sql.Tx) error {
		t := &together{finder: &finder{ctx: ctx, db: db, sql: tx, q: q}, person: person, limit: limit}
		var err error
		out, err = t.find()
		return err
	})
	return out, err
}

// together counts pairs on the photos that matched.
type together struct {
	*finder
	person PersonID
	limit  int
}

// sight is a person on a photo.
type sight struct{ photo, person int64 }

func (t *together) find() ([]Pair, error) {
	if err := t.match(); err != nil || t.m.none() {
		return nil, err
	}
	total := t.m.in.count()
	if t.m.all {
		total = t.shots
	}
	var sights []sight
	if err := t.eachFace(total, func(photo, person int64) { sights = append(sights, sight{photo, person}) }); err != nil {
		return nil, err
	}
	people := map[int64]int{} // and on how many photos each is
	for _, s := range sights {
		people[s.person]++
	}
	if err := t.dropIgnored(people); err != nil {
		return nil, err
	}
	if t.person != "" {
		if err := t.dropSelf(people); err != nil {
			return nil, err
		}
		cut(people, t.limit) // the moments of those alone are looked up
	}
	ids, err := t.uids("people", people)
	if err != nil {
		return nil, err
	}
	sights = slices.DeleteFunc(sights, func(s sight) bool { return people[s.person] == 0 })
	moment, err := t.momentOf(sights)
	if err != nil {
		return nil, err
	}
	if t.person != "" {
		return t.with(sights, moment, people, ids), nil
	}
	return t.pairs(sights, moment, ids), nil
}

// dropSelf takes the person out who was asked about.
func (t *together) dropSelf(people map[int64]int) error {
	text, err := t.text("SELECT id FROM people WHERE uid = ?", string(t.person))
	if err != nil {
		return err
	}
	return eachNumber(text, func(row int64) error {
		delete(people, row)
		return nil
	})
}

// moments are those of photos, by their rows; 0: none.
type moments []int64

func (m *moments) set(photo, moment int64) {
	if photo >= int64(len(*m)) {
		*m = append(*m, make([]int64, photo+1-int64(len(*m)))...)
	}
	(*m)[photo] = moment
}

func (m moments) of(photo int64) int64 {
	if photo >= int64(len(m)) {
		return 0
	}
	return m[photo]
}

// momentOf is the moment of each photo on which somebody was seen.
func (t *together) momentOf(sights []sight) (moments, error) {
	var moment moments
	var photos photoSet
	for _, s := range sights {
		photos.add(s.photo)
	}
	if photos.count()*(costLookup+costColumn) < t.shots*costStream*2 { // the groups are many and small
		pair := make([]int64, 2)
		text, err := t.text("SELECT group_concat(s.photo || ' ' || s.moment, char(10)) FROM json_each(?) j"+
			" CROSS JOIN shots s ON s.photo = j.value WHERE s.moment IS NOT NULL", photos.list())
		if err != nil {
			return nil, err
		}
		err = eachLine(text, "\n", func(line string) error {
			err := numbers(line, pair)
			moment.set(pair[0], pair[1])
			return err
		})
		return moment, err
	}
	const all = `SELECT group_concat(k || ' ' || v, char(10)) FROM
		(SELECT moment k, group_concat(photo) v FROM shots INDEXED BY shots_moment WHERE moment >= 0 GROUP BY moment)`
	err := t.groups(all, func(key int64, list string) error {
		return eachNumber(list, func(row int64) error {
			if photos.has(row) {
				moment.set(row, key)
			}
			return nil
		})
	})
	return moment, err
}

// with counts the pairs of one person, who is on every photo, with people.
func (t *together) with(sights []sight, moment moments, people map[int64]int, ids map[int64]string) []Pair {
	per := map[int64]int{}
	events := make([]sight, 0, len(sights)) // moments in place of photos
	for _, s := range sights {
		if m := moment.of(s.photo); m != 0 {
			events = append(events, sight{m, s.person})
		}
	}
	slices.SortFunc(events, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.photo, b.photo))
	})
	for _, e := range slices.Compact(events) {
		per[e.person]++
	}
	var out []Pair
	for row, n := range people {
		out = append(out, Pair{A: t.person, B: PersonID(ids[row]), Photos: n, Moments: per[row]})
	}
	return t.rank(out)
}

// pairs counts those of everybody with everybody.
func (t *together) pairs(sights []sight, moment moments, ids map[int64]string) []Pair {
	slices.SortFunc(sights, func(a, b sight) int {
		if a.photo != b.photo {
			return cmp.Or(cmp.Compare(moment.of(a.photo), moment.of(b.photo)), cmp.Compare(a.photo, b.photo))
		}
		return cmp.Compare(a.person, b.person)
	})
	type tally struct {
		photos, moments int
		last            int64
	}
	counts := map[sight]*tally{}
	for i := 0; i < len(sights); {
		n := i
		for n < len(sights) && sights[n].photo == sights[i].photo {
			n++
		}
		m := moment.of(sights[i].photo)
		for a := i; a < n; a++ {
			for b := a + 1; b < n; b++ {
				key := sight{sights[a].person, sights[b].person}
				c := counts[key]
				if c == nil {
					c = new(tally)
					counts[key] = c
				}
				c.photos++
				if m != 0 && c.last != m { // a moment's photos are on end
					c.moments, c.last = c.moments+1, m
				}
			}
		}
		i = n
	}
	var out []Pair
	for key, c := range counts {
		a, b := PersonID(ids[key.photo]), PersonID(ids[key.person])
		if a != "" && b != "" {
			out = append(out, Pair{A: min(a, b), B: max(a, b), Photos: c.photos, Moments: c.moments})
		}
	}
	return t.rank(out)
}

func (t *together) rank(out []Pair) []Pair {
	slices.SortFunc(out, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Photos, a.Photos), cmp.Compare(b.Moments, a.Moments), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	if t.limit > 0 && len(out) > t.limit {
		out = slices.Clone(out[:t.limit])
	}
	return out
}
