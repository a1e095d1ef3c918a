package index_test

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// files is a file system in memory whose names may be any bytes, that counts
// what is opened and fails where it is told to. It is safe for concurrent use.
type files struct {
	mu    sync.Mutex
	m     map[string]file
	opens map[string]int
	// open, where set, is asked before a file or folder is opened.
	open func(name string) error
}

type file struct {
	data []byte
	at   time.Time
	mode fs.FileMode
	size int64     // what Stat says; 0: the data's
	err  error     // of reading, after the data
	info error     // of the directory entry's Info
	body io.Reader // in place of data
}

func newFiles(m map[string][]byte) *files {
	f := &files{m: map[string]file{}, opens: map[string]int{}}
	for name, data := range m {
		f.put(name, data)
	}
	return f
}

// put writes a file, with a time that no other version of it has.
func (f *files) put(name string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := start
	if old, ok := f.m[name]; ok {
		at = old.at.Add(time.Minute)
	}
	f.m[name] = file{data: data, at: at}
}

func (f *files) set(name string, v file) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.m[name] = v
}

func (f *files) get(name string) file {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.m[name]
}

func (f *files) remove(name string) file {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.m[name]
	delete(f.m, name)
	return old
}

// move keeps the file's time, as a file system does.
func (f *files) move(from, to string) { f.set(to, f.remove(from)) }

// opened says how many files were opened since it was last asked.
func (f *files) opened() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, k := range f.opens {
		n += k
	}
	clear(f.opens)
	return n
}

func (f *files) names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for n := range f.m {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// lookup finds a file or, by what is in it, a folder.
func (f *files) lookup(name string) (file, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v, ok := f.m[name]; ok {
		return v, true
	}
	for n := range f.m {
		if name == "." || strings.HasPrefix(n, name+"/") {
			return file{mode: fs.ModeDir | 0o755}, true
		}
	}
	return file{mode: fs.ModeDir | 0o755}, name == "."
}

func (f *files) Open(name string) (fs.File, error) {
	v, ok := f.lookup(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if f.open != nil {
		if err := f.open(name); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	f.mu.Lock()
	f.opens[name]++
	f.mu.Unlock()
	if v.body == nil {
		v.body = bytes.NewReader(v.data)
	}
	return &openFile{entry{path.Base(name), v}}, nil
}

func (f *files) Stat(name string) (fs.FileInfo, error) {
	v, ok := f.lookup(name)
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return entry{path.Base(name), v}, nil
}

func (f *files) ReadDir(name string) ([]fs.DirEntry, error) {
	if f.open != nil {
		if err := f.open(name); err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		}
	}
	in := map[string]bool{}
	for _, n := range f.names() {
		rest, ok := strings.CutPrefix(n, name+"/")
		if name == "." {
			rest, ok = n, true
		}
		if ok {
			first, _, _ := strings.Cut(rest, "/")
			in[first] = true
		}
	}
	var out []fs.DirEntry
	for n := range in {
		v, _ := f.lookup(strings.TrimPrefix(name+"/"+n, "./"))
		out = append(out, entry{n, v})
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// entry is a file's fs.FileInfo and fs.DirEntry.
type entry struct {
	name string
	file
}

func (e entry) Name() string               { return e.name }
func (e entry) Mode() fs.FileMode          { return e.mode }
func (e entry) Type() fs.FileMode          { return e.mode.Type() }
func (e entry) ModTime() time.Time         { return e.at }
func (e entry) IsDir() bool                { return e.mode.IsDir() }
func (e entry) Sys() any                   { return nil }
func (e entry) Info() (fs.FileInfo, error) { return e, e.info }
func (e entry) Size() int64 {
	if e.size != 0 {
		return e.size
	}
	return int64(len(e.data))
}

type openFile struct{ entry }

func (o *openFile) Stat() (fs.FileInfo, error) { return o.entry, nil }
func (o *openFile) Close() error               { return nil }
func (o *openFile) Read(p []byte) (int, error) {
	n, err := o.body.Read(p)
	if err == io.EOF && o.err != nil {
		err = o.err
	}
	return n, err
}
