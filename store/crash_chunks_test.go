package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/kith-photos/kith/face"
)

// childDeath is where the child dies: the number of the statement, counted
// from 1, and what it does to which table, like "3 INSERT ON slots".
const childDeath = "KITH_STORE_TEST_DEATH"

const diePerChunk = 4

// childDie puts and drops photos until a trigger kills it in the middle of a
// transaction. With a page cache of next to nothing, much of that transaction
// is in the log by then.
func childDie(ctx context.Context, path string) error {
	db, err := testOpen(ctx, path, Options{perChunk: diePerChunk})
	if err != nil {
		return err
	}
	count, where, _ := strings.Cut(os.Getenv(childDeath), " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(c any) error {
		return c.(*sqlite3.SQLiteConn).RegisterFunc("die", func() int {
			if n--; n != 0 {
				return 0
			}
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			panic(err) // no later than here
		}, false)
	})
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	for _, s := range []string{"PRAGMA cache_size = 2", "CREATE TEMP TRIGGER dying AFTER " + where + " BEGIN SELECT die(); END"} {
		if _, err := db.write.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	for round := range 50 {
		if err := dieRound(ctx, db, round); err != nil {
			return err
		}
	}
	return fmt.Errorf("what it is to die of never happens: %s", where)
}

// dieRound puts three photos of as many faces as a chunk has and copies of two,
// finds fewer faces on one, and drops most of those of the round before.
func dieRound(ctx context.Context, db *DB, round int) error {
	var batch []Analysis
	for i := range 3 {
		path := fmt.Sprintf("%d/%d", round, i)
		a := Analysis{Photo: okPhoto(path, path)}
		for k := range diePerChunk {
			a.Faces = append(a.Faces, dieFace(k))
		}
		batch = append(batch, a)
	}
	if err := db.PutPhotos(ctx, testSpace, batch); err != nil {
		return err
	}
	for i := range 2 {
		p, err := db.PhotoByPath(ctx, batch[i].Photo.Path)
		if err != nil {
			return err
		}
		an := Analysis{Photo: okPhoto(fmt.Sprintf("%d/copy%d", round, i), p.Path), CopyOf: p.ID}
		if err := db.PutPhotos(ctx, "", []Analysis{an}); err != nil {
			return err
		}
	}
	batch[0].Faces = batch[0].Faces[:1]
	if err := db.PutPhotos(ctx, testSpace, batch[:1]); err != nil {
		return err
	}
	var old []PhotoID
	for f, err := range db.Files(ctx) {
		if err != nil {
			return err
		}
		if strings.HasPrefix(f.Path, fmt.Sprintf("%d/", round-1)) && !strings.HasSuffix(f.Path, "1") {
			old = append(old, f.ID)
		}
	}
	_, err := db.DropPhotos(ctx, old)
	return err
}

func dieFace(k int) face.Face {
	f := faceAt(float64(300 * k))
	f.Vector = vector(512, uint64(k))
	return f
}

// A process that is killed while it seals vectors, or writes a chunk anew,
// leaves every vector where it was before.
func TestCrashInChunk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.kith")
	db := must1[*DB](t)(testOpen(t.Context(), path, Options{}))
	must(t, db.PutSpace(t.Context(), Space{Name: testSpace, Dim: 512}))
	must(t, db.Close())
	faces := 0
	for _, death := range []string{
		"3 INSERT ON chunks", "2 INSERT ON slots", "9 INSERT ON slots", "1 DELETE ON vectors", "7 DELETE ON vectors", "4 INSERT ON vectors",
		"1 UPDATE ON chunks", "1 DELETE ON slots", "6 DELETE ON slots", "1 DELETE ON chunks", "2 DELETE ON chunks", "25 INSERT ON chunks",
	} {
		cmd := child(t, "die", path)
		cmd.Env = append(cmd.Env, childDeath+"="+death)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		if err := cmd.Run(); err == nil || complaint.Len() > 0 {
			t.Fatalf("%s: the process ended by itself: %v, %s", death, err, complaint.String())
		}
		db := must1[*DB](t)(testOpen(t.Context(), path, Options{perChunk: diePerChunk}))
		mustCheck(t, db)
		n := 0
		for f, err := range db.Faces(t.Context(), FaceQuery{}) {
			must(t, err)
			want := dieFace(int(f.Box.X) / 300).Vector
			if v := must1[face.Vector](t)(db.Vector(t.Context(), f.ID)); v.Dot(want) < 0.999 {
				t.Errorf("%s: face %s has another vector", death, f.ID)
			}
			n++
		}
		if e := must1[Embeddings](t)(db.Embeddings(t.Context(), testSpace)); len(e.IDs) != n {
			t.Errorf("%s: %d vectors of %d faces", death, len(e.IDs), n)
		}
		faces = max(faces, n)
		must(t, db.Close())
	}
	if faces < 20 {
		t.Errorf("at most %d faces were there, too few to say anything", faces)
	}
}
