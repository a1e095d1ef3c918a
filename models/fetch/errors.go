package fetch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kith-photos/kith/models"
)

// ErrNoNPM says that a source needs npm and that there is none on this machine.
var ErrNoNPM = errors.New("npm was not found")

var (
	errByHand   = errors.New("this file has to be fetched by hand")
	errPackage  = errors.New("not a package that npm made")
	errStalled  = errors.New("no data within the stall time-out")
	errRestart  = errors.New("the server does not continue the download")
	errInsecure = errors.New("redirected away from https")
)

// Error reports the artifacts that could not be had. Its text lists why each
// source failed and what a person can do.
type Error struct {
	Set      string // empty if the artifacts belong to no set
	Failures []Failure
}

// Failure is one artifact and what became of its sources.
type Failure struct {
	Artifact models.Artifact
	Attempts []Attempt // in the order in which they were made
}

// Attempt is one source that failed.
type Attempt struct {
	Source models.Source
	Err    error
}

// Unwrap returns the errors of all attempts.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, f := range e.Failures {
		for _, a := range f.Attempts {
			errs = append(errs, a.Err)
		}
	}
	return errs
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("fetch: could not get")
	if e.Set != "" {
		fmt.Fprintf(&b, " all files of the set %q", e.Set)
	} else {
		b.WriteString(" all files")
	}
	b.WriteString(":\n")
	for _, f := range e.Failures {
		a := f.Artifact
		fmt.Fprintf(&b, "  %s (%s): %s, %d bytes, sha256 %s\n", a.ID, a.Task, a.File, a.Size, a.SHA256)
		for _, try := range f.Attempts {
			fmt.Fprintf(&b, "    %s: %v\n", try.Source, try.Err)
		}
	}
	if errors.Is(e, ErrNoNPM) {
		b.WriteString("npm comes with Node.js. ")
		if e.Set == models.DefaultSet {
			b.WriteString("Without it: -models opencv takes its networks over https. ")
		}
	}
	b.WriteString("Files that you got in another way go into a directory that KITH_MODELS names")
	if e.Set != "" {
		b.WriteString("; KITH_ORT_LIB names an ONNX Runtime of your own")
	}
	b.WriteString(".")
	return b.String()
}
