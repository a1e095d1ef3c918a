// Package bundle writes the files of an export, into a ZIP archive or a folder,
// and opens such an archive again, whoever made it.
package bundle

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"
)

// Writer takes the files of an export one by one.
type Writer interface {
	// Create begins a file; the one before it is complete. The name must be
	// one of Names, or as good. Packed says that compressing it gains nothing.
	Create(name string, packed bool) (io.Writer, error)
	// Commit completes the export.
	Commit() error
}

// ZIP writes an archive.
type ZIP struct {
	z  *zip.Writer
	at time.Time
}

// NewZIP begins an archive whose files have the time at.
func NewZIP(w io.Writer, at time.Time) *ZIP { return &ZIP{zip.NewWriter(w), at.UTC()} }

func (z *ZIP) Create(name string, packed bool) (io.Writer, error) {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: z.at}
	if packed {
		h.Method = zip.Store
	}
	h.SetMode(0o600)
	return z.z.CreateHeader(h)
}

// Commit writes the list of entries. It does not close the writer below.
func (z *ZIP) Commit() error { return z.z.Close() }

// Folder writes a folder that appears under its name when it is whole.
type Folder struct {
	dir, part string
	root      *os.Root
	file      *os.File
	buf       *bufio.Writer
}

// NewFolder begins the folder dir, which must not exist or be empty, as
// dir.part, which must not exist.
func NewFolder(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	switch entries, err := os.ReadDir(dir); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	case len(entries) > 0:
		return nil, fmt.Errorf("%q is not empty", dir)
	}
	part := dir + ".part"
	if err := os.Mkdir(part, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(part)
	if err != nil {
		return nil, errors.Join(err, os.Remove(part))
	}
	return &Folder{dir: dir, part: part, root: root}, nil
}

func (f *Folder) Create(name string, _ bool) (io.Writer, error) {
	if err := f.finish(); err != nil {
		return nil, err
	}
	if err := f.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	var err error
	if f.file, err = f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, err
	}
	f.buf = bufio.NewWriterSize(f.file, 64<<10)
	return f.buf, nil
}

// finish completes the file that was begun last.
func (f *Folder) finish() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.buf.Flush(), f.file.Close())
	f.file = nil
	return err
}

// Commit gives the folder its name.
func (f *Folder) Commit() error {
	if err := f.finish(); err != nil {
		return err
	}
	if err := f.root.Close(); err != nil {
		return err
	}
	// An empty folder is in the way on some systems.
	if err := os.Remove(f.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(f.part, f.dir)
}

// Abort removes what was written. After Commit has succeeded it does nothing.
func (f *Folder) Abort() error {
	if f.file != nil {
		_ = f.file.Close() // what was written of it goes
		f.file = nil
	}
	_ = f.root.Close()
	return os.RemoveAll(f.part)
}
