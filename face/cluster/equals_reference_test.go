package cluster

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestGroupEqualsReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFaces(t), drawOptions(t)
		l := drawLinks(t, f.Len())
		got, err := Group(t.Context(), f, l, o)
		r := reference{f: f, l: l, o: o}
		label, clusters := r.group()
		if isConflict(err) && r.clash {
			return
		}
		if err != nil || r.clash {
			t.Fatalf("error %v, the links contradict each other: %v", err, r.clash)
		}
		want := fmt.Sprint(label, clusters, r.t)
		if have := fmt.Sprint(got.Label, got.Clusters, got.Threshold); have != want {
			t.Fatalf("Group gives %s\nthe reference  %s", have, want)
		}
	})
}
