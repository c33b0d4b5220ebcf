package agency

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"go.opentelemetry.io/otel/trace"
)

// DefaultUserAgent names the program and where its people can be reached.
const DefaultUserAgent = "CrownSafe (+https://github.com/crownsafe/api)"

// What a question costs at most unless ClientOptions says otherwise.
const (
	defaultMaxBytes = 512 << 20 // the largest dump, NHTSA's flat file, unpacks to some 290 MB
	defaultTimeout  = 2 * time.Minute
	defaultPatience = 6 * time.Minute
	defaultAttempts = 3
	dialTimeout     = 10 * time.Second

	firstDelay     = time.Second
	longestDelay   = 30 * time.Second
	longestWait    = time.Minute // an agency that asks for a longer pause is left alone until the next poll
	jitter         = 0.25
	excerptOfError = 2000
)

// ErrTooLarge says that an answer is longer than the client reads.
var ErrTooLarge = errors.New("the answer is larger than what is read of one answer")

// ErrRefused says that an agency lets us in no further: for one that wants a
// credential, that it doesn't take ours.
var ErrRefused = errors.New("the agency refuses access")

// StatusError is an answer whose status says that it isn't the thing asked for. It is
// ErrRefused for 401 and 403 (RFC 9110, sections 15.5.2 and 15.5.4).
// Some agencies say "nothing found" so (openFDA: 404), which is why Get returns
// the answer beside it.
type StatusError struct {
	URL        string
	Status     int
	Said       string        // the beginning of the body, at most 2,000 bytes
	RetryAfter time.Duration // 0: the agency gave none
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s answered %d %s", e.URL, e.Status, http.StatusText(e.Status))
	if e.RetryAfter > 0 {
		text += fmt.Sprintf(" (come back in %s)", e.RetryAfter)
	}
	return text
}

// Is implements errors.Is.
func (e *StatusError) Is(target error) bool {
	return target == ErrRefused && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// ClientOptions configures a Client; the zero value is ready for use.
type ClientOptions struct {
	UserAgent string            // names us and our contact; empty: DefaultUserAgent
	Transport http.RoundTripper // nil: one connection per host, proxies as the environment says
	MaxBytes  int64             // of one answer, unpacked; 0: 512 MiB
	Timeout   time.Duration     // of one attempt, body included; 0: 2 minutes
	Patience  time.Duration     // of one Get with all its attempts and pauses; 0: 6 minutes
	Attempts  int               // at most; 0: 3
	Logger    *slog.Logger      // nil: silent
	Tracer    trace.Tracer      // nil: no spans
	Now       func() time.Time  // nil: time.Now
}

// Client asks agencies politely: one question at a time per host, gzip, a
// User-Agent with a contact, conditional requests, and pauses that grow when an
// agency is in trouble. It is safe for concurrent use.
type Client struct {
	options ClientOptions
	http    *http.Client
	retry   retrypolicy.RetryPolicy[Answer]

	mu         sync.Mutex
	gates      map[string]chan struct{} // by host; holding the one token is the right to ask
	validators map[string]validators    // by URL
}

// validators are what an agency gave to tell an unchanged answer by (RFC 9110, section 8.8).
type validators struct{ etag, lastModified string }

// Answer is one answer of an agency, read whole.
type Answer struct {
	URL       string
	Status    int
	Header    http.Header
	Body      []byte // unpacked
	FetchedAt time.Time
}

// NotModified reports that the agency has nothing newer than the last answer
// that was given to Client.Remember. Such an answer has no body.
func (a Answer) NotModified() bool { return a.Status == http.StatusNotModified }

// Payload makes the answer ready for delivery.
func (a Answer) Payload(complete bool) Payload {
	return Payload{URL: a.URL, FetchedAt: a.FetchedAt, Body: a.Body, Complete: complete}
}

// NewClient returns a client.
func NewClient(o ClientOptions) *Client {
	o.UserAgent = cmp.Or(o.UserAgent, DefaultUserAgent)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultMaxBytes)
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	o.Patience = cmp.Or(o.Patience, defaultPatience)
	o.Attempts = cmp.Or(o.Attempts, defaultAttempts)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout:   dialTimeout,
			ResponseHeaderTimeout: o.Timeout,
			ForceAttemptHTTP2:     true,
			MaxConnsPerHost:       1,
			MaxIdleConnsPerHost:   1,
			IdleConnTimeout:       30 * time.Second,
		}
	}
	c := &Client{
		options:    o,
		http:       &http.Client{Transport: traced(o.Transport, o.Tracer), CheckRedirect: followRedirect},
		gates:      map[string]chan struct{}{},
		validators: map[string]validators{},
	}
	c.retry = retrypolicy.NewBuilder[Answer]().
		HandleIf(worthAnotherTry).
		AbortIf(func(a Answer, _ error) bool { return c.retryAfter(a) > longestWait }).
		WithMaxAttempts(o.Attempts).
		WithBackoff(firstDelay, longestDelay).
		WithJitterFactor(jitter).
		WithDelayFunc(func(attempt failsafe.ExecutionAttempt[Answer]) time.Duration {
			if wait := c.retryAfter(attempt.LastResult()); wait > 0 {
				return time.Duration(float64(wait) / (1 - jitter)) // the jitter must not undercut what was asked for
			}
			return -1 // as the backoff says
		}).
		OnRetryScheduled(func(e failsafe.ExecutionScheduledEvent[Answer]) {
			o.Logger.Info("asking an agency again", "attempt", e.Attempts(), "in", e.Delay.Round(time.Millisecond).String(), "status", e.LastResult().Status, "error", e.LastError())
		}).
		ReturnLastFailure().
		Build()
	return c
}

// Get asks for an address, again where that can help: after 429, 500, 502, 503,
// 504, a failed connection or a body that was cut, never after another 4xx. It
// returns within ClientOptions.Patience, and as soon as ctx ends.
//
// The error is a *StatusError for a status other than 2xx and 304, and the
// answer is whole beside it; it wraps ErrTruncated when the body ended before
// its time, and ErrTooLarge when it was longer than MaxBytes. header holds
// further fields of the request.
func (c *Client) Get(ctx context.Context, address string, header ...http.Header) (Answer, error) {
	return c.answer(ctx, question{method: http.MethodGet, address: address, header: header})
}

// Post asks an address by POST, with a body of a media type, as services do
// that take their search terms so. It is asked again where Get would be, so the
// body must be a question, which changes nothing at the agency; and always
// unconditionally, because an address stands for many questions. Otherwise it
// is as Get.
func (c *Client) Post(ctx context.Context, address, mediaType string, body []byte, header ...http.Header) (Answer, error) {
	typed := http.Header{"Content-Type": {mediaType}}
	return c.answer(ctx, question{method: http.MethodPost, address: address, header: append([]http.Header{typed}, header...), body: body})
}

// question is what is asked, as often as it takes.
type question struct {
	method, address string
	header          []http.Header
	body            []byte // nil: none
}

func (c *Client) answer(ctx context.Context, q question) (Answer, error) {
	address := q.address
	u, err := url.Parse(address)
	if err != nil {
		return Answer{}, fmt.Errorf("reading the address %q: %w", address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Patience)
	defer cancel()
	leave, err := c.enter(ctx, u.Host)
	if err != nil {
		return Answer{}, fmt.Errorf("waiting to ask %s: %w", u.Host, err)
	}
	defer leave()

	answer, err := failsafe.With(c.retry).WithContext(ctx).GetWithExecution(func(failsafe.Execution[Answer]) (Answer, error) {
		return c.ask(ctx, q)
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w, after: %w", cause, err)
		}
		return answer, fmt.Errorf("asking %s: %w", address, err)
	}
	if answer.Status/100 != 2 && !answer.NotModified() {
		return answer, &StatusError{
			URL: address, Status: answer.Status, RetryAfter: c.retryAfter(answer),
			Said: string(answer.Body[:min(len(answer.Body), excerptOfError)]),
		}
	}
	return answer, nil
}

// Remember makes later questions for the same address conditional on its having
// changed since this answer. Call it only when the answer's notices are safe in
// the store: what was remembered too early would never be asked for again.
func (c *Client) Remember(a Answer) {
	v := validators{etag: a.Header.Get("ETag"), lastModified: a.Header.Get("Last-Modified")}
	if a.Status != http.StatusOK || v == (validators{}) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.validators[a.URL] = v
}

// enter waits for the right to ask a host and returns how to give it back.
func (c *Client) enter(ctx context.Context, host string) (leave func(), err error) {
	c.mu.Lock()
	gate, ok := c.gates[host]
	if !ok {
		gate = make(chan struct{}, 1)
		c.gates[host] = gate
	}
	c.mu.Unlock()
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ask asks once.
func (c *Client) ask(ctx context.Context, q question) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	request, err := c.request(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, connectionError{err}
	}
	defer response.Body.Close()
	answer := Answer{URL: q.address, Status: response.StatusCode, Header: response.Header, FetchedAt: c.options.Now().UTC()}
	var body bytes.Buffer
	n, err := io.Copy(&body, io.LimitReader(response.Body, c.options.MaxBytes+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return answer, connectionError{fmt.Errorf("%w (%w after %d bytes)", ErrTruncated, err, n)}
	case err != nil:
		return answer, connectionError{fmt.Errorf("reading the answer after %d bytes: %w", n, err)}
	case n > c.options.MaxBytes:
		return answer, fmt.Errorf("%w (%d bytes)", ErrTooLarge, c.options.MaxBytes)
	}
	answer.Body = body.Bytes()
	return answer, nil
}

// request makes the request of one attempt.
func (c *Client) request(ctx context.Context, q question) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, q.method, q.address, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", c.options.UserAgent)
	for _, h := range q.header {
		for name, values := range h {
			request.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if q.method != http.MethodGet {
		return request, nil
	}
	c.mu.Lock()
	v := c.validators[q.address]
	c.mu.Unlock()
	if v.etag != "" {
		request.Header.Set("If-None-Match", v.etag)
	}
	if v.lastModified != "" {
		request.Header.Set("If-Modified-Since", v.lastModified)
	}
	return request, nil
}

// mostRedirects is how many times an agency may point elsewhere.
const mostRedirects = 10

// followRedirect takes the caller's fields off a question that is sent on to
// another host or in the clear: agencies' keys stand in fields of many names,
// and net/http drops only the usual ones.
func followRedirect(next *http.Request, before []*http.Request) error {
	if len(before) >= mostRedirects {
		return fmt.Errorf("stopped after %d redirects", mostRedirects)
	}
	first := before[0].URL
	if next.URL.Host != first.Host || next.URL.Scheme != first.Scheme && next.URL.Scheme != "https" {
		next.Header = http.Header{"User-Agent": next.Header["User-Agent"]}
	}
	return nil
}

// connectionError marks what went wrong on the way to or from an agency, which
// may go right the next time.
type connectionError struct{ error }

func (e connectionError) Unwrap() error { return e.error }

func worthAnotherTry(a Answer, err error) bool {
	if err != nil {
		var onTheWay connectionError
		return errors.As(err, &onTheWay)
	}
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads how long the agency asks to be left alone, in seconds or as
// a date (RFC 9110, section 10.2.3).
func (c *Client) retryAfter(a Answer) time.Duration {
	said := strings.TrimSpace(a.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(said, 10, 32); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(at.Sub(c.options.Now()), 0)
	}
	return 0
}
