package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kith-photos/kith/models"
)

// site is a test server that notes the requests.
type site struct {
	*httptest.Server
	mu       sync.Mutex
	requests []http.Header
}

func newSite(t *testing.T, handle func(n int, w http.ResponseWriter, r *http.Request)) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, r.Header.Clone())
		s.mu.Unlock()
		handle(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) header(i int, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.requests) {
		return "no request"
	}
	return s.requests[i].Get(name)
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *site) options(t *testing.T, m *models.Manifest) Options {
	return Options{Manifest: m, Cache: filepath.Join(t.TempDir(), "cache"), HTTP: s.Client()}
}

// serve answers like a file server, with ranges and a strong validator.
func serve(w http.ResponseWriter, r *http.Request, content, etag string) {
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
}

func TestHTTPS(t *testing.T) {
	want := body("plain")
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r, want, `"1"`) })
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	var stages []string
	opt.Progress = func(e Event) { stages = append(stages, e.Stage) }
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, want)
	wantOnly(t, opt.Cache, "photos/a.bin")
	if got := strings.Join(stages, " "); !strings.HasPrefix(got, StageDownload) || !strings.HasSuffix(got, "verify done") {
		t.Errorf("stages %q", got)
	}
	if _, err := onlyPhoto(t.Context(), opt); err != nil || s.count() != 1 {
		t.Errorf("the second call: %v, %d requests", err, s.count())
	}
}

func TestHTTPSResumesACutConnection(t *testing.T) {
	want, cut := body("cut"), 100_000
	s := newSite(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 0 {
			w.Header().Set("ETag", `"v1"`)
			sendPart(w, want, cut)
		}
		serve(w, r, want, `"v1"`)
	})
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, want)
	wantOnly(t, opt.Cache, "photos/a.bin")
	if got := s.header(1, "Range"); got != fmt.Sprintf("bytes=%d-", cut) {
		t.Errorf("the second request asked for %q", got)
	}
	if got := s.header(1, "If-Range"); got != `"v1"` {
		t.Errorf("the second request had If-Range %q", got)
	}
}

func TestHTTPSResumesInTheNextCall(t *testing.T) {
	want, cut := body("later"), 100_000
	for name, after := range map[string]func(w http.ResponseWriter, r *http.Request){
		"ranges":         func(w http.ResponseWriter, r *http.Request) { serve(w, r, want, `"v1"`) },
		"no ranges":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, want) },
		"other version":  func(w http.ResponseWriter, r *http.Request) { serve(w, r, want, `"v2"`) },
		"no such range":  refuseRange(want, func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) }),
		"a wrong answer": refuseRange(want, wrongRange),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(n int, w http.ResponseWriter, r *http.Request) {
				switch n {
				case 0:
					w.Header().Set("ETag", `"v1"`)
					sendPart(w, want, cut)
				case 1:
					w.WriteHeader(http.StatusBadGateway)
				default:
					after(w, r)
				}
			})
			opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
			if _, err := onlyPhoto(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "502") {
				t.Fatalf("got %v, want the status", err)
			}
			wantOnly(t, opt.Cache, "photos/a.bin.part", "photos/a.bin.part.etag")
			path, err := onlyPhoto(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			wantContent(t, path, want)
			wantOnly(t, opt.Cache, "photos/a.bin")
			if got := s.header(2, "Range"); got != fmt.Sprintf("bytes=%d-", cut) {
				t.Errorf("the next call asked for %q", got)
			}
		})
	}
}

func refuseRange(content string, refuse func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			refuse(w)
			return
		}
		_, _ = io.WriteString(w, content)
	}
}

func wrongRange(w http.ResponseWriter) {
	w.Header().Set("Content-Range", "bytes 5-9/10")
	w.WriteHeader(http.StatusPartialContent)
	_, _ = io.WriteString(w, "wrong")
}

func TestHTTPSWrongPartBeginsAgain(t *testing.T) {
	want := body("right")
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r, want, `"1"`) })
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	for name, size := range map[string]int{"some bytes": 1000, "all bytes": len(want), "too many bytes": len(want) + 1} {
		part := filepath.Join(opt.Cache, "photos", "a.bin.part")
		if err := os.MkdirAll(filepath.Dir(part), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(part, bytes.Repeat([]byte{'x'}, size), 0o644); err != nil {
			t.Fatal(err)
		}
		path, err := onlyPhoto(t.Context(), opt)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantContent(t, path, want)
		wantOnly(t, opt.Cache, "photos/a.bin")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTTPSRefuses(t *testing.T) {
	want := body("asked")
	other := strings.Replace(want, "asked", "other", 1)
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("a request was made without TLS")
		_, _ = io.WriteString(w, want)
	}))
	defer plain.Close()
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		want   string
	}{
		"longer than declared": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, want)
			w.(http.Flusher).Flush() // no Content-Length
			_, _ = io.WriteString(w, "more")
		}, "sends more than"},
		"declares more":   {func(w http.ResponseWriter, r *http.Request) { serve(w, r, want+"more", `"1"`) }, "offers"},
		"declares less":   {func(w http.ResponseWriter, r *http.Request) { serve(w, r, want[1:], `"1"`) }, "offers"},
		"ends too early":  {func(w http.ResponseWriter, _ *http.Request) { halfWithoutLength(w, want) }, "unexpected EOF"},
		"always cut":      {func(w http.ResponseWriter, _ *http.Request) { sendPart(w, want, 1000) }, "broke after 1000"},
		"other content":   {func(w http.ResponseWriter, r *http.Request) { serve(w, r, other, `"1"`) }, "removed again"},
		"not found":       {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404"},
		"leaves https":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) }, "away from https"},
		"goes in circles": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/a", http.StatusFound) }, "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) { c.answer(w, r) })
			a := artifact("a", want, web(s.URL+"/a"))
			opt := s.options(t, album(a))
			_, err := onlyPhoto(t.Context(), opt)
			var failed *Error
			if !errors.As(err, &failed) || len(failed.Failures) != 1 || failed.Failures[0].Artifact.ID != "a" {
				t.Fatalf("got %v, want an *Error about a", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the text lacks %q: %v", c.want, err)
			}
			if _, err := os.Stat(filepath.Join(opt.Cache, "photos", "a.bin")); !os.IsNotExist(err) {
				t.Errorf("there is a file under the final name (%v)", err)
			}
			requests := map[string]int{"other content": 1, "ends too early": 2}[name]
			if requests > 0 && s.count() != requests {
				t.Errorf("%d requests, want %d: asking again was of no use", s.count(), requests)
			}
			if info, err := os.Stat(filepath.Join(opt.Cache, "photos", "a.bin.part")); err == nil && info.Size() >= a.Size {
				t.Errorf("a part of %d bytes was kept", info.Size())
			}
		})
	}
}

func halfWithoutLength(w http.ResponseWriter, content string) {
	_, _ = io.WriteString(w, content[:len(content)/2])
	w.(http.Flusher).Flush()
}

func TestHTTPSNextSource(t *testing.T) {
	want := body("second")
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/good" {
			http.NotFound(w, r)
			return
		}
		serve(w, r, want, `"1"`)
	})
	byHand := models.Source{Type: models.SourceManual, URL: "https://example.org/"}
	opt := s.options(t, album(artifact("a", want, byHand, web(s.URL+"/bad"), web(s.URL+"/good"))))
	skipped := 0
	opt.Progress = func(e Event) {
		if e.Stage == StageSkip && e.Err != nil {
			skipped++
		}
	}
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, want)
	if skipped != 2 {
		t.Errorf("%d sources were reported as skipped, want 2", skipped)
	}
}

func TestHTTPSUnreachableHostIsAskedOnce(t *testing.T) {
	dials := 0
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) {})
	base := s.URL
	s.Close()
	opt := s.options(t, album(artifact("a", "a", web(base+"/a")), artifact("b", "b", web(base+"/b"))))
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.Proxy = nil
	opt.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		dials++
		return transport.RoundTrip(r)
	})}
	_, err := Photos(t.Context(), opt)
	var failed *Error
	if !errors.As(err, &failed) || len(failed.Failures) != 2 {
		t.Fatalf("got %v, want two failures", err)
	}
	if dials != 1 || !strings.Contains(err.Error(), "a moment ago") {
		t.Errorf("%d dials, %v", dials, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHTTPSStall(t *testing.T) {
	want := body("slow")
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		halfWithoutLength(w, want)
		<-r.Context().Done()
	})
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	opt.Timeouts.Stall = 200 * time.Millisecond
	if _, err := onlyPhoto(t.Context(), opt); !errors.Is(err, errStalled) {
		t.Errorf("got %v, want the stall", err)
	}
}

func TestHTTPSInterrupted(t *testing.T) {
	want := body("stop")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newSite(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n > 0 {
			serve(w, r, want, `"1"`)
			return
		}
		w.Header().Set("ETag", `"1"`)
		halfWithoutLength(w, want)
		time.AfterFunc(100*time.Millisecond, cancel)
		<-r.Context().Done()
	})
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	if _, err := onlyPhoto(ctx, opt); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	wantOnly(t, opt.Cache, "photos/a.bin.part", "photos/a.bin.part.etag")
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, want)
	if got := s.header(1, "Range"); got != fmt.Sprintf("bytes=%d-", len(want)/2) {
		t.Errorf("the next call asked for %q", got)
	}
}

func TestFlippedByteInTheCacheIsMended(t *testing.T) {
	want := body("flip")
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r, want, `"1"`) })
	opt := s.options(t, album(artifact("a", want, web(s.URL+"/a"))))
	path, err := onlyPhoto(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	damaged := []byte(want)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := onlyPhoto(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, want)
	if s.count() != 2 {
		t.Errorf("%d requests, want 2", s.count())
	}
}
