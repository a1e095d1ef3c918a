package moments

import (
	"cmp"
	"math"
	"slices"

	"github.com/kith-photos/kith/testdata/synth"
)

// sample is an album as shots in order of time, with their true events.
type sample struct {
	album synth.Album
	shots []Shot
	truth []int32
	homes []Home
}

func sampleOf(seed uint64, kind synth.Kind, opt synth.Options) sample {
	a := synth.Make(seed, kind, opt)
	slices.SortFunc(a.Photos, func(a, b synth.Photo) int {
		return cmp.Or(a.Instant.Compare(b.Instant), cmp.Compare(a.Key, b.Key))
	})
	s := sample{album: a}
	cameras := map[string]int32{"": -1}
	for _, p := range a.Photos {
		camera, ok := cameras[p.Camera]
		if !ok {
			camera = int32(len(cameras) - 1)
			cameras[p.Camera] = camera
		}
		shot := Shot{
			Key: p.Key, At: p.Clock.Add(-p.Zone).UnixMicro(), Day: synth.WallDay(p.Wall),
			Camera: camera, Burst: int32(p.Burst),
		}
		if p.Point != nil {
			shot.HasPoint, shot.Point = true, *p.Point
		}
		s.shots = append(s.shots, shot)
		s.truth = append(s.truth, int32(p.Event))
	}
	for _, h := range a.Homes {
		s.homes = append(s.homes, Home{Point: h.Point, Radius: 100, From: synth.WallDay(h.From), To: synth.WallDay(h.To)})
	}
	return s
}

// score is how well a grouping fits the truth; each of 0 to 1.
type score struct {
	pair     float64 // F of pairs of shots that are together
	bcubed   float64 // BCubed F (Bagga and Baldwin 1998)
	boundary float64 // F of boundaries between shots next to each other in time
}

func (s score) mean() float64 { return (s.pair + s.bcubed + s.boundary) / 3 }

func (s score) add(o score, share float64) score {
	return score{s.pair + share*o.pair, s.bcubed + share*o.bcubed, s.boundary + share*o.boundary}
}

// judge compares a grouping with the truth; shots are in order of time.
func judge(truth, got []int32) score {
	type both struct{ t, g int32 }
	nt, ng, nb := map[int32]float64{}, map[int32]float64{}, map[both]float64{}
	for i := range truth {
		nt[truth[i]]++
		ng[got[i]]++
		nb[both{truth[i], got[i]}]++
	}
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	var same, ours, theirs, precision, recall float64
	for b, n := range nb {
		same += pairs(n)
		precision += n * n / ng[b.g]
		recall += n * n / nt[b.t]
	}
	for _, n := range ng {
		ours += pairs(n)
	}
	for _, n := range nt {
		theirs += pairs(n)
	}
	var hit, cut, should float64
	for i := 1; i < len(truth); i++ {
		c, s := got[i] != got[i-1], truth[i] != truth[i-1]
		if c {
			cut++
		}
		if s {
			should++
		}
		if c && s {
			hit++
		}
	}
	n := float64(len(truth))
	return score{f(same/max(ours, 1), same/max(theirs, 1)), f(precision/n, recall/n), f(hit/max(cut, 1), hit/max(should, 1))}
}

func f(precision, recall float64) float64 {
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// fixedGap starts anew after every gap longer than that many minutes.
func fixedGap(minutes float64) func(sample) []int32 {
	return func(s sample) []int32 {
		out := make([]int32, len(s.shots))
		for i := 1; i < len(out); i++ {
			out[i] = out[i-1]
			if float64(s.shots[i].At-s.shots[i-1].At) > minutes*60e6 {
				out[i]++
			}
		}
		return out
	}
}

// photoTOC is the time part of PhotoTOC (Platt, Czerwinski and Field 2003): a
// gap parts if its logarithm is at least log 17 above the mean of those of the
// gaps around it, ten to each side and itself.
func photoTOC(s sample) []int32 {
	const d = 10
	log := make([]float64, len(s.shots))
	for i := 1; i < len(log); i++ {
		log[i] = math.Log(max(float64(s.shots[i].At-s.shots[i-1].At)/1e6, 1))
	}
	out := make([]int32, len(log))
	for i := 1; i < len(log); i++ {
		low, high := max(1, i-d), min(len(log), i+d+1)
		sum := 0.0
		for _, l := range log[low:high] {
			sum += l
		}
		out[i] = out[i-1]
		if log[i] >= math.Log(17)+sum/float64(high-low) {
			out[i]++
		}
	}
	return out
}

func ours(s sample) []int32 { return Group(s.shots, s.homes).Of }

type method struct {
	name  string
	group func(sample) []int32
}

func methods() []method {
	return []method{
		{"kith", ours}, {"10min", fixedGap(10)}, {"1h", fixedGap(60)}, {"2h", fixedGap(120)},
		{"6h", fixedGap(360)}, {"phototoc", photoTOC},
	}
}
