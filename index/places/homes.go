package places

import (
	"cmp"
	"math"
	"slices"

	"github.com/kith-photos/kith/index/geo"
)

// Home is where the account lived for a time.
type Home struct {
	Place    int32 // index into the places
	Center   geo.Point
	Radius   float64 // metres
	From, To int32   // days, both included: the first and the last visit of that time
}

// Homes are the times at homes of what [Frequent] found, by their first day.
// They may overlap: two households, a move with a month of both.
//
// A day's photos speak for a place by 1 if one was taken there from 19:00 to
// 9:00, by 1/2 on a weekend, and by 1/4 else. In each span of 30 days a place
// has the share of what all days speak for anywhere; a share of a quarter or
// less speaks against its being home. The homes are the sequence of places (or
// none) that is spoken for most, where each change costs as much as three
// clear months: a stay of less than half a year or so between two at
// the same home is no move, so that a cottage in summer is no home; a move is
// seen after three to four months. A second home is sought in the same way in
// what the first leaves. A home needs 10 days with a photo in the hours above,
// and a place that looks like work is none; where there are fewer, there is no
// home.
func Homes(places []Place) []Home {
	var out []Home
	for i, p := range places {
		for _, s := range p.Lived {
			out = append(out, Home{int32(i), p.Center, p.Radius, s.From, s.To})
		}
	}
	slices.SortStableFunc(out, func(a, b Home) int { return cmp.Compare(a.From, b.From) })
	return out
}

const (
	homeFrom, homeTo = 19 * 60, 9 * 60 // minutes of the day
	minNights        = 10
	monthDays        = 30
	// What a change of home costs. A month in which all speaks for one place
	// and nothing for another gives 1.1 at most.
	moveCost = 3.3

	// Of 15 days that fall anywhere in the week, 14 are weekdays once in 22 times.
	workDays = 15
)

// athome reports whether people are mostly at home in a minute of the day.
func athome(minute int16) bool { return minute >= 0 && minute < homeTo || minute >= homeFrom }

// weekend reports whether a day is a Saturday or a Sunday; 1970-01-01 was a Thursday.
func weekend(day int32) bool {
	w := (int64(day)%7 + 7) % 7
	return w == 2 || w == 3
}

func worklike(p *Place) bool {
	return p.Days >= workDays && p.Weekdays*10 >= p.Days*9 && p.Nights*5 <= p.Days
}

// speaks is by how much a day speaks for a place, in quarters.
func (g *ground) speaks(day int32, home bool) float64 {
	switch {
	case home:
		return 4
	case weekend(g.days[day]):
		return 2
	}
	return 1
}

// judge sets what the places are.
func (g *ground) judge(places []settled) {
	month := make([]int32, len(g.days)) // of each day, counting only those that have days
	var months []float64                // what all days of the month speak for
	last := int64(math.MinInt64)
	for i, day := range g.days {
		if m := floorDiv(int64(day), monthDays); m != last {
			months, last = append(months, 0), m
		}
		month[i] = int32(len(months) - 1)
		months[len(months)-1] += g.speaks(int32(i), g.allHome[i])
	}
	var able []int // places that may be home
	var says [][]float64
	for i := range places {
		p := &places[i]
		if worklike(&p.Place) {
			p.Kind = KindWork
		} else if p.Nights >= minNights {
			able = append(able, i)
			says = append(says, g.says(p, month, months))
		}
	}
	for range 2 { // a first and a second home
		path := moves(says, len(months))
		for from := 0; from < len(path); {
			to := from + 1
			for to < len(path) && path[to] == path[from] {
				to++
			}
			if k := path[from]; k >= 0 {
				g.lived(&places[able[k]], month, int32(from), int32(to-1))
				for m := from; m < to; m++ {
					says[k][m] = math.Inf(-1)
				}
			}
			from = to
		}
	}
}

// says is by how much each month speaks for a place's being home, from -0.5 to 0.6.
func (g *ground) says(p *settled, month []int32, months []float64) []float64 {
	out := make([]float64, len(months))
	for _, d := range p.days {
		out[month[d.day]] += g.speaks(d.day, d.home)
	}
	for m, all := range months {
		share := out[m] / all
		// Of a month with few days little is known: 8 quarters are two days.
		out[m] = (min(1, 2*share) - 0.5 + 0.1*share) * all / (all + 8)
	}
	return out
}

// moves is the sequence of places, -1 for none, that is spoken for most (the
// algorithm of Viterbi 1967 with one cost for all changes).
func moves(says [][]float64, months int) []int {
	if len(says) == 0 || months == 0 {
		return nil
	}
	none := len(says)
	sum := make([]float64, none+1)
	came := make([][]int32, months) // the state before
	for m := range months {
		best := 0
		for k := range sum {
			if sum[k] > sum[best] {
				best = k
			}
		}
		came[m] = make([]int32, none+1)
		next := make([]float64, none+1)
		for k := range sum {
			from := k
			if m > 0 && sum[best]-moveCost > sum[k] {
				from = best
			}
			came[m][k], next[k] = int32(from), sum[from]
			if from != k {
				next[k] -= moveCost
			}
			if k < none {
				next[k] += says[k][m]
			}
		}
		sum = next
	}
	at := none // none wins what is equal
	for k, s := range sum {
		if s > sum[at] {
			at = k
		}
	}
	path := make([]int, months)
	for m := months - 1; m >= 0; m-- {
		path[m] = at
		if at == none {
			path[m] = -1
		}
		at = int(came[m][at])
	}
	return path
}

// lived notes that a place was home from one month to another, if enough of it
// is seen.
func (g *ground) lived(p *settled, month []int32, from, to int32) {
	var s Span
	days, nights := 0, 0
	for _, d := range p.days {
		if month[d.day] < from || month[d.day] > to {
			continue
		}
		if s.To = g.days[d.day]; days == 0 {
			s.From = s.To
		}
		days++
		if d.home {
			nights++
		}
	}
	if nights < minNights {
		return
	}
	p.Kind = KindHome
	p.Lived = append(p.Lived, s)
	slices.SortFunc(p.Lived, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
