package keyring

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

const (
	keySuffix  = ".key"
	tempSuffix = ".tmp"
	lockName   = "lock"
	lockRetry  = 5 * time.Millisecond

	// onWindows: modes say nothing there about who may read, and a folder
	// cannot be synced, nor need it be (NTFS journals names).
	onWindows = runtime.GOOS == "windows"
)

// folder is where the files are. Its methods that change something are called
// with the exclusive lock held. Temporary files exist under it only: one that
// is found is what a crash left.
type folder struct{ dir string }

func openFolder(dir string) (folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return folder{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return folder{}, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return folder{}, err
	}
	return folder{dir}, checkPrivate(dir, info)
}

func (f folder) path(id digest) string {
	return filepath.Join(f.dir, hex.EncodeToString(id[:])+keySuffix)
}

// What a file in the folder is, by its name.
type kind int

const (
	foreign kind = iota
	keyFile
	leftover
)

func parseName(name string) (digest, kind) {
	var id digest
	first, rest, _ := strings.Cut(name, ".")
	if len(first) != hex.EncodedLen(len(id)) || strings.ToLower(first) != first {
		return id, foreign
	}
	if _, err := hex.Decode(id[:], []byte(first)); err != nil {
		return id, foreign
	}
	switch {
	case "."+rest == keySuffix:
		return id, keyFile
	case strings.HasSuffix(rest, tempSuffix):
		return id, leftover
	}
	return id, foreign
}

type lockMode bool

const (
	shared    lockMode = false
	exclusive lockMode = true
)

// locked calls do while no other holder of the folder changes it (shared) or
// uses it (exclusive), and waits for that as long as ctx lets it.
func (f folder) locked(ctx context.Context, mode lockMode, do func() error) (err error) {
	path := filepath.Join(f.dir, lockName)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%q is not a regular file", path)
	}
	l := flock.New(path, flock.SetPermissions(0o600))
	lock := l.TryRLockContext
	if mode == exclusive {
		lock = l.TryLockContext
	}
	if _, err := lock(ctx, lockRetry); err != nil {
		return fmt.Errorf("lock %q: %w", path, errors.Join(err, l.Close()))
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return do()
}

// add makes the file of an account; its name is on disk after the next sync.
// If there is one already, however it came there, the error is fs.ErrExist.
func (f folder) add(id digest, content []byte) error {
	temp, err := f.writeTemp(id, content)
	if err != nil {
		return err
	}
	return errors.Join(os.Link(temp, f.path(id)), os.Remove(temp))
}

// replace puts content in the place of an account's file, and overwrites what
// was there.
func (f folder) replace(id digest, content []byte) error {
	temp, err := f.writeTemp(id, content)
	if err != nil {
		return err
	}
	// A second name for the old file, by which it can be reached afterwards.
	old := strings.TrimSuffix(temp, tempSuffix) + ".old" + tempSuffix
	if err := os.Link(f.path(id), old); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, f.path(id)); err != nil {
		return errors.Join(err, os.Remove(old), os.Remove(temp))
	}
	return f.discard(id, old)
}

// writeTemp writes a temporary file of an account, to disk.
func (f folder) writeTemp(id digest, content []byte) (string, error) {
	temp, err := os.CreateTemp(f.dir, hex.EncodeToString(id[:])+".*"+tempSuffix)
	if err != nil {
		return "", err
	}
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return "", errors.Join(err, os.Remove(temp.Name()))
	}
	return temp.Name(), nil
}

// discard overwrites and removes a temporary file of an account, but only
// removes it if it is a second name of the account's own file.
func (f folder) discard(id digest, temp string) error {
	info, err := os.Lstat(temp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	current, err := os.Lstat(f.path(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && os.SameFile(info, current) {
		return os.Remove(temp)
	}
	// The file that took this one's place must be on disk under its name
	// before this one says nothing any more.
	if err := f.sync(); err != nil {
		return err
	}
	if err := overwrite(temp); err != nil {
		return err
	}
	return os.Remove(temp)
}

// destroy overwrites and removes all files of an account, the one that counts
// last: as long as it is there, the rest is not forgotten.
func (f folder) destroy(id digest) error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var paths []string
	for _, e := range entries {
		if of, kind := parseName(e.Name()); of == id && kind == leftover {
			paths = append(paths, filepath.Join(f.dir, e.Name()))
		}
	}
	for _, path := range append(paths, f.path(id)) {
		err := overwrite(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.sync()
}

// sync makes sure that the names in the folder are on disk.
func (f folder) sync() error { return syncDir(f.dir) }

func syncDir(dir string) error {
	if onWindows {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// overwrite puts zeros, on disk, where a key file has the wrapped key. What
// comes before it stays, so that the file tells of its destruction.
func overwrite(path string) error {
	file, err := openRegular(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(make([]byte, sealedSize), int64(sealedAt))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// readFile reads at most limit bytes of a private regular file, and one more
// if there is more.
func readFile(path string, limit int) (b []byte, err error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(file, int64(limit)+1))
}

// openRegular opens a file that is no symbolic link, pipe or device.
func openRegular(path string, flag int) (*os.File, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is a symbolic link or no regular file", path)
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(before, opened) {
		err = fmt.Errorf("%q was exchanged while it was opened", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// checkPrivate refuses what the group or others may read or write.
func checkPrivate(path string, info fs.FileInfo) error {
	if perm := info.Mode().Perm(); !onWindows && perm&0o077 != 0 {
		return fmt.Errorf("%q has mode %04o: only its owner may have access (chmod go=)", path, perm)
	}
	return nil
}
