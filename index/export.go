package index

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// ExportOptions say what an export holds.
type ExportOptions struct {
	// Embeddings adds each face's vector. They are biometric data: whoever
	// has them can recognise the people in other photos.
	Embeddings bool
}

// The export's JSON. Boxes and landmarks are in pixels of the upright photo.
type (
	jsonPhoto struct {
		ID          PhotoID    `json:"id"`
		Path        string     `json:"path"`
		PathBytes   string     `json:"path_base64,omitempty"` // where the path is no valid UTF-8
		SHA256      string     `json:"sha256"`
		Width       int        `json:"width"`
		Height      int        `json:"height"`
		Orientation int        `json:"orientation"`
		Status      string     `json:"status"`
		Stage       string     `json:"stage,omitempty"`
		Error       string     `json:"error,omitempty"`
		Warning     string     `json:"warning,omitempty"`
		Taken       *jsonTaken `json:"taken,omitempty"`
		GPS         *jsonGPS   `json:"gps,omitempty"`
		Camera      string     `json:"camera,omitempty"`
	}
	jsonTaken struct {
		Time   string `json:"time"` // RFC 3339; without a zone where it is unknown
		Zone   string `json:"zone,omitempty"`
		Source string `json:"zone_source"`
	}
	jsonGPS struct {
		Lat float64  `json:"lat"`
		Lon float64  `json:"lon"`
		Alt *float64 `json:"alt,omitempty"`
	}
	jsonBox struct {
		X float64 `json:"x"`
		Y float64 `json:"y"`
		W float64 `json:"w"`
		H float64 `json:"h"`
	}
	jsonFace struct {
		ID        FaceID        `json:"id"`
		Photo     PhotoID       `json:"photo"`
		Box       jsonBox       `json:"box"`
		Landmarks [5][2]float64 `json:"landmarks"`
		Score     float64       `json:"score"`
		Quality   float64       `json:"quality"`
		Detector  string        `json:"detector"`
		Person    *PersonID     `json:"person"` // null: kith abstained
		By        store.Origin  `json:"by,omitempty"`
		Rejected  bool          `json:"rejected,omitempty"` // somebody said that it is no face
		Embedding face.Vector   `json:"embedding,omitempty"`
	}
	jsonPerson struct {
		ID      PersonID  `json:"id"`
		Name    string    `json:"name"`
		Faces   int       `json:"faces"`
		Cover   FaceID    `json:"cover,omitempty"`
		Chosen  bool      `json:"cover_chosen,omitempty"`
		Created time.Time `json:"created"`
		Ignored bool      `json:"ignored,omitempty"`
	}
	jsonRef struct {
		SHA256 string  `json:"sha256"`
		Box    jsonBox `json:"box"`
	}
	jsonHolder struct {
		Person  *PersonID  `json:"person"` // null: nobody
		Created *time.Time `json:"created,omitempty"`
		Faces   []int      `json:"faces,omitempty"` // positions in the decision's faces; absent: all that it moved
	}
	jsonDecision struct {
		ID      DecisionID         `json:"id"`
		Seq     int64              `json:"seq"`
		Kind    store.DecisionKind `json:"kind"`
		At      time.Time          `json:"at"`
		Person  PersonID           `json:"person"`
		Other   PersonID           `json:"other,omitempty"`
		Name    string             `json:"name,omitempty"`
		OldName string             `json:"old_name,omitempty"`
		Faces   []jsonRef          `json:"faces"`
		Others  []jsonRef          `json:"others,omitempty"`
		Before  []jsonHolder       `json:"before,omitempty"` // whose the faces were that it moved
		Revoked *time.Time         `json:"revoked,omitempty"`
		After   int64              `json:"revoked_after,omitempty"` // greatest seq when it was revoked
	}
	jsonConsent struct {
		Given   bool      `json:"given"`
		At      time.Time `json:"at"`
		By      string    `json:"by"`
		Version string    `json:"version"`
		Means   string    `json:"means"`
	}
)

// Export writes everything the account knows as JSON: photos, faces, people,
// decisions and consent. It holds one item in memory at a time, and with
// ExportOptions.Embeddings all vectors. The listings are separate snapshots: do
// not change the account meanwhile.
func (a *Account) Export(ctx context.Context, w io.Writer, opt ExportOptions) error {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	space, err := a.space(ctx)
	if err != nil {
		return err
	}
	buf := bufio.NewWriter(w)
	e := &exporter{w: buf}
	e.raw(`{"format":"kith-export","version":1,"account":`)
	e.value(a.ID())
	e.raw(`,"space":`)
	e.value(space)
	list(e, "photos", a.db.Photos(ctx, PhotoQuery{}), exportPhoto)
	vector := func(FaceID) (face.Vector, error) { return nil, nil }
	if opt.Embeddings {
		if vector, err = a.allVectors(ctx, space); err != nil {
			return err
		}
	}
	list(e, "faces", a.db.Faces(ctx, FaceQuery{Rejected: Include}), func(f Face) jsonFace {
		j := exportFace(f)
		if e.err == nil {
			j.Embedding, e.err = vector(f.ID)
		}
		return j
	})
	list(e, "people", a.db.People(ctx, PeopleQuery{Ignored: Include}), func(p Person) jsonPerson {
		return jsonPerson{p.ID, p.Name, p.Faces, p.Cover, p.CoverChosen, p.Created, p.Ignored}
	})
	list(e, "decisions", a.db.Decisions(ctx), exportDecision)
	consents, err := a.db.Consents(ctx)
	if err != nil {
		return err
	}
	list(e, "consent", func(yield func(Consent, error) bool) {
		for _, c := range consents {
			if !yield(c, nil) {
				return
			}
		}
	}, func(c Consent) jsonConsent { return jsonConsent(c) })
	e.raw("\n}\n")
	if e.err != nil {
		return e.err
	}
	return buf.Flush()
}

// allVectors finds each face's vector, nil where it has none. Those of the space
// in use are loaded at once: one by one they take a hundred times as long.
func (a *Account) allVectors(ctx context.Context, space string) (func(FaceID) (face.Vector, error), error) {
	all, err := a.db.Embeddings(ctx, space)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	at := make(map[FaceID]int, len(all.IDs))
	for i, id := range all.IDs {
		at[id] = i
	}
	return func(id FaceID) (face.Vector, error) {
		if i, ok := at[id]; ok {
			return all.Data[i*all.Space.Dim : (i+1)*all.Space.Dim], nil
		}
		v, err := a.db.Vector(ctx, id) // rejected, or of another space
		if isNotFound(err) {
			return nil, nil
		}
		return v, err
	}, nil
}

// exporter writes JSON piece by piece and remembers the first error.
type exporter struct {
	w   io.Writer
	err error
}

func (e *exporter) raw(s string) {
	if e.err == nil {
		_, e.err = io.WriteString(e.w, s)
	}
}

func (e *exporter) value(v any) {
	if e.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = e.w.Write(b)
	}
	e.err = err
}

// list writes a listing as one member of the export, one item a line.
func list[T, J any](e *exporter, name string, seq func(func(T, error) bool), item func(T) J) {
	e.raw(",\n\"" + name + `":[`)
	sep := "\n"
	for v, err := range seq {
		if err != nil && e.err == nil {
			e.err = err
		}
		if e.err != nil {
			return
		}
		e.raw(sep)
		sep = ",\n"
		e.value(item(v))
	}
	e.raw("]")
}

func exportPhoto(p Photo) jsonPhoto {
	j := jsonPhoto{
		ID: p.ID, Path: p.Path, SHA256: hex.EncodeToString(p.SHA256[:]),
		Width: p.Width, Height: p.Height, Orientation: max(1, p.Orientation),
		Status: string(p.Status), Stage: p.Stage, Error: p.Error, Warning: p.Warning,
		Taken: exportTaken(p.Taken),
	}
	if !utf8.ValidString(p.Path) {
		j.PathBytes = base64.StdEncoding.EncodeToString([]byte(p.Path))
	}
	if p.SHA256 == [32]byte{} {
		j.SHA256 = "" // the file could not be read
	}
	if p.GPS != nil {
		j.GPS = &jsonGPS{Lat: p.GPS.Lat, Lon: p.GPS.Lon, Alt: p.GPS.Alt}
	}
	switch c := p.Camera; {
	case c.Make != "" && c.Model != "":
		j.Camera = c.Make + " " + c.Model
	default:
		j.Camera = c.Make + c.Model
	}
	return j
}

func exportTaken(t exif.Time) *jsonTaken {
	if t.IsZero() {
		return nil
	}
	const local = "2006-01-02T15:04:05.999999999"
	if _, known := t.Instant(); !known {
		return &jsonTaken{Time: t.Wall.Format(local), Source: string(exif.ZoneNone)}
	}
	zone := t.Wall.In(time.FixedZone("", int(t.Offset/time.Second))).Format("-07:00")
	return &jsonTaken{Time: t.Wall.Format(local) + zone, Zone: zone, Source: string(t.Zone)}
}

func exportFace(f Face) jsonFace {
	j := jsonFace{
		ID: f.ID, Photo: f.Photo, Box: jsonBox(f.Box),
		Score: f.Score, Quality: f.Quality, Detector: f.Detector, By: f.By, Rejected: f.Rejected != "",
	}
	for i, p := range f.Landmarks {
		j.Landmarks[i] = [2]float64{p.X, p.Y}
	}
	if f.Person != "" {
		j.Person = &f.Person
	}
	return j
}

func exportDecision(d Decision) jsonDecision {
	refs := func(rs []store.FaceRef) []jsonRef {
		out := make([]jsonRef, 0, len(rs))
		for _, r := range rs {
			out = append(out, jsonRef{SHA256: hex.EncodeToString(r.SHA256[:]), Box: jsonBox(r.Box)})
		}
		return out
	}
	j := jsonDecision{
		ID: d.ID, Seq: d.Seq, Kind: d.Kind, At: d.At, Person: d.Person, Other: d.Other, Name: d.Name, OldName: d.OldName,
		Faces: refs(d.Faces), Others: refs(d.Others), Revoked: d.Revoked, After: d.RevokedAfter,
	}
	for _, h := range d.Before {
		jh := jsonHolder{Faces: h.Faces}
		if h.Person != "" {
			jh.Person, jh.Created = &h.Person, &h.Created
		}
		j.Before = append(j.Before, jh)
	}
	return j
}
