package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

func TestClosed(t *testing.T) {
	db := newDB(t)
	put(t, db, "a.jpg", "1", 0)
	put(t, db, "b.jpg", "2", 0)
	ctx := context.Background()
	seen := 0
	for _, err := range db.Files(ctx) {
		must(t, err)
		seen++
		must(t, db.Close())
	}
	if seen != 2 {
		t.Errorf("the listing broke off after %d", seen)
	}
	_, photoErr := db.Photo(ctx, "x")
	_, vectorsErr := db.Vectors(ctx, testSpace)
	var filesErr, checkErr error
	for _, filesErr = range db.Files(ctx) {
	}
	for checkErr = range db.Check(ctx) {
	}
	for name, err := range map[string]error{
		"Photo": photoErr, "Vectors": vectorsErr, "Files": filesErr, "Check": checkErr,
		"SetSetting": db.SetSetting(ctx, "k", "v"), "Erase": second(db.EraseBiometrics(ctx, false)),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
}

func TestCloseWaitsForWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	var wg sync.WaitGroup
	var written [8]bool
	for i := range written {
		wg.Go(func() {
			err := db.SetSetting(context.Background(), string(rune('a'+i)), "v")
			written[i] = err == nil
			if err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	time.Sleep(time.Millisecond)
	must(t, db.Close())
	wg.Wait()
	db = openAt(t, path, Options{})
	for i, ok := range written {
		if v := must1[string](t)(db.Setting(t.Context(), string(rune('a'+i)))); (v == "v") != ok {
			t.Errorf("setting %d: %q, written: %v", i, v, ok)
		}
	}

	db.writing <- struct{}{} // a write is under way
	done := make(chan error, 1)
	go func() { done <- db.Close() }()
	select {
	case err := <-done:
		t.Fatalf("Close did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	<-db.writing
	must(t, <-done)
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := must1[*flock.Flock](t)(takeLock(t.Context(), path, 0))
	for _, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return nil }, true},
		{func() error { return os.Remove(path) }, false},
		{func() error { return os.WriteFile(path, nil, 0o600) }, false},
	} {
		must(t, step.do())
		if current := must1[bool](t)(isCurrent(l)); current != step.want {
			t.Errorf("current: %v, want %v", current, step.want)
		}
	}
	must(t, releaseLock(l))

	// Taken and removed over and over, it is never held twice.
	var inside, held atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				l, err := takeLock(t.Context(), path, 0)
				if errors.Is(err, ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				runtime.Gosched()
				inside.Add(-1)
				if err := releaseLock(l); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if held.Load() == 0 {
		t.Error("nobody ever held the lock")
	}
}

// Every connection has the settings that promises rest on, also one that is
// opened anew.
func TestSettings(t *testing.T) {
	db := newDB(t)
	common := map[string]string{"temp_store": "2", "trusted_schema": "0", "cell_size_check": "1", "journal_mode": "wal"}
	writer := map[string]string{
		"secure_delete": "1", "foreign_keys": "1", "synchronous": "1", "query_only": "0", "page_size": "8192",
		"application_id": "1802073192", // 0x6B697468
	}
	for range 2 {
		for name, want := range common {
			for _, pool := range []*sql.DB{db.read, db.write} {
				var got string
				must(t, pool.QueryRow("PRAGMA "+name).Scan(&got))
				if got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
		}
		for name, want := range writer {
			var got string
			must(t, db.write.QueryRow("PRAGMA "+name).Scan(&got))
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		db.read.SetMaxIdleConns(0) // closes what is idle
		db.write.SetMaxIdleConns(0)
		db.write.SetMaxIdleConns(1)
	}
	if n := db.write.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d writers are possible", n)
	}
}
