package exif

import (
	"math"
	"strings"
)

// An ellipsoid, by its half axis in metres and its flattening.
type ellipsoid struct{ a, f float64 }

var (
	bessel1841 = ellipsoid{6377397.155, 1 / 299.1528128} // EPSG 7004
	wgs84      = ellipsoid{6378137, 1 / 298.257223563}   // EPSG 7030
)

// tokyoShift in metres leads from the centre of the Tokyo datum to that of
// WGS 84 (EPSG 15484, "Tokyo to WGS 84 (108)"; from the Geographical Survey
// Institute of Japan, by M. Tobita, J. Geodetic Soc. Japan 43(4), 1997). It is
// 9 m off at most on the main islands, where the two differ by 400 m and more.
var tokyoShift = [3]float64{-146.414, 507.337, 680.507}

// toWGS84 converts degrees of a datum, as GPSMapDatum names it (CIPA DC-008,
// tag 0x0012), to WGS 84. That tag is "WGS-84" nearly always, and "TOKYO" in
// photos of old Japanese devices; the standard knows these two. Others are
// left as they stand, and named. That includes GCJ-02, the offset that
// Chinese maps have: no file is known to declare it, its authority publishes
// no formula, and to guess it from the country would move right positions.
func toWGS84(lat, lon float64, datum string) (wgsLat, wgsLon float64, left string) {
	key := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(datum))
	switch key {
	case "", "WGS84", "WGS1984", "WORLDGEODETICSYSTEM1984", "EPSG4326":
		return lat, lon, ""
	case "TOKYO", "TOKYODATUM", "EPSG4301":
		x := bessel1841.geocentric(lat, lon)
		for i, d := range tokyoShift {
			x[i] += d
		}
		lat, lon = wgs84.geographic(x)
		return lat, lon, ""
	}
	return lat, lon, datum
}

// geocentric gives the point at height 0 in metres from the centre, with the
// axes to 0 N 0 E, 0 N 90 E and the north pole (EPSG Guidance Note 7-2, method 9602).
func (e ellipsoid) geocentric(lat, lon float64) [3]float64 {
	phi, lambda := lat*math.Pi/180, lon*math.Pi/180
	e2 := e.f * (2 - e.f)
	n := e.a / math.Sqrt(1-e2*math.Sin(phi)*math.Sin(phi))
	return [3]float64{n * math.Cos(phi) * math.Cos(lambda), n * math.Cos(phi) * math.Sin(lambda), n * (1 - e2) * math.Sin(phi)}
}

// geographic is the way back, for a point near the surface (the same, by
// Bowring's formula, J. Surv. Rev. 23, 1976: exact to less than a micrometre).
func (e ellipsoid) geographic(x [3]float64) (lat, lon float64) {
	e2 := e.f * (2 - e.f)
	b := e.a * (1 - e.f)
	p := math.Hypot(x[0], x[1])
	q := math.Atan2(x[2]*e.a, p*b)
	sin, cos := math.Sincos(q)
	phi := math.Atan2(x[2]+e2/(1-e2)*b*sin*sin*sin, p-e2*e.a*cos*cos*cos)
	return phi * 180 / math.Pi, math.Atan2(x[1], x[0]) * 180 / math.Pi
}
