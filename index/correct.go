package index

import (
	"context"
	"errors"
	"slices"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/store"
)

// corrects reports whether a decision is about a photo or a camera, and not about
// people.
func corrects(d Decision) bool {
	return d.Kind == store.DecisionTime || d.Kind == store.DecisionPlace || d.Kind == store.DecisionClock
}

// ledger lists the decisions about people, which corrections are not.
func (a *Account) ledger(ctx context.Context) ([]Decision, error) {
	ds, err := collect(a.db.Decisions(ctx))
	return slices.DeleteFunc(ds, corrects), err
}

// CorrectTime says when a photo, and every copy of it, was taken, whatever its
// file says; the zero Time says that it is unknown. It outlasts indexing and
// can be undone. What the file says is kept only for that.
func (a *Account) CorrectTime(ctx context.Context, id PhotoID, taken exif.Time) (DecisionID, error) {
	return a.correct(ctx, id, store.DecisionTime, store.Correction{Taken: &taken})
}

// CorrectPlace says where a photo, and every copy of it, was taken; nil says
// that it is unknown. Otherwise it is like CorrectTime.
func (a *Account) CorrectPlace(ctx context.Context, id PhotoID, place *exif.GPS) (DecisionID, error) {
	if g := place; g != nil && !(g.Lat >= -90 && g.Lat <= 90 && g.Lon >= -180 && g.Lon <= 180) {
		return "", errors.New("index: a place must be within -90 to 90 and -180 to 180 degrees")
	}
	return a.correct(ctx, id, store.DecisionPlace, store.Correction{GPS: place})
}

func (a *Account) correct(ctx context.Context, id PhotoID, kind store.DecisionKind, c store.Correction) (DecisionID, error) {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	p, err := a.db.Photo(ctx, id)
	if err != nil {
		return "", err
	}
	if p.SHA256 == [32]byte{} {
		return "", errors.New("index: the photo was never read, so nothing can be said of its content")
	}
	d := Decision{Kind: kind, Faces: []store.FaceRef{{SHA256: p.SHA256}}, Correction: &c}
	return a.db.Decide(ctx, d, store.Assignment{})
}
