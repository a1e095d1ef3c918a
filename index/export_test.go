package index_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/index"
)

// exported is the export as its readers know it: a field that is not listed
// here fails the test, so that none is added unnoticed.
type exported struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Account string `json:"account"`
	Space   string `json:"space"`
	// Settings by their keys.
	Settings map[string]string
	Spaces   []struct {
		Name      string
		Dim       int
		Impostors face.Impostors
	}
	Photos []struct {
		ID          index.PhotoID
		Path        string
		PathBytes   []byte `json:"path_base64"`
		SHA256      string
		Size        int64
		ModTime     time.Time `json:"mtime"`
		Analyzer    string
		Added       time.Time
		Width       int
		Height      int
		Orientation int
		Status      string
		Stage       string
		Error       string
		Warning     string
		Taken       *struct {
			Time   string
			Zone   string
			Source string `json:"zone_source"`
		}
		GPS *struct {
			Lat, Lon float64
			Alt      *float64
			Accuracy float64
			Datum    string
			Stale    bool
		}
		Original            *struct{ Taken, GPS any }
		Vanished, Disposed  *time.Time
		Camera, Make, Model string
		TakenFrom           string     `json:"taken_from"`
		GPSTime             *time.Time `json:"gps_time"`
		Burst, Video        string
		Serial              string
		When, Where         map[string]any
		Moment, Place       string
	}
	Places, Moments []map[string]any
	Faces           []struct {
		ID             index.FaceID
		Photo          index.PhotoID
		Box            struct{ X, Y, W, H float64 }
		Landmarks      [][2]float64
		Score, Quality float64
		Detector       string
		Person         *index.PersonID
		By             string
		Rejected       bool
		RejectedBy     string `json:"rejected_by"`
		Embedding      face.Vector
		Space          string `json:"embedding_space"`
	}
	People []struct {
		ID      index.PersonID
		Name    string
		Faces   int
		Cover   index.FaceID
		Chosen  bool `json:"cover_chosen"`
		Created time.Time
		Ignored bool
	}
	Decisions []struct {
		ID            string
		Kind          string
		At            time.Time
		Person, Other index.PersonID
		Name          string
		OldName       string `json:"old_name"`
		Faces, Others []struct {
			SHA256 string
			Box    struct{ X, Y, W, H float64 }
		}
		Before []struct {
			Person  *index.PersonID
			Created *time.Time
			Faces   []int
		}
		Revoked    *time.Time
		Correction *struct{ Taken, GPS any }
		Clock      map[string]any
		Seq        int64
		After      int64 `json:"revoked_after"`
	}
	Consent []struct {
		Given              bool
		At                 time.Time
		By, Version, Means string
		Purpose, Person    string
	}
	Friends []struct {
		ID, Label, State, Person string
		Made                     time.Time
		Rule                     map[string]bool
		Choices                  []struct {
			At         time.Time
			Actor, Day string
			ByRule     bool `json:"by_rule"`
			Accepted   bool
			Photos     []string
		}
	}
	Audit []struct {
		ID, Actor, Action, Hash string
		Seq                     int64
		At                      time.Time
		Counts                  map[string]int
	}
}

func exportText(t *testing.T, acc *index.Account, opt index.ExportOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, acc.Export(t.Context(), &b, opt))
	return b.Bytes()
}

func exportOf(t *testing.T, acc *index.Account, opt index.ExportOptions) exported {
	t.Helper()
	var ex exported
	dec := json.NewDecoder(bytes.NewReader(exportText(t, acc, opt)))
	dec.DisallowUnknownFields()
	must(t, dec.Decode(&ex))
	if dec.More() {
		t.Error("something follows the export")
	}
	return ex
}

func TestExport(t *testing.T) {
	acc := newAccount(t, index.Config{AccountID: "anna's", Now: func() time.Time { return start }})
	src := family()
	src.put("bad.jpg", []byte("no photo"))
	src.put("alone.jpg", shot("alone", 9)) // nobody else is like this: kith abstains
	_, _ = reindexFailing(t, acc, src, index.ReindexOptions{})
	anna := personOf(t, acc, "a/1.jpg", 0)
	undone := named(t, acc, anna, "Anne")
	must(t, acc.Undo(t.Context(), undone))
	named(t, acc, anna, "Anna \"</script>\u2028 B.")
	_, _, err := acc.Split(t.Context(), []index.FaceID{facesOf(t, acc, "b/5.jpg")[0].ID})
	must(t, err)

	ex := exportOf(t, acc, index.ExportOptions{})
	if ex.Format != "kith-export" || ex.Version != 1 || ex.Account != "anna's" || ex.Space != "scene" {
		t.Errorf("head: %q %d %q %q", ex.Format, ex.Version, ex.Account, ex.Space)
	}
	if len(ex.Photos) != 8 || len(ex.Faces) != 10 || len(ex.People) != 4 || len(ex.Decisions) != 3 || len(ex.Consent) != 1 {
		t.Fatalf("%d photos, %d faces, %d people, %d decisions, %d consents",
			len(ex.Photos), len(ex.Faces), len(ex.People), len(ex.Decisions), len(ex.Consent))
	}
	photos, faces, people := map[index.PhotoID]string{}, map[index.FaceID]index.PersonID{}, map[index.PersonID]int{}
	for _, p := range ex.Photos {
		photos[p.ID] = p.Path
		if bad := p.Path == "bad.jpg"; bad != (p.Status == "failed") || bad != (p.Error != "") || bad != (p.Stage == "decode") {
			t.Errorf("%+v", p)
		}
		if len(p.SHA256) != 64 || p.Orientation != 1 {
			t.Errorf("%+v", p)
		}
	}
	abstained := 0
	for _, f := range ex.Faces {
		if photos[f.Photo] == "" || len(f.Landmarks) != 5 || f.Box.W != 80 || f.Detector != "scene" || f.Embedding != nil {
			t.Errorf("%+v", f)
		}
		if f.Person == nil {
			abstained++
			if photos[f.Photo] != "alone.jpg" || f.By != "" {
				t.Errorf("abstained on %+v", f)
			}
			continue
		}
		faces[f.ID] = *f.Person
		people[*f.Person]++
		if want := map[bool]string{true: "decision", false: "group"}[photos[f.Photo] == "b/5.jpg"]; f.By != want {
			t.Errorf("%s is with its person by %q, want %q", photos[f.Photo], f.By, want)
		}
	}
	if abstained != 1 || !bytes.Contains(exportText(t, acc, index.ExportOptions{}), []byte(`"person":null`)) {
		t.Errorf("%d faces have no person", abstained)
	}
	counted := map[index.PersonID]int{}
	for _, p := range ex.People {
		counted[p.ID] = p.Faces
		if faces[p.Cover] != p.ID {
			t.Errorf("the cover of %s is a face of %q", p.ID, faces[p.Cover])
		}
		if want := map[bool]string{true: "Anna \"</script>\u2028 B."}[p.ID == anna]; p.Name != want {
			t.Errorf("%s is %q, want %q", p.ID, p.Name, want)
		}
	}
	if !maps.Equal(counted, people) {
		t.Errorf("people have %v faces, the faces say %v", counted, people)
	}
	if d := ex.Decisions[0]; d.Kind != "name" || d.Revoked == nil || !d.At.Equal(start) || len(d.Faces) != 3 || d.Person != anna {
		t.Errorf("%+v", d)
	}
	if d := ex.Decisions[2]; d.Kind != "split" || d.Revoked != nil || len(d.Faces) != 1 || len(d.Others) != 2 {
		t.Errorf("%+v", d)
	}
	if c := ex.Consent[0]; !c.Given || c.By != "anna" || c.Means != "test" {
		t.Errorf("%+v", c)
	}
	for _, f := range exportOf(t, acc, index.ExportOptions{Embeddings: true}).Faces {
		if len(f.Embedding) != sceneDim || math.Abs(f.Embedding.Dot(f.Embedding)-1) > 1e-4 {
			t.Errorf("embedding of %d values", len(f.Embedding))
		}
	}
}

// stamped is a JPEG that says when it was taken, as EXIF in ASCII.
func stamped(taken, offset string) []byte {
	ascii := func(tag uint16, s string, at uint32) []byte {
		b := binary.BigEndian.AppendUint16(nil, tag)
		b = binary.BigEndian.AppendUint16(b, 2) // ASCII
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)+1))
		return binary.BigEndian.AppendUint32(b, at)
	}
	entries, data := 1, taken+"\x00"
	if offset != "" {
		entries = 2
	}
	first := uint32(8+18) + uint32(2+12*entries+4)
	ifd := []byte{0, byte(entries)}
	ifd = append(ifd, ascii(0x9003, taken, first)...)
	if offset != "" {
		ifd = append(ifd, ascii(0x9011, offset, first+uint32(len(data)))...)
		data += offset + "\x00"
	}
	b := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x87\x69\x00\x04\x00\x00\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00")
	b = append(append(b, ifd...), 0, 0, 0, 0)
	b = append(b, data...)
	j := cmykJPEG()
	return slices.Concat(j[:2], []byte{0xff, 0xe1, 0, byte(2 + len(b))}, b, j[2:])
}

func TestExportTimes(t *testing.T) {
	acc := newAccount(t, index.Config{})
	src := newFiles(map[string][]byte{
		"1.jpg": stamped("2023:07:14 18:30:05", ""), "2.jpg": stamped("2023:07:14 18:30:05", "+05:30"),
		"3.jpg": stamped("2023:07:14 18:30:05", "-03:00"), "4.jpg": cmykJPEG(),
	})
	reindex(t, acc, src, index.ReindexOptions{NoFaces: true})
	ex := exportOf(t, acc, index.ExportOptions{})
	for i, want := range []string{
		"2023-07-14T18:30:05||none", "2023-07-14T18:30:05+05:30|+05:30|offset", "2023-07-14T18:30:05-03:00|-03:00|offset", "",
	} {
		p, got := ex.Photos[i], ""
		if p.Taken != nil {
			got = strings.Join([]string{p.Taken.Time, p.Taken.Zone, p.Taken.Source}, "|")
		}
		if got != want || p.Warning != "" {
			t.Errorf("%s: %q (warning %q), want %q", p.Path, got, p.Warning, want)
		}
	}
}

// limited fails after some bytes.
type limited struct{ left int }

var errPipe = errors.New("broken pipe")

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestExportWriterFails(t *testing.T) {
	acc := newAccount(t, index.Config{})
	reindex(t, acc, crowd(40, 3), index.ReindexOptions{})
	size := len(exportText(t, acc, index.ExportOptions{}))
	for left := 0; left < size; left += size/5 + 1 {
		wantErr(t, fmt.Sprintf("after %d of %d bytes", left, size),
			acc.Export(t.Context(), &limited{left}, index.ExportOptions{}), errPipe)
	}
	must(t, acc.Export(t.Context(), &limited{size + 1000}, index.ExportOptions{})) // the first is in the audit now
}
