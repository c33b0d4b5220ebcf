package chaos

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// dashboard is what an operator sees of the service as a whole.
type dashboard struct {
	Status     string
	Score      int `json:"health_score"`
	Subsystems map[string]struct {
		Status string
		Issues []string
	}
	Penalties []struct {
		Reason string
		Points int
		Why    string
	}
}

func dashboardOf(t *testing.T, s *program.Server) (d dashboard) {
	t.Helper()
	operator(t, s, "/api/v1/monitoring/system-health-dashboard", &d)
	return d
}

// penalised says which reasons count, in order, and the score that they leave. What
// the audit finds of the machine that tests run on, such as that root runs them, is
// left out.
func (d dashboard) penalised() (reasons string, score int) {
	var list []string
	score = d.Score
	for _, p := range d.Penalties {
		if p.Reason == "security_finding" {
			score += p.Points
			continue
		}
		list = append(list, fmt.Sprintf("%s %d", p.Reason, p.Points))
	}
	slices.Sort(list)
	return strings.Join(list, ", "), score
}

// becomes waits until the dashboard shows a score, of these penalties, and a
// subsystem in a state.
func becomes(t *testing.T, s *program.Server, score int, penalties, subsystem, status string) {
	t.Helper()
	var last dashboard
	testenv.Eventually(t, 2*program.Patience, fmt.Sprintf("the score is %d of %q, with %s %s", score, penalties, subsystem, status), func() bool {
		last = dashboardOf(t, s)
		reasons, left := last.penalised()
		return left == score && reasons == penalties && last.Subsystems[subsystem].Status == status
	})
}

// TestTheScoreTellsOfEachServer breaks each server that the service stands on, in
// the ways that operators know, and sees the score fall and rise again.
func TestTheScoreTellsOfEachServer(t *testing.T) {
	t.Parallel()
	db, r, a := startDatabase(t), startRedis(t), startAccount(t)
	s := program.Serve(t, t.TempDir(), db.setting(), r.setting(), a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
	for _, fault := range []struct {
		name        string
		happen, end func()
		score       int
		penalties   string
		subsystem   string
	}{
		{"database killed", db.kill, db.start, 75, "database_failure 25", "database"},
		{"database hanging", db.way.Hang, db.way.Heal, 75, "database_failure 25", "database"},
		{"database read-only", db.readOnly, db.writable, 75, "database_failure 25", "database"},
		{"Redis killed", r.kill, r.start, 100, "", "cache"},
		{"Redis hanging", r.way.Hang, r.way.Heal, 100, "", "cache"},
		{"account stopped", a.stop, a.heal, 80, "storage_unhealthy 20", "azure_storage"},
		{"account hanging", a.way.Hang, a.heal, 80, "storage_unhealthy 20", "azure_storage"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			db.t, r.t, a.t = t, t, t
			becomes(t, s, 100, "", fault.subsystem, "healthy")
			fault.happen()
			becomes(t, s, fault.score, fault.penalties, fault.subsystem, "unhealthy")
			if got := dashboardOf(t, s); len(got.Subsystems[fault.subsystem].Issues) == 0 {
				t.Error("it doesn't say what is wrong")
			}
			fault.end()
			becomes(t, s, 100, "", fault.subsystem, "healthy")
		})
	}
	t.Run("all hanging", func(t *testing.T) {
		db.t, r.t, a.t = t, t, t
		db.way.Hang()
		r.way.Hang()
		a.way.Hang()
		becomes(t, s, 55, "database_failure 25, storage_unhealthy 20", "cache", "unhealthy")
	})
}

// TestTheScoreTellsOfAPoolThatIsTooSmall: calls that get no connection in time
// count, also when the database is well again.
func TestTheScoreTellsOfAPoolThatIsTooSmall(t *testing.T) {
	t.Parallel()
	db := startDatabase(t)
	s := program.Serve(t, t.TempDir(), db.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken,
		"CROWNSAFE_DATABASE_POOL_SIZE=1", "CROWNSAFE_DATABASE_ACQUIRE_TIMEOUT=1s")
	becomes(t, s, 100, "", "connection_pool", "healthy")
	db.way.Slow(500 * time.Millisecond)
	asking, stop := context.WithCancel(t.Context())
	var askingAll sync.WaitGroup
	defer askingAll.Wait()
	defer stop()
	for range 64 { // each waits a second for the one connection
		askingAll.Go(func() {
			for asking.Err() == nil {
				if resp, err := http.Get(s.Base + "/api/v1/recalls/us-fda:H-0249-2026/revisions"); err == nil {
					resp.Body.Close()
				}
			}
		})
	}
	testenv.Eventually(t, program.Patience, "the pool is said to be too small", func() bool {
		return dashboardOf(t, s).Subsystems["connection_pool"].Status == "unhealthy"
	})
	stop()
	db.way.Heal()
	becomes(t, s, 85, "pool_exhaustion 15", "connection_pool", "unhealthy")
}

// TestTheScoreTellsOfOldNotices: one source past its objective is enough, and a
// source that can't be asked for want of a key doesn't count.
func TestTheScoreTellsOfOldNotices(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(func() {
		silent.CloseClientConnections()
		silent.Close()
	})
	world := &agencies{Server: silent}
	db := startDatabase(t)
	s := program.Serve(t, t.TempDir(), append(world.settings(), db.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)...)
	becomes(t, s, 90, "stale_source 10", "recall_data", "degraded") // nothing was ever fetched
	fetched := func(age time.Duration, agencies ...string) {
		t.Helper()
		at := time.Now().Add(-age).UnixMicro()
		db.past("crownsafe", func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `INSERT INTO run (agency, kind, state, reason, started_at, finished_at, read, added, revised, unchanged, older, rejected, withdrawn)
				SELECT unnest($1::text[]), 'poll', 'done', '', $2, $2, 1, 0, 0, 1, 0, 0, 0`, agencies, at)
			return err
		})
	}
	all := []string{
		"au-accc", "ca-hc", "de-lmw", "eu-safety-gate", "fr-rappelconso", "nz-mbie", "uk-fsa", "uk-opss", "us-cpsc", "us-fda", "us-fsis", "us-nhtsa",
	}
	fetched(7*24*time.Hour, all...)
	becomes(t, s, 90, "stale_source 10", "recall_data", "degraded")
	fetched(time.Minute, all[1:]...)
	testenv.Eventually(t, program.Patience, "one alone is old", func() bool {
		for _, p := range dashboardOf(t, s).Penalties {
			if p.Why == "1 source is past the freshness objective: au-accc." {
				return true
			}
		}
		return false
	})
	fetched(time.Minute, all[0])
	becomes(t, s, 100, "", "recall_data", "healthy")
}
