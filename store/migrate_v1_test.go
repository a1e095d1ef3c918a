package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// fromVersion1 is an account as version 1 of the schema left it: two people,
// merged at second 10 and parted again at second 30, and names in between and
// after. The clock jumped back before the last.
func fromVersion1(t *testing.T, path string) {
	t.Helper()
	first := must1[schema](t)(loadSchema(schemaFS, "schema"))[:1]
	db := must1[*DB](t)(open(t.Context(), path, Options{AccountID: "anna", Now: clock()}, first))
	must(t, db.Close())
	ref := fmt.Sprintf("x'%x'", must1[[]byte](t)(packRefs([]FaceRef{{sha("1"), faceAt(0).Box}})))
	decision := func(uid, kind string, at int, revoked string) string {
		return fmt.Sprintf(`INSERT INTO decisions (uid, kind, at, person, other, name, old_name, faces, others, revoked)
			VALUES ('%s', '%s', %d, 'anna', 'bert', 'Anna', '', %s, x'', %s)`, uid, kind, at*1e6, ref, revoked)
	}
	rawExec(t, path,
		`INSERT INTO photos VALUES (1, 'photo', 'a.jpg', 1, 0, 0, `+fmt.Sprintf("x'%x'", sha("1"))+`, 400, 300, 1, 'ok', '', '', '',
			'test-space', NULL, 0, 'none', NULL, NULL, NULL, '', '')`,
		"INSERT INTO spaces VALUES (1, 'test-space', 8, '{}')",
		"INSERT INTO people VALUES (1, 'anna', 'Anna', NULL, 5000000)",
		`INSERT INTO faces VALUES (1, 'face', 1, 0, 20, 100, 100, zeroblob(80), 0.9, 0.5, 'test', 1, 'group')`,
		"INSERT INTO vectors VALUES (1, 1, x'0000803f"+fmt.Sprintf("%056d", 0)+"')",
		"UPDATE people SET cover = 1",
		decision("merge", "merge", 10, "30000000"),
		decision("between", "name", 20, "NULL"),
		decision("after", "name", 40, "NULL"),
		decision("early", "split", 50, "45000000"), // revoked before it was made, by the clock
		decision("last", "name", 15, "NULL"),
	)
}

func TestMigrateVersion1(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	fromVersion1(t, path)
	db := openAt(t, path, Options{AccountID: "anna", Now: clock()})
	ctx := t.Context()
	mustCheck(t, db)
	after := map[DecisionID]int64{}
	for _, d := range collect(t, db.Decisions(ctx)) {
		if d.Before != nil || len(d.Faces) != 1 || (d.Revoked != nil) != (d.RevokedAfter != 0) {
			t.Errorf("%+v", d)
		}
		after[d.ID] = d.RevokedAfter
	}
	// By the clock "last" was there too when the merge was revoked: there is
	// nothing better to go by.
	if len(after) != 5 || after["merge"] != 5 || after["early"] != 5 || after["between"] != 0 {
		t.Errorf("revoked after %v", after)
	}
	p := must1[Person](t)(db.Person(ctx, "anna"))
	if want := (Person{ID: "anna", Name: "Anna", Faces: 1, Photos: 1, Cover: "face", Created: time.Unix(5, 0).UTC()}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	if f := must1[Face](t)(db.Face(ctx, "face")); f.Rejected != "" || f.Person != "anna" {
		t.Errorf("%+v", f)
	}
	if events := collect(t, db.Events(ctx, 0)); len(events) != 0 {
		t.Errorf("events: %+v", events)
	}
	// The account works as any other.
	must(t, db.PutSpace(ctx, Space{Name: testSpace, Dim: testDim}))
	id := must1[DecisionID](t)(db.Decide(ctx, Decision{ID: "no", Kind: DecisionNotAFace}, Assignment{
		Faces: map[FaceID]Placed{"face": {Reject: "no"}},
	}))
	must(t, db.Revoke(ctx, id, Assignment{Faces: map[FaceID]Placed{"face": {}}}))
	if d := must1[Decision](t)(db.Decision(ctx, id)); d.RevokedAfter != 6 {
		t.Errorf("%+v", d)
	}
}
