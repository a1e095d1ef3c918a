package store

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/kith-photos/kith/exif"
)

// sealPhoto is the column sealed of a photo: what the other columns do not say
// where the account is sealed. The content's hash comes first, because reading
// vectors needs nothing else.
func (v *vault) sealPhoto(uid string, p Photo) []byte {
	if v == nil {
		return nil
	}
	b := append([]byte(nil), p.SHA256[:]...)
	for _, s := range []string{p.Path, p.Error, p.Warning, p.Camera.Make, p.Camera.Model} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	if g := p.GPS; g != nil {
		b = appendFloats(b, g.Lat, g.Lon)
		if g.Alt != nil {
			b = appendFloats(b, *g.Alt)
		}
	}
	return v.seal("photos.sealed", uid, b)
}

var errSealed = errors.New("what is sealed of it is cut off")

// openPhoto fills in what sealPhoto sealed.
func (v *vault) openPhoto(p *Photo, sealed []byte) error {
	b, err := v.openSealed(string(p.ID), sealed)
	if err != nil {
		return err
	}
	p.SHA256, b = [32]byte(b), b[32:]
	for _, s := range []*string{&p.Path, &p.Error, &p.Warning, &p.Camera.Make, &p.Camera.Model} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return errSealed
		}
		*s, b = string(b[size:size+int(n)]), b[size+int(n):]
	}
	if len(b) == 0 {
		return nil
	}
	if len(b) != 16 && len(b) != 24 {
		return errSealed
	}
	p.GPS = &exif.GPS{Lat: float64At(b, 0), Lon: float64At(b, 1)}
	if len(b) == 24 {
		alt := math.Float64frombits(binary.LittleEndian.Uint64(b[16:]))
		p.GPS.Alt = &alt
	}
	return nil
}

// openSealed opens the column sealed of a photo.
func (v *vault) openSealed(uid string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, &TamperedError{Value: "photos.sealed of " + uid}
	}
	b, err := v.open("photos.sealed", uid, sealed)
	if err == nil && len(b) < 32 {
		err = errSealed
	}
	return b, err
}

// photoContent is a photo's content hash from its columns sha256 and sealed.
func (v *vault) photoContent(uid string, sha, sealed []byte) ([32]byte, error) {
	if v == nil {
		return unpackSHA(sha)
	}
	b, err := v.openSealed(uid, sealed)
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(b), nil
}

// photoPath is a photo's path from its columns path and sealed.
func (v *vault) photoPath(uid, path string, sealed []byte) (string, error) {
	if v == nil {
		return path, nil
	}
	p := Photo{ID: PhotoID(uid)}
	err := v.openPhoto(&p, sealed)
	return p.Path, err
}

// sealRefs seals face references. Their column takes multiples of refSize, and
// so does this: the padding comes first.
func (v *vault) sealRefs(column, decision string, packed []byte) []byte {
	if v == nil || len(packed) == 0 {
		return packed
	}
	return v.seal(column, decision, append(make([]byte, refSize-sealOverhead), packed...))
}

func (v *vault) openRefs(column, decision string, sealed []byte) ([]byte, error) {
	if v == nil || len(sealed) == 0 {
		return sealed, nil
	}
	b, err := v.open(column, decision, sealed)
	if err == nil && len(b) < refSize-sealOverhead {
		err = errSealed
	}
	if err != nil {
		return nil, err
	}
	return b[refSize-sealOverhead:], nil
}

// sealLandmarks gives the columns landmarks and sealed of a face.
func (v *vault) sealLandmarks(face string, packed []byte) (landmarks, sealed []byte) {
	if v == nil {
		return packed, nil
	}
	return make([]byte, landmarksSize), v.seal("faces.landmarks", face, packed)
}

func (v *vault) openLandmarks(face string, landmarks, sealed []byte) ([]byte, error) {
	if v == nil {
		return landmarks, nil
	}
	return v.open("faces.landmarks", face, sealed)
}
