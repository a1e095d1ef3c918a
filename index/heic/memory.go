package heic

// maxWASM is how much memory a WASM module may have: addresses have 32 bits.
const maxWASM = 4 << 30

// memory is about how many bytes decoding a picture takes at most, the result
// included. The factors are measured, as the growth of the process's peak
// (VmHWM) over five photos of 6 and 12 megapixels one after another, with
// libheif 1.15 and the WASM build of 1.18: what a decoder holds of a tile and
// of the whole, and what it copies on the way. WASM's memory is copied each
// time that it grows.
func (d *Decoder) memory(p *picture) int64 {
	whole, tile := 7.0, 4.0
	switch {
	case d.lib == nil:
		whole, tile = 15, 10
	case p.tiles[0].kind == "av01":
		tile = 10
	}
	t := p.tiles[0]
	pixels := whole*float64(p.grid.w)*float64(p.grid.h) + tile*float64(t.w)*float64(t.h)
	const library = 16 << 20
	n := pixels*t.bytes() + library
	for _, t := range p.tiles {
		n += 2 * float64(len(t.data))
	}
	return int64(n)
}
