package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/image/draw"
)

// variants DIR N makes N small photos of the same people, no two alike in
// content.
func variants(photos []string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: variants DIR N")
		}
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		f, err := os.Open(photos[2])
		ts.Check(err)
		defer f.Close() // only read from
		photo, err := jpeg.Decode(f)
		ts.Check(err)
		size := photo.Bounds().Size().Div(4)
		small := image.NewRGBA(image.Rectangle{Max: size})
		draw.BiLinear.Scale(small, small.Bounds(), photo, photo.Bounds(), draw.Src, nil)
		ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
		for i := range n {
			mark := image.Rect(0, 0, 8, 8).Add(image.Pt(8*(i%40), 8*(i/40)))
			draw.Draw(small, mark, image.NewUniform(color.White), image.Point{}, draw.Src)
			out, err := os.Create(filepath.Join(ts.MkAbs(args[0]), fmt.Sprintf("%03d.jpg", i)))
			ts.Check(err)
			ts.Check(jpeg.Encode(out, small, nil))
			ts.Check(out.Close())
		}
	}
}

// jsonlines LAST KIND... checks that standard output was JSON lines only, the
// last of kind LAST, and that each kind occurs.
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: jsonlines LAST KIND...")
	}
	var kinds []string
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var event struct{ Event string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Event == "" {
			ts.Fatalf("no event: %q (%v)", line, err)
		}
		kinds = append(kinds, event.Event)
	}
	if len(kinds) == 0 || kinds[len(kinds)-1] != args[0] {
		ts.Fatalf("the events are %v, want %s as the last", kinds, args[0])
	}
	for _, want := range args[1:] {
		if !slices.Contains(kinds, want) {
			ts.Fatalf("the events are %v, without %s", kinds, want)
		}
	}
}

// exported FILE checks an export and prints what it holds. FILE may be stdout.
func exported(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: exported FILE")
	}
	var e struct {
		Format         string
		Version        int
		Account, Space string
		Photos         []struct{ ID, Path, Status string }
		Faces          []struct {
			ID, Photo string
			Person    *string
			Embedding []float64
		}
		People  []struct{ ID string }
		Consent []struct{ Given bool }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &e))
	if e.Format != "kith-export" || e.Version != 1 || e.Account == "" || e.Space == "" {
		ts.Fatalf("format %q, version %d, account %q, space %q", e.Format, e.Version, e.Account, e.Space)
	}
	photos, people := map[string]bool{}, map[string]bool{}
	for _, p := range e.Photos {
		photos[p.ID] = true
	}
	for _, p := range e.People {
		people[p.ID] = true
	}
	embeddings, assigned := 0, 0
	for _, f := range e.Faces {
		if !photos[f.Photo] {
			ts.Fatalf("face %s is in photo %q, which is not there", f.ID, f.Photo)
		}
		if f.Person != nil {
			assigned++
			if !people[*f.Person] {
				ts.Fatalf("face %s belongs to %q, who is not there", f.ID, *f.Person)
			}
		}
		if f.Embedding != nil {
			embeddings++
			checkUnit(ts, f.Embedding)
		}
	}
	_, err := fmt.Fprintf(ts.Stdout(), "photos %d\nfaces %d\nassigned %d\npeople %d\nembeddings %d\nconsents %d\n",
		len(e.Photos), len(e.Faces), assigned, len(e.People), embeddings, len(e.Consent))
	ts.Check(err)
}

// checkUnit checks that a vector has length one, as far as 32 bits allow.
func checkUnit(ts *testscript.TestScript, v []float64) {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	if math.Abs(math.Sqrt(sum)-1) > 1e-3 {
		ts.Fatalf("an embedding of %d numbers has length %g, want 1", len(v), math.Sqrt(sum))
	}
}

// standalone FILE checks that a page needs and runs nothing but itself.
func standalone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: standalone FILE")
	}
	page := ts.ReadFile(args[0])
	if !strings.HasSuffix(page, "</html>\n") {
		ts.Fatalf("the page is not whole")
	}
	for _, bad := range []string{"http:", "https:", "<script", "<link", "@import", "url("} {
		if strings.Contains(page, bad) {
			ts.Fatalf("the page has %q in it", bad)
		}
	}
	sources := regexp.MustCompile(`(?:src|href)=\S{0,12}`).FindAllString(page, -1)
	if len(sources) == 0 {
		ts.Fatalf("no picture in the page")
	}
	for _, s := range sources {
		if !strings.HasPrefix(s, `src="data:image`) {
			ts.Fatalf("the page refers to %s", s)
		}
	}
}
