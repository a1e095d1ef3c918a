package index

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// budget hands out the memory that photos take while they are worked on:
// their files' bytes and what decoding them takes.
type budget struct {
	sem *semaphore.Weighted
	max int64
}

func newBudget(n int64) budget { return budget{semaphore.NewWeighted(n), n} }

// share is one photo's part of the budget.
type share struct {
	budget
	n int64
}

// take waits until n bytes are free. A photo that needs more than there is in
// all gives ErrTooLarge.
func (b budget) take(ctx context.Context, n int64) (*share, error) {
	if n > b.max {
		return nil, fmt.Errorf("%w: it needs %d MB of memory, the limit for all photos is %d", ErrTooLarge, megabytes(n), megabytes(b.max))
	}
	if err := b.sem.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return &share{b, n}, nil
}

// grow takes n bytes more, if it need not wait for them: photos that waited
// for each other would wait for ever.
func (s *share) grow(n int64) bool {
	if !s.sem.TryAcquire(n) {
		return false
	}
	s.n += n
	return true
}

// release gives everything back. It is idempotent.
func (s *share) release() {
	s.sem.Release(s.n)
	s.n = 0
}

func megabytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }

// gate holds the workers while the account is paused.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open; else closed when it opens
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}

func (g *gate) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed != nil
}

// wait returns when the gate is open, or with ctx.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		c := g.closed
		g.mu.Unlock()
		if c == nil {
			return ctx.Err()
		}
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Pause holds Reindex, a running one and later ones, before the next photo of
// each worker. What was done is committed. It returns at once, is idempotent,
// and Resume ends it; cancelling a paused Reindex ends it too.
func (a *Account) Pause() { a.gate.close() }

// Resume ends a pause.
func (a *Account) Resume() { a.gate.open() }

// Paused reports whether Reindex is held.
func (a *Account) Paused() bool { return a.gate.isClosed() }

// rest has a worker do nothing for its part of the time, as Config.Idle asks,
// after having worked for a while.
func (a *Account) rest(ctx context.Context, worked time.Duration) {
	if a.cfg.Idle == 0 {
		return
	}
	t := time.NewTimer(time.Duration(float64(worked) * a.cfg.Idle / (1 - a.cfg.Idle)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
