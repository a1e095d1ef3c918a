package index_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
)

// schemaOf compiles the schema that comes with every export.
func schemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc := must1[any](t)(jsonschema.UnmarshalJSON(bytes.NewReader(index.ExportSchema())))
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	must(t, c.AddResource("export.schema.json", doc))
	return must1[*jsonschema.Schema](t)(c.Compile("export.schema.json"))
}

// shotWith is a JPEG that says with what it was taken.
func shotWith(maker, model string) []byte {
	at := uint32(8 + 2 + 2*12 + 4)
	b := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x02")
	for tag, s := range []string{maker, model} {
		b = append(b, 0x01, 0x0f+byte(tag), 0, 2)
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)+1))
		b = binary.BigEndian.AppendUint32(b, at)
		at += uint32(len(s) + 1)
	}
	b = append(b, "\x00\x00\x00\x00"+maker+"\x00"+model+"\x00"...)
	j := cmykJPEG()
	return slices.Concat(j[:2], []byte{0xff, 0xe1, 0, byte(2 + len(b))}, b, j[2:])
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	return s.Validate(must1[any](t)(jsonschema.UnmarshalJSON(bytes.NewReader(text))))
}

// fullExport is an export in which every field of the schema is there.
func fullExport(t *testing.T) []byte {
	t.Helper()
	src := crowd(60, 6)
	src.put("t1.jpg", stamped("2023:07:14 18:30:05", "+05:30"))
	src.put("t2.jpg", stamped("2023:07:14 18:30:05", ""))
	src.put("t3.jpg", stamped("2023:99:99 18:30:05", ""))
	src.put("t4.jpg", shotWith("Canon", "EOS R5"))
	for name, s := range richLife(1) {
		s.people = []int{3} // in moments there are people
		src.put("when/"+name, s.file(name))
	}
	acc := chronicledBy(t, plugged(index.Config{AccountID: "anna's", Zone: mustZone("Europe/Helsinki")}), src)
	sayWhen(t, acc, "when/")
	named(t, acc, personOf(t, acc, "c/alone.jpg", 0), "Bertram")
	ctx := t.Context()
	alt := 12.5
	photo := photoOf(t, acc, "00/005.jpg")
	must1[index.DecisionID](t)(acc.CorrectPlace(ctx, photo.ID, &exif.GPS{Lat: 47.5, Lon: -8.25, Alt: &alt}))
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photo.ID, exif.Time{Wall: start, Offset: -time.Hour, Zone: exif.ZoneGPS}))
	must1[index.DecisionID](t)(acc.CorrectTime(ctx, photoOf(t, acc, "t1.jpg").ID, exif.Time{}))
	must(t, acc.SetRetention(ctx, index.Retention{index.ClassVanished: 24 * time.Hour}))
	_, _, err := acc.InviteFriend(ctx, "Maija")
	must(t, err)
	src.remove("01/001.jpg")
	_, _ = reindexFailing(t, acc, src, index.ReindexOptions{})
	return exportText(t, acc, index.ExportOptions{Embeddings: true})
}

func TestExportSchema(t *testing.T) {
	s := schemaOf(t)
	full := fullExport(t)
	if err := validate(t, s, full); err != nil {
		t.Error(err)
	}

	empty := newAccount(t, index.Config{})
	must(t, validate(t, s, exportText(t, empty, index.ExportOptions{Embeddings: true})))
	src := crowd(20, 3)
	src.put("bad.jpg", []byte("no photo"))
	src.put("unreadable.jpg", nil)
	src.set("unreadable.jpg", file{data: []byte("x"), err: errPipe, at: time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC)})
	_, _ = reindexFailing(t, empty, src, index.ReindexOptions{})
	must(t, validate(t, s, exportText(t, empty, index.ExportOptions{})))

	// Every word of the schema about members is in the full export, so that
	// none is there that no export was ever held against.
	for _, name := range members(t, index.ExportSchema()) {
		if !bytes.Contains(full, fmt.Appendf(nil, "%q:", name)) {
			t.Errorf("no export with the member %q was tried", name)
		}
	}
}

// members lists what the schema calls members of the export's own objects.
func members(t *testing.T, schema []byte) (names []string) {
	t.Helper()
	// Never in one export with the others: a file deleted on purpose, two
	// spaces, a person's own consent, what was decided about a day with a
	// friend (see TestNearby).
	rare := map[string]bool{"disposed": true, "embedding_space": true, "choices": true, "by_rule": true, "accepted": true, "day": true}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, sub := range v {
				if p, ok := sub.(map[string]any); ok && k == "properties" {
					for name, of := range p {
						if of != false && !rare[name] {
							names = append(names, name)
						}
					}
				}
				walk(sub)
			}
		case []any:
			for _, sub := range v {
				walk(sub)
			}
		}
	}
	var doc any
	must(t, json.Unmarshal(schema, &doc))
	walk(doc)
	if len(names) < 50 {
		t.Fatalf("only %d members", len(names))
	}
	return names
}

// What is damaged is told by the schema and by Import alike.
func TestExportSchemaRefuses(t *testing.T) {
	alone(t)
	s := schemaOf(t)
	text := string(fullExport(t))
	for _, c := range []struct{ what, old, new string }{
		{"another format", `"kith-export"`, `"other-export"`},
		{"another version", `"version":1`, `"version":2`},
		{"no photos", `"photos":[`, `"fotos":[`},
		{"an unknown status", `"status":"failed"`, `"status":"gone"`},
		{"a short hash", `"sha256":"`, `"sha256":"0`},
		{"a path out of the library", `"path":"00/000.jpg"`, `"path":""`},
		{"an id with a slash", `"photo":"`, `"photo":"../`},
		{"a box of negative width", `"w":80`, `"w":-80`},
		{"four landmarks", `"landmarks":[[`, `"landmarks":[],"gone":[[`},
		{"a text for a number", `"score":0.9`, `"score":"0.9"`},
		{"a reason without a person", `"person":null`, `"person":null,"by":"group"`},
		{"an unknown reason", `"by":"group"`, `"by":"guess"`},
		{"an unknown kind", `"kind":"split"`, `"kind":"explode"`},
		{"a place in the ledger below one", `"seq":1,"kind"`, `"seq":0,"kind"`},
		{"a revocation without its place", `"revoked_after":`, `"revoked_behind":`},
		{"a broken time", `"created":"2`, `"created":"x2`},
		{"an embedding of nothing", `"embedding":[`, `"embedding":[],"was":[`},
		{"a latitude beyond the pole", `"lat":47.5`, `"lat":147.5`},
		{"a zone that is none", `"zone_source":"gps"`, `"zone_source":"none"`},
	} {
		t.Run(c.what, func(t *testing.T) {
			if !strings.Contains(text, c.old) {
				t.Fatalf("the export has no %s", c.old)
			}
			bad := []byte(strings.Replace(text, c.old, c.new, 1))
			if validate(t, s, bad) == nil {
				t.Error("the schema takes it")
			}
			acc := newAccount(t, index.Config{})
			_, err := acc.Import(t.Context(), fsOf(bad), index.ImportOptions{})
			wantBad(t, acc, c.what, err)
		})
	}
}
