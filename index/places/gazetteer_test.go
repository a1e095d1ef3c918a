package places

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index/geo"
)

var _ Gazetteer = (*Index)(nil)

// tiny reads the file of tests: well-known places, coordinates and populations
// rounded, with numbers of our own.
func tiny(t testing.TB) *Index {
	t.Helper()
	open := func(name string) io.Reader {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(b)
	}
	x, err := ReadGeoNames(open("tiny.tsv"), open("regions.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	if n, bad := x.Bad(); n != 0 {
		t.Fatalf("bad lines: %v", bad)
	}
	return x
}

func TestNearestIsWhatAPersonWouldSay(t *testing.T) {
	x := tiny(t)
	for _, c := range []struct {
		what     string
		lat, lon float64
		want     string // name, region, country
	}{
		{"the cathedral of Turku, in a quarter", 60.4525, 22.278, "Turku, Southwest Finland, FI"},
		{"the middle of a quarter of Turku", 60.437, 22.278, "Turku, Southwest Finland, FI"},
		{"the middle of a town beside Turku", 60.407, 22.372, "Kaarina, Southwest Finland, FI"},
		{"the island of Ruissalo, between Turku, Raisio and Naantali", 60.43, 22.15, "Turku, Southwest Finland, FI"},
		{"Kallio", 60.184, 24.949, "Helsinki, Uusimaa, FI"},
		{"Espoo", 60.206, 24.656, "Espoo, Uusimaa, FI"},
		{"a suburb within Paris", 48.885, 2.269, "Paris, Île-de-France, FR"},
		{"a town of its own near Paris", 48.804, 2.135, "Versailles, Île-de-France, FR"},
		{"Tornio", 65.848, 24.147, "Tornio, Lapland, FI"},
		{"Haparanda, 1.4 km from Tornio", 65.836, 24.137, "Haparanda, , SE"},
		{"Basel", 47.56, 7.59, "Basel, , CH"},
		{"Weil, 5 km from Basel", 47.593, 7.611, "Weil am Rhein, , DE"},
		{"Saint-Louis, 3 km from Basel", 47.584, 7.565, "Saint-Louis, , FR"},
		{"Windsor, within Detroit's disc", 42.300, -83.017, "Windsor, , CA"},
		{"Detroit", 42.331, -83.046, "Detroit, , US"},
		{"the Vatican, within Rome's disc", 41.902, 12.455, "Vatican City, , VA"},
		{"Prati in Rome, 1.3 km from the Vatican", 41.908, 12.467, "Rome, , IT"},
		{"Taveuni, west of the 180th meridian", -16.78, 179.99, "Waiyevo, , FJ"},
		{"Taveuni, east of it", -16.76, -179.95, "Somosomo, , FJ"},
		{"Åland", 60.1, 19.94, "Mariehamn, , AX"},
		{"30 km from Longyearbyen", 78.0, 16.5, "Longyearbyen, , SJ"},
		{"60 km from Longyearbyen", 77.7, 16.5, ""},
		{"the middle of the Baltic", 59.3, 20.9, ""},
		{"the north pole", 90, 0, ""},
		{"the south pole", -90, 180, ""},
		{"a latitude that is none", 91, 0, ""},
		{"no number", math.NaN(), 0, ""},
	} {
		got, ok := x.Nearest(geo.Point{Lat: c.lat, Lon: c.lon})
		said := fmt.Sprintf("%s, %s, %s", got.Name, got.Region, got.Country)
		if ok != (c.want != "") || ok && said != c.want {
			t.Errorf("%s: %q, %v, want %q", c.what, said, ok, c.want)
		}
	}
}

func TestFindIgnoresCaseAccentsAndHyphens(t *testing.T) {
	x := tiny(t)
	for name, want := range map[string]string{
		"Turku": "1", "TURKU": "1", "åbo": "1 41", "A\u030abo": "1 41", "abo": "41 1", "турку": "1",
		"paris": "16 17", "zurich": "27", "Zürich": "27", "zuerich": "27",
		"lodz": "29", "ŁÓDŹ": "29", "saint louis": "22", "Saint - Louis": "22", "s:t karins": "2",
		"東京": "38", "とうきょう": "38", "reykjavik": "36", "neuilly sur seine": "19", "bale": "20",
		"Kööpenhamina": "30", "kallio": "8", "hel": "6",
		"Koroinen": "", "Aura River": "", "Turk": "", "": "", "-": "", "\xff": "",
	} {
		var got []string
		for _, n := range x.Find(name) {
			got = append(got, n.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %q", name, got, want)
		}
	}
	got := x.Find("Åbo")[0]
	want := Name{ID: "1", Name: "Turku", Region: "Southwest Finland", Country: "FI", Point: geo.Point{Lat: 60.452, Lon: 22.267}, Population: 195000}
	if got != want {
		t.Errorf("Åbo is %+v, want %+v", got, want)
	}
}

// city is a line of a file.
func city(id int, name string, p geo.Point, code, country string, population int) string {
	c := make([]string, 19)
	c[0], c[1], c[2], c[6], c[7], c[8] = fmt.Sprint(id), name, name, "P", code, country
	c[4], c[5], c[14] = fmt.Sprint(p.Lat), fmt.Sprint(p.Lon), fmt.Sprint(population)
	return strings.Join(c, "\t")
}

// TestNearestIsWhatTheRuleSays holds the tree against the rule, over all
// places, one by one; and the order of the lines, which must not matter.
func TestNearestIsWhatTheRuleSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		middle := geo.Point{
			Lat: rapid.SampledFrom([]float64{0, 35.3, 60, 89.9, -90}).Draw(t, "lat"),
			Lon: rapid.SampledFrom([]float64{0, 45, 180, -179.9}).Draw(t, "lon"),
		}
		point := func() geo.Point {
			lon := middle.Lon + r.NormFloat64()
			return geo.Point{Lat: max(-90, min(90, middle.Lat+r.NormFloat64()/2)), Lon: math.Remainder(lon, 360)}
		}
		var lines []string
		for i := range rapid.IntRange(1, 200).Draw(t, "places") {
			p := point()
			if i%10 == 9 {
				p = geo.Point{Lat: 60, Lon: 20} // equals
			}
			lines = append(lines, city(i, fmt.Sprint("n", i), p, []string{"PPL", "PPLX", "PPLA"}[r.IntN(3)],
				[]string{"FI", "SE"}[r.IntN(2)], []int{0, 900, 40_000, 3_000_000}[r.IntN(4)]))
		}
		x, err := ReadGeoNames(strings.NewReader(strings.Join(lines, "\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		y, err := ReadGeoNames(strings.NewReader(strings.Join(lines, "\r\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		if y.Len() != len(lines) {
			t.Fatalf("%d places of %d lines", y.Len(), len(lines))
		}
		for range 30 {
			p := point()
			got, ok := x.Nearest(p)
			if want, wok := byRule(x, p); got != want || ok != wok {
				t.Fatalf("%v: %+v, %v, want %+v", p, got, ok, want)
			}
			if again, _ := y.Nearest(p); again != got {
				t.Fatalf("%v: %+v, in another order %+v", p, got, again)
			}
		}
	})
}

// byRule is Nearest's rule said plainly.
func byRule(x *Index, p geo.Point) (Name, bool) {
	v := vector(p)
	best := func(widest float64, wanted func(*place) bool) int {
		found, score := -1, 0.0
		for i := range x.places {
			c := &x.places[i]
			d := arc(c.at.Sub(v).Norm())
			s := d - min(float64(c.radius), widest)
			if d <= farthest && wanted(c) && (found < 0 || s < score || s == score && x.before(i, found)) {
				found, score = i, s
			}
		}
		return found
	}
	first := best(3000, func(*place) bool { return true })
	if first < 0 {
		return Name{}, false
	}
	country := x.places[first].country
	if i := best(25000, func(c *place) bool { return !c.section && c.country == country }); i >= 0 {
		return x.name(i), true
	}
	return x.name(first), true
}

func TestBadLinesAreReported(t *testing.T) {
	turku := geo.Point{Lat: 60.452, Lon: 22.267}
	good := city(1, "Turku", turku, "PPLA", "FI", 195000)
	with := func(column int, value string) string {
		c := strings.Split(good, "\t")
		c[column] = value
		return strings.Join(c, "\t")
	}
	long := with(3, strings.Repeat("x", maxLine))
	lines := []string{good, "", with(0, "one"), with(0, "-1"), with(4, "90.1"), with(5, "NaN"), with(4, ""), with(8, "fi"), with(8, "FIN"),
		with(14, "-5"), with(14, "99999999999"), with(1, ""), with(1, "a\x00b"), with(3, "a\u0085b"), with(1, "\xff"), good + "\t", "x", long, with(0, "2")}
	x, err := ReadGeoNames(strings.NewReader("\ufeff"+strings.Join(lines, "\n")), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, bad := x.Bad()
	var at []int
	for _, b := range bad {
		at = append(at, b.Line)
		if b.Err == nil || !strings.HasPrefix(b.Error(), fmt.Sprintf("line %d: ", b.Line)) || len(b.Error()) > 120 {
			t.Errorf("line %d: %v", b.Line, b)
		}
	}
	if want := []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}; n != len(want) || !slices.Equal(at, want) {
		t.Errorf("bad lines %v, want %v", at, want)
	}
	if x.Len() != 2 || len(x.Find("turku")) != 2 {
		t.Errorf("%d places", x.Len())
	}

	if _, err := ReadGeoNames(strings.NewReader("a\nb\n"), nil); !errors.Is(err, ErrNoPlaces) || !strings.Contains(err.Error(), "line 1: 1 columns") {
		t.Errorf("no places: %v", err)
	}
	if _, err := ReadGeoNames(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(good))), nil); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := ReadGeoNames(strings.NewReader(good), iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("regions that fail: %v", err)
	}
}

func TestReadingEnds(t *testing.T) {
	lines := 0
	count := func(int, []byte, error) error { lines++; return nil }
	if err := eachLine(strings.NewReader(strings.Repeat("x\n", maxLines)), count); err != nil || lines != maxLines {
		t.Errorf("%d lines: %v", lines, err)
	}
	if err := eachLine(strings.NewReader(strings.Repeat("x\n", maxLines+1)), count); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a line more: %v", err)
	}
	in := &reading{Index: &Index{}, numbers: map[string]int32{}}
	c := strings.Split(city(1, "x", geo.Point{}, "PPL", "FI", 1), "\t")
	for i := range maxOther + 5 {
		c[3] += fmt.Sprintf("%x,", i)
	}
	if err := in.line([]byte(strings.Join(c, "\t"))); err != nil || len(in.names) != 1+maxOther {
		t.Errorf("%d names: %v", len(in.names), err)
	}
	in.names = append(in.names, make([]uint64, maxNames)...)
	if err := in.line([]byte(strings.Join(c, "\t"))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many names: %v", err)
	}
}

// FuzzReadGeoNames holds that no file makes it panic, and that what it read is
// whole: found by its own name, and said for its own point or overtaken.
func FuzzReadGeoNames(f *testing.F) {
	f.Fuzz(func(t *testing.T, cities, regions []byte) {
		x, err := ReadGeoNames(bytes.NewReader(cities), bytes.NewReader(regions))
		if err != nil {
			if x != nil || !errors.Is(err, ErrNoPlaces) {
				t.Fatalf("%v, %v", x, err)
			}
			return
		}
		if n := bytes.Count(cities, []byte("\n")) + 1; x.Len() > n {
			t.Fatalf("%d places of %d lines", x.Len(), n)
		}
		for i := range min(x.Len(), 20) {
			n := x.name(i)
			if got := x.Find(n.Name); fold(n.Name) != "" && !slices.Contains(got, n) {
				t.Fatalf("%+v is not found by its name: %v", n, got)
			}
			got, ok := x.Nearest(n.Point)
			want, wok := byRule(x, n.Point)
			if got != want || !ok || !wok {
				t.Fatalf("at %+v is %+v, by the rule %+v", n, got, want)
			}
		}
	})
}

func TestFoldIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if once := fold(s); fold(once) != once {
			t.Fatalf("%q folds to %q and then to %q", s, once, fold(once))
		}
		if a, b := fold(strings.ToUpper(s)), fold(strings.ToLower(strings.ToUpper(s))); a != b {
			t.Fatalf("%q: %q and %q", s, a, b)
		}
	})
}

func TestWhatDoesNotDecompose(t *testing.T) {
	for r := range rune(0x20000) {
		if p := norm.NFKD.PropertiesString(string(r)); !mayDecompose(r) && (p.Decomposition() != nil || p.CCC() != 0) {
			t.Errorf("%q", r)
		}
		if !mayDecompose(r) && r >= 0x80 && fold(string(r)) != norm.NFKD.String(string(unicode.ToLower(r))) {
			t.Errorf("%q folds to %q", r, fold(string(r)))
		}
	}
}

func TestIndexIsNotChangedByItsUse(t *testing.T) {
	x := tiny(t)
	places, names := slices.Clone(x.places), slices.Clone(x.names)
	x.Find("Paris")[0].Name = "x"
	x.Nearest(geo.Point{Lat: 60, Lon: 22})
	if !reflect.DeepEqual(places, x.places) || !slices.Equal(names, x.names) {
		t.Error("changed")
	}
}
