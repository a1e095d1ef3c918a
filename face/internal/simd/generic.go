package simd

// generic is plain Go: the implementation where there is no other, and what
// the others are tested against.
var generic = kernel{name: "go", block: blockGo, rows: 2, cols: 2, dots: dotsGo, above: aboveGo}

// blockGo computes 2×2 products, whose sums and factors fit into registers.
func blockGo(out []int32, stride int, a, b []int16, pairs int) {
	var s00, s01, s10, s11 int32
	for k := range pairs {
		x, y := (*[4]int16)(a[2*Lanes*k:]), (*[4]int16)(b[2*Lanes*k:])
		x00, x01, x10, x11 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
		y00, y01, y10, y11 := int32(y[0]), int32(y[1]), int32(y[2]), int32(y[3])
		s00 += x00*y00 + x01*y01
		s01 += x00*y10 + x01*y11
		s10 += x10*y00 + x11*y01
		s11 += x10*y10 + x11*y11
	}
	out[0], out[1], out[stride], out[stride+1] = s00, s01, s10, s11
}

func dotsGo(out []int32, probe, panels []int8) {
	for at := 0; at < len(out); at += Lanes {
		sums := (*[Lanes]int32)(out[at:])
		clear(sums[:])
		for k := 0; k < len(probe); k += 4 {
			x := (*[4]int8)(probe[k:])
			x0, x1, x2, x3 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
			row := (*[4 * Lanes]int8)(panels)
			for j := range sums {
				sums[j] += x0*int32(row[4*j]) + x1*int32(row[4*j+1]) + x2*int32(row[4*j+2]) + x3*int32(row[4*j+3])
			}
			panels = panels[4*Lanes:]
		}
	}
}

func aboveGo(hits []uint32, dots []int32, floor int32) {
	for h := range hits {
		row := (*[32]int32)(dots[32*h:])
		var word uint32
		for j, d := range row {
			// The sign of floor-d in 64 bits, so that it cannot overflow.
			word |= uint32(uint64(int64(floor)-int64(d))>>63) << j
		}
		hits[h] = word
	}
}
