// Package geo is the little geometry of the Earth that moments, places and
// meetings need: points, distances, cells and regions. The Earth is a sphere
// here, which is at most 0.6 % off in a distance.
package geo

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// Radius is the Earth's mean radius in metres (IUGG R1).
const Radius = 6_371_008.8

// Point is a position in WGS 84, in degrees: Lat [-90,90] north positive,
// Lon [-180,180] east positive.
type Point struct{ Lat, Lon float64 }

// Valid reports whether both degrees are numbers within range.
func (p Point) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180 // so that NaN fails
}

func (p Point) latLng() s2.LatLng { return s2.LatLngFromDegrees(p.Lat, p.Lon) }

// Distance is the length in metres of the shortest way between two valid points.
func Distance(a, b Point) float64 { return a.latLng().Distance(b.latLng()).Radians() * Radius }

// Centroid is the middle of points on the sphere, the first one where they
// have none (two poles), and the zero Point where there are no points. The
// order of the points changes nothing but the last digits.
func Centroid(points []Point) Point {
	var sum s2.Point
	for _, p := range points {
		sum = s2.Point{Vector: sum.Add(s2.PointFromLatLng(p.latLng()).Vector)}
	}
	if len(points) == 0 {
		return Point{}
	}
	if sum.Norm() < 1e-9*float64(len(points)) {
		return points[0]
	}
	ll := s2.LatLngFromPoint(sum)
	return Point{Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees()}
}

// Cell is a cell of S2's division of the sphere (s2geometry.io): six squares,
// each divided into four again and again. Its number holds its level.
type Cell uint64

// Levels of cells, by the length of their edges: from the shortest to the
// longest of a level.
const (
	Level13 = 13 // 0.8 to 1.2 km
	Level16 = 16 // 100 to 155 m
)

// CellOf is the cell of a level, 0 to 30, in which a valid point lies.
func CellOf(p Point, level int) Cell {
	return Cell(s2.CellIDFromLatLng(p.latLng()).Parent(level))
}

// Center is the middle of the cell.
func (c Cell) Center() Point {
	ll := s2.CellID(c).LatLng()
	return Point{Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees()}
}

// Valid reports whether there is such a cell.
func (c Cell) Valid() bool { return s2.CellID(c).IsValid() }

// Level is the cell's level, 0 to 30.
func (c Cell) Level() int { return s2.CellID(c).Level() }

// Around are the cells of the same level that touch the cell, at an edge or at
// a corner: eight, and seven at the eight corners of the six squares.
func (c Cell) Around() []Cell {
	ids := s2.CellID(c).AllNeighbors(s2.CellID(c).Level())
	out := make([]Cell, 0, len(ids))
	for _, id := range ids {
		out = append(out, Cell(id))
	}
	return out
}

// Region is a part of the Earth's surface.
type Region interface {
	// Contains reports whether a valid point lies in it.
	Contains(Point) bool
	// MayMeet is false only if no point of the cell lies in the region.
	MayMeet(Cell) bool
	// Covers is true only if all points of the cell lie in the region.
	Covers(Cell) bool
}

// Circle is what lies within a radius of a point.
type Circle struct {
	Center Point
	Radius float64 // metres
}

func (c Circle) Contains(p Point) bool { return Distance(c.Center, p) <= c.Radius }

func (c Circle) region() s2.Cap {
	return s2.CapFromCenterAngle(s2.PointFromLatLng(c.Center.latLng()), s1.Angle(math.Min(c.Radius/Radius, math.Pi)))
}

func (c Circle) MayMeet(cell Cell) bool {
	return c.region().IntersectsCell(s2.CellFromCellID(s2.CellID(cell)))
}

func (c Circle) Covers(cell Cell) bool {
	return c.region().ContainsCell(s2.CellFromCellID(s2.CellID(cell)))
}

// Box is what lies between two parallels and two meridians. West may be
// greater than East: the box then crosses the 180th meridian.
type Box struct{ South, West, North, East float64 } // degrees

func (b Box) Contains(p Point) bool {
	if p.Lat < b.South || p.Lat > b.North {
		return false
	}
	if b.West <= b.East {
		return p.Lon >= b.West && p.Lon <= b.East
	}
	return p.Lon >= b.West || p.Lon <= b.East
}

func (b Box) region() s2.Rect {
	sw, ne := Point{b.South, b.West}.latLng(), Point{b.North, b.East}.latLng()
	r := s2.EmptyRect()
	if b.South > b.North {
		return r
	}
	r.Lat.Lo, r.Lat.Hi = sw.Lat.Radians(), ne.Lat.Radians()
	r.Lng.Lo, r.Lng.Hi = sw.Lng.Radians(), ne.Lng.Radians()
	return r
}

func (b Box) MayMeet(cell Cell) bool {
	return b.region().IntersectsCell(s2.CellFromCellID(s2.CellID(cell)))
}

func (b Box) Covers(cell Cell) bool {
	return b.region().ContainsCell(s2.CellFromCellID(s2.CellID(cell)))
}
