package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
)

// PeopleQuery narrows a listing of people. The zero value lists all.
type PeopleQuery struct {
	MinFaces int  // only those with at least so many faces
	Named    bool // only those with a name
	Limit    int  // at most so many; 0: no limit
}

const personSelect = `SELECT e.uid, e.name, count(f.id), count(DISTINCT f.photo), coalesce(c.uid, ''), e.created
	FROM people e LEFT JOIN faces f ON f.person = e.id LEFT JOIN faces c ON c.id = e.cover`

func scanPerson(row scanner) (Person, error) {
	var p Person
	var created int64
	if err := row.Scan(&p.ID, &p.Name, &p.Faces, &p.Photos, &p.Cover, &created); err != nil {
		return Person{}, err
	}
	p.Created = fromMicros(created)
	return p, nil
}

// Person is the person of an id, or ErrNotFound.
func (db *DB) Person(ctx context.Context, id PersonID) (Person, error) {
	row := db.read.QueryRowContext(ctx, personSelect+" WHERE e.uid = ? GROUP BY e.id", string(id))
	p, err := scanPerson(row)
	return p, db.fail(ctx, "read a person of", err)
}

// People lists people, those with most faces first and then by id.
func (db *DB) People(ctx context.Context, q PeopleQuery) iter.Seq2[Person, error] {
	var f filter
	if q.Named {
		f.add("e.name <> ''")
	}
	query := personSelect + f.where() + " GROUP BY e.id HAVING count(f.id) >= ? ORDER BY count(f.id) DESC, e.uid"
	f.args = append(f.args, q.MinFaces)
	query += f.limit(q.Limit)
	return list(ctx, db, "list people of", query, f.args, scanPerson)
}

// Placed says with whom a face is, and why. With an empty Person it is with
// nobody, and By is not read; otherwise By must not be empty.
type Placed struct {
	Person PersonID
	By     Origin
}

// Assignment changes who is who. It is applied in the order of its fields,
// as a whole or not at all; faces that it does not name stay as they are.
type Assignment struct {
	// People are created, or updated where the id is known. ID, Name, Cover
	// and Created are written; a zero Created is now, or stays as it was.
	People []Person
	// Faces are moved. A face or person that is unknown is ErrNotFound.
	Faces map[FaceID]Placed
	// Drop forgets people; faces that are still with them are with nobody
	// afterwards. One that is unknown is passed over.
	Drop []PersonID
}

// PutPeople applies an assignment in one transaction. A cover is always one
// of the person's own faces: any other is dropped, also where the face moved
// away. If the cover does not exist it is ErrNotFound.
func (db *DB) PutPeople(ctx context.Context, a Assignment) error {
	return db.update(ctx, "put people into", func(tx *sql.Tx) error { return db.assign(ctx, tx, a) })
}

func (db *DB) assign(ctx context.Context, tx *sql.Tx, a Assignment) error {
	for _, p := range a.People {
		if err := db.putPerson(ctx, tx, p); err != nil {
			return fmt.Errorf("person %s: %w", p.ID, err)
		}
	}
	for id, placed := range a.Faces {
		if err := place(ctx, tx, id, placed); err != nil {
			return fmt.Errorf("face %s: %w", id, err)
		}
	}
	for _, id := range a.Drop {
		_, err := tx.ExecContext(ctx, `UPDATE faces SET person = NULL, origin = ''
			WHERE person = (SELECT id FROM people WHERE uid = ?)`, string(id))
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM people WHERE uid = ?", string(id))
		}
		if err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE people SET cover = NULL WHERE cover IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM faces f WHERE f.id = people.cover AND f.person = people.id)`)
	return err
}

func (db *DB) putPerson(ctx context.Context, tx *sql.Tx, p Person) error {
	if p.ID == "" {
		return errors.New("no id")
	}
	var cover sql.NullInt64
	if p.Cover != "" {
		if err := tx.QueryRowContext(ctx, "SELECT id FROM faces WHERE uid = ?", string(p.Cover)).Scan(&cover); err != nil {
			return fmt.Errorf("cover %s: %w", p.Cover, err)
		}
	}
	created := any(nil)
	if !p.Created.IsZero() {
		created = micros(p.Created)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO people (uid, name, cover, created) VALUES (?1, ?2, ?3, coalesce(?4, ?5))
		ON CONFLICT (uid) DO UPDATE SET name = ?2, cover = ?3, created = coalesce(?4, created)`,
		string(p.ID), p.Name, cover, created, micros(db.now()))
	return err
}

func place(ctx context.Context, tx *sql.Tx, id FaceID, placed Placed) error {
	if placed.Person == "" {
		return mustChange(tx.ExecContext(ctx, "UPDATE faces SET person = NULL, origin = '' WHERE uid = ?", string(id)))
	}
	if placed.By == ByNone {
		return fmt.Errorf("with person %s for no reason: By is empty", placed.Person)
	}
	var person int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM people WHERE uid = ?", string(placed.Person)).Scan(&person)
	if err != nil {
		return fmt.Errorf("person %s: %w", placed.Person, err)
	}
	return mustChange(tx.ExecContext(ctx, "UPDATE faces SET person = ?, origin = ? WHERE uid = ?",
		person, string(placed.By), string(id)))
}
