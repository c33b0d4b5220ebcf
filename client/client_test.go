package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script answers each attempt with the next of its replies, and the last one from then on.
type script struct {
	replies []reply
	seen    []*http.Request
	at      []time.Time
}

type reply struct {
	status int
	kind   string
	body   string
	header http.Header
	err    error
}

const verdictBody = `{"verdict":"no_match","as_of":"2026-11-24T06:00:00Z","coverage":[]}`

var (
	fine  = reply{status: 200, kind: "application/json", body: verdictBody}
	busy  = reply{status: 503, kind: "application/problem+json", body: `{"code":"unavailable","status":503,"detail":"later"}`}
	slow  = reply{status: 429, kind: "application/problem+json", body: `{"code":"rate_limited"}`, header: http.Header{"Retry-After": {"7"}}}
	never = reply{status: 429, kind: "application/problem+json", body: `{"code":"rate_limited"}`, header: http.Header{"Retry-After": {"3600"}}}
	cut   = reply{err: io.ErrUnexpectedEOF}
)

// RoundTrip implements http.RoundTripper.
func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.replies[min(len(s.seen), len(s.replies)-1)]
	s.seen, s.at = append(s.seen, r), append(s.at, time.Now())
	if next.err != nil {
		return nil, next.err
	}
	header := next.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", next.kind)
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
}

func scripted(t *testing.T, o Options, replies ...reply) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	o.BaseURL, o.HTTPClient = "https://crownsafe.example/base/", &http.Client{Transport: s}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func TestRepeating(t *testing.T) {
	t.Parallel()
	verdict := func(ctx context.Context, c *Client) error { return second(c.Verdict(ctx, Unit{GTIN: "1"})) }
	key := func(ctx context.Context, c *Client) error { return second(c.CreateKey(ctx, KeyRequest{Name: "n"})) }
	login := func(ctx context.Context, c *Client) error { return second(c.Login(ctx, Credentials{})) }
	refresh := func(ctx context.Context, c *Client) error { return second(c.Refresh(ctx, "t")) }
	underway := reply{status: 409, kind: "application/problem+json", body: `{"code":"in_progress"}`}
	made := reply{status: 201, kind: "application/json", body: `{"key":"crs_live_1"}`}
	bad := reply{status: 422, kind: "application/problem+json", body: `{"code":"empty"}`}
	mail := reply{status: 503, kind: "application/problem+json", body: `{"code":"mail_unavailable"}`}
	for name, test := range map[string]struct {
		call     func(ctx context.Context, c *Client) error
		replies  []reply
		attempts int
		fails    bool
	}{
		"succeeds at once":                  {verdict, []reply{fine}, 1, false},
		"succeeds after failures that pass": {verdict, []reply{busy, cut, fine}, 3, false},
		"gives up after four":               {verdict, []reply{busy}, 4, true},
		"waits as long as it is told":       {verdict, []reply{slow, fine}, 2, false},
		"doesn't wait for an hour":          {verdict, []reply{never, fine}, 1, true},
		"doesn't repeat what is wrong":      {verdict, []reply{bad, fine}, 1, true},
		"doesn't sign in twice":             {login, []reply{busy, fine}, 1, true},
		"never shows a refresh token twice": {refresh, []reply{cut, fine}, 1, true},
		"creates with a key":                {key, []reply{cut, underway, made}, 3, false},
		"doesn't wait for a mail server":    {verdict, []reply{mail, fine}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, Options{}, test.replies...)
				err := test.call(t.Context(), c)
				if len(s.seen) != test.attempts || (err != nil) != test.fails {
					t.Errorf("%d attempts and %v; want %d", len(s.seen), err, test.attempts)
				}
				once := map[string]bool{}
				for i, r := range s.seen {
					once[r.Header.Get("Idempotency-Key")] = true
					if i == 0 {
						continue
					}
					wait, before := s.at[i].Sub(s.at[i-1]), test.replies[min(i, len(test.replies))-1]
					if told := before.header.Get("Retry-After"); told != "" && wait != 7*time.Second {
						t.Errorf("waited %v, told %s s", wait, told)
					} else if told == "" && (wait <= 0 || wait > firstWait<<i) {
						t.Errorf("waited %v before attempt %d", wait, i+1)
					}
				}
				if len(once) != 1 {
					t.Errorf("the attempts had the Idempotency-Keys %v", once)
				}
			})
		})
	}
}

func TestWaitsDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		for range 8 {
			c, s := scripted(t, Options{Attempts: 2}, busy)
			_, _ = c.Verdict(t.Context(), Unit{})
			waits = append(waits, s.at[1].Sub(s.at[0]))
		}
		slices.Sort(waits)
		if waits[0] == waits[len(waits)-1] {
			t.Errorf("all waited %v", waits[0])
		}
	})
}

func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, Options{}, slow)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := second(c.Verdict(ctx, Unit{}))
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second || len(s.seen) != 1 {
			t.Errorf("%v after %v and %d attempts", err, time.Since(start), len(s.seen))
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		p, ok := errors.AsType[*Problem](second(c.Verdict(short, Unit{})))
		if !ok || p.RetryAfter != 7*time.Second || time.Since(start) != 0 {
			t.Errorf("a wait beyond the deadline: %+v after %v", p, time.Since(start))
		}
	})
}

// TestNoAnswerIsAVerdict is about everything that isn't one: each is an error, and no
// verdict comes with it.
func TestNoAnswerIsAVerdict(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]reply{
		"a hotel's page":         {status: 200, kind: "text/html", body: "<h1>Welcome</h1>"},
		"another JSON":           {status: 200, kind: "application/json", body: `{"status":"ok"}`},
		"an empty object":        {status: 200, kind: "application/json", body: `{}`},
		"null":                   {status: 200, kind: "application/json", body: `null`},
		"nothing":                {status: 200, kind: "application/json"},
		"no content":             {status: 204},
		"half an answer":         {status: 200, kind: "application/json", body: verdictBody[:20]},
		"an unknown outcome":     {status: 200, kind: "application/json", body: `{"verdict":"safe","as_of":"2026-11-24T06:00:00Z"}`},
		"an outcome that is nil": {status: 200, kind: "application/json", body: `{"verdict":null,"as_of":"2026-11-24T06:00:00Z"}`},
		"a verdict of no time":   {status: 200, kind: "application/json", body: `{"verdict":"no_match"}`},
		"a redirect":             {status: 302, header: http.Header{"Location": {"https://elsewhere.example/"}}},
		"a proxy's 502":          {status: 502, kind: "text/html", body: "Bad Gateway"},
		"an outage":              busy,
		"a cut connection":       cut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := scripted(t, Options{Attempts: 1}, r)
			if v, err := c.Verdict(t.Context(), Unit{GTIN: "1"}); err == nil || v != nil {
				t.Errorf("a verdict %+v, error %v", v, err)
			}
			if v, err := c.Barcode(t.Context(), "1", Unit{}); err == nil || v != nil {
				t.Errorf("a barcode %+v, error %v", v, err)
			}
			if list, err := c.Batch(t.Context(), make([]Unit, 2)); err == nil || list != nil {
				t.Errorf("a batch %+v, error %v", list, err)
			}
			if list, err := c.Photo(t.Context(), strings.NewReader("GIF")); err == nil || list != nil {
				t.Errorf("a photo %+v, error %v", list, err)
			}
			if drained(c.Recalls(t.Context(), Search{})) == nil || drained(c.Changes(t.Context(), 0)) == nil {
				t.Error("no recalls, or no changes, instead of an error")
			}
			for what, err := range map[string]error{
				"notice": second(c.Recall(t.Context(), "a:1", time.Time{})), "sources": second(c.Sources(t.Context())),
				"health": second(c.Health(t.Context())), "dashboard": second(c.Dashboard(t.Context())), "user": second(c.Me(t.Context())),
			} {
				if err == nil && !(what == "health" && r.body == `{"status":"ok"}`) {
					t.Errorf("a %s", what)
				}
			}
		})
	}
}

func TestABatchIsWhole(t *testing.T) {
	t.Parallel()
	short := reply{status: 200, kind: "application/json", body: `{"items":[` + verdictBody + `]}`}
	c, _ := scripted(t, Options{}, short)
	if list, err := c.Batch(t.Context(), make([]Unit, 2)); !errors.Is(err, ErrNoAnswer) || list != nil {
		t.Errorf("one answer for two units: %+v, %v", list, err)
	}
	mixed := reply{status: 200, kind: "application/json", body: `{"items":[` + verdictBody + `,{"error":{"code":"empty"}}]}`}
	c, _ = scripted(t, Options{}, mixed)
	list, err := c.Batch(t.Context(), make([]Unit, 2))
	if err != nil || list[0].Verdict.Outcome != NoMatch || list[0].Err != nil || list[1].Verdict != nil {
		t.Fatalf("%+v, %v", list, err)
	}
	if p, ok := errors.AsType[*Problem](list[1].Err); !ok || p.Code != "empty" {
		t.Errorf("the second unit's error is %v", list[1].Err)
	}
}

func TestPagesAreFollowed(t *testing.T) {
	t.Parallel()
	page := func(body string) reply { return reply{status: 200, kind: "application/json", body: body} }
	c, s := scripted(t, Options{Attempts: 1}, page(`{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"2"}`), page(`{"items":[{"id":"c"}]}`))
	var ids []string
	for r, err := range c.Recalls(t.Context(), Search{Q: "crib"}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) || s.seen[1].URL.Query().Get("cursor") != "2" || s.seen[1].URL.Path != "/base/api/v1/recalls" {
		t.Errorf("%v by %v", ids, s.seen[1].URL)
	}
	c, s = scripted(t, Options{}, page(`{"items":[{"serial":1},{"serial":2}],"next_since":2,"more":true}`), page(`{"items":[{"serial":3}],"next_since":3}`))
	last := int64(0)
	for change, err := range c.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		last = change.Serial
	}
	if last != 3 || s.seen[1].URL.Query().Get("since") != "2" {
		t.Errorf("the changes end with %d, by %v", last, s.seen[1].URL)
	}
	c, _ = scripted(t, Options{}, page(`{"items":[{"serial":1}],"next_since":0,"more":true}`))
	for _, err := range c.Changes(t.Context(), 0) {
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("a feed that stands still: %v", err)
		}
	}
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, Options{Key: "k", UserAgent: "shop/1"}, fine)
	_, _ = c.Verdict(t.Context(), Unit{})
	_, _ = c.Login(t.Context(), Credentials{})
	if h := s.seen[0].Header; h.Get("X-API-Key") != "k" || h.Get("User-Agent") != "shop/1 "+ownAgent || h.Get("Authorization") != "" {
		t.Errorf("a verdict was asked with %v", h)
	}
	if h := s.seen[1].Header; h.Get("X-API-Key") != "" {
		t.Errorf("the key was shown to sign in: %v", h)
	}
	c, s = scripted(t, Options{Key: "k", Token: func(context.Context) (string, error) { return "t", nil }}, fine)
	_, _ = c.Me(t.Context())
	if h := s.seen[0].Header; h.Get("Authorization") != "Bearer t" || h.Get("X-API-Key") != "" {
		t.Errorf("the token was shown as %v", h)
	}
	failed := errors.New("no token")
	c, s = scripted(t, Options{Token: func(context.Context) (string, error) { return "", failed }}, fine)
	if _, err := c.Me(t.Context()); !errors.Is(err, failed) || len(s.seen) != 0 {
		t.Errorf("without a token: %v, %d attempts", err, len(s.seen))
	}
}

// TestKeysStayHere follows a server that sends its callers elsewhere.
func TestKeysStayHere(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked with the key %q", r.URL, r.Header.Get("X-API-Key"))
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer here.Close()
	c, err := New(Options{BaseURL: here.URL, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := errors.AsType[*Problem](second(c.Me(t.Context()))); !ok || p.Status != http.StatusTemporaryRedirect {
		t.Errorf("a redirect: %+v", p)
	}
}

func TestUnusableOptions(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "crownsafe.example", "ftp://x", "https://u:p@x", "https://x/?a=b", "https://x/#a"} {
		if _, err := New(Options{BaseURL: base}); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
	if _, err := New(Options{BaseURL: "https://x", Attempts: -1}); err == nil {
		t.Error("-1 attempts were taken")
	}
}

func TestExportsAreWhole(t *testing.T) {
	t.Parallel()
	whole := string(packed([]byte(`{"id":"us-cpsc:1"}`)))
	for name, body := range map[string]string{"cut off": whole[:len(whole)/2], "no gzip": "<html>", "empty": ""} {
		c, _ := scripted(t, Options{Attempts: 1}, reply{status: 200, kind: "application/gzip", body: body})
		var last error
		var m Manifest
		for _, err := range c.Export(t.Context(), &m) {
			last = err
		}
		if !errors.Is(last, ErrCutOff) || m.Serial != 0 {
			t.Errorf("%s: %v, %+v", name, last, m)
		}
	}
	c, _ := scripted(t, Options{}, reply{status: 200, kind: "application/gzip", body: whole})
	var m Manifest
	n := 0
	for notice, err := range c.Export(t.Context(), &m) {
		if err != nil || notice.ID != "us-cpsc:1" {
			t.Errorf("%+v, %v", notice, err)
		}
		n++
	}
	if n != 1 || m.Serial != 281 {
		t.Errorf("%d notices, %+v", n, m)
	}
}

func TestConclusive(t *testing.T) {
	t.Parallel()
	ok, stale := Coverage{Agency: "us-cpsc", State: "ok"}, Coverage{Agency: "us-fda", State: "stale", CouldMatch: true}
	unread := Coverage{Agency: "ca-hc", State: "never"} // CouldMatch is false: there is nothing to match with
	for _, test := range []struct {
		outcome Outcome
		cover   []Coverage
		about   []string
		want    bool
	}{
		{Affected, []Coverage{stale}, nil, true},
		{NotAffected, []Coverage{ok}, nil, true},
		{NotAffected, []Coverage{ok, stale}, nil, false},
		{NotAffected, []Coverage{ok, unread}, nil, false},
		{NotAffected, []Coverage{ok, stale}, []string{"us-cpsc"}, true},
		{NoMatch, []Coverage{ok}, nil, false},
		{NeedCode, []Coverage{ok}, nil, false},
		{CannotTell, nil, nil, false},
		{Unanswered, nil, nil, false},
	} {
		v := Verdict{Outcome: test.outcome, Coverage: test.cover}
		if got := v.Conclusive(test.about...); got != test.want {
			t.Errorf("%s with %+v for %v: %v", test.outcome, test.cover, test.about, got)
		}
	}
	if (&Verdict{}).Outcome.String() != "unanswered" {
		t.Error("the zero outcome reads as something")
	}
}
