package heic

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "make testdata anew; needs heif-enc, heif-convert and exiftool")

// goldens is what another program says of the files in testdata.
type goldens struct {
	By    string
	Files map[string]golden
}

// golden is a picture as heif-convert writes it: its size, and the mean
// colours of cells x cells parts of it.
type golden struct {
	Width, Height int
	Means         []string // a row each: red, green and blue in hexadecimal
}

const cells = 6

// drawn is the picture of all files: gradients, and marks that no turn or
// mirror maps onto another.
func drawn(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(40 + 170*x/w), uint8(30 + 180*y/h), uint8(200 - 120*x/w), 255})
		}
	}
	mark := func(x0, y0, x1, y1 int, c color.NRGBA) {
		draw.Draw(img, image.Rect(x0*w/24, y0*h/24, x1*w/24, y1*h/24), image.NewUniform(c), image.Point{}, draw.Src)
	}
	mark(2, 2, 12, 6, color.NRGBA{230, 40, 30, 255})
	mark(2, 6, 5, 14, color.NRGBA{250, 220, 40, 255})
	mark(16, 17, 22, 21, color.NRGBA{20, 30, 60, 255})
	return img
}

// TestGenerate makes testdata. The photos are drawn, encoded by heif-enc, and
// where that has no option for it, put together by testFile.
func TestGenerate(t *testing.T) {
	if !*update {
		t.Skip("testdata is only made anew with -update")
	}
	tmp := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	in := func(name string) string { return filepath.Join(tmp, name) }
	save := func(name string, img image.Image) {
		t.Helper()
		f, err := os.Create(in(name))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".jpg" {
			err = jpeg.Encode(f, img, &jpeg.Options{Quality: 95})
		} else {
			err = png.Encode(f, img)
		}
		if err != nil || f.Close() != nil {
			t.Fatal(name, err)
		}
	}
	img := drawn(256, 192)
	save("photo.png", img)
	save("photo.jpg", img)
	save("small.png", drawn(128, 96))
	save("odd.png", drawn(255, 191))
	deep, grey, alpha := image.NewNRGBA64(img.Rect), image.NewGray(img.Rect), image.NewNRGBA(img.Rect)
	draw.Draw(deep, img.Rect, img, image.Point{}, draw.Src)
	draw.Draw(grey, img.Rect, img, image.Point{}, draw.Src)
	copy(alpha.Pix, img.Pix)
	for i := 3; i < len(alpha.Pix); i += 4 {
		alpha.Pix[i] = uint8(128 + i%100)
	}
	save("deep.png", deep)
	save("grey.png", grey)
	save("oddgrey.png", grey.SubImage(image.Rect(1, 1, 256, 192)))
	save("alpha.png", alpha)
	run("exiftool", "-q", "-overwrite_original", "-n", "-Orientation=6", "-Model=Kith", in("photo.jpg"))

	encode := func(name, from string, args ...string) {
		t.Helper()
		args = append(args, "-q", "40", "-o", filepath.Join("testdata", name), in(from))
		run("heif-enc", args...)
	}
	encode("plain.heic", "photo.png")
	encode("small.heic", "small.png")
	encode("thumb.heic", "photo.png", "-t", "128")
	encode("odd.heic", "odd.png")
	encode("deep.heic", "deep.png", "-b", "10")
	encode("grey.heic", "grey.png")
	encode("oddgrey.heic", "oddgrey.png") // a grid, as odd.heic is
	encode("alpha.heic", "alpha.png")
	encode("exif.heic", "photo.jpg") // orientation 6 in EXIF, and no irot
	encode("chroma444.heic", "photo.png", "-p", "chroma=444")
	encode("plain.avif", "photo.png", "-A")
	encode("deep12.avif", "deep.png", "-A", "-b", "12")
	encode("deep422.avif", "deep.png", "-A", "-b", "10", "-p", "chroma=422")

	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	photo, small := codedItem(t, read("plain.heic")), codedItem(t, read("small.heic"))
	full, av1 := codedItem(t, read("chroma444.heic")), codedItem(t, read("plain.avif"))
	bare := av1 // what its numbers mean is in AV1's own header alone
	bare.props = slices.DeleteFunc(slices.Clone(av1.props), func(p []byte) bool { return string(p[4:8]) == "colr" })
	turned := func(props ...[]byte) testFile {
		return withThumb(photo, small).with(0, props...).with(1, props...)
	}
	grid := testFile{gridItem(2, 2, 250, 190, 2, 3, 4, 5).item(irot(1))}
	for _, part := range []image.Rectangle{
		image.Rect(0, 0, 128, 96), image.Rect(128, 0, 256, 96), image.Rect(0, 96, 128, 192), image.Rect(128, 96, 256, 192),
	} {
		save("part.png", img.SubImage(part))
		encode("part.heic", "part.png")
		grid = append(grid, codedItem(t, read("part.heic")))
	}
	_ = os.Remove("testdata/part.heic")
	for name, f := range map[string]testFile{
		"irot90.heic": turned(irot(1)), "irot180.heic": turned(irot(2)), "irot270.heic": turned(irot(3)),
		"imir0.heic": turned(imir(0)), "imir1.heic": turned(imir(1)),
		"irot90imir1.heic": turned(irot(1), imir(1)), "imir1irot90.heic": turned(imir(1), irot(1)),
		// The same numbers, said to mean other colours.
		"bt601.heic": {photo.item(colr(6, false))}, "bt709.heic": {photo.item(colr(1, false))},
		"bt709full.heic": {photo.item(colr(1, true))}, "bt2020.heic": {photo.item(colr(9, true))},
		"rgb.heic":   {full.item(colr(0, true))},
		"bt709.avif": testFile{av1}.replaced(0, colr(1, false)), "nocolr.avif": {bare},
		"clap.heic": {photo.item(clap(200, 150), irot(3))}, "grid.heic": grid,
	} {
		if err := os.WriteFile(filepath.Join("testdata", name), f.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]testFile{
		"grid":      {gridItem(1, 2, 250, 96, 2, 3), small, small},
		"shared":    {gridItem(2, 2, 250, 190, 2, 2, 2, 2), small},
		"recursive": {gridItem(1, 1, 128, 96, 1)},
		"cropped":   {small.item(clap(100, 90), irot(1), imir(1))},
		"thumbs":    {small, {kind: "hvc1", ref: "thmb", to: []uint16{1}}, {kind: "grid", ref: "thmb", to: []uint16{1, 1, 1}}},
	} {
		seed := fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", f.bytes())
		if err := os.WriteFile(filepath.Join("testdata", "fuzz", "FuzzOpen", name), []byte(seed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := goldens{By: "heif-convert " + openedVersion(t), Files: map[string]golden{}}
	for _, name := range testdata(t) {
		run("heif-convert", filepath.Join("testdata", name), in("out.png"))
		f, err := os.Open(in("out.png"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		if err != nil || f.Close() != nil {
			t.Fatal(name, err)
		}
		g.Files[name] = golden{img.Bounds().Dx(), img.Bounds().Dy(), means(img)}
	}
	b, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/golden.json", append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// item returns the item with more properties.
func (it testItem) item(props ...[]byte) testItem { return testFile{it}.with(0, props...)[0] }

func openedVersion(t *testing.T) string {
	l, err := openLibheif()
	if err != nil {
		t.Fatal(err)
	}
	return l.version
}

// testdata lists the photos.
func testdata(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.heic", "*.avif"} {
		list, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(list) == 0 {
			t.Fatal("no photos in testdata", err)
		}
		for _, path := range list {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// means returns the mean colours of cells x cells parts of a picture.
func means(img image.Image) []string {
	b := img.Bounds()
	var list []string
	for j := range cells {
		var row []byte
		for i := range cells {
			var sum [3]int
			n := 0
			for y := b.Min.Y + j*b.Dy()/cells; y < b.Min.Y+(j+1)*b.Dy()/cells; y++ {
				for x := b.Min.X + i*b.Dx()/cells; x < b.Min.X+(i+1)*b.Dx()/cells; x++ {
					c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
					sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
					n++
				}
			}
			for _, s := range sum {
				row = append(row, byte((s+n/2)/n))
			}
		}
		list = append(list, hex.EncodeToString(row))
	}
	return list
}
