package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

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
// What was erased does not come back: a photo of an erased content is forgotten,
// and a face with a tombstone left out.
// StatusPending and StatusFailed leave the faces if the content is the same
// and remove them otherwise. StatusFailed without a SHA256 says that the file
// could not be read: what was known of its content, and its faces, stay.
//
// Every number must be finite and every vector of unit length and of the
// space's dimension; an error names the photo's path and nothing is recorded.
func (db *DB) PutPhotos(ctx context.Context, space string, batch []Analysis) error {
	return db.update(ctx, "put photos into", func(tx *sql.Tx) error {
		w := &photoWriter{
			watch: db.newWatch(ctx, tx), vectors: db.newVectorWriter(ctx, tx), space: space, displaced: map[int64]bool{},
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
	if g := p.GPS; g != nil && (!finite(g.Lat, g.Lon, g.Accuracy) || g.Alt != nil && !finite(*g.Alt)) {
		return errors.New("position is not finite")
	}
	if y := p.Fix.Year(); y < 0 || y > 9999 { // what JSON cannot hold
		return errors.New("time stamp is out of range")
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
	// corrections are those that stand, by content; nil until they are looked up.
	corrections map[[32]byte][]Decision
	tombs       *Tombstones // nil until they are looked up
	// displaced are the rows whose path a moved photo took.
	displaced map[int64]bool
}

// known is what the file said about a photo before.
type known struct {
	id    int64 // 0: nothing
	uid   string
	path  string   // as its column has it
	sha   [32]byte // as its column has it
	added int64
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
	if w.tombs == nil {
		var err error
		if w.tombs, err = w.db.tombstones(w.ctx, w.tx); err != nil {
			return err
		}
	}
	old, err := w.find(p)
	if err != nil {
		return err
	}
	if w.tombs.Photo(p.SHA256) {
		return w.dropPhoto(old.id)
	}
	if old.id != 0 && p.Status == StatusFailed && p.SHA256 == [32]byte{} {
		return w.writeUnreadable(old, p)
	}
	same := old.id != 0 && old.sha == w.db.vault.contentKey(p.SHA256)
	switch p.Added = w.db.now(); {
	case same:
		p.Added = fromMicros(old.added)
	case a.CopyOf != "": // a copy is no younger
		source, err := w.lookup("uid", string(a.CopyOf))
		if err == nil {
			p.Added = fromMicros(source.added)
		} else if !errors.Is(err, sql.ErrNoRows) { // which found says
			return err
		}
	}
	p.Vanished = time.Time{}
	original, err := w.correct(a, &p)
	if err != nil {
		return err
	}
	id, err := w.write(old, p)
	if err == nil {
		err = w.exec("UPDATE photos SET original = ? WHERE id = ? AND original IS NOT ?", original, id, original)
	}
	if err != nil {
		return err
	}
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
	return w.replaceFaces(id, p.SHA256, w.tombs.spare(p.SHA256, found), same || old.moved)
}

// find looks up the photo's row, and makes way for it if it moved.
func (w *photoWriter) find(p Photo) (known, error) {
	var k known
	if p.ID == "" {
		k, err := w.lookup("path", w.db.vault.pathKey(p.Path))
		if errors.Is(err, sql.ErrNoRows) {
			return known{}, nil
		}
		return k, err
	}
	k, err := w.lookup("uid", string(p.ID))
	if errors.Is(err, sql.ErrNoRows) {
		return k, fmt.Errorf("moved from %s: %w", p.ID, ErrNotFound)
	}
	path := w.db.vault.pathKey(p.Path)
	if err != nil || k.path == path {
		return k, err
	}
	k.moved = true
	delete(w.displaced, k.id)
	there, err := w.lookup("path", path)
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
	err = w.tx.QueryRowContext(w.ctx, "SELECT id, uid, path, sha256, added FROM photos WHERE "+column+" = ?", value).
		Scan(&k.id, &k.uid, &k.path, &sha, &k.added)
	if err != nil {
		return known{}, err
	}
	k.sha, err = unpackSHA(sha)
	return k, err
}

// write updates the photo's row, or inserts it where it has no id, with old.uid
// if that is set, and returns its id.
func (w *photoWriter) write(old known, p Photo) (int64, error) {
	if old.id != 0 {
		return old.id, w.exec("UPDATE photos SET "+photoAssignments+" WHERE id = ?", append(w.db.photoValues(old.uid, p), old.id)...)
	}
	uid := cmp.Or(old.uid, newUID())
	res, err := w.tx.ExecContext(w.ctx, `INSERT INTO photos (uid, path, size, mtime_s, mtime_ns, sha256,
		width, height, orientation, status, stage, error, warning, analyzer,
		taken_wall, taken_offset, taken_zone, lat, lon, alt, make, model, sealed, more, reader,
		added, vanished, disposed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append([]any{uid}, w.db.photoValues(uid, p)...)...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// writeUnreadable records that the file could not be read this time, without
// overwriting what was read before.
func (w *photoWriter) writeUnreadable(old known, p Photo) error {
	was, err := w.db.scanPhoto(w.tx.QueryRowContext(w.ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.id = ?", old.id))
	if err != nil {
		return err
	}
	was.Path, was.Size, was.ModTime = p.Path, p.Size, p.ModTime
	was.Status, was.Stage, was.Error, was.Warning = p.Status, p.Stage, p.Error, p.Warning
	was.Vanished = time.Time{}
	_, err = w.write(old, was)
	return err
}

func (w *photoWriter) dropDisplaced() error {
	if len(w.displaced) == 0 {
		return nil
	}
	for id := range w.displaced {
		if err := w.dropPhoto(id); err != nil {
			return err
		}
	}
	return w.dropStrangers()
}

// dropPhoto forgets a photo, if there is one.
func (w *photoWriter) dropPhoto(id int64) error {
	if err := errors.Join(w.leave("f.photo = ?", id), w.vectors.take("f.photo = ?", id), w.unshare("p.id = ?", id)); err != nil {
		return err
	}
	return w.exec("DELETE FROM photos WHERE id = ?", id)
}
