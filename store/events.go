package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"
)

// Events lists what became of people, in the order in which it happened,
// beginning after the event of the given id; 0 begins with the oldest. A
// caller that remembers the last id it saw misses nothing. There is one event
// per transaction, person and kind, and none where nothing changed.
func (db *DB) Events(ctx context.Context, after EventID) iter.Seq2[Event, error] {
	const query = "SELECT seq, at, kind, person, other, came, went FROM events WHERE seq > ? ORDER BY seq"
	return list(ctx, db, "list events of", query, []any{int64(after)}, func(row scanner) (Event, error) {
		var e Event
		var at int64
		if err := row.Scan(&e.ID, &at, &e.Kind, &e.Person, &e.Other, &e.Joined, &e.Left); err != nil {
			return Event{}, err
		}
		e.At = fromMicros(at)
		return e, nil
	})
}

func putEvent(ctx context.Context, tx *sql.Tx, e Event) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO events (at, kind, person, other, came, went) VALUES (?, ?, ?, ?, ?, ?)",
		micros(e.At), string(e.Kind), string(e.Person), string(e.Other), e.Joined, e.Left)
	return err
}

// watch sees what one transaction does to people. Whatever changes a person
// touches it first; moves of faces are told.
type watch struct {
	ctx    context.Context // of the one call that it lives in
	tx     *sql.Tx
	db     *DB
	before map[PersonID]*personState // nil: the person was not there
	moves  map[[2]PersonID]int       // faces that went from one to another; "" is nobody
	uids   map[int64]PersonID        // by row
}

// personState is what events tell changes of.
type personState struct {
	name, cover string
	ignored     bool
}

func (db *DB) newWatch(ctx context.Context, tx *sql.Tx) *watch {
	return &watch{
		ctx: ctx, tx: tx, db: db,
		before: map[PersonID]*personState{}, moves: map[[2]PersonID]int{}, uids: map[int64]PersonID{},
	}
}

func (w *watch) exec(query string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, query, args...)
	return err
}

func (w *watch) state(id PersonID) (*personState, error) {
	var s personState
	err := w.tx.QueryRowContext(w.ctx, `SELECT e.name, coalesce(f.uid, ''), e.ignored
		FROM people e LEFT JOIN faces f ON f.id = e.cover WHERE e.uid = ?`, string(id)).Scan(&s.name, &s.cover, &s.ignored)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		s.name, err = w.db.vault.openText("people.name", string(id), s.name)
	}
	return &s, err
}

// touch notes how a person is, the first time that it is called for it.
func (w *watch) touch(id PersonID) error {
	if _, ok := w.before[id]; ok || id == "" {
		return nil
	}
	s, err := w.state(id)
	if err == nil {
		w.before[id] = s
	}
	return err
}

// move notes that n faces go from one person to another.
func (w *watch) move(from, to PersonID, n int) error {
	if from == to || n == 0 {
		return nil
	}
	w.moves[[2]PersonID{from, to}] += n
	return errors.Join(w.touch(from), w.touch(to))
}

// moveRow is move for people known by their rows.
func (w *watch) moveRow(from, to sql.NullInt64) error {
	if from == to {
		return nil
	}
	a, err := w.uid(from)
	if err != nil {
		return err
	}
	b, err := w.uid(to)
	if err != nil {
		return err
	}
	return w.move(a, b, 1)
}

func (w *watch) uid(row sql.NullInt64) (id PersonID, err error) {
	if !row.Valid {
		return "", nil
	}
	if id, ok := w.uids[row.Int64]; ok {
		return id, nil
	}
	err = w.tx.QueryRowContext(w.ctx, "SELECT uid FROM people WHERE id = ?", row.Int64).Scan(&id)
	w.uids[row.Int64] = id
	return id, err
}

// leave notes that the faces which cond tells of are about to be with nobody.
func (w *watch) leave(cond string, args ...any) error {
	gone := map[PersonID]int{}
	err := each(w.ctx, w.tx, `SELECT e.uid, count(*) FROM faces f JOIN people e ON e.id = f.person
		WHERE `+cond+" GROUP BY e.id", args, func(rows *sql.Rows) error {
		var id PersonID
		var n int
		err := rows.Scan(&id, &n)
		gone[id] = n
		return err
	})
	for id, n := range gone {
		err = errors.Join(err, w.move(id, "", n))
	}
	return err
}

// drop forgets a person, if there is one.
func (w *watch) drop(id PersonID) error {
	if err := w.touch(id); err != nil {
		return err
	}
	if err := w.leave("e.uid = ?", string(id)); err != nil {
		return err
	}
	err := w.exec("UPDATE faces SET person = NULL, origin = '' WHERE person = (SELECT id FROM people WHERE uid = ?)", string(id))
	if err != nil {
		return err
	}
	return w.exec("DELETE FROM people WHERE uid = ?", string(id))
}

// people lists the uids of those whom cond tells of.
func (w *watch) people(cond string) (ids []PersonID, err error) {
	err = each(w.ctx, w.tx, "SELECT uid FROM people WHERE "+cond, nil, func(rows *sql.Rows) error {
		var id PersonID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// dropForeignCovers leaves nobody whom the transaction touched with a cover
// that is gone or shows somebody else.
func (w *watch) dropForeignCovers() error {
	for id := range w.before {
		err := w.exec(`UPDATE people SET cover = NULL, chosen = 0 WHERE uid = ? AND (cover IS NOT NULL OR chosen)
			AND NOT EXISTS (SELECT 1 FROM faces f WHERE f.id = people.cover AND f.person = people.id)`, string(id))
		if err != nil {
			return err
		}
	}
	return nil
}

// isStranger tells the people of whom nothing is left.
const isStranger = `name = ''
	AND NOT EXISTS (SELECT 1 FROM faces f WHERE f.person = people.id)
	AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.person = people.uid AND d.revoked IS NULL)
	AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.other = people.uid AND d.revoked IS NULL)`

// dropStrangers forgets the people of whom nothing is left: no face, no name,
// and no standing decision.
func (w *watch) dropStrangers() error {
	ids, err := w.people(isStranger)
	for _, id := range ids {
		err = errors.Join(err, w.drop(id))
	}
	return err
}

// record drops what became wrong and writes the events: who is new first, then what changed, then who is
// gone, so that whoever follows has met everybody who is named.
func (w *watch) record(now func() time.Time) error {
	if err := w.dropForeignCovers(); err != nil {
		return err
	}
	var events []Event
	for _, id := range slices.Sorted(maps.Keys(w.before)) {
		after, err := w.state(id)
		if err != nil {
			return err
		}
		events = append(events, w.compare(id, w.before[id], after)...)
	}
	if len(events) == 0 {
		return nil
	}
	rank := map[EventKind]int{EventNew: -1, EventGone: 1}
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(rank[a.Kind], rank[b.Kind]) })
	at := now()
	for _, e := range events {
		e.At = at
		if err := putEvent(w.ctx, w.tx, e); err != nil {
			return err
		}
	}
	return nil
}

// compare lists what became of one person.
func (w *watch) compare(id PersonID, before, after *personState) (events []Event) {
	joined, from := w.count(id, 0)
	left, to := w.count(id, 1)
	add := func(e Event) {
		e.Person = id
		events = append(events, e)
	}
	switch {
	case before == nil && after == nil:
	case before == nil:
		add(Event{Kind: EventNew, Other: from, Joined: joined - left})
	case after == nil:
		add(Event{Kind: EventGone, Other: to, Left: left - joined})
	default:
		if before.name != after.name {
			add(Event{Kind: EventRenamed})
		}
		if joined > 0 || left > 0 {
			add(Event{Kind: EventFaces, Joined: joined, Left: left})
		}
		if before.ignored != after.ignored {
			add(Event{Kind: map[bool]EventKind{true: EventIgnored, false: EventUnignored}[after.ignored]})
		}
		if before.cover != after.cover {
			add(Event{Kind: EventCover})
		}
	}
	return events
}

// count sums the moves to (side 0) or from (side 1) a person, and says whom
// most came from or went to.
func (w *watch) count(id PersonID, side int) (n int, most PersonID) {
	best := 0
	for pair, k := range w.moves {
		if pair[1-side] != id {
			continue
		}
		n += k
		if other := pair[side]; other != "" && (k > best || k == best && other < most) {
			best, most = k, other
		}
	}
	return n, most
}
