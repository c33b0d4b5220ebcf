package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say whom to ask, and as whom. All but BaseURL may be left out.
type Options struct {
	// BaseURL is where the server is, such as https://crownsafe.example; a path in it is
	// kept.
	BaseURL string
	// Key is an API key.
	Key string
	// Token gives an access token, or an operator's, before each attempt; it beats Key.
	Token func(ctx context.Context) (string, error)
	// HTTPClient is used but for its redirects and its Timeout: none is followed, because
	// the key would go along, and Timeout below bounds each attempt.
	HTTPClient *http.Client
	// UserAgent comes before this package's own.
	UserAgent string
	// Attempts is how often a call that can be repeated is tried; 0: 4, 1: once.
	Attempts int
	// Timeout bounds each attempt, but for exports; 0: 30 seconds.
	Timeout time.Duration
	// MaxWait is the longest wait before another attempt; 0: 30 seconds.
	MaxWait time.Duration
}

// Client asks one server. It may be used by many goroutines.
type Client struct {
	base  *url.URL
	http  http.Client
	agent string
	o     Options
}

const ownAgent = "crownsafe-go/2.0.0"

// New returns a client. It asks nothing yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("crownsafe: BaseURL is no plain http or https address")
	}
	if o.Attempts < 0 || o.Timeout < 0 || o.MaxWait < 0 {
		return nil, errors.New("crownsafe: Attempts, Timeout and MaxWait cannot be negative")
	}
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxWait == 0 {
		o.MaxWait = 30 * time.Second
	}
	c := &Client{base: base, o: o, agent: strings.TrimSpace(o.UserAgent + " " + ownAgent)}
	if o.HTTPClient != nil {
		c.http = *o.HTTPClient
	}
	c.http.Timeout = 0
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// call is one request, as often as it is sent.
type call struct {
	method, path string
	query        url.Values
	contentType  string
	body         []byte
	once         string // the Idempotency-Key
	repeatable   bool   // sent twice it does no more than once
	anonymous    bool   // nothing is shown
}

func get(path string, query url.Values) *call {
	return &call{method: http.MethodGet, path: path, query: query, repeatable: true}
}

// segment escapes an id for one segment of a path.
func segment(id string) (string, error) {
	if id == "" || id == "." || id == ".." {
		return "", fmt.Errorf("crownsafe: %q is no id", id)
	}
	return url.PathEscape(id), nil
}

// request prepares one attempt.
func (c *Client) request(ctx context.Context, k *call) (*http.Request, error) {
	u, err := url.Parse(strings.TrimSuffix(c.base.String(), "/") + k.path)
	if err != nil {
		return nil, fmt.Errorf("crownsafe: the address of %s: %w", k.path, err)
	}
	u.RawQuery = k.query.Encode()
	req, err := http.NewRequestWithContext(ctx, k.method, u.String(), bodyOf(k.body))
	if err != nil {
		return nil, fmt.Errorf("crownsafe: preparing %s %s: %w", k.method, k.path, err)
	}
	h := req.Header
	h.Set("User-Agent", c.agent)
	h.Set("Accept", "application/json, application/problem+json")
	if k.body != nil {
		h.Set("Content-Type", k.contentType)
	}
	if k.once != "" {
		h.Set("Idempotency-Key", k.once)
	}
	return req, c.show(ctx, h, k)
}

// show adds who calls.
func (c *Client) show(ctx context.Context, h http.Header, k *call) error {
	switch {
	case k.anonymous:
	case c.o.Token != nil:
		token, err := c.o.Token(ctx)
		if err != nil {
			return fmt.Errorf("crownsafe: getting a token for %s %s: %w", k.method, k.path, err)
		}
		h.Set("Authorization", "Bearer "+token)
	case c.o.Key != "":
		h.Set("X-API-Key", c.o.Key)
	}
	return nil
}
