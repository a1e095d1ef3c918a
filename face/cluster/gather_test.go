package cluster

import (
	"math"
	"slices"
	"testing"
)

// gatherDim leaves an axis for what each face has of its own.
const gatherDim = 32

// facing is a unit vector with the given parts along some axes and the rest
// along an axis of its own.
func facing(own int, parts map[int]float64) []float32 {
	v, rest := make([]float32, gatherDim), 1.0
	for axis, x := range parts {
		v[axis] = float32(x)
		rest -= x * x
	}
	v[own] = float32(math.Sqrt(rest))
	return v
}

// somebody is six faces along axis, with similarities of 0.6 to each other and
// of 0.95 x to their mean where a face has x along the axis.
func somebody(axis int) (data []float32) {
	for k := range 6 {
		data = append(data, facing(axis+1+k, map[int]float64{axis: math.Sqrt(0.6)})...)
	}
	return data
}

func TestGather(t *testing.T) {
	const a, b = 0, 8 // two people's axes
	tests := []struct {
		name  string
		extra [][]float32 // faces 12, 13, ...
		photo []int32     // of them; face i is on photo i
		links Links
		with  []int // the face of whose cluster each is to be, -1: of none
	}{
		{name: "like the mean", extra: [][]float32{facing(20, map[int]float64{a: 0.4})}, with: []int{0}},
		{name: "not like the mean enough", extra: [][]float32{facing(20, map[int]float64{a: 0.2})}, with: []int{-1}},
		{
			name:  "as much like another",
			extra: [][]float32{facing(20, map[int]float64{a: 0.43, b: 0.38})}, with: []int{-1},
		},
		{
			name:  "less like another",
			extra: [][]float32{facing(20, map[int]float64{a: 0.43, b: 0.3})}, with: []int{0},
		},
		{
			name:  "on a photo with the person",
			extra: [][]float32{facing(20, map[int]float64{a: 0.4})}, photo: []int32{3}, with: []int{-1},
		},
		{
			name:  "on one photo: the one that is more alike",
			extra: [][]float32{facing(20, map[int]float64{a: 0.4}), facing(21, map[int]float64{a: 0.45})},
			photo: []int32{50, 50}, with: []int{-1, 0},
		},
		{
			name:  "said to be somebody else",
			extra: [][]float32{facing(20, map[int]float64{a: 0.4})},
			links: Links{Different: [][2]int{{2, 12}}}, with: []int{-1},
		},
		{
			name:  "held by a decision",
			extra: [][]float32{facing(20, map[int]float64{a: 0.4})},
			links: Links{Same: [][]int{{12}}}, with: []int{12},
		},
		{
			name: "like the mean after another joined",
			extra: [][]float32{
				facing(20, map[int]float64{a: 0.4}),
				facing(21, map[int]float64{a: 0.2, 20: 0.33}),
			},
			with: []int{0, 0},
		},
		{
			name: "alike, but by chance where many are loose",
			extra: [][]float32{
				facing(20, map[int]float64{a: 0.28}), facing(21, map[int]float64{23: 0.1}), facing(22, nil),
				facing(24, nil), facing(25, nil), facing(26, nil), facing(27, nil), facing(28, nil),
			},
			with: []int{-1, -1, -1, -1, -1, -1, -1, -1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Faces{Dim: gatherDim, Data: slices.Concat(somebody(a), somebody(b))}
			for i := range 12 {
				f.Photo = append(f.Photo, int32(i))
			}
			for i, v := range tt.extra {
				f.Data = append(f.Data, v...)
				photo := int32(12 + i)
				if tt.photo != nil {
					photo = tt.photo[i]
				}
				f.Photo = append(f.Photo, photo)
			}
			// Above 0.4 a pair is an edge, so that only the means are left.
			o := Options{Impostors: normalTail(0.1), Library: Calibration{Threshold: 0.4}}
			res, err := Group(t.Context(), f, tt.links, o)
			if err != nil {
				t.Fatal(err)
			}
			if res.Label[0] == res.Label[6] || res.Label[0] < 0 || res.Label[6] < 0 {
				t.Fatalf("the people are not apart: %v", res.Label)
			}
			for i, with := range tt.with {
				want := -1
				if with >= 0 {
					want = res.Label[with]
				}
				if got := res.Label[12+i]; got != want {
					t.Errorf("face %d is in cluster %d, want %d: %v", 12+i, got, want, res.Label)
				}
			}
			if res.Threshold != math.Round(0.4*one)/one {
				t.Errorf("Threshold is %v, and was given as 0.4", res.Threshold)
			}
		})
	}
}
