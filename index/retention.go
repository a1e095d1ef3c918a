package index

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kith-photos/kith/store"
)

// Retention says how long each class of data is kept from when it began to age
// (see Due); zero: no longer than it has to. What has no entry is kept until
// somebody erases it.
type Retention map[Class]time.Duration

// Classes of data that retention knows.
const (
	// ClassFaces (above) are faces with their templates, of photos whose content
	// was recorded so long ago. The photos stay, and are not looked at again
	// unless forced.

	ClassStrangers = store.ClassStrangers // of those, the faces of nobody who has a name
	ClassVanished  = store.ClassVanished  // photos whose files are missing, from when they were missed
	ClassOriginals = store.ClassOriginals // files of photos that were looked at for faces: Config.Disposer deletes them
	ClassExports   = store.ClassExports   // files that the host made and told Keep of
	ClassCrops     = store.ClassCrops
	ClassShares    = store.ClassShares  // the same, and what friends were offered and did not take: see Outbox, Deliveries
	ClassAudit     = store.ClassAudit   // entries of the audit, the oldest first
	ClassAccount   = store.ClassAccount // all of a deleted account: the grace of Delete
)

// grace is what services promise: gone within 30 days, restorable until then.
const grace = 30 * 24 * time.Hour

// DefaultRetention is what holds for what SetRetention does not name: a photo
// whose file is missing leaves at once, files made of the account and deleted
// accounts after 30 days, and the rest stays.
func DefaultRetention() Retention {
	return Retention{ClassVanished: 0, ClassExports: grace, ClassCrops: grace, ClassShares: grace, ClassAccount: grace}
}

// Forever keeps a class that DefaultRetention would not.
const Forever = time.Duration(1<<63 - 1)

const retentionKey = "retention"

// Retention is what holds: the defaults and what SetRetention said.
func (a *Account) Retention(ctx context.Context) (Retention, error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return a.retention(ctx)
}

func (a *Account) retention(ctx context.Context) (Retention, error) {
	text, err := a.db.Setting(ctx, retentionKey)
	if err != nil {
		return nil, err
	}
	r := DefaultRetention()
	if text != "" {
		var own Retention
		if err := json.Unmarshal([]byte(text), &own); err != nil {
			return nil, fmt.Errorf("index: the account's retention: %w", err)
		}
		maps.Copy(r, own)
	}
	return r, nil
}

// SetRetention says how long classes are kept; those that it does not name are
// kept as DefaultRetention says. Nothing is erased before Expire.
func (a *Account) SetRetention(ctx context.Context, r Retention) error {
	known := []Class{
		ClassFaces, ClassStrangers, ClassVanished, ClassOriginals, ClassExports, ClassCrops, ClassShares, ClassAudit, ClassAccount,
	}
	for class, period := range r {
		if !slices.Contains(known, class) {
			return fmt.Errorf("index: retention of %q: there is no such class", class)
		}
		if period < 0 {
			return fmt.Errorf("index: retention of %s for %v, below zero", class, period)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := a.db.SetSetting(ctx, retentionKey, string(text)); err != nil {
		return err
	}
	_, err = a.db.Note(ctx, "set retention", Counts{ClassSettings: 1})
	return err
}

// Due is what Expire will take: so many of a class, from a time on. They are
// gathered by the day on which they began to age.
type Due struct {
	Class Class
	At    time.Time // when the first of them is due
	Count int
}

// Due lists what is due up to a time, the earliest first: with the present,
// what Expire would take now, with a later time what it is going to.
func (a *Account) Due(ctx context.Context, until time.Time) ([]Due, error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	r, err := a.retention(ctx)
	if err != nil {
		return nil, err
	}
	s, err := a.db.State(ctx)
	if err != nil || !s.Erased.IsZero() {
		return nil, err
	}
	var out []Due
	for class, period := range r {
		// Of a deleted account nothing goes before the whole.
		if period == Forever || (class == ClassAccount) == s.Deleted.IsZero() {
			continue
		}
		ages := []store.Age{{Since: s.Deleted, Count: 1}}
		if class != ClassAccount {
			if ages, err = a.db.Aging(ctx, class, until.Add(-period)); err != nil {
				return nil, err
			}
		}
		for _, age := range ages {
			if at := age.Since.Add(period); !at.After(until) {
				out = append(out, Due{class, at, age.Count})
			}
		}
	}
	slices.SortFunc(out, func(x, y Due) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Class, y.Class)) })
	return out, nil
}

// Expiry says what an Expire took.
type Expiry struct {
	Receipts []Receipt
	Disposed int              // originals and products that the host deleted
	Failed   []*DisposalError // those that it could not; the next Expire tries again
	Counts   map[Class]int    // of what was erased, by class
}

// ExpireOptions tune one Expire.
type ExpireOptions struct {
	// AcceptClock goes on although the clock shows an earlier time than the
	// audit's last entry, which otherwise gives ErrClock: once it stood wrong.
	AcceptClock bool
}

// Expire takes what is due: it erases faces, photos, offers and audit entries, has the
// Disposer delete originals and products, and erases an account whose grace is
// over. It may be called at any time, and called again after an error or a
// crash it goes on. ErrBusy while photos are being indexed, ErrRestricted where
// everything is to be kept.
func (a *Account) Expire(ctx context.Context, opt ExpireOptions) (Expiry, error) {
	var out Expiry
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	free, err := a.alone("expire")
	if err != nil {
		return out, err
	}
	defer free()
	s, err := a.db.State(ctx)
	if err != nil || !s.Erased.IsZero() {
		return out, err
	}
	now := a.cfg.Now()
	switch {
	case !s.Restricted.IsZero():
		return out, ErrRestricted
	case now.Before(s.Noted.Add(-clockSlack)) && !opt.AcceptClock:
		return out, fmt.Errorf("%w: it shows %s, and the last entry is of %s", ErrClock,
			now.UTC().Format(time.RFC3339), s.Noted.Format(time.RFC3339))
	}
	r, err := a.retention(ctx)
	if err != nil {
		return out, err
	}
	if !s.Deleted.IsZero() {
		if r.over(ClassAccount, s.Deleted, now) {
			receipt, err := a.eraseAll(ctx, &out)
			out.add(receipt)
			a.forgetVectors()
			return out, err
		}
		return out, nil
	}
	due := func(p store.Product) bool { return r.over(p.Class, p.At, now) }
	if err := a.disposeProducts(ctx, due, &out); err != nil {
		return out, err
	}
	if err := a.disposeOriginals(ctx, nil, r, now, &out); err != nil {
		return out, err
	}
	// Last, because what came before is noted in the audit.
	if err := a.expireRows(ctx, r, now, &out); err != nil {
		return out, err
	}
	return out, a.db.Scrub(ctx) // what an earlier erasure left
}

// over reports whether something that began to age at since is due.
func (r Retention) over(class Class, since, now time.Time) bool {
	period, ok := r[class]
	return ok && period != Forever && !now.Before(since.Add(period))
}

// expireRows erases rows, in one transaction.
func (a *Account) expireRows(ctx context.Context, r Retention, now time.Time, out *Expiry) error {
	old := store.Cutoffs{}
	for _, class := range []Class{ClassFaces, ClassStrangers, ClassVanished, ClassShares, ClassAudit} {
		if period, ok := r[class]; ok && period != Forever {
			old[class] = now.Add(-period)
		}
	}
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return err
	}
	defer unlock()
	defer a.forgetVectors()
	receipt, err := a.db.Expire(ctx, old)
	out.add(receipt)
	return err
}

func (e *Expiry) add(r Receipt) {
	if r.ID == "" {
		return
	}
	e.Receipts = append(e.Receipts, r)
	if e.Counts == nil {
		e.Counts = map[Class]int{}
	}
	for class, n := range r.Counts {
		e.Counts[class] += n
	}
}
