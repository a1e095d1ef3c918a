package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/kith-photos/kith/face"
)

// FaceQuery narrows a listing of faces. The zero value lists all but those
// that somebody said are none.
type FaceQuery struct {
	Photo      PhotoID  // only those of this photo
	Person     PersonID // only those of this person
	Unassigned bool     // only those that are with nobody
	Rejected   Which    // what becomes of those that are no faces
	Limit      int      // at most so many; 0: no limit
}

const faceSelect = `SELECT f.uid, p.uid, f.x, f.y, f.w, f.h, f.landmarks, f.score, f.quality, f.detector,
	coalesce(e.uid, ''), f.origin, coalesce(f.rejected, '')
	FROM faces f JOIN photos p ON p.id = f.photo LEFT JOIN people e ON e.id = f.person`

func scanFace(row scanner) (Face, error) {
	var f Face
	var landmarks []byte
	err := row.Scan(&f.ID, &f.Photo, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &landmarks,
		&f.Score, &f.Quality, &f.Detector, &f.Person, &f.By, &f.Rejected)
	if err != nil {
		return Face{}, err
	}
	if f.Landmarks, err = unpackLandmarks(landmarks); err != nil {
		return Face{}, &CorruptError{Detail: fmt.Sprintf("face %s: %v", f.ID, err)}
	}
	return f, nil
}

// Face is the face of an id, or ErrNotFound.
func (db *DB) Face(ctx context.Context, id FaceID) (Face, error) {
	f, err := scanFace(db.read.QueryRowContext(ctx, faceSelect+" WHERE f.uid = ?", string(id)))
	return f, db.fail(ctx, "read a face of", err)
}

// Faces lists faces, ordered by the photo's path and then from left to right
// and top to bottom.
func (db *DB) Faces(ctx context.Context, q FaceQuery) iter.Seq2[Face, error] {
	var f filter
	if q.Photo != "" {
		f.add("p.uid = ?", string(q.Photo))
	}
	if q.Person != "" {
		f.add("e.uid = ?", string(q.Person))
	}
	if q.Unassigned {
		f.add("f.person IS NULL")
	}
	f.add(q.Rejected.cond("f.rejected IS NOT NULL"))
	query := faceSelect + f.where() + " ORDER BY p.path, f.x, f.y, f.uid" + f.limit(q.Limit)
	return list(ctx, db, "list faces of", query, f.args, scanFace)
}

// Vector is a face's embedding; ErrNotFound if there is no such face or it
// has none.
func (db *DB) Vector(ctx context.Context, id FaceID) (face.Vector, error) {
	var blob []byte
	err := db.read.QueryRowContext(ctx,
		"SELECT v.v FROM vectors v JOIN faces f ON f.id = v.face WHERE f.uid = ?", string(id)).Scan(&blob)
	if err != nil {
		return nil, db.fail(ctx, "read a vector of", err)
	}
	v := make(face.Vector, len(blob)/4)
	if err := unpackVector(v, blob); err != nil {
		err = &CorruptError{Detail: fmt.Sprintf("face %s: %v", id, err)}
		return nil, db.fail(ctx, "read a vector of", err)
	}
	return v, nil
}

// VectorFace is what grouping and decisions need to know of a face.
type VectorFace struct {
	ID      FaceID
	Photo   PhotoID
	SHA256  [32]byte // of the photo's content
	Box     face.Box
	Quality float64
	Person  PersonID // empty: with nobody
	By      Origin
	// Rejected is the decision by which it is no face; empty: it is one.
	Rejected DecisionID
}

const vectorFaceColumns = `f.id, f.uid, p.uid, p.sha256, f.x, f.y, f.w, f.h, f.quality,
	coalesce(e.uid, ''), f.origin, coalesce(f.rejected, '')`

// vectorFaceOrder does not depend on when or from where a photo was indexed.
const vectorFaceOrder = " ORDER BY p.sha256, f.x, f.y, f.uid"

func scanVectorFace(row scanner) (id int64, f VectorFace, err error) {
	var sha sql.RawBytes
	err = row.Scan(&id, &f.ID, &f.Photo, &sha, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &f.Quality,
		&f.Person, &f.By, &f.Rejected)
	if err != nil {
		return 0, VectorFace{}, err
	}
	if f.SHA256, err = unpackSHA(sha); err != nil {
		return 0, VectorFace{}, &CorruptError{Detail: fmt.Sprintf("photo %s: %v", f.Photo, err)}
	}
	return id, f, nil
}

// AllFaces loads every face of the account, rejected ones and those without a
// vector included, ordered as Vectors orders them.
func (db *DB) AllFaces(ctx context.Context) ([]VectorFace, error) {
	var faces []VectorFace
	err := each(ctx, db.read, "SELECT "+vectorFaceColumns+` FROM faces f JOIN photos p ON p.id = f.photo
		LEFT JOIN people e ON e.id = f.person`+vectorFaceOrder, nil, func(rows *sql.Rows) error {
		_, f, err := scanVectorFace(rows)
		faces = append(faces, f)
		return err
	})
	if err != nil {
		return nil, db.fail(ctx, "read faces of", err)
	}
	return faces, nil
}

// VectorSet holds all vectors of a space.
type VectorSet struct {
	Space Space
	Faces []VectorFace
	Data  []float32 // len(Faces) x Space.Dim; row i belongs to Faces[i]
}

// Vector is the i-th face's vector, a part of Data.
func (s *VectorSet) Vector(i int) face.Vector {
	return face.Vector(s.Data[i*s.Space.Dim : (i+1)*s.Space.Dim : (i+1)*s.Space.Dim])
}

// Vectors loads all vectors of a space and their faces, without those that are
// rejected, from one snapshot, ordered by the photo's content, the box's left and top edge, and the id: an
// order that does not depend on when or from where a photo was indexed.
// ErrNotFound if the space is unknown.
func (db *DB) Vectors(ctx context.Context, space string) (VectorSet, error) {
	var set VectorSet
	err := db.view(ctx, "read vectors of", func(tx *sql.Tx) error {
		set = VectorSet{}
		id, s, err := lookupSpace(ctx, tx, space)
		if err != nil {
			return err
		}
		set.Space = s
		rowOf, err := set.readFaces(ctx, tx, id)
		if err != nil {
			return err
		}
		return set.readData(ctx, tx, id, rowOf)
	})
	if err != nil {
		return VectorSet{}, err
	}
	return set, nil
}

// readFaces reads everything but the numbers, so that what SQLite sorts is
// small, and returns each face's position by its row id.
func (s *VectorSet) readFaces(ctx context.Context, tx *sql.Tx, space int64) (map[int64]int, error) {
	rowOf := map[int64]int{}
	err := each(ctx, tx, "SELECT "+vectorFaceColumns+` FROM vectors v JOIN faces f ON f.id = v.face
		JOIN photos p ON p.id = f.photo LEFT JOIN people e ON e.id = f.person
		WHERE v.space = ? AND f.rejected IS NULL`+vectorFaceOrder, []any{space}, func(rows *sql.Rows) error {
		id, f, err := scanVectorFace(rows)
		if err != nil {
			return err
		}
		rowOf[id] = len(s.Faces)
		s.Faces = append(s.Faces, f)
		return nil
	})
	return rowOf, err
}

const notRejected = "face NOT IN (SELECT id FROM faces WHERE rejected IS NOT NULL)"

// readData reads the numbers in the order they lie in the file.
func (s *VectorSet) readData(ctx context.Context, tx *sql.Tx, space int64, rowOf map[int64]int) error {
	// The file must hold as much as the space's dimension promises before
	// memory is taken for it.
	var stored int64
	err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(length(v)), 0) FROM vectors WHERE space = ? AND "+notRejected, space).Scan(&stored)
	if err != nil {
		return err
	}
	dim := s.Space.Dim
	if want := 4 * int64(dim) * int64(len(s.Faces)); stored != want {
		return &CorruptError{Detail: fmt.Sprintf("space %q holds %d bytes of vectors, want %d", s.Space.Name, stored, want)}
	}
	s.Data = make([]float32, dim*len(s.Faces))
	var blob sql.RawBytes
	return each(ctx, tx, "SELECT face, v FROM vectors WHERE space = ? AND "+notRejected, []any{space}, func(rows *sql.Rows) error {
		var id int64
		if err := rows.Scan(&id, &blob); err != nil {
			return err
		}
		i, ok := rowOf[id]
		if !ok {
			return &CorruptError{Detail: fmt.Sprintf("vector of face row %d, which is missing", id)}
		}
		if err := unpackVector(s.Data[i*dim:(i+1)*dim], blob); err != nil {
			return &CorruptError{Detail: fmt.Sprintf("face %s: %v", s.Faces[i].ID, err)}
		}
		return nil
	})
}
