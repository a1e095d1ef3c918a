package pixel

// Column is where a column of an output reads in a row of a plane: the places
// of two neighbours and of the chroma sample, and the weight of the second
// neighbour, 0..256 for 0..1.
type Column struct{ I, J, C, T int32 }

// Cut makes columns read in the part of a row that they need: it begins at luma
// and is n long, of chroma at c and nc. The columns, at least one, go along the
// row in one direction, with I <= J.
func Cut(cols []Column) (luma, n, c, nc int) {
	a, b := cols[0], cols[len(cols)-1]
	i, j := min(a.I, b.I), max(a.J, b.J)
	first, last := min(a.C, b.C), max(a.C, b.C)
	for k := range cols {
		cols[k].I, cols[k].J, cols[k].C = cols[k].I-i, cols[k].J-i, cols[k].C-first
	}
	return int(i), int(j - i + 1), int(first), int(last - first + 1)
}

// Columns are those of an output, prepared for its rows.
type Columns struct {
	all []Column
	// luma and chroma are how long the rows have to be that all reads.
	luma, chroma int
	// blocks are all for the kernels, or none where those cannot be used.
	blocks []block
}

// Lanes of a block, and the bytes of a row that it chooses from.
const (
	lanes  = 8
	window = 16
)

// block is eight columns for the kernels. Of the window of 16 bytes of a row
// that begins at luma (or at chroma), each column chooses its own by their
// numbers in pick and tint; those with the top bit give zero.
type block struct {
	pick   [lanes][4]byte  // the neighbours, as two numbers of 16 bits
	weight [lanes][2]int16 // theirs, in 1/256
	tint   [lanes][4]byte  // the chroma sample, as a number of 32 bits
	luma   int32
	chroma int32
	at     int32 // the first column
}

const none = 0x80 // in pick and tint

// Prepare works out what all rows of an output have in common. It keeps all.
func Prepare(all []Column) Columns {
	c := Columns{all: all}
	inside := true
	for _, x := range all {
		c.luma = max(c.luma, int(x.I)+1, int(x.J)+1)
		c.chroma = max(c.chroma, int(x.C)+1)
		inside = inside && min(x.I, x.J, x.C) >= 0 && uint32(x.T) <= 256
	}
	if best.colour == nil || !inside || len(all) < lanes || c.luma < window || c.chroma < window {
		return c
	}
	blocks := make([]block, (len(all)+lanes-1)/lanes)
	for i := range blocks {
		at := min(i*lanes, len(all)-lanes) // the last overlaps the one before
		if !blocks[i].set(all[at:at+lanes], c.luma, c.chroma) {
			return c
		}
		blocks[i].at = int32(at)
	}
	c.blocks = blocks
	return c
}

// set fills the block in; false where a window does not hold what its columns
// read. The windows lie inside of rows of luma and of chroma bytes.
func (b *block) set(cols []Column, luma, chroma int) bool {
	l, c := cols[0].I, cols[0].C
	for _, x := range cols {
		l, c = min(l, x.I, x.J), min(c, x.C)
	}
	b.luma, b.chroma = min(l, int32(luma-window)), min(c, int32(chroma-window))
	for k, x := range cols {
		i, j, tint := x.I-b.luma, x.J-b.luma, x.C-b.chroma
		if max(i, j, tint) >= window {
			return false
		}
		b.pick[k] = [4]byte{byte(i), none, byte(j), none}
		b.weight[k] = [2]int16{int16(256 - x.T), int16(x.T)}
		b.tint[k] = [4]byte{byte(tint), none, none, none}
	}
	return true
}

// Colour makes one row of a colour input: for each column the luma between its
// neighbours in the rows top and bot, of which bot weighs t, 0..256 for 0..1,
// the chroma sample out of cb and cr, and of the colour that they make the
// norm. dst are its red, green and blue, each at least as long as there are
// columns.
func (c *Columns) Colour(dst [3][]float32, top, bot, cb, cr []byte, t int32, norm *Norm) {
	n := len(c.all)
	row := colourRow{dst[0][:n], dst[1][:n], dst[2][:n], top, bot, cb, cr, t, norm.mean, norm.scale}
	if c.blocks == nil || uint32(t) > 256 || min(len(top), len(bot)) < c.luma || min(len(cb), len(cr)) < c.chroma {
		row.generic(c.all, norm)
		return
	}
	best.colour(row, c.blocks)
}

// Grey is Colour for an input of luma alone.
func (c *Columns) Grey(dst []float32, top, bot []byte, t int32, norm *Norm) {
	row := greyRow{dst[:len(c.all)], top, bot, t, norm.mean, norm.scale}
	if c.blocks == nil || uint32(t) > 256 || min(len(top), len(bot)) < c.luma {
		row.generic(c.all, norm)
		return
	}
	best.grey(row, c.blocks)
}
