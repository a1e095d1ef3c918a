package bundle

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Limits are what an archive may hold. It comes from a stranger, and may be
// made to fill memory or disk, or to be read as something that it is not.
type Limits struct {
	Directory int64  // bytes of the list of entries
	Entries   int    // files and folders
	Entry     uint64 // bytes of one file, uncompressed
	// Ratio is how many times larger than compressed an entry, and all of them
	// together than the archive, may be. Deflate reaches 1,032; JSON of an
	// export stays far below 100. Slack bytes are allowed at any ratio.
	Ratio, Slack uint64
}

// DefaultLimits allow an export of about half a million faces with their crops.
func DefaultLimits() Limits {
	return Limits{Directory: 128 << 20, Entries: 1_000_000, Entry: 16 << 30, Ratio: 200, Slack: 1 << 20}
}

// EntryError is an entry that an archive must not have.
type EntryError struct {
	Name string // as written in the archive
	Err  error
}

func (e *EntryError) Error() string { return fmt.Sprintf("%q: %v", e.Name, e.Err) }
func (e *EntryError) Unwrap() error { return e.Err }

// What is wrong with an archive, for errors.Is.
var (
	ErrNoZIP     = errors.New("no ZIP archive, or one that is cut off or damaged")
	ErrName      = errors.New("a name that points out of the archive, or to nothing")
	ErrTwice     = errors.New("a name that another entry has")
	ErrLink      = errors.New("neither a file nor a folder, but a link or device")
	ErrEncrypted = errors.New("encrypted")
	ErrMethod    = errors.New("compressed by a method that is not read")
	ErrTooLarge  = errors.New("more than an export can be")
)

// Open shows the files of a ZIP archive of so many bytes. All entries are
// checked before any is read: names that are absolute, hold "..", a backslash,
// a colon or a NUL byte, or are there twice, links and devices, encrypted
// entries, and sizes beyond the limits are refused with an *EntryError, or
// another error where no entry is to blame.
func Open(r io.ReaderAt, size int64, lim Limits) (fs.FS, error) {
	g := &guard{r: r, left: lim.Directory, on: true}
	z, err := zip.NewReader(g, size)
	if g.err != nil {
		return nil, g.err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoZIP, err)
	}
	g.on = false
	if len(z.File) > lim.Entries {
		return nil, fmt.Errorf("%d entries: %w", len(z.File), ErrTooLarge)
	}
	names := map[string]bool{} // whether it is a folder
	var total uint64
	for _, f := range z.File {
		if err := check(f, lim, names); err != nil {
			return nil, &EntryError{Name: f.Name, Err: err}
		}
		total += f.UncompressedSize64 // at most Entries x Entry, which fits
	}
	if total > lim.Ratio*uint64(max(0, size))+lim.Slack {
		return nil, fmt.Errorf("%d bytes in an archive of %d: %w", total, size, ErrTooLarge)
	}
	return z, nil
}

func check(f *zip.File, lim Limits, names map[string]bool) error {
	const encrypted = 0x1 | 0x40 | 0x2000 // bits 0, 6 and 13 of the flags, APPNOTE 4.4.4
	name := strings.TrimSuffix(f.Name, "/")
	folder := name != f.Name
	mode := f.Mode()
	switch {
	case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00"):
		return ErrName
	case mode.Type() != 0 && !mode.IsDir() || mode.IsDir() != folder:
		return ErrLink
	case f.Flags&encrypted != 0:
		return ErrEncrypted
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("method %d: %w", f.Method, ErrMethod)
	case f.UncompressedSize64 > lim.Entry, folder && f.UncompressedSize64 > 0,
		f.UncompressedSize64 > lim.Slack && f.UncompressedSize64/lim.Ratio > f.CompressedSize64:
		return fmt.Errorf("%d bytes, compressed to %d: %w", f.UncompressedSize64, f.CompressedSize64, ErrTooLarge)
	}
	return claim(name, folder, names)
}

// claim notes a name and the folders that it is in. A folder may be listed or
// not, and often is both; a file is there once.
func claim(name string, folder bool, names map[string]bool) error {
	if was, known := names[name]; known && (!was || !folder) {
		return ErrTwice
	}
	names[name] = folder
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		was, known := names[dir]
		if known && !was {
			return ErrTwice
		}
		if known {
			break // and so are those above
		}
		names[dir] = true
	}
	return nil
}

// guard bounds what is read while the list of entries is: package zip keeps all
// of it in memory, whatever number of entries the archive claims.
type guard struct {
	r    io.ReaderAt
	left int64
	on   bool
	err  error
}

func (g *guard) ReadAt(p []byte, off int64) (int, error) {
	if g.on {
		if g.left -= int64(len(p)); g.left < 0 {
			g.err = fmt.Errorf("the list of entries: %w", ErrTooLarge)
			return 0, g.err
		}
	}
	return g.r.ReadAt(p, off)
}
