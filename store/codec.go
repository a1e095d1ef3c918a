package store

import (
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/kith-photos/kith/face"
)

// Sizes in bytes of what is packed into blobs, little-endian throughout.
const (
	landmarksSize = 5 * 2 * 8 // float64
	refSize       = 32 + 4*8  // SHA-256 and box as float64
	maxRefs       = 1_000_000 // faces of one decision
	maxDim        = 65536     // numbers in a vector, as the schema has it
	unitTolerance = 1e-3      // how far a vector's length may be from 1
)

// newUID makes an id: 26 lower-case characters of base32.
func newUID() string { return strings.ToLower(rand.Text()) }

// NewPersonID makes the id of a person who is about to be put.
func NewPersonID() PersonID { return PersonID(newUID()) }

// NewDecisionID makes the id of a decision that is about to be made.
func NewDecisionID() DecisionID { return DecisionID(newUID()) }

func micros(t time.Time) int64     { return t.UnixMicro() }
func fromMicros(v int64) time.Time { return time.UnixMicro(v).UTC() }

// nullMicros is a time's column, NULL for the zero time.
func nullMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}

func fromNullMicros(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return fromMicros(v.Int64)
}

// asCorrupt says of which row an error of its bytes is.
func asCorrupt(err error, what, uid string) error {
	var tampered *TamperedError
	if err == nil || errors.As(err, &tampered) {
		return err
	}
	return &CorruptError{Detail: fmt.Sprintf("%s %s: %v", what, uid, err)}
}

func finite(vs ...float64) bool {
	return !slices.ContainsFunc(vs, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

func appendFloats(dst []byte, vs ...float64) []byte {
	for _, v := range vs {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return dst
}

// float64At reads the i-th float64 of b.
func float64At(b []byte, i int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
}

func packLandmarks(lm face.Landmarks) []byte {
	b := make([]byte, 0, landmarksSize)
	for _, p := range lm {
		b = appendFloats(b, p.X, p.Y)
	}
	return b
}

func unpackLandmarks(b []byte) (lm face.Landmarks, err error) {
	if len(b) != landmarksSize {
		return lm, fmt.Errorf("landmarks of %d bytes, want %d", len(b), landmarksSize)
	}
	for i := range lm {
		lm[i] = face.Point{X: float64At(b, 2*i), Y: float64At(b, 2*i+1)}
		if !finite(lm[i].X, lm[i].Y) {
			return lm, fmt.Errorf("landmark %d is not finite", i)
		}
	}
	return lm, nil
}

func packVector(v face.Vector) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// unpackVector fills dst, which fixes how long b must be.
func unpackVector(dst []float32, b []byte) error {
	if len(b) != 4*len(dst) {
		return fmt.Errorf("vector of %d bytes, want %d", len(b), 4*len(dst))
	}
	if littleEndian() {
		copy(asBytes(dst), b)
	} else {
		unpackFloats(dst, b)
	}
	return nil
}

// asBytes is the memory of numbers.
func asBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// littleEndian reports whether this machine keeps numbers as the file does.
// The compiler knows the answer.
func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// unpackFloats is unpackVector for any machine.
func unpackFloats(dst []float32, b []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

// checkUnit reports a vector that is not finite or not of length 1.
func checkUnit(v []float32) error {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	// NaN and infinity anywhere end up in sum, and fail the comparison.
	if n := math.Sqrt(sum); !(math.Abs(n-1) <= unitTolerance) {
		return fmt.Errorf("vector of length %g, want 1", n)
	}
	return nil
}

func packRefs(refs []FaceRef) ([]byte, error) {
	if len(refs) > maxRefs {
		return nil, fmt.Errorf("%d faces in one decision, at most %d are possible", len(refs), maxRefs)
	}
	b := make([]byte, 0, refSize*len(refs))
	for i, r := range refs {
		if !r.Box.Finite() {
			return nil, fmt.Errorf("box of face %d of the decision is not finite", i)
		}
		b = append(b, r.SHA256[:]...)
		b = appendFloats(b, r.Box.X, r.Box.Y, r.Box.W, r.Box.H)
	}
	return b, nil
}

func unpackRefs(b []byte) ([]FaceRef, error) {
	if len(b)%refSize != 0 || len(b)/refSize > maxRefs {
		return nil, fmt.Errorf("face references of %d bytes", len(b))
	}
	if len(b) == 0 {
		return nil, nil
	}
	refs := make([]FaceRef, 0, len(b)/refSize) // as long as bytes in hand
	for chunk := range slices.Chunk(b, refSize) {
		r := FaceRef{SHA256: [32]byte(chunk)}
		f := chunk[32:]
		r.Box = face.Box{X: float64At(f, 0), Y: float64At(f, 1), W: float64At(f, 2), H: float64At(f, 3)}
		if !r.Box.Finite() {
			return nil, fmt.Errorf("box of face reference %d is not finite", len(refs))
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// holderJSON is a Holder in the file. Created is in microseconds since 1970.
type holderJSON struct {
	Person  PersonID `json:"person,omitempty"`
	Created int64    `json:"created,omitempty"`
	Faces   []int    `json:"faces,omitempty"`
}

// packHolders returns nil, the column's NULL, where there are none.
func packHolders(hs []Holder) (any, error) {
	if len(hs) == 0 {
		return nil, nil
	}
	out := make([]holderJSON, len(hs))
	for i, h := range hs {
		out[i] = holderJSON{Person: h.Person, Faces: h.Faces}
		if !h.Created.IsZero() {
			out[i].Created = micros(h.Created)
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

// unpackHolders reads what is said of a decision with so many faces.
func unpackHolders(b []byte, faces int) ([]Holder, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var in []holderJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("holders: %w", err)
	}
	var out []Holder
	for _, j := range in {
		h := Holder{Person: j.Person}
		if len(j.Faces) > 0 {
			h.Faces = j.Faces
		}
		if j.Created != 0 {
			h.Created = fromMicros(j.Created)
		}
		if slices.ContainsFunc(h.Faces, func(i int) bool { return i < 0 || i >= faces }) {
			return nil, fmt.Errorf("holders name a face beyond the %d of the decision", faces)
		}
		out = append(out, h)
	}
	return out, nil
}

// unpackSHA copies a content hash.
func unpackSHA(b []byte) (sha [32]byte, err error) {
	if len(b) != len(sha) {
		return sha, fmt.Errorf("SHA-256 of %d bytes", len(b))
	}
	return [32]byte(b), nil
}
