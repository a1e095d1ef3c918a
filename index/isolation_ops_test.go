package index_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"math/rand/v2"
	"strings"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// hand is one goroutine that works on an account.
type hand struct {
	*side
	r *rand.Rand
	n int // which of the account's hands
	k int // how many photos it has made
}

// operation is something that a hand can do.
type operation struct {
	name string
	do   func(h *hand, ctx context.Context) error
}

// errNobody: there is nothing to do it to, just now.
var errNobody = errors.New("nobody there")

// hammer does one thing after another at random.
func (h *hand) hammer(ctx context.Context, steps int) {
	ops := operations()
	first := h.r.Perm(len(ops))
	for i := range steps {
		op := ops[h.r.IntN(len(ops))]
		if i < len(ops) { // each at least once
			op = ops[first[i]]
		}
		err := op.do(h, ctx)
		h.mu.Lock()
		if err == nil {
			h.worked[op.name]++
		} else {
			_, _ = fmt.Fprintln(&h.said, op.name, err)
		}
		h.mu.Unlock()
	}
}

// say keeps what a method returned.
func (h *hand) say(v any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = fmt.Fprintf(&h.said, "%+v\n", v)
}

// said1 keeps what a method returned, unless it failed.
func said1[T any](h *hand) func(T, error) error {
	return func(v T, err error) error {
		if err == nil {
			h.say(v)
		}
		return err
	}
}

// told keeps a listing.
func told[T any](h *hand, seq iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		h.say(v)
		out = append(out, v)
	}
	return out, nil
}

// one of a listing, at random.
func one[T any](h *hand, seq iter.Seq2[T, error]) (T, error) {
	var zero T
	vs, err := told(h, seq)
	if err == nil && len(vs) == 0 {
		err = errNobody
	}
	if err != nil {
		return zero, err
	}
	return vs[h.r.IntN(len(vs))], nil
}

// picked is whom and what a decision is about.
type picked struct {
	p, q index.PersonID // two
	f    index.Face
}

// decision makes an operation of a method that decides something.
func decision(name string, do func(h *hand, ctx context.Context, x picked) (index.DecisionID, error)) operation {
	return operation{name, func(h *hand, ctx context.Context) error {
		people, err := told(h, h.acc.People(ctx, index.PeopleQuery{Ignored: index.Include}))
		if err != nil {
			return err
		}
		if len(people) < 4 { // else merging would leave nothing to work on
			return errNobody
		}
		i := h.r.IntN(len(people))
		x := picked{p: people[i].ID, q: people[(i+1+h.r.IntN(len(people)-1))%len(people)].ID}
		if x.f, err = one(h, h.acc.Faces(ctx, index.FaceQuery{Person: x.p})); err != nil {
			return err
		}
		return said1[index.DecisionID](h)(do(h, ctx, x))
	}}
}

// listing makes an operation of a listing.
func listing[T any](name string, seq func(h *hand, ctx context.Context) iter.Seq2[T, error]) operation {
	return operation{name, func(h *hand, ctx context.Context) error {
		_, err := told(h, seq(h, ctx))
		return err
	}}
}

func operations() []operation {
	ops := []operation{
		{"Index", (*hand).index},
		{"Reindex", (*hand).reindex},
		{"Regroup", func(h *hand, ctx context.Context) error { return said1[index.Report](h)(h.acc.Regroup(ctx)) }},
		{"Undo", (*hand).undo},
		{"Search", (*hand).search},
		{"SearchImage", func(h *hand, ctx context.Context) error {
			img := &scene{Rectangle: image.Rect(0, 0, 1000, 100), text: fmt.Sprint(h.r.Uint64())}
			img.faces = []sceneFace{{person: h.base + 1 + h.r.IntN(5)}}
			img.faces[0].box.W, img.faces[0].box.H = 80, 80
			return said1[[]index.Match](h)(h.acc.SearchImage(ctx, img, 5))
		}},
		{"Answer", (*hand).answer},
		{"Explain", func(h *hand, ctx context.Context) error {
			f, err := one(h, h.acc.Faces(ctx, index.FaceQuery{}))
			if err != nil {
				return err
			}
			return said1[index.Explanation](h)(h.acc.Explain(ctx, f.ID))
		}},
		{"Export", func(h *hand, ctx context.Context) error {
			var out strings.Builder
			err := h.acc.Export(ctx, &out, index.ExportOptions{Embeddings: h.r.IntN(4) == 0})
			h.say(out.String())
			return err
		}},
		{"Crops", (*hand).crops},
		{"Check", func(h *hand, ctx context.Context) error {
			for err := range h.acc.Check(ctx) {
				h.t.Errorf("%s: %v", h.mark, err)
			}
			return nil
		}},
		{"trespass", (*hand).trespass},
		{"InviteFriend", func(h *hand, ctx context.Context) error {
			id, _, err := h.acc.InviteFriend(ctx, h.mark)
			h.say(id)
			return err
		}},
		{"Friends", func(h *hand, ctx context.Context) error { return said1[[]index.Friend](h)(h.acc.Friends(ctx)) }},
		{"Unpair", func(h *hand, ctx context.Context) error {
			friends, err := h.acc.Friends(ctx)
			if err == nil && len(friends) < 2 { // one is for the other account to try
				err = errNobody
			}
			if err != nil {
				return err
			}
			_, receipt, err := h.acc.Unpair(ctx, friends[len(friends)-1].ID)
			h.say(receipt)
			return err
		}},
		listing("People", func(h *hand, ctx context.Context) iter.Seq2[index.Person, error] {
			return h.acc.People(ctx, index.PeopleQuery{Ignored: index.Include})
		}),
		listing("Faces", func(h *hand, ctx context.Context) iter.Seq2[index.Face, error] {
			return h.acc.Faces(ctx, index.FaceQuery{Rejected: index.Include})
		}),
		listing("Photos", func(h *hand, ctx context.Context) iter.Seq2[index.Photo, error] {
			return h.acc.Photos(ctx, index.PhotoQuery{})
		}),
		listing("Decisions", func(h *hand, ctx context.Context) iter.Seq2[index.Decision, error] { return h.acc.Decisions(ctx) }),
		listing("Events", func(h *hand, ctx context.Context) iter.Seq2[index.Event, error] { return h.acc.Events(ctx, 0) }),
		listing("Suggestions", func(h *hand, ctx context.Context) iter.Seq2[index.Suggestion, error] {
			return h.acc.Suggestions(ctx, index.SuggestionQuery{})
		}),
	}
	return append(ops, decisions()...)
}

func decisions() []operation {
	return []operation{
		decision("Name", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Name(ctx, x.p, fmt.Sprintf("%s %d", h.mark, h.r.IntN(1000)))
		}),
		decision("Merge", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Merge(ctx, x.p, x.q)
		}),
		decision("Different", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Different(ctx, x.p, x.q)
		}),
		decision("Ignore", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) { return h.acc.Ignore(ctx, x.p) }),
		decision("Unignore", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Unignore(ctx, x.p)
		}),
		decision("Cover", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Cover(ctx, x.p, x.f.ID)
		}),
		decision("Remove", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.Remove(ctx, x.f.ID)
		}),
		decision("NotAFace", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			return h.acc.NotAFace(ctx, x.f.ID)
		}),
		decision("Split", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			who, id, err := h.acc.Split(ctx, []index.FaceID{x.f.ID})
			h.say(who)
			return id, err
		}),
		decision("Assign", func(h *hand, ctx context.Context, x picked) (index.DecisionID, error) {
			to := x.q
			if h.r.IntN(2) == 0 {
				to = ""
			}
			who, id, err := h.acc.Assign(ctx, to, x.f.ID)
			h.say(who)
			return id, err
		}),
	}
}

// index makes a photo and indexes it.
func (h *hand) index(ctx context.Context) error {
	h.k++
	path := fmt.Sprintf("%s/new/%d-%d.jpg", h.mark, h.n, h.k)
	h.shoot(path, 1+h.r.IntN(5), 1+h.r.IntN(5))
	return said1[index.Photo](h)(h.acc.Index(ctx, h.src, path))
}

// reindex makes a photo, moves another and lets the account know.
func (h *hand) reindex(ctx context.Context) error {
	h.k++
	h.shoot(fmt.Sprintf("%s/found/%d-%d.jpg", h.mark, h.n, h.k), 1+h.r.IntN(5), 1+h.r.IntN(5))
	names := h.src.names()
	old := names[h.r.IntN(len(names))]
	h.src.move(old, old+".moved.jpg") // another hand may have: then it is an empty file, and fails
	rep, err := h.acc.Reindex(ctx, h.src, index.ReindexOptions{
		Source: h.mark, Force: h.r.IntN(4) == 0,
		Progress: func(p index.Progress) { h.say(p) }, Failed: func(e *index.PhotoError) { h.say(e) },
	})
	h.say(rep)
	return err
}

func (h *hand) undo(ctx context.Context) error {
	d, err := one(h, h.acc.Decisions(ctx))
	if err != nil {
		return err
	}
	return h.acc.Undo(ctx, d.ID)
}

// search looks for a face of its own account and for one of the other, which
// has nothing in common with any that is here.
func (h *hand) search(ctx context.Context) error {
	own, err := h.acc.Search(ctx, portraitOf(h.side), 10)
	if err != nil {
		return err
	}
	theirs, err := h.acc.Search(ctx, h.foreign.probe, 10)
	for _, m := range theirs {
		if !near0(m.Similarity) {
			h.t.Errorf("%s has a face %v like the other's", h.mark, m.Similarity)
		}
	}
	if len(own) == 0 || near0(own[0].Similarity) {
		h.t.Errorf("%s finds none of its own", h.mark)
	}
	h.say(own)
	h.say(theirs)
	return err
}

// answer answers a question, if there is one.
func (h *hand) answer(ctx context.Context) error {
	s, err := one(h, h.acc.Suggestions(ctx, index.SuggestionQuery{MinProbability: 1e-9}))
	if err != nil {
		return err
	}
	yes := make([]bool, len(s.Candidates))
	for i := range yes {
		yes[i] = h.r.IntN(2) == 0
	}
	return said1[[]index.DecisionID](h)(h.acc.Answer(ctx, s, yes))
}

// crops asks for all faces; photos that have gone or changed are errors.
func (h *hand) crops(ctx context.Context) error {
	faces, err := told(h, h.acc.Faces(ctx, index.FaceQuery{}))
	if err != nil {
		return err
	}
	var ids []index.FaceID
	for _, f := range faces[:min(len(faces), 5)] {
		ids = append(ids, f.ID)
	}
	n := 0
	for c, err := range h.acc.Crops(ctx, h.src, ids, 8) {
		if err != nil {
			h.say(err)
			continue
		}
		h.say(c.Face)
		n++
	}
	if n == 0 {
		return errNobody
	}
	return nil
}

// trespass tries the other account's ids. What it gets back is not kept: the
// errors repeat the ids.
func (h *hand) trespass(ctx context.Context) error {
	f, acc := h.foreign, h.acc
	people, err := told(h, acc.People(ctx, index.PeopleQuery{}))
	if err != nil {
		return err
	}
	if len(people) == 0 {
		return errNobody
	}
	own := people[0].ID
	for name, err := range map[string]error{
		"Person":          second(acc.Person(ctx, f.person)),
		"Photo":           second(acc.Photo(ctx, f.photo)),
		"Explain":         second(acc.Explain(ctx, f.faces[0])),
		"Name":            second(acc.Name(ctx, f.person, h.mark)),
		"Ignore":          second(acc.Ignore(ctx, f.person)),
		"Unignore":        second(acc.Unignore(ctx, f.person)),
		"Cover":           second(acc.Cover(ctx, f.person, f.faces[0])),
		"Merge from":      second(acc.Merge(ctx, own, f.person)),
		"Merge into":      second(acc.Merge(ctx, f.person, own)),
		"Different":       second(acc.Different(ctx, own, f.person)),
		"Split":           third(acc.Split(ctx, f.faces)),
		"Remove":          second(acc.Remove(ctx, f.faces...)),
		"NotAFace":        second(acc.NotAFace(ctx, f.faces...)),
		"Assign the face": third(acc.Assign(ctx, "", f.faces...)),
		"Assign to":       third(acc.Assign(ctx, f.person, f.faces...)),
		"Undo":            acc.Undo(ctx, f.decision),
		"Unpair":          third(acc.Unpair(ctx, f.friend)),
		"SetFriend":       acc.SetFriend(ctx, index.Friend{ID: f.friend, Label: h.mark}),
		"AcceptProposal":  acc.AcceptProposal(ctx, index.OfferID(f.friend)),
		"Crops":           last(acc.Crops(ctx, h.src, f.faces, 8)),
		"Answer": second(acc.Answer(ctx, index.Suggestion{
			Person: f.person, Candidates: []index.Candidate{{Faces: f.faces}},
		}, []bool{true})),
	} {
		if !errors.Is(err, index.ErrNotFound) {
			h.t.Errorf("%s: %s with the other's ids: %v, want ErrNotFound", h.mark, name, err)
		}
	}
	photo, person := index.FaceQuery{Photo: f.photo}, index.FaceQuery{Person: f.person}
	for _, seq := range []iter.Seq2[index.Face, error]{acc.Faces(ctx, photo), acc.Faces(ctx, person)} {
		for f, err := range seq {
			h.t.Errorf("%s lists the other's faces: %v, %v", h.mark, f.ID, err)
		}
	}
	for s, err := range acc.Suggestions(ctx, index.SuggestionQuery{Person: f.person}) {
		h.t.Errorf("%s asks about the other's person: %+v, %v", h.mark, s, err)
	}
	return nil
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

// last is the error that a listing ends with.
func last[T any](seq iter.Seq2[T, error]) (err error) {
	for _, err = range seq {
	}
	return err
}

// portraitOf is a probe of one of the account's people.
func portraitOf(s *side) face.Vector {
	v := portrait(s.base+1, 7)
	_, other := s.half(v)
	clear(other)
	v.Normalize()
	return v
}
