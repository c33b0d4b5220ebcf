package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/auth"
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

const (
	// streamsOfOne is how many streams of events one caller at one address may have.
	streamsOfOne = 4
	// streamLasts is how long a stream goes on; a browser comes back by itself.
	streamLasts = 15 * time.Minute
	// lookAgain is how often it is asked whether its listener may still listen.
	lookAgain = 2 * time.Second
)

// opsEvents serves an answer that ends when its listener may listen no more. The
// server's bounds on the time of an answer are lifted for it; the page sets its own.
func (s *service) opsEvents(w http.ResponseWriter, r *http.Request) {
	x := exchangeOf(r.Context())
	who := x.caller.Name() + " " + place(x.address)
	if !s.streams.enter(who) {
		p := newProblem(codeRateLimited, fmt.Sprintf("You have %d of these open already.", streamsOfOne))
		p.header = http.Header{"Retry-After": {"30"}}
		s.fail(w, r, p)
		return
	}
	defer s.streams.leave(who)
	x.endless = true
	ctx, cancel := context.WithTimeout(r.Context(), streamLasts)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	r = r.WithContext(ctx)
	watch.Go(func() {
		defer cancel()
		for s.mayListen(r, x) {
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
				return
			}
		}
	})
	control := http.NewResponseController(w)
	// A connection without deadlines has none to lift.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	s.Pages.ServeHTTP(w, r)
}

// mayListen asks anew who listens. While nobody can tell, who could before goes on.
func (s *service) mayListen(r *http.Request, x *exchange) bool {
	again := &exchange{requestID: x.requestID, address: x.address, caller: auth.Nobody}
	s.whoCalls(http.Header{}, r, again, forOperators)
	if again.doubt != nil {
		return true
	}
	return again.refused == nil && s.authorise(r, again, forOperators) == nil && again.caller.Name() == x.caller.Name()
}

// streams counts the streams of each caller.
type streams struct {
	mu   sync.Mutex
	open map[string]int
}

func (s *streams) enter(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[who] >= streamsOfOne {
		return false
	}
	s.open[who]++
	return true
}

func (s *streams) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[who]--; s.open[who] == 0 {
		delete(s.open, who)
	}
}
