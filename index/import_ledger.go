package index

import (
	"cmp"
	"errors"
	"slices"

	"github.com/kith-photos/kith/store"
)

// addDecisions puts the export's decisions behind those of the account, in
// their order, but for those that are there already and those that contradict
// what stands.
func (m *merger) addDecisions() {
	known, own := map[DecisionID]bool{}, map[DecisionID]bool{}
	for _, d := range m.ledger {
		known[d.ID] = true
		_, there := m.stands[d.ID]
		own[d.ID] = d.Revoked == nil && !there
	}
	for _, d := range m.x.decisions {
		if known[d.ID] {
			m.report.Repeated++
			continue
		}
		if s, ok := m.stands[d.ID]; ok {
			if m.withheld(s) {
				m.report.Withheld++
				continue
			}
			if err := m.contradicts(s, own); err != nil {
				m.report.Conflicts = append(m.report.Conflicts, ImportConflict{Decision: d, Err: err})
				continue
			}
			if !corrects(s) {
				m.then.standing = append(m.then.standing, s)
			}
		}
		m.added = append(m.added, d)
	}
	m.report.Decisions = len(m.added)
}

// withheld reports whether d names somebody, or lets somebody take over a name, whose own consent is asked for and
// does not stand.
func (m *merger) withheld(d Decision) bool {
	names := d.Kind == store.DecisionName && d.Name != "" || d.Kind == store.DecisionMerge && d.OldName != ""
	return names && m.consents != nil && !m.consents[d.Person]
}

// renumber gives the added decisions their places behind those of the account;
// an account without any takes them at the places that they had.
func (m *merger) renumber() {
	n := len(m.ledger)
	if n == 0 {
		return
	}
	last := m.ledger[n-1].Seq
	was := make([]int64, len(m.added))
	for i := range m.added {
		was[i] = m.added[i].Seq
	}
	for i := range m.added {
		d := &m.added[i]
		d.Seq = last + 1 + int64(i)
		if d.Revoked != nil { // it was itself there then, so there is one
			at, found := slices.BinarySearch(was, d.RevokedAfter)
			if found {
				at++
			}
			d.RevokedAfter = last + int64(at)
		}
	}
}

// addNames makes decisions of names that no decision of the export gave: it was
// not kith that wrote them.
func (m *merger) addNames() {
	said := replayPeople(standing(m.x.decisions)).names
	refs := map[PersonID][]store.FaceRef{}
	for _, p := range m.x.photos {
		for _, i := range p.faces {
			f := m.x.faces[i]
			refs[f.person] = append(refs[f.person], store.FaceRef{SHA256: p.SHA256, Box: f.Box})
		}
	}
	var last int64
	if n := len(m.x.decisions); n > 0 {
		last = m.x.decisions[n-1].Seq
	}
	for _, p := range m.x.people {
		if p.Name == said[p.ID] || p.Name == "" || m.strong[p.ID] {
			continue
		}
		d := Decision{
			ID: store.NewDecisionID(), Seq: last + 1, Kind: store.DecisionName, At: m.now.now,
			Person: p.ID, Name: p.Name, Faces: refs[p.ID][:min(len(refs[p.ID]), maxRefs)],
		}
		switch {
		case len(d.Faces) == 0: // they were erased here, or there were none
		case m.withheld(d):
			m.report.Withheld++
		default:
			m.added = append(m.added, d)
			last++
			m.report.Named++
		}
	}
}

// settle works out whose the faces are by all that was decided, and what is to
// be stored for that.
func (m *merger) settle() {
	m.renumber()
	m.r.Decisions = m.added
	m.now.ledger = slices.DeleteFunc(slices.Concat(m.now.ledger, m.added), corrects)
	m.now.standing = standing(m.now.ledger)
	faces := m.then.faces
	m.reject(faces)
	person := make([]PersonID, len(faces))
	for i, f := range faces {
		person[i] = f.Person
	}
	m.r.Assignment = m.now.settle(m.now.standing, faces, person)
	whose := map[FaceID]PersonID{}
	for i, f := range faces {
		whose[f.ID] = person[i] // as settled
	}
	there := map[PersonID]bool{}
	for i := range m.r.People {
		there[m.r.People[i].ID] = true
	}
	was := map[PersonID]jsonPerson{}
	for _, p := range m.x.people {
		was[p.ID] = p
		if m.report.Fresh && !there[p.ID] { // without a face, but a decision may speak of them
			m.r.People = append(m.r.People, Person{ID: p.ID})
		}
	}
	for i := range m.r.People {
		p := &m.r.People[i]
		if _, known := m.now.people[p.ID]; known {
			continue
		}
		m.report.People++
		if w, ok := was[p.ID]; ok {
			p.Created = w.Created
			// Of several faces as good, or copies, the one that it was.
			if w.Chosen == p.CoverChosen && w.Cover != "" && whose[w.Cover] == p.ID {
				p.Cover = w.Cover
			}
		}
	}
}

// reject makes those faces none of which a decision that came with the export
// says so.
func (m *merger) reject(faces []store.VectorFace) {
	stands := map[DecisionID]bool{}
	for _, d := range m.now.standing {
		stands[d.ID] = true
	}
	no := func(i int, by DecisionID) {
		faces[i].Person, faces[i].By, faces[i].Rejected = "", store.ByNone, by
	}
	for i := m.old; i < len(faces); i++ {
		if by := m.x.faces[m.given[faces[i].ID]].rejected; stands[by] && faces[i].Rejected == "" {
			no(i, by)
		}
	}
	for _, d := range m.now.standing {
		if d.Kind != store.DecisionNotAFace {
			continue
		}
		for _, i := range m.now.find.resolveAll(d.Faces) {
			if i < m.old && faces[i].Rejected == "" {
				no(i, d.ID)
			}
		}
	}
}

// contradicts returns a conflict with a decision of the account's own.
func (m *merger) contradicts(d Decision, own map[DecisionID]bool) *ConflictError {
	if len(own) == 0 {
		return nil
	}
	ours := func(id DecisionID) bool { return own[id] }
	var conflict *ConflictError
	switch d.Kind {
	case store.DecisionName:
		conflict = m.otherName(d)
	case store.DecisionDifferent:
		conflict = m.merged(d)
	case store.DecisionTime, store.DecisionPlace:
		conflict = m.corrected(d)
	default:
		errors.As(m.then.refuse(d), &conflict)
	}
	if conflict == nil || !slices.ContainsFunc(conflict.Standing, ours) {
		return nil
	}
	return conflict
}

// otherName reports the decision by which a person has another name.
func (m *merger) otherName(d Decision) *ConflictError {
	for _, s := range slices.Backward(m.now.standing) {
		if s.Kind == store.DecisionName && s.Person == d.Person {
			if s.Name == d.Name {
				return nil
			}
			return conflictWith(d, s)
		}
	}
	return nil
}

// corrected reports the decision that says otherwise of a photo's time or place.
func (m *merger) corrected(d Decision) *ConflictError {
	for _, s := range slices.Backward(m.ledger) {
		if s.Revoked == nil && s.Kind == d.Kind && s.Faces[0].SHA256 == d.Faces[0].SHA256 {
			return conflictWith(d, s)
		}
	}
	return nil
}

// merged reports the decisions by which two people are one.
func (m *merger) merged(d Decision) *ConflictError {
	if successor(m.now.standing, d.Person) != successor(m.now.standing, d.Other) {
		return nil
	}
	var by []Decision
	for _, id := range []PersonID{d.Person, d.Other} {
		for _, s := range m.now.standing {
			if s.Kind == store.DecisionMerge && s.Other == id {
				id, by = s.Person, append(by, s)
			}
		}
	}
	slices.SortFunc(by, func(a, b Decision) int { return cmp.Compare(a.Seq, b.Seq) })
	by = slices.CompactFunc(by, func(a, b Decision) bool { return a.ID == b.ID })
	return conflictWith(d, by...)
}

func conflictWith(d Decision, standing ...Decision) *ConflictError {
	e := &ConflictError{Kind: d.Kind, Person: d.Person, Other: d.Other}
	for _, s := range standing {
		e.Standing, e.kinds = append(e.Standing, s.ID), append(e.kinds, s.Kind)
	}
	return e
}
