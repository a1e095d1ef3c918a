// Package cluster groups face vectors into people.
//
// [Group] is a pure function from unit vectors and a person's decisions to a
// partition. It knows nothing of photos, files or accounts, and works on
// anybody's vectors as long as their dot product is a similarity. The rule, in
// order:
//
//  1. Exactly equal vectors (copies of one photo) count once.
//  2. Every pair of distinct vectors is compared; there is no approximate
//     search. A vector keeps its 256 nearest.
//  3. The edge threshold is the lowest similarity above which the embedder's
//     impostor tail predicts at most the given share of false edges among
//     those observed, and never one with a higher false accept rate than the
//     embedder is trusted at alone; see [Options]. An album of strangers
//     therefore gets a high threshold, an album of few people a lower one.
//  4. Chinese Whispers (Biemann, "Chinese Whispers: an efficient graph
//     clustering algorithm", TextGraphs 2006) spreads labels along the edges,
//     each weighted by its similarity less the threshold. [Links] bind it:
//     what a person held together stays together, what a person held apart
//     stays apart.
//  5. A face with edges to less than two in five of its cluster is split off,
//     together with the others of that cluster, if they are connected.
//  6. Two faces of one photo are taken for two people unless their similarity
//     is above 0.75 (a mirror, a collage): such a pair is no edge. Where both
//     are alike a third face they may still share a cluster. Then the one
//     with the higher mean similarity above the threshold to the rest of the
//     cluster stays. The other leaves, unless the two are nearly as alike as
//     they are to the rest, for the heaviest cluster among its neighbours
//     without a face of its photo, if rule 5 lets it.
//  7. What is left over gets a second look: a set of up to three vectors joins
//     the person of four or more, and of twice its size at least, to whose mean
//     its own is most similar, if that is 0.1 more than to the next person's.
//     Of all that would join one person as many do, the most similar first, as
//     keep the false ones that the impostor tail predicts under 5 %.
//  8. A face that ends alone is abstained on, not made a person of one.
//
// [Candidates] asks about the rest: which sets may belong together, and how
// likely that is.
//
// The result depends on the set of faces and not on their order. Vectors are
// sorted by content before anything else happens and rounded to multiples of
// 2^-14, similarities to multiples of 2^-16, and nearly all sums that follow
// are sums of integers, so that the order in which they are formed does not
// matter either; the others are formed in the sorted order.
//
// Memory is bounded by 256 neighbours a vector and half as much again as the
// vectors; no n by n matrix is held. Time is n²/2 dot products of integers,
// which are spread over GOMAXPROCS goroutines that end before Group returns.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kith-photos/kith/face"
)

// Faces are the vectors to group, with what is known about each.
type Faces struct {
	// Dim is the length of one vector.
	Dim int
	// Data holds n vectors of Dim numbers one after another, each of length 1
	// (within 0.01).
	Data []float32
	// Quality is nil or holds n values in [0,1]. It is checked, and has no
	// influence on the groups yet.
	Quality []float64
	// Photo is nil or holds n numbers: faces with the same number, if it is
	// not negative, were found on one photo. Such faces are almost surely
	// different people, but for collages, mirrors and photos of photos.
	Photo []int32
}

// Len is the number of faces.
func (f Faces) Len() int {
	if f.Dim <= 0 {
		return 0
	}
	return len(f.Data) / f.Dim
}

// row is the vector of face i.
func (f Faces) row(i int) []float32 { return f.Data[i*f.Dim : (i+1)*f.Dim] }

// normTolerance is how far a vector's length may be from 1.
const normTolerance = 0.01

func (f Faces) validate() error {
	if f.Dim <= 0 {
		if f.Dim == 0 && len(f.Data) == 0 && len(f.Quality) == 0 && len(f.Photo) == 0 {
			return nil
		}
		return fmt.Errorf("cluster: Dim is %d, want at least 1", f.Dim)
	}
	if len(f.Data)%f.Dim != 0 {
		return fmt.Errorf("cluster: %d numbers are not whole vectors of %d", len(f.Data), f.Dim)
	}
	n := f.Len()
	if n > math.MaxInt32 {
		return fmt.Errorf("cluster: %d faces are more than can be numbered", n)
	}
	if f.Quality != nil && len(f.Quality) != n {
		return fmt.Errorf("cluster: %d values of Quality for %d faces", len(f.Quality), n)
	}
	if f.Photo != nil && len(f.Photo) != n {
		return fmt.Errorf("cluster: %d values of Photo for %d faces", len(f.Photo), n)
	}
	for i, q := range f.Quality {
		if !(q >= 0 && q <= 1) {
			return fmt.Errorf("cluster: Quality of face %d is %v, want [0,1]", i, q)
		}
	}
	for i := range n {
		var sum float64
		for _, x := range f.row(i) {
			sum += float64(x) * float64(x)
		}
		// Written so that NaN and infinity fail too.
		if norm := math.Sqrt(sum); !(math.Abs(norm-1) <= normTolerance) {
			return fmt.Errorf("cluster: vector of face %d has length %v, want 1", i, norm)
		}
	}
	return nil
}

// Links are decisions that the grouping obeys. Faces are named by their
// position in Faces.
type Links struct {
	// Same are groups of faces that are one person. Groups that share a face
	// are one group. A group is always a cluster, even of a single face.
	Same [][]int
	// Different are pairs of faces that never share a cluster.
	Different [][2]int
}

// ConflictError says that two faces are held together by Same and apart by
// Different.
type ConflictError struct{ A, B int }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("cluster: faces %d and %d are linked both as the same person and as different people", e.A, e.B)
}

// Options say how much may be grouped.
type Options struct {
	// Impostors is the tail of the embedder that made the vectors. Required.
	Impostors face.Impostors
	// FalseEdges is the share of false edges to expect among the observed
	// ones, in (0,1): the edge threshold is the lowest t with
	//
	//	pairs × FAR(t) <= FalseEdges × sure(observed(t))
	//
	// where pairs is the number of pairs of distinct vectors that no photo
	// shows together, observed(t) how many of them have a similarity above t,
	// FAR the function of that name, and sure(n) = n - 3√n the least that a
	// count of n stands for, three standard deviations down. Zero means 0.015.
	FalseEdges float64
	// SureFAR is the FAR(t), in (0,1], from which on observed(t) is taken as it
	// is. Where edges are few their number says little, and a lower t is not
	// worth the risk: one wrong pair of faces is all that a small album needs
	// to look wrong. Zero means 1e-4.
	SureFAR float64
	// Library, where set, is what grouping a whole library found out. The faces
	// are then a part of that library, and are grouped by its measure.
	Library Calibration
}

// Calibration is what a grouping learns of a library as a whole.
type Calibration struct {
	// Threshold is the similarity above which a pair is an edge, in (-1,1];
	// zero means that it is to be found.
	Threshold float64
	// Loose is how many small sets of faces, single ones above all, the first
	// stage left without a person to belong to.
	Loose int
}

// defaultFalseEdges: with the second stage, from 0.01 to 0.02 the mean BCubed F
// over albums of strangers and of families, of good and of tiny photos, stays
// within 0.1; below, recall falls, above, precision.
const defaultFalseEdges = 0.015

// defaultSureFAR is a rate at which face verification is commonly compared.
//
// Measured on 300 random albums of each size from 3,806 labelled press photos
// of 1,267 people, one to six photos a person:
//
//	         count as it is            less two deviations        less three
//	faces    P      R   any wrong      P      R   any wrong       P      R   any wrong
//	10     99.55  99.62   3.7 %      99.86  99.42   1.0 %       99.86  99.12   1.0 %
//	22     99.59  99.62   7.3 %      99.74  99.50   4.7 %       99.80  99.39   3.3 %
//	60     99.51  99.42  18.3 %      99.59  99.21  14.7 %       99.65  99.10  12.0 %
//	150    99.58  98.90  33.0 %      99.61  98.85  30.0 %       99.62  98.83  29.0 %
//
// P and R are BCubed, "any wrong" the share of albums with one wrong pair at
// least. Albums of families lose nothing by it. Refusing every FAR above 1e-4
// makes fewer mistakes still, and costs them a tenth of their recall.
const defaultSureFAR = 1e-4

func (o Options) withDefaults() Options {
	if o.FalseEdges == 0 {
		o.FalseEdges = defaultFalseEdges
	}
	if o.SureFAR == 0 {
		o.SureFAR = defaultSureFAR
	}
	return o
}

func (o Options) validate() error {
	if !(o.FalseEdges > 0 && o.FalseEdges < 1) {
		return fmt.Errorf("cluster: FalseEdges is %v, want (0,1)", o.FalseEdges)
	}
	if !(o.SureFAR > 0 && o.SureFAR <= 1) {
		return fmt.Errorf("cluster: SureFAR is %v, want (0,1]", o.SureFAR)
	}
	if t := o.Library.Threshold; !(t > -1 && t <= 1) || o.Library.Loose < 0 {
		return fmt.Errorf("cluster: Library is %+v, want a threshold in (-1,1] and no negative count", o.Library)
	}
	return ValidateImpostors(o.Impostors)
}

// admits reports whether a threshold with that FAR, which leaves so many of
// all pairs as edges, keeps to the options.
func (o Options) admits(pairs, edges int, far float64) bool {
	sure := float64(edges)
	if far > o.SureFAR {
		sure -= 3 * math.Sqrt(sure)
	}
	return edges > 0 && float64(pairs)*far <= o.FalseEdges*sure
}

// Result is a partition of the faces.
type Result struct {
	// Label holds for each face the number of its cluster, or -1 where it was
	// abstained on. Clusters are numbered from 0 in the order of their least
	// vectors, compared number by number, so that the numbers depend on the
	// faces' content and not on their order.
	Label []int
	// Clusters is how many there are.
	Clusters int
	// Calibration holds the threshold, which is 1, and exceeded by nothing,
	// where none met the Options, and what else a part of the same library
	// needs to be grouped alike.
	Calibration
	// Edges is the number of pairs above Threshold. Like the threshold it
	// counts equal vectors once and leaves out the pairs of one photo.
	Edges int
	// ExpectedFalse is how many of the Edges the tail predicts to join
	// different people.
	ExpectedFalse float64
}

var errNoFaces = errors.New("cluster: Same holds an empty group")

// Group partitions the faces into people by the rule of the package comment.
//
// The result is the same for any order of the faces, as long as no two of
// them have the same vector and the same photo and are linked; between those
// only their position decides.
//
// A contradiction in the links gives a *ConflictError. When ctx is cancelled
// its error is returned soon after.
func Group(ctx context.Context, f Faces, l Links, o Options) (Result, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Result{}, err
	}
	if err := f.validate(); err != nil {
		return Result{}, err
	}
	if err := l.validate(f.Len()); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	d := distinctVectors(f)
	ns, err := contract(f, d, l)
	if err != nil {
		return Result{}, err
	}
	floor := floorStep(o)
	if o.Library.Threshold != 0 {
		floor = int32(math.Round(o.Library.Threshold * one))
	}
	near, err := nearest(ctx, f, d, floor)
	if err != nil {
		return Result{}, err
	}
	cut := near.cut(o)
	g := newGraph(f, d, ns, near, cut.step)
	set, err := g.partition(ctx)
	if err != nil {
		return Result{}, err
	}
	loose, err := g.gather(ctx, f, d, set, o)
	if err != nil {
		return Result{}, err
	}
	res := Result{
		Calibration: Calibration{Threshold: float64(cut.step) / one, Loose: loose},
		Edges:       cut.edges, ExpectedFalse: cut.expectedFalse,
	}
	res.Label, res.Clusters = g.people(set, f.Len())
	return res, nil
}

func (l Links) validate(n int) error {
	check := func(i int) error {
		if i < 0 || i >= n {
			return fmt.Errorf("cluster: a link names face %d of %d", i, n)
		}
		return nil
	}
	for _, group := range l.Same {
		if len(group) == 0 {
			return errNoFaces
		}
		for _, i := range group {
			if err := check(i); err != nil {
				return err
			}
		}
	}
	for _, pair := range l.Different {
		if err := errors.Join(check(pair[0]), check(pair[1])); err != nil {
			return err
		}
	}
	return nil
}
