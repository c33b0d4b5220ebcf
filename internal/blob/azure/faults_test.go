package azure

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
)

// proxy stands between a store and the test's account, and does to requests what
// a test wants.
type proxy struct {
	*httptest.Server
	pass     *httputil.ReverseProxy
	requests atomic.Int64
	fault    atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]
}

// newProxy starts one, and returns options that lead a store through it.
func newProxy(t *testing.T) (*proxy, Options) {
	t.Helper()
	connection, container := testenv.Azure(t)
	account, err := parseConnectionString(connection)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(account.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{pass: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})}
	p.pass.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p, Options{
		AccountURL: p.URL + target.Path, AccountName: account.name, AccountKey: account.rawKey, Container: container,
		BlockSize: 128 << 10, TryTimeout: 10 * time.Second, RetryDelay: time.Millisecond,
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	if fault := p.fault.Load(); fault != nil && *fault != nil && (*fault)(w, r) {
		return
	}
	p.pass.ServeHTTP(w, r)
}

// do lets a function deal with requests; one that it answers false to goes on.
func (p *proxy) do(fault func(w http.ResponseWriter, r *http.Request) bool) { p.fault.Store(&fault) }

// heal lets everything go on.
func (p *proxy) heal() { p.do(nil) }

// kind names a request by what Azure calls it.
func kind(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case query.Get("comp") == "list":
		return "list"
	case query.Get("restype") == "container":
		return "make container"
	case query.Get("comp") == "block":
		return "stage"
	case query.Get("comp") == "blocklist":
		return "commit"
	case r.Method == http.MethodPut && r.Header.Get("x-ms-copy-source") != "":
		return "copy"
	}
	return strings.ToLower(r.Method)
}

// first makes a fault happen to the first requests of each kind only.
func first(times int, fault func(w http.ResponseWriter, r *http.Request) bool) func(w http.ResponseWriter, r *http.Request) bool {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		seen[kind(r)]++
		now := seen[kind(r)] <= times
		mu.Unlock()
		return now && fault(w, r)
	}
}

// only makes a fault happen to one kind of requests.
func only(what string, fault func(w http.ResponseWriter, r *http.Request) bool) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return kind(r) == what && fault(w, r) }
}

// answers refuses with a status and one of Azure's codes.
func answers(status int, code string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("x-ms-error-code", code)
		w.WriteHeader(status)
		return true
	}
}

// cut breaks the connection in the middle of what is sent.
func cut(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	panic(http.ErrAbortHandler)
}

// lost does what is asked, and breaks the connection in place of an answer.
func (p *proxy) lost(_ http.ResponseWriter, r *http.Request) bool {
	p.pass.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// hang answers nothing until whoever asks has gone.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// part hands out the beginning of an answer, and then does something else.
func (p *proxy) part(bytes int64, then func(w http.ResponseWriter, r *http.Request)) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		answer := httptest.NewRecorder()
		p.pass.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = io.CopyN(w, answer.Body, bytes)
		_ = http.NewResponseController(w).Flush()
		then(w, r)
		panic(http.ErrAbortHandler)
	}
}

// deadAddress is one where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.WithoutCancel(t.Context()), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
