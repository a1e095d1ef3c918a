package store

import (
	"encoding/json"
	"slices"

	"pgregory.net/rapid"
)

// groupable is all that a grouping reads.
func (m *model) groupable(rt *rapid.T) string {
	set, err := m.db.Vectors(rt.Context(), testSpace)
	m.ok(err)
	faces, err := m.db.AllFaces(rt.Context())
	m.ok(err)
	state := []any{set, faces}
	for d, err := range m.db.Decisions(rt.Context()) {
		m.ok(err)
		state = append(state, d)
	}
	for p, err := range m.db.AllPeople(rt.Context()) {
		m.ok(err)
		state = append(state, p)
	}
	packed, err := json.Marshal(state)
	m.ok(err)
	return string(packed)
}

func (m *model) group(rt *rapid.T) {
	m.ok(m.db.PutGrouping(rt.Context(), m.assignment(rt), "all"))
	if about, current, err := m.db.Grouping(rt.Context()); about != "all" || !current || err != nil {
		rt.Fatalf("the grouping is %q, current: %v, %v", about, current, err)
	}
	m.grouped = m.groupable(rt)
}

// compareVectors reads all vectors at once, both ways.
func (m *model) compareVectors(rt *rapid.T) {
	want := map[FaceID]float64{}
	for _, p := range m.photos {
		for x, f := range p.faces {
			want[f.id] = x
		}
	}
	set, err := m.db.Vectors(rt.Context(), testSpace)
	m.ok(err)
	e, err := m.db.Embeddings(rt.Context(), testSpace)
	m.ok(err)
	if len(set.Faces) != len(want) || len(e.IDs) != len(want) || len(set.Data) != len(want)*testDim || len(e.Data) != len(want)*testDim {
		rt.Fatalf("%d and %d vectors, want %d", len(set.Faces), len(e.IDs), len(want))
	}
	seen := map[FaceID]bool{}
	for i, id := range e.IDs {
		x, ok := want[id]
		if v := vector(testDim, uint64(x)); !ok || seen[id] || !slices.Equal(e.Data[i*testDim:(i+1)*testDim], v) {
			rt.Fatalf("row %d is not the one vector of face %s", i, id)
		}
		seen[id] = true
	}
	for i, f := range set.Faces {
		if x, ok := want[f.ID]; !ok || x != f.Box.X || !slices.Equal(set.Vector(i), vector(testDim, uint64(x))) {
			rt.Fatalf("row %d is not the vector of %+v", i, f)
		}
	}
}
