package index

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/when"
	"github.com/kith-photos/kith/store"
)

// Clock says by how much a camera's clock was wrong; see CorrectClock.
type Clock = store.Clock

// ClockEstimate is a correction of a camera's clock that the photos speak for.
type ClockEstimate struct {
	Clock
	// Basis says what was compared: "anchors", "gps" or "others".
	Basis string
	// Support of Of photos, or anchors, agree.
	Support, Of int
	// Spread: half of those that agree are nearer to it than this.
	Spread time.Duration
}

// SameMoment names two photos that show the same moment, the first by the camera
// whose clock is in question.
type SameMoment struct{ This, That PhotoID }

var errNoCamera = errors.New("index: a correction of a clock needs a camera")

// CorrectClock says that a camera's clock was wrong by so much, for all its
// photos on which it shows a time within [c.From, c.To): those that are known and
// those that will be. Photos are not changed; their times are worked out anew. A
// later correction prevails where two hold. It can be undone. What somebody
// said of a photo itself (CorrectTime) stays.
func (a *Account) CorrectClock(ctx context.Context, c Clock) (DecisionID, error) {
	if err := checkClock(c); err != nil {
		return "", err
	}
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return a.db.Decide(ctx, Decision{Kind: store.DecisionClock, Correction: &store.Correction{Clock: &c}}, store.Assignment{})
}

// maxClock is by how much a clock can be wrong: cameras that start at 1970 or
// 2000 are decades off.
const maxClock = 100 * 366 * 24 * time.Hour

func checkClock(c Clock) error {
	years := func(t time.Time) bool { return t.IsZero() || t.Year() >= 1800 && t.Year() <= 2999 }
	switch {
	case c.Camera == exif.Camera{}:
		return errNoCamera
	case !textual(c.Camera.Make) || !textual(c.Camera.Model) || !textual(c.Camera.Serial):
		return fmt.Errorf("index: the names of a camera are valid UTF-8 of at most %d bytes, without control characters", maxName)
	case !years(c.From) || !years(c.To):
		return errors.New("index: a correction of a clock is for readings from 1800 to 2999")
	case !c.From.IsZero() && !c.To.IsZero() && !c.From.Before(c.To):
		return errors.New("index: a correction of a clock ends before it begins")
	case c.By.Abs() > maxClock || c.By%time.Microsecond != 0:
		return errors.New("index: a clock is corrected by at most a hundred years, in whole microseconds")
	}
	return nil
}

// textual reports whether a text can be the name of a camera; see exif.Camera.
func textual(s string) bool {
	return len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// EstimateClock finds by how much a camera's clock was wrong between two of its
// readings (zero: open), and false where the photos do not tell: from pairs that
// show the same moment, or else from the GPS time stamps of its own photos, or
// else from the photos that other cameras took at the same events. It changes
// nothing: a correction is for somebody to make, with CorrectClock.
//
// Corrections of this camera that stand are left out of account; those of others
// hold.
func (a *Account) EstimateClock(ctx context.Context, camera exif.Camera, from, to time.Time, same ...SameMoment) (ClockEstimate, bool, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return ClockEstimate{}, false, err
	}
	defer done()
	if err := checkClock(Clock{Camera: camera, From: from, To: to}); err != nil {
		return ClockEstimate{}, false, err
	}
	want, _, _, err := a.arrangedBy(ctx)
	if err != nil {
		return ClockEstimate{}, false, err
	}
	g, err := a.gather(ctx, want, false)
	if err != nil {
		return ClockEstimate{}, false, err
	}
	anchors := make([]when.Anchor, 0, len(same))
	for _, s := range same {
		anchors = append(anchors, when.Anchor{This: string(s.This), That: string(s.That)})
	}
	e, ok := when.EstimateShift(g.evidence, cameraKey(camera), from, to, anchors, g.opt)
	if !ok {
		return ClockEstimate{}, false, nil
	}
	return ClockEstimate{
		Clock: Clock{Camera: camera, From: e.From, To: e.To, By: e.By.Round(time.Microsecond)},
		Basis: string(e.Basis), Support: e.Support, Of: e.Of, Spread: e.Spread,
	}, true, nil
}

// whenOptions are what the host and its people said of times.
func (a *Account) whenOptions(ctx context.Context, by arrangedBy, zones when.Zones) (when.Options, error) {
	opt := when.Options{Default: a.cfg.Zone, Now: a.cfg.Now()}
	if by.Zones {
		opt.Zones = zones
	}
	if opt.Default == nil && by.Zone != "" {
		if z, err := time.LoadLocation(by.Zone); err == nil { // a machine may know no zones
			opt.Default = z
		}
	}
	clocks, err := a.db.Clocks(ctx)
	for _, c := range clocks {
		opt.Shifts = append(opt.Shifts, when.Shift{Camera: cameraKey(c.Camera), From: c.From, To: c.To, By: c.By})
	}
	return opt, err
}

// cameraKey tells cameras apart; "" for an unknown one.
func cameraKey(c exif.Camera) string {
	if c == (exif.Camera{}) {
		return ""
	}
	return c.Make + "\x00" + c.Model + "\x00" + c.Serial
}
