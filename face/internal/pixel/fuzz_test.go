package pixel

import (
	"bytes"
	"testing"
)

// bounded is n, or where that is too large or negative another number.
func bounded(n, limit int) int { return int(uint(n) % uint(limit)) }

// FuzzHalve: every implementation is the mean of four, whatever the rows, and
// writes nothing else.
func FuzzHalve(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b []byte, shift int) {
		n := min(len(a), len(b)) / 2
		shift = bounded(shift, 64)
		for _, k := range kernels() {
			dst, all := guarded(n, shift)
			k.halve(dst, a, b)
			for i, got := range dst {
				if want := halfOf(a, b, i); got != want {
					t.Fatalf("%s: value %d of %d is %d, want %d", k.name, i, n, got, want)
				}
			}
			intact(t, all, n, shift)
		}
	})
}

// FuzzTranspose: a size that src or dst does not hold is a panic and writes
// nothing; any other is transposed.
func FuzzTranspose(f *testing.F) {
	f.Fuzz(func(t *testing.T, src []byte, stride, w, h, room int) {
		room = bounded(room, 4096)
		dst, all := guarded(room, 8)
		written := 0
		fits := w <= 0 || h <= 0
		if !fits && w <= stride && w <= len(src) && h <= 4096 && w <= 4096 {
			fits = w*h <= room && (h == 1 || stride <= len(src) && (h-1)*stride+w <= len(src))
			written = w * h
		}
		if panicked := panics(func() { Transpose(dst, src, stride, w, h) }); panicked == fits {
			t.Fatalf("%d by %d, %d apart, of %d into %d: panics %v", w, h, stride, len(src), room, panicked)
		}
		if !fits {
			written = 0
		}
		for i, got := range dst {
			want := byte(guard)
			if i < written {
				want = src[i%h*stride+i/h]
			}
			if got != want {
				t.Fatalf("%d by %d: value %d is %d, want %d", w, h, i, got, want)
			}
		}
		intact(t, all, room, 8)
	})
}

// FuzzRow makes columns out of six bytes each, also ones that read where a row
// has nothing: a row is what the loop over the columns makes, to the bit, or
// both panic.
func FuzzRow(f *testing.F) {
	f.Fuzz(func(t *testing.T, columns, luma, chroma []byte, weight int, mean, scale float32) {
		var cols []Column
		for at := 0; at+6 <= len(columns) && len(cols) < 200; at += 6 {
			c := columns[at:]
			i := int32(int16(uint16(c[0]) | uint16(c[1])<<8))
			cols = append(cols, Column{I: i, J: i + int32(int8(c[2])), C: int32(c[3]), T: int32(int16(uint16(c[4]) | uint16(c[5])<<8))})
		}
		if mean != mean || scale != scale {
			return // of two that are not numbers, either may be the result
		}
		norm := NewNorm(mean, scale)
		top, bot := luma[:len(luma)/2], luma[len(luma)/2:]
		cb, cr := chroma[:len(chroma)/2], chroma[len(chroma)/2:]
		prepared := Prepare(cols)
		got, want := newCanvas(len(cols)), newCanvas(len(cols))
		w, g := want.rows(), got.rows()

		colour := colourRow{w[0], w[1], w[2], top, bot, cb, cr, int32(weight), 0, 0}
		failed := panics(func() { colour.generic(cols, &norm) })
		if p := panics(func() { prepared.Colour(g, top, bot, cb, cr, int32(weight), &norm) }); p != failed {
			t.Fatalf("colour panics %v, want %v", p, failed)
		}
		if i, yes := differ(got, want); yes {
			t.Fatalf("colour: number %d is %v, want %v", i, got.all[i], want.all[i])
		}
		grey := greyRow{w[0], top, bot, int32(weight), 0, 0}
		failed = panics(func() { grey.generic(cols, &norm) })
		if p := panics(func() { prepared.Grey(g[0], top, bot, int32(weight), &norm) }); p != failed {
			t.Fatalf("grey panics %v, want %v", p, failed)
		}
		if i, yes := differ(got, want); yes {
			t.Fatalf("grey: number %d is %v, want %v", i, got.all[i], want.all[i])
		}
	})
}

// TestGuard: the tests would see a write around their memory.
func TestGuard(t *testing.T) {
	for _, at := range []int{0, 4, 9, 72} {
		_, all := guarded(4, 5)
		all[at]++
		var seen recorder
		intact(&seen, all, 4, 5)
		if !bool(seen) {
			t.Errorf("byte %d of %d is written and not seen", at, len(all))
		}
	}
	in, all := guarded(4, 5)
	copy(in, bytes.Repeat([]byte{1}, 4))
	var seen recorder
	if intact(&seen, all, 4, 5); bool(seen) {
		t.Error("what may be written is seen as a write around it")
	}
}

type recorder bool

func (r *recorder) Fatalf(string, ...any) { *r = true }
