package keyring

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestReadKey(t *testing.T) {
	key := randomKey()
	key[0] = 0xfb // so that base64 has a character that its variants differ in
	digits, base := hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key)
	// The last character has two bits more than the key.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	spare := base[:42] + string(alphabet[strings.IndexByte(alphabet, base[42])+1]) + "="
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"hexadecimal":         {digits, true},
		"with an end of line": {digits + "\n", true},
		"of Windows":          {digits + "\r\n", true},
		"capitals":            {strings.ToUpper(digits) + "\n", true},
		"base64":              {base, true},
		"base64, end of line": {base + "\n", true},
		"empty":               {"", false},
		"end of line":         {"\n", false},
		"raw":                 {string(key), false},
		"two ends of line":    {digits + "\n\n", false},
		"a space before":      {" " + digits, false},
		"63 digits":           {digits[:63], false},
		"66 digits":           {digits + "00", false},
		"a megabyte":          {strings.Repeat(digits, 1<<14), false},
		"no digit":            {digits[:63] + "g", false},
		"base64 of 31":        {base64.StdEncoding.EncodeToString(key[:31]), false},
		"base64 of 33":        {base64.StdEncoding.EncodeToString(append(key, 1)), false},
		"base64 for URLs":     {base64.URLEncoding.EncodeToString(key), false},
		"base64, unpadded":    {base[:43], false},
		"base64, spare bits":  {spare, false},
		"base64, line break":  {base[:40] + "\n" + base[41:], false},
		"zeros":               {strings.Repeat("0", 64), false},
		"base64 of zeros":     {base64.StdEncoding.EncodeToString(make([]byte, KeySize)), false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "key")
			write(t, path, []byte(c.text))
			got, err := ReadKey(path)
			if c.ok != (err == nil) || c.ok && !bytes.Equal(got, key) {
				t.Fatalf("got %x, %v", got, err)
			}
			if err != nil && (got != nil || says(err.Error(), key) || !strings.Contains(err.Error(), strconv.Quote(path))) {
				t.Errorf("got %x, %v; want the path and nothing of the key", got, err)
			}
		})
	}
}

func TestReadKeyRefusesFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if _, err := ReadKey(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: %v", err)
	}
	if _, err := ReadKey(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
	must(t, CreateKey(path))
	if onWindows {
		t.Log("without the part about modes, which Windows has none of")
		return
	}
	link := filepath.Join(dir, "link")
	must(t, os.Symlink("key", link))
	must1[[]byte](t)(ReadKey(link))
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o644} {
		must(t, os.Chmod(path, mode))
		for _, path := range []string{path, link} {
			if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s with mode %o: %v, want a refusal", path, mode, err)
			}
		}
	}
	must(t, os.Chmod(path, 0o400))
	must1[[]byte](t)(ReadKey(path))
}

func TestCreateKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	must(t, CreateKey(path))
	key := must1[[]byte](t)(ReadKey(path))
	if mode := must1[os.FileInfo](t)(os.Stat(path)).Mode(); !onWindows && mode != 0o600 {
		t.Errorf("mode %v", mode)
	}
	if err := CreateKey(path); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second time: %v, want fs.ErrExist and the path", err)
	}
	if again := must1[[]byte](t)(ReadKey(path)); !bytes.Equal(again, key) {
		t.Error("the key was replaced")
	}
	must(t, CreateKey(path+"2"))
	if other := must1[[]byte](t)(ReadKey(path + "2")); bytes.Equal(other, key) {
		t.Error("two keys are the same")
	}
	if _, err := Open(privateDir(t), key); err != nil {
		t.Errorf("the key is none: %v", err)
	}
}

// A key has 32 bytes that are not all zero, and is one that the text says.
func FuzzHostKey(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := parseKey(text)
		if err != nil {
			if key != nil {
				t.Errorf("both %x and %v", key, err)
			}
			return
		}
		line := strings.TrimRight(string(text), "\r\n")
		if hex.EncodeToString(key) != strings.ToLower(line) && base64.StdEncoding.EncodeToString(key) != line {
			t.Errorf("%q gave %x", text, key)
		}
		if len(key) != KeySize || allZero(key) {
			t.Errorf("%q gave %x", text, key)
		}
	})
}

// seed is a committed input of a fuzz target that takes bytes.
func seed(t *testing.T, target, name string) []byte {
	t.Helper()
	text := string(read(t, filepath.Join("testdata", "fuzz", target, name)))
	_, text, _ = strings.Cut(text, "[]byte(")
	return []byte(must1[string](t)(strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(text), ")"))))
}
