package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/kith-photos/kith/face"
)

// Vector is a face's embedding; ErrNotFound if there is no such face or it
// has none.
func (db *DB) Vector(ctx context.Context, id FaceID) (face.Vector, error) {
	var v face.Vector
	err := db.view(ctx, "read a vector of", func(tx *sql.Tx) error {
		packed, _, err := db.storedVector(ctx, tx, string(id))
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

// content is what vectorFaces needs to know of a photo.
type content struct {
	id  PhotoID
	sha [32]byte
}

// contents are those of all photos, by row: a photo's many faces would
// otherwise decrypt it as often.
func (db *DB) contents(ctx context.Context, q querier) (map[int64]content, error) {
	found := map[int64]content{}
	query := "SELECT id, uid, sha256, NULL FROM photos"
	if db.vault != nil {
		query = "SELECT id, uid, NULL, sealed FROM photos"
	}
	var sha, sealed sql.RawBytes
	err := each(ctx, q, query, nil, func(rows *sql.Rows) error {
		var row int64
		var c content
		if err := rows.Scan(&row, &c.id, &sha, &sealed); err != nil {
			return err
		}
		var err error
		c.sha, err = db.vault.photoContent(string(c.id), sha, sealed)
		found[row] = c
		return asCorrupt(err, "photo", string(c.id))
	})
	return found, err
}

// vectorFaces reads the faces that cond tells of, in an order that does not
// depend on when or from where a photo was indexed.
func (db *DB) vectorFaces(ctx context.Context, q querier, cond string, args ...any) ([]VectorFace, error) {
	photos, err := db.contents(ctx, q)
	if err != nil {
		return nil, err
	}
	var faces []VectorFace
	err = each(ctx, q, `SELECT f.uid, f.photo, f.x, f.y, f.w, f.h, f.quality, coalesce(e.uid, ''), f.origin, coalesce(f.rejected, '')
		FROM faces f LEFT JOIN people e ON e.id = f.person `+cond, args, func(rows *sql.Rows) error {
		var f VectorFace
		var photo int64
		err := rows.Scan(&f.ID, &photo, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &f.Quality, &f.Person, &f.By, &f.Rejected)
		if err != nil {
			return err
		}
		c, ok := photos[photo]
		if !ok {
			return &CorruptError{Detail: fmt.Sprintf("face %s is of no photo", f.ID)}
		}
		f.Photo, f.SHA256 = c.id, c.sha
		faces = append(faces, f)
		return nil
	})
	slices.SortFunc(faces, func(a, b VectorFace) int {
		return cmp.Or(bytes.Compare(a.SHA256[:], b.SHA256[:]), cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y), cmp.Compare(a.ID, b.ID))
	})
	return faces, err
}

// AllFaces loads every face of the account, rejected ones and those without a
// vector included, ordered as Vectors orders them.
func (db *DB) AllFaces(ctx context.Context) ([]VectorFace, error) {
	faces, err := db.vectorFaces(ctx, db.read, "")
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
		if set.Faces, err = db.vectorFaces(ctx, tx, "WHERE f.id IN "+ofSpace+" AND f.rejected IS NULL", id); err != nil {
			return err
		}
		return set.readData(ctx, tx, db, id)
	})
	if err != nil {
		return VectorSet{}, err
	}
	return set, nil
}

// readData reads the numbers in the order in which they lie in the file.
func (s *VectorSet) readData(ctx context.Context, tx *sql.Tx, db *DB, space int64) error {
	rowOf := make(map[FaceID]int, len(s.Faces))
	for i, f := range s.Faces {
		rowOf[f.ID] = i
	}
	n, err := db.room(ctx, tx, space, s.Space)
	if err != nil {
		return err
	}
	if n < len(s.Faces) {
		return &CorruptError{Detail: fmt.Sprintf("space %q holds %d vectors of %d faces", s.Space.Name, n, len(s.Faces))}
	}
	dim := s.Space.Dim
	s.Data = make([]float32, dim*len(s.Faces))
	err = db.eachVector(ctx, tx, space, func(uid string, v []byte) error {
		i, ok := rowOf[FaceID(uid)]
		if !ok {
			return nil // it is rejected
		}
		delete(rowOf, FaceID(uid))
		return unpackNext(s.Data[i*dim:(i+1)*dim], uid, v)
	})
	if err != nil {
		return err
	}
	for id := range rowOf {
		return &CorruptError{Detail: fmt.Sprintf("face %s: its vector is missing", id)}
	}
	return nil
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
		n, err := db.room(ctx, tx, id, s)
		if err != nil {
			return err
		}
		e.Space, e.IDs, e.Data = s, make([]FaceID, 0, n), make([]float32, n*s.Dim)
		return e.read(ctx, tx, db, id)
	})
	if err != nil {
		return Embeddings{}, err
	}
	return e, nil
}

// read reads the vectors, those of chunks without a way round: what is sealed
// is decrypted to where it is to be.
func (e *Embeddings) read(ctx context.Context, tx *sql.Tx, db *DB, space int64) error {
	rejected, err := rejectedFaces(ctx, tx)
	if err != nil {
		return err
	}
	dim, room := e.Space.Dim, e.Data
	next := func(n int) ([]float32, error) {
		if n*dim > len(room) {
			return nil, &CorruptError{Detail: fmt.Sprintf("space %q holds more vectors than its %d bytes", e.Space.Name, 4*len(e.Data))}
		}
		return room[:n*dim], nil
	}
	add := func(uid string, v []float32) {
		if !rejected[uid] {
			e.IDs = append(e.IDs, FaceID(uid))
			if &room[0] != &v[0] { // one before it was left out
				copy(room, v)
			}
			room = room[dim:]
		}
	}
	err = db.eachSealed(ctx, tx, space, func(faces string, v []byte) error {
		uids := strings.Split(faces, " ")
		dst, err := next(len(uids))
		if err == nil {
			err = db.unpackChunk(dst, faces, v)
		}
		for i, uid := range uids {
			if err == nil {
				add(uid, dst[i*dim:(i+1)*dim])
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	err = db.eachTail(ctx, tx, space, func(uid string, v []byte) error {
		dst, err := next(1)
		if err == nil {
			err = unpackNext(dst, uid, v)
		}
		if err == nil {
			add(uid, dst)
		}
		return err
	})
	e.Data = e.Data[:len(e.IDs)*dim]
	return err
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
		return db.eachSearched(ctx, tx, id, func(uid string, packed []byte) error {
			if err := unpackNext(v, uid, packed); err != nil {
				return err
			}
			return show(FaceID(uid), v)
		})
	})
}

// eachSearched is eachVector without rejected faces.
func (db *DB) eachSearched(ctx context.Context, tx *sql.Tx, space int64, show func(uid string, v []byte) error) error {
	rejected, err := rejectedFaces(ctx, tx)
	if err != nil {
		return err
	}
	return db.eachVector(ctx, tx, space, func(uid string, v []byte) error {
		if len(rejected) > 0 && rejected[uid] {
			return nil
		}
		return show(uid, v)
	})
}

func rejectedFaces(ctx context.Context, q querier) (map[string]bool, error) {
	rejected := map[string]bool{}
	err := each(ctx, q, "SELECT uid FROM faces WHERE rejected IS NOT NULL", nil, func(rows *sql.Rows) error {
		var uid string
		err := rows.Scan(&uid)
		rejected[uid] = true
		return err
	})
	return rejected, err
}

// room is how many vectors the file holds of a space, by their bytes: memory
// is only taken for what is there, whatever dimension the space claims.
func (db *DB) room(ctx context.Context, tx *sql.Tx, id int64, s Space) (int, error) {
	stored, err := db.storedBytes(ctx, tx, id)
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
