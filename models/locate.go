package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Options say which set is wanted and where to look for its files. The zero
// value asks for the default set and looks nowhere; see [FromEnv].
type Options struct {
	Set      string   // "" = [DefaultSet]
	Dirs     []string // searched in order
	Runtime  string   // path of a runtime that is taken as it is; "" = the manifest's
	Detector string   // "" = the first of the set's detectors that is there; else this id

	// AcceptNonCommercial states that the licences of non-commercial models
	// were read and accepted.
	AcceptNonCommercial bool
}

// FromEnv returns the options that the environment asks for: Dirs are those of
// KITH_MODELS (a list like PATH) followed by [CacheDir], Runtime is KITH_ORT_LIB.
func FromEnv() Options {
	opt := Options{Dirs: EnvDirs(), Runtime: os.Getenv("KITH_ORT_LIB")}
	if cache, err := CacheDir(); err == nil {
		opt.Dirs = append(opt.Dirs, cache)
	}
	return opt
}

// EnvDirs returns the directories that KITH_MODELS names.
func EnvDirs() []string {
	dirs := filepath.SplitList(os.Getenv("KITH_MODELS"))
	return slices.DeleteFunc(dirs, func(d string) bool { return d == "" })
}

// CacheDir is where package models/fetch puts files: KITH_CACHE, or
// kith/models in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv("KITH_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("models: no cache directory, set KITH_CACHE: %w", err)
	}
	return filepath.Join(dir, "kith", "models"), nil
}

// Model is an artifact and the verified file that holds it.
type Model struct {
	Artifact
	Path string
}

// Installation is a complete set: everything that an analyzer loads.
type Installation struct {
	Set        string // id
	Runtime    string // path of the shared library
	Detector   Model
	Landmarker *Model // nil: the detector's own points are used
	Embedder   Model
}

// Plan is what [Options] ask for, as artifacts.
type Plan struct {
	Set        Set
	Runtime    *Artifact  // nil: Options name the library
	Detectors  []Artifact // one of them is needed, best first
	Landmarker *Artifact  // nil: none is needed
	Embedder   Artifact
}

// Required returns the artifacts of the plan that nothing can stand in for:
// all but the detectors.
func (p Plan) Required() []Artifact {
	list := []Artifact{p.Embedder}
	if p.Landmarker != nil {
		list = append(list, *p.Landmarker)
	}
	if p.Runtime != nil {
		list = append(list, *p.Runtime)
	}
	return list
}

// Resolve finds out which artifacts the options ask for, without looking at any
// file. It fails with a *[LicenseError] if a licence has to be accepted first
// and with a *[PlatformError] if the manifest has no runtime for this platform.
// Of several detectors, those whose licence is not accepted are left out.
func Resolve(m Manifest, opt Options) (Plan, error) {
	id := opt.Set
	if id == "" {
		id = DefaultSet
	}
	set, ok := m.Set(id)
	if !ok {
		return Plan{}, fmt.Errorf("models: unknown set %q; the manifest has %s", id, setIDs(m))
	}
	p := Plan{Set: set}
	if opt.Detector != "" {
		set.Detectors = []string{opt.Detector}
	}
	var err error
	for _, id := range set.Detectors {
		a, aerr := pick(m, opt, id, TaskDetector)
		if aerr != nil {
			err = errors.Join(err, aerr)
			continue
		}
		p.Detectors = append(p.Detectors, a)
	}
	if len(p.Detectors) == 0 {
		return Plan{}, err
	}
	if p.Embedder, err = pick(m, opt, set.Embedder, TaskEmbedder); err != nil {
		return Plan{}, err
	}
	if set.Landmarker != "" {
		a, err := pick(m, opt, set.Landmarker, TaskLandmarker)
		if err != nil {
			return Plan{}, err
		}
		p.Landmarker = &a
	}
	if opt.Runtime == "" {
		a, ok := m.Runtime(runtime.GOOS, runtime.GOARCH)
		if !ok {
			return Plan{}, &PlatformError{GOOS: runtime.GOOS, GOARCH: runtime.GOARCH}
		}
		p.Runtime = &a
	}
	return p, nil
}

func pick(m Manifest, opt Options, id, task string) (Artifact, error) {
	a, ok := m.Artifact(id)
	if !ok || a.Task != task {
		return Artifact{}, fmt.Errorf("models: %q is not a %s of the manifest", id, task)
	}
	if !a.License.Commercial && !opt.AcceptNonCommercial {
		return Artifact{}, &LicenseError{Artifact: a}
	}
	return a, nil
}

// Locate finds the files of a set. In each directory d it looks for d/File and
// d/ID/File (the layout of the cache); the first directory that has the file
// decides.
//
// Everything is hashed on each call. A file with the right name and other
// content is refused with a *[ChecksumError] and never passed over in silence;
// absent files are reported together in a *[MissingError]. A runtime that the
// options name must exist and is not checked further.
func Locate(m Manifest, opt Options) (Installation, error) {
	p, err := Resolve(m, opt)
	if err != nil {
		return Installation{}, err
	}
	inst := Installation{Set: p.Set.ID, Runtime: opt.Runtime}
	if opt.Runtime != "" {
		if err := checkNamedRuntime(opt.Runtime); err != nil {
			return Installation{}, err
		}
	}

	missing := &MissingError{Set: p.Set.ID, Dirs: opt.Dirs}
	for _, a := range p.Required() {
		path, err := Find(a, opt.Dirs)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing.Artifacts = append(missing.Artifacts, a)
			continue
		case err != nil:
			return Installation{}, err
		}
		switch a.Task {
		case TaskRuntime:
			inst.Runtime = path
		case TaskLandmarker:
			inst.Landmarker = &Model{a, path}
		case TaskEmbedder:
			inst.Embedder = Model{a, path}
		}
	}
	inst.Detector, err = FindFirst(p.Detectors, opt.Dirs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		missing.Detectors = p.Detectors
	case err != nil:
		return Installation{}, err
	}
	if len(missing.Artifacts) > 0 || len(missing.Detectors) > 0 {
		missing.OtherSets = otherSets(m, p.Set.ID)
		return Installation{}, missing
	}
	return inst, nil
}

// checkNamedRuntime looks only whether there is a file: it is the host's own.
func checkNamedRuntime(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("models: the named runtime (KITH_ORT_LIB): %w", err)
	}
	if info.IsDir() {
		return fmt.Errorf("models: the named runtime (KITH_ORT_LIB): %s is a directory", path)
	}
	return nil
}

// FindFirst returns the first of the artifacts that [Find] finds.
func FindFirst(list []Artifact, dirs []string) (Model, error) {
	for _, a := range list {
		path, err := Find(a, dirs)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return Model{a, path}, err
	}
	return Model{}, fmt.Errorf("models: none of %d artifacts found: %w", len(list), fs.ErrNotExist)
}

// Find returns the path of the verified file of one artifact. The error is an
// [fs.ErrNotExist] if no directory has it and a *[ChecksumError] if the first
// that has it holds something else.
func Find(a Artifact, dirs []string) (string, error) {
	for _, dir := range dirs {
		for _, path := range []string{filepath.Join(dir, a.File), filepath.Join(dir, a.ID, a.File)} {
			err := Verify(a, path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return path, err
		}
	}
	return "", fmt.Errorf("models: %s: %s in %d directories: %w", a.ID, a.File, len(dirs), fs.ErrNotExist)
}

// Verify checks the size and the SHA-256 of a file against the artifact's. The
// error is a *[ChecksumError] if they differ.
func Verify(a Artifact, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("models: %s: %w", a.ID, err)
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("models: %s: %w", a.ID, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("models: %s: %s is not a regular file", a.ID, path)
	}
	bad := &ChecksumError{Artifact: a.ID, Path: path, WantSize: a.Size, HaveSize: info.Size(), Want: a.SHA256}
	if info.Size() != a.Size {
		return bad
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, a.Size)); err != nil {
		return fmt.Errorf("models: %s: read %s: %w", a.ID, path, err)
	}
	if bad.Have = hex.EncodeToString(h.Sum(nil)); bad.Have != a.SHA256 {
		return bad
	}
	return nil
}
