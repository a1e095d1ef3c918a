package store

import (
	"time"

	"github.com/kith-photos/kith/exif"
)

// Query asks for photos. Its fields are joined by "and", the values of one
// field by "or"; a field that is empty asks for nothing, so that the zero value
// finds all photos but those whose files have vanished. Ids that nobody and
// nothing has match no photo.
//
// It finds photos that were arranged (see DB.PutArrangement): when and where
// they were taken is what was worked out, not only what their files say.
type Query struct {
	All  []PersonID // each of them is in the photo
	Any  []PersonID // at least one of them is
	None []PersonID // none of them is

	// Wall is when the clock on the wall there showed a time within one of the
	// spans, whatever its zone: of From and To only the digits count and not
	// the location. Instants is the same by moments in time, which photos of an
	// unknown zone have none of.
	Wall     []Span
	Instants []Span
	Months   []time.Month // of any year, on the wall, as are the next two
	Weekdays []time.Weekday
	Dates    []Date

	Places    []PlaceID
	Moments   []MomentID // moments, and days and trips with all their moments
	Countries []string   // ISO 3166-1 alpha-2
	Region    Region     // nil: anywhere
	// Cameras match by the fields that are not empty: a make alone matches all
	// of its models, a model without a serial number all copies of it.
	Cameras []exif.Camera

	Time     Has // a time is known
	Position Position
	Faces    Has   // a face is in it, whether or not it is known whose
	Vanished Which // what becomes of photos whose files are missing

	Order  Order
	Limit  int    // at most so many hits; 0: no limit. Total and facets count all.
	After  Cursor // Found.Next of the page before; empty: from the first
	Facets map[Facet]int
}

// Span is from From to before To; a zero time leaves that end open.
type Span struct{ From, To time.Time }

// Date is a day of any year. The 29th of February is one of leap years only.
type Date struct {
	Month time.Month
	Day   int
}

// Region is a part of the Earth's surface; cells are as in Cell.Number, points
// are degrees in WGS 84.
type Region interface {
	// MayMeet is false only if no point of the cell lies in the region.
	MayMeet(cell uint64) bool
	// Covers is true only if all points of the cell lie in the region.
	Covers(cell uint64) bool
	Contains(lat, lon float64) bool
}

// Has says whether photos are to have something.
type Has int

const (
	Either  Has = iota // all photos
	With               // those that have it
	Without            // those that do not
)

// Position says how the position of a photo is to be known.
type Position int

const (
	AnyPosition Position = iota // all photos
	HasPosition                 // those with a position, measured or estimated
	Measured                    // those with one that is no estimate
	Estimated                   // those with an estimate
	NoPosition                  // those without one
)

// Order is how photos are listed. Photos of the same time are in the order in
// which they came into the account, or its reverse; those without any time come
// last in either order.
type Order int

const (
	NewestFirst Order = iota
	OldestFirst
)

// Cursor is where a page of photos ended. The next page begins behind that
// photo even if photos have come or gone meanwhile. It belongs to one account
// and to one Query, whose Limit and Facets may change.
type Cursor string

// Facet is something by which the photos that were found are counted. The
// value in Query.Facets is how many are told, those with most photos first and
// then by key; below 1: all.
type Facet string

const (
	ByYear    Facet = "years"  // on the wall
	ByMonth   Facet = "months" // of one year, on the wall
	ByPerson  Facet = "people" // but ignored ones
	ByPlace   Facet = "places"
	ByCamera  Facet = "cameras"
	ByCountry Facet = "countries"
	ByMoment  Facet = "moments"
	ByDay     Facet = "days"  // as moments are of them
	ByTrip    Facet = "trips" // as days are of them
)

// Count is how many photos have a key.
type Count[K any] struct {
	Key    K
	Photos int
}

// YearMonth is a month of one year.
type YearMonth struct {
	Year  int
	Month time.Month
}

// Facets count photos by what they have; nil is what was not asked for. A photo
// counts once for each person in it, and not at all where it has no such key.
type Facets struct {
	Years     []Count[int]
	Months    []Count[YearMonth]
	People    []Count[PersonID]
	Places    []Count[PlaceID]
	Cameras   []Count[exif.Camera]
	Countries []Count[string]
	Moments   []Count[MomentID]
	Days      []Count[MomentID]
	Trips     []Count[MomentID]
}

// Found is a page of the photos that a Query asks for, and about all of them.
type Found struct {
	Hits   []ShotRow
	Total  int    // photos that match, on all pages
	Next   Cursor // for the next page; empty: this was the last
	Facets Facets
}

// ShotRow is one photo with when and where it was taken.
type ShotRow struct {
	Photo   PhotoID
	Path    string
	Taken   exif.Time     // zero: unknown
	Source  string        // where the time came from; see package when
	Fine    time.Duration // how fine it is: 0 as a clock's second or finer, a minute, a day
	Shift   time.Duration // what a correction of the camera's clock added
	At      int64         // as Shot.At
	Where   *exif.GPS     // nil: unknown; without altitude
	Guessed bool          // Where is an estimate
	Near    Named         // what a gazetteer says of where it was taken
	// ZoneName is the zone of where it was taken, of the IANA time zone database.
	ZoneName string
	Camera   exif.Camera
	Place    PlaceID  // empty: no frequent place
	Moment   MomentID // each empty where there is none
	Day      MomentID
	Trip     MomentID
}

// MomentQuery narrows a listing of moments, days or trips. The zero value lists
// all moments, the newest first.
type MomentQuery struct {
	Kind    MomentKind // empty: KindMoment
	In      MomentID   // only those of this day or trip
	Wall    Span       // only those with a day in it, on the wall's calendar
	People  []PersonID // only those with a photo of each of them, not necessarily the same
	Place   PlaceID    // only those at this frequent place
	Country string     // only those in it; ISO 3166-1 alpha-2
	Order   Order
	Limit   int      // at most so many; 0: no limit
	After   MomentID // only those behind this one, in the same order
}

// MomentRow is a moment, a day or a trip.
type MomentRow struct {
	ID          MomentID
	Kind        MomentKind
	Day         MomentID // the day of a moment; empty: none
	Trip        MomentID // the trip of a moment or day; empty: none
	First, Last int32    // days, since 1970 on the wall's calendar
	At          int64    // Shot.At of the first photo
	Until       int64    // and of the last
	Shots       int      // photos
	// Begin and End are what the clock on the wall showed, with the location UTC
	// as in exif.Time, at the first and the last photo of a moment; zero for days
	// and trips, and where all that is known is the day (Coarse).
	Begin, End time.Time
	Coarse     bool
	Cover      PhotoID // empty: none
	Place      PlaceID // empty: no frequent place
	Spot       *Spot   // nil: unknown
	// People are in its photos, without ignored ones; those on most photos first.
	People []Count[PersonID]
}

// PlaceQuery narrows a listing of places. The zero value lists all.
type PlaceQuery struct {
	Kind    string // see package places
	Country string // ISO 3166-1 alpha-2
	Region  Region // only those whose middle lies in it; nil: anywhere
}

// CameraRow is a camera and how many photos are from it.
type CameraRow struct {
	Camera exif.Camera
	Photos int
	First  int64 // Shot.At of its first photo that has a time; NoTime: none has
	Last   int64
}

// Pair is how often two people are together.
type Pair struct {
	A, B    PersonID // A is whom was asked about, else the lesser id
	Photos  int      // photos of both
	Moments int      // moments that have such a photo
}
