package models

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	maxArtifactSize = 2 << 30 // bytes; the largest that is in use is below 300 MB
	maxSide         = 1 << 14 // pixels
	maxDim          = 1 << 14
)

var (
	idPattern       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	filePattern     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}$`)
	platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
	packagePattern  = regexp.MustCompile(`^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$`)
	versionPattern  = regexp.MustCompile(`^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$`)
)

// Validate checks the manifest and reports everything that is wrong with it.
func (m Manifest) Validate() error {
	var errs []error
	if m.Version != 1 {
		errs = append(errs, fmt.Errorf("version %d, want 1", m.Version))
	}
	tasks := make(map[string]string) // id -> task
	for i, a := range m.Artifacts {
		if _, twice := tasks[a.ID]; twice {
			errs = append(errs, fmt.Errorf("artifact %q appears twice", a.ID))
		}
		tasks[a.ID] = a.Task
		if err := a.validate(); err != nil {
			errs = append(errs, fmt.Errorf("artifact %d %q: %w", i, a.ID, err))
		}
	}
	seen := make(map[string]bool)
	for i, s := range m.Sets {
		if seen[s.ID] {
			errs = append(errs, fmt.Errorf("set %q appears twice", s.ID))
		}
		seen[s.ID] = true
		if err := s.validate(tasks); err != nil {
			errs = append(errs, fmt.Errorf("set %d %q: %w", i, s.ID, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("models: manifest: %w", err)
	}
	return nil
}

func (s Set) validate(tasks map[string]string) error {
	if !idPattern.MatchString(s.ID) {
		return errors.New("bad id")
	}
	if len(s.Detectors) == 0 {
		return errors.New("no detectors")
	}
	refs := []struct{ task, id string }{{TaskEmbedder, s.Embedder}}
	if s.Landmarker != "" {
		refs = append(refs, struct{ task, id string }{TaskLandmarker, s.Landmarker})
	}
	for _, id := range s.Detectors {
		refs = append(refs, struct{ task, id string }{TaskDetector, id})
	}
	for _, r := range refs {
		if tasks[r.id] != r.task {
			return fmt.Errorf("%q is not a %s of this manifest", r.id, r.task)
		}
	}
	return nil
}

func (a Artifact) validate() error {
	switch sum, err := hex.DecodeString(a.SHA256); {
	case !idPattern.MatchString(a.ID):
		return errors.New("bad id")
	case !filePattern.MatchString(a.File):
		return fmt.Errorf("file %q is not a plain base name", a.File)
	case err != nil || len(sum) != 32 || a.SHA256 != strings.ToLower(a.SHA256):
		return fmt.Errorf("sha256 %q is not 64 lower-case hexadecimal digits", a.SHA256)
	case a.Size <= 0 || a.Size > maxArtifactSize:
		return fmt.Errorf("size %d is outside 1..%d", a.Size, maxArtifactSize)
	case a.License.SPDX == "" || a.License.Name == "":
		return errors.New("license: spdx and name are needed")
	case len(a.Sources) == 0:
		return errors.New("no sources")
	}
	if err := a.validateTask(); err != nil {
		return err
	}
	for name, v := range a.Params {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("params: %s is not finite", name)
		}
	}
	for i, s := range a.Sources {
		if err := s.validate(); err != nil {
			return fmt.Errorf("source %d: %w", i, err)
		}
	}
	return nil
}

func (a Artifact) validateTask() error {
	switch a.Task {
	case TaskRuntime:
		if !platformPattern.MatchString(a.Platform) {
			return fmt.Errorf("platform %q is not os/arch", a.Platform)
		}
		return nil
	case TaskPhoto:
		return nil
	case TaskEmbedder:
		if a.Dim <= 0 || a.Dim > maxDim {
			return fmt.Errorf("dim %d is outside 1..%d", a.Dim, maxDim)
		}
		if a.Align == "" {
			return errors.New("align is needed")
		}
	case TaskDetector, TaskLandmarker:
	default:
		return fmt.Errorf("unknown task %q", a.Task)
	}
	if a.Kind == "" || a.Input == nil || len(a.Outputs) == 0 || slices.Contains(a.Outputs, "") {
		return errors.New("kind, input and named outputs are needed")
	}
	if err := a.Input.validate(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if a.Impostors != nil {
		if err := a.Impostors.validate(); err != nil {
			return fmt.Errorf("impostors: %w", err)
		}
	}
	return nil
}

func (in Input) validate() error {
	for _, n := range []int{in.Width, in.Height, in.Multiple, in.MaxSide} {
		if n < 0 || n > maxSide {
			return fmt.Errorf("%d pixels are outside 0..%d", n, maxSide)
		}
	}
	switch {
	case in.Name == "":
		return errors.New("no name")
	case !slices.Contains([]string{"RGB", "BGR", "GRAY"}, in.Color):
		return fmt.Errorf("unknown color %q", in.Color)
	case !slices.Contains([]string{"NCHW", "NHWC"}, in.Layout):
		return fmt.Errorf("unknown layout %q", in.Layout)
	case in.Scale == 0:
		return errors.New("scale is 0")
	case in.Mean < 0 || in.Mean > 255 || in.Fill < 0 || in.Fill > 255:
		return errors.New("mean or fill is outside 0..255")
	}
	return nil
}

func (s Source) validate() error {
	switch s.Type {
	case SourceHTTPS, SourceManual:
		u, err := url.Parse(s.URL)
		if err != nil {
			return fmt.Errorf("url: %w", err)
		}
		if u.Scheme != "https" || u.Host == "" || u.User != nil {
			return fmt.Errorf("url %q is not https://host/path", s.URL)
		}
	case SourceNPM:
		// The name and version become an argument of npm: they must not be
		// able to name a tag, a range, a file, a git address or an option.
		switch {
		case !packagePattern.MatchString(s.Package):
			return fmt.Errorf("package %q is not a package name", s.Package)
		case !versionPattern.MatchString(s.Version):
			return fmt.Errorf("version %q is not exact", s.Version)
		case s.Path == "" || s.Path == "." || path.IsAbs(s.Path) || path.Clean(s.Path) != s.Path || strings.HasPrefix(s.Path, ".."):
			return fmt.Errorf("path %q is not clean and relative", s.Path)
		}
	default:
		return fmt.Errorf("unknown type %q", s.Type)
	}
	return nil
}
