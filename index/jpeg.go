package index

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"github.com/kith-photos/kith/index/internal/turbojpeg"
)

// jpegSource decodes a JPEG by libjpeg-turbo, at the size that is needed, or
// by image/jpeg as a whole: where there is no libjpeg-turbo, for the rare
// kinds that it does not hand over as planes (CMYK, RGB), and for whatever it
// as much as warns of. What is a photo and what is none is thus for image/jpeg
// to say, on every machine.
type jpegSource struct {
	data  []byte
	frame frame
	lib   *turbojpeg.Lib
}

const (
	// enough is how many pixels a photo is decoded to at first, at least:
	// detectors and most faces need no more, and Huffman decoding, which is
	// most of the work, is not done twice.
	enough = 1_500_000
	// most is how many pixels are decoded at most. A face that needs more of
	// a larger photo is smaller than a hundredth of its long side.
	most = 16_000_000
)

// openJPEG looks at a JPEG's header. lib may be nil.
func openJPEG(data []byte, lib *turbojpeg.Lib, maxPixels int) (*jpegSource, error) {
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := checkSize(cfg.Width, cfg.Height, maxPixels); err != nil {
		return nil, err
	}
	s := &jpegSource{data: data, lib: lib, frame: readFrame(data)}
	s.frame.w, s.frame.h = cfg.Width, cfg.Height
	return s, nil
}

func (s *jpegSource) Size() (w, h int) { return s.frame.w, s.frame.h }

// Name is the decoder in use. It may change when the photo is decoded.
func (s *jpegSource) Name() string {
	if s.lib == nil {
		return "image/jpeg"
	}
	return "libjpeg-turbo"
}

// Memory is what decoding takes: the planes, and with a progressive file all
// of its coefficients, of 2 bytes in libjpeg-turbo and of 4 in image/jpeg.
func (s *jpegSource) Memory() int64 {
	all := s.frame.samples()
	if s.lib == nil {
		if s.frame.progressive {
			return 5 * all
		}
		return all
	}
	first, finest := s.levels()
	n := all>>(2*first) + all>>(2*finest)
	if s.frame.progressive {
		n += 2 * all
	}
	return n
}

// levels are the copies to decode at first and at most, as powers of a half.
func (s *jpegSource) levels() (first, finest int) {
	pixels := s.frame.w * s.frame.h
	for first < 3 && pixels>>(2*(first+1)) >= enough {
		first++
	}
	for finest < 3 && pixels>>(2*finest) > most {
		finest++
	}
	return max(first, finest), finest
}

// Level implements face.Source.
func (s *jpegSource) Level(k int) (image.Image, float64, error) {
	if s.lib != nil {
		first, finest := s.levels()
		k = max(finest, min(k, first))
		if img, err := s.turbo(k); err == nil {
			return img, 1 / float64(int(1)<<k), nil
		}
		s.lib = nil
	}
	img, err := jpeg.Decode(bytes.NewReader(s.data))
	return img, 1, err
}

func (s *jpegSource) turbo(k int) (image.Image, error) {
	d, err := s.lib.NewDecoder()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	h, err := d.Header(s.data)
	if err != nil {
		return nil, err
	}
	if h.Width != s.frame.w || h.Height != s.frame.h {
		return nil, fmt.Errorf("libjpeg-turbo: %d x %d pixels, want %d x %d", h.Width, h.Height, s.frame.w, s.frame.h)
	}
	return d.Decode(s.data, k)
}

// frame is what the frame header of a JPEG says (ITU-T T.81, B.2.2).
type frame struct {
	w, h        int
	progressive bool
	h1, v1      int // the first component's sampling factors
	factors     int // the sum of all components' products of theirs
}

// samples is how many numbers the planes hold, without padding.
func (f frame) samples() int64 {
	n := int64(f.w) * int64(f.h)
	if f.h1*f.v1 == 0 {
		return 3 * n
	}
	return n * int64(f.factors) / int64(f.h1*f.v1)
}

// readFrame finds the frame header. What it cannot read it leaves at zero: it
// serves an estimate only.
func readFrame(data []byte) (f frame) {
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff {
			return f
		}
		marker := data[at+1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		n := int(data[at+2])<<8 | int(data[at+3])
		body := data[at+4 : min(len(data), max(at+4, at+2+n))]
		switch marker {
		case 0xc0, 0xc1, 0xc2:
			f.progressive = marker == 0xc2
			if len(body) < 6 || len(body) < 6+3*int(body[5]) {
				return f
			}
			for i := range int(body[5]) {
				hv := int(body[6+3*i+1])
				if i == 0 {
					f.h1, f.v1 = hv>>4, hv&15
				}
				f.factors += (hv >> 4) * (hv & 15)
			}
			return f
		case 0xd9, 0xda:
			return f
		}
		at += 2 + max(2, n)
	}
	return f
}
