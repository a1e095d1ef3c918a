package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"slices"

	"github.com/kith-photos/kith/face"
)

// Crop is the picture of one face, cut out of its photo.
type Crop struct {
	Face  FaceID
	Image image.Image
}

// maxCrop is the largest crop, in pixels a side: its pixels take 256 MB while
// it is made.
const maxCrop = 4096

// Crops cuts faces out of their photos, which src must show under the paths
// that the account knows: square, size (1 to 4096) pixels a side, upright, with a margin
// of a third of the face around it. Each photo is read once, so the crops come
// photo by photo and not in the order asked for. A photo that cannot be read,
// or whose content is no longer what was indexed, yields a *PhotoError in
// place of its faces and the listing goes on. Nothing is stored.
func (a *Account) Crops(ctx context.Context, src fs.FS, faces []FaceID, size int) iter.Seq2[Crop, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Crop, error] {
		return func(yield func(Crop, error) bool) {
			if size < 1 || size > maxCrop {
				yield(Crop{}, fmt.Errorf("index: a crop of %d pixels a side, want 1 to %d", size, maxCrop))
				return
			}
			photos, err := a.byPhoto(ctx, faces)
			if err != nil {
				yield(Crop{}, err)
				return
			}
			for _, p := range photos {
				if err := ctx.Err(); err != nil {
					yield(Crop{}, cause(ctx, err))
					return
				}
				if !a.cropPhoto(ctx, src, p, size, yield) {
					return
				}
			}
		}
	})
}

// cropPhoto yields the faces of one photo, or its error.
func (a *Account) cropPhoto(ctx context.Context, src fs.FS, p photoFaces, size int, yield func(Crop, error) bool) bool {
	pic, c, err := a.picture(ctx, src, p.photo)
	if err != nil {
		return yield(Crop{}, err)
	}
	defer c.release()
	for _, f := range p.faces {
		img := pic.Crop(around(f.Box), size, size)
		if err := pic.Err(); err != nil {
			return yield(Crop{}, &PhotoError{Path: p.photo.Path, Stage: StageDecode, Err: err})
		}
		if !yield(Crop{f.ID, img}, nil) {
			return false
		}
	}
	return true
}

type photoFaces struct {
	photo Photo
	faces []Face
}

func (a *Account) byPhoto(ctx context.Context, ids []FaceID) ([]photoFaces, error) {
	at := map[PhotoID]int{}
	var out []photoFaces
	for _, id := range ids {
		f, err := a.db.Face(ctx, id)
		if err != nil {
			return nil, err
		}
		i, ok := at[f.Photo]
		if !ok {
			p, err := a.db.Photo(ctx, f.Photo)
			if err != nil {
				return nil, err
			}
			i = len(out)
			at[f.Photo] = i
			out = append(out, photoFaces{photo: p})
		}
		out[i].faces = append(out[i].faces, f)
	}
	slices.SortFunc(out, func(a, b photoFaces) int { return cmp.Compare(a.photo.Path, b.photo.Path) })
	return out, nil
}

var errChanged = errors.New("the photo has changed since it was indexed")

// picture reads one photo again for showing. The caller must release the
// content, where there is one, when it is done with the picture.
func (a *Account) picture(ctx context.Context, src fs.FS, p Photo) (*face.Picture, *content, error) {
	c, err := a.read(ctx, src, p.Path)
	if err != nil {
		return nil, nil, &PhotoError{Path: p.Path, Stage: StageRead, Err: err}
	}
	if c.sum != p.SHA256 {
		c.release()
		return nil, nil, &PhotoError{Path: p.Path, Stage: StageRead, Err: errChanged}
	}
	px, err := a.openContent(ctx, c, clock{})
	if err != nil {
		c.release()
		return nil, nil, &PhotoError{Path: p.Path, Stage: StageDecode, Err: err}
	}
	pic, err := face.PictureOf(px, p.Orientation)
	if err != nil {
		c.release()
		return nil, nil, &PhotoError{Path: p.Path, Stage: StageDecode, Err: err}
	}
	return pic, c, nil
}

// around is the square to show of a face.
func around(b face.Box) face.Box {
	c := b.Center()
	side := max(b.W, b.H) * 5 / 3
	return face.Box{X: c.X - side/2, Y: c.Y - side/2, W: side, H: side}
}
