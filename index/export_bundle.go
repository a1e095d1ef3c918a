package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"strings"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index/internal/bundle"
)

// What lies where in an export of several files.
const (
	exportFile     = "export.json"
	schemaFile     = "export.schema.json"
	readmeFile     = "README.txt"
	sidecarsFolder = "sidecars/"
	cropsFolder    = "crops/"
	missingFile    = "missing.txt" // in either folder
)

const (
	defaultCrop = 256 // pixels a side
	cropQuality = 90  // of JPEG
	maxRegions  = 1000
)

// ExportZIP writes a ZIP archive of what Export writes (export.json) with its
// schema, an XMP sidecar for every photo that shows somebody (sidecars/, with
// names and MWG face regions that other programs read), and, given
// ExportOptions.Originals, a JPEG of every face that is with a person
// (crops/FACE.jpg). Sidecars lie under their photo's path, changed where a file
// system might refuse it, and leave out ignored people. Photos of which no
// sidecar or crop could be made are listed in missing.txt beside the others.
//
// It does not close w. After an error what w got is no export.
func (a *Account) ExportZIP(ctx context.Context, w io.Writer, opt ExportOptions) error {
	return a.exportBundle(ctx, opt, func() (bundle.Writer, error) { return bundle.NewZIP(w, a.cfg.Now()), nil })
}

// ExportDir writes the files of ExportZIP into the folder dir, which must not
// exist or be empty. They are written into dir.part first, which is given its
// name when all are complete and removed after an error. Files have mode 0600,
// folders 0700.
func (a *Account) ExportDir(ctx context.Context, dir string, opt ExportOptions) error {
	var folder *bundle.Folder
	err := a.exportBundle(ctx, opt, func() (_ bundle.Writer, err error) {
		folder, err = bundle.NewFolder(dir)
		return folder, err
	})
	if err != nil && folder != nil {
		err = errors.Join(err, folder.Abort())
	}
	if err != nil {
		return fmt.Errorf("index: export to %q: %w", dir, err)
	}
	return nil
}

func (a *Account) exportBundle(ctx context.Context, opt ExportOptions, begin func() (bundle.Writer, error)) error {
	return a.exporting(ctx, opt, func(ctx context.Context) error { return a.writeBundle(ctx, opt, begin) })
}

func (a *Account) writeBundle(ctx context.Context, opt ExportOptions, begin func() (bundle.Writer, error)) error {
	opt.CropSize = cmp.Or(opt.CropSize, defaultCrop)
	if opt.CropSize < 1 || opt.CropSize > maxCrop {
		return fmt.Errorf("index: crops of %d pixels a side, want 1 to %d", opt.CropSize, maxCrop)
	}
	w, err := begin()
	if err != nil {
		return err
	}
	b := &bundler{a: a, w: w, opt: opt}
	if err := b.all(ctx); err != nil {
		return cause(ctx, err)
	}
	return w.Commit()
}

// bundler writes one export of several files.
type bundler struct {
	a   *Account
	w   bundle.Writer
	opt ExportOptions
}

func (b *bundler) all(ctx context.Context) error {
	w, err := b.w.Create(exportFile, false)
	if err != nil {
		return err
	}
	if err := b.a.exportJSON(ctx, w, b.opt); err != nil {
		return err
	}
	if err := b.text(schemaFile, exportSchema); err != nil {
		return err
	}
	if err := b.text(readmeFile, b.readme()); err != nil {
		return err
	}
	if err := b.sidecars(ctx); err != nil {
		return err
	}
	return b.crops(ctx)
}

func (b *bundler) text(name, text string) error {
	w, err := b.w.Create(name, false)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	return err
}

func (b *bundler) readme() string {
	s := "This is what kith knew of one photo library. " + exportFile + " holds all of it: photos, faces, people, what " +
		"somebody decided about them, settings and records of consent; " + schemaFile + " describes it (JSON Schema), and " +
		"kith imports it again. " + sidecarsFolder + " holds the names and faces as XMP files, one for each photo that shows " +
		"somebody, under the photo's path: copied beside the photos they are read by many programs."
	if b.opt.Originals != nil {
		s += " " + cropsFolder + " holds a picture of every face that is with a person, named by the face's id."
	}
	return s + " What is here tells who is in the photos: keep it as private as the photos.\n"
}

// missing lists what could not be made.
func (b *bundler) missing(folder string, errs []string) error {
	if len(errs) == 0 {
		return nil
	}
	return b.text(folder+missingFile, strings.Join(errs, "\n")+"\n")
}

// sidecars writes one for each photo with a face that is with a person who is
// not ignored.
func (b *bundler) sidecars(ctx context.Context) error {
	people := map[PersonID]Person{}
	for p, err := range b.a.db.AllPeople(ctx) {
		if err != nil {
			return err
		}
		people[p.ID] = p
	}
	faces := map[PhotoID][]Face{}
	for f, err := range b.a.db.Faces(ctx, FaceQuery{}) {
		if err != nil {
			return err
		}
		if p, ok := people[f.Person]; ok && !p.Ignored {
			faces[f.Photo] = append(faces[f.Photo], f)
		}
	}
	var names bundle.Names
	var missing []string
	for p, err := range b.a.db.Photos(ctx, PhotoQuery{}) {
		if err != nil {
			return err
		}
		if len(faces[p.ID]) == 0 {
			continue
		}
		xmp, err := sidecarOf(p, faces[p.ID], people).XMP()
		if err != nil {
			missing = append(missing, fmt.Sprintf("%q: %v", p.Path, err))
			continue
		}
		if err := b.text(sidecarsFolder+names.For(p.Path, string(p.ID), ".xmp"), string(xmp)); err != nil {
			return err
		}
	}
	return b.missing(sidecarsFolder, missing)
}

func sidecarOf(p Photo, faces []Face, people map[PersonID]Person) exif.Sidecar {
	s := exif.Sidecar{Width: p.Width, Height: p.Height, Orientation: max(1, p.Orientation)}
	if s.Orientation >= 5 {
		s.Width, s.Height = s.Height, s.Width
	}
	for _, f := range faces {
		if r, ok := regionOf(f.Box, p.Width, p.Height); ok && len(s.Regions) < maxRegions {
			r.Name = people[f.Person].Name
			s.Regions = append(s.Regions, r)
		}
	}
	return s
}

// regionOf gives a box as part of the upright photo, and false where nothing of
// it is inside.
func regionOf(b face.Box, width, height int) (exif.Region, bool) {
	w, h := float64(width), float64(height)
	x0, y0, x1, y1 := max(0, b.X), max(0, b.Y), min(w, b.X+b.W), min(h, b.Y+b.H)
	return exif.Region{Type: "Face", X: x0 / w, Y: y0 / h, W: (x1 - x0) / w, H: (y1 - y0) / h}, x0 < x1 && y0 < y1
}

// crops writes a picture of each face that is with a person, if the originals
// are at hand.
func (b *bundler) crops(ctx context.Context) error {
	if b.opt.Originals == nil {
		return nil
	}
	var ids []FaceID
	for f, err := range b.a.db.Faces(ctx, FaceQuery{}) {
		if err != nil {
			return err
		}
		if f.Person != "" {
			ids = append(ids, f.ID)
		}
	}
	photos, err := b.a.byPhoto(ctx, ids)
	if err != nil {
		return err
	}
	var missing []string
	for _, p := range photos {
		var failed error // to write
		b.a.cropPhoto(ctx, b.opt.Originals, p, b.opt.CropSize, func(c Crop, err error) bool {
			if err != nil {
				missing = append(missing, err.Error())
				return true
			}
			failed = b.crop(c)
			return failed == nil
		})
		if err := cmp.Or(failed, ctx.Err()); err != nil {
			return err
		}
	}
	return b.missing(cropsFolder, missing)
}

func (b *bundler) crop(c Crop) error {
	w, err := b.w.Create(cropsFolder+string(c.Face)+".jpg", true)
	if err != nil {
		return err
	}
	return jpeg.Encode(w, c.Image, &jpeg.Options{Quality: cropQuality})
}
