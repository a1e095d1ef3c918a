package face

import (
	"cmp"
	"slices"
)

// Suppress is greedy non-maximum suppression: from the best score down, it
// keeps a detection unless it overlaps a kept one with an IoU above iou, or
// covers or is covered by one with more than contain of the smaller box's
// area. Pass contain >= 1 to leave nested boxes alone. The result is sorted by
// falling score; equal scores are ordered by position, so that the outcome
// does not depend on the input's order.
func Suppress(ds []Detection, iou, contain float64) []Detection {
	ds = slices.Clone(ds)
	slices.SortFunc(ds, func(a, b Detection) int {
		return cmp.Or(
			cmp.Compare(b.Score, a.Score),
			cmp.Compare(a.Box.X, b.Box.X), cmp.Compare(a.Box.Y, b.Box.Y),
			cmp.Compare(a.Box.W, b.Box.W), cmp.Compare(a.Box.H, b.Box.H),
		)
	})
	kept := ds[:0]
next:
	for _, d := range ds {
		for _, k := range kept {
			inter := d.Box.Intersection(k.Box)
			if inter == 0 {
				continue
			}
			if inter > contain*min(d.Box.Area(), k.Box.Area()) || d.Box.IoU(k.Box) > iou {
				continue next
			}
		}
		kept = append(kept, d)
	}
	return kept
}
