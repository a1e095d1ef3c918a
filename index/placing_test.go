package index

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/store"
)

// TestPlacing gives clusters their people. Faces are letters; "abc:A" says
// that a, b and c are A's. Clusters are listed without a person; a face in
// none of them was abstained on. A new person is "+".
func TestPlacing(t *testing.T) {
	for _, c := range []struct {
		name     string
		before   string
		said     []string
		clusters string
		want     string
		drop     string
	}{
		{"all new", "", nil, "abc de", "abc:+ de:+ f:-", ""},
		{"as before", "abc:A de:B", nil, "abc de", "abc:A de:B f:-", ""},
		{"one grows", "ab:A", nil, "abcd", "abcd:A ef:-", ""},
		{"one shrinks to nothing", "ab:A", nil, "cd", "abef:- cd:+", "A"},
		{"two unnamed are joined: the larger's id stays", "abc:A de:B", nil, "abcde", "abcde:A f:-", "B"},
		{"one unnamed falls apart: the larger part keeps the id", "abcde:A", nil, "ab cde", "ab:+ cde:A f:-", ""},
		{"named and unnamed: the name's id stays, though smaller", "ab:A cdef:B", []string{"name A ab Anna"}, "abcdef", "abcdef:A", "B"},
		{"two named are not joined", "abc:A def:B", []string{"name A abc Anna", "name B def Bert"}, "abcdef", "abc:A def:B", ""},
		{"a named one falls apart", "abcd:A", []string{"name A abcd Anna"}, "ab cd", "abcd:A ef:-", ""},
		{"a named face that lost its links stays", "abc:A", []string{"name A abc Anna"}, "ab", "abc:A def:-", ""},
		{"an unnamed one does not", "abc:A", nil, "ab", "ab:A cdef:-", ""},
		{"a named face goes with a clear majority", "abc:A def:B", []string{"name A abc Anna", "name B def Bert"}, "ab cdef", "ab:A cdef:B", ""},
		{"a name without faces keeps its person", "a:A", []string{"name A a Anna"}, "", "a:A bcdef:-", ""},
		{"a merge holds", "abcd:A", []string{"merge A ab B cd"}, "ab cd", "abcd:A ef:-", ""},
		{"a merge without a name is not joined either", "ab:A cd:B", []string{"merge A a X b", "name B cd Bert"}, "abcd", "ab:A cd:B ef:-", ""},
		{"a split holds", "ab:A c:B", []string{"split B c A ab"}, "ab c", "ab:A c:B def:-", ""},
		{"who came back with a name", "", []string{"name A ab Anna"}, "abc", "abc:A def:-", ""},
		{"who came back after a merge", "", []string{"name B c Bert", "merge A ab B c"}, "abc", "abc:A def:-", ""},
		{"both clusters continue one person, and a split was between", "abcd:A e:B",
			[]string{"merge A ab X c", "split A abc B e"}, "abc de", "abcd:A ef:-", "B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vs, label := letterSet("abcdef"), []int{-1, -1, -1, -1, -1, -1}
			clusters := strings.Fields(c.clusters)
			for n, letters := range clusters {
				for _, l := range letters {
					label[l-'a'] = n
				}
			}
			b := newBook(saying(t, c.said...), vs.Faces, holders(&vs, c.before), time.Unix(1, 0))
			p := newPlacing(b, vs)
			as := b.outcome(p.ledger, p.place(label, len(clusters)), true)
			everyFace(&as, vs)

			got := map[string]string{}
			for _, f := range vs.Faces {
				pl := as.Faces[f.ID]
				who := string(pl.Person)
				switch {
				case who == "":
					who = "-"
				case len(who) > 1:
					who = "+" + who // a new id
				}
				got[who] += string(f.ID)
				tied := p.ledger.tied(int(f.ID[0] - 'a'))
				if want := map[bool]store.Origin{true: store.ByDecision, false: store.ByGroup}[tied]; pl.Person != "" && pl.By != want {
					t.Errorf("%s is placed by %q, want %q", f.ID, pl.By, want)
				}
			}
			var lines []string
			for _, who := range slices.Sorted(maps.Keys(got)) {
				lines = append(lines, got[who]+":"+who[:1])
			}
			want(t, "people", lines, c.want)
			var drop []string
			for _, id := range as.Drop {
				drop = append(drop, string(id))
			}
			want(t, "dropped", drop, c.drop)
			checkOutcome(t, b, as)
		})
	}
}

func letterSet(letters string) store.VectorSet {
	vs := store.VectorSet{Space: store.Space{Name: "letters", Dim: 2}, Faces: letterFaces(letters)}
	for i := range vs.Faces {
		vs.Faces[i].Quality = float64(i+1) / 10
		vs.Data = append(vs.Data, 1, 0)
	}
	return vs
}

// everyFace adds the faces that stay where they are.
func everyFace(as *store.Assignment, vs store.VectorSet) {
	for _, f := range vs.Faces {
		if _, moves := as.Faces[f.ID]; !moves {
			as.Faces[f.ID] = store.Placed{Person: f.Person, By: f.By}
		}
	}
}

// holders gives faces to people as "abc:A" says.
func holders(vs *store.VectorSet, before string) (old []Person) {
	for _, w := range strings.Fields(before) {
		letters, id, _ := strings.Cut(w, ":")
		old = append(old, Person{ID: PersonID(id), Created: time.Unix(0, 0)})
		for _, l := range letters {
			vs.Faces[l-'a'].Person, vs.Faces[l-'a'].By = PersonID(id), store.ByGroup
		}
	}
	return old
}

// checkOutcome looks at what must be true of any outcome.
func checkOutcome(t *testing.T, b *book, as store.Assignment) {
	t.Helper()
	listed := map[PersonID]bool{}
	for id := range b.people {
		listed[id] = !slices.Contains(as.Drop, id)
	}
	for _, p := range as.People {
		listed[p.ID] = true
		best := FaceID("")
		for id, pl := range as.Faces {
			if pl.Person == p.ID && id > best { // later letters are of better quality
				best = id
			}
		}
		if p.Cover != best {
			t.Errorf("the cover of %s is %q, want %q", p.ID, p.Cover, best)
		}
		if isOld := len(p.ID) == 1 && p.Created.Equal(time.Unix(0, 0)); !isOld && !p.Created.Equal(time.Unix(1, 0)) {
			t.Errorf("%s was made at %v", p.ID, p.Created)
		}
		if slices.Contains(as.Drop, p.ID) {
			t.Errorf("%s is both kept and dropped", p.ID)
		}
	}
	for id, pl := range as.Faces {
		if pl.Person != "" && !listed[pl.Person] {
			t.Errorf("%s is with %s, who is not listed", id, pl.Person)
		}
	}
	if len(as.Faces) != 6 {
		t.Errorf("%d of 6 faces are placed", len(as.Faces))
	}
}

// A face between two named people goes to the one it is more like.
func TestDivide(t *testing.T) {
	vs := letterSet("abc")
	copy(vs.Data, []float32{1, 0, 0, 1, 0.6, 0.8})
	b := newBook(saying(t, "name A a Anna", "name B b Bert"), vs.Faces, holders(&vs, "a:A b:B"), time.Unix(1, 0))
	p := newPlacing(b, vs)
	as := b.outcome(p.ledger, p.place([]int{0, 0, 0}, 1), true)
	everyFace(&as, vs)
	if got := as.Faces["c"].Person; got != "B" || as.Faces["a"].Person != "A" {
		t.Errorf("c went to %q: %v", got, as.Faces)
	}
}
