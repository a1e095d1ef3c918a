package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

const decisionSelect = `SELECT uid, seq, kind, at, person, other, name, old_name, faces, others, before, revoked, revoked_after, value
	FROM decisions`

func (db *DB) scanDecision(row scanner) (Decision, error) {
	var d Decision
	var at int64
	var faces, others, before []byte
	var revoked, after sql.NullInt64
	var value string
	err := row.Scan(&d.ID, &d.Seq, &d.Kind, &at, &d.Person, &d.Other, &d.Name, &d.OldName, &faces, &others, &before,
		&revoked, &after, &value)
	if err != nil {
		return Decision{}, err
	}
	d.At = fromMicros(at)
	if revoked.Valid {
		t := fromMicros(revoked.Int64)
		d.Revoked, d.RevokedAfter = &t, after.Int64
	}
	uid := string(d.ID)
	err = db.vault.openTexts(uid, map[string]*string{
		"decisions.name": &d.Name, "decisions.old_name": &d.OldName, "decisions.value": &value,
	})
	if err == nil {
		d.Faces, err = db.openFaces(uid, faces)
	}
	if err == nil {
		if others, err = db.vault.openRefs("decisions.others", uid, others); err == nil {
			d.Others, err = unpackRefs(others)
		}
	}
	if err == nil {
		d.Before, err = unpackHolders(before, len(d.Faces))
	}
	if err == nil {
		d.Correction, err = unpackCorrection(value)
	}
	if err == nil {
		err = d.checkCorrection()
	}
	return d, asCorrupt(err, "decision", uid)
}

// openFaces reads the column faces of a decision.
func (db *DB) openFaces(decision string, packed []byte) ([]FaceRef, error) {
	packed, err := db.vault.openRefs("decisions.faces", decision, packed)
	if err != nil {
		return nil, err
	}
	return unpackRefs(packed)
}

// putDecision appends a decision to the ledger as it is; a Seq of 0 is given.
func (db *DB) putDecision(ctx context.Context, tx *sql.Tx, d Decision) error {
	if d.Kind == "" {
		return errors.New("the decision has no kind")
	}
	if err := d.checkCorrection(); err != nil {
		return err
	}
	faces, err := packRefs(d.Faces)
	if err != nil {
		return err
	}
	others, err := packRefs(d.Others)
	if err != nil {
		return err
	}
	before, err := packHolders(d.Before)
	if err != nil {
		return err
	}
	value, err := packCorrection(d.Correction)
	if err != nil {
		return err
	}
	uid, v := string(d.ID), db.vault
	var seq, revoked, after any
	if d.Seq != 0 {
		seq = d.Seq
	}
	if d.Revoked != nil {
		revoked, after = micros(*d.Revoked), d.RevokedAfter
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO decisions
		(seq, uid, kind, at, person, other, name, old_name, faces, others, before, value, revoked, revoked_after)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, seq, uid, string(d.Kind), micros(d.At), string(d.Person), string(d.Other),
		v.sealText("decisions.name", uid, d.Name), v.sealText("decisions.old_name", uid, d.OldName),
		v.sealRefs("decisions.faces", uid, faces), v.sealRefs("decisions.others", uid, others), before,
		v.sealText("decisions.value", uid, value), revoked, after)
	return err
}

// Decide appends a decision to the ledger and applies what follows from it,
// in one transaction. ID is made where it is empty, Seq is given, At is now
// where it is zero; Revoked and RevokedAfter are not read.
func (db *DB) Decide(ctx context.Context, d Decision, a Assignment) (DecisionID, error) {
	if d.ID == "" {
		d.ID = DecisionID(newUID())
	}
	if d.At.IsZero() {
		d.At = db.now()
	}
	err := db.update(ctx, "record a decision in", func(tx *sql.Tx) error {
		d.Seq, d.Revoked, d.RevokedAfter = 0, nil, 0
		if err := db.putDecision(ctx, tx, d); err != nil {
			return err
		}
		if err := db.applyCorrection(ctx, tx, d); err != nil {
			return err
		}
		if err := db.note(ctx, tx, "decide: "+string(d.Kind), Counts{ClassDecisions: 1}); err != nil {
			return err
		}
		if err := befriendMerged(ctx, tx, d); err != nil {
			return err
		}
		return db.assign(ctx, tx, a)
	})
	if err != nil {
		return "", err
	}
	return d.ID, nil
}

// Revoke marks a decision as revoked now, forgets the names in it, and applies what follows,
// in one transaction. ErrNotFound if there is none of this id, ErrRevoked if
// it is revoked already.
func (db *DB) Revoke(ctx context.Context, id DecisionID, a Assignment) error {
	return db.update(ctx, "revoke a decision in", func(tx *sql.Tx) error {
		d, err := db.scanDecision(tx.QueryRowContext(ctx, decisionSelect+" WHERE uid = ?", string(id)))
		switch {
		case err != nil:
			return fmt.Errorf("decision %s: %w", id, err)
		case d.Revoked != nil:
			return fmt.Errorf("decision %s: %w", id, ErrRevoked)
		}
		// What was said is needed no more: names are not kept for nothing.
		_, err = tx.ExecContext(ctx, `UPDATE decisions SET revoked = ?, revoked_after = (SELECT max(seq) FROM decisions),
			name = '', old_name = '', value = '' WHERE uid = ?`, micros(db.now()), string(id))
		if err != nil {
			return err
		}
		if err := db.forgetOldName(ctx, tx, d); err != nil {
			return err
		}
		if d.corrects() {
			if err := db.recorrect(ctx, tx, d.Faces[0].SHA256); err != nil {
				return err
			}
		}
		if err := db.note(ctx, tx, "undo", Counts{ClassDecisions: 1}); err != nil {
			return err
		}
		return db.assign(ctx, tx, a)
	})
}

// forgetOldName takes the name that an undone decision gave out of the others,
// where it says what the person was called before.
func (db *DB) forgetOldName(ctx context.Context, tx *sql.Tx, d Decision) error {
	if d.Kind != DecisionName || d.Name == "" {
		return nil
	}
	var uids []string
	err := each(ctx, tx, "SELECT uid, old_name FROM decisions WHERE old_name <> '' AND ? IN (person, other)", []any{string(d.Person)},
		func(rows *sql.Rows) error {
			p, err := scanPair(rows)
			if err != nil {
				return err
			}
			old, err := db.vault.openText("decisions.old_name", p.key, string(p.value))
			if old == d.Name {
				uids = append(uids, p.key)
			}
			return err
		})
	for _, uid := range uids {
		if err == nil {
			_, err = tx.ExecContext(ctx, "UPDATE decisions SET old_name = '' WHERE uid = ?", uid)
		}
	}
	return err
}

// Decision is the decision of an id, or ErrNotFound.
func (db *DB) Decision(ctx context.Context, id DecisionID) (Decision, error) {
	d, err := db.scanDecision(db.read.QueryRowContext(ctx, decisionSelect+" WHERE uid = ?", string(id)))
	return d, db.fail(ctx, "read a decision of", err)
}

// Decisions lists the ledger from its beginning, revoked entries included.
func (db *DB) Decisions(ctx context.Context) iter.Seq2[Decision, error] {
	return list(ctx, db, "list decisions of", decisionSelect+" ORDER BY seq", nil, db.scanDecision)
}
