package zones

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/ringsaturn/tzf"
	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index/geo"
)

// shared is read once: reading the borders is most of what these tests cost.
var shared = sync.OnceValues(New)

func zones(t testing.TB) *Zones {
	t.Helper()
	if testing.Short() {
		t.Skip("short: reading the borders takes seconds with the race detector")
	}
	z, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestPlaces holds zones against zone.tab of the tz database and against what
// is known of borders, seas and poles.
func TestPlaces(t *testing.T) {
	z := zones(t)
	for _, c := range []struct {
		where    string
		lat, lon float64
		want     string
	}{
		{"Turku", 60.4518, 22.2666, "Europe/Helsinki"},
		{"Mariehamn", 60.0973, 19.9348, "Europe/Mariehamn"},
		{"Stockholm", 59.3293, 18.0686, "Europe/Stockholm"},
		{"Berlin", 52.52, 13.405, "Europe/Berlin"},
		{"London", 51.5074, -0.1278, "Europe/London"},
		{"Lisbon", 38.7223, -9.1393, "Europe/Lisbon"},
		{"Funchal", 32.6669, -16.9241, "Atlantic/Madeira"},
		{"Ponta Delgada", 37.7412, -25.6756, "Atlantic/Azores"},
		{"Reykjavík", 64.1466, -21.9426, "Atlantic/Reykjavik"},
		{"Istanbul", 41.0082, 28.9784, "Europe/Istanbul"},
		{"Kaliningrad", 54.7104, 20.4522, "Europe/Kaliningrad"},
		{"Novosibirsk", 55.0084, 82.9357, "Asia/Novosibirsk"},
		{"Dubai", 25.2048, 55.2708, "Asia/Dubai"},
		{"Mumbai", 19.076, 72.8777, "Asia/Kolkata"},
		{"Kathmandu", 27.7172, 85.324, "Asia/Kathmandu"},
		{"Beijing", 39.9042, 116.4074, "Asia/Shanghai"},
		{"Tokyo", 35.6762, 139.6503, "Asia/Tokyo"},
		{"Singapore", 1.3521, 103.8198, "Asia/Singapore"},
		{"Sydney", -33.8688, 151.2093, "Australia/Sydney"},
		{"Adelaide", -34.9285, 138.6007, "Australia/Adelaide"},
		{"Eucla", -31.6772, 128.8847, "Australia/Eucla"},
		{"Lord Howe Island", -31.5553, 159.0821, "Australia/Lord_Howe"},
		{"Auckland", -36.8485, 174.7633, "Pacific/Auckland"},
		{"Chatham Islands", -43.9505, -176.5597, "Pacific/Chatham"},
		{"Suva", -18.1248, 178.4501, "Pacific/Fiji"},
		{"Honolulu", 21.3069, -157.8583, "Pacific/Honolulu"},
		{"Los Angeles", 34.0522, -118.2437, "America/Los_Angeles"},
		{"Phoenix", 33.4484, -112.074, "America/Phoenix"},
		{"New York", 40.7128, -74.006, "America/New_York"},
		{"St. John's", 47.5615, -52.7126, "America/St_Johns"},
		{"São Paulo", -23.5505, -46.6333, "America/Sao_Paulo"},
		{"Nuuk", 64.1814, -51.6941, "America/Nuuk"},
		{"Cape Town", -33.9249, 18.4241, "Africa/Johannesburg"},
		{"Casablanca", 33.5731, -7.5898, "Africa/Casablanca"},

		{"Haparanda, west of the border", 65.835, 24.12, "Europe/Stockholm"},
		{"Tornio, east of it", 65.848, 24.16, "Europe/Helsinki"},
		{"Badajoz", 38.8794, -6.9707, "Europe/Madrid"},
		{"Elvas, 10 km away", 38.8815, -7.1636, "Europe/Lisbon"},
		{"Blagoveshchensk", 50.2907, 127.5272, "Asia/Yakutsk"},
		{"Heihe, across the river", 50.2403, 127.4886, "Asia/Shanghai"},

		{"west of the 180th meridian on Taveuni", -16.85, 179.97, "Pacific/Fiji"},
		{"east of it", -16.85, -179.97, "Pacific/Fiji"},
		{"the Atlantic", 0, -30, "Etc/GMT+2"},
		{"the Pacific, west of the date line", 10, 179, "Etc/GMT-12"},
		{"the Pacific, east of it", 10, -179, "Etc/GMT+12"},
		{"the meridian itself", 0, 180, "Etc/GMT-12"},
		{"the meridian itself, from the east", 0, -180, "Etc/GMT+12"},
		{"the South Pole", -90, 0, "Antarctica/McMurdo"},
		{"the South Pole, from elsewhere", -90, 100, "Antarctica/McMurdo"},
		{"nowhere", 91, 0, ""},
		{"not a number", math.NaN(), 0, ""},
	} {
		p := geo.Point{Lat: c.lat, Lon: c.lon}
		if got := z.Name(p); got != c.want {
			t.Errorf("%s: %q, want %q", c.where, got, c.want)
		}
		l := z.Zone(p)
		if (l == nil) != (c.want == "") || l != nil && l.String() != c.want {
			t.Errorf("%s: the rules of %v", c.where, l)
		}
	}
}

// TestRules holds offsets against the tz database.
func TestRules(t *testing.T) {
	z := zones(t)
	for _, c := range []struct {
		p    geo.Point
		at   time.Time
		want float64 // hours
	}{
		{geo.Point{Lat: 60.45, Lon: 22.27}, time.Date(2023, 7, 4, 0, 0, 0, 0, time.UTC), 3},
		{geo.Point{Lat: 60.45, Lon: 22.27}, time.Date(2023, 12, 4, 0, 0, 0, 0, time.UTC), 2},
		{geo.Point{Lat: 27.7172, Lon: 85.324}, time.Date(2023, 7, 4, 0, 0, 0, 0, time.UTC), 5.75},
		{geo.Point{Lat: -31.5553, Lon: 159.0821}, time.Date(2023, 1, 4, 0, 0, 0, 0, time.UTC), 11},
		{geo.Point{Lat: 41.0082, Lon: 28.9784}, time.Date(2015, 12, 4, 0, 0, 0, 0, time.UTC), 2},
		{geo.Point{Lat: 41.0082, Lon: 28.9784}, time.Date(2017, 12, 4, 0, 0, 0, 0, time.UTC), 3},
		{geo.Point{Lat: 0, Lon: -30}, time.Date(2023, 7, 4, 0, 0, 0, 0, time.UTC), -2},
	} {
		if _, offset := c.at.In(z.Zone(c.p)).Zone(); float64(offset) != c.want*3600 {
			t.Errorf("%v on %s: %d s", c.p, c.at.Format(time.DateOnly), offset)
		}
	}
}

// TestEverywhereHasAZone looks at any position.
func TestEverywhereHasAZone(t *testing.T) {
	z := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.SampledFrom([]float64{-90, -85.0511, 0, 85.0511, 90})
		p := geo.Point{
			Lat: rapid.OneOf(rapid.Float64Range(-90, 90), edge).Draw(t, "lat"),
			Lon: rapid.OneOf(rapid.Float64Range(-180, 180), rapid.SampledFrom([]float64{-180, 0, 180})).Draw(t, "lon"),
		}
		if got := z.Zone(p); got == nil || got.String() != z.Name(p) {
			t.Fatalf("%v: %v, of %q", p, got, z.Name(p))
		}
	})
}

// drawn are borders for tests: Turku's zone in the east, one without rules in
// the west, and a fault in the south.
type drawn struct{ tzf.F }

func (drawn) GetTimezoneName(lon, lat float64) string {
	switch {
	case lat < 0:
		panic("south")
	case lon < 0:
		return "Nowhere/Land"
	}
	return "Europe/Helsinki"
}

// TestSeveralAtOnce holds that lookups may run side by side, that rules are
// read once, and that what is missing or breaks gives no zone.
func TestSeveralAtOnce(t *testing.T) {
	z := &Zones{finder: drawn{}}
	var all sync.WaitGroup
	got := make([]*time.Location, 16)
	for i := range got {
		all.Go(func() {
			for range 100 {
				got[i] = z.Zone(geo.Point{Lat: 60, Lon: 22})
				if l := z.Zone(geo.Point{Lat: 60, Lon: -22}); l != nil {
					t.Errorf("rules of nowhere: %v", l)
				}
				if l := z.Zone(geo.Point{Lat: -60, Lon: 22}); l != nil {
					t.Errorf("zone of a fault: %v", l)
				}
			}
		})
	}
	all.Wait()
	for _, l := range got {
		if l == nil || l != got[0] {
			t.Errorf("%p and %p of %v", l, got[0], l)
		}
	}
}
