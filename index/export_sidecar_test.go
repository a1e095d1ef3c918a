package index

import (
	"fmt"
	"testing"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// A sidecar's regions lie on the faces again, however the photo is turned, and
// what sticks out of the photo is cut off.
func TestSidecarOrientations(t *testing.T) {
	for orientation := 0; orientation <= 8; orientation++ {
		p := Photo{Width: 400, Height: 300, Orientation: orientation}
		faces := []Face{
			{Person: "A", Box: face.Box{X: 20, Y: 30, W: 40, H: 50}},
			{Person: "B", Box: face.Box{X: 350, Y: -10, W: 100, H: 60}},
			{Person: "B", Box: face.Box{X: 500, Y: 10, W: 100, H: 60}}, // outside
		}
		s := sidecarOf(p, faces, map[PersonID]Person{"A": {Name: "Anna"}, "B": {}})
		packet, err := s.XMP()
		if err != nil {
			t.Fatal(err)
		}
		r, err := exif.ParseRegions(packet)
		if err != nil {
			t.Fatal(err)
		}
		w, h := 400, 300
		if orientation >= 5 {
			w, h = h, w
		}
		var got []string
		for _, g := range r.Upright(orientation, w, h) {
			got = append(got, fmt.Sprintf("%s %s %.2f %.2f %.2f %.2f", g.Type, g.Name, g.X*400, g.Y*300, g.W*400, g.H*300))
		}
		want := "[Face Anna 20.00 30.00 40.00 50.00 Face  350.00 0.00 50.00 50.00]"
		if fmt.Sprint(got) != want || !r.Fits(orientation, w, h) {
			t.Errorf("orientation %d: %v, want %v", orientation, got, want)
		}
	}
}
