package fetch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kith-photos/kith/models"
)

const (
	tempPrefix  = ".npm-"         // directories in the cache that live as long as one npm call
	npmTick     = time.Second     // between reports of progress
	npmKillWait = 5 * time.Second // for the output pipes of a killed npm
	npmOutput   = 4 << 10         // bytes of npm's output that an error shows
)

// packed is what became of an npm package in this call.
type packed struct {
	err     error            // of the package as a whole
	members map[string]error // by artifact id: nil = installed
}

// npm fetches an artifact, and every other wanted one of the same package, by
// letting npm download the package.
func (p *provisioner) npm(ctx context.Context, a models.Artifact, s models.Source) error {
	key := s.Package + "@" + s.Version
	got, known := p.packages[key]
	_, asked := got.members[a.ID]
	if !known || got.err == nil && !asked {
		p.wanted[a.ID] = a
		got = p.unpackPackage(ctx, a, s)
		p.packages[key] = got
	}
	if got.err != nil {
		return got.err
	}
	return got.members[a.ID]
}

// unpackPackage downloads a package into a directory of its own in the cache,
// takes what is wanted out of it and removes it.
func (p *provisioner) unpackPackage(ctx context.Context, a models.Artifact, s models.Source) packed {
	dir, err := os.MkdirTemp(p.cache, tempPrefix)
	if err != nil {
		return packed{err: err}
	}
	defer os.RemoveAll(dir) // the next call that locks the cache removes it
	tarball, err := p.pack(ctx, a, s, dir)
	if err != nil {
		return packed{err: err}
	}
	x := &extraction{p: p, dir: dir, members: map[string]member{}, result: map[string]error{}}
	for _, w := range p.wanted {
		for _, ws := range w.Sources {
			if ws.Type == models.SourceNPM && ws.Package == s.Package && ws.Version == s.Version {
				x.members[ws.Path] = member{w, ws}
				x.result[w.ID] = fmt.Errorf("%s is not in the package", ws.Path)
			}
		}
	}
	if err := x.run(ctx, tarball); err != nil {
		return packed{err: fmt.Errorf("package: %w", err)}
	}
	return packed{members: x.result}
}

// pack runs npm pack and returns the path of the tarball.
func (p *provisioner) pack(ctx context.Context, a models.Artifact, s models.Source, dir string) (string, error) {
	program, err := exec.LookPath(p.opt.NPM)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoNPM, err)
	}
	// A package.json of its own keeps npm from taking a directory above, and
	// the configuration of a project there, for its project.
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}\n"), 0o644); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, p.opt.Timeouts.NPM)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "pack", "--ignore-scripts", "--json",
		"--pack-destination", dir, s.Package+"@"+s.Version)
	cmd.Dir = dir
	out := &tail{max: npmOutput}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = npmKillWait
	killWithChildren(cmd)
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("npm: %w", err)
	}
	if err := p.watch(cmd, a, s, dir); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("npm pack: %w%s", err, out)
	}
	tarballs, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(tarballs) != 1 {
		return "", fmt.Errorf("npm pack left %d packages%s", len(tarballs), out)
	}
	return tarballs[0], nil
}

// watch reports progress until the process has ended.
func (p *provisioner) watch(cmd *exec.Cmd, a models.Artifact, s models.Source, dir string) error {
	began := p.opt.Now()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }() // ends with the process, which the loop waits for
	tick := time.NewTicker(npmTick)
	defer tick.Stop()
	for {
		p.emit(Event{
			Artifact: a.ID, Source: s.String(), Stage: StageDownload,
			Bytes: largest(dir), Elapsed: p.opt.Now().Sub(began),
		})
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}

// largest returns the size of the largest file in a directory: npm names the
// file that it writes only at the end.
func largest(dir string) int64 {
	entries, _ := os.ReadDir(dir)
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			size = max(size, info.Size())
		}
	}
	return size
}

// tail keeps the end of what is written to it.
type tail struct {
	max  int
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	if extra := len(t.text) - t.max; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(b), nil
}

// String returns the kept text on one line, after ": ", or nothing.
func (t *tail) String() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(t.text), "?")), " ")
	if text == "" {
		return ""
	}
	return ": " + text
}
