package index_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
)

// aged is what an account holds that can be too old, by what it is called.
type aged map[index.Class]map[string]time.Time

func (a aged) add(class index.Class, what string, since time.Time) {
	if a[class] == nil {
		a[class] = map[string]time.Time{}
	}
	a[class][what] = since
}

// old lists what is due of a class.
func (a aged) old(r index.Retention, class index.Class, now time.Time) []string {
	var out []string
	period, ok := r[class]
	for what, since := range a[class] {
		if ok && !since.Add(period).After(now) {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return out
}

// due is what Due should list: by the day on which it began to age.
func (a aged) due(r index.Retention, until time.Time) []index.Due {
	var out []index.Due
	for class, period := range r {
		days := map[int64]index.Due{}
		for _, since := range a[class] {
			d, ok := days[since.Unix()/86400]
			at := since.Add(period)
			if at.After(until) {
				continue
			}
			if !ok || at.Before(d.At) {
				d.At = at
			}
			d.Class, d.Count = class, d.Count+1
			days[since.Unix()/86400] = d
		}
		out = slices.AppendSeq(out, maps.Values(days))
	}
	return sortedDue(out)
}

func sortedDue(ds []index.Due) []index.Due {
	slices.SortFunc(ds, func(x, y index.Due) int {
		if c := x.At.Compare(y.At); c != 0 {
			return c
		}
		return slices.Compare([]byte(x.Class), []byte(y.Class))
	})
	return ds
}

// ageing is an account whose clock runs at random.
type ageing struct {
	t        *rapid.T
	acc      *index.Account
	src      *files
	clock    *hands
	disposer *disposer
	photos   int
	products map[string]time.Time // by class and name
	classes  map[string]index.Class
}

// look gathers what there is, from what the account shows.
func (a *ageing) look() aged {
	t, ctx := a.t, a.t.Context()
	got := aged{}
	photos := map[index.PhotoID]index.Photo{}
	for _, p := range all(t, a.acc.Photos(ctx, index.PhotoQuery{})) {
		photos[p.ID] = p
		if !p.Vanished.IsZero() {
			got.add(index.ClassVanished, p.Path, p.Vanished)
		} else if p.Status == "ok" && p.Disposed.IsZero() {
			got.add(index.ClassOriginals, p.Path, p.Added)
		}
	}
	known := map[index.PersonID]bool{}
	for _, p := range all(t, a.acc.People(ctx, index.PeopleQuery{Ignored: index.Include})) {
		known[p.ID] = p.Name != "" || p.Ignored
	}
	for _, f := range all(t, a.acc.Faces(ctx, index.FaceQuery{Rejected: index.Include})) {
		got.add(index.ClassFaces, string(f.ID), photos[f.Photo].Added)
		if f.Rejected == "" && !known[f.Person] {
			got.add(index.ClassStrangers, string(f.ID), photos[f.Photo].Added)
		}
	}
	for name, at := range a.products {
		got.add(a.classes[name], name, at)
	}
	// A single entry is not exchanged for one that says so.
	if entries := all(t, a.acc.Audit(ctx)); len(entries) > 1 {
		for _, e := range entries {
			got.add(index.ClassAudit, e.ID, e.At)
		}
	}
	return got
}

// expire checks that what goes is what is old, and nothing else.
func (a *ageing) expire() {
	t, now := a.t, a.clock.now()
	before, r := a.look(), must1[index.Retention](t)(a.acc.Retention(t.Context()))
	gone := map[string]bool{}
	for _, class := range []index.Class{index.ClassFaces, index.ClassStrangers, index.ClassAudit, index.ClassVanished} {
		for _, what := range before.old(r, class, now) {
			gone[what] = true
		}
	}
	for _, p := range all(t, a.acc.Photos(t.Context(), index.PhotoQuery{})) { // faces go with their photo
		if gone[p.Path] {
			for _, f := range all(t, a.acc.Faces(t.Context(), index.FaceQuery{Photo: p.ID, Rejected: index.Include})) {
				gone[string(f.ID)] = true
			}
		}
	}
	a.disposer.take()
	e := must1[index.Expiry](t)(a.acc.Expire(t.Context(), index.ExpireOptions{}))
	asked := a.disposer.take()
	slices.Sort(asked)
	want := before.old(r, index.ClassOriginals, now)
	for _, class := range []index.Class{index.ClassExports, index.ClassCrops, index.ClassShares} {
		old := before.old(r, class, now)
		want = append(want, old...)
		for _, name := range old {
			delete(a.products, name)
		}
	}
	if slices.Sort(want); !slices.Equal(asked, want) || e.Disposed != len(want) {
		t.Fatalf("asked to delete %q, want %q: %+v", asked, want, e)
	}
	after := a.look()
	made := map[string]bool{} // entries of the audit that Expire itself made
	for what := range after[index.ClassAudit] {
		made[what] = before[index.ClassAudit][what].IsZero()
	}
	for _, class := range []index.Class{index.ClassFaces, index.ClassVanished, index.ClassAudit} {
		left := maps.Clone(before[class])
		maps.DeleteFunc(left, func(what string, _ time.Time) bool { return gone[what] })
		have := maps.Clone(after[class])
		maps.DeleteFunc(have, func(what string, _ time.Time) bool { return made[what] })
		if !maps.EqualFunc(left, have, time.Time.Equal) {
			t.Fatalf("%s: %v became %v, want %v", class, before[class], have, left)
		}
	}
	for class := range r {
		if old := after.old(r, class, now); len(old) > 0 {
			t.Errorf("%s: %q are still there", class, old)
		}
	}
	if e := must1[index.Expiry](t)(a.acc.Expire(t.Context(), index.ExpireOptions{})); len(e.Receipts) != 0 || e.Disposed != 0 {
		t.Errorf("the second time: %+v", e)
	}
}

// step does something that begins to age.
func (a *ageing) step() {
	t, ctx := a.t, a.t.Context()
	switch rapid.IntRange(0, 7).Draw(t, "what") {
	case 0, 1:
		a.photos++
		people := rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 0, 2, rapid.ID).Draw(t, "people")
		a.src.put(fmt.Sprintf("%03d.jpg", a.photos), shot(fmt.Sprint("photo ", a.photos), people...))
	case 2:
		if names := a.src.names(); len(names) > 1 {
			a.src.remove(rapid.SampledFrom(names).Draw(t, "vanishes"))
		}
	case 3:
		var unnamed []index.PersonID
		for _, p := range all(t, a.acc.People(ctx, index.PeopleQuery{})) {
			if p.Name == "" {
				unnamed = append(unnamed, p.ID)
			}
		}
		if len(unnamed) > 0 {
			must1[index.DecisionID](t)(a.acc.Name(ctx, unnamed[0], "Somebody"))
		}
	case 4:
		a.photos++
		name := fmt.Sprintf("product %03d", a.photos)
		a.classes[name] = rapid.SampledFrom([]index.Class{index.ClassExports, index.ClassCrops, index.ClassShares}).Draw(t, "class")
		must1[string](t)(a.acc.Keep(ctx, a.classes[name], name))
		a.products[name] = a.clock.now()
	case 5:
		a.setRetention()
	default:
		a.expire()
		return
	}
	reindex(t, a.acc, a.src, index.ReindexOptions{KeepOriginals: true})
}

func (a *ageing) setRetention() {
	r := index.Retention{}
	for _, class := range []index.Class{
		index.ClassFaces, index.ClassStrangers, index.ClassVanished, index.ClassOriginals, index.ClassExports, index.ClassCrops, index.ClassShares, index.ClassAudit,
	} {
		least := 0
		if class == index.ClassVanished || class == index.ClassAudit {
			least = 1 // with 0 they go in Reindex, or make their own successor
		}
		if rapid.Bool().Draw(a.t, "own") {
			r[class] = time.Duration(rapid.IntRange(least, 80).Draw(a.t, "hours")) * time.Hour
		} else if class == index.ClassVanished {
			r[class] = 40 * time.Hour
		}
	}
	must(a.t, a.acc.SetRetention(a.t.Context(), r))
}

// Whatever the clock does, nothing goes before its time, nothing stays after
// it, and Due says so before.
func TestExpireAtAnyTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := must1[string](t)(os.MkdirTemp("", "kith-expire"))
		defer func() { _ = os.RemoveAll(dir) }()
		a := &ageing{
			t: t, src: newFiles(map[string][]byte{"000.jpg": shot("photo 0", 1)}), clock: newHands(), disposer: &disposer{},
			products: map[string]time.Time{}, classes: map[string]index.Class{},
		}
		cfg := withScenes(index.Config{Workers: 1, Now: a.clock.now, Disposer: a.disposer})
		a.acc = must1[*index.Account](t)(index.Open(t.Context(), filepath.Join(dir, "a.kith"), cfg))
		defer func() { closeChecked(t, a.acc) }()
		must(t, a.acc.SetConsent(t.Context(), yes))
		a.setRetention()
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			a.step()
			until := a.clock.now().Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "ahead")) * time.Hour)
			r := must1[index.Retention](t)(a.acc.Retention(t.Context()))
			due, want := sortedDue(must1[[]index.Due](t)(a.acc.Due(t.Context(), until))), a.look().due(r, until)
			if !slices.EqualFunc(due, want, func(x, y index.Due) bool { return x.Class == y.Class && x.Count == y.Count && x.At.Equal(y.At) }) {
				t.Fatalf("due until %v:\n%v, want\n%v", until, due, want)
			}
			a.clock.turn(time.Duration(rapid.IntRange(0, 50).Draw(t, "hours later")) * time.Hour)
		}
		a.expire()
	})
}
