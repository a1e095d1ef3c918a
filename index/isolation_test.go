package index_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// halves is an analyzer for two accounts: vectors of the people below 50 lie
// in the first half of the space's coordinates, those of others in the second,
// so that every vector tells whose it is.
func halves() *analyzer {
	return &analyzer{hook: func(ctx context.Context, s *scene, faces []face.Face) ([]face.Face, error) {
		for i := range faces {
			other := faces[i].Vector[sceneDim/2:]
			if s.faces[i].person >= 50 {
				other = faces[i].Vector[:sceneDim/2]
			}
			clear(other)
			faces[i].Vector.Normalize()
		}
		return faces, ctx.Err()
	}}
}

// side is one of two accounts in one process, and all that was heard of it.
type side struct {
	acc  *index.Account
	src  *files
	mark string // in each of its names and paths, and no others
	base int    // its people are base+1 to base+5
	logs *logBuffer
	dir  string

	mu     sync.Mutex
	said   strings.Builder // what its methods returned
	worked map[string]int  // how often each operation succeeded, by name

	foreign stolen // the other side's ids
	t       *testing.T
}

// stolen are ids of the other account.
type stolen struct {
	photo    index.PhotoID
	faces    []index.FaceID
	person   index.PersonID
	decision index.DecisionID
	friend   index.FriendID
	probe    face.Vector
}

// logBuffer takes logs from any goroutine.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// loggerTo logs everything, whatever its level, but the time, whose digits may
// be anything's.
func loggerTo(l *logBuffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{
		Level: slog.LevelDebug - 100,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

func newSide(t *testing.T, mark string, base int, eye *analyzer) *side {
	t.Helper()
	s := &side{mark: mark, base: base, logs: &logBuffer{}, dir: t.TempDir(), worked: map[string]int{}, t: t, src: newFiles(nil)}
	s.acc = openAt(t, filepath.Join(s.dir, "a.kith"), withScenes(index.Config{
		Analyzer: eye, Workers: 2, Logger: loggerTo(s.logs), AccountID: mark,
	}))
	must(t, s.acc.SetConsent(t.Context(), index.Consent{Given: true, By: mark, Version: "1", Means: "test"}))
	for i := range 20 {
		s.shoot(fmt.Sprintf("%s/%02d.jpg", mark, i), 1+i%5, 1+(i/2)%5)
	}
	reindex(t, s.acc, s.src, index.ReindexOptions{Source: mark})
	who := all(t, s.acc.People(t.Context(), index.PeopleQuery{}))
	if len(who) < 3 {
		t.Fatalf("%s has %d people", mark, len(who))
	}
	must1[index.DecisionID](t)(s.acc.Name(t.Context(), who[0].ID, mark+" the First"))
	_, _, err := s.acc.InviteFriend(t.Context(), mark)
	must(t, err)
	return s
}

// shoot makes a photo of one or two of the account's people.
func (s *side) shoot(path string, one, other int) {
	who := []int{s.base + one}
	if other != one {
		who = append(who, s.base+other)
	}
	s.src.put(path, shot(path, who...))
}

// steal takes ids of an account for the other to try.
func (s *side) steal() stolen {
	ctx := s.t.Context()
	f := all(s.t, s.acc.Faces(ctx, index.FaceQuery{}))
	return stolen{
		photo: f[0].Photo, faces: []index.FaceID{f[0].ID, f[1].ID},
		person:   all(s.t, s.acc.People(ctx, index.PeopleQuery{}))[0].ID,
		decision: all(s.t, s.acc.Decisions(ctx))[0].ID,
		friend:   must1[[]index.Friend](s.t)(s.acc.Friends(ctx))[0].ID,
		probe:    s.vectors()[0],
	}
}

// vectors exports the account's.
func (s *side) vectors() []face.Vector {
	s.t.Helper()
	var out strings.Builder
	must(s.t, s.acc.Export(s.t.Context(), &out, index.ExportOptions{Embeddings: true}))
	var e struct {
		Faces []struct{ Embedding face.Vector }
	}
	must(s.t, json.Unmarshal([]byte(out.String()), &e))
	var vs []face.Vector
	for _, f := range e.Faces {
		if f.Embedding != nil {
			vs = append(vs, f.Embedding)
		}
	}
	return vs
}

// half is the part of a vector that this account's have, and the part that
// the other's have.
func (s *side) half(v face.Vector) (own, other face.Vector) {
	if s.base < 50 {
		return v[:sceneDim/2], v[sceneDim/2:]
	}
	return v[sceneDim/2:], v[:sceneDim/2]
}

// marks are what can be known of an account by whoever finds it, by kind.
func (s *side) marks() map[string][]string {
	ids := regexp.MustCompile(`\b[a-z2-7]{26}\b`).FindAllString(s.said.String(), -1)
	slices.Sort(ids)
	m := map[string][]string{"id": slices.Compact(ids), "name": {s.mark}}
	for _, v := range s.vectors() {
		own, _ := s.half(v)
		raw, err := binary.Append(nil, binary.LittleEndian, own[:4])
		must(s.t, err)
		text := must1[[]byte](s.t)(json.Marshal(own[:4]))
		m["vector in bytes"] = append(m["vector in bytes"], string(raw))
		m["vector in text"] = append(m["vector in text"], strings.Trim(string(text), "[]"))
	}
	return m
}

// evidence is what an account has left behind, by place.
func (s *side) evidence() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := map[string]string{"said": s.said.String(), "logged": s.logs.String()}
	var export strings.Builder
	must(s.t, s.acc.Export(s.t.Context(), &export, index.ExportOptions{Embeddings: true}))
	e["exported"] = export.String()
	for _, entry := range must1[[]os.DirEntry](s.t)(os.ReadDir(s.dir)) {
		e["file "+entry.Name()] = string(must1[[]byte](s.t)(os.ReadFile(filepath.Join(s.dir, entry.Name()))))
	}
	return e
}

// foundIn lists which kinds of marks are in which places.
func foundIn(evidence map[string]string, marks map[string][]string) []string {
	var out []string
	for place, text := range evidence {
		for kind, all := range marks {
			if i := slices.IndexFunc(all, func(m string) bool { return strings.Contains(text, m) }); i >= 0 {
				out = append(out, kind+" in "+place)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestIsolation hammers two accounts at once, which share an analyzer and
// decoders. Nothing of one comes out of the other: no id, name, path or
// vector, by no method, no log and no byte of its file.
func TestIsolation(t *testing.T) {
	rounds, hands, steps := 4, 3, 60
	if raceEnabled || testing.Short() {
		rounds, steps = 2, 40
	}
	worked := map[string]int{}
	for seed := range rounds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			eye := halves()
			one, two := newSide(t, "Alder", 0, eye), newSide(t, "Birch", 50, eye)
			one.foreign, two.foreign = two.steal(), one.steal()
			var wg sync.WaitGroup
			for i := range hands {
				for k, s := range []*side{one, two} {
					h := &hand{side: s, r: rand.New(rand.NewPCG(uint64(seed), uint64(2*i+k))), n: i}
					wg.Go(func() { h.hammer(t.Context(), steps) })
				}
			}
			wg.Wait()
			marks := map[*side]map[string][]string{one: one.marks(), two: two.marks()}
			one.checkWithout(marks[two], marks[one])
			two.checkWithout(marks[one], marks[two])
			for _, s := range []*side{one, two} {
				for name, n := range s.worked {
					worked[name] += n
				}
			}
		})
	}
	for _, op := range operations() {
		if worked[op.name] == 0 { // then it has shown nothing
			t.Errorf("%s never succeeded", op.name)
		}
	}
	t.Logf("what was done: %v", worked)
}

// checkWithout closes the account and looks for the other's marks in all that
// it has left behind. That looking finds what is there is shown by the
// account's own marks and by the other's, planted.
func (s *side) checkWithout(theirs, own map[string][]string) {
	s.t.Helper()
	for _, v := range s.vectors() {
		mine, not := s.half(v)
		if slices.ContainsFunc(not, func(x float32) bool { return x != 0 }) || mine.Dot(mine) == 0 {
			s.t.Errorf("%s has a vector of the other's", s.mark)
		}
	}
	mustCheck(s.t, s.acc)
	left := s.evidence()
	must(s.t, s.acc.Close())
	left["closed"] = string(must1[[]byte](s.t)(os.ReadFile(filepath.Join(s.dir, "a.kith"))))
	for _, leak := range foundIn(left, theirs) {
		s.t.Errorf("%s has of the other's: %s", s.mark, leak)
	}
	got := foundIn(left, own)
	for _, want := range []string{
		"id in said", "name in said", "id in exported", "name in exported", "vector in text in exported",
		"id in closed", "name in closed", "vector in bytes in closed",
	} {
		if !slices.Contains(got, want) {
			s.t.Errorf("of %s's own there is no %s; there is %v", s.mark, want, got)
		}
	}
	for kind, marks := range theirs {
		for _, m := range marks {
			planted := map[string]string{"said": "", "logged": "level=DEBUG-100 x=" + m + "\n", "closed": ""}
			if got := foundIn(planted, map[string][]string{kind: marks}); !slices.Equal(got, []string{kind + " in logged"}) {
				s.t.Errorf("a planted %s was not found: %v", kind, got)
			}
		}
	}
	s.t.Logf("%s: %d ids, %d vectors; %d bytes said, %d logged, %d of the file", s.mark, len(own["id"]),
		len(own["vector in bytes"]), len(left["said"]), len(left["logged"]), len(left["closed"]))
}

// near0 is how similar a vector of one account may be to one of the other:
// they have no coordinate in common.
func near0(x float64) bool { return math.Abs(x) < 1e-6 }
