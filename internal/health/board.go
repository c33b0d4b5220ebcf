package health

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// gatherEvery is how often the subsystems are asked while nobody asks for them.
	gatherEvery = 10 * time.Second
	// answersFor is how long what was gathered is good for.
	answersFor = time.Second
	// patience is how long a question may take. With it an answer is there within a
	// second, whatever hangs.
	patience = 900 * time.Millisecond
	// exhaustionsFor is how far back exhaustions of the pools count.
	exhaustionsFor = time.Hour
)

// noAnswer is the issue of a subsystem that keeps its question waiting.
var noAnswer = "no answer within " + patience.String()

// Questions ask the subsystems. Each is asked in a goroutine of its own and never
// twice at the same time, and should return when its context ends; one that
// doesn't is left alone until it does.
type Questions struct {
	Security   func(context.Context) *Audit // nil: no audit has run yet
	Storage    func(context.Context) Storage
	Cache      func(context.Context) Cache
	Pool       func(context.Context) Pool
	Database   func(context.Context) Database
	RecallData func(context.Context) RecallData
	Backends   Backends
}

// Backends are what subsystems are made of, which is known while they are silent too.
type Backends struct{ Storage, Cache, Database string }

// Board knows how the service does.
type Board struct {
	now     func() time.Time
	started time.Time

	backends   Backends
	security   question[*Audit]
	storage    question[Storage]
	cache      question[Cache]
	pool       question[Pool]
	database   question[Database]
	recallData question[RecallData]

	exhaustions *window
	gathering   singleflight.Group
	last        atomic.Pointer[Dashboard]
}

// NewBoard makes a board for a process that starts now. All questions are needed.
func NewBoard(q Questions, now func() time.Time) *Board {
	started := now()
	b := &Board{now: now, started: started, exhaustions: newWindow(exhaustionsFor, started), backends: q.Backends}
	b.security.ask, b.storage.ask, b.cache.ask = q.Security, q.Storage, q.Cache
	b.pool.ask, b.database.ask, b.recallData.ask = q.Pool, q.Database, q.RecallData
	return b
}

// Dashboard tells how the service does: what was gathered within the last second,
// else what is gathered now, which takes a second at most. Who asks meanwhile
// waits for the same gathering.
func (b *Board) Dashboard() Dashboard {
	if last := b.fresh(); last != nil {
		return *last
	}
	gathered, _, _ := b.gathering.Do("", func() (any, error) {
		if last := b.fresh(); last != nil { // a gathering may just have ended
			return last, nil
		}
		report := b.gather()
		b.last.Store(&report)
		return &report, nil
	})
	return *gathered.(*Dashboard)
}

// Score is the score of the last gathering, however long ago, and NaN before the
// first: metrics must not wait.
func (b *Board) Score() float64 {
	if last := b.last.Load(); last != nil {
		return float64(last.Score)
	}
	return math.NaN()
}

// Run gathers every ten seconds until ctx ends, so that exhaustions are counted, and
// Score is right, although nobody asks.
func (b *Board) Run(ctx context.Context) {
	ticker := time.NewTicker(gatherEvery)
	defer ticker.Stop()
	for {
		b.Dashboard()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (b *Board) fresh() *Dashboard {
	if last := b.last.Load(); last != nil && b.now().Sub(last.At) < answersFor {
		return last
	}
	return nil
}

// gather asks all subsystems at once. Whoever waits for it may go away; the answer
// is for all.
func (b *Board) gather() Dashboard {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	security, storage, cache := b.security.begin(ctx), b.storage.begin(ctx), b.cache.begin(ctx)
	pool, database, recallData := b.pool.begin(ctx), b.database.begin(ctx), b.recallData.begin(ctx)

	var facts Subsystems
	audit, answered := security()
	if audit != nil {
		facts.Security = Security{RunAt: &audit.RunAt, Worst: audit.Worst, Findings: audit.Counts, Overdue: audit.overdue(b.now())}
	}
	facts.Security.unless(answered)
	facts.Storage, answered = storage()
	facts.Storage.unless(answered)
	facts.Cache, answered = cache()
	facts.Cache.unless(answered)
	facts.Pool, answered = pool()
	facts.Pool.unless(answered)
	if answered {
		facts.Pool.Exhaustions = b.exhaustions.grown(facts.Pool.Exhausted, b.now())
	}
	facts.Database, answered = database()
	facts.Database.unless(answered)
	facts.RecallData, answered = recallData()
	facts.RecallData.unless(answered)
	facts.Storage.Backend, facts.Cache.Backend, facts.Database.Backend = b.backends.Storage, b.backends.Cache, b.backends.Database
	report := Score(facts)
	report.At = b.now().UTC()
	report.Uptime = report.At.Sub(b.started).Seconds()
	return report
}

// unless notes that a subsystem keeps its question waiting, unless it answered.
func (s *Subsystem) unless(answered bool) {
	if !answered {
		s.Failing = noAnswer
	}
}

// overdue says in words that there should have been another audit by now: one may
// fail, and two in a row may not.
func (a *Audit) overdue(now time.Time) string {
	if a.Every <= 0 || now.Sub(a.RunAt) <= 2*a.Every {
		return ""
	}
	return fmt.Sprintf("the last security audit is from %s, and there should be one every %s", a.RunAt.UTC().Format(time.RFC3339), a.Every)
}
