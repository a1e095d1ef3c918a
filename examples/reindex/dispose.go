package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kith-photos/kith/index"
)

// remover deletes originals from the folder, and nothing outside of it,
// whatever links there are.
type remover struct{ root *os.Root }

var (
	errChanged = errors.New("its content is not what was indexed; it stays")
	errNoFile  = errors.New("it is a link or no regular file; it stays")
)

// Dispose deletes the file if it still has the content that was indexed. Who
// replaces it between the last look and the deletion loses what was put there:
// no file system offers to delete by content.
func (r remover) Dispose(ctx context.Context, d index.Disposal) error {
	if d.Class != index.ClassOriginals {
		return fmt.Errorf("only %s are deleted here", index.ClassOriginals)
	}
	name := filepath.FromSlash(d.Name)
	seen, err := r.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !seen.Mode().IsRegular() {
		return errNoFile
	}
	read, err := r.same(ctx, name, d)
	if err != nil {
		return err
	}
	if err := r.still(name, read); err != nil {
		return err
	}
	return r.root.Remove(name)
}

// still looks whether the name is that of the file that was read, as it was.
func (r remover) still(name string, read fs.FileInfo) error {
	now, err := r.root.Lstat(name)
	if err != nil {
		return err
	}
	if !os.SameFile(read, now) || now.Size() != read.Size() || !now.ModTime().Equal(read.ModTime()) {
		return errChanged
	}
	return nil
}

// same returns which file it is that has the content.
func (r remover) same(ctx context.Context, name string, d index.Disposal) (_ fs.FileInfo, err error) {
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() != d.Size {
		return nil, errChanged
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, d.Size+1)); err != nil {
		return nil, err
	}
	if [32]byte(h.Sum(nil)) != d.SHA256 {
		return nil, errChanged
	}
	return info, ctx.Err()
}

// allowDeletion asks on a terminal; elsewhere -yes must have said so.
func allowDeletion(ctx context.Context, cfg config, stdin *os.File, out *reporter) error {
	if cfg.after != afterDelete || cfg.yes {
		return nil
	}
	n, err := countFiles(ctx, cfg.folder)
	if err != nil {
		return err
	}
	out.prompt("\n%s holds %s. Those that are photos will be deleted for good once they\nare indexed; the rest stays. Type delete to go on: ",
		printable(cfg.folder), count(n, "file", "files"))
	answer, err := readLine(ctx, stdin)
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != afterDelete {
		return errors.New("nothing was indexed or deleted")
	}
	return nil
}

// countFiles counts what an indexing run may look at: files that are not
// hidden.
func countFiles(ctx context.Context, folder string) (n int, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return nil // the run reports what it cannot read
		case path != folder && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			n++
		}
		return nil
	})
	return n, err
}

// deleteOriginals deletes the photos that were indexed, by this run or an
// earlier one, and are still there.
func deleteOriginals(ctx context.Context, acc *index.Account, root *os.Root, report *index.Report, out *reporter) error {
	retention, err := acc.Retention(ctx)
	if err != nil {
		return err
	}
	if period, ok := retention[index.ClassOriginals]; !ok || period != 0 {
		retention[index.ClassOriginals] = 0
		if err := acc.SetRetention(ctx, retention); err != nil {
			return err
		}
	}
	gone, err := acc.DisposeOriginals(ctx, root.FS())
	report.Disposed = gone.Disposed
	report.Failed += len(gone.Failed)
	for _, f := range gone.Failed {
		out.failed(&index.PhotoError{Path: f.Disposal.Name, Stage: index.StageDispose, Err: f.Err})
	}
	return err
}
