package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// eraseAs runs one of the erasures, by a name and what it is of.
func eraseAs(ctx context.Context, db *DB, op, of string) (Receipt, error) {
	switch op {
	case "person":
		return db.ErasePerson(ctx, PersonID(of), "erase person")
	case "photos":
		return db.ErasePhotos(ctx, PhotoID(of))
	case "name":
		return db.EraseName(ctx, Consent{Person: PersonID(of), By: "host"})
	case "biometrics":
		return db.EraseBiometrics(ctx, of == "keep")
	case "withdraw":
		return db.WithdrawConsent(ctx, Consent{By: "host"}, of == "keep")
	case "strangers":
		return db.Expire(ctx, Cutoffs{ClassStrangers: start.AddDate(1, 0, 0)})
	case "friend":
		return db.Unpair(ctx, FriendID(of), "unpair")
	case "all":
		return db.EraseAll(ctx)
	}
	return Receipt{}, fmt.Errorf("unknown erasure %q", op)
}

// erasure says what one of them must do to the cast.
type erasure struct {
	op     string
	of     func(*cast) string
	gone   func(group string) bool // which marks
	counts Counts
	diff   []string // of the rows of listings, as differences tells them
}

func hasAny(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// isFace tells the marks of faces.
func isFace(group string) bool { return strings.Contains(group, "@") }

func isBox(group string) bool { return strings.HasSuffix(group, "(box)") }

func of(s string) func(*cast) string { return func(*cast) string { return s } }

// allFaces are those of the cast, as lines of a difference.
var allFaces = []string{
	"anna@Pathmark-a.jpg", "anna@Pathmark-b.jpg", "anna@Pathmark-copy.jpg", "bert@Pathmark-b.jpg", "bert@Pathmark-c.jpg", "clara@Pathmark-d.jpg",
	"dora@Pathmark-e.jpg", "ghost@Pathmark-e.jpg", "nobody@Pathmark-a.jpg", "nobody@Pathmark-copy.jpg", "stranger@Pathmark-c.jpg",
}

func lines(prefix string, names ...string) (out []string) {
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

var erasures = map[string]erasure{
	// Anna was once Clara, Dora was split from her, and some faces of Bert's
	// were hers.
	"a person": {
		op: "person", of: func(c *cast) string { return string(c.people["anna"]) },
		gone: func(g string) bool {
			return !isBox(g) && g != "anna (row)" && hasAny(g, "anna", "clara")
		},
		counts: Counts{ClassFaces: 4, ClassTemplates: 4, ClassPeople: 1, ClassDecisions: 4, ClassConsent: 1},
		diff: slices.Concat([]string{"-person anna", "-decision name anna", "-decision name clara", "-decision merge", "-decision different",
			"~decision split", "~decision same", "~decision same mixed", "~consents ", "~friend maija"},
			lines("-face ", allFaces[0], allFaces[1], allFaces[2], allFaces[5])),
	},
	"photos": {
		op: "photos", of: func(c *cast) string { return string(c.photo("b").ID) },
		gone: func(g string) bool {
			return strings.Contains(g, "Pathmark-b.jpg") || g == beforeCorrection || g == "maija's day"
		},
		counts: Counts{ClassPhotos: 1, ClassFaces: 2, ClassTemplates: 2, ClassDecisions: 4, ClassShares: 1},
		diff: slices.Concat([]string{"-photo Pathmark-b.jpg", "-file Pathmark-b.jpg", "-bypath Pathmark-b.jpg", "-decision cover", "-decision place", "-decision same mixed",
			"~decision name anna", "~decision name bert", "~decision merge", "~decision split", "~decision different", "~decision same", "~decision remove",
			"~person anna", "~person bert", "-shot Pathmark-b.jpg", "~offer proposed", "-choice refused", "~round open", "-outgoing of the day"}, lines("-moment moment ", "3", "4", "5"), lines("-place place ", "1"),
			lines("-face ", allFaces[1], allFaces[3])),
	},
	"photos with a copy": {
		op: "photos", of: func(c *cast) string { return string(c.photo("a").ID) },
		gone: func(g string) bool {
			return strings.Contains(g, "Pathmark-a") || strings.Contains(g, "Pathmark-copy") || g == "maija's day"
		},
		counts: Counts{ClassPhotos: 2, ClassFaces: 4, ClassTemplates: 4, ClassShares: 1},
		diff: slices.Concat(lines("-photo ", "Pathmark-a.jpg", "Pathmark-copy.jpg"), lines("-file ", "Pathmark-a.jpg", "Pathmark-copy.jpg"),
			lines("-bypath ", "Pathmark-a.jpg", "Pathmark-copy.jpg"),
			lines("-shot ", "Pathmark-a.jpg", "Pathmark-copy.jpg"), lines("-moment moment ", "0", "1", "2"), lines("-place place ", "0"),
			lines("~decision ", "name anna", "merge", "split", "different"),
			[]string{"~person anna", "~offer wanted", "~choice accepted", "~round open", "-outgoing of the day"},
			lines("-face ", allFaces[0], allFaces[2], allFaces[8], allFaces[9])),
	},
	"a name": {
		op: "name", of: func(c *cast) string { return string(c.people["anna"]) },
		gone:   func(g string) bool { return g == "anna" || g == "clara" },
		counts: Counts{ClassDecisions: 2},
		diff:   []string{"~person anna", "-decision name anna", "-decision name clara", "~decision merge", "~consents "},
	},
	"biometrics": {
		op: "biometrics", of: of(""),
		gone: func(g string) bool {
			return isFace(g) || hasAny(g, "anna", "bert", "clara", "dora", "stranger")
		},
		counts: Counts{ClassFaces: 11, ClassTemplates: 11, ClassPeople: 4, ClassDecisions: 12, ClassConsent: 1},
	},
	"biometrics, names kept": {
		op: "biometrics", of: of("keep"),
		gone: func(g string) bool {
			return isFace(g) && !isBox(g) || g == "nobody@Pathmark-a.jpg (box)" || g == "stranger (row)"
		},
		counts: Counts{ClassFaces: 11, ClassTemplates: 11, ClassPeople: 1},
	},
	"by withdrawal": {
		op: "withdraw", of: of(""),
		gone: func(g string) bool {
			return isFace(g) || hasAny(g, "anna", "bert", "clara", "dora", "stranger")
		},
		counts: Counts{ClassFaces: 11, ClassTemplates: 11, ClassPeople: 4, ClassDecisions: 12, ClassConsent: 1},
	},
	"strangers": {
		op: "strangers", of: of(""),
		gone: func(g string) bool {
			// Who was removed from Bert is in that decision, and events tell of
			// people, by their ids.
			return hasAny(g, "nobody", "stranger") && g != "stranger@Pathmark-c.jpg (box)" && g != "stranger (row)"
		},
		counts: Counts{ClassFaces: 3, ClassTemplates: 3, ClassPeople: 1},
		diff:   append(lines("-face ", allFaces[8], allFaces[9], allFaces[10]), "-person stranger"),
	},
	// With all of the pair.
	"a friend": {
		op: "friend", of: func(c *cast) string { return c.idOf("maija") },
		gone:   func(g string) bool { return hasAny(g, "maija") },
		counts: Counts{ClassDecisions: 2, ClassShares: 5, ClassFriends: 1},
		diff: []string{"-friend maija", "-round open", "-round held", "-outgoing of the day", "-outgoing of later", "-offer proposed", "-offer wanted",
			"-offer asked", "-choice accepted", "-choice refused"},
	},
	"all": {
		op: "all", of: of(""), gone: func(string) bool { return true },
		counts: Counts{ClassPhotos: 7, ClassFaces: 11, ClassTemplates: 11, ClassPeople: 4, ClassDecisions: 16, ClassConsent: 2, ClassSettings: 1, ClassExports: 1,
			ClassShares: 6, ClassFriends: 1},
	},
}

// everyLayout runs a test on an account with vectors in rows and one with
// vectors in chunks.
func everyLayout(t *testing.T, f func(t *testing.T, perChunk int)) {
	needsPlain(t)
	for name, perChunk := range map[string]int{"in rows": 0, "in chunks": castPerChunk} {
		t.Run(name, func(t *testing.T) { f(t, perChunk) })
	}
}

// rowsOf are the rows of which erasure.diff speaks. Vectors go with faces, and
// lists of other rows say what these say.
func rowsOf(rows map[string]string) map[string]string {
	rows = maps.Clone(rows)
	maps.DeleteFunc(rows, func(key, _ string) bool {
		return !hasAny(key, "face ", "person ", "decision ", "photo ", "file ", "bypath ", "consents ", "products ", "setting ", "spaces ",
			"place ", "moment ", "shot ", "friend ", "round ", "outgoing ", "offer ", "choice ")
	})
	return rows
}

func TestErasures(t *testing.T) {
	alone(t)
	everyLayout(t, func(t *testing.T, perChunk int) {
		for name, e := range erasures {
			t.Run(name, func(t *testing.T) { testErasure(t, e, perChunk) })
		}
	})
}

func testErasure(t *testing.T, e erasure, perChunk int) {
	c, dir := castAt(t, Options{perChunk: perChunk})
	before := c.everything(t, c.db)
	gone := c.all(c.groups(e.gone)...)
	stays := c.all(c.groups(func(g string) bool { return !e.gone(g) && g != beforeCorrection })...)
	if m := gone.missing(t, dir); len(m) > 0 {
		t.Fatalf("%q is not found before: the test says nothing of it", m)
	}
	r := must1[Receipt](t)(eraseAs(WithActor(t.Context(), "admin:7"), c.db, e.op, e.of(c)))
	if !maps.Equal(r.Counts, e.counts) || r.Actor != "admin:7" || r.ID == "" || r.At.IsZero() {
		t.Errorf("receipt %+v, want counts %v", r, e.counts)
	}
	after := c.everything(t, c.db)
	if e.diff != nil {
		slices.Sort(e.diff)
		if d := differences(rowsOf(before), rowsOf(after)); !slices.Equal(d, e.diff) {
			t.Errorf("of the listings changed\n %q, want\n %q", d, e.diff)
		}
	}
	look := func(when string) {
		t.Helper()
		if found := gone.in(t, dir); len(found) > 0 {
			t.Errorf("%s: %q is there still", when, found)
		}
		if missing := stays.missing(t, dir); len(missing) > 0 {
			t.Errorf("%s: %q went too", when, missing)
		}
	}
	look("while open")
	var free, scrub int
	must(t, c.db.read.QueryRow("PRAGMA freelist_count").Scan(&free))
	must(t, c.db.read.QueryRow("SELECT scrub FROM account").Scan(&scrub))
	if free != 0 || scrub != 0 {
		t.Errorf("%d pages are unused, scrub is %d", free, scrub)
	}
	mustCheck(t, c.db)
	mustBeImpersonal(t, c)
	must(t, c.db.Close())
	look("closed")
	db := must1[*DB](t)(Open(t.Context(), filepath.Join(dir, "a.kith"), Options{perChunk: perChunk, Now: clock()}))
	if d := differences(after, c.everything(t, db)); len(d) > 0 {
		t.Errorf("opened again: %q", d)
	}
	look("opened again")
	mustCheck(t, db)
	must(t, db.Close())
}

// mustBeImpersonal looks for every mark there is in the audit's bytes.
func mustBeImpersonal(t *testing.T, c *cast) {
	t.Helper()
	var all strings.Builder
	for e, err := range c.db.Audit(t.Context()) {
		must(t, err)
		fmt.Fprintf(&all, "%s %s %s %v\n", e.ID, e.Actor, e.Action, e.Counts)
	}
	must(t, each(t.Context(), c.db.read, "SELECT quote(uid) || quote(actor) || quote(action) || quote(counts) || quote(hash) FROM audit", nil,
		func(rows *sql.Rows) error {
			var s string
			err := rows.Scan(&s)
			all.WriteString(s)
			return err
		}))
	for what, mark := range c.all(c.groups(func(string) bool { return true })...) {
		if text := all.String(); strings.Contains(text, mark) || strings.Contains(text, strings.ToUpper(fmt.Sprintf("%x", mark))) {
			t.Errorf("the audit holds %s", what)
		}
	}
}

// What somebody asks for that is not there changes nothing and leaves no entry.
func TestEraseUnknown(t *testing.T) {
	c, _ := castAt(t, Options{})
	before := c.everything(t, c.db)
	for _, op := range []string{"person", "photos"} {
		if r, err := eraseAs(t.Context(), c.db, op, "unknown"); !errors.Is(err, ErrNotFound) || r.ID != "" {
			t.Errorf("%s: %+v, %v, want ErrNotFound", op, r, err)
		}
	}
	if _, err := c.db.ErasePhotos(t.Context(), c.photo("a").ID, "unknown"); !errors.Is(err, ErrNotFound) {
		t.Errorf("one known, one not: %v, want ErrNotFound", err)
	}
	if d := differences(before, c.everything(t, c.db)); len(d) > 0 {
		t.Errorf("it changed %q", d)
	}
}
