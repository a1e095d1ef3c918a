package index_test

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

func TestSetRetention(t *testing.T) {
	plainAndSealed(t, func(t *testing.T, keys store.KeyProvider) {
		path := filepath.Join(t.TempDir(), "a.kith")
		acc := openAt(t, path, index.Config{Keys: keys})
		want := func(what string, r index.Retention) {
			t.Helper()
			if got := must1[index.Retention](t)(acc.Retention(t.Context())); !maps.Equal(got, r) {
				t.Errorf("%s: %v, want %v", what, got, r)
			}
		}
		defaults := index.Retention{
			index.ClassVanished: 0, index.ClassExports: 30 * day, index.ClassCrops: 30 * day, index.ClassShares: 30 * day, index.ClassAccount: 30 * day,
		}
		want("at first", defaults)
		if !maps.Equal(index.DefaultRetention(), defaults) {
			t.Errorf("the defaults are %v", index.DefaultRetention())
		}
		for name, r := range map[string]index.Retention{
			"an unknown class":           {"selfies": day},
			"a class that does not age":  {index.ClassPhotos: day},
			"a period below zero":        {index.ClassFaces: -1},
			"one that is wrong of three": {index.ClassFaces: day, index.ClassAudit: day, index.ClassExports: -day},
		} {
			if err := acc.SetRetention(t.Context(), r); err == nil {
				t.Errorf("%s is accepted", name)
			}
			want(name, defaults)
		}
		own := index.Retention{
			index.ClassFaces: 0, index.ClassStrangers: 1, index.ClassVanished: index.Forever, index.ClassOriginals: 400 * day,
			index.ClassExports: day, index.ClassAudit: 365 * day,
		}
		must(t, acc.SetRetention(t.Context(), own))
		all := maps.Clone(defaults)
		maps.Copy(all, own)
		want("set", all)
		closeChecked(t, acc)
		acc = openAt(t, path, index.Config{Keys: keys})
		want("opened again", all)
		must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: day}))
		all = maps.Clone(defaults)
		all[index.ClassFaces] = day
		want("set anew", all)
		must(t, acc.SetRetention(t.Context(), nil))
		want("taken back", defaults)
	})
}

// dueOf is what is due of a class.
func dueOf(t cleaner, acc *index.Account, until time.Time, class index.Class) []index.Due {
	t.Helper()
	due, err := acc.Due(t.Context(), until)
	must(t, err)
	if !slices.IsSortedFunc(due, func(x, y index.Due) int { return x.At.Compare(y.At) }) {
		t.Errorf("not the earliest first: %v", due)
	}
	return slices.DeleteFunc(due, func(d index.Due) bool { return d.Class != class })
}

// Each class is due at its time, and not a microsecond before.
func TestDue(t *testing.T) {
	d := &disposer{}
	for _, c := range []struct {
		class index.Class
		since time.Duration // from the beginning of the test
		count int
		make  func(t *testing.T, acc *index.Account, src *files)
		left  func(t *testing.T, acc *index.Account) int
	}{
		{index.ClassFaces, 0, 9, nil, func(t *testing.T, acc *index.Account) int { return len(worldOf(t, acc).faces) }},
		{index.ClassStrangers, 0, 6, func(t *testing.T, acc *index.Account, _ *files) {
			must1[index.DecisionID](t)(acc.Name(t.Context(), personOf(t, acc, "b/4.jpg", 0), "Anna"))
		}, func(t *testing.T, acc *index.Account) int { return len(worldOf(t, acc).faces) - 3 }},
		{index.ClassVanished, time.Hour, 2, func(t *testing.T, acc *index.Account, src *files) {
			src.remove("a/1.jpg")
			src.remove("b/6.jpg")
			reindex(t, acc, src, index.ReindexOptions{})
		}, func(t *testing.T, acc *index.Account) int { return len(worldOf(t, acc).photos) - 4 }},
		{index.ClassOriginals, 0, 6, nil, func(*testing.T, *index.Account) int { return 6 - len(d.take()) }},
		{index.ClassExports, time.Hour, 1, keeping(index.ClassExports), func(*testing.T, *index.Account) int { return 1 - len(d.take()) }},
		{index.ClassCrops, time.Hour, 1, keeping(index.ClassCrops), func(*testing.T, *index.Account) int { return 1 - len(d.take()) }},
		{index.ClassShares, time.Hour, 1, keeping(index.ClassShares), func(*testing.T, *index.Account) int { return 1 - len(d.take()) }},
		{index.ClassAccount, time.Hour, 1, func(t *testing.T, acc *index.Account, _ *files) {
			must1[index.AuditEntry](t)(acc.Delete(t.Context()))
		}, func(t *testing.T, acc *index.Account) int {
			if s := must1[index.State](t)(acc.State(t.Context())); s.Erased.IsZero() {
				return 1
			}
			return 0
		}},
	} {
		t.Run(string(c.class), func(t *testing.T) {
			d.take()
			clock, src := newHands(), family()
			acc := newAccount(t, index.Config{Now: clock.now, Disposer: d})
			must(t, acc.SetRetention(t.Context(), index.Retention{c.class: 10 * day}))
			reindex(t, acc, src, index.ReindexOptions{})
			clock.turn(time.Hour)
			if c.make != nil {
				c.make(t, acc, src)
			}
			at := start.Add(c.since + 10*day)
			if due := dueOf(t, acc, at.Add(-time.Microsecond), c.class); len(due) != 0 {
				t.Errorf("due too early: %v", due)
			}
			want := []index.Due{{Class: c.class, At: at, Count: c.count}}
			if due := dueOf(t, acc, at, c.class); !slices.Equal(due, want) {
				t.Errorf("due: %v, want %v", due, want)
			}
			clock.set(at.Add(-time.Microsecond))
			must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			if n := c.left(t, acc); n != c.count {
				t.Errorf("%d of %d are left a moment before", n, c.count)
			}
			clock.set(at)
			must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			if n := c.left(t, acc); n != 0 {
				t.Errorf("%d are left at the time", n)
			}
			if due := dueOf(t, acc, at.AddDate(50, 0, 0), c.class); len(due) != 0 {
				t.Errorf("still due: %v", due)
			}
			e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
			if len(e.Receipts) != 0 || e.Disposed != 0 || len(e.Failed) != 0 {
				t.Errorf("the second time: %+v", e)
			}
		})
	}
}

func keeping(class index.Class) func(*testing.T, *index.Account, *files) {
	return func(t *testing.T, acc *index.Account, _ *files) {
		must1[string](t)(acc.Keep(t.Context(), class, "a file"))
	}
}

// With the present, Due says what Expire takes now: also where more of the same
// day is to follow.
func TestDueNow(t *testing.T) {
	clock, src := newHands(), newFiles(map[string][]byte{"1.jpg": shot("1", 1)})
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: 30 * day}))
	reindex(t, acc, src, index.ReindexOptions{})
	clock.turn(3 * time.Hour)
	src.put("2.jpg", shot("2", 1))
	reindex(t, acc, src, index.ReindexOptions{})
	clock.set(start.Add(30*day + time.Hour))
	n := 0
	for _, d := range dueOf(t, acc, clock.now(), index.ClassFaces) {
		n += d.Count
	}
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if e.Counts[index.ClassFaces] != 1 || n != 1 {
		t.Errorf("%d were due, and %d went; want 1", n, e.Counts[index.ClassFaces])
	}
}

// Of a deleted account nothing goes before the whole does, which Due says.
func TestDueOfDeleted(t *testing.T) {
	clock := newHands()
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: day}))
	reindex(t, acc, family(), index.ReindexOptions{})
	must1[index.AuditEntry](t)(acc.Delete(t.Context()))
	clock.turn(2 * day)
	due := must1[[]index.Due](t)(acc.Due(t.Context(), clock.now()))
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if len(due) != 0 || len(e.Receipts) != 0 {
		t.Errorf("due is %v, and what went: %+v", due, e)
	}
}

func TestExpireAudit(t *testing.T) {
	clock := newHands()
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassAudit: 100 * day}))
	for range 5 {
		clock.turn(10 * day)
		must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
		must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	}
	before := all(t, acc.Audit(t.Context()))
	clock.set(start.Add(125 * day)) // those of start, and of 10 and 20 days later
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	after := all(t, acc.Audit(t.Context()))
	if e.Counts[index.ClassAudit] != 6 || len(before) != 12 || len(after) != 7 || after[0].ID != before[6].ID {
		t.Errorf("%d entries became %d: %+v", len(before), len(after), e.Counts)
	}
	mustCheck(t, acc)
	if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); len(e.Receipts) != 0 {
		t.Errorf("the second time: %+v", e)
	}
	clock.turn(1000 * day)
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if left := all(t, acc.Audit(t.Context())); len(left) != 1 || left[0].Action != "expire" || left[0].Seq != 14 {
		t.Errorf("left: %+v", left)
	}
	mustCheck(t, acc)
}

// An audit that is not kept at all does not make work for ever.
func TestExpireAuditAtOnce(t *testing.T) {
	clock := newHands()
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassAudit: 0}))
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	if len(e.Receipts) != 0 {
		t.Errorf("the second Expire rewrote the file to replace a receipt by %+v", e.Receipts)
	}
}

func TestExpireClock(t *testing.T) {
	clock := newHands()
	acc := newAccount(t, index.Config{Now: clock.now})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: day}))
	reindex(t, acc, family(), index.ReindexOptions{})
	clock.turn(12 * time.Hour)
	must1[index.AuditEntry](t)(acc.Restrict(t.Context()))
	must1[index.AuditEntry](t)(acc.Unrestrict(t.Context()))
	clock.turn(-4 * time.Minute)
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{}))
	clock.turn(-2 * time.Minute)
	_, err := acc.Expire(t.Context(), index.ExpireOptions{})
	wantErr(t, "set back", err, index.ErrClock)
	if err != nil && (!strings.Contains(err.Error(), "2024-05-17T21:24:00Z") || !strings.Contains(err.Error(), "2024-05-17T21:30:00Z")) {
		t.Errorf("the error does not tell the times: %v", err)
	}
	clock.turn(-30 * day)
	_, err = acc.Expire(t.Context(), index.ExpireOptions{})
	wantErr(t, "set back far", err, index.ErrClock)
	must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{AcceptClock: true}))
	if n := len(worldOf(t, acc).faces); n != 9 {
		t.Errorf("%d faces are left", n)
	}
	clock.set(start.Add(day))
	if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Counts[index.ClassFaces] != 9 {
		t.Errorf("the expiry is %+v", e)
	}
}

// What was begun and broken off is completed by the next Expire.
func TestExpireCancelled(t *testing.T) {
	clock := newHands()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked []string
	d := disposeFunc(func(_ context.Context, x index.Disposal) error {
		if asked = append(asked, x.Name); x.Name == "two" {
			cancel()
		}
		return nil
	})
	acc := newAccount(t, index.Config{Now: clock.now, Disposer: d})
	must(t, acc.SetRetention(t.Context(), index.Retention{index.ClassFaces: day, index.ClassExports: day, index.ClassOriginals: day}))
	reindex(t, acc, family(), index.ReindexOptions{})
	for _, name := range []string{"one", "two", "three"} {
		must1[string](t)(acc.Keep(t.Context(), index.ClassExports, name))
		clock.turn(time.Second)
	}
	clock.turn(2 * day)
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, err := acc.Expire(over, index.ExpireOptions{}); !errors.Is(err, context.Canceled) || len(worldOf(t, acc).faces) != 9 {
		t.Errorf("cancelled before: %v, %d faces are left", err, len(worldOf(t, acc).faces))
	}
	e, err := acc.Expire(ctx, index.ExpireOptions{})
	wantErr(t, "cancelled meanwhile", err, context.Canceled)
	if e.Counts[index.ClassFaces] != 0 || e.Disposed != 2 {
		t.Errorf("what was done: %+v", e)
	}
	if e := must1[index.Expiry](t)(acc.Expire(t.Context(), index.ExpireOptions{})); e.Disposed != 7 || e.Counts[index.ClassFaces] != 9 {
		t.Errorf("the next: %+v", e)
	}
	if want := append([]string{"one", "two", "three"}, familyPhotos...); !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}
