package index

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face/cluster"
	"github.com/kith-photos/kith/store"
)

// Regroup derives the people anew from the faces and the standing decisions.
// It needs no analyzer, only consent. A regrouped cluster keeps the id of the
// person whose faces it mostly holds; what somebody decided stays true. Faces
// that have no vector in the space in use, because another model found them
// and they have not been looked at again, stay where they are.
func (a *Account) Regroup(ctx context.Context) (Report, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	defer done()
	if err := a.needConsent(ctx); err != nil {
		return Report{}, err
	}
	start := a.cfg.Now()
	g, err := a.regroup(ctx)
	r := Report{Grouping: g, Elapsed: a.cfg.Now().Sub(start)}
	return r, cause(ctx, err)
}

func (a *Account) regroup(ctx context.Context) (Grouping, error) {
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return Grouping{}, err
	}
	defer unlock()
	return a.derive(ctx)
}

// derive is regroup for a caller who holds a.people.
func (a *Account) derive(ctx context.Context) (Grouping, error) {
	space, err := a.space(ctx)
	if err != nil || space == "" {
		return Grouping{}, err
	}
	vs, err := a.db.Vectors(ctx, space)
	if isNotFound(err) { // no face was ever found in this space
		return Grouping{}, nil
	}
	if err != nil {
		return Grouping{}, err
	}
	if len(vs.Faces) > 0 && len(vs.Space.Impostors.Thresholds) == 0 {
		return Grouping{}, fmt.Errorf("space %s: %w: its impostor tail was never measured, so faces cannot be grouped", space, ErrModelMismatch)
	}
	b, err := a.openBook(ctx)
	if err != nil {
		return Grouping{}, err
	}
	p := newPlacing(b, vs)
	res := cluster.Result{Label: []int{}}
	if len(vs.Faces) > 0 {
		// What decisions hold together is not told: a large set that is one
		// from the start would draw others in, who would not leave it when the
		// decision is undone. Whoever is placed is held to it all the same.
		links := cluster.Links{Different: p.pairs(p.ledger.different())}
		res, err = cluster.Group(ctx, clusterFaces(vs), links, cluster.Options{Impostors: vs.Space.Impostors})
		if err != nil {
			return Grouping{}, fmt.Errorf("group %d faces: %w", len(vs.Faces), err)
		}
	}
	person := b.place(p, res)
	g := grouped{Rules: groupingRules, Space: space, Threshold: res.Threshold, Loose: res.Loose, Faces: len(vs.Faces)}
	people := map[PersonID]bool{}
	for i, id := range person {
		if id != "" {
			people[id] = true
		} else if p.row[i] >= 0 {
			g.Unassigned++
		}
	}
	g.People = len(people)
	about, err := json.Marshal(g)
	if err != nil {
		return Grouping{}, err
	}
	if err := a.db.PutGrouping(ctx, b.outcome(p.ledger, person, true), string(about)); err != nil {
		return Grouping{}, err
	}
	a.forgetFaces()
	return g.report(), nil
}

// mostPlacings bounds how often people are placed anew; two are nearly always
// enough.
const mostPlacings = 5

// place turns clusters into people, again and again until that changes nothing
// more: who continues a person depends on who holds its faces, which placing
// itself changes. Grouping twice then comes to what grouping once does.
func (b *book) place(p *placing, res cluster.Result) []PersonID {
	person := p.place(res.Label, res.Clusters)
	for range mostPlacings {
		next := newPlacing(b.after(b.outcome(p.ledger, person, true)), p.vs).place(res.Label, res.Clusters)
		if slices.Equal(next, person) {
			break
		}
		person = next
	}
	return person
}

// clusterFaces shows the account's vectors to package cluster.
func clusterFaces(vs store.VectorSet) cluster.Faces {
	f := cluster.Faces{
		Dim: vs.Space.Dim, Data: vs.Data,
		Quality: make([]float64, len(vs.Faces)),
		Photo:   make([]int32, len(vs.Faces)),
	}
	photos := map[store.PhotoID]int32{}
	for i, v := range vs.Faces {
		n, ok := photos[v.Photo]
		if !ok {
			n = int32(len(photos))
			photos[v.Photo] = n
		}
		f.Quality[i], f.Photo[i] = v.Quality, n
	}
	return f
}

// sortedKeys makes a map's order one that can be repeated.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
