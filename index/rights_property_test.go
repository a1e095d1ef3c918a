package index_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kith-photos/kith/index"
)

// erasing is an account of which people say things and ask to be erased.
type erasing struct {
	t     *rapid.T
	dir   string
	acc   *index.Account
	src   *files
	said  []index.DecisionID
	named int
	// dead are the faces, as "content@x", and the photos that were erased.
	dead map[string]bool
}

// faces are those that are there, as "content@x", by person.
func (e *erasing) faces() map[index.PersonID][]string {
	content, out := map[index.PhotoID]string{}, map[index.PersonID][]string{}
	for _, p := range all(e.t, e.acc.Photos(e.t.Context(), index.PhotoQuery{})) {
		content[p.ID] = fmt.Sprintf("%x", p.SHA256[:4])
		if e.dead[content[p.ID]] {
			e.t.Errorf("%s is back", p.Path)
		}
	}
	for _, f := range all(e.t, e.acc.Faces(e.t.Context(), index.FaceQuery{Rejected: index.Include})) {
		k := fmt.Sprintf("%s@%v", content[f.Photo], f.Box.X)
		if e.dead[k] {
			e.t.Errorf("the face %s is back, with %q", k, f.Person)
		}
		out[f.Person] = append(out[f.Person], k)
	}
	return out
}

func (e *erasing) people() []index.Person {
	ps := all(e.t, e.acc.People(e.t.Context(), index.PeopleQuery{Ignored: index.Include}))
	of := e.faces() // ids are random: the order is by what is not
	slices.SortFunc(ps, func(x, y index.Person) int {
		return slices.Compare(append(of[x.ID], x.Name), append(of[y.ID], y.Name))
	})
	return ps
}

// decide says something; a refusal is an answer too.
func (e *erasing) decide() {
	t, ctx, ps := e.t, e.t.Context(), e.people()
	if len(ps) == 0 {
		return
	}
	one, other := rapid.SampledFrom(ps).Draw(t, "one").ID, rapid.SampledFrom(ps).Draw(t, "other").ID
	fs := all(t, e.acc.Faces(ctx, index.FaceQuery{}))
	if len(fs) == 0 {
		return
	}
	f := rapid.SampledFrom(fs).Draw(t, "face").ID
	var id index.DecisionID
	var err error
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0, 1:
		e.named++
		id, err = e.acc.Name(ctx, one, fmt.Sprintf("Somebody named %04d", e.named))
	case 2:
		id, err = e.acc.Merge(ctx, one, other)
	case 3:
		_, id, err = e.acc.Split(ctx, []index.FaceID{f})
	case 4:
		_, id, err = e.acc.Assign(ctx, one, f)
	case 5:
		id, err = e.acc.NotAFace(ctx, f)
	case 6:
		id, err = e.acc.Different(ctx, one, other)
	case 7:
		id, err = e.acc.Remove(ctx, f)
	}
	if err == nil {
		e.said = append(e.said, id)
	}
}

// erase lets somebody object, and looks for the name afterwards.
func (e *erasing) erase() {
	t := e.t
	ps := e.people()
	if len(ps) == 0 {
		return
	}
	p := rapid.SampledFrom(ps).Draw(t, "who objects")
	for _, k := range e.faces()[p.ID] {
		e.dead[k] = true
	}
	r := must1[index.Receipt](t)(e.acc.Object(t.Context(), p.ID))
	if r.Counts[index.ClassFaces] < p.Faces {
		t.Errorf("the receipt counts %v, and the person had %d faces", r.Counts, p.Faces)
	}
	for _, q := range e.people() {
		if q.ID == p.ID || p.Name != "" && q.Name == p.Name {
			t.Errorf("%q is still there as %+v", p.Name, q)
		}
	}
	for _, d := range all(t, e.acc.Decisions(t.Context())) {
		if d.Person == p.ID || d.Other == p.ID {
			t.Errorf("the ledger still speaks of %s: %+v", p.ID, d)
		}
	}
	if p.Name == "" {
		return
	}
	for _, f := range must1[[]os.DirEntry](t)(os.ReadDir(e.dir)) {
		if bytes.Contains(must1[[]byte](t)(os.ReadFile(filepath.Join(e.dir, f.Name()))), []byte(p.Name)) {
			t.Errorf("%s still holds %q", f.Name(), p.Name)
		}
	}
}

func (e *erasing) step() {
	t, ctx := e.t, e.t.Context()
	switch rapid.IntRange(0, 11).Draw(t, "step") {
	case 0:
		e.erase()
	case 1:
		photos := all(t, e.acc.Photos(ctx, index.PhotoQuery{}))
		if len(photos) == 0 {
			return
		}
		p := rapid.SampledFrom(photos).Draw(t, "photo")
		must1[index.Receipt](t)(e.acc.ErasePhotos(ctx, p.ID))
		e.dead[fmt.Sprintf("%x", p.SHA256[:4])] = true
	case 2:
		reindex(t, e.acc, e.src, index.ReindexOptions{Force: true})
	case 3:
		must1[index.Report](t)(e.acc.Regroup(ctx))
	case 4:
		if len(e.said) > 0 { // it may have been erased
			_ = e.acc.Undo(ctx, rapid.SampledFrom(e.said).Draw(t, "undone"))
		}
	case 5:
		must1[index.Receipt](t)(e.acc.EraseBiometrics(ctx, true))
		reindex(t, e.acc, e.src, index.ReindexOptions{})
	default:
		e.decide()
	}
	e.faces()
	mustCheck(t, e.acc)
}

// Whatever was decided and undone before, who is erased is, and stays away.
func TestEraseAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := must1[string](t)(os.MkdirTemp("", "kith-erase"))
		defer func() { _ = os.RemoveAll(dir) }()
		e := &erasing{t: t, dir: dir, src: crowd(9, 3), dead: map[string]bool{}}
		e.src.put("copy.jpg", e.src.get("00/000.jpg").data)
		e.acc = must1[*index.Account](t)(index.Open(t.Context(), filepath.Join(dir, "a.kith"), withScenes(index.Config{Workers: 1})))
		defer closeChecked(t, e.acc)
		must(t, e.acc.SetConsent(t.Context(), yes))
		reindex(t, e.acc, e.src, index.ReindexOptions{})
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			e.step()
		}
		e.erase()
		reindex(t, e.acc, e.src, index.ReindexOptions{Force: true})
		e.faces()
		must1[index.Report](t)(e.acc.Regroup(t.Context()))
		e.faces()
	})
}
