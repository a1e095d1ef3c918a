package places

import (
	"cmp"
	"slices"

	"github.com/golang/geo/r3"

	"github.com/kith-photos/kith/index/geo"
)

// What makes a frequent place. Days count, not photos: a wedding is one day.
const (
	// disc is the radius in which days are counted. Positions taken at one
	// house scatter by some tens of metres.
	disc = 150.0
	// core is the radius in which half of those days must come.
	core = 80.0
	// reach is how far from the middle a photo still belongs to the place.
	reach = 200.0
	// A spot within skirt of one with skirtTimes as many days is taken for
	// its scatter: positions taken indoors are off by hundreds of metres now
	// and then.
	skirt      = 350.0
	skirtTimes = 10
	// minDays at least, of which minReturns are apart from one another by
	// returnAfter days or more: three weeks in one hotel are a trip.
	minDays     = 5
	minReturns  = 3
	returnAfter = 21
	// Positions that are less exact than this take no part.
	maxAccuracy = 200.0
)

// Visit is a photo with a position.
type Visit struct {
	Point    geo.Point
	Accuracy float64 // metres; 0: not known
	Day      int32
	Minute   int16 // of the wall clock's day, 0 to 1439; below 0: not known
}

// Kind is what a place looks like.
type Kind string

const (
	// KindHome was a home for a time, see Place.Lived and [Homes].
	KindHome Kind = "home"
	// KindWork looks like work, or like a school: 15 days or more, nine of ten
	// from Monday to Friday, and at most one of five with a photo from 19:00 to
	// 9:00. Where people work on other days it is not recognized.
	KindWork Kind = "work"
	// KindOther is any other: a cottage, grandmother's, the allotment, a beach.
	KindOther Kind = "frequent"
)

// Span is a time from one day to another, both included.
type Span struct{ From, To int32 }

// Place is a spot to which the account comes back.
type Place struct {
	Center      geo.Point // the mean of its spots, each weighing as many as its days
	Radius      float64   // metres from the centre within which 90 % of the shots are
	Shots, Days int
	Nights      int     // days with a shot in the evening, at night or in the morning
	Weekdays    int     // days from Monday to Friday
	Share       float64 // of the days from First to Last on which there is any visit
	First, Last int32   // days
	Kind        Kind
	Lived       []Span // when it was a home; empty if it never was
}

// Frequent finds the places to which an account comes back, and the place of
// each visit: an index into the places, or -1. The places with most days come
// first. The order of the visits changes nothing.
//
// Visits are gathered in spots of some 60 m (S2 cells of level 17); two spots of
// one place may lie in different cells of any level, so that no border cuts it.
// A place is a spot that
//
//   - is more in the middle of days (the sum of the days of the spots within
//     150 m, the nearer the more) than any other spot within 150 m: two homes in
//     one street are two places if they are more than that apart, and may be one
//     if less;
//   - stands out: half of the distinct days within 150 m come within 80 m, and
//     they are more than chance makes of the days in the town around;
//   - is not the scatter of a spot within 350 m that has ten times the days;
//   - has 5 days, of which 3 lie three weeks apart one after the other.
//
// It holds the visits of the spots within 200 m of it that are nearer to no
// other place. So places are spots and not areas: a walk, a town or a large park
// is none, or several. What is home is said at [Homes], what looks like work at
// [KindWork].
func Frequent(visits []Visit) (places []Place, of []int32) {
	of = make([]int32, len(visits))
	for i := range of {
		of[i] = -1
	}
	ground := survey(visits)
	ground.count()
	peaks := ground.peaks()
	members := ground.members(peaks)

	var kept []settled
	for _, spots := range members {
		if s, ok := ground.settle(visits, spots); ok {
			kept = append(kept, s)
		}
	}
	slices.SortFunc(kept, func(a, b settled) int {
		return cmp.Or(-cmp.Compare(a.Days, b.Days), -cmp.Compare(a.Shots, b.Shots),
			cmp.Compare(ground.spots[a.spots[0]].cell, ground.spots[b.spots[0]].cell))
	})
	ground.judge(kept)
	for i, s := range kept {
		places = append(places, s.Place)
		for _, spot := range s.spots {
			for _, at := range ground.at(spot) {
				of[at.visit] = int32(i)
			}
		}
	}
	return places, of
}

// settled is a place while it is being made out.
type settled struct {
	Place
	spots []int32    // ascending
	days  []presence // ascending
}

// presence is one day at a place.
type presence struct {
	day  int32 // index into ground.days
	home bool  // a shot in the hours in which people are at home
}

// settle makes a place of spots, or says that it is not frequent.
func (g *ground) settle(visits []Visit, spots []int32) (settled, bool) {
	s := settled{spots: spots}
	var sum r3.Vector
	home := map[int32]bool{}
	for _, spot := range spots {
		sp := &g.spots[spot]
		sum = sum.Add(sp.at.Mul(float64(sp.dayTo - sp.dayFrom)))
		for _, at := range g.at(spot) {
			s.Shots++
			if h := athome(visits[at.visit].Minute); h || !home[at.day] {
				home[at.day] = h
			}
		}
	}
	for day, h := range home {
		s.days = append(s.days, presence{day, h})
	}
	slices.SortFunc(s.days, func(a, b presence) int { return cmp.Compare(a.day, b.day) })
	s.Days = len(s.days)
	if s.Days < minDays || g.returns(s.days) < minReturns {
		return s, false
	}
	for _, p := range s.days {
		if p.home {
			s.Nights++
		}
		if !weekend(g.days[p.day]) {
			s.Weekdays++
		}
	}
	first, last := s.days[0].day, s.days[s.Days-1].day
	s.First, s.Last = g.days[first], g.days[last]
	s.Share = float64(s.Days) / float64(last-first+1)
	s.Kind = KindOther
	s.Center = pointOf(sum)
	s.Radius = g.radius(visits, &s)
	return s, true
}

// returns counts days that lie returnAfter apart, one after the other.
func (g *ground) returns(days []presence) int {
	n, last := 0, int64(0)
	for _, p := range days {
		if day := int64(g.days[p.day]); n == 0 || day >= last+returnAfter {
			n, last = n+1, day
		}
	}
	return n
}

// radius is the distance from the centre, in whole metres, that 90 % of the
// place's shots do not exceed.
func (g *ground) radius(visits []Visit, s *settled) float64 {
	var within [1024]int // by metres: no spot is further than reach, nor the mean
	center := vector(s.Center)
	for _, spot := range s.spots {
		for _, at := range g.at(spot) {
			d := arc(vector(visits[at.visit].Point).Sub(center).Norm())
			within[min(int(d), len(within)-1)]++
		}
	}
	n := 0
	for d, w := range within {
		if n += w; n*10 >= s.Shots*9 {
			return float64(d + 1)
		}
	}
	return float64(len(within)) // not reached
}
