package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

func body(t testing.TB, res *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryAnswerIsGuarded looks at the headers of every route, and of errors.
func TestEveryAnswerIsGuarded(t *testing.T) {
	b := limitedBench(t)
	look := func(what string, res *http.Response) {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", what, name, got, want)
			}
		}
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", what, policy)
		}
		if !strings.Contains(res.Header.Get("Permissions-Policy"), "geolocation=()") || res.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", what, res.Header)
		}
		if len(res.Header["Access-Control-Allow-Origin"]) > 0 {
			t.Errorf("%s: %q may read it", what, res.Header["Access-Control-Allow-Origin"])
		}
	}
	for _, pattern := range everyRoute(b) {
		look(pattern, b.call(from1, pattern, "Bearer "+operatorsToken))
		look(pattern+" as nobody", b.call(from2, pattern, "nothing"))
	}
	etag := b.get(t, "/api/v1/sources").Header.Get("ETag")
	statuses := map[int]*http.Response{
		304: b.get(t, "/api/v1/sources", "If-None-Match", etag).Response, 404: b.get(t, "/nowhere").Response, 405: b.do(t, "DELETE", "/api/v1/recalls", "").Response,
		401: b.get(t, "/api/v1/sources", "X-API-Key", "wrong").Response, 403: b.get(t, "/api/v1/monitoring/database", "Authorization", "Bearer member").Response,
		414: b.get(t, "/api/v1/barcode/"+strings.Repeat("1", maxURIBytes)).Response, 422: b.get(t, "/api/v1/recalls?limit=0").Response,
		415: b.do(t, "POST", "/api/v1/verdict", "{}", "Content-Encoding", "gzip").Response,
		413: b.do(t, "POST", "/api/v1/verdict", strings.Repeat(" ", maxVerdictBytes+1)).Response,
	}
	b.until(t, "192.0.2.99:1", "GET /api/v1/sources", "nothing")
	statuses[429] = b.call("192.0.2.99:1", "GET /api/v1/sources", "nothing")
	for status, res := range statuses {
		if res.StatusCode != status {
			t.Errorf("%d, want %d", res.StatusCode, status)
		}
		look(http.StatusText(status), res)
	}
}

func TestOnlyOverTLS(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		public string
		peer   string
		header string
		tls    bool
		want   bool
	}{
		"over TLS":                     {"", "192.0.2.1:1", "", true, true},
		"in the clear":                 {"", "192.0.2.1:1", "", false, false},
		"the public address is https":  {"https://crownsafe.example", "192.0.2.1:1", "", false, true},
		"the public address is http":   {"http://crownsafe.example", "192.0.2.1:1", "", false, false},
		"a proxy says https":           {"", "10.0.0.1:1", "X-Forwarded-Proto: https", false, true},
		"a proxy says http":            {"", "10.0.0.1:1", "X-Forwarded-Proto: http", false, false},
		"the last proxy's word counts": {"", "10.0.0.1:1", "X-Forwarded-Proto: https, http", false, false},
		"a proxy says so as RFC 7239":  {"", "10.0.0.1:1", "Forwarded: for=192.0.2.1;proto=https", false, true},
		"another header, RFC 7239":     {"", "10.0.0.1:1", "X-Forwarded-Proto: https", false, false},
		"a stranger says https":        {"", "192.0.2.1:1", "X-Forwarded-Proto: https", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(d *Dependencies) {
				d.PublicURL, d.Proxies = c.public, Proxies{trusted, strings.Contains(name, "RFC 7239")}
			})
			r := httptest.NewRequest("GET", "/health", nil)
			r.RemoteAddr = c.peer
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if key, value, ok := strings.Cut(c.header, ": "); ok {
				r.Header.Set(key, value)
			}
			if got := b.answer(r).Header.Get("Strict-Transport-Security"); (got != "") != c.want {
				t.Errorf("Strict-Transport-Security: %q", got)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	ask := func(b *bench, method, target, origin string, more ...string) *http.Response {
		r := httptest.NewRequest(method, target, nil)
		r.Header.Set("Origin", origin)
		for i := 0; i+1 < len(more); i += 2 {
			r.Header.Set(more[i], more[i+1])
		}
		return b.answer(r)
	}
	const good, evil, target = "https://shop.example", "https://evil.example", "/api/v1/sources"
	allowed := func(res *http.Response) string { return res.Header.Get("Access-Control-Allow-Origin") }

	closed := newBench(t)
	for _, origin := range []string{good, evil, "null"} {
		if res := ask(closed, "GET", target, origin); allowed(res) != "" || res.StatusCode != 200 {
			t.Errorf("without a list: %s %d", allowed(res), res.StatusCode)
		}
		if res := ask(closed, "OPTIONS", target, origin, "Access-Control-Request-Method", "GET"); allowed(res) != "" || res.StatusCode != 405 {
			t.Errorf("a question without a list: %s %d", allowed(res), res.StatusCode)
		}
	}
	listed := limitedBenchWith(t, func(d *Dependencies) { d.Origins = []string{good, "https://*.partner.example"} })
	for origin, want := range map[string]string{
		good: good, "https://a.partner.example": "https://a.partner.example", evil: "", "null": "", "https://shop.example.evil.example": "", "http://shop.example": "",
		"https://evilshop.example": "", "https://partner.example": "",
	} {
		for range 2 { // computed, then from memory
			res := ask(listed, "GET", target, origin)
			if allowed(res) != want || !strings.Contains(strings.Join(res.Header["Vary"], ","), "Origin") {
				t.Errorf("%s: allowed %q, Vary %q", origin, allowed(res), res.Header["Vary"])
			}
			if res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s may use a browser's sign-in", origin)
			}
			if exposes := strings.ToLower(res.Header.Get("Access-Control-Expose-Headers")); want != "" && !strings.Contains(exposes, "ratelimit") {
				t.Errorf("%s reads %q", origin, exposes)
			}
		}
		res := ask(listed, "OPTIONS", target, origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
		if allowed(res) != want || res.Header.Get("X-Request-Id") == "" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s asks: %v", origin, res.Header)
		}
		if res := ask(listed, "GET", "/openapi.json", origin); allowed(res) != "" {
			t.Errorf("%s reads what is no API: %q", origin, allowed(res))
		}
	}
	// A page must be able to read why it is turned away.
	listed.until(t, from1, "GET "+target, "nothing")
	r := asked("GET " + target)
	r.RemoteAddr = from1
	r.Header.Set("Origin", good)
	if res := listed.answer(r); res.StatusCode != 429 || allowed(res) != good {
		t.Errorf("a 429: %d %q", res.StatusCode, allowed(res))
	}
	everybody := newBench(t, func(d *Dependencies) { d.Origins = []string{"*"} })
	if res := ask(everybody, "GET", target, evil); allowed(res) != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("for everybody: %v", res.Header)
	}
	for _, bad := range []string{"shop.example", "https://shop.example/", "https://*", "null", "https://*.com"} {
		if _, err := AllowOrigins([]string{bad}); err == nil {
			t.Errorf("%q was taken for an origin", bad)
		}
	}
}

func limitedBenchWith(t testing.TB, change func(*Dependencies)) *bench {
	t.Helper()
	b := &bench{clock: start}
	b = wholeBench(t, limited(&b), change)
	return b
}

// TestOtherSitesChangeNothing: what a page elsewhere has a browser send.
func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	b := wholeBench(t, func(d *Dependencies) { d.PublicURL = "https://crownsafe.example" })
	for name, c := range map[string]struct {
		target, caller string
		headers        []string
		refused        bool
	}{
		"a form of ours":                      {"/photo", "nothing", []string{"Sec-Fetch-Site", "same-origin"}, false},
		"a form of another site":              {"/photo", "nothing", []string{"Sec-Fetch-Site", "cross-site"}, true},
		"a form of a neighbour":               {"/photo", "nothing", []string{"Sec-Fetch-Site", "same-site"}, true},
		"an old browser, our origin":          {"/photo", "nothing", []string{"Origin", "http://example.com"}, false},
		"an old browser, our public origin":   {"/photo", "nothing", []string{"Origin", "https://crownsafe.example"}, false},
		"an old browser, another origin":      {"/photo", "nothing", []string{"Origin", "https://evil.example"}, true},
		"a hidden origin":                     {"/photo", "nothing", []string{"Origin", "null"}, true},
		"no browser":                          {"/photo", "nothing", nil, false},
		"the API with a cookie, another site": {"/api/v1/verdict", "cookie member", []string{"Sec-Fetch-Site", "cross-site"}, true},
		"the API with a cookie, ours":         {"/api/v1/verdict", "cookie member", []string{"Sec-Fetch-Site", "same-origin"}, false},
		"the API with a token, another site":  {"/api/v1/verdict", "Bearer member", []string{"Sec-Fetch-Site", "cross-site"}, false},
		"the API with nothing, another site":  {"/api/v1/verdict", "nothing", []string{"Sec-Fetch-Site", "cross-site"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "http://example.com"+c.target, strings.NewReader(`{"lot":"A"}`))
			show(r, c.caller)
			for i := 0; i+1 < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			res := b.answer(r)
			if (res.StatusCode == 403) != c.refused {
				t.Fatalf("%d", res.StatusCode)
			}
			if c.refused {
				if p := decode[Problem](t, reply{res, body(t, res)}, 403); p.Code != "cross_origin" {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

// TestOtherSitesHaveNothingWritten by a link that a browser follows with the cookie.
func TestOtherSitesHaveNothingWritten(t *testing.T) {
	t.Parallel()
	b := wholeBench(t)
	for name, c := range map[string]struct {
		target, caller, site string
		want                 int
	}{
		"a link elsewhere":         {"/api/v1/me/export", "cookie member", "cross-site", 403},
		"a link of a neighbour":    {"/api/v1/me/export", "cookie member", "same-site", 403},
		"a link of ours":           {"/api/v1/me/export", "cookie member", "same-origin", 503}, // there are no accounts here
		"an address typed in":      {"/api/v1/me/export", "cookie member", "none", 503},
		"a program":                {"/api/v1/me/export", "Bearer member", "cross-site", 503},
		"what is only read":        {"/api/v1/me", "cookie member", "cross-site", 503},
		"what anybody may look at": {"/api/v1/sources", "cookie member", "cross-site", 200},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		show(r, c.caller)
		r.Header.Set("Sec-Fetch-Site", c.site)
		if res := b.answer(r); res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, c.want)
		}
	}
}

// TestOtherSitesDoNothingOnADevelopersMachine, where being here is enough.
func TestOtherSitesDoNothingOnADevelopersMachine(t *testing.T) {
	t.Parallel()
	b := wholeBench(t, func(d *Dependencies) { d.Operators = Operators{Loopback: true} })
	for site, want := range map[string]bool{"cross-site": true, "same-site": true, "same-origin": false, "": false} {
		r := httptest.NewRequest("PUT", "http://localhost/api/v1/monitoring/log-levels", strings.NewReader(`{}`))
		r.RemoteAddr = "127.0.0.1:5000"
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if res := b.answer(r); (res.StatusCode == 403) != want {
			t.Errorf("from %q: %d", site, res.StatusCode)
		}
	}
}

// TestPreflightsAreSeen in the log and in what is counted.
func TestPreflightsAreSeen(t *testing.T) {
	t.Parallel()
	seen := &counted{}
	b := newBench(t, func(d *Dependencies) { d.Origins, d.Traffic = []string{"https://shop.example"}, seen })
	for _, origin := range []string{"https://shop.example", "https://evil.example"} {
		r := httptest.NewRequest("OPTIONS", "/api/v1/sources", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "GET")
		status := b.answer(r).StatusCode
		if n := len(seen.list); n == 0 || seen.list[n-1].Status != status {
			t.Errorf("%s: %d, counted as %+v", origin, status, seen.list)
		}
	}
	if lines := strings.Count(b.log.String(), `"method":"OPTIONS"`); lines != 2 || len(seen.list) != 2 {
		t.Errorf("%d lines, %d counted: %s", lines, len(seen.list), b.log)
	}
	if b.answer(httptest.NewRequest("OPTIONS", "/api/v1/sources", nil)); len(seen.list) != 3 {
		t.Errorf("what is no preflight is counted %d times", len(seen.list)-2)
	}
}

// TestCompressedBodiesAreRefused on every call that takes one, before anything is unpacked.
func TestCompressedBodiesAreRefused(t *testing.T) {
	b := wholeBench(t)
	for _, pattern := range everyRoute(b) {
		for encoding, refused := range map[string]bool{"gzip": true, "br": true, "identity, gzip": true, "identity": false} {
			r := asked(pattern)
			r.Header.Set("Content-Encoding", encoding)
			show(r, "Bearer "+operatorsToken)
			takes := strings.HasPrefix(pattern, "POST ")
			if res := b.answer(r); takes && refused != (res.StatusCode == 415 && strings.Contains(string(body(t, res)), "compressed")) {
				t.Errorf("%s with %s: %d", pattern, encoding, res.StatusCode)
			}
		}
	}
}

// attempts keeps attempts as a store does, and has no clock.
type attempts struct {
	mu   sync.Mutex
	kept map[string]account.Attempt
	last account.Lease
	down error
}

func (a *attempts) BeginAttempt(_ context.Context, owner, key string, fingerprint []byte, _ time.Time, _, _ time.Duration) (account.Attempt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down != nil {
		return account.Attempt{}, a.down
	}
	known, ok := a.kept[owner+"\n"+key]
	if !ok {
		a.last++
		a.kept[owner+"\n"+key] = account.Attempt{Fingerprint: fingerprint, Lease: a.last}
		return account.Attempt{First: true, Lease: a.last}, nil
	}
	return known, nil
}

func (a *attempts) KnownAttempt(_ context.Context, owner, key string) (account.Attempt, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, is := a.kept[owner+"\n"+key]
	if !is {
		return account.Attempt{}, store.ErrNotFound
	}
	known.First, known.Lease = false, 0
	return known, nil
}

func (a *attempts) AttemptsOf(context.Context, string) ([]account.KeptAttempt, error) {
	return nil, nil
}

func (a *attempts) FinishAttempt(_ context.Context, owner, key string, lease account.Lease, answer []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.kept[owner+"\n"+key]
	if known.Lease != lease {
		return nil
	}
	if known.Answer = answer; answer == nil {
		delete(a.kept, owner+"\n"+key)
		return nil
	}
	a.kept[owner+"\n"+key] = known
	return nil
}

// creating is a bench with an operation that creates something, by a handler of the test.
func creating(t *testing.T, handler http.HandlerFunc) (*bench, *attempts) {
	t.Helper()
	kept := &attempts{kept: map[string]account.Attempt{}}
	b := wholeBench(t, func(d *Dependencies) {
		d.Once = onceIn(kept)
	})
	s := b.Handler.(*service)
	s.mux.needs["POST /api/v1/things"] = need{role: account.Reader, budget: lookups, creates: true}
	s.mux.ServeMux.HandleFunc("POST /api/v1/things", handler)
	return b, kept
}

// onceIn keeps attempts, with answers that are sealed for one request each.
func onceIn(kept account.Attempts) Once {
	return Once{
		Attempts: kept,
		Seal: func(plain, about []byte) ([]byte, error) {
			return slices.Concat(about, []byte("\x00sealed "), flip(plain)), nil
		},
		Open: func(sealed, about []byte) ([]byte, error) {
			flipped, ok := bytes.CutPrefix(sealed, slices.Concat(about, []byte("\x00sealed ")))
			if !ok {
				return nil, errors.New("of another request")
			}
			return flip(flipped), nil
		},
	}
}

func flip(b []byte) []byte {
	flipped := slices.Clone(b)
	for i := range flipped {
		flipped[i] ^= 0x5a
	}
	return flipped
}

func TestIdempotencyKeys(t *testing.T) {
	made := 0
	b, kept := creating(t, func(w http.ResponseWriter, r *http.Request) {
		made++
		given := body(t, &http.Response{Body: r.Body})
		switch {
		case bytes.Contains(given, []byte("fails")):
			w.WriteHeader(503)
			return
		case bytes.Contains(given, []byte("bad")):
			w.WriteHeader(422)
			return
		case bytes.Contains(given, []byte("panics")):
			panic("half way")
		}
		w.Header().Set("Location", "/api/v1/things/1")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(201)
		_, _ = w.Write([]byte(`{"key":"cs_shown-once"}`))
	})
	post := func(key, content string, headers ...string) reply {
		return b.do(t, "POST", "/api/v1/things", content, append([]string{"Idempotency-Key", key}, headers...)...)
	}
	first, again := post("k1", `{"a":1}`), post("k1", `{"a":1}`)
	if made != 1 || first.StatusCode != 201 || again.StatusCode != 201 || !bytes.Equal(first.body, again.body) || again.Header.Get("Location") != "/api/v1/things/1" ||
		again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("made %d times; %d %s, then %d %s", made, first.StatusCode, first.body, again.StatusCode, again.body)
	}
	if first.Header.Get("Idempotent-Replayed") != "" || again.Header.Get("Idempotent-Replayed") != "true" || again.Header.Get("X-Request-Id") == first.Header.Get("X-Request-Id") {
		t.Errorf("%v, then %v", first.Header, again.Header)
	}
	for _, a := range kept.kept {
		if bytes.Contains(a.Answer, []byte("shown-once")) {
			t.Errorf("a key that is shown once is kept in the clear: %q", a.Answer)
		}
	}
	if p := decode[Problem](t, post("k1", `{"a":2}`), 422); p.Code != "idempotency_key_reused" {
		t.Errorf("another body: %+v", p)
	}
	if r := post("k2", `{"a":1}`); r.StatusCode != 201 || made != 2 {
		t.Errorf("another key: %d, made %d times", r.StatusCode, made)
	}
	if r := post("k1", `{"a":1}`, "Authorization", "Bearer member"); r.StatusCode != 201 || made != 3 {
		t.Errorf("another caller's same key: %d, made %d times", r.StatusCode, made)
	}
	for content, want := range map[string]int{`fails`: 2, `bad`: 1, `panics`: 2} {
		before := made
		post("k-"+content, content)
		post("k-"+content, content)
		if made-before != want {
			t.Errorf("%s was done %d times, want %d", content, made-before, want)
		}
	}
	for _, bad := range []string{strings.Repeat("k", 256), "a\x7fb", "é"} {
		if p := decode[Problem](t, post(bad, `{"a":1}`), 422); p.Code != "invalid" || p.Errors[0].Location != "header.Idempotency-Key" {
			t.Errorf("%q: %+v", bad, p)
		}
	}
	if r := post(strings.Repeat("k", 255), `{"a":1}`); r.StatusCode != 201 {
		t.Errorf("255 characters: %d", r.StatusCode)
	}
	if p := decode[Problem](t, post("big", strings.Repeat("a", maxBodyBytes+1)), 413); p.Code != "too_large" {
		t.Errorf("%+v", p)
	}
	before := made
	b.do(t, "POST", "/api/v1/things", `{"a":1}`)
	b.do(t, "POST", "/api/v1/things", `{"a":1}`)
	if made-before != 2 {
		t.Errorf("without a key it was done %d times of 2", made-before)
	}
	kept.down = errors.New("no database at db.internal")
	if p := decode[Problem](t, post("k9", `{"a":1}`), 503); p.Code != "unavailable" || strings.Contains(p.Detail, "db.internal") {
		t.Errorf("%+v", p)
	}
}

// TestTheFirstRequestIsUnderWay: the second with the key waits for nobody.
func TestTheFirstRequestIsUnderWay(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	b, _ := creating(t, func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		w.WriteHeader(201)
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		r := httptest.NewRequest("POST", "/api/v1/things", strings.NewReader("{}"))
		r.Header.Set("Idempotency-Key", "k")
		if res := b.answer(r); res.StatusCode != 201 {
			t.Errorf("the first: %d", res.StatusCode)
		}
	})
	<-begun
	r := httptest.NewRequest("POST", "/api/v1/things", strings.NewReader("{}"))
	r.Header.Set("Idempotency-Key", "k")
	res := b.answer(r)
	if p := decode[Problem](t, reply{res, body(t, res)}, 409); p.Code != "in_progress" || res.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	close(finish)
	wg.Wait()
}

// TestLookupsTakeIdempotencyKeysAndPassThemOver: they create nothing.
func TestLookupsTakeIdempotencyKeysAndPassThemOver(t *testing.T) {
	b, kept := creating(t, http.NotFound)
	for _, lot := range []string{"A", "B"} {
		if r := b.do(t, "POST", "/api/v1/verdict", `{"lot":"`+lot+`"}`, "Idempotency-Key", "k"); r.StatusCode != 200 {
			t.Errorf("%d", r.StatusCode)
		}
	}
	if len(kept.kept) != 0 {
		t.Error("a lookup was kept")
	}
}
