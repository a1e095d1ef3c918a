package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// RegionOptions tune one ImportRegions. The zero value reads photos and
// sidecars.
type RegionOptions struct {
	// Failed is called for each photo or sidecar that could not be read, from
	// the caller's goroutine. The same errors are counted in the report.
	Failed func(*PhotoError)
}

// RegionReport says what an ImportRegions did.
type RegionReport struct {
	Photos    int // photos of the account with a region that names somebody
	Regions   int // such regions
	Matched   int // of these, on a face of the account
	Unmatched int // on none
	Agreed    int // of the matched, on a face of which that was decided already
	Assigned  int // faces given to the person of their name
	People    int // people that came to be by it
	Named     int // people that got their name by it
	Withheld  int // names left out for want of the person's own consent; see Config.PersonConsent
	Failed    int // photos of which a part, or the sidecar, could not be read
	// Conflicts are what was left out because it contradicts what stands.
	Conflicts []RegionConflict
}

// RegionConflict is a name that some faces could not be given.
type RegionConflict struct {
	Name  string
	Faces []FaceID
	Err   *ConflictError
}

const (
	// A region is a face if their boxes overlap by this IoU. Programs draw
	// faces with or without hair and chin: what is loosely drawn around one of
	// our boxes, at twice its area, has 0.5; two people's faces have less than
	// 0.1 even side by side.
	regionIoU = 0.3
	// Or if each box's centre is in the other, and the sides are not more
	// different than by this factor: a whole head around a narrow face.
	regionScale = 3
	maxSidecar  = 1 << 20 // bytes, as package exif has it
)

// ImportRegions reads the face regions with names that other programs (digiKam,
// Lightroom, Picasa and others) wrote into the photos of src, or beside them as
// sidecars (IMG.jpg.xmp or IMG.xmp), and says so of the account's faces that
// are there: photos go by the paths that the account knows. A sidecar with
// regions counts in place of those in its photo. Regions in a photo whose content
// is no longer what was indexed, and those drawn on a photo of another shape, are
// failures.
//
// Region and face belong together by the highest IoU, from 0.3 on, or if each
// one's centre lies in the other and no side is three times the other's; each
// at most once. All faces of a name are said to be one person, by one Assign:
// the person of that name; else the one without a name who holds most of them,
// and of whom no other name holds more, and who is then named; else a new one.
// Both are decisions as any other: they can be undone, and what contradicts a
// decision that stands is reported and left out. A second ImportRegions of the
// same finds everything said.
func (a *Account) ImportRegions(ctx context.Context, src fs.FS, opt RegionOptions) (RegionReport, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return RegionReport{}, err
	}
	defer done()
	if err := a.needConsent(ctx); err != nil {
		return RegionReport{}, err
	}
	r := &regionReader{a: a, src: src, opt: opt, said: map[string]map[FaceID]bool{}}
	if err := r.all(ctx); err != nil {
		return r.report, cause(ctx, err)
	}
	return r.report, cause(ctx, r.decide(ctx))
}

// regionReader is one ImportRegions.
type regionReader struct {
	a      *Account
	src    fs.FS
	opt    RegionOptions
	report RegionReport
	said   map[string]map[FaceID]bool // the faces of each name
}

func (r *regionReader) all(ctx context.Context) error {
	faces := map[PhotoID][]Face{}
	for f, err := range r.a.db.Faces(ctx, FaceQuery{Rejected: Include}) {
		if err != nil {
			return err
		}
		faces[f.Photo] = append(faces[f.Photo], f)
	}
	photos, err := collect(r.a.db.Photos(ctx, PhotoQuery{}))
	if err != nil {
		return err
	}
	for _, p := range photos {
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.Width == 0 || p.Height == 0 {
			continue
		}
		named, err := r.regions(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.failed(p, err)
		}
		if len(named) == 0 {
			continue
		}
		r.report.Photos++
		r.report.Regions += len(named)
		matched := 0
		for i, j := range matchRegions(named, faces[p.ID], p) {
			if j < 0 {
				continue
			}
			matched++
			name := named[i].Name
			if r.said[name] == nil {
				r.said[name] = map[FaceID]bool{}
			}
			r.said[name][faces[p.ID][j].ID] = true
		}
		r.report.Matched += matched
		r.report.Unmatched += len(named) - matched
	}
	return nil
}

func (r *regionReader) failed(p Photo, err error) {
	r.report.Failed++
	if r.opt.Failed != nil {
		r.opt.Failed(&PhotoError{Path: p.Path, Stage: StageRead, Err: err})
	}
}

var errShape = errors.New("regions were drawn on a photo of another shape")

// regions are the named face regions of a photo: its sidecar's, or its own. What
// is good of them is returned beside the error.
func (r *regionReader) regions(ctx context.Context, p Photo) ([]exif.Region, error) {
	own, err := r.embedded(ctx, p)
	side, sideErr := r.sidecar(p)
	errs := errors.Join(err, sideErr)
	use := own
	if len(side.Areas) > 0 {
		use, use.Turn = side, own.Turn
	}
	if len(use.Areas) == 0 {
		return nil, errs
	}
	w, h := p.Width, p.Height
	if p.Orientation >= 5 {
		w, h = h, w
	}
	if !use.Fits(p.Orientation, w, h) {
		return nil, errors.Join(errs, errShape)
	}
	return slices.DeleteFunc(use.Upright(p.Orientation, w, h), func(g exif.Region) bool {
		return g.Name == "" || g.Type != "" && g.Type != "Face"
	}), errs
}

// embedded are the regions in the photo itself. A photo that is not there has
// none.
func (r *regionReader) embedded(ctx context.Context, p Photo) (exif.Regions, error) {
	c, err := r.a.read(ctx, r.src, p.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return exif.Regions{}, nil
	}
	if err != nil {
		return exif.Regions{}, err
	}
	defer c.release()
	if c.sum != p.SHA256 {
		return exif.Regions{}, errChanged
	}
	return exif.ReadRegions(c.data)
}

// sidecar are the regions of the first sidecar that there is.
func (r *regionReader) sidecar(p Photo) (exif.Regions, error) {
	for _, stem := range []string{p.Path, strings.TrimSuffix(p.Path, path.Ext(p.Path))} {
		for _, ext := range []string{".xmp", ".XMP", ".Xmp"} {
			packet, err := readSidecar(r.src, stem+ext)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
				continue
			}
			var regions exif.Regions
			if err == nil {
				regions, err = exif.ParseRegions(packet)
			}
			if err != nil {
				err = fmt.Errorf("sidecar %q: %w", stem+ext, err)
			}
			return regions, err
		}
	}
	return exif.Regions{}, nil
}

func readSidecar(src fs.FS, name string) ([]byte, error) {
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
		return nil, fs.ErrInvalid
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSidecar+1))
	if err == nil && len(b) > maxSidecar {
		err = fmt.Errorf("%w, the limit is %d bytes", ErrTooLarge, maxSidecar)
	}
	return b, err
}

// matchRegions gives for each region the position of its face, or -1.
func matchRegions(regions []exif.Region, faces []Face, p Photo) []int {
	type pair struct {
		i, j int
		iou  float64
	}
	var pairs []pair
	match := make([]int, len(regions))
	for i, g := range regions {
		match[i] = -1
		w, h := float64(p.Width), float64(p.Height)
		box := face.Box{X: g.X * w, Y: g.Y * h, W: g.W * w, H: g.H * h}
		for j, f := range faces {
			if iou := box.IoU(f.Box); iou >= regionIoU || sameHead(box, f.Box) {
				pairs = append(pairs, pair{i, j, iou})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.iou, a.iou) })
	taken := map[int]bool{}
	for _, q := range pairs {
		if match[q.i] < 0 && !taken[q.j] {
			match[q.i], taken[q.j] = q.j, true
		}
	}
	return match
}

// sameHead reports whether two boxes are of one face though they overlap little.
func sameHead(a, b face.Box) bool {
	in := func(p face.Point, b face.Box) bool {
		return p.X >= b.X && p.X < b.X+b.W && p.Y >= b.Y && p.Y < b.Y+b.H
	}
	near := func(x, y float64) bool { return x < regionScale*y && y < regionScale*x }
	return in(a.Center(), b) && in(b.Center(), a) && near(a.W, b.W) && near(a.H, b.H)
}

// decide says of each name's faces that they are one person, those of most
// faces first.
func (r *regionReader) decide(ctx context.Context) error {
	names := slices.SortedFunc(maps.Keys(r.said), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(r.said[b]), len(r.said[a])), cmp.Compare(a, b))
	})
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.say(ctx, name)
		var conflict *ConflictError
		if errors.As(err, &conflict) {
			r.conflict(name, sortedKeys(r.said[name]), conflict)
			continue
		}
		if err != nil {
			return fmt.Errorf("index: name %q: %w", name, err)
		}
	}
	return nil
}

func (r *regionReader) conflict(name string, faces []FaceID, err *ConflictError) {
	r.report.Conflicts = append(r.report.Conflicts, RegionConflict{Name: name, Faces: faces, Err: err})
}

// say says that a name's faces are one person, and that the person is called so.
func (r *regionReader) say(ctx context.Context, name string) error {
	to, faces, err := r.plan(ctx, name)
	if errors.Is(err, ErrNoConsent) {
		r.report.Withheld++
		return nil
	}
	if err != nil {
		return err
	}
	if to.ID == "" && len(faces) == 0 {
		return nil // all of them are reported
	}
	id := to.ID
	if len(faces) > 0 {
		if id, _, err = r.a.Assign(ctx, to.ID, faces...); err != nil {
			return err
		}
		r.report.Assigned += len(faces)
	}
	if to.ID == "" {
		r.report.People++
	}
	if to.Name == name {
		return nil
	}
	r.report.Named++
	_, err = r.a.Name(ctx, id, name)
	return err
}
