package catalogue

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// fill sets every field below v to a value of its own, so that a field that a
// record forgets shows.
func fill(v reflect.Value, next *int) {
	*next++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*next)*1e6, int64(*next)).UTC()))
		return
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text %d", *next))
	case v.CanInt():
		v.SetInt(int64(*next))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	default:
		panic("no value for " + v.Type().String())
	}
}

func fullNotice() recall.Notice {
	var n recall.Notice
	next := 0
	fill(reflect.ValueOf(&n).Elem(), &next)
	return n
}

func segmentOf(notices ...recall.Notice) *segment {
	b := newBuilder()
	for i, n := range notices {
		b.add(&store.Stored{Serial: int64(i + 1), Notice: n})
	}
	return b.finish(nil)
}

func TestEveryFieldOfANoticeIsKept(t *testing.T) {
	want := fullNotice()
	got := segmentOf(want).notice(0)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a notice changed in the catalogue (-want +got):\n%s", diff)
	}
}

func TestNoticesKeepTheirJSON(t *testing.T) {
	empty := recall.Notice{ID: "us-cpsc:26-001"}
	empty.Normalise()
	repeated := synthetic(1)
	repeated.Summary, repeated.Remedy.Text = repeated.Title, repeated.Title
	notices := append(synthetics(2, 400), empty, repeated)
	g := segmentOf(notices...)
	for _, want := range notices {
		doc, ok := g.find(want.ID, textKey(want.ID))
		if !ok {
			t.Fatalf("%s is not found", want.ID)
		}
		got := g.notice(doc)
		if a, b := document(t, want), document(t, got); a != b {
			t.Errorf("JSON changed\nfrom %s\nto   %s", a, b)
		}
	}
}

func TestALeanNoticeHasWhatADecisionNeeds(t *testing.T) {
	want := fullNotice()
	got := *segmentOf(want).lean(0)
	lean := recall.Notice{ID: want.ID, Agency: want.Agency, URL: want.URL, Title: want.Title, PublishedAt: want.PublishedAt,
		Status: want.Status, Countries: want.Countries, Audience: want.Audience, Products: want.Products,
		Hazards: want.Hazards, Remedy: want.Remedy}
	if diff := cmp.Diff(lean, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func document(t *testing.T, n recall.Notice) string {
	t.Helper()
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
