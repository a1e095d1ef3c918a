package index

import (
	"cmp"
	"slices"
)

// maxLinks is how many pairs of faces tell grouping of one decision that two
// sides are apart. More would say little: what grouping still joins is parted
// when people are placed.
const maxLinks = 4096

// different lists pairs that must stay apart, leaving out those that a later
// decision brought together. One face of a tied set speaks for all, and of two
// large sides the best faces do.
func (l *ledger) different() [][2]int {
	var out [][2]int
	for _, a := range l.apart {
		x, y := l.speakers(a.side[0]), l.speakers(a.side[1])
		if len(x)*len(y) > maxLinks {
			if len(x) > len(y) {
				x, y = y, x
			}
			x = x[:min(len(x), 64)]
			y = y[:min(len(y), maxLinks/len(x))]
		}
		for _, i := range x {
			for _, j := range y {
				if !l.together(i, j) {
					out = append(out, [2]int{i, j})
				}
			}
		}
	}
	return out
}

// speakers are the faces of a side, of each tied set only one, the best first.
func (l *ledger) speakers(side []int) []int {
	best := slices.Clone(side)
	slices.SortFunc(best, func(i, j int) int {
		return cmp.Or(cmp.Compare(l.faces[j].Quality, l.faces[i].Quality), cmp.Compare(i, j))
	})
	spoken := map[int]bool{}
	return slices.DeleteFunc(best, func(i int) bool {
		t := l.tie[i]
		was := t != 0 && spoken[t]
		spoken[t] = true
		return was
	})
}

// separate abstains on faces that ended with a person whom they were said not
// to be, or with a face they were said to be apart from: grouping keeps such
// faces apart, but not all of them were named to it, and two clusters may
// continue one person. Of two sides that meet, the larger stays. What a
// decision ties stays in any case.
func (l *ledger) separate(person []PersonID) {
	for _, a := range l.apart {
		for k, side := range a.side {
			if other := a.who[1-k]; other != "" && a.who[0] != a.who[1] {
				l.abstain(person, side, other)
			}
		}
		in := [2]map[PersonID]int{l.count(person, a.side[0]), l.count(person, a.side[1])}
		for _, id := range sortedKeys(in[0]) {
			if in[1][id] == 0 {
				continue
			}
			switch t := [2]bool{l.ties(id, a.side[0]), l.ties(id, a.side[1])}; {
			case t[0] && !t[1]:
				l.abstain(person, a.side[1], id)
			case t[1] && !t[0]:
				l.abstain(person, a.side[0], id)
			case in[0][id] > in[1][id]:
				l.abstain(person, a.side[1], id)
			default:
				l.abstain(person, a.side[0], id)
			}
		}
	}
}

// count counts the faces of a side by whose they are.
func (l *ledger) count(person []PersonID, side []int) map[PersonID]int {
	n := map[PersonID]int{}
	for _, i := range side {
		if person[i] != "" {
			n[person[i]]++
		}
	}
	return n
}

// ties reports whether a decision holds one of the faces with a person.
func (l *ledger) ties(id PersonID, side []int) bool {
	return slices.ContainsFunc(side, func(i int) bool { return l.tied(i) && l.claim[i] == id })
}

func (l *ledger) abstain(person []PersonID, side []int, id PersonID) {
	for _, i := range side {
		if person[i] == id && !l.tied(i) {
			person[i] = ""
		}
	}
}

// barred tells the faces that may not come to a person as people are now.
func (l *ledger) barred(to PersonID, person []PersonID) []bool {
	out := make([]bool, len(l.faces))
	for _, a := range l.apart {
		for k, side := range a.side {
			met := a.who[1-k] == to && a.who[0] != a.who[1] ||
				slices.ContainsFunc(a.side[1-k], func(i int) bool { return person[i] == to })
			if met {
				for _, i := range side {
					out[i] = true
				}
			}
		}
	}
	return out
}
