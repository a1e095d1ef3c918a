package cluster_test

import (
	"context"
	"fmt"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/cluster"
)

func ExampleGroup() {
	faces := cluster.Faces{Dim: 3, Data: []float32{
		1, 0, 0,
		0, 0, 1,
		0.8, 0.6, 0,
		0.6, 0.8, 0,
	}}
	tail := face.Impostors{Thresholds: []float64{0.3, 0.5}, FAR: []float64{1e-2, 1e-4}}

	r, err := cluster.Group(context.Background(), faces, cluster.Links{}, cluster.Options{Impostors: tail})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Label, r.Clusters)

	// Somebody says that the first face and the last are different people.
	links := cluster.Links{Different: [][2]int{{0, 3}}}
	r, err = cluster.Group(context.Background(), faces, links, cluster.Options{Impostors: tail})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Label, r.Clusters)
	// Output:
	// [0 -1 0 0] 1
	// [-1 -1 0 0] 1
}
