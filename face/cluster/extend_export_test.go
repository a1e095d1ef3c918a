package cluster

import "github.com/kith-photos/kith/face"

// SyntheticTail is the impostor tail of the synthetic albums.
func SyntheticTail() face.Impostors { return normalTail(strangerSD) }

// SyntheticFamilies lends newFamilyAlbum and the truth about it.
func SyntheticFamilies(seed uint64) (Faces, []int) {
	a := newFamilyAlbum(seed, 6, 150, 0.3)
	return a.Faces, a.person
}
