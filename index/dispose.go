package index

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/kith-photos/kith/store"
)

// Disposer deletes files of the host's when their time is over: originals that
// were processed (ClassOriginals), and products that the host told Keep of. It
// is called after what was learned of a photo is committed, never before, and
// not again once it returned nil. Its error is reported, and the file tried
// again by the next run. Only one call runs at a time.
type Disposer interface {
	Dispose(ctx context.Context, d Disposal) error
}

// Disposal is one file to delete.
type Disposal struct {
	Class Class
	Name  string  // the photo's path in the source, or the product's name
	Photo PhotoID // of an original
	// SHA256, Size and ModTime are those of the original that was processed: a
	// file that is another by now must stay.
	SHA256  [32]byte
	Size    int64
	ModTime time.Time
}

// DisposalError is a file that the Disposer could not delete.
type DisposalError struct {
	Disposal Disposal
	Err      error
}

func (e *DisposalError) Error() string {
	return fmt.Sprintf("%s: delete from %s: %v", e.Disposal.Name, e.Disposal.Class, e.Err)
}

func (e *DisposalError) Unwrap() error { return e.Err }

// Keep records that the host keeps a file which it made of the account (of
// ClassExports, ClassCrops or ClassShares), under a name that its Disposer
// understands. When the class's time is over, Expire has it deleted. Release
// forgets it, by the id returned.
func (a *Account) Keep(ctx context.Context, class Class, name string) (id string, err error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	p, err := a.db.PutProduct(ctx, store.Product{Class: class, Name: name})
	return p.ID, err
}

// Release forgets a product that the host has deleted by itself.
func (a *Account) Release(ctx context.Context, id string) error {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.db.DropProduct(ctx, id)
}

// DisposeOriginals has the Disposer delete the originals that are due, as
// Retention says of ClassOriginals, now; Reindex and Index do so by themselves
// unless told not to. src is the folder that they are in: where a call was cut
// short by a crash, it tells whether the file is still there. The error is that
// of the account; files that could not be deleted are in the Expiry.
func (a *Account) DisposeOriginals(ctx context.Context, src fs.FS) (Expiry, error) {
	var out Expiry
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	free, err := a.alone("delete originals")
	if err != nil {
		return out, err
	}
	defer free()
	return out, a.disposeDue(ctx, src, &out)
}

// disposeIndexed is disposeDue after the single photo name, whose failure is
// returned. A Reindex that is running does it itself.
func (a *Account) disposeIndexed(ctx context.Context, src fs.FS, name string) error {
	free, err := a.alone("delete an original")
	if err != nil {
		return nil
	}
	defer free()
	var out Expiry
	if err := a.disposeDue(ctx, src, &out); err != nil {
		return err
	}
	for _, f := range out.Failed {
		if f.Disposal.Name == name {
			return &PhotoError{Path: name, Stage: StageDispose, Err: f.Err}
		}
	}
	return nil
}

// disposeDue is DisposeOriginals for a caller who holds a.indexing.
func (a *Account) disposeDue(ctx context.Context, src fs.FS, out *Expiry) error {
	if a.cfg.Disposer == nil {
		return nil
	}
	if err := a.mayChange(ctx); err != nil {
		return err
	}
	r, err := a.retention(ctx)
	if err != nil {
		return err
	}
	return a.disposeOriginals(ctx, src, r, a.cfg.Now(), out)
}

func (a *Account) disposeOriginals(ctx context.Context, src fs.FS, r Retention, now time.Time, out *Expiry) error {
	period, ok := r[ClassOriginals]
	if !ok || period == Forever || a.cfg.Disposer == nil {
		return nil
	}
	due, err := a.db.Originals(ctx, now.Add(-period))
	if err != nil {
		return err
	}
	before := out.Disposed
	for _, o := range due {
		if err := a.disposeOriginal(ctx, src, o, out); err != nil {
			return errors.Join(err, a.noteDisposed(ctx, ClassOriginals, out.Disposed-before))
		}
	}
	return a.noteDisposed(ctx, ClassOriginals, out.Disposed-before)
}

func (a *Account) noteDisposed(ctx context.Context, class Class, n int) error {
	if n == 0 {
		return nil
	}
	_, err := a.db.Note(context.WithoutCancel(ctx), "dispose", Counts{class: n})
	return err
}

// disposeOriginal deletes one original. An earlier call whose answer was lost,
// or was an error, may have done it already: looking tells, and where the answer
// was lost it waits for somebody who can look.
func (a *Account) disposeOriginal(ctx context.Context, src fs.FS, o store.Original, out *Expiry) error {
	if err := ctx.Err(); err != nil {
		return cause(ctx, err)
	}
	p := o.Photo
	if !o.Begun.IsZero() && src == nil {
		return nil
	}
	if asked := !o.Begun.IsZero() || o.Tries > 0; asked && src != nil {
		if _, err := fs.Stat(src, p.Path); errors.Is(err, fs.ErrNotExist) {
			out.Disposed++
			return a.db.EndDisposal(ctx, p.ID, true)
		}
	}
	if err := a.db.BeginDisposal(ctx, p.ID); err != nil {
		return err
	}
	d := Disposal{Class: ClassOriginals, Name: p.Path, Photo: p.ID, SHA256: p.SHA256, Size: p.Size, ModTime: p.ModTime}
	failed := a.disposed(ctx, d)
	// The answer is kept even where the caller has lost interest.
	if err := a.db.EndDisposal(context.WithoutCancel(ctx), p.ID, failed == nil); err != nil {
		return err
	}
	if failed != nil {
		out.Failed = append(out.Failed, &DisposalError{d, failed})
		return nil
	}
	out.Disposed++
	return nil
}

// disposed asks the host to delete a file. A panic in its code is its error.
func (a *Account) disposed(ctx context.Context, d Disposal) (err error) {
	defer fence("disposer", &err)
	return a.cfg.Disposer.Dispose(ctx, d)
}

// disposeProducts deletes those files that were made of the account of which
// due says so.
func (a *Account) disposeProducts(ctx context.Context, due func(store.Product) bool, out *Expiry) error {
	if a.cfg.Disposer == nil {
		return nil
	}
	products, err := a.db.Products(ctx)
	if err != nil {
		return err
	}
	for _, p := range products {
		if err := ctx.Err(); err != nil {
			return cause(ctx, err)
		}
		if !due(p) {
			continue
		}
		d := Disposal{Class: p.Class, Name: p.Name, ModTime: p.At}
		if err := a.disposed(ctx, d); err != nil {
			out.Failed = append(out.Failed, &DisposalError{d, err})
			continue
		}
		if err := a.db.DropProduct(context.WithoutCancel(ctx), p.ID); err != nil {
			return err
		}
		out.Disposed++
		if err := a.noteDisposed(ctx, p.Class, 1); err != nil {
			return err
		}
	}
	return nil
}
