package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/kith-photos/kith/face"
)

// Analysis is what was found out about one file.
type Analysis struct {
	Photo Photo
	Faces []face.Face // of a photo that is StatusOK, else none
	// CopyOf is a photo of the same content that is known already. Its faces
	// count for this one too, with their people; Faces is empty then.
	CopyOf PhotoID
}

// PutPhotos records a batch of photos in one transaction. space names the
// vector space of the faces' vectors and must have been put; it may be empty
// if no face has a vector.
//
// A photo is known by its path, and keeps its id. Where Photo.ID is set, that
// photo moved to Photo.Path; a photo that was there before, and does not move
// away in the same batch, is forgotten.
//
// StatusOK replaces the photo's faces. If its content is the same as before,
// or it moved, a new face that overlaps an old one with an IoU of 0.5 or more
// (the best overlap first) is the same face: it keeps its id and its person,
// or that it is none. One that was not there before is no face if a standing
// decision says so (see FaceRef.Best).
// StatusPending and StatusFailed leave the faces if the content is the same
// and remove them otherwise. StatusFailed without a SHA256 says that the file
// could not be read: what was known of its content, and its faces, stay.
//
// Every number must be finite and every vector of unit length and of the
// space's dimension; an error names the photo's path and nothing is recorded.
func (db *DB) PutPhotos(ctx context.Context, space string, batch []Analysis) error {
	return db.update(ctx, "put photos into", func(tx *sql.Tx) error {
		w := &photoWriter{
			watch: newWatch(ctx, tx), vectors: newVectorWriter(ctx, tx, db.capacity), space: space, displaced: map[int64]bool{},
		}
		for _, a := range batch {
			if err := w.put(a); err != nil {
				return fmt.Errorf("photo %q: %w", a.Photo.Path, err)
			}
		}
		if err := w.dropDisplaced(); err != nil {
			return err
		}
		if err := w.vectors.flush(); err != nil {
			return err
		}
		return w.record(db.now)
	})
}

// check reports what cannot be recorded.
func (a Analysis) check(space string) error {
	p := a.Photo
	if p.Path == "" || strings.IndexByte(p.Path, 0) >= 0 {
		return errors.New("path is empty or holds a NUL byte")
	}
	switch p.Status {
	case StatusOK:
		if p.Analyzer == "" && space == "" {
			return errors.New("looked at by no analyzer, and yet ok")
		}
	case StatusPending, StatusFailed:
		if len(a.Faces) > 0 {
			return fmt.Errorf("%d faces of a photo that is %s", len(a.Faces), p.Status)
		}
	default:
		return fmt.Errorf("unknown status %q", p.Status)
	}
	if a.CopyOf != "" && len(a.Faces) > 0 {
		return errors.New("faces of a copy")
	}
	if g := p.GPS; g != nil && (!finite(g.Lat, g.Lon) || g.Alt != nil && !finite(*g.Alt)) {
		return errors.New("position is not finite")
	}
	for i, f := range a.Faces {
		if err := checkFace(f); err != nil {
			return fmt.Errorf("face %d: %w", i, err)
		}
	}
	return nil
}

func checkFace(f face.Face) error {
	if !f.Box.Finite() || !finite(f.Score, f.Quality) {
		return errors.New("box, score or quality is not finite")
	}
	if !f.Landmarks.Finite() {
		return errors.New("landmarks are not finite")
	}
	if f.Vector == nil {
		return nil
	}
	return checkUnit(f.Vector)
}

// photoWriter records the photos of one batch.
type photoWriter struct {
	*watch
	vectors *vectorWriter
	space   string

	spaceID int64 // row of space, 0 until it is looked up
	dim     int
	// noFaces are the boxes that somebody said are no faces, by the photo's
	// content; nil until they are looked up.
	noFaces map[[32]byte][]noFace
	// displaced are the rows whose path a moved photo took.
	displaced map[int64]bool
}

// known is what the file said about a photo before.
type known struct {
	id    int64 // 0: nothing
	path  string
	sha   [32]byte
	moved bool
}

func (w *photoWriter) put(a Analysis) error {
	if err := a.check(w.space); err != nil {
		return err
	}
	p := a.Photo
	switch {
	case p.Status == StatusPending:
		p.Analyzer = ""
	case p.Status == StatusOK && p.Analyzer == "":
		p.Analyzer = w.space
	}
	old, err := w.find(p)
	if err != nil {
		return err
	}
	if old.id != 0 && p.Status == StatusFailed && p.SHA256 == [32]byte{} {
		return w.writeUnreadable(old.id, p)
	}
	id, err := w.write(old.id, p)
	if err != nil {
		return err
	}
	same := old.id != 0 && old.sha == p.SHA256
	if p.Status != StatusOK {
		if same {
			return nil
		}
		if err := w.leave("f.photo = ?", id); err != nil {
			return err
		}
		if err := w.vectors.take("f.photo = ?", id); err != nil {
			return err
		}
		return w.exec("DELETE FROM faces WHERE photo = ?", id)
	}
	found, err := w.found(a)
	if err != nil {
		return err
	}
	return w.replaceFaces(id, p.SHA256, found, same || old.moved)
}

// find looks up the photo's row, and makes way for it if it moved.
func (w *photoWriter) find(p Photo) (known, error) {
	var k known
	if p.ID == "" {
		k, err := w.lookup("path", p.Path)
		if errors.Is(err, sql.ErrNoRows) {
			return known{}, nil
		}
		return k, err
	}
	k, err := w.lookup("uid", string(p.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return k, fmt.Errorf("moved from %s: %w", p.ID, ErrNotFound)
	}
	if err != nil || k.path == p.Path {
		return k, err
	}
	k.moved = true
	delete(w.displaced, k.id)
	there, err := w.lookup("path", p.Path)
	if errors.Is(err, sql.ErrNoRows) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	w.displaced[there.id] = true
	// No file has a path with NUL in it.
	return k, w.exec("UPDATE photos SET path = char(0) || uid WHERE id = ?", there.id)
}

// lookup finds a row by one of the unique columns.
func (w *photoWriter) lookup(column, value string) (k known, err error) {
	var sha []byte
	err = w.tx.QueryRowContext(w.ctx, "SELECT id, path, sha256 FROM photos WHERE "+column+" = ?", value).
		Scan(&k.id, &k.path, &sha)
	if err != nil {
		return known{}, err
	}
	k.sha, err = unpackSHA(sha)
	return k, err
}

// write inserts or updates the photo's row and returns its id.
func (w *photoWriter) write(id int64, p Photo) (int64, error) {
	values := photoValues(p)
	if id != 0 {
		return id, w.exec(`UPDATE photos SET path = ?, size = ?, mtime_s = ?, mtime_ns = ?, sha256 = ?,
			width = ?, height = ?, orientation = ?, status = ?, stage = ?, error = ?, warning = ?, analyzer = ?,
			taken_wall = ?, taken_offset = ?, taken_zone = ?, lat = ?, lon = ?, alt = ?, make = ?, model = ?
			WHERE id = ?`, append(values, id)...)
	}
	res, err := w.tx.ExecContext(w.ctx, `INSERT INTO photos (uid, path, size, mtime_s, mtime_ns, sha256,
		width, height, orientation, status, stage, error, warning, analyzer,
		taken_wall, taken_offset, taken_zone, lat, lon, alt, make, model)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append([]any{newUID()}, values...)...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// writeUnreadable records that the file could not be read this time, without
// overwriting what was read before.
func (w *photoWriter) writeUnreadable(id int64, p Photo) error {
	return w.exec(`UPDATE photos SET path = ?, size = ?, mtime_s = ?, mtime_ns = ?,
		status = ?, stage = ?, error = ?, warning = ? WHERE id = ?`,
		p.Path, p.Size, p.ModTime.Unix(), p.ModTime.Nanosecond(),
		string(p.Status), p.Stage, p.Error, p.Warning, id)
}

func (w *photoWriter) dropDisplaced() error {
	if len(w.displaced) == 0 {
		return nil
	}
	for id := range w.displaced {
		if err := w.leave("f.photo = ?", id); err != nil {
			return err
		}
		if err := w.vectors.take("f.photo = ?", id); err != nil {
			return err
		}
		if err := w.exec("DELETE FROM photos WHERE id = ?", id); err != nil {
			return err
		}
	}
	return w.dropStrangers()
}
