// Command reindex finds the people in a folder of photos.
//
//	go run ./examples/reindex -demo          # a small album of real photos
//	go run ./examples/reindex -consent ~/Pictures
//
// It fetches the models it needs once, indexes what is new or changed in the
// folder, groups the faces into people, prints them and writes people.html.
// Everything it learns is in one SQLite file. Run it again at any time: it
// goes on where it stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1   // some photos failed; they are listed
	exitUsage       = 2   // wrong usage, or it could not be done
	exitInterrupted = 130 // Ctrl-C: what was done is kept
)

const usage = `Find the people in a folder of photos.

  reindex [flags] FOLDER
  reindex -demo

Everything that is learned goes into one SQLite file (-db); the photos are
only read. Run it again at any time: unchanged photos are not read again, and
an interrupted run goes on where it stopped.

Faces are biometric data. They are only looked for with the consent of whoever
answers for the photos: asked for once on a terminal, or given with -consent.

`

const after = `
Exit status: 0 all well, 1 some photos failed (each is listed), 2 wrong usage, or
it could not be done (the message says why), 130 interrupted.

Environment: KITH_MODELS folders with models, KITH_ORT_LIB the ONNX Runtime
library, KITH_CACHE where models are kept, KITH_OFFLINE=1 as -offline.
`

// config is what the command line asks for.
type config struct {
	folder, db, export, html  string
	set, manifest             string
	workers                   int
	memory                    int
	idle                      float64
	pureGo                    bool
	embeddings, consent, demo bool
	offline, json, verbose    bool
	force, empty, moved       bool
	nonCommercial             bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program, testable.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr *os.File) int {
	cfg, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "reindex: %v\nreindex -h explains.\n", err)
		return exitUsage
	}
	out := newReporter(cfg, stdout, stderr)
	status, err := reindex(ctx, cfg, stdin, out)
	switch {
	case err == nil:
		return status
	case ctx.Err() != nil:
		out.problem("stopped. What was done is kept: run the same command to go on")
		return exitInterrupted
	default:
		out.problem(err.Error())
		return exitUsage
	}
}

// parse reads the flags, which may stand before or after the folder.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	f := flag.NewFlagSet("reindex", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.db, "db", "", "the account's `FILE` (default kith.db; with -demo kith-demo.db)")
	f.StringVar(&c.export, "export", "", "write everything as JSON to `FILE` (- for standard output)")
	f.BoolVar(&c.embeddings, "embeddings", false, "put the face vectors into the export; they are biometric data")
	f.StringVar(&c.html, "html", "people.html", "write a page of the people to `FILE`; empty for none")
	f.IntVar(&c.workers, "workers", 0, "photos to work on at once (default one a processor)")
	f.IntVar(&c.memory, "memory", 1024, "what the photos being worked on may take together, in `MB`; one that needs more is reported")
	f.Float64Var(&c.idle, "idle", 0, "the `PART` of their time, 0 to 0.95, that workers rest, to leave the machine to others")
	f.BoolVar(&c.pureGo, "pure-go", false, "decode JPEG and HEIC without the machine's C libraries; several times slower")
	f.BoolVar(&c.consent, "consent", false, "I consent, or answer for the consent of those in the photos, to face recognition")
	f.BoolVar(&c.demo, "demo", false, "fetch and index a small album of real photos")
	f.BoolVar(&c.offline, "offline", false, "never use the network: models must be there already")
	f.BoolVar(&c.json, "json", false, "report events as JSON lines on standard output")
	f.BoolVar(&c.verbose, "v", false, "say more: models, detector, decoders, time per stage")
	f.BoolVar(&c.force, "force", false, "read and analyse every photo again; people and names stay")
	f.BoolVar(&c.empty, "allow-empty", false, "accept that the folder now holds no photo at all")
	f.BoolVar(&c.moved, "moved", false, "the folder is the account's old one under a new name")
	f.StringVar(&c.set, "models", "", "the model `SET`: default, or opencv (YuNet and SFace over https)")
	f.StringVar(&c.manifest, "manifest", "", "a models manifest of your own, instead of the built-in `FILE`")
	f.BoolVar(&c.nonCommercial, "accept-non-commercial", false, "I accept the licence of models that are not for commercial use")
	var folders []string
	for rest := args; ; {
		if err := f.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				_, _ = io.WriteString(stderr, usage)
				f.SetOutput(stderr)
				f.PrintDefaults()
				_, _ = io.WriteString(stderr, after)
			}
			return c, err
		}
		if f.NArg() == 0 {
			break
		}
		folders = append(folders, f.Arg(0))
		rest = f.Args()[1:]
	}
	return c, c.complete(folders)
}

// complete checks what was asked for and fills in what follows from it.
func (c *config) complete(folders []string) error {
	switch {
	case c.demo && len(folders) > 0:
		return errors.New("-demo brings its own folder; name none")
	case !c.demo && len(folders) != 1:
		return fmt.Errorf("name one folder of photos (%d named), or use -demo", len(folders))
	case c.workers < 0:
		return errors.New("-workers must not be negative")
	case c.memory <= 0:
		return errors.New("-memory must be above zero")
	case !(c.idle >= 0 && c.idle <= 0.95):
		return errors.New("-idle must be from 0 to 0.95")
	case c.embeddings && c.export == "":
		return errors.New("-embeddings goes with -export")
	case c.json && c.export == "-":
		return errors.New("-json and -export - both write to standard output")
	}
	if c.db == "" {
		c.db = "kith.db"
		if c.demo {
			c.db = "kith-demo.db"
		}
	}
	if err := c.checkOutputs(); err != nil || c.demo {
		return err
	}
	folder, err := filepath.Abs(folders[0])
	if err != nil {
		return err
	}
	st, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is not a folder", folder)
	}
	c.folder = folder
	return nil
}

// checkOutputs finds out before hours of work whether there is a place for what
// they come to, and that no file takes the place of another.
func (c *config) checkOutputs() error {
	uses := map[string]string{}
	for _, out := range []struct{ flag, path string }{{"-db", c.db}, {"-html", c.html}, {"-export", c.export}} {
		if out.path == "" || out.flag == "-export" && out.path == "-" {
			continue
		}
		path, err := filepath.Abs(out.path)
		if err != nil {
			return fmt.Errorf("%s %s: %w", out.flag, out.path, err)
		}
		if other, taken := uses[path]; taken {
			return fmt.Errorf("%s and %s name the same file, %s", other, out.flag, out.path)
		}
		uses[path] = out.flag
		if st, err := os.Stat(path); err == nil && st.IsDir() {
			return fmt.Errorf("%s %s is a folder", out.flag, out.path)
		}
		dir, err := os.Stat(filepath.Dir(path))
		if err != nil {
			return fmt.Errorf("%s %s: %w", out.flag, out.path, err)
		}
		if !dir.IsDir() {
			return fmt.Errorf("%s %s: %s is not a folder", out.flag, out.path, dir.Name())
		}
	}
	return nil
}
