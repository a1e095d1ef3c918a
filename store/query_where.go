package store

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// matchWhere handles positions: cells, and of those at the border of the region
// the positions themselves.
func (f *finder) matchWhere() error {
	switch f.q.Position {
	case HasPosition:
		if err := f.exclude(shotsIn + "shots_cell WHERE cell IS NULL"); err != nil {
			return err
		}
	case NoPosition:
		if err := f.narrow(shotsIn + "shots_cell WHERE cell IS NULL"); err != nil {
			return err
		}
	case Measured:
		if err := f.exclude(shotsIn + "shots_cell WHERE cell IS NULL"); err != nil {
			return err
		}
		if err := f.exclude(shotsIn + "shots_guessed WHERE guessed = 1"); err != nil {
			return err
		}
	case Estimated:
		if err := f.narrow(shotsIn + "shots_guessed WHERE guessed = 1"); err != nil {
			return err
		}
	}
	if f.q.Region == nil && len(f.q.Countries) == 0 {
		return nil
	}
	var inside, border []int64
	err := f.cells(nil, func(row int64, value string) error {
		cell, country, err := cellAndCountry(value)
		switch {
		case err != nil:
			return err
		case len(f.q.Countries) > 0 && !slices.Contains(f.q.Countries, country):
		case f.q.Region == nil:
			inside = append(inside, row)
		case !f.q.Region.MayMeet(cell): // most
		case f.q.Region.Covers(cell):
			inside = append(inside, row)
		default:
			border = append(border, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	in, near, err := f.inCells(inside, border)
	if err != nil {
		return err
	}
	if !f.m.all {
		near.and(f.m.in)
	}
	near.without(f.m.out)
	// Of the border only what also matches otherwise is looked at.
	err = f.spots(near, func(row int64, lat, lon float64) {
		if f.q.Region.Contains(lat, lon) {
			in.add(row)
		}
	})
	f.m.narrow(in)
	return err
}

// inCells are the photos in cells, or those of them that match otherwise where
// these are so few that it is cheaper to look up the cell of each.
func (f *finder) inCells(inside, border []int64) (in, near photoSet, err error) {
	if f.m.all || f.m.in.count()*(costLookup+costColumn) > f.shots*costStream/2 {
		const byCell = shotsEach + "shots_cell ON s.cell = j.value"
		in, err1 := f.photos(byCell, jsonList(inside))
		near, err2 := f.photos(byCell, jsonList(border))
		return in, near, errors.Join(err1, err2)
	}
	which := make(map[int64]*photoSet, len(inside)+len(border))
	for _, c := range inside {
		which[c] = &in
	}
	for _, c := range border {
		which[c] = &near
	}
	text, err := f.text("SELECT group_concat(s.photo || ' ' || s.cell, char(10)) FROM json_each(?) j"+
		" CROSS JOIN shots s ON s.photo = j.value WHERE s.cell IS NOT NULL", f.m.in.list())
	if err != nil {
		return nil, nil, err
	}
	pair := make([]int64, 2)
	err = eachLine(text, "\n", func(line string) error {
		err := numbers(line, pair)
		if s := which[pair[1]]; err == nil && s != nil {
			s.add(pair[0])
		}
		return err
	})
	return in, near, err
}

// cells reads the values of cells, of all or of some rows.
func (f *finder) cells(rows []int64, use func(row int64, value string) error) error {
	query, args := "SELECT group_concat(id || ' ' || value, char(10)) FROM cells", []any(nil)
	if rows != nil {
		query = "SELECT group_concat(c.id || ' ' || c.value, char(10)) FROM json_each(?) j CROSS JOIN cells c ON c.id = j.value"
		args = []any{jsonList(rows)}
	}
	text, err := f.text(query, args...)
	if err != nil {
		return err
	}
	return eachLine(text, "\n", func(line string) error {
		id, value, _ := strings.Cut(line, " ")
		row, err := strconv.ParseInt(id, 10, 64)
		if err == nil {
			value, err = f.db.vault.openText("cells.value", id, value)
		}
		if err == nil {
			err = use(row, value)
		}
		return asCorrupt(err, "cell", id)
	})
}

// cellAndCountry reads what it names of a Cell's JSON, where all that package
// json reads would take most of the time of a query.
func cellAndCountry(value string) (cell uint64, country string, err error) {
	const before, after, code = `{"cell":`, `,"country":"`, len("FI")
	rest, ok := strings.CutPrefix(value, before)
	end := strings.IndexAny(rest, ",}")
	if ok && end > 0 {
		cell, err = strconv.ParseUint(rest[:end], 10, 64)
		if err == nil && rest[end:] == "}" {
			return cell, "", nil
		}
		// The country is the last field. A quotation mark within a text has a
		// backslash before it.
		if body, ok := strings.CutSuffix(rest, `"}`); err == nil && ok && len(body) > len(after)+code &&
			body[len(body)-code-len(after):len(body)-code] == after {
			return cell, body[len(body)-code:], nil
		}
	}
	var c Cell
	err = json.Unmarshal([]byte(value), &c)
	return c.Number, c.Country, err
}

// spots reads where photos were taken, of those that have a position.
func (f *finder) spots(s photoSet, use func(row int64, lat, lon float64)) error {
	if s.count() == 0 {
		return nil
	}
	// What sealed them is the photo's id, which is in another table.
	query := "SELECT group_concat(s.photo || '  ' || s.spot, char(10)) FROM json_each(?) j CROSS JOIN shots s ON s.photo = j.value WHERE s.spot <> ''"
	if f.db.vault != nil {
		query = `SELECT group_concat(s.photo || ' ' || p.uid || ' ' || s.spot, char(10)) FROM json_each(?) j
			CROSS JOIN shots s ON s.photo = j.value CROSS JOIN photos p ON p.id = s.photo WHERE s.spot <> ''`
	}
	text, err := f.text(query, s.list())
	if err != nil {
		return err
	}
	return eachLine(text, "\n", func(line string) error {
		id, rest, _ := strings.Cut(line, " ")
		uid, sealed, _ := strings.Cut(rest, " ")
		row, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return &CorruptError{Detail: "shots: " + err.Error()}
		}
		text, err := f.db.vault.openText("shots.spot", uid, sealed)
		if err != nil {
			return err
		}
		v, err := parseSpot(text)
		if err != nil {
			return asCorrupt(err, "the position of row", id)
		}
		use(row, v[0], v[1])
		return nil
	})
}

// parseSpot reads what spotText wrote, three times as fast as package json.
func parseSpot(text string) (v [4]float64, err error) {
	rest := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	for i := range v {
		var field string
		field, rest, _ = strings.Cut(rest, ",")
		if v[i], err = strconv.ParseFloat(field, 64); err != nil {
			return v, json.Unmarshal([]byte(text), &v) // written otherwise
		}
	}
	return v, nil
}
