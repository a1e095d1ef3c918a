package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/geo"
	"github.com/kith-photos/kith/index/places"
	"github.com/kith-photos/kith/index/zones"
)

// whenAndWhere lets an account find zones and name places.
func whenAndWhere(cfg config, opt *index.Config) error {
	opt.Zones = &lazyZones{load: sync.OnceValues(zones.New)}
	switch cfg.zone {
	case "":
	default:
		name := cfg.zone
		if name == "local" {
			if name = localZone(); name == "" {
				return errors.New("-zone local: this machine does not say which zone it is in; name one, such as Europe/Helsinki")
			}
		}
		z, err := time.LoadLocation(name) // zones brings the database, should the machine have none
		if err != nil {
			return fmt.Errorf("-zone %s: %w", cfg.zone, err)
		}
		opt.Zone = z
	}
	if cfg.gazetteer == "" {
		return nil
	}
	g, err := readGazetteer(cfg.gazetteer, cfg.regions)
	if err != nil {
		return err
	}
	opt.Gazetteer = g
	return nil
}

// localZone is the name of this machine's zone, "" where it does not say.
func localZone() string {
	if tz, ok := os.LookupEnv("TZ"); ok {
		return strings.TrimPrefix(tz, ":")
	}
	link, err := os.Readlink("/etc/localtime")
	if _, name, ok := strings.Cut(filepath.ToSlash(link), "/zoneinfo/"); err == nil && ok {
		return name
	}
	return ""
}

// lazyZones reads the borders of zones when a photo first needs them: they take
// a second and some memory, and most photos say their zone.
type lazyZones struct {
	load func() (*zones.Zones, error)
}

// Zone implements when.Zones. Borders that cannot be read are ours, and a
// fault of the program.
func (l *lazyZones) Zone(p geo.Point) *time.Location {
	z, err := l.load()
	if err != nil {
		return nil
	}
	return z.Zone(p)
}

// gazetteer is a file of places, which its size and time tell from another.
type gazetteer struct {
	*places.Index
	version string
}

// Version tells index that another file may have other names.
func (g gazetteer) Version() string { return g.version }

func readGazetteer(name, regions string) (_ places.Gazetteer, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("-places: %w", err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("-places: %w", err)
	}
	g := gazetteer{version: fmt.Sprintf("%d bytes of %d", st.Size(), st.ModTime().Unix())}
	var more io.Reader // a nil *os.File in it would be none that is nil
	if regions != "" {
		r, err := os.Open(regions)
		if err != nil {
			return nil, fmt.Errorf("-regions: %w", err)
		}
		defer func() { _ = r.Close() }()
		more = r
		g.version += ", with regions"
	}
	if g.Index, err = places.ReadGeoNames(f, more); err != nil {
		return nil, fmt.Errorf("-places %s: %w", name, err)
	}
	if bad, first := g.Bad(); bad > 0 && g.Len() == 0 {
		return nil, fmt.Errorf("-places %s: %w", name, cmp.Or[error](first[0], errors.New("no place in it")))
	}
	return g, nil
}

// moments prints places, and then trips, days and moments from the oldest on.
func (r *reporter) moments(ctx context.Context, acc *index.Account) error {
	if r.cfg.export == "-" { // which has them
		return nil
	}
	for p, err := range acc.Places(ctx, index.PlaceQuery{}) {
		if err != nil {
			return err
		}
		if err := r.place(p); err != nil {
			return err
		}
	}
	names, err := peopleNames(ctx, acc)
	if err != nil {
		return err
	}
	for m, err := range acc.Moments(ctx, index.MomentQuery{Kind: index.KindTrip, Order: index.OldestFirst}) {
		if err != nil {
			return err
		}
		if err := r.moment(m, names); err != nil {
			return err
		}
	}
	day := ""
	for m, err := range acc.Moments(ctx, index.MomentQuery{Order: index.OldestFirst}) {
		if err != nil {
			return err
		}
		if d := dayOf(m.First); !r.cfg.json && d != day {
			day = d
			if _, err := fmt.Fprintln(r.results, d); err != nil {
				return err
			}
		}
		if err := r.moment(m, names); err != nil {
			return err
		}
	}
	return nil
}

// peopleNames are the names of those who have one.
func peopleNames(ctx context.Context, acc *index.Account) (map[index.PersonID]string, error) {
	names := map[index.PersonID]string{}
	for p, err := range acc.People(ctx, index.PeopleQuery{}) {
		if err != nil {
			return nil, err
		}
		if p.Name != "" {
			names[p.ID] = p.Name
		}
	}
	return names, nil
}

func dayOf(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format("2006-01-02 Mon")
}

func (r *reporter) place(p index.Place) error {
	if r.cfg.json {
		r.event("place", map[string]any{
			"id": p.ID, "kind": p.Kind, "lat": p.Lat, "lon": p.Lon, "radius_m": p.Radius, "photos": p.Shots, "days": p.Days,
			"first": dayOf(p.First)[:10], "last": dayOf(p.Last)[:10], "name": p.Name, "region": p.Region, "country": p.Country,
		})
		return nil
	}
	_, err := fmt.Fprintf(r.results, "%-8s  %-28s %5s on %s, %s to %s\n", p.Kind, printable(spot(p.Named, p.Lat, p.Lon)),
		count(p.Shots, "photo", "photos"), count(p.Days, "day", "days"), dayOf(p.First)[:10], dayOf(p.Last)[:10])
	return err
}

// spot is what to call a place: its name, or where it is.
func spot(n index.Named, lat, lon float64) string {
	if n.Name == "" {
		return fmt.Sprintf("%.3f, %.3f", lat, lon)
	}
	if n.Country == "" {
		return n.Name
	}
	return n.Name + ", " + n.Country
}

func (r *reporter) moment(m index.Moment, names map[index.PersonID]string) error {
	var who []string
	for _, p := range m.People {
		if name := names[p.Key]; name != "" {
			who = append(who, name)
		}
	}
	where := ""
	if s := m.Spot; s != nil {
		where = spot(s.Named, s.Lat, s.Lon)
	}
	if r.cfg.json {
		e := map[string]any{
			"id": m.ID, "kind": m.Kind, "first_day": dayOf(m.First)[:10], "last_day": dayOf(m.Last)[:10], "photos": m.Shots,
			"cover": m.Cover, "people": who, "where": where, "day": m.Day, "trip": m.Trip,
		}
		if !m.Coarse {
			e["begin"], e["end"] = m.Begin.Format(wallLayout), m.End.Format(wallLayout)
		}
		r.event(string(m.Kind), e)
		return nil
	}
	text := fmt.Sprintf("  %-13s", span(m))
	if m.Kind == index.KindTrip {
		text = fmt.Sprintf("trip      %s to %s", dayOf(m.First)[:10], dayOf(m.Last)[:10])
	}
	text += fmt.Sprintf("  %-28s %s", printable(where), count(m.Shots, "photo", "photos"))
	if len(who) > 0 {
		text += "  " + printable(strings.Join(who, ", "))
	}
	_, err := fmt.Fprintln(r.results, text)
	return err
}

const wallLayout = "2006-01-02T15:04:05"

// span is from when to when a moment was, on the wall there.
func span(m index.Moment) string {
	if m.Coarse {
		return "some time"
	}
	begin, end := m.Begin.Format("15:04"), m.End.Format("15:04")
	if begin == end {
		return begin
	}
	return begin + " - " + end
}
