package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// Restoration is what an account is given of what another, or it itself, once
// exported. It is applied in the order of its fields.
type Restoration struct {
	// Settings are put in place of what was there.
	Settings map[string]string
	// Spaces are put where they are unknown; a known one keeps its impostors.
	Spaces []Space
	// Photos are added with their ids; none may be known by id or path. Their
	// time and place are what their files say.
	Photos []RestoredPhoto
	// Decisions are appended as they are, revoked ones included. Each Seq must
	// be greater than the one before and than every known one.
	Decisions []Decision
	// Assignment says whose the faces are, those of Photos among them.
	Assignment
}

// RestoredPhoto is a photo with the faces that it had.
type RestoredPhoto struct {
	Photo Photo // with its ID; faces may belong to one that is StatusPending
	Faces []RestoredFace
}

// RestoredFace is a face with the id that it had. Its vector may be nil.
type RestoredFace struct {
	ID FaceID
	face.Face
	Space string // of the vector; empty where there is none
}

// Restore applies r in one transaction: as a whole or not at all. A new face is
// none if a decision that stood before says so, as in PutPhotos; everything
// else that follows from decisions is for the Assignment to say.
func (db *DB) Restore(ctx context.Context, r Restoration) error {
	return db.update(ctx, "restore", func(tx *sql.Tx) error {
		for key, value := range r.Settings {
			if err := db.putSetting(ctx, tx, key, value); err != nil {
				return fmt.Errorf("setting %q: %w", key, err)
			}
		}
		for _, s := range r.Spaces {
			if err := db.restoreSpace(ctx, tx, s); err != nil {
				return err
			}
		}
		if err := db.restorePhotos(ctx, tx, r.Photos); err != nil {
			return err
		}
		if err := db.restoreDecisions(ctx, tx, r.Decisions); err != nil {
			return err
		}
		if err := db.correctRestored(ctx, tx, r); err != nil {
			return err
		}
		if err := db.note(ctx, tx, "import", r.counts()); err != nil {
			return err
		}
		return db.assign(ctx, tx, r.Assignment)
	})
}

func (db *DB) restoreSpace(ctx context.Context, tx *sql.Tx, s Space) error {
	_, old, err := lookupSpace(ctx, tx, s.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return putSpace(ctx, tx, s)
	case err == nil && old.Dim != s.Dim:
		return fmt.Errorf("vector space %q has dimension %d, not %d", s.Name, old.Dim, s.Dim)
	}
	return err
}

func (db *DB) restorePhotos(ctx context.Context, tx *sql.Tx, photos []RestoredPhoto) error {
	w := &photoWriter{watch: db.newWatch(ctx, tx), vectors: db.newVectorWriter(ctx, tx)}
	spaces := map[string]restoredSpace{}
	for _, p := range photos {
		if err := w.restore(p, spaces); err != nil {
			return fmt.Errorf("photo %q: %w", p.Photo.Path, err)
		}
	}
	return w.vectors.flush()
}

type restoredSpace struct {
	id  int64
	dim int
}

func (w *photoWriter) restore(r RestoredPhoto, spaces map[string]restoredSpace) error {
	p := r.Photo
	if p.ID == "" {
		return errors.New("no id")
	}
	if err := (Analysis{Photo: p}).check(""); err != nil {
		return err
	}
	there, err := w.find(Photo{Path: p.Path})
	if err == nil && there.id != 0 {
		err = errors.New("there is one already")
	}
	if err != nil {
		return err
	}
	if p.Added.IsZero() {
		p.Added = w.db.now()
	}
	row, err := w.write(known{uid: string(p.ID)}, p)
	if err != nil {
		return err
	}
	found := make([]foundFace, 0, len(r.Faces))
	match := make([]int, 0, len(r.Faces))
	for _, f := range r.Faces {
		nf, err := w.restored(f, spaces)
		if err != nil {
			return fmt.Errorf("face %s: %w", f.ID, err)
		}
		found, match = append(found, nf), append(match, -1)
	}
	if err := w.reject(p.SHA256, found, match); err != nil {
		return err
	}
	for i, f := range r.Faces {
		if err := w.writeFace(storedFace{uid: string(f.ID)}, row, found[i]); err != nil {
			return fmt.Errorf("face %s: %w", f.ID, err)
		}
	}
	return nil
}

// restored packs a face as the file has it, with nobody.
func (w *photoWriter) restored(f RestoredFace, spaces map[string]restoredSpace) (foundFace, error) {
	nf := foundFace{Face: f.Face, landmarks: packLandmarks(f.Landmarks)}
	if f.ID == "" {
		return nf, errors.New("no id")
	}
	if err := checkFace(f.Face); err != nil || f.Vector == nil {
		return nf, err
	}
	s, ok := spaces[f.Space]
	if !ok {
		id, sp, err := lookupSpace(w.ctx, w.tx, f.Space)
		if err != nil {
			return nf, err
		}
		s = restoredSpace{id, sp.Dim}
		spaces[f.Space] = s
	}
	if len(f.Vector) != s.dim {
		return nf, fmt.Errorf("vector of %d numbers, space %q has %d", len(f.Vector), f.Space, s.dim)
	}
	nf.space, nf.vector = s.id, packVector(f.Vector)
	return nf, nil
}

func (db *DB) restoreDecisions(ctx context.Context, tx *sql.Tx, ds []Decision) error {
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM decisions").Scan(&last); err != nil {
		return err
	}
	for _, d := range ds {
		switch {
		case d.ID == "":
			return errors.New("a decision has no id")
		case d.Seq <= last:
			return fmt.Errorf("decision %s: its place is %d, after %d", d.ID, d.Seq, last)
		case (d.Revoked == nil) != (d.RevokedAfter == 0) || d.Revoked != nil && d.RevokedAfter < d.Seq:
			return fmt.Errorf("decision %s at %d: revoked after %d", d.ID, d.Seq, d.RevokedAfter)
		}
		last = d.Seq
		if err := db.putDecision(ctx, tx, d); err != nil {
			return fmt.Errorf("decision %s: %w", d.ID, err)
		}
	}
	return nil
}

// correctRestored makes new photos what corrections say, and known ones what new
// corrections say.
func (db *DB) correctRestored(ctx context.Context, tx *sql.Tx, r Restoration) error {
	standing, err := db.standing(ctx, tx)
	if err != nil {
		return err
	}
	todo := map[[32]byte]bool{}
	for _, p := range r.Photos {
		todo[p.Photo.SHA256] = true
	}
	for _, d := range r.Decisions {
		if d.corrects() {
			todo[d.Faces[0].SHA256] = true
		}
	}
	for sha := range todo {
		if len(standing[sha]) == 0 {
			continue
		}
		if err := db.recorrect(ctx, tx, sha); err != nil {
			return err
		}
	}
	return nil
}

func (r Restoration) counts() Counts {
	c := Counts{
		ClassPhotos: len(r.Photos), ClassDecisions: len(r.Decisions), ClassSettings: len(r.Settings), ClassPeople: len(r.People),
	}
	for _, p := range r.Photos {
		c[ClassFaces] += len(p.Faces)
		for _, f := range p.Faces {
			if f.Vector != nil {
				c[ClassTemplates]++
			}
		}
	}
	return c
}

// Original is what the file of a photo says of time and place where a correction
// stands, otherwise what the photo says. ErrNotFound if there is none.
func (db *DB) Original(ctx context.Context, id PhotoID) (taken exif.Time, gps *exif.GPS, err error) {
	err = db.view(ctx, "read a photo of", func(tx *sql.Tx) error {
		p, err := db.original(ctx, tx, string(id))
		if err == nil && p == nil {
			var now Photo
			now, err = db.scanPhoto(tx.QueryRowContext(ctx, "SELECT "+photoColumns+" FROM photos p WHERE p.uid = ?", string(id)))
			p = &now
		}
		if err == nil {
			taken, gps = p.Taken, p.GPS
		}
		return err
	})
	return taken, gps, err
}

// Face reports whether a face was erased, or its photo.
func (t *Tombstones) Face(r FaceRef) bool {
	if len(t.photos) == 0 && len(t.faces) == 0 {
		return false
	}
	tag := t.tag(r.SHA256)
	boxes := t.faces[tag]
	return t.photos[tag] || r.Best(len(boxes), func(i int) face.Box { return boxes[i] }) >= 0
}

// Decision takes erased faces out of a decision, and names that went with them.
// It is false where none of the faces is left that it speaks of.
func (t *Tombstones) Decision(d Decision) (Decision, bool) {
	faces, others := len(d.Faces), len(d.Others)
	if d.corrects() {
		return d, faces == 0 || !t.Photo(d.Faces[0].SHA256)
	}
	d.strip(t.Face, nil)
	if others > 0 && len(d.Others) == 0 {
		d.OldName = ""
	}
	return d, faces == 0 || len(d.Faces) > 0
}

// EachVector shows all vectors of a space one by one, those of rejected faces
// among them, from one snapshot, in no particular order, and keeps none. show
// must not keep v; its error ends the reading. ErrNotFound if the space is
// unknown.
func (db *DB) EachVector(ctx context.Context, space string, show func(id FaceID, v face.Vector) error) error {
	return db.view(ctx, "read vectors of", func(tx *sql.Tx) error {
		id, s, err := lookupSpace(ctx, tx, space)
		if err != nil {
			return err
		}
		v := make(face.Vector, s.Dim) // which is at most maxDim
		return db.eachVector(ctx, tx, id, func(uid string, packed []byte) error {
			if err := unpackNext(v, uid, packed); err != nil {
				return err
			}
			return show(FaceID(uid), v)
		})
	})
}
