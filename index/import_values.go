package index

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

const (
	maxText      = 64 << 10  // bytes of a message, path or label
	maxDim       = 65536     // numbers in a vector, as store has it
	maxRefs      = 1_000_000 // faces of one decision, as store has it
	maxPosition  = 1e9       // pixels
	unitDistance = 1e-3      // how far a vector's length may be from 1, as store has it
)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// readPhoto and readFace are what an export says of one.
type (
	readPhoto struct {
		Photo
		faces  []int // positions in the export's list
		moment MomentID
		place  PlaceID
		where  *exif.GPS
		cell   store.Cell
	}
	readFace struct {
		store.RestoredFace
		photo    PhotoID
		person   PersonID
		by       store.Origin
		rejected DecisionID
	}
)

// checks collects the first fault of an item.
type checks struct{ err error }

func (c *checks) that(ok bool, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checks) id(what, id string) {
	c.that(idPattern.MatchString(id), "%s %.80q: want 1 to 64 letters, digits, - and _", what, id)
}

func (c *checks) text(what, s string) {
	c.that(len(s) <= maxText, "%s of %d bytes: %w", what, len(s), ErrTooLarge)
}

func (c *checks) time(what string, t time.Time) {
	// Microseconds in 64 bits go beyond what a year of four digits does.
	c.that(t.Year() >= 0 && t.Year() <= 9999, "%s %v", what, t)
}

// stamp is a time that may be absent.
func (c *checks) stamp(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	c.time("time", *t)
	return t.UTC()
}

func (c *checks) sha(what, s string) (sum [32]byte) {
	b, err := hex.DecodeString(s)
	c.that(err == nil && len(b) == len(sum), "%s %.80q: want 64 hex digits", what, s)
	if c.err == nil {
		sum = [32]byte(b)
	}
	return sum
}

func (c *checks) box(b jsonBox) face.Box {
	for _, v := range []float64{b.X, b.Y, b.W, b.H} {
		c.that(math.Abs(v) <= maxPosition, "box at %v pixels", v)
	}
	c.that(b.W >= 0 && b.H >= 0, "box of %v x %v pixels", b.W, b.H)
	return face.Box(b)
}

func checkSettings(m map[string]string) error {
	var c checks
	for k, v := range m {
		c.text("key", k)
		c.text("setting", v)
	}
	if text := m[retentionKey]; text != "" && c.err == nil {
		var r Retention
		if c.err = json.Unmarshal([]byte(text), &r); c.err != nil {
			return fmt.Errorf("%s: %w", retentionKey, c.err)
		}
		for class, period := range r {
			c.that(period >= 0, "retention of %s for %v", class, period)
		}
	}
	return c.err
}

func (j jsonSpace) read() (jsonSpace, error) {
	var c checks
	im := j.Impostors
	c.text("name", j.Name)
	c.that(j.Name != "", "no name")
	c.that(j.Dim >= 1 && j.Dim <= maxDim, "dimension %d, want 1 to %d", j.Dim, maxDim)
	c.that(len(im.Thresholds) == len(im.FAR), "%d thresholds and %d rates of impostors", len(im.Thresholds), len(im.FAR))
	return j, c.err
}

func (j jsonPhoto) read() (readPhoto, error) {
	var c checks
	p := Photo{
		ID: j.ID, Path: j.Path, Size: j.Size, Width: j.Width, Height: j.Height, Orientation: j.Orientation,
		Status: j.Status, Stage: j.Stage, Error: j.Error, Warning: j.Warning, Analyzer: j.Analyzer,
		Camera: exif.Camera{Make: j.Make, Model: j.Model},
	}
	if len(j.PathBytes) > 0 {
		p.Path = string(j.PathBytes)
	}
	p.ModTime, p.Added = c.stamp(j.ModTime), c.stamp(j.Added)
	p.Vanished, p.Disposed = c.stamp(j.Vanished), c.stamp(j.Disposed)
	c.id("id", string(j.ID))
	// Not fs.ValidPath, which wants UTF-8.
	c.that(fs.ValidPath(strings.ToValidUTF8(p.Path, "_")) && p.Path != "." && strings.IndexByte(p.Path, 0) < 0, "path %.80q", p.Path)
	for _, s := range []string{p.Path, j.Stage, j.Error, j.Warning, j.Analyzer, j.Make, j.Model} {
		c.text("text", s)
	}
	if j.SHA256 != "" {
		p.SHA256 = c.sha("sha256", j.SHA256)
	}
	c.that(j.SHA256 != "" || j.Status == store.StatusFailed, "no sha256, and yet %s", j.Status)
	c.that(j.Size >= 0 && j.Width >= 0 && j.Height >= 0 && max(j.Width, j.Height) <= math.MaxInt32,
		"%d bytes, %d x %d pixels", j.Size, j.Width, j.Height)
	c.that(j.Orientation >= 1 && j.Orientation <= 8, "orientation %d", j.Orientation)
	switch j.Status {
	case store.StatusOK:
		c.that(j.Analyzer != "", "ok, and yet looked at by no analyzer")
	case store.StatusPending, store.StatusFailed:
	default:
		c.that(false, "status %.80q", string(j.Status))
	}
	p.Taken, p.GPS = c.moment(j.jsonMoment)
	if j.Original != nil { // the corrections come with the decisions
		p.Taken, p.GPS = c.moment(*j.Original)
	}
	c.facts(&p, j.jsonFacts)
	if j.Moment != "" {
		c.id("moment", string(j.Moment))
	}
	if j.Place != "" {
		c.id("place", string(j.Place))
	}
	out := readPhoto{Photo: p, moment: j.Moment, place: j.Place}
	if j.Where != nil {
		out.where, out.cell = c.where(*j.Where)
	}
	return out, c.err
}

func (c *checks) moment(j jsonMoment) (taken exif.Time, gps *exif.GPS) {
	if g := j.GPS; g != nil {
		c.that(math.Abs(g.Lat) <= 90 && math.Abs(g.Lon) <= 180, "position %v, %v", g.Lat, g.Lon)
		c.that(g.Accuracy >= 0, "accuracy of %v m", g.Accuracy)
		c.text("datum", g.Datum)
		gps = new(exif.GPS(*g))
	}
	if j.Taken != nil {
		var err error
		taken, err = j.Taken.read()
		c.that(err == nil, "taken: %w", err)
	}
	return taken, gps
}

func (j jsonTaken) read() (exif.Time, error) {
	t := exif.Time{Zone: exif.ZoneSource(j.Source)}
	var err error
	switch t.Zone {
	case exif.ZoneNone:
		t.Wall, err = time.Parse(localTime, j.Time)
	case exif.ZoneOffset, exif.ZoneGPS, exif.ZonePosition, exif.ZoneSeries, exif.ZoneDefault, exif.ZoneSaid, exif.ZoneUTC:
		var at time.Time
		at, err = time.Parse(localTime+"-07:00", j.Time)
		_, seconds := at.Zone()
		t.Offset = time.Duration(seconds) * time.Second
		t.Wall = at.UTC().Add(t.Offset)
	default:
		err = fmt.Errorf("source of the zone %.80q", j.Source)
	}
	return t, err
}

func (j jsonFace) read() (readFace, error) {
	var c checks
	f := readFace{photo: j.Photo, by: j.By, rejected: j.RejectedBy}
	f.ID, f.Space = j.ID, j.Space
	f.Face = face.Face{Box: c.box(j.Box), Score: j.Score, Quality: j.Quality, Detector: j.Detector, Vector: j.Embedding}
	for i, p := range j.Landmarks {
		f.Landmarks[i] = face.Point{X: p[0], Y: p[1]}
		c.that(max(math.Abs(p[0]), math.Abs(p[1])) <= maxPosition, "landmark at %v", p)
	}
	c.id("id", string(j.ID))
	c.id("photo", string(j.Photo))
	c.text("detector", j.Detector)
	c.text("space", j.Space)
	if j.Person != nil {
		f.person = *j.Person
		c.id("person", string(f.person))
	}
	switch j.By {
	case store.ByNone, store.ByGroup, store.ByDecision, store.ByImport:
	default:
		c.that(false, "by %.80q", string(j.By))
	}
	c.that((f.person == "") == (j.By == ""), "with person %q by %q", f.person, string(j.By))
	c.that(!j.Rejected || f.person == "", "no face, and yet with a person")
	c.that(j.Rejected == (j.RejectedBy != ""), "no face by the decision %q", string(j.RejectedBy))
	if v := j.Embedding; v != nil {
		c.that(len(v) <= maxDim, "embedding of %d numbers", len(v))
		c.that(math.Abs(math.Sqrt(v.Dot(v))-1) <= unitDistance, "embedding of a length that is not 1")
	}
	return f, c.err
}

func (j jsonPerson) read() (jsonPerson, error) {
	var c checks
	c.id("id", string(j.ID))
	c.that(len(j.Name) <= maxName && utf8.ValidString(j.Name), "name of %d bytes, want valid UTF-8 of at most %d", len(j.Name), maxName)
	c.time("created", j.Created)
	if j.Cover != "" {
		c.id("cover", string(j.Cover))
	}
	return j, c.err
}

func (j jsonDecision) read() (Decision, error) {
	var c checks
	d := Decision{
		ID: j.ID, Seq: j.Seq, Kind: j.Kind, At: j.At, Person: j.Person, Other: j.Other, Name: j.Name, OldName: j.OldName,
		Faces: c.refs(j.Faces), Others: c.refs(j.Others), Revoked: j.Revoked, RevokedAfter: j.After,
	}
	c.id("id", string(j.ID))
	c.that(j.Seq > 0, "place %d in the ledger", j.Seq)
	c.time("at", j.At)
	for _, id := range []PersonID{j.Person, j.Other} {
		if id != "" {
			c.id("person", string(id))
		}
	}
	c.that(max(len(j.Name), len(j.OldName)) <= maxName, "name of more than %d bytes", maxName)
	if j.Revoked != nil {
		c.time("revoked", *j.Revoked)
	}
	c.that((j.Revoked != nil) == (j.After != 0) && (j.After == 0 || j.After >= j.Seq), "at %d, revoked after %d", j.Seq, j.After)
	if j.Says != nil {
		taken, gps := c.moment(*j.Says)
		d.Correction = &store.Correction{GPS: gps}
		if j.Kind == store.DecisionTime {
			d.Correction.Taken = &taken
		}
	}
	ofClock := j.Kind == store.DecisionClock
	if j.Clock != nil {
		d.Correction = &store.Correction{Clock: c.clock(*j.Clock)}
	}
	c.that(corrects(d) && !ofClock || j.Says == nil, "%s corrects something", j.Kind)
	c.that(ofClock || j.Clock == nil, "%s corrects a clock", j.Kind)
	c.that(!corrects(d) || ofClock || len(j.Faces) == 1 && (j.Says == nil) == (j.Revoked != nil), "a correction of nothing")
	c.that(!ofClock || len(j.Faces) == 0 && (j.Clock == nil) == (j.Revoked != nil), "a correction of no clock")
	needsPerson, known := wantsPerson(j.Kind)
	c.that(known, "a decision of kind %.80q", string(j.Kind))
	c.that(!needsPerson || j.Person != "", "%s of no person", j.Kind)
	for _, h := range j.Before {
		d.Before = append(d.Before, c.holder(h, len(j.Faces)))
	}
	return d, c.err
}

// wantsPerson reports whether a kind of decision speaks of Decision.Person.
func wantsPerson(k store.DecisionKind) (wants, known bool) {
	switch k {
	case store.DecisionName, store.DecisionMerge, store.DecisionSplit, store.DecisionSame, store.DecisionDifferent,
		store.DecisionIgnore, store.DecisionUnignore, store.DecisionCover:
		return true, true
	case store.DecisionRemove, store.DecisionNotAFace, store.DecisionTime, store.DecisionPlace, store.DecisionClock:
		return false, true
	}
	return false, false
}

func (c *checks) refs(in []jsonRef) []store.FaceRef {
	c.that(len(in) <= maxRefs, "%d faces in one decision: %w", len(in), ErrTooLarge)
	if len(in) == 0 {
		return nil
	}
	out := make([]store.FaceRef, 0, len(in)) // as long as what is in hand
	for _, r := range in {
		out = append(out, store.FaceRef{SHA256: c.sha("sha256", r.SHA256), Box: c.box(r.Box)})
	}
	return out
}

func (c *checks) holder(j jsonHolder, faces int) store.Holder {
	h := store.Holder{Faces: j.Faces}
	if len(j.Faces) == 0 {
		h.Faces = nil
	}
	if j.Person != nil {
		h.Person = *j.Person
		c.id("holder", string(h.Person))
	}
	if j.Created != nil {
		h.Created = *j.Created
		c.time("created", h.Created)
	}
	c.that(slices.IsSorted(j.Faces), "positions of a holder's faces that do not rise")
	c.that(!slices.ContainsFunc(j.Faces, func(i int) bool { return i < 0 || i >= faces }), "a holder of a face beyond the %d of the decision", faces)
	return h
}
