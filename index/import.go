package index

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/kith-photos/kith/index/internal/bundle"
)

// ImportOptions tune one Import. The zero value is right for a folder or
// archive that kith exported.
type ImportOptions struct {
	// File names the JSON in the file system given; "": "export.json".
	File string
	// Photos adds photos whose content the account does not know even where it
	// knows others. Otherwise only an account without a photo gets any.
	Photos bool
}

// ImportReport says what an Import did.
type ImportReport struct {
	Account string // whose export it is
	// Fresh: the account knew neither photos nor decisions, and is now as the
	// exported one was.
	Fresh bool

	Photos     int // photos added
	Pending    int // those of them that were looked at, and must be again for want of vectors
	Recognised int // photos of the export whose content the account knew
	Skipped    int // photos of the export that were left out
	Erased     int // photos and faces of the export left out because they were erased here on request

	Faces     int // faces added with their photos
	Matched   int // faces of the account that are faces of the export, copies included
	Contested int // those of them that stay with another person, whom somebody spoke of here

	People    int // people added
	Decisions int // decisions added, revoked ones included
	Repeated  int // decisions that the account had already
	Named     int // names in the export that no decision in it gave; each became one
	// Withheld counts names left out because the person's own consent does not
	// stand here; see Config.PersonConsent.
	Withheld int
	// Conflicts are the decisions left out because they contradict what stands
	// in the account.
	Conflicts []ImportConflict

	Settings int // settings taken over; those that the account has stay
	// Consents counts the export's records of consent. They are evidence of
	// what was said there, and are not consent here: nothing is made of them.
	Consents int

	Grouping Grouping // of an account that was not fresh
}

// ImportConflict is one decision of an export that was left out.
type ImportConflict struct {
	Decision Decision // as the export has it
	Err      *ConflictError
}

// ImportError is a part of an export that cannot be used. Nothing was imported.
type ImportError struct {
	Part string // such as "faces[12]", or the name of a file; "": the whole
	Err  error
}

func (e *ImportError) Error() string {
	if e.Part == "" {
		return fmt.Sprintf("index: import: %v", e.Err)
	}
	return fmt.Sprintf("index: import: %s: %v", e.Part, e.Err)
}

func (e *ImportError) Unwrap() error { return e.Err }

// OpenExport shows the files of a ZIP archive of so many bytes, as ExportZIP
// writes it, to Import. The archive may come from anybody: one that is damaged,
// holds names that lead out of it, links, encrypted entries or the like, or is
// larger inside than an export can be, is an *ImportError.
func OpenExport(r io.ReaderAt, size int64) (fs.FS, error) {
	fsys, err := bundle.Open(r, size, bundle.DefaultLimits())
	if err == nil {
		return fsys, nil
	}
	var entry *bundle.EntryError
	if errors.As(err, &entry) {
		return nil, &ImportError{Part: fmt.Sprintf("%q", entry.Name), Err: entry.Err}
	}
	return nil, &ImportError{Err: err}
}

// Import takes over what another account exported, or this one did: fsys is
// the folder of ExportDir (os.DirFS), the archive of ExportZIP (OpenExport), or
// holds the file that Export wrote (ImportOptions.File). Everything is read and
// checked first, and stored in one transaction: an error leaves the account as
// it was.
//
// An account that knows no photo gets those of the export, with their faces,
// people and ids. Settings come too where the account has none of its own, the
// label of its folder among them (ReindexOptions.Moved). If the export has the vectors they are there at once; if not,
// photos with faces are measured by the next Reindex and the faces stay with
// their people. In other accounts photos are recognised by their content, at
// whatever path, and faces by their boxes; a face joins its person of the
// export unless it is with somebody of whom something was decided here.
//
// Decisions keep their ids and order, behind those of the account; what is there
// already is passed over, so that importing twice is importing once. What
// contradicts a decision that stands here is left out and reported. Decisions
// about photos that are not here hold as soon as they are. At last the people
// are derived anew, unless the account was fresh.
//
// ErrNoConsent where the export tells of faces, people or decisions about them and consent
// was not given in this account; ErrBusy while Reindex runs. Like Reindex it is
// stopped by an erasure or another request of the owner's.
func (a *Account) Import(ctx context.Context, fsys fs.FS, opt ImportOptions) (ImportReport, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return ImportReport{}, err
	}
	defer done()
	x, err := openImport(ctx, fsys, cmp.Or(opt.File, exportFile))
	if err != nil {
		return ImportReport{}, err
	}
	free, err := a.alone("import")
	if err != nil {
		return ImportReport{}, err
	}
	defer free()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped, err := a.reindexing(cancel)
	if err != nil {
		return ImportReport{}, err
	}
	defer stopped()
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return ImportReport{}, err
	}
	defer unlock()
	if err := a.mayChange(ctx); err != nil {
		return ImportReport{}, err
	}
	if len(x.faces)+len(x.people) > 0 || slices.ContainsFunc(x.decisions, func(d Decision) bool { return !corrects(d) }) {
		if err := a.needConsent(ctx); err != nil {
			return ImportReport{}, err
		}
	}
	m, err := a.newMerger(ctx, x, opt)
	if err != nil {
		return ImportReport{}, err
	}
	r := m.merge()
	defer a.forgetVectors()
	if err := a.db.Restore(ctx, r); err != nil {
		return ImportReport{}, cause(ctx, err)
	}
	if m.report.Fresh {
		if err := a.seedArrangement(ctx, x); err != nil {
			err = fmt.Errorf("index: imported, but not arranged into moments: %w", cause(ctx, err))
			return m.report, err
		}
		return m.report, nil
	}
	if m.report.Grouping, err = a.deriveChanged(ctx); err != nil {
		err = fmt.Errorf("index: imported, but the people are not derived anew: %w", cause(ctx, err))
	}
	return m.report, err
}

// deriveChanged is derive, unless nothing has changed since the latest.
func (a *Account) deriveChanged(ctx context.Context) (Grouping, error) {
	space, err := a.space(ctx)
	if err != nil {
		return Grouping{}, err
	}
	g, current, err := a.latestGrouping(ctx)
	if err == nil && current && g.Space == space {
		return g.report(), nil
	}
	if err != nil {
		return Grouping{}, err
	}
	return a.derive(ctx)
}

// openImport reads an export and checks all of it.
func openImport(ctx context.Context, fsys fs.FS, name string) (*exported, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, &ImportError{Part: name, Err: err}
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, &ImportError{Part: name, Err: cmp.Or(err, errors.New("not a regular file"))}
	}
	x, err := readExport(ctx, bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, err
	}
	return x, x.check()
}
