package store

import (
	"context"
	"errors"
)

// What can go wrong with keys, for errors.Is. A value that was changed is a
// third thing, *TamperedError.
var (
	ErrNoKey    = errors.New("the key of the account is missing")
	ErrWrongKey = errors.New("the key is not that of the account")
)

// KeyProvider keeps the data keys of accounts, one of 32 random bytes each,
// outside of the accounts' files: a copy or a backup of a file says nothing
// once its key is destroyed. Package store/keyring is one.
type KeyProvider interface {
	// DataKey is the data key of an account. Where there is none, with create
	// a new one is made, kept for good and returned; without, the error is
	// ErrNoKey. It is ErrWrongKey if what is kept cannot be unwrapped with the
	// host's key.
	DataKey(ctx context.Context, account string, create bool) ([]byte, error)
	// DestroyKey makes the data key of an account unrecoverable. None there
	// is no error.
	DestroyKey(ctx context.Context, account string) error
}
