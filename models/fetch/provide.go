package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/kith-photos/kith/models"
)

const (
	lockPoll = 200 * time.Millisecond

	// retryAfter is how long a detector that could not be had is left alone, so
	// that a machine without a way to it does not wait at each start.
	retryAfter = 24 * time.Hour
)

// lock creates the cache and takes its lock, waiting for another process.
func (p *provisioner) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(p.cache, 0o755); err != nil {
		return nil, fmt.Errorf("fetch: cache: %w", err)
	}
	l := flock.New(filepath.Join(p.cache, ".lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		p.emit(Event{Stage: StageLock})
		_, err = l.TryLockContext(ctx, lockPoll)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch: lock %s: %w", l.Path(), err)
	}
	// A process that was killed may have left its npm downloads behind.
	stale, _ := filepath.Glob(filepath.Join(p.cache, tempPrefix+"*"))
	for _, dir := range stale {
		_ = os.RemoveAll(dir)
	}
	return func() { _ = l.Unlock() }, nil
}

// provide fetches what the plan needs and nobody has. It holds the lock, so it
// looks again first: another process may have done the work.
func (p *provisioner) provide(ctx context.Context, plan models.Plan) error {
	missing, err := p.missing(plan.Required())
	if err != nil {
		return err
	}
	for _, a := range missing {
		p.wanted[a.ID] = a
	}
	failed, err := p.detector(ctx, plan.Detectors)
	if err != nil {
		return err
	}
	err = p.obtainAll(ctx, missing)
	if ferr := (*Error)(nil); errors.As(err, &ferr) {
		failed = append(failed, ferr.Failures...)
	} else if err != nil {
		return err
	}
	if len(failed) > 0 {
		return &Error{Set: plan.Set.ID, Failures: failed}
	}
	return nil
}

// obtainAll fetches every artifact of the list and reports all that failed.
func (p *provisioner) obtainAll(ctx context.Context, list []models.Artifact) error {
	for _, a := range list {
		p.wanted[a.ID] = a
	}
	var failed []Failure
	for _, a := range list {
		if _, open := p.wanted[a.ID]; !open {
			continue // came with another one's package
		}
		if f := p.obtain(ctx, a); f != nil {
			failed = append(failed, *f)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("fetch: %w", context.Cause(ctx))
		}
	}
	if len(failed) > 0 {
		return &Error{Failures: failed}
	}
	return nil
}

// detector sees to it that one of the list is there, best first. It returns the
// failures only if none is.
func (p *provisioner) detector(ctx context.Context, list []models.Artifact) ([]Failure, error) {
	better := 0 // how many come before the first that is there
	for better < len(list) {
		_, err := p.find(list[better])
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		better++
	}
	none := better == len(list)

	// First those that nothing is known against; those that failed lately only
	// if there is nothing else.
	var first, last []models.Artifact
	for _, d := range list[:better] {
		switch state := p.marker(d); {
		case state == markerFresh:
			last = append(last, d)
		case none || state == markerExpired:
			first = append(first, d)
		}
	}
	if none {
		first = append(first, last...)
	}
	var failed []Failure
	for _, d := range first {
		f := p.obtain(ctx, d)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("fetch: %w", context.Cause(ctx))
		}
		if f == nil {
			_ = os.Remove(p.markerPath(d))
			return nil, nil
		}
		failed = append(failed, *f)
		if d.ID != list[len(list)-1].ID {
			p.mark(d)
		}
	}
	if !none {
		return nil, nil
	}
	return failed, nil
}

// upgradeDue reports whether a better detector than this one failed long enough
// ago to be tried again. One that never failed is not missed: a person chose to
// have the lesser one.
func (p *provisioner) upgradeDue(list []models.Artifact, have string) bool {
	for _, d := range list {
		if d.ID == have {
			return false
		}
		if p.marker(d) == markerExpired {
			return true
		}
	}
	return false
}

type markerState int

const (
	markerNone markerState = iota
	markerFresh
	markerExpired
)

func (p *provisioner) markerPath(a models.Artifact) string {
	return filepath.Join(p.cache, a.ID+".failed")
}

func (p *provisioner) marker(a models.Artifact) markerState {
	data, err := os.ReadFile(p.markerPath(a))
	if err != nil {
		return markerNone
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(data)))
	// A time in the future comes from a clock that was set back.
	if age := p.opt.Now().Sub(at); err == nil && age >= -time.Minute && age < retryAfter {
		return markerFresh
	}
	return markerExpired
}

// mark notes the time of a failure. Failing to note it costs only time later.
func (p *provisioner) mark(a models.Artifact) {
	at := p.opt.Now().UTC().Format(time.RFC3339)
	_ = os.WriteFile(p.markerPath(a), []byte(at+"\n"), 0o644)
}

// obtain tries the sources of an artifact in their order. nil = it is there.
func (p *provisioner) obtain(ctx context.Context, a models.Artifact) *Failure {
	f := &Failure{Artifact: a}
	for _, s := range a.Sources {
		var err error
		switch s.Type {
		case models.SourceHTTPS:
			err = p.https(ctx, a, s)
		case models.SourceNPM:
			err = p.npm(ctx, a, s)
		default:
			err = errByHand
		}
		if err == nil {
			return nil
		}
		f.Attempts = append(f.Attempts, Attempt{Source: s, Err: err})
		p.emit(Event{Artifact: a.ID, Source: s.String(), Stage: StageSkip, Err: err})
		if ctx.Err() != nil {
			break
		}
	}
	return f
}

// install gives a complete and verified file its final name.
func (p *provisioner) install(a models.Artifact, s models.Source, temp *os.File) error {
	err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), p.path(a))
	}
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	syncDir(filepath.Dir(p.path(a)))
	delete(p.wanted, a.ID)
	p.emit(Event{Artifact: a.ID, Source: s.String(), Stage: StageDone, Bytes: a.Size, Total: a.Size})
	return nil
}

// syncDir makes a rename last through a power cut where the system can do that.
// Without it the file may be absent afterwards, never half.
func syncDir(dir string) {
	if runtime.GOOS == "windows" {
		return
	}
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
