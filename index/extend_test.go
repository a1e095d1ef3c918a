package index_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/kith-photos/kith/index"
)

// One photo after another, in any order, gives the people that all at once do.
func TestIndexGroups(t *testing.T) {
	for seed := range uint64(3) {
		acc, src := newAccount(t, index.Config{}), family()
		names := []string{"a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg", "b/5.jpg", "b/6.jpg"}
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			must1[index.Photo](t)(acc.Index(t.Context(), src, name))
		}
		wantPartition(t, acc, familyPeople...)
	}
}

// town is a library that is too large to be grouped whole for one photo:
// forty people of thirty photos.
func town(t *testing.T) (*index.Account, *files) {
	t.Helper()
	acc, src := newAccount(t, index.Config{}), newFiles(nil)
	for p := range 40 {
		for i := range 30 {
			src.put(fmt.Sprintf("%02d/%02d.jpg", p, i), shot(fmt.Sprint(p, " ", i), p+1))
		}
	}
	reindex(t, acc, src, index.ReindexOptions{})
	return acc, src
}

func TestIndexExtends(t *testing.T) {
	acc, src := town(t)
	ctx := t.Context()
	anna := personOf(t, acc, "00/00.jpg", 0)
	named(t, acc, anna, "Anna")
	must1[index.DecisionID](t)(acc.Ignore(ctx, personOf(t, acc, "01/00.jpg", 0)))
	events := all(t, acc.Events(ctx, 0))
	last := events[len(events)-1].ID

	// A search fills the memory that Index then brings up to date, while others
	// go on looking at it.
	probe := portrait(1, 99)
	found := must1[[]index.Match](t)(acc.Search(ctx, probe, 1))
	placed := 20
	stop, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := acc.Search(ctx, probe, 3); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for i := range 20 {
		name := fmt.Sprintf("new/%02d.jpg", i)
		src.put(name, shot(fmt.Sprint("new ", i), i%4+1, 50+i)) // somebody known and somebody new
		must1[index.Photo](t)(acc.Index(ctx, src, name))
		if got := personOf(t, acc, name, 0); got == "" || got != personOf(t, acc, fmt.Sprintf("%02d/00.jpg", i%4), 0) {
			t.Errorf("%s shows %q, want who is on the others of %d", name, got, i%4)
		}
		if personOf(t, acc, name, 1) != "" { // by chance: there are few directions for sixty people
			placed++
		}
	}
	if placed > 22 {
		t.Errorf("%d faces of strangers are somebody's", placed-20)
	}
	close(stop)
	done.Wait()

	if again := must1[[]index.Match](t)(acc.Search(ctx, probe, 1211)); len(again) != 1211 || found[0].Person != anna {
		t.Errorf("a search finds %d of 1240 faces", len(again))
	} else if !slices.ContainsFunc(again, func(m index.Match) bool {
		return m.Face == facesOf(t, acc, "new/00.jpg")[0].ID && m.Person == anna
	}) {
		t.Error("a search does not find the face of a new photo with its person")
	}
	if p := must1[index.Person](t)(acc.Person(ctx, anna)); p.Faces != 35 || p.Name != "Anna" {
		t.Errorf("Anna has %d faces, want 35", p.Faces)
	}
	if p := must1[index.Person](t)(acc.Person(ctx, personOf(t, acc, "new/01.jpg", 0))); !p.Ignored || p.Faces != 35 {
		t.Errorf("who is ignored has %+v", p)
	}
	came := 0
	for _, e := range all(t, acc.Events(ctx, last)) {
		came += e.Joined
		if e.Left != 0 {
			t.Errorf("event %+v takes faces away", e)
		}
	}
	if came != placed {
		t.Errorf("the events tell of %d faces, want %d", came, placed)
	}
	before := worldOf(t, acc)
	must1[index.Report](t)(acc.Regroup(ctx))
	if after := worldOf(t, acc); !reflect.DeepEqual(before, after) {
		t.Error("Regroup moves faces that Index had placed")
	}
	if e := must1[index.Explanation](t)(acc.Explain(ctx, facesOf(t, acc, "new/00.jpg")[0].ID)); e.Reason != index.BecauseLinked {
		t.Errorf("the new face is explained as %v", e)
	}
}

// A new photo brings no face to a person whose it was said not to be.
func TestIndexExtendsAsDecided(t *testing.T) {
	acc, src := town(t)
	ctx := t.Context()
	anna := personOf(t, acc, "00/00.jpg", 0)
	gone := facesOf(t, acc, "00/01.jpg")[0].ID
	must1[index.DecisionID](t)(acc.Remove(ctx, gone))
	for i := range 5 {
		name := fmt.Sprintf("new/%d.jpg", i)
		src.put(name, shot(fmt.Sprint("more ", i), 1))
		must1[index.Photo](t)(acc.Index(ctx, src, name))
		if got := personOf(t, acc, name, 0); got != anna {
			t.Errorf("%s shows %q, want %q", name, got, anna)
		}
		if got := personOf(t, acc, "00/01.jpg", 0); got == anna {
			t.Fatal("a removed face came back")
		}
	}
}
