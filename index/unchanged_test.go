package index_test

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// Whatever is done to an account: when Reindex has nothing to do it leaves what
// Regroup would, and says so.
func TestUnchangedIsGrouped(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newChronicle(rt, t.TempDir())
		n := 0
		one := func() string {
			n++
			name := fmt.Sprintf("one/%d.jpg", n)
			c.src.put(name, shot(name, rapid.IntRange(1, 4).Draw(rt, "who"), 20+n))
			return name
		}
		steps := map[string]func(){
			"nothing": func() {}, "undo": c.undo, "regroup": c.regroup, "force": c.force, "reopen": c.reopen, "vanish": c.vanish,
			"rename":      c.rename,
			"index":       func() { must1[index.Photo](rt)(c.acc.Index(rt.Context(), c.src, one())) },
			"add":         func() { one() },
			"not grouped": func() { one(); reindex(rt, c.acc, c.src, index.ReindexOptions{NoGroup: true}) },
			"consent":     func() { must(rt, c.acc.SetConsent(rt.Context(), yes)) },
		}
		kinds := []string{"nothing", "undo", "regroup", "force", "reopen", "vanish", "rename", "index", "add", "not grouped", "consent"}
		for _, k := range []store.DecisionKind{
			store.DecisionName, store.DecisionMerge, store.DecisionSplit, store.DecisionSame, store.DecisionDifferent,
			store.DecisionRemove, store.DecisionNotAFace, store.DecisionIgnore, store.DecisionCover,
		} {
			steps[string(k)] = func() { c.decide(k) }
			kinds = append(kinds, string(k))
		}
		for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 3).Draw(rt, "steps") {
				steps[rapid.SampledFrom(kinds).Draw(rt, "step")]()
			}
			c.sameAgain()
		}
		closeChecked(rt, c.acc)
	})
}

// sameAgain runs Reindex twice, of which the second has nothing to do, and then
// Regroup, which must change nothing and come to the same numbers.
func (c *chronicle) sameAgain() {
	c.t.Helper()
	ctx := c.t.Context()
	first := reindex(c.t, c.acc, c.src, index.ReindexOptions{}).Grouping
	again := reindex(c.t, c.acc, c.src, index.ReindexOptions{}).Grouping
	events, before := len(all(c.t, c.acc.Events(ctx, 0))), c.look()
	fresh := must1[index.Report](c.t)(c.acc.Regroup(ctx)).Grouping
	after := c.look()
	if first != again || again != fresh || fresh.Faces == 0 {
		c.t.Errorf("grouped to %+v, again to %+v, and anew to %+v", first, again, fresh)
	}
	if !maps.Equal(before.whose, after.whose) || !maps.Equal(before.people, after.people) {
		c.t.Errorf("Regroup changes people after Reindex:\n%v\n%v", before, after)
	}
	if n := len(all(c.t, c.acc.Events(ctx, 0))); n != events {
		c.t.Errorf("Regroup tells of %d events after Reindex", n-events)
	}
}
