package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// How a Query is answered.
//
// Each condition alone is a range of one index, which ends in the row numbers
// of photos. SQLite reads that range and returns the numbers as one text
// (group_concat): a row crosses from C in about 50 ns so, and takes one or two
// microseconds alone. Here they become sets of bits, which are intersected in
// no time. Nothing is left for SQLite's planner to get wrong: no statement
// joins two conditions, and each says by which index it is to be answered, and
// by CROSS JOIN in which order. What it costs is the sum of what the conditions
// match, and at worst all photos once for each.

// photoSet is a set of rows of photos, as bits.
type photoSet []uint64

// maxRow bounds what a forged row number can make a set take: 32 MB.
const maxRow = 1 << 28

func (s *photoSet) add(row int64) {
	i := int(row >> 6)
	for i >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[i] |= 1 << (row & 63)
}

func (s photoSet) has(row int64) bool {
	i := row >> 6
	return i >= 0 && i < int64(len(s)) && s[i]&(1<<(row&63)) != 0
}

func (s *photoSet) and(o photoSet) {
	*s = (*s)[:min(len(*s), len(o))]
	for i := range *s {
		(*s)[i] &= o[i]
	}
}

func (s photoSet) without(o photoSet) {
	for i := range min(len(s), len(o)) {
		s[i] &^= o[i]
	}
}

func (s *photoSet) or(o photoSet) {
	for i, w := range o {
		if i >= len(*s) {
			*s = append(*s, o[i:]...)
			return
		}
		(*s)[i] |= w
	}
}

func (s photoSet) count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// list is the set as JSON, ascending.
func (s photoSet) list() string {
	b := []byte{'['}
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			b = strconv.AppendInt(b, int64(i<<6+bits.TrailingZeros64(w)), 10)
			b = append(b, ',')
		}
	}
	if len(b) > 1 {
		b = b[:len(b)-1]
	}
	return string(append(b, ']'))
}

// matched are the photos that a query asks for: those of in, or all that were
// arranged, but those of out.
type matched struct {
	all     bool // in says nothing
	in, out photoSet
}

func (m *matched) narrow(s photoSet) {
	if m.all {
		m.all, m.in = false, s
	} else {
		m.in.and(s)
	}
}

func (m *matched) exclude(s photoSet) { m.out.or(s) }

// settle leaves out what is excluded, where that can be said.
func (m *matched) settle() {
	if !m.all {
		m.in.without(m.out)
		m.out = nil
	}
}

func (m *matched) has(row int64) bool { return (m.all || m.in.has(row)) && !m.out.has(row) }

// none reports whether nothing can match any more.
func (m *matched) none() bool { return !m.all && m.in.count() == 0 }

// finder answers one query on one snapshot.
type finder struct {
	ctx context.Context // of the one call that it lives in
	db  *DB
	sql querier
	q   Query
	m   matched
	// shots is how many photos were arranged.
	shots int
	// strays are photos that were not; faces may be of them.
	strays photoSet
	// timed is how many photos are in Query.Wall; meaningless without it.
	timed int
	// times are those of what matched, where they were looked up on the way.
	times []position
}

// text runs a statement of one row and one column.
func (f *finder) text(query string, args ...any) (string, error) {
	var s sql.NullString
	err := f.sql.QueryRowContext(f.ctx, query, args...).Scan(&s)
	return s.String, err
}

// photos runs a statement that gives the rows of photos as one text.
func (f *finder) photos(query string, args ...any) (photoSet, error) {
	text, err := f.text(query, args...)
	if err != nil {
		return nil, err
	}
	var s photoSet
	err = eachNumber(text, func(row int64) error {
		if row >= maxRow {
			return &CorruptError{Detail: fmt.Sprintf("row %d is out of range", row)}
		}
		s.add(row)
		return nil
	})
	return s, err
}

// eachNumber reads numbers of 0 and up with a comma between.
func eachNumber(text string, use func(int64) error) error {
	var n int64
	digits := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && text[i] != ',' {
			c := text[i] - '0'
			if digits++; c > 9 || digits > 18 {
				return &CorruptError{Detail: fmt.Sprintf("%.40q is no list of rows", text)}
			}
			n = 10*n + int64(c)
			continue
		}
		if digits > 0 {
			if err := use(n); err != nil {
				return err
			}
		}
		n, digits = 0, 0
	}
	return nil
}

// numbers reads the fields of a line, which are whole numbers.
func numbers(line string, out []int64) error {
	for i := range out {
		field, rest, _ := strings.Cut(line, " ")
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return &CorruptError{Detail: fmt.Sprintf("%.40q is not %d numbers", line, len(out))}
		}
		out[i], line = n, rest
	}
	return nil
}

// eachLine cuts a text at a separator.
func eachLine(text string, sep string, use func(string) error) error {
	for line := range strings.SplitSeq(text, sep) {
		if line == "" {
			continue
		}
		if err := use(line); err != nil {
			return err
		}
	}
	return nil
}
