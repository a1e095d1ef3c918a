package index

import (
	"errors"
	"fmt"

	"github.com/kith-photos/kith/store"
)

// What can go wrong, for errors.Is. Those of the file come from package store.
var (
	ErrClosed       = store.ErrClosed
	ErrNotFound     = store.ErrNotFound
	ErrBusy         = store.ErrBusy
	ErrReadOnly     = store.ErrReadOnly
	ErrFull         = store.ErrFull
	ErrWrongAccount = store.ErrWrongAccount

	ErrErased   = store.ErrErased
	ErrNoKey    = store.ErrNoKey
	ErrWrongKey = store.ErrWrongKey

	// ErrRestricted: nothing may be processed until the restriction is lifted.
	ErrRestricted = errors.New("the account is restricted")
	// ErrDeleted: the account is deleted, and can be restored for some time.
	ErrDeleted = errors.New("the account is deleted")
	// ErrTombstone: the photo's content was erased, and is not to come back.
	ErrTombstone = errors.New("the photo was erased on request")
	// ErrInterrupted is what a Reindex returns that an erasure or another
	// request stopped. What it did is kept; another one goes on.
	ErrInterrupted = errors.New("stopped for a request of the account's owner")
	// ErrClock: the clock shows an earlier time than the audit's last entry.
	ErrClock         = errors.New("the clock was set back")
	ErrNoConsent     = errors.New("nobody has consented to face recognition in this account")
	ErrNoAnalyzer    = errors.New("no analyzer: the account was opened without models")
	ErrModelMismatch = errors.New("the analyzer's vectors do not fit their space")
	ErrNoFace        = errors.New("no face in the photo")
	ErrTooLarge      = errors.New("too large")
	ErrFormat        = errors.New("not a photo format that can be read")
	// ErrNothingFound guards against an unmounted disk: the source holds no
	// photo at all, and the account knows some.
	ErrNothingFound = errors.New("no photo found where the account knows some")
	// ErrOtherSource guards against mixing two folders in one account.
	ErrOtherSource = errors.New("the account was made from another folder")
)

// Stages of a photo's way into the account, as *PhotoError and Photo.Stage
// have them.
const (
	StageWalk    = "walk"    // a folder or link could not be followed
	StageRead    = "read"    // the file could not be read
	StageDispose = "dispose" // it was processed, and its original could not be deleted
	StageDecode  = "decode"  // its bytes are no photo
	StageAnalyze = "analyze" // a model failed on it
)

// PhotoError is one photo that failed. The run goes on without it.
type PhotoError struct {
	Path  string // as the source names it
	Stage string // one of the Stage constants
	Err   error
}

func (e *PhotoError) Error() string { return fmt.Sprintf("%q: %s: %v", e.Path, e.Stage, e.Err) }
func (e *PhotoError) Unwrap() error { return e.Err }
