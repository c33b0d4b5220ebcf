package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/traffic"
)

// Board tells how the service does. It answers within a second, whatever hangs.
type Board interface {
	Dashboard() health.Dashboard
}

// Traffic counts requests.
type Traffic interface {
	Answered(traffic.Answer)
}

func (s *service) registerDashboard(api huma.API) {
	op := operation("system-health-dashboard", http.MethodGet, "/api/v1/monitoring/system-health-dashboard", tagHealth, "How the service does, from 0 to 100",
		"Six subsystems are asked at once, at most once a second; one that doesn't answer within 900 ms counts as unhealthy. `penalties` tells why the score is not 100. For operators.")
	handle[struct{}, health.Dashboard](s, api, op, func(context.Context, *struct{}) (*answer, error) {
		return s.healthy(s.Board.Dashboard())
	})
}

// count tells of a request that was answered, but of those that are answered for
// as long as somebody listens.
func (s *service) count(x *exchange, route string, status int) {
	if s.Traffic == nil || x.endless {
		return
	}
	now := s.Now()
	s.Traffic.Answered(traffic.Answer{At: now, Took: max(0, now.Sub(x.started)), Status: status, Route: route, Code: x.code, TraceID: x.traceID})
}

// opsEvents serves an answer without an end. The server's bounds on the
// time of an answer are lifted for it; the page sets its own.
func (s *service) opsEvents(w http.ResponseWriter, r *http.Request) {
	exchangeOf(r.Context()).endless = true
	control := http.NewResponseController(w)
	// A connection without deadlines has none to lift.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	s.Pages.ServeHTTP(w, r)
}
