package exif

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Years outside of these are a clock that was never set, or noise.
const (
	minYear = 1800
	maxYear = 2999
)

// maxOffset is a little above every zone in use, which are -12 h to +14 h.
const maxOffset = 15 * time.Hour

var errNoTimeOfDay = errors.New("a date without a time of day")

// stamp is a moment as one text gives it. The zero stamp is "unknown".
type stamp struct {
	wall   time.Time // location UTC, as in Time
	offset time.Duration
	zoned  bool
}

func (s stamp) time() Time {
	switch {
	case s.wall.IsZero():
		return Time{}
	case s.zoned:
		return Time{Wall: s.wall, Offset: s.offset, Zone: ZoneOffset}
	}
	return Time{Wall: s.wall, Zone: ZoneNone}
}

// parseStamp reads the text of a time: EXIF's "2011:05:01 12:00:00" (CIPA
// DC-008, DateTime), XMP's ISO 8601 form, and what software makes of them:
// other separators, numbers padded with spaces, no seconds, a fraction, a
// zone, 24:00:00, and anything that follows. Blank and all-zero texts are
// the standard's "unknown": a zero stamp without an error.
func parseStamp(text string) (stamp, error) {
	text, _, _ = strings.Cut(text, "\x00")
	if !strings.ContainsAny(text, "123456789") {
		return stamp{}, nil
	}
	bad := func(err error) (stamp, error) {
		return stamp{}, fmt.Errorf("time %.40q: %w", text, err)
	}
	c := cursor{rest: text}
	day, err := c.date()
	if err != nil {
		return bad(err)
	}
	if strings.Trim(c.rest, " \t\r\n") == "" {
		return bad(errNoTimeOfDay)
	}
	if !c.one(" ") && !c.one("T") && !c.one("t") {
		return bad(errors.New("no time after the date"))
	}
	clock, err := c.clock()
	if err != nil {
		return bad(err)
	}
	s := stamp{wall: day.Add(clock)}
	tail := strings.TrimSpace(c.rest)
	if len(tail) >= 2 && strings.ContainsRune("aApP", rune(tail[0])) && (tail[1]|0x20) == 'm' {
		return bad(errors.New("a 12-hour clock")) // dropping it could be 12 hours off
	}
	if d, known, err := parseOffset(tail); err == nil && known {
		s.offset, s.zoned = d, true
	}
	return s, nil
}

// parseDate reads the date of a text, as GPSDateStamp has it. Blank and
// all-zero ones are the zero time.
func parseDate(text string) (time.Time, error) {
	if !strings.ContainsAny(text, "123456789") {
		return time.Time{}, nil
	}
	c := cursor{rest: text}
	day, err := c.date()
	if err != nil {
		return time.Time{}, fmt.Errorf("date %.40q: %w", text, err)
	}
	return day, nil
}

// cursor reads a text from its start.
type cursor struct{ rest string }

// one takes the next byte where it is one of set.
func (c *cursor) one(set string) bool {
	if c.rest == "" || !strings.Contains(set, c.rest[:1]) {
		return false
	}
	c.rest = c.rest[1:]
	return true
}

// number reads a number of at most max digits, which spaces may pad, and says
// how many digits it has: 0 where there is none.
func (c *cursor) number(max int) (v, digits int) {
	for pad := 0; pad < max && c.one(" "); pad++ {
	}
	for digits < max && c.rest != "" && c.rest[0] >= '0' && c.rest[0] <= '9' {
		v = 10*v + int(c.rest[0]-'0')
		digits++
		c.rest = c.rest[1:]
	}
	return v, digits
}

func (c *cursor) date() (time.Time, error) {
	const sep = ":-/."
	year, ny := c.number(4)
	ok := ny == 4 && c.one(sep)
	month, nm := c.number(2)
	ok = ok && nm > 0 && c.one(sep)
	day, nd := c.number(2)
	if !ok || nd == 0 {
		return time.Time{}, errors.New("not a date")
	}
	if year < minYear || year > maxYear || month < 1 || month > 12 {
		return time.Time{}, errors.New("date out of range")
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if day < 1 || t.Day() != day { // Date turns 30 February into 1 or 2 March
		return time.Time{}, errors.New("date out of range")
	}
	return t, nil
}

// clock reads the time of day, which may be 24:00:00 and have a leap second.
func (c *cursor) clock() (time.Duration, error) {
	h, nh := c.number(2)
	if nh == 0 || !c.one(":") && !c.one(".") {
		return 0, errors.New("not a time of day")
	}
	m, nm := c.number(2)
	if nm == 0 {
		return 0, errors.New("not a time of day")
	}
	var s, ns int
	if c.one(":") || c.one(".") {
		s, ns = c.number(2)
	}
	if h > 24 || h == 24 && (m > 0 || s > 0) || m > 59 || s > 60 {
		return 0, errors.New("time of day out of range")
	}
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	if ns > 0 && len(c.rest) > 1 && (c.rest[0] == '.' || c.rest[0] == ',') {
		n := len(c.rest) - len(strings.TrimLeft(c.rest[1:], "0123456789"))
		if fraction, ok := parseFraction(c.rest[1:n]); ok {
			clock += fraction
		}
		c.rest = c.rest[n:]
	}
	return clock, nil
}

// parseFraction reads the digits behind the point of a second, as SubSecTime
// has them: "5" is half a second. Digits after the ninth are dropped.
func parseFraction(text string) (time.Duration, bool) {
	text, _, _ = strings.Cut(text, "\x00")
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	ns, unit := time.Duration(0), 100*time.Millisecond
	for _, digit := range []byte(text[:min(len(text), 9)]) {
		ns += time.Duration(digit-'0') * unit
		unit /= 10
	}
	return ns, true
}

// parseOffset reads a zone's difference to UTC: "+02:00", "-0330", "+02",
// "Z". Blank texts, as in "   :  ", are unknown without an error.
func parseOffset(text string) (d time.Duration, known bool, err error) {
	text, _, _ = strings.Cut(text, "\x00")
	text = strings.TrimSpace(text)
	if strings.Trim(text, " :") == "" {
		return 0, false, nil
	}
	if text == "Z" || text == "z" {
		return 0, true, nil
	}
	bad := fmt.Errorf("zone %.40q", text)
	c := cursor{rest: text[1:]}
	h, nh := c.number(2)
	colon := c.one(":")
	m, nm := c.number(2)
	if text[0] != '+' && text[0] != '-' || strings.Contains(text, " ") || nh == 0 || c.rest != "" ||
		nm == 1 || nm == 0 && colon || m > 59 {
		return 0, false, bad
	}
	d = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if d > maxOffset {
		return 0, false, bad
	}
	if text[0] == '-' {
		d = -d
	}
	return d, true, nil
}
