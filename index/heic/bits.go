package heic

// bits reads numbers of any number of bits, the highest first. What is
// missing reads as 0, and sets cut.
type bits struct {
	b   []byte
	at  int // in bits
	cut bool
}

// uint reads n bits, 0 to 32.
func (r *bits) uint(n int) uint32 {
	var v uint32
	for range n {
		v <<= 1
		if r.at >= 8*len(r.b) {
			r.cut = true
			continue
		}
		v |= uint32(r.b[r.at/8]>>(7-r.at%8)) & 1
		r.at++
	}
	return v
}

func (r *bits) flag() bool { return r.uint(1) == 1 }

func (r *bits) skip(n int) {
	r.at += n
	if r.at > 8*len(r.b) {
		r.at, r.cut = 8*len(r.b), true
	}
}

// exp reads an unsigned Exp-Golomb code: ue(v) of H.265, 9.2, and uvlc() of
// AV1, 4.10.3. One of more than 31 bits sets cut.
func (r *bits) exp() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.cut {
			r.cut = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.uint(zeros)
}
