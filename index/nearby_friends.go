package index

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/kith-photos/kith/index/nearby"
	"github.com/kith-photos/kith/store"
)

// InviteFriend begins a pair with a friend's account, under a label of the
// owner's choice, and makes the invitation. It is to go to the friend by a way
// that nobody else reads, such as a code on the screen; it is handed out once,
// and good until it is accepted or Unpair takes it back, at most as long as
// Retention says of ClassShares.
func (a *Account) InviteFriend(ctx context.Context, label string) (FriendID, []byte, error) {
	f, err := newFriend(label, store.FriendInvited)
	if err != nil {
		return "", nil, err
	}
	i, invitation, err := nearby.Invite(nil)
	if err != nil {
		return "", nil, err
	}
	f.Secret, f.Made = i.State(), a.cfg.Now()
	err = a.sharing(ctx, func(_ context.Context, s *store.Sharing) error { return s.PutFriend(f) })
	if err != nil {
		return "", nil, err
	}
	return f.ID, invitation, nil
}

// AcceptFriend accepts a friend's invitation. The answer is in the Outbox; the
// friend is paired when Receive has got the friend's last word.
func (a *Account) AcceptFriend(ctx context.Context, label string, invitation []byte) (FriendID, error) {
	f, err := newFriend(label, store.FriendAccepted)
	if err != nil {
		return "", err
	}
	err = a.sharing(ctx, func(_ context.Context, s *store.Sharing) error {
		accepted, msg, err := nearby.Accept(nil, invitation)
		if err != nil {
			return err
		}
		others, err := s.Friends()
		if err != nil {
			return err
		}
		for _, o := range others {
			id, ok, err := pairing(o)
			if err == nil && ok && id == accepted.ID() {
				err = fmt.Errorf("an invitation of the account's own, or that was accepted: %w", nearby.ErrReplayed)
			}
			if err != nil {
				return err
			}
		}
		f.Secret, f.Made = accepted.State(), a.cfg.Now()
		f.Since = int32(nearby.DayOf(f.Made.UnixMicro()))
		if err := s.PutFriend(f); err != nil {
			return err
		}
		return s.Enqueue(store.Outgoing{Friend: f.ID, Kind: MessageAcceptance, Message: msg})
	})
	if err != nil {
		return "", err
	}
	return f.ID, nil
}

func newFriend(label string, state FriendState) (store.Friend, error) {
	label, err := checkLabel(label)
	return store.Friend{ID: store.NewFriendID(), State: state, Label: label}, err
}

func checkLabel(label string) (string, error) {
	label = strings.TrimSpace(label)
	if !utf8.ValidString(label) || len(label) > maxName {
		return "", fmt.Errorf("index: a label must be valid UTF-8 of at most %d bytes", maxName)
	}
	return label, nil
}

// pairing is the id of the invitation of who is not paired yet.
func pairing(f store.Friend) (id nearby.ID, ok bool, err error) {
	switch f.State {
	case store.FriendInvited:
		i, err := nearby.RestoreInvited(f.Secret)
		if err != nil {
			return id, false, err
		}
		return i.ID(), true, nil
	case store.FriendAccepted:
		a, err := nearby.RestoreAccepted(f.Secret)
		if err != nil {
			return id, false, err
		}
		return a.ID(), true, nil
	default:
		return id, false, nil
	}
}

// Friends lists those who were invited, who were accepted, and who are paired,
// the first one first.
func (a *Account) Friends(ctx context.Context) ([]Friend, error) {
	return shared(a, ctx, func(s *store.Sharing) ([]Friend, error) {
		all, err := s.Friends()
		var out []Friend
		for _, f := range all {
			if err != nil {
				break
			}
			o := Friend{ID: f.ID, State: f.State, Label: f.Label, Person: f.Person, Rule: f.Rule, Made: f.Made}
			if f.State != store.FriendPaired {
				o.Inbox, _, err = pairing(f)
			} else if p, e := nearby.RestorePair(f.Secret); e != nil {
				err = e
			} else {
				o.Inbox, o.Code = p.Inbox(), p.Code()
			}
			out = append(out, o)
		}
		return out, err
	})
}

// SetFriend changes what the account says of a friend: Label, Person and Rule.
// It holds for what is compared and proposed from then on.
func (a *Account) SetFriend(ctx context.Context, f Friend) error {
	label, err := checkLabel(f.Label)
	if err != nil {
		return err
	}
	return a.sharing(ctx, func(_ context.Context, s *store.Sharing) error {
		old, err := s.Friend(f.ID)
		if err != nil {
			return err
		}
		old.Label, old.Person, old.Rule = label, f.Person, f.Rule
		return s.PutFriend(old)
	})
}

// Unpair ends a pair, or takes an invitation back, and erases all there is of
// it, so that its bytes are in none of the account's files: keys, days,
// messages, proposals, offers, and decisions about them. What was delivered is
// the friend's. The message, for the friend to be told, is handed out and not
// kept; it is zero where the friend was not paired, or the keys cannot be read.
func (a *Account) Unpair(ctx context.Context, id FriendID) (Message, Receipt, error) {
	var last Message
	receipt, err := a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (Receipt, error) {
		var f store.Friend
		err := a.db.Shared(ctx, func(s *store.Sharing) (err error) {
			f, err = s.Friend(id)
			return err
		})
		var tampered *store.TamperedError
		if err != nil && !errors.As(err, &tampered) {
			return Receipt{}, err
		}
		if err == nil && f.State == store.FriendPaired {
			if last, err = farewell(f); err != nil {
				return Receipt{}, err
			}
			last.At = a.cfg.Now()
		}
		return a.db.Unpair(ctx, id, "unpair")
	})
	if receipt.ID == "" { // the pair is there still
		last = Message{}
	}
	return last, receipt, err
}

// farewell is the last message of a pair, zero where its keys cannot be read any
// more, which must not keep it from being erased.
func farewell(f store.Friend) (Message, error) {
	p, err := nearby.RestorePair(f.Secret)
	if errors.Is(err, nearby.ErrState) {
		return Message{}, nil
	}
	if err != nil {
		return Message{}, err
	}
	b, err := p.Seal(nil, nearby.Unpair{})
	return Message{Friend: f.ID, To: p.Outbox(), Kind: MessageUnpair, Bytes: b}, err
}

// sharing runs f, which changes what is shared, in one transaction.
func (a *Account) sharing(ctx context.Context, f func(context.Context, *store.Sharing) error) error {
	ctx, done, err := a.deciding(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.db.Share(ctx, func(s *store.Sharing) error { return f(ctx, s) })
}

// shared reads what is shared.
func shared[T any](a *Account, ctx context.Context, f func(*store.Sharing) (T, error)) (out T, err error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	err = a.db.Shared(ctx, func(s *store.Sharing) error {
		out, err = f(s)
		return err
	})
	return out, err
}

// leaving is shared for what is read in order to be given to others, which must
// not be while the account is restricted.
func leaving[T any](a *Account, ctx context.Context, f func(*store.Sharing) (T, error)) (out T, err error) {
	return shared(a, ctx, func(s *store.Sharing) (out T, err error) {
		if err := a.mayChange(ctx); err != nil {
			return out, err
		}
		return f(s)
	})
}

// Outbox lists the messages that the host is to send, the oldest first. A
// message stays in it until the host says that it was Sent, and is dropped by
// Expire when its time is over, as Retention says of ClassShares. All messages
// to a paired friend look alike and have one size, whatever Kind says here: it
// is not for others.
func (a *Account) Outbox(ctx context.Context) ([]Message, error) {
	return leaving(a, ctx, func(s *store.Sharing) ([]Message, error) {
		all, err := s.Outbox()
		if err != nil {
			return nil, err
		}
		var out []Message
		for _, o := range all {
			h, err := nearby.Read(o.Message)
			if err != nil {
				return nil, fmt.Errorf("message %s: %w", o.ID, err)
			}
			out = append(out, Message{o.ID, o.Friend, h.To, o.Kind, o.At, o.Tries, o.Message})
		}
		return out, nil
	})
}

// Sent says that a message was delivered to where the friend's host finds it: it
// leaves the Outbox. One that is not there any more is no error.
func (a *Account) Sent(ctx context.Context, id MessageID) error {
	return a.told(ctx, func(s *store.Sharing) error { return s.Dequeue(id) })
}

// Tried says that a message could not be sent. It stays.
func (a *Account) Tried(ctx context.Context, id MessageID) error {
	return a.told(ctx, func(s *store.Sharing) error { return s.Tried(id) })
}

// told writes down what the host did.
func (a *Account) told(ctx context.Context, f func(*store.Sharing) error) error {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.db.Share(ctx, f)
}
