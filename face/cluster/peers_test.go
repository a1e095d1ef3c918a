package cluster_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/kith-photos/kith/face/cluster"
)

// peer is how somebody else groups faces, with one threshold to choose: two
// faces that are at least so similar (a cosine, in [-1,1]) may be one person.
// All else is as its project has it by default. Labels are those of
// cluster.Result: any number from 0 for a cluster, -1 for a face left alone.
type peer struct {
	name string
	rule func(m *matrix, f cluster.Faces, similarity float64) []int
}

// peers are the rules of other projects and the common textbook ones. Each is
// written from the description beside it, for exact neighbours: approximate
// search, where a project uses it, is not imitated.
func peers() []peer {
	return []peer{
		{"Immich", immich},
		{"PhotoPrism", photoPrism},
		{"Nextcloud FR, dlib", chineseWhispers},
		{"Ente", ente},
		{"Photoview", photoview},
		{"LibrePhotos", librePhotos},
		{"Nextcloud Recognize", recognize},
		{"components", components},
		{"average linkage", averageLinkage},
	}
}

// matrix holds the similarities of all pairs.
type matrix struct {
	n   int
	sim []float32 // n rows of n
}

func newMatrix(f cluster.Faces) *matrix {
	n := f.Len()
	m := &matrix{n, make([]float32, n*n)}
	if n == 0 {
		return m
	}
	blas32.Syrk(blas.NoTrans, 1,
		blas32.General{Rows: n, Cols: f.Dim, Stride: f.Dim, Data: f.Data}, 0,
		blas32.Symmetric{N: n, Stride: n, Data: m.sim, Uplo: blas.Upper})
	for i := range n {
		for j := range i {
			m.sim[i*n+j] = m.sim[j*n+i]
		}
	}
	return m
}

func (m *matrix) row(i int) []float32 { return m.sim[i*m.n : (i+1)*m.n] }

// distance is the Euclidean distance of two unit vectors of that similarity.
func distance(similarity float64) float64 { return math.Sqrt(max(0, 2-2*similarity)) }

// numbered turns the names of clusters (any numbers from 0, -1 for none) into
// labels from 0. A cluster of one becomes -1, as in kith, so that clusters a
// person are counted alike for all.
func numbered(names []int) []int {
	size, number := map[int]int{}, map[int]int{}
	for _, name := range names {
		size[name]++
	}
	labels := make([]int, len(names))
	for i, name := range names {
		if name < 0 || size[name] == 1 {
			labels[i] = -1
			continue
		}
		if _, ok := number[name]; !ok {
			number[name] = len(number)
		}
		labels[i] = number[name]
	}
	return labels
}

// onCircle places faces in the plane at angles in degrees, so that the
// similarity of two is the cosine of the angle between them.
func onCircle(degrees ...float64) cluster.Faces {
	f := cluster.Faces{Dim: 2}
	for _, d := range degrees {
		sin, cos := math.Sincos(d * math.Pi / 180)
		f.Data = append(f.Data, float32(cos), float32(sin))
		f.Quality = append(f.Quality, 1)
	}
	return f
}

// within is the similarity of two faces that so many degrees part.
func within(degrees float64) float64 { return math.Cos((degrees + 1e-3) * math.Pi / 180) }

// peerCase is a grouping whose outcome is plain to see.
type peerCase struct {
	name    string
	rule    func(m *matrix, f cluster.Faces, similarity float64) []int
	faces   cluster.Faces
	degrees float64 // the threshold
	want    string  // a letter a face; '.' where it is left alone
}

func (c peerCase) run(t *testing.T) {
	t.Helper()
	if got := letters(c.rule(newMatrix(c.faces), c.faces, within(c.degrees))); got != c.want {
		t.Errorf("%s: %s, want %s", c.name, got, c.want)
	}
}

// letters writes labels as letters in the order of their first face.
func letters(labels []int) string {
	names := map[int]byte{}
	out := make([]byte, len(labels))
	for i, l := range labels {
		if l < 0 {
			out[i] = '.'
			continue
		}
		if _, ok := names[l]; !ok {
			names[l] = byte('a' + len(names))
		}
		out[i] = names[l]
	}
	return string(out)
}

func TestMatrix(t *testing.T) {
	f := onCircle(0, 60, 180)
	m := newMatrix(f)
	for i, want := range []float64{1, 0.5, -1, 0.5, 1, -0.5, -1, -0.5, 1} {
		if math.Abs(float64(m.row(i / 3)[i%3])-want) > 1e-6 {
			t.Errorf("similarity %d,%d is %v, want %v", i/3, i%3, m.row(i / 3)[i%3], want)
		}
	}
	if d := distance(0.5); math.Abs(d-1) > 1e-9 {
		t.Errorf("distance at 60 degrees is %v, want 1", d)
	}
	if got := letters(numbered([]int{7, 3, 7, -1, 5, 5, -1})); got != "a.a.bb." {
		t.Errorf("numbered: %s", got)
	}
}
