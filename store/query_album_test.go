package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/face"
)

// album is an account of generated photos, and the truth about them.
type album struct {
	db      *DB
	next    Arrangement
	photos  []taken // in the order in which they came
	people  []PersonID
	ignored map[PersonID]bool
}

// taken is the truth about one photo.
type taken struct {
	shot     Shot
	path     string
	people   []int // of each face: position in album.people; noFaceHere, nobodyKnown
	vanished bool
}

const (
	nobodyKnown = -1 // a face that is with nobody
	noFaceHere  = -2 // a face that somebody said is none
)

// albumOf says how an album is generated.
type albumOf struct {
	seed          uint64
	photos        int
	years, people int
	perMoment     int
	odd           float64 // share of photos that lack each thing, vanished or are of the same time as the one before
	rejected      bool    // some faces are none
}

// The grid of test cells: a hundredth of a degree, numbered by rows.
func gridCell(lat, lon float64) uint64 {
	return uint64(int64(math.Floor(lat*100))+90_00)*36_000 + uint64(int64(math.Floor(lon*100))+180_00)
}

func gridBox(cell uint64) box {
	south, west := (float64(cell/36_000)-90_00)/100, (float64(cell%36_000)-180_00)/100
	return box{South: south, West: west, North: south + 0.01, East: west + 0.01}
}

// box is a Region of test cells.
type box struct{ South, West, North, East float64 }

func (b box) Contains(lat, lon float64) bool {
	return lat >= b.South && lat <= b.North && lon >= b.West && lon <= b.East
}

func (b box) MayMeet(cell uint64) bool {
	const slack = 1e-9
	c := gridBox(cell)
	return c.South <= b.North+slack && c.North >= b.South-slack && c.West <= b.East+slack && c.East >= b.West-slack
}

func (b box) Covers(cell uint64) bool {
	const slack = 1e-9
	c := gridBox(cell)
	return c.South-slack >= b.South && c.North+slack <= b.North && c.West-slack >= b.West && c.East+slack <= b.East
}

var turku = box{South: 60.35, West: 22.05, North: 60.565, East: 22.475}

// spotsOf are where moments are: at home, nearby, and on trips.
func spotsOf(r *rand.Rand, trips int) (lat, lon []float64, country []string) {
	lat, lon, country = []float64{60.454}, []float64{22.263}, []string{"FI"}
	for range trips {
		lat, lon = append(lat, 36+r.Float64()*30), append(lon, -9+r.Float64()*40)
		country = append(country, []string{"FI", "SE", "IT", "ES", ""}[r.IntN(5)])
	}
	return lat, lon, country
}

// generate makes an album's truth.
func (o albumOf) generate() *album {
	r := rand.New(rand.NewPCG(o.seed, 6))
	a := &album{ignored: map[PersonID]bool{}}
	for i := range o.people {
		a.people = append(a.people, PersonID(fmt.Sprintf("person-%04d", (i*7919)%10_000)))
		if i%4 == 3 {
			a.ignored[a.people[i]] = true
		}
	}
	for i := range 8 {
		a.next.Cameras = append(a.next.Cameras, exif.Camera{Make: fmt.Sprint("make", i/3), Model: fmt.Sprint("model", i/2), Serial: []string{"", "a"}[i%2]})
	}
	lat, lon, country := spotsOf(r, max(3, o.photos/1500))
	for i := range 3 {
		a.next.Places = append(a.next.Places, Place{ID: PlaceID(fmt.Sprintf("place-%d", (i*7)%10)), Kind: "home", Lat: lat[i], Lon: lon[i], Shots: 1 + i,
			Named: Named{Name: fmt.Sprint("place ", i), Country: country[i]}})
	}
	cells := map[uint64]int{}
	at := time.Date(2026-o.years, 1, 3, 12, 0, 0, 0, time.UTC)
	step := time.Duration(o.years) * 365 * 24 * time.Hour / time.Duration(o.photos)
	rest := 0 // photos left of the moment
	var day, trip, moment, spot int
	var middle [2]float64 // of the moment
	var cast []int
	day, trip = -1, -1
	for i := range o.photos {
		if rest == 0 {
			rest = 1 + r.IntN(2*o.perMoment)
			at = time.Date(2026-o.years, 1, 3, 12, 0, 0, 0, time.UTC).Add(time.Duration(i)*step + time.Duration(r.IntN(3600*9))*time.Second)
			if spot = 0; r.IntN(3) == 0 {
				spot = r.IntN(len(lat))
			}
			// A few dozen sights of each town, most of them in the middle.
			sight := rand.New(rand.NewPCG(uint64(spot), uint64(r.IntN(30))))
			middle = [2]float64{lat[spot] + sight.NormFloat64()*0.04, lon[spot] + sight.NormFloat64()*0.06}
			if cast = nil; r.IntN(4) > 0 {
				for range 1 + r.IntN(4) { // the first few people are in most photos
					cast = append(cast, int(float64(o.people)*math.Pow(r.Float64(), 4)))
				}
			}
			if r.IntN(6) == 0 {
				trip = len(a.next.Moments)
				a.next.Moments = append(a.next.Moments, Moment{Kind: KindTrip, Parent: -1, Place: -1})
			} else if r.IntN(3) == 0 {
				trip = -1
			}
			if r.IntN(3) > 0 || day < 0 {
				day = len(a.next.Moments)
				a.next.Moments = append(a.next.Moments, Moment{Kind: KindDay, Parent: trip, Place: -1})
			}
			moment = len(a.next.Moments)
			a.next.Moments = append(a.next.Moments, Moment{Kind: KindMoment, Parent: day, Place: -1})
			if spot < 3 {
				a.next.Moments[moment].Place = spot
			}
			if r.IntN(5) > 0 {
				a.next.Moments[moment].Spot = &Spot{Lat: lat[spot], Lon: lon[spot], Radius: 50, Named: Named{Country: country[spot]}}
			}
		}
		rest--
		at = at.Add(time.Duration(r.IntN(120)) * time.Second)
		odd := func() bool { return r.Float64() < o.odd }
		if odd() && i > 0 && a.photos[i-1].shot.At != NoTime {
			at = fromMicros(a.photos[i-1].shot.At)
		}
		p := taken{path: fmt.Sprintf("%06d.jpg", i), vanished: odd()}
		s := Shot{Taken: exif.Time{Wall: at.Add(2 * time.Hour), Offset: 2 * time.Hour, Zone: exif.ZoneOffset}, Source: "original", At: micros(at),
			Camera: r.IntN(8), Cell: -1, Place: -1, Moment: moment}
		switch {
		case odd():
			s.Taken, s.At, s.Moment, s.Source = exif.Time{Zone: exif.ZoneNone}, NoTime, -1, ""
		case odd():
			s.Taken.Offset, s.Taken.Zone = 0, exif.ZoneNone
		}
		if odd() {
			s.Camera = -1
		}
		if !odd() {
			s.Where = &exif.GPS{Lat: middle[0] + r.NormFloat64()*0.002, Lon: middle[1] + r.NormFloat64()*0.004, Accuracy: 5}
			s.Guessed = r.IntN(6) == 0
			n := gridCell(s.Where.Lat, s.Where.Lon)
			c, ok := cells[n]
			if !ok {
				c = len(a.next.Cells)
				cells[n] = c
				a.next.Cells = append(a.next.Cells, Cell{Number: n, Named: Named{Name: "somewhere", Region: "a region", Country: country[spot]}})
			}
			s.Cell = c
			if spot < 3 && r.IntN(4) > 0 {
				s.Place = spot
			}
		}
		for _, c := range cast {
			if r.IntN(2) == 0 {
				p.people = append(p.people, c)
			}
		}
		if odd() {
			p.people = append(p.people, nobodyKnown)
		}
		if o.rejected && odd() {
			p.people = append(p.people, noFaceHere)
		}
		p.shot = s
		a.photos = append(a.photos, p)
	}
	a.summarise()
	return a
}

// summarise fills in what moments say of their photos.
func (a *album) summarise() {
	for i := range a.next.Moments {
		a.next.Moments[i].At, a.next.Moments[i].Until = math.MaxInt64, math.MinInt64
		a.next.Moments[i].First, a.next.Moments[i].Last = math.MaxInt32, math.MinInt32
	}
	for _, p := range a.photos {
		for i := p.shot.Moment; i >= 0; i = a.next.Moments[i].Parent {
			m := &a.next.Moments[i]
			m.Shots++
			m.At, m.Until = min(m.At, p.shot.At), max(m.Until, p.shot.At)
			day := int32(dayOf(micros(p.shot.Taken.Wall)))
			m.First, m.Last = min(m.First, day), max(m.Last, day)
		}
	}
	for i := range a.next.Moments { // all of its photos lost their time
		if m := &a.next.Moments[i]; m.Shots == 0 {
			m.At, m.Until, m.First, m.Last = 0, 0, 0, 0
		}
	}
}

// store puts the album into an account.
func (a *album) store(t testing.TB, db *DB) {
	t.Helper()
	ctx := context.Background()
	a.db = db
	must(t, db.update(ctx, "put an album into", func(tx *sql.Tx) error { return a.write(ctx, tx) }))
	at := map[string]int{}
	for i, p := range a.photos {
		at[p.path] = i
	}
	for f, err := range db.Files(ctx) {
		must(t, err)
		a.photos[at[f.Path]].shot.Photo = f.ID
	}
	a.next.Shots = nil
	for _, p := range a.photos {
		a.next.Shots = append(a.next.Shots, p.shot)
	}
	must(t, db.PutArrangement(ctx, must1[*Arranged](t)(db.LoadArrangement(ctx)), a.next))
	// PutArrangement gave the moments their ids, in the slice that it was given.
	var gone []PhotoID
	for _, p := range a.photos {
		if p.vanished {
			gone = append(gone, p.shot.Photo)
		}
	}
	must1[int](t)(db.MarkVanished(ctx, gone))
}

// write puts photos, faces and people into the account by what PutPhotos and
// PutPeople are made of, and so many times as fast.
func (a *album) write(ctx context.Context, tx *sql.Tx) error {
	assign := Assignment{}
	for _, id := range a.people {
		assign.People = append(assign.People, Person{ID: id, Ignored: a.ignored[id]})
	}
	none := Decision{ID: NewDecisionID(), Kind: DecisionNotAFace}
	if err := errors.Join(a.db.assign(ctx, tx, assign), a.db.putDecision(ctx, tx, none)); err != nil {
		return err
	}
	rows := make([]sql.NullInt64, len(a.people))
	for i, id := range a.people {
		if err := tx.QueryRowContext(ctx, "SELECT id FROM people WHERE uid = ?", string(id)).Scan(&rows[i]); err != nil {
			return err
		}
	}
	w := &photoWriter{watch: a.db.newWatch(ctx, tx), vectors: a.db.newVectorWriter(ctx, tx)}
	for _, p := range a.photos {
		id, err := w.write(known{}, Photo{Path: p.path, Status: StatusOK, Analyzer: "x", SHA256: sha(p.path), ModTime: start})
		if err != nil {
			return err
		}
		for i, who := range p.people {
			f := foundFace{Face: face.Face{Box: face.Box{X: float64(200 * i), W: 100, H: 100}, Score: 1, Detector: "t"}, landmarks: make([]byte, 80)}
			switch {
			case who >= 0:
				f.person, f.origin = rows[who], string(ByGroup)
			case who == noFaceHere:
				f.rejected = sql.NullString{String: string(none.ID), Valid: true}
			}
			if err := w.writeFace(storedFace{}, id, f); err != nil {
				return err
			}
		}
	}
	return nil
}
