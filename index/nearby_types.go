package index

import (
	"errors"
	"time"

	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// Sharing with friends: two accounts pair (InviteFriend, AcceptFriend), compare
// their days (CompareDays), and propose to their owners which photos to offer to
// the friend (Proposals). Package nearby says how the days are compared, and
// what the friend and others learn by it. An account neither sends nor fetches
// anything: the host takes messages from the Outbox, and gives those that come
// to Receive. It delivers the photos themselves, too (Deliveries).

type (
	FriendID    = store.FriendID
	FriendState = store.FriendState
	OfferID     = store.OfferID
	MessageID   = store.MessageID
	// ShareRule is what holds for a friend. Its zero value proposes photos that
	// were taken away from home, and offers none by itself.
	ShareRule = store.ShareRule
	// Choice is what was decided about proposed photos. Photos that were erased
	// are not in it.
	Choice = store.Choice
)

const (
	FriendInvited  = store.FriendInvited
	FriendAccepted = store.FriendAccepted
	FriendPaired   = store.FriendPaired
)

// ClassFriends are accounts that are paired with.
const ClassFriends = store.ClassFriends

// CompareBack is how many days back days are compared: a phone that was off for
// so long catches up.
const CompareBack = 30

const (
	// mostOffers is how many offers a friend may have open.
	mostOffers = 1000
	// mostPhotos is how many photos one offer may have.
	mostPhotos = 1<<16 - 1
)

var (
	// ErrDay: a friend's message is about a day before the pair, in the future,
	// or longer ago than CompareBack.
	ErrDay = errors.New("not a day that is compared")
	// ErrManyOffers: the friend has more offers open than anybody can look at.
	ErrManyOffers = errors.New("too many offers of one friend")
)

// Friend is another account that this one is paired with, or is about to be.
type Friend struct {
	ID    FriendID
	State FriendState
	Label string // what the account calls the friend
	// Person is who the friend is among the account's people; empty: nobody
	// said, or the person or all biometrics were erased. It follows merges.
	Person PersonID
	Rule   ShareRule
	Made   time.Time // when it was invited, or its invitation accepted
	// Code is what the two should see to be the same, side by side or on the
	// phone, unless nobody else can have seen the invitation; empty until the
	// friend is paired.
	Code string
	// Inbox is the address of what is for this account: until the friend is
	// paired, of the invitation.
	Inbox nearby.ID
}

// The kinds of messages.
const (
	MessageAcceptance = "acceptance"
	MessageOpening    = "opening"
	MessageBatch      = "batch"
	MessageAnswer     = "answer"
	MessageOffer      = "offer"
	MessageReply      = "reply"
	MessageDelivered  = "delivered"
	MessageUnpair     = "unpair"
)

// Message is a message that the host is to send.
type Message struct {
	ID     MessageID
	Friend FriendID
	To     nearby.ID // the address; until the friend is paired, the invitation's
	Kind   string
	At     time.Time // when it was made
	Tries  int       // how often sending failed
	Bytes  []byte
}

// Received says what a message was.
type Received struct {
	Friend    FriendID
	Kind      string
	Proposals int // that came of it, or were offered by the friend's rule
}

// Proposal is photos that were taken where and when the friend took one too.
type Proposal struct {
	ID       OfferID
	Friend   FriendID
	From, To time.Time // of the meeting, to ten minutes
	Photos   []PhotoID
}

// FriendOffer is photos that a friend offers.
type FriendOffer struct {
	ID     OfferID
	Friend FriendID
	Day    time.Time // when they were taken: a day of UTC
	Count  int
	Wanted bool // it was replied to, and the photos have not come yet
	At     time.Time
}

// Delivery is photos that a friend wants.
type Delivery struct {
	ID     OfferID
	Friend FriendID
	// Offer is what both sides call the offer, so that the host can say which
	// photos it delivers.
	Offer  nearby.ID
	Photos []PhotoID
}

func dayTime(day int32) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }
