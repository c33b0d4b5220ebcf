package source

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/store"
)

var midnight = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// took makes an arrival that was seen and searchable so long after midnight.
func took(seen, searchable time.Duration) store.Arrival {
	return store.Arrival{PublishedAt: midnight, SeenAt: midnight.Add(seen), SearchableAt: midnight.Add(searchable)}
}

func TestLagOf(t *testing.T) {
	t.Parallel()
	pair := func(p50, p95 float64) Percentiles { return Percentiles{&p50, &p95} }
	var hundred []store.Arrival
	for i := range 100 {
		hundred = append(hundred, took(time.Duration(100-i)*time.Minute, time.Duration(100-i)*time.Minute+1500*time.Millisecond))
	}
	lag := func(whole, seen, searchable Percentiles, notices int) Lag {
		return Lag{P50: whole.P50, P95: whole.P95, Seen: seen, Searchable: searchable, Notices: notices}
	}
	for name, c := range map[string]struct {
		arrivals []store.Arrival
		want     Lag
	}{
		"nothing measured":     {nil, Lag{}},
		"one notice":           {[]store.Arrival{took(time.Hour, time.Hour+2*time.Second)}, lag(pair(3602, 3602), pair(3600, 3600), pair(2, 2), 1)},
		"two notices":          {[]store.Arrival{took(2*time.Hour, 2*time.Hour), took(time.Hour, time.Hour)}, lag(pair(3600, 7200), pair(3600, 7200), pair(0, 0), 2)},
		"a hundred":            {hundred, lag(pair(3001.5, 5701.5), pair(3000, 5700), pair(1.5, 1.5), 100)},
		"dated ahead by a day": {[]store.Arrival{took(-5*time.Hour, -4*time.Hour)}, lag(pair(0, 0), pair(0, 0), pair(3600, 3600), 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, lagOf(c.arrivals)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// fakeRecords is what a store knows, until it is down.
type fakeRecords struct {
	sources  []store.SourceRecord
	arrivals map[string][]store.Arrival
	down     error
	asked    int // the limit of the last question for arrivals
}

func (f *fakeRecords) Sources(context.Context) ([]store.SourceRecord, error) {
	return f.sources, f.down
}

func (f *fakeRecords) Arrivals(_ context.Context, agency string, limit int) ([]store.Arrival, error) {
	f.asked = limit
	return f.arrivals[agency], f.down
}

func TestBoardKeepsWhatItKnowsThroughAnOutage(t *testing.T) {
	t.Parallel()
	now := midnight.Add(10 * time.Hour)
	records := &fakeRecords{
		sources:  []store.SourceRecord{{Agency: "us-alpha", LastSuccess: now.Add(-time.Hour), Rejected: 3}},
		arrivals: map[string][]store.Arrival{"us-alpha": {took(time.Hour, 2*time.Hour)}, "kr-beta": {took(0, 0)}},
	}
	board := NewBoard([]agency.Description{
		{Code: "us-alpha", Objective: 24 * time.Hour}, {Code: "kr-beta", Withheld: "set the key"},
	}, records, false, func() time.Time { return now })
	if err := board.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	records.down = errors.New("down")
	if err := board.Refresh(t.Context()); !errors.Is(err, records.down) {
		t.Errorf("Refresh: %v", err)
	}
	list := board.List(catalogue.New().Current())
	if len(list) != 2 || list[0].Agency != "kr-beta" || list[0].State != Never || list[0].Reason != "set the key" || list[0].LagSeconds.P50 != nil {
		t.Fatalf("%+v", list)
	}
	alpha := list[1]
	if alpha.State != OK || alpha.Rejected != 3 || *alpha.AgeSeconds != 3600 || *alpha.LagSeconds.P50 != 7200 || alpha.Quality.Flags == nil {
		t.Errorf("%+v", alpha)
	}
	if records.asked != 1000 {
		t.Errorf("the lag is measured by %d notices", records.asked)
	}
}
