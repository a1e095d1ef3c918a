package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Age says how many of a class began to age within one day.
type Age struct {
	Since time.Time // the earliest of them
	Count int
}

// aging selects, per class, when its rows began to age.
var aging = map[Class]string{
	ClassFaces:     "SELECT p.added AS since FROM faces f JOIN photos p ON p.id = f.photo",
	ClassStrangers: "SELECT p.added AS since FROM faces f JOIN photos p ON p.id = f.photo WHERE " + ofStranger,
	ClassVanished:  "SELECT vanished AS since FROM photos WHERE vanished IS NOT NULL",
	ClassOriginals: "SELECT added AS since FROM photos WHERE " + hasOriginal,
	ClassExports:   "SELECT at AS since FROM products WHERE class = 'exports'",
	ClassCrops:     "SELECT at AS since FROM products WHERE class = 'crops'",
	ClassShares: `SELECT at AS since FROM products WHERE class = 'shares' UNION ALL SELECT at FROM outbox
		UNION ALL SELECT at FROM offers WHERE state <> 'proposed' UNION ALL SELECT made FROM friends WHERE state <> 'paired'`,
	ClassAudit: "SELECT at AS since FROM audit WHERE (SELECT count(*) FROM audit) > 1",
}

// ofStranger tells the faces f of nobody who has a name.
const ofStranger = `f.rejected IS NULL AND NOT EXISTS (SELECT 1 FROM people e WHERE e.id = f.person AND (e.name <> '' OR e.ignored))`

// hasOriginal tells the photos that were processed and whose files are there.
const hasOriginal = "status = 'ok' AND disposed IS NULL AND vanished IS NULL"

// Aging tells of the rows of a class that began to age at a time or before it,
// when they did: day by day, the oldest first. Faces age from when their photo's content was recorded, photos that
// vanished from when they were missed, the rest from when it was made.
func (db *DB) Aging(ctx context.Context, class Class, until time.Time) ([]Age, error) {
	rows, ok := aging[class]
	if !ok {
		return nil, fmt.Errorf("store: class %q does not age", class)
	}
	const day = 24 * int64(time.Hour/time.Microsecond)
	var ages []Age
	err := each(ctx, db.read, fmt.Sprintf("SELECT min(since), count(*) FROM (%s) WHERE since <= ? GROUP BY since / %d ORDER BY 1", rows, day), []any{micros(until)},
		func(rows *sql.Rows) error {
			var since int64
			var a Age
			err := rows.Scan(&since, &a.Count)
			a.Since = fromMicros(since)
			ages = append(ages, a)
			return err
		})
	if err != nil {
		return nil, db.fail(ctx, "read the ages of", err)
	}
	return ages, nil
}

// Cutoffs say what is old: what began to age at its class's time or before.
// Of the classes, ClassFaces, ClassStrangers, ClassVanished, ClassShares and
// ClassAudit are looked at.
type Cutoffs map[Class]time.Time

// Expire erases what is old, in one erasure with one receipt; the zero receipt
// says that nothing was.
func (db *DB) Expire(ctx context.Context, old Cutoffs) (Receipt, error) {
	nothing := errors.New("nothing is due")
	r, err := db.erase(ctx, "expire data of", "expire", func(tx *sql.Tx) (Counts, error) {
		entries, err := db.pruneAudit(ctx, tx, old)
		if err != nil {
			return nil, err
		}
		counts, err := db.erasing(ctx, tx, func(e *eraser) error { return e.old(old) })
		if err != nil {
			return nil, err
		}
		for _, n := range counts {
			if n != 0 {
				counts[ClassAudit] = entries
				return counts, nil
			}
		}
		// The last entry does not go alone: saying that it went would leave
		// another, each time.
		var left int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM audit").Scan(&left); err != nil {
			return nil, err
		}
		if entries == 0 || entries == 1 && left == 0 {
			return nil, nothing
		}
		return Counts{ClassAudit: entries}, nil
	})
	if errors.Is(err, nothing) {
		return Receipt{}, nil
	}
	return r, err
}

// old erases faces, photos and what was offered.
func (e *eraser) old(old Cutoffs) error {
	for class, cond := range map[Class]string{
		ClassFaces:     "f.photo IN (SELECT id FROM photos WHERE added <= ?)",
		ClassStrangers: "f.photo IN (SELECT id FROM photos WHERE added <= ?) AND " + ofStranger,
	} {
		at, ok := old[class]
		if !ok {
			continue
		}
		if err := errors.Join(e.leave(cond, micros(at)), e.vectors.take(cond, micros(at))); err != nil {
			return err
		}
		if err := e.exec("DELETE FROM faces AS f WHERE "+cond, micros(at)); err != nil {
			return err
		}
	}
	if at, ok := old[ClassShares]; ok {
		if err := e.oldShares(at); err != nil {
			return err
		}
	}
	if at, ok := old[ClassVanished]; ok {
		return e.dropPhotos("p.vanished <= ?", micros(at))
	}
	return nil
}

// pruneAudit drops the beginning of the audit, up to the first entry that is
// not old, and remembers the hash that the rest follows.
func (db *DB) pruneAudit(ctx context.Context, tx *sql.Tx, old Cutoffs) (int, error) {
	at, ok := old[ClassAudit]
	if !ok {
		return 0, nil
	}
	var first sql.NullInt64 // that stays
	if err := tx.QueryRowContext(ctx, "SELECT min(seq) FROM audit WHERE at > ?", micros(at)).Scan(&first); err != nil {
		return 0, err
	}
	cond, args := "true", []any{}
	if first.Valid {
		cond, args = "seq < ?", []any{first.Int64}
	}
	_, err := tx.ExecContext(ctx, `UPDATE account SET anchor = coalesce(
		(SELECT hash FROM audit WHERE `+cond+" ORDER BY seq DESC LIMIT 1), anchor)", args...)
	if err != nil {
		return 0, err
	}
	res, err := tx.ExecContext(ctx, "DELETE FROM audit WHERE "+cond, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// MarkVanished notes that photos are missing; one that is known to be keeps
// its time.
func (db *DB) MarkVanished(ctx context.Context, ids []PhotoID) (int, error) {
	n := 0
	err := db.update(ctx, "mark photos of", func(tx *sql.Tx) error {
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, "UPDATE photos SET vanished = ? WHERE uid = ? AND vanished IS NULL", micros(db.now()), string(id))
			if err != nil {
				return err
			}
			k, err := res.RowsAffected()
			if err != nil {
				return err
			}
			n += int(k)
		}
		return nil
	})
	return n, err
}
