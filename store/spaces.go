package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

func scanSpace(row scanner, id *int64) (Space, error) {
	var s Space
	var impostors []byte
	if err := row.Scan(id, &s.Name, &s.Dim, &impostors); err != nil {
		return Space{}, err
	}
	if err := json.Unmarshal(impostors, &s.Impostors); err != nil {
		return Space{}, &CorruptError{Detail: fmt.Sprintf("space %q: impostors: %v", s.Name, err)}
	}
	if s.Dim < 1 || s.Dim > maxDim {
		return Space{}, &CorruptError{Detail: fmt.Sprintf("space %q has dimension %d", s.Name, s.Dim)}
	}
	return s, nil
}

func lookupSpace(ctx context.Context, q querier, name string) (id int64, s Space, err error) {
	row := q.QueryRowContext(ctx, "SELECT id, name, dim, impostors FROM spaces WHERE name = ?", name)
	s, err = scanSpace(row, &id)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("vector space %q: %w", name, ErrNotFound)
	}
	return id, s, err
}

// PutSpace records a vector space, or new impostors of a known one. The
// dimension, from 1 to 65536, of a known one cannot change.
func (db *DB) PutSpace(ctx context.Context, s Space) error {
	return db.update(ctx, "put a vector space into", func(tx *sql.Tx) error { return putSpace(ctx, tx, s) })
}

func putSpace(ctx context.Context, tx *sql.Tx, s Space) error {
	if s.Name == "" || s.Dim < 1 || s.Dim > maxDim {
		return fmt.Errorf("vector space %q of dimension %d", s.Name, s.Dim)
	}
	if !finite(slices.Concat(s.Impostors.Thresholds, s.Impostors.FAR)...) {
		return fmt.Errorf("vector space %q: impostors are not finite", s.Name)
	}
	impostors, err := json.Marshal(s.Impostors)
	if err != nil {
		return err
	}
	_, old, err := lookupSpace(ctx, tx, s.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		_, err = tx.ExecContext(ctx, "INSERT INTO spaces (name, dim, impostors) VALUES (?, ?, ?)",
			s.Name, s.Dim, string(impostors))
		return err
	case err != nil:
		return err
	case old.Dim != s.Dim:
		return fmt.Errorf("vector space %q has dimension %d, not %d", s.Name, old.Dim, s.Dim)
	}
	_, err = tx.ExecContext(ctx, "UPDATE spaces SET impostors = ? WHERE name = ?", string(impostors), s.Name)
	return err
}

// Space is the vector space of a name, or ErrNotFound.
func (db *DB) Space(ctx context.Context, name string) (Space, error) {
	_, s, err := lookupSpace(ctx, db.read, name)
	return s, db.fail(ctx, "read a vector space of", err)
}

// Spaces are the account's vector spaces in the order in which they came.
func (db *DB) Spaces(ctx context.Context) ([]Space, error) {
	var spaces []Space
	err := each(ctx, db.read, "SELECT id, name, dim, impostors FROM spaces ORDER BY id", nil, func(rows *sql.Rows) error {
		var id int64
		s, err := scanSpace(rows, &id)
		spaces = append(spaces, s)
		return err
	})
	if err != nil {
		return nil, db.fail(ctx, "read vector spaces of", err)
	}
	return spaces, nil
}
