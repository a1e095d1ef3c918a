package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// State is what stands in the way of work on an account. Zero times: nothing.
type State struct {
	Restricted time.Time // since when nothing may be processed
	Deleted    time.Time // when its deletion was asked for
	Erased     time.Time // since when it is empty
	Consent    bool      // the owner's consent to work on faces stands
	Sealed     bool      // its values are encrypted
	Noted      time.Time // time of the audit's latest entry
}

// State reads the account's state. It is ErrNoKey if another process has sealed
// the account since this one opened it, read-only and in plain.
func (db *DB) State(ctx context.Context) (State, error) {
	var restricted, deleted, erased, noted sql.NullInt64
	var s State
	err := db.read.QueryRowContext(ctx, `SELECT restricted, deleted, erased, sealed IS NOT NULL,
		coalesce((SELECT given FROM consent WHERE person = '' ORDER BY seq DESC LIMIT 1), 0),
		(SELECT at FROM audit ORDER BY seq DESC LIMIT 1) FROM account`).
		Scan(&restricted, &deleted, &erased, &s.Sealed, &s.Consent, &noted)
	s.Restricted, s.Deleted, s.Erased = fromNullMicros(restricted), fromNullMicros(deleted), fromNullMicros(erased)
	s.Noted = fromNullMicros(noted)
	if err == nil && s.Sealed && db.vault == nil {
		err = fmt.Errorf("%w: it was sealed after it was opened", ErrNoKey)
	}
	return s, db.fail(ctx, "read the state of", err)
}

// SetRestricted restricts the account from now on, or lifts that.
func (db *DB) SetRestricted(ctx context.Context, on bool) (AuditEntry, error) {
	return db.setSince(ctx, "restricted", on, map[bool]string{true: "restrict", false: "lift restriction"}[on])
}

// SetDeleted marks the account as deleted from now on, or restores it.
func (db *DB) SetDeleted(ctx context.Context, on bool) (AuditEntry, error) {
	return db.setSince(ctx, "deleted", on, map[bool]string{true: "delete account", false: "restore account"}[on])
}

// setSince sets one of the columns that say since when. One that is set keeps
// its time.
func (db *DB) setSince(ctx context.Context, column string, on bool, action string) (AuditEntry, error) {
	var e AuditEntry
	err := db.update(ctx, "change the state of", func(tx *sql.Tx) error {
		query := "UPDATE account SET " + column + " = NULL"
		var args []any
		if on {
			query, args = fmt.Sprintf("UPDATE account SET %s = coalesce(%s, ?)", column, column), []any{micros(db.now())}
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
		var err error
		e, err = db.enter(ctx, tx, action, Counts{ClassAccount: 1})
		return err
	})
	return e, err
}
