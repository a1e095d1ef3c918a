package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kith-photos/kith/models"
)

const (
	maxRedirects  = 10
	maxCuts       = 5 // broken connections in one call before a source is given up
	progressEvery = 200 * time.Millisecond
)

// secureClient returns a copy of the client that follows redirects only to https.
func secureClient(given *http.Client, connect time.Duration) *http.Client {
	client := http.Client{}
	if given != nil {
		client = *given
	} else {
		client.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connect}).DialContext,
			TLSHandshakeTimeout: connect,
			ForceAttemptHTTP2:   true,
		}
	}
	theirs := client.CheckRedirect
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case req.URL.Scheme != "https":
			return fmt.Errorf("%w, to %s://%s", errInsecure, req.URL.Scheme, req.URL.Host)
		case len(via) >= maxRedirects:
			return fmt.Errorf("more than %d redirects", maxRedirects)
		case theirs != nil:
			return theirs(req, via)
		}
		return nil
	}
	return &client
}

// https fetches an artifact from a URL, resuming an earlier part.
func (p *provisioner) https(ctx context.Context, a models.Artifact, s models.Source) error {
	u, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	if err := p.hosts[u.Host]; err != nil {
		return fmt.Errorf("%s could not be reached a moment ago: %w", u.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.opt.Timeouts.Try)
	defer cancel()
	d := &download{p: p, a: a, s: s, part: p.path(a) + ".part", began: p.opt.Now()}
	err = d.run(ctx)
	if unreachable(err) {
		p.hosts[u.Host] = err
	}
	return err
}

// unreachable reports whether it is not worth asking the same host again soon.
func unreachable(err error) bool {
	var op *net.OpError
	var timeout net.Error
	return errors.As(err, &op) && op.Op == "dial" ||
		errors.As(err, &timeout) && timeout.Timeout() ||
		errors.Is(err, errStalled)
}

// download is one artifact on its way from one URL.
type download struct {
	p     *provisioner
	a     models.Artifact
	s     models.Source
	part  string // path; beside it part+".etag" with the validator of its bytes
	began time.Time
	shown time.Time // when progress was last reported
}

// cut is a connection that broke while the body was read: worth resuming.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

// run fetches until the part is complete, verifies and installs it. A part that
// was glued from several answers and turns out wrong is begun again once.
func (d *download) run(ctx context.Context) error {
	for fresh := false; ; fresh = true {
		glued, err := d.fill(ctx)
		if err != nil {
			return err
		}
		d.emit(StageVerify, d.a.Size)
		err = models.Verify(d.a, d.part)
		if err == nil {
			break
		}
		d.discard()
		if !glued || fresh {
			return fmt.Errorf("what it sent was removed again: %w", err)
		}
	}
	f, err := os.OpenFile(d.part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := d.p.install(d.a, d.s, f); err != nil {
		return err
	}
	d.discard() // the validator
	return nil
}

// fill completes the part, over several connections if they break.
func (d *download) fill(ctx context.Context) (glued bool, err error) {
	for cuts := 0; ; cuts++ {
		have := d.size()
		glued = glued || have > 0
		if have == d.a.Size {
			return glued, nil
		}
		err := d.once(ctx, have)
		if err == nil {
			return glued, nil
		}
		if errors.Is(err, errRestart) && have > 0 {
			continue // the part is gone now
		}
		progress := d.size() > have
		if c := (cut{}); !errors.As(err, &c) || !progress || cuts == maxCuts || ctx.Err() != nil {
			return glued, err
		}
	}
}

// size returns the bytes of the part that can be kept.
func (d *download) size() int64 {
	info, err := os.Stat(d.part)
	if err != nil || info.Size() > d.a.Size {
		return 0
	}
	return info.Size()
}

func (d *download) discard() {
	_ = os.Remove(d.part)
	_ = os.Remove(d.part + ".etag")
}

// once makes one request for the bytes from have on and appends the answer.
func (d *download) once(ctx context.Context, have int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(d.p.opt.Timeouts.Stall, func() { cancel(errStalled) })
	defer watchdog.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.s.URL, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if etag, err := os.ReadFile(d.part + ".etag"); err == nil {
			req.Header.Set("If-Range", string(etag))
		}
	}
	resp, err := d.p.client.Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // the caller names the URL
		}
		return stallOr(ctx, err)
	}
	defer resp.Body.Close() // only read from
	have, err = d.start(resp, have)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.part), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(d.part, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	d.keepETag(resp.Header.Get("ETag"))
	err = f.Truncate(have)
	if err == nil {
		_, err = f.Seek(have, io.SeekStart)
	}
	if err == nil {
		err = d.copy(ctx, f, resp.Body, have, watchdog)
	}
	return errors.Join(err, f.Close())
}

// start judges the head of an answer and returns where its body begins.
func (d *download) start(resp *http.Response, have int64) (int64, error) {
	switch resp.StatusCode {
	case http.StatusOK:
		have = 0 // the server ignores ranges, or the file has changed
	case http.StatusPartialContent:
		var from, to, total int64
		n, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total)
		if err != nil || n != 3 || from != have || total != d.a.Size {
			d.discard()
			return 0, fmt.Errorf("%w: answered with %q, want %d-/%d", errRestart, resp.Header.Get("Content-Range"), have, d.a.Size)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		d.discard()
		return 0, fmt.Errorf("%w: status %s", errRestart, resp.Status)
	default:
		return 0, fmt.Errorf("status %s", resp.Status)
	}
	if n := resp.ContentLength; n >= 0 && have+n != d.a.Size {
		return 0, fmt.Errorf("offers %d bytes, want %d", have+n, d.a.Size)
	}
	return have, nil
}

// keepETag stores the validator of the bytes that follow. If-Range takes only
// strong ones (RFC 9110, section 13.1.5).
func (d *download) keepETag(etag string) {
	_ = os.Remove(d.part + ".etag")
	if strings.HasPrefix(etag, `"`) {
		_ = os.WriteFile(d.part+".etag", []byte(etag), 0o644)
	}
}

// copy appends the body to the part and never takes more than the artifact's size.
func (d *download) copy(ctx context.Context, f *os.File, body io.Reader, have int64, watchdog *time.Timer) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		watchdog.Reset(d.p.opt.Timeouts.Stall)
		if have+int64(n) > d.a.Size {
			d.discard()
			return fmt.Errorf("sends more than %d bytes", d.a.Size)
		}
		if _, err := f.Write(buf[:n]); err != nil {
			return err
		}
		have += int64(n)
		if now := d.p.opt.Now(); now.Sub(d.shown) >= progressEvery {
			d.shown = now
			d.emit(StageDownload, have)
		}
		if errors.Is(err, io.EOF) {
			if have == d.a.Size {
				return nil
			}
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return cut{fmt.Errorf("broke after %d of %d bytes: %w", have, d.a.Size, stallOr(ctx, err))}
		}
	}
}

// stallOr says that the watchdog was the reason, if it was.
func stallOr(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

func (d *download) emit(stage string, have int64) {
	d.p.emit(Event{
		Artifact: d.a.ID, Source: d.s.String(), Stage: stage,
		Bytes: have, Total: d.a.Size, Elapsed: d.p.opt.Now().Sub(d.began),
	})
}
