package nearby

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed: the bytes are not what this version writes.
	ErrMalformed = errors.New("nearby: malformed message")
	// ErrForeign: the message is for somebody else, or not for this step.
	ErrForeign = errors.New("nearby: message is not for this pair")
	// ErrForged: the message was not written by the other side as it is.
	ErrForged = errors.New("nearby: message fails authentication")
	// ErrReplayed: the message was opened before, or is older than the last
	// 1,024. It says nothing new and can be dropped.
	ErrReplayed = errors.New("nearby: message was opened before")
	// ErrNotOver: the day is not over (see Day.Over).
	ErrNotOver = errors.New("nearby: the day is not over")
	// ErrOtherRound: the message is of another day, or answers another batch.
	ErrOtherRound = errors.New("nearby: message belongs to another round")
	// ErrAsked: the other side has asked about this day before, and otherwise.
	ErrAsked = errors.New("nearby: the day was asked about before")
	// ErrClosed: the round is closed, and its secrets are gone.
	ErrClosed = errors.New("nearby: the round is closed")
	// ErrState: the bytes are not a state that this version wrote.
	ErrState = errors.New("nearby: malformed state")
)

// VersionError is a message of a version that this program does not know.
type VersionError struct{ Have, Want byte }

func (e *VersionError) Error() string {
	return fmt.Sprintf("nearby: message of version %d, want %d", e.Have, e.Want)
}
