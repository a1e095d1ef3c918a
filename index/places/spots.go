package places

import (
	"cmp"
	"math"
	"slices"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"

	"github.com/kith-photos/kith/index/geo"
)

// Levels of S2 cells. A cell and those around it hold all that is within one
// cell's least width of a point in it (s2.MinWidthMetric): 183 m at level 15,
// 366 m at level 14.
const (
	spotLevel = 17 // 46 m wide at least, 78 m long at most
	discLevel = 15 // for what is within disc
	wideLevel = 14 // for what is within reach or skirt
)

// ground is what visits say of the ground: spots, and who was there on which days.
type ground struct {
	days    []int32 // the distinct days of all visits, ascending
	visits  []visited
	spots   []spot // ascending by cell
	spotDay []int32
	allHome []bool // for each of days: a visit in the hours of home, anywhere
}

// visited is a visit that takes part.
type visited struct {
	cell  geo.Cell
	day   int32 // index into days
	visit int32 // index into the input
}

// spot is a cell with visits.
type spot struct {
	cell           geo.Cell
	at             r3.Vector // unit: the mean of its visits
	from, to       int32     // its visits
	dayFrom, dayTo int32     // its distinct days, in spotDay
	near           int32     // distinct days within disc
	weight         float64   // days within disc, the nearer the more
}

func (g *ground) at(spot int32) []visited { return g.visits[g.spots[spot].from:g.spots[spot].to] }

// survey gathers visits in spots.
func survey(visits []Visit) *ground {
	g := &ground{visits: make([]visited, 0, len(visits)), days: make([]int32, 0, len(visits))}
	for i, v := range visits {
		if v.Point.Valid() && !(v.Accuracy > maxAccuracy) {
			g.visits = append(g.visits, visited{geo.CellOf(v.Point, spotLevel), v.Day, int32(i)})
			g.days = append(g.days, v.Day)
		}
	}
	slices.Sort(g.days)
	g.days = slices.Compact(g.days)
	g.allHome = make([]bool, len(g.days))
	for i := range g.visits {
		v := &g.visits[i]
		day, _ := slices.BinarySearch(g.days, v.day)
		v.day = int32(day)
		if athome(visits[v.visit].Minute) {
			g.allHome[day] = true
		}
	}
	slices.SortFunc(g.visits, func(a, b visited) int {
		if a.cell != b.cell {
			return cmp.Compare(a.cell, b.cell)
		}
		return cmp.Compare(a.day, b.day)
	})
	for from := 0; from < len(g.visits); {
		to := from
		// Whole numbers, so that the order of the visits is not in the sum.
		var x, y, z int64
		dayFrom := len(g.spotDay)
		for ; to < len(g.visits) && g.visits[to].cell == g.visits[from].cell; to++ {
			v := vector(visits[g.visits[to].visit].Point)
			x, y, z = x+fixed(v.X), y+fixed(v.Y), z+fixed(v.Z)
			if to == from || g.visits[to].day != g.visits[to-1].day {
				g.spotDay = append(g.spotDay, g.visits[to].day)
			}
		}
		at := r3.Vector{X: float64(x), Y: float64(y), Z: float64(z)}.Normalize()
		g.spots = append(g.spots, spot{cell: g.visits[from].cell, at: at, from: int32(from), to: int32(to),
			dayFrom: int32(dayFrom), dayTo: int32(len(g.spotDay))})
		from = to
	}
	return g
}

// fixed is a coordinate of a unit vector in units of 2^-31, which are 3 mm.
// 2^31 of them can be added.
func fixed(c float64) int64 { return int64(math.RoundToEven(c * (1 << 31))) }

// count finds how many distinct days each spot has around it.
func (g *ground) count() {
	seen := make([]int32, len(g.days)) // the spot that counted the day last, plus one
	const limit = (disc / geo.Radius) * (disc / geo.Radius)
	g.neighbourhoods(discLevel, func(here []int32, around func() []int32) {
		near := around()
		for _, i := range here {
			s := &g.spots[i]
			for _, j := range near {
				o := &g.spots[j]
				d2 := s.at.Sub(o.at).Norm2()
				if d2 > limit {
					continue
				}
				s.weight += float64(o.dayTo-o.dayFrom) * (1 - d2/limit)
				for _, day := range g.spotDay[o.dayFrom:o.dayTo] {
					if seen[day] != i+1 {
						seen[day] = i + 1
						s.near++
					}
				}
			}
		}
	})
}

// better is which of two spots is more in the middle of days. The plain number
// of days in the disc would not do: a spot beside a home has all of the home's
// days within its disc, and one or two of its own.
func (g *ground) better(i, j int32) bool {
	a, b := &g.spots[i], &g.spots[j]
	return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(b.cell, a.cell)) > 0
}

// peaks are the spots that are the best within disc and stand out, without the
// scatter of far better ones.
func (g *ground) peaks() []int32 {
	top := make([]bool, len(g.spots))
	const limit = (disc / geo.Radius) * (disc / geo.Radius)
	g.neighbourhoods(discLevel, func(here []int32, around func() []int32) {
		near := around()
		for _, i := range here {
			top[i] = g.spots[i].near >= minDays && !slices.ContainsFunc(near, func(j int32) bool {
				return g.spots[i].at.Sub(g.spots[j].at).Norm2() <= limit && g.better(j, i)
			})
		}
	})
	var tops []int32
	g.neighbourhoods(wideLevel, func(here []int32, around func() []int32) {
		here = slices.DeleteFunc(slices.Clone(here), func(i int32) bool { return !top[i] })
		if len(here) == 0 {
			return
		}
		near := around()
		for _, i := range here {
			if g.standsOut(i, near) {
				tops = append(tops, i)
			}
		}
	})
	near := g.byCell(tops, wideLevel)
	return slices.DeleteFunc(tops, func(i int32) bool {
		return slices.ContainsFunc(near(g.spots[i].cell), func(j int32) bool {
			return g.spots[j].near >= skirtTimes*g.spots[i].near && g.metres(i, j) <= skirt
		})
	})
}

// standsOut tells a place from a town that is photographed all over, each day
// somewhere else, where any disc gathers days with the years. Half of the days
// in the disc must come within core; and they must be more than chance makes of
// the days around. Those are counted in eight sectors of the ring from disc to
// skirt: the fifth of them, in ascending order, is the town, also where another
// place lies in two or three of the others. A disc has its days in proportion to
// the area, and by chance (Poisson's) hardly ever four standard deviations more.
func (g *ground) standsOut(i int32, around []int32) bool {
	const sectors = 8
	const share = disc * disc / ((skirt*skirt - disc*disc) / sectors)
	s := &g.spots[i]
	east := s.at.Ortho() // or any other way: sectors begin somewhere
	north := s.at.Cross(east)
	var inner []int32
	var outer [sectors][]int32
	for _, j := range around {
		o := &g.spots[j]
		switch d := g.metres(i, j); {
		case d <= core:
			inner = append(inner, g.spotDay[o.dayFrom:o.dayTo]...)
		case d > disc && d <= skirt:
			turn := math.Atan2(o.at.Dot(north), o.at.Dot(east))/(2*math.Pi) + 0.5
			n := min(int(turn*sectors), sectors-1)
			outer[n] = append(outer[n], g.spotDay[o.dayFrom:o.dayTo]...)
		}
	}
	var days [sectors]int
	for n := range outer {
		days[n] = distinct(outer[n])
	}
	slices.Sort(days[:])
	town := share * float64(days[sectors/2])
	return 2*distinct(inner) >= int(s.near) && float64(s.near) >= town+4*math.Sqrt(town)
}

func distinct(days []int32) int {
	slices.Sort(days)
	return len(slices.Compact(days))
}

func (g *ground) metres(i, j int32) float64 { return arc(g.spots[i].at.Sub(g.spots[j].at).Norm()) }

// members gives each spot to the nearest peak within reach.
func (g *ground) members(peaks []int32) [][]int32 {
	number := make(map[int32]int, len(peaks))
	for n, p := range peaks {
		number[p] = n
	}
	out := make([][]int32, len(peaks))
	near := g.byCell(peaks, wideLevel)
	for i := range g.spots {
		best, least := int32(-1), math.Inf(1)
		for _, p := range near(g.spots[i].cell) {
			if d := g.metres(int32(i), p); d <= reach && (d < least || d == least && g.better(p, best)) {
				best, least = p, d
			}
		}
		if best >= 0 {
			out[number[best]] = append(out[number[best]], int32(i))
		}
	}
	return out
}

// neighbourhoods calls do for each cell of a level that has spots, with them,
// and with what finds them and those of the cells around it: valid until its
// next call, and always in one order, in which sums of floats come out the same.
func (g *ground) neighbourhoods(level int, do func(here []int32, around func() []int32)) {
	up := func(i int) geo.Cell { return parent(g.spots[i].cell, level) }
	type span struct{ from, to int32 }
	cells := map[geo.Cell]span{}
	for from := 0; from < len(g.spots); {
		to := from + 1
		for to < len(g.spots) && up(to) == up(from) {
			to++ // spots of one cell follow each other on S2's curve
		}
		cells[up(from)] = span{int32(from), int32(to)}
		from = to
	}
	var here, near []int32
	for from := 0; from < len(g.spots); from += len(here) {
		cell := up(from)
		here = here[:0]
		for i := cells[cell].from; i < cells[cell].to; i++ {
			here = append(here, i)
		}
		do(here, func() []int32 {
			near = append(near[:0], here...)
			for _, c := range cell.Around() {
				for i := cells[c].from; i < cells[c].to; i++ {
					near = append(near, i)
				}
			}
			return near
		})
	}
}

// byCell finds those of some spots that are in the cell of a level in which a
// cell lies, or around it.
func (g *ground) byCell(spots []int32, level int) func(geo.Cell) []int32 {
	cells := map[geo.Cell][]int32{}
	for _, i := range spots {
		c := parent(g.spots[i].cell, level)
		cells[c] = append(cells[c], i)
	}
	var last geo.Cell
	var found []int32
	return func(c geo.Cell) []int32 {
		if c = parent(c, level); c != last {
			last, found = c, append(found[:0], cells[c]...)
			for _, n := range c.Around() {
				found = append(found, cells[n]...)
			}
		}
		return found
	}
}

func parent(c geo.Cell, level int) geo.Cell { return geo.Cell(s2.CellID(c).Parent(level)) }
