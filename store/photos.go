package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/kith-photos/kith/exif"
)

// File is what an incremental run compares the library with.
type File struct {
	ID       PhotoID
	Path     string
	Size     int64 // bytes
	ModTime  time.Time
	SHA256   [32]byte
	Status   Status
	Analyzer string
	Reader   int  // as in Photo
	Vanished bool // its file is missing; see DB.MarkVanished
	Disposed bool // the host was asked to delete it: it is not missed
}

// PhotoQuery narrows a listing of photos. The zero value lists all.
type PhotoQuery struct {
	Person PersonID // only those with a face of this person
	Status Status   // only those of this status
	Limit  int      // at most so many; 0: no limit
}

const photoColumns = `p.uid, p.path, p.size, p.mtime_s, p.mtime_ns, p.sha256, p.width, p.height, p.orientation,
	p.status, p.stage, p.error, p.warning, p.analyzer, p.taken_wall, p.taken_offset, p.taken_zone,
	p.lat, p.lon, p.alt, p.make, p.model, p.sealed, p.more, p.reader,
	p.added, p.vanished, p.disposed, p.original IS NOT NULL`

// scanner is a *sql.Row or a *sql.Rows.
type scanner interface{ Scan(dst ...any) error }

func (db *DB) scanPhoto(row scanner) (Photo, error) {
	var (
		p                        Photo
		mtime, nanos             int64
		sha, sealed              []byte
		wall, vanished, disposed sql.NullInt64
		offset, added            int64
		lat, lon, alt            sql.NullFloat64
		more                     string
	)
	err := row.Scan(&p.ID, &p.Path, &p.Size, &mtime, &nanos, &sha, &p.Width, &p.Height, &p.Orientation,
		&p.Status, &p.Stage, &p.Error, &p.Warning, &p.Analyzer, &wall, &offset, &p.Taken.Zone,
		&lat, &lon, &alt, &p.Camera.Make, &p.Camera.Model, &sealed, &more, &p.Reader, &added, &vanished, &disposed, &p.Corrected)
	if err != nil {
		return Photo{}, err
	}
	p.ModTime = time.Unix(mtime, nanos).UTC()
	p.Added, p.Vanished, p.Disposed = fromMicros(added), fromNullMicros(vanished), fromNullMicros(disposed)
	if wall.Valid {
		p.Taken.Wall = fromMicros(wall.Int64)
	}
	p.Taken.Offset = time.Duration(offset) * time.Second
	if lat.Valid {
		p.GPS = &exif.GPS{Lat: lat.Float64, Lon: lon.Float64}
		if alt.Valid {
			p.GPS.Alt = &alt.Float64
		}
	}
	if db.vault != nil {
		err = db.vault.openPhoto(&p, sealed)
	} else {
		p.SHA256, err = unpackSHA(sha)
	}
	if err == nil {
		err = db.vault.openMore(&p, more)
	}
	return p, asCorrupt(err, "photo", string(p.ID))
}

// photoAssignments are the columns of photoValues.
const photoAssignments = `path = ?, size = ?, mtime_s = ?, mtime_ns = ?, sha256 = ?,
	width = ?, height = ?, orientation = ?, status = ?, stage = ?, error = ?, warning = ?, analyzer = ?,
	taken_wall = ?, taken_offset = ?, taken_zone = ?, lat = ?, lon = ?, alt = ?, make = ?, model = ?, sealed = ?, more = ?, reader = ?,
	added = ?, vanished = ?, disposed = ?`

// photoValues are the values of a photo's columns after the uid.
func (db *DB) photoValues(uid string, p Photo) []any {
	sealed := db.vault.sealPhoto(uid, p)
	more := db.vault.sealMore(uid, p)
	sha := db.vault.contentKey(p.SHA256)
	p.Path = db.vault.pathKey(p.Path)
	if sealed != nil { // what it holds is left out
		p.GPS, p.Camera, p.Error, p.Warning = nil, exif.Camera{}, "", ""
	}
	var wall, lat, lon, alt any
	if !p.Taken.IsZero() {
		wall = micros(p.Taken.Wall)
	}
	if p.GPS != nil {
		lat, lon = p.GPS.Lat, p.GPS.Lon
		if p.GPS.Alt != nil {
			alt = *p.GPS.Alt
		}
	}
	return []any{
		p.Path, p.Size, p.ModTime.Unix(), p.ModTime.Nanosecond(), sha[:], p.Width, p.Height, p.Orientation,
		string(p.Status), p.Stage, p.Error, p.Warning, p.Analyzer,
		wall, int64(p.Taken.Offset / time.Second), string(p.Taken.Zone),
		lat, lon, alt, p.Camera.Make, p.Camera.Model, sealed, more, p.Reader,
		micros(p.Added), nullMicros(p.Vanished), nullMicros(p.Disposed),
	}
}

// Photo is the photo of an id, or ErrNotFound.
func (db *DB) Photo(ctx context.Context, id PhotoID) (Photo, error) {
	row := db.read.QueryRowContext(ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", string(id))
	p, err := db.scanPhoto(row)
	return p, db.fail(ctx, "read a photo of", err)
}

// PhotoByPath is the photo at a path of the library, or ErrNotFound.
func (db *DB) PhotoByPath(ctx context.Context, path string) (Photo, error) {
	row := db.read.QueryRowContext(ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.path = ?", db.vault.pathKey(path))
	p, err := db.scanPhoto(row)
	if err == nil && p.Path != path { // its key was put there
		p, err = Photo{}, &TamperedError{Value: "photos.path of " + string(p.ID)}
	}
	return p, db.fail(ctx, "read a photo of", err)
}

// PhotosByContent are the photos whose files have the same content, ordered
// by path; none is no error.
func (db *DB) PhotosByContent(ctx context.Context, sha [32]byte) ([]Photo, error) {
	var photos []Photo
	key := db.vault.contentKey(sha)
	err := each(ctx, db.read, "SELECT "+photoColumns+" FROM photos p WHERE p.sha256 = ? ORDER BY "+db.pathOrder(),
		[]any{key[:]}, func(rows *sql.Rows) error {
			p, err := db.scanPhoto(rows)
			if err == nil && p.SHA256 != sha { // its key was put there
				err = &TamperedError{Value: "photos.sha256 of " + string(p.ID)}
			}
			photos = append(photos, p)
			return err
		})
	if err != nil {
		return nil, db.fail(ctx, "read photos of", err)
	}
	return photos, nil
}

// Photos lists photos, ordered by path.
func (db *DB) Photos(ctx context.Context, q PhotoQuery) iter.Seq2[Photo, error] {
	var f filter
	if q.Person != "" {
		f.add(`EXISTS (SELECT 1 FROM faces f JOIN people e ON e.id = f.person
			WHERE f.photo = p.id AND e.uid = ?)`, string(q.Person))
	}
	if q.Status != "" {
		f.add("p.status = ?", string(q.Status))
	}
	query := "SELECT " + photoColumns + " FROM photos p" + f.where() + " ORDER BY " + db.pathOrder() + f.limit(q.Limit)
	return list(ctx, db, "list photos of", query, f.args, db.scanPhoto)
}

// Files lists the files of all photos, in no particular order: that of paths
// would take half as long again.
func (db *DB) Files(ctx context.Context) iter.Seq2[File, error] {
	const query = `SELECT uid, path, size, mtime_s, mtime_ns, sha256, status, analyzer, reader, sealed,
		vanished IS NOT NULL, disposed IS NOT NULL OR id IN (SELECT photo FROM disposals) FROM photos`
	return func(yield func(File, error) bool) {
		var f File
		var mtime, nanos, reader int64
		var sha, sealed sql.RawBytes
		// Every run begins with this listing. What Scan is given here are the
		// types that it need not reflect on, and they are made once.
		dst := []any{(*string)(&f.ID), &f.Path, &f.Size, &mtime, &nanos, &sha, (*string)(&f.Status), &f.Analyzer, &reader,
			&sealed, &f.Vanished, &f.Disposed}
		list(ctx, db, "list files of", query, nil, func(row scanner) (File, error) {
			if err := row.Scan(dst...); err != nil {
				return File{}, err
			}
			f.ModTime, f.Reader = time.Unix(mtime, nanos).UTC(), int(reader)
			if db.vault != nil {
				p := Photo{ID: f.ID}
				err := db.vault.openPhoto(&p, sealed)
				f.Path, f.SHA256 = p.Path, p.SHA256
				return f, asCorrupt(err, "photo", string(f.ID))
			}
			var err error
			f.SHA256, err = unpackSHA(sha)
			return f, asCorrupt(err, "photo", string(f.ID))
		})(yield)
	}
}

// TouchPhotos records new sizes and modification times of files whose content
// is the same, and that they are there; only ID, Size and ModTime are read.
// ErrNotFound, and nothing
// is changed, if one is unknown.
func (db *DB) TouchPhotos(ctx context.Context, files []File) error {
	return db.update(ctx, "touch photos of", func(tx *sql.Tx) error {
		for _, f := range files {
			err := mustChange(tx.ExecContext(ctx, "UPDATE photos SET size = ?, mtime_s = ?, mtime_ns = ?, vanished = NULL, disposed = NULL WHERE uid = ?",
				f.Size, f.ModTime.Unix(), f.ModTime.Nanosecond(), string(f.ID)))
			if err != nil {
				return fmt.Errorf("photo %s: %w", f.ID, err)
			}
		}
		return nil
	})
}

// DropPhotos forgets photos whose files are gone, with their faces, and
// returns how many it knew. People who lose their last face by it stay if
// they have a name or a standing decision mentions them.
func (db *DB) DropPhotos(ctx context.Context, ids []PhotoID) (int, error) {
	var dropped int64
	err := db.update(ctx, "drop photos of", func(tx *sql.Tx) error {
		w, vectors := db.newWatch(ctx, tx), db.newVectorWriter(ctx, tx)
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		if err := w.unshare("p.uid IN (SELECT value FROM json_each(?))", string(list)); err != nil {
			return err
		}
		for _, id := range ids {
			const faces = "f.photo = (SELECT id FROM photos WHERE uid = ?)"
			if err := errors.Join(w.leave(faces, string(id)), vectors.take(faces, string(id))); err != nil {
				return err
			}
			res, err := tx.ExecContext(ctx, "DELETE FROM photos WHERE uid = ?", string(id))
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			dropped += n
		}
		if err := errors.Join(vectors.flush(), w.dropStrangers()); err != nil {
			return err
		}
		return w.record(db.now)
	})
	if err != nil {
		return 0, err
	}
	return int(dropped), nil
}

// mustChange turns a statement that changed nothing into ErrNotFound.
func mustChange(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// filter collects the conditions of a query: text is ours, values are bound.
type filter struct {
	conds []string
	args  []any
}

func (f *filter) add(cond string, args ...any) {
	f.conds = append(f.conds, cond)
	f.args = append(f.args, args...)
}

func (f *filter) where() string {
	if len(f.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.conds, " AND ")
}

// limit must come last in the query.
func (f *filter) limit(n int) string {
	if n <= 0 {
		return ""
	}
	f.args = append(f.args, n)
	return " LIMIT ?"
}

// list runs one query as a listing. A single statement reads one snapshot
// until its rows are closed; an error is yielded once and last.
func list[T any](ctx context.Context, db *DB, op, query string, args []any, scan func(scanner) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		stop := false
		err := each(ctx, db.read, query, args, func(rows *sql.Rows) error {
			v, err := scan(rows)
			if err == nil && !yield(v, nil) {
				stop, err = true, errStop
			}
			return err
		})
		if stop {
			return
		}
		if err := db.fail(ctx, op, err); err != nil {
			var zero T
			yield(zero, err)
		}
	}
}
