package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ReadKey reads a host key from a file of 64 hexadecimal digits or of 44
// characters of base64 (RFC 4648, section 4), with or without an end of line.
// It refuses a file that the group or others may read or write (but on
// Windows), and a key of zeros. A symbolic link is followed, since that is
// how secrets are often mounted. The error never has anything of the key.
func ReadKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if err != nil {
		return nil, fmt.Errorf("keyring: host key %q: %w", path, err)
	}
	return key, nil
}

func readKey(path string) ([]byte, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	const longest = 2*KeySize + len("\r\n")
	text, err := readFile(target, longest)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return parseKey(text)
}

// parseKey returns the key in the text of a host key file.
func parseKey(text []byte) (_ []byte, err error) {
	line := bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	key := make([]byte, len(line))
	var n int
	switch len(line) {
	case hex.EncodedLen(KeySize):
		n, err = hex.Decode(key, line)
	case base64.StdEncoding.EncodedLen(KeySize):
		n, err = base64.StdEncoding.Strict().Decode(key, line)
	}
	// The decoders' errors quote what they read.
	if err != nil || n != KeySize {
		clear(key)
		return nil, fmt.Errorf("it has neither %d hexadecimal digits nor %d characters of base64",
			hex.EncodedLen(KeySize), base64.StdEncoding.EncodedLen(KeySize))
	}
	if allZero(key[:n]) {
		return nil, errors.New("it is all zeros")
	}
	return key[:n:n], nil
}

// CreateKey makes a random host key and writes it to a new file, mode 0600,
// in hexadecimal. The error is fs.ErrExist if there is a file. Keep the key
// where neither the folder of the data keys nor the accounts are, nor the
// backups of either: who has it and a copy of the folder has every account.
func CreateKey(path string) error {
	if err := createKey(path); err != nil {
		return fmt.Errorf("keyring: host key: %w", err)
	}
	return nil
}

func createKey(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	key := make([]byte, KeySize)
	rand.Read(key)
	_, err = fmt.Fprintf(file, "%x\n", key)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}
