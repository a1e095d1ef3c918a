package cluster

import (
	"cmp"
	"math"
	"slices"
)

// reference is the rule of the package comment written as plainly as it can
// be: quadratic loops over all faces, float64 throughout, no clever structure.
// It is right by inspection, and Group has to agree with it.
type reference struct {
	f Faces
	l Links
	o Options

	vectors [][]float32 // distinct, sorted
	of      []int       // face -> vector
	t       float64
	clash   bool    // the links contradict each other
	blobs   [][]int // faces that stay together, in canonical order

	// Between two blobs: the sum of the edges, how many, whether a decision
	// keeps them apart.
	sum   [][]float64
	edges [][]int
	apart [][]bool
	// Of a blob, the sum of the edges between its own vectors, from both ends.
	within []float64

	ban bool // nobody takes a label that a rival has
}

func (r *reference) sim(u, v int) float64 {
	var dot float64
	for i, x := range r.vectors[u] {
		dot += float64(x) * float64(r.vectors[v][i])
	}
	return min(math.Floor(dot*65536+0.5)/65536, 1)
}

func (r *reference) together(u, v int) bool {
	for i := range r.of {
		for j := range r.of {
			if r.f.Photo != nil && r.of[i] == u && r.of[j] == v && r.f.Photo[i] >= 0 && r.f.Photo[i] == r.f.Photo[j] {
				return true
			}
		}
	}
	return false
}

// weight is what an edge between two distinct vectors weighs; 0: no edge.
func (r *reference) weight(u, v int) float64 {
	s := r.sim(u, v)
	if s <= r.t || r.together(u, v) && s <= 0.75 {
		return 0
	}
	return s - r.t
}

func (r *reference) distinct() {
	for i := range r.f.Len() {
		r.vectors = append(r.vectors, r.f.row(i))
	}
	slices.SortFunc(r.vectors, slices.Compare)
	r.vectors = slices.CompactFunc(r.vectors, slices.Equal)
	for i := range r.f.Len() {
		r.of = append(r.of, slices.IndexFunc(r.vectors, func(v []float32) bool { return slices.Equal(v, r.f.row(i)) }))
	}
}

func (r *reference) far(t float64) float64 {
	ts, far := r.o.Impostors.Thresholds, r.o.Impostors.FAR
	if t < ts[0] {
		return 1
	}
	i := 1
	for i+1 < len(ts) && ts[i] < t {
		i++
	}
	slope := (math.Log(far[i]) - math.Log(far[i-1])) / (ts[i] - ts[i-1])
	return math.Exp(math.Log(far[i-1]) + slope*(t-ts[i-1]))
}

func (r *reference) threshold() {
	var sims []float64
	for u := range r.vectors {
		for v := range u {
			if !r.together(u, v) {
				sims = append(sims, r.sim(u, v))
			}
		}
	}
	for k := range 65536 {
		r.t = float64(k) / 65536
		observed := 0
		for _, s := range sims {
			if s > r.t {
				observed++
			}
		}
		expected := float64(len(sims)) * r.far(r.t)
		few := float64(observed) - 3*math.Sqrt(float64(observed))
		if observed > 0 && (expected <= r.o.FalseEdges*few ||
			r.far(r.t) <= r.o.SureFAR && expected <= r.o.FalseEdges*float64(observed)) {
			return
		}
	}
	r.t = 1
}

// merge joins faces until nothing changes.
func (r *reference) merge() {
	linked := map[int]bool{}
	var pairs [][2]int
	for _, group := range r.l.Same {
		for _, i := range group {
			linked[i] = true
			pairs = append(pairs, [2]int{group[0], i})
		}
	}
	for _, p := range r.l.Different {
		linked[p[0]], linked[p[1]] = true, true
	}
	place := make([]int, r.f.Len())
	for i := range place {
		place[i] = i
	}
	closure := func() {
		for range place {
			for _, p := range pairs {
				place[p[0]] = min(place[p[0]], place[p[1]])
				place[p[1]] = place[p[0]]
			}
		}
	}
	closure()
	decided := slices.Clone(place)
	for _, p := range r.l.Different {
		r.clash = r.clash || decided[p[0]] == decided[p[1]]
	}
	for i := range place {
		var homes []int
		for j := range place {
			switch {
			case linked[i] || r.of[i] != r.of[j]:
			case linked[j]:
				homes = append(homes, j)
			default:
				pairs = append(pairs, [2]int{i, j})
			}
		}
		one := len(homes) > 0
		for _, j := range homes {
			one = one && decided[j] == decided[homes[0]]
		}
		if one {
			pairs = append(pairs, [2]int{i, homes[0]})
		}
	}
	closure()
	for at := range place {
		var blob []int
		for i, p := range place {
			if p == at {
				blob = append(blob, i)
			}
		}
		if blob != nil {
			r.blobs = append(r.blobs, blob)
		}
	}
	slices.SortStableFunc(r.blobs, func(a, b []int) int {
		if c := slices.Compare(r.vectorsOf(a), r.vectorsOf(b)); c != 0 {
			return c
		}
		return slices.Compare(r.photosOf(a), r.photosOf(b))
	})
}

func (r *reference) vectorsOf(blob []int) []int {
	var out []int
	for _, i := range blob {
		out = append(out, r.of[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *reference) photosOf(blob []int) []int {
	var out []int
	for _, i := range blob {
		if r.f.Photo != nil && r.f.Photo[i] >= 0 {
			out = append(out, int(r.f.Photo[i]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *reference) relate() {
	for _, a := range r.blobs {
		var sum []float64
		var edges []int
		var apart []bool
		for _, b := range r.blobs {
			w, e := r.between(a, b)
			sum, edges = append(sum, w), append(edges, e)
			apart = append(apart, slices.ContainsFunc(r.l.Different, func(p [2]int) bool {
				return slices.Contains(a, p[0]) && slices.Contains(b, p[1]) ||
					slices.Contains(a, p[1]) && slices.Contains(b, p[0])
			}))
		}
		r.sum, r.edges = append(r.sum, sum), append(r.edges, edges)
		r.apart = append(r.apart, apart)
		own := 0.0
		for _, u := range r.vectorsOf(a) {
			for _, v := range r.vectorsOf(a) {
				if u != v {
					own += r.weight(u, v)
				}
			}
		}
		r.within = append(r.within, own)
	}
}

func (r *reference) between(a, b []int) (weight float64, edges int) {
	if a[0] == b[0] || r.t == 1 {
		return 0, 0
	}
	for _, u := range r.vectorsOf(a) {
		for _, v := range r.vectorsOf(b) {
			w := 1 - r.t
			if u != v {
				w = r.weight(u, v)
			}
			if w > 0 {
				weight, edges = weight+w, edges+1
			}
		}
	}
	return weight, edges
}

func (r *reference) choose(label []int, a int) int {
	best, most := label[a], r.votes(label, a, label[a])+r.within[a]
	for l := range label {
		// Labels from the smallest up: among equals the first one wins.
		if w := r.votes(label, a, l); w > most {
			best, most = l, w
		}
	}
	return best
}

func (r *reference) votes(label []int, a, l int) float64 {
	var sum float64
	penalised := false
	for b := range label {
		if b == a || label[b] != l {
			continue
		}
		if r.apart[a][b] {
			return 0
		}
		sum += r.sum[a][b]
		penalised = penalised || len(r.contested(a, b)) > 0
	}
	if penalised && r.ban {
		return 0
	}
	if penalised {
		sum = math.Floor(sum/4*65536) / 65536
	}
	return sum
}

// sets are the connected blobs of equal label.
func (r *reference) sets(label []int) []int {
	set := make([]int, len(label))
	for a := range set {
		set[a] = a
	}
	for range set {
		for a := range set {
			for b := range set {
				if r.edges[a][b] > 0 && label[a] == label[b] && label[a] >= 0 {
					set[a] = min(set[a], set[b])
				}
			}
		}
	}
	return set
}

func (r *reference) pinned(blob []int) bool {
	for _, group := range r.l.Same {
		if slices.Contains(blob, group[0]) {
			return true
		}
	}
	return false
}

func (r *reference) weak(set []int, a int) bool {
	edges, others := 0, 0
	for b := range set {
		if b != a && set[b] == set[a] {
			edges += r.edges[a][b]
			others += len(r.vectorsOf(r.blobs[a])) * len(r.vectorsOf(r.blobs[b]))
		}
	}
	return 5*edges < 2*others
}

func (r *reference) group() ([]int, int) {
	r.distinct()
	r.threshold()
	r.merge()
	r.relate()
	label := indices(len(r.blobs))
	r.whisper(label, indices(len(r.blobs)))
	set := r.condense(r.sets(label))
	if label, leavers := r.separate(set); len(leavers) > 0 {
		r.ban = true
		r.whisper(label, leavers)
		set = r.condense(r.sets(label))
	}
	r.gather(set)
	return r.number(set)
}

func (r *reference) whisper(label, order []int) {
	for round := range 50 {
		turn := func(a int) uint64 {
			return scramble(saltOf(r.vectors[r.vectorsOf(r.blobs[a])[0]]) ^ scramble(uint64(round)))
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(a, b)) })
		before := slices.Clone(label)
		for _, a := range order {
			label[a] = r.choose(label, a)
		}
		if slices.Equal(before, label) {
			break
		}
	}
}

func (r *reference) condense(set []int) []int {
	for fresh := len(set); ; fresh += len(set) {
		next := slices.Clone(set)
		for a := range set {
			if r.weak(set, a) {
				next[a] = fresh + set[a]
			}
		}
		for a := range set {
			if !slices.Contains(next, set[a]) {
				next[a] = -1 // all of the set is weak
			}
		}
		if slices.Equal(next, set) {
			return set
		}
		set = r.sets(next)
	}
}

func (r *reference) number(set []int) ([]int, int) {
	label, clusters := make([]int, r.f.Len()), 0
	for at := range set {
		var blob []int
		for a := range set {
			if set[a] == at {
				blob = append(blob, r.blobs[a]...)
			}
		}
		l := -1
		pinned := slices.ContainsFunc(r.blobs, func(b []int) bool {
			return slices.Contains(blob, b[0]) && r.pinned(b)
		})
		if pinned || len(r.vectorsOf(blob)) > 1 {
			l = clusters
			clusters++
		}
		for _, i := range blob {
			label[i] = l
		}
	}
	return label, clusters
}
