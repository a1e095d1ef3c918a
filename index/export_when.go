package index

import (
	"context"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/store"
)

// The export's JSON of what was worked out of when and where photos were taken.
type (
	jsonWhen struct {
		jsonTaken
		From  string `json:"source"`           // where the reading comes from
		Fine  int64  `json:"precision"`        // seconds: 0 as a clock's second or finer, 60, 86400
		Shift int64  `json:"clock_correction"` // microseconds that were added to the camera's reading
		At    int64  `json:"order"`            // microseconds since 1970: what photos are sorted by
	}
	jsonWhere struct {
		Lat       float64 `json:"lat"`
		Lon       float64 `json:"lon"`
		Accuracy  float64 `json:"accuracy,omitempty"` // metres
		Estimated bool    `json:"estimated,omitempty"`
		Zone      string  `json:"zone,omitempty"` // of the IANA time zone database
		store.Named
	}
	jsonStretch struct {
		ID     MomentID         `json:"id"`
		Kind   store.MomentKind `json:"kind"`
		Parent MomentID         `json:"parent,omitempty"` // the day of a moment, the trip of a day
		First  string           `json:"first_day"`
		Last   string           `json:"last_day"`
		At     int64            `json:"begin"` // microseconds since 1970, as photos are sorted
		Until  int64            `json:"end"`
		Photos int              `json:"photos"`
		Cover  PhotoID          `json:"cover,omitempty"`
		Place  PlaceID          `json:"place,omitempty"`
		Spot   *store.Spot      `json:"where,omitempty"`
		People []PersonID       `json:"people,omitempty"`
	}
	jsonPlace struct {
		ID    PlaceID `json:"id"`
		First string  `json:"first_day"`
		Last  string  `json:"last_day"`
		store.Place
	}
	jsonClock struct {
		Make   string     `json:"make,omitempty"`
		Model  string     `json:"model,omitempty"`
		Serial string     `json:"serial,omitempty"`
		From   *time.Time `json:"from,omitempty"` // of that clock's readings; absent: from the beginning
		To     *time.Time `json:"to,omitempty"`   // excluded; absent: to the end
		By     int64      `json:"by"`             // microseconds to add
	}
)

// dayText is a day since 1970 as text.
func dayText(day int32) string { return dayTime(day).Format(time.DateOnly) }

// exportShot adds what was worked out of a photo.
func (j *jsonPhoto) exportShot(s store.ShotRow) {
	if t := exportTaken(s.Taken); t != nil {
		j.When = &jsonWhen{jsonTaken: *t, From: s.Source, Fine: int64(s.Fine / time.Second), Shift: s.Shift.Microseconds(), At: s.At}
	}
	if w := s.Where; w != nil {
		j.Where = &jsonWhere{Lat: w.Lat, Lon: w.Lon, Accuracy: w.Accuracy, Estimated: s.Guessed, Zone: s.ZoneName, Named: s.Near}
	}
	j.Moment, j.Place = s.Moment, s.Place
}

func exportMomentRow(m store.MomentRow) jsonStretch {
	j := jsonStretch{
		ID: m.ID, Kind: m.Kind, First: dayText(m.First), Last: dayText(m.Last), At: m.At, Until: m.Until,
		Photos: m.Shots, Cover: m.Cover, Place: m.Place, Spot: m.Spot,
	}
	if j.Parent = m.Trip; m.Kind == store.KindMoment {
		j.Parent = m.Day
	}
	for _, p := range m.People {
		j.People = append(j.People, p.Key)
	}
	return j
}

func exportPlace(p store.Place) jsonPlace {
	return jsonPlace{ID: p.ID, First: dayText(p.First), Last: dayText(p.Last), Place: p}
}

func exportClock(c *store.Clock) *jsonClock {
	if c == nil {
		return nil
	}
	return &jsonClock{
		Make: c.Camera.Make, Model: c.Camera.Model, Serial: c.Camera.Serial, From: stamp(c.From), To: stamp(c.To), By: c.By.Microseconds(),
	}
}

// exportArrangement writes places and moments, those that are nested in
// others behind these.
func (a *Account) exportArrangement(ctx context.Context, e *exporter) {
	list(e, "places", a.db.Places(ctx, store.PlaceQuery{}), exportPlace)
	list(e, "moments", func(yield func(store.MomentRow, error) bool) {
		for _, kind := range []store.MomentKind{store.KindTrip, store.KindDay, store.KindMoment} {
			for m, err := range a.db.Moments(ctx, store.MomentQuery{Kind: kind, Order: store.OldestFirst}) {
				if !yield(m, err) {
					return
				}
			}
		}
	}, exportMomentRow)
}

// jsonFacts is what a photo's file says beside time and place.
type jsonFacts struct {
	TakenFrom exif.TimeSource `json:"taken_from,omitempty"` // which of the file's times "taken" is
	Fix       *time.Time      `json:"gps_time,omitempty"`
	Burst     string          `json:"burst,omitempty"`
	Video     string          `json:"video,omitempty"`
	Serial    string          `json:"serial,omitempty"`
}
