package nearby

import (
	"encoding/binary"

	"github.com/kith-photos/kith/index/geo"
)

// Two photos are near each other if they were taken at most Reach metres and
// Span microseconds apart. Near photos always share a spot, because each one
// is spread over half of both to every side: what lies in the middle between
// them is in a spot of each. Photos that share a spot were taken less than
// 400 m (the longest diagonal of a cell, 237 m, and Reach) and at most 30
// minutes (a slot and Span) apart.
const (
	Reach = 150.0
	Span  = 20 * minute

	level  = geo.Level16
	slot   = 10 * minute
	minute = int64(60 * 1_000_000)
	day    = 24 * 60 * minute
)

// Day is a day of UTC: days since 1970-01-01.
type Day int32

// DayOf is the day of an instant in microseconds since 1970 UTC, which has to
// be within five million years of it.
func DayOf(at int64) Day { return Day(floorDiv(at, day)) }

func (d Day) start() int64 { return int64(d) * day }

// Over reports whether the day is over, so that no photo that will be taken
// can be near one of it: Span after its end.
func (d Day) Over(now int64) bool { return now >= d.start()+day+Span }

// Window are the instants of the photos that have a spot in the day: from the
// first to the last, both of them included.
func (d Day) Window() (first, last int64) { return d.start() - Span/2, d.start() + day + Span/2 - 1 }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Seen is a photo whose instant and place are known. Those that are estimated
// should not be given: nobody may have been there then.
type Seen struct {
	At    int64 // microseconds since 1970 UTC
	Point geo.Point
	Key   string // the photo's, unique in the account
}

// spot is a cell in a slot of time, in slots since 1970 UTC.
type spot struct {
	cell geo.Cell
	slot int64
}

func (s spot) bytes() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(s.cell)), uint64(s.slot))
}

// spots are the spots of a day that photos touch, each with the photos that
// touch it, as indices into seen. Photos of other days and invalid points
// touch none.
func spots(d Day, seen []Seen) map[spot][]int {
	first, last := d.Window()
	begin := d.start() / slot
	out := make(map[spot][]int)
	for i, s := range seen {
		if s.At < first || s.At > last || !s.Point.Valid() {
			continue
		}
		from := max(floorDiv(s.At-Span/2, slot), begin)
		to := min(floorDiv(s.At+Span/2, slot), begin+day/slot-1)
		for _, c := range cells(s.Point) {
			for n := from; n <= to; n++ {
				out[spot{c, n}] = append(out[spot{c, n}], i)
			}
		}
	}
	return out
}

// cells are the cells that touch the disc of half of Reach around a point. The
// disc's radius is less than the width of any cell of the level (91 m at
// least), so that only the cells around the point's own can be among them.
func cells(p geo.Point) []geo.Cell {
	own := geo.CellOf(p, level)
	disc := geo.Circle{Center: p, Radius: Reach / 2}
	out := []geo.Cell{own}
	for _, c := range own.Around() {
		if disc.MayMeet(c) {
			out = append(out, c)
		}
	}
	return out
}
