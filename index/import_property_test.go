package index_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// Whatever was said and happened: an import into a new account is the account
// again, and one into an account of the same photos has the same people, with
// the same names, faces kept apart and all that holds after.
func TestImportProperty(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir := must1[string](t)(os.MkdirTemp(base, ""))
		defer func() { must(t, os.RemoveAll(dir)) }()
		c := newChronicle(t, dir)
		defer func() { closeChecked(t, c.acc) }()
		c.live()
		c.regroup()
		c.check()

		switch rapid.SampledFrom([]string{"vectors", "none", "elsewhere"}).Draw(t, "into") {
		case "vectors":
			c.intoNew(dir)
		case "none":
			c.intoBare(dir)
		default:
			c.intoOther(dir)
		}
	})
}

// intoNew imports into a new account, with vectors.
func (c *chronicle) intoNew(dir string) {
	opt := index.ExportOptions{Embeddings: true}
	want := normal(c.t, c.export(c.acc, opt), false)
	acc := c.another(dir)
	defer func() { closeChecked(c.t, acc) }()
	importOf(c.t, acc, c.export(c.acc, opt), index.ImportOptions{})
	wantSame(c.t, "a new account", normal(c.t, c.export(acc, opt), false), want)
	must1[index.Report](c.t)(acc.Regroup(c.t.Context()))
	wantSame(c.t, "a new account, grouped", normal(c.t, c.export(acc, opt), false), want)
}

// intoBare imports into a new account, without them: the photos are measured
// again.
func (c *chronicle) intoBare(dir string) {
	text := c.export(c.acc, index.ExportOptions{})
	acc := c.another(dir)
	defer func() { closeChecked(c.t, acc) }()
	importOf(c.t, acc, text, index.ImportOptions{})
	reindex(c.t, acc, c.src, index.ReindexOptions{})
	wantSame(c.t, "measured again", normal(c.t, c.export(acc, index.ExportOptions{}), true), normal(c.t, text, true))
}

// intoOther imports into an account of the same photos elsewhere, twice.
func (c *chronicle) intoOther(dir string) {
	text, opt := c.export(c.acc, index.ExportOptions{}), index.ExportOptions{Embeddings: true}
	acc := c.another(dir)
	defer func() { closeChecked(c.t, acc) }()
	moved := newFiles(nil)
	for _, name := range c.src.names() {
		moved.set("moved/"+name, c.src.get(name))
	}
	reindex(c.t, acc, moved, index.ReindexOptions{})
	importOf(c.t, acc, text, index.ImportOptions{})
	got, want := partition(c.t, acc), partition(c.t, c.acc)
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "moved/", "")
	}
	slices.Sort(got)
	slices.Sort(want)
	wantSame(c.t, "people elsewhere", strings.Join(got, "\n"), strings.Join(want, "\n"))
	then := normal(c.t, c.export(acc, opt), false)
	importOf(c.t, acc, text, index.ImportOptions{})
	wantSame(c.t, "imported twice", normal(c.t, c.export(acc, opt), false), then)
}

// live lets things be said and happen.
func (c *chronicle) live() {
	kinds := []store.DecisionKind{
		store.DecisionName, store.DecisionName, store.DecisionMerge, store.DecisionSplit, store.DecisionSame,
		store.DecisionDifferent, store.DecisionRemove, store.DecisionNotAFace, store.DecisionIgnore,
		store.DecisionUnignore, store.DecisionCover,
	}
	for range rapid.IntRange(1, 12).Draw(c.t, "steps") {
		switch rapid.IntRange(0, 9).Draw(c.t, "step") {
		case 0:
			c.undo()
		case 1:
			c.contradict()
		case 2:
			c.derive(c.regroup)
		case 3:
			c.derive(c.rename)
		case 4:
			c.vanish()
		default:
			c.decide(rapid.SampledFrom(kinds).Draw(c.t, "kind"))
		}
	}
}

func (c *chronicle) export(acc *index.Account, opt index.ExportOptions) []byte {
	var b strings.Builder
	must(c.t, acc.Export(c.t.Context(), &b, opt))
	return []byte(b.String())
}

// another is an empty account with consent.
func (c *chronicle) another(dir string) *index.Account {
	cfg := withScenes(index.Config{Workers: 1, Analyzer: &analyzer{}})
	acc := must1[*index.Account](c.t)(index.Open(c.t.Context(), filepath.Join(dir, "b.kith"), cfg))
	must(c.t, acc.SetConsent(c.t.Context(), yes))
	return acc
}
