package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// What can go wrong, for errors.Is.
var (
	ErrBusy         = errors.New("account is in use")
	ErrWrongAccount = errors.New("file belongs to another account")
	ErrReadOnly     = errors.New("account is read-only")
	ErrFull         = errors.New("no space left for the account")
	ErrNotFound     = errors.New("not found")
	ErrRevoked      = errors.New("decision is revoked already")
	ErrClosed       = errors.New("account is closed")
	// ErrErased: the account was erased, and holds nothing but its audit.
	ErrErased = errors.New("account is erased")
)

// errStop ends the reading of rows that nobody wants any more.
var errStop = errors.New("stop")

// NotAccountError reports a file that is no kith account: no SQLite file, or
// one of another program.
type NotAccountError struct{ Path string }

func (e *NotAccountError) Error() string {
	return fmt.Sprintf("store: %q is not a kith account", e.Path)
}

// SchemaError reports an account of a schema that this version cannot work
// with: a newer one, or, opened read-only, an older one that would have to be
// migrated first.
type SchemaError struct {
	Path string
	Have int // the file's schema version
	Want int // the newest (read-only: the only) one that is understood
}

func (e *SchemaError) Error() string {
	if e.Have < e.Want {
		return fmt.Sprintf("store: %q has schema %d, older than %d: open it once for writing", e.Path, e.Have, e.Want)
	}
	return fmt.Sprintf("store: %q has schema %d, newer than %d: a newer kith is needed", e.Path, e.Have, e.Want)
}

// CorruptError reports an account whose bytes contradict themselves.
type CorruptError struct {
	Path   string
	Detail string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("store: %q is corrupt: %s", e.Path, e.Detail)
}

// TamperedError reports a value of a sealed account that does not open: it was
// changed, or comes from another row, column or account.
type TamperedError struct {
	Path  string
	Value string // column and row, such as "people.name of" and an id
}

func (e *TamperedError) Error() string {
	return fmt.Sprintf("store: %q was tampered with: %s does not open", e.Path, e.Value)
}

// explain turns what came out of database/sql into the package's errors. It
// is the only place that knows SQLite's result codes.
func explain(ctx context.Context, op, path string, err error) error {
	if err == nil {
		return nil
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return fmt.Errorf("store: %s %q: %w", op, path, ctxErr)
	}
	var tampered *TamperedError
	if errors.As(err, &tampered) {
		tampered.Path = path
		return err
	}
	var corrupt *CorruptError
	if errors.As(err, &corrupt) {
		corrupt.Path = path
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return fmt.Errorf("store: %s %q: %w", op, path, err)
	}
	var kind error
	switch lite.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		kind = ErrBusy
	case sqlite3.ErrReadonly:
		kind = ErrReadOnly
	case sqlite3.ErrFull:
		kind = ErrFull
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return &CorruptError{Path: path, Detail: lite.Error()}
	default:
		return fmt.Errorf("store: %s %q: %w", op, path, err)
	}
	return fmt.Errorf("store: %s %q: %w: %w", op, path, kind, err)
}

// isCode reports whether err is SQLite's error of one of the codes.
func isCode(err error, codes ...sqlite3.ErrNo) bool {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return false
	}
	for _, c := range codes {
		if lite.Code == c {
			return true
		}
	}
	return false
}
