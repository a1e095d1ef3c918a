package store

import (
	"database/sql"
	"encoding/json"
	"slices"
	"time"
)

// roundReach is more than photos are away from a day that they are compared in.
const roundReach = time.Hour

// unshare takes photos p that are about to go out of all that is shared. Open
// days that they may be in are closed, and what was to be said of them is not:
// nothing else can take them out of what stands for places there.
func (w *watch) unshare(cond string, arg any) error {
	gone, days := map[PhotoID]bool{}, map[int64]bool{}
	const day = int64(24 * time.Hour / time.Microsecond)
	err := each(w.ctx, w.tx, "SELECT p.uid, s.instant FROM photos p LEFT JOIN shots s ON s.photo = p.id WHERE "+cond, []any{arg}, func(rows *sql.Rows) error {
		var id PhotoID
		var instant sql.NullInt64
		err := rows.Scan(&id, &instant)
		gone[id] = true
		if instant.Valid {
			for _, at := range []int64{instant.Int64 - roundReach.Microseconds(), instant.Int64 + roundReach.Microseconds()} {
				days[(at-((at%day)+day)%day)/day] = true
			}
		}
		return err
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	for d := range days {
		for _, query := range []string{
			// A message of a day has its number for its ref.
			"DELETE FROM outbox WHERE ref = CAST(?1 AS TEXT) AND friend IN (SELECT friend FROM rounds WHERE day = ?1 AND state <> 'held')",
			"UPDATE rounds SET state = 'closed', value = x'' WHERE day = ? AND state = 'open'",
		} {
			if err := w.exec(query, d); err != nil {
				return err
			}
		}
	}
	if err := w.unshareFrom("offers", gone); err != nil {
		return err
	}
	return w.unshareFrom("choices", gone)
}

// unshareFrom takes photos out of the rows of a table, and rows that have none
// left.
func (w *watch) unshareFrom(table string, gone map[PhotoID]bool) error {
	column := table + ".value"
	var change []pair
	err := each(w.ctx, w.tx, "SELECT uid, value FROM "+table, nil, func(rows *sql.Rows) error {
		p, err := scanPair(rows)
		if err != nil {
			return err
		}
		var v sharedJSON
		if err := w.db.readValue(column, p.key, string(p.value), &v); err != nil {
			return err
		}
		before := len(v.Photos)
		if v.Photos = slices.DeleteFunc(v.Photos, func(id PhotoID) bool { return gone[id] }); len(v.Photos) == before {
			return nil
		}
		if p.value = nil; len(v.Photos) > 0 {
			p.value, err = json.Marshal(v)
		}
		change = append(change, p)
		return err
	})
	for _, p := range change {
		if err != nil {
			return err
		}
		if p.value == nil {
			if err = w.exec("DELETE FROM "+table+" WHERE uid = ?", p.key); err == nil {
				err = w.exec("DELETE FROM outbox WHERE ref = ?", p.key)
			}
			continue
		}
		err = w.exec("UPDATE "+table+" SET photos = json_array_length(?1, '$.photos'), value = ?2 WHERE uid = ?3",
			string(p.value), w.db.vault.sealText(column, p.key, string(p.value)), p.key)
	}
	return err
}

// oldShares erases what was offered, and not taken, until a time: messages that
// were not sent, invitations that were not accepted, and offers. Proposals stay
// until somebody decides.
func (e *eraser) oldShares(at time.Time) error {
	for _, query := range []string{
		"DELETE FROM outbox WHERE at <= ?",
		"DELETE FROM offers WHERE at <= ? AND state <> 'proposed'",
		"DELETE FROM friends WHERE made <= ? AND state <> 'paired'",
	} {
		if err := e.exec(query, micros(at)); err != nil {
			return err
		}
	}
	return nil
}
