package cluster

import "github.com/kith-photos/kith/face"

// SyntheticAlbum lends newAlbum, the truth about it and its impostor tail to
// the tests outside this package.
func SyntheticAlbum(seed uint64, n int) (Faces, []int, face.Impostors) {
	a := newAlbum(seed, n)
	return a.Faces, a.person, normalTail(strangerSD)
}
