package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/kith-photos/kith/index"
)

//go:embed people.html.tmpl
var pageTemplate string

// What the page shows at most: it holds its pictures itself, and a browser
// must still open it.
const (
	maxPeople     = 300
	maxPerPerson  = 24
	maxUnassigned = 120
	cropSize      = 96 // pixels a side
)

type page struct {
	Report     index.Report
	Stages     string
	Made       time.Time
	People     []section
	More       int // people not shown
	Unassigned section
	Problems   []string
}

// section is one person, or those who are nobody yet.
type section struct {
	Title         string
	Faces, Photos int
	More          int // faces not shown
	Crops         []template.URL
	ids           []index.FaceID
}

// writeHTML writes a page that needs nothing but itself: every face crop is
// in it.
func writeHTML(ctx context.Context, path string, acc *index.Account, src fs.FS, rep index.Report) error {
	p := page{Report: rep, Stages: stages(rep), Made: time.Now()}
	var want []index.FaceID
	n := 0
	for person, err := range acc.People(ctx, index.PeopleQuery{}) {
		if err != nil {
			return err
		}
		n++
		if n > maxPeople {
			p.More++
			continue
		}
		s := section{Title: title(person, n), Faces: person.Faces, Photos: person.Photos}
		if err := s.pick(ctx, acc, index.FaceQuery{Person: person.ID}, maxPerPerson); err != nil {
			return err
		}
		want = append(want, s.ids...)
		p.People = append(p.People, s)
	}
	if err := p.Unassigned.pick(ctx, acc, index.FaceQuery{Unassigned: true}, maxUnassigned); err != nil {
		return err
	}
	p.Unassigned.Faces = rep.Grouping.Unassigned
	want = append(want, p.Unassigned.ids...)
	crops, err := p.cut(ctx, acc, src, want)
	if err != nil {
		return err
	}
	for i := range p.People {
		p.People[i].show(crops)
	}
	p.Unassigned.show(crops)
	return replaceFile(path, func(f *os.File) error { return p.render(f) })
}

func (p *page) render(w io.Writer) error {
	t, err := template.New("people").Funcs(template.FuncMap{
		"seconds": seconds, "found": found, "summary": summary,
		"faces":  func(n int) string { return count(n, "face", "faces") },
		"photos": func(n int) string { return count(n, "photo", "photos") },
	}).Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// pick chooses the first faces of a listing and counts the others.
func (s *section) pick(ctx context.Context, acc *index.Account, q index.FaceQuery, most int) error {
	for f, err := range acc.Faces(ctx, q) {
		if err != nil {
			return err
		}
		if len(s.ids) < most {
			s.ids = append(s.ids, f.ID)
		} else {
			s.More++
		}
	}
	return nil
}

// cut reads the photos again for the crops that are shown.
func (p *page) cut(ctx context.Context, acc *index.Account, src fs.FS, want []index.FaceID) (map[index.FaceID]template.URL, error) {
	crops := map[index.FaceID]template.URL{}
	gone := 0
	for c, err := range acc.Crops(ctx, src, want, cropSize) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			gone++
			continue
		}
		if err != nil {
			p.Problems = append(p.Problems, err.Error())
			continue
		}
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, c.Image, &jpeg.Options{Quality: 80}); err != nil {
			return nil, fmt.Errorf("crop: %w", err)
		}
		crops[c.Face] = template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(buf.Bytes()))
	}
	if gone > 0 {
		p.Problems = append(p.Problems, count(gone, "photo whose file is gone", "photos whose files are gone"))
	}
	return crops, nil
}

func (s *section) show(crops map[index.FaceID]template.URL) {
	for _, id := range s.ids {
		if c, ok := crops[id]; ok {
			s.Crops = append(s.Crops, c)
		}
	}
}
