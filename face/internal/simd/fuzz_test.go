package simd

import (
	"encoding/binary"
	"math"
	"testing"
)

// FuzzTile asks for panels that may not be there and gives room that may not be
// enough: either it panics, in Go and before anything is written, or all
// products are right and nothing beyond them is touched.
func FuzzTile(f *testing.F) {
	f.Fuzz(func(t *testing.T, n, dim, a0, a1, b0, b1, room int, numbers []byte) {
		n, dim, room = bounded(n, 200), 1+bounded(dim, 80), bounded(room, 1<<16)
		at := 0
		m := random(n, dim, func() int16 { at++; return number(numbers, at) })
		const guard = -77
		backing := make([]int32, room+64)
		for i := range backing {
			backing[i] = guard
		}
		used := 0
		fits := 0 <= a0 && a0 <= a1 && a1 <= m.Panels() && 0 <= b0 && b0 <= b1 && b1 <= m.Panels()
		if fits {
			used = (a1 - a0) * Lanes * (b1 - b0) * Lanes
			fits = used <= room
		}
		if panicked := panics(func() { m.Tile(backing[:room:room], a0, a1, b0, b1) }); panicked == fits {
			t.Fatalf("%d panels, %d to %d by %d to %d, room for %d: panics %v", m.Panels(), a0, a1, b0, b1, room, panicked)
		}
		if !fits {
			used = 0
		}
		for i, x := range backing {
			want := int32(guard)
			if i < used {
				stride := (b1 - b0) * Lanes
				want = m.dot(a0*Lanes+i/stride, b0*Lanes+i%stride)
			}
			if x != want {
				t.Fatalf("number %d of %d is %d, want %d", i, used, x, want)
			}
		}
	})
}

// FuzzDots is FuzzTile for Dots, and gives what comes out to Above.
func FuzzDots(f *testing.F) {
	f.Fuzz(func(t *testing.T, n, dim, from, to, room, length, floor int, numbers []byte) {
		n, dim, room, length = bounded(n, 200), 1+bounded(dim, 80), bounded(room, 1<<10), bounded(length, 100)
		at := 0
		next := func() int8 { at++; return number8(numbers, at) }
		m := random8(n, dim, next)
		probe := make([]int8, length)
		for k := range probe {
			probe[k] = next()
		}
		out := make([]int32, room+64)
		fits := 0 <= from && from <= to && to <= m.Panels() && length == m.width && (to-from)*Lanes <= room
		if panicked := panics(func() { m.Dots(out[:room:room], probe, from, to) }); panicked == fits {
			t.Fatalf("%d panels, %d to %d, probe of %d for %d, room for %d: panics %v", m.Panels(), from, to, length, m.width, room, panicked)
		}
		hits := make([]uint32, len(out)/32)
		if got := panics(func() { Above(hits, out[:len(hits)*32], int32(floor)) }); got {
			t.Fatal("Above panics")
		}
		for i, x := range out[:len(hits)*32] {
			var want int32
			if fits && i < (to-from)*Lanes {
				want = m.dot(probe, from*Lanes+i)
			}
			if x != want {
				t.Fatalf("number %d is %d, want %d", i, x, want)
			}
			if hits[i/32]>>(i%32)&1 != 0 != (x > int32(floor)) {
				t.Fatalf("%d above %d is wrong", x, int32(floor))
			}
		}
	})
}

// FuzzQuantize8 rounds any numbers: the integers are from -127 to 127, and the
// rest is no longer than Quantize8 says.
func FuzzQuantize8(f *testing.F) {
	f.Fuzz(func(t *testing.T, numbers []byte) {
		v := make([]float32, len(numbers)/4%600)
		for k := range v {
			v[k] = math.Float32frombits(binary.LittleEndian.Uint32(numbers[4*k:]))
		}
		checkRounded(t, v)
	})
}

// bounded is x brought into [0,limit).
func bounded(x, limit int) int { return int(uint(x) % uint(limit)) }

// number is number i of a list that repeats.
func number(list []byte, i int) int16 {
	if len(list) < 2 {
		return int16(i)
	}
	return int16(binary.LittleEndian.Uint16(list[2*(i%(len(list)/2)):]))
}

// number8 is number of those that Quantize8 gives.
func number8(list []byte, i int) int8 {
	if len(list) == 0 {
		return max(int8(i), -127)
	}
	return max(int8(list[i%len(list)]), -127)
}
