package index

import (
	"cmp"
	"slices"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// placing turns a partition of the faces into people: each cluster gets the
// id of the person it continues, or a new one.
type placing struct {
	ledger *ledger
	faces  []store.VectorFace // the account's
	vs     store.VectorSet
	row    []int // each face's position in vs, -1 where it has no vector there
	face   []int // the inverse

	holder []PersonID // whose each face is before this grouping
	strong map[PersonID]bool
	person []PersonID // the outcome
}

// newPlacing finds each face's holder and the strong people: those that
// somebody named, ignored or put together. Grouping may add to them; it never
// takes their id, joins two of them or breaks one up.
func newPlacing(b *book, vs store.VectorSet) *placing {
	n := len(b.faces)
	p := &placing{
		ledger: b.find.replay(b.standing), faces: b.faces, vs: vs, row: make([]int, n), face: make([]int, len(vs.Faces)),
		holder: b.holdersNow(), strong: map[PersonID]bool{}, person: make([]PersonID, n),
	}
	for i := range p.row {
		p.row[i] = -1
	}
	for k, f := range vs.Faces {
		i := b.at[f.ID]
		p.row[i], p.face[k] = k, i
	}
	for _, id := range b.everybody(p.ledger, nil) {
		p.strong[id] = p.ledger.lasting(id)
	}
	for i, f := range p.faces {
		claim, tied := p.ledger.claim[i], p.ledger.tied(i)
		if tied {
			p.strong[claim] = true
		}
		if tied || f.Person == "" {
			p.holder[i] = claim
		}
	}
	return p
}

// pairs names pairs of faces to package cluster, which knows vectors only.
func (p *placing) pairs(pairs [][2]int) [][2]int {
	var out [][2]int
	for _, pair := range pairs {
		if i, j := p.row[pair[0]], p.row[pair[1]]; i >= 0 && j >= 0 {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

// place works out whose each face is when the vectors have these labels, -1
// for none.
func (p *placing) place(label []int, clusters int) []PersonID {
	members := make([][]int, clusters)
	for k, c := range label {
		if c >= 0 {
			members[c] = append(members[c], p.face[k])
		}
	}
	p.placeClusters(members)
	p.keep()
	p.ledger.claims(p.person)
	p.ledger.separate(p.person)
	return p.person
}

// placeClusters gives every cluster its person.
func (p *placing) placeClusters(members [][]int) {
	held := make([]map[PersonID]int, len(members))
	largest := map[PersonID]int{} // the cluster that holds most of a person
	for c, m := range members {
		held[c] = p.count(m)
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

// count says how many of a cluster's faces each person holds. One that
// somebody took from a person to whom other faces of the cluster still belong
// says nothing of those, however alike: it does not count.
func (p *placing) count(cluster []int) map[PersonID]int {
	here, held := map[PersonID]bool{}, map[PersonID]int{}
	for _, i := range cluster {
		here[p.holder[i]] = true
	}
	for _, i := range cluster {
		h, from := p.holder[i], p.ledger.taken[i]
		if h != "" && (from == "" || from == h || !here[from]) {
			held[h]++
		}
	}
	return held
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
				if s := p.vector(i).Dot(p.vector(j)); s > best {
					best, p.person[i] = s, o
				}
			}
		}
	}
}

func (p *placing) vector(i int) face.Vector { return p.vs.Vector(p.row[i]) }

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

// keep holds faces to their people whatever cluster they fell in: a face of
// somebody named or ignored that lost its links rather than joined somebody
// else, every face that was not grouped because it has no vector, and those
// that would be alone until the others of their person have theirs.
func (p *placing) keep() {
	waiting := map[PersonID]bool{}
	for i, f := range p.faces {
		waiting[f.Person] = waiting[f.Person] || p.row[i] < 0
	}
	for i, f := range p.faces {
		switch {
		case p.person[i] != "":
		case p.ledger.lasting(p.holder[i]):
			p.person[i] = p.holder[i]
		case waiting[f.Person]:
			p.person[i] = f.Person
		}
	}
}
