package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/store"
)

// leases are a store's, by the clock of the test.
type leases struct {
	mu     sync.Mutex
	holder map[string]string
	until  map[string]time.Time
	down   error
	silent bool // asks get no answer
}

func newLeases() *leases {
	return &leases{holder: map[string]string{}, until: map[string]time.Time{}}
}

func (l *leases) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	l.mu.Lock()
	silent := l.silent
	l.mu.Unlock()
	if silent {
		<-ctx.Done()
		return false, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down != nil {
		return false, l.down
	}
	if l.holder[name] != holder && time.Now().Before(l.until[name]) {
		return false, nil
	}
	l.holder[name], l.until[name] = holder, time.Now().Add(ttl)
	return true, nil
}

func (l *leases) Release(_ context.Context, name, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder[name] == holder {
		delete(l.until, name)
	}
	return l.down
}

// set changes how the leases behave.
func (l *leases) set(change func(l *leases)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// take gives the agency's lease to a process that does not renew it.
func (l *leases) take(t *testing.T) {
	t.Helper()
	if ours, err := l.Lease(t.Context(), "ingest:xx-lines", "another", 15*time.Second); !ours || err != nil {
		t.Fatalf("taking the lease: %v, %v", ours, err)
	}
}

// slowAgency takes its time to answer.
type slowAgency struct {
	lineAgency
	takes time.Duration
}

func (a *slowAgency) Fetch(ctx context.Context, client *agency.Client, since agency.Since, deliver func(agency.Payload) error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(a.takes):
		return a.lineAgency.Fetch(ctx, client, since, deliver)
	}
}

// sharing is a process that shares a store and its leases with others.
func sharing(a agency.Agency, runs *memoryRuns, l *leases, name string) *ingest.Runner {
	return &ingest.Runner{Agencies: []agency.Agency{a}, Store: runs, Leases: l, Holder: name, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
}

func TestOfTwoProcessesOnePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, l := &memoryRuns{}, newLeases()
		slow := &slowAgency{takes: time.Minute}
		one, other := sharing(slow, runs, l, "one"), sharing(&lineAgency{}, runs, l, "other")
		done := make(chan error)
		go func() {
			_, err := one.Poll(t.Context(), one.Agencies[0], nil)
			done <- err
		}()
		for range 11 { // long past the time of a lease that isn't renewed
			time.Sleep(5 * time.Second)
			if _, err := other.Poll(t.Context(), other.Agencies[0], nil); !errors.Is(err, ingest.ErrElsewhere) {
				t.Fatalf("while another process polls: %v", err)
			}
			if _, err := one.Poll(t.Context(), one.Agencies[0], nil); !errors.Is(err, ingest.ErrElsewhere) {
				t.Fatalf("while the same process polls: %v", err)
			}
			if _, err := other.Replay(t.Context(), other.Agencies[0], nil); !errors.Is(err, ingest.ErrElsewhere) {
				t.Fatalf("a replay while another process polls: %v", err)
			}
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, err := other.Poll(t.Context(), other.Agencies[0], nil); err != nil {
			t.Errorf("right after it: %v", err)
		}
		if len(runs.finished) != 2 {
			t.Errorf("%d runs are recorded", len(runs.finished))
		}
	})
}

func TestALeaseThatIsLostEndsTheRun(t *testing.T) {
	for _, c := range []struct {
		name  string
		lose  func(t *testing.T, l *leases)
		after time.Duration // until the run has ended; 0: it goes on
	}{
		{"another process has it", func(t *testing.T, l *leases) {
			l.set(func(l *leases) { clear(l.until) })
			l.take(t)
		}, 4 * time.Second},
		{"the store fails for too long", func(_ *testing.T, l *leases) {
			l.set(func(l *leases) { l.down = store.ErrUnavailable })
		}, 14 * time.Second},
		{"the store hangs for too long", func(_ *testing.T, l *leases) {
			l.set(func(l *leases) { l.silent = true })
		}, 14 * time.Second},
		{"the store fails for a while", func(_ *testing.T, l *leases) {
			l.set(func(l *leases) { l.down = store.ErrUnavailable })
			time.AfterFunc(13*time.Second, func() { l.set(func(l *leases) { l.down = nil }) })
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runs, l := &memoryRuns{}, newLeases()
				r := sharing(&slowAgency{takes: time.Minute}, runs, l, "one")
				started := time.Now()
				time.AfterFunc(time.Second, func() { c.lose(t, l) })
				run, err := r.Poll(t.Context(), r.Agencies[0], nil)
				if c.after == 0 {
					if err != nil || time.Since(started) != time.Minute || run.State != store.RunDone {
						t.Errorf("after %s: %s, %v", time.Since(started), run.State, err)
					}
					return
				}
				if !errors.Is(err, ingest.ErrLeaseLost) || time.Since(started) != time.Second+c.after {
					t.Errorf("after %s: %v", time.Since(started), err)
				}
				if len(runs.finished) != 1 || runs.finished[0].State != store.RunFailed || !strings.Contains(runs.finished[0].Reason, "another process") {
					t.Errorf("recorded: %+v", runs.finished)
				}
			})
		})
	}
}

// Whoever held the lease is dead: nobody gives it back.
func TestTheLeaseOfADeadProcessMovesWithinHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, l := &memoryRuns{}, newLeases()
		l.take(t)
		died := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		sharing(&lineAgency{}, runs, l, "heir").Schedule(ctx, nil)
		if len(runs.finished) != 1 || runs.finished[0].StartedAt.Sub(died) > 30*time.Second || runs.finished[0].StartedAt.Sub(died) < 15*time.Second {
			t.Errorf("%+v", runs.finished)
		}
	})
}

// Two processes together ask an agency as often as one would.
func TestSchedulesOfTwoProcessesShareTheWork(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		hours  time.Duration
		lo, hi int
	}{
		{"an agency that answers", nil, 5*time.Hour + 30*time.Minute, 5, 7},
		{"an agency that fails", errors.New("no network"), 29 * time.Minute, 2, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runs, l := &memoryRuns{}, newLeases()
				ctx, stop := context.WithTimeout(t.Context(), c.hours)
				defer stop()
				var both sync.WaitGroup
				for _, name := range []string{"one", "other"} {
					a := &slowAgency{takes: 20 * time.Second, lineAgency: lineAgency{err: c.err}}
					both.Go(func() { sharing(a, runs, l, name).Schedule(ctx, nil) })
				}
				both.Wait()
				if len(runs.finished) < c.lo || len(runs.finished) > c.hi {
					t.Errorf("%d polls in %s", len(runs.finished), c.hours)
				}
				for i := 1; i < len(runs.finished); i++ {
					// A process that has just started asks at once where nothing succeeded yet.
					pause := runs.finished[i].StartedAt.Sub(runs.finished[i-1].FinishedAt)
					if pause < 0 || pause < 4*time.Minute && (i > 1 || c.err == nil) {
						t.Errorf("poll %d begins %s after the one before", i, pause)
					}
				}
			})
		})
	}
}

// An outage of the store is none of the agency: polls come back soon after it,
// however long it was.
func TestScheduleComesBackSoonAfterAnOutageOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, l := &memoryRuns{}, newLeases()
		l.down = store.ErrUnavailable
		a := &lineAgency{}
		ctx, stop := context.WithTimeout(t.Context(), 4*time.Hour)
		defer stop()
		var log strings.Builder
		r := sharing(a, runs, l, "one")
		r.Logger = slog.New(slog.NewTextHandler(&log, nil))
		back := time.Now().Add(3 * time.Hour)
		time.AfterFunc(3*time.Hour, func() { l.set(func(l *leases) { l.down = nil }) })
		r.Schedule(ctx, nil)
		if len(runs.finished) == 0 || runs.finished[0].StartedAt.Before(back) || runs.finished[0].StartedAt.Sub(back) > 40*time.Second || len(a.since) > 3 {
			t.Errorf("%+v after %d fetches", runs.finished, len(a.since))
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("the log has %d warnings:\n%s", n, log.String())
		}
	})
}

// A store that says nothing is out of reach: the agency isn't to blame for it.
func TestASilentStoreIsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases()
		l.silent = true
		r := sharing(&lineAgency{}, &memoryRuns{}, l, "one")
		if run, err := r.Poll(t.Context(), r.Agencies[0], nil); !errors.Is(err, store.ErrUnavailable) || run.ID != 0 {
			t.Errorf("run %d, %v", run.ID, err)
		}
	})
}

func TestACompleteImportStepsAsideForAPoll(t *testing.T) {
	t.Parallel()
	r, l, dir := newRunner(t), newLeases(), t.TempDir()
	r.Leases, r.Holder = l, "one"
	l.take(t)
	file := write(t, dir, "all", []byte(lines(40, "crib")))
	if _, _, err := r.ImportComplete(t.Context(), []string{file}, nil); !errors.Is(err, ingest.ErrElsewhere) {
		t.Errorf("a complete import: %v", err)
	}
	if _, err := r.Import(t.Context(), []string{file}, nil); err != nil {
		t.Errorf("an import that only adds: %v", err)
	}
	l.set(func(l *leases) { clear(l.until) })
	if _, dumps, err := r.ImportComplete(t.Context(), []string{file}, nil); err != nil || len(dumps) != 1 || dumps[0].State != store.RunDone {
		t.Errorf("%+v, %v", dumps, err)
	}
	if len(l.until) != 0 {
		t.Errorf("leases left: %v", l.until)
	}
}

// A process that was killed leaves a run that is going on for ever.
func TestARunThatWasLeftRunningIsInNobodysWay(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	if _, err := r.Store.StartRun(t.Context(), "xx-lines", store.RunPoll, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	records, err := r.Store.Sources(t.Context())
	if err != nil || len(records) != 1 || records[0].LastPoll != nil || !records[0].LastSuccess.IsZero() {
		t.Errorf("while it seems to run: %+v, %v", records, err)
	}
	if run, err := r.Poll(t.Context(), r.agency, nil); err != nil || run.State != store.RunDone {
		t.Errorf("%+v, %v", run, err)
	}
	records, err = r.Store.Sources(t.Context())
	if err != nil || len(records) != 1 || records[0].LastPoll == nil || records[0].LastPoll.State != store.RunDone || records[0].LastSuccess.IsZero() {
		t.Errorf("after another one: %+v, %v", records, err)
	}
}
