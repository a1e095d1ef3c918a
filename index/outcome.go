package index

import (
	"maps"
	"slices"

	"github.com/kith-photos/kith/store"
)

// outcome lists what is to change so that each face is with person[i] and the
// people are as the decisions say. Whoever has neither a face nor a name and
// is not ignored is dropped. With covers, everybody without a chosen cover
// gets the best face; without, only who lost or gained faces.
func (b *book) outcome(l *ledger, person []PersonID, covers bool) store.Assignment {
	as := store.Assignment{Faces: map[FaceID]store.Placed{}}
	best, changed := map[PersonID]int{}, map[PersonID]bool{}
	for i, f := range b.faces {
		id := person[i]
		is := store.Placed{Person: f.Person, By: f.By, Reject: f.Rejected}
		be := store.Placed{Person: id, By: l.origin(i, id), Reject: l.faces[i].Rejected}
		if is != be {
			as.Faces[f.ID] = be
		}
		if f.Person != id {
			changed[f.Person], changed[id] = true, true
		}
		if j, ok := best[id]; !ok || f.Quality > b.faces[j].Quality {
			best[id] = i
		}
	}
	delete(best, "")
	for _, id := range b.everybody(l, best) {
		old, known := b.people[id]
		top, has := best[id]
		if !has && !l.lasting(id) {
			if known {
				as.Drop = append(as.Drop, id)
			}
			continue
		}
		p := Person{ID: id, Name: l.names[id], Ignored: l.ignored[id], Created: old.Created, Cover: old.Cover}
		if !known {
			p.Created = b.born(id)
		}
		switch i, chosen := b.chosenCover(l, id, person); {
		case chosen:
			p.Cover, p.CoverChosen = b.faces[i].ID, true
		case !has:
			p.Cover = ""
		case covers || changed[id] || old.CoverChosen || old.Cover == "":
			p.Cover = b.faces[top].ID
		}
		old.Faces, old.Photos = 0, 0
		if !known || p != old {
			as.People = append(as.People, p)
		}
	}
	return as
}

// after is the book as it will be when an assignment is stored.
func (b *book) after(as store.Assignment) *book {
	faces := slices.Clone(b.faces)
	for id, be := range as.Faces {
		f := &faces[b.at[id]]
		f.Person, f.By, f.Rejected = be.Person, be.By, be.Reject
	}
	people := maps.Clone(b.people)
	for _, id := range as.Drop {
		delete(people, id)
	}
	for _, p := range as.People {
		people[p.ID] = p
	}
	return newBook(b.ledger, faces, slices.Collect(maps.Values(people)), b.now)
}

// everybody lists who is there, has faces or is to last.
func (b *book) everybody(l *ledger, best map[PersonID]int) []PersonID {
	ids := map[PersonID]bool{}
	for id := range b.people {
		ids[id] = true
	}
	for id := range best {
		ids[id] = true
	}
	for id := range l.names {
		if l.lasting(id) {
			ids[id] = true
		}
	}
	for id := range l.ignored {
		ids[id] = true
	}
	return sortedKeys(ids)
}

// chosenCover is the face that somebody chose to stand for a person, if it is
// with that person: of several copies the one that does so already.
func (b *book) chosenCover(l *ledger, id PersonID, person []PersonID) (face int, ok bool) {
	for _, i := range l.cover[id] {
		if person[i] != id {
			continue
		}
		f := b.faces[i].ID
		if f == b.cover || !ok || f == b.people[id].Cover && b.faces[face].ID != b.cover {
			face, ok = i, true
		}
	}
	return face, ok
}

// origin says why a face is with a person.
func (l *ledger) origin(i int, id PersonID) store.Origin {
	f := l.faces[i]
	switch {
	case id == "":
		return store.ByNone
	case l.tied(i) && l.claim[i] == id:
		return store.ByDecision
	case f.By == store.ByImport && f.Person == id:
		return store.ByImport
	default:
		return store.ByGroup
	}
}
