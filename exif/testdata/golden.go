//go:build ignore

// Golden asks exiftool (Debian: libimage-exiftool-perl) what it reads from
// every file of a folder, and writes the answers, without any photo, as JSON:
//
//	go run testdata/golden.go FOLDER testdata/exiftool.json
//	go run testdata/golden.go testdata/facts testdata/facts.json
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type record struct {
	Path   string `json:"path"`   // relative to the folder, with slashes
	SHA256 string `json:"sha256"` // its first 16 hexadecimal digits
	Type   string `json:"type"`   // exiftool's FileType
	// Closed: the file is a JPEG cut off within a segment, which exiftool
	// refuses; it was shown a copy that ends after the last whole one.
	Closed bool              `json:"closed,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"` // by group and name, numbers as exiftool prints them
}

// The tags that package exif reads, in the groups where it reads them. GPS
// values of the EXIF groups have no sign, their references stand beside them.
var tags = strings.Fields(`
	IFD0:Orientation IFD0:ModifyDate IFD0:DateTimeOriginal IFD0:Make IFD0:Model
	ExifIFD:DateTimeOriginal ExifIFD:CreateDate
	ExifIFD:SubSecTime ExifIFD:SubSecTimeOriginal ExifIFD:SubSecTimeDigitized
	ExifIFD:OffsetTime ExifIFD:OffsetTimeOriginal ExifIFD:OffsetTimeDigitized
	GPS:GPSLatitude GPS:GPSLatitudeRef GPS:GPSLongitude GPS:GPSLongitudeRef
	GPS:GPSAltitude GPS:GPSAltitudeRef GPS:GPSTimeStamp GPS:GPSDateStamp
	GPS:GPSStatus GPS:GPSMapDatum GPS:GPSHPositioningError ExifIFD:SerialNumber
	Apple:BurstUUID Apple:ContentIdentifier Apple:MediaGroupUUID
	XMP-tiff:Orientation XMP-tiff:Make XMP-tiff:Model
	XMP-exif:DateTimeOriginal XMP-exif:DateTimeDigitized XMP-xmp:CreateDate XMP-photoshop:DateCreated
	XMP-exif:GPSLatitude XMP-exif:GPSLongitude XMP-exif:GPSAltitude XMP-exif:GPSAltitudeRef
	XMP-exif:GPSDateTime XMP-exif:GPSStatus XMP-exif:GPSMapDatum XMP-exif:GPSHPositioningError
	XMP-aux:SerialNumber XMP-exifEX:SerialNumber
	XMP-GCamera:BurstID XMP-GCamera:MotionPhoto XMP-GCamera:MicroVideo`)

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
	var paths []string
	if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	}); err != nil {
		return err
	}
	answers, err := ask([]byte(strings.Join(paths, "\n")+"\n"), "-@", "-")
	if err != nil {
		return err
	}
	if len(answers) != len(paths) {
		return fmt.Errorf("exiftool answered for %d of %d files", len(answers), len(paths))
	}
	version, err := exec.Command("exiftool", "-ver").Output()
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "{\"exiftool\":%q,\"files\":[\n", bytes.TrimSpace(version))
	for i, path := range paths {
		r, err := newRecord(folder, path, answers[i])
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		buf.Write(line)
		if i < len(paths)-1 {
			buf.WriteByte(',')
		}
		buf.WriteByte('\n')
	}
	buf.WriteString("]}\n")
	return os.WriteFile(out, buf.Bytes(), 0o644)
}

// ask runs exiftool and returns its answers, one for each file, in order.
func ask(stdin []byte, args ...string) ([]map[string]any, error) {
	argv := []string{"-json", "-G1", "-n", "-a", "-q", "-File:FileType", "-ExifTool:Warning"}
	for _, t := range tags {
		argv = append(argv, "-"+t)
	}
	cmd := exec.Command("exiftool", append(argv, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.Output()
	if len(out) == 0 && err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber() // numbers keep the digits that exiftool printed
	var answers []map[string]any
	return answers, d.Decode(&answers)
}

func newRecord(folder, path string, answer map[string]any) (record, error) {
	if answer["SourceFile"] != path {
		return record{}, fmt.Errorf("answer is for %v", answer["SourceFile"])
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	rel, err := filepath.Rel(folder, path)
	if err != nil {
		return record{}, err
	}
	r := record{
		Path:   filepath.ToSlash(rel),
		SHA256: fmt.Sprintf("%x", sha256.Sum256(data))[:16],
		Type:   fmt.Sprint(answer["File:FileType"]),
		Tags:   make(map[string]string),
	}
	if answer["ExifTool:Warning"] == "JPEG format error" {
		again, err := ask(closeJPEG(data), "-")
		if err != nil || len(again) != 1 {
			return record{}, fmt.Errorf("second try: %d answers, %v", len(again), err)
		}
		answer, r.Closed = again[0], true
	}
	for _, t := range tags {
		if v, ok := answer[t]; ok {
			r.Tags[t] = fmt.Sprint(v)
		}
	}
	return r, nil
}

// closeJPEG cuts a JPEG after its last whole segment and adds an end marker.
// A cut EXIF segment is kept, its length made to fit.
func closeJPEG(data []byte) []byte {
	p := 2
	for p+4 <= len(data) && data[p] == 0xff && data[p+1] != 0xda {
		n := 2 + int(binary.BigEndian.Uint16(data[p+2:]))
		if p+n > len(data) {
			if data[p+1] == 0xe1 {
				out := bytes.Clone(data)
				binary.BigEndian.PutUint16(out[p+2:], uint16(len(data)-p-2))
				return append(out, 0xff, 0xd9)
			}
			break
		}
		p += n
	}
	return append(bytes.Clone(data[:p]), 0xff, 0xd9)
}
