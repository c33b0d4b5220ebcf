package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
)

// memoryRuns keeps runs only; a schedule over agencies that deliver nothing
// needs nothing else of a store.
type memoryRuns struct {
	store.Store
	mu       sync.Mutex
	started  int64
	finished []store.Run
	active   []store.Stored
}

func (m *memoryRuns) StartRun(context.Context, string, store.RunKind, time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.started++
	return m.started, nil
}

func (m *memoryRuns) FinishRun(_ context.Context, run store.Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finished = append(m.finished, run)
	return nil
}

func (m *memoryRuns) Serial(context.Context) (int64, error) { return 0, nil }

func (m *memoryRuns) Payloads(context.Context, string) ([]store.ArchivedPayload, error) {
	return nil, nil
}

func (m *memoryRuns) ActiveNotices(_ context.Context, _ string, yield func(store.Stored) error) error {
	for _, s := range m.active {
		if err := yield(s); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryRuns) Sources(context.Context) ([]store.SourceRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var record store.SourceRecord
	for _, run := range m.finished {
		record.Agency, record.LastPoll = run.Agency, &run
		if run.State == store.RunDone {
			record.LastSuccess = run.FinishedAt
		}
	}
	return []store.SourceRecord{record}, nil
}

func scheduled(t *testing.T, a *lineAgency, runs *memoryRuns, during time.Duration) []store.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	r := &ingest.Runner{Agencies: []agency.Agency{a}, Store: runs, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	r.Schedule(ctx, nil)
	return runs.finished
}

func TestSchedulePollsAtTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := scheduled(t, &lineAgency{}, &memoryRuns{}, 5*time.Hour+30*time.Minute)
		if len(runs) < 5 || len(runs) > 7 { // an hour each, a tenth more or less
			t.Errorf("%d polls in five and a half hours", len(runs))
		}
	})
}

func TestScheduleWaitsItsTurnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := &memoryRuns{finished: []store.Run{{Agency: "xx-lines", State: store.RunDone, FinishedAt: time.Now()}}}
		if runs := scheduled(t, &lineAgency{}, before, 55*time.Minute); len(runs) != 1 {
			t.Errorf("%d polls within the interval after the last success", len(runs)-1)
		}
	})
}

func TestScheduleRetriesSoonerAndGrowsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := scheduled(t, &lineAgency{err: errors.New("no network")}, &memoryRuns{}, 3*time.Hour)
		if len(runs) < 5 || len(runs) > 8 {
			t.Fatalf("%d polls in three hours without a network", len(runs))
		}
		var last time.Duration
		for i := 1; i < 4; i++ {
			pause := runs[i].StartedAt.Sub(runs[i-1].FinishedAt)
			if pause <= last {
				t.Errorf("pause %d is %s after %s", i, pause, last)
			}
			last = pause
		}
	})
}

func TestScheduleLeavesAWithheldAgencyAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &lineAgency{withheld: "set the key"}
		if runs := scheduled(t, a, &memoryRuns{}, 5*time.Hour); len(runs) != 0 || len(a.since) != 0 {
			t.Errorf("%d polls and %d fetches of a withheld agency", len(runs), len(a.since))
		}
	})
}

// A dump that was not believed would be the same a moment later.
func TestScheduleDoesNotAskSoonerAfterAGuardedDump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		empty := agency.Payload{URL: "https://lines.example/all", Body: []byte("LINES/0\n"), Complete: true}
		kept := &memoryRuns{active: []store.Stored{{Serial: 0, Notice: recall.Notice{ID: "xx-lines:1", Agency: "xx-lines"}}}}
		runs := scheduled(t, &lineAgency{payloads: []agency.Payload{empty}}, kept, 3*time.Hour+30*time.Minute)
		if len(runs) < 3 || len(runs) > 5 {
			t.Errorf("%d polls in three and a half hours", len(runs))
		}
		for _, run := range runs {
			if run.State != "partial" || run.Reason == "" {
				t.Errorf("%+v", run)
			}
		}
	})
}
