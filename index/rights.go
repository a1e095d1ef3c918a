package index

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/kith-photos/kith/store"
)

// What the owner of an account, and those in its photos, may ask for. Such a
// request comes first: it stops a running Reindex, which returns why, and what
// was committed stays until the request itself takes it away.

// Receipt proves an erasure: which classes, how many, when, by whose request.
// It holds nothing personal, and stays in the account's audit.
type (
	Receipt    = store.Receipt
	AuditEntry = store.AuditEntry
	Counts     = store.Counts
	Class      = store.Class
	State      = store.State
)

// Classes of data that receipts and the audit count.
const (
	ClassPhotos    = store.ClassPhotos
	ClassFaces     = store.ClassFaces
	ClassTemplates = store.ClassTemplates
	ClassPeople    = store.ClassPeople
	ClassDecisions = store.ClassDecisions
	ClassConsent   = store.ClassConsent
	ClassSettings  = store.ClassSettings
)

// WithActor says on whose behalf what is done with the context happens, for the
// audit: an id that means something to the host only, never a name.
func WithActor(ctx context.Context, actor string) context.Context { return store.WithActor(ctx, actor) }

// State says whether the account is restricted, deleted or erased, and whether
// its owner's consent stands.
func (a *Account) State(ctx context.Context) (State, error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return State{}, err
	}
	defer done()
	return a.db.State(ctx)
}

// Audit lists who did what to which class of data, and when, from the
// beginning. It holds nothing personal. Check verifies that nothing in it was
// changed.
func (a *Account) Audit(ctx context.Context) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		ctx, done, err := a.enter(ctx)
		if err != nil {
			yield(AuditEntry{}, err)
			return
		}
		defer done()
		for e, err := range a.db.Audit(ctx) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// request runs what somebody has a right to: it stops a running Reindex, which
// returns why, and keeps everything else away that derives people.
func (a *Account) request(ctx context.Context, why error, f func(context.Context, State) (Receipt, error)) (Receipt, error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return Receipt{}, err
	}
	defer done()
	free, err := a.interrupt(ctx, why)
	if err != nil {
		return Receipt{}, err
	}
	defer free()
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return Receipt{}, err
	}
	defer unlock()
	s, err := a.db.State(ctx)
	if err != nil {
		return Receipt{}, err
	}
	if !s.Erased.IsZero() {
		return Receipt{}, store.ErrErased
	}
	defer a.forgetVectors() // after the erasure: until then a search may load them
	return f(ctx, s)
}

// alone keeps every other run that goes through the photos away, or is ErrBusy
// where there is one.
func (a *Account) alone(op string) (free func(), _ error) {
	select {
	case a.indexing <- struct{}{}:
		return func() { <-a.indexing }, nil
	default:
		return nil, fmt.Errorf("%s while photos are being indexed: %w", op, ErrBusy)
	}
}

// interrupt stops a running Reindex and keeps the next from beginning until it
// is freed.
func (a *Account) interrupt(ctx context.Context, why error) (free func(), _ error) {
	a.mu.Lock()
	a.requests++
	if a.stopRun != nil {
		a.stopRun(why)
	}
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.requests--
		a.mu.Unlock()
	}()
	return lock(ctx, a.indexing)
}

// reindexing registers how a Reindex is stopped, unless a request is waiting for
// its turn.
func (a *Account) reindexing(cancel context.CancelCauseFunc) (done func(), _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.requests > 0 {
		return nil, ErrInterrupted
	}
	a.stopRun = cancel
	return func() {
		a.mu.Lock()
		a.stopRun = nil
		a.mu.Unlock()
	}, nil
}

// Consent is the latest record of the account's owner's consent to face
// recognition; its zero value means that nobody was ever asked.
func (a *Account) Consent(ctx context.Context) (Consent, error) { return a.ConsentOf(ctx, "") }

// ConsentOf is the latest record of a person's own consent, or with an empty
// id the owner's.
func (a *Account) ConsentOf(ctx context.Context, id PersonID) (Consent, error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return Consent{}, err
	}
	defer done()
	return a.db.ConsentOf(ctx, id)
}

// SetConsent records that consent was given, withdrawn, or given again.
//
// Withdrawing the owner's erases every face, vector, person and decision, as
// WithdrawConsent does without keep; what EXIF says stays. That of a person
// (c.Person) erases the person's name; ErasePerson erases the rest. Where
// Config.PersonConsent asks for it, nobody is named or found by a search whose
// own consent does not stand.
func (a *Account) SetConsent(ctx context.Context, c Consent) error {
	if !c.Given && c.Person == "" {
		_, err := a.WithdrawConsent(ctx, c, false)
		return err
	}
	if err := checkPurpose(c); err != nil {
		return err
	}
	_, err := a.request(ctx, ErrInterrupted, func(ctx context.Context, s State) (Receipt, error) {
		if !s.Deleted.IsZero() {
			return Receipt{}, ErrDeleted
		}
		if c.Person != "" {
			if _, err := a.db.Person(ctx, c.Person); err != nil {
				return Receipt{}, err
			}
		}
		if c.Given {
			return Receipt{}, a.db.PutConsent(ctx, c)
		}
		return a.db.EraseName(ctx, c)
	})
	return err
}

// WithdrawConsent records that the owner withdrew consent, and erases every
// face, vector, person, and decision about them, so that their bytes are in
// none of the account's files. With keep, names and decisions stay, which hold
// no biometrics: given again, consent brings the people back under their names.
// Any error beside a receipt says that the file could not be rewritten yet (a
// listing holds it, the disk is full): asking again, or opening the account
// again, takes that up.
func (a *Account) WithdrawConsent(ctx context.Context, c Consent, keep bool) (Receipt, error) {
	c.Given, c.Person = false, ""
	if err := checkPurpose(c); err != nil {
		return Receipt{}, err
	}
	return a.request(ctx, ErrNoConsent, func(ctx context.Context, _ State) (Receipt, error) {
		return a.db.WithdrawConsent(ctx, c, keep)
	})
}

// checkPurpose refuses consent to what kith does not do.
func checkPurpose(c Consent) error {
	if c.Purpose != "" && c.Purpose != store.PurposeFaces {
		return fmt.Errorf("index: consent for %q: the only purpose is %q", c.Purpose, store.PurposeFaces)
	}
	return nil
}

// Restrict freezes the account: everything is kept and can be looked at and
// exported, and until Unrestrict no photo or face is processed, no decision or
// correction made, and nothing expires. Whatever would gives ErrRestricted; a
// running Reindex stops with it. Consent, settings and erasures are still to be
// had: they are the owner's to ask for.
func (a *Account) Restrict(ctx context.Context) (AuditEntry, error) {
	return a.request(ctx, ErrRestricted, func(ctx context.Context, _ State) (AuditEntry, error) {
		return a.db.SetRestricted(ctx, true)
	})
}

// Unrestrict lifts the restriction: Reindex goes on where it stopped.
func (a *Account) Unrestrict(ctx context.Context) (AuditEntry, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (AuditEntry, error) {
		return a.db.SetRestricted(ctx, false)
	})
}

// Delete marks the account as deleted. Until its grace is over (30 days, see
// Retention) Restore brings it back as it was and Export still works; all else
// gives ErrDeleted. Then Expire erases it.
func (a *Account) Delete(ctx context.Context) (AuditEntry, error) {
	return a.request(ctx, ErrDeleted, func(ctx context.Context, _ State) (AuditEntry, error) {
		return a.db.SetDeleted(ctx, true)
	})
}

// Restore takes Delete back.
func (a *Account) Restore(ctx context.Context) (AuditEntry, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (AuditEntry, error) {
		return a.db.SetDeleted(ctx, false)
	})
}

// ErasePhotos erases photos, all copies of the same content, and all that was
// found on them. Reindex does not bring them back while their files are there,
// unless Readmit is called with the receipt's id.
func (a *Account) ErasePhotos(ctx context.Context, ids ...PhotoID) (Receipt, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, s State) (Receipt, error) {
		receipt, err := a.db.ErasePhotos(ctx, ids...)
		if err == nil && usable(s) == nil { // so that no moment or place remembers them
			err = a.arrange(ctx)
		}
		return receipt, err
	})
}

// ErasePerson erases a person: name, faces, vectors, own consent, and what
// decisions say of the person. The same faces on the same photos do not come
// back, whatever looks for them: tombstones tell them by the photo's content
// and the box. Nobody is recognised on photos that come later; without a
// template that is not possible.
func (a *Account) ErasePerson(ctx context.Context, id PersonID) (Receipt, error) {
	return a.erasePerson(ctx, id, "erase person")
}

// Object is ErasePerson at the request of somebody in the photos who is not
// the account's owner, and is recorded as that.
func (a *Account) Object(ctx context.Context, id PersonID) (Receipt, error) {
	return a.erasePerson(ctx, id, "objection")
}

func (a *Account) erasePerson(ctx context.Context, id PersonID, action string) (Receipt, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (Receipt, error) {
		return a.db.ErasePerson(ctx, id, action)
	})
}

// EraseBiometrics erases what WithdrawConsent does, without withdrawing it: the
// next Reindex finds the faces anew.
func (a *Account) EraseBiometrics(ctx context.Context, keep bool) (Receipt, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (Receipt, error) {
		return a.db.EraseBiometrics(ctx, keep)
	})
}

// Readmit lets what an erasure took be found again: somebody agrees after all,
// or it was a mistake. request is the id of the erasure's receipt. Photos that
// were read since are looked at again by Reindex with Force.
func (a *Account) Readmit(ctx context.Context, request string) (AuditEntry, error) {
	return a.request(ctx, ErrInterrupted, func(ctx context.Context, _ State) (AuditEntry, error) {
		return a.db.Readmit(ctx, request)
	})
}

// EraseAll erases the account at once, without grace: what is left is its id
// and the audit with the receipts. The key of a sealed account is destroyed
// first, so that copies and backups of the file are unreadable from then on.
// Whatever looks at the account, changes it or works on it gives ErrErased
// afterwards.
//
// Files that the host made of the account (see Keep) are deleted by its Disposer
// before. A *DisposalError beside a receipt is one that could not be, and of
// which nothing is known any more.
func (a *Account) EraseAll(ctx context.Context) (Receipt, error) {
	var out Expiry
	receipt, err := a.request(ctx, store.ErrErased, func(ctx context.Context, _ State) (Receipt, error) {
		return a.eraseAll(ctx, &out)
	})
	for _, f := range out.Failed {
		err = errors.Join(err, f)
	}
	return receipt, err
}

func (a *Account) eraseAll(ctx context.Context, out *Expiry) (Receipt, error) {
	if err := a.disposeProducts(ctx, func(store.Product) bool { return true }, out); err != nil {
		return Receipt{}, err
	}
	return a.db.EraseAll(ctx)
}

// needConsent returns ErrNoConsent unless consent stands, or ErrRestricted.
func (a *Account) needConsent(ctx context.Context) error {
	s, err := a.db.State(ctx)
	switch {
	case err != nil:
		return err
	case !s.Restricted.IsZero():
		return ErrRestricted
	case !s.Consent:
		return ErrNoConsent
	}
	return usable(s)
}

// mayChange returns why the account must stay as it is.
func (a *Account) mayChange(ctx context.Context) error {
	s, err := a.db.State(ctx)
	if err == nil && !s.Restricted.IsZero() {
		err = ErrRestricted
	}
	return err
}

// usable returns why an account is not to be used at all.
func usable(s State) error {
	switch {
	case !s.Erased.IsZero():
		return store.ErrErased
	case !s.Deleted.IsZero():
		return ErrDeleted
	}
	return nil
}

// consents tells, where persons' own consent is asked for, whose stands; nil
// where it is not.
func (a *Account) consents(ctx context.Context) (map[PersonID]bool, error) {
	if !a.cfg.PersonConsent {
		return nil, nil
	}
	return a.db.Consenting(ctx)
}

// clockSlack is how far back a clock may be set without anybody minding.
const clockSlack = 5 * time.Minute
