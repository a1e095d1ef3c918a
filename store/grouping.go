package store

import (
	"context"
	"database/sql"
	"errors"
)

// PutGrouping applies what a grouping of all faces came to, as PutPeople does,
// and records in the same transaction what the caller has to say about it,
// which must say nothing about people: it outlasts them.
func (db *DB) PutGrouping(ctx context.Context, a Assignment, about string) error {
	return db.update(ctx, "put a grouping into", func(tx *sql.Tx) error {
		if err := db.assign(ctx, tx, a); err != nil {
			return err
		}
		// Last: whatever changes a face or a person takes current back.
		_, err := tx.ExecContext(ctx, `INSERT INTO grouping (id, about, current) VALUES (1, ?1, 1)
			ON CONFLICT (id) DO UPDATE SET about = ?1, current = 1`, about)
		return err
	})
}

// Grouping is what was recorded about the latest grouping of all faces, "" if
// there was none since the account was made or biometrics were erased. It is
// current if nothing has been committed since that another grouping of all
// faces could depend on: faces, who they are with, people, decisions, vector
// spaces and their impostors, consent.
func (db *DB) Grouping(ctx context.Context) (about string, current bool, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT about, current FROM grouping").Scan(&about, &current)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return about, current, db.fail(ctx, "read the grouping of", err)
}
