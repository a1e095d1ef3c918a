package heic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

// half shows img at half its size, as the mean of four pixels each.
func half(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewRGBA64(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var sum [3]uint32
			for i := range 4 {
				r, g, b, _ := img.At(b.Min.X+2*x+i%2, b.Min.Y+2*y+i/2).RGBA()
				sum[0], sum[1], sum[2] = sum[0]+r/4, sum[1]+g/4, sum[2]+b/4
			}
			p := out.Pix[out.PixOffset(x, y):]
			for i, v := range sum {
				p[2*i], p[2*i+1] = byte(v>>8), byte(v)
			}
			p[6], p[7] = 255, 255
		}
	}
	return out
}

// TestThumbnail: the thumbnail stands for the photo where it suffices, and
// shows the same, however both are turned.
func TestThumbnail(t *testing.T) {
	for _, d := range decoders(t) {
		for _, name := range []string{"thumb.heic", "irot90.heic", "irot180.heic", "irot270.heic",
			"imir0.heic", "imir1.heic", "irot90imir1.heic", "imir1irot90.heic"} {
			s := open(t, d, readFile(t, name))
			if d.lib == nil && s.(*source).sizes[0].w < minWASM {
				// Too narrow for the WASM build: the photo comes instead.
				if _, shrink := level(t, s, 1); shrink != 1 {
					t.Errorf("%s, %s: 1/%g", d.Name(), name, 1/shrink)
				}
				continue
			}
			small, shrink := level(t, s, 1)
			if shrink != 0.5 {
				t.Fatalf("%s, %s: level 1 is 1/%g", d.Name(), name, 1/shrink)
			}
			if s.(*source).sizes[1].img != nil {
				t.Errorf("%s, %s: the photo was decoded too", d.Name(), name)
			}
			if again, shrink := level(t, s, 30); again != small || shrink != 0.5 {
				t.Errorf("%s, %s: level 30 is 1/%g, or decoded again", d.Name(), name, 1/shrink)
			}
			photo, shrink := level(t, s, 0)
			if shrink != 1 {
				t.Fatalf("%s, %s: level 0 is 1/%g", d.Name(), name, 1/shrink)
			}
			if got := psnr(small, half(photo)); got < 28 {
				t.Errorf("%s, %s: the thumbnail is %.1f dB of the photo", d.Name(), name, got)
			}
		}
	}
}

// TestNoThumbnail: what is no smaller copy of the photo does not stand for it.
func TestNoThumbnail(t *testing.T) {
	photo, small := codedItem(t, readFile(t, "plain.heic")), codedItem(t, readFile(t, "small.heic"))
	broken := small
	broken.data = small.data[:len(small.data)-1]
	other := func(it testItem, ref string, to ...uint16) testItem {
		it.ref, it.to = ref, to
		return it
	}
	d := decoders(t)[0]
	for name, f := range map[string]testFile{
		"another picture":          {photo, small},
		"an auxiliary picture":     {photo, other(small, "auxl", 1)},
		"another's thumbnail":      {photo, photo, other(small, "thmb", 2)},
		"its own thumbnail":        {other(photo, "thmb", 1)},
		"as large as the photo":    withThumb(photo, photo),
		"the photo is turned":      withThumb(photo, small).with(0, irot(2)),
		"the thumbnail is turned":  withThumb(photo, small).with(1, irot(2)),
		"mirrored the other way":   withThumb(photo, small).with(0, imir(0)).with(1, imir(1)),
		"turned in another order":  withThumb(photo, small).with(0, irot(1), imir(0)).with(1, imir(0), irot(1)),
		"another aspect":           withThumb(photo, small.item(clap(128, 94))),
		"cut short":                withThumb(photo, broken),
		"the photo is cropped":     withThumb(photo.item(clap(128, 192)), small),
		"a thumbnail out of bytes": withThumb(photo, testItem{kind: small.kind, props: small.props}),
		"a thumbnail of no type":   withThumb(photo, testItem{kind: "unci", data: small.data, props: small.props}),
	} {
		s := open(t, d, f.bytes())
		if n := len(s.(*source).sizes); n != 1 {
			t.Errorf("%s: %d sizes", name, n)
		}
	}
}

// TestThumbnails: of several, the smallest that suffices; of a broken one, the
// next.
func TestThumbnails(t *testing.T) {
	photo, small := codedItem(t, readFile(t, "plain.heic")), codedItem(t, readFile(t, "small.heic"))
	tiny := small.item(clap(64, 48)) // of its middle, but what it shows is not looked at
	for _, it := range []*testItem{&small, &tiny} {
		it.ref, it.to = "thmb", []uint16{1}
	}
	d := decoders(t)[0]
	s := open(t, d, testFile{photo, small, tiny}.bytes())
	var got []float64
	for _, k := range []int{-1, 0, 1, 2, 3, 100} {
		_, shrink := level(t, s, k)
		got = append(got, shrink)
	}
	want := "[1 1 0.5 0.25 0.25 0.25]"
	if d.lib == nil {
		want = "[1 1 0.5 0.5 0.5 0.5]" // narrow ones are passed by
	}
	if fmt.Sprint(got) != want {
		t.Errorf("shrinks %v, want %s", got, want)
	}

	// Its header holds together, its pixels do not: the slice's own header is
	// zeroed, which libheif finds when it decodes.
	broken := small
	broken.data = bytes.Clone(small.data)
	clear(broken.data[4:])
	s = open(t, d, withThumb(photo, broken).bytes())
	if n := len(s.(*source).sizes); n != 2 {
		t.Fatalf("%d sizes", n)
	}
	if _, shrink, err := s.Level(1); err != nil || shrink != 1 && shrink != 0.5 {
		t.Errorf("level 1 with a broken thumbnail is %g, %v", shrink, err)
	}
}

// TestConcurrent decodes in several goroutines, each a source of its own.
func TestConcurrent(t *testing.T) {
	for _, d := range decoders(t) {
		want := map[string]image.Image{}
		names := []string{"thumb.heic", "grid.heic", "odd.heic", "deep.heic"}
		for _, name := range names {
			want[name], _ = level(t, open(t, d, readFile(t, name)), 0)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				name := names[i%len(names)]
				s, err := d.Open(t.Context(), readFile(t, name), 1e6)
				if err != nil {
					t.Error(err)
					return
				}
				img, _, err := s.Level(0)
				if err != nil {
					t.Error(err)
				} else if got := psnr(img, want[name]); got < 90 {
					t.Errorf("%s, %s: %.1f dB of the same", d.Name(), name, got)
				}
			})
		}
		wg.Wait()
	}
}

// TestCancel: the context of Open ends the wait for the one decoding in WASM,
// and what comes after.
func TestCancel(t *testing.T) {
	gone := errors.New("the run was cancelled")
	data := readFile(t, "thumb.heic")
	for _, d := range decoders(t) {
		ctx, cancel := context.WithCancelCause(t.Context())
		s, err := d.Open(ctx, data, 1e6)
		if err != nil {
			t.Fatal(err)
		}
		d.one <- struct{}{} // somebody else decodes
		time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
		if d.lib != nil {
			<-ctx.Done()
		}
		if _, _, err := s.Level(0); !errors.Is(err, gone) {
			t.Errorf("%s: Level: %v", d.Name(), err)
		}
		<-d.one
		if _, err := d.Open(ctx, data, 1e6); !errors.Is(err, gone) {
			t.Errorf("%s: Open: %v", d.Name(), err)
		}
		if _, shrink := level(t, open(t, d, data), 0); shrink != 1 {
			t.Errorf("%s: after that, 1/%g", d.Name(), 1/shrink)
		}
	}
}

// TestMemory: the estimate grows with what a photo is, and decoding again and
// again holds nothing: gen2brain/heic's own way to an installed libheif holds
// every picture's planes, 74 kB here.
func TestMemory(t *testing.T) {
	for _, d := range decoders(t) {
		memory := func(name string) int64 { return open(t, d, readFile(t, name)).(*source).Memory() }
		if a, b, c := memory("small.heic"), memory("plain.heic"), memory("deep.heic"); a >= b || b >= c || a < 16<<20 {
			t.Errorf("%s: %d bytes for 128 x 96, %d for 256 x 192, %d of 10 bits", d.Name(), a, b, c)
		}
		data := readFile(t, "plain.heic")
		rounds, limit := 300, int64(8<<20)
		if d.lib == nil {
			rounds, limit = 8, 32<<20 // of 17 MB each
		}
		var first int64
		for i := range rounds {
			if i == rounds/4 {
				first = resident(t)
			}
			level(t, open(t, d, data), 0)
		}
		if grown := resident(t) - first; grown > limit {
			t.Errorf("%s: the process grew by %d bytes in %d photos", d.Name(), grown, rounds*3/4)
		}
	}
}

// resident is how much of the process is in memory, without garbage. Where
// the system does not say, it is the heap.
func resident(t *testing.T) int64 {
	t.Helper()
	debug.FreeOSMemory()
	var size, pages int64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
			t.Fatal(err)
		}
		return pages * int64(os.Getpagesize())
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Log("no /proc/self/statm: only the heap is looked at")
	return int64(m.HeapInuse)
}
