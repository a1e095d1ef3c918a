package index_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/places"
)

// What was looked up is kept for programs without plug-ins, and still holds when
// photos are added, removed and corrected.
func TestArrangeWithoutPlugins(t *testing.T) {
	path, l := t.TempDir()+"/a.kith", life(1)
	src := l.files()
	acc := openAt(t, path, plugged(index.Config{}))
	reindex(t, acc, src, noFaces)
	want, ids := picture(t, acc), idsOf(t, acc)
	closeChecked(t, acc)

	acc = openAt(t, path, withDated(index.Config{}))
	wantPicture(t, "opened without plug-ins", acc, want)
	src.put("more.jpg", snap{at: "2019:09:20 12:00:00", camera: other}.file("more"))
	reindex(t, acc, src, noFaces)
	src.remove("more.jpg")
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true, Force: true})
	wantPicture(t, "arranged without plug-ins", acc, want)
	// In a cell that was seen before, a new photo has a zone and a name.
	src.put("trip/new.jpg", snap{at: "2019:07:09 10:20:00", point: at(35.3192, 139.5466), camera: other}.file("new"))
	reindex(t, acc, src, noFaces)
	wantShot(t, acc, "trip/new.jpg", "2019-07-09 10:20:00 +09:00 zone by position, time by original")
	if n := shotOf(t, acc, "trip/new.jpg").Near.Name; n != "Kamakura" {
		t.Errorf("a new photo in a known cell is near %q", n)
	}
	// In another it has neither, until somebody brings them.
	src.put("far.jpg", snap{at: "2019:10:09 10:20:00", point: at(42.443, -76.5019), camera: other}.file("far"))
	reindex(t, acc, src, noFaces)
	wantShot(t, acc, "far.jpg", "2019-10-09 10:20:00 zone by none, time by original")
	closeChecked(t, acc)

	acc = openAt(t, path, plugged(index.Config{}))
	wantShot(t, acc, "far.jpg", "2019-10-09 10:20:00 -04:00 zone by position, time by original")
	if n := shotOf(t, acc, "far.jpg").Near.Country; n != "US" {
		t.Errorf("it is in %q", n)
	}
	src.remove("far.jpg")
	src.remove("trip/new.jpg")
	reindex(t, acc, src, noFaces)
	wantPicture(t, "with plug-ins again", acc, want)
	got := idsOf(t, acc)
	for what, id := range ids {
		if strings.HasPrefix(what, "place") || strings.HasPrefix(what, "trip") || strings.Contains(what, "home/") {
			if got[what] != id {
				t.Errorf("the id of %s changed", what)
			}
		}
	}
}

// border is a world of two zones and two towns that meet at a meridian.
type border struct{ lon float64 }

func (b border) Zone(p geo.Point) *time.Location {
	if p.Lon < b.lon {
		return mustZone("Europe/Stockholm")
	}
	return mustZone("Europe/Helsinki")
}

func (b border) Nearest(p geo.Point) (places.Name, bool) {
	if p.Lon < b.lon {
		return places.Name{Name: "Haparanda", Country: "SE"}, true
	}
	return places.Name{Name: "Tornio", Country: "FI"}, true
}

func (border) Find(string) []places.Name { return nil }
func (border) Version() string           { return "border" }

// Near a border a photo has the zone and the name that it had when they were
// looked up, with or without the plug-ins.
func TestArrangeAtBorder(t *testing.T) {
	here := geo.Point{Lat: 65.8481, Lon: 24.1466}
	middle := geo.CellOf(here, geo.Level13).Center()
	b := border{lon: (here.Lon + middle.Lon) / 2}
	if b.Zone(here) == b.Zone(middle) && b.Zone(here).String() == b.Zone(middle).String() {
		t.Fatal("the border does not part the photo from the middle of its cell")
	}
	path := t.TempDir() + "/a.kith"
	l := library{"x.jpg": {at: "2019:07:09 10:00:14", point: &here, camera: mobile}}
	acc := openAt(t, path, withDated(index.Config{Zones: b, Gazetteer: b}))
	reindex(t, acc, l.files(), noFaces)
	want := shotOf(t, acc, "x.jpg")
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{}))
	l["y.jpg"] = snap{at: "2019:08:09 10:00:14", camera: other} // elsewhere, later
	reindex(t, acc, l.files(), noFaces)
	got := shotOf(t, acc, "x.jpg")
	if describeTime(got) != describeTime(want) {
		t.Errorf("without plug-ins it was taken %s, and with them %s", describeTime(got), describeTime(want))
	}
	if got.Near != want.Near {
		t.Errorf("without plug-ins it is near %v, and with them near %v", got.Near, want.Near)
	}
}

// hamlets names every cell of level 17 for itself.
type hamlets struct{ atlas }

func (h *hamlets) Nearest(p geo.Point) (places.Name, bool) {
	return places.Name{Name: strings.ToUpper(time.Duration(geo.CellOf(p, 17)).String()), Country: "FI"}, true
}

// The name of a frequent place is there without the gazetteer as it was with it.
func TestArrangePlaceNames(t *testing.T) {
	path, l := t.TempDir()+"/a.kith", life(1)
	maps.DeleteFunc(l, func(name string, _ snap) bool { return !strings.HasPrefix(name, "home/") })
	acc := openAt(t, path, withDated(index.Config{Gazetteer: &hamlets{}}))
	reindex(t, acc, l.files(), noFaces)
	want := picture(t, acc)
	if len(all(t, acc.Places(t.Context(), index.PlaceQuery{}))) == 0 {
		t.Fatal("no place")
	}
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{}))
	l["y.jpg"] = snap{at: "2020:08:09 10:00:14", camera: other}
	src := l.files()
	reindex(t, acc, src, noFaces)
	src.remove("y.jpg")
	reindex(t, acc, src, noFaces)
	wantPicture(t, "without the gazetteer", acc, want)
}

// Another version of the gazetteer names everything anew, and the same version
// is not asked again.
func TestArrangeAnotherGazetteer(t *testing.T) {
	path, l := t.TempDir()+"/a.kith", life(1)
	acc := openAt(t, path, plugged(index.Config{}))
	reindex(t, acc, l.files(), noFaces)
	want, ids := picture(t, acc), idsOf(t, acc)
	closeChecked(t, acc)

	same := &atlas{version: "1", rename: strings.ToUpper}
	acc = openAt(t, path, withDated(index.Config{Zones: globe{}, Gazetteer: same}))
	wantPicture(t, "the same version", acc, want)
	if same.asked != 0 {
		t.Errorf("nothing has changed, and it was asked %d times", same.asked)
	}
	closeChecked(t, acc)

	acc = openAt(t, path, withDated(index.Config{Gazetteer: &atlas{version: "2", rename: strings.ToUpper}}))
	var renamed []string
	for _, line := range want {
		for _, n := range towns {
			line = strings.ReplaceAll(line, "{"+n.Name+" ", "{"+strings.ToUpper(n.Name)+" ")
		}
		renamed = append(renamed, line)
	}
	wantPicture(t, "another version", acc, renamed)
	if got := idsOf(t, acc); !maps.Equal(got, ids) {
		t.Error("new names changed ids")
	}
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{}))
	wantPicture(t, "no gazetteer", acc, renamed)
	ctx := t.Context()
	if n := must1[index.Found](t)(acc.Find(ctx, index.Query{Countries: []string{"JP"}})).Total; n != 3 {
		t.Errorf("%d photos in Japan, want 3", n)
	}
}

// ownZones has zones of its own making.
type ownZones struct{}

func (ownZones) Zone(geo.Point) *time.Location { return time.FixedZone("Ship's time", 5*3600) }

// A zone that the machine's database does not have is the plug-in's all the same,
// while the plug-in is there.
func TestArrangeOwnZones(t *testing.T) {
	l := library{"x.jpg": {at: "2019:07:09 10:00:14", point: &inTurku, camera: mobile}}
	acc := taken(t, withDated(index.Config{Zones: ownZones{}}), l)
	wantShot(t, acc, "x.jpg", "2019-07-09 10:00:14 +05:00 zone by position, time by original")
	must1[index.DecisionID](t)(acc.CorrectClock(t.Context(), index.Clock{Camera: mobile, By: time.Hour}))
	wantShot(t, acc, "x.jpg", "2019-07-09 11:00:14 +05:00 zone by position, time by original, shifted 1h0m0s")
}
