package index

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/kith-photos/kith/store"
)

// found is one photo that the walk saw.
type found struct {
	path string
	info fs.FileInfo
}

// listing is what a walk through a source came to.
type listing struct {
	photos  []found
	failed  []*PhotoError
	blind   []string // folders that could not be read: nothing in them has vanished
	ignored int
}

// walk lists the photos of a source. Folders that are links are not followed,
// so that no loop can catch it; links to files are. Hidden files and folders
// (those that start with a dot) are passed over.
func walk(ctx context.Context, src fs.FS) (listing, error) {
	var l listing
	err := fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if cerr := ctx.Err(); cerr != nil {
			return cause(ctx, cerr)
		}
		if err != nil {
			if name == "." {
				return &PhotoError{Path: name, Stage: StageWalk, Err: err}
			}
			l.failed = append(l.failed, &PhotoError{Path: name, Stage: StageWalk, Err: err})
			l.blind = append(l.blind, name)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if name != "." && strings.HasPrefix(path.Base(name), ".") {
			l.ignored++
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if strings.IndexByte(name, 0) >= 0 { // a database's text ends there
			l.failed = append(l.failed, &PhotoError{Path: name, Stage: StageWalk, Err: fs.ErrInvalid})
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		l.file(src, name, d)
		return nil
	})
	return l, err
}

// file decides whether one directory entry is a photo.
func (l *listing) file(src fs.FS, name string, d fs.DirEntry) {
	var info fs.FileInfo
	var err error
	link := d.Type()&fs.ModeSymlink != 0
	if link {
		info, err = fs.Stat(src, name)
	} else {
		info, err = d.Info()
	}
	switch {
	case err != nil && !link && errors.Is(err, fs.ErrNotExist):
		return // went away while we walked
	case err != nil && (!link || photoName(name)):
		l.failed = append(l.failed, &PhotoError{Path: name, Stage: StageWalk, Err: err})
		l.blind = append(l.blind, name)
		return
	case err != nil, !info.Mode().IsRegular():
		l.ignored++
		return
	}
	if !photoName(name) && !looksLikePhoto(src, name) {
		l.ignored++
		return
	}
	l.photos = append(l.photos, found{path: name, info: info})
}

// looksLikePhoto looks into a file whose name does not say that it is one. A
// file that cannot be opened is taken as none.
func looksLikePhoto(src fs.FS, name string) bool {
	f, err := src.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, headLen)
	n, _ := io.ReadFull(f, head)
	return photoHead(head[:n])
}

// vanished lists the known photos that the walk did not see and that do not
// lie where it could not look.
func (l *listing) vanished(known map[string]store.File) []store.File {
	there := 0
	for _, p := range l.photos {
		if _, ok := known[p.path]; ok {
			there++
		}
	}
	if there == len(known) {
		return nil
	}
	seen := make(map[string]bool, len(l.photos))
	for _, p := range l.photos {
		seen[p.path] = true
	}
	var gone []store.File
next:
	for name, f := range known {
		if seen[name] || f.Disposed {
			continue
		}
		for _, b := range l.blind {
			if name == b || strings.HasPrefix(name, b+"/") {
				continue next
			}
		}
		gone = append(gone, f)
	}
	return gone
}
