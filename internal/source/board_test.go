package source

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/sqlite"
)

func TestWithdrawnNoticesAreNotCounted(t *testing.T) {
	t.Parallel()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	var batch []store.Incoming
	for i := range 4 { // the first is a starter entry
		n := recall.Notice{ID: fmt.Sprintf("us-alpha:%d", i), Agency: "us-alpha", Title: "Zorbino lamps", PublishedAt: midnight, Products: []recall.Product{{Name: "Lamps"}}}
		if i > 0 {
			n.Provenance.SHA256 = "00"
		}
		n.Normalise()
		batch = append(batch, store.Incoming{Notice: n, SourceHash: n.ID, Completeness: i})
	}
	if _, err := st.Apply(t.Context(), batch, midnight); err != nil {
		t.Fatal(err)
	}
	c := catalogue.New()
	board := NewBoard([]agency.Description{{Code: "kr-beta"}, {Code: "us-alpha"}}, st, false, func() time.Time { return midnight })
	for withdrawn := range 4 {
		if withdrawn > 0 {
			if err := st.Withdraw(t.Context(), fmt.Sprintf("us-alpha:%d", withdrawn), midnight); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Load(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		list := board.List(c.Current())
		if got := list[1]; list[0].Notices != 0 || got.Notices != 3-withdrawn || got.Starter != 1 || got.State != Stale {
			t.Errorf("%d of 3 were withdrawn: %+v", withdrawn, got)
		}
	}
}
