package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
)

// Values of a sealed account are encrypted with AES-256-GCM (NIST SP 800-38D)
// and a random nonce, under a key derived (HKDF, RFC 5869) from the account's
// data key and its id. The associated data of each names its column and row, so
// that a value that was changed, or moved from another row, column or account,
// does not open. Random nonces of 96 bits allow 2^32 values under one key.

const (
	dataKeySize  = 32
	nonceSize    = 12             // bytes, in front of what is encrypted
	sealOverhead = nonceSize + 16 // and the tag behind it
)

// vault seals and opens the values of one account. A nil vault is that of a
// plain account, and leaves everything as it is.
type vault struct {
	aead  cipher.AEAD
	tags  []byte // key of what is looked up by equality
	check []byte // tells, without the key, whether a key is the right one
}

func newVault(account string, dataKey []byte) (*vault, error) {
	if len(dataKey) != dataKeySize {
		return nil, fmt.Errorf("%w: it has %d bytes, want %d", ErrWrongKey, len(dataKey), dataKeySize)
	}
	derive := func(use string) ([]byte, error) {
		return hkdf.Key(sha256.New, dataKey, nil, "kith 1 "+use+" "+account, 32)
	}
	seal, err1 := derive("seal")
	tags, err2 := derive("look up")
	check, err3 := derive("check")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &vault{aead: aead, tags: tags, check: check}, nil
}

// fits reports whether check was stored by a vault of the same key.
func (v *vault) fits(check []byte) bool { return subtle.ConstantTimeCompare(v.check, check) == 1 }

// overhead is by how many bytes a sealed value is longer.
func (v *vault) overhead() int {
	if v == nil {
		return 0
	}
	return sealOverhead
}

// where is the associated data of a value: its column and its row.
func where(column, row string) []byte {
	b := make([]byte, 0, len(column)+1+len(row))
	b = append(b, column...)
	b = append(b, 0)
	return append(b, row...)
}

// seal encrypts a value of a row; nil and empty stay so.
func (v *vault) seal(column, row string, plain []byte) []byte {
	if v == nil || len(plain) == 0 {
		return plain
	}
	b := make([]byte, nonceSize, len(plain)+sealOverhead)
	_, _ = rand.Read(b) // it never fails
	return v.aead.Seal(b, b, plain, where(column, row))
}

// open decrypts what seal made.
func (v *vault) open(column, row string, sealed []byte) ([]byte, error) {
	if v == nil || len(sealed) == 0 {
		return sealed, nil
	}
	return v.openTo(nil, column, row, sealed)
}

// openInPlace is open, with the result where the sealed bytes were.
func (v *vault) openInPlace(column, row string, sealed []byte) ([]byte, error) {
	if v == nil || len(sealed) < nonceSize {
		return v.open(column, row, sealed)
	}
	return v.openTo(sealed[nonceSize:nonceSize], column, row, sealed)
}

// openTo decrypts behind dst.
func (v *vault) openTo(dst []byte, column, row string, sealed []byte) ([]byte, error) {
	if len(sealed) >= nonceSize {
		plain, err := v.aead.Open(dst, sealed[:nonceSize], sealed[nonceSize:], where(column, row))
		if err == nil {
			return plain, nil
		}
	}
	return nil, &TamperedError{Value: column + " of " + name(row)}
}

// name shortens the name of a row for a message: that of a chunk lists faces.
func name(row string) string {
	if len(row) > 64 {
		return row[:26] + "..."
	}
	return row
}

func (v *vault) sealText(column, row, plain string) string {
	if v == nil || plain == "" {
		return plain
	}
	return base64.RawStdEncoding.EncodeToString(v.seal(column, row, []byte(plain)))
}

func (v *vault) openText(column, row, sealed string) (string, error) {
	if v == nil || sealed == "" {
		return sealed, nil
	}
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", &TamperedError{Value: column + " of " + name(row)}
	}
	b, err = v.open(column, row, b)
	return string(b), err
}

// openTexts opens, in place, the texts of a row's columns.
func (v *vault) openTexts(row string, columns map[string]*string) (err error) {
	if v == nil {
		return nil
	}
	for column, s := range columns {
		if *s, err = v.openText(column, row, *s); err != nil {
			return err
		}
	}
	return nil
}

// tag is what stands in the file for a value that is looked up.
func (v *vault) tag(column string, value []byte) [32]byte {
	h := hmac.New(sha256.New, v.tags)
	h.Write([]byte(column + "\x00"))
	h.Write(value)
	return [32]byte(h.Sum(nil))
}

// pathKey is what the column path holds of a path.
func (v *vault) pathKey(path string) string {
	if v == nil {
		return path
	}
	t := v.tag("photos.path", []byte(path))
	return base64.RawStdEncoding.EncodeToString(t[:])
}

// contentKey is what the column sha256 holds of a content's hash. That of a
// content that nobody could read stays what it is.
func (v *vault) contentKey(sha [32]byte) [32]byte {
	if v == nil || sha == [32]byte{} {
		return sha
	}
	return v.tag("photos.sha256", sha[:])
}
