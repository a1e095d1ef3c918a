package index

import (
	"context"
	"time"

	"github.com/kith-photos/kith/store"
)

// jsonFriend is a friend in an export. Keys, addresses, messages and days are
// not in it: they are of use to nobody else, and in two places at once they
// would be none at all. Import leaves friends out: they pair again.
type jsonFriend struct {
	ID      FriendID     `json:"id"`
	Label   string       `json:"label"`
	State   FriendState  `json:"state"`
	Person  PersonID     `json:"person,omitempty"`
	Made    time.Time    `json:"made"`
	Rule    jsonRule     `json:"rule"`
	Choices []jsonChoice `json:"choices,omitempty"`
}

type jsonRule struct {
	Automatic      bool `json:"automatic"`
	AtHome         bool `json:"at_home"`
	OnlyWithFriend bool `json:"only_with_friend"`
}

type jsonChoice struct {
	At       time.Time `json:"at"`
	Actor    string    `json:"actor,omitempty"`
	ByRule   bool      `json:"by_rule"`
	Accepted bool      `json:"accepted"`
	Day      string    `json:"day"`
	Photos   []PhotoID `json:"photos"`
}

// exportFriends lists friends, and what was decided about sharing with them.
func (a *Account) exportFriends(ctx context.Context, e *exporter) {
	var friends []store.Friend
	choices := map[FriendID][]jsonChoice{}
	err := a.db.Shared(ctx, func(s *store.Sharing) (err error) {
		if friends, err = s.Friends(); err != nil {
			return err
		}
		all, err := s.Choices("")
		for _, c := range all {
			choices[c.Friend] = append(choices[c.Friend], jsonChoice{c.At, c.Actor, c.ByRule, c.Accepted, dayText(c.Day), c.Photos})
		}
		return err
	})
	if e.err == nil {
		e.err = err
	}
	list(e, "friends", each(friends), func(f store.Friend) jsonFriend {
		return jsonFriend{f.ID, f.Label, f.State, f.Person, f.Made, jsonRule(f.Rule), choices[f.ID]}
	})
}
