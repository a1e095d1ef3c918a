package fetch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Two processes want the same file: one downloads it, the other says that it
// waits and then finds it.
func TestTwoProcesses(t *testing.T) {
	want := body("shared")
	waiting := make(chan struct{})
	s := newSite(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		select {
		case <-waiting:
		case <-time.After(30 * time.Second):
		}
		serve(w, r, want, `"1"`)
	})
	cache := filepath.Join(t.TempDir(), "cache")
	told, err := json.Marshal(child{
		Manifest: *album(artifact("a", want, web(s.URL+"/a"))), Cache: cache, Certificate: s.Certificate().Raw,
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "child.json")
	if err := os.WriteFile(config, told, 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	var once sync.Once
	var wg sync.WaitGroup
	outputs := make([]bytes.Buffer, 2)
	for i := range outputs {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), "KITH_TEST_CHILD="+config)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			lines := bufio.NewScanner(pipe)
			for lines.Scan() {
				outputs[i].WriteString(lines.Text() + "\n")
				if strings.HasPrefix(lines.Text(), StageLock) {
					once.Do(func() { close(waiting) })
				}
			}
			if err := cmd.Wait(); err != nil {
				outputs[i].WriteString(err.Error())
			}
		})
	}
	wg.Wait()
	var waited, downloaded int
	for i := range outputs {
		text := outputs[i].String()
		if !strings.HasSuffix(text, "ready\n") {
			t.Errorf("process %d: %s", i, text)
		}
		waited += strings.Count(text, StageLock)
		downloaded += strings.Count(text, StageDone)
	}
	if waited != 1 || downloaded != 1 || s.count() != 1 {
		t.Errorf("%d waited, %d downloaded, %d requests; want 1 of each", waited, downloaded, s.count())
	}
	wantContent(t, filepath.Join(cache, "photos", "a.bin"), want)
}
