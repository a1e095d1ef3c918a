package index

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/store"
)

// content is a file's bytes, what they hash to, and the memory they hold.
type content struct {
	src  fs.FS
	name string
	data []byte
	sum  [32]byte
	mem  *share
}

// release gives back the memory that is held at the time of the call: deferred
// as c.mem.release it would be what was held at the time of the defer.
func (c *content) release() { c.mem.release() }

// read takes a whole file into memory, up to the configured limit. The caller
// must release what it is given.
func (a *Account) read(ctx context.Context, src fs.FS, name string) (*content, error) {
	return a.readBeside(ctx, src, name, 0)
}

// readBeside reads a file when there is memory for it and for n bytes more.
func (a *Account) readBeside(ctx context.Context, src fs.FS, name string, n int64) (_ *content, err error) {
	f, err := src.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if st.Size() > a.cfg.MaxBytes {
		return nil, fmt.Errorf("%d bytes: %w, the limit is %d", st.Size(), ErrTooLarge, a.cfg.MaxBytes)
	}
	c := &content{src: src, name: name}
	if c.mem, err = a.memory.take(ctx, st.Size()+n); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.release()
		}
	}()
	c.data = make([]byte, 0, st.Size()+1) // one more, so that EOF needs no growth
	// The size was what the file system said, not what there is to read.
	r := io.LimitReader(f, a.cfg.MaxBytes+1)
	for {
		if len(c.data) == cap(c.data) {
			c.data = append(c.data, 0)[:len(c.data)]
		}
		n, err := r.Read(c.data[len(c.data):cap(c.data)])
		c.data = c.data[:len(c.data)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(c.data)) > a.cfg.MaxBytes {
		return nil, fmt.Errorf("%w, the limit is %d bytes", ErrTooLarge, a.cfg.MaxBytes)
	}
	c.sum = sha256.Sum256(c.data)
	return c, nil
}

// openContent opens a photo for decoding when there is memory for that. Where
// there is none just now, the file's bytes are given back too and read again.
func (a *Account) openContent(ctx context.Context, c *content, work clock) (*pixels, error) {
	p, err := a.open(ctx, c.data, work)
	if err != nil || c.mem.grow(p.memory()) {
		return p, err
	}
	need := p.memory()
	c.release()
	c.data = nil
	again, err := a.readBeside(ctx, c.src, c.name, need)
	if err != nil {
		return nil, err
	}
	if again.sum != c.sum {
		again.release()
		return nil, errChanged
	}
	*c = *again
	return a.open(ctx, c.data, work)
}

// clock adds up the time that the stages take; each worker has its own.
type clock map[string]time.Duration

func (c clock) since(stage string, start time.Time) { c[stage] += time.Since(start) }

func (c clock) add(o clock) {
	for k, v := range o {
		c[k] += v
	}
}

// effort is what the work on one photo took, and what decoded it.
type effort struct {
	clock
	decoder string
}

// examine reads a photo's EXIF and pixels and finds its faces. What fails is
// in the result's Status, Stage and Error; the error returned is only ever
// the context's.
func (a *Account) examine(ctx context.Context, p Photo, c *content, faces bool, work *effort) (store.Analysis, error) {
	start := time.Now()
	meta, err := exif.Decode(c.data)
	work.since("exif", start)
	if err != nil {
		p.Warning = err.Error()
	}
	p.Orientation = meta.Orientation
	say(&p, meta)

	px, err := a.openContent(ctx, c, work.clock)
	if err != nil {
		return a.fail(ctx, p, StageDecode, err)
	}
	if px.upright {
		p.Orientation = 1
	}
	p.Width, p.Height = px.Size()
	if p.Orientation >= 5 {
		p.Width, p.Height = p.Height, p.Width
	}
	p.Status = store.StatusPending
	if !faces {
		return store.Analysis{Photo: p}, nil
	}
	fs, stage, err := a.analyzePhoto(ctx, px, p.Orientation, work.clock)
	if stage != StageDecode {
		work.decoder = px.decoder()
	}
	if err != nil {
		return a.fail(ctx, p, stage, err)
	}
	p.Status, p.Analyzer = store.StatusOK, a.cfg.Analyzer.Space()
	return store.Analysis{Photo: p, Faces: fs}, nil
}

// metadataRules is raised when package exif reads more of a file than before:
// Reindex then reads the metadata of known photos once more.
const metadataRules = 1

// say takes over what a photo's file says of time, place and camera.
func say(p *Photo, m exif.Meta) {
	p.Taken, p.TakenFrom, p.Fix, p.GPS, p.Camera = m.Taken, m.TakenFrom, m.Fix, m.GPS, m.Camera
	p.Burst, p.Video, p.Reader = m.Burst, m.Video, metadataRules
}

// readAgain takes the metadata of a photo that is known otherwise.
func (res *result) readAgain(c *content) {
	start := time.Now()
	meta, err := exif.Decode(c.data)
	res.work.since("exif", start)
	if err != nil {
		res.photo.Warning = err.Error()
	}
	say(&res.photo, meta)
	res.reread = true
}

// fail notes on the photo what went wrong, unless it was the context.
func (a *Account) fail(ctx context.Context, p Photo, stage string, err error) (store.Analysis, error) {
	if ctx.Err() != nil {
		return store.Analysis{}, cause(ctx, ctx.Err())
	}
	p.Status, p.Stage, p.Error = store.StatusFailed, stage, err.Error()
	return store.Analysis{Photo: p}, nil
}

// Index reads one photo of src, finds its faces, stores both, and groups the
// faces together with those that they can move, as Regroup would: as a whole
// while the library is small or since Regroup was last called has grown by a
// tenth, and locally otherwise. A library of more than 20,000 faces is only
// grouped as a whole by Regroup and Reindex. Known content is not analysed
// again. A photo that cannot be read is stored as failed and returned with a
// *PhotoError.
func (a *Account) Index(ctx context.Context, src fs.FS, name string) (Photo, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Photo{}, err
	}
	defer done()
	if !fs.ValidPath(name) || strings.IndexByte(name, 0) >= 0 {
		return Photo{}, &PhotoError{Path: name, Stage: StageRead, Err: fs.ErrInvalid}
	}
	space, err := a.readyForFaces(ctx)
	if err != nil {
		return Photo{}, err
	}
	info, err := fs.Stat(src, name)
	if err != nil {
		return Photo{}, &PhotoError{Path: name, Stage: StageRead, Err: err}
	}
	p := photoOf(found{path: name, info: info})
	var an store.Analysis
	c, err := a.read(ctx, src, name)
	if err != nil {
		an, err = a.fail(ctx, p, StageRead, err)
	} else {
		an, err = a.one(ctx, p, c, space)
		c.release()
	}
	if err != nil {
		return Photo{}, err
	}
	if err := a.commitConsented(ctx, an); err != nil {
		return Photo{}, err
	}
	disposeErr := a.disposeIndexed(ctx, src, name)
	stored, err := a.db.PhotoByPath(ctx, name)
	if isNotFound(err) { // it was erased while it was looked at
		err = &PhotoError{Path: name, Stage: StageRead, Err: ErrTombstone}
	}
	if err == nil {
		err = disposeErr
	}
	if err == nil && stored.Status == store.StatusFailed {
		err = &PhotoError{Path: name, Stage: stored.Stage, Err: errors.New(stored.Error)}
	}
	return stored, err
}

// commitConsented stores one photo, unless consent was withdrawn while it was
// being looked at: withdrawing holds the same lock.
func (a *Account) commitConsented(ctx context.Context, an store.Analysis) error {
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.needConsent(ctx); err != nil {
		return err
	}
	vs := a.takeVectors()
	_, err = a.db.PhotoByPath(ctx, an.Photo.Path)
	fresh := isNotFound(err) && an.CopyOf == "" && len(an.Faces) > 0
	if err := a.commit(ctx, []store.Analysis{an}); err != nil || !fresh {
		return err
	}
	p, err := a.db.PhotoByPath(ctx, an.Photo.Path)
	if isNotFound(err) { // it has a tombstone
		return nil
	}
	if err != nil {
		return err
	}
	return a.extend(ctx, an.Photo.Analyzer, p.ID, vs)
}

// one analyses a single photo, unless its content is known.
func (a *Account) one(ctx context.Context, p Photo, c *content, space string) (store.Analysis, error) {
	p.SHA256 = c.sum
	tombs, err := a.db.Tombstones(ctx)
	if err != nil {
		return store.Analysis{}, err
	}
	if tombs.Photo(c.sum) {
		return store.Analysis{}, &PhotoError{Path: p.Path, Stage: StageRead, Err: ErrTombstone}
	}
	same, err := a.db.PhotosByContent(ctx, c.sum)
	if err != nil {
		return store.Analysis{}, err
	}
	for _, o := range same {
		if o.Status == store.StatusOK && o.Analyzer == space {
			return copyOf(o, p), nil
		}
	}
	return a.examine(ctx, p, c, true, &effort{clock: clock{}})
}

// commit stores a batch in one transaction, and before it, the space that its
// vectors are in.
func (a *Account) commit(ctx context.Context, batch []store.Analysis) error {
	space := ""
	for _, an := range batch {
		if len(an.Faces) == 0 {
			continue
		}
		space = an.Photo.Analyzer
		sp := store.Space{Name: space, Dim: len(an.Faces[0].Vector)}
		if c, ok := a.cfg.Analyzer.(calibrated); ok {
			sp.Impostors = c.Impostors()
		}
		if err := a.db.PutSpace(ctx, sp); err != nil {
			return err
		}
		break
	}
	defer a.forgetVectors()
	return a.db.PutPhotos(ctx, space, batch)
}

func photoOf(f found) Photo {
	return Photo{Path: f.path, Size: f.info.Size(), ModTime: f.info.ModTime()}
}

// copyOf is the photo at p's path, known to have the same content as another
// that was analysed.
func copyOf(known, p Photo) store.Analysis {
	c := known
	c.ID, c.Path, c.Size, c.ModTime = "", p.Path, p.Size, p.ModTime
	c.Vanished, c.Disposed = time.Time{}, time.Time{} // its own file is there
	return store.Analysis{Photo: c, CopyOf: known.ID}
}
