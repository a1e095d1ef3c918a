package index

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"iter"
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
	// Originals shows the photos under the paths that the account knows;
	// ExportZIP and ExportDir then add a crop of every face that is with a
	// person. Nil: no crops.
	Originals fs.FS
	// CropSize is the crops' width and height in pixels, 1 to 4096; 0: 256.
	CropSize int
}

// exportedSettings are the settings that an export carries and an import takes:
// what a person chose, and nothing that belongs to the machine.
func exportedSettings() []string { return []string{sourceKey, retentionKey} }

// Export writes everything the account knows as JSON (ExportSchema): photos,
// faces, people, places, moments, decisions, settings, consent and the audit. It holds one item in memory
// at a time, and with ExportOptions.Embeddings all vectors. The listings are
// separate snapshots: do not change the account meanwhile.
func (a *Account) Export(ctx context.Context, w io.Writer, opt ExportOptions) error {
	return a.exporting(ctx, opt, func(ctx context.Context) error { return a.exportJSON(ctx, w, opt) })
}

// exporting runs an export, which a deleted account still allows, and notes it
// in the audit.
func (a *Account) exporting(ctx context.Context, opt ExportOptions, write func(context.Context) error) error {
	ctx, done, err := a.enter(ctx)
	if err != nil {
		return err
	}
	defer done()
	s, err := a.db.State(ctx)
	if err == nil && !s.Erased.IsZero() {
		err = ErrErased
	}
	if err == nil {
		err = write(ctx)
	}
	if err != nil || a.cfg.ReadOnly {
		return err
	}
	counts := Counts{ClassExports: 1}
	if opt.Embeddings {
		counts[ClassTemplates] = 1
	}
	_, err = a.db.Note(ctx, "export", counts)
	return err
}

func (a *Account) exportJSON(ctx context.Context, w io.Writer, opt ExportOptions) error {
	space, err := a.space(ctx)
	if err != nil {
		return err
	}
	spaces, err := a.db.Spaces(ctx)
	if err != nil {
		return err
	}
	if err := a.arrangedIfOpen(ctx); err != nil {
		return err
	}
	settings, err := a.exportSettings(ctx)
	if err != nil {
		return err
	}
	consents, err := a.db.Consents(ctx)
	if err != nil {
		return err
	}
	var vectors map[FaceID]embedding
	if opt.Embeddings {
		if vectors, err = a.allVectors(ctx, spaces); err != nil {
			return err
		}
	}
	buf := bufio.NewWriter(w)
	e := &exporter{w: buf}
	e.raw("{")
	e.member("format", exportFormat)
	e.raw(",")
	e.member("version", exportVersion)
	e.raw(",")
	e.member("account", a.ID())
	e.raw(",")
	e.member("space", space)
	e.raw(",\n")
	e.member("settings", settings)
	list(e, "spaces", each(spaces), func(s store.Space) jsonSpace { return jsonSpace(s) })
	list(e, "photos", a.db.Photos(ctx, PhotoQuery{}), func(p Photo) jsonPhoto {
		j := exportPhoto(p)
		if s, err := a.db.Shot(ctx, p.ID); err == nil {
			j.exportShot(s)
		} else if !isNotFound(err) && e.err == nil {
			e.err = err
		}
		if p.Corrected && e.err == nil {
			var taken exif.Time
			var gps *exif.GPS
			taken, gps, e.err = a.db.Original(ctx, p.ID)
			j.Original = new(exportMoment(taken, gps))
		}
		return j
	})
	list(e, "faces", a.db.Faces(ctx, FaceQuery{Rejected: Include}), func(f Face) jsonFace {
		j := exportFace(f)
		v := vectors[f.ID]
		if j.Embedding = v.vector; v.space != space {
			j.Space = v.space
		}
		return j
	})
	list(e, "people", a.db.People(ctx, PeopleQuery{Ignored: Include}), func(p Person) jsonPerson {
		return jsonPerson{p.ID, p.Name, p.Faces, p.Cover, p.CoverChosen, p.Created, p.Ignored}
	})
	a.exportArrangement(ctx, e)
	list(e, "decisions", a.db.Decisions(ctx), exportDecision)
	list(e, "consent", each(consents), func(c Consent) jsonConsent { return jsonConsent(c) })
	a.exportFriends(ctx, e)
	list(e, "audit", a.db.Audit(ctx), func(n AuditEntry) jsonAudit {
		return jsonAudit{n.ID, n.Seq, n.At, n.Actor, n.Action, n.Counts, hex.EncodeToString(n.Hash[:])}
	})
	e.raw("\n}\n")
	if e.err != nil {
		return e.err
	}
	return buf.Flush()
}

// exportSettings are those that are set.
func (a *Account) exportSettings(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for _, key := range exportedSettings() {
		value, err := a.db.Setting(ctx, key)
		if err != nil {
			return nil, err
		}
		if value != "" {
			out[key] = value
		}
	}
	about, _, err := a.db.ArrangedBy(ctx)
	if err == nil && about != "" {
		out[arrangedKey] = about
	}
	return out, err
}

// embedding is a face's vector and the space that it is in.
type embedding struct {
	space  string
	vector face.Vector
}

// allVectors are the vectors of all faces: one by one they take a hundred times
// as long to read.
func (a *Account) allVectors(ctx context.Context, spaces []store.Space) (map[FaceID]embedding, error) {
	all := map[FaceID]embedding{}
	for _, s := range spaces {
		err := a.db.EachVector(ctx, s.Name, func(id FaceID, v face.Vector) error {
			all[id] = embedding{s.Name, append(face.Vector(nil), v...)}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
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

func (e *exporter) member(name string, v any) {
	e.raw(`"` + name + `":`)
	e.value(v)
}

// each is a slice as a listing.
func each[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range items {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// list writes a listing as one member of the export, one item a line.
func list[T, J any](e *exporter, name string, seq iter.Seq2[T, error], item func(T) J) {
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
		ID: p.ID, Path: p.Path, SHA256: hex.EncodeToString(p.SHA256[:]), Size: p.Size,
		Width: p.Width, Height: p.Height, Orientation: max(1, p.Orientation),
		Status: p.Status, Stage: p.Stage, Error: p.Error, Warning: p.Warning, Analyzer: p.Analyzer,
		Added: stamp(p.Added), Vanished: stamp(p.Vanished), Disposed: stamp(p.Disposed), ModTime: stamp(p.ModTime),
		jsonMoment: exportMoment(p.Taken, p.GPS), Make: p.Camera.Make, Model: p.Camera.Model,
	}
	j.jsonFacts = jsonFacts{TakenFrom: p.TakenFrom, Fix: stamp(p.Fix), Burst: p.Burst, Video: p.Video, Serial: p.Camera.Serial}
	if !utf8.ValidString(p.Path) {
		j.PathBytes = []byte(p.Path)
	}
	if p.SHA256 == [32]byte{} {
		j.SHA256 = "" // the file could not be read
	}
	switch c := p.Camera; {
	case c.Make != "" && c.Model != "":
		j.Camera = c.Make + " " + c.Model
	default:
		j.Camera = c.Make + c.Model
	}
	return j
}

// stamp is nil for a time that is not known, or not to be written in RFC 3339.
func stamp(t time.Time) *time.Time {
	if y := t.Year(); t.IsZero() || y < 0 || y > 9999 {
		return nil
	}
	return &t
}

func exportMoment(taken exif.Time, gps *exif.GPS) jsonMoment {
	j := jsonMoment{Taken: exportTaken(taken)}
	if gps != nil {
		j.GPS = new(jsonGPS(*gps))
	}
	return j
}

const localTime = "2006-01-02T15:04:05.999999999"

func exportTaken(t exif.Time) *jsonTaken {
	if t.IsZero() {
		return nil
	}
	if _, known := t.Instant(); !known {
		return &jsonTaken{Time: t.Wall.Format(localTime), Source: string(exif.ZoneNone)}
	}
	zone := t.Wall.In(time.FixedZone("", int(t.Offset/time.Second))).Format("-07:00")
	return &jsonTaken{Time: t.Wall.Format(localTime) + zone, Zone: zone, Source: string(t.Zone)}
}

func exportFace(f Face) jsonFace {
	j := jsonFace{
		ID: f.ID, Photo: f.Photo, Box: jsonBox(f.Box), Score: f.Score, Quality: f.Quality, Detector: f.Detector,
		By: f.By, Rejected: f.Rejected != "", RejectedBy: f.Rejected,
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
	if c := d.Correction; c != nil && c.Clock != nil {
		j.Clock = exportClock(c.Clock)
	} else if c != nil {
		var taken exif.Time
		if c.Taken != nil {
			taken = *c.Taken
		}
		j.Says = new(exportMoment(taken, c.GPS))
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
