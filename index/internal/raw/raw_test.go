package raw

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for _, s := range samples() {
		p, ok, err := Find(s.file)
		if err != nil || !ok || p.Format != s.format || !bytes.Equal(p.JPEG, s.want) || p.Orientation != s.orientation {
			t.Errorf("%s: %s, %d bytes of %d x %d, orientation %d, %v, %v; want %s, %d bytes", s.name,
				p.Format, len(p.JPEG), p.Width, p.Height, p.Orientation, ok, err, s.format, len(s.want))
			continue
		}
		if w, h, err := frame(s.want); w != p.Width || h != p.Height || err != nil {
			t.Errorf("%s: %d x %d, the JPEG has %d x %d (%v)", s.name, p.Width, p.Height, w, h, err)
		}
		if &p.JPEG[0] != &s.file[bytes.Index(s.file, s.want)] || cap(p.JPEG) != len(p.JPEG) {
			t.Errorf("%s: not a part of the file", s.name)
		}
	}
}

// TestExiftoolAgrees shows the samples to exiftool: it must see the same
// format and take out the same JPEG, or the samples prove nothing.
func TestExiftoolAgrees(t *testing.T) {
	tool, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skipf("%v: the samples are not shown to it (Debian: libimage-exiftool-perl)", err)
	}
	dir := t.TempDir()
	args := []string{"-json", "-b", "-FileType", "-JpgFromRaw", "-PreviewImage", "-ThumbnailImage"}
	for _, s := range samples() {
		path := filepath.Join(dir, s.name+"."+strings.ToLower(s.format))
		if err := os.WriteFile(path, s.file, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), tool, args...).Output()
	if err != nil {
		t.Fatalf("exiftool: %v", err)
	}
	var answers []map[string]any
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatal(err)
	}
	for i, s := range samples() {
		said := answers[i]
		if said["FileType"] != s.format {
			t.Errorf("%s: exiftool takes it for %v", s.name, said["FileType"])
		}
		if s.tag == "" {
			continue
		}
		text, _ := said[s.tag].(string)
		got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "base64:"))
		if err != nil || !bytes.Equal(got, s.want) {
			t.Errorf("%s: exiftool's %s has %d bytes, want %d (%v)", s.name, s.tag, len(got), len(s.want), err)
		}
	}
}
