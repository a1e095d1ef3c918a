package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Original is a photo's file that is due to be deleted by the host.
type Original struct {
	Photo Photo
	// Begun is when the host was last asked to, if its answer was lost with the
	// process: whether the file is there is the only way to know.
	Begun time.Time
	Tries int // how often it failed
}

// Originals lists the photos that were processed, recorded at or before a
// time, and whose files are not known to be gone, ordered by path.
func (db *DB) Originals(ctx context.Context, before time.Time) ([]Original, error) {
	var out []Original
	err := each(ctx, db.read, "SELECT "+photoColumns+` FROM photos p WHERE `+hasOriginal+" AND p.added <= ? ORDER BY "+db.pathOrder(),
		[]any{micros(before)}, func(rows *sql.Rows) error {
			p, err := db.scanPhoto(rows)
			out = append(out, Original{Photo: p})
			return err
		})
	if err != nil {
		return nil, db.fail(ctx, "list originals of", err)
	}
	asked := map[PhotoID]Original{}
	err = each(ctx, db.read, "SELECT p.uid, d.begun, d.tries FROM disposals d JOIN photos p ON p.id = d.photo", nil,
		func(rows *sql.Rows) error {
			var id PhotoID
			var begun sql.NullInt64
			var o Original
			err := rows.Scan(&id, &begun, &o.Tries)
			o.Begun = fromNullMicros(begun)
			asked[id] = o
			return err
		})
	for i, o := range out {
		a := asked[o.Photo.ID]
		out[i].Begun, out[i].Tries = a.Begun, a.Tries
	}
	return out, db.fail(ctx, "list originals of", err)
}

// BeginDisposal notes that the host is about to be asked to delete a photo's
// file.
func (db *DB) BeginDisposal(ctx context.Context, id PhotoID) error {
	return db.update(ctx, "dispose of a photo of", func(tx *sql.Tx) error {
		err := mustChange(tx.ExecContext(ctx, `INSERT INTO disposals (photo, begun, tries) SELECT id, ?1, 0 FROM photos WHERE uid = ?2
			ON CONFLICT (photo) DO UPDATE SET begun = ?1`, micros(db.now()), string(id)))
		if err != nil {
			return fmt.Errorf("photo %s: %w", id, err)
		}
		return nil
	})
}

// EndDisposal notes the host's answer: the file is gone, or is still there.
func (db *DB) EndDisposal(ctx context.Context, id PhotoID, gone bool) error {
	return db.update(ctx, "dispose of a photo of", func(tx *sql.Tx) error {
		if !gone {
			_, err := tx.ExecContext(ctx, `UPDATE disposals SET begun = NULL, tries = tries + 1
				WHERE photo = (SELECT id FROM photos WHERE uid = ?)`, string(id))
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM disposals WHERE photo = (SELECT id FROM photos WHERE uid = ?)", string(id))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE photos SET disposed = ? WHERE uid = ?", micros(db.now()), string(id))
		return err
	})
}

// Product is a file that the host made of the account: an export, pictures of
// faces, something offered to others.
type Product struct {
	ID    string
	Class Class // ClassExports, ClassCrops or ClassShares
	Name  string
	At    time.Time
}

// PutProduct records a product; ID and At are given.
func (db *DB) PutProduct(ctx context.Context, p Product) (Product, error) {
	p.ID, p.At = newUID(), fromMicros(micros(db.now()))
	err := db.update(ctx, "record a product of", func(tx *sql.Tx) error {
		switch p.Class {
		case ClassExports, ClassCrops, ClassShares:
		default:
			return fmt.Errorf("class %q has no products", p.Class)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO products (uid, class, at, name) VALUES (?, ?, ?, ?)",
			p.ID, string(p.Class), micros(p.At), db.vault.sealText("products.name", p.ID, p.Name))
		return err
	})
	return p, err
}

const productSelect = "SELECT uid, class, at, name FROM products"

func (db *DB) scanProduct(row scanner) (p Product, err error) {
	var at int64
	if err := row.Scan(&p.ID, &p.Class, &at, &p.Name); err != nil {
		return p, err
	}
	p.At = fromMicros(at)
	p.Name, err = db.vault.openText("products.name", p.ID, p.Name)
	return p, err
}

// Products lists what was made and is not known to be gone, the oldest first.
func (db *DB) Products(ctx context.Context) ([]Product, error) {
	var out []Product
	err := each(ctx, db.read, productSelect+" ORDER BY at, uid", nil, func(rows *sql.Rows) error {
		p, err := db.scanProduct(rows)
		out = append(out, p)
		return err
	})
	return out, db.fail(ctx, "list products of", err)
}

// DropProduct forgets a product that is gone.
func (db *DB) DropProduct(ctx context.Context, id string) error {
	return db.update(ctx, "forget a product of", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM products WHERE uid = ?", id)
		return err
	})
}
