package cluster

import (
	"cmp"
	"context"
	"math"
	"slices"
)

const (
	// maxRounds caps the rounds of Chinese Whispers. Without the photo rule
	// every change raises the weight inside the clusters, so that the rounds
	// come to an end by themselves (after five on 3,806 press photos); the
	// photo rule can make two nodes take turns for ever.
	maxRounds = 50
	// photoPenalty divides the votes for a cluster that already holds another
	// face of the same photo. On synthetic group photos of families whose
	// members are alike, 4 is within 0.1 points of the best BCubed F among 1,
	// 2, 4, 8, 16 and a ban: 96.9 where 1 gives 92.8 and a ban 94.9.
	photoPenalty = 4
	// banned, as a penalty, leaves no vote.
	banned = math.MaxInt64
	// shareOf: a face stays in a cluster if it has edges to two in five of the
	// others. Without this rule the single faces of strangers, which have no
	// better place to go, collect around large clusters, each by a false edge:
	// on 3,806 labelled press photos of 1,267 people BCubed precision was 97.0
	// without and 98.7 with one in three. Two in five gives 0.2 more on albums
	// of strangers than one in three at the same recall, and on families no
	// less; one in two costs poor photos a point of recall.
	shareOf, shareIn = 2, 5
	// mutual: two rivals of one set both stay if the weight that their photo
	// denied them is at least two in mutual of the mean of their fits. More
	// photos show two siblings than one person twice, so a pair of one photo
	// has to be nearly as alike as each is to the rest, where any other pair
	// need only be above the threshold. Measured on 300 albums of group photos
	// of two families of three siblings each, mixed from labelled press photos
	// so that siblings have a similarity of about 0.5: of 49 pairs of different
	// people that shared a photo and a cluster, 7 were left (with 2 instead of
	// 3: 0; with 4: 23). Of 1,123 pairs of one person on made-up collages, 967
	// were left (647; 1,034).
	mutual = 3
)

// graph is what Chinese Whispers walks: nodes, weighted edges between them,
// and who stands on which photo.
type graph struct {
	nodes     nodes
	salt      []uint64 // node -> what its turn depends on
	edges     [][]edge
	within    []int64  // node -> the weight of the edges between its own vectors, from both ends
	between   [][]edge // vector -> edges to vectors
	threshold int32
	// step is the similarity of any two vectors.
	step func(u, v int32) int32

	slots   []slot            // those of a node are next to each other
	first   []int32           // node -> its first slot; one more at the end
	slotsOf [][]int32         // vector -> slots
	onPhoto map[int32][]int32 // photo -> slots
}

// newGraph lifts the edges between vectors to edges between nodes. Parallel
// edges stay parallel: only their sum ever counts.
func newGraph(f Faces, d distinct, ns nodes, near neighbours, threshold int32) *graph {
	g := &graph{
		nodes: ns, salt: make([]uint64, len(ns)), edges: make([][]edge, len(ns)), within: make([]int64, len(ns)),
		between: near.edges(threshold), threshold: threshold,
	}
	g.step = func(u, v int32) int32 { return stepOf(f.row(int(d.rep[u])), f.row(int(d.rep[v]))) }
	g.fillSlots(f, d)
	for a, nd := range ns {
		g.salt[a] = saltOf(f.row(int(d.rep[nd.vectors[0]])))
		for _, u := range nd.vectors {
			for _, e := range g.between[u] {
				for _, s := range g.slotsOf[e.to] {
					g.link(a, g.slots[s].node, e.weight)
				}
			}
			// Copies of one vector in two nodes are as alike as can be.
			for _, s := range g.slotsOf[u] {
				if g.slots[s].node != int32(a) {
					g.link(a, g.slots[s].node, one-threshold)
				}
			}
		}
	}
	return g
}

func (g *graph) link(a int, b, weight int32) {
	switch {
	case weight <= 0:
	case int32(a) == b:
		g.within[a] += int64(weight)
	default:
		g.edges[a] = append(g.edges[a], edge{b, weight})
	}
}

// alone gives every node a label of its own.
func (g *graph) alone() []int32 {
	label := make([]int32, len(g.nodes))
	for a := range label {
		label[a] = int32(a)
	}
	return label
}

// whisper runs Chinese Whispers: every mover, in an order that looks random,
// takes the label that weighs most among its neighbours, until a round changes
// nothing. The votes for a label that a rival has are divided by penalty.
func (g *graph) whisper(ctx context.Context, label, movers []int32, penalty int64) error {
	v, order := g.newVote(), slices.Clone(movers)
	for round := range maxRounds {
		g.shuffle(order, round)
		changed := false
		for k, a := range order {
			if k%1024 == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			if best := g.choose(v, label, a, penalty); best != label[a] {
				label[a], changed = best, true
			}
		}
		if !changed {
			break
		}
	}
	return nil
}

// shuffle brings nodes into the order of a round. Which of two comes first
// depends on the round and their vectors alone: not on who else is there, so
// that a new face, or a decision, leaves alone what it has nothing to do with.
func (g *graph) shuffle(nodes []int32, round int) {
	turn := make([]uint64, len(g.nodes))
	for _, a := range nodes {
		turn[a] = scramble(g.salt[a] ^ scramble(uint64(round)))
	}
	slices.SortFunc(nodes, func(a, b int32) int { return cmp.Or(cmp.Compare(turn[a], turn[b]), cmp.Compare(a, b)) })
}

// saltOf is a hash of a vector's first numbers.
func saltOf(v []float32) uint64 {
	var h uint64
	for _, x := range v[:min(len(v), 16)] {
		h = scramble(h ^ uint64(math.Float32bits(x)))
	}
	return h
}

// scramble is the function mix of SplitMix64 (Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", OOPSLA 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// vote is the scratch space of choose and rivals.
type vote struct {
	weight     []int64 // per label; zero outside choose
	penalised  []bool  // per label; false outside choose
	candidates []int32 // labels with votes, in the order of the first
	seen       []int64 // per slot: the last round of rivals that met it
	now        int64   // the number of the latest round of rivals
}

func (g *graph) newVote() *vote {
	n := len(g.nodes)
	return &vote{weight: make([]int64, n), penalised: make([]bool, n), seen: make([]int64, len(g.slots))}
}

// choose is the label that node a takes: the heaviest it may take; among
// equals the one it has, then the smallest. Its own vectors vote for the label
// it has, or a person who was held together would go wherever one false edge
// leads.
func (g *graph) choose(v *vote, label []int32, a int32, penalty int64) int32 {
	v.candidates = v.candidates[:0]
	for _, e := range g.edges[a] {
		l := label[e.to]
		if v.weight[l] == 0 {
			v.candidates = append(v.candidates, l)
		}
		v.weight[l] += int64(e.weight)
	}
	for _, b := range g.nodes[a].apart {
		v.weight[label[b]] = 0
	}
	for _, rival := range g.rivals(v, a) {
		if l := label[rival.node]; v.weight[l] > 0 && !v.penalised[l] {
			v.weight[l] /= penalty
			v.penalised[l] = true
		}
	}
	best, most := label[a], v.weight[label[a]]+g.within[a]
	for _, l := range v.candidates {
		if w := v.weight[l]; w > most || w == most && best != label[a] && l < best {
			best, most = l, w
		}
		v.weight[l], v.penalised[l] = 0, false
	}
	return best
}
