package exif

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// maxRegionNodes is how many elements are kept of a packet's region lists: what
// other programs add to a region takes a few.
const maxRegionNodes = 32 * maxRegions

const (
	nsMWGRegions = "http://www.metadataworkinggroup.com/schemas/regions/"
	nsArea       = "http://ns.adobe.com/xmp/sType/Area#"
	nsDimensions = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
	nsMP         = "http://ns.microsoft.com/photo/1.2/"
	nsMPRI       = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
	nsMPReg      = "http://ns.microsoft.com/photo/1.2/t/Region#"
)

// packetRegions is what one packet says, with both kinds of regions apart.
type packetRegions struct {
	mwg       Regions
	microsoft []Area
}

// readRegions reads the regions of one packet.
func (f *file) readRegions(packet []byte) packetRegions {
	t := regionTree{properties: map[xml.Name]*node{
		{Space: nsMWGRegions, Local: "Regions"}: nil,
		{Space: nsMP, Local: "RegionInfo"}:      nil,
		{Space: nsTIFF, Local: "Orientation"}:   nil,
	}}
	if err := walkXMP(packet, &t); err != nil {
		f.fault("XMP", err)
	}
	property := func(space, local string) *node { return t.properties[xml.Name{Space: space, Local: local}] }
	var out packetRegions
	if o, err := strconv.Atoi(property(nsTIFF, "Orientation").value()); err == nil && o >= 1 && o <= 8 {
		out.mwg.Orientation = o // Decode reports others
	}
	if n := property(nsMWGRegions, "Regions"); n != nil {
		f.readMWG(n, &out.mwg)
	}
	if n := property(nsMP, "RegionInfo"); n != nil {
		out.microsoft = f.readAreas("XMP MPRI:Regions", n.get(nsMPRI, "Regions"), microsoftArea)
	}
	return out
}

// readMWG reads mwg-rs:Regions.
func (f *file) readMWG(n *node, r *Regions) {
	if dim := n.get(nsMWGRegions, "AppliedToDimensions"); dim != nil {
		w, _, errW := dim.real(nsDimensions, "w")
		h, _, errH := dim.real(nsDimensions, "h")
		if err := errors.Join(errW, errH); err != nil {
			f.fault("XMP mwg-rs:AppliedToDimensions", err)
		} else if w > 0 && h > 0 {
			r.Width, r.Height = w, h
		}
	}
	r.Areas = f.readAreas("XMP mwg-rs:RegionList", n.get(nsMWGRegions, "RegionList"), func(li *node) (Area, bool, error) {
		return mwgArea(li, r.Width, r.Height)
	})
}

// readAreas reads a list of regions one by one, and reports the broken ones.
func (f *file) readAreas(part string, list *node, read func(li *node) (Area, bool, error)) []Area {
	var areas []Area
	for i, li := range list.items() {
		if i == maxRegions {
			f.fault(part, errTooManyRegions)
			break
		}
		area, ok, err := read(li)
		switch {
		case err != nil:
			f.fault(fmt.Sprintf("%s %d", part, i+1), err)
		case ok:
			areas = append(areas, area)
		}
	}
	return areas
}

// mwgArea reads one mwg-rs:RegionStruct: a rectangle, a circle or a point (MWG
// 2.0, section 5.9). By the book the unit is always "normalized"; areas in pixels
// are read where it is known of how many.
func mwgArea(li *node, width, height float64) (a Area, ok bool, err error) {
	if a.Name, err = label(li.get(nsMWGRegions, "Name").value()); err != nil {
		return a, false, fmt.Errorf("name: %w", err)
	}
	if a.Type, err = label(li.get(nsMWGRegions, "Type").value()); err != nil {
		return a, false, fmt.Errorf("type: %w", err)
	}
	n := li.get(nsMWGRegions, "Area")
	if n == nil {
		return a, false, errors.New("no area")
	}
	for _, field := range []struct {
		to   *float64
		name string
	}{{&a.X, "x"}, {&a.Y, "y"}, {&a.W, "w"}, {&a.H, "h"}, {&a.D, "d"}} {
		v, have, err := n.real(nsArea, field.name)
		switch {
		case err != nil:
			return a, false, err
		case !have && (field.name == "x" || field.name == "y"):
			return a, false, fmt.Errorf("no %s", field.name)
		case v < 0 && field.name != "x" && field.name != "y":
			return a, false, fmt.Errorf("%s %g", field.name, v)
		}
		*field.to = v
	}
	switch unit := n.get(nsArea, "unit").value(); strings.ToLower(unit) {
	case "normalized", "":
	case "pixel", "pixels":
		if width == 0 || height == 0 {
			return a, false, errors.New("pixels without AppliedToDimensions")
		}
		a.X, a.W = a.X/width, a.W/width
		a.Y, a.H = a.Y/height, a.H/height
		a.D /= min(width, height)
	default:
		return a, false, fmt.Errorf("unit %.20q", unit)
	}
	return a, true, nil
}

// microsoftArea reads one entry of MPRI:Regions. Its rectangle is "left, top,
// width, height" as fractions. A person who was tagged without a face has none,
// or one of zeros.
func microsoftArea(li *node) (a Area, ok bool, err error) {
	text := li.get(nsMPReg, "Rectangle").value()
	if text == "" {
		return a, false, nil
	}
	if a.Name, err = label(li.get(nsMPReg, "PersonDisplayName").value()); err != nil {
		return a, false, fmt.Errorf("name: %w", err)
	}
	a.Type = "Face"
	parts := strings.Split(text, ",")
	var v [4]float64
	for i := range v {
		if len(parts) != len(v) {
			return a, false, fmt.Errorf("rectangle %.40q", text)
		}
		if v[i], err = parseReal(parts[i]); err != nil {
			return a, false, err
		}
	}
	a.X, a.Y, a.W, a.H = v[0]+v[2]/2, v[1]+v[3]/2, v[2], v[3]
	if a.W < 0 || a.H < 0 {
		return a, false, fmt.Errorf("rectangle %.40q", text)
	}
	return a, a.W > 0 || a.H > 0, nil
}

// parseReal reads XMP's Real: a decimal number. NaN and infinity are none.
func parseReal(s string) (float64, error) {
	s = strings.TrimSpace(s)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || len(s) > 64 || math.IsInf(v, 0) || strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, fmt.Errorf("number %.40q", s)
	}
	return v, nil
}

// label makes a name or type fit to show and to compare.
func label(s string) (string, error) {
	s = cleanLabel(s)
	if len(s) > maxXMPValue {
		return "", fmt.Errorf("%d bytes or more: %w", len(s), errTooLarge)
	}
	return s, nil
}

// cleanLabel makes valid UTF-8 of s that XML can hold, with a space for each line
// break and tab and without other control characters and surrounding space.
func cleanLabel(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u0085':
			return ' '
		case unicode.IsControl(r):
			return -1
		case r == '\uFFFE' || r == '\uFFFF':
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// node is an element, or an attribute, which has only a text. A nil node is one
// that is not there.
type node struct {
	name  xml.Name
	attrs []xml.Attr
	kids  []*node
	chars []byte
}

// get finds a field of a structure in any of XMP's spellings (part 1, 7.9.2): as
// an attribute, as a child element, which needs rdf:parseType="Resource", or as
// either in a nested rdf:Description.
func (n *node) get(space, local string) *node {
	if n == nil {
		return nil
	}
	want := xml.Name{Space: space, Local: local}
	for _, a := range n.attrs {
		if a.Name == want {
			return &node{chars: []byte(a.Value)}
		}
	}
	for _, k := range n.kids {
		if k.name == want {
			return k
		}
	}
	for _, k := range n.kids {
		if k.name.Space == nsRDF && k.name.Local == "Description" {
			if found := k.get(space, local); found != nil {
				return found
			}
		}
	}
	return nil
}

// value is the text, without surrounding space. That of a property with
// qualifiers, such as a language, is in rdf:value.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	if v := n.get(nsRDF, "value"); v != nil {
		n = v
	}
	return strings.TrimSpace(string(n.chars))
}

// real reads a number, and reports whether there is one.
func (n *node) real(space, local string) (v float64, have bool, err error) {
	text := n.get(space, local).value()
	if text == "" {
		return 0, false, nil
	}
	if v, err = parseReal(text); err != nil {
		err = fmt.Errorf("%s: %w", local, err)
	}
	return v, true, err
}

// items lists the entries of an array, whichever kind it has.
func (n *node) items() []*node {
	var out []*node
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name.Space != nsRDF {
			continue
		}
		switch k.name.Local {
		case "li":
			out = append(out, k)
		case "Bag", "Seq", "Alt":
			out = append(out, k.items()...)
		}
	}
	return out
}

// regionTree keeps the elements of some properties, of each the first.
type regionTree struct {
	properties map[xml.Name]*node
	path       []*node // the open elements of a kept property
	kept       int
}

// wants reports whether a property is kept and not yet there.
func (t *regionTree) wants(name xml.Name) bool {
	have, wanted := t.properties[name]
	return wanted && have == nil
}

func (t *regionTree) open(depth int, e xml.StartElement) error {
	n := &node{name: e.Name, attrs: e.Attr}
	switch {
	case depth == 0:
		for _, a := range e.Attr {
			if t.wants(a.Name) {
				t.properties[a.Name] = &node{chars: []byte(a.Value)}
			}
		}
		return nil
	case depth == 1:
		if !t.wants(e.Name) {
			return nil
		}
		t.properties[e.Name] = n
	case len(t.path) == 0:
		return nil // within another property
	default:
		parent := t.path[len(t.path)-1]
		parent.kids = append(parent.kids, n)
	}
	if t.kept++; t.kept > maxRegionNodes {
		return fmt.Errorf("more than %d elements in region lists: %w", maxRegionNodes, errTooLarge)
	}
	t.path = append(t.path, n)
	return nil
}

func (t *regionTree) text(_ int, b []byte) {
	if len(t.path) == 0 {
		return
	}
	if n := t.path[len(t.path)-1]; len(n.chars) <= 2*maxXMPValue {
		n.chars = append(n.chars, b...)
	}
}

func (t *regionTree) close(int, xml.Name) {
	if len(t.path) > 0 {
		t.path = t.path[:len(t.path)-1]
	}
}
