package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/crownsafe/api/internal/recall"
)

// Observer is told of requests. It never waits for anybody.
type Observer interface {
	// Route announces a route before its first request. The endpoint is the route's
	// template, such as /api/v1/recalls/{id}.
	Route(method, endpoint string)
	// Request is called for each request that was answered, with the endpoint
	// "none" when no route matched.
	Request(method, endpoint string, status int, took time.Duration, traceID string)
	// Verdict is called for each verdict that was given from memory. Those that are
	// found anew are Lookup's to tell of.
	Verdict(verdict string)
}

// noEndpoint is the endpoint of requests that no route matched.
const noEndpoint = "none"

// endpointOf is a mux's pattern without its method, as paths are written.
func endpointOf(pattern string) string {
	if pattern == "" {
		return noEndpoint
	}
	_, path, found := strings.Cut(pattern, " ")
	if !found {
		path = pattern
	}
	return strings.TrimSuffix(path, "{$}")
}

// patterns are the mux's of every operation in a document.
func patterns(document *huma.OpenAPI) []string {
	var list []string
	for path, item := range document.Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op != nil {
				list = append(list, method+" "+path)
			}
		}
	}
	return list
}

// announce tells the observer of routes by their patterns. One without a method is
// for reading.
func (s *service) announce(patterns ...string) {
	if s.Observer == nil {
		return
	}
	for _, pattern := range patterns {
		method, _, found := strings.Cut(pattern, " ")
		if !found {
			method = http.MethodGet
		}
		s.Observer.Route(method, endpointOf(pattern))
	}
}

// observe tells the observer of a request that was answered, but of those that are
// answered for as long as somebody listens.
func (s *service) observe(r *http.Request, x *exchange, route string, status int) {
	if s.Observer == nil || x.endless {
		return
	}
	if status == 0 { // nothing was written, which net/http makes a 200
		status = http.StatusOK
	}
	s.Observer.Request(r.Method, endpointOf(route), status, s.Now().Sub(x.started), x.traceID)
}

// given tells the observer of the verdict in an answer that was sent from memory.
func (s *service) given(verdict recall.Outcome, r *http.Request, status int) {
	if s.Observer != nil && verdict != "" && status == http.StatusOK && r.Method == http.MethodGet {
		s.Observer.Verdict(string(verdict))
	}
}

const metricsDescription = "In the Prometheus text format, in OpenMetrics (with exemplars that name traces) or as protobuf (with native histograms), " +
	"as `Accept` asks for. Everything comes from memory, whatever is down. For operators."

func (s *service) registerMetrics(api huma.API) {
	op := operation("metrics", http.MethodGet, "/metrics", tagHealth, "What is measured, for Prometheus", metricsDescription)
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses = map[string]*huma.Response{
		"200": {Description: "The metrics", Content: map[string]*huma.MediaType{
			"text/plain": text, "application/openmetrics-text": text,
			"application/vnd.google.protobuf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
	}
	huma.Register(api, op, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		if s.Metrics == nil {
			return nil, s.problem(ctx, op.OperationID, newProblem(codeNotFound, "Nothing is measured here."))
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			w.Header().Set("Cache-Control", "no-store")
			s.Metrics.ServeHTTP(w, r)
		}}, nil
	})
}
