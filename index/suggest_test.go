package index_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// poorly makes the faces of photos whose title begins with "poor" hard to
// tell: a person's own part of the vector is only a fifth, the rest is like
// neither person 4 nor person 11, who are not alike either.
func poorly(_ context.Context, s *scene, faces []face.Face) ([]face.Face, error) {
	if !strings.Contains(s.text, "\"poor") {
		return faces, nil
	}
	for i := range faces {
		noise := portrait(9, 7)
		for _, p := range []int{11, 4} {
			dot, v := float32(0), portrait(p, 1)
			for k := range v {
				dot += v[k] * noise[k]
			}
			for k := range v {
				noise[k] -= dot * v[k]
			}
		}
		noise.Normalize()
		for k, x := range portrait(s.faces[i].person, 1) {
			faces[i].Vector[k] = 0.2*x + 0.98*noise[k]
		}
		faces[i].Vector.Normalize()
	}
	return faces, nil
}

// asked is an account of two people, Anna of eight photos and another of six,
// and a poor photo of Anna, which is with nobody.
func asked(t *testing.T) (acc *index.Account, anna, other index.PersonID, poor index.FaceID) {
	t.Helper()
	acc = newAccount(t, index.Config{Analyzer: &analyzer{hook: poorly}})
	src := newFiles(map[string][]byte{"poor.jpg": shot("poor 1", 4)})
	for i := range 8 {
		src.put(fmt.Sprintf("anna/%d.jpg", i), shot(fmt.Sprint("anna ", i), 4))
	}
	for i := range 6 {
		src.put(fmt.Sprintf("other/%d.jpg", i), shot(fmt.Sprint("other ", i), 11))
	}
	reindex(t, acc, src, index.ReindexOptions{})
	anna, other = personOf(t, acc, "anna/0.jpg", 0), personOf(t, acc, "other/0.jpg", 0)
	if anna == "" || other == "" || anna == other || personOf(t, acc, "poor.jpg", 0) != "" {
		t.Fatalf("anna is %q, the other %q, the poor face's %q", anna, other, personOf(t, acc, "poor.jpg", 0))
	}
	return acc, anna, other, facesOf(t, acc, "poor.jpg")[0].ID
}

func suggestions(t cleaner, acc *index.Account, q index.SuggestionQuery) []index.Suggestion {
	t.Helper()
	return all(t, acc.Suggestions(t.Context(), q))
}

func TestSuggestions(t *testing.T) {
	acc, anna, other, poor := asked(t)
	got := suggestions(t, acc, index.SuggestionQuery{})
	if len(got) != 1 || got[0].Person != anna || len(got[0].Candidates) != 1 {
		t.Fatalf("suggestions %+v, want one, about Anna", got)
	}
	c := got[0].Candidates[0]
	if !slices.Equal(c.Faces, []index.FaceID{poor}) || c.Person != "" || c.Similarity < 0.15 || c.RunnerUp >= c.Similarity ||
		!(c.Probability > 0 && c.Probability < 1) || got[0].Gain != c.Probability {
		t.Errorf("the suggestion is %+v", got[0])
	}
	for _, q := range []index.SuggestionQuery{{Person: other}, {MinProbability: 1}} {
		if got := suggestions(t, acc, q); len(got) != 0 {
			t.Errorf("%+v gives %+v", q, got)
		}
	}
	must1[index.DecisionID](t)(acc.Ignore(t.Context(), anna))
	if got := suggestions(t, acc, index.SuggestionQuery{}); len(got) != 0 {
		t.Errorf("about somebody ignored: %+v", got)
	}
}

func TestAnswerYes(t *testing.T) {
	acc, anna, _, poor := asked(t)
	s := suggestions(t, acc, index.SuggestionQuery{})[0]
	ids := must1[[]index.DecisionID](t)(acc.Answer(t.Context(), s, []bool{true}))
	if len(ids) != 1 {
		t.Fatalf("decisions %v", ids)
	}
	if got := facesOf(t, acc, "poor.jpg")[0]; got.Person != anna || got.By != "decision" {
		t.Errorf("the face is %q's, by %q", got.Person, got.By)
	}
	if got := suggestions(t, acc, index.SuggestionQuery{}); len(got) != 0 {
		t.Errorf("asked again: %+v", got)
	}
	e := must1[index.Explanation](t)(acc.Explain(t.Context(), poor))
	if e.Reason != index.BecauseDecided || !slices.Equal(e.Decisions, ids) || e.Like != anna {
		t.Errorf("explained as %+v", e)
	}
	must(t, acc.Undo(t.Context(), ids[0]))
	if got := suggestions(t, acc, index.SuggestionQuery{}); len(got) != 1 || personOf(t, acc, "poor.jpg", 0) != "" {
		t.Errorf("after Undo the face is %q's, asked %+v", personOf(t, acc, "poor.jpg", 0), got)
	}
}

func TestAnswerNo(t *testing.T) {
	acc, anna, _, poor := asked(t)
	s := suggestions(t, acc, index.SuggestionQuery{})[0]
	ids := must1[[]index.DecisionID](t)(acc.Answer(t.Context(), s, []bool{false}))
	for range 2 {
		for _, s := range suggestions(t, acc, index.SuggestionQuery{}) {
			if s.Person == anna {
				t.Errorf("asked again: %+v", s)
			}
		}
		must1[index.Report](t)(acc.Regroup(t.Context()))
	}
	if got := personOf(t, acc, "poor.jpg", 0); got == anna {
		t.Error("the face is Anna's, whom it was said not to be")
	}
	var conflict *index.ConflictError
	if _, _, err := acc.Assign(t.Context(), anna, poor); !errors.As(err, &conflict) || !slices.Equal(conflict.Standing, ids) {
		t.Errorf("assigning the face to Anna now: %v", err)
	}
	must(t, acc.Undo(t.Context(), ids[0]))
	if got := suggestions(t, acc, index.SuggestionQuery{}); len(got) != 1 || got[0].Person != anna {
		t.Errorf("after Undo: %+v", got)
	}
}

// Two clusters of one person are a question about all their faces, in which
// the one with a name stays, and two people with names are none.
func TestSuggestionsOfPeople(t *testing.T) {
	acc, anna, _, _ := asked(t)
	_, id, err := acc.Split(t.Context(), []index.FaceID{
		facesOf(t, acc, "anna/0.jpg")[0].ID, facesOf(t, acc, "anna/1.jpg")[0].ID,
	})
	must(t, err)
	about := func() (out []index.Suggestion) {
		for _, s := range suggestions(t, acc, index.SuggestionQuery{}) {
			for _, c := range s.Candidates {
				if c.Person != "" {
					out = append(out, s)
				}
			}
		}
		return out
	}
	if got := about(); len(got) != 0 {
		t.Errorf("asked about what a split said: %+v", got)
	}
	must(t, acc.Undo(t.Context(), id))
	if _, err := acc.Remove(t.Context(), facesOf(t, acc, "anna/2.jpg")[0].ID); err != nil {
		t.Fatal(err)
	}
	// Two people who nobody said are two.
	fresh, _, err := acc.Assign(t.Context(), "", facesOf(t, acc, "anna/3.jpg")[0].ID, facesOf(t, acc, "anna/4.jpg")[0].ID)
	must(t, err)
	got := about()
	if len(got) != 1 || got[0].Person != anna || !slices.ContainsFunc(got[0].Candidates, func(c index.Candidate) bool {
		return c.Person == fresh && len(c.Faces) == 2
	}) {
		t.Fatalf("suggestions %+v, want whether %s is %s", got, fresh, anna)
	}
	named(t, acc, fresh, "Ann")
	if got = about(); len(got) != 1 || got[0].Person != fresh || got[0].Candidates[0].Person != anna {
		t.Fatalf("suggestions %+v, want whether %s is the named %s", got, anna, fresh)
	}
	named(t, acc, anna, "Anna")
	if again := about(); len(again) != 0 {
		t.Errorf("asked whether two people with names are one: %+v", again)
	}
	must1[index.DecisionID](t)(acc.Name(t.Context(), anna, ""))
	ids := must1[[]index.DecisionID](t)(acc.Answer(t.Context(), got[0], make([]bool, len(got[0].Candidates))))
	if len(ids) != len(got[0].Candidates) || len(about()) != 0 {
		t.Errorf("after no: %v, %+v", ids, about())
	}
}

func TestSuggestionErrors(t *testing.T) {
	acc, anna, _, poor := asked(t)
	for _, q := range []index.SuggestionQuery{{Limit: -1}, {MaxCandidates: -1}, {MinProbability: 2}} {
		for _, err := range acc.Suggestions(t.Context(), q) {
			if err == nil {
				t.Errorf("%+v is taken", q)
			}
		}
	}
	s := suggestions(t, acc, index.SuggestionQuery{})[0]
	if _, err := acc.Answer(t.Context(), s, nil); err == nil {
		t.Error("no answer to a candidate is taken")
	}
	// What was answered in another window meanwhile.
	_, _, err := acc.Assign(t.Context(), anna, poor)
	must(t, err)
	if ids, err := acc.Answer(t.Context(), s, []bool{false}); err == nil || len(ids) != 0 {
		t.Errorf("an answer that came too late gives %v, %v", ids, err)
	}
	bare := openAt(t, filepath.Join(t.TempDir(), "b.kith"), withScenes(index.Config{}))
	for _, err := range bare.Suggestions(t.Context(), index.SuggestionQuery{}) {
		wantErr(t, "suggestions without consent", err, index.ErrNoConsent)
	}
	_, err = bare.Explain(t.Context(), "x")
	wantErr(t, "an explanation without consent", err, index.ErrNoConsent)
	_, err = acc.Explain(t.Context(), "x")
	wantErr(t, "an explanation of no face", err, index.ErrNotFound)
}

func TestExplain(t *testing.T) {
	acc, anna, other, poor := asked(t)
	e := must1[index.Explanation](t)(acc.Explain(t.Context(), facesOf(t, acc, "anna/5.jpg")[0].ID))
	if e.Person != anna || e.Like != anna || e.Reason != index.BecauseLinked || e.Others != 7 || e.Links < 5 ||
		len(e.Nearest) != 5 || e.Nearest[0].Similarity < e.Nearest[4].Similarity || e.Threshold <= 0 || e.Similarity < 0.7 {
		t.Errorf("a good face: %+v", e)
	}
	if e.RunnerUp != other || e.Margin < 0.3 {
		t.Errorf("the runner-up is %q, %.2f less", e.RunnerUp, e.Margin)
	}
	if s := e.String(); !strings.Contains(s, string(anna)) || !strings.Contains(s, "linked") {
		t.Errorf("in words: %s", s)
	}
	e = must1[index.Explanation](t)(acc.Explain(t.Context(), poor))
	if e.Person != "" || e.Like != anna || e.Reason != index.BecauseAlone || e.Links != 0 || e.Others != 8 {
		t.Errorf("a poor face: %+v", e)
	}
	id := must1[index.DecisionID](t)(acc.NotAFace(t.Context(), poor))
	e = must1[index.Explanation](t)(acc.Explain(t.Context(), poor))
	if e.Reason != index.BecauseRejected || !slices.Equal(e.Decisions, []index.DecisionID{id}) || e.Like != "" {
		t.Errorf("no face: %+v", e)
	}
	apart := facesOf(t, acc, "anna/6.jpg")[0].ID
	must1[index.DecisionID](t)(acc.Remove(t.Context(), apart))
	e = must1[index.Explanation](t)(acc.Explain(t.Context(), apart))
	if e.Person != "" || e.Like != anna || e.Reason != index.BecauseApart {
		t.Errorf("a face that was removed: %+v", e)
	}
}
