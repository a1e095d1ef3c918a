package index_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// stage is bigFamily with the means to say things shortly. Person 1 is Anna.
type stage struct {
	*testing.T
	acc *index.Account
	p   [3]index.PersonID
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{T: t, acc: newAccount(t, index.Config{})}
	s.p = bigFamily(t, s.acc)
	named(t, s.acc, s.p[0], "Anna")
	return s
}

// face is the first face of each photo.
func (s stage) face(paths ...string) (ids []index.FaceID) {
	s.Helper()
	for _, path := range paths {
		faces := all(s, s.acc.Faces(s.Context(), index.FaceQuery{Photo: photoOf(s, s.acc, path).ID, Rejected: index.Include}))
		ids = append(ids, faces[0].ID)
	}
	return ids
}

func (s stage) allOf(id index.PersonID) (ids []index.FaceID) {
	for _, f := range all(s, s.acc.Faces(s.Context(), index.FaceQuery{Person: id})) {
		ids = append(ids, f.ID)
	}
	return ids
}

func (s stage) split(paths ...string) (index.PersonID, index.DecisionID) {
	s.Helper()
	who, id, err := s.acc.Split(s.Context(), s.face(paths...))
	must(s, err)
	return who, id
}

func (s stage) assign(to index.PersonID, paths ...string) (index.PersonID, index.DecisionID) {
	s.Helper()
	who, id, err := s.acc.Assign(s.Context(), to, s.face(paths...)...)
	must(s, err)
	return who, id
}

func (s stage) say(id index.DecisionID, err error) index.DecisionID {
	s.Helper()
	must(s, err)
	return id
}

// attempt is something to be refused.
type attempt func() error

func (s stage) merge(into, from index.PersonID) attempt {
	return func() error { _, err := s.acc.Merge(s.Context(), into, from); return err }
}

func (s stage) give(to index.PersonID, paths ...string) attempt {
	return func() error { _, _, err := s.acc.Assign(s.Context(), to, s.face(paths...)...); return err }
}

func (s stage) part(paths ...string) attempt {
	return func() error { _, _, err := s.acc.Split(s.Context(), s.face(paths...)); return err }
}

func (s stage) remove(ids func() []index.FaceID) attempt {
	return func() error { _, err := s.acc.Remove(s.Context(), ids()...); return err }
}

func (s stage) reject(paths ...string) attempt {
	return func() error { _, err := s.acc.NotAFace(s.Context(), s.face(paths...)...); return err }
}

func (s stage) cover(id index.PersonID, path string) attempt {
	return func() error { _, err := s.acc.Cover(s.Context(), id, s.face(path)[0]); return err }
}

func TestContradictions(t *testing.T) {
	alone(t)
	type contradiction struct {
		kind     store.DecisionKind
		standing []index.DecisionID
		refused  attempt
		// moot: undoing what stands brings about what was asked for.
		moot bool
	}
	ctx := t.Context()
	for name, prepare := range map[string]func(s stage) contradiction{
		"merge what was split": func(s stage) contradiction {
			who, id := s.split("one/01.jpg", "one/02.jpg")
			return contradiction{store.DecisionMerge, []index.DecisionID{id}, s.merge(s.p[0], who), true}
		},
		"merge what was split, through others": func(s stage) contradiction {
			who, id := s.split("one/01.jpg", "one/02.jpg")
			merged(s, s.acc, s.p[1], who)
			return contradiction{store.DecisionMerge, []index.DecisionID{id}, s.merge(s.p[0], s.p[1]), false}
		},
		"merge two different people": func(s stage) contradiction {
			id := s.say(s.acc.Different(ctx, s.p[0], s.p[1]))
			return contradiction{store.DecisionMerge, []index.DecisionID{id}, s.merge(s.p[1], s.p[0]), false}
		},
		"merge, and two decisions stand against it": func(s stage) contradiction {
			a, b := s.say(s.acc.Different(ctx, s.p[0], s.p[1])), s.say(s.acc.Different(ctx, s.p[1], s.p[0]))
			return contradiction{store.DecisionMerge, []index.DecisionID{a, b}, s.merge(s.p[1], s.p[0]), false}
		},
		"merge with who holds what was removed": func(s stage) contradiction {
			id := s.say(s.acc.Remove(ctx, s.face("one/01.jpg")...))
			who, _ := s.assign("", "one/01.jpg", "alone.jpg")
			return contradiction{store.DecisionMerge, []index.DecisionID{id}, s.merge(s.p[0], who), false}
		},
		"give back what was removed": func(s stage) contradiction {
			id := s.say(s.acc.Remove(ctx, s.face("one/01.jpg")...))
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give(s.p[0], "one/01.jpg"), false}
		},
		"give back what was removed, after a merge": func(s stage) contradiction {
			id := s.say(s.acc.Remove(ctx, s.face("one/01.jpg")...))
			merged(s, s.acc, s.p[2], s.p[0])
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give(s.p[2], "one/01.jpg"), false}
		},
		"give a face to a person who is different": func(s stage) contradiction {
			id := s.say(s.acc.Different(ctx, s.p[0], s.p[1]))
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give(s.p[0], "two/01.jpg"), false}
		},
		"give two faces that were split to somebody new": func(s stage) contradiction {
			_, id := s.split("one/01.jpg")
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give("", "one/01.jpg", "one/02.jpg"), false}
		},
		"give away what was given": func(s stage) contradiction {
			_, id := s.assign(s.p[0], "two/01.jpg")
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give(s.p[2], "two/01.jpg"), false}
		},
		"split what was given": func(s stage) contradiction {
			_, id := s.assign(s.p[0], "one/01.jpg")
			return contradiction{store.DecisionSplit, []index.DecisionID{id}, s.part("one/01.jpg", "one/02.jpg"), false}
		},
		"remove what was given twice": func(s stage) contradiction {
			_, a := s.assign(s.p[0], "one/01.jpg")
			_, b := s.assign(s.p[0], "one/01.jpg", "one/02.jpg")
			return contradiction{store.DecisionRemove, []index.DecisionID{a, b}, s.remove(func() []index.FaceID { return s.face("one/01.jpg") }), false}
		},
		"split one side of a merge": func(s stage) contradiction {
			faces := s.allOf(s.p[2])
			id := merged(s, s.acc, s.p[0], s.p[2])
			return contradiction{store.DecisionSplit, []index.DecisionID{id}, func() error {
				_, _, err := s.acc.Split(ctx, faces)
				return err
			}, true}
		},
		"remove what is left of one side of a merge": func(s stage) contradiction {
			faces := s.allOf(s.p[2])
			id := merged(s, s.acc, s.p[0], s.p[2])
			s.say(s.acc.Remove(ctx, faces[:4]...))
			return contradiction{store.DecisionRemove, []index.DecisionID{id}, s.remove(func() []index.FaceID { return faces[4:] }), false}
		},
		"give away one side of a merge": func(s stage) contradiction {
			faces := s.allOf(s.p[2])
			id := merged(s, s.acc, s.p[0], s.p[2])
			return contradiction{store.DecisionSame, []index.DecisionID{id}, func() error {
				_, _, err := s.acc.Assign(ctx, s.p[1], faces...)
				return err
			}, false}
		},
		"give what is no face": func(s stage) contradiction {
			id := s.say(s.acc.NotAFace(ctx, s.face("one/01.jpg")...))
			return contradiction{store.DecisionSame, []index.DecisionID{id}, s.give(s.p[1], "one/01.jpg"), false}
		},
		"split what is no face": func(s stage) contradiction {
			id := s.say(s.acc.NotAFace(ctx, s.face("one/01.jpg")...))
			return contradiction{store.DecisionSplit, []index.DecisionID{id}, s.part("one/01.jpg"), false}
		},
		"cover with what is no face, as was said twice": func(s stage) contradiction {
			a, b := s.say(s.acc.NotAFace(ctx, s.face("one/01.jpg")...)), s.say(s.acc.NotAFace(ctx, s.face("one/01.jpg")...))
			return contradiction{store.DecisionCover, []index.DecisionID{a, b}, s.cover(s.p[0], "one/01.jpg"), false}
		},
		"what was given is no face": func(s stage) contradiction {
			_, id := s.assign(s.p[0], "one/01.jpg")
			return contradiction{store.DecisionNotAFace, []index.DecisionID{id}, s.reject("one/01.jpg", "one/02.jpg"), false}
		},
		"a cover is no face": func(s stage) contradiction {
			id := s.say(s.acc.Cover(ctx, s.p[0], s.face("one/01.jpg")[0]))
			return contradiction{store.DecisionNotAFace, []index.DecisionID{id}, s.reject("one/01.jpg"), false}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			c := prepare(s)
			for range 2 { // at once, and when people have been derived anew
				before, n := worldOf(t, s.acc), len(all(t, s.acc.Decisions(ctx)))
				err := c.refused()
				var conflict *index.ConflictError
				if !errors.As(err, &conflict) {
					t.Fatalf("got %v, want a ConflictError", err)
				}
				if conflict.Kind != c.kind || !slices.Equal(conflict.Standing, c.standing) {
					t.Errorf("%+v, want %s against %v", conflict, c.kind, c.standing)
				}
				for _, id := range c.standing {
					d := decisionOf(t, s.acc, id)
					if want := fmt.Sprintf("%s (%s)", id, d.Kind); !strings.Contains(err.Error(), want) {
						t.Errorf("%q lacks %q", err, want)
					}
				}
				if !strings.Contains(err.Error(), string(c.kind)) || !strings.Contains(err.Error(), "undo") {
					t.Errorf("%q says too little", err)
				}
				if !worldOf(t, s.acc).equal(before) || len(all(t, s.acc.Decisions(ctx))) != n {
					t.Error("what was refused changed something")
				}
				must1[index.Report](t)(s.acc.Regroup(ctx))
			}
			for _, id := range c.standing {
				must(t, s.acc.Undo(ctx, id))
			}
			if err := c.refused(); (err != nil) != c.moot {
				t.Errorf("when it was undone: %v", err)
			}
		})
	}
}

func decisionOf(t cleaner, acc *index.Account, id index.DecisionID) index.Decision {
	t.Helper()
	for _, d := range all(t, acc.Decisions(t.Context())) {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no decision %s", id)
	return index.Decision{}
}

// What is finer than a decision that stands, or merely later, is no
// contradiction.
func TestNoContradictions(t *testing.T) {
	ctx := t.Context()
	for name, say := range map[string]func(s stage) error{
		"names": func(s stage) error { named(s, s.acc, s.p[0], "Bert"); named(s, s.acc, s.p[1], "Bert"); return nil },
		"ignoring": func(s stage) error {
			s.say(s.acc.Ignore(ctx, s.p[1]))
			s.say(s.acc.Ignore(ctx, s.p[1]))
			s.say(s.acc.Unignore(ctx, s.p[1]))
			return nil
		},
		"covers": func(s stage) error {
			s.say(s.acc.Cover(ctx, s.p[1], s.face("two/01.jpg")[0]))
			return s.cover(s.p[1], "two/02.jpg")()
		},
		"splitting some of a merge": func(s stage) error {
			merged(s, s.acc, s.p[0], s.p[1])
			s.split("two/01.jpg", "two/02.jpg", "one/01.jpg")
			return nil
		},
		"giving what was split to a third": func(s stage) error {
			s.split("one/01.jpg")
			return s.give(s.p[2], "one/01.jpg")()
		},
		"giving the same again": func(s stage) error { s.assign(s.p[0], "two/01.jpg"); return s.give(s.p[0], "two/01.jpg")() },
		"giving nobody's face":  func(s stage) error { return s.give(s.p[1], "alone.jpg")() },
		"removing a chosen cover": func(s stage) error {
			s.say(s.acc.Cover(ctx, s.p[0], s.face("one/01.jpg")[0]))
			s.split("one/01.jpg")
			return nil
		},
		"merging with a third": func(s stage) error { s.split("one/01.jpg"); return s.merge(s.p[0], s.p[2])() },
		"people who are different": func(s stage) error {
			who, _ := s.split("one/01.jpg")
			s.say(s.acc.Different(ctx, who, s.p[1]))
			return nil
		},
		"rejecting what is nobody's": func(s stage) error { return s.reject("alone.jpg")() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			if err := say(s); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
