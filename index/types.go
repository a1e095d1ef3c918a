package index

import (
	"time"

	"github.com/kith-photos/kith/store"
)

// What an account holds is described by package store; these are its types
// under the door's name, so that a program needs one import.
type (
	Photo       = store.Photo
	Face        = store.Face
	Person      = store.Person
	Consent     = store.Consent
	Decision    = store.Decision
	PhotoID     = store.PhotoID
	FaceID      = store.FaceID
	PersonID    = store.PersonID
	DecisionID  = store.DecisionID
	PhotoQuery  = store.PhotoQuery
	FaceQuery   = store.FaceQuery
	PeopleQuery = store.PeopleQuery
	Which       = store.Which
	Event       = store.Event
	EventID     = store.EventID
)

// What became of a person; see store.EventKind.
const (
	EventNew       = store.EventNew
	EventGone      = store.EventGone
	EventRenamed   = store.EventRenamed
	EventFaces     = store.EventFaces
	EventIgnored   = store.EventIgnored
	EventUnignored = store.EventUnignored
	EventCover     = store.EventCover
	EventErased    = store.EventErased
)

// What a listing does with rows that it leaves out unless asked.
const (
	LeaveOut = store.LeaveOut
	Include  = store.Include
	Only     = store.Only
)

// ReindexOptions tune one Reindex. The zero value indexes everything that is
// new or changed, looks for faces, and regroups.
type ReindexOptions struct {
	// Source labels the folder that src shows. It is remembered, and another
	// label later is refused with ErrOtherSource: the photos of the first
	// folder would count as vanished. Empty: no check.
	Source string
	// Moved accepts another label than the one remembered: it is the same
	// folder under a new name.
	Moved bool
	// Force reads and analyses every photo again. Ids, people and decisions
	// stay.
	Force bool
	// NoFaces reads EXIF only; it needs neither analyzer nor consent.
	NoFaces bool
	// NoGroup leaves the people as they are; call Regroup later.
	NoGroup bool
	// KeepOriginals leaves the originals that are due where they are; call
	// DisposeOriginals later.
	KeepOriginals bool
	// AllowEmpty accepts a source without a single photo although the account
	// knows some; they are then taken as vanished.
	AllowEmpty bool
	// Progress is called as each phase begins and after every batch of photos
	// that was stored (32, or what two seconds brought), from one goroutine at
	// a time. It should return quickly.
	Progress func(Progress)
	// Failed is called for each photo that failed, from one goroutine at a
	// time. The same errors are counted in the report.
	Failed func(*PhotoError)
}

// Progress is how far a Reindex came.
type Progress struct {
	Phase   Phase
	Done    int // photos dealt with, failed ones included
	Total   int // photos to deal with
	Failed  int
	Faces   int
	Elapsed time.Duration // since the phase began
}

// Remaining estimates the time that is left of the phase, zero where nothing
// can be said yet.
func (p Progress) Remaining() time.Duration {
	if p.Done == 0 || p.Total <= p.Done {
		return 0
	}
	return time.Duration(float64(p.Elapsed) / float64(p.Done) * float64(p.Total-p.Done))
}

// Phase is what a Reindex is doing.
type Phase string

// The phases, in their order.
const (
	PhaseWalk    Phase = "walk"
	PhaseIndex   Phase = "index"
	PhaseGroup   Phase = "group"
	PhaseArrange Phase = "arrange" // into moments and places
	PhaseDone    Phase = "done"
)

// Report says what a Reindex or Regroup did.
type Report struct {
	Seen      int // photos found in the source
	Unchanged int // known, and not read again
	Indexed   int // read and looked at
	Moved     int // known under another name, by content
	Copied    int // copies of a known photo
	Vanished  int // no longer in the source, and left the account
	Failed    int // each was reported
	Erased    int // photos whose content was erased, and which were left out
	Disposed  int // originals that the Disposer deleted
	Ignored   int // files that are no photos, hidden ones included
	Faces     int // faces found in the photos indexed

	Grouping Grouping
	Elapsed  time.Duration
	// Work is the time spent in each stage, all workers together: "read",
	// "exif", "decode", "analyze", "commit", "group", "arrange".
	Work map[string]time.Duration
	// Decoders counts the photos decoded by what decoded them, such as
	// "libjpeg-turbo" or "image/jpeg". Nil: none were.
	Decoders map[string]int
}

// Grouping says what grouping the account's faces came to.
type Grouping struct {
	Faces      int
	People     int
	Unassigned int     // faces that kith abstained on
	Threshold  float64 // cosine similarity from which two faces are linked
}
