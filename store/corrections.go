package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kith-photos/kith/exif"
)

// A correction is a decision about a photo's content. The photo's columns hold
// what is true now; what its file says is kept in the column original for as
// long as a correction stands, which is as long as undoing it takes.

// takenJSON and spotJSON are a time and a place in the file.
type takenJSON struct {
	Wall   time.Time       `json:"wall"`
	Offset int64           `json:"offset"` // seconds
	Zone   exif.ZoneSource `json:"zone"`
}

type spotJSON struct {
	Lat, Lon float64
	Alt      *float64 `json:",omitempty"`
	Accuracy float64  `json:",omitempty"`
	Datum    string   `json:",omitempty"`
	Stale    bool     `json:",omitempty"`
}

type correctionJSON struct {
	Taken *takenJSON `json:"taken,omitempty"`
	Spot  *spotJSON  `json:"spot,omitempty"`
	Clock *clockJSON `json:"clock,omitempty"`
}

type clockJSON struct {
	Camera   exif.Camera `json:"camera"`
	From, To *time.Time  `json:",omitempty"`
	By       int64       `json:"by"` // microseconds
}

func jsonClock(c *Clock) *clockJSON {
	if c == nil {
		return nil
	}
	j := &clockJSON{Camera: c.Camera, By: c.By.Microseconds()}
	if !c.From.IsZero() {
		j.From = new(c.From.UTC())
	}
	if !c.To.IsZero() {
		j.To = new(c.To.UTC())
	}
	return j
}

func (j *clockJSON) clock() *Clock {
	if j == nil {
		return nil
	}
	c := &Clock{Camera: j.Camera, By: time.Duration(j.By) * time.Microsecond}
	if j.From != nil {
		c.From = *j.From
	}
	if j.To != nil {
		c.To = *j.To
	}
	return c
}

func jsonTaken(t *exif.Time) *takenJSON {
	if t == nil {
		return nil
	}
	return &takenJSON{t.Wall.UTC(), int64(t.Offset / time.Second), t.Zone}
}

func (j *takenJSON) time() *exif.Time {
	if j == nil {
		return nil
	}
	return &exif.Time{Wall: j.Wall.UTC(), Offset: time.Duration(j.Offset) * time.Second, Zone: j.Zone}
}

func jsonSpot(g *exif.GPS) *spotJSON {
	if g == nil {
		return nil
	}
	return new(spotJSON(*g))
}

func (j *spotJSON) gps() *exif.GPS {
	if j == nil {
		return nil
	}
	return new(exif.GPS(*j))
}

// packCorrection returns "" for none.
func packCorrection(c *Correction) (string, error) {
	if c == nil {
		return "", nil
	}
	if g := c.GPS; g != nil && (!finite(g.Lat, g.Lon) || g.Alt != nil && !finite(*g.Alt)) {
		return "", errors.New("position is not finite")
	}
	b, err := json.Marshal(correctionJSON{jsonTaken(c.Taken), jsonSpot(c.GPS), jsonClock(c.Clock)})
	return string(b), err
}

func unpackCorrection(s string) (*Correction, error) {
	if s == "" {
		return nil, nil
	}
	var j correctionJSON
	if err := json.Unmarshal([]byte(s), &j); err != nil {
		return nil, fmt.Errorf("correction: %w", err)
	}
	return &Correction{Taken: j.Taken.time(), GPS: j.Spot.gps(), Clock: j.Clock.clock()}, nil
}

// corrects reports whether a decision is about a photo's time or place.
func (d *Decision) corrects() bool { return d.Kind == DecisionTime || d.Kind == DecisionPlace }

// checkCorrection refuses a correction of anything but one photo, or one camera.
// One that was taken back says nothing any more.
func (d *Decision) checkCorrection() error {
	if d.Kind == DecisionClock {
		if len(d.Faces) != 0 || (d.Correction == nil) != (d.Revoked != nil) || d.Correction != nil && d.Correction.Clock == nil {
			return errors.New("a correction of a clock is of no photo, and says something while it stands")
		}
		return nil
	}
	if !d.corrects() {
		return nil
	}
	if len(d.Faces) != 1 || (d.Correction == nil) != (d.Revoked != nil) {
		return errors.New("a correction is of one photo, and says something while it stands")
	}
	return nil
}

// standing lists the corrections that stand of each content, in their order.
func (db *DB) standing(ctx context.Context, q querier) (map[[32]byte][]Decision, error) {
	found := map[[32]byte][]Decision{}
	err := each(ctx, q, decisionSelect+" WHERE kind IN (?, ?) AND revoked IS NULL ORDER BY seq",
		[]any{string(DecisionTime), string(DecisionPlace)}, func(rows *sql.Rows) error {
			d, err := db.scanDecision(rows)
			if err == nil {
				found[d.Faces[0].SHA256] = append(found[d.Faces[0].SHA256], d)
			}
			return err
		})
	return found, err
}

// applyTo makes a photo what the corrections say.
func applyTo(p *Photo, ds []Decision) {
	for _, d := range ds {
		switch d.Kind {
		case DecisionTime:
			p.Taken = exif.Time{}
			if t := d.Correction.Taken; t != nil {
				p.Taken = *t
			}
		case DecisionPlace:
			p.GPS = d.Correction.GPS
		default:
		}
	}
}

// correct makes a photo on its way into the file what corrections say, and
// returns the column original: what its file says.
func (w *photoWriter) correct(a Analysis, p *Photo) (original any, err error) {
	if w.corrections == nil {
		if w.corrections, err = w.db.standing(w.ctx, w.tx); err != nil {
			return nil, err
		}
	}
	ds := w.corrections[p.SHA256]
	if len(ds) == 0 {
		return nil, nil
	}
	if a.CopyOf != "" { // which is corrected already
		own, err := w.db.original(w.ctx, w.tx, string(a.CopyOf))
		if err != nil || own == nil {
			return nil, err
		}
		p.Taken, p.GPS = own.Taken, own.GPS
	}
	packed, err := packCorrection(&Correction{Taken: &p.Taken, GPS: p.GPS})
	if err != nil {
		return nil, err
	}
	applyTo(p, ds)
	// The row of the content, which a moved photo keeps and a copy shares.
	return w.db.vault.sealText("photos.original", w.db.vault.originalRow(p.SHA256), packed), nil
}

// originalRow names the row of a photo, for the column original, by what stands
// for its content: copies share what their file says.
func (v *vault) originalRow(sha [32]byte) string {
	key := v.contentKey(sha)
	return hex.EncodeToString(key[:])
}

// original is what the file of a photo says, nil where no correction stands.
func (db *DB) original(ctx context.Context, q querier, uid string) (*Photo, error) {
	p, err := db.scanPhoto(q.QueryRowContext(ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", uid))
	if err != nil {
		return nil, err
	}
	var packed sql.NullString
	if err := q.QueryRowContext(ctx, "SELECT original FROM photos WHERE uid = ?", uid).Scan(&packed); err != nil || !packed.Valid {
		return nil, err
	}
	text, err := db.vault.openText("photos.original", db.vault.originalRow(p.SHA256), packed.String)
	if err != nil {
		return nil, err
	}
	own, err := unpackCorrection(text)
	if err != nil || own == nil || own.Taken == nil {
		return nil, asCorrupt(errors.Join(err, errors.New("what its file says is lost")), "photo", uid)
	}
	p.Taken, p.GPS = *own.Taken, own.GPS
	return &p, nil
}

// applyCorrection brings a decision about a photo's time or place to all
// photos of that content.
func (db *DB) applyCorrection(ctx context.Context, tx *sql.Tx, d Decision) error {
	if !d.corrects() {
		return nil
	}
	return db.recorrect(ctx, tx, d.Faces[0].SHA256)
}

// Clocks lists the corrections of cameras' clocks that stand, in their order.
func (db *DB) Clocks(ctx context.Context) ([]Clock, error) {
	var out []Clock
	err := each(ctx, db.read, decisionSelect+" WHERE kind = ? AND revoked IS NULL ORDER BY seq", []any{string(DecisionClock)},
		func(rows *sql.Rows) error {
			d, err := db.scanDecision(rows)
			if err == nil {
				out = append(out, *d.Correction.Clock)
			}
			return err
		})
	return out, db.fail(ctx, "read the corrections of", err)
}

// Corrected tells the contents of whose time a correction stands, and those of
// which somebody said that nobody knows where they were taken.
func (db *DB) Corrected(ctx context.Context) (timed, nowhere map[[32]byte]bool, err error) {
	standing, err := db.standing(ctx, db.read)
	timed, nowhere = map[[32]byte]bool{}, map[[32]byte]bool{}
	for sha, ds := range standing {
		for _, d := range ds { // the last one of a kind holds
			if d.Kind == DecisionTime {
				timed[sha] = true
			} else {
				nowhere[sha] = d.Correction.GPS == nil
			}
		}
	}
	return timed, nowhere, db.fail(ctx, "read the corrections of", err)
}

// recorrect derives time and place of all photos of a content anew.
func (db *DB) recorrect(ctx context.Context, tx *sql.Tx, sha [32]byte) error {
	standing, err := db.standing(ctx, tx)
	if err != nil {
		return err
	}
	ds, key := standing[sha], db.vault.contentKey(sha)
	var photos []Photo
	err = each(ctx, tx, "SELECT "+photoColumns+" FROM photos p WHERE p.sha256 = ?", []any{key[:]}, func(rows *sql.Rows) error {
		p, err := db.scanPhoto(rows)
		photos = append(photos, p)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range photos {
		own, err := db.original(ctx, tx, string(p.ID))
		if err != nil {
			return err
		}
		if own == nil {
			own = &p
		}
		var original any
		if len(ds) > 0 {
			packed, err := packCorrection(&Correction{Taken: &own.Taken, GPS: own.GPS})
			if err != nil {
				return err
			}
			original = db.vault.sealText("photos.original", db.vault.originalRow(sha), packed)
		}
		p.Taken, p.GPS = own.Taken, own.GPS
		applyTo(&p, ds)
		_, err = tx.ExecContext(ctx, "UPDATE photos SET "+photoAssignments+", original = ? WHERE uid = ?",
			append(db.photoValues(string(p.ID), p), original, string(p.ID))...)
		if err != nil {
			return err
		}
	}
	return nil
}
