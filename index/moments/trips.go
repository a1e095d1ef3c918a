package moments

import (
	"cmp"
	"math"
	"slices"

	"github.com/kith-photos/kith/index/geo"
)

// What is away. People call fifty kilometres with a night between a trip; a
// home known only roughly needs more.
const (
	awayFrom   = 50_000.0 // metres from every home
	awayRadii  = 10       // and so many times the home's radius
	homeWithin = 5_000.0  // metres: around home, where nobody is in transit
	night      = 9 * 3600 // seconds: shortest from a first shot to a last with a night between
	transit    = 24 * 3600
	quiet      = 4 * 24 * 3600 // seconds without a shot from away after which one was home again
	farQuiet   = 6 * 24 * 3600 // the same, where it is further than
	veryFar    = 500_000.0     // metres
)

// whereabouts is where a moment was.
type whereabouts byte

const (
	unknown whereabouts = iota // no position, or no home at that time
	home
	around // neither home nor away
	away
)

// traveller finds the trips: a trip is a run of moments of one camera, that
// is of one person, that are away and have none at home between them. So one
// parent's trip is found while the other is at home. Runs of several cameras
// that share a moment, or that are at one place at one time, are one trip.
// Instants count, no wall clocks: a flight over the date line parts nothing.
type traveller struct {
	shots   []Shot
	moments []Moment
	where   []whereabouts
	far     []float64 // metres from the nearest home
	runs    []run
}

// run is what one camera has of a trip.
type run struct {
	moments []int32 // by time
	end     int64
	center  geo.Point // of those away
	far     float64   // metres from home, at most
}

func trips(shots []Shot, homes []Home, t Timeline) []Trip {
	if len(homes) == 0 {
		return nil
	}
	v := &traveller{shots: shots, moments: t.Moments}
	v.locate(homes)
	if !slices.Contains(v.where, away) {
		return nil
	}
	for _, of := range v.byCamera(true) {
		v.follow(of)
	}
	return v.trips(t.Days)
}

func (v *traveller) locate(homes []Home) {
	v.where, v.far = make([]whereabouts, len(v.moments)), make([]float64, len(v.moments))
	for k := range v.moments {
		m := &v.moments[k]
		if m.Center == nil || m.Coarse {
			continue
		}
		v.far[k] = math.Inf(1)
		isHome, isAway, any := false, true, false
		for _, h := range homes {
			if m.Day < h.From || m.Day > h.To {
				continue
			}
			d := distance(h.Point, *m.Center)
			any = true
			v.far[k] = min(v.far[k], d)
			isHome = isHome || d <= max(homeWithin, 2*h.Radius)
			isAway = isAway && d > max(awayFrom, awayRadii*h.Radius)
		}
		switch {
		case !any:
		case isHome:
			v.where[k] = home
		case isAway:
			v.where[k] = away
		default:
			v.where[k] = around
		}
	}
}

// byCamera are the moments of each camera by time; the unknown ones are one.
// If asked for, moments with a place are only of the cameras that tell it.
func (v *traveller) byCamera(telling bool) [][]int32 {
	index := map[int32]int{}
	var out [][]int32
	for k := range v.moments {
		m := &v.moments[k]
		if m.Coarse {
			continue
		}
		last := int32(-2)
		for _, i := range m.Shots {
			s := &v.shots[i]
			if s.Camera == last || telling && m.Center != nil && !s.HasPoint {
				continue
			}
			last = s.Camera
			at, ok := index[last]
			if !ok {
				at = len(out)
				index[last] = at
				out = append(out, nil)
			}
			if of := out[at]; len(of) == 0 || of[len(of)-1] != int32(k) {
				out[at] = append(of, int32(k))
			}
		}
	}
	return out
}

// follow finds the runs of a camera.
func (v *traveller) follow(of []int32) {
	first, last := -1, -1 // of the run, in of
	end := func() {
		if first >= 0 && v.overnight(of[first], of[last]) {
			v.runs = append(v.runs, v.run(of[v.leaving(of, first):v.coming(of, last)+1]))
		}
		first = -1
	}
	for k, m := range of {
		switch v.where[m] {
		case home, around:
			end()
		case away:
			if first >= 0 {
				pause := float64(quiet)
				if min(v.far[m], v.far[of[last]]) > veryFar {
					pause = farQuiet
				}
				if seconds(v.moments[of[last]].End, v.moments[m].Start) > pause {
					end()
				}
			}
			if first < 0 {
				first = k
			}
			last = k
		}
	}
	end()
}

// overnight reports whether there is a night from the start of one moment to
// the end of another.
func (v *traveller) overnight(first, last int32) bool {
	a, b := &v.moments[first], &v.moments[last]
	return seconds(a.Start, b.End) >= night && v.shots[b.Shots[len(b.Shots)-1]].Day != a.Day
}

// leaving is the first moment of the way there, before the first one away: no
// more than a day earlier, not at home, and without a position only on the
// same day or between others of the way.
func (v *traveller) leaving(of []int32, first int) int {
	a, out := &v.moments[of[first]], first
	for k := first - 1; k >= 0; k-- {
		m := &v.moments[of[k]]
		if w := v.where[of[k]]; w == home || w == away || seconds(m.Start, a.Start) > transit {
			break
		} else if w == around || m.Day == a.Day {
			out = k
		}
	}
	return out
}

// coming is the last moment of the way back, as leaving is of the way there.
func (v *traveller) coming(of []int32, last int) int {
	a, out := &v.moments[of[last]], last
	for k := last + 1; k < len(of); k++ {
		m := &v.moments[of[k]]
		if w := v.where[of[k]]; w == home || w == away || seconds(a.End, m.End) > transit {
			break
		} else if w == around || m.Day == a.Day {
			out = k
		}
	}
	return out
}

func (v *traveller) run(of []int32) run {
	r := run{moments: of}
	var centers []geo.Point
	for _, m := range of {
		r.end = max(r.end, v.moments[m].End)
		if v.where[m] == away {
			centers = append(centers, *v.moments[m].Center)
			r.far = max(r.far, v.far[m])
		}
	}
	r.center = geo.Centroid(centers)
	return r
}

// company reports whether two runs that overlap in time are at one place: much
// nearer to each other than to home.
func (r *run) company(o *run) bool {
	return distance(r.center, o.center) < min(r.far, o.far)/2
}

// join tells the run that each moment is of, -1: none. Runs that are one trip
// give it the first one's number. A moment of two trips, the way of both, is
// of the first.
func (v *traveller) join() []int {
	slices.SortFunc(v.runs, func(a, b run) int {
		return cmp.Or(cmp.Compare(a.moments[0], b.moments[0]), slices.Compare(a.moments, b.moments))
	})
	parent := make([]int, len(v.runs))
	root := func(r int) int {
		for parent[r] != r {
			parent[r] = parent[parent[r]]
			r = parent[r]
		}
		return r
	}
	unite := func(a, b int) {
		a, b = root(a), root(b)
		parent[max(a, b)] = min(a, b)
	}
	owner := make([]int, len(v.moments))
	for m := range owner {
		owner[m] = -1
	}
	var going []int // runs that have not ended
	for r := range v.runs {
		parent[r] = r
		start := v.moments[v.runs[r].moments[0]].Start
		going = slices.DeleteFunc(going, func(o int) bool { return v.runs[o].end < start })
		for _, o := range going {
			if v.runs[o].company(&v.runs[r]) {
				unite(o, r)
			}
		}
		if going = append(going, r); len(going) > most {
			going = going[1:]
		}
		for _, m := range v.runs[r].moments {
			switch o := owner[m]; {
			case o < 0:
				owner[m] = r
			case v.where[m] == away:
				unite(o, r)
			}
		}
	}
	for m, o := range owner {
		if o >= 0 {
			owner[m] = root(o)
		}
	}
	return owner
}

// fill gives a trip the moments without a place that a camera has between two
// of that trip: a camera that tells no places goes on trips too.
func (v *traveller) fill(owner []int) {
	for _, of := range v.byCamera(false) {
		for k := 1; k < len(of); k++ {
			o := owner[of[k-1]]
			if o < 0 || owner[of[k]] >= 0 {
				continue
			}
			end := k
			for end < len(of) && owner[of[end]] < 0 && v.where[of[end]] == unknown {
				end++
			}
			if end < len(of) && owner[of[end]] == o {
				for _, m := range of[k:end] {
					owner[m] = o
				}
			}
			k = end
		}
	}
}

func (v *traveller) trips(all []Day) []Trip {
	owner := v.join()
	v.fill(owner)
	of := make([][]int32, len(v.runs))
	for m, o := range owner {
		if o >= 0 {
			of[o] = append(of[o], int32(m))
		}
	}
	var out []Trip
	for _, moments := range of {
		if len(moments) > 0 {
			out = append(out, v.trip(moments, all))
		}
	}
	slices.SortStableFunc(out, func(a, b Trip) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// trip makes a trip of its moments, by time.
func (v *traveller) trip(of []int32, all []Day) Trip {
	t := Trip{Moments: of, First: math.MaxInt32, Last: math.MinInt32, Start: v.moments[of[0]].Start}
	var centers []geo.Point
	var on []int32
	t.End = t.Start
	for _, k := range of {
		m := &v.moments[k]
		t.First, t.Last, t.End = min(t.First, m.Day), max(t.Last, m.Day), max(t.End, m.End)
		if v.where[k] == away {
			centers = append(centers, *m.Center)
			t.Farthest = max(t.Farthest, v.far[k])
		}
		on = append(on, m.Day)
	}
	slices.Sort(on)
	for _, d := range slices.Compact(on) {
		k, _ := slices.BinarySearchFunc(all, d, func(x Day, d int32) int { return cmp.Compare(x.Day, d) })
		t.Days = append(t.Days, int32(k))
	}
	t.Center = geo.Centroid(centers)
	t.Cover = coverOf(v.shots, v.moments, of)
	return t
}
