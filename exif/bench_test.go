package exif

import (
	"os"
	"testing"
)

// BenchmarkDecode measures files a second over files in memory: the cost of
// the metadata alone, without the disk.
func BenchmarkDecode(b *testing.B) {
	block := fullBlock(le, 6).bytes()
	xmp := packet(fullXMPAttrs, "")
	pixels := make([]byte, 1<<20)
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"jpeg", jpegFile(exifSegment(block), xmpSegment(xmp))},
		{"jpeg, XMP only", jpegFile(xmpSegment(xmp))},
		{"jpeg, nothing", jpegFile()},
		{"png", pngFile(chunk("eXIf", string(block)), chunk("IDAT", string(pixels)))},
		{"webp", webpFile(riffChunk("VP8 ", string(pixels)), riffChunk("EXIF", string(block)))},
		{"tiff", block},
		{"heif", heifFile(1, heifItem{kind: "Exif", data: heifExif(block)}, heifItem{kind: "hvc1", data: pixels})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(c.data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}

// BenchmarkRegions reads a JPEG file with three regions, and writes a sidecar
// with five.
func BenchmarkRegions(b *testing.B) {
	data, err := os.ReadFile("testdata/regions/orientation-6.jpg")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ReadRegions(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	sidecar := goldenSidecars()["full"]
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sidecar.XMP(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
