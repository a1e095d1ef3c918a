package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// sealAccount seals an account that was plain: in one transaction every value
// is written anew, and then the file, so that nothing is left in plain.
func (db *DB) sealAccount(ctx context.Context) error {
	key, err := db.keys.DataKey(ctx, db.account, true)
	if err != nil {
		return err
	}
	v, err := newVault(db.account, key)
	if err != nil {
		return err
	}
	err = db.transact(ctx, func(tx *sql.Tx) error {
		s := &sealing{ctx: ctx, tx: tx, plain: &DB{capacity: db.capacity}, sealed: &DB{capacity: db.capacity, vault: v}}
		for _, step := range []func() error{s.grouping, s.photos, s.originals, s.faces, s.vectors, s.chunks, s.decisions, s.consents, s.texts, s.spots, s.friends, s.mark} {
			if err := step(); err != nil {
				return fmt.Errorf("seal: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	db.vault = v
	// Connections have the functions of the vault they were made with.
	if err := db.write.Close(); err != nil {
		return err
	}
	db.write = openSQL(db.file, readWrite, v)
	return db.scrub(ctx)
}

// sealing reads with one account and writes with the other.
type sealing struct {
	ctx           context.Context // of the one call that it lives in
	tx            *sql.Tx
	plain, sealed *DB
	current       bool // the grouping was, before
	arranged      bool // and the arrangement
}

func (s *sealing) exec(query string, args ...any) error {
	_, err := s.tx.ExecContext(s.ctx, query, args...)
	return err
}

// all reads what a query gives before anything is written.
func all[T any](s *sealing, query string, scan func(scanner) (T, error)) ([]T, error) {
	var out []T
	err := each(s.ctx, s.tx, query, nil, func(rows *sql.Rows) error {
		v, err := scan(rows)
		out = append(out, v)
		return err
	})
	return out, err
}

func (s *sealing) photos() error {
	photos, err := all(s, "SELECT "+photoColumns+" FROM photos p", s.plain.scanPhoto)
	for _, p := range photos {
		uid := string(p.ID)
		err = errors.Join(err, s.exec("UPDATE photos SET "+photoAssignments+" WHERE uid = ?", append(s.sealed.photoValues(uid, p), uid)...))
	}
	return err
}

// pair is a row's key and a value of it.
type pair struct {
	key   string
	value []byte
}

func scanPair(row scanner) (p pair, err error) {
	err = row.Scan(&p.key, &p.value)
	return p, err
}

func (s *sealing) originals() error {
	rows, err := all(s, "SELECT uid, original FROM photos WHERE original IS NOT NULL", scanPair)
	for _, r := range rows {
		p, scanErr := s.sealed.scanPhoto(s.tx.QueryRowContext(s.ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", r.key))
		text := s.sealed.vault.sealText("photos.original", s.sealed.vault.originalRow(p.SHA256), string(r.value))
		err = errors.Join(err, scanErr, s.exec("UPDATE photos SET original = ? WHERE uid = ?", text, r.key))
	}
	return err
}

func (s *sealing) faces() error {
	rows, err := all(s, "SELECT uid, landmarks FROM faces", scanPair)
	for _, r := range rows {
		landmarks, sealed := s.sealed.vault.sealLandmarks(r.key, r.value)
		err = errors.Join(err, s.exec("UPDATE faces SET landmarks = ?, sealed = ? WHERE uid = ?", landmarks, sealed, r.key))
	}
	return err
}

func (s *sealing) vectors() error {
	rows, err := all(s, "SELECT f.uid, v.v FROM vectors v JOIN faces f ON f.id = v.face", scanPair)
	for _, r := range rows {
		err = errors.Join(err, s.exec("UPDATE vectors SET v = ? WHERE face = (SELECT id FROM faces WHERE uid = ?)",
			s.sealed.vault.seal("vectors.v", r.key, r.value), r.key))
	}
	return err
}

// chunks go one by one: together they may be large.
func (s *sealing) chunks() error {
	ids, err := all(s, "SELECT id FROM chunks", func(row scanner) (id int64, err error) {
		err = row.Scan(&id)
		return id, err
	})
	for _, id := range ids {
		c, scanErr := s.plain.scanChunk(s.tx.QueryRowContext(s.ctx, chunkSelect+" WHERE id = ?", id), nil)
		if err = errors.Join(err, scanErr); err != nil {
			return err
		}
		err = s.exec("UPDATE chunks SET v = ? WHERE id = ?", s.sealed.vault.seal("chunks.v", strings.Join(c.faces, " "), c.v), id)
	}
	return err
}

func (s *sealing) decisions() error {
	ds, err := all(s, decisionSelect, s.plain.scanDecision)
	v := s.sealed.vault
	for _, d := range ds {
		uid := string(d.ID)
		faces, err1 := packRefs(d.Faces)
		others, err2 := packRefs(d.Others)
		value, err3 := packCorrection(d.Correction)
		err = errors.Join(err, err1, err2, err3, s.exec(
			"UPDATE decisions SET name = ?, old_name = ?, faces = ?, others = ?, value = ? WHERE uid = ?",
			v.sealText("decisions.name", uid, d.Name), v.sealText("decisions.old_name", uid, d.OldName),
			v.sealRefs("decisions.faces", uid, faces), v.sealRefs("decisions.others", uid, others),
			v.sealText("decisions.value", uid, value), uid))
	}
	return err
}

func (s *sealing) consents() error {
	var err error
	for _, column := range []string{"by", "version", "means"} {
		err = errors.Join(err, s.column("consent", "seq", column))
	}
	return err
}

func (s *sealing) texts() error {
	return errors.Join(s.column("people", "uid", "name"), s.column("settings", "key", "value"), s.column("products", "uid", "name"),
		s.column("cameras", "id", "value"), s.column("cells", "id", "value"), s.column("places", "uid", "value"),
		s.column("moments", "uid", "value"))
}

func (s *sealing) spots() error {
	rows, err := all(s, "SELECT p.uid, s.spot FROM shots s JOIN photos p ON p.id = s.photo", scanPair)
	for _, r := range rows {
		text := s.sealed.vault.sealText("shots.spot", r.key, string(r.value))
		err = errors.Join(err, s.exec("UPDATE shots SET spot = ? WHERE photo = (SELECT id FROM photos WHERE uid = ?)", text, r.key))
	}
	return err
}

// column seals a column of text. The names are ours.
func (s *sealing) column(table, key, column string) error {
	rows, err := all(s, fmt.Sprintf("SELECT CAST(%s AS TEXT), %s FROM %s", key, column, table), scanPair)
	for _, r := range rows {
		text := s.sealed.vault.sealText(table+"."+column, r.key, string(r.value))
		err = errors.Join(err, s.exec(fmt.Sprintf("UPDATE %s SET %s = ? WHERE %s = ?", table, column, key), text, r.key))
	}
	return err
}

// grouping notes whether grouping and arrangement are current: writing a value
// anew does not change that.
func (s *sealing) grouping() error {
	return s.tx.QueryRowContext(s.ctx, "SELECT coalesce((SELECT current FROM grouping), 0), coalesce((SELECT current FROM arrangement), 0)").
		Scan(&s.current, &s.arranged)
}

// mark says that the account is sealed, and with which key.
func (s *sealing) mark() error {
	var salt []byte
	if err := s.tx.QueryRowContext(s.ctx, "SELECT salt FROM account").Scan(&salt); err != nil {
		return err
	}
	v := s.sealed.vault
	if err := errors.Join(s.exec("UPDATE grouping SET current = ?", s.current), s.exec("UPDATE arrangement SET current = ?", s.arranged)); err != nil {
		return err
	}
	return s.exec("UPDATE account SET salt = ?, sealed = ?, scrub = 1", v.seal("account.salt", "", salt), v.check)
}
