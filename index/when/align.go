package when

import (
	"math"
	"slices"
	"time"

	"github.com/kith-photos/kith/exif"
)

// How the photos of one camera are laid over those of others. clearScore and
// clearRatio were set on 1,500 parties of BenchmarkEstimateShift's hardest kinds,
// with seeds of their own, so that one correction was wrong: a wrong one is
// worse than none.
const (
	alignSpan  = 26 * time.Hour   // the greatest correction: a day, and an hour or two
	alignBin   = 10 * time.Second // of differences
	alignBins  = int(2*alignSpan/alignBin) + 1
	alignMax   = 4000             // moments of a camera looked at
	sameMoment = 20 * time.Second // photos nearer than this are one moment
	backBins   = int(30 * time.Minute / alignBin)
	apartBins  = int(4 * time.Minute / alignBin) // a second peak is at least so far from the first
	minAligned = 10                              // moments that both cameras must have
	clearScore = 7.0                             // standard deviations above what chance gives
	clearRatio = 1.5                             // over the second peak
)

// byOthers lays the camera's moments over those of all other cameras: the
// correction is the difference that so many pairs of moments have in common,
// within half a minute, that neither chance nor any other difference explains
// them. That people photograph more at a party than at night makes a broad
// hill of differences, which is taken off first: only what many cameras
// photographed at the same moments makes a peak.
func (s *sample) byOthers() (Estimate, bool) {
	if len(s.own) < minAligned {
		return Estimate{}, false
	}
	var own []int64 // readings in milliseconds
	for _, i := range s.own {
		own = append(own, s.photos[i].Taken.Wall.UnixMilli())
	}
	byCamera := map[string][]int64{}
	for i := range s.times {
		t, camera := &s.times[i], s.photos[i].Camera
		if camera == "" || camera == s.photos[s.own[0]].Camera || t.IsZero() || t.Precision != Second || t.Zone == exif.ZoneUTC {
			continue
		}
		switch t.Source {
		case SourceOriginal, SourceDigitized, SourceXMP, SourceGPS:
			byCamera[camera] = append(byCamera[camera], t.Wall.UnixMilli())
		}
	}
	own = moments(own)
	bins := make([]float64, alignBins)
	var others []int64
	for _, at := range byCamera { // sums and sorts, so that the map's order changes nothing
		at = moments(at)
		differences(bins, thin(own), at)
		others = append(others, at...)
	}
	slices.Sort(others)
	peak, ratio, ok := clearPeak(bins)
	if !ok {
		return Estimate{}, false
	}
	e, ok := s.refine(own, others, peak)
	e.Ratio = ratio
	return e, ok
}

// moments joins readings that follow each other closely and sorts them.
func moments(at []int64) []int64 {
	slices.Sort(at)
	out := at[:0]
	for i, a := range at {
		if i == 0 || a-out[len(out)-1] >= sameMoment.Milliseconds() {
			out = append(out, a)
		}
	}
	return out
}

// thin leaves out moments evenly where there are too many.
func thin(at []int64) []int64 {
	if len(at) <= alignMax {
		return at
	}
	out := make([]int64, alignMax)
	for i := range out {
		out[i] = at[i*len(at)/alignMax]
	}
	return out
}

// differences counts, in bins of alignBin from -alignSpan on, by how much the
// others are later than the camera's moments.
func differences(bins []float64, own, others []int64) {
	span, width := alignSpan.Milliseconds(), alignBin.Milliseconds()
	low := 0
	for _, a := range own {
		for low < len(others) && others[low] < a-span {
			low++
		}
		for _, b := range others[low:] {
			if b > a+span {
				break
			}
			bins[(b-a+span)/width]++
		}
	}
}

// clearPeak is the bin in the middle of the half minute or so that stands out,
// and by how much more than the next one does.
func clearPeak(bins []float64) (peak int, ratio float64, ok bool) {
	sums := make([]float64, len(bins)+1)
	for i, n := range bins {
		sums[i+1] = sums[i] + n
	}
	window := func(i, reach int) (sum, n float64) {
		lo, hi := max(i-reach, 0), min(i+reach+1, len(bins))
		return sums[hi] - sums[lo], float64(hi - lo)
	}
	score := make([]float64, len(bins))
	for i := range bins {
		sharp, n := window(i, 1)
		wide, of := window(i, backBins)
		gap, skip := window(i, 6) // a peak must not raise its own ground
		ground := (wide - gap) * n / (of - skip)
		score[i] = (sharp - ground) / math.Sqrt(ground+1)
	}
	for i, v := range score {
		if v > score[peak] {
			peak = i
		}
	}
	second := 1.0
	for i, v := range score {
		if i < peak-apartBins || i > peak+apartBins {
			second = max(second, v)
		}
	}
	ratio = score[peak] / second
	return peak, ratio, score[peak] >= clearScore && ratio >= clearRatio
}

// refine is the middle of the differences at a peak, and how many moments have
// a counterpart there.
func (s *sample) refine(own, others []int64, peak int) (Estimate, bool) {
	const reach = 25 * time.Second
	middle := (time.Duration(peak)*alignBin + alignBin/2 - alignSpan).Milliseconds()
	var by []time.Duration
	for _, a := range own {
		i, _ := slices.BinarySearch(others, a+middle)
		best := int64(math.MaxInt64)
		for _, j := range []int{i - 1, i} {
			if j >= 0 && j < len(others) {
				if d := others[j] - a; (time.Duration(d-middle)*time.Millisecond).Abs() < (time.Duration(best-middle)*time.Millisecond).Abs() || best == math.MaxInt64 {
					best = d
				}
			}
		}
		if best != math.MaxInt64 && (time.Duration(best-middle)*time.Millisecond).Abs() <= reach {
			by = append(by, time.Duration(best)*time.Millisecond)
		}
	}
	e, ok := agreement(by, minAligned, BasisOthers)
	e.Of = len(own)
	return e, ok
}
