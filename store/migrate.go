package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
)

// chunksVersion is the version of the schema that brings chunks. What has been
// stored until then is sealed in the same transaction, chunk by chunk.
const chunksVersion = 3

// rightsVersion is the version of the schema from which on an account can be
// sealed and erased.
const rightsVersion = 4

// applicationID marks an SQLite file as a kith account: "kith" in ASCII.
const applicationID = 0x6B697468

//go:embed schema/*.sql
var schemaFS embed.FS

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// schema is the ordered list of migrations; version n is what the first n make.
type schema []string

// loadSchema reads the migrations 0001_*.sql, 0002_*.sql, ... of dir. A gap,
// a double number or a file of another name is an error.
func loadSchema(fsys fs.FS, dir string) (schema, error) {
	entries, err := fs.ReadDir(fsys, dir) // sorted by name
	if err != nil {
		return nil, err
	}
	var s schema
	for i, e := range entries {
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fmt.Errorf("%s/%s is no migration", dir, e.Name())
		}
		if want := fmt.Sprintf("%04d", i+1); m[1] != want {
			return nil, fmt.Errorf("%s/%s stands where migration %s belongs", dir, e.Name(), want)
		}
		text, err := fs.ReadFile(fsys, dir+"/"+e.Name())
		if err != nil {
			return nil, err
		}
		s = append(s, string(text))
	}
	if len(s) == 0 {
		return nil, fmt.Errorf("%s holds no migration", dir)
	}
	return s, nil
}

// version is the schema version that s leads to.
func (s schema) version() int { return len(s) }

// apply brings the file behind pool to s.version(), one transaction per
// step, so that a step that fails leaves the version before it whole.
func (s schema) apply(ctx context.Context, pool *sql.DB) error {
	for {
		done, err := s.step(ctx, pool)
		if done || err != nil {
			return err
		}
	}
}

func (s schema) step(ctx context.Context, pool *sql.DB) (done bool, err error) {
	tx, err := pool.BeginTx(context.WithoutCancel(ctx), nil) // BEGIN IMMEDIATE
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return false, err
	}
	if have >= s.version() {
		return true, nil
	}
	if _, err := tx.ExecContext(ctx, s[have]); err != nil {
		return false, fmt.Errorf("migration %04d: %w", have+1, err)
	}
	if have+1 == chunksVersion {
		if err := (&DB{capacity: capacity}).newVectorWriter(ctx, tx).sealAll(); err != nil {
			return false, fmt.Errorf("migration %04d: %w", have+1, err)
		}
	}
	// PRAGMA takes no bound arguments; both are numbers of ours.
	mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, have+1)
	if _, err := tx.ExecContext(ctx, mark); err != nil {
		return false, err
	}
	return false, tx.Commit() // fails if a reference is broken
}
