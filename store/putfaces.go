package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face"
)

// sameFace is the IoU from which on two boxes of one photo show one face.
const sameFace = 0.5

// foundFace is a face on its way into the file.
type foundFace struct {
	face.Face // its Vector is not used
	landmarks []byte
	space     int64  // 0: no vector
	vector    []byte // packed
	whose
}

// storedFace is a face that the file has of a photo.
type storedFace struct {
	id  int64
	uid string
	box face.Box
	whose
}

// whose is with whom a face is, or by which decision it is none.
type whose struct {
	person   sql.NullInt64
	origin   string
	rejected sql.NullString
}

// said reports whether anything is known.
func (w whose) said() bool { return w.person.Valid || w.rejected.Valid }

// noFace is a box that a standing decision says is no face.
type noFace struct {
	ref      FaceRef
	decision string
}

// found lists the faces of an analysis: its own, or those of the photo that
// it is a copy of.
func (w *photoWriter) found(a Analysis) ([]foundFace, error) {
	if a.CopyOf != "" {
		return w.copied(a)
	}
	faces := make([]foundFace, 0, len(a.Faces))
	for i, f := range a.Faces {
		nf := foundFace{Face: f, landmarks: packLandmarks(f.Landmarks)}
		if f.Vector != nil {
			if err := w.lookupSpace(); err != nil {
				return nil, err
			}
			if len(f.Vector) != w.dim {
				return nil, fmt.Errorf("face %d: vector of %d numbers, space %q has %d", i, len(f.Vector), w.space, w.dim)
			}
			nf.space, nf.vector = w.spaceID, packVector(f.Vector)
		}
		faces = append(faces, nf)
	}
	return faces, nil
}

func (w *photoWriter) lookupSpace() error {
	if w.spaceID != 0 {
		return nil
	}
	err := w.tx.QueryRowContext(w.ctx, "SELECT id, dim FROM spaces WHERE name = ?", w.space).Scan(&w.spaceID, &w.dim)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("vector space %q: %w", w.space, ErrNotFound)
	}
	return err
}

func (w *photoWriter) copied(a Analysis) ([]foundFace, error) {
	source, err := w.lookup("uid", string(a.CopyOf))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("copy of %s: %w", a.CopyOf, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	if source.sha != w.db.vault.contentKey(a.Photo.SHA256) {
		return nil, fmt.Errorf("copy of %s, whose content is another", a.CopyOf)
	}
	var faces []foundFace
	var uids []string
	err = each(w.ctx, w.tx, `SELECT uid, x, y, w, h, landmarks, score, quality, detector, person, origin, rejected, sealed
		FROM faces WHERE photo = ? ORDER BY id`, []any{source.id}, func(rows *sql.Rows) error {
		var f foundFace
		var uid string
		var sealed []byte
		err := rows.Scan(&uid, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &f.landmarks, &f.Score, &f.Quality, &f.Detector,
			&f.person, &f.origin, &f.rejected, &sealed)
		if err == nil {
			f.landmarks, err = w.db.vault.openLandmarks(uid, f.landmarks, sealed)
		}
		faces, uids = append(faces, f), append(uids, uid)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range faces {
		f := &faces[i]
		if f.vector, f.space, err = w.db.storedVector(w.ctx, w.tx, uids[i]); err != nil {
			return nil, err
		}
	}
	return faces, nil
}

// replaceFaces makes found the faces of a photo. With keep, those that the
// photo had already keep their ids and people.
func (w *photoWriter) replaceFaces(photo int64, sha [32]byte, found []foundFace, keep bool) error {
	stored, err := w.stored(photo)
	if err != nil {
		return err
	}
	match := make([]int, len(found)) // index into stored, or -1
	for i := range match {
		match[i] = -1
	}
	if keep {
		match = matchFaces(found, stored)
	}
	for j, s := range stored {
		if slices.Contains(match, j) {
			continue
		}
		if err := w.moveRow(s.person, sql.NullInt64{}); err != nil {
			return err
		}
		if err := w.vectors.take("f.id = ?", s.id); err != nil {
			return err
		}
		if err := w.exec("DELETE FROM faces WHERE id = ?", s.id); err != nil {
			return err
		}
	}
	if err := w.reject(sha, found, match); err != nil {
		return err
	}
	for i, f := range found {
		var old storedFace
		if j := match[i]; j >= 0 {
			old = stored[j]
			if old.said() {
				f.whose = old.whose
			}
		}
		if err := w.moveRow(old.person, f.person); err != nil {
			return err
		}
		if err := w.writeFace(old, photo, f); err != nil {
			return fmt.Errorf("face %d: %w", i, err)
		}
	}
	return nil
}

// reject marks those of the faces new to the photo that a standing decision
// says are none.
func (w *photoWriter) reject(sha [32]byte, found []foundFace, match []int) error {
	if w.noFaces == nil {
		if err := w.readNoFaces(); err != nil {
			return err
		}
	}
	for _, n := range w.noFaces[sha] {
		i := n.ref.Best(len(found), func(i int) face.Box { return found[i].Box })
		if i >= 0 && match[i] < 0 && !found[i].said() {
			found[i].rejected = sql.NullString{String: n.decision, Valid: true}
		}
	}
	return nil
}

func (w *photoWriter) readNoFaces() error {
	w.noFaces = map[[32]byte][]noFace{}
	return each(w.ctx, w.tx, "SELECT uid, faces FROM decisions WHERE kind = ? AND revoked IS NULL ORDER BY seq",
		[]any{string(DecisionNotAFace)}, func(rows *sql.Rows) error {
			var n noFace
			var packed []byte
			if err := rows.Scan(&n.decision, &packed); err != nil {
				return err
			}
			refs, err := w.db.openFaces(n.decision, packed)
			if err != nil {
				return asCorrupt(err, "decision", n.decision)
			}
			for _, n.ref = range refs {
				w.noFaces[n.ref.SHA256] = append(w.noFaces[n.ref.SHA256], n)
			}
			return nil
		})
}

func (w *photoWriter) stored(photo int64) ([]storedFace, error) {
	var faces []storedFace
	err := each(w.ctx, w.tx, "SELECT id, uid, x, y, w, h, person, origin, rejected FROM faces WHERE photo = ? ORDER BY id",
		[]any{photo}, func(rows *sql.Rows) error {
			var f storedFace
			err := rows.Scan(&f.id, &f.uid, &f.box.X, &f.box.Y, &f.box.W, &f.box.H, &f.person, &f.origin, &f.rejected)
			faces = append(faces, f)
			return err
		})
	return faces, err
}

// matchFaces pairs found faces with stored ones, each at most once, from the
// highest overlap down.
func matchFaces(found []foundFace, stored []storedFace) []int {
	type pair struct {
		i, j int
		iou  float64
	}
	var pairs []pair
	match := make([]int, len(found))
	for i, f := range found {
		match[i] = -1
		for j, s := range stored {
			if iou := f.Box.IoU(s.box); iou >= sameFace {
				pairs = append(pairs, pair{i, j, iou})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.iou, a.iou) })
	taken := make([]bool, len(stored))
	for _, p := range pairs {
		if match[p.i] < 0 && !taken[p.j] {
			match[p.i], taken[p.j] = p.j, true
		}
	}
	return match
}

// writeFace updates the old face, or inserts one where it has no row, with its
// uid if that is set.
func (w *photoWriter) writeFace(old storedFace, photo int64, f foundFace) error {
	id, uid := old.id, old.uid
	if uid == "" {
		uid = newUID()
	}
	landmarks, sealed := w.db.vault.sealLandmarks(uid, f.landmarks)
	values := []any{f.Box.X, f.Box.Y, f.Box.W, f.Box.H, landmarks, f.Score, f.Quality, f.Detector,
		f.person, f.origin, f.rejected, sealed}
	if id != 0 {
		err := w.exec(`UPDATE faces SET x = ?, y = ?, w = ?, h = ?, landmarks = ?, score = ?, quality = ?, detector = ?,
			person = ?, origin = ?, rejected = ?, sealed = ? WHERE id = ?`, append(values, id)...)
		if err == nil {
			err = w.vectors.take("f.id = ?", id)
		}
		if err != nil {
			return err
		}
	} else {
		res, err := w.tx.ExecContext(w.ctx, `INSERT INTO faces
			(x, y, w, h, landmarks, score, quality, detector, person, origin, rejected, sealed, uid, photo)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(values, uid, photo)...)
		if err != nil {
			return err
		}
		if id, err = res.LastInsertId(); err != nil {
			return err
		}
	}
	if f.space == 0 {
		return nil
	}
	return w.vectors.put(id, uid, f.space, f.vector)
}
