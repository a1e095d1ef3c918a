package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/kith-photos/kith/exif"
)

// Check examines one snapshot of the account and yields every fault it finds:
// SQLite's integrity_check and foreign_key_check, and the account's own rules.
// Nothing yielded means that all is well.
func (db *DB) Check(ctx context.Context) iter.Seq[error] {
	return func(yield func(error) bool) {
		stopped := false
		c := &checker{db: db, ctx: ctx, underway: db.underway.Load(), report: func(err error) error {
			if !yield(db.fail(ctx, "check", err)) {
				stopped = true
				return errStop
			}
			return nil
		}}
		err := db.view(ctx, "check", func(tx *sql.Tx) error {
			c.tx = tx
			for _, examine := range []func() error{c.pages, c.references, c.rules, c.photos, c.faces, c.vectors, c.chunks, c.ledger, c.texts, c.audit, c.scrubbed} {
				if err := examine(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(err)
		}
	}
}

// checker's methods report faults of the account, and return what keeps them
// from looking on.
type checker struct {
	db       *DB
	ctx      context.Context // of the one Check that it lives in
	tx       *sql.Tx
	underway int64 // what DB.underway was before the snapshot
	report   func(error) error
}

func (c *checker) fault(format string, args ...any) error {
	return c.report(&CorruptError{Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) pages() error {
	return each(c.ctx, c.tx, "PRAGMA integrity_check", nil, func(rows *sql.Rows) error {
		var verdict string
		if err := rows.Scan(&verdict); err != nil || verdict == "ok" {
			return err
		}
		return c.fault("%s", verdict)
	})
}

func (c *checker) references() error {
	return each(c.ctx, c.tx, "PRAGMA foreign_key_check", nil, func(rows *sql.Rows) error {
		var table, parent string
		var row, key sql.NullInt64 // row is NULL for tables without row ids
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		return c.fault("row %d of %s refers to a row of %s that is missing", row.Int64, table, parent)
	})
}

// rules looks for rows that must not be, each query naming them by uid. Those
// that the schema forbids too are here because SQLite leaves CHECK constraints
// out of account on connections that cannot write.
func (c *checker) rules() error {
	for _, rule := range []struct{ what, query string }{
		{"photo %s has an unknown status", "SELECT uid FROM photos WHERE status NOT IN ('ok', 'pending', 'failed')"},
		{"photo %s is ok, but nothing looked at it", "SELECT uid FROM photos WHERE status = 'ok' AND analyzer = ''"},
		{"photo %s is pending, but was looked at", "SELECT uid FROM photos WHERE status = 'pending' AND analyzer <> ''"},
		{"photo %s has half a position", "SELECT uid FROM photos WHERE (lat IS NULL) <> (lon IS NULL)"},
		{"face %s has an unknown origin", "SELECT uid FROM faces WHERE origin NOT IN ('', 'group', 'decision', 'import')"},
		{"face %s is with nobody for a reason, or with somebody for none",
			"SELECT uid FROM faces WHERE (person IS NULL) <> (origin = '')"},
		{"photo %s has no path", "SELECT uid FROM photos WHERE path = '' OR instr(CAST(path AS BLOB), x'00') > 0"},
		{"the cover of person %s is a face of somebody else", `SELECT e.uid FROM people e JOIN faces f ON f.id = e.cover
			WHERE f.person IS NOT e.id`},
		{"face %s is no face by a decision that does not say so", `SELECT f.uid FROM faces f
			LEFT JOIN decisions d ON d.uid = f.rejected WHERE f.rejected IS NOT NULL
			AND (d.uid IS NULL OR d.kind <> 'not-a-face' OR d.revoked IS NOT NULL)`},
		{"face %s is with somebody, and no face", "SELECT uid FROM faces WHERE rejected IS NOT NULL AND person IS NOT NULL"},
		{"person %s has a chosen cover that is missing", "SELECT uid FROM people WHERE chosen AND cover IS NULL"},
		{"decision %s is revoked, but has no place in the ledger for it", `SELECT uid FROM decisions
			WHERE (revoked IS NULL) <> (revoked_after IS NULL) OR revoked_after < seq`},
		{"the vector of face %s does not fit its space", `SELECT f.uid FROM vectors v JOIN faces f ON f.id = v.face
			JOIN spaces s ON s.id = v.space WHERE length(v.v) <> 4 * s.dim + ` + strconv.Itoa(c.db.vault.overhead())},
		{"face %s has two vectors", "SELECT f.uid FROM vectors v JOIN slots s ON s.face = v.face JOIN faces f ON f.id = v.face"},
		{"grouping %s is neither current nor not", "SELECT id FROM grouping WHERE current NOT IN (0, 1)"},
		{"the arrangement %s is neither current nor not", "SELECT id FROM arrangement WHERE current NOT IN (0, 1)"},
		{"the arrangement is current, and photo %s has no part in it", `SELECT uid FROM photos
			WHERE (SELECT current FROM arrangement) AND id NOT IN (SELECT photo FROM shots)`},
		{"friend %s is neither invited nor paired", "SELECT uid FROM friends WHERE state NOT IN ('invited', 'accepted', 'paired')"},
		{"round %s is neither open nor closed, or closed and something is left of it",
			"SELECT id FROM rounds WHERE state NOT IN ('held', 'open', 'closed') OR (state = 'closed') <> (length(value) = 0)"},
		{"offer %s is of no such state", "SELECT uid FROM offers WHERE state NOT IN ('proposed', 'offered', 'wanted', 'asked', 'taken')"},
		{"moment %s is of no such kind", "SELECT uid FROM moments WHERE kind NOT IN ('moment', 'day', 'trip')"},
		{"there is more or less than one account in the file: %s", "SELECT count(*) FROM account HAVING count(*) <> 1"},
	} {
		err := each(c.ctx, c.tx, rule.query, nil, func(rows *sql.Rows) error {
			var uid string
			if err := rows.Scan(&uid); err != nil {
				return err
			}
			return c.fault(rule.what, uid)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scrubbed looks for an erasure that was not completed, and is not under way.
func (c *checker) scrubbed() error {
	var due int
	if err := c.tx.QueryRowContext(c.ctx, "SELECT count(*) FROM account WHERE scrub").Scan(&due); err != nil {
		return c.report(err)
	}
	if due == 0 || c.underway%2 == 1 || c.db.underway.Load() != c.underway {
		return nil
	}
	return c.fault("the erasure of the account is not complete: the file was not rewritten")
}

func (c *checker) photos() error {
	return each(c.ctx, c.tx, "SELECT "+photoColumns+" FROM photos p ORDER BY p.id", nil, func(rows *sql.Rows) error {
		p, err := c.db.scanPhoto(rows)
		if err != nil {
			return c.report(err)
		}
		if _, err := c.db.original(c.ctx, c.tx, string(p.ID)); err != nil {
			return c.report(err)
		}
		if p.GPS != nil && !finite(p.GPS.Lat, p.GPS.Lon) {
			return c.fault("photo %s: position is not finite", p.ID)
		}
		return nil
	})
}

func (c *checker) faces() error {
	return each(c.ctx, c.tx, faceSelect+" ORDER BY f.id", nil, func(rows *sql.Rows) error {
		f, err := c.db.scanFace(rows)
		if err != nil {
			return c.report(err)
		}
		if !f.Box.Finite() || !finite(f.Score, f.Quality) {
			return c.fault("face %s: box, score or quality is not finite", f.ID)
		}
		return nil
	})
}

func (c *checker) vectors() error {
	var blob sql.RawBytes
	var v []float32
	return each(c.ctx, c.tx, "SELECT f.uid, v.v FROM vectors v JOIN faces f ON f.id = v.face ORDER BY v.face", nil, func(rows *sql.Rows) error {
		var uid string
		if err := rows.Scan(&uid, &blob); err != nil {
			return err
		}
		packed, err := c.db.vault.open("vectors.v", uid, blob)
		if err != nil {
			return c.report(err)
		}
		if n := len(packed) / 4; len(v) != n {
			v = make([]float32, n) // as long as the bytes in hand
		}
		err = unpackVector(v, packed)
		if err == nil {
			err = checkUnit(v)
		}
		if err != nil {
			return c.fault("vector of face %s: %v", uid, err)
		}
		return nil
	})
}

// chunks looks into the sealed vectors: each must belong to a face whose slot
// is there, and each slot must have its vector.
func (c *checker) chunks() error {
	dims := map[int64]int{}
	err := each(c.ctx, c.tx, "SELECT id, dim FROM spaces", nil, func(rows *sql.Rows) error {
		var id int64
		var dim int
		err := rows.Scan(&id, &dim)
		dims[id] = dim
		return err
	})
	if err != nil {
		return err
	}
	var raw sql.RawBytes
	var v []float32
	return each(c.ctx, c.tx, chunkSelect+" ORDER BY id", nil, func(rows *sql.Rows) error {
		ch, err := c.db.scanChunk(rows, &raw)
		if err != nil {
			return c.report(err)
		}
		if dim := dims[ch.space]; ch.size() != 4*dim {
			return c.fault("chunk %d: vectors of %d bytes in a space of dimension %d", ch.id, ch.size(), dim)
		}
		if n := ch.size() / 4; len(v) != n {
			v = make([]float32, n) // as long as the bytes in hand
		}
		for i, uid := range ch.faces {
			err := unpackVector(v, ch.v[i*ch.size():(i+1)*ch.size()])
			if err == nil {
				err = checkUnit(v)
			}
			if err != nil {
				if err := c.fault("chunk %d: vector of face %s: %v", ch.id, uid, err); err != nil {
					return err
				}
			}
		}
		return c.slots(ch)
	})
}

// slots compares the faces of a chunk with the slots that point to it.
func (c *checker) slots(ch chunk) error {
	slots := map[string]bool{}
	err := each(c.ctx, c.tx, "SELECT f.uid FROM slots s JOIN faces f ON f.id = s.face WHERE s.chunk = ?", []any{ch.id},
		func(rows *sql.Rows) error {
			var uid string
			err := rows.Scan(&uid)
			slots[uid] = true
			return err
		})
	if err != nil {
		return err
	}
	for _, uid := range ch.faces {
		if !slots[uid] {
			if err := c.fault("chunk %d holds a vector of %s, which is no face or twice there", ch.id, uid); err != nil {
				return err
			}
		}
		delete(slots, uid)
	}
	for uid := range slots {
		if err := c.fault("face %s has a slot in chunk %d, but no vector", uid, ch.id); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) ledger() error {
	err := each(c.ctx, c.tx, decisionSelect+" ORDER BY seq", nil, func(rows *sql.Rows) error {
		if _, err := c.db.scanDecision(rows); err != nil {
			return c.report(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(c.ctx, c.tx, "SELECT id, name, dim, impostors FROM spaces ORDER BY id", nil, func(rows *sql.Rows) error {
		var id int64
		if _, err := scanSpace(rows, &id); err != nil {
			return c.report(err)
		}
		return nil
	})
}

// texts opens what is sealed and is not in a row that was looked at before.
func (c *checker) texts() error {
	if _, err := c.db.tombstoneTag(c.ctx, c.tx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		if err := c.report(err); err != nil {
			return err
		}
	}
	for _, listing := range []struct {
		query string
		scan  func(scanner) error
	}{
		{allPeople, func(row scanner) error { _, err := c.db.scanPerson(row); return err }},
		{consentSelect, func(row scanner) error { _, err := c.db.scanConsent(row); return err }},
		{productSelect, func(row scanner) error { _, err := c.db.scanProduct(row); return err }},
		{"SELECT key, value FROM settings", func(row scanner) error {
			p, err := scanPair(row)
			if err == nil {
				_, err = c.db.vault.openText("settings.value", p.key, string(p.value))
			}
			return err
		}},
		{"SELECT uid, path, sha256, sealed FROM photos WHERE sealed IS NOT NULL", c.db.checkKeys},
		{"SELECT CAST(id AS TEXT), value FROM cameras", c.db.opens("cameras.value", &exif.Camera{})},
		{"SELECT CAST(id AS TEXT), value FROM cells", c.db.opens("cells.value", &Cell{})},
		{"SELECT uid, value FROM places", c.db.opens("places.value", &Place{})},
		{"SELECT uid, value FROM moments", c.db.opens("moments.value", &Spot{})},
		{friendSelect, func(row scanner) error { _, err := c.db.scanFriend(row); return err }},
		{roundSelect, func(row scanner) error { _, err := c.db.scanRound(row); return err }},
		{outboxSelect, func(row scanner) error { _, err := c.db.scanOutgoing(row); return err }},
		{offerSelect, func(row scanner) error { _, err := c.db.scanOffer(row); return err }},
		{choiceSelect, func(row scanner) error { _, err := c.db.scanChoice(row); return err }},
		{"SELECT p.uid, s.spot FROM shots s JOIN photos p ON p.id = s.photo", c.db.opens("shots.spot", &[4]float64{})},
	} {
		err := each(c.ctx, c.tx, listing.query, nil, func(rows *sql.Rows) error {
			if err := listing.scan(rows); err != nil {
				return c.report(err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// opens tries whether a value of a row can be read.
func (db *DB) opens(column string, v any) func(scanner) error {
	return func(row scanner) error {
		p, err := scanPair(row)
		if err == nil {
			err = db.readValue(column, p.key, string(p.value), v)
		}
		return err
	}
}

// checkKeys reports a sealed photo that is looked up by something else than
// its path and content.
func (db *DB) checkKeys(row scanner) error {
	var p Photo
	var path string
	var sha, sealed []byte
	if err := row.Scan(&p.ID, &path, &sha, &sealed); err != nil {
		return err
	}
	if err := db.vault.openPhoto(&p, sealed); err != nil {
		return nil // reported already
	}
	key := db.vault.contentKey(p.SHA256)
	if db.vault.pathKey(p.Path) != path || !bytes.Equal(key[:], sha) {
		return &TamperedError{Value: "photos.path of " + string(p.ID)}
	}
	return nil
}
