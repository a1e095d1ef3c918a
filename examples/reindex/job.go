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

	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/heic"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/fetch"
)

// reindex does the job: models, account, consent, photos, people, page, export,
// and only then what becomes of the originals.
func reindex(ctx context.Context, cfg config, stdin *os.File, out *reporter) (int, error) {
	if cfg.after == afterDelete && !cfg.yes && !interactive(cfg, stdin) {
		return 0, errors.New("-after delete deletes photos for good; without a terminal to ask on it wants -yes too")
	}
	var engine *onnx.Engine
	if !cfg.noFaces {
		var err error
		if engine, err = provision(ctx, &cfg, out); err != nil {
			return 0, err
		}
		defer func() { _ = engine.Close() }()
	}

	// A root hands out nothing outside the folder, whatever links there are.
	root, err := os.OpenRoot(cfg.folder)
	if err != nil {
		return 0, err
	}
	defer func() { _ = root.Close() }()
	acc, err := openForRun(ctx, cfg, engine, root)
	if err != nil {
		return 0, explain(cfg, err)
	}
	defer func() { _ = acc.Close() }()
	if !cfg.noFaces {
		if err := consent(ctx, cfg, acc, stdin, out); err != nil {
			return 0, explain(cfg, err)
		}
	}
	if err := allowDeletion(ctx, cfg, stdin, out); err != nil {
		return 0, err
	}
	report, err := acc.Reindex(ctx, root.FS(), index.ReindexOptions{
		Source: cfg.folder, Force: cfg.force, AllowEmpty: cfg.empty, Moved: cfg.moved,
		NoFaces: cfg.noFaces, KeepOriginals: true, Progress: out.progress, Failed: out.failed,
	})
	out.endProgress()
	if err != nil {
		return 0, explain(cfg, err)
	}
	if cfg.names {
		if err := takeNames(ctx, acc, root.FS(), &report, out); err != nil {
			return 0, explain(cfg, err)
		}
	}
	if err := results(ctx, &cfg, acc, root, report, out); err != nil {
		return 0, err
	}
	if cfg.after == afterDelete {
		if err := deleteOriginals(ctx, acc, root, &report, out); err != nil {
			return 0, explain(cfg, err)
		}
	}
	var ort time.Duration
	if engine != nil {
		ort = engine.Time()
	}
	out.report(report, ort) // last: with -json it says that all is done
	if cfg.html != "" {
		out.note("the people are in %s", cfg.html)
	}
	if report.Failed > 0 {
		return exitFailed, nil
	}
	return exitOK, nil
}

// openForRun opens the account. Unless originals are to be deleted it cannot do
// that, whatever its retention says.
func openForRun(ctx context.Context, cfg config, engine *onnx.Engine, root *os.Root) (*index.Account, error) {
	keys, err := openKeys(cfg)
	if err != nil {
		return nil, err
	}
	opt := index.Config{
		Decoders: []index.Decoder{heic.New(heic.Options{Sandbox: cfg.pureGo})},
		Workers:  cfg.workers, MaxMemory: int64(cfg.memory) << 20, Idle: cfg.idle, PureGo: cfg.pureGo,
		Keys: keys,
	}
	if engine != nil {
		opt.Analyzer = engine.Analyzer()
	}
	if cfg.after == afterDelete {
		opt.Disposer = remover{root}
	}
	if err := whenAndWhere(cfg, &opt); err != nil {
		return nil, err
	}
	return index.Open(ctx, cfg.db, opt)
}

// results prints the people and writes what was asked for.
func results(ctx context.Context, cfg *config, acc *index.Account, root *os.Root, report index.Report, out *reporter) error {
	emptied := report.Seen == 0 && cfg.after == afterDelete && hasPhotos(ctx, acc)
	switch {
	case emptied:
		cfg.html = "" // the page that shows what was deleted stays
	case report.Seen == 0 && report.Failed == 0 && report.Vanished == 0:
		return fmt.Errorf("no photo in %s", cfg.folder)
	}
	if !cfg.noFaces {
		if err := out.people(ctx, acc); err != nil {
			return err
		}
	}
	if cfg.moments {
		if err := out.moments(ctx, acc); err != nil {
			return err
		}
	}
	if cfg.html != "" {
		if err := writeHTML(ctx, cfg.html, acc, root.FS(), report); err != nil {
			return fmt.Errorf("write %s: %w", cfg.html, err)
		}
	}
	if cfg.export != "" {
		if err := export(ctx, *cfg, acc, root.FS(), out); err != nil {
			return fmt.Errorf("export to %s: %w", cfg.export, err)
		}
	}
	return nil
}

func hasPhotos(ctx context.Context, acc *index.Account) bool {
	for _, err := range acc.Photos(ctx, index.PhotoQuery{Limit: 1}) {
		return err == nil
	}
	return false
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
be withdrawn at any time: reindex -db %s -withdraw erases them.

`

// consentVersion changes with the text.
const consentVersion = "2"

// consent makes sure that it was given: earlier, by flag, or now. Nobody is
// asked for it where nothing could be done with it.
func consent(ctx context.Context, cfg config, acc *index.Account, stdin *os.File, out *reporter) error {
	s, err := acc.State(ctx)
	switch {
	case err != nil || s.Consent:
		return err
	case !s.Erased.IsZero():
		return index.ErrErased
	case !s.Deleted.IsZero():
		return index.ErrDeleted
	case !s.Restricted.IsZero():
		return index.ErrRestricted
	}
	means := "flag"
	switch {
	case cfg.consent:
	case cfg.demo:
		means = "demo" // published photos under a free licence
	case interactive(cfg, stdin):
		out.prompt(consentText, cfg.db, cfg.db)
		if cfg.imports != "" {
			out.prompt("Take over what %s says of faces? [y/N] ", cfg.imports)
		} else {
			out.prompt("Look for faces in %s? [y/N] ", cfg.folder)
		}
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
