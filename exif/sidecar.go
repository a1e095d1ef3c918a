package exif

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sidecar is what an XMP sidecar says about one photo.
type Sidecar struct {
	// Width and Height are the stored photo's size in pixels, before the
	// orientation turns it. Both are needed where there are regions.
	Width, Height int
	// Orientation is 1 to 8, or 0 to write none; regions are then those of a
	// photo with orientation 1.
	Orientation int
	Regions     []Region // relative to the upright photo; what sticks out of it is cut off
	Taken       *Time    // nil, or a zero time: not written
	GPS         *GPS     // nil: not written
}

const (
	nsDC      = "http://purl.org/dc/elements/1.1/"
	nsIPTCExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
)

// XMP writes the packet, in UTF-8:
//
//   - mwg-rs:Regions (MWG 2.0, section 5.9) with areas of the stored photo,
//   - Iptc4xmpExt:PersonInImage with the names of the regions of type "Face" or
//     without a type, and dc:subject with all names, each once and sorted,
//   - tiff:Orientation,
//   - exif:DateTimeOriginal and photoshop:DateCreated, with the zone if it is
//     known: one that is only assumed (ZoneSeries, ZoneDefault) would be taken for
//     the camera's own by the next reader, and is not written,
//   - the exif:GPS properties: GPSLatitude, GPSLongitude, and, where known,
//     GPSAltitude, GPSHPositioningError, GPSMapDatum and GPSStatus.
//
// Names and types are cleaned as Region says. Areas have nine decimals, which is
// less than a ten-thousandth of a pixel of a photo with 30,000.
//
// XMP returns an error for what ParseRegions would not read back: more than 1000
// regions, a name or type of more than 1024 bytes, a region of which nothing is
// inside of the photo, a packet of more than 1 MiB; and for an orientation, size,
// time or position out of range.
func (s Sidecar) XMP() ([]byte, error) {
	areas, err := s.areas()
	if err != nil {
		return nil, err
	}
	var p packetWriter
	p.line(0, "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>")
	p.line(0, `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="kith">`)
	p.line(1, `<rdf:RDF xmlns:rdf="`+nsRDF+`">`)
	p.line(2, `<rdf:Description rdf:about=""`)
	for _, ns := range [][2]string{
		{"dc", nsDC}, {"exif", nsEXIF}, {"Iptc4xmpExt", nsIPTCExt}, {"mwg-rs", nsMWGRegions},
		{"photoshop", nsPhotoshop}, {"stArea", nsArea}, {"stDim", nsDimensions}, {"tiff", nsTIFF},
	} {
		p.text(3, fmt.Sprintf("xmlns:%s=%q", ns[0], ns[1]))
		if ns[0] == "tiff" {
			p.WriteByte('>')
		}
		p.WriteByte('\n')
	}
	if s.Orientation > 0 {
		p.element(3, "tiff:Orientation", strconv.Itoa(s.Orientation))
	}
	if err := s.writeTaken(&p); err != nil {
		return nil, err
	}
	if err := s.writeGPS(&p); err != nil {
		return nil, err
	}
	s.writeNames(&p, areas)
	s.writeRegions(&p, areas)
	p.line(2, "</rdf:Description>")
	p.line(1, "</rdf:RDF>")
	p.line(0, "</x:xmpmeta>")
	p.line(0, `<?xpacket end="w"?>`)
	if p.Len() > maxXMP {
		return nil, fmt.Errorf("exif: sidecar of %d bytes: %w", p.Len(), errTooLarge)
	}
	return p.Bytes(), nil
}

// areas checks the regions and turns them to the stored photo.
func (s Sidecar) areas() ([]Area, error) {
	if s.Orientation < 0 || s.Orientation > 8 {
		return nil, fmt.Errorf("exif: sidecar: orientation %d", s.Orientation)
	}
	if len(s.Regions) > 0 && (s.Width <= 0 || s.Height <= 0) || s.Width < 0 || s.Height < 0 {
		return nil, fmt.Errorf("exif: sidecar: size %d x %d", s.Width, s.Height)
	}
	if len(s.Regions) > maxRegions {
		return nil, fmt.Errorf("exif: sidecar: %d regions: %w", len(s.Regions), errTooLarge)
	}
	areas := make([]Area, 0, len(s.Regions))
	for i, r := range s.Regions {
		name, err := label(r.Name)
		if err != nil {
			return nil, fmt.Errorf("exif: sidecar: name of region %d: %w", i, err)
		}
		kind, err := label(r.Type)
		if err != nil {
			return nil, fmt.Errorf("exif: sidecar: type of region %d: %w", i, err)
		}
		b := rect{r.X, r.Y, r.X + r.W, r.Y + r.H}.clip()
		if b.x1-b.x0 < minSide || b.y1-b.y0 < minSide || b.empty() {
			return nil, fmt.Errorf("exif: sidecar: region %d: nothing of it is inside of the photo", i)
		}
		b = b.unturn(s.Orientation)
		areas = append(areas, Area{Name: name, Type: kind,
			X: (b.x0 + b.x1) / 2, Y: (b.y0 + b.y1) / 2, W: b.x1 - b.x0, H: b.y1 - b.y0})
	}
	return areas, nil
}

// minSide is the smallest side of a region that does not become 0 in writing.
const minSide = 1e-9

func (s Sidecar) writeRegions(p *packetWriter, areas []Area) {
	if len(areas) == 0 {
		return
	}
	p.line(3, `<mwg-rs:Regions rdf:parseType="Resource">`)
	p.line(4, `<mwg-rs:AppliedToDimensions rdf:parseType="Resource">`)
	p.element(5, "stDim:w", strconv.Itoa(s.Width))
	p.element(5, "stDim:h", strconv.Itoa(s.Height))
	p.element(5, "stDim:unit", "pixel")
	p.line(4, `</mwg-rs:AppliedToDimensions>`)
	p.line(4, `<mwg-rs:RegionList>`)
	p.line(5, `<rdf:Bag>`)
	for _, a := range areas {
		p.line(6, `<rdf:li rdf:parseType="Resource">`)
		if a.Name != "" {
			p.element(7, "mwg-rs:Name", a.Name)
		}
		if a.Type != "" {
			p.element(7, "mwg-rs:Type", a.Type)
		}
		p.line(7, `<mwg-rs:Area rdf:parseType="Resource">`)
		p.element(8, "stArea:x", decimals(a.X, 9))
		p.element(8, "stArea:y", decimals(a.Y, 9))
		p.element(8, "stArea:w", decimals(a.W, 9))
		p.element(8, "stArea:h", decimals(a.H, 9))
		p.element(8, "stArea:unit", "normalized")
		p.line(7, `</mwg-rs:Area>`)
		p.line(6, `</rdf:li>`)
	}
	p.line(5, `</rdf:Bag>`)
	p.line(4, `</mwg-rs:RegionList>`)
	p.line(3, `</mwg-rs:Regions>`)
}

func (s Sidecar) writeNames(p *packetWriter, areas []Area) {
	var people, all []string
	for _, a := range areas {
		if a.Name == "" {
			continue
		}
		all = append(all, a.Name)
		if isFace(a) {
			people = append(people, a.Name)
		}
	}
	p.bag(3, "Iptc4xmpExt:PersonInImage", people)
	p.bag(3, "dc:subject", all)
}

// writeTaken writes the time as a date of XMP (part 1, 8.2.1.2).
func (s Sidecar) writeTaken(p *packetWriter) error {
	if s.Taken == nil || s.Taken.IsZero() {
		return nil
	}
	if y := s.Taken.Wall.Year(); y < minYear || y > maxYear || s.Taken.Offset.Abs() > maxOffset {
		return fmt.Errorf("exif: sidecar: time %v, zone %v", s.Taken.Wall, s.Taken.Offset)
	}
	text := s.Taken.Wall.Format("2006-01-02T15:04:05.999999999")
	switch s.Taken.Zone {
	case ZoneUTC:
		text += "Z"
	case ZoneOffset, ZoneGPS, ZonePosition, ZoneSaid:
		minutes := int(math.Round(s.Taken.Offset.Minutes())) // a zone of XMP has no seconds
		text += time.Time{}.In(time.FixedZone("", 60*minutes)).Format("-07:00")
	}
	p.element(3, "exif:DateTimeOriginal", text)
	p.element(3, "photoshop:DateCreated", text)
	return nil
}

// writeGPS writes the position (XMP part 2, exif:GPSCoordinate).
func (s Sidecar) writeGPS(p *packetWriter) error {
	if s.GPS == nil {
		return nil
	}
	if g, err := newGPS(s.GPS.Lat, s.GPS.Lon); err != nil {
		return fmt.Errorf("exif: sidecar: %w", err)
	} else if g == nil {
		return errors.New("exif: sidecar: position 0, 0 says that there is none")
	}
	p.element(3, "exif:GPSLatitude", xmpDegrees(s.GPS.Lat, "N", "S"))
	p.element(3, "exif:GPSLongitude", xmpDegrees(s.GPS.Lon, "E", "W"))
	if alt := s.GPS.Alt; alt != nil {
		if !plausibleAltitude(*alt) {
			return fmt.Errorf("exif: sidecar: altitude %g m", *alt)
		}
		below := "0"
		if *alt < 0 {
			below = "1"
		}
		p.element(3, "exif:GPSAltitude", thousandths(math.Abs(*alt)))
		p.element(3, "exif:GPSAltitudeRef", below)
	}
	return s.writeQuality(p)
}

// writeQuality writes how good the position is.
func (s Sidecar) writeQuality(p *packetWriter) error {
	if m := s.GPS.Accuracy; m != 0 {
		if plausibleAccuracy(m) != m {
			return fmt.Errorf("exif: sidecar: accuracy %g m", m)
		}
		p.element(3, "exif:GPSHPositioningError", thousandths(m))
	}
	if datum := s.GPS.Datum; datum != "" {
		if datum != cleanName(datum) || len(datum) > maxXMPValue {
			return fmt.Errorf("exif: sidecar: datum %.40q", datum)
		}
		p.element(3, "exif:GPSMapDatum", datum)
	}
	if s.GPS.Stale {
		p.element(3, "exif:GPSStatus", "V")
	}
	return nil
}

// thousandths writes a fraction of metres.
func thousandths(m float64) string { return decimals(math.Round(m*1000), 0) + "/1000" }

// xmpDegrees writes "DDD,MM.mmmmmmmk": seven decimals of a minute are 0.2 mm.
func xmpDegrees(d float64, plus, minus string) string {
	const unit = 1e7
	letter := plus
	if d < 0 {
		letter = minus
	}
	n := int64(math.Round(math.Abs(d) * 60 * unit)) // whole, so that no minute is rounded up to 60
	return fmt.Sprintf("%d,%.7f%s", n/(60*unit), float64(n%(60*unit))/unit, letter)
}

// decimals writes a number with at most n decimals.
func decimals(v float64, n int) string {
	s := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// packetWriter writes lines of XML.
type packetWriter struct{ bytes.Buffer }

func (p *packetWriter) text(depth int, s string) { p.WriteString(strings.Repeat(" ", depth) + s) }

func (p *packetWriter) line(depth int, s string) { p.text(depth, s+"\n") }

// element writes a property with a text, which it escapes.
func (p *packetWriter) element(depth int, name, value string) {
	p.text(depth, "<"+name+">")
	_ = xml.EscapeText(p, []byte(value)) // a bytes.Buffer takes everything
	p.line(0, "</"+name+">")
}

// bag writes values, each once and sorted, as an unordered array.
func (p *packetWriter) bag(depth int, name string, values []string) {
	if len(values) == 0 {
		return
	}
	slices.Sort(values)
	p.line(depth, "<"+name+">")
	p.line(depth+1, "<rdf:Bag>")
	for _, v := range slices.Compact(values) {
		p.element(depth+2, "rdf:li", v)
	}
	p.line(depth+1, "</rdf:Bag>")
	p.line(depth, "</"+name+">")
}
