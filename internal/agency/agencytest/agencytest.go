// Package agencytest plays an agency's server for tests, in memory and without
// sockets, so that tests of pauses and timeouts run inside a synctest bubble.
// It misbehaves on demand in the ways in which real feeds do: error pages with
// status 200, cut bodies, refused connections, silence.
//
// It knows nothing of any agency's format.
package agencytest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
)

// Step is how the server reacts to one request.
type Step func(*http.Request) (*http.Response, error)

// Server plays one agency.
type Server struct {
	tb       testing.TB
	mu       sync.Mutex
	scripts  map[string][]Step
	requests []*http.Request
}

// New returns a server that knows no path yet.
func New(tb testing.TB) *Server {
	return &Server{tb: tb, scripts: map[string][]Step{}}
}

// On tells how the server reacts to the requests for a path, one step each; the
// last step is repeated for ever.
func (s *Server) On(path string, steps ...Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[path] = steps
}

// Requests returns what was asked, in order.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...)
}

// RoundTrip answers one request; a path that On was never called for fails the
// test, because no test means to ask it.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Clone(context.WithoutCancel(r.Context())))
	steps, known := s.scripts[r.URL.Path]
	if len(steps) > 1 {
		s.scripts[r.URL.Path] = steps[1:]
	}
	s.mu.Unlock()
	if !known || len(steps) == 0 {
		s.tb.Errorf("agencytest: nobody told what %s answers", r.URL)
		return response(r, http.StatusNotFound, nil, nil), nil
	}
	return steps[0](r)
}

// Client returns a client that reaches only this server.
func (s *Server) Client() *agency.Client {
	return agency.NewClient(agency.ClientOptions{Transport: s})
}

// Answer answers a status and a body; header is in pairs of name and value.
func Answer(status int, body string, header ...string) Step {
	return func(r *http.Request) (*http.Response, error) {
		return response(r, status, []byte(body), header), nil
	}
}

// JSON answers 200 with a JSON body.
func JSON(body string) Step {
	return Answer(http.StatusOK, body, "Content-Type", "application/json; charset=utf-8")
}

// Unchangeable answers a body with an ETag, and 304 to whoever has it.
func Unchangeable(body, etag string) Step {
	return func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-None-Match") == etag {
			return response(r, http.StatusNotModified, nil, []string{"ETag", etag}), nil
		}
		return response(r, http.StatusOK, []byte(body), []string{"ETag", etag}), nil
	}
}

// Apologise answers a web page with status 200, as firewalls and failing
// servers do.
func Apologise() Step {
	return Answer(http.StatusOK, "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head><body>Please come back later.</body></html>",
		"Content-Type", "text/html")
}

// TooMany answers 429 and asks to be left alone for a while.
func TooMany(pause time.Duration) Step {
	return Answer(http.StatusTooManyRequests, "slow down", "Retry-After", strconv.Itoa(int(pause/time.Second)))
}

// Cut answers 200 and drops the connection after the first bytes of the body.
func Cut(body string, after int) Step {
	return func(r *http.Request) (*http.Response, error) {
		answer := response(r, http.StatusOK, nil, nil)
		answer.ContentLength = int64(len(body))
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte(body[:after])), broken{}))
		return answer, nil
	}
}

// broken is the rest of a body whose connection was dropped.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Refuse refuses the connection.
func Refuse() Step {
	return func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dial tcp: connect: %w", syscall.ECONNREFUSED)
	}
}

// Hang says nothing until the asker gives up.
func Hang() Step {
	return func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
}

// ByQuery answers as choose says of the request.
func ByQuery(choose func(r *http.Request) Step) Step {
	return func(r *http.Request) (*http.Response, error) { return choose(r)(r) }
}

func response(r *http.Request, status int, body []byte, header []string) *http.Response {
	answer := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
	for i := 0; i+1 < len(header); i += 2 {
		answer.Header.Set(header[i], header[i+1])
	}
	return answer
}

// Parsed is everything that a payload gave.
type Parsed struct {
	Records []agency.Record
	Rejects []agency.Reject
}

// Parse reads a payload whole; the error is Parse's own.
func Parse(ctx context.Context, a agency.Agency, format string, payload []byte) (Parsed, error) {
	var p Parsed
	err := a.Parse(ctx, format, bytes.NewReader(payload), agency.Sink{
		Record: func(r agency.Record) error { p.Records = append(p.Records, r); return nil },
		Reject: func(r agency.Reject) error { p.Rejects = append(p.Rejects, r); return nil },
	})
	return p, err
}

// Fetch asks a server for an agency's payloads and collects them.
func (s *Server) Fetch(ctx context.Context, a agency.Agency, since agency.Since) ([]agency.Payload, error) {
	var payloads []agency.Payload
	err := a.Fetch(ctx, s.Client(), since, func(p agency.Payload) error {
		payloads = append(payloads, p)
		return nil
	})
	return payloads, err
}

// Golden compares got, as indented JSON, with a file, or writes the file when
// update is set.
func Golden(tb testing.TB, path string, got []byte, update bool) {
	tb.Helper()
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		tb.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
