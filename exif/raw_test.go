package exif

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rawFiles are RAW files that keep their metadata in ways of their own.
func rawFiles() map[string][]byte {
	full := fullBlock(le, 6)
	bare := newBlock(le)
	bare.dirs[dirExif] = full.dirs[dirExif]
	onlyTime := bare.short(dirMain, tagOrientation, 8).ascii(dirMain, tagMake, "Panasonic").ascii(dirMain, tagModel, "Camera Two")
	orf := fullBlock(be, 8)
	orf.magic = "MMOR"
	x := packet(`exif:GPSLatitude="60,27.5N" exif:GPSLongitude="22,16,12W"`, "")
	noGPS := splitBlock(fullBlock(be, 3).bytes())
	noGPS[dirGPS] = nil
	return map[string][]byte{
		"full.raf": rafFile(jpegFile(exifSegment(full.bytes()))),
		"xmp.raf":  rafFile(jpegFile(xmpSegment(packet(fullXMPAttrs, "")))),
		"full.cr3": cr3File(splitBlock(full.bytes()), ""),
		"xmp.cr3":  cr3File(noGPS, x),
		"full.orf": orf.bytes(),
		"full.rw2": rw2Block(fullBlock(le, 3), jpegFile()).bytes(),
		"old.rw2": rw2Block(newBlock(le).short(dirMain, tagOrientation, 6).ascii(dirMain, tagMake, "Kith").ascii(dirMain, tagModel, "Camera One"),
			jpegFile(exifSegment(fullBlock(le, 6).bytes()))).bytes(),
		"gps.rw2": rw2Block(onlyTime, jpegFile(exifSegment(fullBlock(be, 8).bytes()))).bytes(),
	}
}

// TestRAWAgainstExiftool: exiftool reads the same from these files.
func TestRAWAgainstExiftool(t *testing.T) {
	tool, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skipf("%v: the RAW files are not shown to it (Debian: libimage-exiftool-perl)", err)
	}
	dir := t.TempDir()
	files := rawFiles()
	args := []string{"-json", "-G1", "-n"}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, files[name], 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), tool, args...).Output()
	if err != nil {
		t.Fatalf("exiftool: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	var answers []map[string]any
	if err := d.Decode(&answers); err != nil {
		t.Fatal(err)
	}
	for i, name := range slices.Sorted(maps.Keys(files)) {
		if kind := fmt.Sprint(answers[i]["File:FileType"]); !strings.HasSuffix(name, strings.ToLower(kind)) && name[len(name)-3:] != "rw2" {
			t.Errorf("%s: exiftool takes it for %s", name, kind)
		}
		g := golden{Path: name, Tags: make(map[string]string)}
		for k, v := range answers[i] {
			g.Tags[k] = fmt.Sprint(v)
		}
		m, err := Decode(files[name])
		got, want := said(m), g.expect()
		if err != nil || !maps.Equal(got, want) || want["time"] == "" || want["position"] == "" || want["camera"] == "" {
			t.Errorf("%s: %v (%v), exiftool has %v", name, got, err, want)
		}
	}
}

// TestEmbeddedJPEG: the JPEG in a Panasonic RAW file says what IFD0 does not,
// and nothing against it. A JPEG within that one's EXIF is not read.
func TestEmbeddedJPEG(t *testing.T) {
	other := fullBlock(be, 3).bytes()
	m, err := Decode(rw2Block(newBlock(le).short(dirMain, tagOrientation, 6), jpegFile(exifSegment(other))).bytes())
	if err != nil {
		t.Fatal(err)
	}
	checkFull(t, m, 6)

	inner := rw2Block(newBlock(le).short(dirMain, tagOrientation, 3), jpegFile(exifSegment(other))).bytes()
	m, err = Decode(rw2Block(newBlock(le), jpegFile(exifSegment(inner))).bytes())
	if err != nil || m.Orientation != 3 || m.Camera != (Camera{}) {
		t.Errorf("%+v, %v", m, err)
	}

	plain := newBlock(le).raw(dirMain, tagJpgFromRaw, typeUndef, 64, jpegFile(exifSegment(other))[:64])
	if m, err = Decode(plain.bytes()); err != nil || m != (Meta{}) {
		t.Errorf("tag 0x002e of a plain TIFF: %+v, %v", m, err)
	}
}

// TestMalformedRAW: what is sound is read, and the fault is named.
func TestMalformedRAW(t *testing.T) {
	full := fullBlock(le, 7).bytes()
	raf := rafFile(jpegFile(exifSegment(full)))
	outside := bytes.Clone(raf)
	outside[84] = 0xff
	noHeader, huge := splitBlock(full), splitBlock(full)
	noHeader[dirGPS] = []byte("not a TIFF block")
	le.PutUint32(huge[dirExif][4:], 0xfffffff0)
	cr3 := cr3File(splitBlock(full), "")
	rw2 := rw2Block(newBlock(le).short(dirMain, tagOrientation, 7), nil)
	rw2.dirs[dirMain][1] = entry{tagJpgFromRaw, typeUndef, 0xffffffff, make([]byte, 8)}
	for _, c := range []struct {
		name        string
		data        []byte
		fault       string // in the error; empty: no error
		orientation int
	}{
		{"raf, JPEG cut", raf[:len(raf)-1], "cut short", 7},
		{"raf, header cut", raf[:80], "cut short", 0},
		{"raf, JPEG outside", outside, "cut short", 0},
		{"raf, no JPEG there", rafFile([]byte("\xff\xd9 something else")), "", 0},
		{"cr3, no TIFF header", cr3File(noHeader, ""), "box CMT4: no TIFF header", 7},
		{"cr3, directory outside", cr3File(huge, ""), "Exif IFD", 7},
		{"cr3, sensor data cut", cr3[:len(cr3)-3], "", 7},
		{"cr3, boxes cut", cr3[:200], "boxes", 0},
		{"rw2, JPEG outside", rw2.bytes(), "IFD0 tag 0x002e", 7},
	} {
		m, err := Decode(c.data)
		if m.Orientation != c.orientation || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: orientation %d, %v; want %d, %q", c.name, m.Orientation, err, c.orientation, c.fault)
		}
		checkMeta(t, m, err)
	}
}
