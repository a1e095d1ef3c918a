package places

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kith-photos/kith/index/geo"
)

// Limits of what is read. cities500.txt has some 200,000 lines; its longest
// column is of 10,000 characters.
const (
	maxLine  = 64 << 10
	maxLines = 1_000_000
	maxNames = 8_000_000  // of all places together
	maxOther = 1000       // other names of one place; the rest are left out
	maxText  = 256 << 20  // bytes of names of all places together
	maxWord  = 200 * 4    // bytes of one name
	maxBad   = 100        // bad lines of which the error is kept
	maxID    = 1<<53 - 1  // so that it is exact in JSON too
	maxCrowd = 50_000_000 // people in one place
)

// ErrTooLarge is the error of a file with more than a million lines or eight
// million names: it is not one of GeoNames' files of cities.
var ErrTooLarge = errors.New("places: too large for a list of cities")

// ErrNoPlaces is the error of a file in which no line is a populated place.
var ErrNoPlaces = errors.New("places: no populated place in it")

// LineError is what is wrong with one line of a file.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e LineError) Unwrap() error { return e.Err }

// ReadGeoNames reads places in the format of GeoNames' extracts
// (download.geonames.org/export/dump, the table "geoname" in its readme):
// cities500.txt and its like, or a country's file, unpacked. The data are
// licensed CC BY 4.0, which asks whoever shows them to name GeoNames: that is
// the host's to do.
//
// Each line has 19 columns with tabs between, of which these are used: 1
// geonameid, 2 name, 3 asciiname, 4 alternatenames (commas between), 5
// latitude, 6 longitude, 7 feature class, 8 feature code, 9 country code, 11
// admin1 code, 15 population. Only lines of feature class P (populated places)
// become places, without those that are no more (PPLH, PPLQ, PPLW).
//
// The codes of column 11 are named by regions, a file like
// admin1CodesASCII.txt (columns: country code, point and admin1 code; name); it
// may be nil, and no region has a name then.
//
// A line that cannot be read is left out, see [Index.Bad]. It is an error if a
// reader fails, if there is too much ([ErrTooLarge]) or nothing ([ErrNoPlaces]).
func ReadGeoNames(cities, regions io.Reader) (*Index, error) {
	x := &Index{}
	named, err := readRegions(regions)
	if err != nil {
		return nil, fmt.Errorf("regions: %w", err)
	}
	in := &reading{Index: x, named: named, numbers: map[string]int32{}}
	err = eachLine(cities, func(n int, line []byte, bad error) error {
		if bad == nil {
			bad = in.line(line)
		}
		if errors.Is(bad, ErrTooLarge) {
			return bad
		}
		if bad != nil {
			if x.badAll++; len(x.bad) < maxBad {
				x.bad = append(x.bad, LineError{n, bad})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cities: %w", err)
	}
	if len(x.places) == 0 {
		err := ErrNoPlaces
		if len(x.bad) > 0 {
			err = fmt.Errorf("%w: %w", err, x.bad[0])
		}
		return nil, fmt.Errorf("cities: %w", err)
	}
	x.arrange()
	return x, nil
}

// Bad are the lines of the file of cities that could not be read: how many,
// and the first hundred of them.
func (x *Index) Bad() (n int, first []LineError) { return x.badAll, slices.Clone(x.bad) }

// eachLine calls do for each line that is not empty, or with what is wrong
// with it.
func eachLine(r io.Reader, do func(n int, line []byte, bad error) error) error {
	in := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		var bad error
		for errors.Is(err, bufio.ErrBufferFull) {
			bad, line = fmt.Errorf("longer than %d bytes", maxLine), nil
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", n, err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if n > maxLines && (len(line) > 0 || bad != nil) {
			return ErrTooLarge
		}
		if bad == nil && !printable(line) {
			bad = errors.New("not UTF-8, or control characters in it")
		}
		if len(line) > 0 || bad != nil {
			if e := do(n, line, bad); e != nil {
				return e
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readRegions reads names of regions by their codes. Lines that are not in
// that form are left out: a region without a name is shown without.
func readRegions(r io.Reader) (map[string]string, error) {
	named := map[string]string{}
	if r == nil {
		return named, nil
	}
	err := eachLine(r, func(_ int, line []byte, bad error) error {
		columns := strings.SplitN(string(line), "\t", 3)
		if bad == nil && len(columns) > 1 && checkName(columns[1]) == nil && len(columns[0]) <= 32 {
			if len(named) > maxLines/10 {
				return ErrTooLarge
			}
			named[columns[0]] = columns[1]
		}
		return nil
	})
	return named, err
}

// reading is an index while it is read.
type reading struct {
	*Index
	named   map[string]string // names of regions by their codes
	numbers map[string]int32  // their places in Index.regions
	folder  folder
}

// line takes in one place.
func (x *reading) line(line []byte) error {
	c := strings.Split(string(line), "\t")
	if len(c) != 19 {
		return fmt.Errorf("%d columns, not 19", len(c))
	}
	class, code := c[6], c[7]
	if class != "P" || code == "PPLH" || code == "PPLQ" || code == "PPLW" {
		return nil
	}
	p, err := parsePlace(c)
	if err != nil {
		return err
	}
	region := x.named[c[8]+"."+c[10]]
	number, ok := x.numbers[region]
	if !ok {
		number = int32(len(x.regions))
		x.numbers[region] = number
		x.regions = append(x.regions, region)
	}
	p.region = number
	others := strings.Split(c[3], ",")
	return x.add(p, c[1], append(others[:min(len(others), maxOther)], c[2]))
}

// parsePlace reads the numbers in the columns of a line.
func parsePlace(c []string) (p place, err error) {
	if p.id, err = strconv.ParseUint(c[0], 10, 64); err != nil || p.id > maxID {
		return p, fmt.Errorf("geonameid %.20q is not a number", c[0])
	}
	lat, e1 := strconv.ParseFloat(c[4], 64)
	lon, e2 := strconv.ParseFloat(c[5], 64)
	at := geo.Point{Lat: lat, Lon: lon}
	if e1 != nil || e2 != nil || !at.Valid() {
		return p, fmt.Errorf("%.20q, %.20q is not a latitude and a longitude", c[4], c[5])
	}
	p.point, p.at = at, vector(at)
	if c[14] != "" {
		n, err := strconv.ParseUint(c[14], 10, 32)
		if err != nil || n > maxCrowd {
			return p, fmt.Errorf("population %.20q", c[14])
		}
		p.population = uint32(n)
	}
	if country := c[8]; country != "" {
		if len(country) != 2 || country[0] < 'A' || country[0] > 'Z' || country[1] < 'A' || country[1] > 'Z' {
			return p, fmt.Errorf("country %.20q is not of two capital letters", country)
		}
		copy(p.country[:], country)
	}
	p.section = c[7] == "PPLX"
	p.radius = discOf(p.population)
	return p, nil
}

// add keeps a place and its names; of the others, those that can be names.
func (x *reading) add(p place, name string, others []string) error {
	if err := checkName(name); err != nil {
		return err
	}
	start, own, i := len(x.text), len(x.names), uint64(len(x.places))
	x.text = append(x.text, name...)
	x.names = append(x.names, uint64(hash(x.folder.fold(name)))<<32|i)
	for _, other := range others {
		if checkName(other) != nil || other == name {
			continue
		}
		if key := uint64(hash(x.folder.fold(other)))<<32 | i; !slices.Contains(x.names[own:], key) {
			x.names = append(x.names, key)
		}
		x.text = append(append(x.text, separator...), other...)
	}
	if len(x.names) > maxNames || len(x.text) > maxText || len(x.places) >= maxLines {
		return ErrTooLarge
	}
	p.text, p.length = uint32(start), uint32(len(x.text)-start)
	x.places = append(x.places, p)
	return nil
}

// checkName refuses what is no name.
func checkName(s string) error {
	if s == "" || len(s) > maxWord {
		return fmt.Errorf("a name of %d bytes", len(s))
	}
	return nil
}

// printable reports whether a line is UTF-8 without control characters but tabs:
// names are shown in terminals.
func printable(line []byte) bool {
	for i, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f || c == 0xc2 && i+1 < len(line) && line[i+1] < 0xa0 {
			return false
		}
	}
	return utf8.Valid(line)
}

// arrange puts the places in the order of S2's curve and builds the tree.
func (x *Index) arrange() {
	type key struct {
		cell geo.Cell
		id   uint64
		was  uint32
	}
	keys := make([]key, len(x.places))
	for i, p := range x.places {
		keys[i] = key{geo.CellOf(p.point, 30), p.id, uint32(i)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		switch {
		case a.cell != b.cell && a.cell < b.cell, a.cell == b.cell && a.id < b.id:
			return -1
		case a.cell == b.cell && a.id == b.id:
			return int(a.was) - int(b.was)
		}
		return 1
	})
	now := make([]uint32, len(keys))
	places := make([]place, len(keys))
	for i, k := range keys {
		now[k.was], places[i] = uint32(i), x.places[k.was]
	}
	x.places = places
	for i, n := range x.names {
		x.names[i] = n&^math.MaxUint32 | uint64(now[uint32(n)])
	}
	slices.Sort(x.names)
	x.names = slices.Clip(x.names)
	x.text, x.regions = slices.Clip(x.text), slices.Clip(x.regions)
	x.grow(0, 0, len(x.places))
}

func (x *Index) name(i int) Name {
	p := &x.places[i]
	n := Name{ID: strconv.FormatUint(p.id, 10), Name: x.called(i)[0], Region: x.regions[p.region],
		Point: p.point, Population: int(p.population)}
	if p.country[0] != 0 {
		n.Country = string(p.country[:])
	}
	return n
}
