package index

import (
	"context"
	"encoding/json"
	"math"
	"path"
	"slices"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/moments"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/index/when"
	"github.com/kith-photos/kith/store"
)

// arrangingRules is raised when the same facts are to be arranged otherwise.
const arrangingRules = 1

// arrangedBy is by what an account was arranged.
type arrangedBy struct {
	Rules     int    `json:"rules"`
	Zone      string `json:"zone,omitempty"` // the host's default
	Zones     bool   `json:"zones,omitempty"`
	Gazetteer string `json:"gazetteer,omitempty"`
	// Positions came up while there was nobody to ask.
	NoZone bool `json:"no_zone,omitempty"`
	NoName bool `json:"no_name,omitempty"`
}

// arrangedBy is by what the account is to be arranged, and by what it was. What
// a program does not bring, it leaves as another one had it.
func (a *Account) arrangedBy(ctx context.Context) (want, have arrangedBy, current bool, err error) {
	about, current, err := a.db.ArrangedBy(ctx)
	if err != nil {
		return want, have, false, err
	}
	if json.Unmarshal([]byte(about), &have) != nil { // none, or of an unknown kind
		have, current = arrangedBy{}, false
	}
	want = have
	want.Rules, want.Zones = arrangingRules, have.Zones || a.cfg.Zones != nil
	want.NoZone, want.NoName = have.NoZone && a.cfg.Zones == nil, have.NoName && a.cfg.Gazetteer == nil
	if z := a.cfg.Zone; z != nil {
		want.Zone = z.String()
	}
	if g := a.cfg.Gazetteer; g != nil {
		want.Gazetteer = "some"
		if v, ok := g.(interface{ Version() string }); ok {
			want.Gazetteer = v.Version()
		}
	}
	return want, have, current, nil
}

// arranged works out when and where photos were taken, and what moments and
// places that makes, unless nothing has changed since that was last done. An
// account that may not be changed shows what was worked out last, and so does
// one into which photos are coming just now: their run will end with it.
func (a *Account) arranged(ctx context.Context) error {
	if a.cfg.ReadOnly || len(a.indexing) > 0 {
		return nil
	}
	return a.arrangeChanged(ctx)
}

// arrangeChanged is arranged for the run that photos come with.
func (a *Account) arrangeChanged(ctx context.Context) error {
	if current, err := a.isArranged(ctx); current || err != nil {
		return err
	}
	unlock, err := lock(ctx, a.people)
	if err != nil {
		return err
	}
	defer unlock()
	return a.arrange(ctx)
}

// arrangedIfOpen is arranged for who also shows accounts that are deleted.
func (a *Account) arrangedIfOpen(ctx context.Context) error {
	s, err := a.db.State(ctx)
	if err != nil || usable(s) != nil {
		return err
	}
	return a.arranged(ctx)
}

func (a *Account) isArranged(ctx context.Context) (bool, error) {
	want, have, current, err := a.arrangedBy(ctx)
	return current && have == want, err
}

// arrange is arranged for who holds the lock on people.
func (a *Account) arrange(ctx context.Context) error {
	want, have, current, err := a.arrangedBy(ctx)
	if err != nil || current && have == want {
		return err
	}
	s, err := a.db.State(ctx)
	if err != nil || !s.Restricted.IsZero() {
		return err
	}
	g, err := a.gather(ctx, want, want.Gazetteer != have.Gazetteer)
	if err != nil {
		return err
	}
	next := g.arrange()
	want.NoZone, want.NoName = want.Zones && g.names.missedZone, want.Gazetteer != "" && g.names.missedName
	about, err := json.Marshal(want)
	if err != nil {
		return err
	}
	next.About = string(about)
	return a.db.PutArrangement(ctx, g.was, next)
}

// gathering is all that an arrangement is made of, and what it comes to. Its
// slices run in parallel, one element for each photo.
type gathering struct {
	was       *store.Arranged
	names     *namer
	opt       when.Options
	ids       []PhotoID
	evidence  []when.Evidence
	camera    []int32 // position in cameras, -1: unknown
	burst     []int32 // -1: none
	weight    []float32
	hidden    []bool // counts for nothing: the file is missing, or no photo
	cameras   []exif.Camera
	cameraOf  map[exif.Camera]int32
	burstOf   map[string]int32
	timed     map[[32]byte]bool // contents of whose time somebody spoke
	nowhere   map[[32]byte]bool // and whose place somebody called unknown
	unplaced  []bool
	weights   map[PhotoID]float32
	times     []when.Time
	positions []*exif.GPS
	guessed   []bool
}

// gather reads the facts and decisions. renew has what a gazetteer said looked up
// again.
func (a *Account) gather(ctx context.Context, by arrangedBy, renew bool) (*gathering, error) {
	g := &gathering{cameraOf: map[exif.Camera]int32{}, burstOf: map[string]int32{}}
	var err error
	if g.was, err = a.db.LoadArrangement(ctx); err != nil {
		return nil, err
	}
	g.names = newNamer(a.cfg, g.was, renew)
	if g.timed, g.nowhere, err = a.db.Corrected(ctx); err != nil {
		return nil, err
	}
	if g.weights, err = a.db.CoverWeights(ctx); err != nil {
		return nil, err
	}
	if g.opt, err = a.whenOptions(ctx, by, g.names); err != nil {
		return nil, err
	}
	if err := a.db.EachFact(ctx, func(p Photo) error { g.add(p); return ctx.Err() }); err != nil {
		return nil, err
	}
	return g, nil
}

// add takes a photo's facts.
func (g *gathering) add(p Photo) {
	e := when.Evidence{
		Key: string(p.ID), Taken: p.Taken, From: p.TakenFrom, Fix: p.Fix, Name: path.Base(p.Path), ModTime: p.ModTime,
		Camera: cameraKey(p.Camera),
	}
	if p.GPS != nil {
		e.Point = &geo.Point{Lat: p.GPS.Lat, Lon: p.GPS.Lon}
	}
	if g.timed[p.SHA256] {
		e.Taken, e.Said = exif.Time{}, new(p.Taken)
	}
	camera, burst := int32(-1), int32(-1)
	if e.Camera != "" {
		camera = intern(g.cameraOf, p.Camera)
		if int(camera) == len(g.cameras) {
			g.cameras = append(g.cameras, p.Camera)
		}
	}
	if p.Burst != "" {
		burst = intern(g.burstOf, e.Camera+"\x00"+p.Burst)
	}
	g.ids, g.evidence = append(g.ids, p.ID), append(g.evidence, e)
	g.camera, g.burst, g.weight = append(g.camera, camera), append(g.burst, burst), append(g.weight, g.weights[p.ID])
	g.positions, g.guessed = append(g.positions, p.GPS), append(g.guessed, false)
	g.unplaced = append(g.unplaced, g.nowhere[p.SHA256])
	g.hidden = append(g.hidden, !p.Vanished.IsZero() || p.Status == store.StatusFailed)
}

// intern numbers keys in the order in which they come.
func intern[K comparable](of map[K]int32, key K) int32 {
	n, ok := of[key]
	if !ok {
		n = int32(len(of))
		of[key] = n
	}
	return n
}

// arrange derives everything from the facts.
func (g *gathering) arrange() store.Arrangement {
	g.times = when.Resolve(g.evidence, g.opt)
	g.estimate()
	frequent, placeOf := g.frequent()
	shots, from := g.shots()
	timeline := moments.Group(shots, homesOf(frequent))

	next := store.Arrangement{Cameras: g.cameras}
	next.Shots = make([]store.Shot, len(g.ids))
	cells := map[store.Cell]int32{}
	for i := range g.ids {
		s := g.shot(i)
		s.Place = int(placeOf[i])
		if w := s.Where; w != nil {
			c := g.names.cell(geo.Point{Lat: w.Lat, Lon: w.Lon})
			if s.Cell = int(intern(cells, c)); s.Cell == len(next.Cells) {
				next.Cells = append(next.Cells, c)
			}
		}
		next.Shots[i] = s
	}
	for n, i := range from {
		next.Shots[i].Moment = int(timeline.Of[n])
	}
	next.Places = g.places(frequent)
	g.moments(&next, timeline, from)
	g.keepIDs(&next)
	return next
}

// estimate fills in positions between two photos of one camera.
func (g *gathering) estimate() {
	shots := make([]places.Shot, len(g.ids))
	for i, t := range g.times {
		shots[i] = places.Shot{Key: g.evidence[i].Key, At: t.Sort, Camera: g.camera[i], Known: timedByCamera(t) && !g.unplaced[i] && !g.hidden[i]}
		if p := g.positions[i]; p != nil {
			shots[i].Located, shots[i].Accuracy = true, p.Accuracy
			shots[i].Point = geo.Point{Lat: p.Lat, Lon: p.Lon}
			shots[i].Known = shots[i].Known && !p.Stale
		}
	}
	for _, guess := range places.Estimate(shots) {
		g.positions[guess.Shot] = &exif.GPS{Lat: guess.Point.Lat, Lon: guess.Point.Lon, Accuracy: guess.Accuracy}
		g.guessed[guess.Shot] = true
	}
}

// timedByCamera reports whether a time is the camera's to the second, so that
// it can be compared with others of it.
func timedByCamera(t when.Time) bool {
	return t.Precision == when.Second && slices.Contains([]when.Source{when.SourceOriginal, when.SourceDigitized, when.SourceXMP,
		when.SourceGPS, when.SourceSaid}, t.Source)
}

// hazy reports whether a time says no more than the day, if that.
func hazy(t when.Time) bool {
	return t.Precision == when.Day || t.Source == when.SourceModTime || t.Source == when.SourceModified
}

// dayOf is the day of a wall clock, since 1970, and the minute in it.
func dayOf(wall time.Time) (day int32, minute int16) {
	seconds := wall.Unix()
	day = int32(floorDiv(seconds, 86400))
	return day, int16((seconds - int64(day)*86400) / 60)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// frequent finds the places to which the account comes back, and that of each
// photo, -1 for none. Estimated positions, and stale ones, take no part.
func (g *gathering) frequent() ([]places.Place, []int32) {
	of := make([]int32, len(g.ids))
	var visits []places.Visit
	var from []int
	for i, t := range g.times {
		of[i] = -1
		p := g.positions[i]
		if p == nil || p.Stale || g.guessed[i] || g.hidden[i] || t.IsZero() {
			continue
		}
		v := places.Visit{Point: geo.Point{Lat: p.Lat, Lon: p.Lon}, Accuracy: p.Accuracy}
		if v.Day, v.Minute = dayOf(t.Wall); hazy(t) {
			v.Minute = -1
		}
		visits, from = append(visits, v), append(from, i)
	}
	found, placeOf := places.Frequent(visits)
	for n, i := range from {
		of[i] = placeOf[n]
	}
	return found, of
}

// settling is for how many days before its first photo, and after its last one,
// a home is taken for one where no other is.
const settling = 60

func homesOf(frequent []places.Place) []moments.Home {
	homes := places.Homes(frequent) // by their first day
	out := make([]moments.Home, len(homes))
	for i, h := range homes {
		out[i] = moments.Home{Point: h.Center, Radius: h.Radius, From: h.From, To: h.To}
	}
	for i, h := range homes {
		before, next := int32(math.MinInt32+settling), int32(math.MaxInt32-settling) // the nearest days of others
		for j, o := range homes {
			if j == i {
				continue
			}
			if o.From < h.From {
				before = max(before, o.To)
			}
			if o.To > h.To {
				next = min(next, o.From)
			}
		}
		if before < h.From {
			out[i].From = max(h.From-settling, before+1)
		}
		if next > h.To {
			out[i].To = min(h.To+settling, next-1)
		}
	}
	return out
}

// shots are what moments are made of: photos with a time, and which ones.
func (g *gathering) shots() (shots []moments.Shot, from []int32) {
	for i, t := range g.times {
		if t.IsZero() || g.hidden[i] {
			continue
		}
		s := moments.Shot{
			Key: g.evidence[i].Key, At: t.Sort, Camera: g.camera[i], Burst: g.burst[i], Coarse: hazy(t), Weight: g.weight[i],
		}
		s.Day, _ = dayOf(t.Wall)
		if p := g.positions[i]; p != nil {
			s.HasPoint, s.Point = true, geo.Point{Lat: p.Lat, Lon: p.Lon}
		}
		shots, from = append(shots, s), append(from, int32(i))
	}
	return shots, from
}

// shot is what is known of when and where a photo was taken.
func (g *gathering) shot(i int) store.Shot {
	t := g.times[i]
	s := store.Shot{
		Photo: g.ids[i], Taken: t.Time, Source: string(t.Source), Shift: t.Shift, At: t.Sort,
		Where: g.positions[i], Guessed: g.guessed[i], Camera: int(g.camera[i]), Cell: -1, Moment: -1,
	}
	switch t.Precision {
	case when.Minute:
		s.Fine = time.Minute
	case when.Day:
		s.Fine = 24 * time.Hour
	default:
	}
	if t.IsZero() {
		s.At = store.NoTime
	}
	return s
}
