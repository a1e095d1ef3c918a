package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

const decisionSelect = `SELECT uid, seq, kind, at, person, other, name, old_name, faces, others, before, revoked, revoked_after
	FROM decisions`

func scanDecision(row scanner) (Decision, error) {
	var d Decision
	var at int64
	var faces, others, before []byte
	var revoked, after sql.NullInt64
	err := row.Scan(&d.ID, &d.Seq, &d.Kind, &at, &d.Person, &d.Other, &d.Name, &d.OldName, &faces, &others, &before,
		&revoked, &after)
	if err != nil {
		return Decision{}, err
	}
	d.At = fromMicros(at)
	if revoked.Valid {
		t := fromMicros(revoked.Int64)
		d.Revoked, d.RevokedAfter = &t, after.Int64
	}
	if d.Faces, err = unpackRefs(faces); err == nil {
		d.Others, err = unpackRefs(others)
	}
	if err == nil {
		d.Before, err = unpackHolders(before, len(d.Faces))
	}
	if err != nil {
		return Decision{}, &CorruptError{Detail: fmt.Sprintf("decision %s: %v", d.ID, err)}
	}
	return d, nil
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
		if d.Kind == "" {
			return errors.New("the decision has no kind")
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
		_, err = tx.ExecContext(ctx, `INSERT INTO decisions (uid, kind, at, person, other, name, old_name, faces, others, before)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, string(d.ID), string(d.Kind), micros(d.At),
			string(d.Person), string(d.Other), d.Name, d.OldName, faces, others, before)
		if err != nil {
			return err
		}
		return db.assign(ctx, tx, a)
	})
	if err != nil {
		return "", err
	}
	return d.ID, nil
}

// Revoke marks a decision as revoked now and applies what follows from it,
// in one transaction. ErrNotFound if there is none of this id, ErrRevoked if
// it is revoked already.
func (db *DB) Revoke(ctx context.Context, id DecisionID, a Assignment) error {
	return db.update(ctx, "revoke a decision in", func(tx *sql.Tx) error {
		var revoked bool
		err := tx.QueryRowContext(ctx, "SELECT revoked IS NOT NULL FROM decisions WHERE uid = ?", string(id)).Scan(&revoked)
		switch {
		case err != nil:
			return fmt.Errorf("decision %s: %w", id, err)
		case revoked:
			return fmt.Errorf("decision %s: %w", id, ErrRevoked)
		}
		_, err = tx.ExecContext(ctx, `UPDATE decisions SET revoked = ?, revoked_after = (SELECT max(seq) FROM decisions)
			WHERE uid = ?`, micros(db.now()), string(id))
		if err != nil {
			return err
		}
		return db.assign(ctx, tx, a)
	})
}

// Decision is the decision of an id, or ErrNotFound.
func (db *DB) Decision(ctx context.Context, id DecisionID) (Decision, error) {
	d, err := scanDecision(db.read.QueryRowContext(ctx, decisionSelect+" WHERE uid = ?", string(id)))
	return d, db.fail(ctx, "read a decision of", err)
}

// Decisions lists the ledger from its beginning, revoked entries included.
func (db *DB) Decisions(ctx context.Context) iter.Seq2[Decision, error] {
	return list(ctx, db, "list decisions of", decisionSelect+" ORDER BY seq", nil, scanDecision)
}
