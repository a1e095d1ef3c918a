package index

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kith-photos/kith/face"
	"github.com/kith-photos/kith/store"
)

// exportSchema is the JSON Schema (draft 2020-12) of the export.
//
//go:embed export.schema.json
var exportSchema string

// ExportSchema is the JSON Schema (draft 2020-12) that every export follows. It
// comes with each ExportZIP and ExportDir.
func ExportSchema() []byte { return []byte(exportSchema) }

const (
	exportFormat  = "kith-export"
	exportVersion = 1 // raised when a reader of the last version would misread the next
)

// The export's JSON. Boxes and landmarks are in pixels of the upright photo.
type (
	jsonPhoto struct {
		ID          PhotoID      `json:"id"`
		Path        string       `json:"path"`
		PathBytes   []byte       `json:"path_base64,omitempty"` // where the path is no valid UTF-8
		SHA256      string       `json:"sha256"`                // "": the file could not be read
		Size        int64        `json:"size"`                  // bytes
		ModTime     *time.Time   `json:"mtime,omitempty"`       // absent: not to be written in RFC 3339
		Width       int          `json:"width"`
		Height      int          `json:"height"`
		Orientation int          `json:"orientation"`
		Status      store.Status `json:"status"`
		Stage       string       `json:"stage,omitempty"`
		Error       string       `json:"error,omitempty"`
		Warning     string       `json:"warning,omitempty"`
		Added       *time.Time   `json:"added,omitempty"`    // when its content was first recorded
		Vanished    *time.Time   `json:"vanished,omitempty"` // since when the file has been missing
		Disposed    *time.Time   `json:"disposed,omitempty"` // when it was deleted on purpose
		Analyzer    string       `json:"analyzer,omitempty"` // the vector space of what looked for faces
		jsonMoment
		Original *jsonMoment `json:"original,omitempty"` // what the file says, where somebody corrected it
		Camera   string      `json:"camera,omitempty"`   // make and model in one
		Make     string      `json:"make,omitempty"`
		Model    string      `json:"model,omitempty"`
		jsonFacts
		When   *jsonWhen  `json:"when,omitempty"`  // as worked out of what all files and people say
		Where  *jsonWhere `json:"where,omitempty"` // as worked out
		Moment MomentID   `json:"moment,omitempty"`
		Place  PlaceID    `json:"place,omitempty"`
	}
	jsonMoment struct {
		Taken *jsonTaken `json:"taken,omitempty"`
		GPS   *jsonGPS   `json:"gps,omitempty"`
	}
	jsonTaken struct {
		Time   string `json:"time"` // RFC 3339; without a zone where it is unknown
		Zone   string `json:"zone,omitempty"`
		Source string `json:"zone_source"`
	}
	jsonGPS struct {
		Lat      float64  `json:"lat"`
		Lon      float64  `json:"lon"`
		Alt      *float64 `json:"alt,omitempty"`
		Accuracy float64  `json:"accuracy,omitempty"` // metres
		Datum    string   `json:"datum,omitempty"`    // absent: WGS 84
		Stale    bool     `json:"stale,omitempty"`    // the last one that the receiver had had
	}
	jsonBox struct {
		X float64 `json:"x"`
		Y float64 `json:"y"`
		W float64 `json:"w"`
		H float64 `json:"h"`
	}
	jsonLandmarks [5][2]float64
	jsonFace      struct {
		ID         FaceID        `json:"id"`
		Photo      PhotoID       `json:"photo"`
		Box        jsonBox       `json:"box"`
		Landmarks  jsonLandmarks `json:"landmarks"`
		Score      float64       `json:"score"`
		Quality    float64       `json:"quality"`
		Detector   string        `json:"detector"`
		Person     *PersonID     `json:"person"` // null: kith abstained
		By         store.Origin  `json:"by,omitempty"`
		Rejected   bool          `json:"rejected,omitempty"` // somebody said that it is no face
		RejectedBy DecisionID    `json:"rejected_by,omitempty"`
		Embedding  face.Vector   `json:"embedding,omitempty"`
		Space      string        `json:"embedding_space,omitempty"` // absent: the export's
	}
	jsonPerson struct {
		ID      PersonID  `json:"id"`
		Name    string    `json:"name"`
		Faces   int       `json:"faces"`
		Cover   FaceID    `json:"cover,omitempty"`
		Chosen  bool      `json:"cover_chosen,omitempty"`
		Created time.Time `json:"created"`
		Ignored bool      `json:"ignored,omitempty"`
	}
	jsonRef struct {
		SHA256 string  `json:"sha256"`
		Box    jsonBox `json:"box"`
	}
	jsonHolder struct {
		Person  *PersonID     `json:"person"` // null: nobody
		Created *time.Time    `json:"created,omitempty"`
		Faces   jsonList[int] `json:"faces,omitempty"` // positions in the decision's faces; absent: all that it moved
	}
	jsonDecision struct {
		ID      DecisionID           `json:"id"`
		Seq     int64                `json:"seq"`
		Kind    store.DecisionKind   `json:"kind"`
		At      time.Time            `json:"at"`
		Person  PersonID             `json:"person"`
		Other   PersonID             `json:"other,omitempty"`
		Name    string               `json:"name,omitempty"`
		OldName string               `json:"old_name,omitempty"`
		Faces   jsonList[jsonRef]    `json:"faces"`
		Others  jsonList[jsonRef]    `json:"others,omitempty"`
		Before  jsonList[jsonHolder] `json:"before,omitempty"`     // whose the faces were that it moved
		Says    *jsonMoment          `json:"correction,omitempty"` // time and place: absent is unknown
		Clock   *jsonClock           `json:"clock,omitempty"`      // a camera's clock
		Revoked *time.Time           `json:"revoked,omitempty"`
		After   int64                `json:"revoked_after,omitempty"` // greatest seq when it was revoked
	}
	jsonConsent struct {
		Given   bool      `json:"given"`
		Purpose string    `json:"purpose"`
		Person  PersonID  `json:"person,omitempty"` // whose it is; absent: the account's owner's
		At      time.Time `json:"at"`
		By      string    `json:"by"`
		Version string    `json:"version"`
		Means   string    `json:"means"`
	}
	jsonAudit struct {
		ID     string    `json:"id"`
		Seq    int64     `json:"seq"`
		At     time.Time `json:"at"`
		Actor  string    `json:"actor"`
		Action string    `json:"action"`
		Counts Counts    `json:"counts"`
		Hash   string    `json:"hash"`
	}
	jsonSpace struct {
		Name      string         `json:"name"`
		Dim       int            `json:"dim"`
		Impostors face.Impostors `json:"impostors"`
	}
)

// jsonList is a list inside of an item. It is read element by element and with
// an end: two bytes of JSON can be an element of a hundred bytes.
type jsonList[T any] []T

func (l *jsonList[T]) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	switch t, err := dec.Token(); {
	case err != nil:
		return err
	case t == nil: // null
		return nil
	case t != json.Delim('['):
		return fmt.Errorf("%v where a list should be", t)
	}
	for dec.More() {
		if len(*l) == maxRefs {
			return errTooMany
		}
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*l = append(*l, v)
	}
	return nil // the caller has seen that the list ends
}

// UnmarshalJSON wants five points of two numbers: package json would fill up
// and cut off.
func (l *jsonLandmarks) UnmarshalJSON(b []byte) error {
	var points jsonList[jsonList[float64]]
	if err := json.Unmarshal(b, &points); err != nil {
		return err
	}
	if len(points) != len(l) {
		return fmt.Errorf("%d landmarks, want %d", len(points), len(l))
	}
	for i, p := range points {
		if len(p) != 2 {
			return fmt.Errorf("landmark %d has %d numbers, want 2", i, len(p))
		}
		l[i] = [2]float64(p)
	}
	return nil
}
