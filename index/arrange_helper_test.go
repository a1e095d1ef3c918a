package index_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/places"
)

// snap is a photo file that says so much of itself.
type snap struct {
	at     string // DateTimeOriginal, as EXIF has it; "": none
	sub    string // SubSecTimeOriginal
	offset string // OffsetTimeOriginal
	digit  string // DateTimeDigitized
	change string // DateTime
	xmp    string // exif:DateTimeOriginal of an XMP packet
	point  *geo.Point
	fix    string // GPS time stamp, as EXIF has the date, a blank and the time
	acc    float64
	datum  string
	void   bool // the receiver says that it had no fix
	camera exif.Camera
	burst  string
	video  string
	people []int
}

func at(lat, lon float64) *geo.Point { return &geo.Point{Lat: lat, Lon: lon} }

// tiffDir is one directory of an EXIF block being built.
type tiffDir []struct {
	tag, typ uint16
	count    uint32
	value    []byte
}

func (d *tiffDir) add(tag, typ uint16, count int, value []byte) {
	*d = append(*d, struct {
		tag, typ uint16
		count    uint32
		value    []byte
	}{tag, typ, uint32(count), value})
}

func (d *tiffDir) text(tag uint16, s string) {
	if s != "" {
		d.add(tag, 2, len(s)+1, append([]byte(s), 0))
	}
}

func (d *tiffDir) rat(tag uint16, v ...uint32) {
	var b []byte
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	d.add(tag, 5, len(v)/2, b)
}

// write appends the directory, which begins at offset base of out.
func (d tiffDir) write(out []byte) []byte {
	slices.SortFunc(d, func(a, b struct {
		tag, typ uint16
		count    uint32
		value    []byte
	}) int {
		return int(a.tag) - int(b.tag)
	})
	out = binary.BigEndian.AppendUint16(out, uint16(len(d)))
	behind := len(out) + 12*len(d) + 4
	var values []byte
	for _, e := range d {
		out = binary.BigEndian.AppendUint16(out, e.tag)
		out = binary.BigEndian.AppendUint16(out, e.typ)
		out = binary.BigEndian.AppendUint32(out, e.count)
		if len(e.value) <= 4 {
			out = append(out, append(slices.Clone(e.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		out = binary.BigEndian.AppendUint32(out, uint32(behind+len(values)))
		values = append(values, e.value...)
	}
	return append(append(out, 0, 0, 0, 0), values...)
}

// appleNote is a maker note with a burst's and a video's id.
func appleNote(burst, video string) []byte {
	var ids tiffDir
	ids.text(0x000b, burst)
	ids.text(0x0011, video)
	return ids.write([]byte("Apple iOS\x00\x00\x01MM"))
}

func degrees(v float64) []uint32 {
	return []uint32{uint32(math.Round(math.Abs(v) * 1e7)), 1e7, 0, 1, 0, 1}
}

// exif is the snap's EXIF block.
func (s snap) exif() []byte {
	var main, sub, gps tiffDir
	main.text(0x010f, s.camera.Make)
	main.text(0x0110, s.camera.Model)
	main.text(0x0132, s.change)
	sub.text(0x9003, s.at)
	sub.text(0x9004, s.digit)
	sub.text(0x9011, s.offset)
	sub.text(0x9291, s.sub)
	sub.text(0xa431, s.camera.Serial)
	if s.burst+s.video != "" {
		note := appleNote(s.burst, s.video)
		sub.add(0x927c, 7, len(note), note)
	}
	if p := s.point; p != nil {
		ns, ew := "N", "E"
		if p.Lat < 0 {
			ns = "S"
		}
		if p.Lon < 0 {
			ew = "W"
		}
		gps.text(1, ns)
		gps.rat(2, degrees(p.Lat)...)
		gps.text(3, ew)
		gps.rat(4, degrees(p.Lon)...)
	}
	if s.fix != "" {
		var h, m, sec uint32
		if _, err := fmt.Sscanf(s.fix[11:], "%d:%d:%d", &h, &m, &sec); err != nil {
			panic(err)
		}
		gps.rat(7, h, 1, m, 1, sec, 1)
		gps.text(0x1d, s.fix[:10])
	}
	if s.void {
		gps.text(9, "V")
	}
	gps.text(0x12, s.datum)
	if s.acc != 0 {
		gps.rat(0x1f, uint32(s.acc*100), 100)
	}
	if len(main)+len(sub)+len(gps) == 0 {
		return nil
	}
	// The pointers have the same length whatever they say: it is laid out twice.
	lay := func(subAt, gpsAt int) (out []byte, a, b int) {
		m := slices.Clone(main)
		m.add(0x8769, 4, 1, binary.BigEndian.AppendUint32(nil, uint32(subAt)))
		m.add(0x8825, 4, 1, binary.BigEndian.AppendUint32(nil, uint32(gpsAt)))
		out = m.write([]byte("MM\x00\x2a\x00\x00\x00\x08"))
		a = len(out)
		out = slices.Clone(sub).write(out)
		b = len(out)
		return slices.Clone(gps).write(out), a, b
	}
	_, a, b := lay(0, 0)
	out, _, _ := lay(a, b)
	return out
}

// file is a JPEG with what the snap says, and a scene of its own.
func (s snap) file(title string) []byte {
	segment := func(body string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2)), body...)
	}
	out := []byte{0xff, 0xd8}
	if e := s.exif(); e != nil {
		out = append(out, segment("Exif\x00\x00"+string(e))...)
	}
	if s.xmp != "" {
		out = append(out, segment("http://ns.adobe.com/xap/1.0/\x00"+
			`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`+
			`<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="`+s.xmp+`"/></rdf:RDF></x:xmpmeta>`)...)
	}
	return append(append(out, 0xff, 0xda), shot(title, s.people...)...)
}

// library are the files of snaps.
type library map[string]snap

func (l library) files(names ...string) *files {
	src := newFiles(nil)
	for name, s := range l {
		if len(names) == 0 || slices.Contains(names, name) {
			src.put(name, s.file(name))
		}
	}
	return src
}

func (l library) names() (out []string) {
	for name := range l {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// atlas knows a few zones and towns, and counts what it is asked.
type atlas struct {
	version string
	rename  func(string) string
	asked   int
}

var towns = []places.Name{
	{ID: "1", Name: "Turku", Region: "Varsinais-Suomi", Country: "FI", Point: geo.Point{Lat: 60.4518, Lon: 22.2666}},
	{ID: "2", Name: "Kamakura", Region: "Kanagawa", Country: "JP", Point: geo.Point{Lat: 35.3192, Lon: 139.5467}},
	{ID: "3", Name: "Ithaca", Region: "New York", Country: "US", Point: geo.Point{Lat: 42.4430, Lon: -76.5019}},
	{ID: "4", Name: "Kiritimati", Region: "Line Islands", Country: "KI", Point: geo.Point{Lat: 1.87, Lon: -157.4}},
}

func (a *atlas) Nearest(p geo.Point) (places.Name, bool) {
	a.asked++
	for _, n := range towns {
		if geo.Distance(n.Point, p) < 50_000 {
			if a.rename != nil {
				n.Name = a.rename(n.Name)
			}
			return n, true
		}
	}
	return places.Name{}, false
}

func (a *atlas) Find(string) []places.Name { return nil }
func (a *atlas) Version() string           { return a.version }

// globe tells zones by longitude, and of Kiritimati.
type globe struct{}

func (globe) Zone(p geo.Point) *time.Location {
	var name string
	switch {
	case p.Lon > 135 && p.Lon < 150:
		name = "Asia/Tokyo"
	case p.Lon > 20 && p.Lon < 30:
		name = "Europe/Helsinki"
	case p.Lon > -80 && p.Lon < -70:
		name = "America/New_York"
	case p.Lon > -160 && p.Lon < -150:
		name = "Pacific/Kiritimati"
	case p.Lon < -175:
		name = "Etc/GMT+12"
	default:
		return nil
	}
	return mustZone(name)
}

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// plugged brings zones and names.
func plugged(cfg index.Config) index.Config {
	cfg.Zones, cfg.Gazetteer = globe{}, &atlas{version: "1"}
	return withDated(cfg)
}

// bare opens an account without consent.
func bare(t testing.TB, cfg index.Config) *index.Account {
	t.Helper()
	return openAt(t, t.TempDir()+"/a.kith", cfg)
}

var noFaces = index.ReindexOptions{NoFaces: true, AllowEmpty: true}

// taken indexes a library without faces.
func taken(t testing.TB, cfg index.Config, l library) *index.Account {
	t.Helper()
	acc := bare(t, cfg)
	reindex(t, acc, l.files(), noFaces)
	return acc
}

// shotOf is when and where the photo at a path was taken.
func shotOf(t cleaner, acc *index.Account, path string) index.Shot {
	t.Helper()
	return must1[index.Shot](t)(acc.Shot(t.Context(), photoOf(t, acc, path).ID))
}

// wantShot compares what a photo's time is and where that comes from: the wall
// clock, the offset, the source of the zone, and that of the reading.
func wantShot(t cleaner, acc *index.Account, path, want string) {
	t.Helper()
	if got := describeTime(shotOf(t, acc, path)); got != want {
		t.Errorf("%s: %s\nwant %s", path, got, want)
	}
}

func describeTime(s index.Shot) string {
	if s.Taken.IsZero() {
		return strings.TrimSpace("unknown " + s.Source)
	}
	out := s.Taken.Wall.Format("2006-01-02 15:04:05.999999")
	if s.Taken.Zone != exif.ZoneNone {
		out += time.Time{}.In(time.FixedZone("", int(s.Taken.Offset.Seconds()))).Format(" -07:00")
	}
	out += fmt.Sprintf(" zone by %s, time by %s", s.Taken.Zone, s.Source)
	if s.Fine != 0 {
		out += ", to " + s.Fine.String()
	}
	if s.Shift != 0 {
		out += ", shifted " + s.Shift.String()
	}
	return out
}

// picture is all that an account tells of when and where, in terms of paths and
// not of ids, so that two accounts can be compared.
func picture(t cleaner, acc *index.Account) []string {
	t.Helper()
	var out []string
	found := must1[index.Found](t)(acc.Find(t.Context(), index.Query{Order: index.OldestFirst, Vanished: index.Include}))
	path := map[index.PhotoID]string{}
	members := map[index.MomentID][]string{}
	at := map[index.PlaceID][]string{}
	for _, h := range found.Hits {
		path[h.Photo] = h.Path
		for _, m := range []index.MomentID{h.Moment, h.Day, h.Trip} {
			if m != "" {
				members[m] = append(members[m], h.Path)
			}
		}
		if h.Place != "" {
			at[h.Place] = append(at[h.Place], h.Path)
		}
		where := "nowhere"
		if w := h.Where; w != nil {
			where = fmt.Sprintf("%.6f,%.6f±%.1f estimated %v %v", w.Lat, w.Lon, w.Accuracy, h.Guessed, h.Near)
		}
		out = append(out, fmt.Sprintf("photo %s: %s at %d, %s, by %v", h.Path, describeTime(h), h.At, where, h.Camera))
	}
	set := func(paths []string) string {
		slices.Sort(paths)
		return strings.Join(paths, " ")
	}
	for _, kind := range []index.MomentKind{index.KindTrip, index.KindDay, index.KindMoment} {
		for _, m := range all(t, acc.Moments(t.Context(), index.MomentQuery{Kind: kind, Order: index.OldestFirst})) {
			spot := "nowhere"
			if s := m.Spot; s != nil {
				spot = fmt.Sprintf("%.5f,%.5f+-%.0f %v", s.Lat, s.Lon, s.Radius, s.Named)
			}
			if len(members[m.ID]) != m.Shots {
				t.Errorf("a %s says that it has %d photos, and %d are in it", kind, m.Shots, len(members[m.ID]))
			}
			if m.Cover != "" && !slices.Contains(members[m.ID], path[m.Cover]) {
				t.Errorf("the cover %q of a %s is none of %v", path[m.Cover], kind, members[m.ID])
			}
			out = append(out, fmt.Sprintf("%s %d..%d, %d..%d, cover %s, %s, place [%s], day [%s], trip [%s]: %s", kind, m.First, m.Last,
				m.At, m.Until, path[m.Cover], spot, set(at[m.Place]), set(slices.Clone(members[m.Day])), set(slices.Clone(members[m.Trip])),
				set(members[m.ID])))
		}
	}
	for _, p := range all(t, acc.Places(t.Context(), index.PlaceQuery{})) {
		out = append(out, fmt.Sprintf("place %s %.5f,%.5f+-%.0f, %d photos on %d days %d..%d, %v: %s", p.Kind, p.Lat, p.Lon, p.Radius,
			p.Shots, p.Days, p.First, p.Last, p.Named, set(at[p.ID])))
	}
	for _, c := range all(t, acc.Cameras(t.Context())) {
		out = append(out, fmt.Sprintf("camera %v %d %d..%d", c.Camera, c.Photos, c.First, c.Last))
	}
	slices.Sort(out)
	return out
}

func wantPicture(t cleaner, what string, acc *index.Account, want []string) {
	t.Helper()
	wantSame(t, what, strings.Join(picture(t, acc), "\n"), strings.Join(want, "\n"))
}

// ids are the ids of moments, days, trips and places by what is in them.
func idsOf(t cleaner, acc *index.Account) map[string]string {
	t.Helper()
	out, in := map[string]string{}, map[string][]string{}
	for _, h := range must1[index.Found](t)(acc.Find(t.Context(), index.Query{Order: index.OldestFirst})).Hits {
		for kind, id := range map[string]string{
			"moment": string(h.Moment), "day": string(h.Day), "trip": string(h.Trip), "place": string(h.Place),
		} {
			if id != "" {
				in[kind+" "+id] = append(in[kind+" "+id], h.Path)
			}
		}
	}
	for id, paths := range in {
		kind, id, _ := strings.Cut(id, " ")
		slices.Sort(paths)
		out[kind+": "+strings.Join(paths, " ")] = id
	}
	return out
}

var (
	mobile = exif.Camera{Make: "Kiiski", Model: "Phone 5", Serial: "P5-77123"}
	slr    = exif.Camera{Make: "Lahna", Model: "K-3", Serial: "K3-40414"}
	other  = exif.Camera{Make: "Siika", Model: "Compact"}
)

// life is half a year at home, a trip with two cameras, and what messengers and
// screens leave behind. n photos are taken at each event.
func life(n int) library {
	l := library{}
	take := func(path string, s snap, day time.Time, minutes int) {
		// No two photos are equally far from the middle of anything.
		when := day.Add(time.Duration(minutes)*time.Minute + time.Duration(7*len(l)%50)*time.Second)
		s.at, s.sub = when.Format("2006:01:02 15:04:05"), fmt.Sprintf("%03d", (len(l)*len(l)*37+11*len(l))%1000)
		l[path] = s
	}
	first := time.Date(2019, 1, 4, 0, 0, 0, 0, time.UTC)
	for week := 0; week < 36; week += 2 {
		day := first.AddDate(0, 0, 7*week)
		if week >= 26 && week <= 28 {
			continue // away
		}
		for i := range n {
			take(fmt.Sprintf("home/%02d-%d.jpg", week, i), snap{
				offset: offsetOf("Europe/Helsinki", day), point: at(60.4518+float64(i)*1e-5, 22.2666+float64(week%3)*1e-5), camera: mobile, acc: 12,
			}, day, 20*60+7*i)
		}
	}
	for d := range 3 {
		day := time.Date(2019, 7, 9+d, 0, 0, 0, 0, time.UTC)
		for i := range n {
			take(fmt.Sprintf("trip/p%d-%d.jpg", d, i), snap{camera: mobile, point: at(35.3192+float64(i)*2e-4, 139.5467), acc: 8}, day, 10*60+11*i)
			take(fmt.Sprintf("trip/s%d-%d.jpg", d, i), snap{camera: slr}, day, 10*60+3+11*i)
		}
		take(fmt.Sprintf("trip/q%d.jpg", d), snap{camera: mobile, offset: "+09:00"}, day, 10*60+5)
	}
	l["WhatsApp/IMG-20190710-WA0003.jpg"] = snap{}
	l["Screenshot_20190711-101500.png"] = snap{}
	l["PXL_20190710_013000123.jpg"] = snap{}
	l["scan.jpg"] = snap{}
	return l
}

func offsetOf(zone string, day time.Time) string { return day.In(mustZone(zone)).Format("-07:00") }
