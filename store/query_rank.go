package store

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kith-photos/kith/exif"
)

// keyed turns counts by rows into those by keys.
func keyed[K comparable](counts map[int64]int, key func(int64) K) map[K]int {
	out := make(map[K]int, len(counts))
	for row, n := range counts {
		out[key(row)] += n
	}
	return out
}

// rank is the greatest counts, and for equal ones the least keys first.
func rank[K comparable](counts map[K]int, top int, compare func(a, b K) int) []Count[K] {
	out := make([]Count[K], 0, len(counts))
	for k, n := range counts {
		out = append(out, Count[K]{k, n})
	}
	slices.SortFunc(out, func(a, b Count[K]) int {
		return cmp.Or(cmp.Compare(b.Photos, a.Photos), compare(a.Key, b.Key))
	})
	if top > 0 && len(out) > top {
		out = slices.Clone(out[:top])
	}
	return out
}

// cut drops what cannot be among the greatest counts.
func cut(counts map[int64]int, top int) {
	if top <= 0 || len(counts) <= top {
		return
	}
	all := make([]int, 0, len(counts))
	for _, n := range counts {
		all = append(all, n)
	}
	slices.Sort(all)
	least := all[len(all)-top]
	for row, n := range counts {
		if n < least {
			delete(counts, row)
		}
	}
}

// rankIDs ranks rows of a table by the ids that they have outside of it.
func rankIDs[K ~string](f *finder, table string, counts map[int64]int, top int) ([]Count[K], error) {
	counts = keyed(counts, func(row int64) int64 { return row }) // another facet may need them all
	cut(counts, top)
	ids, err := f.uids(table, counts)
	if err != nil {
		return nil, err
	}
	return rank(keyed(counts, func(row int64) K { return K(ids[row]) }), top, cmp.Compare[K]), nil
}

// uids are the ids of a table's rows.
func (f *finder) uids(table string, rows map[int64]int) (map[int64]string, error) {
	list := slices.Sorted(maps.Keys(rows))
	text, err := f.text("SELECT group_concat(t.id || ' ' || t.uid, char(10)) FROM json_each(?) j CROSS JOIN "+table+
		" t ON t.id = j.value", jsonList(list))
	if err != nil {
		return nil, err
	}
	ids := make(map[int64]string, len(list))
	return ids, eachLine(text, "\n", func(line string) error {
		id, uid, _ := strings.Cut(line, " ")
		row, err := strconv.ParseInt(id, 10, 64)
		ids[row] = uid
		return asCorrupt(err, table, uid)
	})
}

func (f *finder) rankCameras(counts map[int64]int, top int) ([]Count[exif.Camera], error) {
	cameras, rows, err := loadValues(f.ctx, f.db, f.sql, "cameras", "CAST(id AS TEXT)", func(*exif.Camera, string) {})
	if err != nil {
		return nil, err
	}
	byCamera := map[exif.Camera]int{}
	for i, row := range rows {
		if n := counts[row]; n > 0 {
			byCamera[cameras[i]] += n
		}
	}
	return rank(byCamera, top, compareCameras), nil
}

func compareCameras(a, b exif.Camera) int {
	return cmp.Or(cmp.Compare(a.Make, b.Make), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Serial, b.Serial))
}

func (f *finder) rankCountries(counts map[int64]int, top int) ([]Count[string], error) {
	byCountry := map[string]int{}
	if len(counts) == 0 { // no rows would be all
		return []Count[string]{}, nil
	}
	err := f.cells(slices.Sorted(maps.Keys(counts)), func(row int64, value string) error {
		_, country, err := cellAndCountry(value)
		if country != "" {
			byCountry[country] += counts[row]
		}
		return err
	})
	return rank(byCountry, top, cmp.Compare[string]), err
}
