package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// OfferState says how far an offer is.
type OfferState string

const (
	OfferProposed OfferState = "proposed" // to the owner, who has not decided
	OfferMade     OfferState = "offered"  // to the friend
	OfferWanted   OfferState = "wanted"   // by the friend: to be delivered
	OfferAsked    OfferState = "asked"    // the friend's, which the owner has not replied to
	OfferTaken    OfferState = "taken"    // the friend's, which is wanted
)

// Offer is some photos of a meeting, for the friend or of the friend.
type Offer struct {
	ID     OfferID
	Friend FriendID
	State  OfferState
	Day    int32     // of UTC, since 1970
	At     time.Time // when it was proposed, offered or asked
	From   int64     // of the meeting, microseconds since 1970 UTC; 0: the friend's
	To     int64
	Number []byte    // what the friends call the offer; nil: it is not made yet
	Count  int       // photos
	Photos []PhotoID // nil: the friend's
}

// Choice is what was decided about proposed photos.
type Choice struct {
	ID       ChoiceID
	Friend   FriendID
	At       time.Time
	Actor    string // see WithActor
	ByRule   bool   // the friend's rule decided, not a person
	Accepted bool
	Day      int32 // of UTC, since 1970
	Photos   []PhotoID
}

// sharedJSON is the column value of offers and choices.
type sharedJSON struct {
	From   int64     `json:"from,omitempty"`
	To     int64     `json:"to,omitempty"`
	Number []byte    `json:"number,omitempty"`
	Photos []PhotoID `json:"photos,omitempty"`
}

const offerSelect = "SELECT o.uid, f.uid, o.state, o.day, o.at, o.photos, o.value FROM offers o JOIN friends f ON f.id = o.friend"

func (db *DB) scanOffer(row scanner) (o Offer, err error) {
	var at int64
	var text string
	if err := row.Scan(&o.ID, &o.Friend, &o.State, &o.Day, &at, &o.Count, &text); err != nil {
		return o, err
	}
	var v sharedJSON
	err = db.readValue("offers.value", string(o.ID), text, &v)
	o.At, o.From, o.To, o.Number, o.Photos = fromMicros(at), v.From, v.To, v.Number, v.Photos
	return o, err
}

// Offers lists the offers of a state, the earliest first. Photos that have left
// the account are not in them.
func (s *Sharing) Offers(state OfferState) ([]Offer, error) {
	offers, err := gather(s, offerSelect+" WHERE o.state = ? ORDER BY o.day, o.at, o.id", []any{string(state)}, s.db.scanOffer)
	for i := range offers {
		if err == nil {
			err = s.existing(&offers[i])
		}
	}
	return offers, err
}

// OffersOf lists all offers of a friend's.
func (s *Sharing) OffersOf(friend FriendID) ([]Offer, error) {
	return gather(s, offerSelect+" WHERE f.uid = ? ORDER BY o.id", []any{string(friend)}, s.db.scanOffer)
}

// Offer is ErrNotFound unless there is one of the id in one of the states.
func (s *Sharing) Offer(id OfferID, states ...OfferState) (Offer, error) {
	o, err := s.db.scanOffer(s.tx.QueryRowContext(s.ctx, offerSelect+" WHERE o.uid = ?", string(id)))
	if err == nil && !slices.Contains(states, o.State) {
		err = sql.ErrNoRows
	}
	if err == nil {
		err = s.existing(&o)
	}
	if err != nil {
		return o, fmt.Errorf("offer %s: %w", id, err)
	}
	return o, nil
}

func (s *Sharing) existing(o *Offer) error {
	if len(o.Photos) == 0 {
		return nil
	}
	there, err := s.Existing(o.Photos)
	o.Photos = slices.DeleteFunc(o.Photos, func(id PhotoID) bool { return !there[id] })
	o.Count = len(o.Photos)
	return err
}

// PutOffer adds or changes an offer. Of one with photos, they are counted.
func (s *Sharing) PutOffer(o Offer) error {
	if len(o.Photos) > 0 {
		o.Count = len(o.Photos)
	}
	b, err := json.Marshal(sharedJSON{o.From, o.To, o.Number, o.Photos})
	if err != nil {
		return err
	}
	return s.exec(`INSERT INTO offers (uid, friend, state, day, at, photos, value) SELECT ?2, id, ?3, ?4, ?5, ?6, ?7 FROM friends WHERE uid = ?1
		ON CONFLICT (uid) DO UPDATE SET state = ?3, at = ?5, photos = ?6, value = ?7`,
		string(o.Friend), string(o.ID), string(o.State), o.Day, micros(o.At), o.Count, s.db.vault.sealText("offers.value", string(o.ID), string(b)))
}

// DropOffer forgets an offer.
func (s *Sharing) DropOffer(id OfferID) error {
	return s.exec("DELETE FROM offers WHERE uid = ?", string(id))
}

const choiceSelect = "SELECT c.uid, f.uid, c.at, c.actor, c.rule, c.accepted, c.day, c.value FROM choices c JOIN friends f ON f.id = c.friend"

func (db *DB) scanChoice(row scanner) (c Choice, err error) {
	var at int64
	var text string
	if err := row.Scan(&c.ID, &c.Friend, &at, &c.Actor, &c.ByRule, &c.Accepted, &c.Day, &text); err != nil {
		return c, err
	}
	var v sharedJSON
	err = db.readValue("choices.value", string(c.ID), text, &v)
	c.At, c.Photos = fromMicros(at), v.Photos
	return c, err
}

// Choices lists what was decided, the first first; of one friend, or, where id
// is empty, of all.
func (s *Sharing) Choices(id FriendID) ([]Choice, error) {
	return gather(s, choiceSelect+" WHERE ?1 IN ('', f.uid) ORDER BY c.id", []any{string(id)}, s.db.scanChoice)
}

// AddChoice records a decision; ID, At and Actor are given.
func (s *Sharing) AddChoice(c Choice) error {
	actor, err := actorOf(s.ctx)
	if err != nil {
		return err
	}
	b, err := json.Marshal(sharedJSON{Photos: c.Photos})
	if err != nil {
		return err
	}
	uid := newUID()
	return s.exec(`INSERT INTO choices (uid, friend, at, actor, rule, accepted, day, photos, value)
		SELECT ?2, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM friends WHERE uid = ?1`, string(c.Friend), uid, micros(s.db.now()), actor, c.ByRule, c.Accepted,
		c.Day, len(c.Photos), s.db.vault.sealText("choices.value", uid, string(b)))
}
