package onnx

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/kith-photos/kith/face"
)

// network is what a detector's model and habits are to a finder.
type network interface {
	Name() string
	// find returns the faces that stand upright in a frame, without double
	// boxes, and the best score of anything in it. Every face that is in doubt
	// was looked at a second time.
	find(ctx context.Context, f frame, how care) ([]face.Detection, float64, error)
	// glance is a look at the whole frame that costs little, in an input of
	// at most side pixels where the model leaves the choice; nothing of what
	// it returns is confirmed.
	glance(ctx context.Context, f frame, side float64) ([]face.Detection, error)
	// holds reports whether a detection is a face when looked at again, more
	// strictly than the faces of find.
	holds(ctx context.Context, f frame, d face.Detection) (bool, error)
	// plain is how plainly a face that was found stands upright, on a scale of
	// the network's own.
	plain(ctx context.Context, f frame, d face.Detection) (float64, error)
	limits() limits
}

// care says how a network is to look at a frame.
type care struct {
	strict bool // look a second time at every face, and believe less
	tiles  bool // look closer where faces are small
}

// limits are what a network's scores mean.
type limits struct {
	// plain is the plainness that the plainest face of most photos of people
	// has, and hardly any when the photo is turned.
	plain float64
	// turned is the least plainness that a turned photo must have, and ahead
	// how much more than the photo as it stands.
	turned, ahead float64
	// glance is the score from which a glance is followed up.
	glance float64
	// sides are the inputs of glances, each tried when the one before it
	// showed nothing; the second only where the photo holds something that
	// scores at least hint.
	sides []float64
	hint  float64
	// closeScore and closeSide, a share of the photo's long side, are from where
	// on a glance at the photo as it stands adds a face; a score of 0: never.
	closeScore, closeSide float64
}

// passes are the looks beyond a detector's first. Tests and benchmarks switch
// them off to measure what each is worth.
type passes struct {
	turns bool // photos that lie on a side or on their head
	close bool // faces that fill the photo
	tiles bool // small faces in large photos
}

func allPasses() passes { return passes{turns: true, close: true, tiles: true} }

// finder finds the faces of photos: upright first, and then where the network
// misses them. It gives each its five points, for which it knows how the face
// is turned.
type finder struct {
	network
	points *landmark68 // nil: the network's own
	passes passes
}

// sight is what was found in one frame.
type sight struct {
	frame
	faces []face.Detection
	best  float64 // of anything, before it was confirmed
	plain float64 // of the plainest face; 0 for no face
}

// Detect finds the faces of a photo. A photo in which some face plainly stands
// upright is looked at once. Any other is glanced at as it is and turned by
// 90, 180 and 270 degrees, at a small scale, which costs less than the first
// look and sees what that missed: faces that fill the photo, and photos that
// were taken with the camera turned and do not say so.
func (fd *finder) Detect(ctx context.Context, p *face.Picture) ([]face.Detection, error) {
	s, err := fd.see(ctx, turned(p, 0), false)
	if err != nil {
		return nil, err
	}
	if again := fd.passes.turns || fd.passes.close; again && s.plain < fd.limits().plain {
		if s, err = fd.lookAgain(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := fd.place(ctx, s); err != nil {
		return nil, err
	}
	return s.faces, nil
}

// place gives the faces of a sight their points and their places in the photo.
func (fd *finder) place(ctx context.Context, s sight) error {
	for i, d := range s.faces {
		if fd.points != nil {
			lm, err := fd.points.in(ctx, s.frame, d.Box)
			if err != nil {
				return fmt.Errorf("landmarks: %w", err)
			}
			d.Landmarks = &lm
		}
		s.faces[i] = s.onPhoto(d)
	}
	return nil
}

// see finds the faces of a frame and how plain the plainest is.
func (fd *finder) see(ctx context.Context, f frame, strict bool) (sight, error) {
	s := sight{frame: f}
	var err error
	if s.faces, s.best, err = fd.find(ctx, f, care{strict: strict, tiles: fd.passes.tiles}); err != nil {
		return s, err
	}
	return s, fd.judge(ctx, &s)
}

// judged is how many of the best faces are asked how plain they are.
const judged = 3

// judge sets a sight's plainness from its best faces.
func (fd *finder) judge(ctx context.Context, s *sight) error {
	s.plain = 0
	if !fd.passes.turns && !fd.passes.close {
		return nil // nobody asks
	}
	best := slices.SortedStableFunc(slices.Values(s.faces), func(a, b face.Detection) int { return cmp.Compare(b.Score, a.Score) })
	for _, d := range best[:min(judged, len(best))] {
		v, err := fd.plain(ctx, s.frame, d)
		if err != nil {
			return err
		}
		if s.plain = max(s.plain, v); s.plain >= fd.limits().plain {
			break
		}
	}
	return nil
}

// lookAgain glances at a photo as it stands and turned, and returns the sight
// that shows the plainest faces.
func (fd *finder) lookAgain(ctx context.Context, s sight) (sight, error) {
	lim := fd.limits()
	for i, side := range lim.sides {
		if i > 0 && (s.best < lim.hint || max(s.w, s.h) <= lim.sides[i-1]) {
			break
		}
		here, err := fd.glance(ctx, s.frame, side)
		if err != nil {
			return s, err
		}
		if fd.passes.close {
			if err := fd.addClose(ctx, &s, here); err != nil {
				return s, err
			}
		}
		if s.plain >= lim.plain || !fd.passes.turns {
			return s, nil
		}
		t, err := fd.turn(ctx, s, here, side)
		if err != nil || t.back != s.back {
			return t, err
		}
	}
	return s, nil
}

// addClose adds the large faces of a glance to those that were found. What lies
// inside one and scores less is a part of it that was taken for a face.
func (fd *finder) addClose(ctx context.Context, s *sight, seen []face.Detection) error {
	lim := fd.limits()
	grown := false
	for _, d := range seen {
		if lim.closeScore == 0 || d.Score < lim.closeScore || max(d.Box.W, d.Box.H) < lim.closeSide*max(s.w, s.h) {
			continue
		}
		known := slices.ContainsFunc(s.faces, func(k face.Detection) bool {
			return k.Score >= d.Score && k.Box.IoU(d.Box) > closeIoU
		})
		if known {
			continue
		}
		ok, err := fd.holds(ctx, s.frame, d)
		if err != nil {
			return err
		}
		if ok {
			s.faces = append(s.faces, d)
			grown = true
		}
	}
	if !grown {
		return nil
	}
	s.faces = face.Suppress(s.faces, closeIoU, closeContain)
	return fd.judge(ctx, s)
}

// Of two boxes that overlap so much, the union of two passes keeps one.
const (
	closeIoU     = 0.3
	closeContain = 0.65
)

// turn returns the sight of the photo turned so that its faces stand upright,
// or s where that shows none that are plainer. The turns are tried in the
// order of what a glance at them shows.
func (fd *finder) turn(ctx context.Context, s sight, here []face.Detection, side float64) (sight, error) {
	lim := fd.limits()
	type candidate struct {
		frame
		seen []face.Detection
	}
	var cs []candidate
	for _, quarters := range []int{1, 3, 2} {
		f := turned(s.p, quarters)
		seen, err := fd.glance(ctx, f, side)
		if err != nil {
			return s, err
		}
		if best := top(seen); best >= lim.glance && best > top(here) {
			cs = append(cs, candidate{f, seen})
		}
	}
	slices.SortStableFunc(cs, func(a, b candidate) int { return cmp.Compare(top(b.seen), top(a.seen)) })
	for _, c := range cs {
		t, err := fd.see(ctx, c.frame, true)
		if err != nil {
			return s, err
		}
		if fd.passes.close {
			if err := fd.addClose(ctx, &t, c.seen); err != nil {
				return s, err
			}
		}
		if t.plain >= lim.turned && t.plain > s.plain+lim.ahead {
			return t, nil
		}
	}
	return s, nil
}

// top is the best score, 0 of none.
func top(ds []face.Detection) float64 {
	best := 0.0
	for _, d := range ds {
		best = max(best, d.Score)
	}
	return best
}
