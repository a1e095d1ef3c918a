package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/kith-photos/kith/store"
)

// KeySize is the length of a host key and of a data key, in bytes.
const KeySize = 32

// ErrFormat reports a file that is no key file, or one of a version that is
// not understood.
var ErrFormat = errors.New("not a key file of this version")

// errDestroyed reports a file whose key was overwritten, but that a crash
// left there. It is store.ErrNoKey.
var errDestroyed = fmt.Errorf("%w: it was destroyed", store.ErrNoKey)

// Where things are in a file; see the package's documentation.
const (
	magic      = "kithkey"
	version    = 1
	idAt       = len(magic) + 1
	accountAt  = idAt + len(keyID{})
	sealedAt   = accountAt + len(digest{})
	sealedSize = 12 + KeySize + 16 // nonce, data key, tag
	fileSize   = sealedAt + sealedSize
)

type (
	digest [sha256.Size]byte // of an account's id
	keyID  [8]byte           // tells host keys apart
)

// hostKey is a host key, ready to use. The key's bytes are not kept.
type hostKey struct {
	id   keyID
	aead cipher.AEAD
}

func newHostKey(key []byte) (hostKey, error) {
	if len(key) != KeySize {
		return hostKey{}, fmt.Errorf("has %d bytes, want %d", len(key), KeySize)
	}
	if allZero(key) {
		return hostKey{}, errors.New("is all zeros")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return hostKey{}, err
	}
	// Nonces are random: SP 800-38D, section 8.3 allows 2^32 of them under
	// one key, which is as many accounts made or rotated.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return hostKey{}, err
	}
	sum := sha256.Sum256(append([]byte("kith keyring: id of a host key\x00"), key...))
	return hostKey{id: keyID(sum[:]), aead: aead}, nil
}

// wrap returns the file of an account.
func (k hostKey) wrap(account digest, dataKey []byte) []byte {
	header := make([]byte, 0, fileSize)
	header = append(header, magic...)
	header = append(header, version)
	header = append(header, k.id[:]...)
	header = append(header, account[:]...)
	return k.aead.Seal(header, nil, dataKey, header)
}

// parse checks that b is laid out as a key file is. What it says is not to be
// believed before it is unwrapped.
func parse(b []byte) (id keyID, account digest, err error) {
	switch {
	case !bytes.HasPrefix(b, []byte(magic)):
		return id, account, fmt.Errorf("%w: it does not begin as one does", ErrFormat)
	case len(b) > len(magic) && b[len(magic)] != version:
		return id, account, fmt.Errorf("%w: its version is %d, only %d is understood", ErrFormat, b[len(magic)], version)
	case len(b) < fileSize:
		return id, account, fmt.Errorf("%w: cut short, it has %d of %d bytes", ErrFormat, len(b), fileSize)
	case len(b) > fileSize:
		return id, account, fmt.Errorf("%w: it has more than %d bytes", ErrFormat, fileSize)
	}
	copy(id[:], b[idAt:])
	copy(account[:], b[accountAt:])
	return id, account, nil
}

// unwrap returns the data key in an account's file, and which of the host
// keys wrapped it (0: the current one).
func (r *Ring) unwrap(b []byte, account digest) (dataKey []byte, which int, err error) {
	id, of, err := parse(b)
	if err != nil {
		return nil, 0, err
	}
	if of != account {
		return nil, 0, fmt.Errorf("%w: the file is that of another account", store.ErrWrongKey)
	}
	if allZero(b[sealedAt:]) {
		return nil, 0, errDestroyed
	}
	for i, k := range r.keys {
		if k.id != id {
			continue
		}
		key, err := k.aead.Open(nil, nil, b[sealedAt:], b[:sealedAt])
		if err != nil {
			return nil, 0, fmt.Errorf("%w: the host key (%x) is the right one, but the file was changed", store.ErrWrongKey, id)
		}
		return key, i, nil
	}
	return nil, 0, fmt.Errorf("%w: it was wrapped with host key %x, which is not among the %d given, or the file was changed",
		store.ErrWrongKey, id, len(r.keys))
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
