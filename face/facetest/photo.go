package facetest

import (
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"math"
)

// People is how many people [Draw] can paint: 0 to People-1.
const People = 1 << personBits

// MinSide is the least width and height in pixels of a painted face.
const MinSide = 24

// A painted face is a magenta frame around a grid of dark and light cells that
// spell the person's number and a check of it, most significant bit first.
const (
	personBits = 12
	checkBits  = 4
	grid       = 4 // cells a side
	dark       = 50
	light      = 210
)

// frame is how thick the frame of a face of w by h pixels is.
func frame(w, h int) int { return max(2, min(w, h)/12) }

// encode is the code that a face shows.
func encode(person int) uint16 {
	p := uint16(person)
	return p<<checkBits | check(p)
}

func check(p uint16) uint16 { return (p ^ p>>4 ^ p>>8 ^ 0b0101) & (1<<checkBits - 1) }

// decode is the person that a code stands for, if it is one.
func decode(code uint16) (person int, ok bool) {
	p := code >> checkBits
	return int(p), code == encode(int(p))
}

// Draw paints the face of a person over r, all of which must lie inside dst.
// It panics if the person is not in 0 to People-1 or a side of r is below
// MinSide. Painted faces must not touch each other.
func Draw(dst draw.Image, r image.Rectangle, person int) {
	if person < 0 || person >= People {
		panic(fmt.Sprintf("facetest: person %d is not in 0 to %d", person, People-1))
	}
	if r.Dx() < MinSide || r.Dy() < MinSide || !r.In(dst.Bounds()) {
		panic(fmt.Sprintf("facetest: no face fits %v in %v", r, dst.Bounds()))
	}
	fill(dst, r, color.RGBA{R: 255, B: 255, A: 255})
	in := r.Inset(frame(r.Dx(), r.Dy()))
	code := encode(person)
	for i := range grid * grid {
		shade := uint8(dark)
		if code>>(grid*grid-1-i)&1 == 1 {
			shade = light
		}
		x, y := i%grid, i/grid
		cell := image.Rect(
			in.Min.X+x*in.Dx()/grid, in.Min.Y+y*in.Dy()/grid,
			in.Min.X+(x+1)*in.Dx()/grid, in.Min.Y+(y+1)*in.Dy()/grid)
		fill(dst, cell, color.Gray{Y: shade})
	}
}

func fill(dst draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// Photo is a grey photo of w by h pixels with one painted face for each of the
// people, in the order in which [face.Analyzer] returns them: evenly placed in
// columns from left to right, each filled from top to bottom. All of them are
// shifted by a few pixels that depend on who is there, so that photos of
// different people are not laid out alike and a person does not look the same
// in them (see [Fake]). The same arguments give the same pixels. Photo panics
// where the faces would be smaller than MinSide.
func Photo(w, h int, people ...int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fill(img, img.Rect, color.Gray{Y: 128})
	n := len(people)
	if n == 0 {
		return img
	}
	cols := min(n, int(math.Ceil(math.Sqrt(float64(n)*float64(w)/float64(h)))))
	rows := (n + cols - 1) / cols
	cw, ch := w/cols, h/rows
	side := min(cw, ch) * 7 / 10
	fw, fh := max(MinSide, side*4/5), side
	if side < MinSide || fw > cw-4 {
		panic(fmt.Sprintf("facetest: %d faces do not fit %dx%d pixels", n, w, h))
	}
	hash := fnv.New32a()
	_, _ = fmt.Fprint(hash, people) // a hash never fails to write
	sum := hash.Sum32()
	// From the middle of its place a face may move to one pixel before its end.
	dx := int(sum%uint32(cw-fw-1)) - (cw-fw)/2 + 1
	dy := int(sum/997%uint32(ch-fh-1)) - (ch-fh)/2 + 1
	for i, p := range people {
		x := i/rows*cw + (cw-fw)/2 + dx
		y := i%rows*ch + (ch-fh)/2 + dy
		Draw(img, image.Rect(x, y, x+fw, y+fh), p)
	}
	return img
}
