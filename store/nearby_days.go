package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kith-photos/kith/exif"
)

// RoundState says how far a day is.
type RoundState string

const (
	RoundNone   RoundState = ""       // nothing is known of it
	RoundHeld   RoundState = "held"   // the friend's part is here, this side's not begun
	RoundOpen   RoundState = "open"   // begun
	RoundClosed RoundState = "closed" // nothing is left of it
)

// Round is a day that is compared with a friend.
type Round struct {
	Day   int32 // of UTC, since 1970
	State RoundState
	Value []byte // the caller's; empty if it is closed
}

// roundKey is by what a round r of a friend f is sealed.
const roundKey = "f.uid || ' ' || r.day"

const roundSelect = "SELECT " + roundKey + ", r.day, r.state, r.value FROM rounds r JOIN friends f ON f.id = r.friend"

func (db *DB) scanRound(row scanner) (r Round, err error) {
	var key string
	if err := row.Scan(&key, &r.Day, &r.State, &r.Value); err != nil {
		return r, err
	}
	r.Value, err = db.vault.open("rounds.value", key, r.Value)
	return r, err
}

// Round is a friend's day, of RoundNone where there is none.
func (s *Sharing) Round(friend FriendID, day int32) (Round, error) {
	r, err := s.db.scanRound(s.tx.QueryRowContext(s.ctx, roundSelect+" WHERE f.uid = ? AND r.day = ?", string(friend), day))
	if errors.Is(err, sql.ErrNoRows) {
		return Round{Day: day}, nil
	}
	return r, err
}

// RoundStates are those of a friend's days; what is not in it is RoundNone.
func (s *Sharing) RoundStates(friend FriendID) (map[int32]RoundState, error) {
	out := map[int32]RoundState{}
	return out, each(s.ctx, s.tx, "SELECT day, state FROM rounds WHERE friend = (SELECT id FROM friends WHERE uid = ?)", []any{string(friend)},
		func(rows *sql.Rows) error {
			var day int32
			var state RoundState
			err := rows.Scan(&day, &state)
			out[day] = state
			return err
		})
}

// PutRound adds or changes a friend's day.
func (s *Sharing) PutRound(friend FriendID, r Round) error {
	value := s.db.vault.seal("rounds.value", fmt.Sprintf("%s %d", friend, r.Day), r.Value)
	if value == nil {
		value = []byte{}
	}
	return s.exec(`INSERT INTO rounds (friend, day, state, value) SELECT id, ?2, ?3, ?4 FROM friends WHERE uid = ?1
		ON CONFLICT (friend, day) DO UPDATE SET state = ?3, value = ?4`, string(friend), r.Day, string(r.State), value)
}

// DropRounds forgets the days before one.
func (s *Sharing) DropRounds(before int32) error {
	return s.exec("DELETE FROM rounds WHERE day < ?", before)
}

// Outgoing is a message that is to be sent.
type Outgoing struct {
	ID      MessageID
	Friend  FriendID
	Kind    string // the caller's
	Ref     string // what it is about, the caller's
	At      time.Time
	Tries   int // how often sending failed
	Message []byte
}

const outboxSelect = "SELECT o.uid, f.uid, o.kind, o.ref, o.at, o.tries, o.message FROM outbox o JOIN friends f ON f.id = o.friend"

func (db *DB) scanOutgoing(row scanner) (o Outgoing, err error) {
	var at int64
	if err := row.Scan(&o.ID, &o.Friend, &o.Kind, &o.Ref, &at, &o.Tries, &o.Message); err != nil {
		return o, err
	}
	o.At = fromMicros(at)
	o.Message, err = db.vault.open("outbox.message", string(o.ID), o.Message)
	return o, err
}

// Outbox lists what is to be sent, the oldest first.
func (s *Sharing) Outbox() ([]Outgoing, error) {
	return gather(s, outboxSelect+" ORDER BY o.at, o.id", nil, s.db.scanOutgoing)
}

// Enqueue adds a message; ID, At and Tries are given. One to the same friend, of
// the same kind and about the same that was not sent is replaced.
func (s *Sharing) Enqueue(o Outgoing) error {
	uid := newUID()
	return s.exec(`INSERT INTO outbox (uid, friend, kind, ref, at, tries, message) SELECT ?2, id, ?3, ?4, ?5, 0, ?6 FROM friends WHERE uid = ?1
		ON CONFLICT (friend, kind, ref) DO UPDATE SET uid = ?2, at = ?5, tries = 0, message = ?6`,
		string(o.Friend), uid, o.Kind, o.Ref, micros(s.db.now()), s.db.vault.seal("outbox.message", uid, o.Message))
}

// Dequeue forgets a message. One that is not there was sent before, or is not to
// be sent any more.
func (s *Sharing) Dequeue(id MessageID) error {
	return s.exec("DELETE FROM outbox WHERE uid = ?", string(id))
}

// Tried counts that sending a message failed.
func (s *Sharing) Tried(id MessageID) error {
	return s.exec("UPDATE outbox SET tries = tries + 1 WHERE uid = ?", string(id))
}

// Sighting is a photo of which the file, or a person, says exactly when and
// where it was taken.
type Sighting struct {
	Photo PhotoID
	At    int64 // microseconds since 1970 UTC
	Where exif.GPS
}

// sightings are the photos of a time; the index on instants finds them.
const sightings = `SELECT p.uid, s.instant, s.spot, p.more FROM shots s INDEXED BY shots_instant JOIN photos p ON p.id = s.photo
	WHERE s.instant BETWEEN ? AND ? AND s.fine = 0 AND s.spot <> '' AND s.source NOT IN ('modified', 'modtime', 'name') AND p.vanished IS NULL
	ORDER BY s.instant, p.uid`

// Sightings lists the photos that were taken from one instant to another, both
// included, but for those whose place is an estimate or was not measured then,
// whose time is that of a file or of its name or not known to the second, and
// whose file is missing.
func (s *Sharing) Sightings(first, last int64) ([]Sighting, error) {
	var out []Sighting
	err := each(s.ctx, s.tx, sightings, []any{first, last}, func(rows *sql.Rows) error {
		var g Sighting
		var spot, more string
		if err := rows.Scan(&g.Photo, &g.At, &spot, &more); err != nil {
			return err
		}
		spot, err := s.db.vault.openText("shots.spot", string(g.Photo), spot)
		if err != nil {
			return err
		}
		var shot Shot
		if err := readSpot(&shot, spot); err != nil {
			return asCorrupt(err, "photo", string(g.Photo))
		}
		p := Photo{ID: g.Photo, GPS: &exif.GPS{}}
		if err := s.db.vault.openMore(&p, more); err != nil {
			return err
		}
		if g.Where = *shot.Where; !shot.Guessed && !p.GPS.Stale {
			out = append(out, g)
		}
		return nil
	})
	return out, err
}

// PlacesOf lists the places of a kind.
func (s *Sharing) PlacesOf(kind string) ([]Place, error) {
	places, _, err := loadValues(s.ctx, s.db, s.tx, "places", "uid", func(p *Place, uid string) { p.ID = PlaceID(uid) })
	var out []Place
	for _, p := range places {
		if p.Kind == kind {
			out = append(out, p)
		}
	}
	return out, err
}

// Existing are those of some photos that the account has.
func (s *Sharing) Existing(ids []PhotoID) (map[PhotoID]bool, error) {
	return s.among(ids, "SELECT uid FROM photos WHERE uid IN (SELECT value FROM json_each(?))")
}

// Showing are those of some photos that show a person.
func (s *Sharing) Showing(ids []PhotoID, person PersonID) (map[PhotoID]bool, error) {
	return s.among(ids, `SELECT p.uid FROM photos p WHERE p.uid IN (SELECT value FROM json_each(?))
		AND EXISTS (SELECT 1 FROM faces f JOIN people e ON e.id = f.person WHERE f.photo = p.id AND f.rejected IS NULL AND e.uid = ?)`, string(person))
}

func (s *Sharing) among(ids []PhotoID, query string, args ...any) (map[PhotoID]bool, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := map[PhotoID]bool{}
	return out, each(s.ctx, s.tx, query, append([]any{string(list)}, args...), func(rows *sql.Rows) error {
		var id PhotoID
		err := rows.Scan(&id)
		out[id] = true
		return err
	})
}
