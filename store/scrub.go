package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mattn/go-sqlite3"
)

// scrubSuffix names the file that an account is copied to while it is rewritten.
const scrubSuffix = "-scrubbing"

// Scrub completes an erasure whose rewriting of the file failed, because a
// reader was in its way or the disk was full; without one it does nothing.
func (db *DB) Scrub(ctx context.Context) error {
	return db.exclusively(ctx, "scrub", func() error {
		var due bool
		if err := db.write.QueryRowContext(ctx, "SELECT scrub FROM account").Scan(&due); err != nil || !due {
			return err
		}
		return db.scrub(ctx)
	})
}

// scrub leaves no byte of what was deleted: secure_delete has overwritten it
// where it was, rewriting the file drops what moving rows about left in its
// pages, and emptying the log removes the copies that it holds.
func (db *DB) scrub(ctx context.Context) error {
	err := db.rewrite(ctx)
	if err != nil {
		err = fmt.Errorf("rewrite the file: %w", err)
	}
	emptied, logErr := truncateLog(ctx, db.write)
	if logErr == nil && !emptied {
		logErr = fmt.Errorf("a reader keeps the log from being emptied: %w", ErrBusy)
	}
	if err := errors.Join(err, logErr); err != nil {
		return err
	}
	_, err = db.write.ExecContext(ctx, "UPDATE account SET scrub = 0")
	return err
}

// rewrite does what VACUUM does, which would hold all of the file in memory:
// its temporary files must not lie anywhere else. The copy beside the file has
// only what is left of the account, and is copied back in one transaction.
func (db *DB) rewrite(ctx context.Context) (err error) {
	name := db.file + scrubSuffix
	if err := remove(name); err != nil { // of a crash
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite would let others read it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove(name)) }()
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := db.write.ExecContext(ctx, "VACUUM INTO ?", name); err != nil {
		return err
	}
	from := openSQL(name, readOnly, nil)
	defer func() { err = errors.Join(err, from.Close()) }()
	return onConn(ctx, from, func(src *sqlite3.SQLiteConn) error {
		return onConn(ctx, db.write, func(dst *sqlite3.SQLiteConn) error { return copyPages(dst, src) })
	})
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// onConn runs f on one of a pool's connections.
func onConn(ctx context.Context, pool *sql.DB, f func(*sqlite3.SQLiteConn) error) (err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return conn.Raw(func(c any) error {
		lite, ok := c.(*sqlite3.SQLiteConn)
		if !ok {
			return errors.New("the SQLite driver has connections of another kind")
		}
		return f(lite)
	})
}

// copyPages makes one database what another is, in one transaction.
func copyPages(dst, src *sqlite3.SQLiteConn) error {
	b, err := dst.Backup("main", src, "main")
	if err != nil {
		return err
	}
	done, err := b.Step(-1)
	if err == nil && !done {
		err = fmt.Errorf("it is in use: %w", ErrBusy)
	}
	return errors.Join(err, b.Finish())
}
