package places

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/golang/geo/r3"

	"github.com/kith-photos/kith/index/geo"
)

// Name is a populated place.
type Name struct {
	ID         string // the gazetteer's
	Name       string
	Region     string // the first division of the country, if the gazetteer names it
	Country    string // ISO 3166-1 alpha-2; empty: in none
	Point      geo.Point
	Population int // 0: not known
}

// Gazetteer names places. *[Index] is one; it may be used by several
// goroutines at once.
type Gazetteer interface {
	// Nearest is the populated place that a person would say for a point.
	Nearest(p geo.Point) (Name, bool)
	// Find are the places of a name, best first.
	Find(name string) []Name
}

const (
	// farthest is how far a place may be whose name is said.
	farthest = 50_000.0 // metres
	// A place is taken for a disc that its people fill at this many on a
	// square kilometre, as in European cities, and that is no larger than a
	// disc of widest.
	crowd  = 5_000
	widest = 25_000.0 // metres
	// The size up to which discs count where countries meet.
	widestAbroad = 3_000.0 // metres
)

// Index is a gazetteer in memory.
type Index struct {
	text    []byte // of each place its names: Name, then the others, with separator between
	places  []place
	regions []string
	names   []uint64 // hash of a folded name << 32 | place; ascending
	boxes   []box    // a tree over places, which follow S2's curve
	bad     []LineError
	badAll  int
}

type place struct {
	at           r3.Vector // of point
	point        geo.Point
	id           uint64
	population   uint32
	region       int32
	text, length uint32
	radius       float32 // of its disc, metres
	country      [2]byte
	section      bool // a part of a place, as a quarter of a town
}

// Len is the number of places.
func (x *Index) Len() int { return len(x.places) }

// discOf is the radius in metres of the disc that people fill.
func discOf(population uint32) float32 {
	return float32(min(1000*math.Sqrt(float64(population)/(math.Pi*crowd)), widest))
}

// Nearest is the populated place that a person would say for a point: the one
// whose edge is nearest, where the place is a disc that its people fill (5,000
// on a square kilometre, 25 km at most) and being d metres inside counts as -d.
// So the middle of a town is that town's, though a village's centre may be
// nearer than the town's; a suburb whose centre is within the city's disc is
// the city's; and a town outside has its own. Quarters of towns are not said
// where anything else is near.
//
// The country is settled first, in the same way, among all places and quarters,
// with discs of at most 3 km: a large city takes nothing beyond its border.
// Near a border it may be the wrong one all the same: no border is known here.
//
// Nothing is said of a point that has no place within 50 km. Equals are parted
// by population, and then by id.
func (x *Index) Nearest(p geo.Point) (Name, bool) {
	if !p.Valid() {
		return Name{}, false
	}
	v := vector(p)
	first := search{x: x, at: v, best: -1, score: farthest, widest: widestAbroad, wanted: func(*place) bool { return true }}
	first.run(0, 0, len(x.places))
	if first.best < 0 {
		return Name{}, false
	}
	country := x.places[first.best].country
	second := search{x: x, at: v, best: -1, score: farthest, widest: widest,
		wanted: func(p *place) bool { return !p.section && p.country == country }}
	second.run(0, 0, len(x.places))
	if second.best < 0 {
		return x.name(first.best), true
	}
	return x.name(second.best), true
}

// leaf is how many places are compared one by one.
const leaf = 8

// box holds a run of places.
type box struct {
	low, high r3.Vector
	radius    float64 // of the largest disc
}

// grow builds the tree of boxes: node n over a run of places has its halves'
// at 2n+1 and 2n+2.
func (x *Index) grow(n, from, to int) box {
	inf := math.Inf(1)
	b := box{r3.Vector{X: inf, Y: inf, Z: inf}, r3.Vector{X: -inf, Y: -inf, Z: -inf}, 0}
	add := func(low, high r3.Vector, radius float64) {
		b.low = r3.Vector{X: min(b.low.X, low.X), Y: min(b.low.Y, low.Y), Z: min(b.low.Z, low.Z)}
		b.high = r3.Vector{X: max(b.high.X, high.X), Y: max(b.high.Y, high.Y), Z: max(b.high.Z, high.Z)}
		b.radius = max(b.radius, radius)
	}
	if to-from <= leaf {
		for _, p := range x.places[from:to] {
			add(p.at, p.at, float64(p.radius))
		}
	} else {
		mid := (from + to) / 2
		l, r := x.grow(2*n+1, from, mid), x.grow(2*n+2, mid, to)
		add(l.low, l.high, l.radius)
		add(r.low, r.high, r.radius)
	}
	for len(x.boxes) <= n {
		x.boxes = append(x.boxes, box{})
	}
	x.boxes[n] = b
	return b
}

// search looks for the place whose edge is nearest.
type search struct {
	x      *Index
	at     r3.Vector
	widest float64
	wanted func(*place) bool
	best   int
	score  float64 // metres from the edge of the best, below 0 inside of it
}

func (s *search) run(n, from, to int) {
	if to-from <= leaf {
		for i := from; i < to; i++ {
			s.look(i)
		}
		return
	}
	mid := (from + to) / 2
	l, r := s.bound(2*n+1), s.bound(2*n+2)
	if l <= r {
		s.half(l, 2*n+1, from, mid)
		s.half(r, 2*n+2, mid, to)
	} else {
		s.half(r, 2*n+2, mid, to)
		s.half(l, 2*n+1, from, mid)
	}
}

func (s *search) half(bound float64, n, from, to int) {
	if bound <= s.score { // equals are looked at too
		s.run(n, from, to)
	}
}

// bound is at most the score of any place in a box. A chord is shorter than
// its arc; a millimetre is for rounding.
func (s *search) bound(n int) float64 {
	b := &s.x.boxes[n]
	out := r3.Vector{
		X: max(b.low.X-s.at.X, 0, s.at.X-b.high.X),
		Y: max(b.low.Y-s.at.Y, 0, s.at.Y-b.high.Y),
		Z: max(b.low.Z-s.at.Z, 0, s.at.Z-b.high.Z),
	}
	return out.Norm()*geo.Radius - min(b.radius, s.widest) - 1e-3
}

func (s *search) look(i int) {
	p := &s.x.places[i]
	radius := min(float64(p.radius), s.widest)
	chord := p.at.Sub(s.at).Norm()
	if chord*geo.Radius-radius > s.score || !s.wanted(p) {
		return
	}
	d := arc(chord)
	score := d - radius
	if d > farthest || score > s.score {
		return
	}
	if s.best >= 0 && score == s.score && !s.x.before(i, s.best) {
		return
	}
	s.best, s.score = i, score
}

// before parts equals.
func (x *Index) before(i, j int) bool {
	a, b := &x.places[i], &x.places[j]
	return cmp.Or(-cmp.Compare(a.population, b.population), cmp.Compare(a.id, b.id)) < 0
}

// Find are the places of which that is the name or another name. Case, accents,
// hyphens and apostrophes do not matter. The best is that with most people,
// where a place's own name counts ten times as much as another one, and a name
// written with the accents that were asked for ten times as much as one
// without: Paris is the one in France, and Åbo is Turku.
func (x *Index) Find(name string) []Name {
	want, exact := fold(name), lower(name)
	if want == "" {
		return nil
	}
	type hit struct {
		place int
		score float64
	}
	var hits []hit
	key := uint64(hash([]byte(want))) << 32
	at, _ := slices.BinarySearch(x.names, key)
	for ; at < len(x.names) && x.names[at]>>32 == key>>32; at++ {
		i := int(uint32(x.names[at]))
		score := 0.0
		for n, other := range x.called(i) {
			if fold(other) != want {
				continue
			}
			s := float64(x.places[i].population) + 1
			if n == 0 {
				s *= 10
			}
			if lower(other) == exact {
				s *= 10
			}
			score = max(score, s)
		}
		if score > 0 { // else it is another name with this hash
			hits = append(hits, hit{i, score})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(-cmp.Compare(a.score, b.score), cmp.Compare(x.places[a.place].id, x.places[b.place].id))
	})
	var out []Name
	for _, h := range hits {
		out = append(out, x.name(h.place))
	}
	return out
}

// separator parts names in Index.text. No name holds it.
const separator = "\x00"

// called are the names of a place, its own first.
func (x *Index) called(i int) []string {
	p := &x.places[i]
	return strings.Split(string(x.text[p.text:p.text+p.length]), separator)
}
