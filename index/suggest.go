package index

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/kith-photos/kith/face/cluster"
	"github.com/kith-photos/kith/store"
)

// Suggestion asks which of some faces are a person. See Answer.
type Suggestion struct {
	Person     PersonID
	Candidates []Candidate // the likeliest first
	// Gain is how many faces an answer is expected to bring to Person.
	Gain float64
}

// Candidate is a person, or a face that is with nobody, that may be the person
// of a Suggestion, with what speaks for it.
type Candidate struct {
	Person PersonID // empty: the face is with nobody
	Faces  []FaceID // all of the candidate's; of a face its copies too
	// Similarity is that of the mean of these faces to the mean of the
	// suggestion's person, RunnerUp to that of the next most similar person, 0
	// if no other is at all similar.
	Similarity, RunnerUp float64
	// Probability estimates how likely they are that person, in (0,1); see
	// cluster.Candidate.
	Probability float64
}

// SuggestionQuery narrows Suggestions. The zero value asks for all.
type SuggestionQuery struct {
	Person         PersonID // only questions about this person
	Limit          int      // at most so many suggestions; 0: no limit
	MinProbability float64  // of a candidate; 0: 0.02
	MaxCandidates  int      // of one suggestion; 0: 12
}

// worthAsking is the least probability of a candidate that is asked about: one
// in fifty.
const worthAsking = 0.02

// Suggestions lists questions about who is who, those first whose answer is
// expected to settle most faces. People who are ignored are not asked about,
// nor whether two people with names are one. What was answered before is not
// asked again.
func (a *Account) Suggestions(ctx context.Context, q SuggestionQuery) iter.Seq2[Suggestion, error] {
	return listed(a, ctx, func(ctx context.Context) iter.Seq2[Suggestion, error] {
		return func(yield func(Suggestion, error) bool) {
			all, err := a.suggestions(ctx, q)
			if err != nil {
				yield(Suggestion{}, cause(ctx, err))
				return
			}
			for _, s := range all {
				if !yield(s, nil) {
					return
				}
			}
		}
	})
}

func (a *Account) suggestions(ctx context.Context, q SuggestionQuery) ([]Suggestion, error) {
	if q.Limit < 0 || q.MaxCandidates < 0 || !(q.MinProbability >= 0 && q.MinProbability <= 1) {
		return nil, fmt.Errorf("index: a query of suggestions with limit %d, %d candidates, probability %v",
			q.Limit, q.MaxCandidates, q.MinProbability)
	}
	if err := a.needConsent(ctx); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return nil, err
	}
	defer unlock()
	space, err := a.space(ctx)
	if err != nil || space == "" {
		return nil, err
	}
	vs, err := a.db.Vectors(ctx, space)
	if isNotFound(err) || err == nil && len(vs.Faces) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b, err := a.openBook(ctx)
	if err != nil {
		return nil, err
	}
	p := newPlacing(b, vs)
	label, people := labels(vs.Faces)
	cal, err := a.calibration(ctx, space)
	if err != nil {
		return nil, err
	}
	links := cluster.Links{Different: p.pairs(p.ledger.different())}
	cs, err := cluster.Candidates(ctx, clusterFaces(vs), label, links, cluster.Options{Impostors: vs.Space.Impostors, Library: cal})
	if err != nil {
		return nil, fmt.Errorf("index: suggestions: %w", err)
	}
	return b.ask(q, cs, people, vs.Faces), nil
}

// labels numbers the people of faces for package cluster.
func labels(faces []store.VectorFace) (label []int, people []PersonID) {
	label = make([]int, len(faces))
	number := map[PersonID]int{}
	for i, f := range faces {
		if f.Person == "" {
			label[i] = -1
			continue
		}
		n, ok := number[f.Person]
		if !ok {
			n = len(people)
			number[f.Person], people = n, append(people, f.Person)
		}
		label[i] = n
	}
	return label, people
}

// ask collects the candidates of each person into one question.
func (b *book) ask(q SuggestionQuery, cs []cluster.Candidate, people []PersonID, faces []store.VectorFace) []Suggestion {
	least, most := cmp.Or(q.MinProbability, worthAsking), cmp.Or(q.MaxCandidates, 12)
	of := map[PersonID]int{}
	var out []Suggestion
	for _, c := range cs {
		one := Candidate{Similarity: c.Similarity, RunnerUp: c.RunnerUp, Probability: c.Probability}
		who := people[c.Person]
		if c.Label >= 0 {
			one.Person = people[c.Label]
		}
		if one.Probability < least || !b.askable(who, one.Person) {
			continue
		}
		if b.people[one.Person].Name != "" { // the one with the name stays
			who, one.Person = one.Person, who
			one.Faces = b.ids(b.held[one.Person])
		} else {
			for _, i := range c.Faces {
				one.Faces = append(one.Faces, faces[i].ID)
			}
		}
		if q.Person != "" && q.Person != who && q.Person != one.Person {
			continue
		}
		k, ok := of[who]
		if !ok {
			k = len(out)
			of[who], out = k, append(out, Suggestion{Person: who})
		}
		out[k].Candidates = append(out[k].Candidates, one)
	}
	for k := range out {
		s := &out[k]
		// Those that settle most are asked about, the likeliest first.
		s.Candidates = s.Candidates[:min(len(s.Candidates), most)]
		for _, c := range s.Candidates {
			s.Gain += c.Probability * float64(len(c.Faces))
		}
		slices.SortStableFunc(s.Candidates, func(a, b Candidate) int { return cmp.Compare(b.Probability, a.Probability) })
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int { return cmp.Compare(b.Gain, a.Gain) })
	if q.Limit > 0 {
		out = out[:min(len(out), q.Limit)]
	}
	return out
}

// askable reports whether it may be asked whether two people, or a person and
// nobody, are one.
func (b *book) askable(x, y PersonID) bool {
	p, q := b.people[x], b.people[y]
	return !p.Ignored && !q.Ignored && (p.Name == "" || q.Name == "")
}

func (b *book) ids(faces []int) []FaceID {
	var out []FaceID
	for _, i := range faces {
		out = append(out, b.faces[i].ID)
	}
	return out
}

// Answer records what somebody answers to a suggestion: yes[i] says that
// candidate i is the person, and no that it is not and is never to be taken
// for that person. A person who is accepted is merged into the suggestion's,
// whose id stays. It returns one decision for each candidate, in order.
//
// An answer that is refused, because it contradicts a decision that stands or
// because a candidate is gone, ends the recording; the decisions before it
// stand and are returned with the error.
func (a *Account) Answer(ctx context.Context, s Suggestion, yes []bool) ([]DecisionID, error) {
	if len(yes) != len(s.Candidates) {
		return nil, fmt.Errorf("index: %d answers to %d candidates", len(yes), len(s.Candidates))
	}
	var out []DecisionID
	for i, c := range s.Candidates {
		var id DecisionID
		var err error
		switch {
		case yes[i] && c.Person != "":
			id, err = a.Merge(ctx, s.Person, c.Person)
		case yes[i]:
			_, id, err = a.Assign(ctx, s.Person, c.Faces...)
		case c.Person != "":
			id, err = a.Different(ctx, s.Person, c.Person)
		default:
			id, err = a.deny(ctx, s.Person, c.Faces)
		}
		if err != nil {
			return out, fmt.Errorf("index: answer %d of %d: %w", i+1, len(yes), err)
		}
		out = append(out, id)
	}
	return out, nil
}

// deny says that faces which are with nobody are not a person. To the ledger
// that is the same as removing them from the person.
func (a *Account) deny(ctx context.Context, id PersonID, faces []FaceID) (DecisionID, error) {
	return a.decide(ctx, func(b *book) (Decision, error) {
		d := Decision{Kind: store.DecisionRemove, Other: id}
		if _, err := b.person(id); err != nil {
			return d, err
		}
		chosen, err := b.chosen(faces)
		if err != nil {
			return d, err
		}
		if slices.ContainsFunc(chosen, func(i int) bool { return b.faces[i].Person != "" }) {
			return d, errors.New("index: the face has come to a person since it was asked about")
		}
		d.Faces, d.Others = b.refs(chosen), b.refs(b.held[id])
		d.Before = b.holders(d.Faces)
		return d, nil
	})
}
