package api

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/store"
)

// pingTimeout bounds what a monitor waits for the database.
const pingTimeout = 2 * time.Second

// Liveness is the answer of /health and /api/readyz.
type Liveness struct {
	Status string `json:"status" enum:"ok"`
}

// Health is the answer of /api/healthz.
type Health struct {
	Status string            `json:"status" enum:"ok"`
	Checks map[string]string `json:"checks" doc:"what was asked, and ok or what is wrong"`
}

func (s *service) registerHealth(api huma.API) {
	op := operation("health", http.MethodGet, "/health", tagHealth, "Is the process alive?", "Asks nothing and nobody.")
	handle[struct{}, Liveness](s, api, op, func(context.Context, *struct{}) (*answer, error) {
		return s.healthy(Liveness{Status: "ok"})
	})
	op = operation("readyz", http.MethodGet, "/api/readyz", tagHealth, "May traffic be sent here?",
		"200 while a catalogue is loaded and the process is not draining, whatever the state of database, cache and blob.", http.StatusServiceUnavailable)
	handle[struct{}, Liveness](s, api, op, func(context.Context, *struct{}) (*answer, error) {
		if p := unwell(s.ownChecks()); p != nil {
			return nil, p
		}
		return s.healthy(Liveness{Status: "ok"})
	})
	op = operation("healthz", http.MethodGet, "/api/healthz", tagHealth, "Is the service whole?",
		"As readyz, and the database is asked. For monitors, not for routing. The problem of a 503 carries `checks` too. "+
			"Cache and storage are told of, and never the reason for a 503: the service goes on without them.", http.StatusServiceUnavailable)
	handle[struct{}, Health](s, api, op, func(ctx context.Context, _ *struct{}) (*answer, error) {
		checks := s.ownChecks()
		checks["catalogue"] = s.standing()
		others := s.askOthers(ctx)
		checks["database"] = s.askDatabase(ctx)
		p := unwell(checks)
		maps.Copy(checks, others())
		if p != nil {
			return nil, p
		}
		return s.healthy(Health{Status: "ok", Checks: checks})
	})
}

// ownChecks looks at what the process knows without asking anybody.
func (s *service) ownChecks() map[string]string {
	checks := map[string]string{"catalogue": "ok", "process": "ok"}
	if !s.Catalogue.Current().Loaded() {
		checks["catalogue"] = "not loaded"
	}
	if s.Draining() {
		checks["process"] = "draining"
	}
	return checks
}

// stale is how long ago the catalogue may have been held against the database, as
// it is several times a second, for it to be well.
const stale = 30 * time.Second

// standing says "ok" or from when the catalogue is.
func (s *service) standing() string {
	snap := s.Catalogue.Current()
	from := snap.FreshAt().Format(time.RFC3339)
	switch {
	case !snap.Loaded():
		return "not loaded"
	case snap.Restored():
		return "from a snapshot, as of " + from + "; the database has not been read since"
	case s.Now().Sub(snap.FreshAt()) > stale:
		return "as of " + from + "; the database has not been read since"
	}
	return "ok"
}

// askDatabase says "ok", or what keeps it from doing its work.
// Why is for the log only.
func (s *service) askDatabase(ctx context.Context) string {
	if s.Ping == nil {
		return "ok"
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	err := s.Ping(ctx)
	if err == nil {
		return "ok"
	}
	s.Logger.LogAttrs(ctx, slog.LevelError, "the database fails", slog.String("error", err.Error()))
	return DatabaseFault(err)
}

// DatabaseFault words for everybody what keeps the database from doing its work.
func DatabaseFault(err error) string {
	switch {
	case errors.Is(err, store.ErrReadOnly):
		return "takes no changes"
	case errors.Is(err, store.ErrNotMigrated):
		return "schema is missing or too old"
	}
	return "no answer"
}

// askOthers asks how those do that the service can go on without. It asks them at
// once, beside whatever is asked meanwhile, so that a monitor waits for the slowest
// and not for the sum. What it returns waits for the answers.
func (s *service) askOthers(ctx context.Context) (answers func() map[string]string) {
	if s.Monitored == nil {
		return func() map[string]string { return nil }
	}
	var asking sync.WaitGroup
	var cache, storage string
	asking.Go(func() { cache = s.Monitored.Cache(ctx).Status })
	asking.Go(func() { storage = s.Monitored.Storage(ctx).Status })
	return func() map[string]string {
		asking.Wait()
		checks := map[string]string{"cache": cache, "storage": storage}
		for name, status := range checks {
			checks[name] = "ok"
			if status == Unhealthy {
				checks[name] = "no answer"
			}
		}
		return checks
	}
}

// unwell returns the problem that some check is not ok, nil when all are.
func unwell(checks map[string]string) *Problem {
	var bad []string
	for name, said := range checks {
		if said != "ok" {
			bad = append(bad, name+": "+said)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.Sort(bad)
	p := newProblem(codeUnavailable, strings.Join(bad, "; "))
	p.Checks = checks
	return p
}

func (s *service) healthy(v any) (*answer, error) {
	return uncached(s.Catalogue.Current().Serial(), v)
}
