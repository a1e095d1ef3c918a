package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
)

const consentSelect = "SELECT seq, given, purpose, person, at, by, version, means FROM consent"

func (db *DB) scanConsent(row scanner) (Consent, error) {
	var c Consent
	var seq, at int64
	if err := row.Scan(&seq, &c.Given, &c.Purpose, &c.Person, &at, &c.By, &c.Version, &c.Means); err != nil {
		return Consent{}, err
	}
	c.At = fromMicros(at)
	err := db.vault.openTexts(strconv.FormatInt(seq, 10), c.texts())
	return c, err
}

// texts are the columns of a record that are sealed.
func (c *Consent) texts() map[string]*string {
	return map[string]*string{"consent.by": &c.By, "consent.version": &c.Version, "consent.means": &c.Means}
}

// Consent is the record of the account's owner that holds: the latest, or the
// zero value if nobody was ever asked.
func (db *DB) Consent(ctx context.Context) (Consent, error) { return db.ConsentOf(ctx, "") }

// ConsentOf is the record of a person that holds, or the zero value; that of
// the account's owner where the id is empty.
func (db *DB) ConsentOf(ctx context.Context, id PersonID) (Consent, error) {
	c, err := db.scanConsent(db.read.QueryRowContext(ctx, consentSelect+" WHERE person = ? ORDER BY seq DESC LIMIT 1", string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return Consent{}, nil
	}
	return c, db.fail(ctx, "read the consent of", err)
}

// Consenting are the people whose own consent stands.
func (db *DB) Consenting(ctx context.Context) (map[PersonID]bool, error) {
	ids := map[PersonID]bool{}
	err := each(ctx, db.read, `SELECT person FROM consent c WHERE person <> '' AND given
		AND seq = (SELECT max(seq) FROM consent WHERE person = c.person)`, nil, func(rows *sql.Rows) error {
		var id PersonID
		err := rows.Scan(&id)
		ids[id] = true
		return err
	})
	if err != nil {
		return nil, db.fail(ctx, "read consents of", err)
	}
	return ids, nil
}

// Consents are all records, the oldest first.
func (db *DB) Consents(ctx context.Context) ([]Consent, error) {
	var history []Consent
	err := each(ctx, db.read, consentSelect+" ORDER BY seq", nil, func(rows *sql.Rows) error {
		c, err := db.scanConsent(rows)
		history = append(history, c)
		return err
	})
	if err != nil {
		return nil, db.fail(ctx, "read consents of", err)
	}
	return history, nil
}

// PutConsent appends a record; a zero At is now.
func (db *DB) PutConsent(ctx context.Context, c Consent) error {
	return db.update(ctx, "record consent in", func(tx *sql.Tx) error { return db.putConsent(ctx, tx, c) })
}

func (db *DB) putConsent(ctx context.Context, tx *sql.Tx, c Consent) error {
	if c.At.IsZero() {
		c.At = db.now()
	}
	if c.Purpose == "" {
		c.Purpose = PurposeFaces
	}
	var seq int64 // never one that was used before
	err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'consent'").Scan(&seq)
	if err != nil {
		return err
	}
	for column, s := range c.texts() {
		*s = db.vault.sealText(column, strconv.FormatInt(seq, 10), *s)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO consent (seq, given, purpose, person, at, by, version, means)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, seq, c.Given, c.Purpose, string(c.Person), micros(c.At), c.By, c.Version, c.Means)
	if err != nil {
		return err
	}
	action := "consent withdrawn"
	if c.Given {
		action = "consent given"
	}
	return db.note(ctx, tx, action, Counts{ClassConsent: 1})
}

// Setting is a fact about the account itself that the caller put under key,
// or "" where there is none.
func (db *DB) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := db.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil {
		value, err = db.vault.openText("settings.value", key, value)
	}
	return value, db.fail(ctx, "read a setting of", err)
}

// SetSetting puts value under key, in place of what was there. EraseBiometrics
// leaves settings alone, so they must say nothing about people.
func (db *DB) SetSetting(ctx context.Context, key, value string) error {
	return db.update(ctx, "put a setting into", func(tx *sql.Tx) error { return db.putSetting(ctx, tx, key, value) })
}

func (db *DB) putSetting(ctx context.Context, tx *sql.Tx, key, value string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
		key, db.vault.sealText("settings.value", key, value))
	return err
}
