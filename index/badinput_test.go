package index_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

func pngOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // of a buffer and a sound image
	}
	return b.Bytes()
}

func jpegOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// chunk is one chunk of a PNG file.
func chunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngHeader is a small PNG that claims any size.
func pngHeader(w, h uint32) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(size, 8, 2, 0, 0, 0)),
		chunk("IDAT", []byte{0x78, 0x9c, 1, 0, 0, 0xff, 0xff}), chunk("IEND", nil),
	}, nil)
}

// jpegHeader is the beginning of a JPEG that claims any size.
func jpegHeader(w, h uint16) []byte {
	b := []byte("\xff\xd8\xff\xc0\x00\x11\x08")
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, h), w)
	return append(b, "\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"...)
}

var errDisk = errors.New("input/output error")

// TestBadInput puts one bad file among good ones. Each is reported with its
// path and stage, the others are indexed, and the account stays sound.
func TestBadInput(t *testing.T) {
	pixels := image.NewRGBA(image.Rect(0, 0, 120, 80))
	for i := range pixels.Pix {
		pixels.Pix[i] = uint8(i * i)
	}
	good, whole := pngOf(pixels), jpegOf(pixels)
	for name, c := range map[string]struct {
		file  file
		stage string
		is    error  // the failure is this error; nil: any
		says  string // and says this
	}{
		"truncated.jpg":      {file{data: whole[:len(whole)/2]}, index.StageDecode, nil, "JPEG"},
		"cut header.jpg":     {file{data: whole[:20]}, index.StageDecode, nil, "JPEG"},
		"magic only.jpg":     {file{data: whole[:3]}, index.StageDecode, nil, "JPEG"},
		"one byte.jpg":       {file{data: whole[:1]}, index.StageDecode, nil, "format"},
		"empty.jpg":          {file{}, index.StageDecode, nil, "empty"},
		"no width.png":       {file{data: pngHeader(0, 100)}, index.StageDecode, nil, "PNG"},
		"no width.jpg":       {file{data: jpegHeader(0, 100)}, index.StageDecode, nil, "JPEG"},
		"no height.jpg":      {file{data: jpegHeader(100, 0)}, index.StageDecode, nil, "JPEG"},
		"huge.jpg":           {file{data: jpegHeader(65535, 65535)}, index.StageDecode, nil, "65535 x 65535 pixels: too large"},
		"bomb.png":           {file{data: pngHeader(50000, 50000)}, index.StageDecode, nil, "too large"},
		"bomb of all.png":    {file{data: pngHeader(math.MaxInt32, math.MaxInt32)}, index.StageDecode, nil, "PNG"},
		"cut.png":            {file{data: good[:len(good)/2]}, index.StageDecode, nil, "PNG"},
		"text.jpg":           {file{data: []byte("dear diary")}, index.StageDecode, nil, "format"},
		"heic.jpg":           {file{data: []byte("\x00\x00\x00\x18ftypheic")}, index.StageDecode, nil, "HEIC"},
		"bad middle.jpg":     {file{data: append(bytes.Clone(whole[:400]), bytes.Repeat([]byte{0xff, 0xc4}, 300)...)}, index.StageDecode, nil, "JPEG"},
		"read error.jpg":     {file{data: good, err: errDisk}, index.StageRead, errDisk, "input/output"},
		"no info.jpg":        {file{data: good, info: errDisk}, index.StageWalk, errDisk, "input/output"},
		"too long.jpg":       {file{data: good, size: 1 << 40}, index.StageRead, nil, "too large"},
		"grows forever.jpg":  {file{body: endless{}}, index.StageRead, nil, "too large"},
		"shrinks.jpg":        {file{data: whole[:100], size: int64(len(whole))}, index.StageDecode, nil, "JPEG"},
		"panics.jpg":         {file{data: []byte("panic in the plug-in")}, index.StageDecode, nil, "panicked: no such luck"},
		"analyzer.jpg":       {file{data: shot("error")}, index.StageAnalyze, errModel, "out of order"},
		"analyzer panic.jpg": {file{data: shot("panic")}, index.StageAnalyze, nil, "panicked: model"},
	} {
		t.Run(name, func(t *testing.T) {
			eye := &analyzer{hook: func(_ context.Context, s *scene, fs []face.Face) ([]face.Face, error) {
				switch {
				case strings.Contains(s.text, "error"):
					return nil, errModel
				case strings.Contains(s.text, "panic"):
					panic("model")
				}
				return fs, nil
			}}
			acc := newAccount(t, index.Config{Analyzer: eye, Decoders: []index.Decoder{panicky{}}, MaxBytes: 1 << 20})
			src := newFiles(map[string][]byte{"a.jpg": shot("a", 1, 2), "z/z.jpg": shot("z", 1)})
			src.set(name, c.file)
			rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
			if len(failed) != 1 || rep.Indexed != 2 || rep.Faces != 3 {
				t.Errorf("report %+v, failed %v", rep, []*index.PhotoError(failed))
			}
			e := failed.of(t, name)
			if e.Stage != c.stage || !strings.Contains(e.Error(), c.says) || !strings.Contains(e.Error(), name) {
				t.Errorf("%v (stage %s), want stage %s and %q", e, e.Stage, c.stage, c.says)
			}
			if c.is != nil && c.stage == index.StageWalk && !errors.Is(e, c.is) {
				t.Errorf("%v is not %v", e, c.is)
			}
			if c.stage == index.StageWalk {
				return // it never became a photo
			}
			p := photoOf(t, acc, name)
			if p.Status != "failed" || p.Stage != c.stage || p.Error == "" {
				t.Errorf("recorded as %s at %q: %q", p.Status, p.Stage, p.Error)
			}
			// It is tried again, and works once it is sound.
			rep, failed = reindexFailing(t, acc, src, index.ReindexOptions{})
			if rep.Unchanged != 2 || len(failed) != 1 {
				t.Errorf("again: %+v", rep)
			}
			src.put(name, shot("mended", 2))
			wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 3, unchanged 2, indexed 1, faces 1")
			if p := photoOf(t, acc, name); p.Status != "ok" || p.Stage != "" || p.Error != "" {
				t.Errorf("mended, and still recorded as %+v", p)
			}
		})
	}
}

// Each copy of a bad file is reported, although only one is decoded.
func TestBadCopies(t *testing.T) {
	acc := newAccount(t, index.Config{Workers: 3})
	src := family()
	for _, name := range []string{"x/1.jpg", "x/2.jpg", "y/3.jpg"} {
		src.put(name, []byte("no photo"))
	}
	for range 2 {
		rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
		for _, name := range []string{"x/1.jpg", "x/2.jpg", "y/3.jpg"} {
			if e := failed.of(t, name); e.Stage != index.StageDecode {
				t.Errorf("got %v", e)
			}
		}
		if rep.Failed != 3 || rep.Copied != 0 || rep.Seen != 9 {
			t.Errorf("report %+v", rep)
		}
	}
}

var errModel = errors.New("model out of order")

// endless is a file that grows as fast as it is read.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// panicky is a plug-in with a fault.
type panicky struct{}

func (panicky) Match(head []byte) bool { return bytes.HasPrefix(head, []byte("panic")) }
func (panicky) Open(context.Context, []byte, int) (face.Source, error) {
	panic("no such luck")
}

// A file that goes away or changes between the walk and the reading.
func TestFileChangesMeanwhile(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := family()
	src.open = func(name string) error {
		if name == "a/2.jpg" {
			return fs.ErrNotExist
		}
		return nil
	}
	_, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
	if e := failed.of(t, "a/2.jpg"); e.Stage != index.StageRead || len(failed) != 1 {
		t.Errorf("got %v", e)
	}
	src.open = nil
	src.remove("a/2.jpg")
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 5, vanished 1, ignored 1")

	// Longer than its size was: all of it is read.
	long := shot("long", 1, 2, 3)
	src.set("b/4.jpg", file{data: long, size: 10, at: start})
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 4, indexed 1, ignored 1, faces 3")
	src.set("b/4.jpg", file{body: io.MultiReader(bytes.NewReader(long[:7]), bytes.NewReader(long[7:])), size: 9, at: start})
	wantReport(t, reindex(t, acc, src, index.ReindexOptions{}), "seen 5, unchanged 5, ignored 1")
}

// What an analyzer must not return fails the photo it was returned for, and no
// other.
func TestBadAnalyzer(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(f *face.Face){
		"NaN box":          func(f *face.Face) { f.Box.W = nan },
		"infinite box":     func(f *face.Face) { f.Box.X = math.Inf(1) },
		"NaN score":        func(f *face.Face) { f.Score = nan },
		"NaN quality":      func(f *face.Face) { f.Quality = nan },
		"quality above 1":  func(f *face.Face) { f.Quality = 1.5 },
		"NaN landmarks":    func(f *face.Face) { f.Landmarks[3].Y = nan },
		"no vector":        func(f *face.Face) { f.Vector = nil },
		"shorter vector":   func(f *face.Face) { f.Vector = f.Vector[:32]; f.Vector.Normalize() },
		"longer vector":    func(f *face.Face) { f.Vector = append(f.Vector, 0) },
		"not of length 1":  func(f *face.Face) { f.Vector[0] += 2 },
		"NaN in vector":    func(f *face.Face) { f.Vector[0] = float32(nan) },
		"vector of zeroes": func(f *face.Face) { clear(f.Vector) },
	} {
		for _, bad := range []string{"1", "4"} { // of two faces, and of one
			t.Run(name+" in "+bad, func(t *testing.T) {
				eye := &analyzer{}
				acc := newAccount(t, index.Config{Analyzer: eye, Workers: 1})
				src := family()
				src.put("c/9.jpg", shot("9", 3))
				reindex(t, acc, newFiles(map[string][]byte{"c/9.jpg": shot("9", 3)}), index.ReindexOptions{})
				eye.hook = func(_ context.Context, s *scene, faces []face.Face) ([]face.Face, error) {
					if strings.Contains(s.text, `"`+bad+`"`) {
						spoil(&faces[len(faces)-1])
					}
					return faces, nil
				}
				rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{})
				path := map[string]string{"1": "a/1.jpg", "4": "b/4.jpg"}[bad]
				if e := failed.of(t, path); e.Stage != index.StageAnalyze || rep.Failed != 1 || rep.Indexed != 5 {
					t.Errorf("%v; report %+v", e, rep)
				}
				eye.hook = nil
				if rep := reindex(t, acc, src, index.ReindexOptions{}); rep.Indexed != 1 {
					t.Errorf("mended: %+v", rep)
				}
			})
		}
	}
}
