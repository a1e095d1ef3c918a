package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face"
)

// eraser erases parts of an account within one transaction.
type eraser struct {
	*watch
	vectors *vectorWriter
}

// erasing runs f on an eraser and brings what it did to its end.
func (db *DB) erasing(ctx context.Context, tx *sql.Tx, f func(*eraser) error) (Counts, error) {
	e := &eraser{watch: db.newWatch(ctx, tx), vectors: db.newVectorWriter(ctx, tx)}
	before, err := countRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := f(e); err != nil {
		return nil, err
	}
	if err := e.vectors.flush(); err != nil {
		return nil, err
	}
	if err := e.dropStrangers(); err != nil {
		return nil, err
	}
	if err := e.record(db.now); err != nil {
		return nil, err
	}
	after, err := countRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	counts := before.minus(after)
	counts[ClassConsent] = max(0, counts[ClassConsent]) // one may have been added
	return counts, nil
}

// photos erases photos of these contents; ids names those that could not be
// read and have none.
func (e *eraser) photos(ids []PhotoID, contents map[[32]byte]bool) error {
	none := [32]byte{}
	for sha := range contents {
		if sha == none {
			continue
		}
		key := e.db.vault.contentKey(sha)
		if err := e.dropPhotos("p.sha256 = ?", key[:]); err != nil {
			return err
		}
		if err := e.bury(sha, nil); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := e.dropPhotos("p.uid = ?", string(id)); err != nil {
			return err
		}
	}
	if err := e.forgetGuesses(); err != nil {
		return err
	}
	return e.forget(func(d *Decision) bool { return d.corrects() && contents[d.Faces[0].SHA256] },
		func(r FaceRef) bool { return contents[r.SHA256] }, nil)
}

// forgetGuesses empties what estimated positions say: they may stand on photos
// that went. The next arrangement makes those anew that still have a ground.
func (e *eraser) forgetGuesses() error {
	const guessed = "(SELECT moment FROM shots WHERE guessed = 1)"
	const days = "(SELECT parent FROM moments WHERE id IN " + guessed + ")"
	for _, query := range []string{
		"UPDATE moments SET value = '' WHERE id IN " + guessed + " OR id IN " + days +
			" OR id IN (SELECT parent FROM moments WHERE id IN " + days + ")",
		"UPDATE shots SET spot = '', cell = NULL, guessed = 0 WHERE guessed = 1",
		"DELETE FROM cells WHERE id NOT IN (SELECT cell FROM shots WHERE cell IS NOT NULL)",
	} {
		if err := e.exec(query); err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) dropPhotos(cond string, arg any) error {
	faces := "f.photo IN (SELECT p.id FROM photos p WHERE " + cond + ")"
	if err := errors.Join(e.leave(faces, arg), e.vectors.take(faces, arg), e.unshare(cond, arg)); err != nil {
		return err
	}
	return e.exec("DELETE FROM photos AS p WHERE "+cond, arg)
}

// person erases a person and those that were merged into it.
func (e *eraser) person(id PersonID) error {
	ids, err := e.merged(id)
	if err != nil {
		return err
	}
	gone := buried{}
	for id := range ids {
		if err := e.buryFaces(id, gone); err != nil {
			return err
		}
		const faces = "f.person = (SELECT id FROM people WHERE uid = ?)"
		if err := errors.Join(e.touch(id), e.leave(faces, string(id)), e.vectors.take(faces, string(id))); err != nil {
			return err
		}
		for _, query := range []string{
			"DELETE FROM faces WHERE person = (SELECT id FROM people WHERE uid = ?)",
			"DELETE FROM events WHERE ?1 IN (person, other)",
			"DELETE FROM consent WHERE person = ?",
		} {
			if err := e.exec(query, string(id)); err != nil {
				return err
			}
		}
		if err := e.drop(id); err != nil {
			return err
		}
	}
	return e.forget(func(d *Decision) bool {
		switch {
		case ids[d.Person]:
			return true
		case ids[d.Other]: // whom they left is nobody's business any more
			return d.Kind != DecisionSplit
		}
		return false
	}, gone.has, ids)
}

// merged lists a person and everybody who was ever merged into it.
func (e *eraser) merged(id PersonID) (map[PersonID]bool, error) {
	into := map[PersonID][]PersonID{}
	err := each(e.ctx, e.tx, "SELECT person, other FROM decisions WHERE kind = ? AND revoked IS NULL", []any{string(DecisionMerge)},
		func(rows *sql.Rows) error {
			var to, from PersonID
			err := rows.Scan(&to, &from)
			into[to] = append(into[to], from)
			return err
		})
	ids, todo := map[PersonID]bool{id: true}, []PersonID{id}
	for len(todo) > 0 {
		for _, from := range into[todo[0]] {
			if !ids[from] {
				ids[from] = true
				todo = append(todo, from)
			}
		}
		todo = todo[1:]
	}
	return ids, err
}

// name erases what a person, and those merged into it, were ever called.
func (e *eraser) name(id PersonID) error {
	ids, err := e.merged(id)
	if err != nil {
		return err
	}
	for id := range ids {
		if err := e.touch(id); err != nil {
			return err
		}
		for _, query := range []string{
			"UPDATE people SET name = '' WHERE uid = ?",
			"DELETE FROM decisions WHERE kind = 'name' AND person = ?",
			"UPDATE decisions SET old_name = '' WHERE old_name <> '' AND ?1 IN (person, other)",
		} {
			if err := e.exec(query, string(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// buried are boxes by the content of their photos.
type buried map[[32]byte][]face.Box

func (c buried) has(r FaceRef) bool {
	boxes := c[r.SHA256]
	return r.Best(len(boxes), func(i int) face.Box { return boxes[i] }) >= 0
}

// buryFaces leaves a tombstone for each face of a person, and adds them to gone.
func (e *eraser) buryFaces(id PersonID, gone buried) error {
	var refs []FaceRef
	err := each(e.ctx, e.tx, `SELECT p.uid, p.sha256, p.sealed, f.x, f.y, f.w, f.h FROM faces f
		JOIN photos p ON p.id = f.photo JOIN people e ON e.id = f.person WHERE e.uid = ?`, []any{string(id)},
		func(rows *sql.Rows) error {
			var r FaceRef
			var uid string
			var sha, sealed []byte
			err := rows.Scan(&uid, &sha, &sealed, &r.Box.X, &r.Box.Y, &r.Box.W, &r.Box.H)
			if err == nil {
				r.SHA256, err = e.db.vault.photoContent(uid, sha, sealed)
			}
			refs = append(refs, r)
			return err
		})
	if err != nil {
		return err
	}
	for _, r := range refs {
		gone[r.SHA256] = append(gone[r.SHA256], r.Box)
		if err := e.bury(r.SHA256, &r.Box); err != nil {
			return err
		}
	}
	return nil
}

// bury leaves a tombstone for a face, or without a box for a photo.
func (e *eraser) bury(sha [32]byte, box *face.Box) error {
	tag, err := e.db.tombstoneTag(e.ctx, e.tx)
	if err != nil {
		return err
	}
	var x, y, w, h any
	if box != nil {
		x, y, w, h = box.X, box.Y, box.W, box.H
	}
	photo := tag(sha)
	return e.exec("INSERT INTO tombstones (request, photo, x, y, w, h) VALUES ('', ?, ?, ?, ?, ?)", photo[:], x, y, w, h)
}

// tombstoneTag tells by what a content is known to tombstones: a hash with the
// account's salt, from which nobody learns which photo it was.
func (db *DB) tombstoneTag(ctx context.Context, q querier) (func([32]byte) [32]byte, error) {
	var salt []byte
	if err := q.QueryRowContext(ctx, "SELECT salt FROM account").Scan(&salt); err != nil {
		return nil, err
	}
	salt, err := db.vault.open("account.salt", "", salt)
	if err != nil {
		return nil, err
	}
	return func(sha [32]byte) [32]byte {
		h := hmac.New(sha256.New, salt)
		h.Write(sha[:])
		return [32]byte(h.Sum(nil))
	}, nil
}

// forget takes decisions out of the ledger: those that whole tells of, and of
// the others the references that part tells of. Who held faces before is
// forgotten where it is one of holders.
func (e *eraser) forget(whole func(*Decision) bool, part func(FaceRef) bool, holders map[PersonID]bool) error {
	var drop []DecisionID
	var change []Decision
	err := each(e.ctx, e.tx, decisionSelect+" ORDER BY seq", nil, func(rows *sql.Rows) error {
		d, err := e.db.scanDecision(rows)
		if err != nil {
			return err
		}
		switch {
		case whole(&d):
			drop = append(drop, d.ID)
		case d.strip(part, holders):
			if len(d.Faces) == 0 && d.needsFaces() {
				drop = append(drop, d.ID)
			} else {
				change = append(change, d)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range change {
		if err := e.rewriteDecision(d); err != nil {
			return fmt.Errorf("decision %s: %w", d.ID, err)
		}
	}
	for _, id := range drop {
		if err := e.exec("UPDATE faces SET rejected = NULL WHERE rejected = ?", string(id)); err != nil {
			return err
		}
		if err := e.exec("DELETE FROM decisions WHERE uid = ?", string(id)); err != nil {
			return err
		}
	}
	return nil
}

// needsFaces reports whether a decision is about nothing but its faces.
func (d *Decision) needsFaces() bool {
	return slices.Contains([]DecisionKind{
		DecisionSplit, DecisionSame, DecisionRemove, DecisionNotAFace, DecisionCover, DecisionTime, DecisionPlace,
	}, d.Kind)
}

// strip takes references out of a decision, and people out of what was before.
// It reports whether anything changed.
func (d *Decision) strip(part func(FaceRef) bool, holders map[PersonID]bool) bool {
	changed := false
	at := make([]int, len(d.Faces)) // where each goes; -1: nowhere
	var faces []FaceRef
	for i, r := range d.Faces {
		if at[i] = len(faces); part(r) {
			at[i], changed = -1, true
			continue
		}
		faces = append(faces, r)
	}
	others := slices.DeleteFunc(slices.Clone(d.Others), part)
	if len(others) != len(d.Others) {
		changed = true
	}
	var before []Holder
	for _, h := range d.Before {
		if holders[h.Person] {
			h.Person, changed = "", true
		}
		if h.Faces != nil {
			var left []int
			for _, i := range h.Faces {
				if at[i] >= 0 {
					left = append(left, at[i])
				}
			}
			if h.Faces = left; left == nil {
				continue
			}
		}
		before = append(before, h)
	}
	if d.Kind == DecisionSplit && holders[d.Other] { // all that is left of it
		d.Kind, d.Other, others, before, changed = DecisionSame, "", nil, nil, true
	}
	d.Faces, d.Others, d.Before = faces, others, before
	return changed
}

func (e *eraser) rewriteDecision(d Decision) error {
	faces, err1 := packRefs(d.Faces)
	others, err2 := packRefs(d.Others)
	before, err3 := packHolders(d.Before)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	uid, v := string(d.ID), e.db.vault
	return e.exec("UPDATE decisions SET kind = ?, other = ?, faces = ?, others = ?, before = ? WHERE uid = ?", string(d.Kind), string(d.Other),
		v.sealRefs("decisions.faces", uid, faces), v.sealRefs("decisions.others", uid, others), before, uid)
}
