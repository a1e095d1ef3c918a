package exif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const regionSpaces = `xmlns:mwg-rs="` + nsMWGRegions + `" xmlns:stArea="` + nsArea + `" xmlns:stDim="` + nsDimensions +
	`" xmlns:MP="` + nsMP + `" xmlns:MPRI="` + nsMPRI + `" xmlns:MPReg="` + nsMPReg + `" `

// mwgPacket is a packet with MWG regions, the entries of whose list are given,
// that were drawn on 4000 x 3000 pixels.
func mwgPacket(entries string) string {
	return packet(regionSpaces, `<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="4000" stDim:h="3000" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag>`+entries+`</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>`)
}

// entry is one entry of such a list, with the attributes of its area.
func regionEntry(name, area string) string {
	return `<rdf:li><rdf:Description mwg-rs:Name="` + name + `" mwg-rs:Type="Face"><mwg-rs:Area ` + area + `/></rdf:Description></rdf:li>`
}

const goodArea = `stArea:x="0.2" stArea:y="0.4" stArea:w="0.1" stArea:h="0.3"`

var goodFace = Area{Name: "Anna", Type: "Face", X: 0.2, Y: 0.4, W: 0.1, H: 0.3}

// TestReadRegions: regions are found in every container that holds XMP.
func TestReadRegions(t *testing.T) {
	x := mwgPacket(regionEntry("Anna", goodArea))
	tiff := newBlock(le).raw(dirMain, tagXMP, typeByte, uint32(len(x)), []byte(x)).bytes()
	for name, data := range map[string][]byte{
		"jpeg":                   jpegFile(exifSegment(fullBlock(be, 6).bytes()), xmpSegment(x)),
		"png":                    pngFile(chunk("zTXt", "XML:com.adobe.xmp\x00\x00"+deflate(x))),
		"png, hex":               pngFile(chunk("tEXt", "Raw profile type xmp\x00"+rawProfile("xmp", []byte(x)))),
		"webp":                   webpFile(riffChunk("XMP ", x)),
		"tiff":                   tiff,
		"full tiff":              fullBlock(le, 6).raw(dirMain, tagXMP, typeByte, uint32(len(x)), []byte(x)).bytes(),
		"jpeg with a TIFF block": jpegFile(exifSegment(tiff)),
		"raf":                    rafFile(jpegFile(xmpSegment(x))),
		"cr3":                    cr3File(splitBlock(fullBlock(le, 6).bytes()), x),
		"rw2":                    rw2Block(newBlock(le), jpegFile(xmpSegment(x))).bytes(),
		"heif":                   heifFile(1, heifItem{kind: "mime", contentType: "application/rdf+xml", data: []byte(x), parts: 2}),
		"jpeg, second packet": jpegFile(xmpSegment(packet(`tiff:Make="K"`, "")), xmpSegment(x),
			xmpSegment(mwgPacket(regionEntry("left over", goodArea)))),
	} {
		r, err := ReadRegions(data)
		if err != nil || !sameAreas(r.Areas, []Area{goodFace}) || r.Width != 4000 || r.Height != 3000 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, data := range map[string][]byte{"none": nil, "text": []byte("no photo"), "jpeg": jpegFile(), "no regions": jpegFile(xmpSegment(packet("", "")))} {
		if r, err := ReadRegions(data); err != nil || len(r.Areas) != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	var fault *Error
	if _, err := ReadRegions(jpegFile(xmpSegment("<a>"))); !errors.As(err, &fault) || fault.Container != "jpeg" || fault.Part != "XMP" {
		t.Errorf("a broken packet: %v", err)
	}
}

// TestBrokenRegions: what is broken is left out and named, the face beside it is
// read.
func TestBrokenRegions(t *testing.T) {
	good := regionEntry("Anna", goodArea)
	cut, _, _ := strings.Cut(mwgPacket(good), "</rdf:Bag>")
	const list = "XMP mwg-rs:RegionList 2"
	for _, c := range []struct{ name, packet, fault string }{
		{"no area", mwgPacket(good + `<rdf:li/>`), list + ": no area"},
		{"no x", mwgPacket(good + regionEntry("", `stArea:y="1"`)), list + ": no x"},
		{"no y", mwgPacket(good + regionEntry("", `stArea:x="1"`)), list + ": no y"},
		{"text", mwgPacket(good + regionEntry("", `stArea:x="left" stArea:y="1"`)), list + ": x: number"},
		{"decimal comma", mwgPacket(good + regionEntry("", `stArea:x="0,5" stArea:y="1"`)), list + ": x: number"},
		{"NaN", mwgPacket(good + regionEntry("", `stArea:x="NaN" stArea:y="1"`)), list + ": x: number"},
		{"infinite", mwgPacket(good + regionEntry("", `stArea:x="1e999" stArea:y="1"`)), list + ": x: number"},
		{"hexadecimal", mwgPacket(good + regionEntry("", `stArea:x="0x1p-1" stArea:y="1"`)), list + ": x: number"},
		{"long number", mwgPacket(good + regionEntry("", `stArea:x="0.`+strings.Repeat("1", 99)+`" stArea:y="1"`)), list + ": x: number"},
		{"negative width", mwgPacket(good + regionEntry("", `stArea:x="1" stArea:y="1" stArea:w="-0.1"`)), list + ": w -0.1"},
		{"inches", mwgPacket(good + regionEntry("", goodArea+` stArea:unit="inch"`)), list + `: unit "inch"`},
		{"long name", mwgPacket(good + regionEntry(strings.Repeat("x", maxXMPValue+1), goodArea)), list + ": name"},
		{"pixels of nothing", packet(regionSpaces, `<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag>`+good+
			regionEntry("", goodArea+` stArea:unit="pixel"`)+`</rdf:Bag></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>`), list + ": pixels"},
		{"dimensions", strings.Replace(mwgPacket(good), "4000", "wide", 1), "XMP mwg-rs:AppliedToDimensions: w: number"},
		{"cut", cut, "XMP: XML syntax error"},
		{"tags do not match", strings.Replace(mwgPacket(good), "</rdf:Bag>", "</rdf:Seq>", 1), "closed by"},
		{"unknown entity", strings.Replace(mwgPacket(good), "</rdf:Bag>", "&b;</rdf:Bag>", 1), "entity"},
		{"deep", mwgPacket(good + strings.Repeat("<a>", maxXMPDepth)), "nested"},
		{"many elements", mwgPacket(good + strings.Repeat("<a/>", maxRegionNodes)), "elements"},
		{"Microsoft's, three numbers", packet(regionSpaces, microsoft(`<rdf:li MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.15, 0.25, 0.1, 0.3"/>
			<rdf:li MPReg:Rectangle="0.1, 0.2, 0.3"/>`)), "XMP MPRI:Regions 2: rectangle"},
		{"Microsoft's, negative", packet(regionSpaces, microsoft(`<rdf:li MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.15, 0.25, 0.1, 0.3"/>
			<rdf:li MPReg:Rectangle="0.1, 0.2, 0.3, -1"/>`)), "XMP MPRI:Regions 2: rectangle"},
		{"Microsoft's, text", packet(regionSpaces, microsoft(`<rdf:li MPReg:PersonDisplayName="Anna" MPReg:Rectangle="0.15, 0.25, 0.1, 0.3"/>
			<rdf:li MPReg:Rectangle="left"/>`)), "XMP MPRI:Regions 2: rectangle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := ParseRegions([]byte(c.packet))
			if !sameAreas(r.Areas, []Area{goodFace}) {
				t.Errorf("areas %+v", r.Areas)
			}
			var fault *Error
			if !errors.As(err, &fault) || fault.Container != "xmp" || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
		})
	}
}

func microsoft(entries string) string {
	return `<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>` + entries + `</rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>`
}

// TestRefusedPackets: tricks with entities, and too much, give an error and no
// regions, or the first ones.
func TestRefusedPackets(t *testing.T) {
	var lol strings.Builder
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&lol, `<!ENTITY lol%d "%s">`, i, strings.Repeat(fmt.Sprintf("&lol%d;", i-1), 10))
	}
	for _, c := range []struct {
		name, packet, fault string
		regions             int
	}{
		{"billion laughs", `<!DOCTYPE x [<!ENTITY lol0 "lol">` + lol.String() + `]>` + mwgPacket(regionEntry("&lol9;", goodArea)), "document type", 0},
		{"outer entity", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + mwgPacket(regionEntry("&e;", goodArea)), "document type", 0},
		{"entity without a declaration", mwgPacket(regionEntry("&lol9;", goodArea)), "entity", 0},
		{"large", mwgPacket(regionEntry("Anna", goodArea)) + strings.Repeat(" ", maxXMP), "limit", 0},
		{"many", mwgPacket(strings.Repeat(regionEntry("Anna", goodArea), maxRegions+1)), "more than 1000 regions", maxRegions},
		{"as many as may be", mwgPacket(strings.Repeat(regionEntry("Anna", goodArea), maxRegions)), "", maxRegions},
		{"many of both kinds", strings.Replace(mwgPacket(strings.ReplaceAll(strings.Repeat(regionEntry("Rex", goodArea), maxRegions), "Face", "Pet")),
			"</rdf:Description>\n</rdf:RDF>", microsoft(`<rdf:li MPReg:Rectangle="0,0,1,1"/>`)+"</rdf:Description></rdf:RDF>", 1), "more than 1000 regions", maxRegions},
		{"all broken", mwgPacket(strings.Repeat("<rdf:li/>", maxRegions)), "no area", 0},
		{"empty", "", "", 0},
		{"no XML", "no XML", "", 0},
		{"a byte order mark", "\ufeff" + mwgPacket(regionEntry("Anna", goodArea)), "", 1},
	} {
		r, err := ParseRegions([]byte(c.packet))
		if len(r.Areas) != c.regions || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %d regions, %v; want %d, %q", c.name, len(r.Areas), err, c.regions, c.fault)
		}
		if err != nil && strings.Count(err.Error(), "\n") >= maxFaults {
			t.Errorf("%s: %d faults", c.name, strings.Count(err.Error(), "\n")+1)
		}
	}
}

// TestRegionKinds: which of two kinds of regions count, and names.
func TestRegionKinds(t *testing.T) {
	const person = `<rdf:li MPReg:PersonDisplayName="Zoe" MPReg:Rectangle="0.5, 0.5, 0.2, 0.2"/>`
	zoe := Area{Name: "Zoe", Type: "Face", X: 0.6, Y: 0.6, W: 0.2, H: 0.2}
	pet := strings.Replace(regionEntry("Rex", goodArea), "Face", "Pet", 1)
	rex := goodFace
	rex.Name, rex.Type = "Rex", "Pet"
	spaced, untyped := goodFace, goodFace
	spaced.Name, untyped.Type = "A B", ""
	for _, c := range []struct {
		name, packet string
		want         []Area
	}{
		{"both", strings.Replace(mwgPacket(regionEntry("Anna", goodArea)), "</rdf:Description>\n</rdf:RDF>", microsoft(person)+"</rdf:Description></rdf:RDF>", 1), []Area{goodFace}},
		{"a pet and a person", strings.Replace(mwgPacket(pet), "</rdf:Description>\n</rdf:RDF>", microsoft(person)+"</rdf:Description></rdf:RDF>", 1), []Area{rex, zoe}},
		{"person without a face", packet(regionSpaces, microsoft(`<rdf:li MPReg:PersonDisplayName="Z"/><rdf:li MPReg:Rectangle="0,0,0,0"/>`+person)), []Area{zoe}},
		{"spaces", mwgPacket(regionEntry(" &#x9;A&#xA;B&#x85; ", goodArea)), []Area{spaced}},
		{"pixels", mwgPacket(regionEntry("Anna", `stArea:x="800" stArea:y="1200" stArea:w="400" stArea:h="900" stArea:unit="pixel"`)), []Area{goodFace}},
		{"a circle of pixels", mwgPacket(regionEntry("Anna", `stArea:x="800" stArea:y="1200" stArea:d="300" stArea:unit="pixel"`)), []Area{{Name: "Anna", Type: "Face", X: 0.2, Y: 0.4, D: 0.1}}},
		{"no type", strings.Replace(mwgPacket(regionEntry("Anna", goodArea)), `mwg-rs:Type="Face"`, "", 1), []Area{untyped}},
		{"a name with a language", mwgPacket(`<rdf:li rdf:parseType="Resource"><mwg-rs:Name rdf:parseType="Resource"><rdf:value>Anna</rdf:value></mwg-rs:Name>
			<mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Area ` + goodArea + `/></rdf:li>`), []Area{goodFace}},
		{"list without a bag", strings.NewReplacer("<rdf:Bag>", "", "</rdf:Bag>", "").Replace(mwgPacket(regionEntry("Anna", goodArea))), []Area{goodFace}},
		{"of another resource", packet(regionSpaces, `<exif:Flash rdf:parseType="Resource">`+microsoft(person)+`</exif:Flash>`), nil},
		{"the first list counts", strings.Replace(mwgPacket(regionEntry("Anna", goodArea)), "</mwg-rs:Regions>",
			"</mwg-rs:Regions><mwg-rs:Regions><rdf:Description/></mwg-rs:Regions>", 1), []Area{goodFace}},
	} {
		r, err := ParseRegions([]byte(c.packet))
		if err != nil || !sameAreas(r.Areas, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, r.Areas, err, c.want)
		}
	}
}

// TestUprightRules: which frame the numbers are taken to be in. The face is in
// the upper left part of what the rule calls the frame.
func TestUprightRules(t *testing.T) {
	areas := []Area{{X: 0.2, Y: 0.3, W: 0.1, H: 0.2}}
	asIs := Region{X: 0.15, Y: 0.2, W: 0.1, H: 0.2}
	by := map[int]Region{1: asIs,
		2: {X: 0.75, Y: 0.2, W: 0.1, H: 0.2}, 3: {X: 0.75, Y: 0.6, W: 0.1, H: 0.2}, 4: {X: 0.15, Y: 0.6, W: 0.1, H: 0.2},
		5: {X: 0.2, Y: 0.15, W: 0.2, H: 0.1}, 6: {X: 0.6, Y: 0.15, W: 0.2, H: 0.1},
		7: {X: 0.6, Y: 0.75, W: 0.2, H: 0.1}, 8: {X: 0.2, Y: 0.75, W: 0.2, H: 0.1}}
	for _, c := range []struct {
		name              string
		r                 Regions
		orientation, w, h int
		want              Region
		fits              bool
	}{
		{"no dimensions", Regions{}, 6, 4000, 3000, by[6], true},
		{"no size", Regions{Width: 3, Height: 4}, 6, 0, 0, by[6], false},
		{"orientation 0", Regions{Width: 4000, Height: 3000}, 0, 4000, 3000, by[1], true},
		{"orientation 9", Regions{Width: 4000, Height: 3000}, 9, 4000, 3000, by[1], true},
		{"stored", Regions{Width: 4000, Height: 3000}, 6, 4000, 3000, by[6], true},
		{"stored, made smaller", Regions{Width: 4000, Height: 3000}, 8, 161, 120, by[8], true},
		{"upright", Regions{Width: 3000, Height: 4000}, 6, 4000, 3000, asIs, true},
		{"upright, orientation 5", Regions{Width: 3000, Height: 4000}, 5, 4000, 3000, asIs, true},
		{"square", Regions{Width: 3000, Height: 3000}, 7, 3000, 3000, by[7], true},
		{"nearly square", Regions{Width: 3000, Height: 3010}, 7, 3010, 3000, by[7], true},
		{"turned by 180 degrees", Regions{Width: 4000, Height: 3000}, 3, 4000, 3000, by[3], true},
		{"cropped", Regions{Width: 4000, Height: 2000}, 6, 4000, 3000, by[6], false},
		{"pixels turned since", Regions{Width: 4000, Height: 3000}, 1, 3000, 4000, by[1], false},
		{"heif", Regions{Width: 4000, Height: 3000, Turn: 6}, 1, 3000, 4000, by[6], true},
		{"heif, upright", Regions{Width: 3000, Height: 4000, Turn: 6}, 1, 3000, 4000, asIs, true},
		{"heif, no dimensions", Regions{Turn: 6}, 1, 3000, 4000, by[6], true},
		{"heif by 180 degrees", Regions{Width: 4000, Height: 3000, Turn: 3}, 1, 4000, 3000, by[3], true},
		{"heif, written by who saw it upright", Regions{Width: 4000, Height: 3000, Turn: 3, Orientation: 1}, 1, 4000, 3000, asIs, true},
		{"heif, so it says", Regions{Width: 4000, Height: 3000, Turn: 6, Orientation: 1}, 1, 3000, 4000, by[6], true},
		{"heif, cropped", Regions{Width: 4000, Height: 2000, Turn: 6}, 0, 3000, 4000, by[6], false},
		{"a JPEG's own orientation in XMP is no matter", Regions{Orientation: 1}, 6, 4000, 3000, by[6], true},
	} {
		c.r.Areas = areas
		got := c.r.Upright(c.orientation, c.w, c.h)
		if len(got) != 1 || !near(1e-12, got[0].X, c.want.X, got[0].Y, c.want.Y, got[0].W, c.want.W, got[0].H, c.want.H) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if got := c.r.Fits(c.orientation, c.w, c.h); got != c.fits && c.w > 0 {
			t.Errorf("%s: fits is %v", c.name, got)
		}
	}
	for o, want := range by { // all eight by the rule, and back
		b := rect{asIs.X, asIs.Y, asIs.X + asIs.W, asIs.Y + asIs.H}
		if got := b.turn(o); !near(1e-12, got.x0, want.X, got.y0, want.Y, got.x1, want.X+want.W, got.y1, want.Y+want.H) {
			t.Errorf("orientation %d: %+v, want %+v", o, got, want)
		}
		if got := b.turn(o).unturn(o); !near(1e-12, got.x0, b.x0, got.y0, b.y0, got.x1, b.x1, got.y1, b.y1) {
			t.Errorf("orientation %d and back: %+v, want %+v", o, got, b)
		}
	}
}

// TestUprightClips: areas end at the photo's edge; what is outside or has no
// extent is no region.
func TestUprightClips(t *testing.T) {
	r := Regions{Areas: []Area{
		{Name: "corner", X: 0, Y: 1, W: 0.5, H: 0.5}, {Name: "outside", X: 1.5, Y: 0.5, W: 0.5, H: 0.5},
		{Name: "point", X: 0.5, Y: 0.5}, {Name: "line", X: 0.5, Y: 0.5, W: 0.5}, {Name: "huge", X: 0.5, Y: 0.5, W: 1e308, H: 1e308},
		{Name: "circle", X: 0.5, Y: 0.5, D: 0.5}, {Name: "far", X: 1e308, Y: -1e308, W: 1.7e308, H: 1.7e308},
	}}
	got := r.Upright(1, 200, 100)
	want := []Region{{"corner", "", 0, 0.75, 0.25, 0.25}, {"huge", "", 0, 0, 1, 1}, {"circle", "", 0.375, 0.25, 0.25, 0.5}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := r.Upright(1, 0, 0); len(got) != 2 { // a circle of an unknown size
		t.Errorf("got %v", got)
	}
}

// TestHEIFTurn composes the properties of the primary item in their order.
func TestHEIFTurn(t *testing.T) {
	irot := func(angle byte) []byte { return box("irot", []byte{angle}) }
	imir := func(axis byte) []byte { return box("imir", []byte{axis}) }
	ispe := box("ispe", make([]byte, 12))
	x := mwgPacket(regionEntry("Anna", goodArea))
	for _, c := range []struct {
		name       string
		properties [][]byte
		want       int
	}{
		{"none", nil, 1}, {"size only", [][]byte{ispe}, 1}, {"no angle", [][]byte{box("irot")}, 1},
		{"0", [][]byte{ispe, irot(0)}, 1}, {"90", [][]byte{ispe, irot(1)}, 8}, {"180", [][]byte{ispe, irot(2)}, 3}, {"270", [][]byte{irot(3), ispe}, 6},
		{"top and bottom", [][]byte{imir(0)}, 4}, {"left and right", [][]byte{imir(1)}, 2},
		// The first row goes from the top to the left by 90 degrees, and from
		// there to the right; the first column from the left to the bottom.
		{"90, left and right", [][]byte{irot(1), imir(1)}, 7}, {"90, top and bottom", [][]byte{irot(1), imir(0)}, 5},
		{"left and right, 90", [][]byte{imir(1), irot(1)}, 5}, {"180, left and right", [][]byte{irot(2), imir(1)}, 4},
	} {
		for _, wide := range []bool{false, true} {
			r, err := ReadRegions(turnedHEIF(x, wide, c.properties...))
			if err != nil || r.Turn != c.want || !sameAreas(r.Areas, []Area{goodFace}) {
				t.Errorf("%s, wide %v: %+v, %v; want turn %d", c.name, wide, r, err, c.want)
			}
		}
	}
	whole := turnedHEIF(x, true, irot(1), imir(1))
	for n := range whole {
		if turn := heifTurn(whole[:n]); turn < 1 || turn > 8 {
			t.Fatalf("cut to %d bytes: turn %d", n, turn)
		}
	}
}

// turnedHEIF is a HEIF file whose primary item 9 has the properties, between
// those of others; wide has the larger fields of each box.
func turnedHEIF(xmp string, wide bool, properties ...[]byte) []byte {
	meta := heifMeta(1, 0, []heifItem{{kind: "mime", contentType: "application/rdf+xml", data: []byte(xmp), idat: true}})
	id := func(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
	pitm, ipma := []byte{0, 0, 0, 0}, []byte{0, 0, 0, 0}
	if wide {
		id = func(n uint16) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
		pitm[0], ipma[0], ipma[3] = 1, 1, 1
	}
	pitm = append(pitm, id(9)...)
	ipma = binary.BigEndian.AppendUint32(ipma, 2)
	for _, item := range []uint16{5, 9} {
		ipma = append(append(ipma, id(item)...), byte(len(properties)))
		for i := range properties {
			index := uint16(i + 1) // of item 5: a turn that must not count
			if item == 9 {
				index++
			}
			if wide {
				ipma = binary.BigEndian.AppendUint16(ipma, 0x8000|index)
			} else {
				ipma = append(ipma, 0x80|byte(index))
			}
		}
	}
	ipco := box("ipco", append([][]byte{box("irot", []byte{2})}, properties...)...)
	return append(box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")),
		box("meta", meta[8:], box("pitm", pitm), box("iprp", ipco, box("ipma", ipma)))...)
}

// TestExtendedXMP: what a packet has no room for stands in further segments.
func TestExtendedXMP(t *testing.T) {
	const id = "0123456789ABCDEF0123456789ABCDEF"
	x := mwgPacket(regionEntry("Anna", goodArea))
	part := func(id string, total, from, to int) []byte {
		head := binary.BigEndian.AppendUint32(nil, uint32(total))
		return segment(mAPP1, extendedXMPName+id+string(binary.BigEndian.AppendUint32(head, uint32(from)))+x[from:to])
	}
	first := xmpSegment(packet(`xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="`+id+`"`, ""))
	n := len(x)
	whole := [][]byte{first, part(id, n, 300, n), part(id, n, 0, 100), part(id, n, 100, 300)}
	for _, c := range []struct {
		name     string
		segments [][]byte
		want     int
		fault    string
	}{
		{"three parts", whole, 1, ""},
		{"before the packet", [][]byte{part(id, n, 0, n), first}, 1, ""},
		{"of another packet", [][]byte{first, part(strings.ToLower(id), n, 0, n)}, 0, ""},
		{"not needed", [][]byte{xmpSegment(mwgPacket(regionEntry("Anna", goodArea)) + id), part(id, n, 0, 100)}, 1, ""},
		{"without its start", whole[:2], 0, "0 bytes are followed by those from 300"},
		{"without its end", [][]byte{first, part(id, n, 0, 100)}, 0, "cut short"},
		{"a part twice", append([][]byte{part(id, n, 0, 100)}, whole...), 0, "100 bytes are followed by those from 0"},
		{"longer than it says", [][]byte{first, part(id, 100, 0, 200)}, 0, "limit"},
		{"large", [][]byte{first, part(id, maxXMP+1, 0, 100)}, 0, "limit"},
		{"no header", [][]byte{first, segment(mAPP1, extendedXMPName+id)}, 0, ""},
		{"two packets", [][]byte{xmpSegment(packet("", id+strings.Repeat("F", 32))), part(id, n, 0, n), part(strings.Repeat("F", 32), n, 0, n)}, 0, "two packets"},
	} {
		r, err := ReadRegions(jpegFile(c.segments...))
		if len(r.Areas) != c.want || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %+v, %v; want %d regions, %q", c.name, r.Areas, err, c.want, c.fault)
		}
	}
}
