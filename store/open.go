package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// Options says how to open an account. The zero value opens for writing,
// makes the account if there is none, and does not wait for anybody.
type Options struct {
	// AccountID, where set, is the id that the file must belong to. A new
	// file takes it as its id; without one it gets a random id.
	AccountID string
	// ReadOnly opens an existing account without the writer's lock, also
	// while another process writes. Every change gives ErrReadOnly.
	ReadOnly bool
	// BusyTimeout is how long to wait for another process (or another DB of
	// this one) that has the account open for writing; 0: not at all.
	BusyTimeout time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Keys has the account's data key; nil: the account is plain. An account
	// that was plain until now is sealed when it is opened with one for
	// writing.
	Keys KeyProvider

	// perChunk is how many vectors a chunk has, whatever their dimension; 0:
	// as many as make chunkBytes. Tests have small ones.
	perChunk int
}

// DB is one account's file, open. It is safe for concurrent use: writes take
// turns, reads run beside them, each on one snapshot.
type DB struct {
	path    string // as the caller named it, for messages
	file    string // the same, resolved
	account string
	now     func() time.Time
	keys    KeyProvider
	vault   *vault // nil: the account is plain
	// capacity is how many vectors of a dimension a chunk has.
	capacity func(dim int) int

	read  *sql.DB
	write *sql.DB      // nil: read-only
	lock  *flock.Flock // nil: read-only

	// writing holds the one write that may run. BeginTx could do the waiting
	// too, but with a context that can be cancelled database/sql rolls back in
	// a goroutine of its own, which may outlive Close.
	writing chan struct{}
	closed  atomic.Bool
	// underway is odd while an erasure is under way, of which a snapshot may show
	// only a part.
	underway atomic.Int64
}

// Open opens the account in the SQLite file at path, and makes it if there is
// no file or an empty one. The file, and what SQLite puts beside it, can be
// read and written by its owner only (mode 0600).
//
// It returns ErrBusy if another process has the account open for writing,
// ErrWrongAccount if the file belongs to another account than opt.AccountID,
// *NotAccountError, *SchemaError or *CorruptError if the file cannot be used,
// *InsecureError if another user of the machine could get at it, ErrNoKey or
// ErrWrongKey if it is sealed and opt.Keys does not open it,
// and, read-only, an error that is fs.ErrNotExist if there is none. A file
// that is refused is left as it was, to the byte. Corruption is looked for
// with SQLite's quick_check, which reads the whole file, unless the file is as
// Close left it, by its modification time and the absence of a log; [DB.Check]
// always looks.
//
// A read-only account on a medium where SQLite cannot make its own files
// (a read-only directory) is read as it lies there, without locks, provided
// that no log (-wal) is beside it: nobody may write to it meanwhile.
func Open(ctx context.Context, path string, opt Options) (*DB, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s, err := loadSchema(schemaFS, "schema")
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return open(ctx, path, opt, s)
}

func open(ctx context.Context, path string, opt Options, s schema) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("store: open %q: %w", path, err)
	}
	file, err := resolve(path)
	if err == nil {
		err = checkPrivate(path, file)
	}
	if err != nil {
		return nil, fmt.Errorf("store: open %q: %w", path, err)
	}
	db := &DB{path: path, file: file, now: opt.Now, keys: opt.Keys, capacity: capacity, writing: make(chan struct{}, 1)}
	if opt.perChunk > 0 {
		db.capacity = func(int) int { return opt.perChunk }
	}
	if opt.ReadOnly {
		err = db.openReadOnly(ctx, file, opt, s)
	} else {
		err = db.openWriter(ctx, file, opt, s)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

func (db *DB) openReadOnly(ctx context.Context, file string, opt Options, s schema) error {
	a, state, err := inspectReadOnly(ctx, file)
	if err == nil {
		err = state.refuse(opt, s, true)
	}
	if err == nil {
		db.account = state.account
		err = db.unlock(ctx, state)
	}
	if err != nil {
		return withPath(ctx, db.path, err)
	}
	db.read = openSQL(file, a, db.vault)
	return nil
}

func (db *DB) openWriter(ctx context.Context, file string, opt Options, s schema) (err error) {
	db.lock, err = takeLock(ctx, file+lockSuffix, opt.BusyTimeout)
	if err != nil {
		return fmt.Errorf("store: open %q: %w", db.path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(withPath(ctx, db.path, err), db.shut())
		}
	}()
	empty, err := isEmpty(file)
	if err != nil {
		return err
	}
	if empty {
		if err := create(ctx, file, opt, s); err != nil {
			return err
		}
	}
	state, err := inspectLocked(ctx, file)
	if err != nil {
		return err
	}
	if err := state.refuse(opt, s, false); err != nil {
		return err
	}
	db.account = state.account
	if err := db.unlock(ctx, state); err != nil {
		return err
	}
	tighten(file)
	db.write = openSQL(file, readWrite, db.vault)
	if err := s.apply(ctx, db.write); err != nil {
		return err
	}
	if err := db.resume(ctx, state, s); err != nil {
		return err
	}
	db.read = openSQL(file, readOnly, db.vault)
	return nil
}

// unlock gets the key of a sealed account. That of an erased one is gone.
func (db *DB) unlock(ctx context.Context, st state) error {
	switch {
	case st.forged:
		return &TamperedError{Value: "account.sealed of " + db.account}
	case st.sealed == nil || st.erased:
		return nil
	case db.keys == nil:
		return fmt.Errorf("%w: it is sealed, and was opened without keys", ErrNoKey)
	}
	key, err := db.keys.DataKey(ctx, db.account, false)
	if err != nil {
		return err
	}
	v, err := newVault(db.account, key)
	if err != nil {
		return err
	}
	if !v.fits(st.sealed) {
		return ErrWrongKey
	}
	db.vault = v
	return nil
}

// resume completes what an earlier process began, and seals a plain account
// that came with keys.
func (db *DB) resume(ctx context.Context, st state, s schema) error {
	if s.version() < rightsVersion { // a test's
		return nil
	}
	if _, err := db.write.ExecContext(ctx, "UPDATE account SET salt = randomblob(32) WHERE salt IS NULL AND erased IS NULL"); err != nil {
		return err
	}
	if st.erased {
		var left bool
		err := db.write.QueryRowContext(ctx, "SELECT salt IS NOT NULL FROM account").Scan(&left)
		if err == nil && left {
			_, err = db.finishErasure(ctx)
		}
		if err != nil {
			return err
		}
	} else if st.sealed == nil && db.keys != nil {
		if err := db.sealAccount(ctx); err != nil {
			return err
		}
	}
	// An account whose file cannot be rewritten just now (no room, a reader)
	// is opened all the same; Check says so, and Scrub tries again.
	if err := db.Scrub(ctx); err != nil && ctx.Err() != nil {
		return err
	}
	return nil
}

// withPath names path in what went wrong while opening it.
func withPath(ctx context.Context, path string, err error) error {
	var foreign *NotAccountError
	var schemaErr *SchemaError
	switch {
	case errors.As(err, &foreign):
		foreign.Path = path
		return foreign
	case errors.As(err, &schemaErr):
		schemaErr.Path = path
		return schemaErr
	}
	return explain(ctx, "open", path, err)
}

// AccountID is the id of the account that the file belongs to.
func (db *DB) AccountID() string { return db.account }

// Close ends the account's use: it waits for a write under way, brings the
// log back into the file and lets the next one in. It is idempotent. A
// listing that is still being read may be read to its end; everything else
// gives ErrClosed.
func (db *DB) Close() error {
	if db.closed.Swap(true) {
		return nil
	}
	db.writing <- struct{}{} // for good: no write begins from here on
	if err := db.shut(); err != nil {
		return fmt.Errorf("store: close %q: %w", db.path, err)
	}
	return nil
}

// shut closes what is open, the lock last.
func (db *DB) shut() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.shutWriter())
	}
	if db.lock != nil {
		errs = append(errs, releaseLock(db.lock))
	}
	return errors.Join(errs...)
}

// shutWriter empties the log and marks the file as closed, unless it was never
// opened as a whole. A reader that is still at work keeps the log from being
// emptied; then the next one to close empties it.
func (db *DB) shutWriter() error {
	ctx := context.Background()
	if _, err := db.write.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return errors.Join(err, db.write.Close())
	}
	var closed time.Time
	if db.read != nil {
		closed = db.markClosed(ctx)
	}
	emptied, err := truncateLog(ctx, db.write)
	err = errors.Join(err, db.write.Close())
	if emptied && err == nil {
		db.setClosed(closed)
	}
	return err
}

// truncateLog copies the log into the file and empties it; false means that
// a reader's snapshot keeps part of it in use.
func truncateLog(ctx context.Context, q querier) (bool, error) {
	var busy, frames, copied int
	err := q.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
	return busy == 0, err
}

// update runs one write as one transaction: f's error, a cancelled context
// or a crash leaves everything as it was.
func (db *DB) update(ctx context.Context, op string, f func(*sql.Tx) error) error {
	return db.exclusively(ctx, op, func() error { return db.transact(ctx, f) })
}

// exclusively runs f while no other write does.
func (db *DB) exclusively(ctx context.Context, op string, f func() error) error {
	switch {
	case db.closed.Load():
		return fmt.Errorf("store: %s %q: %w", op, db.path, ErrClosed)
	case db.write == nil:
		return fmt.Errorf("store: %s %q: %w", op, db.path, ErrReadOnly)
	case ctx.Err() != nil: // select would toss a coin
		return explain(ctx, op, db.path, ctx.Err())
	}
	select {
	case db.writing <- struct{}{}:
	case <-ctx.Done():
		return explain(ctx, op, db.path, ctx.Err())
	}
	defer func() { <-db.writing }()
	return explain(ctx, op, db.path, f())
}

func (db *DB) transact(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// fail names the operation in the error of a read.
func (db *DB) fail(ctx context.Context, op string, err error) error {
	if err != nil && db.closed.Load() {
		return fmt.Errorf("store: %s %q: %w", op, db.path, ErrClosed)
	}
	return explain(ctx, op, db.path, err)
}

// view runs f on one snapshot.
func (db *DB) view(ctx context.Context, op string, f func(*sql.Tx) error) error {
	tx, err := db.read.BeginTx(ctx, nil) // BEGIN; the first query fixes the snapshot
	if err == nil {
		defer func() { _ = tx.Rollback() }()
		err = f(tx)
	}
	return db.fail(ctx, op, err)
}
