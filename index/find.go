package index

import (
	"context"
	"iter"
)

// Find finds photos by who is in them, when and where they were taken, and with
// what: one page of them, how many there are, and how many of these have what.
// Anna and Ben together in the summer of 2019 near Turku, with who else was
// there:
//
//	a.Find(ctx, index.Query{
//		All:    []index.PersonID{anna, ben},
//		Wall:   []index.Span{{From: june1, To: september1}},
//		Region: index.Within(geo.Circle{Center: turku, Radius: 20_000}),
//		Limit:  50,
//		Facets: map[index.Facet]int{index.ByPerson: 10},
//	})
//
// On this day of any year: Dates. Anna as a child: All and Wall, with Ages. The
// next page is the same query with After set to Found.Next.
//
// Times and places are those that were worked out of all photos together; they
// are brought up to date first, but while a Reindex runs, which ends with that. Without consent to work on faces there is
// nobody in any photo, and everything else is found. People who are ignored are
// found when they are asked for, and left out where people are counted. It
// returns *QueryError where the query makes no sense, and ErrCursor.
func (a *Account) Find(ctx context.Context, q Query) (Found, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Found{}, err
	}
	defer done()
	if err := a.arranged(ctx); err != nil {
		return Found{}, err
	}
	return a.db.Find(ctx, q)
}

// Moments lists moments, days or trips with the people in them, the newest
// first unless the query asks otherwise. Like every listing it is one snapshot,
// which break releases; an error is yielded once and last.
func (a *Account) Moments(ctx context.Context, q MomentQuery) iter.Seq2[Moment, error] {
	return whenArranged(a, ctx, func(ctx context.Context) iter.Seq2[Moment, error] { return a.db.Moments(ctx, q) })
}

// Places lists the places where the account often was, those with most photos
// first.
func (a *Account) Places(ctx context.Context, q PlaceQuery) iter.Seq2[Place, error] {
	return whenArranged(a, ctx, func(ctx context.Context) iter.Seq2[Place, error] { return a.db.Places(ctx, q) })
}

// Cameras lists the cameras that photos were taken with, those with most photos
// first.
func (a *Account) Cameras(ctx context.Context) iter.Seq2[Camera, error] {
	return whenArranged(a, ctx, a.db.Cameras)
}

// Shot is when and where a photo was taken, or ErrNotFound.
func (a *Account) Shot(ctx context.Context, id PhotoID) (Shot, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Shot{}, err
	}
	defer done()
	if err := a.arranged(ctx); err != nil {
		return Shot{}, err
	}
	return a.db.Shot(ctx, id)
}

// Together tells which two people are most often on one photo: a person and
// another, or, where id is empty, any two. limit bounds how many pairs; 0: all.
// Ignored people do not count. A person who is unknown is with nobody.
func (a *Account) Together(ctx context.Context, id PersonID, limit int) ([]Pair, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := a.arranged(ctx); err != nil {
		return nil, err
	}
	return a.db.Together(ctx, id, limit)
}

// whenArranged is listed, once the arrangement is up to date.
func whenArranged[T any](a *Account, ctx context.Context, open func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			if err := a.arranged(ctx); err != nil {
				var zero T
				yield(zero, err)
				return
			}
			open(ctx)(yield)
		}
	})
}
