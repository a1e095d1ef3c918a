package pixel

import (
	"math/rand/v2"
	"testing"
)

// The sizes are those of a photo of 12 megapixels on its way into a detector's
// input of 640 by 480.

// noise is n random bytes.
func noise(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// evenly is n columns that read at equal distances, mirrored if that is
// negative, with a chroma sample for each of 1<<shift pixels.
func evenly(n int, distance float64, shift uint) []Column {
	cols := make([]Column, n)
	for u := range cols {
		x := distance * (float64(u) + 0.5)
		if distance < 0 {
			x -= distance * float64(n)
		}
		i := int32(x)
		cols[u] = Column{I: i, J: i + 1, C: i >> shift, T: int32((x-float64(i))*256 + 0.5)}
	}
	return cols
}

func BenchmarkHalve(b *testing.B) {
	const w, h = 4000, 64 // stays in the cache
	rng := rand.New(rand.NewPCG(1, 1))
	src, dst := noise(rng, w*h), make([]byte, w/2)
	for _, k := range kernels() {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(w * h)
			for b.Loop() {
				for y := 0; y < h; y += 2 {
					k.halve(dst, src[y*w:][:w], src[(y+1)*w:][:w])
				}
			}
		})
	}
}

func BenchmarkTranspose(b *testing.B) {
	const w, h = 500, 375
	rng := rand.New(rand.NewPCG(1, 2))
	src, dst := noise(rng, w*h), make([]byte, w*h)
	for _, k := range kernels() {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(w * h)
			for b.Loop() {
				k.transpose(dst, src, w, w, h)
			}
		})
	}
}

// BenchmarkRow is one row of 640 columns out of 500 pixels.
func BenchmarkRow(b *testing.B) {
	const n, w = 640, 500
	rng := rand.New(rand.NewPCG(1, 3))
	cols := Prepare(evenly(n, float64(w-1)/n, 0))
	dst := make([]float32, 3*n)
	planes := noise(rng, 4*w)
	for i := range planes { // hardly a colour is out of range, as in photos
		planes[i] = 112 + planes[i]%32
	}
	norm := NewNorm(127.5, 1.0/128)
	row := colourRow{
		dst[:n], dst[n : 2*n], dst[2*n:], planes[:w], planes[w : 2*w], planes[2*w : 3*w], planes[3*w:],
		100, norm.mean, norm.scale,
	}
	grey := greyRow{row.red, row.top, row.bot, row.t, row.mean, row.scale}
	b.Run("Colour/go", func(b *testing.B) {
		for b.Loop() {
			row.generic(cols.all, &norm)
		}
	})
	b.Run("Grey/go", func(b *testing.B) {
		for b.Loop() {
			grey.generic(cols.all, &norm)
		}
	})
	for _, k := range kernels() {
		if k.colour == nil {
			continue
		}
		b.Run("Colour/"+k.name, func(b *testing.B) {
			for b.Loop() {
				k.colour(row, cols.blocks)
			}
		})
		b.Run("Grey/"+k.name, func(b *testing.B) {
			for b.Loop() {
				k.grey(grey, cols.blocks)
			}
		})
	}
	b.Run("Prepare", func(b *testing.B) {
		for b.Loop() {
			cols = Prepare(cols.all)
		}
	})
}
