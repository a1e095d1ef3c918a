package index

import (
	"time"

	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/store"
)

// What can be asked of when and where, and what is answered; see package store
// for each.
type (
	Query       = store.Query
	Found       = store.Found
	Shot        = store.ShotRow
	Span        = store.Span
	Date        = store.Date
	Has         = store.Has
	Position    = store.Position
	Order       = store.Order
	Cursor      = store.Cursor
	Region      = store.Region
	Facet       = store.Facet
	Facets      = store.Facets
	YearMonth   = store.YearMonth
	Moment      = store.MomentRow
	MomentID    = store.MomentID
	MomentKind  = store.MomentKind
	MomentQuery = store.MomentQuery
	Place       = store.Place
	PlaceID     = store.PlaceID
	PlaceQuery  = store.PlaceQuery
	Camera      = store.CameraRow
	Pair        = store.Pair
	Named       = store.Named
	// QueryError reports what a query asks that makes no sense.
	QueryError = store.QueryError
)

// Count is how many photos have a key.
type Count[K any] = store.Count[K]

// ErrCursor: Query.After is not a cursor of the query, or there is no moment
// MomentQuery.After.
var ErrCursor = store.ErrCursor

// Values of a Query; see there.
const (
	Either  = store.Either
	With    = store.With
	Without = store.Without

	AnyPosition = store.AnyPosition
	HasPosition = store.HasPosition
	Measured    = store.Measured
	Estimated   = store.Estimated
	NoPosition  = store.NoPosition

	NewestFirst = store.NewestFirst
	OldestFirst = store.OldestFirst

	ByYear    = store.ByYear
	ByMonth   = store.ByMonth
	ByPerson  = store.ByPerson
	ByPlace   = store.ByPlace
	ByCamera  = store.ByCamera
	ByCountry = store.ByCountry
	ByMoment  = store.ByMoment
	ByDay     = store.ByDay
	ByTrip    = store.ByTrip

	KindMoment = store.KindMoment
	KindDay    = store.KindDay
	KindTrip   = store.KindTrip

	// NoTime is the Shot.At of a photo without any time.
	NoTime = store.NoTime
)

// Within makes a region of package geo one that a query asks for:
//
//	index.Query{Region: index.Within(geo.Circle{Center: turku, Radius: 20_000})}
//
// Regions are to be values of exported fields, as those of package geo are: by
// these a cursor tells them apart.
func Within(r geo.Region) Region { return within{r} }

// within is a geo.Region as package store, which knows of no geometry, asks it.
type within struct{ Region geo.Region }

func (w within) MayMeet(cell uint64) bool { return w.Region.MayMeet(geo.Cell(cell)) }
func (w within) Covers(cell uint64) bool  { return w.Region.Covers(geo.Cell(cell)) }
func (w within) Contains(lat, lon float64) bool {
	return w.Region.Contains(geo.Point{Lat: lat, Lon: lon})
}

// Ages is when somebody was from one age to another, in whole years, both
// included: Ages(born, 0, 12) is from the day of birth to the day before the
// thirteenth birthday. Of born only the date counts. Who was born on a 29th of
// February has a birthday on the 1st of March of other years.
func Ages(born time.Time, from, to int) Span {
	y, m, d := born.Date()
	birthday := func(age int) time.Time { return time.Date(y+age, m, d, 0, 0, 0, 0, time.UTC) }
	return Span{From: birthday(from), To: birthday(to + 1)}
}

// Between is the days from one to another on the wall, both included.
func Between(first, last time.Time) Span {
	day := func(t time.Time, days int) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d+days, 0, 0, 0, 0, time.UTC)
	}
	return Span{From: day(first, 0), To: day(last, 1)}
}
