package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/kith-photos/kith/store"
)

// Limits of an export that is read. What it says is kept in memory until it is
// checked, which takes about as much as its JSON.
const (
	maxExport      = 16 << 30  // bytes
	maxExportItem  = 512 << 20 // bytes of one item: a decision may name a million faces
	maxExportItems = 20_000_000
	maxExportDepth = 1000 // of what is passed over
)

var (
	errNoExport  = errors.New("not an export of kith")
	errCutOff    = errors.New("cut off: it ends before the export does")
	errTwice     = errors.New("there twice")
	errTooMany   = fmt.Errorf("%w: more than an export can hold", ErrTooLarge)
	errTrailing  = errors.New("something follows the export")
	errNoMembers = errors.New("parts of it are missing")
)

// exported is an export as it was read: every value is in its range, but what
// refers to what is not checked.
type exported struct {
	format    string
	version   int
	account   string
	space     string
	settings  map[string]string
	spaces    []jsonSpace
	photos    []readPhoto
	faces     []readFace
	people    []jsonPerson
	decisions []Decision
	places    []store.Place
	moments   []readStretch
	consents  int
}

// readExport reads and checks an export item by item. Members that it does not
// know are passed over. Its errors are *ImportError of the part, such as
// "faces[12]".
func readExport(ctx context.Context, r io.Reader) (*exported, error) {
	x := &exportReader{ctx: ctx, in: &meter{r: r, whole: maxExport, item: maxExportItem}, seen: map[string]bool{}}
	x.dec = json.NewDecoder(x.in)
	if err := x.all(); err != nil {
		if x.in.err != nil && !errors.Is(x.in.err, io.EOF) {
			err = x.in.err // the reader's, of which the decoder makes a syntax error
		}
		var known *ImportError
		switch {
		case ctx.Err() != nil:
			return nil, cause(ctx, ctx.Err())
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			err = errCutOff
		case errors.As(err, &known):
			return nil, err
		}
		return nil, &ImportError{Part: x.part(), Err: err}
	}
	return &x.exported, nil
}

// exportReader is a walk through the JSON of an export.
type exportReader struct {
	exported
	ctx  context.Context // of the one call that it lives in
	in   *meter
	dec  *json.Decoder
	seen map[string]bool // members, of which each comes once
	at   string          // the member that is being read
	item int             // its item, from 1; 0 before the first
}

// part names what is being read.
func (x *exportReader) part() string {
	if x.item > 0 {
		return fmt.Sprintf("%s[%d]", x.at, x.item-1)
	}
	return x.at
}

func (x *exportReader) all() error {
	if err := x.delim('{'); err != nil {
		return err
	}
	members := x.members()
	for x.dec.More() {
		t, err := x.dec.Token()
		if err != nil {
			return err
		}
		x.at, x.item = t.(string), 0 // the decoder allows nothing else as a key
		read, known := members[x.at]
		if !known {
			read = x.skip
		} else if x.seen[x.at] {
			return errTwice
		}
		x.seen[x.at] = true
		if err := read(); err != nil {
			return err
		}
		if x.seen["format"] && x.format != exportFormat {
			return errNoExport
		}
	}
	x.at, x.item = "", 0
	if err := x.delim('}'); err != nil {
		return err
	}
	// To the very end: only there an archive's checksum is compared.
	switch _, err := x.dec.Token(); {
	case err == nil:
		return errTrailing
	case !errors.Is(err, io.EOF):
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !x.seen[name] && !slices.Contains([]string{"settings", "spaces", "space", "account", "places", "moments"}, name) {
			return fmt.Errorf("%w: %s", errNoMembers, name)
		}
	}
	return nil
}

// members are the parts of an export that are read.
func (x *exportReader) members() map[string]func() error {
	return map[string]func() error{
		"format":  func() error { return x.value(&x.format) },
		"version": x.readVersion,
		"account": func() error { return x.value(&x.account) },
		"space":   func() error { return x.value(&x.space) },
		"settings": func() error {
			if err := x.value(&x.settings); err != nil {
				return err
			}
			return checkSettings(x.settings)
		},
		"spaces":    func() error { return items(x, &x.spaces, jsonSpace.read) },
		"photos":    func() error { return items(x, &x.photos, jsonPhoto.read) },
		"faces":     func() error { return items(x, &x.faces, jsonFace.read) },
		"people":    func() error { return items(x, &x.people, jsonPerson.read) },
		"places":    func() error { return items(x, &x.places, jsonPlace.read) },
		"moments":   func() error { return items(x, &x.moments, jsonStretch.read) },
		"decisions": func() error { return items(x, &x.decisions, jsonDecision.read) },
		"consent": func() error {
			var records []struct{}
			err := items(x, &records, func(jsonConsent) (struct{}, error) { return struct{}{}, nil })
			x.consents = len(records)
			return err
		},
	}
}

func (x *exportReader) readVersion() error {
	if err := x.value(&x.version); err != nil {
		return err
	}
	if x.version != exportVersion {
		return fmt.Errorf("version %d, want %d: another kith is needed", x.version, exportVersion)
	}
	return nil
}

// value reads one value.
func (x *exportReader) value(v any) error {
	x.in.next()
	return x.dec.Decode(v)
}

// items reads a list, each item by itself.
func items[J, T any](x *exportReader, to *[]T, read func(J) (T, error)) error {
	if err := x.delim('['); err != nil {
		return err
	}
	for x.dec.More() {
		if x.item++; x.item > maxExportItems {
			return errTooMany
		}
		if x.item%1024 == 0 && x.ctx.Err() != nil {
			return x.ctx.Err()
		}
		var j J
		if err := x.value(&j); err != nil {
			return err
		}
		v, err := read(j)
		if err != nil {
			return err
		}
		*to = append(*to, v)
	}
	return x.delim(']')
}

// skip passes over a value of any depth without keeping it.
func (x *exportReader) skip() error {
	for depth := 0; ; {
		x.in.next()
		t, err := x.dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxExportDepth {
				return errTooMany
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return x.ctx.Err()
		}
	}
}

func (x *exportReader) delim(want json.Delim) error {
	x.in.next()
	t, err := x.dec.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%w: %v where %v should be", errNoExport, t, want)
	}
	return err
}

// meter bounds how much is read, of the whole and for one item: the decoder
// holds an item's text in memory, and reads no further than it has room for.
type meter struct {
	r           io.Reader
	whole, item int64
	left        int64 // for this item
	err         error
}

func (m *meter) next() { m.left = m.item }

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.whole -= int64(n)
	m.left -= int64(n)
	if m.whole < 0 || m.left < 0 {
		n, err = 0, errTooMany
	}
	if err != nil {
		m.err = err
	}
	return n, err
}
