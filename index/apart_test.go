package index

import (
	"slices"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// crowdOf is n faces, each on a photo of its own, and references to them.
func crowdOf(n int) (faces []store.VectorFace, refs []store.FaceRef) {
	for i := range n {
		f := store.VectorFace{
			ID: FaceID(rune(i)), Photo: PhotoID(rune(i)), SHA256: [32]byte{byte(i), byte(i >> 8)},
			Box: face.Box{W: 80, H: 80}, Quality: float64(i) / float64(n),
		}
		faces = append(faces, f)
		refs = append(refs, store.FaceRef{SHA256: f.SHA256, Box: f.Box})
	}
	return faces, refs
}

// Two people of a thousand faces each are different by a few pairs of their
// best faces, and yet by every face when people are placed.
func TestDifferentOfMany(t *testing.T) {
	faces, refs := crowdOf(2000)
	ds := []Decision{{Seq: 1, Kind: store.DecisionDifferent, Person: "A", Other: "B", Faces: refs[:1000], Others: refs[1000:]}}
	l := replay(ds, faces)
	pairs := l.different()
	if len(pairs) == 0 || len(pairs) > maxLinks {
		t.Errorf("%d pairs", len(pairs))
	}
	worst := 1.0
	for _, p := range pairs {
		a, b := min(p[0], p[1]), max(p[0], p[1])
		if a >= 1000 || b < 1000 {
			t.Fatalf("%v are on one side", p)
		}
		worst = min(worst, faces[a].Quality/0.5, (faces[b].Quality-0.5)/0.5)
	}
	if worst < 0.9 {
		t.Errorf("a face of quality %v speaks for its side", worst)
	}
	lone := replay([]Decision{{Seq: 1, Kind: store.DecisionRemove, Other: "A", Faces: refs[:1], Others: refs[1:]}}, faces)
	if n := len(lone.different()); n != 1999 {
		t.Errorf("one face is apart from %d of 1999", n)
	}

	for _, c := range []struct {
		what         string
		a, b         int // of each side, so many first faces came to X
		wantA, wantB int
	}{
		{"the smaller side leaves", 300, 200, 300, 0},
		{"whichever it is", 200, 300, 0, 300},
		{"none", 0, 300, 0, 300},
	} {
		person := make([]PersonID, len(faces))
		for i := range c.a {
			person[i] = "X"
		}
		for i := range c.b {
			person[1000+i] = "X"
		}
		l.separate(person)
		if a, b := l.count(person, l.apart[0].side[0])["X"], l.count(person, l.apart[0].side[1])["X"]; a != c.wantA || b != c.wantB {
			t.Errorf("%s: %d and %d faces are left", c.what, a, b)
		}
	}
	// The person of one side never gets a face of the other.
	person := slices.Repeat([]PersonID{"A"}, len(faces))
	l.separate(person)
	if a, b := l.count(person, l.apart[0].side[0])["A"], l.count(person, l.apart[0].side[1])["A"]; a != 1000 || b != 0 {
		t.Errorf("A has %d and %d faces", a, b)
	}
	// What a decision ties stays, however few it is.
	ds = append(ds, Decision{Seq: 2, Kind: store.DecisionSame, Person: "X", Faces: refs[1000:1001]})
	l = replay(ds, faces)
	person = slices.Repeat([]PersonID{"X"}, len(faces))
	l.claims(person)
	l.separate(person)
	if a, b := l.count(person, l.apart[0].side[0])["X"], l.count(person, l.apart[0].side[1])["X"]; a != 0 || b != 1000 {
		t.Errorf("X has %d and %d faces", a, b)
	}
}
