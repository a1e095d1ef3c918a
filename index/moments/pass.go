package moments

import (
	"math"
	"slices"

	"github.com/kith-photos/kith/index/geo"
)

// The limits are round numbers, set on albums that no figure is of. There, of
// the mean F of 0.96, half or twice of any one costs at most 0.011, and of
// floor 0.022. What the parts are worth in it: places 0.09 (that another one
// parts 0.065, that one place holds 0.022), following a camera 0.013, speeds
// 0.008, borrowed positions 0.004, and the rhythm next to nothing: what floor
// and top allow for is nearly all that it could say of those albums.
const (
	rhythm   = 9       // the limit is so many times the geometric mean of the gaps
	usual    = 300     // seconds: the mean that a moment begins with
	belief   = 4       // shots that this is worth
	memory   = 12      // shots that the mean is of
	shortest = 60      // seconds: what is shorter is one thing shot twice
	floor    = 50 * 60 // seconds: the limit is at least that
	top      = 7200    // seconds: and at most that, at no known place
	stays    = 3       // times as much may pass at one place
	athome   = 1.5     // and at home
	ceiling  = float64(Horizon / 1e9)

	near   = 400.0    // metres: one place, with the errors of positions
	walk   = 1.0      // metres a second: how fast one moves within a moment
	walks  = 15 * 60  // seconds of walking that count, of a gap
	far    = 1000.0   // metres beyond that: another place
	lent   = 2 * 60   // seconds for which the camera's position before or after is a shot's own
	hint   = 30 * 60  // and for which it still rules places out
	drive  = 30.0     // metres a second: no further off than that
	flight = 70.0     // metres a second: a camera's position faster than that is an error,
	astray = 20_000.0 // metres: unless it is that far off
	recent = 25 * 60  // seconds for which a shot without position follows its camera
	here   = 1.0      // the bonus for being at the place, against a moment of no known place
	follow = 4.0      // the bonus for it, in logarithms of gaps: 4 is 55 times
	most   = 24       // moments open at once; the one that is quiet for longest is closed
	homely = near / 2 // metres around a home's radius that are home too
	degree = geo.Radius * math.Pi / 180
)

// track is what a camera did in an open moment.
type track struct {
	camera int32
	has    bool
	last   int64 // its last shot
	at     int64 // its last shot with a position, if has
	point  geo.Point
}

// open is a moment that may still get shots.
type open struct {
	id     int32
	last   int64   // its last shot
	mean   float64 // of logarithms of gaps, in seconds
	n      float64
	has    bool // the rest is of its last shot with a position
	home   bool
	at     int64
	point  geo.Point
	speed  float64
	tracks []track
}

// pass is the one pass over shots by time.
type pass struct {
	shots      []Shot
	homes      []Home
	of         []int32
	moments    int32
	live, free []*open
	bursts     map[int32]int32
	coarse     map[int32]int32 // by day
	ways
}

func newPass(shots []Shot, homes []Home, order []int32) *pass {
	return &pass{
		shots: shots, homes: homes, of: make([]int32, len(shots)),
		bursts: map[int32]int32{}, coarse: map[int32]int32{}, ways: waysOf(shots, order),
	}
}

func seconds(from, to int64) float64 { return float64(to-from) / 1e6 }

// place finds the moment of a shot.
func (p *pass) place(i int32) {
	s := &p.shots[i]
	if s.Coarse {
		m, ok := p.coarse[s.Day]
		if !ok {
			m = p.moments
			p.moments++
			p.coarse[s.Day] = m
		}
		p.of[i] = m
		return
	}
	p.close(s.At)
	home := s.HasPoint && p.atHome(s)
	var o *open
	if s.Burst >= 0 {
		if id, ok := p.bursts[s.Burst]; ok {
			at := slices.IndexFunc(p.live, func(o *open) bool { return o.id == id })
			if p.of[i] = id; at < 0 {
				return
			}
			o = p.live[at]
		}
	}
	if o == nil {
		o = p.best(i, home)
	}
	if o == nil {
		o = p.begin(s.At)
	} else {
		gap := math.Log(max(seconds(o.last, s.At), shortest))
		o.n = min(o.n+1, memory)
		o.mean += (gap - o.mean) / o.n
	}
	if s.Burst >= 0 {
		p.bursts[s.Burst] = o.id
	}
	p.of[i] = o.id
	o.take(s, home, p.speed[i])
}

// close closes the moments that ended too long ago.
func (p *pass) close(now int64) {
	keep := p.live[:0]
	for _, o := range p.live {
		if now-o.last > Horizon.Microseconds() {
			p.free = append(p.free, o)
		} else {
			keep = append(keep, o)
		}
	}
	p.live = keep
}

func (p *pass) begin(now int64) *open {
	if len(p.live) == most {
		quiet := 0
		for k, o := range p.live {
			if o.last < p.live[quiet].last {
				quiet = k
			}
		}
		p.free = append(p.free, p.live[quiet])
		p.live = slices.Delete(p.live, quiet, quiet+1)
	}
	o := &open{}
	if n := len(p.free); n > 0 {
		o, p.free = p.free[n-1], p.free[:n-1]
	}
	*o = open{id: p.moments, last: now, mean: math.Log(usual), n: belief, tracks: o.tracks[:0]}
	p.moments++
	p.live = append(p.live, o)
	return o
}

// best is the open moment that a shot fits best, of equals the oldest; nil:
// it fits none. One that it fits in place comes before one where its position
// must be an error.
func (p *pass) best(i int32, home bool) *open {
	var best *open
	var least fit
	near := p.nearest(i)
	for _, o := range p.live {
		if c := p.fit(o, i, near, home); c.cost <= 0 && (best == nil || c.before(least)) {
			best, least = o, c
		}
	}
	return best
}

// fit is how well a shot fits a moment.
type fit struct {
	cost float64 // logarithm of the gap by the limit, up to 0 it fits, less a bonus
	lost bool    // only if its position is an error
}

func (f fit) before(g fit) bool { return f.lost == g.lost && f.cost < g.cost || !f.lost && g.lost }

// fit holds a shot against an open moment. j is the camera's nearest shot with
// a position, by which a shot without one is placed.
func (p *pass) fit(o *open, i, j int32, home bool) fit {
	s := &p.shots[i]
	limit := min(max(rhythm*math.Exp(o.mean), floor), top)
	t := o.track(s.Camera)
	bonus := 0.0
	point, known := s.Point, s.HasPoint
	if !known {
		if t != nil && seconds(t.last, s.At) < recent {
			bonus = follow
		}
		if j >= 0 {
			q := &p.shots[j]
			away := math.Abs(seconds(q.At, s.At))
			if o.has && distance(q.Point, o.point) > drive*(away+math.Abs(seconds(q.At, o.at)))+far {
				return fit{cost: math.Inf(1)}
			}
			point, known = q.Point, away < lent
		}
	}
	lost := impossible(t, s)
	if known && o.has && !lost {
		d, gap := distance(o.point, point), seconds(o.at, s.At)
		switch {
		case d < near && home && o.home:
			limit *= athome
			bonus += here
		case d < near:
			limit *= stays
			bonus += here
		case d-max(walk*min(gap, walks), 1.5*min(p.speed[i], o.speed)*gap) > far:
			return fit{cost: math.Inf(1)}
		}
	}
	c := math.Log(max(seconds(o.last, s.At), 1) / min(limit, ceiling))
	if c > 0 {
		return fit{cost: c}
	}
	return fit{c - bonus, lost}
}

// impossible reports whether a shot's position is one that its camera cannot
// have reached since its last one in the moment. If it is further off than
// errors are, there are two cameras of one name.
func impossible(t *track, s *Shot) bool {
	if !s.HasPoint || t == nil || !t.has {
		return false
	}
	d := distance(t.point, s.Point)
	return d > flight*seconds(t.at, s.At)+near && d < astray
}

// nearest is, for a shot without a position, its camera's nearest one with a
// position, the one before of equals; -1: none in time.
func (p *pass) nearest(i int32) int32 {
	best, least := int32(-1), float64(hint)
	if p.shots[i].HasPoint {
		return best
	}
	for _, j := range [2]int32{p.before[i], p.after[i]} {
		if j >= 0 {
			if d := math.Abs(seconds(p.shots[j].At, p.shots[i].At)); d < least {
				best, least = j, d
			}
		}
	}
	return best
}

func (o *open) track(camera int32) *track {
	if camera < 0 {
		return nil
	}
	for k := range o.tracks {
		if o.tracks[k].camera == camera {
			return &o.tracks[k]
		}
	}
	return nil
}

// take notes a shot in its moment. Of the cameras the latest few are known.
func (o *open) take(s *Shot, home bool, speed float64) {
	t := o.track(s.Camera)
	o.last = s.At
	if s.Camera >= 0 {
		if t == nil {
			if len(o.tracks) < most {
				o.tracks = append(o.tracks, track{})
				t = &o.tracks[len(o.tracks)-1]
			} else {
				t = &o.tracks[0]
				for k := range o.tracks {
					if o.tracks[k].last < t.last {
						t = &o.tracks[k]
					}
				}
			}
			*t = track{camera: s.Camera}
		}
		t.last = s.At
	}
	if !s.HasPoint || o.has && impossible(t, s) {
		return
	}
	if t != nil {
		t.has, t.at, t.point = true, s.At, s.Point
	}
	o.has, o.home, o.at, o.point, o.speed = true, home, s.At, s.Point, speed
}

func (p *pass) atHome(s *Shot) bool {
	for _, h := range p.homes {
		if s.Day >= h.From && s.Day <= h.To && distance(h.Point, s.Point) < h.Radius+homely {
			return true
		}
	}
	return false
}

// distance is geo.Distance, and what is surely within a few kilometres is
// measured on a plane.
func distance(a, b geo.Point) float64 {
	north, east := a.Lat-b.Lat, a.Lon-b.Lon
	if math.Abs(north) < 0.05 && math.Abs(east) < 0.05 && math.Abs(a.Lat) < 80 {
		east *= math.Cos((a.Lat + b.Lat) * (math.Pi / 360))
		return degree * math.Sqrt(north*north+east*east)
	}
	return geo.Distance(a, b)
}
