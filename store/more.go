package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kith-photos/kith/exif"
)

// moreJSON is the column more of a photo: what its file says and few files do.
type moreJSON struct {
	From     exif.TimeSource `json:"from,omitempty"`
	Fix      *time.Time      `json:"fix,omitempty"`
	Accuracy float64         `json:"acc,omitempty"` // of the position, metres
	Datum    string          `json:"datum,omitempty"`
	Stale    bool            `json:"stale,omitempty"` // the position
	Serial   string          `json:"serial,omitempty"`
	Burst    string          `json:"burst,omitempty"`
	Video    string          `json:"video,omitempty"`
}

// sealMore is the column more, "" where there is nothing to say.
func (v *vault) sealMore(uid string, p Photo) string {
	m := moreJSON{From: p.TakenFrom, Serial: p.Camera.Serial, Burst: p.Burst, Video: p.Video}
	if !p.Fix.IsZero() {
		m.Fix = new(p.Fix.UTC())
	}
	if p.GPS != nil {
		m.Accuracy, m.Datum, m.Stale = p.GPS.Accuracy, p.GPS.Datum, p.GPS.Stale
	}
	if m == (moreJSON{}) {
		return ""
	}
	b, err := json.Marshal(m)
	if err != nil { // a time that no file can hold; Analysis.check has seen the rest
		return ""
	}
	return v.sealText("photos.more", uid, string(b))
}

// openMore fills in what sealMore sealed.
func (v *vault) openMore(p *Photo, more string) error {
	text, err := v.openText("photos.more", string(p.ID), more)
	if err != nil || text == "" {
		return err
	}
	var m moreJSON
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("what else its file says: %w", err)
	}
	p.TakenFrom, p.Camera.Serial, p.Burst, p.Video = m.From, m.Serial, m.Burst, m.Video
	if m.Fix != nil {
		p.Fix = *m.Fix
	}
	if p.GPS != nil {
		p.GPS.Accuracy, p.GPS.Datum, p.GPS.Stale = m.Accuracy, m.Datum, m.Stale
	}
	return nil
}

// PutMetadata records what the files of known photos say of time, place and
// camera, read anew; only ID, these fields, Reader and Warning are taken.
// Corrections stand. ErrNotFound, and nothing is changed, if one is unknown.
func (db *DB) PutMetadata(ctx context.Context, photos []Photo) error {
	return db.update(ctx, "put metadata into", func(tx *sql.Tx) error {
		w := &photoWriter{watch: db.newWatch(ctx, tx)}
		for _, says := range photos {
			if err := w.putMetadata(says); err != nil {
				return fmt.Errorf("photo %s: %w", says.ID, err)
			}
		}
		return nil
	})
}

func (w *photoWriter) putMetadata(says Photo) error {
	p, err := w.db.scanPhoto(w.tx.QueryRowContext(w.ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", string(says.ID)))
	if err != nil {
		return err
	}
	p.Taken, p.TakenFrom, p.Fix, p.GPS, p.Camera = says.Taken, says.TakenFrom, says.Fix, says.GPS, says.Camera
	p.Burst, p.Video, p.Reader, p.Warning = says.Burst, says.Video, says.Reader, says.Warning
	if err := (Analysis{Photo: p}).check(""); err != nil {
		return err
	}
	original, err := w.correct(Analysis{Photo: p}, &p)
	if err != nil {
		return err
	}
	return w.exec("UPDATE photos SET "+photoAssignments+", original = ? WHERE uid = ?",
		append(w.db.photoValues(string(p.ID), p), original, string(p.ID))...)
}
