package health

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet answers every question, until something of it hangs.
type fleet struct {
	asked   [6]atomic.Int64
	hanging [6]atomic.Pointer[chan struct{}] // holds a question back until it is closed
	deaf    bool                             // to the context's end
	audit   *Audit
	// exhausted counts the pools' exhaustions.
	exhausted atomic.Int64
}

func (f *fleet) hang(ctx context.Context, i int) {
	f.asked[i].Add(1)
	c := f.hanging[i].Load()
	switch {
	case c == nil:
	case f.deaf:
		<-*c
	default:
		select {
		case <-*c:
		case <-ctx.Done():
		}
	}
}

func (f *fleet) questions() Questions {
	return Questions{
		Backends: Backends{"disk", "memory", "sqlite"},
		Security: func(ctx context.Context) *Audit { f.hang(ctx, 0); return f.audit },
		Storage:  func(ctx context.Context) Storage { f.hang(ctx, 1); return Storage{} },
		Cache:    func(ctx context.Context) Cache { f.hang(ctx, 2); return Cache{} },
		Pool:     func(ctx context.Context) Pool { f.hang(ctx, 3); return Pool{Exhausted: f.exhausted.Load()} },
		Database: func(ctx context.Context) Database { f.hang(ctx, 4); return Database{} },
		RecallData: func(ctx context.Context) RecallData {
			f.hang(ctx, 5)
			return RecallData{Loaded: true, Notices: 3}
		},
	}
}

func (f *fleet) hangAll(on chan struct{}) {
	for i := range f.hanging {
		f.hanging[i].Store(&on)
	}
}

func TestADashboardIsGatheredOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{}
		b := NewBoard(f.questions(), time.Now)
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				if got := b.Dashboard(); got.Score != 100 || got.Status != Healthy {
					t.Errorf("%+v", got)
				}
			})
		}
		asking.Wait()
		time.Sleep(999 * time.Millisecond)
		b.Dashboard()
		for i := range f.asked {
			if n := f.asked[i].Load(); n != 1 {
				t.Errorf("question %d was asked %d times within a second", i, n)
			}
		}
		time.Sleep(time.Millisecond)
		got := b.Dashboard()
		if n := f.asked[4].Load(); n != 2 {
			t.Errorf("after a second the database was asked %d times", n)
		}
		if got.Uptime != 1 || !got.At.Equal(time.Now()) {
			t.Errorf("up for %v at %s", got.Uptime, got.At)
		}
	})
}

// TestWhatHangsIsSaidAndNotWaitedFor: however the questions hang, the answer is
// there within a second, tells of it, and no second question is begun.
func TestWhatHangsIsSaidAndNotWaitedFor(t *testing.T) {
	for name, deaf := range map[string]bool{"until they are told to end": false, "for good": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, on := &fleet{deaf: deaf, audit: &Audit{RunAt: time.Now()}}, make(chan struct{})
				f.hangAll(on)
				b := NewBoard(f.questions(), time.Now)
				for round := range 3 {
					begin := time.Now()
					got := b.Dashboard()
					if took := time.Since(begin); took > patience {
						t.Errorf("round %d took %s", round, took)
					}
					if got.Score != 5 || got.Status != Critical {
						t.Errorf("round %d: %d %s %+v", round, got.Score, got.Status, got.Penalties)
					}
					if b := got.Subsystems; b.Storage.Backend != "disk" || b.Cache.Backend != "memory" || b.Database.Backend != "sqlite" {
						t.Errorf("the backends are %q, %q and %q", b.Storage.Backend, b.Cache.Backend, b.Database.Backend)
					}
					for name, s := range subsystems(&got) {
						if s.Status != Unhealthy || len(s.Issues) == 0 || s.Issues[0] != "no answer within 900ms" {
							t.Errorf("round %d: %s is %+v", round, name, s)
						}
					}
					time.Sleep(answersFor)
				}
				most := int64(3)
				if deaf {
					most = 1
				}
				for i := range f.asked {
					if n := f.asked[i].Load(); n > most {
						t.Errorf("question %d was asked %d times", i, n)
					}
				}
				close(on)
				f.hangAll(on) // closed: nothing hangs
				synctest.Wait()
				if got := b.Dashboard(); got.Score != 100 {
					t.Errorf("after all answered again: %d %+v", got.Score, got.Penalties)
				}
			})
		})
	}
}

func TestOneThatHangsDoesNotSpoilTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, on := &fleet{}, make(chan struct{})
		f.hanging[1].Store(&on)
		got := NewBoard(f.questions(), time.Now).Dashboard()
		for name, s := range subsystems(&got) {
			if (name == "azure_storage") != (s.Status == Unhealthy) {
				t.Errorf("%s is %+v", name, s)
			}
		}
		if got.Score != 80 {
			t.Errorf("the score is %d", got.Score)
		}
		close(on)
	})
}

func TestScoreDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, on := &fleet{}, make(chan struct{})
		b := NewBoard(f.questions(), time.Now)
		if got := b.Score(); !math.IsNaN(got) || f.asked[4].Load() != 0 {
			t.Errorf("before anything was gathered: %v, and the database was asked %d times", got, f.asked[4].Load())
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		synctest.Wait()
		f.hanging[4].Store(&on)
		begin := time.Now()
		if got := b.Score(); got != 100 || time.Since(begin) != 0 {
			t.Errorf("%v after %s", got, time.Since(begin))
		}
		time.Sleep(gatherEvery + time.Second)
		if got := b.Score(); got != 75 {
			t.Errorf("with a database that hangs: %v", got)
		}
		close(on)
		time.Sleep(gatherEvery)
		if got := b.Score(); got != 100 {
			t.Errorf("with one that answers again: %v", got)
		}
		stop()
		running.Wait()
	})
}

// TestExhaustionsCountForAnHour: they are counted although nobody looks, and
// forgotten an hour later.
func TestExhaustionsCountForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{}
		f.exhausted.Store(60) // within the first moments
		b := NewBoard(f.questions(), time.Now)
		if got := b.Score(); !math.IsNaN(got) || f.asked[4].Load() != 0 {
			t.Errorf("before anything was gathered: %v, and the database was asked %d times", got, f.asked[4].Load())
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		last := func() int64 { return b.Dashboard().Subsystems.Pool.Exhaustions }
		time.Sleep(30 * time.Minute)
		f.exhausted.Store(101)
		time.Sleep(gatherEvery)
		if got := last(); got != 101 || b.Score() != 85 {
			t.Errorf("after half an hour %d, score %v", got, b.Score())
		}
		time.Sleep(30 * time.Minute)
		if got := last(); got != 41 || b.Score() != 100 {
			t.Errorf("after an hour %d, score %v", got, b.Score())
		}
		time.Sleep(30 * time.Minute)
		if got := last(); got != 0 {
			t.Errorf("after an hour and a half %d", got)
		}
		if n := len(b.exhaustions.samples); n > int(time.Hour/sampleEvery)+1 {
			t.Errorf("%d samples are kept", n)
		}
		stop()
		running.Wait()
	})
}

// TestAuditsThatStopAreNoticed: what the last one found doesn't stand for ever.
func TestAuditsThatStopAreNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{audit: &Audit{RunAt: time.Now(), Every: time.Minute}}
		b := NewBoard(f.questions(), time.Now)
		time.Sleep(2 * time.Minute)
		if got := b.Dashboard().Subsystems.Security; got.Status != Healthy || len(got.Issues) > 0 {
			t.Errorf("after one audit that failed: %+v", got)
		}
		time.Sleep(time.Second)
		if got := b.Dashboard().Subsystems.Security; got.Status != Unhealthy || len(got.Issues) != 1 || !strings.Contains(got.Issues[0], "every 1m0s") {
			t.Errorf("after two: %+v", got)
		}
	})
}

// TestTheShape holds the names that clients read.
func TestTheShape(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(Score(Subsystems{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"status":"warning"`, `"health_score":50`, `"subsystems":{"security":{"status":"unknown"`, `"azure_storage":{`, `"latency_ms":null`, `"cache":{`, `"hit_rate":null`,
		`"connection_pool":{`, `"reuse_rate":null`, `"database":{`, `"connections":0`, `"recall_data":{`, `"notices":0`, `"serial":0`, `"sources":[]`,
		`"penalties":[{"reason":"no_catalogue","points":50,`, `"uptime_seconds":0`, `"timestamp":`, `"issues":[]`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
}
