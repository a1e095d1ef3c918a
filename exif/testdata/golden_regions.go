//go:build ignore

// Golden_regions draws tiny pictures, has exiftool (Debian:
// libimage-exiftool-perl) write regions into them and into sidecars, adds
// sidecars in spellings that exiftool does not write, and writes down as JSON
// what exiftool reads from all of them:
//
//	go run testdata/golden_regions.go testdata/regions testdata/regions.json
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The upright picture, and the bright block in it that the region marks.
const width, height = 48, 32

var block = image.Rect(30, 4, 42, 13)

// turnConfig has exiftool's own definitions to turn regions by quarters.
const turnConfig = "/usr/share/doc/libimage-exiftool-perl/config_files/rotate_regions.config.gz"

type record struct {
	File string          `json:"file"`
	XMP  json.RawMessage `json:"xmp"` // exiftool's structures, and the orientation
	// Turned is RegionInfo as exiftool turns it upright, for the orientations
	// that are turns by quarters.
	Turned json.RawMessage `json:"turned,omitempty"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: golden_regions FOLDER OUT.json")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(folder, out string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for o := 1; o <= 8; o++ {
		for i, kind := range []string{"jpg", "png", "xmp"} {
			// Half of the files have structures as attributes, half as elements.
			compact := []string{"NoPadding", "NoPadding,Shorthand"}[(o+i)%2]
			path := filepath.Join(folder, fmt.Sprintf("orientation-%d.%s", o, kind))
			if err := write(path, kind, o, compact); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	for name, packet := range spellings() {
		if err := os.WriteFile(filepath.Join(folder, name+".xmp"), []byte(packet), 0o644); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var lines []string
	for _, e := range entries {
		r, err := read(filepath.Join(folder, e.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(lines, string(line))
	}
	version, err := exec.Command("exiftool", "-ver").Output()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("{\"exiftool\":%q,\"files\":[\n%s\n]}\n", bytes.TrimSpace(version), strings.Join(lines, ",\n"))
	return os.WriteFile(out, []byte(text), 0o644)
}

// write makes one file. The numbers of its region are counted from the pixels.
func write(path, kind string, orientation int, compact string) error {
	img := stored(orientation)
	b, found := img.Bounds(), image.Rectangle{}
	for y := range b.Dy() {
		for x := range b.Dx() {
			if img.GrayAt(x, y).Y > 128 {
				found = found.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	w, h := float64(b.Dx()), float64(b.Dy())
	part := func(v float64) string { return strconv.FormatFloat(v, 'f', 7, 64) }
	x, y := part(float64(found.Min.X+found.Max.X)/2/w), part(float64(found.Min.Y+found.Max.Y)/2/h)
	pw, ph := part(float64(found.Dx())/w), part(float64(found.Dy())/h)

	args := []string{"-q", "-overwrite_original", "-n", "-api", "Compact=" + compact,
		"-RegionInfo={AppliedToDimensions={W=" + fmt.Sprint(w) + ",H=" + fmt.Sprint(h) + ",Unit=pixel},RegionList=[" +
			"{Area={X=" + x + ",Y=" + y + ",W=" + pw + ",H=" + ph + ",Unit=normalized},Name=Zoë O'Brien|, <Jr.> & Söhne,Type=Face}," +
			"{Area={X=0.5,Y=0.25,W=0.1,H=0.2,Unit=normalized},Name=Rex,Type=Pet}," +
			"{Area={X=0.25,Y=0.75,D=0.125,Unit=normalized},Type=Focus}]}",
		"-RegionInfoMP={Regions=[{PersonDisplayName=Zoë,Rectangle=0.1|, 0.2|, 0.3|, 0.4},{PersonDisplayName=Nobody}]}",
		"-XMP-iptcExt:PersonInImage=Somebody without a face",
	}
	var buf bytes.Buffer
	var err error
	switch kind {
	case "jpg":
		args = append(args, "-IFD0:Orientation="+fmt.Sprint(orientation))
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95})
	case "png":
		args = append(args, "-IFD0:Orientation="+fmt.Sprint(orientation))
		err = png.Encode(&buf, img)
	default:
		args = append(args, "-XMP-tiff:Orientation="+fmt.Sprint(orientation))
	}
	if err == nil && buf.Len() > 0 {
		err = os.WriteFile(path, buf.Bytes(), 0o644)
	}
	if err != nil {
		return err
	}
	return exiftool(nil, append(args, path)...)
}

// stored draws the picture as a camera stores it that was turned so: by the
// definition of the tag (CIPA DC-008, 0x0112), which says what side of the upright
// picture the first row and the first column are.
func stored(orientation int) *image.Gray {
	sides := [9][2]string{{}, {"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"},
		{"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"}}[orientation]
	w, h := width, height
	if orientation >= 5 {
		w, h = h, w
	}
	img := image.NewGray(image.Rect(0, 0, w, h))
	for row := range h {
		for column := range w {
			var at image.Point // in the upright picture
			for i, n := range []int{row, column} {
				switch sides[i] {
				case "top":
					at.Y = n
				case "bottom":
					at.Y = height - 1 - n
				case "left":
					at.X = n
				case "right":
					at.X = width - 1 - n
				}
			}
			shade := color.Gray{Y: 40}
			if at.In(block) {
				shade.Y = 220
			}
			img.SetGray(column, row, shade)
		}
	}
	return img
}

// spellings are packets that mean the same in ways that exiftool does not write.
func spellings() map[string]string {
	frame := func(body string) string {
		return `<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>
` + body + `
</rdf:RDF></x:xmpmeta>
`
	}
	const spaces = ` xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"`
	other := strings.NewReplacer("mwg-rs:", "r:", ":mwg-rs", ":r", "stArea:", "a:", ":stArea", ":a", "stDim:", "d:", ":stDim", ":d")
	nested := `<rdf:Description rdf:about=""` + spaces + `><mwg-rs:Regions><rdf:Description>
<mwg-rs:AppliedToDimensions><rdf:Description stDim:w="4000"><stDim:h>3000</stDim:h><stDim:unit>pixel</stDim:unit></rdf:Description></mwg-rs:AppliedToDimensions>
<mwg-rs:RegionList><rdf:Seq>
<rdf:li><rdf:Description><mwg-rs:Name>Anna</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Area><rdf:Description>
<stArea:x>.5</stArea:x><stArea:y>2.5e-1</stArea:y><stArea:w>0.1</stArea:w><stArea:h>0.2</stArea:h></rdf:Description></mwg-rs:Area></rdf:Description></rdf:li>
<rdf:li rdf:parseType="Resource"><mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Name>&#x5C71;&#30000;</mwg-rs:Name>
<mwg-rs:Area stArea:x="1" stArea:y="0" stArea:w="0.5" stArea:h="0.5" stArea:unit="normalized"/></rdf:li>
<rdf:li><rdf:Description mwg-rs:Type="BarCode" mwg-rs:BarCodeValue="123"><mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.1</stArea:x>
<stArea:y>0.2</stArea:y><stArea:w>0.3</stArea:w><stArea:h>0.4</stArea:h></mwg-rs:Area></rdf:Description></rdf:li>
</rdf:Seq></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions></rdf:Description>`
	return map[string]string{
		"nested":       frame(nested),
		"other-prefix": frame(other.Replace(nested)),
		"duplicates": frame(`<rdf:Description rdf:about=""` + spaces + `><mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>` +
			strings.Repeat(`<rdf:li><rdf:Description mwg-rs:Name="Anna" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:w="0.25" stArea:h="0.25"/></rdf:Description></rdf:li>`, 2) +
			`</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description>`),
		"microsoft": frame(`<rdf:Description rdf:about="" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>
<rdf:li><rdf:Description MPReg:PersonDisplayName="Anna"><MPReg:Rectangle>0.25, 0.5, 0.125, 0.25</MPReg:Rectangle></rdf:Description></rdf:li>
<rdf:li MPReg:Rectangle="0.5,0.5,0.25,0.125"/>
<rdf:li MPReg:PersonDisplayName="Nobody"/>
<rdf:li MPReg:PersonDisplayName="The whole photo" MPReg:Rectangle="0, 0, 0, 0"/>
</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo></rdf:Description>`),
	}
}

// read asks exiftool.
func read(path string) (record, error) {
	r := record{File: filepath.Base(path)}
	tags := []string{"-RegionInfo", "-RegionInfoMP", "-Orientation"}
	answer, err := ask(path, tags...)
	if err != nil {
		return record{}, err
	}
	if r.XMP, err = json.Marshal(answer); err != nil {
		return record{}, err
	}
	turn, ok := map[string]string{"3": "180", "6": "90", "8": "270"}[fmt.Sprint(answer["Orientation"])]
	if !ok || answer["RegionInfo"] == nil || !slices.Contains([]string{".jpg", ".png"}, filepath.Ext(path)) {
		return r, nil
	}
	dir, err := os.MkdirTemp("", "golden")
	if err != nil {
		return record{}, err
	}
	defer os.RemoveAll(dir)
	config, copied := filepath.Join(dir, "config"), filepath.Join(dir, "copy")
	if err := unpack(turnConfig, config); err != nil {
		return record{}, err
	}
	if err := exiftool(nil, "-config", config, "-q", "-o", copied, "-RegionInfo<RotateMWGRegionCW"+turn, path); err != nil {
		return record{}, err
	}
	if answer, err = ask(copied, "-RegionInfo"); err != nil {
		return record{}, err
	}
	r.Turned, err = json.Marshal(answer["RegionInfo"])
	return r, err
}

func ask(path string, tags ...string) (map[string]any, error) {
	var out bytes.Buffer
	if err := exiftool(&out, append(append([]string{"-json", "-struct", "-n"}, tags...), path)...); err != nil {
		return nil, err
	}
	d := json.NewDecoder(&out)
	d.UseNumber() // numbers keep the digits that exiftool printed
	var answers []map[string]any
	if err := d.Decode(&answers); err != nil || len(answers) != 1 {
		return nil, fmt.Errorf("%d answers: %w", len(answers), err)
	}
	delete(answers[0], "SourceFile")
	return answers[0], nil
}

func exiftool(out io.Writer, args ...string) error {
	cmd := exec.Command("exiftool", args...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("exiftool %q: %w", args, err)
	}
	return nil
}

func unpack(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
