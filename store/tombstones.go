package store

import (
	"context"
	"database/sql"

	"github.com/kith-photos/kith/face"
)

// Tombstones tell the contents that were erased.
type Tombstones struct {
	tag    func([32]byte) [32]byte
	photos map[[32]byte]bool
	faces  map[[32]byte][]face.Box
}

// Photo reports whether photos of this content were erased.
func (t *Tombstones) Photo(sha [32]byte) bool { return len(t.photos) > 0 && t.photos[t.tag(sha)] }

// Tombstones reads what must not come back.
func (db *DB) Tombstones(ctx context.Context) (*Tombstones, error) {
	t, err := db.tombstones(ctx, db.read)
	return t, db.fail(ctx, "read tombstones of", err)
}

func (db *DB) tombstones(ctx context.Context, q querier) (*Tombstones, error) {
	t := &Tombstones{photos: map[[32]byte]bool{}, faces: map[[32]byte][]face.Box{}}
	var err error
	if t.tag, err = db.tombstoneTag(ctx, q); err != nil {
		return nil, err
	}
	err = each(ctx, q, "SELECT photo, x, y, w, h FROM tombstones ORDER BY id", nil, func(rows *sql.Rows) error {
		var tag []byte
		var x, y, w, h sql.NullFloat64
		if err := rows.Scan(&tag, &x, &y, &w, &h); err != nil {
			return err
		}
		photo, err := unpackSHA(tag)
		if x.Valid {
			t.faces[photo] = append(t.faces[photo], face.Box{X: x.Float64, Y: y.Float64, W: w.Float64, H: h.Float64})
		} else {
			t.photos[photo] = true
		}
		return err
	})
	return t, err
}

// spare takes out of the faces found on a photo those that were erased, each
// the one that its tombstone's box means.
func (t *Tombstones) spare(sha [32]byte, found []foundFace) []foundFace {
	if len(t.faces) == 0 {
		return found
	}
	erased := map[int]bool{} // several tombstones may be one face's
	for _, box := range t.faces[t.tag(sha)] {
		ref := FaceRef{SHA256: sha, Box: box}
		erased[ref.Best(len(found), func(i int) face.Box { return found[i].Box })] = true
	}
	var left []foundFace
	for i, f := range found {
		if !erased[i] {
			left = append(left, f)
		}
	}
	return left
}
