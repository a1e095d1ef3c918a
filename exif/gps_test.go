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
	signed := newBlock(le).ascii(dirGPS, tagLatRef, "N").ascii(dirGPS, tagLonRef, "E").
		raw(dirGPS, tagLat, 10, 1, []byte{255, 255, 255, 255, 1, 0, 0, 0}).rat(dirGPS, tagLon, 11, 1)
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
		{"swapped references", pos("E", "N", 10, 1, 0, 1, 0, 1, 10, 1, 0, 1, 0, 1), math.NaN(), 0, true},
		{"text", text, math.NaN(), 0, true},
		{"negative", signed, math.NaN(), 0, true},
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

func TestParseXMPDegrees(t *testing.T) {
	for text, want := range map[string]float64{
		"60,27.5N": 60 + 27.5/60, "60,27,30N": 60 + 27.5/60, "60,27.5S": -60 - 27.5/60, "0,0.0N": 0, " 60,27.5N ": 60 + 27.5/60,
	} {
		got, err := parseXMPDegrees(text, 'N', 'S')
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		checkNear(t, text, got, want)
	}
	for _, text := range []string{"", "N", "60N", "60,27.5", "60,27.5E", "60,,N", "1,2,3,4N", "-60,27.5N", "NaN,0N", "1e3,0N", "0x1,0N", "6 0,1N", "55/1 54/1 4074/100"} {
		if got, err := parseXMPDegrees(text, 'N', 'S'); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}
