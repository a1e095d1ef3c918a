package cluster_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/kith-photos/kith/face/cluster"
)

// immich is the rule of Immich (server/src/services/person.service.ts,
// handleRecognizeFaces; defaults of server/src/config.ts): a face looks for
// its 3 nearest within the distance, itself among them. With 3 it is a core
// and takes the person of the nearest that has one, else of the nearest face
// anywhere within the distance that has one, else becomes a new person. With
// fewer it waits until all have been seen, and then takes a person in the
// same way but makes none.
func immich(m *matrix, _ cluster.Faces, similarity float64) []int {
	const minFaces = 3
	name, people := slices.Repeat([]int{-1}, m.n), 0
	recognise := func(i int, deferred bool) (wait bool) {
		near := m.within(i, similarity)
		core := len(near) >= minFaces
		switch {
		case len(near) <= 1:
			return false
		case !core && !deferred:
			return true
		}
		for _, j := range near { // the nearest that has a person
			if name[j] >= 0 {
				name[i] = name[j]
				return false
			}
		}
		if core {
			name[i] = people
			people++
		}
		return false
	}
	var waiting []int
	for i := range m.n {
		if recognise(i, false) {
			waiting = append(waiting, i)
		}
	}
	for _, i := range waiting {
		recognise(i, true)
	}
	return numbered(name)
}

// within lists the faces at least so similar to face i, itself among them,
// the most similar first.
func (m *matrix) within(i int, similarity float64) []int {
	var near []int
	for j, s := range m.row(i) {
		if float64(s) >= similarity || j == i {
			near = append(near, j)
		}
	}
	slices.SortFunc(near, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.row(i)[b], m.row(i)[a]), cmp.Compare(a, b))
	})
	return near
}

const (
	// enteBad stands in for Ente's test of a bad face (detector score below
	// 0.8, blurred or turned aside; face_filtering_constants.dart), which is
	// about other measures.
	enteBad = 0.3
	// enteConservative is how much nearer a bad face has to be: 0.24 - 0.16.
	enteConservative = 0.08
)

// ente is the rule of Ente Photos (face_clustering_service.dart,
// _runLinearClustering): every face takes the cluster of the nearest among
// those before it, if that is near enough, or starts one. A bad face has to
// be nearer, and is passed over as a neighbour unless it is. Ente goes from
// the newest photo to the oldest; where no times are known, the given order
// stands.
func ente(m *matrix, f cluster.Faces, similarity float64) []int {
	strict := similarity + enteConservative
	bad := func(i int) bool { return f.Quality[i] < enteBad }
	name := make([]int, m.n)
	for i := range m.n {
		nearest, best := -1, -2.0
		for j, s := range m.row(i)[:i] {
			if s := float64(s); s > best && (!bad(j) || s >= strict) {
				nearest, best = j, s
			}
		}
		need := similarity
		if bad(i) {
			need = strict
		}
		name[i] = i
		if nearest >= 0 && best > need {
			name[i] = name[nearest]
		}
	}
	return numbered(name)
}

// photoview is the rule of Photoview (api/scanner/face_detection, with
// classify.cc of github.com/Kagami/go-face): a face joins the group that holds
// most of its 10 nearest within the distance among the faces before it, the
// group of the nearest where two hold as many, and starts one where nobody is
// within the distance.
func photoview(m *matrix, _ cluster.Faces, similarity float64) []int {
	const voters = 10
	name := make([]int, m.n)
	for i := range m.n {
		near := slices.DeleteFunc(m.within(i, similarity), func(j int) bool { return j >= i })
		name[i] = i
		hits := map[int]int{}
		near = near[:min(voters, len(near))]
		for _, j := range near {
			hits[name[j]]++
		}
		for _, j := range near {
			if g := name[j]; hits[g] > hits[name[i]] {
				name[i] = g
			}
		}
	}
	return numbered(name)
}

func TestIncrementalPeers(t *testing.T) {
	turned := onCircle(0, 10, 20)
	turned.Quality[1] = 0
	for _, c := range []peerCase{
		{"a chain of four has two cores", immich, onCircle(0, 10, 20, 30, 180), 10, "aaaa."},
		{"a pair has no core", immich, onCircle(0, 10, 180), 10, "..."},
		{"two groups of three", immich, onCircle(0, 1, 2, 90, 91, 92), 10, "aaabbb"},
		// The bridge comes last and takes the nearer side; the sides stay two.
		{"a bridge in the end", immich, onCircle(0, 1, 2, 17, 18, 19, 9), 10, "aaabbba"},

		{"a chain", ente, onCircle(0, 10, 20, 180), 11, "aaa."},
		{"a bridge in the end", ente, onCircle(0, 20, 11), 12, ".aa"},
		{"a bad bridge", ente, turned, 11, "..."},

		{"a chain", photoview, onCircle(0, 10, 20, 180), 10, "aaa."},
		{"the many outvote the nearest", photoview, onCircle(0, 1, 2, 19, 11), 10, "aaa.a"},
		{"the nearest of two", photoview, onCircle(0, 18, 10), 10, ".aa"},
	} {
		c.run(t)
	}
}
