package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// resolve makes path absolute and follows links, so that the lock and
// SQLite's files are the same whatever name an account is opened by.
func resolve(path string) (string, error) {
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return "", fs.ErrInvalid
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		if _, lerr := os.Lstat(abs); lerr == nil {
			return "", fmt.Errorf("dangling link: %w", err)
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
		if err != nil {
			return "", err
		}
		return filepath.Join(dir, filepath.Base(abs)), nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", errors.New("is a directory")
	case !info.Mode().IsRegular():
		return "", errors.New("is no regular file")
	}
	return file, nil
}

// isEmpty reports whether there is no file yet, or one without a byte.
func isEmpty(file string) (bool, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return err == nil && info.Size() == 0, err
}

// state is what an account's file says about itself.
type state struct {
	version int
	account string
	sealed  []byte // tells the right key; nil: the account is plain
	forged  bool   // it is sealed, and does not say so
	erased  bool
}

// refuse returns why an account in this state may not be opened.
func (st state) refuse(opt Options, s schema, readOnly bool) error {
	if st.version > s.version() || readOnly && st.version < s.version() {
		return &SchemaError{Have: st.version, Want: s.version()}
	}
	if opt.AccountID != "" && opt.AccountID != st.account {
		return ErrWrongAccount
	}
	return nil
}

// inspectLocked examines a file that nobody else writes.
func inspectLocked(ctx context.Context, file string) (state, error) {
	if err := checkMark(ctx, file); err != nil {
		return state{}, err
	}
	a := readOnly // reads what a crashed writer left in the log, and changes nothing
	if !hasLog(file) {
		a = immutable // leaves no new files beside one that is refused
	}
	return inspect(ctx, file, a)
}

// inspectReadOnly examines a file that somebody may be writing to, and says
// how it can be read.
func inspectReadOnly(ctx context.Context, file string) (access, state, error) {
	empty, err := isEmpty(file)
	if err != nil {
		return "", state{}, err
	}
	if empty {
		if _, err := os.Stat(file); err != nil {
			return "", state{}, err
		}
		return "", state{}, &NotAccountError{}
	}
	if err := checkMark(ctx, file); err != nil {
		return "", state{}, err
	}
	st, err := inspect(ctx, file, readOnly)
	if isCode(err, sqlite3.ErrCantOpen, sqlite3.ErrReadonly) && !hasLog(file) {
		st, err = inspect(ctx, file, immutable)
		return immutable, st, err
	}
	return readOnly, st, err
}

// checkMark refuses a file that is not an account. It reads the first page
// with all locks and the log left out of it: an account is complete, with its
// application_id in the file itself, when it gets its name (see create), and
// the mark never changes. The file is read through SQLite because closing a
// file drops all POSIX locks that the process holds on it.
func checkMark(ctx context.Context, file string) error {
	pool := openSQL(file, immutable, nil)
	defer func() { _ = pool.Close() }()
	var id int64
	err := pool.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id)
	if isCode(err, sqlite3.ErrNotADB) || err == nil && id != applicationID {
		return &NotAccountError{}
	}
	// Any other fault may come from a checkpoint under way: inspect decides.
	return nil
}

func inspect(ctx context.Context, file string, a access) (st state, err error) {
	pool := openSQL(file, a, nil)
	defer func() { err = errors.Join(err, pool.Close()) }()
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return st, err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&st.version); err != nil {
		return st, err
	}
	err = tx.QueryRowContext(ctx, "SELECT uid FROM account").Scan(&st.account)
	if errors.Is(err, sql.ErrNoRows) || isCode(err, sqlite3.ErrError) {
		return st, &CorruptError{Detail: fmt.Sprintf("no account in it: %v", err)}
	}
	if err != nil {
		return st, err
	}
	// An older schema has no such columns.
	err = tx.QueryRowContext(ctx, `SELECT sealed, erased IS NOT NULL, sealed IS NULL AND (coalesce(length(salt), 32) <> 32
		OR coalesce((SELECT p.sealed IS NOT NULL FROM photos p LIMIT 1), false)) FROM account`).Scan(&st.sealed, &st.erased, &st.forged)
	if err != nil && !isCode(err, sqlite3.ErrError) {
		return st, err
	}
	// An older schema, or damage, makes this an error: then look closer.
	if untouched, err := isUntouched(ctx, tx, file); err == nil && untouched {
		return st, nil
	}
	var verdict string
	if err := tx.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return st, err
	}
	if verdict != "ok" {
		return st, &CorruptError{Detail: verdict}
	}
	return st, nil
}

// hasLog reports whether SQLite's log beside the file holds anything.
func hasLog(file string) bool {
	info, err := os.Stat(file + "-wal")
	return err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// besides are the files that SQLite keeps next to a database.
func besides(file string) []string {
	return []string{file + "-wal", file + "-shm", file + "-journal"}
}

// tighten takes an account away from group and others. Whoever does not own
// it cannot, and may use it all the same.
func tighten(file string) {
	for _, f := range append(besides(file), file) {
		if info, err := os.Stat(f); err == nil && info.Mode().Perm()&0o077 != 0 {
			_ = os.Chmod(f, 0o600)
		}
	}
}

// create makes a new account under another name and gives it its own when
// it is complete, so that a crash never leaves half of one.
func create(ctx context.Context, file string, opt Options, s schema) (err error) {
	tmp := file + "-creating"
	stale := append(besides(tmp), tmp, file+scrubSuffix) // of a crash
	// A log without its database says nothing, but SQLite would apply it.
	stale = append(stale, besides(file)...)
	for _, f := range stale {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp)
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if err := fill(ctx, tmp, opt, s); err != nil {
		return err
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// fill writes schema and account into an empty file. Closing the pool brings
// everything from the log into the file.
func fill(ctx context.Context, file string, opt Options, s schema) (err error) {
	pool := openSQL(file, readWrite, nil)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := s.apply(ctx, pool); err != nil {
		return err
	}
	id := opt.AccountID
	if id == "" {
		id = newUID()
	}
	_, err = pool.ExecContext(ctx, "INSERT INTO account (id, uid, created) VALUES (1, ?, ?)", id, micros(opt.Now()))
	return err
}

// syncDir makes a new name in dir last through a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Not every system can sync a directory; the name is there either way.
	_ = d.Sync()
	return d.Close()
}
