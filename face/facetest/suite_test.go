package facetest

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/disintegration/imaging"

	"github.com/kith-photos/kith/face"
)

func photos() []image.Image {
	jpegLike := coarse(imaging.Clone(Photo(50, 60, 12)), image.YCbCrSubsampleRatio420)
	return []image.Image{Photo(90, 50, 3, 900), jpegLike}
}

// The place of person 3 in the first photo, for the embedder.
func marked(t testing.TB) (image.Image, face.Landmarks) {
	photo := photos()[0]
	faces, err := NewAnalyzer().Analyze(context.Background(), photo)
	if err != nil || len(faces) != 2 {
		t.Fatal(len(faces), err)
	}
	return photo, faces[0].Landmarks
}

func TestFakeConforms(t *testing.T) {
	t.Run("detector", func(t *testing.T) { TestDetector(t, NewFake(), photos()...) })
	t.Run("embedder", func(t *testing.T) {
		photo, lm := marked(t)
		TestEmbedder(t, NewFake(), photo, lm)
	})
	t.Run("analyzer", func(t *testing.T) { TestAnalyzer(t, NewAnalyzer(), photos()...) })
}

// recorder notes failures instead of failing.
type recorder struct {
	testing.TB
	mu    sync.Mutex
	notes []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// failing lists the rules that a subject breaks.
func failing(s subject, rules []rule) []string {
	var names []string
	for _, c := range rules {
		r := &recorder{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.run(r, s)
		}()
		<-done
		if len(r.notes) > 0 {
			names = append(names, c.name)
		}
	}
	return names
}

type analyze = func(ctx context.Context, img image.Image) ([]face.Face, error)

// bend breaks an analyzer's faces one by one.
func bend(f func(f *face.Face)) func(analyze) analyze {
	return func(next analyze) analyze {
		return func(ctx context.Context, img image.Image) ([]face.Face, error) {
			fs, err := next(ctx, img)
			for i := range fs {
				f(&fs[i])
			}
			return fs, err
		}
	}
}

func TestRulesCanFail(t *testing.T) {
	var calls atomic.Int64
	orientations := func(name string) bool { return strings.HasPrefix(name, "orientation") }
	for name, c := range map[string]struct {
		broken func(analyze) analyze
		want   string
		only   bool // no other rule fails
	}{
		"intact": {func(next analyze) analyze { return next }, "", true},
		"blind": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				_, err := next(ctx, img)
				return nil, err
			}
		}, "finds a face", true},
		"double": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				fs, err := next(ctx, img)
				return slices.Concat(fs, fs), err
			}
		}, "sound", false},
		"not a number": {bend(func(f *face.Face) { f.Box.W = math.NaN() }), "sound", false},
		"flat":         {bend(func(f *face.Face) { f.Box.H = 0 }), "sound", false},
		"beside":       {bend(func(f *face.Face) { f.Box.X -= 500 }), "sound", false},
		"sure":         {bend(func(f *face.Face) { f.Score = 1.01 }), "sound", false},
		"infinite":     {bend(func(f *face.Face) { f.Landmarks[4].Y = math.Inf(1) }), "sound", false},
		"quality":      {bend(func(f *face.Face) { f.Quality = -0.01 }), "sound", false},
		"bare":         {bend(func(f *face.Face) { f.Vector = nil }), "sound", false},
		"long":         {bend(func(f *face.Face) { f.Vector[0] += 2 }), "sound", false},
		"fickle":       {bend(func(f *face.Face) { f.Score = 1 / float64(1+calls.Add(1)) }), "repeatable", false},
		"shared": {func(next analyze) analyze {
			var busy atomic.Int64
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				defer busy.Add(-1)
				if busy.Add(1) > 1 {
					return nil, errors.New("busy")
				}
				time.Sleep(time.Millisecond) // lets the others in, on one processor too
				return next(ctx, img)
			}
		}, "concurrent", true},
		"deaf": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				return next(context.WithoutCancel(ctx), img)
			}
		}, "cancelled", true},
		"prim": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				if img.Bounds().Dx() < 10 {
					return nil, errors.New("too small")
				}
				return next(ctx, img)
			}
		}, "odd sizes", true},
		"choosy": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				if _, ok := img.(*image.CMYK); ok {
					return nil, errors.New("unknown kind")
				}
				return next(ctx, img)
			}
		}, "kinds of image", true},
		"careless": {func(next analyze) analyze { // with sub-images
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				fs, err := next(ctx, img)
				for i := range fs {
					fs[i].Box.Y += float64(img.Bounds().Min.Y)
				}
				return fs, err
			}
		}, "kinds of image", true},
		"painter": {func(next analyze) analyze {
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				if m, ok := img.(*image.NRGBA); ok {
					m.Pix[0] ^= 1
				}
				return next(ctx, img)
			}
		}, "leaves the pixels", true},
		"keeper": {func(next analyze) analyze {
			var mu sync.Mutex
			kept := map[image.Image][]face.Face{}
			return func(ctx context.Context, img image.Image) ([]face.Face, error) {
				mu.Lock()
				defer mu.Unlock()
				if fs, ok := kept[img]; ok && ctx.Err() == nil {
					return slices.Clone(fs), nil
				}
				fs, err := next(ctx, img)
				kept[img] = slices.Clone(fs)
				return fs, err
			}
		}, "keeps no pixels", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := ofAnalyzer(NewAnalyzer(), photos())
			s.faces = c.broken(s.faces)
			got := failing(s, common())
			if c.want != "" && !slices.Contains(got, c.want) || c.only && len(got) > 1 || c.want == "" && len(got) > 0 {
				t.Errorf("fails %q, want %q", got, c.want)
			}
		})
	}
	t.Run("turned", func(t *testing.T) {
		s := ofAnalyzer(NewAnalyzer(), photos())
		next := s.faces
		s.faces = func(ctx context.Context, img image.Image) ([]face.Face, error) {
			fs, err := next(ctx, img)
			if _, plain := img.(*image.NRGBA); !plain { // so does an Upright image look
				for i, f := range fs {
					fs[i].Box.X = float64(img.Bounds().Dx()) - f.Box.X - f.Box.W
				}
			}
			return fs, err
		}
		got := slices.DeleteFunc(failing(s, common()), func(name string) bool { return !orientations(name) })
		if len(got) != 7 || slices.Contains(got, "orientation 1") {
			t.Errorf("fails %q, want the orientations 2 to 8", got)
		}
	})
}

// bent is a Fake with answers of its own.
type bent struct {
	*Fake
	name  string
	dim   int
	tail  face.Impostors
	embed func(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error)
}

func (b bent) Name() string              { return b.name }
func (b bent) Space() string             { return b.name }
func (b bent) Dim() int                  { return b.dim }
func (b bent) Impostors() face.Impostors { return b.tail }
func (b bent) Embed(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error) {
	return b.embed(ctx, p, lm)
}

func TestEmbedderRulesCanFail(t *testing.T) {
	photo, lm := marked(t)
	plain := NewFake()
	for name, c := range map[string]struct {
		broken func(b *bent)
		want   []string
	}{
		"intact":   {func(*bent) {}, nil},
		"nameless": {func(b *bent) { b.name = "" }, []string{"space"}},
		"dimension": {func(b *bent) { b.dim++ }, []string{"sound", "odd sizes", "kinds of image",
			"landmarks beside the photo"}},
		"tail": {func(b *bent) {
			b.tail = face.Impostors{Thresholds: []float64{1, 2}, FAR: []float64{0.1, 0.2}, Pairs: 9}
		},
			[]string{"impostors"}},
		"ragged tail": {func(b *bent) { b.tail = face.Impostors{Thresholds: []float64{1}} }, []string{"impostors"}},
		"no source":   {func(b *bent) { b.tail = face.Impostors{Thresholds: []float64{1}, FAR: []float64{0.1}} }, []string{"impostors"}},
		"tolerant": {func(b *bent) {
			b.embed = func(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error) {
				v, err := plain.Embed(ctx, p, lm)
				if errors.Is(err, face.ErrDegenerate) {
					return direction(1, 1), nil
				}
				return v, err
			}
		}, []string{"degenerate landmarks"}},
		"one buffer": {func(b *bent) {
			var mu sync.Mutex
			var buf face.Vector
			b.embed = func(ctx context.Context, p *face.Picture, lm face.Landmarks) (face.Vector, error) {
				v, err := plain.Embed(ctx, p, lm)
				if err != nil {
					return nil, err
				}
				mu.Lock()
				defer mu.Unlock()
				if buf == nil {
					buf = v
				}
				return buf, nil
			}
		}, []string{"vector is the caller's"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := bent{Fake: plain, name: "bent", dim: plain.Dim(), tail: plain.Impostors(), embed: plain.Embed}
			c.broken(&b)
			if got := failing(ofEmbedder(b, photo, lm), embedderChecks(b, lm)); !slices.Equal(got, c.want) {
				t.Errorf("fails %q, want %q", got, c.want)
			}
		})
	}
}

func TestDetectorRulesCanFail(t *testing.T) {
	d := bent{Fake: NewFake()}
	if got := failing(ofDetector(d, photos()), detectorChecks(d)); !slices.Equal(got, []string{"name"}) {
		t.Errorf("without a name: fails %q", got)
	}
}

// lax is an analyzer that breaks what only analyzers promise.
type lax struct{}

func (lax) Space() string { return "" }
func (lax) Analyze(ctx context.Context, img image.Image) ([]face.Face, error) {
	if img.Bounds().Empty() {
		return nil, nil
	}
	fs, err := NewAnalyzer().Analyze(ctx, img)
	slices.Reverse(fs)
	return fs, err
}

func TestAnalyzerRulesCanFail(t *testing.T) {
	want := []string{"space", "empty photo", "order"}
	if got := failing(ofAnalyzer(lax{}, photos()), analyzerChecks(lax{})); !slices.Equal(got, want) {
		t.Errorf("fails %q, want %q", got, want)
	}
}
