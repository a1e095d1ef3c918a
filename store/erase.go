package store

import (
	"context"
	"database/sql"
	"fmt"
)

// An erasure is one transaction, which deletes the rows, says in the audit what
// went, and marks the file as not scrubbed yet; then the file is rewritten. A
// process that dies in between leaves the mark, and the next one that opens the
// account for writing rewrites the file.

// erase runs one erasure. f says what it did.
func (db *DB) erase(ctx context.Context, op, action string, f func(*sql.Tx) (Counts, error)) (Receipt, error) {
	var r Receipt
	err := db.exclusively(ctx, op, func() error {
		db.underway.Add(1)
		defer db.underway.Add(1)
		err := db.transact(ctx, func(tx *sql.Tx) error {
			counts, err := f(tx)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE account SET scrub = 1"); err != nil {
				return err
			}
			if r, err = db.enter(ctx, tx, action, counts); err != nil {
				return err
			}
			// Those of this erasure have no request yet.
			_, err = tx.ExecContext(ctx, "UPDATE tombstones SET request = ? WHERE request = ''", r.ID)
			return err
		})
		if err != nil {
			r = Receipt{}
			return err
		}
		return db.scrub(ctx)
	})
	return r, err
}

// EraseBiometrics erases every face, vector and vector space, and what was
// derived from them, with keep people who have no name and are in no decision
// that stands, without it all people and decisions; leaves one event of kind
// EventErased, marks the photos that were ok as pending, and rewrites the file
// so that the bytes are in none of the account's files. What EXIF said about
// the photos, corrections of it, settings, tombstones and the history of
// consent stay.
//
// The rows go in one transaction; rewriting comes after it. ErrBusy means
// that the rows are gone but a reader, maybe of another process, still looks
// at the state before, so that the log could not be emptied; any other error
// beside a receipt may mean the same. Scrub, the next erasure, or the next Open
// takes up where it stopped.
func (db *DB) EraseBiometrics(ctx context.Context, keep bool) (Receipt, error) {
	return db.erase(ctx, "erase biometrics of", "erase biometrics", func(tx *sql.Tx) (Counts, error) {
		return db.eraseBiometrics(ctx, tx, keep)
	})
}

// WithdrawConsent records that consent was withdrawn and erases biometrics, in
// one transaction.
func (db *DB) WithdrawConsent(ctx context.Context, c Consent, keep bool) (Receipt, error) {
	return db.erase(ctx, "withdraw consent in", "erase biometrics", func(tx *sql.Tx) (Counts, error) {
		if err := db.putConsent(ctx, tx, c); err != nil {
			return nil, err
		}
		return db.eraseBiometrics(ctx, tx, keep)
	})
}

func (db *DB) eraseBiometrics(ctx context.Context, tx *sql.Tx, keep bool) (Counts, error) {
	before, err := countRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	queries := []string{
		"DELETE FROM slots",
		"DELETE FROM chunks",
		"DELETE FROM vectors",
		"DELETE FROM faces",
		"DELETE FROM spaces",
		"DELETE FROM events",
		"DELETE FROM grouping",
		"UPDATE photos SET status = 'pending' WHERE status = 'ok'",
		"UPDATE photos SET analyzer = '' WHERE analyzer <> ''",
		"UPDATE people SET chosen = 0 WHERE chosen",
		"UPDATE friends SET person = NULL",
	}
	if keep {
		queries = append(queries, "DELETE FROM people WHERE NOT ignored AND "+isStranger)
	} else {
		queries = append(queries, "DELETE FROM people", "DELETE FROM decisions WHERE kind NOT IN ('time', 'place', 'clock')",
			"DELETE FROM consent WHERE person <> ''")
	}
	for _, query := range queries {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return nil, err
		}
	}
	after, err := countRows(ctx, tx)
	if err != nil {
		return nil, err
	}
	gone := before.minus(after)
	return gone, putEvent(ctx, tx, Event{At: db.now(), Kind: EventErased, Left: gone[ClassFaces]})
}

// countRows counts the rows of each class.
func countRows(ctx context.Context, q querier) (Counts, error) {
	var photos, faces, vectors, people, decisions, consent, settings, exports, crops, shares, friends int
	err := q.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM photos), (SELECT count(*) FROM faces),
		(SELECT count(*) FROM vectors) + (SELECT count(*) FROM slots), (SELECT count(*) FROM people),
		(SELECT count(*) FROM decisions) + (SELECT count(*) FROM choices), (SELECT count(*) FROM consent), (SELECT count(*) FROM settings),
		(SELECT count(*) FROM products WHERE class = 'exports'), (SELECT count(*) FROM products WHERE class = 'crops'),
		(SELECT count(*) FROM products WHERE class = 'shares') + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM offers)
			+ (SELECT count(*) FROM friends WHERE state <> 'paired'),
		(SELECT count(*) FROM friends WHERE state = 'paired')`).
		Scan(&photos, &faces, &vectors, &people, &decisions, &consent, &settings, &exports, &crops, &shares, &friends)
	return Counts{
		ClassPhotos: photos, ClassFaces: faces, ClassTemplates: vectors, ClassPeople: people,
		ClassDecisions: decisions, ClassConsent: consent, ClassSettings: settings, ClassExports: exports, ClassCrops: crops, ClassShares: shares,
		ClassFriends: friends,
	}, err
}

func (c Counts) minus(o Counts) Counts {
	d := Counts{}
	for class, n := range c {
		d[class] = n - o[class]
	}
	return d
}

// ErasePhotos erases photos with their faces, and every decision's word about
// them, whatever their paths: all photos of the same contents go. Their files
// are the host's; as long as they are there, tombstones keep them from being
// recorded again. ErrNotFound, and nothing is erased, if one is unknown.
func (db *DB) ErasePhotos(ctx context.Context, ids ...PhotoID) (Receipt, error) {
	return db.erase(ctx, "erase photos of", "erase photos", func(tx *sql.Tx) (Counts, error) {
		contents := map[[32]byte]bool{}
		for _, id := range ids {
			p, err := db.scanPhoto(tx.QueryRowContext(ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", string(id)))
			if err != nil {
				return nil, fmt.Errorf("photo %s: %w", id, err)
			}
			contents[p.SHA256] = true
		}
		return db.erasing(ctx, tx, func(e *eraser) error { return e.photos(ids, contents) })
	})
}

// ErasePerson erases a person: name, faces, vectors, consent, and every
// decision's word about the person or those merged into it. Tombstones, by
// photo content and box, keep the faces from being recorded again; they are
// lifted by Readmit. ErrNotFound if the person is unknown.
func (db *DB) ErasePerson(ctx context.Context, id PersonID, action string) (Receipt, error) {
	return db.erase(ctx, "erase a person of", action, func(tx *sql.Tx) (Counts, error) {
		var known bool
		if err := tx.QueryRowContext(ctx, "SELECT true FROM people WHERE uid = ?", string(id)).Scan(&known); err != nil {
			return nil, fmt.Errorf("person %s: %w", id, err)
		}
		return db.erasing(ctx, tx, func(e *eraser) error { return e.person(id) })
	})
}

// EraseName erases the name of a person, of now and of before, and records
// that the person's consent is withdrawn.
func (db *DB) EraseName(ctx context.Context, c Consent) (Receipt, error) {
	return db.erase(ctx, "erase a name of", "erase name", func(tx *sql.Tx) (Counts, error) {
		if err := db.putConsent(ctx, tx, c); err != nil {
			return nil, err
		}
		return db.erasing(ctx, tx, func(e *eraser) error { return e.name(c.Person) })
	})
}

// Readmit lifts the tombstones of an erasure, known by its receipt: a person
// who objected agrees, or it was a mistake. What was erased is found again by
// the next run that reads these photos. ErrNotFound if there are none.
func (db *DB) Readmit(ctx context.Context, request string) (AuditEntry, error) {
	var e AuditEntry
	err := db.update(ctx, "readmit into", func(tx *sql.Tx) error {
		err := mustChange(tx.ExecContext(ctx, "DELETE FROM tombstones WHERE request = ?", request))
		if err != nil {
			return fmt.Errorf("request %s: %w", request, err)
		}
		e, err = db.enter(ctx, tx, "readmit", Counts{})
		return err
	})
	return e, err
}

// EraseAll erases everything but the account's id and the audit, destroys the
// data key first where the account is sealed, and leaves a file in which only
// ErrErased is to be had. The host may delete it, and loses the receipts.
func (db *DB) EraseAll(ctx context.Context) (Receipt, error) {
	if _, err := actorOf(ctx); err != nil { // before anything is lost
		return Receipt{}, fmt.Errorf("store: erase %q: %w", db.path, err)
	}
	err := db.exclusively(ctx, "erase", func() error {
		// Said first: without its key the account could not be opened to go on.
		return db.transact(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE account SET erased = coalesce(erased, ?)", micros(db.now()))
			return err
		})
	})
	if err != nil {
		return Receipt{}, err
	}
	return db.finishErasure(ctx)
}

// finishErasure is EraseAll from where the account is marked as erased.
func (db *DB) finishErasure(ctx context.Context) (Receipt, error) {
	if db.keys != nil {
		if err := db.keys.DestroyKey(ctx, db.account); err != nil {
			return Receipt{}, fmt.Errorf("store: destroy the key of %q: %w", db.path, err)
		}
	}
	return db.erase(ctx, "erase", "erase account", func(tx *sql.Tx) (Counts, error) {
		counts, err := countRows(ctx, tx)
		if err != nil {
			return nil, err
		}
		for _, query := range []string{
			"DELETE FROM slots", "DELETE FROM chunks", "DELETE FROM vectors", "DELETE FROM faces", "DELETE FROM people",
			"DELETE FROM friends", "DELETE FROM rounds", "DELETE FROM outbox", "DELETE FROM offers", "DELETE FROM choices",
			"DELETE FROM decisions", "DELETE FROM spaces", "DELETE FROM events", "DELETE FROM grouping", "DELETE FROM disposals",
			"DELETE FROM products", "DELETE FROM tombstones", "DELETE FROM shots", "DELETE FROM moments", "DELETE FROM places",
			"DELETE FROM cells", "DELETE FROM cameras", "DELETE FROM arrangement", "DELETE FROM photos", "DELETE FROM settings", "DELETE FROM consent",
			"UPDATE account SET salt = NULL, sealed = NULL",
		} {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return nil, err
			}
		}
		return counts, nil
	})
}
