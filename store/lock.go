package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockSuffix = "-lock"
	lockRetry  = 20 * time.Millisecond
)

// takeLock makes the caller the only one that has the account open for
// writing, waiting at most wait for the one who has. ErrBusy means that the
// wait was in vain.
func takeLock(ctx context.Context, path string, wait time.Duration) (*flock.Flock, error) {
	patient, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		l := flock.New(path, flock.SetPermissions(0o600))
		ok, err := l.TryLock()
		if !ok && err == nil && wait > 0 {
			ok, err = l.TryLockContext(patient, lockRetry)
		}
		switch {
		case ctx.Err() != nil:
			return nil, errors.Join(ctx.Err(), l.Close())
		case err != nil && !errors.Is(err, context.DeadlineExceeded):
			return nil, err
		case !ok:
			return nil, ErrBusy
		}
		current, err := isCurrent(l)
		if err == nil && current {
			return l, nil
		}
		// The one before removed the file between our opening and locking it:
		// what we hold is a lock on a file that nobody else will find.
		if err = errors.Join(err, l.Close()); err != nil {
			return nil, err
		}
	}
}

// isCurrent reports whether the locked file is still the one at its path.
func isCurrent(l *flock.Flock) (bool, error) {
	held, err := l.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(l.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(held, there), err
}

// releaseLock removes the lock file while it is held, so that the next one
// makes its own, and lets go.
func releaseLock(l *flock.Flock) error {
	// Where an open file cannot be removed (Windows) it stays, which is
	// harmless: a lock file that nobody holds is free.
	_ = os.Remove(l.Path())
	return l.Close()
}
