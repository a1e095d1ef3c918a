package when

import (
	"strings"
	"testing"
	"time"
)

// TestNames is the table of names: those that say a time, and those that must
// never be read as one.
func TestNames(t *testing.T) {
	const (
		at  = "2023-07-04 10:11:12"
		day = "2023-07-04"
	)
	for _, c := range []struct {
		name string
		want string // time, day or milliseconds; "" nothing
		kind Kind
		idx  int
	}{
		{"IMG_20230704_101112.jpg", at, KindCamera, 0},
		{"IMG_20230704_101112_1.jpg", at, KindCamera, 1},
		{"IMG_20230704_101112~2.jpg", at, KindCamera, 0},
		{"IMG_20230704_101112 (1).jpg", at, KindCamera, 0},
		{"IMG_20230704_101112(0).jpg", at, KindCamera, 0},
		{"IMG_20230704_101112-edited.jpg", at, KindCamera, 0},
		{"IMG_20230704_101112_HDR.jpg", at, KindCamera, 0},
		{"IMG_20230704_101112_BURST001.jpg", at, KindCamera, 1},
		{"IMG_20230704_101112_00_005.jpg", at, KindCamera, 5},
		{"IMG_20230704_101112345.jpg", "2023-07-04 10:11:12.345", KindCamera, 0},
		{"img_20230704_101112.JPG", at, KindCamera, 0},
		{"IMG20230704101112.jpg", at, KindCamera, 0},
		{"00000IMG_00001_BURST20190702101112345_COVER.jpg", "2019-07-02 10:11:12.345", KindCamera, 1},
		{"00100dPORTRAIT_00100_BURST20190702101112345_COVER.jpg", "2019-07-02 10:11:12.345", KindCamera, 100},
		{"PXL_20230704_081112123.jpg", "2023-07-04 08:11:12.123 UTC", KindCamera, 0},
		{"PXL_20230704_081112123.MP.jpg", "2023-07-04 08:11:12.123 UTC", KindCamera, 0},
		{"PXL_20230704_081112123.PORTRAIT.jpg", "2023-07-04 08:11:12.123 UTC", KindCamera, 0},
		{"PXL_20230704_081112123~2.jpg", "2023-07-04 08:11:12.123 UTC", KindCamera, 0},
		{"PXL_20230704_081112123.RAW-01.COVER.jpg", "2023-07-04 08:11:12.123 UTC", KindCamera, 0},
		{"MVIMG_20230704_101112.jpg", at, KindCamera, 0},
		{"PANO_20230704_101112.jpg", at, KindCamera, 0},
		{"VID_20230704_101112.mp4", at, KindVideo, 0},
		{"20230704_101112.jpg", at, KindCamera, 0},
		{"20230704_101112_001.jpg", at, KindCamera, 1},
		{"WIN_20230704_10_11_12_Pro.jpg", at, KindCamera, 0},
		{"WP_20140704_10_11_12_Pro.jpg", "2014-07-04 10:11:12", KindCamera, 0},
		{"WP_20140704_003.jpg", "2014-07-04", KindCamera, 3},
		{"DJI_20230704101112_0007_D.JPG", at, KindCamera, 7},
		{"P_20230704_101112.jpg", at, KindCamera, 0},
		{"20230704101112.jpg", at, KindPlain, 0},
		{"Screenshot_20230704-101112_Maps.jpg", at, KindScreenshot, 0},
		{"Screenshot_20230704_101112.png", at, KindScreenshot, 0},
		{"Screenshot_2016-01-02-10-11-12.png", "2016-01-02 10:11:12", KindScreenshot, 0},
		{"Screenshot 2023-07-04 at 10.11.12.png", at, KindScreenshot, 0},
		{"Screenshot 2023-07-04 at 10.11.12 PM.png", "2023-07-04 22:11:12", KindScreenshot, 0},
		{"Screenshot 2023-07-04 at 9.11.12\u202fAM.png", "2023-07-04 09:11:12", KindScreenshot, 0},
		{"Screenshot 2023-07-04 at 12.11.12 AM.png", "2023-07-04 00:11:12", KindScreenshot, 0},
		{"Screen Shot 2023-07-04 at 10.11.12.png", at, KindScreenshot, 0},
		{"Screen Shot 2023-07-04 at 10.11.12 (2).png", at, KindScreenshot, 0},
		{"Bildschirmfoto 2023-07-04 um 10.11.12.png", at, KindScreenshot, 0},
		{"Capture d’écran 2023-07-04 à 10.11.12.png", at, KindScreenshot, 0},
		{"Capture d’e\u0301cran 2023-07-04 a\u0300 10.11.12.png", at, KindScreenshot, 0},
		{"Captura de pantalla 2023-07-04 a las 10.11.12.png", at, KindScreenshot, 0},
		{"Schermata 2023-07-04 alle 10.11.12.png", at, KindScreenshot, 0},
		{"Skärmavbild 2023-07-04 kl. 10.11.12.png", at, KindScreenshot, 0},
		{"Näyttökuva 2023-07-04 kello 10.11.12.png", at, KindScreenshot, 0},
		{"Na\u0308ytto\u0308kuva 2023-07-04 kello 10.11.12.png", at, KindScreenshot, 0},
		{"スクリーンショット 2023-07-04 10.11.12.png", at, KindScreenshot, 0},
		{"Screenshot 2023-07-04 101112.png", at, KindScreenshot, 0},
		{"Screenshot from 2023-07-04 10-11-12.png", at, KindScreenshot, 0},
		{"IMG-20230704-WA0012.jpg", day, KindMessage, 12},
		{"VID-20230704-WA0003.mp4", day, KindMessage, 3},
		{"WhatsApp Image 2023-07-04 at 10.11.12.jpeg", at, KindMessage, 0},
		{"WhatsApp Image 2023-07-04 at 1.11.12 PM (1).jpeg", "2023-07-04 13:11:12", KindMessage, 0},
		{"signal-2023-07-04-10-11-12-123.jpg", "2023-07-04 10:11:12.123", KindMessage, 0},
		{"signal-2023-07-04-101112.jpg", at, KindMessage, 0},
		{"photo_2023-07-04_10-11-12.jpg", at, KindMessage, 0},
		{"photo_17@04-07-2023_10-11-12.jpg", at, KindMessage, 17},
		{"FB_IMG_1688465472000.jpg", "2023-07-04 10:11:12 UTC", KindMessage, 0},
		{"mmexport1688465472000.jpg", "2023-07-04 10:11:12 UTC", KindMessage, 0},
		{"2023-07-04 10.11.12-1.jpg", at, KindPlain, 0},
		{"2023-07-04 10.11.12 PM.jpg", "2023-07-04 22:11:12", KindPlain, 0},
		{"2023-07-04_10-11-12.jpg", at, KindPlain, 0},
		{"2023-07-04T10:11:12.jpg", at, KindPlain, 0},
		{"2023-07-04.jpg", day, KindPlain, 0},
		{"2024-02-29 Birthday.jpg", "2024-02-29", KindPlain, 0},

		{"", "", "", 0},
		{".jpg", "", "", 0},
		{"IMG_1234.jpg", "", "", 0},
		{"IMG_20230704.jpg", "", "", 0},
		{"DSC_0001.JPG", "", "", 0},
		{"DSC02023.JPG", "", "", 0},
		{"P1020304.JPG", "", "", 0},
		{"GOPR2011.JPG", "", "", 0},
		{"100_2012.JPG", "", "", 0},
		{"received_1688465472000123.jpeg", "", "", 0},
		{"received_123.jpeg", "", "", 0},
		{"1688465472000.jpg", "", "", 0},
		{"+358401234567.jpg", "", "", 0},
		{"20201231.jpg", "", "", 0},
		{"20201080.jpg", "", "", 0},
		{"wallpaper_1920x1080.jpg", "", "", 0},
		{"2048x1536_20201080.png", "", "", 0},
		{"IMG_20231304_101112.jpg", "", "", 0},
		{"IMG_20230230_101112.jpg", "", "", 0},
		{"IMG_20230229_101112.jpg", "", "", 0},
		{"IMG_20230704_241112.jpg", "", "", 0},
		{"IMG_20230704_106112.jpg", "", "", 0},
		{"IMG_20230704_101160.jpg", "", "", 0},
		{"IMG_00000000_000000.jpg", "", "", 0},
		{"IMG_18990704_101112.jpg", "", "", 0},
		{"IMG_21000704_101112.jpg", "", "", 0},
		{"IMG_20230704_10111.jpg", "", "", 0},
		{"IMG_20230704_1011123.jpg", "", "", 0},
		{"IMG_20230704_1011123456.jpg", "", "", 0},
		{"IMG_20230704_101112abcd.jpg", "", "", 0},
		{"120230704_101112.jpg", "", "", 0},
		{"202307041011123.jpg", "", "", 0},
		{"20230704101112-7f3a.jpg", "", "", 0},
		{"99999999999999.jpg", "", "", 0},
		{"Screenshot 2023-07-04 at 13.11.12 PM.png", "", "", 0},
		{"Screenshot 2023-07-04 at 0.11.12 AM.png", "", "", 0},
		{"屏幕快照 2023-07-04 下午10.11.12.png", "", "", 0},
		{"IMG-20231304-WA0012.jpg", "", "", 0},
		{"IMG-20230704-WA.jpg", "", "", 0},
		{"FB_IMG_168846547200.jpg", "", "", 0},
		{"FB_IMG_16884654720001.jpg", "", "", 0},
		{"FB_IMG_9999999999999.jpg", "", "", 0},
		{"2023-7-4.jpg", "", "", 0},
		{"2023-07-041.jpg", "", "", 0},
		{"04-07-2023.jpg", "", "", 0},
		{"1.2023-07-04.jpg", "", "", 0},
		{"550e8400-e29b-41d4-a716-446655440000.jpg", "", "", 0},
		{"00000IMG_00001_BURST20191302101112345_COVER.jpg", "", "", 0},
		{strings.Repeat("x", 250) + "_BURST20190702101112345", "", "", 0},
	} {
		got, ok := ParseName(c.name)
		if ok != (c.want != "") {
			t.Errorf("%q: %v, %v", c.name, got, ok)
			continue
		}
		if !ok {
			continue
		}
		text := got.At.Format("2006-01-02 15:04:05.999")
		if got.UTC {
			text += " UTC"
		}
		if got.Precision == Day {
			text = strings.TrimSuffix(text, " 00:00:00")
		}
		if text != c.want || got.Kind != c.kind || got.Index != c.idx {
			t.Errorf("%q: %s, %s, %d; want %s, %s, %d", c.name, text, got.Kind, got.Index, c.want, c.kind, c.idx)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("IMG_20230704_101112_00_005.jpg")
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := ParseName(name)
		if !ok {
			if got != (Named{}) {
				t.Fatalf("%q says nothing, and %v", name, got)
			}
			return
		}
		if y := got.At.Year(); y < 1990 || y > 2099 || got.At.Location() != time.UTC || got.Kind == "" || got.Index < 0 {
			t.Fatalf("%q: %+v", name, got)
		}
		if got.Precision == Day && !got.At.Equal(got.At.Truncate(24*time.Hour)) {
			t.Fatalf("%q: a day at %v", name, got.At)
		}
		if !got.UTC { // nothing but digits that are there makes a time
			for _, part := range []string{"2006", "02"} {
				if !strings.Contains(name, got.At.Format(part)) {
					t.Fatalf("%q has no %s", name, got.At.Format(part))
				}
			}
		}
	})
}

func BenchmarkParseName(b *testing.B) {
	n := newNames()
	for _, name := range []string{"IMG_20230704_101112.jpg", "DSC_0123.JPG", "Skärmavbild 2023-07-04 kl. 10.11.12.png"} {
		b.Run(name[:3], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n.read(name)
			}
		})
	}
}
