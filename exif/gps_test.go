package exif

import (
	"math"
	"testing"
)

func TestGPS(t *testing.T) {
	pos := func(latRef, lonRef string, v ...uint32) *block {
		return newBlock(le).ascii(dirGPS, tagLatRef, latRef).ascii(dirGPS, tagLonRef, lonRef).
			rat(dirGPS, tagLat, v[:6]...).rat(dirGPS, tagLon, v[6:]...)
	}
	unref := newBlock(le).rat(dirGPS, tagLat, 10, 1, 0, 1, 0, 1).rat(dirGPS, tagLon, 10, 1, 0, 1, 0, 1)
	text := newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").
		ascii(dirGPS, tagLat, "52,0,50,0").ascii(dirGPS, tagLon, "11,0,10,0")
	signed := func(ref string, v ...int32) *block {
		var value []byte
		for _, n := range v {
			value = le.AppendUint32(le.AppendUint32(value, uint32(n)), 1)
		}
		return newBlock(le).ascii(dirGPS, tagLatRef, ref).raw(dirGPS, tagLat, 10, uint32(len(v)), value).
			ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLon, 20, 1)
	}
	near := func(status string, seconds uint32) *block {
		b := pos("N", "E", 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1)
		b.dirs[dirGPS] = nil
		return b.ascii(dirGPS, tagLatRef, "S").rat(dirGPS, tagLat, 9, 100000).ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLon, 5, 100000).
			ascii(dirGPS, tagGPSStatus, status).ascii(dirGPS, tagGPSDate, "2023:07:01").rat(dirGPS, tagGPSTime, 12, 1, 0, 1, 1, seconds)
	}
	for _, c := range []struct {
		name     string
		b        *block
		lat, lon float64 // NaN: no position
		fault    bool
	}{
		{"north east", pos("N", "E", 10, 1, 30, 1, 36, 1, 20, 1, 15, 1, 0, 1), 10.51, 20.25, false},
		{"south west", pos("S", "W", 10, 1, 30, 1, 36, 1, 20, 1, 15, 1, 0, 1), -10.51, -20.25, false},
		{"small letters", pos("s ", "w", 10, 1, 30, 1, 36, 1, 20, 1, 15, 1, 0, 1), -10.51, -20.25, false},
		{"decimal minutes", pos("N", "E", 10, 1, 3060, 100, 0, 1, 20, 1, 1500, 100, 0, 1), 10.51, 20.25, false},
		{"degrees only", newBlock(be).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").
			rat(dirGPS, tagLat, 1051, 100).rat(dirGPS, tagLon, 81, 4), 10.51, 20.25, false},
		{"the pole, the date line", pos("S", "W", 90, 1, 0, 1, 0, 1, 180, 1, 0, 1, 0, 1), -90, -180, false},
		{"on the equator", pos("N", "E", 0, 1, 0, 1, 0, 1, 20, 1, 0, 1, 0, 1), 0, 20, false},
		{"null island", pos("N", "E", 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1), math.NaN(), 0, false},
		{"null island, south", pos("S", "W", 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1), math.NaN(), 0, false},
		{"0/0", pos("N", "E", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), math.NaN(), 0, false},
		{"n/0", pos("N", "E", 10, 0, 0, 1, 0, 1, 20, 1, 0, 1, 0, 1), math.NaN(), 0, false},
		{"zeros, no references", pos("", "", 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1), math.NaN(), 0, false},
		{"beyond the pole", pos("N", "E", 90, 1, 0, 1, 1, 1, 20, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"beyond the date line", pos("N", "E", 9, 1, 0, 1, 1, 1, 180, 1, 0, 1, 1, 1), math.NaN(), 0, true},
		{"huge", pos("N", "E", math.MaxUint32, 1, 0, 1, 1, 1, 180, 1, 0, 1, 1, 1), math.NaN(), 0, true},
		{"no references", unref, math.NaN(), 0, true},
		{"wrong references", pos("X", "E", 10, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"words", pos("south", "West ", 10, 1, 30, 1, 36, 1, 20, 1, 15, 1, 0, 1), -10.51, -20.25, false},
		{"another word", pos("Nord", "E", 10, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"two latitudes", pos("N", "S", 10, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"swapped with their letters", pos("W", "N", 20, 1, 15, 1, 0, 1, 10, 1, 30, 1, 36, 1), 10.51, -20.25, true},
		{"swapped under the letters", pos("N", "W", 151, 1, 15, 1, 0, 1, 33, 1, 30, 1, 0, 1), -33.5, 151.25, true},
		{"swapped, and no longitude", pos("N", "E", 151, 1, 0, 1, 0, 1, 95, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"either way possible", pos("N", "E", 80, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), 80, 10, false},
		{"no longitude either way", pos("N", "E", 181, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"noise around zero, no fix", pos("N", "E", 0, 1, 0, 1, 3, 10, 0, 1, 0, 1, 2, 10), math.NaN(), 0, false},
		{"noise around zero, a void fix", near("V", 1), math.NaN(), 0, false},
		{"noise around zero, no time", near("A", 0), math.NaN(), 0, false},
		{"at the buoy on zero", near("A", 1), -0.00009, 0.00005, false},
		{"20 m from zero, no fix", pos("N", "E", 0, 1, 0, 1, 6, 10, 0, 1, 0, 1, 6, 10), 6. / 36000, 6. / 36000, false},
		{"text", text, math.NaN(), 0, true},
		{"a sign and S", signed("S", -10, -30, -36), -10.51, 20, false},
		{"a sign on the degrees and S", signed("s", -10, 30, 36), -10.51, 20, false},
		{"a sign on the minutes and S", signed("S", 0, -30, 36), -0.51, 20, false},
		{"a sign and N", signed("N", -10, 30, 36), 10.51, 20, true},
		{"a sign and no letter", signed("", -10, 30, 36), math.NaN(), 0, true},
		{"a sign within", signed("S", 10, -30, 36), math.NaN(), 0, true},
		{"a sign at the end", signed("S", 10, 0, -36), math.NaN(), 0, true},
		{"latitude only", newBlock(le).ascii(dirGPS, tagLatRef, "N").rat(dirGPS, tagLat, 10, 1), math.NaN(), 0, false},
	} {
		m, err := Decode(c.b.bytes())
		if (err != nil) != c.fault {
			t.Errorf("%s: error %v, want one: %v", c.name, err, c.fault)
		}
		if math.IsNaN(c.lat) {
			if m.GPS != nil {
				t.Errorf("%s: %+v, want no position", c.name, *m.GPS)
			}
			continue
		}
		if m.GPS == nil {
			t.Errorf("%s: no position (%v)", c.name, err)
			continue
		}
		checkNear(t, c.name, m.GPS.Lat, c.lat)
		checkNear(t, c.name, m.GPS.Lon, c.lon)
	}
}

func TestAltitude(t *testing.T) {
	base := func() *block {
		return newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").
			rat(dirGPS, tagLat, 10, 1).rat(dirGPS, tagLon, 10, 1)
	}
	ref := func(b *block, r byte) *block { return b.raw(dirGPS, tagAltRef, typeByte, 1, []byte{r}) }
	nan := math.NaN()
	for _, c := range []struct {
		name string
		b    *block
		want float64
	}{
		{"none", base(), nan},
		{"no reference", base().rat(dirGPS, tagAlt, 2398, 10), 239.8},
		{"above", ref(base().rat(dirGPS, tagAlt, 2398, 10), 0), 239.8},
		{"below", ref(base().rat(dirGPS, tagAlt, 2398, 10), 1), -239.8},
		{"above, EXIF 3", ref(base().rat(dirGPS, tagAlt, 2398, 10), 2), 239.8},
		{"below, EXIF 3", ref(base().rat(dirGPS, tagAlt, 2398, 10), 3), -239.8},
		{"odd reference", ref(base().rat(dirGPS, tagAlt, 2398, 10), 4), nan},
		{"0/0", base().rat(dirGPS, tagAlt, 0, 0), nan},
		{"largest", base().rat(dirGPS, tagAlt, math.MaxUint32, 1), nan},
		{"below twice", ref(base().raw(dirGPS, tagAlt, 10, 1, []byte{255, 255, 255, 255, 1, 0, 0, 0}), 1), -1},
		{"negative, above", ref(base().raw(dirGPS, tagAlt, 10, 1, []byte{255, 255, 255, 255, 1, 0, 0, 0}), 0), -1},
		{"in orbit", base().rat(dirGPS, tagAlt, 420e3, 1), 420e3},
		{"below every sea", ref(base().rat(dirGPS, tagAlt, 12001, 1), 1), nan},
		{"zero, below", ref(base().rat(dirGPS, tagAlt, 0, 1), 1), 0},
		{"not a fraction", base().short(dirGPS, tagAlt, 7), nan},
	} {
		m, _ := Decode(c.b.bytes())
		switch {
		case m.GPS == nil:
			t.Errorf("%s: no position", c.name)
		case math.IsNaN(c.want) != (m.GPS.Alt == nil):
			t.Errorf("%s: altitude known: %v", c.name, m.GPS.Alt != nil)
		case m.GPS.Alt != nil && (*m.GPS.Alt != c.want || math.Signbit(*m.GPS.Alt) != (c.want < 0)):
			t.Errorf("%s: %v, want %v", c.name, *m.GPS.Alt, c.want)
		}
	}
}

// TestAccuracy: of what is no radius, nothing is known.
func TestAccuracy(t *testing.T) {
	for _, c := range []struct {
		name  string
		exif  []uint32 // a fraction
		xmp   string
		want  float64
		fault bool
	}{
		{"none", nil, "", 0, false},
		{"EXIF", []uint32{47, 10}, "", 4.7, false},
		{"EXIF first", []uint32{47, 10}, "65/10", 4.7, false},
		{"XMP", nil, "65/10", 6.5, false},
		{"EXIF has none", []uint32{0, 1}, "65/10", 6.5, false},
		{"0/0", []uint32{0, 0}, "", 0, false},
		{"a cell of a network", []uint32{25000, 1}, "", 25000, false},
		{"half a continent", []uint32{1e6, 1}, "", 0, false},
		{"largest", []uint32{math.MaxUint32, 1}, "", 0, false},
		{"negative in XMP", nil, "-5", 0, false},
	} {
		b := newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLat, 10, 1).rat(dirGPS, tagLon, 10, 1)
		if c.exif != nil {
			b.rat(dirGPS, tagAccuracy, c.exif...)
		}
		for where, want := range map[string]float64{"10,0.0": c.want, "10,0.1": math.NaN()} {
			x := packet(`exif:GPSLatitude="`+where+`N" exif:GPSLongitude="10,0.0E" exif:GPSHPositioningError="`+c.xmp+`"`, "")
			m, err := Decode(jpegFile(exifSegment(b.bytes()), xmpSegment(x)))
			if math.IsNaN(want) { // XMP speaks of another place
				if want = c.want; c.exif == nil || c.exif[0] == 0 {
					want = 0
				}
			}
			if m.GPS == nil || m.GPS.Accuracy != want || err != nil {
				t.Errorf("%s: %+v, %v, want %v", c.name, m.GPS, err, want)
			}
		}
	}
	b := newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLat, 10, 1).rat(dirGPS, tagLon, 10, 1)
	m, err := Decode(b.raw(dirGPS, tagAccuracy, 10, 1, []byte{255, 255, 255, 255, 1, 0, 0, 0}).bytes())
	if err != nil || m.GPS == nil || m.GPS.Accuracy != 0 {
		t.Errorf("negative: %+v, %v", m.GPS, err)
	}
}

// TestVoidFix: the last position of a receiver without a fix is kept and marked.
func TestVoidFix(t *testing.T) {
	for status, stale := range map[string]bool{"V": true, "v ": true, "A": false, "": false, "X": false} {
		b := newBlock(be).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").rat(dirGPS, tagLat, 10, 1).rat(dirGPS, tagLon, 10, 1)
		m, err := Decode(b.ascii(dirGPS, tagGPSStatus, status).bytes())
		if err != nil || m.GPS == nil || *m.GPS != (GPS{Lat: 10, Lon: 10, Stale: stale}) {
			t.Errorf("%q: %+v, %v", status, m.GPS, err)
		}
		m, err = Decode(jpegFile(xmpSegment(packet(`exif:GPSLatitude="10,0.0N" exif:GPSLongitude="10,0.0E" exif:GPSStatus="`+status+`"`, ""))))
		if err != nil || m.GPS == nil || *m.GPS != (GPS{Lat: 10, Lon: 10, Stale: stale}) {
			t.Errorf("%q in XMP: %+v, %v", status, m.GPS, err)
		}
	}
}

func TestParseXMPDegrees(t *testing.T) {
	for text, want := range map[string]coordinate{
		"60,27.5N": {degrees: 60 + 27.5/60}, "60,27,30N": {degrees: 60 + 27.5/60}, " 60,27.5n ": {degrees: 60 + 27.5/60}, "0,0.0N": {},
		"60,27.5S": {degrees: 60 + 27.5/60, minus: true}, "60,27.5E": {degrees: 60 + 27.5/60, east: true}, "60,27.5w": {degrees: 60 + 27.5/60, east: true, minus: true},
	} {
		got, err := parseXMPDegrees(text)
		if err != nil || got.east != want.east || got.minus != want.minus {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		checkNear(t, text, got.degrees, want.degrees)
	}
	for _, text := range []string{"", "N", "60N", "60,27.5", "60,27.5X", "60,,N", "1,2,3,4N", "-60,27.5N", "NaN,0N", "1e3,0N", "0x1,0N", "6 0,1N", "60,27.5\u00a0", "55/1 54/1 4074/100"} {
		if got, err := parseXMPDegrees(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}
