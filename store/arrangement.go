package store

import (
	"math"
	"time"

	"github.com/kith-photos/kith/exif"
)

// MomentID names a moment, a day or a trip, PlaceID a place; like all ids they
// are random.
type (
	MomentID string
	PlaceID  string
)

// NoTime is the Shot.At of a photo without any time.
const NoTime = math.MinInt64

// Shot is when and where a photo was taken, as worked out of what all files
// and people say.
type Shot struct {
	Photo  PhotoID
	Taken  exif.Time     // zero: unknown
	Source string        // where the time came from; see package when
	Fine   time.Duration // how fine it is: 0 as a clock's second or finer, a minute, a day
	Shift  time.Duration // what a correction of the camera's clock added
	// At orders photos: microseconds since 1970 in UTC, the instant where that
	// is known and otherwise only for sorting; NoTime where there is no time.
	At      int64
	Where   *exif.GPS // nil: unknown; its altitude is not kept here
	Guessed bool      // Where is an estimate
	Camera  int       // position in the Arrangement, as are the next three; -1: none
	Cell    int
	Place   int
	Moment  int
}

// Named says what a gazetteer calls a spot; each may be empty.
type Named struct {
	Name    string `json:"name,omitempty"`
	Region  string `json:"region,omitempty"`
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2
}

// Cell is a part of the Earth of about a kilometre in which there are photos.
type Cell struct {
	Number uint64 `json:"cell"`           // of S2's division, as in package geo
	Zone   string `json:"zone,omitempty"` // of the IANA time zone database
	Named
}

// Place is where the account often was.
type Place struct {
	ID     PlaceID `json:"-"`
	Kind   string  `json:"kind,omitempty"` // see package places
	Lat    float64 `json:"lat"`            // degrees, WGS 84
	Lon    float64 `json:"lon"`
	Radius float64 `json:"radius"` // metres
	Shots  int     `json:"shots"`
	Days   int     `json:"days"`
	First  int32   `json:"first"` // days since 1970 on the wall's calendar
	Last   int32   `json:"last"`
	Named
}

// MomentKind is what a Moment is.
type MomentKind string

const (
	KindMoment MomentKind = "moment" // photos of one event
	KindDay    MomentKind = "day"    // the moments of one day
	KindTrip   MomentKind = "trip"   // days away from home
)

// Spot is about where something was.
type Spot struct {
	Lat    float64 `json:"lat"` // degrees, WGS 84
	Lon    float64 `json:"lon"`
	Radius float64 `json:"radius"` // metres
	Named
}

// Moment is a moment, a day or a trip.
type Moment struct {
	ID     MomentID
	Kind   MomentKind
	Parent int   // position in the Arrangement of the day of a moment, or the trip of a day; -1: none
	First  int32 // day, days since 1970 on the wall's calendar
	Last   int32
	At     int64 // Shot.At of the first photo
	Until  int64 // and of the last
	Shots  int
	Coarse bool    // all that is known of their times is the day
	Cover  PhotoID // empty: none
	Place  int     // position in the Arrangement; -1: none
	Spot   *Spot   // nil: unknown
}

// Arrangement is all that is worked out of when and where photos were taken.
type Arrangement struct {
	About   string // the rules and settings; the caller's
	Cameras []exif.Camera
	Cells   []Cell
	Places  []Place
	Moments []Moment // parents before their children
	Shots   []Shot   // one for each photo
}

// Arranged is what an account holds of an Arrangement.
type Arranged struct {
	Arrangement
	rows    map[PhotoID]int64 // of all photos, those without a shot too
	shots   map[int64]shotRow
	cameras []int64 // row ids, in the order of the Arrangement
	cells   []int64
	places  []int64
	moments []int64
}
