package when

import (
	"strings"
	"time"
)

// Kind says who gives files such names.
type Kind string

const (
	KindCamera     Kind = "camera"     // a camera or a phone, when it took the photo
	KindVideo      Kind = "video"      // the same, of a video
	KindScreenshot Kind = "screenshot" // when the screen was taken
	KindMessage    Kind = "message"    // a messenger, when the photo was sent or came
	KindPlain      Kind = "plain"      // a date and nothing that tells who wrote it
)

// Named is what the name of a file says of its time.
type Named struct {
	// At is the reading, with the location UTC: the moment itself where UTC
	// is set, else what the local clocks showed. A day is its midnight.
	At        time.Time
	UTC       bool
	Precision Precision
	Kind      Kind
	// Index is the number within a burst or within a messenger's day; 0 none.
	Index int
}

// rule is one form of names: a prefix, in any case, and the forms of what
// follows it, the first that fits.
//
// In a form Y M D h m s are digits (two, and four of Y), f are three digits of
// a second's fraction, which may be missing, d h without its leading zero, E
// milliseconds since 1970 in 13 digits, p a mark of the 12-hour clock, which may
// be missing, w one of words, # a number, and all else stands for itself.
type rule struct {
	prefix string
	forms  []string
	kind   Kind
	utc    bool
}

// screens are the forms of screenshots: Android's, Windows', macOS's.
func screens() []string {
	return []string{
		"_YMD-hms", "_YMD_hms", "_Y-M-D-h-m-s", "_Y-M-D-hms", " YMD-hms", " YMD_hms", "-YMD-hms",
		" Y-M-D w d.m.sp", " Y-M-D d.m.sp", " Y-M-D hms", " Y-M-D h-m-s",
	}
}

// table lists the names that are read; every other name says nothing.
func table() []rule {
	compact := []string{"YMD_hmsf"}
	screen := screens()
	rules := []rule{
		{"PXL_", compact, KindCamera, true}, // the only ones in UTC
		{"IMG_", compact, KindCamera, false},
		{"IMG", []string{"YMDhms"}, KindCamera, false}, // Oppo, OnePlus
		{"IMG-", []string{"YMD-WA#"}, KindMessage, false},
		{"MVIMG_", compact, KindCamera, false},
		{"PANO_", compact, KindCamera, false},
		{"PORTRAIT_", compact, KindCamera, false},
		{"P_", compact, KindCamera, false}, // Asus
		{"C360_", []string{"Y-M-D-h-m-s-f"}, KindCamera, false},
		{"DJI_", []string{"YMDhms_#", "YMD_hms_#"}, KindCamera, false},
		{"WIN_", []string{"YMD_h_m_s"}, KindCamera, false},
		{"WP_", []string{"YMD_h_m_s", "YMD_#"}, KindCamera, false}, // Windows Phone
		{"VID_", compact, KindVideo, false},
		{"VID", []string{"YMDhms"}, KindVideo, false},
		{"VID-", []string{"YMD-WA#"}, KindMessage, false},
		{"WhatsApp Image", []string{" Y-M-D w d.m.sp"}, KindMessage, false},
		{"WhatsApp Video", []string{" Y-M-D w d.m.sp"}, KindMessage, false},
		{"signal-", []string{"Y-M-D-h-m-s-f", "Y-M-D-h-m-s", "Y-M-D-hms"}, KindMessage, false},
		{"photo_", []string{"Y-M-D_h-m-s", "#@D-M-Y_h-m-s"}, KindMessage, false}, // Telegram
		{"video_", []string{"Y-M-D_h-m-s", "#@D-M-Y_h-m-s"}, KindMessage, false},
		{"FB_IMG_", []string{"E"}, KindMessage, false},
		{"mmexport", []string{"E"}, KindMessage, false}, // WeChat
		{"wx_camera_", []string{"E"}, KindCamera, false},
		{"", []string{"YMD_hmsf", "YMD-hms"}, KindCamera, false}, // Samsung
		{"", []string{"Y-M-D d.m.sp", "Y-M-D h-m-s", "Y-M-D_h-m-s", "Y-M-D_h.m.s", "Y-M-D-h-m-s", "Y-M-DTh:m:s", "Y-M-DThms"}, KindPlain, false},
		{"", []string{"Y-M-D"}, KindPlain, false},
	}
	// macOS names screenshots in the language of its user.
	for _, prefix := range []string{
		"Screenshot", "Screenshot from", "Screen Shot", "Bildschirmfoto", "Capture d’écran", "Capture d'écran", "Captura de pantalla",
		"Captura de Tela", "Captura de ecrã", "Schermata", "Schermafbeelding", "Skärmavbild", "Skärmbild",
		"Skjermbilde", "Skærmbillede", "Näyttökuva", "Zrzut ekranu", "Снимок экрана", "スクリーンショット",
		"屏幕快照", "截屏", "截圖", "스크린샷", "Ekran Resmi", "Képernyőfotó", "Snímek obrazovky",
	} {
		rules = append(rules, rule{prefix, screen, KindScreenshot, false})
	}
	return rules
}

// words stand between the date and the time. Any other word could mean
// anything, such as the afternoon.
func words() []string {
	return []string{"at", "um", "à", "a las", "alle", "om", "kl.", "kello", "às", "o", "в", "saat", "v", "-"}
}

// names reads names. It holds the table, which ParseName makes anew.
type names struct {
	rules []rule
	words []string
}

func newNames() *names { return &names{table(), words()} }

// ParseName reads what the base name of a file says of its time, and false for
// a name that is not of a known form: most numbers in names are no times.
// Years are 1990 to 2099.
func ParseName(name string) (Named, bool) { return newNames().read(name) }

func (n *names) read(name string) (Named, bool) {
	if len(name) > 255 || !strings.ContainsAny(name, "12") {
		return Named{}, false
	}
	if got, ok := burst(name); ok {
		return got, true
	}
	name = composed(name)
	for _, r := range n.rules {
		rest, ok := cutPrefix(name, r.prefix)
		if !ok {
			continue
		}
		for _, form := range r.forms {
			if p, ok := n.parse(form, rest); ok {
				got := Named{At: p.at(), UTC: r.utc || p.epoch != 0, Kind: r.kind, Index: p.index}
				if !strings.ContainsRune(form, 's') && p.epoch == 0 {
					got.Precision = Day
				}
				if got.Index == 0 && got.Precision != Day {
					got.Index = p.number()
				}
				return got, true
			}
		}
	}
	if rest, ok := digits(name, 14); ok && (rest == "" || rest[0] == '.') {
		if p, ok := n.parse("YMDhms", name); ok {
			return Named{At: p.at(), Kind: KindPlain}, true
		}
	}
	return Named{}, false
}

// burst reads what Google's camera called its bursts and portraits:
// 00000IMG_00001_BURST20190702101112345_COVER.jpg.
func burst(name string) (Named, bool) {
	const mark = "_BURST"
	before, rest, ok := strings.Cut(name, mark)
	if _, long := digits(rest, 17); !ok || !long {
		return Named{}, false
	}
	var n names
	p, ok := n.parse("YMDhmsf", rest)
	if !ok {
		return Named{}, false
	}
	got := Named{At: p.at(), Kind: KindCamera}
	if i := strings.LastIndexByte(before, '_'); i >= 0 {
		if v, rest := leading(before[i+1:]); rest == "" {
			got.Index = v
		}
	}
	return got, true
}

// reading is a name on its way through parse.
type reading struct {
	year, month, day, hour, min, sec, milli int

	epoch int64 // milliseconds since 1970
	index int
	tail  string
}

// parse reads text by a form, and false where it does not fit or is no time.
func (n *names) parse(form, text string) (reading, bool) {
	r := reading{tail: text}
	pm, hour12 := false, false
	for i := range len(form) {
		ok := true
		switch form[i] {
		case 'Y':
			ok = r.take(&r.year, 4)
		case 'M':
			ok = r.take(&r.month, 2)
		case 'D':
			ok = r.take(&r.day, 2)
		case 'h':
			ok = r.take(&r.hour, 2)
		case 'd':
			ok = r.take(&r.hour, 2) || r.take(&r.hour, 1)
		case 'm':
			ok = r.take(&r.min, 2)
		case 's':
			ok = r.take(&r.sec, 2)
		case 'f':
			r.take(&r.milli, 3)
		case 'E':
			var high, low int
			if ok = r.take(&high, 7) && r.take(&low, 6); ok {
				r.epoch = int64(high)*1e6 + int64(low)
			}
		case '#':
			rest := r.tail
			r.index, r.tail = leading(rest)
			ok = rest != r.tail
		case 'p':
			pm, hour12 = r.half()
		case 'w':
			ok = n.word(&r)
		default:
			ok = r.tail != "" && r.tail[0] == form[i]
			if ok {
				r.tail = r.tail[1:]
			}
		}
		if !ok {
			return reading{}, false
		}
	}
	if hour12 {
		if r.hour < 1 || r.hour > 12 {
			return reading{}, false
		}
		r.hour %= 12
		if pm {
			r.hour += 12
		}
	}
	return r, r.valid() && ends(r.tail)
}

func (r *reading) take(v *int, n int) bool {
	rest, ok := digits(r.tail, n)
	if !ok {
		return false
	}
	*v, _ = leading(r.tail[:n])
	r.tail = rest
	return true
}

// half reads the mark of a half of the day, behind a space of any kind.
func (r *reading) half() (pm, ok bool) {
	rest := r.tail
	for _, space := range []string{" ", "\u202f", "\u00a0"} { // macOS 13 writes a narrow one
		rest = strings.TrimPrefix(rest, space)
	}
	for _, mark := range []string{"AM", "PM", "a.m.", "p.m."} {
		if after, found := cutPrefix(rest, mark); found {
			r.tail = after
			return mark[0]|0x20 == 'p', true
		}
	}
	return false, false
}

func (n *names) word(r *reading) bool {
	for _, w := range n.words {
		if after, ok := cutPrefix(r.tail, w); ok && strings.HasPrefix(after, " ") {
			r.tail = after // the space is the form's
			return true
		}
	}
	return false
}

func (r *reading) at() time.Time {
	if r.epoch != 0 {
		return time.UnixMilli(r.epoch).UTC()
	}
	return time.Date(r.year, time.Month(r.month), r.day, r.hour, r.min, r.sec, r.milli*1e6, time.UTC)
}

func (r *reading) valid() bool {
	at := r.at()
	if year := at.Year(); year < 1990 || year > 2099 {
		return false
	}
	return r.epoch != 0 ||
		r.month >= 1 && r.month <= 12 && at.Day() == r.day && r.day >= 1 && r.hour < 24 && r.min < 60 && r.sec < 60
}

// ends reports whether a time may end before the rest of a name: a letter or a
// digit more, and the number was another one.
func ends(tail string) bool {
	return tail == "" || strings.IndexByte("_-~. ,(+@", tail[0]) >= 0
}

// number is what follows a time as the number of a photo within its burst:
// _BURST001, _001, _00_005.
func (r *reading) number() int {
	rest, ok := cutPrefix(r.tail, "_BURST")
	if !ok {
		rest, ok = cutPrefix(r.tail, "_")
	}
	v, after := leading(rest)
	if ok && len(after) > 1 && after[0] == '_' && v == 0 {
		if w, last := leading(after[1:]); last != after[1:] {
			v, after = w, last
		}
	}
	if !ok || after == rest || !ends(after) {
		return 0
	}
	return v
}

// digits cuts n digits, of which no further one may follow where n is all of a
// number: that is for the caller's form to say.
func digits(s string, n int) (rest string, ok bool) {
	if len(s) < n {
		return s, false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return s, false
		}
	}
	return s[n:], true
}

// leading is the number at the start of a text, of at most nine digits.
func leading(s string) (v int, rest string) {
	i := 0
	for ; i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9'; i++ {
		v = 10*v + int(s[i]-'0')
	}
	return v, s[i:]
}

// cutPrefix is strings.CutPrefix in any case of letters.
func cutPrefix(s, prefix string) (string, bool) {
	if len(s) < len(prefix) {
		return s, false
	}
	if prefix != "" && (s[0]^prefix[0])&^0x20 != 0 { // most names, at once
		return s, false
	}
	if !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// composed joins the letters and marks that macOS's file system keeps apart,
// of the letters in the table.
func composed(s string) string {
	if !strings.ContainsAny(s, "\u0300\u0301\u0303\u0308\u030a") {
		return s
	}
	return strings.NewReplacer("e\u0301", "é", "a\u0300", "à", "a\u0303", "ã", "a\u0308", "ä", "o\u0308", "ö",
		"a\u030a", "å", "i\u0301", "í", "o\u0301", "ó", "E\u0301", "É").Replace(s)
}
