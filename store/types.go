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

// EventID is an event's place in the order of events, from 1; it only grows.
type EventID int64

// Which says what a listing does with rows that it leaves out unless asked:
// ignored people, rejected faces.
type Which int

const (
	LeaveOut Which = iota // does not list them
	Include               // lists them among the others
	Only                  // lists nothing else
)

// cond is the condition on a listing's rows; is tells those it leaves out.
func (w Which) cond(is string) string {
	switch w {
	case Include:
		return "true"
	case Only:
		return is
	default:
		return "NOT (" + is + ")"
	}
}

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
	// Taken and GPS are what the file says, or what somebody said instead; what
	// follows from that and from other photos is a Shot.
	Taken     exif.Time
	TakenFrom exif.TimeSource // which of the file's times Taken is
	Fix       time.Time       // of the GPS receiver's time stamp, in UTC; zero: none
	GPS       *exif.GPS
	Camera    exif.Camera
	Burst     string // shared by the photos of one burst; empty: none
	Video     string // as in exif.Meta
	// Reader is the version of the rules by which the file's metadata was read;
	// see exif.Version.
	Reader int
	// Added is when this content was first recorded; PutPhotos gives it.
	Added time.Time
	// Vanished is since when the file has been missing; zero: it is there.
	Vanished time.Time
	// Disposed is when the original was deleted on purpose; zero: it was not.
	Disposed time.Time
	// Corrected says that somebody corrected Taken or GPS.
	Corrected bool
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
	Person    PersonID // empty: kith abstained, or it is rejected
	By        Origin
	// Rejected is the decision by which it is no face; empty: it is one.
	Rejected DecisionID
}

// Person is one person of the account.
type Person struct {
	ID      PersonID
	Name    string // empty until somebody names the person
	Faces   int
	Photos  int
	Cover   FaceID // the face to show: the best one, or the one chosen
	Created time.Time
	Ignored bool // nobody to be shown; listings leave the person out
	// CoverChosen says that somebody chose the cover, and that a better face
	// does not replace it.
	CoverChosen bool
}

// Space is a vector space: vectors of different spaces are never compared.
type Space struct {
	Name      string
	Dim       int
	Impostors face.Impostors // what Regroup needs when no model is at hand
}

// PurposeFaces is the purpose of consent that kith knows: finding, measuring
// and comparing faces.
const PurposeFaces = "faces"

// Consent is the record that allows, or no longer allows, work on faces.
type Consent struct {
	Given   bool
	Purpose string   // empty: PurposeFaces
	Person  PersonID // whose consent it is; empty: the account's owner's
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

// SameFace is the least IoU at which a box means the face of a FaceRef: what
// two detectors make of one face overlaps more, two people's faces less.
const SameFace = 0.4

// Best is the position of the box that r means among those of one photo with
// its content, or -1: the one of highest IoU, the first of equals.
func (r FaceRef) Best(n int, box func(int) face.Box) int {
	best, at := SameFace, -1
	for i := range n {
		if iou := box(i).IoU(r.Box); iou > best || at < 0 && iou == best {
			best, at = iou, i
		}
	}
	return at
}

// DecisionKind is what somebody said.
type DecisionKind string

const (
	DecisionName      DecisionKind = "name"       // this person is called so
	DecisionMerge     DecisionKind = "merge"      // these people are one
	DecisionSplit     DecisionKind = "split"      // these faces are another person
	DecisionSame      DecisionKind = "same"       // these faces are this person
	DecisionDifferent DecisionKind = "different"  // these people are two
	DecisionRemove    DecisionKind = "remove"     // these faces are not this person
	DecisionNotAFace  DecisionKind = "not-a-face" // these are no faces
	DecisionIgnore    DecisionKind = "ignore"     // this person is nobody to be shown
	DecisionUnignore  DecisionKind = "unignore"   // this person is to be shown again
	DecisionCover     DecisionKind = "cover"      // this face stands for its person
	DecisionTime      DecisionKind = "time"       // this photo was taken then
	DecisionPlace     DecisionKind = "place"      // this photo was taken there
	DecisionClock     DecisionKind = "clock"      // this camera's clock was wrong by so much
)

// Decision is one entry of the ledger. Entries are never changed; Undo
// revokes one, and a revoked one counts for nothing.
type Decision struct {
	ID   DecisionID
	Seq  int64 // order of entry, from 1
	Kind DecisionKind
	At   time.Time
	// Person is whom it speaks of: who stays in a merge, the new one of a
	// split, whom faces are given to, the first of two different ones. It is
	// empty for remove and not-a-face.
	Person PersonID
	// Other is who was merged in, whom faces were split or removed from, or
	// the second of two different ones; otherwise empty.
	Other   PersonID
	Name    string // name: the new name, which may be empty
	OldName string // name: the name before; merge: the merged person's name
	// Faces are those the decision speaks of. Name, merge, different, ignore
	// and unignore: all of Person's. Split, remove, same and not-a-face: the
	// faces chosen. Cover: the one chosen.
	Faces []FaceRef
	// Others are, for merge and different, Other's faces; for split and
	// remove, those that stay with Other; for same, those that Person had.
	Others []FaceRef
	// Before says whose the faces were that the decision moved.
	Before []Holder
	// Correction is what a decision about a photo's time or place says. Faces
	// then holds one reference, to the photo's content, without a box. One about
	// a camera's clock has none.
	Correction *Correction
	Revoked    *time.Time
	// RevokedAfter is the greatest Seq there was when it was revoked, 0 where
	// it stands. Unlike times it cannot go backwards.
	RevokedAfter int64
}

// Correction is what somebody said in place of what a photo says about itself,
// or what photos of a camera do.
type Correction struct {
	Taken *exif.Time // when it was taken; nil: nothing is said of it
	GPS   *exif.GPS  // where; nil: nowhere known, or nothing is said of it
	Clock *Clock     // of a decision of kind DecisionClock, which has no Faces
}

// Clock says by how much a camera's clock was wrong.
type Clock struct {
	Camera exif.Camera
	// From and To are readings of that clock, To excluded, with the location
	// UTC as in exif.Time; zero: from the beginning, or to the end.
	From, To time.Time
	By       time.Duration // what must be added to its reading, in microseconds
}

// Holder is who held some of a decision's faces before it.
type Holder struct {
	Person  PersonID  // empty: nobody
	Created time.Time // of the person; zero for nobody
	// Faces are positions in the decision's Faces, ascending; nil stands for
	// all that it moved, which are, in a merge, its Others.
	Faces []int
}

// EventKind is what happened to a person.
type EventKind string

const (
	EventNew       EventKind = "new"       // Person is there. Other: whom most of the faces came from, if anybody
	EventGone      EventKind = "gone"      // Person is no more. Other: whom most of the faces went to, if anybody
	EventRenamed   EventKind = "renamed"   // Person is called otherwise
	EventFaces     EventKind = "faces"     // faces joined Person, or left
	EventIgnored   EventKind = "ignored"   // Person is ignored
	EventUnignored EventKind = "unignored" // Person is no longer ignored
	EventCover     EventKind = "cover"     // Person has another cover, or none
	EventErased    EventKind = "erased"    // all biometric data is gone, and all events before
)

// Event is one change of a person. It holds no name: whoever follows reads
// the person, unless it is gone by then.
type Event struct {
	ID            EventID
	At            time.Time
	Kind          EventKind
	Person, Other PersonID
	// Joined and Left count faces: those of a new person, of a person that is
	// gone, or that joined and left one. Erased: Left counts all.
	Joined, Left int
}
