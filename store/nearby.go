package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// What an account shares with friends' accounts. What the friends say to each
// other, and the keys, are the caller's: here they are bytes.

type (
	FriendID  string
	OfferID   string // of an offer, and of the proposal that it was
	MessageID string
	ChoiceID  string
)

// NewFriendID makes the id of a friend who is about to be put.
func NewFriendID() FriendID { return FriendID(newUID()) }

// NewOfferID makes the id of an offer that is about to be put.
func NewOfferID() OfferID { return OfferID(newUID()) }

// FriendState says how far two accounts are on their way to a pair.
type FriendState string

const (
	FriendInvited  FriendState = "invited"  // the friend has not accepted yet
	FriendAccepted FriendState = "accepted" // the friend's last word is missing
	FriendPaired   FriendState = "paired"
)

// ShareRule says what is compared with a friend, and proposed and offered.
type ShareRule struct {
	// Automatic offers what is proposed without asking.
	Automatic bool
	// AtHome compares photos that were taken at a home of the account's too.
	AtHome bool
	// OnlyWithFriend proposes only photos with the friend's person on them, by
	// the account's own recognition.
	OnlyWithFriend bool
}

// Friend is another account.
type Friend struct {
	ID     FriendID
	State  FriendState
	Label  string // what the account calls the friend
	Person PersonID
	Rule   ShareRule
	Made   time.Time // when it was invited, or its invitation accepted
	Since  int32     // first day that is compared, days of UTC since 1970
	Heard  bool      // the friend is known to have the pair
	Secret []byte    // the caller's; keys
}

// Sharing reads and writes what is shared, within one transaction.
type Sharing struct {
	db  *DB
	ctx context.Context // of the one call that it lives in
	tx  *sql.Tx
}

// Share runs f in one transaction: all that it writes is kept, or, with an
// error, nothing.
func (db *DB) Share(ctx context.Context, f func(*Sharing) error) error {
	return db.update(ctx, "share photos of", func(tx *sql.Tx) error { return f(&Sharing{db, ctx, tx}) })
}

// Shared runs f, which may read only, on one snapshot.
func (db *DB) Shared(ctx context.Context, f func(*Sharing) error) error {
	return db.view(ctx, "read what is shared of", func(tx *sql.Tx) error { return f(&Sharing{db, ctx, tx}) })
}

func (s *Sharing) exec(query string, args ...any) error {
	_, err := s.tx.ExecContext(s.ctx, query, args...)
	return err
}

// gather reads all that a query gives, or nothing.
func gather[T any](s *Sharing, query string, args []any, scan func(scanner) (T, error)) ([]T, error) {
	var out []T
	err := each(s.ctx, s.tx, query, args, func(rows *sql.Rows) error {
		v, err := scan(rows)
		out = append(out, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const friendSelect = `SELECT f.uid, f.state, f.made, f.since, f.heard, coalesce((SELECT uid FROM people WHERE id = f.person), ''),
	f.automatic, f.home, f.only, f.label, f.secret FROM friends f`

func (db *DB) scanFriend(row scanner) (f Friend, err error) {
	var made int64
	r := &f.Rule
	err = row.Scan(&f.ID, &f.State, &made, &f.Since, &f.Heard, &f.Person, &r.Automatic, &r.AtHome, &r.OnlyWithFriend, &f.Label, &f.Secret)
	if err != nil {
		return f, err
	}
	f.Made = fromMicros(made)
	if f.Label, err = db.vault.openText("friends.label", string(f.ID), f.Label); err != nil {
		return f, err
	}
	f.Secret, err = db.vault.open("friends.secret", string(f.ID), f.Secret)
	return f, err
}

// Friends lists the friends, the first one first.
func (s *Sharing) Friends() ([]Friend, error) {
	return gather(s, friendSelect+" ORDER BY f.made, f.id", nil, s.db.scanFriend)
}

// Friend is ErrNotFound if there is none of the id.
func (s *Sharing) Friend(id FriendID) (Friend, error) {
	f, err := s.db.scanFriend(s.tx.QueryRowContext(s.ctx, friendSelect+" WHERE f.uid = ?", string(id)))
	if err != nil {
		return f, fmt.Errorf("friend %s: %w", id, err)
	}
	return f, nil
}

// PutFriend adds a friend, or changes one. ErrNotFound if the person is unknown.
func (s *Sharing) PutFriend(f Friend) error {
	var person any
	if f.Person != "" {
		var row int64
		if err := s.tx.QueryRowContext(s.ctx, "SELECT id FROM people WHERE uid = ?", string(f.Person)).Scan(&row); err != nil {
			return fmt.Errorf("person %s: %w", f.Person, err)
		}
		person = row
	}
	uid, v := string(f.ID), s.db.vault
	return s.exec(`INSERT INTO friends (uid, state, made, since, heard, person, automatic, home, only, label, secret)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (uid) DO UPDATE SET state = excluded.state, made = excluded.made,
		since = excluded.since, heard = excluded.heard, person = excluded.person, automatic = excluded.automatic, home = excluded.home,
		only = excluded.only, label = excluded.label, secret = excluded.secret`,
		uid, string(f.State), micros(f.Made), f.Since, f.Heard, person, f.Rule.Automatic, f.Rule.AtHome, f.Rule.OnlyWithFriend,
		v.sealText("friends.label", uid, f.Label), v.seal("friends.secret", uid, f.Secret))
}

// befriendMerged lets a friend be who the friend's person is merged into.
func befriendMerged(ctx context.Context, tx *sql.Tx, d Decision) error {
	if d.Kind != DecisionMerge {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE friends SET person = (SELECT id FROM people WHERE uid = ?)
		WHERE person = (SELECT id FROM people WHERE uid = ?)`, string(d.Person), string(d.Other))
	return err
}

// Note appends an entry to the audit.
func (s *Sharing) Note(action string, counts Counts) error {
	return s.db.note(s.ctx, s.tx, action, counts)
}

// Unpair erases a friend and all that there is of what was shared: keys, days,
// messages, proposals, offers and decisions about them. ErrNotFound if there is
// no such friend.
func (db *DB) Unpair(ctx context.Context, id FriendID, action string) (Receipt, error) {
	return db.erase(ctx, "unpair a friend of", action, func(tx *sql.Tx) (Counts, error) {
		return db.erasing(ctx, tx, func(e *eraser) error {
			if err := mustChange(tx.ExecContext(ctx, "DELETE FROM friends WHERE uid = ?", string(id))); err != nil {
				return fmt.Errorf("friend %s: %w", id, err)
			}
			return nil
		})
	})
}

// friends seals what is shared.
func (s *sealing) friends() error {
	v := s.sealed.vault
	err := errors.Join(s.column("friends", "uid", "label"), s.column("offers", "uid", "value"), s.column("choices", "uid", "value"))
	for _, c := range []struct{ column, rows, put string }{
		{"friends.secret", "SELECT uid, secret FROM friends", "UPDATE friends SET secret = ? WHERE uid = ?"},
		{"outbox.message", "SELECT uid, message FROM outbox", "UPDATE outbox SET message = ? WHERE uid = ?"},
		{"rounds.value", "SELECT " + roundKey + ", r.value FROM rounds r JOIN friends f ON f.id = r.friend",
			"UPDATE rounds SET value = ? WHERE id = (SELECT r.id FROM rounds r JOIN friends f ON f.id = r.friend WHERE " + roundKey + " = ?)"},
	} {
		rows, readErr := all(s, c.rows, scanPair)
		err = errors.Join(err, readErr)
		for _, r := range rows {
			err = errors.Join(err, s.exec(c.put, v.seal(c.column, r.key, r.value), r.key))
		}
	}
	return err
}
