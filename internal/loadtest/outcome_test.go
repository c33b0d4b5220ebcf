package loadtest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCauses: each way to fail has its status and a cause, and nothing that isn't the
// right answer passes for one.
func TestCauses(t *testing.T) {
	t.Parallel()
	hijack := func(w http.ResponseWriter, text string) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    *Cause
	}{
		"well": {well, nil},
		"limited": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"status":429,"code":"rate_limited"}`))
		}, &Cause{429, "rate_limited"}},
		"limited by a proxy": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, &Cause{429, "rate_limited"}},
		"down":               {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, &Cause{503, "service unavailable"}},
		"elsewhere":          {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/signin", http.StatusFound) }, &Cause{302, "found"}},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<p>Welcome"))
		}, &Cause{200, "the answer is no JSON object"}},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/json") }, &Cause{200, "the answer is no JSON object"}},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
		}, &Cause{200, "the answer is cut short"}},
		"slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, &Cause{0, "timeout"}},
		"a wrong answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"verdict":"no_match","query":{}}`))
		}, &Cause{200, "no_match for a barcode of the catalogue"}},
	} {
		p := simple(serving(t, c.handler))
		if name == "slow" {
			p.Timeout = 50 * time.Millisecond
		}
		test := prepared(t, p)
		r := test.endpoints[0].requests[0]
		r.never = noMatch
		if diff := cmp.Diff(c.want, test.send(t.Context(), &r, make([]byte, scratchSize))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	gone := prepared(t, simple("http://127.0.0.1:1"))
	if got := gone.send(t.Context(), &gone.endpoints[0].requests[0], make([]byte, scratchSize)); got == nil || *got != (Cause{0, "connection refused"}) {
		t.Errorf("nobody listens: %v", got)
	}
}

// TestDrain: however a body comes, its beginning and its length are known.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, looked - 1, looked, looked + 1, 5000, 100_000} {
		text := strings.Repeat("0123456789", size/10+1)[:size]
		for _, scratch := range []int{looked + 1, 1000, scratchSize} {
			start, length, err := drain(strings.NewReader(text), make([]byte, scratch))
			if err != nil || length != size || string(start) != text[:min(size, looked)] {
				t.Errorf("%d bytes through %d: %q, %d, %v", size, scratch, start, length, err)
			}
		}
	}
}

// TestFailingAtOnceIsNotFast: failures have no times, but for those that were waited for.
func TestFailingAtOnceIsNotFast(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	r.add(&result{took: 80 * time.Millisecond})
	for range 1000 {
		r.add(&result{took: time.Millisecond, failed: &Cause{429, causeLimited}})
	}
	r.add(&result{took: time.Second, failed: &Cause{0, causeTimeout}})
	e := r.endpoint("health", "", 10*time.Second)
	if e.P50 < 79 || e.P50 > 81 || e.Max != 1000 || e.Avg != 540 || e.Requests != 1002 || e.Failures != 1001 || e.Successes != 1 || e.RPS != 100.2 {
		t.Errorf("%+v", e)
	}
	want := []Failures{{Cause{429, causeLimited}, 1000}, {Cause{0, causeTimeout}, 1}}
	if diff := cmp.Diff(want, e.Causes); diff != "" {
		t.Errorf("causes (-want +got)\n%s", diff)
	}
}

// TestFewRequests: every share of one request was answered within its time.
func TestFewRequests(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	r.add(&result{took: 5 * time.Millisecond})
	for _, s := range r.endpoint("health", "", time.Second).Distribution {
		if s.Within != 5 {
			t.Errorf("%g %% within %s ms", s.Percent, s.Within)
		}
	}
	for _, none := range newRecorder().endpoint("health", "", time.Second).Distribution {
		t.Errorf("of nothing: %+v", none)
	}
}
