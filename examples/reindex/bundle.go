package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kith-photos/kith/index"
)

// exportsFolder and exportsZIP tell what -export names; else it is a file of
// JSON.
func (c *config) exportsFolder() bool {
	if c.export == "" || c.export == "-" {
		return false
	}
	st, err := os.Stat(c.export)
	return os.IsPathSeparator(c.export[len(c.export)-1]) || err == nil && st.IsDir()
}

func (c *config) exportsZIP() bool { return strings.EqualFold(filepath.Ext(c.export), ".zip") }

// export writes to a new file or folder that takes its name when it is
// complete. photos shows the originals, or is nil where they are not at hand.
func export(ctx context.Context, cfg config, acc *index.Account, photos fs.FS, out *reporter) error {
	opt := index.ExportOptions{Embeddings: cfg.embeddings, Originals: photos}
	switch {
	case cfg.export == "-":
		return acc.Export(ctx, out.stdout, opt)
	case cfg.exportsFolder():
		return acc.ExportDir(ctx, filepath.Clean(cfg.export), opt)
	case cfg.exportsZIP():
		return replaceFile(cfg.export, func(f *os.File) error { return acc.ExportZIP(ctx, f, opt) })
	}
	return replaceFile(cfg.export, func(f *os.File) error { return acc.Export(ctx, f, opt) })
}

// importExport takes over what another account exported, or this one did.
func importExport(ctx context.Context, cfg config, acc *index.Account, stdin *os.File, out *reporter) error {
	if err := consent(ctx, cfg, acc, stdin, out); err != nil {
		return err
	}
	src, file, done, err := openImport(cfg.imports)
	if err != nil {
		return err
	}
	defer done()
	r, err := acc.Import(ctx, src, index.ImportOptions{File: file})
	if err != nil {
		return err
	}
	out.imported(r)
	return nil
}

// openImport shows a folder, an archive, or a file of JSON and its name there.
func openImport(path string) (src fs.FS, file string, done func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", nil, err
	}
	done = func() { _ = f.Close() } // only read from
	st, err := f.Stat()
	if err != nil {
		done()
		return nil, "", nil, err
	}
	if strings.EqualFold(filepath.Ext(path), ".zip") && !st.IsDir() {
		src, err = index.OpenExport(f, st.Size())
		return src, "", done, err
	}
	done()
	dir := path
	if !st.IsDir() {
		dir, file = filepath.Split(path)
		if dir == "" {
			dir = "."
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", nil, err
	}
	return root.FS(), file, func() { _ = root.Close() }, nil
}

// takeNames reads what other programs wrote of who is where, into the photos or
// beside them. A name that contradicts what was decided is listed and left out.
func takeNames(ctx context.Context, acc *index.Account, photos fs.FS, report *index.Report, out *reporter) error {
	r, err := acc.ImportRegions(ctx, photos, index.RegionOptions{Failed: func(e *index.PhotoError) {
		if !errors.Is(e, fs.ErrNotExist) { // deleted earlier, which is no failure
			report.Failed++
			out.failed(e)
		}
	}})
	if err != nil {
		return err
	}
	if r.Assigned+r.Named > 0 {
		after, err := acc.Regroup(ctx)
		if err != nil {
			return err
		}
		report.Grouping = after.Grouping
	}
	if out.cfg.json {
		out.event("names", map[string]any{
			"photos": r.Photos, "regions": r.Regions, "matched": r.Matched, "unmatched": r.Unmatched, "agreed": r.Agreed,
			"assigned": r.Assigned, "people": r.People, "named": r.Named, "withheld": r.Withheld, "conflicts": len(r.Conflicts),
		})
		return nil
	}
	out.note("names in %s, for %s; %d assigned, %d known already, %d without a face of ours, %d against what was decided here",
		count(r.Photos, "photo", "photos"), count(r.Regions, "face", "faces"), r.Assigned, r.Agreed, r.Unmatched, len(r.Conflicts))
	return nil
}

// imported says what an import came to. What contradicts the account is listed:
// it stays as the account has it.
func (r *reporter) imported(rep index.ImportReport) {
	if r.cfg.json {
		r.event("imported", map[string]any{
			"photos": rep.Photos, "pending": rep.Pending, "recognised": rep.Recognised, "skipped": rep.Skipped,
			"erased": rep.Erased, "faces": rep.Faces, "matched": rep.Matched, "contested": rep.Contested,
			"people": rep.People, "decisions": rep.Decisions, "repeated": rep.Repeated, "named": rep.Named,
			"withheld": rep.Withheld, "conflicts": len(rep.Conflicts), "settings": rep.Settings,
		})
		return
	}
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{rep.Photos, "photos"}, {rep.Faces, "faces"}, {rep.People, "people"}, {rep.Decisions, "decisions"},
		{rep.Settings, "settings"}, {rep.Recognised, "photos known already"}, {rep.Matched, "faces known already"},
		{rep.Repeated, "decisions known already"}, {rep.Pending, "photos to be looked at again by the next run"},
		{rep.Skipped, "photos of other content left out"}, {rep.Erased, "left out because they were erased"},
		{rep.Contested, "faces that stay with somebody else"}, {len(rep.Conflicts), "decisions left out: they contradict what was decided here"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	_, _ = fmt.Fprintf(r.results, "imported: %s\n", strings.Join(parts, ", "))
}
