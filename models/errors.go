package models

import (
	"fmt"
	"strings"
)

// ChecksumError reports a file that is not the one that the manifest describes.
type ChecksumError struct {
	Artifact string // id
	Path     string

	WantSize, HaveSize int64  // bytes
	Want, Have         string // SHA-256 in hexadecimal; Have is empty if the size differs already
}

func (e *ChecksumError) Error() string {
	found := fmt.Sprintf("%d bytes with sha256 %s", e.HaveSize, e.Have)
	if e.Have == "" {
		found = fmt.Sprintf("%d bytes", e.HaveSize)
	}
	return fmt.Sprintf("models: %s is not %s: want %d bytes with sha256 %s, found %s; remove or replace it"+
		" (a runtime of your own is named with KITH_ORT_LIB)", e.Path, e.Artifact, e.WantSize, e.Want, found)
}

// LicenseError reports a model that may be used only after its licence was
// accepted with [Options].AcceptNonCommercial.
type LicenseError struct{ Artifact Artifact }

func (e *LicenseError) Error() string {
	l := e.Artifact.License
	return fmt.Sprintf("models: %s is under %s (%s), which does not allow commercial use: read %s and accept it (AcceptNonCommercial, -accept-non-commercial)",
		e.Artifact.ID, l.Name, l.SPDX, l.URL)
}

// PlatformError reports that the manifest has no runtime for a platform.
type PlatformError struct{ GOOS, GOARCH string }

func (e *PlatformError) Error() string {
	return fmt.Sprintf("models: no ONNX Runtime is listed for %s/%s: install one and set KITH_ORT_LIB to its shared library",
		e.GOOS, e.GOARCH)
}

// MissingError lists the artifacts that no directory holds. Its text tells a
// person what to put where.
type MissingError struct {
	Set       string     // empty if the artifacts belong to no set
	Artifacts []Artifact // each is needed
	Detectors []Artifact // one of them is needed; best first
	Dirs      []string   // where they were looked for
	OtherSets []string   // ids that could be used instead
}

func (e *MissingError) Error() string {
	var b strings.Builder
	b.WriteString("models: missing files")
	if e.Set != "" {
		fmt.Fprintf(&b, " of the set %q", e.Set)
	}
	b.WriteString(":\n")
	for _, a := range e.Artifacts {
		describe(&b, a)
	}
	if len(e.Detectors) > 1 {
		b.WriteString("one of these detectors, the best first:\n")
	}
	for _, a := range e.Detectors {
		describe(&b, a)
	}
	if len(e.Dirs) == 0 {
		b.WriteString("No directory was searched")
	} else {
		fmt.Fprintf(&b, "Searched: %s", strings.Join(e.Dirs, ", "))
	}
	b.WriteString("; KITH_MODELS adds directories.\n")
	b.WriteString("Put the files into one of them under these names")
	if e.Set != "" {
		b.WriteString(", or name a runtime of your own with KITH_ORT_LIB")
	}
	if len(e.OtherSets) > 0 {
		fmt.Fprintf(&b, ", or use another set: -models %s", strings.Join(e.OtherSets, ", -models "))
	}
	b.WriteString(".")
	return b.String()
}

func describe(b *strings.Builder, a Artifact) {
	fmt.Fprintf(b, "  %s (%s): %s, %d bytes, sha256 %s\n", a.ID, a.Task, a.File, a.Size, a.SHA256)
	for _, s := range a.Sources {
		fmt.Fprintf(b, "    %s\n", s)
	}
}

func setIDs(m Manifest) string { return strings.Join(otherSets(m, ""), ", ") }

// otherSets returns the ids of all sets but one.
func otherSets(m Manifest, but string) []string {
	var ids []string
	for _, s := range m.Sets {
		if s.ID != but {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
