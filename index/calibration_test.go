package index

import (
	"context"
	"errors"
	"image"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// blind is an analyzer of which nothing but the space is used.
type blind struct{}

func (blind) Space() string { return "blind" }

func (blind) Analyze(context.Context, image.Image) ([]face.Face, error) {
	return nil, errors.New("nothing is to be looked at")
}

// A Reindex that changes nothing reports what the latest grouping came to, and
// does not group: here it reports numbers that grouping would not come to.
func TestGroupsOnlyWhatChanged(t *testing.T) {
	ctx := t.Context()
	a, err := Open(ctx, filepath.Join(t.TempDir(), "a.kith"), Config{Analyzer: blind{}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.SetConsent(ctx, Consent{Given: true}); err != nil {
		t.Fatal(err)
	}
	const kept = `{"Rules":1,"Space":"blind","Threshold":0.375,"Loose":3,"Faces":40,"People":12,"Unassigned":4}`
	was := Grouping{Faces: 40, People: 12, Unassigned: 4, Threshold: 0.375}
	for _, c := range []struct {
		what, about string
		change      func() error
		want        Grouping
	}{
		{"nothing", kept, func() error { return nil }, was},
		{"a setting", kept, func() error { return a.db.SetSetting(ctx, "k", "v") }, was},
		{"consent", kept, func() error { return a.SetConsent(ctx, Consent{Given: true}) }, Grouping{}},
		{"a space", kept, func() error { return a.db.PutSpace(ctx, store.Space{Name: "new", Dim: 2}) }, Grouping{}},
		{"kith's rules", `{"Rules":0,"Space":"blind","People":12}`, func() error { return nil }, Grouping{}},
		{"the space in use", `{"Rules":1,"Space":"other","People":12}`, func() error { return nil }, Grouping{}},
	} {
		if err := a.db.PutGrouping(ctx, store.Assignment{}, c.about); err != nil {
			t.Fatal(err)
		}
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		rep, err := a.Reindex(ctx, fstest.MapFS{}, ReindexOptions{})
		if rep.Grouping != c.want || err != nil {
			t.Errorf("%s has changed: %+v, %v; want %+v", c.what, rep.Grouping, err, c.want)
		}
	}
	if err := a.db.PutGrouping(ctx, store.Assignment{}, kept); err != nil {
		t.Fatal(err)
	}
	if rep, err := a.Regroup(ctx); rep.Grouping != (Grouping{}) || err != nil {
		t.Errorf("Regroup: %+v, %v", rep.Grouping, err)
	}
	if err := a.db.PutGrouping(ctx, store.Assignment{}, "{"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reindex(ctx, fstest.MapFS{}, ReindexOptions{}); err == nil {
		t.Error("what is kept of a grouping is damaged, and yet used")
	}
}
