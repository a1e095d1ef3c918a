// Package synth makes albums and phones' days by a seed, with the truth: what
// happened, where and when. Tests import it; nothing else does.
//
// # The model
//
// It models how people live and shoot and knows no rule of any grouping. A
// household has homes, works and a school. A day of it is drawn: what is done
// (a walk, a meal, a birthday), who is there, where, when it begins, and after
// it the way to the next and a pause, log-normal with a median of about an hour
// and a half. What is done has one to four activities with breaks of their own
// between them, so that gaps within overlap with gaps between. In an activity
// things worth a photo come one after the other with log-normal gaps, whose
// median is drawn for the activity (seconds at a wedding, half an hour on a
// hike) and divided by how keen the person is; each gives one photo or several,
// seconds apart, and sometimes a burst.
//
// The truth of an event: one thing done by people who are together, at one
// place or on one way, cut by a night's sleep and by nothing else. A dinner at
// one place and the dance at another are two events, two parents in two cities
// have events of their own, and the breaks of a birthday part nothing.
//
// Positions have an error (median 8 m, now and then hundreds), phones write
// their zone, cameras write none, have no position, keep home's time on a trip
// and are seconds off. Screenshots come at any time without a camera or a place
// and belong to the event that their owner was in, else to none but their own.
package synth

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// Kind is a way of living, or of having lived it on photos.
type Kind string

const (
	Everyday Kind = "everyday" // a year of a family: home, work, school, weekends, two trips
	Wedding  Kind = "wedding"  // 2,000 photos by five cameras in a day, at two or three venues
	Trips    Kind = "trips"    // four trips across zones, with flights and layovers, and little at home
	Singles  Kind = "singles"  // ten years of single snaps
	Apart    Kind = "apart"    // half a year of two parents in two cities, at the same time
	NoPlace  Kind = "noplace"  // half a year of a family, 30 to 100 % of the photos without a position
	Keen     Kind = "keen"     // three months of people who shoot much: bursts, screenshots, long events
)

// Kinds are all kinds of albums.
func Kinds() []Kind { return []Kind{Everyday, Wedding, Trips, Singles, Apart, NoPlace, Keen} }

// Photo is one photo: what its file says, and the truth.
type Photo struct {
	Key      string        // unique and random
	Name     string        // of the file, as its camera names files
	Clock    time.Time     // what the camera's clock showed, in UTC's fields
	Zoned    bool          // the file says the zone of Clock
	Zone     time.Duration // the clock's zone east of UTC, if Zoned in the file
	Point    *geo.Point    // what the file says, nil: nothing
	Accuracy float64       // metres, as the file says
	Camera   string        // "" for screenshots
	Burst    int           // -1: none

	// The truth.
	Instant time.Time     // UTC
	Wall    time.Time     // the time there, in UTC's fields
	Offset  time.Duration // there, east of UTC
	Where   geo.Point
	By      string // who took it
	People  []string
	Event   int // index into Album.Events
	Trip    int // index into Album.Trips, -1: none
}

// Event is what the photos of a moment are of.
type Event struct {
	Kind       string
	Start, End time.Time // instants
	Point      geo.Point // where it began
	Trip       int       // -1: none
}

// Span is a place that somebody lived or worked at, or a trip.
type Span struct {
	Who      string
	Point    geo.Point // of a trip: where it went
	From, To time.Time // instants; of a trip: leaving home and coming back
}

// Album is an album and its truth. Photos come in no order that means anything.
type Album struct {
	Photos       []Photo
	Events       []Event // each has a photo
	Homes, Works []Span
	Trips        []Span
}

// Options change a kind; the zero value is the kind as it is.
type Options struct {
	Years  float64 // how long; of a wedding nothing
	Photos int     // about how many, of a wedding only: 2,000
}

// Make makes the album of a seed: the same one for the same arguments.
func Make(seed uint64, kind Kind, opt Options) Album {
	m := &maker{r: rand.New(rand.NewPCG(seed, kindSeed(kind))), clocks: map[string]time.Duration{}}
	switch kind {
	case Wedding:
		m.wedding(cmp.Or(opt.Photos, 2000))
	case Trips:
		m.trips(cmp.Or(opt.Years, 1))
	case Singles:
		m.singles(cmp.Or(opt.Years, 10))
	case Apart:
		m.apart(cmp.Or(opt.Years, 0.5))
	case NoPlace:
		m.family(cmp.Or(opt.Years, 0.5), family{places: 0.7 * m.r.Float64(), events: 1})
	case Keen:
		m.family(cmp.Or(opt.Years, 0.25), family{places: 0.93, events: 1.6, keen: 2.5, shots: 0.8})
	default:
		m.family(cmp.Or(opt.Years, 1), family{places: 0.93, events: 1, trips: 2, shots: 0.15})
	}
	return m.album()
}

func kindSeed(k Kind) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(k) {
		h = (h ^ uint64(k[i])) * 1099511628211
	}
	return h
}

// album closes the album: events without photos go, photos get their keys, and
// lie in the order of the keys.
func (m *maker) album() Album {
	of := make([]int, len(m.events))
	for i := range of {
		of[i] = -1
	}
	a := Album{Photos: m.photos, Homes: m.homes, Works: m.works, Trips: m.tripSpans}
	slices.SortStableFunc(a.Photos, func(a, b Photo) int { return a.Instant.Compare(b.Instant) })
	for i := range a.Photos {
		p := &a.Photos[i]
		if of[p.Event] < 0 {
			of[p.Event] = len(a.Events)
			a.Events = append(a.Events, m.events[p.Event])
			e := &a.Events[len(a.Events)-1]
			e.Start = p.Instant
		}
		p.Event = of[p.Event]
		a.Events[p.Event].End = p.Instant
		p.Key = fmt.Sprintf("%016x%04x", m.r.Uint64(), i&0xffff)
		p.Name = name(*p, i)
	}
	if len(a.Photos) == 0 {
		return a
	}
	end := a.Photos[len(a.Photos)-1].Instant
	for _, spans := range [][]Span{a.Homes, a.Works} { // nobody moved while the last trip went on
		for i := range spans {
			if spans[i].To.Before(end) {
				spans[i].To = end
			}
		}
	}
	slices.SortFunc(a.Photos, func(a, b Photo) int { return cmp.Compare(a.Key, b.Key) })
	return a
}

func name(p Photo, i int) string {
	switch {
	case p.Camera == "":
		return "Screenshot_" + p.Clock.Format("20060102-150405") + ".png"
	case p.Zoned:
		return "IMG_" + p.Clock.Format("20060102_150405") + fmt.Sprintf("_%03d.jpg", p.Clock.Nanosecond()/1e6)
	}
	return fmt.Sprintf("DSC_%04d.JPG", i%10000)
}

// WallDay is the calendar day, since 1970-01-01, of a time in UTC's fields.
func WallDay(wall time.Time) int32 {
	return int32(wall.Unix() / 86400)
}
