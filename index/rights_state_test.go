package index_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kith-photos/kith/exif"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/index/nearby"
)

// visitor is an account together with what the methods need.
type visitor struct {
	*index.Account
	src              *files
	anna, bert       index.PersonID
	photo            index.PhotoID
	faces            []index.FaceID // Anna's
	said             index.DecisionID
	request, product string
	friend           index.FriendID
	invitation       []byte // of another account
}

// somebody is an export of an account that knows one person and no photo.
const somebody = `{"format":"kith-export","version":1,"account":"another","space":"","photos":[],"faces":[],
	"people":[{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaa","name":"","faces":0,"created":"2024-01-02T03:04:05Z"}],"decisions":[],"consent":[]}`

// drain reads a listing and returns its error.
func drain[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// answers are what a method says in the states of an account; nil: it works.
type answers struct{ normal, noConsent, restricted, deleted, erased, closed error }

var (
	// always: nothing can be wrong.
	always = answers{}
	// proof: what tells of the account's state, whatever that is.
	proof = answers{closed: index.ErrClosed}
	// look: what shows what there is.
	look = answers{nil, nil, nil, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// lookAtFace: the same for a face, which goes with consent.
	lookAtFace = answers{nil, index.ErrNotFound, nil, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// process: what works on faces.
	process = answers{nil, index.ErrNoConsent, index.ErrRestricted, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// change: what somebody says of people who have names, or of photos.
	change = answers{nil, nil, index.ErrRestricted, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// changeFace: what somebody says of faces, which go with consent.
	changeFace = answers{nil, index.ErrNotFound, index.ErrRestricted, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// leave: what is given to others, of whom there is none.
	leave = change
	// changeNone: what is said of a proposal or offer, of which there is none.
	changeNone = answers{index.ErrNotFound, index.ErrNotFound, index.ErrRestricted, index.ErrDeleted, index.ErrErased, index.ErrClosed}
	// right: what the owner may ask for until nothing is left.
	right = answers{nil, nil, nil, nil, index.ErrErased, index.ErrClosed}
)

type method struct {
	answers
	call func(context.Context, visitor) error
}

// methods has every method of Account. One that is new must say here what it
// does in each state.
var methods = map[string]method{
	"ID":     {always, func(_ context.Context, v visitor) error { _ = v.ID(); return nil }},
	"Close":  {always, func(_ context.Context, v visitor) error { return v.Close() }},
	"Pause":  {always, func(_ context.Context, v visitor) error { v.Pause(); return nil }},
	"Resume": {always, func(_ context.Context, v visitor) error { v.Resume(); return nil }},
	"Paused": {always, func(_ context.Context, v visitor) error { _ = v.Paused(); return nil }},

	"State": {proof, func(ctx context.Context, v visitor) error { return second(v.State(ctx)) }},
	"Audit": {proof, func(ctx context.Context, v visitor) error { return drain(v.Audit(ctx)) }},
	"Check": {proof, func(ctx context.Context, v visitor) error {
		for err := range v.Check(ctx) {
			return err
		}
		return nil
	}},
	"Consent":   {proof, func(ctx context.Context, v visitor) error { return second(v.Consent(ctx)) }},
	"ConsentOf": {proof, func(ctx context.Context, v visitor) error { return second(v.ConsentOf(ctx, v.anna)) }},
	"Retention": {proof, func(ctx context.Context, v visitor) error { return second(v.Retention(ctx)) }},
	"Due":       {proof, func(ctx context.Context, v visitor) error { return second(v.Due(ctx, start.AddDate(10, 0, 0))) }},
	"Expire": {answers{restricted: index.ErrRestricted, closed: index.ErrClosed}, func(ctx context.Context, v visitor) error {
		return second(v.Expire(ctx, index.ExpireOptions{}))
	}},
	"Export": {answers{erased: index.ErrErased, closed: index.ErrClosed}, func(ctx context.Context, v visitor) error {
		return v.Export(ctx, io.Discard, index.ExportOptions{Embeddings: true})
	}},
	"ExportZIP": {answers{erased: index.ErrErased, closed: index.ErrClosed}, func(ctx context.Context, v visitor) error {
		return v.ExportZIP(ctx, io.Discard, index.ExportOptions{})
	}},
	"ExportDir": {answers{erased: index.ErrErased, closed: index.ErrClosed}, func(ctx context.Context, v visitor) error {
		dir, err := os.MkdirTemp("", "kith")
		if err != nil {
			return err
		}
		return errors.Join(v.ExportDir(ctx, filepath.Join(dir, "out"), index.ExportOptions{}), os.RemoveAll(dir))
	}},
	"Import": {process, func(ctx context.Context, v visitor) error {
		return second(v.Import(ctx, fstest.MapFS{"export.json": {Data: []byte(somebody)}}, index.ImportOptions{}))
	}},
	"ImportRegions": {process, func(ctx context.Context, v visitor) error {
		return second(v.ImportRegions(ctx, v.src, index.RegionOptions{}))
	}},

	"People":    {look, func(ctx context.Context, v visitor) error { return drain(v.People(ctx, index.PeopleQuery{})) }},
	"Faces":     {look, func(ctx context.Context, v visitor) error { return drain(v.Faces(ctx, index.FaceQuery{})) }},
	"Photos":    {look, func(ctx context.Context, v visitor) error { return drain(v.Photos(ctx, index.PhotoQuery{})) }},
	"Decisions": {look, func(ctx context.Context, v visitor) error { return drain(v.Decisions(ctx)) }},
	"Events":    {look, func(ctx context.Context, v visitor) error { return drain(v.Events(ctx, 0)) }},
	"Person":    {look, func(ctx context.Context, v visitor) error { return second(v.Person(ctx, v.anna)) }},
	"Photo":     {look, func(ctx context.Context, v visitor) error { return second(v.Photo(ctx, v.photo)) }},
	"Crops":     {lookAtFace, func(ctx context.Context, v visitor) error { return drain(v.Crops(ctx, v.src, v.faces, 8)) }},

	"Find":     {look, func(ctx context.Context, v visitor) error { return second(v.Find(ctx, index.Query{})) }},
	"Moments":  {look, func(ctx context.Context, v visitor) error { return drain(v.Moments(ctx, index.MomentQuery{})) }},
	"Places":   {look, func(ctx context.Context, v visitor) error { return drain(v.Places(ctx, index.PlaceQuery{})) }},
	"Cameras":  {look, func(ctx context.Context, v visitor) error { return drain(v.Cameras(ctx)) }},
	"Shot":     {look, func(ctx context.Context, v visitor) error { return second(v.Shot(ctx, v.photo)) }},
	"Together": {look, func(ctx context.Context, v visitor) error { return second(v.Together(ctx, "", 0)) }},
	"EstimateClock": {look, func(ctx context.Context, v visitor) error {
		_, _, err := v.EstimateClock(ctx, exif.Camera{Model: "One"}, time.Time{}, time.Time{})
		return err
	}},
	"CorrectClock": {change, func(ctx context.Context, v visitor) error {
		return second(v.CorrectClock(ctx, index.Clock{Camera: exif.Camera{Model: "One"}, By: time.Hour}))
	}},

	"Reindex": {process, func(ctx context.Context, v visitor) error {
		return second(v.Reindex(ctx, v.src, index.ReindexOptions{}))
	}},
	"Index":   {process, func(ctx context.Context, v visitor) error { return second(v.Index(ctx, v.src, "b/4.jpg")) }},
	"Regroup": {process, func(ctx context.Context, v visitor) error { return second(v.Regroup(ctx)) }},
	"Search":  {process, func(ctx context.Context, v visitor) error { return second(v.Search(ctx, portrait(1, 1), 3)) }},
	"SearchImage": {process, func(ctx context.Context, v visitor) error {
		img, err := decoded(shot("probe", 1))
		return errors.Join(err, second(v.SearchImage(ctx, img, 3)))
	}},
	"Suggestions": {process, func(ctx context.Context, v visitor) error { return drain(v.Suggestions(ctx, index.SuggestionQuery{})) }},
	"Explain":     {process, func(ctx context.Context, v visitor) error { return second(v.Explain(ctx, v.faces[0])) }},

	"Name":     {change, func(ctx context.Context, v visitor) error { return second(v.Name(ctx, v.anna, "Ann")) }},
	"Ignore":   {change, func(ctx context.Context, v visitor) error { return second(v.Ignore(ctx, v.anna)) }},
	"Unignore": {change, func(ctx context.Context, v visitor) error { return second(v.Unignore(ctx, v.anna)) }},
	"Merge":    {change, func(ctx context.Context, v visitor) error { return second(v.Merge(ctx, v.anna, v.bert)) }},
	"Different": {change, func(ctx context.Context, v visitor) error {
		return second(v.Different(ctx, v.anna, v.bert))
	}},
	"Answer": {change, func(ctx context.Context, v visitor) error {
		s := index.Suggestion{Person: v.anna, Candidates: []index.Candidate{{Person: v.bert}}}
		return second(v.Answer(ctx, s, []bool{false}))
	}},
	"Undo": {change, func(ctx context.Context, v visitor) error { return v.Undo(ctx, v.said) }},
	"CorrectTime": {change, func(ctx context.Context, v visitor) error {
		return second(v.CorrectTime(ctx, v.photo, exif.Time{Wall: start}))
	}},
	"CorrectPlace": {change, func(ctx context.Context, v visitor) error {
		return second(v.CorrectPlace(ctx, v.photo, &exif.GPS{Lat: 1, Lon: 2}))
	}},
	"Cover": {changeFace, func(ctx context.Context, v visitor) error { return second(v.Cover(ctx, v.anna, v.faces[0])) }},
	"Split": {changeFace, func(ctx context.Context, v visitor) error {
		_, _, err := v.Split(ctx, v.faces[:1])
		return err
	}},
	"Remove": {changeFace, func(ctx context.Context, v visitor) error { return second(v.Remove(ctx, v.faces[0])) }},
	"Assign": {changeFace, func(ctx context.Context, v visitor) error {
		_, _, err := v.Assign(ctx, v.bert, v.faces[0])
		return err
	}},
	"NotAFace": {changeFace, func(ctx context.Context, v visitor) error { return second(v.NotAFace(ctx, v.faces[0])) }},

	"Friends":    {look, func(ctx context.Context, v visitor) error { return second(v.Friends(ctx)) }},
	"Proposals":  {look, func(ctx context.Context, v visitor) error { return second(v.Proposals(ctx)) }},
	"Offers":     {look, func(ctx context.Context, v visitor) error { return second(v.Offers(ctx)) }},
	"Choices":    {look, func(ctx context.Context, v visitor) error { return drain(v.Choices(ctx)) }},
	"Sent":       {look, func(ctx context.Context, v visitor) error { return v.Sent(ctx, "x") }},
	"Tried":      {look, func(ctx context.Context, v visitor) error { return v.Tried(ctx, "x") }},
	"Outbox":     {leave, func(ctx context.Context, v visitor) error { return second(v.Outbox(ctx)) }},
	"Deliveries": {leave, func(ctx context.Context, v visitor) error { return second(v.Deliveries(ctx)) }},
	"InviteFriend": {change, func(ctx context.Context, v visitor) error {
		_, _, err := v.InviteFriend(ctx, "Maija")
		return err
	}},
	"AcceptFriend": {change, func(ctx context.Context, v visitor) error {
		return second(v.AcceptFriend(ctx, "Maija", v.invitation))
	}},
	"SetFriend": {change, func(ctx context.Context, v visitor) error {
		return v.SetFriend(ctx, index.Friend{ID: v.friend, Label: "Oskar", Person: v.anna})
	}},
	"CompareDays": {change, func(ctx context.Context, v visitor) error {
		return second(v.CompareDays(ctx, index.CompareOptions{}))
	}},
	"Receive": {answers{nearby.ErrMalformed, nearby.ErrMalformed, index.ErrRestricted, index.ErrDeleted, index.ErrErased, index.ErrClosed},
		func(ctx context.Context, v visitor) error { return second(v.Receive(ctx, nil)) }},
	"AcceptProposal": {changeNone, func(ctx context.Context, v visitor) error { return v.AcceptProposal(ctx, "x") }},
	"RefuseProposal": {changeNone, func(ctx context.Context, v visitor) error { return v.RefuseProposal(ctx, "x") }},
	"ReplyOffer":     {changeNone, func(ctx context.Context, v visitor) error { return v.ReplyOffer(ctx, "x", true) }},
	"Delivered":      {changeNone, func(ctx context.Context, v visitor) error { return v.Delivered(ctx, "x") }},
	"Unpair": {right, func(ctx context.Context, v visitor) error {
		_, _, err := v.Unpair(ctx, v.friend)
		return err
	}},

	// Files of the host's are told of, and how long they stay, also while
	// nothing may be processed: telling deletes none.
	"Keep":         {look, func(ctx context.Context, v visitor) error { return second(v.Keep(ctx, index.ClassExports, "x.json")) }},
	"Release":      {look, func(ctx context.Context, v visitor) error { return v.Release(ctx, v.product) }},
	"SetRetention": {look, func(ctx context.Context, v visitor) error { return v.SetRetention(ctx, index.Retention{}) }},
	"DisposeOriginals": {change, func(ctx context.Context, v visitor) error {
		return second(v.DisposeOriginals(ctx, v.src))
	}},

	"SetConsent": {look, func(ctx context.Context, v visitor) error { return v.SetConsent(ctx, yes) }},
	"WithdrawConsent": {right, func(ctx context.Context, v visitor) error {
		return second(v.WithdrawConsent(ctx, index.Consent{}, false))
	}},
	"Restrict":        {right, func(ctx context.Context, v visitor) error { return second(v.Restrict(ctx)) }},
	"Unrestrict":      {right, func(ctx context.Context, v visitor) error { return second(v.Unrestrict(ctx)) }},
	"Delete":          {right, func(ctx context.Context, v visitor) error { return second(v.Delete(ctx)) }},
	"Restore":         {right, func(ctx context.Context, v visitor) error { return second(v.Restore(ctx)) }},
	"ErasePhotos":     {right, func(ctx context.Context, v visitor) error { return second(v.ErasePhotos(ctx, v.photo)) }},
	"ErasePerson":     {right, func(ctx context.Context, v visitor) error { return second(v.ErasePerson(ctx, v.anna)) }},
	"Object":          {right, func(ctx context.Context, v visitor) error { return second(v.Object(ctx, v.anna)) }},
	"EraseBiometrics": {right, func(ctx context.Context, v visitor) error { return second(v.EraseBiometrics(ctx, false)) }},
	"Readmit":         {right, func(ctx context.Context, v visitor) error { return second(v.Readmit(ctx, v.request)) }},
	"EraseAll":        {right, func(ctx context.Context, v visitor) error { return second(v.EraseAll(ctx)) }},
}

// TestStates calls every method of an account in every state that it can be
// in.
func TestStates(t *testing.T) {
	kind := reflect.TypeFor[*index.Account]()
	for i := range kind.NumMethod() {
		if _, ok := methods[kind.Method(i).Name]; !ok {
			t.Errorf("nothing says what %s does in an account that is restricted, deleted or erased", kind.Method(i).Name)
		}
	}
	if len(methods) > kind.NumMethod() {
		t.Errorf("%d methods are listed, and there are %d", len(methods), kind.NumMethod())
	}
	dir := t.TempDir()
	cfg := withScenes(index.Config{Now: func() time.Time { return start }, Disposer: &disposer{}})
	base := filepath.Join(dir, "base.kith")
	v := visited(t, base, cfg)
	for _, s := range []struct {
		name  string
		enter func(context.Context, *index.Account) error
		want  func(answers) error
	}{
		{"normal", func(context.Context, *index.Account) error { return nil }, func(a answers) error { return a.normal }},
		{"without consent", func(ctx context.Context, acc *index.Account) error {
			return second(acc.WithdrawConsent(ctx, index.Consent{}, true))
		}, func(a answers) error { return a.noConsent }},
		{"restricted", func(ctx context.Context, acc *index.Account) error { return second(acc.Restrict(ctx)) },
			func(a answers) error { return a.restricted }},
		{"deleted", func(ctx context.Context, acc *index.Account) error { return second(acc.Delete(ctx)) },
			func(a answers) error { return a.deleted }},
		{"erased", func(ctx context.Context, acc *index.Account) error { return second(acc.EraseAll(ctx)) },
			func(a answers) error { return a.erased }},
		{"closed", func(_ context.Context, acc *index.Account) error { return acc.Close() },
			func(a answers) error { return a.closed }},
	} {
		t.Run(s.name, func(t *testing.T) {
			in := filepath.Join(dir, "state.kith")
			copyFile(t, base, in)
			acc := must1[*index.Account](t)(index.Open(t.Context(), in, cfg))
			must(t, s.enter(t.Context(), acc))
			must(t, acc.Close())
			for name, m := range methods {
				path := filepath.Join(t.TempDir(), "a.kith")
				copyFile(t, in, path)
				v.Account = must1[*index.Account](t)(index.Open(t.Context(), path, cfg))
				if s.name == "closed" {
					must(t, v.Close())
				}
				want := s.want(m.answers)
				if err := m.call(t.Context(), v); !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", name, err, want)
				}
				closeChecked(t, v.Account)
			}
		})
	}
}

// visited makes the account that TestStates calls the methods of, and closes it.
func visited(t *testing.T, path string, cfg index.Config) visitor {
	t.Helper()
	ctx := t.Context()
	v := visitor{Account: must1[*index.Account](t)(index.Open(ctx, path, cfg)), src: family()}
	must(t, v.SetConsent(ctx, yes))
	reindex(t, v.Account, v.src, index.ReindexOptions{})
	v.anna, v.bert = personOf(t, v.Account, "b/4.jpg", 0), personOf(t, v.Account, "b/5.jpg", 0)
	v.said = must1[index.DecisionID](t)(v.Name(ctx, v.anna, "Anna"))
	must1[index.DecisionID](t)(v.Name(ctx, v.bert, "Bert"))
	v.photo = photoOf(t, v.Account, "a/2.jpg").ID
	for _, f := range all(t, v.Faces(ctx, index.FaceQuery{Person: v.anna})) {
		v.faces = append(v.faces, f.ID)
	}
	v.request = must1[index.Receipt](t)(v.ErasePhotos(ctx, photoOf(t, v.Account, "b/6.jpg").ID)).ID
	v.product = must1[string](t)(v.Keep(ctx, index.ClassCrops, "crops.zip"))
	var err error
	v.friend, _, err = v.InviteFriend(ctx, "Oskar")
	must(t, err)
	_, v.invitation, err = nearby.Invite(nil)
	must(t, err)
	closeChecked(t, v.Account)
	return v
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.WriteFile(to, must1[[]byte](t)(os.ReadFile(from)), 0o600))
}
