package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// Reason is the ground on which a face is with its person, or with nobody.
type Reason string

// The reasons.
const (
	BecauseDecided  Reason = "decided"   // somebody said whose the face is
	BecauseImported Reason = "imported"  // it was imported
	BecauseLinked   Reason = "linked"    // it is linked to enough of the person's faces
	BecauseLike     Reason = "like"      // it is like the person as a whole
	BecauseKept     Reason = "kept"      // it was grouped with the person before, who has a name
	BecauseRejected Reason = "rejected"  // somebody said that it is no face
	BecauseApart    Reason = "apart"     // it is like somebody who it was said not to be
	BecauseFew      Reason = "few links" // its links are too few, or lead to several people
	BecauseAlone    Reason = "alone"     // no face is similar enough
	BecauseNew      Reason = "new"       // it was not grouped yet
)

// Explanation says why a face is with a person, or with nobody.
type Explanation struct {
	Face    FaceID
	Person  PersonID // empty: it is with nobody
	By      store.Origin
	Reason  Reason
	Quality float64 // how much its vector can be trusted, in [0,1]
	// Decisions are those that stand and speak of the face, the oldest first.
	Decisions []DecisionID

	// Like is Person, or, where that is empty, the person that the face is most
	// like; the next fields are about it. It is empty if there is nobody.
	Like       PersonID
	Similarity float64 // of the face to the mean of the person's other faces
	Nearest    []Match // the most similar of these, at most five
	Links      int     // how many of these are more similar than Threshold
	Others     int     // how many there are
	// RunnerUp is the next person that it is like, empty if there is none, and
	// Margin how much less.
	RunnerUp PersonID
	Margin   float64
	// Threshold is the similarity above which two faces were linked when the
	// library was last grouped, 0 if it never was.
	Threshold float64
}

// String is the explanation in a sentence, with ids and without names.
func (e Explanation) String() string {
	var b strings.Builder
	if e.Person == "" {
		fmt.Fprintf(&b, "face %s is with nobody (%s)", e.Face, e.Reason)
	} else {
		fmt.Fprintf(&b, "face %s is with person %s (%s)", e.Face, e.Person, e.Reason)
	}
	if e.Like != "" {
		fmt.Fprintf(&b, ": %.2f like person %s, above %.2f to %d of %d faces", e.Similarity, e.Like, e.Threshold, e.Links, e.Others)
		if e.RunnerUp != "" {
			fmt.Fprintf(&b, ", %.2f more than like person %s", e.Margin, e.RunnerUp)
		}
	}
	for i, d := range e.Decisions {
		b.WriteString([]string{"; decision ", ", "}[min(i, 1)])
		b.WriteString(string(d))
	}
	return b.String()
}

const (
	explainNearest = 5   // exemplars that an explanation shows
	explainLook    = 256 // nearest faces among whose people it looks
	explainPeople  = 8   // people whose means it compares
)

// Explain says why a face is with a person, or with nobody. ErrNotFound if
// there is no such face.
func (a *Account) Explain(ctx context.Context, id FaceID) (Explanation, error) {
	ctx, done, err := a.begin(ctx)
	if err != nil {
		return Explanation{}, err
	}
	defer done()
	if err := a.needConsent(ctx); err != nil {
		return Explanation{}, err
	}
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return Explanation{}, err
	}
	defer unlock()
	b, err := a.openBook(ctx)
	if err != nil {
		return Explanation{}, err
	}
	i, ok := b.at[id]
	if !ok {
		return Explanation{}, fmt.Errorf("index: face %q: %w", id, ErrNotFound)
	}
	f := b.faces[i]
	e := Explanation{Face: id, Person: f.Person, By: f.By, Quality: f.Quality, Decisions: b.speakingOf(i)}
	if err := a.compare(ctx, &e); err != nil {
		return Explanation{}, err
	}
	e.Reason = b.reason(i, e)
	return e, nil
}

// speakingOf lists the decisions that stand and name a face.
func (b *book) speakingOf(i int) []DecisionID {
	var out []DecisionID
	for _, d := range b.standing {
		if slices.Contains(b.find.resolveAll(d.Faces), i) || slices.Contains(b.find.resolveAll(d.Others), i) {
			out = append(out, d.ID)
		}
	}
	return out
}

// compare finds out whom a face is like.
func (a *Account) compare(ctx context.Context, e *Explanation) error {
	space, err := a.space(ctx)
	if err != nil || space == "" {
		return err
	}
	cal, err := a.calibration(ctx, space)
	if err != nil {
		return err
	}
	e.Threshold = cal.Threshold
	return a.withVectors(ctx, space, func(vs *vectors) error { return vs.explain(e) })
}

func (vs *vectors) explain(e *Explanation) error {
	at := slices.IndexFunc(vs.Faces, func(f store.VectorFace) bool { return f.ID == e.Face })
	if at < 0 { // rejected, or not looked at by this model yet
		return nil
	}
	near, err := vs.scanner.Nearest(vs.Vector(at), explainLook)
	if err != nil {
		return fmt.Errorf("index: explain: %w", err)
	}
	ids := []PersonID{e.Person}
	for _, m := range near {
		if p := vs.Faces[m.Face].Person; p != "" && !slices.Contains(ids, p) && len(ids) <= explainPeople {
			ids = append(ids, p)
		}
	}
	ids = slices.DeleteFunc(ids, func(p PersonID) bool { return p == "" })
	like := vs.likeness(at, ids)
	slices.SortStableFunc(like, func(x, y likeness) int {
		if (x.person == e.Person) != (y.person == e.Person) { // whom it is with comes first
			return map[bool]int{true: -1, false: 1}[x.person == e.Person]
		}
		return cmp.Compare(y.similarity, x.similarity)
	})
	if len(like) == 0 {
		return nil
	}
	first := like[0]
	e.Like, e.Similarity, e.Others = first.person, first.similarity, len(first.faces)
	for _, m := range first.faces {
		if m.Similarity > e.Threshold && e.Threshold > 0 {
			e.Links++
		}
	}
	e.Nearest = first.faces[:min(len(first.faces), explainNearest)]
	if len(like) > 1 {
		e.RunnerUp, e.Margin = like[1].person, first.similarity-like[1].similarity
	}
	return nil
}

// likeness is how like a person a face is.
type likeness struct {
	person     PersonID
	similarity float64 // to the mean of faces
	faces      []Match // of the person, without the face itself, the nearest first
}

// likeness compares the face at a position with people; those without another
// face are left out.
func (vs *vectors) likeness(at int, people []PersonID) []likeness {
	self := vs.Vector(at)
	mean, faces := map[PersonID]face.Vector{}, map[PersonID][]Match{}
	for _, p := range people {
		mean[p] = make(face.Vector, len(self))
	}
	for i, f := range vs.Faces {
		sum, ok := mean[f.Person]
		if !ok || i == at {
			continue
		}
		v := vs.Vector(i)
		for k, x := range v {
			sum[k] += x
		}
		faces[f.Person] = append(faces[f.Person], Match{f.ID, f.Photo, f.Person, self.Dot(v)})
	}
	var out []likeness
	for _, p := range people {
		if len(faces[p]) == 0 || !mean[p].Normalize() {
			continue
		}
		slices.SortStableFunc(faces[p], func(x, y Match) int { return cmp.Compare(y.Similarity, x.Similarity) })
		out = append(out, likeness{p, self.Dot(mean[p]), faces[p]})
	}
	return out
}

// reason sums an explanation up.
func (b *book) reason(i int, e Explanation) Reason {
	f := b.faces[i]
	switch l := b.find.replay(b.standing); {
	case f.Rejected != "":
		return BecauseRejected
	case e.Person != "" && l.tied(i) && l.claim[i] == e.Person:
		return BecauseDecided
	case e.Person != "" && f.By == store.ByImport:
		return BecauseImported
	case e.Threshold == 0:
		return BecauseNew
	case e.Person != "" && e.Links > 0:
		return BecauseLinked
	case e.Person != "" && e.Margin > 0:
		return BecauseLike
	case e.Person != "":
		return BecauseKept
	case e.Like != "" && l.barred(e.Like, b.holdersNow())[i]:
		return BecauseApart
	case e.Links > 0:
		return BecauseFew
	default:
		return BecauseAlone
	}
}
