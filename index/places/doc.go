// Package places says where photos were taken and what the places are:
//
//   - [Estimate]: positions for photos without one, between two of the same camera;
//   - [Frequent]: the places to which an account comes back, which of them were
//     homes and when, and which look like work;
//   - [Gazetteer]: names of populated places, out of a file of GeoNames that
//     the host brings.
//
// All are pure functions of their input, whose order changes nothing but the
// order of what is said about it. Nothing is looked up online.
//
// Distances are in metres; days are days since 1970-01-01 of the wall clock.
package places

import (
	"math"

	"github.com/golang/geo/r3"
	"github.com/golang/geo/s2"

	"github.com/kith-photos/kith/index/geo"
)

// vector is the unit vector of a valid point.
func vector(p geo.Point) r3.Vector {
	return s2.PointFromLatLng(s2.LatLngFromDegrees(p.Lat, p.Lon)).Vector
}

// pointOf is the point in the direction of a vector that is not zero.
func pointOf(v r3.Vector) geo.Point {
	ll := s2.LatLngFromPoint(s2.Point{Vector: v})
	return geo.Point{Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees()}
}

// arc is the distance in metres of two unit vectors that are chord apart.
func arc(chord float64) float64 { return 2 * math.Asin(min(chord/2, 1)) * geo.Radius }
