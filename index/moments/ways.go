package moments

// ways is what each shot's camera tells of it: where it was before and after,
// and how fast it went.
type ways struct {
	before, after []int32   // the camera's nearest other shots with a position; -1: none
	speed         []float64 // metres a second, of shots on the way; else 0
}

const (
	fast    = 5.0     // metres a second, for more than far/2: a vehicle
	fastest = 300.0   // metres a second: an airliner, with the wind; else an error
	step    = 30 * 60 // seconds: shots further apart tell no speed
	stop    = 5 * 60  // seconds that one on the way may stay at a place
)

// waysOf follows each camera by time. Those that are unknown go no way.
func waysOf(shots []Shot, order []int32) ways {
	n := len(shots)
	w := ways{make([]int32, n), make([]int32, n), make([]float64, n)}
	last := map[int32]int32{} // of each camera
	for _, i := range order {
		w.before[i] = link(shots, last, i)
	}
	clear(last)
	for k := n - 1; k >= 0; k-- {
		w.after[order[k]] = link(shots, last, order[k])
	}
	for _, i := range order {
		if s := &shots[i]; s.HasPoint && s.Camera >= 0 && !s.Coarse {
			w.speed[i] = w.speedAt(shots, i)
		}
	}
	return w
}

func link(shots []Shot, last map[int32]int32, i int32) int32 {
	s := &shots[i]
	if s.Camera < 0 || s.Coarse {
		return -1
	}
	j, ok := last[s.Camera]
	if s.HasPoint {
		last[s.Camera] = i
	}
	if !ok {
		return -1
	}
	return j
}

// pace is the speed from a shot to a later one of the camera. Not ok: they tell
// none; 0: it stayed, or walked.
func pace(shots []Shot, i, j int32) (speed float64, ok bool) {
	if i < 0 || j < 0 {
		return 0, false
	}
	t := seconds(shots[i].At, shots[j].At)
	if t > step {
		return 0, false
	}
	d := distance(shots[i].Point, shots[j].Point)
	if d < fast*t+far/2 || d > fastest*t {
		return 0, true
	}
	return d / t, true
}

// speedAt is the speed with which the camera came to a shot. The first one has
// that with which it goes on, if it does so twice: once is a change of place.
func (w *ways) speedAt(shots []Shot, i int32) float64 {
	came, ok := pace(shots, w.before[i], i)
	switch {
	case ok && came > 0:
		return came
	case ok && seconds(shots[w.before[i]].At, shots[i].At) < stop:
		return w.speed[w.before[i]]
	case ok:
		return 0
	}
	first := 0.0
	for j := w.after[i]; j >= 0; i, j = j, w.after[j] {
		v, ok := pace(shots, i, j)
		switch {
		case !ok || v == 0 && seconds(shots[i].At, shots[j].At) >= stop:
			return 0
		case v > 0 && first > 0:
			return first
		case v > 0:
			first = v
		}
	}
	return 0
}
