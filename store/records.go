package store

import (
	"context"
	"database/sql"
	"errors"
)

const consentSelect = "SELECT given, at, by, version, means FROM consent"

func scanConsent(row scanner) (Consent, error) {
	var c Consent
	var at int64
	if err := row.Scan(&c.Given, &at, &c.By, &c.Version, &c.Means); err != nil {
		return Consent{}, err
	}
	c.At = fromMicros(at)
	return c, nil
}

// Consent is the record that holds: the latest, or the zero value if nobody
// was ever asked.
func (db *DB) Consent(ctx context.Context) (Consent, error) {
	c, err := scanConsent(db.read.QueryRowContext(ctx, consentSelect+" ORDER BY seq DESC LIMIT 1"))
	if errors.Is(err, sql.ErrNoRows) {
		return Consent{}, nil
	}
	return c, db.fail(ctx, "read the consent of", err)
}

// Consents are all records, the oldest first.
func (db *DB) Consents(ctx context.Context) ([]Consent, error) {
	var history []Consent
	err := each(ctx, db.read, consentSelect+" ORDER BY seq", nil, func(rows *sql.Rows) error {
		c, err := scanConsent(rows)
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
	if c.At.IsZero() {
		c.At = db.now()
	}
	return db.update(ctx, "record consent in", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO consent (given, at, by, version, means) VALUES (?, ?, ?, ?, ?)",
			c.Given, micros(c.At), c.By, c.Version, c.Means)
		return err
	})
}

// Setting is a fact about the account itself that the caller put under key,
// or "" where there is none.
func (db *DB) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := db.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, db.fail(ctx, "read a setting of", err)
}

// SetSetting puts value under key, in place of what was there. EraseBiometrics
// leaves settings alone, so they must say nothing about people.
func (db *DB) SetSetting(ctx context.Context, key, value string) error {
	return db.update(ctx, "put a setting into", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			"INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2", key, value)
		return err
	})
}
