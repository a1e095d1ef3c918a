package store

import (
	"path/filepath"
	"testing"
	"time"
)

// An account of version 3, of before there were rights, opens with all that it
// knows, in plain and sealed.
func TestMigrateVersion3(t *testing.T) {
	needsPlain(t)
	for name, keys := range map[string]KeyProvider{"plain": nil, "sealed": fixedKeys{}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.kith")
			old := must1[schema](t)(loadSchema(schemaFS, "schema"))[:3]
			db := must1[*DB](t)(open(t.Context(), path, Options{AccountID: "anna", Now: clock()}, old))
			must(t, db.Close())
			pool := openSQL(path, readWrite, nil)
			for _, query := range []string{
				`INSERT INTO photos VALUES (1, 'photo', 'a.jpg', 1, 0, 0, zeroblob(32), 400, 300, 1, 'ok', '', '', '',
					'wide', NULL, 0, 'none', 60.5, 22.25, NULL, 'Acme', 'One')`,
				"INSERT INTO spaces VALUES (1, 'wide', 1, '{}')",
				"INSERT INTO people VALUES (1, 'anna', 'Anna', NULL, 0, 0, 0)",
				"INSERT INTO faces VALUES (1, 'face', 1, 1, 2, 9, 9, zeroblob(80), 0.9, 0.5, 'test', 1, 'decision', NULL)",
				"INSERT INTO vectors VALUES (1, 1, x'0000803f')",
				"INSERT INTO consent VALUES (7, 1, 5, 'anna', '1', 'host')",
				"INSERT INTO decisions VALUES (3, 'decision', 'name', 9, 'anna', '', 'Anna', '', zeroblob(64), x'', NULL, NULL, NULL)",
			} {
				if _, err := pool.Exec(query); err != nil {
					t.Fatal(err)
				}
			}
			must(t, pool.Close())
			db = openAt(t, path, Options{AccountID: "anna", Keys: keys})
			ctx := t.Context()
			p := must1[Photo](t)(db.PhotoByPath(ctx, "a.jpg"))
			if since := time.Since(p.Added); since > time.Hour || since < -time.Hour || p.GPS == nil || p.GPS.Lat != 60.5 || p.Camera.Model != "One" {
				t.Errorf("the photo: %+v", p)
			}
			if e := must1[Person](t)(db.Person(ctx, "anna")); e.Name != "Anna" || e.Faces != 1 {
				t.Errorf("the person: %+v", e)
			}
			if v := must1[Embeddings](t)(db.Embeddings(ctx, "wide")); len(v.Data) != 1 || v.Data[0] != 1 {
				t.Errorf("the vectors: %+v", v)
			}
			if d := must1[Decision](t)(db.Decision(ctx, "decision")); d.Name != "Anna" || len(d.Faces) != 1 || d.Correction != nil {
				t.Errorf("the decision: %+v", d)
			}
			c := must1[Consent](t)(db.Consent(ctx))
			if !c.Given || c.Purpose != PurposeFaces || c.By != "anna" || c.Means != "host" {
				t.Errorf("the consent: %+v", c)
			}
			must(t, db.PutConsent(ctx, Consent{By: "bert"})) // after the 7th
			if all := must1[[]Consent](t)(db.Consents(ctx)); len(all) != 2 || all[1].By != "bert" {
				t.Errorf("the consents: %+v", all)
			}
		})
	}
}
