package store

import (
	"cmp"
	"errors"
	"iter"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/exif"
)

// momentsReference lists the moments that a query asks for, by looking at all.
func (a *album) momentsReference(q MomentQuery) (ids []MomentID) {
	kind := cmp.Or(q.Kind, KindMoment)
	days := func(t time.Time, add int64) int32 { return int32(dayOf(wallMicros(t) + add)) }
	var at []int
	for i, m := range a.next.Moments {
		up := func(i int) int {
			if i < 0 {
				return -1
			}
			return a.next.Moments[i].Parent
		}
		in := func(i int) bool { return i >= 0 && a.next.Moments[i].ID == q.In }
		all := func(id PersonID) bool {
			return slices.ContainsFunc(a.photos, func(p taken) bool { return a.above(&p, kind) == m.ID && slices.Contains(a.peopleOf(&p), id) })
		}
		switch {
		case m.Kind != kind, q.In != "" && !in(m.Parent) && !in(up(m.Parent)):
		case q.Place != "" && (m.Place < 0 || a.next.Places[m.Place].ID != q.Place):
		case q.Country != "" && (m.Spot == nil || m.Spot.Country != q.Country):
		case !q.Wall.From.IsZero() && m.Last < days(q.Wall.From, 0), !q.Wall.To.IsZero() && m.First > days(q.Wall.To, -1):
		case slices.ContainsFunc(q.People, func(id PersonID) bool { return !all(id) }):
		default:
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(i, j int) int {
		c := cmp.Or(cmp.Compare(a.next.Moments[i].At, a.next.Moments[j].At), cmp.Compare(i, j))
		if q.Order == NewestFirst {
			return -c
		}
		return c
	})
	for _, i := range at {
		ids = append(ids, a.next.Moments[i].ID)
	}
	return ids
}

func (a *album) drawMoments(t *rapid.T) MomentQuery {
	q := MomentQuery{Kind: rapid.SampledFrom([]MomentKind{"", KindMoment, KindDay, KindTrip}).Draw(t, "kind"),
		Order: Order(rapid.IntRange(0, 1).Draw(t, "order"))}
	switch rapid.IntRange(0, 7).Draw(t, "narrowed") {
	case 0:
		q.In = a.next.Moments[rapid.IntRange(0, len(a.next.Moments)-1).Draw(t, "in")].ID
	case 1, 2:
		q.People = rapid.SliceOfN(rapid.SampledFrom(a.people[:4]), 1, 2).Draw(t, "people")
	case 3:
		q.Place = rapid.SampledFrom(a.next.Places).Draw(t, "place").ID
	case 4:
		q.Country = rapid.SampledFrom([]string{"FI", "SE", "XX"}).Draw(t, "country")
	case 5, 6:
		q.Wall = drawSpan(t)
	}
	return q
}

// TestMomentsAreWhatLookingAtAllFinds, with who is in them, in pages and whole.
func TestMomentsAreWhatLookingAtAllFinds(t *testing.T) {
	all := albums(t)
	rapid.Check(t, func(rt *rapid.T) {
		a := all[rapid.IntRange(0, len(all)-1).Draw(rt, "album")]
		q := a.drawMoments(rt)
		want := a.momentsReference(q)
		var got []MomentID
		for _, m := range collect(t, a.db.Moments(t.Context(), q)) {
			got = append(got, m.ID)
			if people := a.peopleIn(m); !reflect.DeepEqual(m.People, people) {
				rt.Fatalf("%s %s has people %v, want %v", m.Kind, m.ID, m.People, people)
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%+v:\n%v\nwant\n%v", q, got, want)
		}
		var pages []MomentID
		for q.Limit = 1 + len(want)/3; ; q.After = pages[len(pages)-1] {
			page := collect(t, a.db.Moments(t.Context(), q))
			for _, m := range page {
				pages = append(pages, m.ID)
			}
			if len(page) < q.Limit {
				break
			}
		}
		if !slices.Equal(pages, want) {
			rt.Fatalf("pages %v\nwant %v", pages, want)
		}
	})
}

func (a *album) peopleIn(m MomentRow) []Count[PersonID] {
	counts := map[PersonID]int{}
	for i := range a.photos {
		for _, id := range a.peopleOf(&a.photos[i]) {
			if a.above(&a.photos[i], m.Kind) == m.ID && !a.ignored[id] {
				counts[id]++
			}
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return rank(counts, 0, cmp.Compare[PersonID])
}

// walls are what the clock showed at a moment's first and last photo.
func (a *album) walls(moment int) (begin, end time.Time) {
	var first, last *Shot
	for i := range a.photos {
		s := &a.photos[i].shot
		if s.Moment != moment {
			continue
		}
		if first == nil || s.At < first.At {
			first = s
		}
		if last == nil || s.At > last.At {
			last = s
		}
	}
	if first == nil {
		return begin, end
	}
	return first.Taken.Wall, last.Taken.Wall
}

// TestAMomentSaysAllOfItself compares every field with what was put.
func TestAMomentSaysAllOfItself(t *testing.T) {
	a := albumNo(t, 1)
	for i, m := range a.next.Moments {
		want := MomentRow{ID: m.ID, Kind: m.Kind, First: m.First, Last: m.Last, At: m.At, Until: m.Until, Shots: m.Shots, Spot: m.Spot}
		if m.Place >= 0 {
			want.Place = a.next.Places[m.Place].ID
		}
		for p := m.Parent; p >= 0; p = a.next.Moments[p].Parent {
			if a.next.Moments[p].Kind == KindDay {
				want.Day = a.next.Moments[p].ID
			} else {
				want.Trip = a.next.Moments[p].ID
			}
		}
		for _, got := range collect(t, a.db.Moments(t.Context(), MomentQuery{Kind: m.Kind})) {
			if got.ID != m.ID {
				continue
			}
			if m.Kind == KindMoment {
				want.Begin, want.End = a.walls(i)
			}
			if got.People = nil; !reflect.DeepEqual(got, want) {
				t.Fatalf("moment %d: %+v\nwant %+v", i, got, want)
			}
		}
	}
}

// TestTogetherIsWhatCountingPairsFinds, photo by photo.
func TestTogetherIsWhatCountingPairsFinds(t *testing.T) {
	for _, a := range albums(t) {
		for _, id := range append(slices.Clone(a.people), "", "nobody") {
			photos, moments := map[[2]PersonID]int{}, map[[2]PersonID]map[int]bool{}
			for i := range a.photos {
				p := &a.photos[i]
				who := slices.DeleteFunc(a.peopleOf(p), func(x PersonID) bool { return a.ignored[x] && x != id || p.vanished })
				for _, x := range who {
					for _, y := range who {
						key := [2]PersonID{x, y}
						if x == y || id == "" && (x > y || a.ignored[x]) || id != "" && x != id {
							continue
						}
						photos[key]++
						if moments[key] == nil {
							moments[key] = map[int]bool{}
						}
						if p.shot.Moment >= 0 {
							moments[key][p.shot.Moment] = true
						}
					}
				}
			}
			var want []Pair
			for key, n := range photos {
				want = append(want, Pair{A: key[0], B: key[1], Photos: n, Moments: len(moments[key])})
			}
			slices.SortFunc(want, func(x, y Pair) int {
				return cmp.Or(cmp.Compare(y.Photos, x.Photos), cmp.Compare(y.Moments, x.Moments), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
			})
			got := must1[[]Pair](t)(a.db.Together(t.Context(), id, 0))
			if !slices.Equal(got, want) {
				t.Fatalf("with %q:\n%v\nwant\n%v", id, got, want)
			}
			if few := must1[[]Pair](t)(a.db.Together(t.Context(), id, 2)); !slices.Equal(few, want[:min(2, len(want))]) {
				t.Errorf("two with %q: %v", id, few)
			}
		}
	}
}

func TestPlacesAndCamerasAreListedByTheirPhotos(t *testing.T) {
	a := albumNo(t, 1)
	places := slices.Clone(a.next.Places)
	slices.SortFunc(places, func(x, y Place) int { return cmp.Compare(y.Shots, x.Shots) })
	if got := collect(t, a.db.Places(t.Context(), PlaceQuery{})); !slices.Equal(got, places) {
		t.Errorf("places %+v\nwant %+v", got, places)
	}
	one := places[1]
	here := box{South: one.Lat - 1e-6, North: one.Lat + 1e-6, West: one.Lon - 1e-6, East: one.Lon + 1e-6}
	if got := collect(t, a.db.Places(t.Context(), PlaceQuery{Region: here})); !slices.Equal(got, []Place{one}) {
		t.Errorf("places here: %+v", got)
	}
	if got := collect(t, a.db.Places(t.Context(), PlaceQuery{Kind: "work"})); len(got) != 0 {
		t.Errorf("places of work: %+v", got)
	}
	counts := map[exif.Camera]CameraRow{}
	for _, p := range a.photos {
		if p.shot.Camera < 0 {
			continue
		}
		c := a.next.Cameras[p.shot.Camera]
		row, ok := counts[c]
		if !ok {
			row = CameraRow{Camera: c, First: NoTime, Last: NoTime}
		}
		row.Photos++
		if at := p.shot.At; at != NoTime {
			if row.First == NoTime || at < row.First {
				row.First = at
			}
			row.Last = max(row.Last, at)
		}
		counts[c] = row
	}
	was := 1 << 40
	for _, c := range collect(t, a.db.Cameras(t.Context())) {
		if counts[c.Camera] != c || c.Photos > was {
			t.Errorf("camera %+v, want %+v", c, counts[c.Camera])
		}
		delete(counts, c.Camera)
		was = c.Photos
	}
	if len(counts) > 0 {
		t.Errorf("not listed: %v", counts)
	}
}

func TestListingsRefuseWhatMakesNoSense(t *testing.T) {
	a := albumNo(t, 2)
	first := func(seq iter.Seq2[MomentRow, error]) (err error) {
		for _, err = range seq {
			break
		}
		return err
	}
	for field, q := range map[string]MomentQuery{
		"Kind": {Kind: "year"}, "Limit": {Limit: -1}, "Order": {Order: 7}, "Country": {Country: "fi"}, "Wall": {Wall: Span{start, start}},
	} {
		var bad *QueryError
		if err := first(a.db.Moments(t.Context(), q)); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if err := first(a.db.Moments(t.Context(), MomentQuery{After: "none"})); !errors.Is(err, ErrCursor) {
		t.Errorf("after none: %v", err)
	}
	var bad *QueryError
	if _, err := a.db.Together(t.Context(), "", -1); !errors.As(err, &bad) {
		t.Errorf("Together: %v", err)
	}
	for _, err := range a.db.Places(t.Context(), PlaceQuery{Country: "?"}) {
		if !errors.As(err, &bad) {
			t.Errorf("Places: %v", err)
		}
	}
}
