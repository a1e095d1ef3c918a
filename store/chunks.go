package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// This file owns the tables vectors, chunks and slots; nothing else reads or
// writes the bytes of a vector.
//
// The vector of a face has a row of its own in vectors while it is new: these
// rows are the tail of their space. When the tail holds a chunk's worth, the
// same transaction seals it: the vectors become one row of chunks, and slots
// says which chunk each of the faces is in. A chunk is only ever read and
// written as a whole, so that it can be encrypted. Taking vectors out of it
// writes it anew without them; once no more than half are left they go back to
// the tail, which merges them with others.

// chunkBytes is how large a chunk is. Reading gains little beyond it, and one
// vector less means writing as much.
const chunkBytes = 512 << 10

// capacity is how many vectors make a chunk, of which each has dim numbers.
func capacity(dim int) int { return max(2, chunkBytes/(4*dim)) }

// chunk is a row of chunks.
type chunk struct {
	id, space int64
	faces     []string // uids
	v         []byte   // the vectors of faces, one after another
}

// size is the length in bytes of one vector.
func (c *chunk) size() int { return len(c.v) / len(c.faces) }

// vector is the packed vector of a face, nil where it has none here. It is a
// part of c.v.
func (c *chunk) vector(uid string) []byte {
	i := slices.Index(c.faces, uid)
	if i < 0 {
		return nil
	}
	n := c.size()
	return c.v[i*n : (i+1)*n : (i+1)*n]
}

// without takes faces out.
func (c *chunk) without(uids []string) {
	n := c.size()
	gone := map[string]bool{}
	for _, uid := range uids {
		gone[uid] = true
	}
	faces, v := make([]string, 0, len(c.faces)), make([]byte, 0, len(c.v))
	for i, uid := range c.faces {
		if !gone[uid] {
			faces = append(faces, uid)
			v = append(v, c.v[i*n:(i+1)*n]...)
		}
	}
	c.faces, c.v = faces, v
}

// scanChunk reads the columns id, space, faces and v. With raw, v lasts until
// the next row only.
func (db *DB) scanChunk(row scanner, raw *sql.RawBytes) (chunk, error) {
	var c chunk
	var faces string
	var err error
	if raw == nil {
		err = row.Scan(&c.id, &c.space, &faces, &c.v)
	} else if err = row.Scan(&c.id, &c.space, &faces, raw); err == nil {
		c.v = *raw
	}
	if err != nil {
		return c, err
	}
	// The driver gives every row memory of its own.
	if c.v, err = db.vault.openInPlace("chunks.v", faces, c.v); err != nil {
		return c, err
	}
	c.faces = strings.Split(faces, " ") // as many as there are bytes in hand
	if n := len(c.faces); len(c.v) == 0 || len(c.v)%(4*n) != 0 {
		return c, &CorruptError{Detail: fmt.Sprintf("chunk %d: %d bytes of vectors for %d faces", c.id, len(c.v), n)}
	}
	return c, nil
}

const chunkSelect = "SELECT id, space, faces, v FROM chunks"

// storedVector is the packed vector of a face and the row of its space; nil and
// 0 if the face has none.
func (db *DB) storedVector(ctx context.Context, q querier, uid string) (v []byte, space int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT v.v, v.space FROM faces f JOIN vectors v ON v.face = f.id WHERE f.uid = ?", uid).
		Scan(&v, &space)
	if err == nil {
		v, err = db.vault.open("vectors.v", uid, v)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return v, space, err
	}
	const query = chunkSelect + " WHERE id = (SELECT s.chunk FROM faces f JOIN slots s ON s.face = f.id WHERE f.uid = ?)"
	var raw sql.RawBytes
	err = each(ctx, q, query, []any{uid}, func(rows *sql.Rows) error {
		c, err := db.scanChunk(rows, &raw)
		if err != nil {
			return err
		}
		if v, space = bytes.Clone(c.vector(uid)), c.space; v == nil {
			return &CorruptError{Detail: fmt.Sprintf("chunk %d lacks the vector of face %s", c.id, uid)}
		}
		return nil
	})
	return v, space, err
}

// storedBytes is how much the file holds of a space's vectors. It reads none.
func (db *DB) storedBytes(ctx context.Context, q querier, space int64) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT (SELECT coalesce(sum(length(v) - ?2), 0) FROM chunks WHERE space = ?1)
		+ (SELECT coalesce(sum(length(v) - ?2), 0) FROM vectors WHERE space = ?1)`, space, db.vault.overhead()).Scan(&n)
	return n, err
}

// ofSpace selects the row ids of the faces that have a vector in a space.
const ofSpace = `(SELECT face FROM vectors WHERE space = ?1
	UNION ALL SELECT s.face FROM chunks c JOIN slots s ON s.chunk = c.id WHERE c.space = ?1)`

// eachVector shows the packed vectors of a space, those of rejected faces too,
// with the uids of their faces, in the order in which they lie in the file.
// show must not keep v.
func (db *DB) eachVector(ctx context.Context, q querier, space int64, show func(uid string, v []byte) error) error {
	var raw sql.RawBytes
	err := each(ctx, q, chunkSelect+" WHERE space = ? ORDER BY id", []any{space}, func(rows *sql.Rows) error {
		c, err := db.scanChunk(rows, &raw)
		if err != nil {
			return err
		}
		n := c.size()
		for i, uid := range c.faces {
			if err := show(uid, c.v[i*n:(i+1)*n]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.eachTail(ctx, q, space, show)
}

// eachTail is eachVector for those that have a row each.
func (db *DB) eachTail(ctx context.Context, q querier, space int64, show func(uid string, v []byte) error) error {
	var raw sql.RawBytes
	return each(ctx, q, "SELECT f.uid, v.v FROM vectors v JOIN faces f ON f.id = v.face WHERE v.space = ? ORDER BY v.face",
		[]any{space}, func(rows *sql.Rows) error {
			var uid string
			if err := rows.Scan(&uid, &raw); err != nil {
				return err
			}
			v, err := db.vault.openInPlace("vectors.v", uid, raw)
			if err != nil {
				return err
			}
			return show(uid, v)
		})
}

// eachSealed shows the chunks of a space as the file has them.
func (db *DB) eachSealed(ctx context.Context, q querier, space int64, show func(faces string, v []byte) error) error {
	var raw sql.RawBytes
	return each(ctx, q, "SELECT faces, v FROM chunks WHERE space = ? ORDER BY id", []any{space}, func(rows *sql.Rows) error {
		var faces string
		if err := rows.Scan(&faces, &raw); err != nil {
			return err
		}
		return show(faces, raw)
	})
}

// unpackChunk fills dst, which fixes how long they must be, with the vectors
// of a chunk.
func (db *DB) unpackChunk(dst []float32, faces string, v []byte) (err error) {
	if db.vault != nil && littleEndian() && len(v) == 4*len(dst)+sealOverhead {
		_, err = db.vault.openTo(asBytes(dst)[:0], "chunks.v", faces, v)
		return err
	}
	if v, err = db.vault.openInPlace("chunks.v", faces, v); err != nil {
		return err
	}
	if err := unpackVector(dst, v); err != nil {
		return &CorruptError{Detail: fmt.Sprintf("a chunk: %v", err)}
	}
	return nil
}

// vectorWriter puts and takes the vectors of one transaction, whose last step
// is flush: until then chunks may hold vectors that were taken.
type vectorWriter struct {
	ctx   context.Context // of the one call that it lives in
	tx    *sql.Tx
	db    *DB
	taken map[int64][]string // uids by chunk
	grown map[int64]bool     // spaces whose tail has more rows than before
}

func (db *DB) newVectorWriter(ctx context.Context, tx *sql.Tx) *vectorWriter {
	return &vectorWriter{ctx: ctx, tx: tx, db: db, taken: map[int64][]string{}, grown: map[int64]bool{}}
}

func (w *vectorWriter) exec(query string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, query, args...)
	return err
}

// put gives a vector to a face that has none, known by row and uid.
func (w *vectorWriter) put(face int64, uid string, space int64, v []byte) error {
	w.grown[space] = true
	return w.exec("INSERT INTO vectors (face, space, v) VALUES (?, ?, ?)", face, space, w.db.vault.seal("vectors.v", uid, v))
}

// take takes the vectors from the faces that cond tells of, if they have some.
// It comes before these faces are deleted.
func (w *vectorWriter) take(cond string, args ...any) error {
	sealed := false
	err := each(w.ctx, w.tx, "SELECT s.chunk, f.uid FROM faces f JOIN slots s ON s.face = f.id WHERE "+cond, args,
		func(rows *sql.Rows) error {
			var id int64
			var uid string
			err := rows.Scan(&id, &uid)
			w.taken[id], sealed = append(w.taken[id], uid), true
			return err
		})
	if err != nil {
		return err
	}
	if sealed {
		if err := w.exec("DELETE FROM slots WHERE face IN (SELECT f.id FROM faces f WHERE "+cond+")", args...); err != nil {
			return err
		}
	}
	return w.exec("DELETE FROM vectors WHERE face IN (SELECT f.id FROM faces f WHERE "+cond+")", args...)
}

// flush writes the chunks anew from which vectors were taken, and seals what
// the tails hold by then.
func (w *vectorWriter) flush() error {
	for _, id := range slices.Sorted(maps.Keys(w.taken)) {
		if err := w.rewrite(id); err != nil {
			return fmt.Errorf("chunk %d: %w", id, err)
		}
	}
	for _, space := range slices.Sorted(maps.Keys(w.grown)) {
		if err := w.seal(space); err != nil {
			return err
		}
	}
	clear(w.taken)
	clear(w.grown)
	return nil
}

func (w *vectorWriter) rewrite(id int64) error {
	c, err := w.db.scanChunk(w.tx.QueryRowContext(w.ctx, chunkSelect+" WHERE id = ?", id), nil)
	if err != nil {
		return err
	}
	n := c.size()
	c.without(w.taken[id])
	if len(c.faces) > w.db.capacity(n/4)/2 {
		faces := strings.Join(c.faces, " ")
		return w.exec("UPDATE chunks SET faces = ?, v = ? WHERE id = ?", faces, w.db.vault.seal("chunks.v", faces, c.v), id)
	}
	if err := w.exec("DELETE FROM slots WHERE chunk = ?", id); err != nil {
		return err
	}
	for i, uid := range c.faces {
		res, err := w.tx.ExecContext(w.ctx, "INSERT INTO vectors (face, space, v) SELECT id, ?, ? FROM faces WHERE uid = ?",
			c.space, w.db.vault.seal("vectors.v", uid, c.v[i*n:(i+1)*n]), uid)
		if err := mustChange(res, err); err != nil {
			return fmt.Errorf("face %s: %w", uid, err)
		}
		w.grown[c.space] = true
	}
	return w.exec("DELETE FROM chunks WHERE id = ?", id)
}

// seal moves the tail of a space into chunks, as many as it fills, the oldest
// faces first: those of one folder came together and often go together.
func (w *vectorWriter) seal(space int64) error {
	var dim, tail int
	err := w.tx.QueryRowContext(w.ctx, "SELECT dim, (SELECT count(*) FROM vectors WHERE space = ?1) FROM spaces WHERE id = ?1", space).
		Scan(&dim, &tail)
	if err != nil {
		return err
	}
	for size := w.db.capacity(dim); tail >= size; tail -= size {
		if err := w.sealOne(space, size, 4*dim); err != nil {
			return err
		}
	}
	return nil
}

// sealOne moves the first n vectors, of so many bytes each, of a tail that has
// as many.
func (w *vectorWriter) sealOne(space int64, n, size int) error {
	faces, packed := make([]string, 0, n), make([]byte, 0, n*size)
	var last int64
	var raw sql.RawBytes
	err := each(w.ctx, w.tx, `SELECT v.face, f.uid, v.v FROM vectors v JOIN faces f ON f.id = v.face
		WHERE v.space = ? ORDER BY v.face LIMIT ?`, []any{space, n}, func(rows *sql.Rows) error {
		var uid string
		if err := rows.Scan(&last, &uid, &raw); err != nil {
			return err
		}
		v, err := w.db.vault.open("vectors.v", uid, raw)
		if err != nil {
			return err
		}
		if len(v) != size {
			return &CorruptError{Detail: fmt.Sprintf("face %s: vector of %d bytes, want %d", uid, len(v), size)}
		}
		faces, packed = append(faces, uid), append(packed, v...)
		return nil
	})
	if err != nil {
		return err
	}
	uids := strings.Join(faces, " ")
	res, err := w.tx.ExecContext(w.ctx, "INSERT INTO chunks (space, faces, v) VALUES (?, ?, ?)", space, uids, w.db.vault.seal("chunks.v", uids, packed))
	if err != nil {
		return err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return err
	}
	if err := w.exec("INSERT INTO slots (face, chunk) SELECT face, ? FROM vectors WHERE space = ? AND face <= ?", id, space, last); err != nil {
		return err
	}
	return w.exec("DELETE FROM vectors WHERE space = ? AND face <= ?", space, last)
}

// sealAll seals the tails of all spaces.
func (w *vectorWriter) sealAll() error {
	err := each(w.ctx, w.tx, "SELECT id FROM spaces", nil, func(rows *sql.Rows) error {
		var space int64
		err := rows.Scan(&space)
		w.grown[space] = true
		return err
	})
	if err != nil {
		return err
	}
	return w.flush()
}
