package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/kith-photos/kith/store"
)

// Reindex brings the account in line with the photos of src: new and changed
// ones are read and looked at for faces, moved and copied ones are recognised
// by their content, vanished ones leave, and the people are grouped anew.
// Unchanged files (same path, size and time) are not read.
//
// A photo that fails is reported (opt.Failed), stored as failed and tried
// again by the next Reindex; it never stops the run. The run can be cancelled,
// or the process killed, at any moment: what was committed stays, and the next
// Reindex goes on from there. The report is valid even when an error is
// returned.
//
// ErrNoConsent and ErrNoAnalyzer are returned before anything is read, unless
// opt.NoFaces; ErrBusy when another Reindex of this account runs.
func (a *Account) Reindex(ctx context.Context, src fs.FS, opt ReindexOptions) (Report, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	defer done()
	free, err := a.alone("reindex")
	if err != nil {
		return Report{}, err
	}
	defer free()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped, err := a.reindexing(cancel)
	if err != nil {
		return Report{}, err
	}
	defer stopped()
	if err := a.mayChange(ctx); err != nil {
		return Report{}, err
	}
	r := &run{a: a, src: src, opt: opt, work: clock{}, started: a.cfg.Now(), phase: PhaseWalk}
	r.begun = r.started
	if !opt.NoFaces {
		if r.space, err = a.readyForFaces(ctx); err != nil {
			return Report{}, err
		}
	}
	err = r.all(ctx)
	r.report.Elapsed = a.cfg.Now().Sub(r.started)
	r.report.Work = r.work
	if noteErr := r.note(ctx); err == nil {
		err = noteErr
	}
	if err != nil {
		return r.report, cause(ctx, err)
	}
	return r.report, nil
}

// run is one Reindex. Its fields are the coordinating goroutine's own; workers
// only see jobs and send results.
type run struct {
	a              *Account
	src            fs.FS
	opt            ReindexOptions
	space          string // "" with NoFaces
	report         Report
	work           clock
	started, begun time.Time // of the run, of the phase
	phase          Phase
	done, total    int
	known          map[string]store.File
	content        map[[32]byte]store.File // analysed photos by content that stay as they are
	gone           map[store.PhotoID]bool  // vanished and not claimed by a moved file yet
	returned       []store.File            // unchanged, and were missing
	tombs          *store.Tombstones
	later          []result // copies of photos that this very run analyses
}

func (r *run) all(ctx context.Context) error {
	r.progress()
	if err := r.checkSource(ctx); err != nil {
		return err
	}
	l, err := walk(ctx, r.src)
	if err != nil {
		return err
	}
	r.report.Seen, r.report.Ignored = len(l.photos), l.ignored
	for _, f := range l.failed {
		r.failed(f)
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	if n := r.expected(); len(l.photos) == 0 && n > 0 && !r.opt.AllowEmpty {
		return fmt.Errorf("%w (%d known)", ErrNothingFound, n)
	}
	if err := r.rememberSource(ctx); err != nil {
		return err
	}
	for _, f := range l.vanished(r.known) {
		r.gone[f.ID] = true
	}
	todo := r.changed(l.photos)
	r.sources(todo)
	if err := r.index(ctx, todo); err != nil {
		return err
	}
	if err := r.back(ctx); err != nil {
		return err
	}
	if err := r.dropVanished(ctx); err != nil {
		return err
	}
	if !r.opt.NoFaces && !r.opt.NoGroup {
		if err := r.group(ctx); err != nil {
			return err
		}
	}
	if err := r.arrange(ctx); err != nil {
		return err
	}
	if !r.opt.KeepOriginals {
		if err := r.dispose(ctx); err != nil {
			return err
		}
	}
	r.enter(PhaseDone, 0)
	return nil
}

const sourceKey = "source"

func (r *run) checkSource(ctx context.Context) error {
	if r.opt.Source == "" {
		return nil
	}
	was, err := r.a.db.Setting(ctx, sourceKey)
	if err != nil {
		return err
	}
	if was != "" && was != r.opt.Source && !r.opt.Moved {
		return fmt.Errorf("%w: %q", ErrOtherSource, was)
	}
	return nil
}

// rememberSource waits until the source has shown a photo: a wrong folder
// named by mistake leaves no trace.
func (r *run) rememberSource(ctx context.Context) error {
	if r.opt.Source == "" || r.report.Seen == 0 {
		return nil
	}
	return r.a.db.SetSetting(ctx, sourceKey, r.opt.Source)
}

// load reads what the account knows of the files.
func (r *run) load(ctx context.Context) error {
	r.known = make(map[string]store.File, r.report.Seen) // about as many, most of the time
	r.gone = map[store.PhotoID]bool{}
	for f, err := range r.a.db.Files(ctx) {
		if err != nil {
			return err
		}
		r.known[f.Path] = f
	}
	var err error
	r.tombs, err = r.a.db.Tombstones(ctx)
	return err
}

// analysed reports whether nothing is left to do for a file as it is known.
func (r *run) analysed(f store.File) bool {
	if r.opt.NoFaces {
		return f.Status == store.StatusOK || f.Status == store.StatusPending
	}
	return f.Status == store.StatusOK && f.Analyzer == r.space
}

// changed leaves out the photos that did not change.
func (r *run) changed(photos []found) []found {
	var todo []found
	for _, p := range photos {
		k, ok := r.known[p.path]
		if ok && !r.opt.Force && r.analysed(k) && k.Reader >= metadataRules && k.Size == p.info.Size() && k.ModTime.Equal(p.info.ModTime()) {
			r.report.Unchanged++
			if k.Vanished || k.Disposed {
				r.returned = append(r.returned, k)
			}
			continue
		}
		todo = append(todo, p)
	}
	return todo
}

// sources notes the content that other files may turn out to have: that of
// analysed photos, a vanished one before its copies. Photos that this run may
// write over are left out: two files may have changed places.
func (r *run) sources(todo []found) {
	changing := make(map[string]bool, len(todo))
	for _, p := range todo {
		changing[p.path] = true
	}
	r.content = map[[32]byte]store.File{}
	if len(todo) == 0 {
		return
	}
	for _, path := range sortedKeys(r.known) {
		f := r.known[path]
		if !r.analysed(f) || changing[path] {
			continue
		}
		if _, ok := r.content[f.SHA256]; !ok || r.gone[f.ID] {
			r.content[f.SHA256] = f
		}
	}
}

// result is what a worker made of one photo.
type result struct {
	photo  Photo // as found, with the content's hash
	an     store.Analysis
	erased bool   // its content was erased, and is not to come back
	same   bool   // nothing but the file's time changed
	reread bool   // and photo holds what the metadata says by today's rules
	of     string // path of a photo of this run with the same content
	work   effort
	err    error // the context's
}

// index runs the workers over the photos and commits what they make.
func (r *run) index(ctx context.Context, todo []found) error {
	r.enter(PhaseIndex, len(todo))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	jobs := make(chan found)
	results := make(chan result)
	claims := &claims{first: map[[32]byte]string{}}

	var workers sync.WaitGroup
	for range min(r.a.cfg.Workers, max(1, len(todo))) {
		workers.Go(func() {
			for f := range jobs {
				if r.a.gate.wait(ctx) != nil { // the feeder may have had both a taker and the end
					return
				}
				start := time.Now()
				res := r.one(ctx, f, claims)
				select {
				case results <- res:
				case <-ctx.Done():
					return
				}
				r.a.rest(ctx, time.Since(start))
			}
		})
	}
	go func() { // feeds the workers; ends with them, at the latest when ctx does
		defer close(results)
		defer workers.Wait()
		defer close(jobs)
		for _, f := range todo {
			select {
			case jobs <- f:
			case <-ctx.Done():
				return
			}
		}
	}()

	err := r.collect(ctx, results)
	cancel()
	for range results { // let the workers end
	}
	if err == nil {
		err = ctx.Err()
		if r.done == len(todo) {
			err = nil
		}
	}
	return err
}

// claims says which photo of a run was first with some content, so that a
// folder copied before its first indexing is analysed once.
type claims struct {
	mu    sync.Mutex
	first map[[32]byte]string
}

func (c *claims) claim(sum [32]byte, path string) (first string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.first[sum]; ok {
		return p
	}
	c.first[sum] = path
	return path
}

// one is the worker's part: from a file's name to its faces.
func (r *run) one(ctx context.Context, f found, claims *claims) result {
	res := result{photo: photoOf(f), work: effort{clock: clock{}}}
	known, ok := r.known[f.path]
	if ok {
		res.photo.ID = known.ID
	}
	start := time.Now()
	c, err := r.a.read(ctx, r.src, f.path)
	res.work.since("read", start)
	if err != nil {
		res.an, res.err = r.a.fail(ctx, res.photo, StageRead, err)
		return res
	}
	defer c.release()
	res.photo.SHA256 = c.sum
	if r.tombs.Photo(c.sum) { // the store leaves it out
		res.photo.Status, res.erased = store.StatusPending, true
		res.an.Photo = res.photo
		return res
	}
	if !r.opt.Force {
		if ok && known.SHA256 == c.sum && r.analysed(known) {
			res.same = true
			if known.Reader < metadataRules {
				res.readAgain(c)
			}
			return res
		}
		if k, ok := r.content[c.sum]; ok {
			res.an.CopyOf = k.ID
			return res
		}
	}
	if first := claims.claim(c.sum, f.path); first != f.path {
		res.of = first
		return res
	}
	res.an, res.err = r.a.examine(ctx, res.photo, c, !r.opt.NoFaces, &res.work)
	return res
}

const (
	batchPhotos = 32
	batchTime   = 2 * time.Second
)

// collect commits the workers' results in batches: a crash loses at most the
// last few photos' work, and a pause nothing.
func (r *run) collect(ctx context.Context, results <-chan result) error {
	var batch []result
	tick := time.NewTicker(batchTime)
	defer tick.Stop()
	flush := func(ctx context.Context) error {
		err := r.commit(ctx, batch)
		batch = batch[:0]
		return err
	}
	for {
		select {
		case res, ok := <-results:
			if !ok {
				return r.last(ctx, flush)
			}
			if res.err != nil {
				// Keep what is done; the context is over for the workers only.
				return errors.Join(res.err, flush(context.WithoutCancel(ctx)))
			}
			batch = append(batch, res)
			if len(batch) < batchPhotos {
				continue
			}
		case <-tick.C:
			if len(batch) == 0 {
				continue
			}
		}
		if err := flush(ctx); err != nil {
			return err
		}
	}
}

// last commits what is left when the workers have ended.
func (r *run) last(ctx context.Context, flush func(context.Context) error) error {
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), flush(context.WithoutCancel(ctx)))
	}
	if err := flush(ctx); err != nil {
		return err
	}
	return r.commitCopies(ctx)
}
