package index_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
)

// secretTrip are photos at a place where no other is, by a camera that took no
// other, two with a position and one between them.
func secretTrip() (library, marks) {
	secret := exif.Camera{Make: "Quagmire", Model: "Xylophon 9", Serial: "SN-ZZ-8812"}
	l := library{}
	for i, lat := range []float64{42.4437291, 0, 42.4462917} {
		s := snap{at: fmt.Sprintf("2019:10:20 11:0%d:0%d", i, i), camera: secret}
		if lat != 0 {
			s.point = at(lat, -76.5018123)
		}
		l[fmt.Sprintf("secret/%d.jpg", i)] = s
	}
	m := marks{
		"the latitude": []byte("42.443"), "the other latitude": []byte("42.446"), "the longitude": []byte("76.5018123"),
		"the cell":  fmt.Append(nil, uint64(geo.CellOf(geo.Point{Lat: 42.4437291, Lon: -76.5018123}, geo.Level13))),
		"the zone":  []byte("America/New_York"),
		"the place": []byte("Ithaca"), "the region": []byte(`"New York"`),
	}
	for _, s := range []string{secret.Make, secret.Model, secret.Serial} {
		m.text(s)
	}
	return l, m
}

// Of erased photos nothing is left of where, when and by what they were taken,
// in moments, places, cells and cameras neither.
func TestArrangeErased(t *testing.T) {
	for _, restricted := range []bool{false, true} {
		t.Run(fmt.Sprintf("restricted %v", restricted), func(t *testing.T) {
			dir, ctx, l := t.TempDir(), t.Context(), life(1)
			acc := openAt(t, filepath.Join(dir, "a.kith"), plugged(index.Config{}))
			src := l.files()
			reindex(t, acc, src, noFaces)
			want := picture(t, acc)
			secret, m := secretTrip()
			for name, s := range secret {
				src.put(name, s.file(name))
			}
			reindex(t, acc, src, noFaces)
			m.wantAll(t, "while it is there", dir)
			if !shotOf(t, acc, "secret/1.jpg").Guessed {
				t.Fatal("nothing is estimated")
			}
			if restricted {
				must1[index.AuditEntry](t)(acc.Restrict(ctx))
			}
			ids := []index.PhotoID{photoOf(t, acc, "secret/0.jpg").ID, photoOf(t, acc, "secret/2.jpg").ID}
			must1[index.Receipt](t)(acc.ErasePhotos(ctx, ids...))
			wantWhere(t, acc, "secret/1.jpg", nil, false) // which also arranges, unless it is restricted
			// The third one is still there, with its camera, and nobody knows where.
			places := marks{}
			for what, b := range m {
				if strings.HasPrefix(what, "the ") {
					places[what] = b
				}
			}
			places.wantNone(t, "erased", dir)
			must1[index.Receipt](t)(acc.ErasePhotos(ctx, photoOf(t, acc, "secret/1.jpg").ID))
			m.wantNone(t, "all erased", dir)
			if restricted {
				must1[index.AuditEntry](t)(acc.Unrestrict(ctx))
			}
			wantPicture(t, "erased", acc, want)
		})
	}
}

// In a restricted account nothing is arranged anew. What is left of a moment, a
// place or a day after an erasure is true all the same.
func TestArrangeErasedWhileRestricted(t *testing.T) {
	ctx, l := t.Context(), life(2)
	path := t.TempDir() + "/a.kith"
	acc := openAt(t, path, plugged(index.Config{}))
	reindex(t, acc, l.files(), noFaces)
	must1[index.AuditEntry](t)(acc.Restrict(ctx))
	var ids []index.PhotoID
	for _, name := range []string{"home/00-0.jpg", "home/00-1.jpg", "home/06-0.jpg", "home/34-0.jpg", "home/34-1.jpg", "trip/p0-0.jpg", "trip/q1.jpg"} {
		ids = append(ids, photoOf(t, acc, name).ID)
	}
	must1[index.Receipt](t)(acc.ErasePhotos(ctx, ids...))
	look := func(when string) {
		t.Helper()
		shots := map[index.MomentID][]index.Shot{}
		for _, s := range must1[index.Found](t)(acc.Find(ctx, index.Query{})).Hits {
			for _, m := range []index.MomentID{s.Moment, s.Day, s.Trip} {
				if m != "" {
					shots[m] = append(shots[m], s)
				}
			}
		}
		for _, kind := range []index.MomentKind{index.KindMoment, index.KindDay, index.KindTrip} {
			for _, m := range all(t, acc.Moments(ctx, index.MomentQuery{Kind: kind})) {
				in := shots[m.ID]
				delete(shots, m.ID)
				if len(in) != m.Shots {
					t.Errorf("%s: a %s of %d photos has %d", when, kind, m.Shots, len(in))
					continue
				}
				first := slices.MinFunc(in, func(a, b index.Shot) int { return int((a.At - b.At) / 1000) })
				last := slices.MaxFunc(in, func(a, b index.Shot) int { return int((a.At - b.At) / 1000) })
				if m.At != first.At || m.Until != last.At {
					t.Errorf("%s: a %s from %d to %d, its photos are from %d to %d", when, kind, m.At, m.Until, first.At, last.At)
				}
				if m.Cover != "" && !slices.ContainsFunc(in, func(s index.Shot) bool { return s.Photo == m.Cover }) {
					t.Errorf("%s: the cover of a %s is none of its photos", when, kind)
				}
			}
		}
		if len(shots) > 0 {
			t.Errorf("%s: photos are in moments that are none: %v", when, shots)
		}
		for _, p := range all(t, acc.Places(ctx, index.PlaceQuery{})) {
			if geo.Distance(geo.Point{Lat: p.Lat, Lon: p.Lon}, inTurku) > 1000 {
				t.Errorf("%s: a place of photos at home is at %v, %v", when, p.Lat, p.Lon)
			}
			if n := must1[index.Found](t)(acc.Find(ctx, index.Query{Places: []index.PlaceID{p.ID}})).Total; p.Shots != n {
				t.Errorf("%s: a place says that it has %d photos, and has %d", when, p.Shots, n)
			}
		}
		must(t, validate(t, schemaOf(t), exportText(t, acc, index.ExportOptions{})))
	}
	look("restricted")
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{ReadOnly: true}))
	look("read only")
	closeChecked(t, acc)
	acc = openAt(t, path, withDated(index.Config{}))
	must1[index.AuditEntry](t)(acc.Unrestrict(ctx))
	look("unrestricted")
}

// Withdrawn consent takes the people out of moments, and nothing else.
func TestArrangeConsentWithdrawn(t *testing.T) {
	ctx, l := t.Context(), life(1)
	n := 0
	for name, s := range l {
		if strings.HasPrefix(name, "trip/") || strings.HasPrefix(name, "home/1") {
			s.people = []int{1, 2}
			l[name] = s
			n++
		}
	}
	acc := newAccount(t, plugged(index.Config{}))
	reindex(t, acc, l.files(), index.ReindexOptions{})
	people := 0
	for _, m := range all(t, acc.Moments(ctx, index.MomentQuery{})) {
		people += len(m.People)
	}
	if people == 0 || len(must1[[]index.Pair](t)(acc.Together(ctx, "", 0))) == 0 {
		t.Fatal("nobody is in any moment, or with nobody")
	}
	ids := idsOf(t, acc)
	must1[index.Receipt](t)(acc.WithdrawConsent(ctx, index.Consent{By: "anna", Version: "1", Means: "test"}, false))
	for _, kind := range []index.MomentKind{index.KindMoment, index.KindDay, index.KindTrip} {
		for _, m := range all(t, acc.Moments(ctx, index.MomentQuery{Kind: kind})) {
			if len(m.People) > 0 {
				t.Errorf("%v are in a %s", m.People, kind)
			}
		}
	}
	if p := must1[[]index.Pair](t)(acc.Together(ctx, "", 0)); len(p) > 0 {
		t.Errorf("together: %v", p)
	}
	wantPicture(t, "without consent", acc, picture(t, taken(t, plugged(index.Config{}), l)))
	got := idsOf(t, acc)
	for what, id := range ids {
		if got[what] != id {
			t.Errorf("the id of %s was %s and is %s", what, id, got[what])
		}
	}
}

// A sealed account tells the same as a plain one, and its file nothing.
func TestArrangeSealed(t *testing.T) {
	l := life(1)
	secret, m := secretTrip()
	for name, s := range secret {
		l[name] = s
	}
	delete(m, "the cell") // a number that the plain file has as digits
	for _, s := range []string{mobile.Make, mobile.Serial, slr.Model, "Turku", "Varsinais", "Kamakura", "Europe/Helsinki", "Asia/Tokyo", "60.4518", "139.54", "22.266"} {
		m.text(s)
	}
	delete(m, "Europe/Helsinki") // the mobile says its offset itself, and yet the cell has a zone
	plainDir, dir := t.TempDir(), t.TempDir()
	plain := openAt(t, filepath.Join(plainDir, "a.kith"), plugged(index.Config{}))
	reindex(t, plain, l.files(), noFaces)
	want := picture(t, plain)
	m.wantAll(t, "plain", plainDir)
	var safe keySafe
	cfg := plugged(index.Config{Keys: &safe})
	acc := openAt(t, filepath.Join(dir, "a.kith"), cfg)
	reindex(t, acc, l.files(), noFaces)
	wantPicture(t, "sealed", acc, want)
	m.wantNone(t, "sealed", dir)
	ctx := t.Context()
	must1[index.DecisionID](t)(acc.CorrectClock(ctx, index.Clock{Camera: slr, By: time.Hour}))
	_ = picture(t, acc)
	m.wantNone(t, "corrected", dir)
	for _, q := range []index.Query{
		{Region: index.Within(geo.Circle{Center: inTurku, Radius: 5000})}, {Countries: []string{"JP"}}, {Cameras: []exif.Camera{mobile}},
		{Position: index.Estimated}, {Region: index.Within(geo.Box{South: 35, North: 36, West: 139, East: 140})},
		{Wall: []index.Span{index.Between(time.Date(2019, 7, 10, 0, 0, 0, 0, time.UTC), time.Date(2019, 7, 10, 0, 0, 0, 0, time.UTC))}},
	} {
		got, want := must1[index.Found](t)(acc.Find(ctx, q)).Total, must1[index.Found](t)(plain.Find(ctx, q)).Total
		if got != want || want == 0 && q.Position == 0 {
			t.Errorf("%+v: %d photos, %d in the plain account", q, got, want)
		}
	}
	closeChecked(t, acc)
	// One that was plain is sealed when it is opened with keys.
	closeChecked(t, plain)
	plain = openAt(t, filepath.Join(plainDir, "a.kith"), withDated(index.Config{Keys: &keySafe{}}))
	wantPicture(t, "sealed later", plain, want)
	closeChecked(t, plain)
	m.wantNone(t, "sealed later", plainDir)
}

// Who may not write sees what was arranged last.
func TestArrangeReadOnly(t *testing.T) {
	path, l := t.TempDir()+"/a.kith", life(1)
	acc := openAt(t, path, plugged(index.Config{}))
	reindex(t, acc, l.files(), noFaces)
	want := picture(t, acc)
	reader := openAt(t, path, plugged(index.Config{ReadOnly: true, Zone: time.UTC, Gazetteer: &atlas{version: "9"}}))
	wantPicture(t, "read only", reader, want)
	// A decision that was not arranged yet changes nothing for it, and no half
	// of anything is shown.
	d := must1[index.DecisionID](t)(acc.CorrectClock(t.Context(), index.Clock{Camera: slr, By: time.Hour}))
	wantPicture(t, "read only, and not arranged", reader, want)
	changed := picture(t, acc)
	wantPicture(t, "read only, and arranged", reader, changed)
	must(t, acc.Undo(t.Context(), d))
	must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
	wantPicture(t, "restricted", acc, changed)
	must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	wantPicture(t, "unrestricted", acc, want)
}

// A photo whose file is missing, and is kept for a while, counts where it is
// listed.
func TestArrangeVanished(t *testing.T) {
	ctx, l := t.Context(), walk()
	src := l.files()
	acc := bare(t, plugged(index.Config{}))
	must(t, acc.SetRetention(ctx, index.Retention{index.ClassVanished: 24 * time.Hour}))
	reindex(t, acc, src, noFaces)
	src.remove("b.jpg")
	reindex(t, acc, src, noFaces)
	for _, m := range all(t, acc.Moments(ctx, index.MomentQuery{})) {
		f := must1[index.Found](t)(acc.Find(ctx, index.Query{Moments: []index.MomentID{m.ID}}))
		if f.Total != m.Shots {
			t.Errorf("a moment has %d photos, and %d are found in it", m.Shots, f.Total)
		}
		if !slices.ContainsFunc(f.Hits, func(s index.Shot) bool { return s.Photo == m.Cover }) {
			t.Errorf("the cover %s of a moment is not found in it", m.Cover)
		}
	}
}

// late lets something happen in the middle of an arrangement.
type late struct {
	globe
	then func()
}

func (z *late) Zone(p geo.Point) *time.Location {
	if f := z.then; f != nil {
		z.then = nil
		f()
	}
	return z.globe.Zone(p)
}

// A file that is touched while the account is arranged is arranged in the end.
func TestArrangeTouchedMeanwhile(t *testing.T) {
	ctx, l := t.Context(), walk()
	src := l.files()
	put := func(at time.Time) { src.set("x.jpg", file{data: snap{}.file("x"), at: at}) }
	put(start)
	zones := &late{}
	acc := bare(t, withDated(index.Config{Zones: zones}))
	reindex(t, acc, src, noFaces)
	put(start.AddDate(-1, 0, 0))
	must1[index.DecisionID](t)(acc.CorrectPlace(ctx, photoOf(t, acc, "a.jpg").ID, &exif.GPS{Lat: 35.3192, Lon: 139.5467}))
	done := make(chan error, 1)
	zones.then = func() {
		reached := make(chan struct{})
		go func() {
			opt := noFaces
			opt.Progress = func(p index.Progress) {
				if p.Phase == index.PhaseArrange {
					select {
					case <-reached:
					default:
						close(reached)
					}
				}
			}
			_, err := acc.Reindex(ctx, src, opt)
			done <- err
		}()
		select {
		case <-reached:
		case <-time.After(300 * time.Millisecond): // it waits for the arrangement, which is as well
		}
	}
	_ = shotOf(t, acc, "a.jpg") // arranges
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the zones were not asked")
	}
	wantShot(t, acc, "x.jpg", "2023-05-17 09:30:00 +00:00 zone by utc, time by modtime")
}
