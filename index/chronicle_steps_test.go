package index_test

import (
	"context"
	"errors"
	"slices"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// derive does something that says nothing about people: whoever has a name
// keeps id, name and faces.
func (c *chronicle) derive(act func()) {
	before := c.look()
	act()
	after := c.look()
	for id, p := range before.people {
		if p.Name == "" && !p.Ignored {
			continue
		}
		if got := after.people[id]; got.Name != p.Name || got.Ignored != p.Ignored {
			c.t.Errorf("%s was %+v and is %+v", id, p, got)
		}
		kept := slices.ContainsFunc(before.of(id), func(f string) bool { return after.who[f] == id })
		if len(before.of(id)) > 0 && !kept {
			c.t.Errorf("%q (%s) had %d faces and kept none", p.Name, id, len(before.of(id)))
		}
	}
}

func (c *chronicle) regroup() { must1[index.Report](c.t)(c.acc.Regroup(c.t.Context())) }
func (c *chronicle) force()   { reindex(c.t, c.acc, c.src, index.ReindexOptions{Force: true}) }
func (c *chronicle) reopen()  { closeChecked(c.t, c.acc); c.open() }

// vanish lets some photos vanish and come back under other names.
func (c *chronicle) vanish() {
	gone := map[string]file{}
	for _, name := range c.src.names() {
		if rapid.IntRange(0, 2).Draw(c.t, "vanishes") == 0 {
			gone[name] = c.src.remove(name)
		}
	}
	reindex(c.t, c.acc, c.src, index.ReindexOptions{AllowEmpty: true})
	c.check()
	for name, f := range gone {
		c.src.set(name, f)
	}
	reindex(c.t, c.acc, c.src, index.ReindexOptions{})
}

func (c *chronicle) rename() {
	for _, name := range c.src.names() {
		if rapid.IntRange(0, 3).Draw(c.t, "renamed") == 0 {
			c.src.move(name, "x"+name)
		}
	}
	reindex(c.t, c.acc, c.src, index.ReindexOptions{})
}

// model opens the account with another detector or embedder. The first
// Reindex is interrupted, and something may be said before the second.
func (c *chronicle) model() {
	closeChecked(c.t, c.acc)
	c.eye = &analyzer{
		space: rapid.SampledFrom([]string{"scene", "other", "third"}).Draw(c.t, "space"),
		shift: rapid.SampledFrom([]float64{0, 20}).Draw(c.t, "shift"), // IoU 0.6
	}
	c.open()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	stop := int64(rapid.IntRange(1, 11).Draw(c.t, "interrupted at"))
	eye := c.eye
	eye.hook = func(_ context.Context, _ *scene, faces []face.Face) ([]face.Face, error) {
		if eye.calls.Load() == stop {
			cancel()
		}
		return faces, nil
	}
	if _, err := c.acc.Reindex(ctx, c.src, index.ReindexOptions{Force: true}); !errors.Is(err, context.Canceled) && err != nil {
		c.t.Fatal(err)
	}
	eye.hook = nil
	c.midway = true
	c.check()
	if rapid.Bool().Draw(c.t, "half way") {
		c.regroup()
		c.check()
		c.decide(store.DecisionMerge)
		c.check()
		c.undo()
		c.check()
	}
	c.derive(func() {
		c.force()
		c.midway = false
	})
}
