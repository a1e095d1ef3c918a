package facetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
	"pgregory.net/rapid"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

// people reads who is in a photo off the faces' boxes.
func people(t testing.TB, img image.Image, faces []face.Face) []int {
	t.Helper()
	p, err := face.NewPicture(img)
	if err != nil {
		t.Fatal(err)
	}
	var who []int
	for _, f := range faces {
		code, _ := read(p, f.Box)
		person, ok := decode(code)
		if !ok {
			t.Errorf("box %+v shows the code %016b", f.Box, code)
		}
		who = append(who, person)
	}
	return who
}

func TestPhotoRoundTrip(t *testing.T) {
	a := NewAnalyzer()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(rt, "people")
		w, h := rapid.IntRange(110, 220).Draw(rt, "w"), rapid.IntRange(110, 220).Draw(rt, "h")
		var want []int
		for range n {
			want = append(want, rapid.IntRange(0, People-1).Draw(rt, "person"))
		}
		img := Photo(w, h, want...)
		var file bytes.Buffer
		if err := png.Encode(&file, img); err != nil {
			rt.Fatal(err)
		}
		back, err := png.Decode(&file)
		if err != nil {
			rt.Fatal(err)
		}
		faces, err := a.Analyze(t.Context(), back)
		if err != nil {
			rt.Fatal(err)
		}
		if got := people(t, back, faces); !slices.Equal(got, want) {
			rt.Fatalf("%dx%d: found %v, painted %v", w, h, got, want)
		}
	})
}

func TestDrawIsFoundExactly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		img := Photo(130, 110)
		w, h := rapid.IntRange(MinSide, 120).Draw(rt, "w"), rapid.IntRange(MinSide, 100).Draw(rt, "h")
		x, y := rapid.IntRange(0, 130-w).Draw(rt, "x"), rapid.IntRange(0, 110-h).Draw(rt, "y")
		Draw(img, image.Rect(x, y, x+w, y+h), rapid.IntRange(0, People-1).Draw(rt, "person"))
		p, err := face.NewPicture(img)
		if err != nil {
			rt.Fatal(err)
		}
		ds, err := NewFake().Detect(t.Context(), p)
		want := face.Box{X: float64(x), Y: float64(y), W: float64(w), H: float64(h)}
		if err != nil || len(ds) != 1 || ds[0].Box != want {
			rt.Fatalf("%+v, %v; want the box %+v", ds, err, want)
		}
		if got := boxOf(*ds[0].Landmarks); got != want {
			rt.Fatalf("landmarks lead back to %+v, want %+v", got, want)
		}
	})
}

func TestQuality(t *testing.T) {
	for _, side := range []int{100, 150, 300, 900} {
		faces, err := NewAnalyzer().Analyze(t.Context(), Photo(side, side, 5))
		if err != nil || len(faces) != 1 {
			t.Fatal(len(faces), err)
		}
		if q := faces[0].Quality; q < 0.5 {
			t.Errorf("in %d px: quality %.3f", side, q)
		}
	}
}

// A turned photo without its orientation shows nobody: what was painted must
// stand upright.
func TestSidewaysIsNotFound(t *testing.T) {
	img := Photo(300, 200, 1, 2, 3)
	turned := imaging.Rotate90(img)
	if faces, err := NewAnalyzer().Analyze(t.Context(), turned); err != nil || len(faces) != 0 {
		t.Errorf("%d faces, %v", len(faces), err)
	}
	faces, err := NewAnalyzer().Analyze(t.Context(), face.Upright(turned, 6))
	if err != nil || !slices.Equal(people(t, img, faces), []int{1, 2, 3}) {
		t.Errorf("upright: %d faces, %v", len(faces), err)
	}
}

func TestSurvivesJPEG(t *testing.T) {
	for w := 200; w <= 800; w += 150 {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, Photo(w, 300, 7, 4095, 0), &jpeg.Options{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(&file)
		if err != nil {
			t.Fatal(err)
		}
		faces, err := NewAnalyzer().Analyze(t.Context(), img)
		if err != nil || !slices.Equal(people(t, img, faces), []int{7, 4095, 0}) {
			t.Errorf("width %d: %v, %v", w, faces, err)
		}
	}
}

func TestVectors(t *testing.T) {
	var vs []face.Vector
	var who []int
	for person := range 40 {
		for w := 40; w < 45; w++ {
			faces, err := NewAnalyzer().Analyze(t.Context(), Photo(w, 40, person))
			if err != nil || len(faces) != 1 {
				t.Fatal(len(faces), err)
			}
			vs, who = append(vs, faces[0].Vector), append(who, person)
		}
	}
	worst, highest, sum, sq, n := 1.0, 0.0, 0.0, 0.0, 0.0
	for i, v := range vs {
		for j, u := range vs[:i] {
			c := v.Dot(u)
			if who[i] == who[j] {
				worst = min(worst, c)
				continue
			}
			highest = max(highest, c)
			sum, sq, n = sum+c, sq+c*c, n+1
		}
	}
	if worst < 0.6 || highest > 0.5 {
		t.Errorf("least similarity of one person %.3f, greatest of two %.3f", worst, highest)
	}
	if mean, sd := sum/n, math.Sqrt(sq/n); math.Abs(mean) > 0.02 || math.Abs(sd-1/math.Sqrt(dim)) > 0.02 {
		t.Errorf("strangers: mean %.3f, standard deviation %.3f", mean, sd)
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct{ people, photos int }{{3, 5}, {30, 4}, {150, 5}} {
		t.Run(fmt.Sprintf("%d people", c.people), func(t *testing.T) {
			in := cluster.Faces{Dim: dim}
			var who []int
			for photo := range c.photos {
				for person := range c.people {
					img := Photo(40+photo, 40, person*7)
					faces, err := NewAnalyzer().Analyze(t.Context(), img)
					if err != nil || len(faces) != 1 {
						t.Fatal(len(faces), err)
					}
					in.Data, who = append(in.Data, faces[0].Vector...), append(who, person)
				}
			}
			res, err := cluster.Group(t.Context(), in, cluster.Links{}, cluster.Options{Impostors: NewFake().Impostors()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Clusters != c.people {
				t.Errorf("%d clusters at %.3f", res.Clusters, res.Threshold)
			}
			for i := range who {
				for j := range i {
					same := res.Label[i] >= 0 && res.Label[i] == res.Label[j]
					if same != (who[i] == who[j]) {
						t.Fatalf("faces %d and %d are of people %d and %d, labels %d and %d",
							i, j, who[i], who[j], res.Label[i], res.Label[j])
					}
				}
			}
		})
	}
}

func TestHook(t *testing.T) {
	broken := errors.New("broken")
	f := NewFake()
	f.Hook = func(ctx context.Context, p *face.Picture) error {
		if w, _ := p.Size(); w == 100 {
			return broken
		}
		return nil
	}
	if _, err := f.Analyzer().Analyze(t.Context(), Photo(100, 100, 1)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if faces, err := f.Analyzer().Analyze(t.Context(), Photo(101, 100, 1)); err != nil || len(faces) != 1 {
		t.Errorf("%d faces, %v", len(faces), err)
	}
}

func TestDrawRefuses(t *testing.T) {
	for name, f := range map[string]func(){
		"person":  func() { Draw(Photo(100, 100), image.Rect(0, 0, 50, 50), People) },
		"small":   func() { Draw(Photo(100, 100), image.Rect(0, 0, 50, MinSide-1), 1) },
		"outside": func() { Draw(Photo(100, 100), image.Rect(60, 0, 101, 50), 1) },
		"crowd":   func() { Photo(100, 100, make([]int, 50)...) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
