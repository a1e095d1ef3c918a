package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const usage = `Find the people, moments and places in a folder of photos.

  reindex [flags] FOLDER
  reindex -demo

Everything that is learned goes into one SQLite file (-db); the photos are
only read, unless -after delete is given. Run it again at any time: unchanged
photos are not read again, and an interrupted run goes on where it stopped.

Faces are biometric data. They are only looked for with the consent of whoever
answers for the photos: asked for once on a terminal, or given with -consent.
-withdraw takes it back.
`

const after = `
Exit status: 0 all well, 1 some photos failed or could not be deleted, or the
account has faults (each is listed), 2 wrong usage, or it could not be done (the
message says why), 130 interrupted.

Environment: KITH_MODELS folders with models, KITH_ORT_LIB the ONNX Runtime
library, KITH_CACHE where models are kept, KITH_OFFLINE=1 as -offline.
`

// topics order the flags for whoever asks what there is.
var topics = []struct{ title, flags string }{
	{"What to do", "db html moments export embeddings names demo no-faces force moved allow-empty json v"},
	{"When and where", "zone places regions"},
	{"Models", "models manifest accept-non-commercial offline"},
	{"The machine", "workers memory idle pure-go"},
	{"Privacy", "consent after yes keys key new-key"},
	{"Rights: one of these, or -export, instead of FOLDER, for the account in -db; no models needed",
		"withdraw keep-names forget erase-account audit retain due expire import"},
}

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
	nonCommercial, names      bool

	moments, noFaces         bool
	zone, gazetteer, regions string

	after             string // afterKeep or afterDelete
	yes, keepNames    bool
	keys, key, newKey string
	forget, retain    string
	imports           string
	task              string // the flag of what to do instead of indexing; see serve
}

// What becomes of the originals.
const (
	afterKeep   = "keep"
	afterDelete = "delete"
)

// parse reads the flags, which may stand before or after the folder.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	f := c.flags()
	var folders []string
	for rest := args; ; {
		if err := f.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				_, _ = io.WriteString(stderr, usage)
				describe(stderr, f)
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
	var set []string
	f.Visit(func(fl *flag.Flag) { set = append(set, fl.Name) })
	return c, c.complete(folders, set)
}

func (c *config) flags() *flag.FlagSet {
	f := flag.NewFlagSet("reindex", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.db, "db", "", "the account's `FILE` (default kith.db; with -demo kith-demo.db)")
	f.StringVar(&c.export, "export", "", "write everything to `FILE` as JSON (- for standard output); to FILE.zip or OUT/ (a new folder) with XMP\n"+
		"sidecars and pictures of faces too. Without FOLDER: what is known already, without pictures")
	f.StringVar(&c.imports, "import", "", "take over an export: `FILE`, FILE.zip or a folder")
	f.BoolVar(&c.embeddings, "embeddings", false, "put the face vectors into the export; they are biometric data")
	f.StringVar(&c.html, "html", "people.html", "write a page of the people to `FILE`; empty for none")
	f.IntVar(&c.workers, "workers", 0, "work on `N` photos at once (default one a processor)")
	f.IntVar(&c.memory, "memory", 1024, "what the photos being worked on may take together, in `MB`; one that needs more is reported")
	f.Float64Var(&c.idle, "idle", 0, "the `PART` of their time, 0 to 0.95, that workers rest, to leave the machine to others")
	f.BoolVar(&c.pureGo, "pure-go", false, "decode JPEG and HEIC without the machine's C libraries; several times slower")
	f.BoolVar(&c.consent, "consent", false, "I consent, or answer for the consent of those in the photos, to face recognition")
	f.BoolVar(&c.demo, "demo", false, "fetch and index a small album of real photos")
	f.BoolVar(&c.offline, "offline", false, "never use the network: models must be there already")
	f.BoolVar(&c.json, "json", false, "report events as JSON lines on standard output")
	f.BoolVar(&c.verbose, "v", false, "say more: models, detector, decoders, time per stage")
	f.BoolVar(&c.force, "force", false, "read and analyse every photo again; people and names stay")
	f.BoolVar(&c.moments, "moments", false, "print places, trips, days and moments. Without FOLDER: those that are known already")
	f.BoolVar(&c.noFaces, "no-faces", false, "look at times and places only, not for faces: needs no models and nobody's consent")
	f.StringVar(&c.zone, "zone", "", "the time `ZONE` of photos of which nothing tells it, such as Europe/Helsinki, or local for this\n"+
		"machine's (it is remembered). Without it nothing is assumed")
	f.StringVar(&c.gazetteer, "places", "", "name places by `FILE`, a list of cities of geonames.org such as cities500.txt (CC BY 4.0)")
	f.StringVar(&c.regions, "regions", "", "the `FILE` admin1CodesASCII.txt that goes with it")
	f.BoolVar(&c.names, "names", false, "take over names of faces that other programs wrote into the photos, or into XMP files beside them")
	f.BoolVar(&c.empty, "allow-empty", false, "accept that the folder now holds no photo at all")
	f.BoolVar(&c.moved, "moved", false, "the folder is the account's old one under a new name")
	f.StringVar(&c.set, "models", "", "the model `SET`: default, or opencv (YuNet and SFace over https)")
	f.StringVar(&c.manifest, "manifest", "", "a models manifest of your own, instead of the built-in `FILE`")
	f.BoolVar(&c.nonCommercial, "accept-non-commercial", false, "I accept the licence of models that are not for commercial use")
	f.StringVar(&c.after, "after", afterKeep, "what becomes of the photos, `keep|delete`: deletes them for good, but only once they are indexed\n"+
		"and the page and the export are written; asks first. One that failed or changed stays")
	f.BoolVar(&c.yes, "yes", false, "do not ask before deleting photos or erasing the account")
	f.StringVar(&c.keys, "keys", "", "seal the account, or open a sealed one: `DIR` holds its key, wrapped by that of -key.\n"+
		"A plain account is sealed from then on. Without DIR and key nobody can read it, nor you")
	f.StringVar(&c.key, "key", "", "the `FILE` with the host key; not in DIR, and not where the account's backups are")
	f.StringVar(&c.newKey, "new-key", "", "make a host key in the new `FILE`, and nothing else")
	f.Bool("withdraw", false, "withdraw consent: erases faces, people and names; what else is known of photos stays")
	f.BoolVar(&c.keepNames, "keep-names", false, "with -withdraw: keep names and decisions, for if consent is given again")
	f.StringVar(&c.forget, "forget", "", "erase one `PERSON`, by exact name or id; the same photos do not bring them back")
	f.Bool("erase-account", false, "erase everything but the audit, and destroy the key; it asks first")
	f.Bool("audit", false, "print who did what and when, without anything personal, and verify the account")
	f.StringVar(&c.retain, "retain", "", "say how long data is kept: `CLASS=DAYS,...`, or CLASS=forever. Classes: faces, strangers (faces\n"+
		"of nobody named), vanished (photos whose files are gone), audit. -expire erases what is due")
	f.Bool("due", false, "print what -expire would erase, now and later")
	f.Bool("expire", false, "erase what is due")
	return f
}

// describe prints the flags by topic.
func describe(w io.Writer, f *flag.FlagSet) {
	for _, t := range topics {
		_, _ = fmt.Fprintf(w, "\n%s:\n", t.title)
		for _, name := range strings.Fields(t.flags) {
			fl := f.Lookup(name)
			value, text := flag.UnquoteUsage(fl)
			text = strings.ReplaceAll(text, "\n", "\n      ")
			if !slices.Contains([]string{"", "0", "false"}, fl.DefValue) {
				text += fmt.Sprintf(" (default %s)", fl.DefValue)
			}
			_, _ = fmt.Fprintf(w, "  %s\n      %s\n", strings.TrimSpace("-"+name+" "+value), text)
		}
	}
}

// complete checks what was asked for and fills in what follows from it. set
// names the flags that were given.
func (c *config) complete(folders, set []string) error {
	if err := c.chooseTask(folders, set); err != nil {
		return err
	}
	if c.db == "" {
		c.db = "kith.db"
		if c.demo {
			c.db = "kith-demo.db"
		}
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if c.regions != "" && c.gazetteer == "" {
		return errors.New("-regions goes with -places")
	}
	if c.json && c.export == "-" {
		return errors.New("-json and -export - both write to standard output")
	}
	if c.task != "" {
		c.html = ""
		return c.checkOutputs()
	}
	if err := c.checkRun(folders); err != nil {
		return err
	}
	if c.noFaces && !slices.Contains(set, "html") {
		c.html = ""
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

// checkRun checks what an indexing run goes by.
func (c *config) checkRun(folders []string) error {
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
	case c.noFaces && (c.demo || c.names || c.consent || c.after == afterDelete):
		return errors.New("-no-faces goes with none of -demo, -names, -consent and -after delete")
	case c.embeddings && c.export == "":
		return errors.New("-embeddings goes with -export")
	case c.after != afterKeep && c.after != afterDelete:
		return fmt.Errorf("-after is keep or delete, not %q", c.after)
	case c.demo && c.after == afterDelete:
		return errors.New("-after delete never goes with -demo")
	case c.keepNames:
		return errors.New("-keep-names goes with -withdraw")
	case c.yes && c.after != afterDelete:
		return errors.New("-yes goes with -after delete and -erase-account")
	}
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
		if out.flag == "-export" && c.exportsFolder() {
			files, err := os.ReadDir(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("-export %s: %w", out.path, err)
			}
			if len(files) > 0 {
				return fmt.Errorf("-export %s: there is something in the folder already; name a new or an empty one", out.path)
			}
		} else if st, err := os.Stat(path); err == nil && st.IsDir() {
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
