package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/kith-photos/kith/exif"
)

// EachFact shows what time and place of all photos go by, one by one, from one
// snapshot, in no particular order: ID, Path, ModTime, SHA256, Status, Taken,
// TakenFrom, Fix, GPS without its altitude, Camera, Burst and Vanished. An error
// of show ends it.
func (db *DB) EachFact(ctx context.Context, show func(Photo) error) error {
	var r factRow
	dst := r.columns()
	err := each(ctx, db.read, `SELECT uid, path, mtime_s, mtime_ns, sha256, status, taken_wall, taken_offset, taken_zone,
		lat, lon, make, model, sealed, more, vanished FROM photos`, nil, func(rows *sql.Rows) error {
		if err := rows.Scan(dst...); err != nil {
			return err
		}
		p, err := r.photo(db)
		if err != nil {
			return asCorrupt(err, "photo", string(p.ID))
		}
		return show(p)
	})
	return db.fail(ctx, "list photos of", err)
}

// factRow is what one row is read into. An arrangement begins with all rows:
// texts that many of them share are made once, and what Scan is given are types
// that it need not reflect on.
type factRow struct {
	uid, path            string
	mtime, nanos, offset int64
	wall, lat, lon, gone any
	sha, status, zone    sql.RawBytes
	make, model          sql.RawBytes
	sealed, more         sql.RawBytes
	texts                texts
}

func (r *factRow) columns() []any {
	r.texts = texts{}
	return []any{&r.uid, &r.path, &r.mtime, &r.nanos, &r.sha, &r.status, &r.wall, &r.offset, &r.zone, &r.lat, &r.lon,
		&r.make, &r.model, &r.sealed, &r.more, &r.gone}
}

// texts makes each text that rows share once.
type texts map[string]string

func (t texts) of(b sql.RawBytes) string {
	s, ok := t[string(b)]
	if !ok {
		s = string(b)
		t[s] = s
	}
	return s
}

func (r *factRow) photo(db *DB) (Photo, error) {
	p := Photo{
		ID: PhotoID(r.uid), Path: r.path, ModTime: time.Unix(r.mtime, r.nanos).UTC(), Status: Status(r.texts.of(r.status)),
		Camera: exif.Camera{Make: r.texts.of(r.make), Model: r.texts.of(r.model)},
	}
	p.Taken = exif.Time{Offset: time.Duration(r.offset) * time.Second, Zone: exif.ZoneSource(r.texts.of(r.zone))}
	if wall, ok := r.wall.(int64); ok {
		p.Taken.Wall = fromMicros(wall)
	}
	if gone, ok := r.gone.(int64); ok {
		p.Vanished = fromMicros(gone)
	}
	if lat, ok := r.lat.(float64); ok {
		lon, _ := r.lon.(float64)
		p.GPS = &exif.GPS{Lat: lat, Lon: lon}
	}
	var err error
	if db.vault != nil {
		err = db.vault.openPhoto(&p, r.sealed)
	} else {
		p.SHA256, err = unpackSHA(r.sha)
	}
	if err == nil && len(r.more) > 0 {
		err = db.vault.openMore(&p, string(r.more))
	}
	return p, err
}
