// Package onnx runs face detectors and embedders on ONNX Runtime, in process.
//
// Each model family has one file: ultraface.go and yunet.go find boxes,
// landmark68.go finds points, arcface.go embeds; finder.go decides where in a
// photo a detector looks. What differs between models of one family (input
// size, colour order, mean, scale, names, thresholds) comes from the models
// manifest, so a new model needs no code.
package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/face/internal/ort"
	"github.com/kith-photos/kith/models"
)

// Options tune an engine. The zero value is the default.
type Options struct {
	// Mirror embeds each face twice, as it is and mirrored, and averages. It
	// costs one more run of the embedder a face; the vectors form a space of
	// their own.
	Mirror bool
}

// Engine holds the loaded models of one installation. It is safe for
// concurrent use: every worker of a process shares one engine.
type Engine struct {
	analyzer *face.Analyzer
	nets     []*net
}

// Open loads the models of an installation, each checked against its SHA-256
// first. Close releases them; the runtime itself stays loaded.
func Open(inst models.Installation, opt Options) (_ *Engine, err error) {
	if err := ort.Init(inst.Runtime); err != nil {
		return nil, err
	}
	e := &Engine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	detector, err := e.detector(inst.Detector)
	if err != nil {
		return nil, err
	}
	if inst.Landmarker != nil {
		n, err := e.load(*inst.Landmarker, "landmark68", 1)
		if err != nil {
			return nil, err
		}
		detector.points = &landmark68{n}
	}
	n, err := e.load(inst.Embedder, "arcface", 1)
	if err != nil {
		return nil, err
	}
	embedder, err := newArcface(n, inst.Embedder, opt.Mirror)
	if err != nil {
		return nil, err
	}
	e.analyzer, err = face.NewAnalyzer(detector, nil, embedder) // the finder gives the points
	return e, err
}

// Analyzer analyses photos with the engine's models. It works until Close.
func (e *Engine) Analyzer() *face.Analyzer { return e.analyzer }

// Time is the CPU time that ONNX Runtime has computed for this engine, all
// threads together: the floor under any pipeline with these models.
func (e *Engine) Time() time.Duration {
	var sum time.Duration
	for _, n := range e.nets {
		sum += n.session.Time()
	}
	return sum
}

// RuntimeVersion is the version of the loaded ONNX Runtime.
func (e *Engine) RuntimeVersion() string { return ort.Version() }

// Close releases the models after the runs under way. It is idempotent.
func (e *Engine) Close() error {
	var errs []error
	for _, n := range e.nets {
		errs = append(errs, n.session.Close())
	}
	return errors.Join(errs...)
}

func (e *Engine) detector(m models.Model) (*finder, error) {
	fd := &finder{passes: allPasses()}
	switch m.Kind {
	case "ultraface":
		n, err := e.load(m, "ultraface", 2)
		if err != nil {
			return nil, err
		}
		fd.network, err = newUltraface(n, m)
		return fd, err
	case "yunet":
		n, err := e.load(m, "yunet", 12)
		if err != nil {
			return nil, err
		}
		fd.network, err = newYunet(n, m)
		return fd, err
	}
	return nil, fmt.Errorf("model %s: no detector of kind %q", m.ID, m.Kind)
}

// net is a loaded model with its input's description.
type net struct {
	id      string
	session *ort.Session
	input   models.Input
	pack    face.Packing
	buffers sync.Pool // of *[]float32: a run's input, reused by the next
}

func (e *Engine) load(m models.Model, kind string, outputs int) (*net, error) {
	if m.Kind != kind || m.Input == nil || len(m.Outputs) != outputs {
		return nil, fmt.Errorf("model %s: the manifest must describe the input and %d outputs of a %q", m.ID, outputs, kind)
	}
	data, err := os.ReadFile(m.Path)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", m.ID, err)
	}
	sum := sha256.Sum256(data)
	if have := hex.EncodeToString(sum[:]); have != m.SHA256 {
		return nil, &models.ChecksumError{
			Path: m.Path, Artifact: m.ID,
			WantSize: m.Size, HaveSize: int64(len(data)), Want: m.SHA256, Have: have,
		}
	}
	n := &net{id: m.ID, input: *m.Input}
	n.pack = face.Packing{Mean: m.Input.Mean, Scale: m.Input.Scale, Fill: m.Input.Fill}
	switch m.Input.Color {
	case "RGB":
		n.pack.Order = face.RGB
	case "BGR":
		n.pack.Order = face.BGR
	case "GRAY":
		n.pack.Order = face.Gray
	default:
		return nil, fmt.Errorf("model %s: unknown colour order %q", m.ID, m.Input.Color)
	}
	if n.session, err = ort.Open(data, m.Input.Name, m.Outputs); err != nil {
		return nil, fmt.Errorf("model %s (%s): %w", m.ID, m.Path, err)
	}
	e.nets = append(e.nets, n)
	return n, nil
}

// run warps the photo into the model's input of w by h pixels and runs it.
func (n *net) run(p *face.Picture, m face.Affine, w, h int) ([][]float32, error) {
	planes := n.pack.Order.Planes()
	size := planes * w * h
	buf, _ := n.buffers.Get().(*[]float32)
	if buf == nil || cap(*buf) < size {
		b := make([]float32, size)
		buf = &b
	}
	defer n.buffers.Put(buf)
	in := (*buf)[:size]
	p.Warp(in, w, h, m, n.pack)
	out, err := n.session.Run(in, 1, int64(planes), int64(h), int64(w))
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", n.id, err)
	}
	return out, nil
}

// want checks that an output has the length that its shape promises.
func (n *net) want(out []float32, length int, name string) error {
	if len(out) != length {
		return fmt.Errorf("model %s: output %s has %d values, expected %d", n.id, name, len(out), length)
	}
	return nil
}
