package store

import (
	"context"
	"database/sql"
	"os"
	"time"
)

// An account that was closed properly has no log beside it, and its file has
// the modification time that the file itself says: whole even seconds, which
// every file system can keep. Whatever else writes to it (a process that died,
// a damaged copy, another program) leaves a log or another time. So an account
// that is as kith left it need not be read through before it is opened, which
// would take most of the time that opening it and searching it once takes.

// closedTime is the time in a row of account.
func closedTime(sec int64) time.Time { return time.Unix(sec, 0) }

// isUntouched reports whether the account is as it was when it was last closed.
func isUntouched(ctx context.Context, q querier, file string) (bool, error) {
	var closed sql.NullInt64
	if err := q.QueryRowContext(ctx, "SELECT closed FROM account").Scan(&closed); err != nil {
		return false, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	return closed.Valid && info.ModTime().Equal(closedTime(closed.Int64)) && !hasLog(file), nil
}

// markClosed is the last that is written to the account: the time that its
// file is about to get. It is zero where none is needed, because nothing was
// written, or where it could not be written; then the file will be read through.
func (db *DB) markClosed(ctx context.Context) time.Time {
	if untouched, err := isUntouched(ctx, db.write, db.file); err != nil || untouched {
		return time.Time{}
	}
	sec := time.Now().Unix() &^ 1
	if _, err := db.write.ExecContext(ctx, "UPDATE account SET closed = ?", sec); err != nil {
		return time.Time{}
	}
	return closedTime(sec)
}

// setClosed gives the file its time, now that nothing writes to it any more.
func (db *DB) setClosed(at time.Time) {
	if !at.IsZero() {
		_ = os.Chtimes(db.file, at, at)
	}
}
