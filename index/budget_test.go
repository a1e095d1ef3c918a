package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// heavy is a plug-in whose photos take memory and time: "heavy N ...", where
// N is what decoding takes.
type heavy struct {
	delay   time.Duration
	now     atomic.Int64 // bytes in use
	peak    atomic.Int64
	decoded atomic.Int64
}

func (*heavy) Match(head []byte) bool { return bytes.HasPrefix(head, []byte("heavy")) }
func (*heavy) Name() string           { return "weights" }

func (h *heavy) Open(_ context.Context, data []byte, _ int) (face.Source, error) {
	s := &weight{heavy: h}
	_, err := fmt.Sscanf(string(data), "heavy %d", &s.bytes)
	return s, err
}

type weight struct {
	*heavy
	bytes int64
}

func (*weight) Size() (w, h int) { return 8, 8 }
func (w *weight) Memory() int64  { return w.bytes }
func (w *weight) Level(int) (image.Image, float64, error) {
	now := w.now.Add(w.bytes)
	for p := w.peak.Load(); now > p && !w.peak.CompareAndSwap(p, now); p = w.peak.Load() {
	}
	time.Sleep(w.delay)
	w.now.Add(-w.bytes)
	w.decoded.Add(1)
	return image.NewGray(image.Rect(0, 0, 8, 8)), 1, nil
}

// blind finds no faces.
type blind struct{}

func (blind) Space() string                                             { return "blind" }
func (blind) Analyze(context.Context, image.Image) ([]face.Face, error) { return nil, nil }

// weights are n photos that take so many bytes each, their files included.
func weights(n int, bytes int) *files {
	src := newFiles(nil)
	for i := range n {
		src.put(fmt.Sprintf("%03d", i)+".jpg", fmt.Appendf(nil, "heavy %d %d", bytes, i))
	}
	return src
}

// Photos wait for memory, however many workers there are; nobody waits for
// ever, and one that can never have enough is reported.
func TestMaxMemory(t *testing.T) {
	for _, c := range []struct {
		budget   int64
		together int64 // how many may be decoded at once
	}{{100 << 10, 1}, {250 << 10, 2}, {1 << 20, 10}} {
		h := &heavy{delay: time.Millisecond}
		acc := newAccount(t, index.Config{Analyzer: blind{}, Decoders: []index.Decoder{h}, Workers: 8, MaxMemory: c.budget})
		src := weights(40, 90<<10)
		src.put("too much.jpg", fmt.Appendf(nil, "heavy %d", c.budget))
		rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{NoGroup: true})
		if rep.Indexed != 40 || len(failed) != 1 {
			t.Errorf("%+v, %v", rep, failed)
		}
		e := failed.of(t, "too much.jpg")
		if !strings.Contains(e.Error(), "memory") || e.Stage != index.StageDecode {
			t.Errorf("%v", e)
		}
		if most := min(8, c.together) * (90 << 10); h.peak.Load() > most || h.decoded.Load() != 40 {
			t.Errorf("%d decoded, %d bytes at once, more than %d", h.decoded.Load(), h.peak.Load(), most)
		}
		if got := rep.Decoders; len(got) != 1 || got["weights"] != 40 {
			t.Errorf("decoders: %v", got)
		}
	}
	// Files that fill the budget by themselves.
	acc := newAccount(t, index.Config{Analyzer: blind{}, Decoders: []index.Decoder{&heavy{}}, MaxMemory: 1000, Workers: 4})
	src := newFiles(map[string][]byte{"large.jpg": append([]byte("heavy 1 "), make([]byte, 1200)...)})
	for i := range 20 {
		src.put(fmt.Sprint(i, ".jpg"), append(fmt.Appendf(nil, "heavy 100 %d", i), make([]byte, 800)...))
	}
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{NoGroup: true})
	if rep.Indexed != 20 || len(failed) != 1 || failed.of(t, "large.jpg").Stage != index.StageRead {
		t.Errorf("%+v, %v", rep, failed)
	}
}

// A file that is another when it is read again, once there is memory for it.
func TestMaxMemoryFileChanges(t *testing.T) {
	h := &heavy{delay: 20 * time.Millisecond}
	acc := newAccount(t, index.Config{Analyzer: blind{}, Decoders: []index.Decoder{h}, Workers: 2, MaxMemory: 100})
	src := newFiles(map[string][]byte{"a.jpg": []byte("heavy 60 a"), "b.jpg": []byte("heavy 60 b")})
	var opens atomic.Int64
	src.open = func(name string) error {
		if strings.HasSuffix(name, ".jpg") && opens.Add(1) == 2 { // both are being read
			for _, n := range []string{"a.jpg", "b.jpg"} {
				v := src.get(n)
				v.data = append(bytes.Clone(v.data), '!')
				src.set(n, v)
			}
		}
		return nil
	}
	rep, failed := reindexFailing(t, acc, src, index.ReindexOptions{NoGroup: true})
	// The one that came second is read again, unless the first was done by then.
	if again := opens.Load() == 3; len(failed) == 1 != again || rep.Indexed != 2-len(failed) {
		t.Errorf("%d opened, %+v, %v", opens.Load(), rep, failed)
	}
	for _, e := range failed {
		if !strings.Contains(e.Error(), "changed") {
			t.Errorf("%v", e)
		}
	}
}

func TestPause(t *testing.T) {
	h := &heavy{}
	path := filepath.Join(t.TempDir(), "a.kith")
	acc := openAt(t, path, index.Config{Analyzer: blind{}, Decoders: []index.Decoder{h}, Workers: 2})
	must(t, acc.SetConsent(t.Context(), yes))
	src := weights(100, 1)
	var reached atomic.Bool
	src.open = func(string) error {
		if h.decoded.Load() >= 20 && reached.CompareAndSwap(false, true) {
			acc.Pause()
			acc.Pause() // once is enough
		}
		return nil
	}
	ended := make(chan error, 1)
	begin := func(ctx context.Context) {
		go func() {
			_, err := acc.Reindex(ctx, src, index.ReindexOptions{NoGroup: true})
			ended <- err
		}()
	}
	ctx, cancel := context.WithCancel(t.Context())
	begin(ctx)
	eventually(t, "what was done is committed", func() bool {
		n := len(all(t, acc.Photos(t.Context(), index.PhotoQuery{})))
		return acc.Paused() && n >= 20 && int64(n) == h.decoded.Load()
	})
	n := h.decoded.Load()
	if n > 24 {
		t.Errorf("%d photos, of which the 20th brought the pause", n)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if h.decoded.Load() != n {
		t.Error("it went on")
	}
	// Cancelled while paused.
	cancel()
	wantErr(t, "Reindex", <-ended, context.Canceled)

	// The pause outlives the run; the next one waits, and goes on from there.
	begin(t.Context())
	time.Sleep(20 * time.Millisecond)
	if h.decoded.Load() != n || !acc.Paused() {
		t.Errorf("%d decoded, paused: %v", h.decoded.Load(), acc.Paused())
	}
	acc.Resume()
	acc.Resume()
	must(t, <-ended)
	if got := h.decoded.Load(); got != 100 || acc.Paused() {
		t.Errorf("%d decoded, paused: %v", got, acc.Paused())
	}

	// Closed while paused.
	acc.Pause()
	src.put("new.jpg", []byte("heavy 1 new"))
	begin(t.Context())
	time.Sleep(20 * time.Millisecond)
	closeChecked(t, acc)
	if err := <-ended; !errors.Is(err, index.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("not within 10 s: %s", what)
}

// A worker that idles for three quarters of its time takes four times as long.
func TestIdle(t *testing.T) {
	const photos, each = 20, 2 * time.Millisecond
	run := func(idle float64) time.Duration {
		acc := newAccount(t, index.Config{Analyzer: blind{}, Decoders: []index.Decoder{&heavy{delay: each}}, Workers: 1, Idle: idle})
		began := time.Now()
		reindex(t, acc, weights(photos, 1), index.ReindexOptions{NoGroup: true})
		return time.Since(began)
	}
	// The rest after the last photo is not waited for.
	if d, least := run(0.75), each*(4*photos-3); d < least {
		t.Errorf("%v, at least %v was to be expected", d, least)
	}
	for _, idle := range []float64{-0.1, 1, 2} {
		if _, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "x"), index.Config{Idle: idle}); err == nil {
			t.Errorf("Idle %v is taken", idle)
		}
	}
}
