package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

// PeopleQuery narrows a listing of people. The zero value lists all but the
// ignored.
type PeopleQuery struct {
	MinFaces  int // only those with at least so many faces
	MinPhotos int // only those on at least so many photos
	// MinDays lists only those whose photos were taken on at least so many
	// calendar days, as the cameras' clocks showed them. A photo without a
	// time is of no day.
	MinDays int
	Named   bool  // only those with a name
	Ignored Which // what becomes of those that somebody wants ignored
	Limit   int   // at most so many; 0: no limit
}

const personSelect = `SELECT e.uid, e.name, count(f.id), count(DISTINCT f.photo), coalesce(c.uid, ''), e.created,
	e.ignored, e.chosen FROM people e LEFT JOIN faces f ON f.person = e.id LEFT JOIN faces c ON c.id = e.cover`

func (db *DB) scanPerson(row scanner) (Person, error) {
	var p Person
	var created int64
	if err := row.Scan(&p.ID, &p.Name, &p.Faces, &p.Photos, &p.Cover, &created, &p.Ignored, &p.CoverChosen); err != nil {
		return Person{}, err
	}
	p.Created = fromMicros(created)
	var err error
	p.Name, err = db.vault.openText("people.name", string(p.ID), p.Name)
	return p, err
}

// Person is the person of an id, or ErrNotFound.
func (db *DB) Person(ctx context.Context, id PersonID) (Person, error) {
	row := db.read.QueryRowContext(ctx, personSelect+" WHERE e.uid = ? GROUP BY e.id", string(id))
	p, err := db.scanPerson(row)
	return p, db.fail(ctx, "read a person of", err)
}

// daysOfPerson counts the days of a person's photos. A day has 86,400,000,000
// microseconds; division rounds to zero, and must round down before 1970 too.
const daysOfPerson = `(SELECT count(DISTINCT (p.taken_wall - (p.taken_wall < 0) * 86399999999) / 86400000000)
	FROM faces g JOIN photos p ON p.id = g.photo WHERE g.person = e.id)`

// People lists people, those with most faces first and then by id.
func (db *DB) People(ctx context.Context, q PeopleQuery) iter.Seq2[Person, error] {
	var f filter
	if q.Named {
		f.add("e.name <> ''")
	}
	f.add(q.Ignored.cond("e.ignored"))
	query := personSelect + f.where() + " GROUP BY e.id HAVING count(f.id) >= ? AND count(DISTINCT f.photo) >= ?"
	f.args = append(f.args, q.MinFaces, q.MinPhotos)
	if q.MinDays > 0 {
		query += " AND " + daysOfPerson + " >= ?"
		f.args = append(f.args, q.MinDays)
	}
	query += " ORDER BY count(f.id) DESC, e.uid" + f.limit(q.Limit)
	return list(ctx, db, "list people of", query, f.args, db.scanPerson)
}

const allPeople = `SELECT e.uid, e.name, 0, 0, coalesce(c.uid, ''), e.created, e.ignored, e.chosen
	FROM people e LEFT JOIN faces c ON c.id = e.cover ORDER BY e.uid`

// AllPeople lists everybody, ignored people included, by id. Faces and Photos
// are not counted, which is most of the work of People.
func (db *DB) AllPeople(ctx context.Context) iter.Seq2[Person, error] {
	return list(ctx, db, "list people of", allPeople, nil, db.scanPerson)
}

// Placed says with whom a face is, and why, or that it is none.
type Placed struct {
	Person PersonID   // empty: with nobody
	By     Origin     // not empty, where Person is not
	Reject DecisionID // the decision by which it is no face; then it is with nobody
}

// Assignment changes who is who. It is applied in the order of its fields,
// as a whole or not at all; faces that it does not name stay as they are.
type Assignment struct {
	// People are created, or updated where the id is known. ID, Name, Cover,
	// CoverChosen, Created and Ignored are written; a zero Created is now, or
	// stays as it was.
	People []Person
	// Faces are moved. A face, person or decision that is unknown is
	// ErrNotFound.
	Faces map[FaceID]Placed
	// Drop forgets people; faces that are still with them are with nobody
	// afterwards. One that is unknown is passed over.
	Drop []PersonID
}

// PutPeople applies an assignment in one transaction, and records in it, as
// events, what became of people by it. A cover is always one of the person's
// own faces: any other is dropped, also where the face moved away. If the
// cover does not exist it is ErrNotFound.
func (db *DB) PutPeople(ctx context.Context, a Assignment) error {
	return db.update(ctx, "put people into", func(tx *sql.Tx) error { return db.assign(ctx, tx, a) })
}

func (db *DB) assign(ctx context.Context, tx *sql.Tx, a Assignment) error {
	w := db.newWatch(ctx, tx)
	for _, p := range a.People {
		if err := db.putPerson(w, p); err != nil {
			return fmt.Errorf("person %s: %w", p.ID, err)
		}
	}
	for id, placed := range a.Faces {
		if err := place(w, id, placed); err != nil {
			return fmt.Errorf("face %s: %w", id, err)
		}
	}
	for _, id := range a.Drop {
		if err := w.drop(id); err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
	}
	return w.record(db.now)
}

func (db *DB) putPerson(w *watch, p Person) error {
	if p.ID == "" {
		return errors.New("no id")
	}
	if err := w.touch(p.ID); err != nil {
		return err
	}
	var cover sql.NullInt64
	if p.Cover != "" {
		if err := w.tx.QueryRowContext(w.ctx, "SELECT id FROM faces WHERE uid = ?", string(p.Cover)).Scan(&cover); err != nil {
			return fmt.Errorf("cover %s: %w", p.Cover, err)
		}
	}
	created := any(nil)
	if !p.Created.IsZero() {
		created = micros(p.Created)
	}
	return w.exec(`INSERT INTO people (uid, name, cover, chosen, ignored, created)
		VALUES (?1, ?2, ?3, ?4, ?5, coalesce(?6, ?7)) ON CONFLICT (uid) DO UPDATE
		SET name = ?2, cover = ?3, chosen = ?4, ignored = ?5, created = coalesce(?6, created)`,
		string(p.ID), db.vault.sealText("people.name", string(p.ID), p.Name), cover, p.CoverChosen && p.Cover != "", p.Ignored, created, micros(db.now()))
}

func place(w *watch, id FaceID, placed Placed) error {
	switch {
	case placed.Person == "":
		placed.By = ByNone
	case placed.Reject != "":
		return fmt.Errorf("with person %s, and no face", placed.Person)
	case placed.By == ByNone:
		return fmt.Errorf("with person %s for no reason: By is empty", placed.Person)
	}
	var row int64
	var was Placed
	err := w.tx.QueryRowContext(w.ctx, `SELECT f.id, coalesce(e.uid, ''), f.origin, coalesce(f.rejected, '')
		FROM faces f LEFT JOIN people e ON e.id = f.person WHERE f.uid = ?`, string(id)).
		Scan(&row, &was.Person, &was.By, &was.Reject)
	if err != nil || was == placed {
		return err
	}
	if err := w.move(was.Person, placed.Person, 1); err != nil {
		return err
	}
	var person sql.NullInt64
	if placed.Person != "" {
		err := w.tx.QueryRowContext(w.ctx, "SELECT id FROM people WHERE uid = ?", string(placed.Person)).Scan(&person)
		if err != nil {
			return fmt.Errorf("person %s: %w", placed.Person, err)
		}
	}
	reject := sql.NullString{String: string(placed.Reject), Valid: placed.Reject != ""}
	if reject.Valid {
		var known bool
		err := w.tx.QueryRowContext(w.ctx, "SELECT true FROM decisions WHERE uid = ?", reject.String).Scan(&known)
		if err != nil {
			return fmt.Errorf("decision %s: %w", placed.Reject, err)
		}
	}
	return w.exec("UPDATE faces SET person = ?, origin = ?, rejected = ? WHERE id = ?",
		person, string(placed.By), reject, row)
}
