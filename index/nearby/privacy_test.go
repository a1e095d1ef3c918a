package nearby

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kith-photos/kith/index/geo"
)

// busyDay is a day at more places than a batch holds.
func busyDay() (out []Seen) {
	for i := range 300 {
		out = append(out, at(float64(2*i-300), float64(300*i), fmt.Sprintf("photo-%06d", i)))
	}
	return out
}

// said is what a side says of a day, unsealed.
func said(t *testing.T, r, other *Round) []byte {
	t.Helper()
	return slices.Concat(batch(t, r).append(nil), answer(t, r, batch(t, other)).append(nil))
}

// TestNothingOfThePhotosIsSaid looks in the batch and in the answer, as the
// friend has them, for positions, cells, instants, slots and keys in all
// encodings at hand. The outsider has less: see TestOutsiders.
func TestNothingOfThePhotosIsSaid(t *testing.T) {
	slow(t)
	a, b := paired(t, 1)
	seen := busyDay()[:40]
	r := begin(t, a, 1, someDay, seen)
	text := said(t, r, begin(t, b, 2, someDay, seen))
	state := r.State()
	numbers := func(n uint64) [][]byte {
		return [][]byte{
			binary.BigEndian.AppendUint64(nil, n), binary.LittleEndian.AppendUint64(nil, n),
			[]byte(strconv.FormatUint(n, 10)), []byte(strconv.FormatUint(n, 16)),
		}
	}
	for _, s := range seen {
		secrets := [][]byte{[]byte(s.Key)}
		for _, x := range []float64{s.Point.Lat, s.Point.Lon, s.Point.Lat * math.Pi / 180, s.Point.Lon * math.Pi / 180} {
			secrets = append(secrets, numbers(math.Float64bits(x))...)
			secrets = append(secrets, []byte(strconv.FormatFloat(x, 'f', 4, 64)))
			secrets = append(secrets, binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(x))), binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(x))))
		}
		for _, x := range []int64{s.At, s.At / 1000, s.At / 1e6} {
			secrets = append(secrets, numbers(uint64(x))...)
		}
		secrets = append(secrets, []byte(time.UnixMicro(s.At).UTC().Format("15:04")))
		for l := 10; l <= 30; l++ {
			secrets = append(secrets, numbers(uint64(geo.CellOf(s.Point, l)))...)
		}
		for _, x := range secrets {
			if bytes.Contains(text, x) {
				t.Errorf("%q is said", x)
			}
			if bytes.Contains(state, x) {
				t.Errorf("%q is in the state", x)
			}
		}
	}
	for s := range spots(someDay, seen) {
		for _, x := range slices.Concat(numbers(uint64(s.cell)), [][]byte{s.bytes()}) {
			if bytes.Contains(text, x) || bytes.Contains(state, x) {
				t.Errorf("%x is said", x)
			}
		}
	}
}

// TestBusyAndIdleDaysLookTheSame in their sizes, in what can be seen of them,
// and in the number of different values.
func TestBusyAndIdleDaysLookTheSame(t *testing.T) {
	slow(t)
	a, b := paired(t, 1)
	idle, busy := begin(t, a, 1, someDay, nil), begin(t, a, 2, someDay, busyDay())
	other := begin(t, b, 3, someDay, nil)
	if i, j := len(idle.State()), len(busy.State()); i != j {
		t.Errorf("states of %d and %d bytes", i, j)
	}
	for _, r := range []*Round{idle, busy} {
		x := batch(t, r)
		for _, m := range []Message{x, answer(t, r, batch(t, other)), Unpair{}, Reply{Accepted: true}, Offer{Photos: 14}} {
			sealed, err := a.Seal(chance(4), m)
			must(t, err)
			if len(sealed) != Size {
				t.Errorf("%T of %d bytes, want %d", m, len(sealed), Size)
			}
		}
		different := make(map[string]bool)
		for i := range BatchSize {
			different[string(x.Questions[i][:])] = true
			different[string(x.Tokens[i][:])] = true
		}
		if len(different) != 2*BatchSize || !slices.IsSortedFunc(x.Tokens[:], func(a, b Token) int { return bytes.Compare(a[:], b[:]) }) {
			t.Errorf("%d different values", len(different))
		}
	}
}

// pieces are the values of batches and answers, each once.
func pieces(into map[string]int, b Batch, a Answer) {
	for i := range BatchSize {
		for _, v := range [][]byte{b.Questions[i][:], b.Tokens[i][:], a.Points[i][:]} {
			into[string(v)]++
		}
	}
	into[string(b.Round[:])]++
}

// TestPairsCannotBeLinked: one person's same day with two friends, and the
// same spots with one friend on two tries, have no value in common, not even
// if the random numbers are the same for both friends.
func TestPairsCannotBeLinked(t *testing.T) {
	slow(t)
	seen := busyDay()[:20]
	all := make(map[string]int)
	addresses := make(map[ID]bool)
	for _, seed := range []byte{1, 2} {
		me, friend := paired(t, seed)
		asked := batch(t, begin(t, friend, 5, someDay, seen))
		for _, try := range []byte{3, 4} {
			r := begin(t, me, try, someDay, seen)
			pieces(all, batch(t, r), answer(t, r, asked))
		}
		addresses[me.Inbox()], addresses[me.Outbox()] = true, true
		if me.Inbox() != friend.Outbox() || me.Outbox() != friend.Inbox() {
			t.Error("the sides' addresses differ")
		}
	}
	for v, n := range all {
		if n > 1 {
			t.Errorf("%x is there %d times", v, n)
		}
	}
	if len(addresses) != 4 {
		t.Errorf("%d addresses of two pairs", len(addresses))
	}
}

// TestOutsiders: one with a pair of his own to each of two friends who were
// together passes the one's batch on to the other as his own, and learns
// nothing of it; without their key nothing opens.
func TestOutsiders(t *testing.T) {
	slow(t)
	seen := []Seen{at(0, 0, "p"), at(30, 0, "q")}
	anna, ben := paired(t, 1)
	annaToHim, himToAnna := paired(t, 2)
	benToHim, himToBen := paired(t, 3)
	atAnna, atBen := begin(t, annaToHim, 1, someDay, seen), begin(t, benToHim, 2, someDay, seen)
	must(t, atAnna.Take(answer(t, atBen, batch(t, atAnna))))
	answer(t, atAnna, batch(t, atBen))
	if !atAnna.Complete() {
		t.Fatal("not complete")
	}
	if m := atAnna.Meetings(seen); len(m) > 0 {
		t.Errorf("a batch that was passed on finds %v", m)
	}
	msg, err := anna.Seal(chance(1), batch(t, begin(t, anna, 1, someDay, seen)))
	must(t, err)
	for _, p := range []*Pair{annaToHim, himToAnna, benToHim, himToBen, anna} {
		if _, err := p.Open(msg); err == nil {
			t.Error("a message opens for another")
		}
	}
	if _, err := ben.Open(msg); err != nil {
		t.Error(err)
	}
}

// TestBatchesLookRandom by a chi-square test of their bytes: sealed, and for
// the friend. Coordinates u lack the highest bit of 256, so that the last byte
// of each is left out.
func TestBatchesLookRandom(t *testing.T) {
	slow(t)
	a, b := paired(t, 1)
	r := begin(t, a, 1, someDay, busyDay())
	x := batch(t, r)
	back := answer(t, r, batch(t, begin(t, b, 9, someDay, nil)))
	var open []byte
	for i := range BatchSize {
		open = slices.Concat(open, x.Questions[i][:pointSize-1], x.Tokens[i][:], back.Points[i][:pointSize-1])
	}
	sealed, err := a.Seal(chance(1), x)
	must(t, err)
	for name, text := range map[string][]byte{"sealed": sealed[headerSize:], "open": open} {
		var count [256]float64
		for _, c := range text {
			count[c]++
		}
		chi, want := 0.0, float64(len(text))/256
		for _, n := range count {
			chi += (n - want) * (n - want) / want
		}
		if chi < 150 || chi > 380 { // 255 degrees of freedom: about one in a million outside
			t.Errorf("%s: chi-square %.0f of %d bytes", name, chi, len(text))
		}
	}
}
