package ort

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kith-photos/kith/models/modelstest"
)

func TestSessionConcurrent(t *testing.T) {
	s, in := embedder(t)
	want := embed(t, s, in)
	before := slices.Clone(in)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				out, err := s.Run(in, 1, 3, 112, 112)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(out[0], want) {
					t.Error("another result with seven others at work")
				}
			}
		})
	}
	wg.Wait()
	if !slices.Equal(in, before) {
		t.Error("the input was changed")
	}
	if s.Time() <= 0 {
		t.Errorf("25 runs took %v", s.Time())
	}
}

func TestResultsBelongToTheCaller(t *testing.T) {
	s, in := embedder(t)
	first := embed(t, s, in)
	kept := slices.Clone(first)
	clear(in)
	if second := embed(t, s, in); slices.Equal(second, kept) {
		t.Error("another input gives the same vector")
	}
	if !slices.Equal(first, kept) {
		t.Error("a later run overwrote a result")
	}
}

func TestSessionClose(t *testing.T) {
	s, in := embedder(t)
	embed(t, s, in)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if out, err := s.Run(in, 1, 3, 112, 112); !errors.Is(err, ErrClosed) {
		t.Errorf("%d outputs, error %v; want ErrClosed", len(out), err)
	}
}

func TestRunRefusesShapes(t *testing.T) {
	s, in := embedder(t)
	for _, shape := range [][]int64{{1, 3, 112, 111}, {1, 3, 224, 224}, {3, 112, 112}, {1, 1, 112, 336}, {0, 3, 112, 112}, nil} {
		if out, err := s.Run(in, shape...); err == nil {
			t.Errorf("shape %v: %d outputs and no error", shape, len(out))
		}
	}
	embed(t, s, in) // the session survives it
}

func TestOpenRefuses(t *testing.T) {
	inst := modelstest.Require(t)
	if err := Init(inst.Runtime); err != nil {
		t.Fatal(err)
	}
	m := inst.Embedder
	data, err := os.ReadFile(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data    []byte
		input   string
		outputs []string
		text    string
	}{
		"input name":  {data, "nothing", m.Outputs, `no input named "nothing"`},
		"output name": {data, m.Input.Name, []string{"nothing"}, `no output named "nothing"`},
		"cut short":   {data[:len(data)/2], m.Input.Name, m.Outputs, ""},
		"text":        {[]byte("this is no model"), m.Input.Name, m.Outputs, ""},
		"nothing":     {nil, m.Input.Name, m.Outputs, ""},
	} {
		s, err := Open(c.data, c.input, c.outputs)
		if s != nil || err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, error %v", name, s, err)
		}
	}
}
