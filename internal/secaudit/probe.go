package secaudit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Target is the handler that serves, as it serves, but with counts, limits and logs
// of its own, so that a probe moves nothing that a caller sees.
type Target struct {
	Handler http.Handler
	// Forge makes access tokens; nil: the service gives out none.
	Forge Forge
	// Member is a path that every good access token opens, by GET.
	Member string
	// Operators are paths that only operators may read, by GET.
	Operators []string
	// Lookup is a path that everybody may read, by GET, and that counts against the
	// limits; Page is one for people. Body is a path that takes JSON, by POST.
	Lookup, Page, Body string
	// MostBody is more bytes than Body takes.
	MostBody int
	// Burst is more requests than the limits let through at once.
	Burst int
	// Limited and HTTPS say what the settings want: limits, and browsers that come
	// by TLS only.
	Limited, HTTPS bool
	// AllowedOrigin is an origin whose pages may call, as it is listed: "*." before
	// the host stands for all below it, ":*" for any port. Empty: none may, or all.
	AllowedOrigin string
	// Private are words that no answer may have in it: names of hosts and folders.
	Private []string
}

// Forge makes access tokens for probes, as an attacker would, and good ones to
// compare with. They are for a user who doesn't exist or a role that may little.
type Forge interface {
	Valid(ctx context.Context) (string, error)
	Expired(ctx context.Context) (string, error)
	OtherKey(ctx context.Context) (string, error)
	NoAlgorithm(ctx context.Context) (string, error)
	OtherAudience(ctx context.Context) (string, error)
}

// floodAddr is a caller's address that nobody has (RFC 5737), for the probe that
// uses a limit up.
const (
	floodAddr = "198.51.100.23:40000"
	localAddr = "127.0.0.1:40000"
)

// patience bounds one request: an answer that goes on for ever is looked at then.
const patience = 5 * time.Second

// publicHost is a name for the service that no browser of this machine would send.
const publicHost = "service.test"

// prober asks a target for one rule, from an address of its own: what one rule
// asks counts against no other's limit.
type prober struct {
	ctx     context.Context
	address string
	*Target
}

// newProber makes the prober of a rule by its place among all. The address is one
// that nobody has (RFC 5737).
func newProber(ctx context.Context, target *Target, place int) *prober {
	return &prober{ctx, fmt.Sprintf("203.0.113.%d:40000", 1+place%254), target}
}

// asked is a request of a probe.
type asked struct {
	method, path string
	host, from   string
	header       http.Header
	body         io.Reader
}

// change makes a request another than usual.
type change func(*asked)

func with(name, value string) change { return func(a *asked) { a.header.Set(name, value) } }

func from(address string) change { return func(a *asked) { a.from = address } }

func toHost(host string) change { return func(a *asked) { a.host = host } }

func sending(body string) change {
	return func(a *asked) {
		a.body = strings.NewReader(body)
		a.header.Set("Content-Type", "application/json")
	}
}

// answer is what came back.
type answer struct {
	status   int
	header   http.Header
	body     string // its beginning
	panicked bool
}

// everything is the answer as one text, to look for what must not be in it.
func (a *answer) everything() string {
	var text strings.Builder
	for name, values := range a.header {
		fmt.Fprintf(&text, "%s: %s\n", name, strings.Join(values, ", "))
	}
	text.WriteString(a.body)
	return text.String()
}

// ask sends one request through the handler. What makes it panic is an answer too.
func (p *prober) ask(method, path string, changes ...change) (got answer) {
	a := asked{method: method, path: path, host: publicHost, from: p.address, header: http.Header{}}
	for _, change := range changes {
		change(&a)
	}
	target, err := url.ParseRequestURI(a.path)
	if err != nil { // the probes' own paths can be read
		return answer{status: http.StatusBadRequest, header: http.Header{}}
	}
	request := &http.Request{
		Method: a.method, URL: target, RequestURI: a.path, Host: a.host, RemoteAddr: a.from, Header: a.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	request = request.WithContext(ctx)
	if a.body != nil {
		request.Body, request.ContentLength = io.NopCloser(a.body), -1
		if sized, ok := a.body.(interface{ Len() int }); ok {
			request.ContentLength = int64(sized.Len())
		}
	}
	w := &writer{header: http.Header{}}
	defer func() {
		if v := recover(); v != nil {
			got = answer{status: http.StatusInternalServerError, header: w.header, panicked: true}
		}
	}()
	p.Handler.ServeHTTP(w, request)
	return w.answer()
}

// get is ask with GET.
func (p *prober) get(path string, changes ...change) answer {
	return p.ask(http.MethodGet, path, changes...)
}

// keptBody is how much of an answer is looked at.
const keptBody = 256 << 10

// writer keeps an answer in memory.
type writer struct {
	header http.Header
	sent   http.Header // as it was when the status was sent
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body.Write(b[:min(len(b), keptBody-w.body.Len())])
	return len(b), nil
}

// Flush implements http.Flusher.
func (w *writer) Flush() { w.WriteHeader(http.StatusOK) }

func (w *writer) answer() answer {
	w.WriteHeader(http.StatusOK)
	return answer{status: w.status, header: w.sent, body: w.body.String()}
}
