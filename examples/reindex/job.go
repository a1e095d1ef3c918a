package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/heic"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/fetch"
)

// reindex does the job: models, account, consent, photos, people, page.
func reindex(ctx context.Context, cfg config, stdin *os.File, out *reporter) (int, error) {
	engine, err := provision(ctx, &cfg, out)
	if err != nil {
		return 0, err
	}
	defer func() { _ = engine.Close() }()

	acc, err := index.Open(ctx, cfg.db, index.Config{
		Analyzer: engine.Analyzer(),
		Decoders: []index.Decoder{heic.New(heic.Options{Sandbox: cfg.pureGo})},
		Workers:  cfg.workers, MaxMemory: int64(cfg.memory) << 20, Idle: cfg.idle, PureGo: cfg.pureGo,
	})
	if err != nil {
		return 0, explain(cfg, err)
	}
	defer func() { _ = acc.Close() }()
	if err := consent(ctx, cfg, acc, stdin, out); err != nil {
		return 0, err
	}

	// A root hands out nothing outside the folder, whatever links there are.
	root, err := os.OpenRoot(cfg.folder)
	if err != nil {
		return 0, err
	}
	defer func() { _ = root.Close() }()
	report, err := acc.Reindex(ctx, root.FS(), index.ReindexOptions{
		Source: cfg.folder, Force: cfg.force, AllowEmpty: cfg.empty, Moved: cfg.moved,
		Progress: out.progress, Failed: out.failed,
	})
	out.endProgress()
	if err != nil {
		return 0, explain(cfg, err)
	}
	if report.Seen == 0 && report.Failed == 0 && report.Vanished == 0 {
		return 0, fmt.Errorf("no photo in %s", cfg.folder)
	}
	if err := out.people(ctx, acc); err != nil {
		return 0, err
	}
	if cfg.html != "" {
		if err := writeHTML(ctx, cfg.html, acc, root.FS(), report); err != nil {
			return 0, fmt.Errorf("write %s: %w", cfg.html, err)
		}
	}
	if cfg.export != "" {
		if err := export(ctx, cfg, acc, out); err != nil {
			return 0, fmt.Errorf("export to %s: %w", cfg.export, err)
		}
	}
	out.report(report, engine.Time()) // last: with -json it says that all is done
	if cfg.html != "" {
		out.note("the people are in %s", cfg.html)
	}
	if report.Failed > 0 {
		return exitFailed, nil
	}
	return exitOK, nil
}

// provision brings the runtime and the models, and with -demo the album.
func provision(ctx context.Context, cfg *config, out *reporter) (*onnx.Engine, error) {
	opt := fetch.FromEnv()
	opt.Set, opt.AcceptNonCommercial, opt.Progress = cfg.set, cfg.nonCommercial, out.fetching
	opt.Offline = opt.Offline || cfg.offline
	if cfg.manifest != "" {
		data, err := os.ReadFile(cfg.manifest)
		if err != nil {
			return nil, err
		}
		m, err := models.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cfg.manifest, err)
		}
		opt.Manifest = &m
	}
	inst, err := fetch.Provision(ctx, opt)
	if err != nil {
		return nil, err
	}
	if cfg.demo {
		opt.Manifest = nil
		photos, err := fetch.Photos(ctx, opt)
		if err != nil {
			return nil, err
		}
		cfg.folder = filepath.Dir(photos[0])
	}
	out.endProgress()
	engine, err := onnx.Open(inst, onnx.Options{})
	if err == nil {
		out.detail("detector %s, embedder %s, ONNX Runtime %s", inst.Detector.ID, inst.Embedder.ID, engine.RuntimeVersion())
	}
	return engine, err
}

const consentText = `
Finding people means measuring faces. These measurements are biometric data:
they may only be made if the people in the photos, or whoever answers for them,
agree. They stay in %s and never leave this machine. Consent can
be withdrawn at any time, and withdrawing erases them.

Look for faces in %s? [y/N] `

const consentVersion = "1"

// consent makes sure that it was given: earlier, by flag, or now.
func consent(ctx context.Context, cfg config, acc *index.Account, stdin *os.File, out *reporter) error {
	c, err := acc.Consent(ctx)
	if err != nil || c.Given {
		return err
	}
	means := "flag"
	switch {
	case cfg.consent:
	case cfg.demo:
		means = "demo" // published photos under a free licence
	case term.IsTerminal(int(stdin.Fd())) && !cfg.json:
		out.prompt(consentText, cfg.db, cfg.folder)
		answer, err := readLine(ctx, stdin)
		if err != nil {
			return err
		}
		if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
			return errors.New("no consent, nothing was done")
		}
		means = "terminal"
	default:
		return errors.New("faces are biometric data, and nobody has consented to looking for them in this account; -consent says that you do, or answer for those in the photos")
	}
	return acc.SetConsent(ctx, index.Consent{Given: true, By: "owner", Version: consentVersion, Means: means})
}

// readLine reads a line, or gives up on Ctrl-C. The goroutine that waits for
// the terminal ends with the program.
func readLine(ctx context.Context, stdin *os.File) (string, error) {
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdin).ReadString('\n')
		lines <- line
	}()
	select {
	case line := <-lines:
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// explain adds what to do about an error.
func explain(cfg config, err error) error {
	switch {
	case errors.Is(err, index.ErrBusy):
		return fmt.Errorf("%w: another program has it open; try again when that has ended", err)
	case errors.Is(err, index.ErrOtherSource):
		return fmt.Errorf("%s: %w; use another -db for this folder, or -moved if it is the same one under a new name", cfg.db, err)
	case errors.Is(err, index.ErrNothingFound):
		return fmt.Errorf("%s: %w; is the disk mounted? -allow-empty forgets them", cfg.folder, err)
	}
	return err
}

// export writes to a new file that takes the place of the old one when it is
// complete.
func export(ctx context.Context, cfg config, acc *index.Account, out *reporter) error {
	opt := index.ExportOptions{Embeddings: cfg.embeddings}
	if cfg.export == "-" {
		return acc.Export(ctx, out.stdout, opt)
	}
	return replaceFile(cfg.export, func(f *os.File) error { return acc.Export(ctx, f, opt) })
}

// replaceFile writes a file beside path, readable by its owner only, and
// renames it when it is whole.
func replaceFile(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
