package index_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/internal/turbojpeg"
	"github.com/kith-photos/kith/models/modelstest"
)

// fullSize decodes JPEG as a whole and in Go, as a plug-in.
type fullSize struct{}

func (fullSize) Match(head []byte) bool { return bytes.HasPrefix(head, []byte("\xff\xd8\xff")) }
func (fullSize) Open(_ context.Context, data []byte, _ int) (face.Source, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return face.Whole(img), nil
}

// The same faces are found however JPEG is decoded: boxes within 1 % of the
// long side, embeddings with a cosine of at least 0.97.
func TestJPEGDecodersAgree(t *testing.T) {
	alone(t)
	engine := openEngine(t, modelstest.Require(t))
	dir := t.TempDir()
	photos := modelstest.DemoPhotos(t)
	for _, name := range photos { // as they are, and as of a phone
		data := must1[[]byte](t)(os.ReadFile(name))
		must(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600))
	}
	small, err := imaging.Open(photos[0])
	must(t, err)
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, imaging.Resize(small, 4000, 3000, imaging.Linear), nil))
	must(t, os.WriteFile(filepath.Join(dir, "large.jpg"), b.Bytes(), 0o600))

	album := func(cfg index.Config) measured { return measureWith(t, dir, engine, cfg) }
	want := album(index.Config{Decoders: []index.Decoder{fullSize{}}})
	if n := len(want.Faces); n < 20 {
		t.Fatalf("only %d faces", n)
	}
	for name, cfg := range map[string]index.Config{"libjpeg-turbo": {}, "image/jpeg": {PureGo: true}} {
		t.Run(name, func(t *testing.T) {
			if _, err := turbojpeg.Open(); name == "libjpeg-turbo" && err != nil {
				t.Skip(err)
			}
			sameFaces(t, name, album(cfg), want)
		})
	}
}

// sameFaces compares what two decoders' pictures of an album show.
func sameFaces(t *testing.T, name string, got, want measured) {
	t.Helper()
	if n := len(got.Photos); len(got.report.Decoders) != 1 || got.report.Decoders[name] != n {
		t.Errorf("%d photos by %v", n, got.report.Decoders)
	}
	if len(got.Faces) != len(want.Faces) {
		t.Fatalf("%d faces, want %d", len(got.Faces), len(want.Faces))
	}
	lowest := 1.0
	for i, p := range want.Photos {
		long := 0.01 * float64(max(p.Width, p.Height))
		for k, f := range want.faces[p.ID] {
			w, g := want.Faces[f], got.Faces[got.faces[got.Photos[i].ID][k]]
			if d := max(abs(g.Box.X-w.Box.X), abs(g.Box.Y-w.Box.Y), abs(g.Box.X+g.Box.W-w.Box.X-w.Box.W), abs(g.Box.Y+g.Box.H-w.Box.Y-w.Box.H)); d > long {
				t.Errorf("%s: a box is %.1f pixels off", p.Path, d)
			}
			lowest = min(lowest, g.Embedding.Dot(w.Embedding))
		}
	}
	t.Logf("cosine at least %.4f", lowest)
	if lowest < 0.97 {
		t.Errorf("cosine %.4f", lowest)
	}
}

func abs(v float64) float64 { return max(v, -v) }

// Truncated files fail, whatever decodes them; what libjpeg-turbo grumbles at
// and image/jpeg takes is a photo.
func TestJPEGFaults(t *testing.T) {
	whole := jpegOf(couple())
	src := newFiles(map[string][]byte{
		"truncated.jpg": whole[:len(whole)*2/3],
		"tail.jpg":      append(bytes.Clone(whole), "the film of a motion photo"...),
		"two.jpg":       append(bytes.Clone(whole), whole...), // as in MPO
		"stray.jpg":     bytes.Replace(whole, []byte("\xff\xda"), []byte("\xff\xff\xda"), 1),
	})
	for _, pure := range []bool{false, true} {
		acc := newAccount(t, index.Config{Analyzer: blind{}, PureGo: pure})
		rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{NoGroup: true})
		if len(failed) != 1 || failed.of(t, "truncated.jpg").Stage != index.StageDecode || rep.Indexed != 3 {
			t.Errorf("pure Go %v: %+v, %v", pure, rep, failed)
		}
		decoded := 0
		for _, n := range rep.Decoders {
			decoded += n
		}
		if decoded != 3 {
			t.Errorf("pure Go %v: decoded by %v", pure, rep.Decoders)
		}
		if p := photoOf(t, acc, "two.jpg"); p.Width != 120 || p.Height != 64 {
			t.Errorf("%+v", p)
		}
	}
}

// A RAW file is seen through its preview, with its orientation.
func TestRAWPreview(t *testing.T) {
	// Fuji's: the offset and length of a JPEG at byte 84.
	photo := jpegOf(facetest.Photo(360, 192, 5, 900))
	head := append([]byte("FUJIFILMCCD-RAW 0201FF383501Fujifilm"), make([]byte, 84-36)...)
	head = binary.BigEndian.AppendUint32(head, 92)
	head = binary.BigEndian.AppendUint32(head, uint32(len(photo)))
	src := newFiles(map[string][]byte{
		"a.jpg": photo, "a.raf": append(head, photo...),
		"b.raf":    append(bytes.Clone(head[:84]), make([]byte, 60)...),
		"c.dng":    []byte("%PDF-1.7 no photo"),
		"film":     []byte("\x00\x00\x00\x18ftypqt  ............"), // no photo by name or content
		"nameless": append(bytes.Clone(head), append(photo, 0)...),
	})
	acc := newAccount(t, index.Config{})
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{NoFaces: true})
	wantReport(t, rep, "seen 5, indexed 3, failed 2, ignored 1")
	for path, says := range map[string]string{"b.raf": "RAF", "c.dng": "PDF"} {
		if e := failed.of(t, path); !bytes.Contains([]byte(e.Error()), []byte(says)) {
			t.Errorf("%v", e)
		}
	}
	for _, path := range []string{"a.jpg", "a.raf", "nameless"} {
		if p := photoOf(t, acc, path); p.Width != 360 || p.Height != 192 {
			t.Errorf("%s: %d x %d", path, p.Width, p.Height)
		}
	}
}
