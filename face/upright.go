package face

import (
	"image"
	"image/color"
)

// upright shows an image turned by its EXIF orientation without copying it.
type upright struct {
	image.Image
	orientation int
	bounds      image.Rectangle
	turn        Affine
}

// Upright shows img as its EXIF orientation (CIPA DC-008, tag 0x0112) asks,
// without copying a pixel: 1 is as stored, 2 mirrored, 3 turned by 180 degrees,
// 4 flipped, 5 to 8 the same with sides swapped. A value outside 1 to 8 is
// taken as 1. [NewPicture] reads such an image at full speed.
func Upright(img image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return img
	}
	b := img.Bounds()
	u := &upright{Image: img, orientation: orientation, turn: orient(orientation, b.Dx(), b.Dy())}
	u.bounds = image.Rect(0, 0, b.Dx(), b.Dy())
	if orientation >= 5 {
		u.bounds = image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return u
}

func (u *upright) Bounds() image.Rectangle { return u.bounds }

func (u *upright) At(x, y int) color.Color {
	p := u.turn.Apply(Point{float64(x) + 0.5, float64(y) + 0.5})
	b := u.Image.Bounds()
	return u.Image.At(b.Min.X+int(p.X), b.Min.Y+int(p.Y))
}

// orient maps upright coordinates to those of the stored w by h pixels.
func orient(orientation, w, h int) Affine {
	fw, fh := float64(w), float64(h)
	switch orientation {
	case 2:
		return Affine{A: -1, C: fw, E: 1}
	case 3:
		return Affine{A: -1, C: fw, E: -1, F: fh}
	case 4:
		return Affine{A: 1, E: -1, F: fh}
	case 5: // transpose
		return Affine{B: 1, D: 1}
	case 6: // stored turned left: show turned right by 90 degrees
		return Affine{B: 1, D: -1, F: fh}
	case 7: // transverse
		return Affine{B: -1, C: fw, D: -1, F: fh}
	case 8:
		return Affine{B: -1, C: fw, D: 1}
	}
	return Affine{A: 1, E: 1}
}
