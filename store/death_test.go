package store

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

// die ends the process as a kill -9 does.
func die() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	panic(err) // no later than here
}

// rawConn gives f the one connection that writes.
func rawConn(ctx context.Context, db *DB, f func(*sqlite3.SQLiteConn) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(c any) error { return f(c.(*sqlite3.SQLiteConn)) })
	return errors.Join(err, conn.Close())
}

// dieAtStatement makes the process die at the n-th statement that does
// something to a table, as in "3 UPDATE ON faces". With a page cache of next
// to nothing, much of the transaction is in the log by then.
func dieAtStatement(ctx context.Context, db *DB, death string) error {
	count, where, _ := strings.Cut(death, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	err = rawConn(ctx, db, func(c *sqlite3.SQLiteConn) error {
		return c.RegisterFunc("die", func() int {
			if n--; n == 0 {
				die()
			}
			return 0
		}, false)
	})
	for _, s := range []string{"PRAGMA cache_size = 2", "CREATE TEMP TRIGGER dying AFTER " + where + " BEGIN SELECT die(); END"} {
		if err == nil {
			_, err = db.write.ExecContext(ctx, s)
		}
	}
	return err
}

// mustDieOf runs a child that must die by itself, at a place of its own.
func mustDieOf(t *testing.T, role, path, death string) {
	t.Helper()
	cmd := child(t, role, path)
	cmd.Env = append(cmd.Env, childDeath+"="+death)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	if err := cmd.Run(); err == nil || complaint.Len() > 0 {
		t.Fatalf("%s: the process ended otherwise: %v, %s", death, err, complaint.String())
	}
}

// killAfter runs a child and kills it some time after it said that it begins,
// unless it ends before. It reports whether it was killed.
func killAfter(t *testing.T, role, path string, after time.Duration, env ...string) bool {
	t.Helper()
	cmd := child(t, role, path)
	cmd.Env = append(cmd.Env, env...)
	out := must1[io.ReadCloser](t)(cmd.StdoutPipe())
	must(t, cmd.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "go\n" {
		_ = cmd.Process.Kill()
		t.Fatalf("the child says %q, %v", line, err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait() != nil
}
