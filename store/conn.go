package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	// patience is how long SQLite waits for its own short locks: a reader
	// that recovers the log after a crash, a checkpoint that waits for a
	// snapshot to end. The account's lock file is another matter.
	patience = 5 * time.Second
	// pageSize fits three vectors of 512 numbers into a page; SQLite's usual
	// 4096 bytes would hold one and leave the other half empty.
	pageSize = 8192
	// idleReaders is how many read connections are kept. More are opened when
	// needed and never refused: a listing inside a listing must not wait for
	// itself.
	idleReaders = 4
)

// access is how a file is opened.
type access string

const (
	readWrite access = "mode=rw&_txlock=immediate"
	readOnly  access = "mode=ro&_query_only=1"
	// immutable reads the file as it lies there: no lock, no log, no other
	// file touched. It is right only while nobody writes.
	immutable access = "mode=ro&_query_only=1&immutable=1"
)

// openSQL makes a pool whose every connection has the same settings. It does
// not touch the file yet.
func openSQL(file string, a access, v *vault) *sql.DB {
	pragmas := []string{
		"PRAGMA trusted_schema = OFF",
		"PRAGMA cell_size_check = ON",
		// Sorting, statement journals and VACUUM would otherwise write parts
		// of the account to files in the temporary directory.
		"PRAGMA temp_store = MEMORY",
		// The indexes that a query reads from end to end, of 100,000 photos,
		// stay in memory; SQLite's usual 2 MiB hold one of them.
		"PRAGMA cache_size = -16384",
	}
	if a == readWrite {
		pragmas = append(pragmas,
			fmt.Sprintf("PRAGMA page_size = %d", pageSize), // of a file that is still empty
			"PRAGMA foreign_keys = ON",
			"PRAGMA secure_delete = ON",
			"PRAGMA journal_mode = WAL",
			"PRAGMA synchronous = NORMAL",
		)
	}
	dsn := fmt.Sprintf("file:%s?%s&_busy_timeout=%d&_stmt_cache_size=64", escapePath(file), a, patience.Milliseconds())
	pool := sql.OpenDB(&connector{dsn: dsn, pragmas: pragmas, vault: v})
	if a == readWrite {
		pool.SetMaxOpenConns(1)
	}
	pool.SetMaxIdleConns(idleReaders)
	return pool
}

// escapePath writes an absolute path as the path of a file: URI
// (https://www.sqlite.org/uri.html).
func escapePath(file string) string {
	file = filepath.ToSlash(file)
	if !strings.HasPrefix(file, "/") { // C:/...
		file = "/" + file
	}
	var b strings.Builder
	for _, c := range []byte(file) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("/._-~:", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// connector opens connections without the process-wide registry of drivers.
type connector struct {
	dsn     string
	pragmas []string
	vault   *vault
	driver  sqlite3.SQLiteDriver
}

func (c *connector) Driver() driver.Driver { return &c.driver }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	exec, ok := conn.(driver.ExecerContext)
	if !ok {
		return nil, errors.Join(errors.New("the SQLite driver cannot run a statement"), conn.Close())
	}
	for _, p := range c.pragmas {
		if _, err := exec.ExecContext(ctx, p, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	if err := c.giveFunctions(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// pathFunction gives, in SQL, the path of a sealed photo.
const pathFunction = "kith_path"

func (c *connector) giveFunctions(conn driver.Conn) error {
	lite, ok := conn.(*sqlite3.SQLiteConn)
	if c.vault == nil || !ok {
		return nil
	}
	return lite.RegisterFunc(pathFunction, func(uid string, sealed []byte) (string, error) {
		return c.vault.photoPath(uid, "", sealed)
	}, true)
}

// pathOrder is what photos p are ordered by.
func (db *DB) pathOrder() string {
	if db.vault == nil {
		return "p.path"
	}
	return pathFunction + "(p.uid, p.sealed)"
}

// querier is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each runs a query and calls f once per row.
func each(ctx context.Context, q querier, query string, args []any, f func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
