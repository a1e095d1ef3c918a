// Package facetest helps to test what is built on package face.
//
// [Fake] is a detector and embedder that needs no model: it finds and tells
// apart the painted faces of [Draw] and [Photo]. [TestDetector],
// [TestEmbedder] and [TestAnalyzer] are the conformance suite of the
// interfaces of package face; an implementation's own tests call them.
package facetest
