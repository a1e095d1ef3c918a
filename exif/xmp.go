package exif

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Limits of an XMP packet.
const (
	maxXMP      = 1 << 20 // bytes
	maxXMPDepth = 64      // nested elements
	maxXMPValue = 1024    // bytes of one wanted value
)

const (
	nsRDF       = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsEXIF      = "http://ns.adobe.com/exif/1.0/"
	nsTIFF      = "http://ns.adobe.com/tiff/1.0/"
	nsXMP       = "http://ns.adobe.com/xap/1.0/"
	nsPhotoshop = "http://ns.adobe.com/photoshop/1.0/"
	nsAux       = "http://ns.adobe.com/exif/1.0/aux/"
	nsEXIF2     = "http://cipa.jp/exif/1.0/"                // CIPA DC-010, exifEX
	nsGCamera   = "http://ns.google.com/photos/1.0/camera/" // Google's motion photo format
)

// xmpKey gives the properties that are read a short name, others none.
func xmpKey(n xml.Name) string {
	switch n.Space {
	case nsEXIF:
		switch n.Local {
		case "DateTimeOriginal", "DateTimeDigitized", "GPSLatitude", "GPSLongitude", "GPSAltitude", "GPSAltitudeRef",
			"GPSTimeStamp", "GPSStatus", "GPSMapDatum", "GPSHPositioningError":
			return "exif:" + n.Local
		}
	case nsTIFF:
		switch n.Local {
		case "Orientation", "Make", "Model":
			return "tiff:" + n.Local
		}
	case nsXMP:
		if n.Local == "CreateDate" {
			return "xmp:CreateDate"
		}
	case nsPhotoshop:
		if n.Local == "DateCreated" {
			return "photoshop:DateCreated"
		}
	case nsAux:
		if n.Local == "SerialNumber" {
			return "aux:SerialNumber"
		}
	case nsEXIF2:
		if n.Local == "BodySerialNumber" {
			return "exifEX:BodySerialNumber"
		}
	case nsGCamera:
		switch n.Local {
		case "BurstID", "MotionPhoto", "MicroVideo":
			return "GCamera:" + n.Local
		}
	}
	return ""
}

// xmpVisitor is called for the rdf:Descriptions directly below rdf:RDF, which
// have depth 0, their properties, which have depth 1, and what is in these.
type xmpVisitor interface {
	open(depth int, e xml.StartElement) error // an error ends the walk
	text(depth int, b []byte)                 // of the element opened last and not closed
	close(depth int, name xml.Name)
}

// addsToEXIF reports whether a packet may have what the EXIF block of the same
// file has no tag for, or lacks by rule. Others need not be read where that
// block is complete.
func addsToEXIF(packet []byte) bool {
	for _, name := range []string{nsGCamera, "SerialNumber", "GPSHPositioningError"} {
		if bytes.Contains(packet, []byte(name)) {
			return true
		}
	}
	return false
}

// walkXMP walks through a packet (XMP part 1, section 7).
//
// The decoder is the strict one of encoding/xml, which expands no entities
// but XML's five; a document type declaration is refused all the same.
func walkXMP(packet []byte, v xmpVisitor) error {
	if len(packet) > maxXMP {
		return fmt.Errorf("%d bytes: %w", len(packet), errTooLarge)
	}
	var (
		root        = xml.Name{Space: nsRDF, Local: "RDF"}
		description = xml.Name{Space: nsRDF, Local: "Description"}
	)
	d := xml.NewDecoder(bytes.NewReader(packet))
	var path []xml.Name // of the open elements
	rdf := -1           // where in path rdf:RDF stands
	within := func() bool { return rdf >= 0 && len(path) > rdf+1 && path[rdf+1] == description }
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("a document type declaration")
		case xml.StartElement:
			if len(path) == maxXMPDepth {
				return fmt.Errorf("more than %d nested elements", maxXMPDepth)
			}
			if rdf < 0 && t.Name == root {
				rdf = len(path)
			}
			path = append(path, t.Name)
			if within() {
				if err := v.open(len(path)-rdf-2, t); err != nil {
					return err
				}
			}
		case xml.CharData:
			if within() {
				v.text(len(path)-rdf-2, t)
			}
		case xml.EndElement: // the decoder has checked that it matches
			if within() {
				v.close(len(path)-rdf-2, t.Name)
			}
			path = path[:len(path)-1]
			if len(path) == rdf {
				return nil // what follows is padding
			}
		}
	}
}

// xmpProperties collects the wanted properties of a packet: attributes and
// child elements of the rdf:Descriptions. The same names deeper down speak of
// something else, such as the image that this one was made from.
func xmpProperties(packet []byte) (map[string]string, error) {
	c := propertyCollector{props: make(map[string]string)}
	err := walkXMP(packet, &c)
	return c.props, err
}

type propertyCollector struct {
	props map[string]string
	value []byte // of the open property
}

func (c *propertyCollector) put(n xml.Name, value string) {
	key := xmpKey(n)
	if _, have := c.props[key]; key != "" && !have && len(value) <= maxXMPValue {
		c.props[key] = strings.TrimSpace(value)
	}
}

func (c *propertyCollector) open(depth int, e xml.StartElement) error {
	if depth == 0 {
		for _, a := range e.Attr {
			c.put(a.Name, a.Value)
		}
	}
	c.value = c.value[:0]
	return nil
}

func (c *propertyCollector) text(depth int, b []byte) {
	if depth == 1 && len(c.value) <= maxXMPValue {
		c.value = append(c.value, b...)
	}
}

func (c *propertyCollector) close(depth int, name xml.Name) {
	if depth == 1 {
		c.put(name, string(c.value))
	}
}

// readXMP reads one packet.
func (f *file) readXMP(packet []byte) source {
	props, err := xmpProperties(packet)
	if err != nil {
		f.fault("XMP", err)
	}
	fault := func(key string, err error) { f.fault("XMP "+key, err) }
	moment := func(keys ...string) Time {
		for _, key := range keys {
			s, err := parseStamp(props[key])
			if err != nil && !errors.Is(err, errNoTimeOfDay) { // a bare date is good XMP
				fault(key, err)
			}
			if t := s.time(); !t.IsZero() {
				return t
			}
		}
		return Time{}
	}
	src := source{
		original:  moment("exif:DateTimeOriginal", "photoshop:DateCreated"),
		digitized: moment("exif:DateTimeDigitized", "xmp:CreateDate"),
		camera: Camera{Make: cleanName(props["tiff:Make"]), Model: cleanName(props["tiff:Model"]),
			Serial: cleanName(cmp.Or(props["aux:SerialNumber"], props["exifEX:BodySerialNumber"]))},
	}
	if src.burst, err = cleanID(props["GCamera:BurstID"]); err != nil {
		fault("GCamera:BurstID", err)
	}
	if props["GCamera:MotionPhoto"] == "1" || props["GCamera:MicroVideo"] == "1" {
		src.video = VideoInside
	}
	clock, err := xmpFix(props["exif:GPSTimeStamp"])
	if err == nil {
		err = clock.unroll(cmp.Or(src.original.Wall, src.digitized.Wall))
	}
	if err != nil {
		fault("exif:GPSTimeStamp", err)
	}
	src.fix = clock.at()
	src.original.inferZone(clock)
	src.digitized.inferZone(clock)
	if text := props["tiff:Orientation"]; text != "" {
		v, err := strconv.Atoi(text)
		if err == nil && (v < 0 || v > 8) {
			err = fmt.Errorf("value %d", v)
		}
		if err != nil {
			fault("tiff:Orientation", err)
		} else {
			src.orientation = v
		}
	}
	if src.gps, err = xmpGPS(props, clock.known); err != nil {
		fault("exif:GPSLatitude", err)
	}
	return src
}

// xmpFix reads exif:GPSTimeStamp, which in XMP has the date. It is in UTC where
// no zone is written.
func xmpFix(text string) (gpsClock, error) {
	s, err := parseStamp(text)
	if errors.Is(err, errNoTimeOfDay) || err == nil && s.wall.IsZero() {
		return gpsClock{}, nil
	}
	if err != nil {
		return gpsClock{}, err
	}
	return stampOf(s.wall.Add(-s.offset)), nil
}

func xmpGPS(props map[string]string, timed bool) (*GPS, error) {
	if props["exif:GPSLatitude"] == "" || props["exif:GPSLongitude"] == "" {
		return nil, nil
	}
	p := position{void: isVoid(props["exif:GPSStatus"]), timed: timed, datum: cleanName(props["exif:GPSMapDatum"])}
	var err error
	if p.first, err = parseXMPDegrees(props["exif:GPSLatitude"]); err != nil {
		return nil, err
	}
	if p.second, err = parseXMPDegrees(props["exif:GPSLongitude"]); err != nil {
		return nil, err
	}
	g, err := p.gps()
	if g == nil {
		return nil, err
	}
	if alt, ok := parseXMPAltitude(props["exif:GPSAltitude"], props["exif:GPSAltitudeRef"]); ok {
		g.Alt = &alt
	}
	if m, ok := parseXMPFraction(props["exif:GPSHPositioningError"]); ok {
		g.Accuracy = plausibleAccuracy(m)
	}
	return g, err
}
