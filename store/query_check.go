package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kith-photos/kith/exif"
)

// ErrCursor: the cursor is none, or is one of another query or account.
var ErrCursor = errors.New("not a cursor of this query")

// QueryError reports what a query asks that makes no sense.
type QueryError struct {
	Field string // of the query
	Why   string
}

func (e *QueryError) Error() string { return fmt.Sprintf("query: %s: %s", e.Field, e.Why) }

func (q *Query) check() error {
	bad := func(field, why string, args ...any) error {
		return &QueryError{Field: field, Why: fmt.Sprintf(why, args...)}
	}
	for _, s := range q.Wall {
		if err := s.check("Wall", wallMicros); err != nil {
			return err
		}
	}
	for _, s := range q.Instants {
		if err := s.check("Instants", micros); err != nil {
			return err
		}
	}
	for _, m := range q.Months {
		if m < time.January || m > time.December {
			return bad("Months", "%d is no month", int(m))
		}
	}
	for _, d := range q.Weekdays {
		if d < time.Sunday || d > time.Saturday {
			return bad("Weekdays", "%d is no day of the week", int(d))
		}
	}
	for _, d := range q.Dates {
		// 2000 was a leap year.
		if t := time.Date(2000, d.Month, d.Day, 0, 0, 0, 0, time.UTC); t.Month() != d.Month || t.Day() != d.Day {
			return bad("Dates", "%d-%d is no day of the year", int(d.Month), d.Day)
		}
	}
	for _, c := range q.Cameras {
		if c == (exif.Camera{}) {
			return bad("Cameras", "one says nothing")
		}
	}
	for _, c := range q.Countries {
		if err := checkCountry("Countries", c); err != nil {
			return err
		}
	}
	switch {
	case q.Limit < 0:
		return bad("Limit", "it is %d", q.Limit)
	case q.Order != NewestFirst && q.Order != OldestFirst:
		return bad("Order", "%d is none", q.Order)
	case q.Time < Either || q.Time > Without:
		return bad("Time", "%d is unknown", q.Time)
	case q.Faces < Either || q.Faces > Without:
		return bad("Faces", "%d is unknown", q.Faces)
	case q.Position < AnyPosition || q.Position > NoPosition:
		return bad("Position", "%d is unknown", q.Position)
	case q.Vanished < LeaveOut || q.Vanished > Only:
		return bad("Vanished", "%d is unknown", q.Vanished)
	}
	for f := range q.Facets {
		if _, ok := facetColumns[f]; !ok && f != ByPerson {
			return bad("Facets", "%q is none", string(f))
		}
	}
	return nil
}

func checkCountry(field, c string) error {
	if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return &QueryError{Field: field, Why: fmt.Sprintf("%q is no code of two capital letters", c)}
	}
	return nil
}

func (s Span) check(field string, read func(time.Time) int64) error {
	if s.From.IsZero() && s.To.IsZero() {
		return &QueryError{Field: field, Why: "a span has neither beginning nor end"}
	}
	if !s.From.IsZero() && !s.To.IsZero() && read(s.From) >= read(s.To) {
		return &QueryError{Field: field, Why: "a span ends before it begins, or is empty"}
	}
	return nil
}

// wallMicros is what shots.wall is where the clock shows what t shows.
func wallMicros(t time.Time) int64 {
	y, m, d := t.Date()
	return micros(time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
}

// position is a photo's place in an order.
type position struct{ at, photo int64 }

// mark tells queries and accounts apart, by all that decides which photos are
// found and in which order.
func (db *DB) mark(q Query) [8]byte {
	q.Limit, q.After, q.Facets = 0, "", nil
	rest := ""
	if q.Region != nil {
		b, err := json.Marshal(q.Region)
		rest = fmt.Sprintf("%T %s %t", q.Region, b, err != nil)
	}
	q.Region = nil
	// JSON refuses years above 9999, and a time has more in it than counts.
	for _, s := range q.Wall {
		rest += fmt.Sprint(" wall ", s.From.IsZero(), wallMicros(s.From), s.To.IsZero(), wallMicros(s.To))
	}
	for _, s := range q.Instants {
		rest += fmt.Sprint(" instant ", s.From.IsZero(), micros(s.From), s.To.IsZero(), micros(s.To))
	}
	q.Wall, q.Instants = nil, nil
	b, _ := json.Marshal(q) // nothing is left that it could refuse
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", db.account, rest, b))
	return [8]byte(sum[:8])
}

const cursorSize = 1 + 8 + 8 + 8 // version, mark, at, photo

// cursor names the place behind which the next page begins. A photo's row is
// in it and nothing that could be read elsewhere: a row's number says nothing
// outside of the account.
func (db *DB) cursor(q Query, p position) Cursor {
	mark := db.mark(q)
	b := append([]byte{1}, mark[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(p.at))
	b = binary.BigEndian.AppendUint64(b, uint64(p.photo))
	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// after reads the query's cursor; nil: there is none.
func (db *DB) after(q Query) (*position, error) {
	if q.After == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(q.After))
	if err != nil || len(b) != cursorSize || b[0] != 1 || [8]byte(b[1:9]) != db.mark(q) {
		return nil, ErrCursor
	}
	return &position{at: int64(binary.BigEndian.Uint64(b[9:])), photo: int64(binary.BigEndian.Uint64(b[17:]))}, nil
}

// jsonList makes values the argument of json_each.
func jsonList[T any](values []T) string {
	b, err := json.Marshal(values)
	if err != nil || values == nil { // strings and numbers do not fail
		return "[]"
	}
	return string(b)
}

// matches reports whether a camera has all that the pattern says.
func matches(pattern, c exif.Camera) bool {
	same := func(want, have string) bool { return want == "" || strings.EqualFold(want, have) }
	return same(pattern.Make, c.Make) && same(pattern.Model, c.Model) && same(pattern.Serial, c.Serial)
}
