package index

import (
	"context"
	"maps"
	"slices"

	"github.com/kith-photos/kith/store"
)

// merger works out what an account takes over from an export.
type merger struct {
	x      *exported
	photos bool // whether unknown photos are added
	report ImportReport

	now        *book           // the account, and the faces added to it
	then       *book           // the same with each face's person as the export has it, where the account allows
	old        int             // how many of the faces were there before
	given      map[FaceID]int  // the added faces' positions in the export
	ids, paths map[string]bool // of the account's photos
	content    map[[32]byte]bool
	strong     map[PersonID]bool       // people of the account of whom something was decided
	stands     map[DecisionID]Decision // those that stand in the export
	added      []Decision              // those of the export that the account takes
	ledger     []Decision              // the account's whole, corrections of photos included
	settings   map[string]string       // the account's own
	tombs      *store.Tombstones
	consents   map[PersonID]bool // nil: people's own consent is not asked for
	r          store.Restoration
}

func (a *Account) newMerger(ctx context.Context, x *exported, opt ImportOptions) (*merger, error) {
	b, err := a.openBook(ctx)
	if err != nil {
		return nil, err
	}
	ledger, err := collect(a.db.Decisions(ctx))
	if err != nil {
		return nil, err
	}
	tombs, err := a.db.Tombstones(ctx)
	if err != nil {
		return nil, err
	}
	consents, err := a.consents(ctx)
	if err != nil {
		return nil, err
	}
	m := &merger{
		x: x, photos: opt.Photos, now: b, old: len(b.faces), given: map[FaceID]int{},
		ids: map[string]bool{}, paths: map[string]bool{}, content: map[[32]byte]bool{},
		strong: map[PersonID]bool{}, stands: map[DecisionID]Decision{}, ledger: ledger, tombs: tombs, consents: consents,
	}
	if m.settings, err = a.exportSettings(ctx); err != nil {
		return nil, err
	}
	for f, err := range a.db.Files(ctx) {
		if err != nil {
			return nil, err
		}
		m.ids[string(f.ID)], m.paths[f.Path] = true, true
		m.content[f.SHA256] = f.SHA256 != [32]byte{}
	}
	m.photos = m.photos || len(m.ids) == 0
	m.report = ImportReport{
		Account: x.account, Consents: x.consents,
		Fresh: len(m.ids) == 0 && len(ledger) == 0 && len(b.people) == 0,
	}
	m.spare()
	for _, d := range standing(x.decisions) {
		m.stands[d.ID] = d
	}
	l := b.find.replay(b.standing)
	for id := range b.people {
		m.strong[id] = l.lasting(id)
	}
	for _, d := range b.standing {
		m.strong[d.Person], m.strong[d.Other] = true, true
	}
	for i, id := range l.claim {
		if l.tied(i) {
			m.strong[id] = true
		}
	}
	delete(m.strong, "")
	return m, nil
}

// spare takes out of the export what was erased here on request: it is not to
// come back this way either.
func (m *merger) spare() {
	var photos []readPhoto
	for _, p := range m.x.photos {
		if p.SHA256 != [32]byte{} && m.tombs.Photo(p.SHA256) {
			m.report.Erased += 1 + len(p.faces)
			continue
		}
		n := len(p.faces)
		p.faces = slices.DeleteFunc(p.faces, func(i int) bool {
			return m.tombs.Face(store.FaceRef{SHA256: p.SHA256, Box: m.x.faces[i].Box})
		})
		m.report.Erased += n - len(p.faces)
		photos = append(photos, p)
	}
	m.x.photos = photos
	var ds []Decision
	for _, d := range m.x.decisions {
		if d, ok := m.tombs.Decision(d); ok {
			ds = append(ds, d)
		}
	}
	m.x.decisions = ds
}

// merge lists what is to be stored.
func (m *merger) merge() store.Restoration {
	m.r.Settings = map[string]string{}
	for _, key := range exportedSettings() {
		if v := m.x.settings[key]; v != "" && m.settings[key] == "" {
			m.r.Settings[key] = v
		}
	}
	m.report.Settings = len(m.r.Settings)
	m.addPhotos()
	m.addSpaces()
	m.recognise()
	m.addDecisions()
	m.addNames()
	m.settle()
	return m.r
}

// addPhotos adds those that the account does not know, with their faces, who
// are with nobody at first.
func (m *merger) addPhotos() {
	faces := slices.Clone(m.now.faces)
	for _, p := range m.x.photos {
		switch {
		case m.content[p.SHA256]:
			m.report.Recognised++
		case !m.photos || m.ids[string(p.ID)] || m.paths[p.Path] || m.knowsFace(p):
			m.report.Skipped++
		default:
			m.r.Photos = append(m.r.Photos, m.restored(p))
			for _, i := range p.faces {
				f := m.x.faces[i]
				m.given[f.ID] = i
				faces = append(faces, store.VectorFace{ID: f.ID, Photo: p.ID, SHA256: p.SHA256, Box: f.Box, Quality: f.Quality})
			}
		}
	}
	m.report.Photos, m.report.Faces = len(m.r.Photos), len(faces)-m.old
	b := m.now
	find := newResolver(faces)
	for _, d := range b.standing { // the store does so as it adds them
		if d.Kind != store.DecisionNotAFace {
			continue
		}
		for _, i := range find.resolveAll(d.Faces) {
			if i >= m.old && faces[i].Rejected == "" {
				faces[i].Rejected = d.ID
			}
		}
	}
	m.now = newBook(b.ledger, faces, slices.Collect(maps.Values(b.people)), b.now)
}

// knowsFace reports whether one of a photo's faces is in the account already,
// on a photo that has changed since.
func (m *merger) knowsFace(p readPhoto) bool {
	return slices.ContainsFunc(p.faces, func(i int) bool {
		_, known := m.now.at[m.x.faces[i].ID]
		return known
	})
}

// restored is a photo as it is stored: one that lacks a vector must be looked
// at again.
func (m *merger) restored(p readPhoto) store.RestoredPhoto {
	r := store.RestoredPhoto{Photo: p.Photo}
	for _, i := range p.faces {
		f := m.x.faces[i].RestoredFace
		if f.Vector == nil && r.Photo.Status == store.StatusOK {
			r.Photo.Status = store.StatusPending
			m.report.Pending++
		}
		r.Faces = append(r.Faces, f)
	}
	if r.Photo.Status == store.StatusPending {
		r.Photo.Analyzer = ""
	}
	return r
}

// addSpaces adds those that vectors are added in.
func (m *merger) addSpaces() {
	used := map[string]bool{}
	for _, p := range m.r.Photos {
		for _, f := range p.Faces {
			used[f.Space] = true
		}
	}
	for _, s := range m.x.spaces {
		if used[s.Name] {
			m.r.Spaces = append(m.r.Spaces, store.Space(s))
		}
	}
}

// recognise finds the account's faces among those of the export, and lets each
// be with whom it is there, unless it is with somebody of whom something was
// decided here.
func (m *merger) recognise() {
	faces := slices.Clone(m.now.faces)
	is := m.matches()
	for i := range faces {
		k, ok := is[i]
		if !ok {
			continue
		}
		if i < m.old {
			m.report.Matched++
		}
		f, be := &faces[i], m.x.faces[k]
		to := successor(m.now.standing, be.person)
		switch {
		case f.Rejected != "" || be.rejected != "" || f.Person == to:
		case m.strong[f.Person]:
			if to != "" {
				m.report.Contested++
			}
		case to == "": // kith abstained there, and shall look at it alike here
			f.Person, f.By = "", store.ByNone
		case i < m.old:
			f.Person, f.By = to, store.ByImport
		default:
			f.Person, f.By = to, be.by
		}
	}
	m.then = newBook(m.now.ledger, faces, slices.Collect(maps.Values(m.now.people)), m.now.now)
}

// matches gives for faces of the account, by position, the face of the export
// that it is: itself if it came with it, else the one whose box is nearest.
func (m *merger) matches() map[int]int {
	is, overlap := map[int]int{}, map[int]float64{}
	for i := m.old; i < len(m.now.faces); i++ {
		is[i] = m.given[m.now.faces[i].ID]
	}
	for _, p := range m.x.photos {
		if !m.content[p.SHA256] {
			continue
		}
		for _, k := range p.faces {
			ref := store.FaceRef{SHA256: p.SHA256, Box: m.x.faces[k].Box}
			for _, i := range m.now.find.resolveAll([]store.FaceRef{ref}) {
				if iou := m.now.faces[i].Box.IoU(ref.Box); iou > overlap[i] {
					is[i], overlap[i] = k, iou
				}
			}
		}
	}
	return is
}
