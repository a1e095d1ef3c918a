package keyring

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kith-photos/kith/store"
)

// Ring is a folder of wrapped data keys. It is safe for concurrent use, by
// several processes too: changes take turns.
type Ring struct {
	folder
	keys []hostKey // the current one first
}

var _ store.KeyProvider = (*Ring)(nil)

// Open opens the folder at dir, and makes it if there is none. New data keys
// are wrapped with the current host key; what is wrapped with an old one can
// be unwrapped too. Host keys have [KeySize] bytes, as [ReadKey] gives them,
// and the slices are not kept. A folder that the group or others may use is
// refused. A Ring holds nothing open, so that there is nothing to close.
func Open(dir string, current []byte, old ...[]byte) (*Ring, error) {
	r := &Ring{}
	for i, key := range append([][]byte{current}, old...) {
		k, err := newHostKey(key)
		if err != nil {
			return nil, fmt.Errorf("keyring: host key %d %w", i, err)
		}
		r.keys = append(r.keys, k)
	}
	var err error
	if r.folder, err = openFolder(dir); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return r, nil
}

// DataKey returns the data key of an account, [KeySize] bytes that are the
// caller's own. Where there is none, with create a random one is made and is
// on disk when DataKey returns; processes that do so at once get the same.
// Without create the error is [store.ErrNoKey]. It is [store.ErrWrongKey] if
// the file was wrapped with a host key that was not given, was changed, or is
// that of another account (the text says which), and [ErrFormat] if it is no
// key file.
func (r *Ring) DataKey(ctx context.Context, account string, create bool) ([]byte, error) {
	id := sha256.Sum256([]byte(account))
	var key []byte
	err := r.locked(ctx, shared, func() (err error) {
		key, err = r.read(id)
		return err
	})
	if errors.Is(err, store.ErrNoKey) && create {
		err = r.locked(ctx, exclusive, func() (err error) {
			key, err = r.make(id)
			return err
		})
	}
	if err == nil && create {
		// Also where it was there: who made it may have died before this.
		err = r.sync()
	}
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return key, nil
}

// read returns the data key in an account's file.
func (r *Ring) read(id digest) ([]byte, error) {
	key, _, err := r.readWhich(id)
	return key, err
}

func (r *Ring) readWhich(id digest) (key []byte, which int, err error) {
	b, err := readFile(r.path(id), fileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("%q: %w", r.path(id), store.ErrNoKey)
	}
	if err != nil {
		return nil, 0, err
	}
	if key, which, err = r.unwrap(b, id); err != nil {
		return nil, 0, fmt.Errorf("%q: %w", r.path(id), err)
	}
	return key, which, nil
}

// make makes the data key of an account that has none.
func (r *Ring) make(id digest) ([]byte, error) {
	key, err := r.read(id)
	if errors.Is(err, errDestroyed) {
		if err := r.destroy(id); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, store.ErrNoKey) {
		return key, err // another one was faster
	}
	key = make([]byte, KeySize)
	rand.Read(key)
	err = r.add(id, r.keys[0].wrap(id, key))
	if errors.Is(err, fs.ErrExist) {
		// Where locks do not work (some network file systems), links may.
		return r.read(id)
	}
	return key, err
}

// DestroyKey overwrites and removes the file of an account's data key, which
// no process can then get any more; what it cannot reach is in the package's
// documentation. None there is no error. After an error, the key may still be
// there, and DestroyKey should be called again.
func (r *Ring) DestroyKey(ctx context.Context, account string) error {
	id := sha256.Sum256([]byte(account))
	if err := r.locked(ctx, exclusive, func() error { return r.destroy(id) }); err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	return nil
}

// Rotate wraps every data key with the current host key that is not, and
// returns how many it did. Each file is replaced as a whole: after a crash it
// is the old one or the new one, and the next Rotate does the rest. A file
// that cannot be unwrapped is left as it is and does not keep Rotate from the
// others: the error is that of all of them. Without an error, every file that
// was there can be unwrapped with the current host key, and needs no old one.
func (r *Ring) Rotate(ctx context.Context) (int, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return 0, fmt.Errorf("keyring: %w", err)
	}
	var n int
	var failed []error
	for _, e := range entries {
		id, kind := parseName(e.Name())
		if kind == foreign {
			continue
		}
		if err := ctx.Err(); err != nil {
			failed = append(failed, fmt.Errorf("keyring: rotate: %w", err))
			return n, errors.Join(failed...)
		}
		path := filepath.Join(r.dir, e.Name())
		err := r.locked(ctx, exclusive, func() error {
			if kind == leftover {
				return r.tidy(id, path)
			}
			done, err := r.rewrap(id)
			if done {
				n++
			}
			return err
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("keyring: %w", err))
		}
	}
	// A file that another process had replaced may not be on disk yet.
	if err := r.sync(); err != nil {
		failed = append(failed, fmt.Errorf("keyring: %w", err))
	}
	return n, errors.Join(failed...)
}

// tidy discards what a crash left of an account, but not while the account's
// own file cannot be unwrapped: it might be the last copy of the key.
func (r *Ring) tidy(id digest, temp string) error {
	if _, err := r.read(id); err != nil && !errors.Is(err, store.ErrNoKey) {
		return nil // Rotate says so when it comes to that file
	}
	return r.discard(id, temp)
}

// rewrap wraps one data key with the current host key, unless it is.
func (r *Ring) rewrap(id digest) (bool, error) {
	key, which, err := r.readWhich(id)
	switch {
	case errors.Is(err, errDestroyed):
		return false, r.destroy(id)
	case errors.Is(err, store.ErrNoKey): // gone meanwhile
		return false, nil
	}
	if err != nil || which == 0 {
		return false, err
	}
	defer clear(key)
	err = r.replace(id, r.keys[0].wrap(id, key))
	return err == nil, err
}
