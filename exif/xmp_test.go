package exif

import (
	"maps"
	"strings"
	"testing"
)

func TestXMPProperties(t *testing.T) {
	const created = "2020-02-03T04:05:06Z"
	cut, _, _ := strings.Cut(packet(`tiff:Make="K"`, "<xmp:CreateDate>20</xmp:CreateDate>"), "</xmp")
	for _, c := range []struct {
		name, packet string
		want         map[string]string
		fault        string
	}{
		{"attribute", packet(`xmp:CreateDate="`+created+`"`, ""), map[string]string{"xmp:CreateDate": created}, ""},
		{"element", packet("", "<xmp:CreateDate> "+created+"\n</xmp:CreateDate>"), map[string]string{"xmp:CreateDate": created}, ""},
		{"first counts", packet(`xmp:CreateDate="`+created+`"`, "<xmp:CreateDate>x</xmp:CreateDate>"), map[string]string{"xmp:CreateDate": created}, ""},
		{"other prefix", strings.NewReplacer("xmlns:tiff", "xmlns:t", "T:", "t:").Replace(packet(`T:Make="K"`, "")), map[string]string{"tiff:Make": "K"}, ""},
		{"other namespace", packet(`xmlns:no="http://example.com/" no:CreateDate="`+created+`"`, ""), nil, ""},
		{"of another resource", packet("", `<tiff:Artist><rdf:Description tiff:Model="K"><tiff:Make>K</tiff:Make></rdf:Description></tiff:Artist>
			<exif:Flash rdf:parseType="Resource"><tiff:Model>K</tiff:Model></exif:Flash>`), nil, ""},
		{"not in RDF", `<a xmlns:tiff="` + nsTIFF + `"><tiff:Make>K</tiff:Make></a>`, nil, ""},
		{"five entities", packet(`tiff:Make="K&amp;&#65;"`, ""), map[string]string{"tiff:Make": "K&A"}, ""},
		{"padding", packet(`tiff:Make="K"`, "") + strings.Repeat(" \x00", 50), map[string]string{"tiff:Make": "K"}, ""},
		{"too long", packet(`tiff:Make="K" tiff:Model="`+strings.Repeat("x", maxXMPValue+1)+`"`, ""), map[string]string{"tiff:Make": "K"}, ""},
		{"empty", "", nil, ""},
		{"cut", cut, map[string]string{"tiff:Make": "K"}, "EOF"},
		{"other entities", `<!DOCTYPE x [<!ENTITY a "b">]>` + packet(`tiff:Make="&a;"`, ""), nil, "document type"},
		{"unknown entity", packet("", "<tiff:Make>&a;</tiff:Make>"), nil, "entity"},
		{"not UTF-8", `<?xml version="1.0" encoding="utf-16"?>` + packet("", ""), nil, "encoding"},
		{"deep", packet("", strings.Repeat("<a>", maxXMPDepth)), nil, "nested"},
		{"large", strings.Repeat(" ", maxXMP+1), nil, "limit"},
		{"tags do not match", packet(`tiff:Make="K"`, "<a></b>"), map[string]string{"tiff:Make": "K"}, "closed by"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := xmpProperties([]byte(c.packet))
			if !maps.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

// TestXMPFaults: a broken property is named, and the others are read.
func TestXMPFaults(t *testing.T) {
	for _, c := range []struct{ attrs, fault string }{
		{`tiff:Orientation="9"`, "XMP tiff:Orientation"},
		{`tiff:Orientation="top"`, "XMP tiff:Orientation"},
		{`xmp:CreateDate="yesterday 1"`, "XMP xmp:CreateDate"},
		{`exif:GPSLatitude="91,0.0N" exif:GPSLongitude="1,0.0E"`, "XMP exif:GPSLatitude"},
		{`exif:GPSLatitude="1,0.0N" exif:GPSLongitude="east"`, "XMP exif:GPSLatitude"},
		{`exif:GPSLatitude="0,0.0N" exif:GPSLongitude="0,0.0E"`, ""},
		{`exif:GPSLatitude="1,0.0N"`, ""},
		{`photoshop:DateCreated="2020-02-03"`, ""},
	} {
		m, err := Decode(jpegFile(xmpSegment(packet(`tiff:Make="K" `+c.attrs, ""))))
		if m != (Meta{Camera: Camera{Make: "K"}}) {
			t.Errorf("%s: %+v", c.attrs, m)
		}
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: error %v, want %q", c.attrs, err, c.fault)
		}
	}
}

func TestParseXMPAltitude(t *testing.T) {
	for in, want := range map[[2]string]float64{
		{"2398/10", "0"}: 239.8, {"2398/10", "1"}: -239.8, {"12.5", ""}: 12.5, {"5/1", "3"}: -5, {" 7 ", "2"}: 7,
	} {
		if got, ok := parseXMPAltitude(in[0], in[1]); !ok || got != want {
			t.Errorf("%q: %v, %v; want %v", in, got, ok, want)
		}
	}
	for _, in := range [][2]string{{"", "0"}, {"1/0", "0"}, {"1/", "0"}, {"/1", "0"}, {"x", "0"}, {"1", "9"}, {"99999999", ""}, {"-1", ""}} {
		if got, ok := parseXMPAltitude(in[0], in[1]); ok {
			t.Errorf("%q: %v, want none", in, got)
		}
	}
}
