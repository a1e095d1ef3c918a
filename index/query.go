package index

import (
	"context"
	"errors"
	"iter"

	"github.com/kith-photos/kith/store"
)

// People lists the account's people, those with most faces first; ignored ones
// only if the query asks for them. Like every
// listing it is one snapshot, which break releases; an error is yielded once
// and last.
func (a *Account) People(ctx context.Context, q PeopleQuery) iter.Seq2[Person, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Person, error] { return a.db.People(ctx, q) })
}

// Faces lists faces by their photo's path, from left to right within one; those
// that somebody said are none only if the query asks for them.
func (a *Account) Faces(ctx context.Context, q FaceQuery) iter.Seq2[Face, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Face, error] { return a.db.Faces(ctx, q) })
}

// Photos lists photos by path.
func (a *Account) Photos(ctx context.Context, q PhotoQuery) iter.Seq2[Photo, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Photo, error] { return a.db.Photos(ctx, q) })
}

// Person returns one person, or ErrNotFound.
func (a *Account) Person(ctx context.Context, id PersonID) (Person, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Person{}, err
	}
	defer done()
	return a.db.Person(ctx, id)
}

// Photo returns one photo, or ErrNotFound.
func (a *Account) Photo(ctx context.Context, id PhotoID) (Photo, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Photo{}, err
	}
	defer done()
	return a.db.Photo(ctx, id)
}

// listed ties a listing to the account's life: Close waits for it.
func listed[T any](a *Account, ctx context.Context, open func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, done, err := a.begin(ctx)
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		defer done()
		for v, err := range open(ctx) {
			if !yield(v, err) {
				return
			}
		}
	}
}

// collect reads a listing into a slice.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }
