package exif

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDatum(t *testing.T) {
	for datum, left := range map[string]string{
		"": "", "WGS-84": "", "WGS84": "", "WGS 84": "", "wgs-84   ": "", "WGS_1984": "", "World Geodetic System 1984": "", "EPSG:4326": "",
		"OSGB36 ": "OSGB36", "NAD27": "NAD27", "GCJ-02": "GCJ-02", "WGS-72": "WGS-72", "\x01\xff": "", "  ": "",
	} {
		b := newBlock(be).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLat, 35, 1).rat(dirGPS, tagLon, 139, 1)
		m, err := Decode(b.ascii(dirGPS, tagDatum, datum).bytes())
		if err != nil || m.GPS == nil || *m.GPS != (GPS{Lat: 35, Lon: 139, Datum: left}) {
			t.Errorf("%q: %+v, %v", datum, m.GPS, err)
		}
	}
}

// TestTokyoDatum: the origin of the geodetic network of Japan, of which the
// Geospatial Information Authority publishes the coordinates in the Tokyo
// datum and in JGD2000, which is WGS 84 to within its accuracy. The three
// parameters give it to a metre; without them it is 460 m off.
func TestTokyoDatum(t *testing.T) {
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	lat, lon, left := toWGS84(dms(35, 39, 17.5148), dms(139, 44, 40.5020), "TOKYO")
	const metre = 1. / 111_000
	if left != "" || math.Abs(lat-dms(35, 39, 29.1572)) > 2*metre || math.Abs(lon-dms(139, 44, 28.8759)) > 2*metre {
		t.Errorf("%.7f, %.7f, %q", lat, lon, left)
	}
	for _, name := range []string{"Tokyo", "TOKYO   ", "Tokyo datum"} {
		b := newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLat, 35, 1, 39, 1, 175148, 10000).
			rat(dirGPS, tagLon, 139, 1, 44, 1, 405020, 10000)
		m, err := Decode(b.ascii(dirGPS, tagDatum, name).bytes())
		if err != nil || m.GPS == nil || *m.GPS != (GPS{Lat: lat, Lon: lon}) {
			t.Errorf("%q: %+v, %v; want %v, %v", name, m.GPS, err, lat, lon)
		}
	}
}

// TestGeocentric: there and back is the same place, anywhere; and the axes of
// the ellipsoid are where they are.
func TestGeocentric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")
		for _, e := range []ellipsoid{wgs84, bessel1841} {
			backLat, backLon := e.geographic(e.geocentric(lat, lon))
			east := math.Mod(math.Abs(backLon-lon), 360) * math.Cos(lat*math.Pi/180) // on the pole any longitude is right
			if math.Abs(backLat-lat) > 1e-9 || east > 1e-9 && 360-east > 1e-9 {
				t.Errorf("%v, %v became %v, %v", lat, lon, backLat, backLon)
			}
		}
		if gotLat, gotLon, _ := toWGS84(lat, lon, "TOKYO"); !(math.Abs(gotLat) <= 90 && math.Abs(gotLon) <= 180) {
			t.Errorf("%v, %v became %v, %v", lat, lon, gotLat, gotLon)
		}
	})
	// The example of EPSG Guidance Note 7-2 (geocentric translations), at 73 m.
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	lat, lon := dms(53, 48, 33.820), dms(2, 7, 46.380)
	x, phi, lambda := wgs84.geocentric(lat, lon), lat*math.Pi/180, lon*math.Pi/180
	up := [3]float64{math.Cos(phi) * math.Cos(lambda), math.Cos(phi) * math.Sin(lambda), math.Sin(phi)}
	want, shift := [3]float64{3771793.968, 140253.342, 5124304.349}, [3]float64{84.87, 96.49, 116.95}
	for i := range x {
		if x[i] += 73 * up[i]; math.Abs(x[i]-want[i]) > 2e-3 {
			t.Errorf("axis %d: %v, want %v", i, x[i], want[i])
		}
		x[i] += shift[i]
	}
	lat, lon = ellipsoid{6378388, 1. / 297}.geographic(x) // ED50's
	if math.Abs(lat-dms(53, 48, 36.565)) > 1e-6 || math.Abs(lon-dms(2, 7, 51.477)) > 1e-6 {
		t.Errorf("%v, %v", lat, lon)
	}
	if x := wgs84.geocentric(0, 90); math.Abs(x[0]) > 1e-6 || x[1] != 6378137 || x[2] != 0 {
		t.Errorf("0 N 90 E is at %v", x)
	}
	if x := wgs84.geocentric(90, 0); math.Abs(x[2]-6356752.3142) > 1e-3 { // half the minor axis of WGS 84
		t.Errorf("the pole is at %v", x)
	}
}
