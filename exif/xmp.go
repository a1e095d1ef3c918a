package exif

import (
	"bytes"
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
)

// xmpKey gives the properties that are read a short name, others none.
func xmpKey(n xml.Name) string {
	switch n.Space {
	case nsEXIF:
		switch n.Local {
		case "DateTimeOriginal", "DateTimeDigitized", "GPSLatitude", "GPSLongitude", "GPSAltitude", "GPSAltitudeRef":
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
	}
	return ""
}

// xmpProperties collects the wanted properties of a packet. Properties are
// attributes or child elements of the rdf:Descriptions directly below rdf:RDF
// (XMP part 1, section 7); the same names deeper down speak of something
// else, such as the image that this one was made from.
//
// The decoder is the strict one of encoding/xml, which expands no entities
// but XML's five; a document type declaration is refused all the same.
func xmpProperties(packet []byte) (map[string]string, error) {
	if len(packet) > maxXMP {
		return nil, fmt.Errorf("%d bytes: %w", len(packet), errTooLarge)
	}
	var (
		root        = xml.Name{Space: nsRDF, Local: "RDF"}
		description = xml.Name{Space: nsRDF, Local: "Description"}
	)
	props := make(map[string]string)
	put := func(n xml.Name, value string) {
		key := xmpKey(n)
		if _, have := props[key]; key != "" && !have && len(value) <= maxXMPValue {
			props[key] = strings.TrimSpace(value)
		}
	}
	d := xml.NewDecoder(bytes.NewReader(packet))
	var path []xml.Name // of the open elements
	var value []byte    // of the open property
	rdf := -1           // where in path rdf:RDF stands
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return props, nil
		case err != nil:
			return props, err
		}
		switch t := token.(type) {
		case xml.Directive:
			return props, errors.New("a document type declaration")
		case xml.StartElement:
			if len(path) == maxXMPDepth {
				return props, fmt.Errorf("more than %d nested elements", maxXMPDepth)
			}
			if rdf < 0 && t.Name == root {
				rdf = len(path)
			}
			if rdf >= 0 && len(path) == rdf+1 && t.Name == description {
				for _, a := range t.Attr {
					put(a.Name, a.Value)
				}
			}
			path, value = append(path, t.Name), value[:0]
		case xml.CharData:
			if rdf >= 0 && len(path) == rdf+3 && len(value) <= maxXMPValue {
				value = append(value, t...)
			}
		case xml.EndElement:
			path = path[:len(path)-1] // the decoder has checked that they match
			if len(path) == rdf {
				return props, nil // what follows is padding
			}
			if rdf >= 0 && len(path) == rdf+2 && path[rdf+1] == description {
				put(t.Name, string(value))
			}
		}
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
		camera:    Camera{Make: cleanName(props["tiff:Make"]), Model: cleanName(props["tiff:Model"])},
	}
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
	if src.gps, err = xmpGPS(props); err != nil {
		fault("exif:GPSLatitude", err)
	}
	return src
}

func xmpGPS(props map[string]string) (*GPS, error) {
	if props["exif:GPSLatitude"] == "" || props["exif:GPSLongitude"] == "" {
		return nil, nil
	}
	lat, err := parseXMPDegrees(props["exif:GPSLatitude"], 'N', 'S')
	if err != nil {
		return nil, err
	}
	lon, err := parseXMPDegrees(props["exif:GPSLongitude"], 'E', 'W')
	if err != nil {
		return nil, err
	}
	g, err := newGPS(lat, lon)
	if g == nil {
		return nil, err
	}
	if alt, ok := parseXMPAltitude(props["exif:GPSAltitude"], props["exif:GPSAltitudeRef"]); ok {
		g.Alt = &alt
	}
	return g, nil
}
