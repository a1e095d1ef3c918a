package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The hashes are those that testdata/audit/golden.py computes, in another
// language and from the description alone.
func TestAuditGolden(t *testing.T) {
	var before [32]byte
	for _, g := range []struct {
		e    AuditEntry
		want string
	}{
		{AuditEntry{
			Seq: 1, At: fromMicros(1715938200000000), ID: strings.Repeat("a", 26), Action: "consent given", Counts: Counts{ClassConsent: 1},
		}, "e65a98fd5e7807bfae2bb9ee14f7611f0b2b5157733275944a8b52c1e6193e4b"},
		{AuditEntry{
			Seq: 2, At: fromMicros(1715938200000001), ID: strings.Repeat("b", 26), Actor: "admin:7", Action: "erase person",
			Counts: Counts{ClassFaces: 12, ClassTemplates: 12, ClassPeople: 1, ClassDecisions: 3},
		}, "ca5b3c9488e46e23ae1f8519260792af8fc5d3111519142cdca3f18b2e529f74"},
		{AuditEntry{
			Seq: 1 << 32, At: fromMicros(-1), ID: strings.Repeat("c", 26), Actor: "a/b@c", Action: "décide: überall", Counts: Counts{},
		}, "606cb5754e7b0ef440865b5f2d6189b0004e9e963fe37c9f05451478e61cbb4d"},
	} {
		before = g.e.digest("golden account", before)
		if got := hex.EncodeToString(before[:]); got != g.want {
			t.Errorf("entry %d: %s, want %s", g.e.Seq, got, g.want)
		}
	}
}

// auditedAt makes an account with an audit of six entries, a minute apart.
func auditedAt(t *testing.T, path string) (*DB, *time.Time) {
	t.Helper()
	now := start
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{AccountID: "audited", Now: func() time.Time { return now }}))
	t.Cleanup(func() { _ = db.Close() })
	ctx := WithActor(t.Context(), "admin:7")
	for n, do := range []func() error{
		func() error { return db.PutConsent(ctx, Consent{Given: true}) },
		func() error { return second(db.Note(ctx, "search", Counts{ClassFaces: 3, ClassPhotos: 0})) },
		func() error { return second(db.SetRestricted(ctx, true)) },
		func() error { return second(db.SetRestricted(t.Context(), false)) },
		func() error { return second(db.EraseBiometrics(ctx, false)) },
		func() error { return second(db.Note(ctx, "export", Counts{ClassPhotos: 2, ClassPeople: 1})) },
	} {
		now = start.Add(time.Duration(n) * time.Minute)
		must(t, do())
	}
	return db, &now
}

func TestAuditListed(t *testing.T) {
	db, _ := auditedAt(t, filepath.Join(t.TempDir(), "a.kith"))
	var before [32]byte
	for i, e := range collect(t, db.Audit(t.Context())) {
		want := []string{"consent given", "search", "restrict", "lift restriction", "erase biometrics", "export"}[i]
		actor := "admin:7"
		if want == "lift restriction" {
			actor = ""
		}
		if e.Seq != int64(i+1) || e.Action != want || e.Actor != actor || !e.At.Equal(start.Add(time.Duration(i)*time.Minute)) || len(e.ID) != 26 {
			t.Errorf("entry %+v, want number %d, %q by %q", e, i+1, want, actor)
		}
		if _, zero := e.Counts[ClassPhotos]; want == "search" && zero {
			t.Errorf("%v: a count of zero is listed", e.Counts)
		}
		if before = e.digest("audited", before); before != e.Hash {
			t.Errorf("entry %d does not follow from those before", e.Seq)
		}
	}
	mustCheck(t, db)
}

// auditDamage is what must not go unnoticed, at entry %[1]d, next to %[2]d.
var auditDamage = map[string]string{
	"its number":               "UPDATE audit SET seq = seq + 100 WHERE seq = %[1]d",
	"its id":                   "UPDATE audit SET uid = lower(hex(randomblob(13))) WHERE seq = %[1]d",
	"its time":                 "UPDATE audit SET at = at + 1 WHERE seq = %[1]d",
	"its actor":                "UPDATE audit SET actor = actor || 'x' WHERE seq = %[1]d",
	"its action":               "UPDATE audit SET action = 'nothing' WHERE seq = %[1]d",
	"a count":                  `UPDATE audit SET counts = '{"faces":99}' WHERE seq = %[1]d`,
	"all counts":               "UPDATE audit SET counts = 'null' WHERE seq = %[1]d",
	"counts that are none":     "UPDATE audit SET counts = 'x' WHERE seq = %[1]d",
	"its hash":                 "UPDATE audit SET hash = zeroblob(32) WHERE seq = %[1]d",
	"half of its hash":         "UPDATE audit SET hash = substr(hash, 1, 16) WHERE seq = %[1]d",
	"it and all before":        "DELETE FROM audit WHERE seq <= %[1]d",
	"it and all after":         "DELETE FROM audit WHERE seq >= %[1]d",
	"it alone":                 "DELETE FROM audit WHERE seq = %[1]d",
	"its place":                "UPDATE audit SET seq = -1 WHERE seq = %[1]d; UPDATE audit SET seq = %[1]d WHERE seq = %[2]d; UPDATE audit SET seq = %[2]d WHERE seq = -1",
	"its place but numbers":    "CREATE TEMP TABLE two AS SELECT * FROM audit; UPDATE audit SET (uid, at, actor, action, counts, hash) = (SELECT 'x' || uid, at, actor, action, counts, hash FROM two WHERE two.seq = %[1]d + %[2]d - audit.seq) WHERE seq IN (%[1]d, %[2]d)",
	"a copy of it at the end":  "INSERT INTO audit SELECT (SELECT max(seq) + 1 FROM audit), 'copy', at, actor, action, counts, hash FROM audit WHERE seq = %[1]d",
	"a copy of it before all":  "INSERT INTO audit SELECT (SELECT min(seq) - 1 FROM audit), 'copy', at, actor, action, counts, hash FROM audit WHERE seq = %[1]d",
	"what they follow":         "UPDATE account SET anchor = randomblob(32) WHERE %[1]d",
	"half of what they follow": "UPDATE account SET anchor = x'00' WHERE %[1]d",
	"the account":              "UPDATE account SET uid = 'another' WHERE %[1]d",
}

// Whatever is changed, taken out, moved or put in, Check says so: in an audit
// from its beginning, and in one whose beginning expired.
func TestAuditDamage(t *testing.T) {
	needsPlain(t)
	for _, pruned := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a.kith")
		db, now := auditedAt(t, path)
		if pruned {
			*now = now.Add(time.Hour)
			must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{ClassAudit: start.Add(3 * time.Minute)}))
		}
		mustCheck(t, db)
		all := collect(t, db.Audit(t.Context()))
		must(t, db.Close())
		whole := must1[[]byte](t)(os.ReadFile(path))
		for name, damage := range auditDamage {
			t.Run(fmt.Sprintf("%s, pruned %v", name, pruned), func(t *testing.T) {
				for _, i := range []int{0, 1, len(all) - 1} {
					beside := all[(i+1)%len(all)].Seq
					if i == len(all)-1 {
						beside = all[i-1].Seq
					}
					must(t, os.WriteFile(path, whole, 0o600))
					rawExec(t, path, "PRAGMA ignore_check_constraints = ON; "+
						strings.NewReplacer("%[1]d", fmt.Sprint(all[i].Seq), "%[2]d", fmt.Sprint(beside)).Replace(damage))
					db := must1[*DB](t)(Open(t.Context(), path, Options{}))
					if found := faults(t, db); !strings.Contains(found, "audit") {
						t.Errorf("entry %d of %d: Check finds %q", i+1, len(all), found)
					}
					must(t, db.Close())
				}
			})
		}
	}
}

// Whoever can write the file and computes all hashes anew is found out by who
// kept the latest hash, as the documentation says; Check alone cannot.
func TestAuditKeptHash(t *testing.T) {
	needsPlain(t)
	path := filepath.Join(t.TempDir(), "a.kith")
	db, _ := auditedAt(t, path)
	all := collect(t, db.Audit(t.Context()))
	kept := all[len(all)-1]
	must(t, db.Close())
	var before [32]byte
	for _, e := range all {
		if e.Seq == 2 {
			e.Action = "nothing"
		}
		before = e.digest("audited", before)
		rawExec(t, path, fmt.Sprintf("UPDATE audit SET action = '%s', hash = x'%x' WHERE seq = %d", e.Action, before, e.Seq))
	}
	db = openAt(t, path, Options{})
	mustCheck(t, db)
	for _, e := range collect(t, db.Audit(t.Context())) {
		if e.Seq == kept.Seq && e.Hash == kept.Hash {
			t.Error("the latest hash is the one of before")
		}
	}
}

// What is left of an audit that expires step by step can be verified, to the
// last entry, and numbers are never used again.
func TestAuditPruned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	db, now := auditedAt(t, path)
	all := collect(t, db.Audit(t.Context()))
	for n := range all {
		*now = start.Add(time.Hour + time.Duration(n)*time.Minute)
		r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{ClassAudit: all[n].At}))
		if r.Counts[ClassAudit] != 1 || len(r.Counts) != 1 {
			t.Errorf("receipt %+v, want one entry gone", r)
		}
		left := collect(t, db.Audit(t.Context()))
		if len(left) != len(all) || left[len(left)-1].Hash != r.Hash || n+1 < len(all) && left[0].Hash != all[n+1].Hash {
			t.Errorf("after %d: %d entries, from number %d", n+1, len(left), left[0].Seq)
		}
		mustCheck(t, db)
		must(t, db.Close())
		db = must1[*DB](t)(testOpen(t.Context(), path, Options{Now: func() time.Time { return *now }}))
	}
	// All at once, and only what expired it is left.
	r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{ClassAudit: now.Add(time.Hour)}))
	if left := collect(t, db.Audit(t.Context())); len(left) != 1 || left[0].ID != r.ID || r.Counts[ClassAudit] != len(all) || r.Seq != int64(2*len(all)+1) {
		t.Errorf("%+v is left, receipt %+v", left, r)
	}
	mustCheck(t, db)
	must(t, db.Close())
}

// A clock that jumped back keeps entries that lie before a younger one.
func TestAuditClockJumpsBack(t *testing.T) {
	db, now := auditedAt(t, filepath.Join(t.TempDir(), "a.kith"))
	*now = start.Add(-time.Hour)
	e := must1[AuditEntry](t)(db.Note(t.Context(), "late", nil))
	if !e.At.Equal(*now) || e.Seq != 7 {
		t.Errorf("entry %+v", e)
	}
	mustCheck(t, db)
	*now = start.Add(time.Hour)
	if r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{ClassAudit: start.Add(-time.Minute)})); r.ID != "" {
		t.Errorf("receipt %+v: it is the last but not the oldest by its place", r)
	}
	if r := must1[Receipt](t)(db.Expire(t.Context(), Cutoffs{ClassAudit: start.Add(5 * time.Minute)})); r.Counts[ClassAudit] != 7 {
		t.Errorf("receipt %+v, want all seven gone", r)
	}
	mustCheck(t, db)
	must(t, db.Close())
}

// A name, or anything that could be one, is no actor; what is asked under it
// is not done.
func TestActors(t *testing.T) {
	c, _ := castAt(t, Options{})
	before := c.everything(t, c.db)
	for _, bad := range []string{
		"Anna Annamark", "änna", "a\x00", "a\n", "a'b", `a"b`, "a\\b", "<a>", "a;b", "a=b", "+1", "a b", "\u200b", "\xff", strings.Repeat("a", maxActor+1),
	} {
		ctx := WithActor(t.Context(), bad)
		for name, err := range map[string]error{
			"Note":        second(c.db.Note(ctx, "note", nil)),
			"PutConsent":  c.db.PutConsent(ctx, Consent{Given: true}),
			"ErasePerson": second(c.db.ErasePerson(ctx, c.people["anna"], "erase person")),
			"ErasePhotos": second(c.db.ErasePhotos(ctx, c.photo("a").ID)),
			"Biometrics":  second(c.db.EraseBiometrics(ctx, false)),
			"Withdraw":    second(c.db.WithdrawConsent(ctx, Consent{}, false)),
			"EraseName":   second(c.db.EraseName(ctx, Consent{Person: c.people["anna"]})),
			"Expire":      second(c.db.Expire(ctx, Cutoffs{ClassFaces: start.AddDate(1, 0, 0)})),
			"Restrict":    second(c.db.SetRestricted(ctx, true)),
			"Deleted":     second(c.db.SetDeleted(ctx, true)),
			"Decide":      second(c.db.Decide(ctx, Decision{Kind: DecisionIgnore, Person: c.people["anna"]}, Assignment{})),
			"Revoke":      c.db.Revoke(ctx, c.decisions["time"], Assignment{}),
			"EraseAll":    second(c.db.EraseAll(ctx)),
		} {
			if err == nil || !strings.Contains(err.Error(), "actor") || len(bad) > 3 && strings.Contains(err.Error(), bad) {
				t.Errorf("%s as %q: %v, want an error that says why and not who", name, bad, err)
			}
		}
		if d := differences(before, c.everything(t, c.db)); len(d) > 0 {
			t.Fatalf("as %q something was done: %q", bad, d)
		}
	}
	for _, good := range []string{"", "a", "Admin-7_.:@/", strings.Repeat("z", maxActor)} {
		if e := must1[AuditEntry](t)(c.db.Note(WithActor(t.Context(), good), "note", nil)); e.Actor != good {
			t.Errorf("%q is noted as %q", good, e.Actor)
		}
	}
}

// Whatever is noted, by whomever, is listed as it was and can be verified.
func TestAuditAny(t *testing.T) {
	base := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		db, err := testOpen(t.Context(), filepath.Join(base, fmt.Sprint(n)), Options{Now: clock()})
		must(t, err)
		defer func() { must(t, db.Close()) }()
		var want []AuditEntry
		for range rapid.IntRange(1, 6).Draw(rt, "entries") {
			actor, action := rapid.String().Draw(rt, "actor"), rapid.String().Draw(rt, "action")
			counts := rapid.MapOf(rapid.Custom(func(t *rapid.T) Class { return Class(rapid.String().Draw(t, "class")) }), rapid.Int()).Draw(rt, "counts")
			e, err := db.Note(WithActor(context.Background(), actor), action, counts)
			if err == nil {
				want = append(want, e)
			}
		}
		got := []AuditEntry{}
		for e, err := range db.Audit(context.Background()) {
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, e)
		}
		if !slices.EqualFunc(got, want, func(a, b AuditEntry) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			rt.Errorf("listed %+v, noted %+v", got, want)
		}
		for err := range db.Check(context.Background()) {
			var corrupt *CorruptError
			rt.Errorf("check: %v (%v)", err, errors.As(err, &corrupt))
		}
	})
}
