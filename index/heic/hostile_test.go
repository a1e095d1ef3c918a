package heic

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
)

// swap replaces the first old of the same length by new.
func swap(t *testing.T, data []byte, old, new string) []byte {
	t.Helper()
	if len(old) != len(new) || !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q is not there to be replaced by %q", old, new)
	}
	return bytes.Replace(data, []byte(old), []byte(new), 1)
}

// TestHostile: what does not hold together is refused before libheif sees it.
func TestHostile(t *testing.T) {
	plain, avif := readFile(t, "plain.heic"), readFile(t, "plain.avif")
	photo, small, av1 := codedItem(t, plain), codedItem(t, readFile(t, "small.heic")), codedItem(t, avif)
	hvcC := photo.props[0]
	if string(hvcC[4:8]) != "hvcC" {
		t.Fatal("the first property is no hvcC")
	}
	one := func(it testItem) []byte { return testFile{it}.bytes() }
	ofSize := func(it testItem, w, h int) testItem { return testFile{it}.replaced(0, ispe(w, h))[0] }
	tiles := func(g testItem, n int) []byte {
		f := testFile{g}
		for range n {
			f = append(f, small)
		}
		return f.bytes()
	}
	shared := tiles(gridItem(2, 2, 250, 190, 2, 2, 2, 2), 1)
	inBand := photo // a second parameter set among the pixels
	sps := small.props[0]
	sps = sps[bytes.Index(sps, []byte("\x42\x01")):]
	inBand.data = slices.Concat([]byte{0, 0, 0, 40}, sps[:40], photo.data)
	noSize := photo
	noSize.props = [][]byte{hvcC}
	noConfig := photo
	noConfig.props = [][]byte{ispe(256, 192)}
	empty := photo
	empty.data = nil
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty file":                  {nil, "no meta box"},
		"no meta box":                 {plain[:40], "box \"meta\" of"},
		"no pitm box":                 {swap(t, plain, "pitm", "free"), "no box pitm"},
		"no iloc box":                 {swap(t, plain, "iloc", "free"), "no box iloc"},
		"no iinf box":                 {swap(t, plain, "iinf", "free"), "no box iinf"},
		"no iprp box":                 {swap(t, plain, "iprp", "free"), "no box iprp"},
		"no ipco box":                 {swap(t, plain, "ipco", "free"), "property 1 of 0"},
		"primary item missing":        {swap(t, plain, "pitm\x00\x00\x00\x00\x00\x01", "pitm\x00\x00\x00\x00\x00\x09"), "no item 9"},
		"another type of picture":     {swap(t, plain, "hvc1", "unci"), `type "unci"`},
		"a film's picture":            {swap(t, plain, "hvc1", "hev1"), `type "hev1"`},
		"an unknown property":         {one(photo.item(makeBox("lsel", []byte{0, 0}))), `"lsel"`},
		"no size":                     {one(noSize), "no property ispe"},
		"no configuration":            {one(noConfig), "no property hvcC"},
		"no pixels":                   {one(empty), "no bytes"},
		"no width":                    {one(ofSize(photo, 0, 192)), "0 x 192"},
		"too large":                   {one(ofSize(photo, 1000, 1001)), "too large"},
		"too large by overflow":       {one(ofSize(photo, 1<<31-1, 1<<31-1)), "too large"},
		"size of 32 bits":             {one(ofSize(photo, -1, 1)), "4294967295 x 1"},
		"larger than its pixels":      {one(ofSize(photo, 512, 384)), "its pixels are 256 x 192"},
		"smaller than its pixels":     {one(ofSize(photo, 128, 96)), "its pixels are 256 x 192"},
		"AVIF of another size":        {one(ofSize(av1, 255, 192)), "its pixels are 256 x 192"},
		"AVIF without a header":       {one(testItem{kind: "av01", data: []byte{0x12, 0}, props: [][]byte{makeBox("av1C", []byte{0x81, 0, 0, 0}), ispe(8, 8)}}), "lack their header"},
		"AVIF cut short":              {one(testItem{kind: "av01", data: av1.data[:len(av1.data)-1], props: av1.props}), "cut short"},
		"another size among pixels":   {one(inBand), "two headers"},
		"pixels cut short":            {one(testItem{kind: "hvc1", data: photo.data[:len(photo.data)-1], props: photo.props}), "cut short"},
		"configuration cut short":     {one(testFile{photo}.replaced(0, makeBox("hvcC", hvcC[8:60]))[0]), "cut short"},
		"configuration without sets":  {one(testFile{photo}.replaced(0, makeBox("hvcC", hvcC[8:30], []byte{0}))[0]), "lack their header"},
		"irot without an angle":       {one(photo.item(makeBox("irot"))), "irot"},
		"imir without an axis":        {one(photo.item(makeBox("imir"))), "imir"},
		"crop cut short":              {one(photo.item(makeBox("clap", make([]byte, 31)))), "clap"},
		"crop by a fraction of 0":     {one(photo.item(makeBox("clap", make([]byte, 32)))), "clap"},
		"crop beyond the picture":     {one(photo.item(clap(258, 192))), "clap"},
		"crop to nothing":             {one(photo.item(clap(0, 192))), "clap"},
		"grid of missing tiles":       {tiles(gridItem(2, 2, 250, 190, 2, 3, 4, 9), 3), "no tile 9"},
		"grid of too few tiles":       {tiles(gridItem(2, 2, 250, 190, 2, 3, 4), 3), "there are 3"},
		"grid too large for tiles":    {tiles(gridItem(2, 2, 257, 190, 2, 3, 4, 5), 4), "do not make"},
		"grid too small for tiles":    {tiles(gridItem(2, 2, 128, 190, 2, 3, 4, 5), 4), "do not make"},
		"grid too large":              {tiles(gridItem(2, 2, 1001, 1000, 2, 3, 4, 5), 4), "too large"},
		"grid of itself":              {tiles(gridItem(1, 1, 128, 96, 1), 1), `type "grid"`},
		"grid of one tile four times": {shared, "tiles are longer than the file"},
		"grid of another size":        {tiles(testFile{gridItem(2, 2, 250, 190, 2, 3, 4, 5)}.replaced(0, ispe(250, 180))[0], 4), "its grid is 250 x 190"},
		"grid of other tiles":         {testFile{gridItem(1, 2, 250, 96, 2, 3), small, photo}.bytes(), "tile 3"},
		"grid of turned tiles":        {testFile{gridItem(1, 1, 128, 96, 2), small.item(irot(2))}.bytes(), "tile 2 is turned"},
		"grid cut short":              {testFile{testItem{kind: "grid", data: []byte{0, 0, 0}, props: [][]byte{ispe(8, 8)}, ref: "dimg", to: []uint16{2}}, small}.bytes(), "its grid is cut short"},
	} {
		for _, d := range decoders(t) {
			_, err := d.Open(t.Context(), c.data, 1e6)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want %q", d.Name(), name, err, c.want)
			}
			if large := strings.Contains(c.want, "too large"); large != errors.Is(err, index.ErrTooLarge) {
				t.Errorf("%s, %s: %v, ErrTooLarge is %v", d.Name(), name, err, !large)
			}
		}
	}
}

// TestLimits: the limit on pixels is the photo's, and the thumbnail does not
// get around it.
func TestLimits(t *testing.T) {
	d := decoders(t)[0]
	data := readFile(t, "thumb.heic")
	if _, err := d.Open(t.Context(), data, 256*192); err != nil {
		t.Error(err)
	}
	_, err := d.Open(t.Context(), data, 256*192-1)
	if !errors.Is(err, index.ErrTooLarge) || !strings.Contains(err.Error(), "256 x 192 pixels") || !strings.Contains(err.Error(), "49151") {
		t.Errorf("one pixel too many: %v", err)
	}
}

// TestLocations: an item's bytes may lie in idat, in parts, or where there are
// none.
func TestLocations(t *testing.T) {
	photo := codedItem(t, readFile(t, "plain.heic"))
	file := testFile{photo}.bytes()
	c, err := parse(file)
	if err != nil {
		t.Fatal(err)
	}
	it, offset := c.items[1], c.items[1].extents[0].offset
	size := uint64(len(photo.data))
	for name, x := range map[string]struct {
		method  uint64
		extents []extent
		ok      bool
	}{
		"whole":            {0, []extent{{offset, size}}, true},
		"to the end":       {0, []extent{{offset, 0}}, true},
		"two parts":        {0, []extent{{offset, 100}, {offset + 100, size - 100}}, true},
		"in idat":          {1, []extent{{3, size}}, true},
		"beyond the end":   {0, []extent{{offset, size + 1}}, false},
		"far away":         {0, []extent{{1<<64 - 1, 2}}, false},
		"beyond idat":      {1, []extent{{4, size}}, false},
		"the file, twice":  {0, []extent{{0, uint64(len(file))}, {0, 1}}, false},
		"nowhere":          {0, nil, false},
		"another item's":   {2, []extent{{0, size}}, false},
		"nothing, at last": {0, []extent{{uint64(len(file)), 0}}, false},
	} {
		c.idat = slices.Concat([]byte("abc"), photo.data)
		it.method, it.extents = x.method, x.extents
		b, err := c.bytes(it)
		if (err == nil) != x.ok || x.ok && !bytes.Equal(b, photo.data) {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}

// TestCut cuts a file anywhere: it is refused, or, where only the end of what
// is not needed is missing, decoded.
func TestCut(t *testing.T) {
	for _, name := range []string{"thumb.heic", "grid.heic", "plain.avif"} {
		data := readFile(t, name)
		d := decoders(t)[0]
		if lacks(d, name) {
			t.Log("not cut, as there is no AV1 decoder:", name)
			continue
		}
		for n := range data {
			s, err := d.Open(t.Context(), data[:n], 1e6)
			if err != nil {
				continue
			}
			if _, _, err := s.Level(0); err != nil {
				t.Errorf("%s cut to %d of %d bytes opens, but: %v", name, n, len(data), err)
			}
		}
	}
}

// TestFlipped changes the pixels, not their headers: whatever comes of it, it
// comes back, in the announced size.
func TestFlipped(t *testing.T) {
	for _, d := range decoders(t) {
		photo := codedItem(t, readFile(t, "plain.heic"))
		step := 5
		if d.lib == nil {
			step = 50
		}
		for i := 6; i < len(photo.data); i += step {
			bad := photo
			bad.data = bytes.Clone(photo.data)
			bad.data[i] ^= 0x55
			s, err := d.Open(t.Context(), testFile{bad}.bytes(), 1e6)
			if err != nil {
				continue
			}
			if img, _, err := s.Level(0); err == nil && (img.Bounds().Dx() != 256 || img.Bounds().Dy() != 192) {
				t.Errorf("%s: byte %d: %v", d.Name(), i, img.Bounds())
			}
		}
	}
}

// TestSamples opens and decodes what others' decoders are tested with.
func TestSamples(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "albums")
	if env := os.Getenv("KITH_ALBUMS"); env != "" {
		dir = env
	}
	dir = filepath.Join(dir, "exif")
	var paths []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".heic", ".heif", ".avif":
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Skipf("no samples: %v (set KITH_ALBUMS)", err)
	}
	for _, d := range decoders(t) {
		decoded, refused := 0, map[string]int{}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !d.Match(data[:min(len(data), 512)]) {
				t.Errorf("%s does not match", path)
			}
			start := time.Now()
			s, err := d.Open(t.Context(), data, 1e8)
			if err == nil {
				if _, _, err := s.Level(0); err != nil {
					t.Errorf("%s: %s opens, but: %v", d.Name(), path, err)
				}
				decoded++
			} else {
				_, why, _ := strings.Cut(err.Error(), "HEIF: ")
				if i := strings.Index(why, "item "); i == 0 {
					_, why, _ = strings.Cut(why, ": ")
				}
				refused[why]++
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("%s: %s took %v", d.Name(), path, took)
			}
		}
		t.Logf("%s: %d decoded, refused: %v", d.Name(), decoded, refused)
		if decoded < 3 {
			t.Errorf("%s decoded %d of %d", d.Name(), decoded, len(paths))
		}
	}
}

// FuzzOpen: a photo that is taken for one is announced within the limits, and
// what is written for the decoder says the same of it.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{})
	for _, name := range testdata(f) {
		f.Add(readFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxPixels = 1e6
		c, err := parse(data)
		if err != nil {
			return
		}
		p, err := c.picture(c.primary, maxPixels)
		if err != nil {
			return
		}
		for _, p := range append(c.thumbnails(c.primary, p), p) {
			if p.w <= 0 || p.h <= 0 || p.w*p.h > maxPixels || p.area > 2*maxPixels {
				t.Fatalf("%d x %d, %d pixels", p.w, p.h, p.area)
			}
			file := p.file()
			if len(file) > 2*len(data)+maxProperty*len(p.tiles) {
				t.Fatalf("%d bytes of %d", len(file), len(data))
			}
			c, err := parse(file)
			if err != nil {
				t.Fatal(err)
			}
			q, err := c.picture(c.primary, maxPixels)
			if err != nil {
				t.Fatal(err)
			}
			if p.w != q.w || p.h != q.h || p.area != q.area || !slices.Equal(p.turns, q.turns) || len(p.tiles) != len(q.tiles) {
				t.Fatalf("%d x %d became %d x %d", p.w, p.h, q.w, q.h)
			}
			for i := range p.tiles {
				if !bytes.Equal(p.tiles[i].data, q.tiles[i].data) {
					t.Fatalf("tile %d is another", i)
				}
			}
		}
	})
}

// FuzzFrame: a header gives a frame that a decoder may be given, or an error.
func FuzzFrame(f *testing.F) {
	for _, name := range []string{"plain.heic", "deep.heic", "grey.heic", "chroma444.heic", "plain.avif", "deep12.avif", "deep422.avif"} {
		it := codedItem(f, readFile(f, name))
		f.Add(it.props[0][8:], it.data[:8])
		f.Add([]byte{0, 0, 0, 0}, it.data)
		b := binary.BigEndian.AppendUint32(nil, uint32(len(it.props[0])))
		f.Add(it.props[0][8:30], append(b, it.props[0]...))
	}
	f.Fuzz(func(t *testing.T, config, data []byte) {
		for _, read := range []func(config, data []byte) (frame, error){hevcFrame, av1Frame} {
			g, err := read(config, data)
			if err == nil && (g.w <= 0 || g.h <= 0 || g.depth < 8 || g.depth > 16 || g.bytes() < 1) {
				t.Errorf("%+v", g)
			}
		}
	})
}
