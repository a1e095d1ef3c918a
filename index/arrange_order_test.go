package index_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
)

// The library that the other tests are about has something of everything: a home,
// a trip, estimates, every kind of zone. Else they would compare nothing.
func TestLifeHasAll(t *testing.T) {
	cfg := plugged(index.Config{})
	acc := taken(t, cfg, life(2))
	text := strings.Join(picture(t, acc), "\n")
	for _, want := range []string{
		"place home 60.45", "{Turku Varsinais-Suomi FI}: home/", "\ntrip 18086..18088", "estimated true {Kamakura Kanagawa JP}",
		"zone by offset", "zone by position", "zone by none", "zone by utc", "time by name, to 24h", "time by modtime",
		"place [home/00-0.jpg", "trip [PXL_",
	} {
		if !strings.Contains("\n"+text, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// A library that grows in steps, in any order, looks as if it had been indexed at
// once, and so does one out of which photos have gone again.
func TestArrangeInAnyOrder(t *testing.T) {
	l := life(1)
	want := picture(t, taken(t, plugged(index.Config{}), l))
	names := l.names()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		order := slices.Clone(names)
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		src, acc := newFiles(nil), bare(t, plugged(index.Config{}))
		for n := range seed % 3 {
			name := fmt.Sprintf("gone/%d.jpg", n)
			src.put(name, snap{
				at: "2019:07:09 10:04:00", offset: "+09:00", point: at(35.32, 139.547), camera: mobile,
			}.file(name))
			order = append(order, name)
		}
		steps := 1 + seed%4
		for step := range steps {
			for _, name := range order[step*len(order)/steps : (step+1)*len(order)/steps] {
				if s, ok := l[name]; ok {
					src.put(name, s.file(name))
				}
			}
			reindex(t, acc, src, noFaces)
		}
		for _, name := range src.names() {
			if strings.HasPrefix(name, "gone/") {
				src.remove(name)
			}
		}
		reindex(t, acc, src, noFaces)
		wantPicture(t, fmt.Sprint("in steps, seed ", seed), acc, want)
	}
}

// Index, one photo after the other, comes to the same as Reindex.
func TestArrangeOneByOne(t *testing.T) {
	l := life(1)
	for name, s := range l {
		if strings.HasPrefix(name, "trip/") {
			s.people = []int{1, 2}
			l[name] = s
		}
	}
	maps.DeleteFunc(l, func(name string, _ snap) bool { return strings.HasPrefix(name, "home/2") })
	src := l.files()
	want := newAccount(t, plugged(index.Config{}))
	reindex(t, want, src, index.ReindexOptions{})
	got := newAccount(t, plugged(index.Config{}))
	for i, name := range l.names() {
		must1[index.Photo](t)(got.Index(t.Context(), src, name))
		if i%9 == 0 {
			_ = picture(t, got) // arranges what there is
		}
	}
	wantPicture(t, "one by one", got, picture(t, want))
}

// What is corrected and undone again, was never corrected.
func TestArrangeUndone(t *testing.T) {
	l := life(1)
	src := l.files()
	acc := bare(t, plugged(index.Config{}))
	reindex(t, acc, src, noFaces)
	want, ids := picture(t, acc), idsOf(t, acc)
	ctx := t.Context()
	id := func(path string) index.PhotoID { return photoOf(t, acc, path).ID }
	var said []index.DecisionID
	say := func(d index.DecisionID, err error) {
		t.Helper()
		must(t, err)
		said = append(said, d)
		if slices.Equal(picture(t, acc), want) {
			t.Error("a correction changes nothing")
		}
	}
	say(acc.CorrectTime(ctx, id("trip/p0-0.jpg"), wall("2018-02-03 04:05:06")))
	say(acc.CorrectTime(ctx, id("trip/p1-0.jpg"), exif.Time{}))
	say(acc.CorrectPlace(ctx, id("trip/p2-0.jpg"), nil))
	say(acc.CorrectPlace(ctx, id("scan.jpg"), &exif.GPS{Lat: 60.4518, Lon: 22.2666}))
	say(acc.CorrectClock(ctx, index.Clock{Camera: slr, By: -7 * time.Hour}))
	say(acc.CorrectClock(ctx, index.Clock{Camera: mobile, From: start.AddDate(-20, 0, 0), By: 25 * time.Hour}))
	src.move("home/04-0.jpg", "IMG_20010101_101112.jpg")
	src.remove("trip/p2-0.jpg")
	reindex(t, acc, src, noFaces)
	for _, d := range said {
		must(t, acc.Undo(ctx, d))
	}
	src.move("IMG_20010101_101112.jpg", "home/04-0.jpg")
	src.put("trip/p2-0.jpg", l["trip/p2-0.jpg"].file("trip/p2-0.jpg"))
	reindex(t, acc, src, noFaces)
	wantPicture(t, "undone", acc, want)
	// What was one with another for a while may have lost its id to that.
	now := idsOf(t, acc)
	for what, id := range ids {
		if strings.Contains(what, "home/") && now[what] != id {
			t.Errorf("the id of %s was %s and is %s", what, id, now[what])
		}
	}
}

// Moments, days, trips and places keep their ids while photos come and go.
func TestArrangeKeepsIDs(t *testing.T) {
	l := life(2)
	src := l.files()
	acc := bare(t, plugged(index.Config{}))
	reindex(t, acc, src, noFaces)
	of := func(path string) [4]string {
		s := shotOf(t, acc, path)
		return [4]string{string(s.Moment), string(s.Day), string(s.Trip), string(s.Place)}
	}
	watched := []string{"trip/p0-0.jpg", "trip/s1-1.jpg", "home/06-0.jpg", "home/20-1.jpg", "WhatsApp/IMG-20190710-WA0003.jpg"}
	before := map[string][4]string{}
	for _, path := range watched {
		before[path] = of(path)
	}
	if before["trip/p0-0.jpg"][2] == "" || before["home/06-0.jpg"][3] == "" {
		t.Fatal("no trip, or no home")
	}
	same := func(when string) {
		t.Helper()
		for path, ids := range before {
			if got := of(path); got != ids {
				t.Errorf("%s: %s is in %v, and was in %v", when, path, got, ids)
			}
		}
	}
	for i := range 5 {
		src.put(fmt.Sprintf("more/%d.jpg", i), snap{
			at: fmt.Sprintf("2019:07:09 10:%02d:33", 2+i), point: at(35.3193, 139.5467), camera: other,
		}.file(fmt.Sprint("more", i)))
		src.put(fmt.Sprintf("more/h%d.jpg", i), snap{
			at: fmt.Sprintf("2019:02:15 20:%02d:33", 2+i), point: at(60.4518, 22.26665), camera: other,
		}.file(fmt.Sprint("more h", i)))
	}
	reindex(t, acc, src, noFaces)
	same("more photos")
	src.remove("trip/p0-1.jpg")
	src.remove("home/06-1.jpg")
	reindex(t, acc, src, noFaces)
	same("fewer photos")
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true, Force: true})
	same("all read anew")
}

// Where a moment splits, the part with most photos stays what it was.
func TestArrangeSplit(t *testing.T) {
	l := library{}
	for i := range 5 {
		l[fmt.Sprintf("morning%d.jpg", i)] = snap{at: fmt.Sprintf("2020:05:05 10:0%d:0%d", i, i), camera: mobile}
	}
	for i := range 3 {
		l[fmt.Sprintf("later%d.jpg", i)] = snap{at: fmt.Sprintf("2020:05:05 10:0%d:1%d", i, i), camera: slr}
	}
	acc := taken(t, withDated(index.Config{}), l)
	all8 := shotOf(t, acc, "morning0.jpg").Moment
	if all8 == "" || shotOf(t, acc, "later2.jpg").Moment != all8 {
		t.Fatal("not one moment")
	}
	d := must1[index.DecisionID](t)(acc.CorrectClock(t.Context(), index.Clock{Camera: slr, By: 12 * time.Hour}))
	if got := shotOf(t, acc, "morning0.jpg").Moment; got != all8 {
		t.Errorf("the larger part is %s, and was in %s", got, all8)
	}
	apart := shotOf(t, acc, "later0.jpg").Moment
	if apart == all8 || apart == "" {
		t.Errorf("the smaller part is %q", apart)
	}
	must(t, acc.Undo(t.Context(), d))
	for name := range l {
		if got := shotOf(t, acc, name).Moment; got != all8 {
			t.Errorf("%s is in %s after they are one again, want %s", name, got, all8)
		}
	}
}
