package index

import (
	"cmp"
	"slices"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// placing turns a partition of the faces into people: each cluster gets the
// id of the person it continues, or a new one.
type placing struct {
	vs       store.VectorSet
	ledger   *ledger
	label    []int // cluster of each face, -1: none
	clusters int
	now      time.Time

	holder []PersonID // whose each face is before this grouping
	strong map[PersonID]bool
	person []PersonID // the outcome
}

// assignment works out the whole outcome for the store.
func (p *placing) assignment(old []Person) store.Assignment {
	p.prepare()
	p.place()
	p.keep()
	return p.outcome(old)
}

// prepare finds each face's holder and the strong people: those that
// somebody named or put together. Grouping may add to them; it never takes
// their id, joins two of them or breaks one up.
func (p *placing) prepare() {
	n := len(p.vs.Faces)
	p.holder, p.person = make([]PersonID, n), make([]PersonID, n)
	p.strong = map[PersonID]bool{}
	for id, name := range p.ledger.names {
		p.strong[id] = name != ""
	}
	for i, f := range p.vs.Faces {
		p.holder[i] = f.Person
		claim := p.ledger.claim[i]
		_, tied := p.ledger.tie[i]
		if tied {
			p.strong[claim] = true
		}
		if tied || f.Person == "" {
			p.holder[i] = claim
		}
	}
}

// place gives every cluster its person.
func (p *placing) place() {
	members := make([][]int, p.clusters)
	for i, c := range p.label {
		if c >= 0 {
			members[c] = append(members[c], i)
		}
	}
	held := make([]map[PersonID]int, p.clusters)
	largest := map[PersonID]int{} // the cluster that holds most of a person
	for c, m := range members {
		held[c] = map[PersonID]int{}
		for _, i := range m {
			if h := p.holder[i]; h != "" {
				held[c][h]++
			}
		}
		for _, h := range sortedKeys(held[c]) {
			if l, ok := largest[h]; !ok || held[c][h] > held[l][h] {
				largest[h] = c
			}
		}
	}
	var rest []int
	for c, m := range members {
		all := 0
		for _, n := range held[c] {
			all += n
		}
		var owners []PersonID
		for _, h := range sortedKeys(held[c]) {
			if p.strong[h] && (2*held[c][h] >= all || largest[h] == c) {
				owners = append(owners, h)
			}
		}
		switch len(owners) {
		case 0:
			rest = append(rest, c)
		case 1:
			p.give(m, owners[0])
		default:
			p.divide(m, owners)
		}
	}
	p.continueOthers(rest, members, held)
}

func (p *placing) give(faces []int, id PersonID) {
	for _, i := range faces {
		p.person[i] = id
	}
}

// divide keeps strong people apart whom grouping would join: their own faces
// stay, and each other face goes to the one it is most like.
func (p *placing) divide(faces []int, owners []PersonID) {
	for _, i := range faces {
		if slices.Contains(owners, p.holder[i]) {
			p.person[i] = p.holder[i]
			continue
		}
		best := -2.0
		for _, o := range owners {
			for _, j := range faces {
				if p.holder[j] != o {
					continue
				}
				if s := p.row(i).Dot(p.row(j)); s > best {
					best, p.person[i] = s, o
				}
			}
		}
	}
}

func (p *placing) row(i int) face.Vector {
	d := p.vs.Space.Dim
	return p.vs.Data[i*d : (i+1)*d]
}

// continueOthers matches the remaining clusters with the people nobody named,
// one to one, the largest overlaps first.
func (p *placing) continueOthers(clusters []int, members [][]int, held []map[PersonID]int) {
	type match struct {
		cluster, faces int
		id             PersonID
	}
	var ms []match
	for _, c := range clusters {
		for id, n := range held[c] {
			if !p.strong[id] {
				ms = append(ms, match{c, n, id})
			}
		}
	}
	slices.SortFunc(ms, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.faces, a.faces), cmp.Compare(a.id, b.id), cmp.Compare(a.cluster, b.cluster))
	})
	taken, placed := map[PersonID]bool{}, map[int]bool{}
	for _, m := range ms {
		if !taken[m.id] && !placed[m.cluster] {
			taken[m.id], placed[m.cluster] = true, true
			p.give(members[m.cluster], m.id)
		}
	}
	for _, c := range clusters {
		if !placed[c] {
			p.give(members[c], store.NewPersonID())
		}
	}
}

// keep holds faces to their people whatever cluster they fell in: those tied
// by a decision always, and a named person's face that lost its links rather
// than joined somebody else.
func (p *placing) keep() {
	for i := range p.person {
		if _, tied := p.ledger.tie[i]; tied {
			p.person[i] = p.ledger.claim[i]
		} else if p.person[i] == "" && p.ledger.names[p.holder[i]] != "" {
			p.person[i] = p.holder[i]
		}
	}
	p.ledger.part(p.person)
}

// outcome lists the people with their best face as the cover, every face's
// place, and the people that are no more.
func (p *placing) outcome(old []Person) store.Assignment {
	as := store.Assignment{Faces: map[FaceID]store.Placed{}}
	was := map[PersonID]Person{}
	for _, o := range old {
		was[o.ID] = o
	}
	cover := map[PersonID]int{}
	for i, f := range p.vs.Faces {
		id, by := p.person[i], store.ByGroup
		if _, tied := p.ledger.tie[i]; tied {
			by = store.ByDecision
		}
		if id == "" {
			by = store.ByNone
		} else if c, ok := cover[id]; !ok || f.Quality > p.vs.Faces[c].Quality {
			cover[id] = i
		}
		as.Faces[f.ID] = store.Placed{Person: id, By: by}
	}
	for _, id := range sortedKeys(cover) {
		row := Person{ID: id, Name: p.ledger.names[id], Cover: p.vs.Faces[cover[id]].ID, Created: p.now}
		if o, ok := was[id]; ok {
			row.Created = o.Created
		}
		as.People = append(as.People, row)
	}
	for _, o := range old {
		if _, has := cover[o.ID]; !has && !p.strong[o.ID] {
			as.Drop = append(as.Drop, o.ID)
		}
	}
	return as
}
