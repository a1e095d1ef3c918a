package face

import "image"

// Source is a photo that is decoded at the size that is needed, and only when
// it is: what a model sees of a photo of 12 megapixels is often a sixteenth of
// its pixels. Positions and sizes stay those of the whole photo.
type Source interface {
	// Size is the whole photo's width and height in pixels, as stored.
	Size() (w, h int)
	// Level decodes the photo at 1/2^k of its size, k >= 0, or finer where
	// that is the nearest there is; the finest for k = 0 may be coarser than
	// the photo where the whole would take too much memory. shrink, in (0,1],
	// is how many pixels of img there are to one of the photo along a side,
	// both beginning at the same corner. It may be called for one k after
	// another, and decodes anew each time.
	Level(k int) (img image.Image, shrink float64, err error)
}

// Whole is the source of a photo that was decoded already.
func Whole(img image.Image) Source { return whole{img} }

type whole struct{ image.Image }

func (s whole) Size() (w, h int) { return s.Bounds().Dx(), s.Bounds().Dy() }

func (s whole) Level(int) (image.Image, float64, error) { return s.Image, 1, nil }
