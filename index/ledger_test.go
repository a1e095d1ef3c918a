package index

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// The faces of these tests are letters, each on a photo of its own.

func letterFace(c rune) store.VectorFace {
	return store.VectorFace{
		ID: FaceID(c), Photo: PhotoID(c), SHA256: [32]byte{byte(c)}, Box: face.Box{X: 10, Y: 10, W: 80, H: 80}, Quality: 0.5,
	}
}

func letterFaces(letters string) (out []store.VectorFace) {
	for _, c := range letters {
		out = append(out, letterFace(c))
	}
	return out
}

func letterRefs(letters string) (out []store.FaceRef) {
	for _, f := range letterFaces(letters) {
		out = append(out, store.FaceRef{SHA256: f.SHA256, Box: f.Box})
	}
	return out
}

// saying reads "name A ab Anna", "merge A ab B cd", "split C c A ab", and
// "undone merge ...", with "-" for nobody and for no faces. The clock stands
// still; what was undone was undone after the last.
func saying(t *testing.T, lines ...string) (ds []Decision) {
	t.Helper()
	now := time.Unix(1000, 0)
	for i, line := range lines {
		w := strings.Fields(line)
		for k := range w {
			if w[k] == "-" {
				w[k] = ""
			}
		}
		d := Decision{ID: DecisionID(fmt.Sprint(i)), Seq: int64(i + 1), At: now}
		if w[0] == "undone" {
			d.Revoked, d.RevokedAfter, w = &now, int64(len(lines)), w[1:]
		}
		d.Kind, d.Person, d.Faces = store.DecisionKind(w[0]), PersonID(w[1]), letterRefs(w[2])
		switch {
		case d.Kind == store.DecisionName && len(w) == 4:
			d.Name = w[3]
		case len(w) == 5:
			d.Other, d.Others = PersonID(w[3]), letterRefs(w[4])
		}
		ds = append(ds, d)
	}
	return ds
}

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name   string
		said   []string
		claims string // "ab:A" for faces of one claim
		same   string // sets held together
		apart  string // pairs held apart
		names  string
	}{
		{"nothing", nil, "", "", "", ""},
		{"a name", []string{"name A ab Anna"}, "ab:A", "", "", "A=Anna"},
		{"a name taken away", []string{"name A ab Anna", "name A ab"}, "ab:A", "", "", ""},
		{"a merge", []string{"merge A ab B c"}, "abc:A", "abc", "", ""},
		{"the name comes along", []string{"name B c Bert", "merge A ab B c"}, "abc:A", "abc", "", "A=Bert"},
		{"the name stays", []string{"name A ab Anna", "name B c Bert", "merge A ab B c"}, "abc:A", "abc", "", "A=Anna"},
		{"a chain of merges", []string{"merge B b C c", "merge A a B bc"}, "abc:A", "abc", "", ""},
		{"who is not there comes along", []string{"merge B b C c", "merge A a B d"}, "abcd:A", "ad bc", "", ""},
		{"a split", []string{"split B c A ab"}, "c:B", "c", "c/a c/b", ""},
		{"a tied set speaks once", []string{"split B cd A ab"}, "cd:B", "cd", "c/a c/b", ""},
		{"a split and a merge back", []string{"split B c A ab", "merge A ab B c"}, "abc:A", "abc", "", ""},
		{"a merge and a split", []string{"merge A ab B cd", "split C c A abd"}, "abd:A c:C", "abd c", "c/a", ""},
		{"a later name leaves ties", []string{"merge A ab B c", "name X a Xaver"}, "abc:A", "abc", "", "X=Xaver"},
		{"apart stays apart over a merge of others", []string{"split B b A a", "merge A a B c"}, "ac:A b:B", "ac b", "b/a", ""},
		{"undone", []string{"undone merge A ab B c"}, "", "", "", ""},
		{"an older merge undone", []string{"undone merge A a B b", "merge A ab C c"}, "ac:A", "ac", "", ""},
		{"and named between", []string{"undone merge A a B b", "name A ab Anna", "merge A ab C c"}, "ac:A", "ac", "", "A=Anna"},
		{"and merged on", []string{"undone merge A a B b", "merge Z z A ab", "merge Z zab Y y"}, "ayz:Z", "ayz", "", ""},
		{"given", []string{"same A c A ab"}, "abc:A", "c", "", ""},
		{"given away from a merge", []string{"merge A a B bc", "same D c D d"}, "ab:A cd:D", "ab c", "", ""},
		{"given to who is merged later", []string{"same A c A a", "merge D d A ac"}, "acd:D", "acd", "", ""},
		{"given and undone", []string{"undone same A c A a", "merge D d A ac"}, "ad:D", "ad", "", ""},
		{"two people", []string{"different A ab B cd"}, "ab:A cd:B", "", "a/c a/d b/c b/d", ""},
		{"two people, one held together", []string{"merge A a X b", "different A ab B cd"}, "ab:A cd:B", "ab", "a/c a/d", ""},
		{"a part of one is different", []string{"merge A a B bc", "different A ab F c"}, "ab:A c:F", "ab", "a/c", ""},
		{"and merged without it", []string{"merge A a B bc", "different F c Z z", "merge Z z A ab"}, "abz:Z", "abz", "c/z", ""},
		{"removed", []string{"name A abc", "remove - c A ab"}, "ab:A", "", "c/a c/b", ""},
		{"removed from a merge", []string{"merge A a B bc", "remove - c A ab"}, "ab:A", "ab", "c/a", ""},
		{"ignored and shown", []string{"ignore A ab", "unignore A ab"}, "ab:A", "", "", ""},
		{"a cover is tied", []string{"cover A b"}, "b:A", "b", "", ""},
		{"a cover of a merged one", []string{"merge A a B bc", "cover A b"}, "abc:A", "abc", "", ""},
		{"not a face", []string{"not-a-face - b"}, "", "", "", ""},
		{"but split off since", []string{"undone merge A a B b", "split F b A a", "merge Z z F b"}, "bz:Z", "bz", "b/a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			faces := letterFaces("abcdyz")
			l := replay(standing(saying(t, c.said...)), faces)
			claims := map[PersonID]string{}
			for i, id := range l.claim {
				claims[id] += string(faces[i].ID)
			}
			delete(claims, "")
			var got []string
			for _, id := range sortedKeys(claims) {
				got = append(got, claims[id]+":"+string(id))
			}
			want(t, "claims", got, c.claims)
			got = nil
			for _, set := range l.sets {
				s := ""
				for _, i := range slices.Sorted(slices.Values(set)) {
					s += string(faces[i].ID)
				}
				if s != "" {
					got = append(got, s)
				}
			}
			want(t, "same", got, c.same)
			got = nil
			for _, p := range l.different() {
				got = append(got, string(faces[p[0]].ID)+"/"+string(faces[p[1]].ID))
			}
			want(t, "apart", got, c.apart)
			got = nil
			for _, id := range slices.Sorted(maps.Keys(l.names)) {
				if l.names[id] != "" {
					got = append(got, string(id)+"="+l.names[id])
				}
			}
			want(t, "names", got, c.names)
		})
	}
}

func want(t *testing.T, what string, got []string, words string) {
	t.Helper()
	w := strings.Fields(words)
	slices.Sort(got)
	slices.Sort(w)
	if !slices.Equal(got, w) {
		t.Errorf("%s: %v, want %v", what, got, w)
	}
}

// standing must not write into the ledger it was given.
func TestStandingLeavesTheLedger(t *testing.T) {
	ds := saying(t, "undone merge A a B b", "merge A ab C c")
	if got := standing(ds); len(got) != 1 || len(got[0].Faces) != 1 || len(ds[1].Faces) != 2 || len(ds) != 2 {
		t.Errorf("%v; the ledger: %v", got, ds)
	}
	// A decision made after the merge was undone speaks for itself.
	ds[0].RevokedAfter = 1
	if got := standing(ds); len(got[0].Faces) != 2 {
		t.Errorf("%v", got)
	}
}

func TestResolve(t *testing.T) {
	at := func(photo string, sum byte, x float64) store.VectorFace {
		return store.VectorFace{
			ID: FaceID(fmt.Sprint(photo, x)), Photo: PhotoID(photo), SHA256: [32]byte{sum}, Box: face.Box{X: x, W: 100, H: 100},
		}
	}
	r := newResolver([]store.VectorFace{
		at("p", 1, 0), at("p", 1, 30), at("p", 1, 400), at("copy", 1, 0), at("other", 2, 0),
	})
	for _, c := range []struct {
		what string
		x    float64
		sum  byte
		want []int
	}{
		{"the same box, on each copy", 0, 1, []int{0, 3}},
		{"the nearest of two", 28, 1, []int{1, 3}},
		{"a box a little off", 410, 1, []int{2}},
		{"IoU 0.41", 442, 1, []int{2}},
		{"IoU 0.39", 444, 1, nil},
		{"nowhere", 200, 1, nil},
		{"another photo", 0, 2, []int{4}},
		{"a photo that is gone", 0, 3, nil},
	} {
		got := r.resolve([]store.FaceRef{{SHA256: [32]byte{c.sum}, Box: face.Box{X: c.x, W: 100, H: 100}}})
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	two := []store.FaceRef{{SHA256: [32]byte{1}, Box: face.Box{W: 100, H: 100}}, {SHA256: [32]byte{1}, Box: face.Box{X: 2, W: 100, H: 100}}}
	if got := r.resolve(two); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("two references to one face: %v", got)
	}
}
