package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Class is a class of data: what retention, receipts and the audit count by.
type Class string

const (
	ClassPhotos    Class = "photos"    // paths, times, places, cameras
	ClassFaces     Class = "faces"     // boxes and landmarks
	ClassTemplates Class = "templates" // vectors: with them faces are recognised
	ClassPeople    Class = "people"    // and their names
	ClassDecisions Class = "decisions" // what somebody said, and corrections
	ClassConsent   Class = "consent"   // records of consent
	ClassOriginals Class = "originals" // photo files, which are the host's
	ClassExports   Class = "exports"   // files made by Export, kept by the host
	ClassCrops     Class = "crops"     // pictures of faces, kept by the host
	ClassShares    Class = "shares"    // what was offered to others and not taken
	ClassFriends   Class = "friends"   // accounts that are paired with
	ClassAudit     Class = "audit"     // the audit itself
	ClassSettings  Class = "settings"
	ClassStrangers Class = "strangers" // faces of nobody who has a name
	ClassVanished  Class = "vanished"  // photos whose files are missing
	ClassAccount   Class = "account"   // all of a deleted account
)

// Counts says how many of each class.
type Counts map[Class]int

// AuditEntry says who did what to how much of which data, and when. It holds
// nothing personal: ids of requests, counts, and what the host calls the actor.
type AuditEntry struct {
	ID     string // random, of this request
	Seq    int64  // place in the order of entries
	At     time.Time
	Actor  string // as given by WithActor; may be empty
	Action string
	Counts Counts
	// Hash is SHA-256 over the entry before and this one. The latest, kept
	// elsewhere, proves that nothing before it was changed.
	Hash [32]byte
}

// Receipt is the entry of an erasure: proof of what went, and when.
type Receipt = AuditEntry

type actorKey struct{}

// maxActor is the longest name of an actor.
const maxActor = 128

// WithActor says on whose behalf what is done with the context happens: an id
// that means something to the host only, of at most 128 letters, digits and
// -_.:@/, never a name.
func WithActor(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) (string, error) {
	actor, _ := ctx.Value(actorKey{}).(string)
	odd := strings.ContainsFunc(actor, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-_.:@/", r)
	})
	if odd || len(actor) > maxActor {
		return "", fmt.Errorf("the actor is no id of at most %d letters, digits and -_.:@/", maxActor)
	}
	return actor, nil
}

// digest is the hash of an entry that follows one of hash before.
func (e *AuditEntry) digest(account string, before [32]byte) [32]byte {
	h := sha256.New()
	h.Write(before[:])
	counts, _ := json.Marshal(e.Counts) // keys sorted; a map of strings and numbers always can be
	numbers := binary.BigEndian.AppendUint64(nil, uint64(e.Seq))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(micros(e.At)))
	for _, field := range [][]byte{[]byte("kith audit 1"), []byte(account), numbers, []byte(e.ID), []byte(e.Actor), []byte(e.Action), counts} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		h.Write(field)
	}
	return [32]byte(h.Sum(nil))
}

// note is enter for those who need no receipt.
func (db *DB) note(ctx context.Context, tx *sql.Tx, action string, counts Counts) error {
	_, err := db.enter(ctx, tx, action, counts)
	return err
}

// enter appends an entry to the audit. Counts of zero are left out.
func (db *DB) enter(ctx context.Context, tx *sql.Tx, action string, counts Counts) (AuditEntry, error) {
	e := AuditEntry{ID: newUID(), At: fromMicros(micros(db.now())), Action: action, Counts: Counts{}}
	for class, n := range counts {
		if n != 0 {
			e.Counts[class] = n
		}
	}
	var err error
	if e.Actor, err = actorOf(ctx); err != nil {
		return e, err
	}
	var before []byte
	err = tx.QueryRowContext(ctx, `SELECT coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), anchor, x''),
		coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0) + 1 FROM account`).Scan(&before, &e.Seq)
	if err != nil {
		return e, err
	}
	last, err := hashOf(before)
	if err != nil {
		return e, err
	}
	e.Hash = e.digest(db.account, last)
	packed, err := json.Marshal(e.Counts)
	if err != nil {
		return e, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO audit (seq, uid, at, actor, action, counts, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
		e.Seq, e.ID, micros(e.At), e.Actor, action, string(packed), e.Hash[:])
	return e, err
}

// hashOf reads the hash that an entry follows: zeros before the first.
func hashOf(b []byte) (h [32]byte, err error) {
	if len(b) != 0 && len(b) != len(h) {
		return h, &CorruptError{Detail: fmt.Sprintf("a hash of the audit has %d bytes", len(b))}
	}
	copy(h[:], b)
	return h, nil
}

// Note appends an entry to the audit on its own.
func (db *DB) Note(ctx context.Context, action string, counts Counts) (AuditEntry, error) {
	var e AuditEntry
	err := db.update(ctx, "note in the audit of", func(tx *sql.Tx) (err error) {
		e, err = db.enter(ctx, tx, action, counts)
		return err
	})
	return e, err
}

const auditSelect = "SELECT seq, uid, at, actor, action, counts, hash FROM audit"

func scanAudit(row scanner) (e AuditEntry, err error) {
	var at int64
	var counts, hash []byte
	if err := row.Scan(&e.Seq, &e.ID, &at, &e.Actor, &e.Action, &counts, &hash); err != nil {
		return e, err
	}
	e.At = fromMicros(at)
	if e.Hash, err = hashOf(hash); err == nil {
		err = json.Unmarshal(counts, &e.Counts)
	}
	return e, asCorrupt(err, "audit entry", e.ID)
}

// Audit lists the audit from its beginning.
func (db *DB) Audit(ctx context.Context) iter.Seq2[AuditEntry, error] {
	return list(ctx, db, "list the audit of", auditSelect+" ORDER BY seq", nil, scanAudit)
}

// audit verifies the chain of entries.
func (c *checker) audit() error {
	var anchor []byte
	var last int64
	err := c.tx.QueryRowContext(c.ctx, `SELECT coalesce(anchor, x''), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0)
		FROM account`).Scan(&anchor, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // no account, which rules reports
	}
	if err != nil {
		return err
	}
	before, err := hashOf(anchor)
	if err != nil {
		return c.report(err)
	}
	var seq int64 // of the entry before; 0: this is the first
	err = each(c.ctx, c.tx, auditSelect+" ORDER BY seq", nil, func(rows *sql.Rows) error {
		e, err := scanAudit(rows)
		if err != nil {
			return c.report(err)
		}
		if want := e.digest(c.db.account, before); !bytes.Equal(want[:], e.Hash[:]) || seq != 0 && e.Seq != seq+1 || seq == 0 && len(anchor) == 0 && e.Seq != 1 {
			err = c.fault("audit entry %s does not follow the one before: something was changed or taken out", e.ID)
		}
		before, seq = e.Hash, e.Seq
		return err
	})
	if err == nil && seq != last { // pruning adds an entry, so that one is always left
		err = c.fault("the audit ends with entry %d, and %d were made", seq, last)
	}
	return err
}
