package index

import (
	"context"
	"errors"
	"time"

	"github.com/kith-photos/kith/store"
)

// commit stores a batch of results and counts them.
func (r *run) commit(ctx context.Context, batch []result) error {
	start := time.Now()
	defer r.work.since("commit", start)
	var put []store.Analysis
	erased := 0
	var touch []store.File
	var reread []Photo
	for _, res := range batch {
		r.work.add(res.work.clock)
		if d := res.work.decoder; d != "" {
			if r.report.Decoders == nil {
				r.report.Decoders = map[string]int{}
			}
			r.report.Decoders[d]++
		}
		switch {
		case res.of != "":
			r.later = append(r.later, res)
			continue
		case res.reread:
			reread = append(reread, res.photo)
			fallthrough
		case res.same:
			touch = append(touch, store.File{ID: res.photo.ID, Size: res.photo.Size, ModTime: res.photo.ModTime})
			r.report.Unchanged++
		case res.an.CopyOf != "":
			an, err := r.elsewhere(ctx, res)
			if err != nil {
				return err
			}
			put = append(put, an)
		case res.erased:
			put = append(put, res.an)
			erased++
		default:
			put = append(put, res.an)
		}
		r.done++
	}
	if err := r.touch(ctx, touch, reread); err != nil {
		return err
	}
	if len(put) > 0 {
		if err := r.put(ctx, put); err != nil {
			return err
		}
	}
	r.report.Erased += erased
	r.report.Indexed -= erased // which stored counts
	r.stored(put)
	return nil
}

// elsewhere stores a file whose content the account knows under another path:
// where that path has vanished it is the same photo, moved; else a copy.
func (r *run) elsewhere(ctx context.Context, res result) (store.Analysis, error) {
	known, err := r.a.db.Photo(ctx, res.an.CopyOf)
	if err != nil {
		return store.Analysis{}, err
	}
	if r.gone[known.ID] && res.photo.ID == "" {
		delete(r.gone, known.ID)
		moved := known
		moved.Path, moved.Size, moved.ModTime = res.photo.Path, res.photo.Size, res.photo.ModTime
		moved.Disposed = time.Time{}
		r.report.Moved++
		return store.Analysis{Photo: moved, CopyOf: known.ID}, nil
	}
	r.report.Copied++
	return copyOf(known, res.photo), nil
}

// commitCopies stores the files whose content another file of this run had
// first, now that the first is stored.
func (r *run) commitCopies(ctx context.Context) error {
	var put []store.Analysis
	for _, res := range r.later {
		first, err := r.a.db.PhotoByPath(ctx, res.of)
		if err != nil {
			return err
		}
		an := copyOf(first, res.photo)
		if first.Status == store.StatusFailed { // nothing to copy but the failure
			an.CopyOf = ""
		} else {
			r.report.Copied++
		}
		put = append(put, an)
		r.done++
	}
	r.later = nil
	if len(put) == 0 {
		return nil
	}
	if err := r.put(ctx, put); err != nil {
		return err
	}
	r.stored(put)
	return nil
}

// touch records new times of files, and metadata that was read once more, while
// nobody arranges the photos.
func (r *run) touch(ctx context.Context, files []store.File, reread []Photo) error {
	if len(files) == 0 {
		return nil
	}
	unlock, err := lock(ctx, r.a.people)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.a.db.TouchPhotos(ctx, files); err != nil || len(reread) == 0 {
		return err
	}
	return r.a.db.PutMetadata(ctx, reread)
}

// put stores a batch while nobody decides: a decision must not be made on
// faces that are gone when it is stored.
func (r *run) put(ctx context.Context, batch []store.Analysis) error {
	unlock, err := lock(ctx, r.a.people)
	if err != nil {
		return err
	}
	defer unlock()
	return r.a.commit(ctx, batch)
}

// stored counts what a transaction brought and reports what failed.
func (r *run) stored(put []store.Analysis) {
	for _, an := range put {
		switch {
		case an.Photo.Status == store.StatusFailed:
			r.failed(&PhotoError{Path: an.Photo.Path, Stage: an.Photo.Stage, Err: errors.New(an.Photo.Error)})
		case an.CopyOf == "":
			r.report.Indexed++
			r.report.Faces += len(an.Faces)
		}
	}
	r.progress()
}

// dropVanished removes the photos that are no longer there, in one
// transaction.
func (r *run) dropVanished(ctx context.Context) error {
	if len(r.gone) == 0 {
		return nil
	}
	ids := make([]store.PhotoID, 0, len(r.gone))
	for id := range r.gone {
		ids = append(ids, id)
	}
	unlock, err := lock(ctx, r.a.people)
	if err != nil {
		return err
	}
	defer unlock()
	defer r.a.forgetVectors()
	keep, err := r.a.retention(ctx)
	if err != nil {
		return err
	}
	forget := r.a.db.DropPhotos
	if keep[ClassVanished] > 0 {
		forget = r.a.db.MarkVanished
	}
	r.report.Vanished, err = forget(ctx, ids)
	return err
}

// back notes that photos are there again whose files were missing.
func (r *run) back(ctx context.Context) error {
	return r.touch(ctx, r.returned, nil)
}

// dispose has the originals deleted that are due. What cannot be deleted is a
// photo that failed, at that stage.
func (r *run) dispose(ctx context.Context) error {
	var out Expiry
	err := r.a.disposeDue(ctx, r.src, &out)
	r.report.Disposed = out.Disposed
	for _, f := range out.Failed {
		r.failed(&PhotoError{Path: f.Disposal.Name, Stage: StageDispose, Err: f.Err})
	}
	return err
}

// group derives the people anew, unless nothing has changed since that was last
// done.
func (r *run) group(ctx context.Context) error {
	r.enter(PhaseGroup, 0)
	start := time.Now()
	defer r.work.since("group", start)
	g, err := r.a.regroupChanged(ctx)
	r.report.Grouping = g
	return err
}

// arrange works out when and where the photos were taken.
func (r *run) arrange(ctx context.Context) error {
	r.enter(PhaseArrange, 0)
	start := time.Now()
	defer r.work.since("arrange", start)
	return r.a.arrangeChanged(ctx)
}

func (r *run) enter(p Phase, total int) {
	r.phase, r.begun, r.done, r.total = p, r.a.cfg.Now(), 0, total
	r.progress()
}

func (r *run) failed(e *PhotoError) {
	r.report.Failed++
	if r.opt.Failed != nil {
		r.opt.Failed(e)
	}
}

func (r *run) progress() {
	if r.opt.Progress == nil {
		return
	}
	r.opt.Progress(Progress{
		Phase: r.phase, Done: r.done, Total: r.total,
		Failed: r.report.Failed, Faces: r.report.Faces,
		Elapsed: r.a.cfg.Now().Sub(r.begun),
	})
}

// note says in the audit what the run did, if anything.
func (r *run) note(ctx context.Context) error {
	c := Counts{ClassPhotos: r.report.Indexed + r.report.Moved + r.report.Copied, ClassFaces: r.report.Faces, ClassVanished: r.report.Vanished}
	if c[ClassPhotos]+c[ClassFaces]+c[ClassVanished] == 0 {
		return nil
	}
	_, err := r.a.db.Note(context.WithoutCancel(ctx), "index", c)
	return err
}

// expected counts the photos whose files should be there.
func (r *run) expected() (n int) {
	for _, f := range r.known {
		if !f.Disposed && !f.Vanished {
			n++
		}
	}
	return n
}
