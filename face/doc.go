// Package face finds the faces of a photo and describes each with a vector.
//
// A [Detector] finds boxes, a [Landmarker] finds five points in a box, an
// [Embedder] turns an aligned face into a [Vector], and an [Analyzer] runs
// the three over one photo and judges the quality of each face. The
// interfaces hold only what the Analyzer calls; package face/onnx has the
// implementations that run on ONNX Runtime, and package face/facetest a
// conformance suite and a deterministic fake.
//
// The package is stateless and knows no account: one Analyzer may serve every
// account of a process. It links no network code.
package face
