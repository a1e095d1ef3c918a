package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// EraseBiometrics erases every face, vector, person, decision, event and
// vector space, leaves one event of kind EventErased, marks the photos that were ok as pending, and rewrites the file so
// that the bytes are in none of the account's files. What EXIF said about the
// photos, settings and the history of consent stay. It returns how many faces
// went.
//
// The rows go in one transaction; rewriting comes after it. ErrBusy means
// that the rows are gone but a reader, maybe of another process, still looks
// at the state before, so that the log could not be emptied; any other error
// may mean the same. Erasing again takes up where it stopped.
func (db *DB) EraseBiometrics(ctx context.Context) (int, error) {
	var faces int
	err := db.exclusively(ctx, "erase biometrics of", func() error {
		if err := db.transact(ctx, func(tx *sql.Tx) error { return db.eraseRows(ctx, tx, &faces) }); err != nil {
			return err
		}
		return db.scrub(ctx)
	})
	return faces, err
}

func (db *DB) eraseRows(ctx context.Context, tx *sql.Tx, faces *int) error {
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM faces").Scan(faces); err != nil {
		return err
	}
	for _, query := range []string{
		"DELETE FROM slots",
		"DELETE FROM chunks",
		"DELETE FROM vectors",
		"DELETE FROM faces",
		"DELETE FROM people",
		"DELETE FROM decisions",
		"DELETE FROM spaces",
		"DELETE FROM events",
		"DELETE FROM grouping",
		"UPDATE photos SET status = 'pending' WHERE status = 'ok'",
		"UPDATE photos SET analyzer = '' WHERE analyzer <> ''",
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return putEvent(ctx, tx, Event{At: db.now(), Kind: EventErased, Left: *faces})
}

// scrub leaves no byte of what was deleted: secure_delete has overwritten it
// in the pages, VACUUM drops the pages that nothing uses, and emptying the log
// removes the copies that it holds.
func (db *DB) scrub(ctx context.Context) error {
	_, err := db.write.ExecContext(ctx, "VACUUM")
	if err != nil {
		err = fmt.Errorf("rewrite the file: %w", err)
	}
	emptied, logErr := truncateLog(ctx, db.write)
	if logErr == nil && !emptied {
		logErr = fmt.Errorf("a reader keeps the log from being emptied: %w", ErrBusy)
	}
	return errors.Join(err, logErr)
}
