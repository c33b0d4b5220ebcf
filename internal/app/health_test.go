package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/store"
)

const opsToken = "an operator's token, of a test of the program"

// operator asks a serving program as an operator.
func (p *running) operator(t *testing.T, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+opsToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", path, resp.StatusCode)
	}
	return resp
}

func (p *running) dashboard(t *testing.T) (d health.Dashboard) {
	t.Helper()
	resp := p.operator(t, "/api/v1/monitoring/system-health-dashboard")
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

// scores waits until the dashboard shows a score for these reasons.
func (p *running) scores(t *testing.T, score int, reasons ...string) {
	t.Helper()
	p.eventually(t, fmt.Sprintf("a score of %d for %v", score, reasons), func() bool {
		var got []string
		d := p.dashboard(t)
		for _, penalty := range d.Penalties {
			got = append(got, penalty.Reason)
		}
		return d.Score == score && d.Status == health.Band(score) && slices.Equal(got, reasons) && p.Health.Score() == float64(score)
	})
}

// turning is a clock that a test turns on.
type turning struct{ ahead atomic.Int64 }

func (c *turning) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *turning) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// watched is a program with a board by a clock of its own, and no security audit.
func watched(t *testing.T) (*running, *turning) {
	t.Helper()
	p, clock := program(t, t.TempDir(), openStore(t)), &turning{}
	p.Config.OpsToken = opsToken
	p.openHealth(clock.now, func() *health.Audit { return nil })
	return p, clock
}

// TestTheEmbeddedDefaultIsHealthy: on a laptop, with nothing but the program, and
// after its audit.
func TestTheEmbeddedDefaultIsHealthy(t *testing.T) {
	t.Parallel()
	p := programIn(t, config.Development, t.TempDir(), openStore(t))
	p.Config.OpsToken = opsToken
	p.start(t)
	p.eventually(t, "an audit", func() bool { return p.dashboard(t).Subsystems.Security.RunAt != nil })
	d := p.dashboard(t)
	if d.Status != health.Healthy {
		t.Errorf("%d %s %+v: %+v", d.Score, d.Status, d.Penalties, p.audits.forHealth().Findings)
	}
	if s := d.Subsystems; s.RecallData.Notices == 0 || s.RecallData.Serial == 0 || len(s.RecallData.Sources) != 13 || s.Storage.LatencyMS == nil ||
		s.Storage.Backend != "disk" || s.Cache.Backend != "memory" || s.Database.Backend != "sqlite" {
		t.Errorf("%+v", s)
	}
}

func TestTheScoreTellsOfFindings(t *testing.T) {
	t.Parallel()
	p, clock := watched(t)
	var last atomic.Pointer[health.Audit]
	p.openHealth(clock.now, last.Load)
	p.start(t)
	p.scores(t, 100)
	for worst, score := range map[string]int{"CRITICAL": 50, "HIGH": 70, "MEDIUM": 85, "LOW": 95} {
		last.Store(&health.Audit{RunAt: time.Now(), Worst: worst, Counts: map[string]int{worst: 2}})
		clock.forward(time.Second)
		p.scores(t, score, "security_finding")
	}
	last.Store(&health.Audit{RunAt: time.Now()})
	clock.forward(time.Second)
	p.scores(t, 100)
	if got := p.dashboard(t).Subsystems.Security.Status; got != health.Healthy {
		t.Errorf("after an audit that found nothing: %s", got)
	}
	last.Store(&health.Audit{RunAt: time.Now().Add(-3 * auditEvery), Every: auditEvery, Worst: "LOW", Counts: map[string]int{"LOW": 1}})
	clock.forward(time.Second)
	p.scores(t, 95, "security_finding")
	if got := p.dashboard(t).Subsystems.Security; got.Status != health.Unhealthy || len(got.Issues) != 2 {
		t.Errorf("when audits have stopped: %+v", got)
	}
}

func TestTheScoreTellsOfACacheThatSeldomHits(t *testing.T) {
	t.Parallel()
	p, clock := watched(t)
	p.start(t)
	words := cache.For[string](p.Cache, cache.Use{Name: "test", TTL: time.Hour})
	look := func(name string) {
		t.Helper()
		if _, err := words.Load(t.Context(), cache.Item{Name: name}, func(context.Context) (string, error) { return name, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 99 {
		look(fmt.Sprint(i))
	}
	clock.forward(time.Second)
	p.scores(t, 100)
	look("the hundredth")
	clock.forward(time.Second)
	p.scores(t, 90, "cache_hit_rate")
	for range 100 {
		look("the hundredth")
	}
	clock.forward(time.Second)
	p.scores(t, 100)
}

func TestTheScoreTellsOfTooFewOperations(t *testing.T) {
	t.Parallel()
	p, clock := watched(t)
	p.start(t)
	if _, err := p.Objects.Put(t.Context(), "test/one", strings.NewReader("one"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var open []io.Closer
	for range p.Objects.guard.Pool().Size {
		content, _, err := p.Objects.Get(t.Context(), "test/one")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, content)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 101 {
		if _, err := p.Objects.guard.Head(gone, "test/one"); err == nil {
			t.Fatal("there was room for one more")
		}
	}
	for _, content := range open {
		if err := content.Close(); err != nil {
			t.Error(err)
		}
	}
	clock.forward(10 * time.Second)
	p.scores(t, 85, "pool_exhaustion")
	clock.forward(time.Hour)
	p.scores(t, 100)
}

// TestTheScoreTellsOfNoCatalogue: a start without the database, and its coming.
func TestTheScoreTellsOfNoCatalogue(t *testing.T) {
	t.Parallel()
	p, clock := watched(t)
	p.cable.set(store.ErrUnavailable, nil)
	p.start(t)
	p.scores(t, 25, "database_failure", "no_catalogue")
	p.cable.set(nil, nil)
	p.eventually(t, "ready", func() bool { return p.ready(t) })
	clock.forward(time.Second)
	p.scores(t, 100)
}

// TestEventsEndWhenTheProgramDrains: a page that is open doesn't keep a process
// from stopping in order.
func TestEventsEndWhenTheProgramDrains(t *testing.T) {
	t.Parallel()
	p, _ := watched(t)
	p.start(t)
	resp := p.operator(t, "/ops/events")
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && lines.Text() != "event: sections" {
	}
	began := time.Now()
	p.stop()
	if took := time.Since(began); took >= p.Config.Grace {
		t.Errorf("it stopped after %s, its grace", took)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
}
