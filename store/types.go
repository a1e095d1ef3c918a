package store

import (
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// The ids are random and mean nothing outside the account: 26 lower-case
// characters of base32 (128 bits), never derived from content or centroid.
type (
	PhotoID    string
	FaceID     string
	PersonID   string
	DecisionID string
)

// Status says how far a photo came. "No faces" (StatusOK with none) and
// "failed" are different facts.
type Status string

const (
	StatusOK      Status = "ok"      // read, and looked at for faces
	StatusPending Status = "pending" // read; not looked at for faces yet
	StatusFailed  Status = "failed"  // see Stage and Error
)

// Photo is one file of the library.
type Photo struct {
	ID          PhotoID
	Path        string // as the file system gave it, slash-separated; may hold any byte but NUL
	Size        int64  // bytes
	ModTime     time.Time
	SHA256      [32]byte // of the content; zero where it could not be read
	Width       int      // pixels of the upright photo
	Height      int
	Orientation int // EXIF, 1 to 8; 0 where absent
	Status      Status
	Stage       string // where it failed: "read", "decode", "analyze"; empty otherwise
	Error       string // what failed, in words; empty otherwise
	Warning     string // a lesser fault, such as EXIF that could not be read
	// Analyzer names what looked for faces, "" where nothing has: the vector
	// space. The detector is remembered per face.
	Analyzer string
	Taken    exif.Time
	GPS      *exif.GPS
	Camera   exif.Camera
}

// Origin says why a face is with its person.
type Origin string

const (
	ByGroup    Origin = "group"    // grouping by similarity
	ByDecision Origin = "decision" // somebody said so
	ByImport   Origin = "import"
	ByNone     Origin = "" // it is with nobody
)

// Face is one face of a photo as the account knows it, without its vector.
type Face struct {
	ID        FaceID
	Photo     PhotoID
	Box       face.Box
	Landmarks face.Landmarks
	Score     float64
	Quality   float64
	Detector  string
	Person    PersonID // empty: kith abstained
	By        Origin
}

// Person is one person of the account.
type Person struct {
	ID      PersonID
	Name    string // empty until somebody names the person
	Faces   int
	Photos  int
	Cover   FaceID // the face to show: the best one, or the one chosen
	Created time.Time
}

// Space is a vector space: vectors of different spaces are never compared.
type Space struct {
	Name      string
	Dim       int
	Impostors face.Impostors // what Regroup needs when no model is at hand
}

// Consent is the record that allows, or no longer allows, work on faces.
type Consent struct {
	Given   bool
	At      time.Time
	By      string // who gave it, as the host calls them
	Version string // of the text that was shown
	Means   string // how: "terminal", "flag", "host"
}

// FaceRef names a face so that the reference survives re-detection, a moved
// file and another model: by the photo's content and the box.
type FaceRef struct {
	SHA256 [32]byte
	Box    face.Box
}

// DecisionKind is what somebody said.
type DecisionKind string

const (
	DecisionName  DecisionKind = "name"  // this person is called so
	DecisionMerge DecisionKind = "merge" // these people are one
	DecisionSplit DecisionKind = "split" // these faces are another person
)

// Decision is one entry of the ledger. Entries are never changed; Undo
// revokes one, and a revoked one counts for nothing.
type Decision struct {
	ID      DecisionID
	Seq     int64 // order of entry, from 1
	Kind    DecisionKind
	At      time.Time
	Person  PersonID // the person named, the one that stays in a merge, the new one of a split
	Other   PersonID // merge: the person that was merged in; split: the one it was taken from
	Name    string   // name: the new name, which may be empty
	OldName string   // name: the name before; merge: the merged person's name
	// Faces are the faces the decision speaks of: name and merge: all of the
	// person's; split: those that leave. Others are, for a merge, the faces
	// that came from Other, and for a split, those that stay.
	Faces   []FaceRef
	Others  []FaceRef
	Revoked *time.Time
}
