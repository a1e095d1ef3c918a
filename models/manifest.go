// Package models says which files a face pipeline needs, under which licence
// and how each network is fed, and finds verified copies of them on disk.
//
// The package reads files and nothing else: it links no network code and starts
// no process. Package models/fetch brings what is missing. No weights are part
// of this module.
//
// A file is taken only if its size and its SHA-256 are those of the manifest.
// The check says that the file was right when it was looked at; who can write
// to the directories can still exchange it before it is loaded.
package models

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The tasks that an [Artifact] can have.
const (
	TaskRuntime    = "runtime"    // ONNX Runtime as a shared library
	TaskDetector   = "detector"   // image -> face boxes
	TaskLandmarker = "landmarker" // face crop -> landmarks
	TaskEmbedder   = "embedder"   // aligned crop -> vector
	TaskPhoto      = "photo"      // a photo of the demonstration album
)

// DefaultSet is the id of the [Set] that is used when none is named.
const DefaultSet = "default"

// Manifest describes artifacts and the sets that are made of them.
type Manifest struct {
	Version   int        `json:"version"` // of the format: 1
	Artifacts []Artifact `json:"artifacts"`
	Sets      []Set      `json:"sets"`
}

// Artifact is one file: a shared library, the weights of a network or a photo.
type Artifact struct {
	ID   string `json:"id"`   // unique; lower-case letters, digits, '.', '_', '-'
	Task string `json:"task"` // one of the Task constants
	File string `json:"file"` // base name

	// Kind names the family that knows what the outputs mean: "yunet",
	// "ultraface", "landmark68", "arcface". Empty for a runtime and a photo.
	Kind     string `json:"kind,omitempty"`
	Platform string `json:"platform,omitempty"` // of a runtime: "linux/amd64"
	Version  string `json:"version,omitempty"`

	Size    int64   `json:"size"`   // bytes
	SHA256  string  `json:"sha256"` // 64 lower-case hexadecimal digits
	License License `json:"license"`

	Input   *Input   `json:"input,omitempty"`   // nil for a runtime and a photo
	Outputs []string `json:"outputs,omitempty"` // names, in the order that the family expects
	Dim     int      `json:"dim,omitempty"`     // of an embedder: length of the vector

	// Align is the crop that an embedder expects: "arcface-112" is 112x112
	// pixels with the five points where ArcFace (Deng et al., 2019) has them.
	Align string `json:"align,omitempty"`

	// Params are the numbers of the family: thresholds ("score", "iou",
	// "cosine"), shares and ratios. The family documents them.
	Params map[string]float64 `json:"params,omitempty"`

	// Impostors is the measured tail of an embedder that a user's own manifest
	// brings along; see [Artifact.Tail].
	Impostors *Tail `json:"impostors,omitempty"`

	Sources []Source `json:"sources"` // in the order in which they are tried
}

// License says what the licence of a file is and whether it allows commercial use.
type License struct {
	SPDX       string `json:"spdx"` // SPDX identifier, or LicenseRef-...
	Name       string `json:"name"`
	URL        string `json:"url"`
	Commercial bool   `json:"commercial"`
	Note       string `json:"note,omitempty"`
}

// Input says how the one input of a network is filled from 8-bit pixels:
// each value is (v - Mean) * Scale.
type Input struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`  // pixels; 0 = free
	Height int    `json:"height"` // pixels; 0 = free

	Multiple int `json:"multiple,omitempty"` // free sides are padded to a multiple of it
	MaxSide  int `json:"max_side,omitempty"` // the longer side of the image is scaled down to it; 0 = no limit

	Color  string  `json:"color"`  // order of the planes: "RGB", "BGR" or "GRAY"
	Mean   float32 `json:"mean"`   // 0..255
	Scale  float32 `json:"scale"`  // not 0
	Fill   float32 `json:"fill"`   // value of the padding before Mean and Scale, 0..255
	Layout string  `json:"layout"` // "NCHW" or "NHWC"
}

// The types of a [Source].
const (
	SourceHTTPS  = "https"  // URL is the file itself
	SourceNPM    = "npm"    // Path inside the package Package@Version
	SourceManual = "manual" // URL is a page for a person; nothing is fetched from it
)

// Source says where an artifact can be had.
type Source struct {
	Type    string `json:"type"` // one of the Source constants
	URL     string `json:"url,omitempty"`
	Package string `json:"package,omitempty"`
	Version string `json:"version,omitempty"` // exact
	Path    string `json:"path,omitempty"`    // slash-separated, relative to the package's root
}

// String describes the source in one line.
func (s Source) String() string {
	switch s.Type {
	case SourceNPM:
		return fmt.Sprintf("npm package %s@%s, file %s", s.Package, s.Version, s.Path)
	case SourceManual:
		return "by hand from " + s.URL
	default:
		return s.URL
	}
}

// Set is a combination of networks that work together. Vectors of different
// embedders cannot be compared, so a set has exactly one.
type Set struct {
	ID         string   `json:"id"`
	About      string   `json:"about"`
	Detectors  []string `json:"detectors"`            // ids in order of preference; one is used
	Landmarker string   `json:"landmarker,omitempty"` // empty: the detector's own points are used
	Embedder   string   `json:"embedder"`
}

//go:embed manifest.json
var manifestJSON string

// Default returns the manifest that is built into the package.
func Default() (Manifest, error) { return Parse([]byte(manifestJSON)) }

// maxManifest bounds what Parse reads; the built-in manifest is below 20 kB.
const maxManifest = 1 << 20

// Parse decodes and validates a manifest. Unknown fields, anything after the
// JSON value and more than 1 MiB are errors.
func Parse(data []byte) (Manifest, error) {
	if len(data) > maxManifest {
		return Manifest{}, fmt.Errorf("models: manifest of %d bytes, limit is %d", len(data), maxManifest)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("models: manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Manifest{}, errors.New("models: manifest: data after the JSON value")
	}
	if err := m.Validate(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// Artifact returns the artifact with this id.
func (m Manifest) Artifact(id string) (Artifact, bool) {
	return find(m.Artifacts, func(a Artifact) bool { return a.ID == id })
}

// Set returns the set with this id.
func (m Manifest) Set(id string) (Set, bool) {
	return find(m.Sets, func(s Set) bool { return s.ID == id })
}

// Runtime returns the first runtime for this operating system and architecture,
// named as in package runtime.
func (m Manifest) Runtime(goos, goarch string) (Artifact, bool) {
	return find(m.Artifacts, func(a Artifact) bool {
		return a.Task == TaskRuntime && a.Platform == goos+"/"+goarch
	})
}

// Photos returns the photos of the demonstration album.
func (m Manifest) Photos() []Artifact {
	return slices.DeleteFunc(slices.Clone(m.Artifacts), func(a Artifact) bool { return a.Task != TaskPhoto })
}

func find[T any](list []T, match func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, match); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}
