// Package ort runs ONNX models. It is the only place that touches
// onnxruntime_go, whose environment is one per process: ort makes it when
// nobody has, uses the host's when there is one, and never destroys it.
package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	ort "github.com/yalue/onnxruntime_go"
)

// ErrTooOld is returned for an ONNX Runtime that lacks the C API this build
// needs (version 24, ONNX Runtime 1.24).
var ErrTooOld = errors.New("ONNX Runtime is too old: 1.24 or newer is needed")

// apiVersion is the number of the C API that onnxruntime_go asks for.
const apiVersion = 24

var errNoEntry = errors.New("not an ONNX Runtime: it has no OrtGetApiBase")

// initialising guards the process-wide environment; it holds no state itself.
var initialising sync.Mutex

// Init makes the process's environment from the shared library at path, or
// leaves it alone if it exists already.
func Init(path string) error {
	initialising.Lock()
	defer initialising.Unlock()
	if ort.IsInitialized() {
		return nil
	}
	if st, err := os.Stat(path); err != nil {
		return fmt.Errorf("ONNX Runtime: %w", err)
	} else if !st.Mode().IsRegular() {
		return fmt.Errorf("ONNX Runtime %s: not a file", path)
	}
	// The loader would look for a bare name in the system's folders.
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("ONNX Runtime: %w", err)
	}
	version, ok, err := probe(path, apiVersion)
	if err != nil {
		return fmt.Errorf("ONNX Runtime %s: %w", path, err)
	}
	if !ok {
		return fmt.Errorf("%s: %w, this is %s", path, ErrTooOld, version)
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("ONNX Runtime %s: %w", path, err)
	}
	return nil
}

// Version is the runtime's version, "" before Init.
func Version() string {
	if !ort.IsInitialized() {
		return ""
	}
	return ort.GetVersion()
}

// Session is one loaded model. It may be used from many goroutines at once;
// each run takes one thread.
type Session struct {
	session *ort.DynamicAdvancedSession
	outputs int
	ran     atomic.Int64 // nanoseconds of CPU
	closing sync.RWMutex
	closed  bool
}

// ErrClosed is returned by a run on a closed session.
var ErrClosed = errors.New("model is closed")

// Open loads the model in data. The input and outputs must exist in it; the
// outputs come back from Run in this order.
func Open(data []byte, input string, outputs []string) (*Session, error) {
	ins, outs, err := ort.GetInputOutputInfoWithONNXData(data)
	if err != nil {
		return nil, err
	}
	if err := hasNames(ins, []string{input}, "input"); err != nil {
		return nil, err
	}
	if err := hasNames(outs, outputs, "output"); err != nil {
		return nil, err
	}
	opt, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = opt.Destroy() }()
	// One thread a run: photos are the unit of parallelism, and the runtime's
	// own threads spin. Small models gain nothing from them.
	err = errors.Join(
		opt.SetIntraOpNumThreads(1),
		opt.SetInterOpNumThreads(1),
		opt.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		opt.SetMemPattern(false), // inputs change their size from photo to photo
	)
	if err != nil {
		return nil, err
	}
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(data, []string{input}, outputs, opt)
	if err != nil {
		return nil, err
	}
	return &Session{session: s, outputs: len(outputs)}, nil
}

func hasNames(have []ort.InputOutputInfo, want []string, what string) error {
next:
	for _, name := range want {
		for _, h := range have {
			if h.Name == name {
				continue next
			}
		}
		return fmt.Errorf("model has no %s named %q", what, name)
	}
	return nil
}

// Run feeds one float32 tensor of the shape and returns the outputs, flat, in
// the order given to Open. The results belong to the caller.
func (s *Session) Run(in []float32, shape ...int64) (out [][]float32, err error) {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return nil, ErrClosed
	}
	tensor, err := ort.NewTensor(ort.NewShape(shape...), in)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tensor.Destroy()) }()
	values := make([]ort.Value, s.outputs)
	took, err := withFlush(func() error { return s.session.Run([]ort.Value{tensor}, values) })
	if err != nil {
		return nil, err
	}
	s.ran.Add(int64(took))
	out = make([][]float32, len(values))
	for i, v := range values {
		t, ok := v.(*ort.Tensor[float32])
		if !ok {
			err = errors.Join(err, fmt.Errorf("output %d is not float32", i))
		} else {
			out[i] = append([]float32(nil), t.GetData()...)
		}
		err = errors.Join(err, v.Destroy())
	}
	return out, err
}

// Time is the CPU time that runs have taken in all.
func (s *Session) Time() time.Duration { return time.Duration(s.ran.Load()) }

// Close releases the model after the runs under way. It is idempotent.
func (s *Session) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.session.Destroy()
}
