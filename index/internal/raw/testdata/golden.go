//go:build ignore

// Golden asks exiftool (Debian: libimage-exiftool-perl) which files of a
// folder are RAW files and which JPEGs it takes out of them, and writes the
// answers, without any picture, as JSON:
//
//	go run testdata/golden.go FOLDER testdata/exiftool.json
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

type record struct {
	Path   string           `json:"path"`   // relative to the folder, with slashes
	SHA256 string           `json:"sha256"` // its first 16 hexadecimal digits
	Type   string           `json:"type"`   // exiftool's FileType
	JPEGs  map[string]image `json:"jpegs"`
}

// image is one JPEG of a file. Where the file ends before it does, exiftool
// takes nothing out, and there is no sum.
type image struct {
	Start  int64  `json:"start"`
	Length int64  `json:"length"`
	SHA256 string `json:"sha256,omitempty"`
}

const types = "DNG CR2 CR3 NEF NRW ARW SR2 RAF ORF RW2 PEF SRW 3FR ERF MEF MOS IIQ DCR"

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: golden FOLDER OUT.json")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(folder, out string) error {
	args := []string{"-r", "-q", "-json", "-b", "-n", "-FileType"}
	tags := []string{"JpgFromRaw", "PreviewImage", "OtherImage"}
	for _, t := range tags {
		args = append(args, "-"+t, "-"+t+"Start", "-"+t+"Length")
	}
	// Some of the files are broken: exiftool answers, and exits with 1.
	answer, err := exec.Command("exiftool", append(args, folder)...).Output()
	if len(answer) == 0 {
		return fmt.Errorf("exiftool: %w", err)
	}
	var files []map[string]any
	if err := json.Unmarshal(answer, &files); err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b map[string]any) int {
		return strings.Compare(a["SourceFile"].(string), b["SourceFile"].(string))
	})
	var buf bytes.Buffer
	fmt.Fprint(&buf, "[\n")
	for _, f := range files {
		kind, _ := f["FileType"].(string)
		if !strings.Contains(" "+types+" ", " "+kind+" ") {
			continue
		}
		path := f["SourceFile"].(string)
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		r := record{Path: filepath.ToSlash(rel), SHA256: sum(data)[:16], Type: kind, JPEGs: map[string]image{}}
		for _, t := range tags {
			start, _ := f[t+"Start"].(float64)
			length, ok := f[t+"Length"].(float64)
			if !ok {
				continue
			}
			img := image{Start: int64(start), Length: int64(length)}
			if text, ok := strings.CutPrefix(fmt.Sprint(f[t]), "base64:"); ok {
				jpeg, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return err
				}
				img.SHA256 = sum(jpeg)
			}
			r.JPEGs[t] = img
		}
		if buf.Len() > 2 {
			buf.WriteString(",\n")
		}
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		buf.Write(line)
	}
	buf.WriteString("\n]\n")
	return os.WriteFile(out, buf.Bytes(), 0o644)
}

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
