package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// everything is what an account tells, row by row.
func (c *cast) everything(t testing.TB, db *DB) map[string]string {
	t.Helper()
	return c.named(everything(t, db))
}

// named puts the cast's names in place of ids.
func (c *cast) named(rows map[string]string) map[string]string {
	out := map[string]string{}
	for key, v := range rows {
		kind, id, _ := strings.Cut(key, " ")
		if label := c.labels[id]; label != "" {
			key = kind + " " + label
		}
		out[key] = v
	}
	return out
}

// everything is the same by the rows' ids.
func everything(t testing.TB, db *DB) map[string]string {
	t.Helper()
	return tell(t.Context(), db, func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	})
}

// tell reads all that can be read. What gives an error is left out, and the
// error reported.
func tell(ctx context.Context, db *DB, report func(error)) map[string]string {
	out := map[string]string{}
	add := func(kind string, id, v any, err error) {
		if err != nil {
			report(err)
			return
		}
		b, err := json.Marshal(v)
		report(err)
		out[fmt.Sprintf("%s %v", kind, id)] = string(b)
	}
	for p, err := range db.Photos(ctx, PhotoQuery{}) {
		if add("photo", p.ID, p, err); err != nil {
			break
		}
		byPath, err := db.PhotoByPath(ctx, p.Path)
		add("bypath", p.Path, byPath, err)
		byContent, err := db.PhotosByContent(ctx, p.SHA256)
		add("bycontent", fmt.Sprintf("%x", p.SHA256), byContent, err)
	}
	for f, err := range db.Files(ctx) {
		add("file", f.ID, f, err)
	}
	for f, err := range db.Faces(ctx, FaceQuery{Rejected: Include}) {
		add("face", f.ID, f, err)
		if v, err := db.Vector(ctx, f.ID); !errors.Is(err, ErrNotFound) {
			add("vector", f.ID, v, err)
		}
	}
	faces, err := db.AllFaces(ctx)
	report(err)
	for _, f := range faces {
		add("vectorface", f.ID, f, nil)
	}
	for p, err := range db.People(ctx, PeopleQuery{Ignored: Include}) {
		add("person", p.ID, p, err)
	}
	for d, err := range db.Decisions(ctx) {
		add("decision", d.ID, d, err)
	}
	for e, err := range db.Events(ctx, 0) {
		add("event", e.ID, e, err)
	}
	for e, err := range db.Audit(ctx) {
		add("audit", e.Seq, e, err)
	}
	tellRecords(ctx, db, add)
	return out
}

// tellRecords is the part of tell that is no listing.
func tellRecords(ctx context.Context, db *DB, add func(kind string, id, v any, err error)) {
	consents, err := db.Consents(ctx)
	add("consents", "", consents, err)
	products, err := db.Products(ctx)
	add("products", "", products, err)
	spaces, err := db.Spaces(ctx)
	add("spaces", "", spaces, err)
	for _, s := range spaces {
		e, err := db.Embeddings(ctx, s.Name)
		for i, id := range e.IDs {
			add("embedding", id, e.Data[i*s.Dim:(i+1)*s.Dim], err)
		}
		add("embeddings", s.Name, len(e.IDs), err)
		set, err := db.Vectors(ctx, s.Name)
		add("vectors", s.Name, set.Faces, err)
	}
	originals, err := db.Originals(ctx, start.AddDate(100, 0, 0))
	add("originals", "", originals, err)
	about, current, err := db.Grouping(ctx)
	add("grouping", "", []any{about, current}, err)
	folder, err := db.Setting(ctx, "folder")
	add("setting", "folder", folder, err)
	about, current, err = db.ArrangedBy(ctx)
	add("arrangedby", "", []any{about, current}, err)
	if a, err := db.LoadArrangement(ctx); err != nil {
		add("arranged", "", nil, err)
	} else {
		tellArrangement(a, add)
	}
	tellShared(ctx, db, add)
	state, err := db.State(ctx)
	state.Sealed = false // that is said elsewhere
	add("state", "", state, err)
	tombs, err := db.Tombstones(ctx)
	if err != nil {
		add("tombstones", "", nil, err)
		return
	}
	add("tombstones", "", len(tombs.photos)+len(tombs.faces), nil)
}

func tellArrangement(a *Arranged, add func(kind string, id, v any, err error)) {
	for _, p := range a.Places {
		add("place", p.ID, p, nil)
	}
	for _, m := range a.Moments {
		m.Parent, m.Place = 0, 0
		add("moment", m.ID, m, nil)
	}
	for _, s := range a.Shots {
		v := []any{s.Taken, s.Source, s.Fine, s.Shift, s.At, s.Where, s.Guessed}
		if s.Camera >= 0 {
			v = append(v, a.Cameras[s.Camera])
		}
		if s.Cell >= 0 {
			v = append(v, a.Cells[s.Cell])
		}
		if s.Place >= 0 {
			v = append(v, a.Places[s.Place].ID)
		}
		if s.Moment >= 0 {
			v = append(v, a.Moments[s.Moment].ID)
		}
		add("shot", s.Photo, v, nil)
	}
}

// tellShared is what is shared with friends.
func tellShared(ctx context.Context, db *DB, add func(kind string, id, v any, err error)) {
	view := func(kind string, f func(*Sharing) error) {
		if err := db.Shared(ctx, f); err != nil {
			add(kind, "", nil, err)
		}
	}
	view("friends", func(s *Sharing) error {
		friends, err := s.Friends()
		for _, f := range friends {
			add("friend", f.ID, f, nil)
			states, err := s.RoundStates(f.ID)
			for day := range states {
				r, err := s.Round(f.ID, day)
				if err != nil {
					return err
				}
				add("round", fmt.Sprintf("%s %d", f.ID, day), r, nil)
			}
			if err != nil {
				return err
			}
		}
		return err
	})
	view("outbox", func(s *Sharing) error {
		out, err := s.Outbox()
		for _, o := range out {
			add("outgoing", o.ID, o, nil)
		}
		return err
	})
	for _, state := range []OfferState{OfferProposed, OfferMade, OfferWanted, OfferAsked, OfferTaken} {
		view("offers", func(s *Sharing) error {
			offers, err := s.Offers(state)
			for _, o := range offers {
				add("offer", o.ID, o, nil)
			}
			return err
		})
	}
	view("choices", func(s *Sharing) error {
		choices, err := s.Choices("")
		for _, c := range choices {
			add("choice", c.ID, c, nil)
		}
		return err
	})
}

// differences are the rows that went, came (+) or changed (~).
func differences(before, after map[string]string) []string {
	var out []string
	for key, v := range before {
		if w, ok := after[key]; !ok {
			out = append(out, "-"+key)
		} else if v != w {
			out = append(out, "~"+key)
		}
	}
	for key := range after {
		if _, ok := before[key]; !ok {
			out = append(out, "+"+key)
		}
	}
	slices.Sort(out)
	return out
}
