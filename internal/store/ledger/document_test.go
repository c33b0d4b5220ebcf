package ledger

import (
	stdjson "encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

func drawNotice(t *rapid.T) recall.Notice {
	text := rapid.String()
	number := 7
	updated := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC)
	n := recall.Notice{
		ID: text.Draw(t, "id"), Title: text.Draw(t, "title"), Summary: text.Draw(t, "summary"), PublishedAt: updated.AddDate(-1, 0, 0),
		Countries: rapid.SliceOf(text).Draw(t, "countries"), Incidents: recall.Incidents{Reports: &number},
		Products: []recall.Product{{Name: text.Draw(t, "name"), Models: rapid.SliceOf(text).Draw(t, "models"),
			Units: []recall.Predicate{recall.Range(1, recall.Serial, text.Draw(t, "from"), text.Draw(t, "to"), recall.Quote{Text: text.Draw(t, "quote"), End: 3})}}},
		UnitsCount: []recall.UnitCount{{Country: "US", Count: rapid.Int().Draw(t, "count"), Approximate: true}},
	}
	if rapid.Bool().Draw(t, "updated") {
		n.UpdatedAt = &updated
	}
	n.Normalise()
	return n
}

// The fast decoder must read what the standard library reads.
func TestDocumentIsReadAsTheStandardLibraryReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNotice(t)
		doc, err := Encode(n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(doc, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		got.FirstSeenAt = time.Time{}
		plain, err := stdjson.Marshal(&n)
		if err != nil {
			t.Fatal(err)
		}
		var want recall.Notice
		if err := stdjson.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		want.FirstSeenAt = time.Time{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("read differently:\n%s", diff)
		}
	})
}

func TestDamagedDocumentIsCorrupt(t *testing.T) {
	c, err := sharedCodec()
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "{", `{"id": 7}`, `{"id": "a"} x`, "null null", "\xff"} {
		if _, err := Decode(c.encoder.EncodeAll([]byte(content), nil), 1, 0); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if _, err := Decode([]byte("no zstd"), 1, 0); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("no zstd: %v", err)
	}
}
