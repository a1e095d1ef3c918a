package synth

import (
	"math"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// City is a place on the Earth with its zone.
type City struct {
	Name  string
	Point geo.Point
	Zone  string // IANA
	std   time.Duration
	rule  rule
}

// rule says when a zone has summer time.
type rule byte

const (
	never rule = iota
	european
	american
)

// Cities are those that albums are set in, as they are on a map; the zones'
// rules are those of 2007 to 2030.
func Cities() []City {
	h := time.Hour
	return []City{
		{"Turku", geo.Point{Lat: 60.4518, Lon: 22.2666}, "Europe/Helsinki", 2 * h, european},
		{"Helsinki", geo.Point{Lat: 60.1699, Lon: 24.9384}, "Europe/Helsinki", 2 * h, european},
		{"Berlin", geo.Point{Lat: 52.52, Lon: 13.405}, "Europe/Berlin", h, european},
		{"Lisbon", geo.Point{Lat: 38.7223, Lon: -9.1393}, "Europe/Lisbon", 0, european},
		{"Rome", geo.Point{Lat: 41.9028, Lon: 12.4964}, "Europe/Rome", h, european},
		{"London", geo.Point{Lat: 51.5074, Lon: -0.1278}, "Europe/London", 0, european},
		{"New York", geo.Point{Lat: 40.7128, Lon: -74.006}, "America/New_York", -5 * h, american},
		{"San Francisco", geo.Point{Lat: 37.7749, Lon: -122.4194}, "America/Los_Angeles", -8 * h, american},
		{"Tokyo", geo.Point{Lat: 35.6762, Lon: 139.6503}, "Asia/Tokyo", 9 * h, never},
		{"Kathmandu", geo.Point{Lat: 27.7172, Lon: 85.324}, "Asia/Kathmandu", 5*h + 45*time.Minute, never},
		{"Suva", geo.Point{Lat: -18.1248, Lon: 178.4501}, "Pacific/Fiji", 12 * h, never},
		{"Honolulu", geo.Point{Lat: 21.3069, Lon: -157.8583}, "Pacific/Honolulu", -10 * h, never},
	}
}

// Offset is what the city's clocks are ahead of UTC at an instant.
func (c City) Offset(at time.Time) time.Duration {
	at = at.UTC()
	y := at.Year()
	var from, to time.Time
	switch c.rule {
	case european: // last Sundays of March and October, 01:00 UTC
		from, to = sunday(y, time.April, 0).Add(time.Hour), sunday(y, time.November, 0).Add(time.Hour)
	case american: // second Sunday of March, first of November, 02:00 on the clock
		from, to = sunday(y, time.March, 2).Add(2*time.Hour-c.std), sunday(y, time.November, 1).Add(time.Hour-c.std)
	default:
		return c.std
	}
	if !at.Before(from) && at.Before(to) {
		return c.std + time.Hour
	}
	return c.std
}

// sunday is the n-th Sunday of a month; the 0th is the last one before it.
func sunday(year int, month time.Month, n int) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, (7-int(first.Weekday()))%7+7*(n-1))
}

// local is the instant at which the city's clocks show a time.
func (c City) local(year int, month time.Month, day int, clock time.Duration) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(clock - c.std)
	return t.Add(c.std - c.Offset(t))
}

// move is the point that many metres to the north and to the east.
func move(p geo.Point, north, east float64) geo.Point {
	const degree = geo.Radius * math.Pi / 180
	p.Lat += north / degree
	p.Lon += east / (degree * math.Cos(p.Lat*math.Pi/180))
	if p.Lon > 180 {
		p.Lon -= 360
	} else if p.Lon < -180 {
		p.Lon += 360
	}
	return p
}

// between is the point at a share of the way from a to b, not far apart.
func between(a, b geo.Point, share float64) geo.Point {
	d := math.Remainder(b.Lon-a.Lon, 360)
	return geo.Point{Lat: a.Lat + (b.Lat-a.Lat)*share, Lon: math.Remainder(a.Lon+d*share, 360)}
}
