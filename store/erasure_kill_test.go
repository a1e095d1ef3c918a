package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

// What a child erases, and where it dies: the number of the call that SQLite
// makes while it prepares statements, counted from 1; 0: it tells how many
// there are; "go": it says so before it begins, to be killed from outside.
const (
	childErasure = "KITH_STORE_TEST_ERASURE"
	childOf      = "KITH_STORE_TEST_OF"
)

// A few of the codes of https://www.sqlite.org/c3ref/c_alter_table.html.
const (
	authPragma = 19
	authAttach = 24 // VACUUM attaches the file that it writes to
)

// childErase erases, and dies on the way.
func childErase(ctx context.Context, path string) error {
	op, of, death := os.Getenv(childErasure), os.Getenv(childOf), os.Getenv(childDeath)
	db, err := Open(ctx, path, Options{perChunk: castPerChunk, Keys: childKeys(op)})
	if err != nil {
		return err
	}
	// With next to no cache, much is in the log before it is committed.
	if _, err := db.write.ExecContext(ctx, "PRAGMA cache_size = 2"); err != nil {
		return err
	}
	if death == "go" {
		fmt.Println("go")
		_, err := eraseAs(ctx, db, op, of)
		return errors.Join(err, db.Close())
	}
	var n, at, vacuum, pragma, temps int
	if _, err := fmt.Sscan(death, &at); err != nil {
		return err
	}
	err = rawConn(ctx, db, func(c *sqlite3.SQLiteConn) error {
		c.RegisterAuthorizer(func(code int, _, _, _ string) int {
			if n++; at == 0 && tempFile() {
				temps++
			}
			switch {
			case n == at:
				die()
			case code == authAttach && vacuum == 0:
				vacuum = n
			case code == authPragma:
				pragma = n
			}
			return 0
		})
		return nil
	})
	if err != nil {
		return err
	}
	if op == "vacuum" { // as nobody here does it
		for _, s := range []string{"PRAGMA temp_store = FILE", "VACUUM"} {
			if _, err := db.write.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		_, err = fmt.Println(temps)
		return errors.Join(err, db.Close())
	}
	_, err = eraseAs(ctx, db, op, of)
	fmt.Println(vacuum, pragma, n, temps)
	return errors.Join(err, db.Close())
}

// childKeys seals the account that is to be erased as a whole, too.
func childKeys(op string) KeyProvider {
	if op == "all" {
		return fixedKeys{}
	}
	return nil
}

// ownTemp is a folder for SQLite's temporary files, as a variable of a process
// to be.
const ownTemp = "SQLITE_TMPDIR"

// tempFile reports whether this process has a file of that folder open. Where
// the system allows it SQLite's temporary files have no name from the start, so
// that nothing is to be seen in the folder itself.
func tempFile() bool {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, os.Getenv(ownTemp)+"/") {
			return true
		}
	}
	return false
}

// crime is an account that is about to be erased, in part or as a whole.
type crime struct {
	c      *cast
	e      erasure
	whole  []byte
	before map[string]string
	after  []string // differences that the erasure makes
	gone   marks
	env    []string
}

// fillers are photos that make VACUUM take a while.
const fillers = 150

func newCrime(t *testing.T, e erasure) *crime {
	t.Helper()
	c, dir := castAt(t, Options{perChunk: castPerChunk, Keys: childKeys(e.op)})
	must(t, c.db.PutPhotos(t.Context(), testSpace, manyPhotos("filler", fillers)))
	x := &crime{c: c, e: e, before: c.everything(t, c.db), gone: c.all(c.groups(e.gone)...)}
	must(t, c.db.Close())
	x.whole = must1[[]byte](t)(os.ReadFile(filepath.Join(dir, "a.kith")))
	x.env = []string{childErasure + "=" + e.op, childOf + "=" + e.of(c), ownTemp + "=" + t.TempDir()}
	return x
}

// copied is a copy of the account that may be erased.
func (x *crime) copied(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a.kith")
	must(t, os.WriteFile(path, x.whole, 0o600))
	return path
}

// calls runs the erasure as a whole, and tells at which of its calls the
// rewriting of the file begins and ends, and how many there are.
func (x *crime) calls(t *testing.T) (vacuum, end, all int) {
	t.Helper()
	path := x.copied(t)
	cmd := child(t, "erase", path)
	cmd.Env = append(append(cmd.Env, x.env...), childDeath+"=0")
	out := must1[[]byte](t)(cmd.Output())
	var temps int
	if n, err := fmt.Sscan(string(out), &vacuum, &end, &all, &temps); n != 4 || vacuum == 0 || end < vacuum || all < end {
		t.Fatalf("the child says %q, %v", out, err)
	}
	if temps > 0 {
		t.Error("the erasure made a temporary file")
	}
	if done := x.mustBeWholeOrGone(t, path, "alive"); !done {
		t.Fatal("the erasure did nothing")
	}
	return vacuum, end, all
}

// mustBeWholeOrGone opens the account after a death. Either all is as it was
// before the erasure, or as after it.
func (x *crime) mustBeWholeOrGone(t *testing.T, path, death string) (erased bool) {
	t.Helper()
	db := must1[*DB](t)(Open(t.Context(), path, Options{perChunk: castPerChunk, Keys: childKeys(x.e.op), Now: clock()}))
	defer func() {
		must(t, db.Close())
		if found := x.gone.in(t, filepath.Dir(path)); erased && len(found) > 0 {
			t.Errorf("%s: closed, the files hold %q", death, found)
		}
	}()
	mustCheck(t, db)
	var scrub bool
	must(t, db.read.QueryRow("SELECT scrub FROM account").Scan(&scrub))
	if scrub {
		t.Errorf("%s: the file was not rewritten by Open", death)
	}
	for name := range snapshotDir(t, filepath.Dir(path)) {
		if !slices.Contains([]string{"a.kith", "a.kith-wal", "a.kith-shm", "a.kith-lock"}, name) {
			t.Errorf("%s: %s is left", death, name)
		}
	}
	d := differences(x.before, x.c.everything(t, db))
	if len(d) == 0 {
		return false
	}
	if found := x.gone.in(t, filepath.Dir(path)); len(found) > 0 {
		t.Errorf("%s: open, the files hold %q", death, found)
	}
	if x.after == nil {
		x.after = d
	} else if !slices.Equal(d, x.after) {
		t.Errorf("%s: it is neither as before nor as after: %q, want %q", death, d, x.after)
	}
	return true
}

// A process that is killed anywhere in an erasure leaves everything, or, once
// the account is opened again, nothing.
func TestErasureKilled(t *testing.T) {
	needsOnce(t)
	for name, e := range erasures {
		if testing.Short() && name != "a person" && name != "all" {
			continue // each takes seconds
		}
		t.Run(name, func(t *testing.T) {
			x := newCrime(t, e)
			vacuum, end, all := x.calls(t)
			deaths := []int{1, vacuum - 1, vacuum, vacuum + 1, end - 1, end, end + 1, all}
			const steps = 4
			for i := 1; i < steps; i++ {
				deaths = append(deaths, vacuum*i/steps, vacuum+(end-vacuum)*i/steps)
			}
			slices.Sort(deaths)
			erased := 0
			for _, at := range slices.Compact(deaths) {
				if at < 1 || at > all {
					continue
				}
				path := x.copied(t)
				cmd := child(t, "erase", path)
				cmd.Env = append(append(cmd.Env, x.env...), fmt.Sprintf("%s=%d", childDeath, at))
				var complaint strings.Builder
				cmd.Stderr = &complaint
				if err := cmd.Run(); err == nil || complaint.Len() > 0 {
					t.Fatalf("call %d of %d: the child ended otherwise: %v, %s", at, all, err, complaint.String())
				}
				done := x.mustBeWholeOrGone(t, path, fmt.Sprintf("call %d of %d", at, all))
				if at >= vacuum && !done {
					t.Errorf("dead at call %d, after it was committed: nothing was erased", at)
				}
				if done {
					erased++
				}
			}
			if erased == 0 || erased == len(deaths) {
				t.Errorf("%d of %d deaths left an erasure", erased, len(deaths))
			}
		})
	}
}

// The same, killed from outside at any time, also within VACUUM.
func TestErasureKilledAnytime(t *testing.T) {
	needsOnce(t)
	if testing.Short() {
		t.Skip("it kills dozens of processes; run without -short")
	}
	const rounds = 12
	erased, cut := 0, 0
	for _, name := range []string{"a person", "biometrics", "photos with a copy"} {
		x := newCrime(t, erasures[name])
		began := time.Now()
		killAfter(t, "erase", x.copied(t), time.Minute, append(x.env, childDeath+"=go")...)
		whole := time.Since(began)
		for round := range rounds {
			path := x.copied(t)
			delay := whole * time.Duration(round) / time.Duration(rounds)
			if killAfter(t, "erase", path, delay, append(x.env, childDeath+"=go")...) {
				cut++
			}
			if x.mustBeWholeOrGone(t, path, fmt.Sprint(name, " after ", delay)) {
				erased++
			}
		}
	}
	if cut == 0 || erased == 0 {
		t.Errorf("%d children were killed in time, %d erased: this test says nothing", cut, erased)
	}
	t.Logf("%d of %d were killed in time, %d of all erased", cut, 3*rounds, erased)
}

// What watches for temporary files sees those that VACUUM makes where nobody
// forbids them.
func TestTempFileIsSeen(t *testing.T) {
	needsOnce(t)
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system does not tell which files a process has open:", err)
	}
	x := newCrime(t, erasures["strangers"])
	cmd := child(t, "erase", x.copied(t))
	cmd.Env = append(append(cmd.Env, x.env...), childErasure+"=vacuum", childDeath+"=0")
	if out := string(must1[[]byte](t)(cmd.Output())); out == "0\n" || out == "" {
		t.Errorf("VACUUM with temporary files was not seen to have any: %q", out)
	}
}
