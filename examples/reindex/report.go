package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models/fetch"
)

// reporter tells what happens: results on standard output, everything else
// on standard error; with -json, events as JSON lines on standard output.
type reporter struct {
	cfg            config
	stdout, stderr io.Writer
	results        io.Writer // stdout, unless the export goes there
	terminal       bool
	line           bool      // an unfinished progress line is on the terminal
	last           time.Time // of the last progress shown
	phase          index.Phase
}

func newReporter(cfg config, stdout, stderr *os.File) *reporter {
	r := &reporter{cfg: cfg, stdout: stdout, stderr: stderr, results: stdout, terminal: term.IsTerminal(int(stderr.Fd()))}
	if cfg.export == "-" {
		r.results = stderr
	}
	return r
}

// every is how often progress is shown on a terminal, and elsewhere.
func (r *reporter) every() time.Duration {
	if r.terminal || r.cfg.json {
		return 200 * time.Millisecond
	}
	return 5 * time.Second
}

// event writes one JSON line.
func (r *reporter) event(kind string, fields map[string]any) {
	fields["event"] = kind
	b, err := json.Marshal(fields)
	if err == nil {
		_, _ = fmt.Fprintf(r.stdout, "%s\n", b)
	}
}

// say writes one whole line to standard error, ending a progress line first.
func (r *reporter) say(format string, args ...any) {
	r.endProgress()
	_, _ = fmt.Fprintf(r.stderr, format+"\n", args...)
}

func (r *reporter) problem(msg string) {
	if r.cfg.json {
		r.event("error", map[string]any{"error": msg})
	}
	r.say("reindex: %s", msg)
}

func (r *reporter) prompt(format string, args ...any) {
	r.endProgress()
	_, _ = fmt.Fprintf(r.stderr, format, args...)
}

func (r *reporter) note(format string, args ...any) {
	if !r.cfg.json {
		r.say(format, args...)
	}
}

func (r *reporter) detail(format string, args ...any) {
	if r.cfg.verbose {
		r.say(format, args...)
	}
}

// status rewrites the progress line of a terminal, and adds a line elsewhere.
func (r *reporter) status(text string) {
	if !r.terminal {
		_, _ = fmt.Fprintln(r.stderr, text)
		return
	}
	_, _ = fmt.Fprintf(r.stderr, "\r\x1b[K%s", text)
	r.line = true
}

func (r *reporter) endProgress() {
	if r.line {
		_, _ = fmt.Fprintln(r.stderr)
		r.line = false
	}
}

// fetching shows the provisioning of models.
func (r *reporter) fetching(e fetch.Event) {
	if r.cfg.json {
		f := map[string]any{"artifact": e.Artifact, "source": e.Source, "stage": e.Stage, "bytes": e.Bytes, "total": e.Total}
		if e.Err != nil {
			f["error"] = e.Err.Error()
		}
		if e.Stage != fetch.StageDownload || r.due() {
			r.event("fetch", f)
		}
		return
	}
	switch e.Stage {
	case fetch.StageDownload:
		if !r.due() {
			return
		}
		text := fmt.Sprintf("fetching %s: %.1f MB", e.Artifact, float64(e.Bytes)/1e6)
		if e.Total > 0 {
			text = fmt.Sprintf("fetching %s: %.1f of %.1f MB", e.Artifact, float64(e.Bytes)/1e6, float64(e.Total)/1e6)
		}
		r.status(text)
	case fetch.StageLock:
		r.say("another process is fetching models; waiting for it")
	case fetch.StageDone:
		r.say("fetched %s (checksum verified)", e.Artifact)
	default:
		if e.Err != nil {
			r.detail("%s from %s: %v", e.Artifact, e.Source, e.Err)
		}
	}
}

// due limits how often progress is shown.
func (r *reporter) due() bool {
	if time.Since(r.last) < r.every() {
		return false
	}
	r.last = time.Now()
	return true
}

func (r *reporter) progress(p index.Progress) {
	changed := p.Phase != r.phase
	r.phase = p.Phase
	if !changed && p.Done < p.Total && !r.due() {
		return
	}
	if r.cfg.json {
		r.event("progress", map[string]any{
			"phase": p.Phase, "done": p.Done, "total": p.Total, "failed": p.Failed, "faces": p.Faces,
			"elapsed_s": p.Elapsed.Seconds(), "remaining_s": p.Remaining().Seconds(),
		})
		return
	}
	switch p.Phase {
	case index.PhaseWalk:
		r.status("looking for photos")
	case index.PhaseIndex:
		if p.Total == 0 || p.Done == 0 {
			return
		}
		text := fmt.Sprintf("%d of %d photos, %d faces, %.1f photos/s", p.Done, p.Total, p.Faces, float64(p.Done)/p.Elapsed.Seconds())
		if p.Failed > 0 {
			text += fmt.Sprintf(", %d failed", p.Failed)
		}
		if left := p.Remaining().Round(time.Second); left > 0 {
			text += fmt.Sprintf(", %v left", left)
		}
		r.status(text)
	case index.PhaseGroup:
		r.status("grouping faces")
	case index.PhaseArrange:
		r.status("looking at times and places")
	case index.PhaseDone:
		r.endProgress()
	}
}

func (r *reporter) failed(e *index.PhotoError) {
	if r.cfg.json {
		r.event("failed", map[string]any{"path": e.Path, "stage": e.Stage, "error": e.Err.Error()})
		return
	}
	r.say("failed: %s", printable(e.Error()))
}

// people prints the people, those with most faces first; not where the export
// takes standard output: it has them, and standard error ends up in logs.
func (r *reporter) people(ctx context.Context, acc *index.Account) error {
	if r.cfg.export == "-" {
		return nil
	}
	n := 0
	for p, err := range acc.People(ctx, index.PeopleQuery{}) {
		if err != nil {
			return err
		}
		n++
		if r.cfg.json {
			r.event("person", map[string]any{"id": p.ID, "name": p.Name, "faces": p.Faces, "photos": p.Photos})
			continue
		}
		if _, err := fmt.Fprintf(r.results, "%-24s %5d faces in %5d photos  %s\n", printable(title(p, n)), p.Faces, p.Photos, p.ID); err != nil {
			return err
		}
	}
	return nil
}

// title is what to call a person: the name, or a number by size.
func title(p index.Person, n int) string {
	if p.Name != "" {
		return p.Name
	}
	return fmt.Sprintf("Person %d", n)
}

func (r *reporter) report(rep index.Report, ort time.Duration) {
	if r.cfg.json {
		work := map[string]float64{}
		for k, v := range rep.Work {
			work[k] = v.Seconds()
		}
		r.event("done", map[string]any{
			"seen": rep.Seen, "unchanged": rep.Unchanged, "indexed": rep.Indexed, "moved": rep.Moved,
			"copied": rep.Copied, "vanished": rep.Vanished, "failed": rep.Failed, "ignored": rep.Ignored,
			"erased": rep.Erased, "deleted": rep.Disposed,
			"faces": rep.Grouping.Faces, "people": rep.Grouping.People, "unassigned": rep.Grouping.Unassigned,
			"threshold": rep.Grouping.Threshold, "elapsed_s": rep.Elapsed.Seconds(), "work_s": work,
			"onnxruntime_s": ort.Seconds(), "decoders": rep.Decoders,
		})
		return
	}
	if !r.cfg.noFaces {
		_, _ = fmt.Fprintln(r.results, found(rep.Grouping))
	}
	r.say("%s", summary(rep))
	if len(rep.Decoders) > 0 {
		r.detail("photos decoded by %s", decoders(rep))
	}
	r.detail("time per stage, all workers: %s; ONNX Runtime %s", stages(rep), seconds(ort))
}

// decoders lists what decoded the photos, the busiest first.
func decoders(rep index.Report) string {
	names := slices.Collect(maps.Keys(rep.Decoders))
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rep.Decoders[b], rep.Decoders[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %d", name, rep.Decoders[name])
	}
	return strings.Join(names, ", ")
}

// found says how many people were found, and how many faces are nobody's.
func found(g index.Grouping) string {
	return fmt.Sprintf("%s in %d of %s; %d belong to nobody yet", count(g.People, "person", "people"),
		g.Faces-g.Unassigned, count(g.Faces, "face", "faces"), g.Unassigned)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printable escapes what is no visible character: a newline in the name of a
// file or a person must not fake a line of ours, nor an escape sequence rule
// the terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRune(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// summary counts the photos by what became of them, leaving out what is zero.
func summary(rep index.Report) string {
	parts := []string{fmt.Sprintf("%s in %s", count(rep.Seen, "photo", "photos"), seconds(rep.Elapsed))}
	for _, c := range []struct {
		n    int
		what string
	}{
		{rep.Indexed, "indexed"}, {rep.Unchanged, "unchanged"}, {rep.Moved, "moved"}, {rep.Copied, "copies"},
		{rep.Vanished, "vanished"}, {rep.Erased, "left out because they were erased"}, {rep.Disposed, "deleted"},
		{rep.Failed, "failed"}, {rep.Ignored, "other files ignored"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(parts, ", ")
}

func stages(rep index.Report) string {
	names := make([]string, 0, len(rep.Work))
	for k := range rep.Work {
		names = append(names, k)
	}
	sort.Slice(names, func(i, j int) bool { return rep.Work[names[i]] > rep.Work[names[j]] })
	parts := make([]string, len(names))
	for i, k := range names {
		parts[i] = k + " " + seconds(rep.Work[k])
	}
	return strings.Join(parts, ", ")
}
