package store

import (
	"path/filepath"
	"testing"

	"github.com/kith-photos/kith/exif"
)

// An account of version 4, of before when and where were worked out, opens with
// all that it knows, to be arranged and to have its metadata read once more.
func TestMigrateVersion4(t *testing.T) {
	needsPlain(t)
	for name, keys := range map[string]KeyProvider{"plain": nil, "sealed": fixedKeys{}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.kith")
			old := must1[schema](t)(loadSchema(schemaFS, "schema"))[:4]
			db := must1[*DB](t)(open(t.Context(), path, Options{AccountID: "anna", Now: clock()}, old))
			must(t, db.Close())
			pool := openSQL(path, readWrite, nil)
			for _, query := range []string{
				`INSERT INTO photos (id, uid, path, size, mtime_s, mtime_ns, sha256, width, height, orientation, status, stage, error,
					warning, analyzer, taken_wall, taken_offset, taken_zone, lat, lon, make, model, original, added)
					VALUES (1, 'photo', 'a.jpg', 1, 0, 0, x'0000000000000000000000000000000000000000000000000000000000000001', 400, 300, 1, 'pending', '', '', '', '',
					1000000, 7200, 'offset', 60.5, 22.25, 'Acme', 'One',
					'{"taken":{"wall":"1970-01-01T00:00:01Z","offset":7200,"zone":"offset"},"spot":{"Lat":1.5,"Lon":2.5}}', 5)`,
				`INSERT INTO decisions (seq, uid, kind, at, person, other, name, old_name, faces, others, before, value)
					VALUES (3, 'decision', 'place', 9, '', '', '', '', x'00000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000000', x'', NULL, '{"spot":{"Lat":60.5,"Lon":22.25}}')`,
			} {
				if _, err := pool.Exec(query); err != nil {
					t.Fatal(err)
				}
			}
			must(t, pool.Close())
			db = openAt(t, path, Options{AccountID: "anna", Keys: keys})
			ctx := t.Context()
			p := must1[Photo](t)(db.PhotoByPath(ctx, "a.jpg"))
			if p.GPS == nil || p.GPS.Lat != 60.5 || p.Camera != (exif.Camera{Make: "Acme", Model: "One"}) || p.Reader != 0 || p.Burst != "" || !p.Corrected {
				t.Errorf("the photo: %+v", p)
			}
			if about, current, err := db.ArrangedBy(ctx); about != "" || current || err != nil {
				t.Errorf("arranged by %q, %v, %v", about, current, err)
			}
			must(t, db.Revoke(ctx, "decision", Assignment{}))
			if p := must1[Photo](t)(db.PhotoByPath(ctx, "a.jpg")); p.GPS == nil || p.GPS.Lat != 1.5 || p.Corrected {
				t.Errorf("the photo, undone: %+v", p)
			}
		})
	}
}
