package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"iter"
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
	coalesce(e.uid, ''), f.origin, coalesce(f.rejected, ''), f.sealed
	FROM faces f JOIN photos p ON p.id = f.photo LEFT JOIN people e ON e.id = f.person`

func (db *DB) scanFace(row scanner) (Face, error) {
	var f Face
	var landmarks, sealed []byte
	err := row.Scan(&f.ID, &f.Photo, &f.Box.X, &f.Box.Y, &f.Box.W, &f.Box.H, &landmarks,
		&f.Score, &f.Quality, &f.Detector, &f.Person, &f.By, &f.Rejected, &sealed)
	if err != nil {
		return Face{}, err
	}
	if landmarks, err = db.vault.openLandmarks(string(f.ID), landmarks, sealed); err == nil {
		f.Landmarks, err = unpackLandmarks(landmarks)
	}
	return f, asCorrupt(err, "face", string(f.ID))
}

// Face is the face of an id, or ErrNotFound.
func (db *DB) Face(ctx context.Context, id FaceID) (Face, error) {
	f, err := db.scanFace(db.read.QueryRowContext(ctx, faceSelect+" WHERE f.uid = ?", string(id)))
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
	query := faceSelect + f.where() + " ORDER BY " + db.pathOrder() + ", f.x, f.y, f.uid" + f.limit(q.Limit)
	return list(ctx, db, "list faces of", query, f.args, db.scanFace)
}

// FacesByID are the faces of some ids, of one moment, rejected ones included.
// One that is unknown is left out.
func (db *DB) FacesByID(ctx context.Context, ids []FaceID) (map[FaceID]Face, error) {
	packed, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	faces := make(map[FaceID]Face, len(ids))
	err = each(ctx, db.read, faceSelect+" WHERE f.uid IN (SELECT value FROM json_each(?))", []any{string(packed)},
		func(rows *sql.Rows) error {
			f, err := db.scanFace(rows)
			faces[f.ID] = f
			return err
		})
	if err != nil {
		return nil, db.fail(ctx, "read faces of", err)
	}
	return faces, nil
}
