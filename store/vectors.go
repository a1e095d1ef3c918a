package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kith-photos/kith/face"
)

// Vector is a face's embedding; ErrNotFound if there is no such face or it
// has none.
func (db *DB) Vector(ctx context.Context, id FaceID) (face.Vector, error) {
	var v face.Vector
	err := db.view(ctx, "read a vector of", func(tx *sql.Tx) error {
		packed, _, err := storedVector(ctx, tx, string(id))
		if err == nil && packed == nil {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		v = make(face.Vector, len(packed)/4)
		if err := unpackVector(v, packed); err != nil {
			return &CorruptError{Detail: fmt.Sprintf("face %s: %v", id, err)}
		}
		return nil
	})
	return v, err
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

const vectorFaceColumns = `f.uid, p.uid, p.sha256, f.x, f.y, f.w, f.h, f.quality,
	coalesce(e.uid, ''), f.origin, coalesce(f.rejected, '')`

// vectorFaceOrder does not depend on when or from where a photo was indexed.
const vectorFaceOrder = " ORDER BY p.sha256, f.x, f.y, f.uid"

func scanVectorFace(row scanner) (f VectorFace, err error) {
	var sha sql.RawBytes
	err = row.Scan(&f.ID, &f.Photo, &sha, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &f.Quality,
		&f.Person, &f.By, &f.Rejected)
	if err != nil {
		return VectorFace{}, err
	}
	if f.SHA256, err = unpackSHA(sha); err != nil {
		return VectorFace{}, &CorruptError{Detail: fmt.Sprintf("photo %s: %v", f.Photo, err)}
	}
	return f, nil
}

// AllFaces loads every face of the account, rejected ones and those without a
// vector included, ordered as Vectors orders them.
func (db *DB) AllFaces(ctx context.Context) ([]VectorFace, error) {
	var faces []VectorFace
	err := each(ctx, db.read, "SELECT "+vectorFaceColumns+` FROM faces f JOIN photos p ON p.id = f.photo
		LEFT JOIN people e ON e.id = f.person`+vectorFaceOrder, nil, func(rows *sql.Rows) error {
		f, err := scanVectorFace(rows)
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
// rejected, from one snapshot, ordered by the photo's content, the box's left
// and top edge, and the id: an order that does not depend on when or from
// where a photo was indexed. ErrNotFound if the space is unknown.
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
// small, and returns each face's position.
func (s *VectorSet) readFaces(ctx context.Context, tx *sql.Tx, space int64) (map[FaceID]int, error) {
	rowOf := map[FaceID]int{}
	err := each(ctx, tx, "SELECT "+vectorFaceColumns+` FROM faces f
		JOIN photos p ON p.id = f.photo LEFT JOIN people e ON e.id = f.person
		WHERE f.id IN `+ofSpace+` AND f.rejected IS NULL`+vectorFaceOrder, []any{space}, func(rows *sql.Rows) error {
		f, err := scanVectorFace(rows)
		if err != nil {
			return err
		}
		rowOf[f.ID] = len(s.Faces)
		s.Faces = append(s.Faces, f)
		return nil
	})
	return rowOf, err
}

// readData reads the numbers in the order in which they lie in the file.
func (s *VectorSet) readData(ctx context.Context, tx *sql.Tx, space int64, rowOf map[FaceID]int) error {
	n, err := room(ctx, tx, space, s.Space)
	if err != nil {
		return err
	}
	if n < len(s.Faces) {
		return &CorruptError{Detail: fmt.Sprintf("space %q holds %d vectors of %d faces", s.Space.Name, n, len(s.Faces))}
	}
	dim := s.Space.Dim
	s.Data = make([]float32, dim*len(s.Faces))
	err = eachVector(ctx, tx, space, func(uid string, v []byte) error {
		i, ok := rowOf[FaceID(uid)]
		if !ok {
			return nil // it is rejected
		}
		delete(rowOf, FaceID(uid))
		return unpackNext(s.Data[i*dim:(i+1)*dim], uid, v)
	})
	for id := range rowOf {
		return errors.Join(err, &CorruptError{Detail: fmt.Sprintf("face %s: its vector is missing", id)})
	}
	return err
}

// Embeddings are the vectors of a space with nothing but the ids of the faces.
type Embeddings struct {
	Space Space
	IDs   []FaceID
	Data  []float32 // len(IDs) x Space.Dim; row i belongs to IDs[i]
}

// Embeddings loads what a search looks through: all vectors of a space, without
// those of rejected faces, from one snapshot, in no particular order. It is
// several times as fast as Vectors. ErrNotFound if the space is unknown.
func (db *DB) Embeddings(ctx context.Context, space string) (Embeddings, error) {
	var e Embeddings
	err := db.view(ctx, "read vectors of", func(tx *sql.Tx) error {
		e = Embeddings{}
		id, s, err := lookupSpace(ctx, tx, space)
		if err != nil {
			return err
		}
		n, err := room(ctx, tx, id, s)
		if err != nil {
			return err
		}
		e.Space, e.IDs, e.Data = s, make([]FaceID, 0, n), make([]float32, n*s.Dim)
		err = eachSearched(ctx, tx, id, func(uid string, packed []byte) error {
			if len(e.IDs) == n {
				return &CorruptError{Detail: fmt.Sprintf("space %q holds more vectors than its %d bytes", space, 4*n*s.Dim)}
			}
			at := len(e.IDs) * s.Dim
			e.IDs = append(e.IDs, FaceID(uid))
			return unpackNext(e.Data[at:at+s.Dim], uid, packed)
		})
		e.Data = e.Data[:len(e.IDs)*s.Dim]
		return err
	})
	if err != nil {
		return Embeddings{}, err
	}
	return e, nil
}

// EachEmbedding shows what Embeddings would load, vector by vector, and keeps
// none of it. show must not keep v; its error ends the reading.
func (db *DB) EachEmbedding(ctx context.Context, space string, show func(id FaceID, v face.Vector) error) error {
	return db.view(ctx, "read vectors of", func(tx *sql.Tx) error {
		id, s, err := lookupSpace(ctx, tx, space)
		if err != nil {
			return err
		}
		v := make(face.Vector, s.Dim) // which is at most maxDim
		return eachSearched(ctx, tx, id, func(uid string, packed []byte) error {
			if err := unpackNext(v, uid, packed); err != nil {
				return err
			}
			return show(FaceID(uid), v)
		})
	})
}

// eachSearched is eachVector without rejected faces.
func eachSearched(ctx context.Context, tx *sql.Tx, space int64, show func(uid string, v []byte) error) error {
	rejected := map[string]bool{}
	err := each(ctx, tx, "SELECT uid FROM faces WHERE rejected IS NOT NULL", nil, func(rows *sql.Rows) error {
		var uid string
		err := rows.Scan(&uid)
		rejected[uid] = true
		return err
	})
	if err != nil {
		return err
	}
	return eachVector(ctx, tx, space, func(uid string, v []byte) error {
		if len(rejected) > 0 && rejected[uid] {
			return nil
		}
		return show(uid, v)
	})
}

// room is how many vectors the file holds of a space, by their bytes: memory
// is only taken for what is there, whatever dimension the space claims.
func room(ctx context.Context, tx *sql.Tx, id int64, s Space) (int, error) {
	stored, err := storedBytes(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	if stored%int64(4*s.Dim) != 0 {
		return 0, &CorruptError{Detail: fmt.Sprintf("space %q holds %d bytes, which are no vectors of %d numbers", s.Name, stored, s.Dim)}
	}
	return int(stored / int64(4*s.Dim)), nil
}

func unpackNext(dst []float32, uid string, v []byte) error {
	if err := unpackVector(dst, v); err != nil {
		return &CorruptError{Detail: fmt.Sprintf("face %s: %v", uid, err)}
	}
	return nil
}
