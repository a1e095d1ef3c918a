package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kith-photos/kith/face/facetest"
	"github.com/kith-photos/kith/index"
)

// painted DB [KEYS KEY] makes an account without models: seven photos of painted
// faces, Anna Marked on four, Bert Marked on three, strangers on most.
func painted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: painted DB [KEYS KEY]")
	}
	var cfg config
	if len(args) == 3 {
		cfg.keys, cfg.key = ts.MkAbs(args[1]), ts.MkAbs(args[2])
	}
	keys, err := openKeys(cfg)
	ts.Check(err)
	ctx := context.Background()
	acc, err := index.Open(ctx, ts.MkAbs(args[0]), index.Config{Analyzer: facetest.NewAnalyzer(), Keys: keys})
	ts.Check(err)
	defer func() { ts.Check(acc.Close()) }()
	ts.Check(acc.SetConsent(ctx, index.Consent{Given: true, By: "owner", Version: "1", Means: "test"}))
	src := fstest.MapFS{}
	for i, people := range [][]int{{1, 5}, {1, 6}, {1, 7, 8}, {1, 12}, {2}, {2, 9}, {2, 10, 11}} {
		var b bytes.Buffer
		ts.Check(png.Encode(&b, facetest.Photo(240, 128, people...)))
		src[fmt.Sprintf("holiday-%d.png", i)] = &fstest.MapFile{Data: b.Bytes()}
	}
	_, err = acc.Reindex(ctx, src, index.ReindexOptions{})
	ts.Check(err)
	var ids []index.PersonID
	for p, err := range acc.People(ctx, index.PeopleQuery{MinFaces: 3}) {
		ts.Check(err)
		ids = append(ids, p.ID)
	}
	if len(ids) != 2 {
		ts.Fatalf("%d people in the painted photos, want 2", len(ids))
	}
	for i, name := range []string{"Anna Marked", "Bert Marked"} {
		_, err := acc.Name(ctx, ids[i], name)
		ts.Check(err)
	}
}

// traces TEXT DB tells that the text is in the bytes of the account's files;
// ! traces, that it is in none.
func traces(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] traces TEXT DB")
	}
	files, err := filepath.Glob(ts.MkAbs(args[1]) + "*")
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("there is no %s", args[1])
	}
	found := slices.IndexFunc(files, func(file string) bool {
		data, err := os.ReadFile(file)
		ts.Check(err)
		return strings.Contains(string(data), args[0])
	})
	if found >= 0 && neg {
		ts.Fatalf("%q is in %s", args[0], files[found])
	}
	if found < 0 && !neg {
		ts.Fatalf("%q is in none of %v", args[0], files)
	}
}

// damage PATTERN AT flips a bit of the one file that there is.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage PATTERN AT")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%s: %d files, want one", args[0], len(files))
	}
	data, err := os.ReadFile(files[0])
	ts.Check(err)
	data[at] ^= 1
	ts.Check(os.WriteFile(files[0], data, 0o600))
}

// tamper DB STATEMENT changes an account behind kith's back.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tamper DB STATEMENT")
	}
	db, err := sql.Open("sqlite3", ts.MkAbs(args[0])) // the driver that store registers
	ts.Check(err)
	defer func() { ts.Check(db.Close()) }()
	done, err := db.Exec(args[1])
	ts.Check(err)
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("%s changed %d rows (%v)", args[1], n, err)
	}
}

// capture NAME REGEXP keeps a part of the last standard output in a variable.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	m := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}
