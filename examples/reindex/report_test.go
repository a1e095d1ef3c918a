package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models/fetch"
)

func newTestReporter(cfg config, terminal bool) (*reporter, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &reporter{cfg: cfg, stdout: &stdout, stderr: &stderr, results: &stdout, terminal: terminal}, &stdout, &stderr
}

func TestDue(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		json     bool
		every    time.Duration
	}{
		{"terminal", true, false, 200 * time.Millisecond},
		{"JSON", false, true, 200 * time.Millisecond},
		{"file", false, false, 5 * time.Second},
	} {
		r, _, _ := newTestReporter(config{json: c.json}, c.terminal)
		if !r.due() {
			t.Errorf("%s: the first is not due", c.name)
		}
		r.last = time.Now().Add(time.Minute - c.every)
		if r.due() {
			t.Errorf("%s: due before %v have gone by", c.name, c.every)
		}
		r.last = time.Now().Add(-c.every)
		if !r.due() {
			t.Errorf("%s: not due after %v", c.name, c.every)
		}
		if time.Since(r.last) > time.Minute {
			t.Errorf("%s: the time was not taken", c.name)
		}
	}
}

// reportRun goes through a run; late stands for steps that come when progress is due.
func reportRun(r *reporter) {
	step := func(late bool, p index.Progress) {
		r.last = time.Now()
		if late {
			r.last = time.Time{}
		}
		r.progress(p)
	}
	ten := func(done, failed int) index.Progress {
		return index.Progress{
			Phase: index.PhaseIndex, Done: done, Total: 10, Failed: failed, Faces: 2 * done,
			Elapsed: time.Duration(done) * 2 * time.Second,
		}
	}
	step(false, index.Progress{Phase: index.PhaseWalk})
	step(false, ten(0, 0))
	step(true, ten(1, 0))
	step(false, ten(2, 0))
	r.failed(&index.PhotoError{Path: "a.jpg", Stage: index.StageDecode, Err: errors.New("bad")})
	step(true, ten(5, 1))
	step(false, ten(10, 1))
	step(false, index.Progress{Phase: index.PhaseGroup})
	step(false, index.Progress{Phase: index.PhaseDone})
}

func TestProgressInAFile(t *testing.T) {
	r, stdout, stderr := newTestReporter(config{}, false)
	reportRun(r)
	want := `looking for photos
1 of 10 photos, 2 faces, 0.5 photos/s, 18s left
failed: "a.jpg": decode: bad
5 of 10 photos, 10 faces, 0.5 photos/s, 1 failed, 10s left
10 of 10 photos, 20 faces, 0.5 photos/s, 1 failed
grouping faces
`
	if stderr.String() != want || stdout.Len() != 0 {
		t.Errorf("got\n%s\nwant\n%s\nand on standard output %q", stderr, want, stdout)
	}
}

// On a terminal one line is rewritten, and ends before another begins.
func TestProgressOnATerminal(t *testing.T) {
	r, stdout, stderr := newTestReporter(config{}, true)
	reportRun(r)
	if stdout.Len() != 0 {
		t.Errorf("standard output has %q", stdout)
	}
	text := stderr.String()
	if want := "photos/s, 18s left\nfailed: \"a.jpg\": decode: bad\n\r\x1b[K5 of 10"; !strings.Contains(text, want) {
		t.Errorf("%q lacks %q", text, want)
	}
	if strings.Count(text, "\n") != 3 || !strings.HasSuffix(text, "\r\x1b[Kgrouping faces\n") {
		t.Errorf("%q has other lines than three, or another end", text)
	}
}

func TestProgressAsJSON(t *testing.T) {
	r, stdout, stderr := newTestReporter(config{json: true}, true)
	reportRun(r)
	want := `{"done":1,"elapsed_s":2,"event":"progress","faces":2,"failed":0,"phase":"index","remaining_s":18,"total":10}
{"error":"bad","event":"failed","path":"a.jpg","stage":"decode"}
{"done":5,`
	if !strings.Contains(stdout.String(), want) || stderr.Len() != 0 {
		t.Errorf("got\n%s\nwant in it\n%s\nand on standard error %q", stdout, want, stderr)
	}
}

func TestFetching(t *testing.T) {
	events := []fetch.Event{
		{Stage: fetch.StageLock},
		{Artifact: "net", Stage: fetch.StageDownload, Bytes: 1_500_000, Total: 3_000_000},
		{Artifact: "net", Stage: fetch.StageDownload, Bytes: 2_000_000}, // too soon
		{Artifact: "net", Source: "here", Stage: fetch.StageSkip, Err: errors.New("status 404")},
		{Artifact: "net", Source: "there", Stage: fetch.StageVerify},
		{Artifact: "net", Source: "there", Stage: fetch.StageDone},
	}
	for _, c := range []struct {
		cfg            config
		stdout, stderr string
	}{
		{config{verbose: true}, "", `another process is fetching models; waiting for it
fetching net: 1.5 of 3.0 MB
net from here: status 404
fetched net (checksum verified)
`},
		{config{}, "", `another process is fetching models; waiting for it
fetching net: 1.5 of 3.0 MB
fetched net (checksum verified)
`},
		{config{json: true}, `{"artifact":"","bytes":0,"event":"fetch","source":"","stage":"lock","total":0}
{"artifact":"net","bytes":1500000,"event":"fetch","source":"","stage":"download","total":3000000}
{"artifact":"net","bytes":0,"error":"status 404","event":"fetch","source":"here","stage":"skip","total":0}
{"artifact":"net","bytes":0,"event":"fetch","source":"there","stage":"verify","total":0}
{"artifact":"net","bytes":0,"event":"fetch","source":"there","stage":"done","total":0}
`, ""},
	} {
		r, stdout, stderr := newTestReporter(c.cfg, false)
		for _, e := range events {
			r.fetching(e)
		}
		if stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("%+v: got\n%s%s\nwant\n%s%s", c.cfg, stdout, stderr, c.stdout, c.stderr)
		}
	}
}

func TestSentences(t *testing.T) {
	for have, want := range map[string]string{
		found(index.Grouping{}):                                                                          "0 people in 0 of 0 faces; 0 belong to nobody yet",
		found(index.Grouping{People: 1, Faces: 4, Unassigned: 1}):                                        "1 person in 3 of 4 faces; 1 belong to nobody yet",
		summary(index.Report{Seen: 1, Indexed: 1, Elapsed: 1234 * time.Millisecond}):                     "1 photo in 1.2 s, 1 indexed",
		summary(index.Report{Seen: 9, Unchanged: 2, Moved: 3, Copied: 1, Vanished: 4, Failed: 3}):        "9 photos in 0.0 s, 2 unchanged, 3 moved, 1 copies, 4 vanished, 3 failed",
		stages(index.Report{Work: map[string]time.Duration{"read": time.Second, "decode": time.Minute}}): "decode 60.0 s, read 1.0 s",
		title(index.Person{Name: "Anna"}, 3):                                                             "Anna",
		title(index.Person{}, 3):                                                                         "Person 3",
		printable("Zoë 李\t\n\x1b[0m\u202e"):                                                              `Zoë 李\t\n\x1b[0m\u202e`,
	} {
		if have != want {
			t.Errorf("got  %q\nwant %q", have, want)
		}
	}
}

// Whatever a name or a path holds, it stays text in the page.
func TestPageEscapes(t *testing.T) {
	const evil = `</style><script>alert("x")</script>`
	p := page{
		Made:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Stages: evil,
		People: []section{
			{Title: evil, Faces: 1, Photos: 1, Crops: []template.URL{"data:image/jpeg;base64,AAAA"}},
			{Title: "Anna", Faces: 30, Photos: 20, More: 6},
		},
		More:       7,
		Unassigned: section{Faces: 2},
		Problems:   []string{evil},
	}
	var out strings.Builder
	if err := p.render(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "<script") || strings.Count(text, "&lt;script&gt;") != 3 {
		t.Errorf("a script in the page, or not three escaped:\n%s", text)
	}
	for _, want := range []string{
		`<img src="data:image/jpeg;base64,AAAA" alt="">`, "1 face in 1 photo<", "30 faces in 20 photos<",
		"and 6 more<", "and 7 more people", "Nobody yet <span>2 faces:", "2026-01-02 03:04",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, out.String())
		}
	}
}

// Ctrl-C at the question ends the waiting for an answer.
func TestReadLineGivesUp(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()  // a pipe
	defer out.Close() // ends the goroutine that reads
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readLine(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := fmt.Fprintln(out, "yes"); err != nil {
		t.Fatal(err)
	}
}
