package index

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index/internal/turbojpeg"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/index/when"
	"github.com/kith-photos/kith/store"
)

// Config says how to open an account. The zero value works: it opens any
// account, without a model, for browsing, naming and erasing.
type Config struct {
	// AccountID, where set, is the id that the file must belong to, else Open
	// returns ErrWrongAccount. A new file takes it as its id; without one it
	// gets a random id.
	AccountID string
	// Analyzer finds the faces; nil: indexing faces gives ErrNoAnalyzer.
	Analyzer Analyzer
	// Decoders are asked before the built-in ones (JPEG, PNG, GIF, WebP, TIFF,
	// BMP), in order.
	Decoders []Decoder
	// Workers is how many photos Reindex works on at once; 0: one per
	// processor. Each holds one decoded photo in memory.
	Workers int
	// MaxMemory bounds, in bytes, what the photos being worked on take
	// together: their files and what decoding them takes, as estimated from
	// their headers. A photo waits until there is room, and one that needs
	// more than all of it is reported with ErrTooLarge; 0: 1 GiB. The models
	// and the account's vectors come on top of it, and what the garbage
	// collector has not collected yet: set GOMEMLIMIT for a hard bound.
	MaxMemory int64
	// Idle is the part of its time, in [0,1), that each worker of Reindex
	// rests, in pauses after each photo: 0.75 leaves three quarters of a
	// processor to others, who would not have to be polite.
	Idle float64
	// PureGo has JPEG decoded in Go, by image/jpeg, even where the machine has
	// a libjpeg-turbo: several times slower, and no C code sees the files.
	PureGo bool
	// MaxPixels is the largest photo that is decoded, by width x height; 0:
	// 120 million.
	MaxPixels int
	// MaxBytes is the largest file that is read; 0: 256 MiB.
	MaxBytes int64
	// Busy is how long Open waits for another process that has the account
	// open for writing; 0: not at all, ErrBusy at once.
	Busy time.Duration
	// Keys has the account's data key, and the account is sealed: what says
	// something of people is encrypted in the file. One that was plain is sealed
	// by opening it with Keys for writing. Nil: the account is plain.
	Keys store.KeyProvider
	// PersonConsent has nobody named, or found by a search, whose own consent
	// was not recorded; see SetConsent.
	PersonConsent bool
	// AuditSearches has each search noted in the audit, which makes it a write.
	AuditSearches bool
	// Disposer deletes originals and other files of the host's when their time
	// is over; see Retention. Nil: nothing of the host's is ever deleted.
	Disposer Disposer
	// Zone is where photos were taken of whose time zone nothing tells, as
	// time.LoadLocation knows it by its name; nil: it stays unknown. It is
	// remembered: a program that says nothing leaves it.
	Zone *time.Location
	// Zones finds the time zone of a position, as package index/zones does; nil:
	// positions tell no zone, but for those that were looked up before.
	Zones when.Zones
	// Gazetteer names places, as places.ReadGeoNames of a file of the host's
	// does; nil: only those that were named before have names.
	Gazetteer places.Gazetteer
	// ReadOnly opens without the writer's lock; every change gives ErrReadOnly.
	ReadOnly bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Logger gets what is worth knowing and is no error; nil: nothing is
	// logged. Names, paths and vectors are never logged.
	Logger *slog.Logger
}

// Analyzer finds and describes the faces of an upright photo. *face.Analyzer
// is one. It must be safe for concurrent use.
type Analyzer interface {
	Analyze(ctx context.Context, img image.Image) ([]face.Face, error)
	// Space names the vector space, which is stored beside every vector;
	// vectors of different spaces are never compared.
	Space() string
}

// calibrated is an Analyzer that knows its embedder's impostor tail. Without
// it faces are found and searched, but not grouped.
type calibrated interface{ Impostors() face.Impostors }

func (c Config) withDefaults() Config {
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.MaxPixels == 0 {
		c.MaxPixels = 120_000_000
	}
	if c.MaxMemory == 0 {
		c.MaxMemory = 1 << 30
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 256 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Workers < 0:
		return fmt.Errorf("index: Workers is %d, below zero", c.Workers)
	case c.MaxMemory < 0:
		return fmt.Errorf("index: MaxMemory is %d, below zero", c.MaxMemory)
	case !(c.Idle >= 0 && c.Idle < 1):
		return fmt.Errorf("index: Idle is %v, want [0,1)", c.Idle)
	case c.MaxPixels < 0:
		return fmt.Errorf("index: MaxPixels is %d, below zero", c.MaxPixels)
	case c.MaxBytes < 0:
		return fmt.Errorf("index: MaxBytes is %d, below zero", c.MaxBytes)
	}
	if z := c.Zone; z != nil {
		// The name is kept, and "Local" is another zone on another machine.
		if _, err := time.LoadLocation(z.String()); err != nil || z == time.Local || z.String() == "" {
			return fmt.Errorf("index: Zone is %q, want one of the time zone database by its name", z)
		}
	}
	return nil
}

// Account is one account's index, open.
type Account struct {
	db  *store.DB
	cfg Config

	// people serialises what derives people (grouping, decisions, undo) and
	// what brings or takes faces: each reads, computes and writes, and none may
	// write over another's result.
	people chan struct{}
	// indexing holds the one Reindex that may run.
	indexing chan struct{}

	// memory and gate keep the workers of Reindex within bounds.
	memory budget
	gate   gate

	// turbo is the machine's libjpeg-turbo, nil where there is none.
	turbo func() *turbojpeg.Lib

	vectors struct {
		sync.RWMutex
		set *vectors // nil: load it
	}

	// dim is the length of the analyzer's vectors, 0 until it is known.
	dim atomic.Int64

	mu      sync.Mutex
	closed  bool
	stopRun context.CancelCauseFunc // of the running Reindex
	// requests counts those that wait for it to stop; see interrupt.
	requests int
	stop     context.CancelFunc // cancels what runs
	stopped  context.Context
	running  sync.WaitGroup
}

// Open opens the account in the SQLite file at path, and makes it if there is
// none (unless cfg.ReadOnly). The errors of a file that cannot be opened as
// this account's (ErrWrongAccount, ErrBusy, ErrNoKey, ErrWrongKey,
// *store.SchemaError, *store.NotAccountError, *store.CorruptError,
// *store.InsecureError) leave the file as it was.
func Open(ctx context.Context, path string, cfg Config) (*Account, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	db, err := store.Open(ctx, path, store.Options{
		AccountID: cfg.AccountID, ReadOnly: cfg.ReadOnly, BusyTimeout: cfg.Busy, Now: cfg.Now,
		Keys: cfg.Keys,
	})
	if err != nil {
		return nil, err
	}
	a := &Account{db: db, cfg: cfg, people: make(chan struct{}, 1), indexing: make(chan struct{}, 1)}
	a.memory = newBudget(cfg.MaxMemory)
	a.turbo = sync.OnceValue(a.openTurbo)
	a.stopped, a.stop = context.WithCancel(context.Background())
	return a, nil
}

func (a *Account) openTurbo() *turbojpeg.Lib {
	if a.cfg.PureGo {
		return nil
	}
	lib, err := turbojpeg.Open()
	if err != nil {
		a.cfg.Logger.Info("JPEG is decoded by image/jpeg", "reason", err)
		return nil
	}
	return lib
}

// ID is the account's id.
func (a *Account) ID() string { return a.db.AccountID() }

// Close cancels a running Reindex, waits for everything under way, and closes
// the file. It is idempotent; afterwards every method returns ErrClosed.
func (a *Account) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	a.mu.Unlock()
	a.stop()
	a.running.Wait()
	return a.db.Close()
}

// begin is enter for what a deleted or erased account refuses.
func (a *Account) begin(ctx context.Context) (_ context.Context, done func(), _ error) {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.db.State(ctx)
	if err == nil {
		err = usable(s)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return ctx, done, nil
}

// enter registers a piece of work, so that Close can cancel it and wait. done
// must be called when it ends.
func (a *Account) enter(ctx context.Context) (_ context.Context, done func(), _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, nil, ErrClosed
	}
	a.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(a.stopped, func() { cancel(ErrClosed) })
	return ctx, func() {
		unhook()
		cancel(nil)
		a.running.Done()
	}, nil
}

// lock takes one of the account's one-place semaphores, or gives up with ctx.
func lock(ctx context.Context, sem chan struct{}) (unlock func(), _ error) {
	select {
	case sem <- struct{}{}:
		return func() { <-sem }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// space is the vector space in use: the analyzer's, or the account's newest
// where no analyzer is at hand.
func (a *Account) space(ctx context.Context) (string, error) {
	if a.cfg.Analyzer != nil {
		return a.cfg.Analyzer.Space(), nil
	}
	spaces, err := a.db.Spaces(ctx)
	if err != nil || len(spaces) == 0 {
		return "", err
	}
	return spaces[len(spaces)-1].Name, nil
}

// Check examines the account's file and yields every fault it finds.
func (a *Account) Check(ctx context.Context) func(yield func(error) bool) {
	return func(yield func(error) bool) {
		ctx, done, err := a.enter(ctx)
		if err != nil {
			yield(err)
			return
		}
		defer done()
		for err := range a.db.Check(ctx) {
			if !yield(err) {
				return
			}
		}
	}
}

// cause makes a context's own error say why it was cancelled.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && errors.Is(err, context.Canceled) {
		return c
	}
	return err
}
