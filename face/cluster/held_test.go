package cluster

import "testing"

// Two people of whom everybody was held together stay two, whatever single
// edge there is between them.
func TestHeldPeopleStayApart(t *testing.T) {
	f := Faces{Dim: gatherDim, Data: append(somebody(0), somebody(8)...)}
	// A face of the first that one face of the second is like.
	copy(f.row(5), facing(6, map[int]float64{0: 0.6, 8: 0.35, 9: 0.4}))
	o := Options{Impostors: normalTail(0.1), Library: Calibration{Threshold: 0.4}}
	l := Links{Same: [][]int{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}}}
	edges := 0
	for i := range 6 {
		for j := 6; j < 12; j++ {
			if stepOf(f.row(i), f.row(j)) > one*4/10 {
				edges++
			}
		}
	}
	res, err := Group(t.Context(), f, l, o)
	if err != nil || edges != 1 {
		t.Fatalf("%d edges, %v", edges, err)
	}
	if res.Label[0] == res.Label[6] {
		t.Errorf("one edge makes two people one: %v", res.Label)
	}
}
