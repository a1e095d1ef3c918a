package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models"
	"github.com/kith-photos/kith/models/modelstest"
)

// The test binary is also the program: scripts call it as reindex.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"reindex": main})
}

// TestScripts runs the scripts that need neither models nor photos.
func TestScripts(t *testing.T) {
	runScripts(t, testscript.Params{Dir: filepath.Join("testdata", "script")}, nil, nil)
}

// TestScriptsOnPhotos runs those that do.
func TestScriptsOnPhotos(t *testing.T) {
	inst, photos := modelstest.Require(t), modelstest.DemoPhotos(t)
	folders := strings.Join(foldersOf(inst), string(filepath.ListSeparator))
	dir := filepath.Join("testdata", "script", "photos")
	if testing.Short() { // models take minutes where the detector of races looks on
		runScripts(t, testscript.Params{Files: []string{filepath.Join(dir, "run.txtar"), filepath.Join(dir, "interrupt.txtar")}},
			photos, []string{"KITH_MODELS=" + folders})
		return
	}
	runScripts(t, testscript.Params{Dir: dir}, photos, []string{"KITH_MODELS=" + folders})
}

func runScripts(t *testing.T, p testscript.Params, photos, vars []string) {
	cache, err := models.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	vars = append(vars, "KITH_CACHE="+cache, "KITH_OFFLINE=1", "KITH_ORT_LIB="+os.Getenv("KITH_ORT_LIB"), "NL=\n", "ESC=\x1b")
	p.RequireUniqueNames = true
	p.Setup = func(env *testscript.Env) error {
		env.Vars = append(env.Vars, vars...)
		env.Values[varsKey{}] = slices.Clone(env.Vars)
		return nil
	}
	p.Cmds = map[string]func(*testscript.TestScript, bool, []string){
		"exits":      exits,
		"interrupt":  interrupt,
		"demophotos": demoPhotos(photos),
		"blank":      blank,
		"variants":   variants(photos),
		"tally":      tally,
		"hold":       hold,
		"callperson": callPerson,
		"private":    private,
		"jsonlines":  jsonLines,
		"exported":   exported,
		"standalone": standalone,
		"painted":    painted,
		"traces":     traces,
		"damage":     damage,
		"tamper":     tamper,
		"capture":    capture,
	}
	testscript.Run(t, p)
}

// varsKey is the key of a script's environment as it was at the start.
type varsKey struct{}

// foldersOf lists where an installation's files lie, so that the program under
// test finds them there too.
func foldersOf(inst models.Installation) []string {
	paths := []string{inst.Runtime, inst.Detector.Path, inst.Embedder.Path}
	if inst.Landmarker != nil {
		paths = append(paths, inst.Landmarker.Path)
	}
	for i, p := range paths {
		paths[i] = filepath.Dir(p)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// exits STATUS COMMAND... runs a command that must end with the status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	checkStatus(ts, args[0], ts.Exec(args[1], args[2:]...))
}

func checkStatus(ts *testscript.TestScript, want string, err error) {
	have := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		have = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(have) != want {
		ts.Fatalf("exit status %d, want %s", have, want)
	}
}

// interrupt DB N COMMAND... sends SIGINT when N photos are in the account; the
// command must then end with status 130.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt DB N COMMAND...")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = ts.Value(varsKey{}).([]string)
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.After(time.Minute)
	for {
		select {
		case err := <-ended:
			ts.Fatalf("the command ended before it could be interrupted: %v", err)
		case <-deadline:
			_ = cmd.Process.Kill()
			ts.Fatalf("no %d photos within a minute: %v", want, <-ended)
		case <-time.After(20 * time.Millisecond):
		}
		if n, err := countPhotos(ts, args[0]); err == nil && n >= want {
			break
		}
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	checkStatus(ts, "130", <-ended)
}

func countPhotos(ts *testscript.TestScript, db string) (n int, err error) {
	acc, err := index.Open(context.Background(), ts.MkAbs(db), index.Config{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer func() { _ = acc.Close() }()
	for _, err := range acc.Photos(context.Background(), index.PhotoQuery{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// tally DB prints what an account holds.
func tally(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tally DB")
	}
	ctx := context.Background()
	acc, err := index.Open(ctx, ts.MkAbs(args[0]), index.Config{ReadOnly: true})
	ts.Check(err)
	defer func() { _ = acc.Close() }()
	for err := range acc.Check(ctx) {
		ts.Fatalf("the account is damaged: %v", err)
	}
	photos, faces, people := 0, 0, 0
	for _, err := range acc.Photos(ctx, index.PhotoQuery{}) {
		ts.Check(err)
		photos++
	}
	for _, err := range acc.Faces(ctx, index.FaceQuery{}) {
		ts.Check(err)
		faces++
	}
	for _, err := range acc.People(ctx, index.PeopleQuery{}) {
		ts.Check(err)
		people++
	}
	consent, err := acc.Consent(ctx)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "photos %d\nfaces %d\npeople %d\nconsent %t %s\n",
		photos, faces, people, consent.Given, consent.Means)
	ts.Check(err)
}

// hold DB keeps an account open for writing until the script ends.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold DB")
	}
	acc, err := index.Open(context.Background(), ts.MkAbs(args[0]), index.Config{})
	ts.Check(err)
	ts.Defer(func() {
		if err := acc.Close(); err != nil {
			ts.Logf("close %s: %v", args[0], err)
		}
	})
}

// callperson DB NAME names the person with most faces.
func callPerson(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: callperson DB NAME")
	}
	acc, err := index.Open(context.Background(), ts.MkAbs(args[0]), index.Config{})
	ts.Check(err)
	defer func() { _ = acc.Close() }()
	for p, err := range acc.People(context.Background(), index.PeopleQuery{}) {
		ts.Check(err)
		_, err = acc.Name(context.Background(), p.ID, args[1])
		ts.Check(err)
		return
	}
	ts.Fatalf("nobody in %s", args[0])
}

// private FILE... checks that nobody but the owner may read the files.
func private(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: private FILE...")
	}
	for _, name := range args {
		st, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if mode := st.Mode().Perm(); mode != 0o600 {
			ts.Fatalf("%s has mode %o, want 600", name, mode)
		}
	}
}

// demophotos DIR NUMBER... copies demonstration photos, all six without a number.
func demoPhotos(photos []string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) == 0 {
			ts.Fatalf("usage: demophotos DIR NUMBER...")
		}
		ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
		for i, path := range photos {
			if len(args) > 1 && !slices.Contains(args[1:], strconv.Itoa(i+1)) {
				continue
			}
			ts.Check(copyFile(filepath.Join(ts.MkAbs(args[0]), filepath.Base(path)), path))
		}
	}
}

// blank makes photos that say nothing but their names: blank FILE...
func blank(ts *testscript.TestScript, neg bool, args []string) {
	for i, name := range args {
		img := image.NewGray(image.Rect(0, 0, 16, 16))
		img.Pix[0] = byte(i)
		f, err := os.Create(ts.MkAbs(name))
		ts.Check(err)
		ts.Check(errors.Join(png.Encode(f, img), f.Close()))
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // only read from
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
