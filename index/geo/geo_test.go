package geo

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func points() *rapid.Generator[Point] {
	return rapid.Custom(func(t *rapid.T) Point {
		return Point{
			Lat: rapid.OneOf(rapid.Float64Range(-90, 90), rapid.SampledFrom([]float64{-90, 0, 90})).Draw(t, "lat"),
			Lon: rapid.OneOf(rapid.Float64Range(-180, 180), rapid.SampledFrom([]float64{-180, -179.9999, 0, 179.9999, 180})).Draw(t, "lon"),
		}
	})
}

// TestDistance holds the sphere against geodesics on the WGS 84 ellipsoid, as
// GeographicLib's GeodSolve gives them.
func TestDistance(t *testing.T) {
	turku, helsinki := Point{60.4518, 22.2666}, Point{60.1699, 24.9384}
	for _, c := range []struct {
		a, b Point
		want float64
	}{
		{turku, turku, 0},
		{Point{0, 0}, Point{0, 1}, 111_319.491},
		{Point{0, 0}, Point{1, 0}, 110_574.389},
		{Point{89, 0}, Point{90, 77}, 111_693.865},
		{Point{10, 179.5}, Point{10, -179.5}, 109_639.322},
	} {
		if got := Distance(c.a, c.b); math.Abs(got-c.want) > 0.006*c.want {
			t.Errorf("%v to %v: %.0f m, want %.0f", c.a, c.b, got, c.want)
		}
	}
	if d := Distance(turku, helsinki); d < 148_000 || d > 152_000 {
		t.Errorf("Turku to Helsinki: %.0f m", d)
	}
}

func TestRegions(t *testing.T) {
	fiji := Box{South: -20, West: 177, North: -16, East: -179}
	for p, want := range map[Point]bool{{-17, 178}: true, {-17, -179.5}: true, {-17, 180}: true, {-17, 176}: false, {-17, -178}: false, {-15, 178}: false} {
		if fiji.Contains(p) != want {
			t.Errorf("%v in %v: %v", p, fiji, !want)
		}
	}
}

// TestRegionsAndCells holds what cells say of a region against its points.
func TestRegionsAndCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := points().Draw(t, "p"), points().Draw(t, "q")
		level := rapid.IntRange(0, 16).Draw(t, "level")
		cell := CellOf(p, level)
		if cell.Level() != level || !cell.Valid() {
			t.Fatalf("cell %x of level %d, valid: %v", cell, cell.Level(), cell.Valid())
		}
		for _, r := range []Region{
			Circle{q, rapid.Float64Range(0, 2e7).Draw(t, "radius")},
			Box{min(p.Lat, q.Lat), q.Lon, max(p.Lat, q.Lat), rapid.Float64Range(-180, 180).Draw(t, "east")},
		} {
			if r.Contains(p) && !r.MayMeet(cell) {
				t.Fatalf("%v holds %v, and not its cell", r, p)
			}
			if r.Covers(cell) && !r.Contains(p) {
				t.Fatalf("%v covers the cell of %v, and not the point", r, p)
			}
		}
		around := cell.Around()
		for _, n := range around {
			if n == cell || n.Level() != level {
				t.Fatalf("%x beside %x", n, cell)
			}
		}
		if level > 1 && len(around) < 7 {
			t.Fatalf("%d cells around %x", len(around), cell)
		}
	})
}

func TestCentroid(t *testing.T) {
	if c := Centroid([]Point{{10, 179}, {10, -179}}); math.Abs(c.Lat-10) > 0.01 || math.Abs(math.Abs(c.Lon)-180) > 1e-9 {
		t.Errorf("middle across the 180th meridian is %v", c)
	}
	if c := Centroid(nil); c != (Point{}) {
		t.Errorf("middle of nothing is %v", c)
	}
	if c := Centroid([]Point{{90, 0}, {-90, 0}}); !c.Valid() {
		t.Errorf("middle of the poles is %v", c)
	}
}
