package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// brokenLookup panics or fails.
type brokenLookup struct {
	Lookup
	panics any
	fails  error
}

func (b brokenLookup) Barcode(*catalogue.Snapshot, string, recall.Unit) (recall.Verdict, error) {
	if b.panics != nil {
		panic(b.panics)
	}
	return recall.Verdict{}, b.fails
}

func TestPanicsBecomeProblemsAndAreLogged(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Lookup = brokenLookup{panics: "secret detail"} })
	r := b.get(t, "/api/v1/barcode/036000291452", "X-Request-Id", "r-42")
	p := decode[Problem](t, r, 500)
	if p.Code != "internal" || strings.Contains(string(r.body), "secret") || r.Header.Get("X-Request-Id") != "r-42" {
		t.Errorf("problem %s", r.body)
	}
	log := b.log.String()
	for _, want := range []string{"panic while answering", "secret detail", "r-42", p.TraceID, "exchange_test.go", `"status":500`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log doesn't have %q: %s", want, log)
		}
	}
	if r := b.get(t, "/health"); r.StatusCode != 200 {
		t.Errorf("after a panic: %d", r.StatusCode)
	}
}

func TestAnAbortedHandlerStaysAborted(t *testing.T) {
	b := newBench(t, func(d *Dependencies) { d.Lookup = brokenLookup{panics: http.ErrAbortHandler} })
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v", v)
		}
	}()
	b.get(t, "/api/v1/barcode/036000291452")
}

func TestAnAnswerThatBrokeOffIsCutOff(t *testing.T) {
	b := newBench(t, func(d *Dependencies) {
		d.Pages = pages{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half a "))
			panic("broke off")
		})}
	})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("recovered %v, so the client takes half an answer for a whole one", v)
		}
	}()
	b.get(t, "/docs")
}

func TestInternalErrorsAreLoggedAndNeverSent(t *testing.T) {
	b := newBench(t, func(d *Dependencies) {
		d.Lookup = brokenLookup{fails: errors.New("SELECT * FROM notices: no such host db.internal")}
	})
	r := b.get(t, "/api/v1/barcode/036000291452")
	p := decode[Problem](t, r, 500)
	if strings.Contains(string(r.body), "SELECT") || strings.Contains(string(r.body), "db.internal") {
		t.Errorf("the inside leaked: %s", r.body)
	}
	if log := b.log.String(); !strings.Contains(log, "db.internal") || !strings.Contains(log, p.TraceID) {
		t.Errorf("the log doesn't have the error with its trace: %s", log)
	}
}

func TestRequestIDs(t *testing.T) {
	b := newBench(t)
	tests := map[string]struct {
		given string
		kept  bool
	}{
		"sane":         {"abc-1.2_Z", true},
		"longest":      {strings.Repeat("a", 128), true},
		"none":         {"", false},
		"too long":     {strings.Repeat("a", 129), false},
		"line break":   {"a\r\nX-Evil: 1", false},
		"markup":       {"<script>", false},
		"with a blank": {"a b", false},
		"not ASCII":    {"é", false},
	}
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, target := range []string{"/health", "/api/v1/barcode/036000291452", "/nowhere"} {
				got := b.get(t, target, "X-Request-Id", test.given).Header.Get("X-Request-Id")
				if test.kept && got != test.given || !test.kept && !v7.MatchString(got) {
					t.Errorf("%s: %q became %q", target, test.given, got)
				}
			}
		})
	}
}

func TestLongPathsAreCutBetweenEscapes(t *testing.T) {
	for _, pad := range []string{"", "a", "ab"} {
		got := cutPath("/" + pad + strings.Repeat("%C3", 100))
		if len(got) > 200 || len(got) < 196 || (len(got)-1-len(pad))%3 != 0 {
			t.Errorf("with %q: %d bytes, ends in %q", pad, len(got), got[190:])
		}
	}
}

func TestParseTraceparent(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	tests := map[string]struct {
		header string
		ok     bool
	}{
		"sampled":                     {"00-" + trace + "-00f067aa0ba902b7-01", true},
		"later version":               {"01-" + trace + "-00f067aa0ba902b7-01", true},
		"later version with more":     {"cc-" + trace + "-00f067aa0ba902b7-01-what-comes", true},
		"version 00 with more":        {"00-" + trace + "-00f067aa0ba902b7-01-more", false},
		"later version, not parted":   {"cc-" + trace + "-00f067aa0ba902b7-01x", false},
		"version ff":                  {"ff-" + trace + "-00f067aa0ba902b7-01", false},
		"upper case":                  {"00-" + strings.ToUpper(trace) + "-00f067aa0ba902b7-01", false},
		"trace of zeros":              {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
		"parent of zeros":             {"00-" + trace + "-0000000000000000-01", false},
		"too short":                   {"00-" + trace + "-00f067aa0ba902b7-1", false},
		"other separators":            {"00_" + trace + "_00f067aa0ba902b7_01", false},
		"letters beyond hexadecimal":  {"00-" + "g" + trace[1:] + "-00f067aa0ba902b7-01", false},
		"flags beyond hexadecimal":    {"00-" + trace + "-00f067aa0ba902b7-0x", false},
		"nothing":                     {"", false},
		"version beyond hexadecimals": {"0z-" + trace + "-00f067aa0ba902b7-01", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, flags, ok := parseTraceparent(test.header)
			if ok != test.ok || ok && (got != trace || flags != "01") {
				t.Errorf("%q: %q %q %v", test.header, got, flags, ok)
			}
		})
	}
}

func FuzzParseTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Fuzz(func(t *testing.T, header string) {
		if trace, parent, flags, ok := parseTraceparent(header); ok && (len(trace) != 32 || len(parent) != 16 || len(flags) != 2) {
			t.Errorf("%q gave %q %q", header, trace, flags)
		}
	})
}

func TestTwoTraceparentsStartANewTrace(t *testing.T) {
	b := newBench(t)
	req := httptest.NewRequest(http.MethodGet, "/health", nil)
	req.Header["Traceparent"] = []string{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, req)
	if got := rec.Header().Get("Traceparent"); strings.Contains(got, "4bf92f3577b34da6a3ce929d0e0e4736") {
		t.Errorf("traceparent %q", got)
	}
	if _, _, _, ok := parseTraceparent(rec.Header().Get("Traceparent")); !ok {
		t.Errorf("our own traceparent %q is invalid", rec.Header().Get("Traceparent"))
	}
}

func TestEveryRequestHasOneLogLine(t *testing.T) {
	tests := map[string]struct {
		method, target string
		route          string
		status         float64
	}{
		"computed":     {"GET", "/api/v1/recalls?q=my+private+question", "GET /api/v1/recalls", 200},
		"a barcode":    {"GET", "/api/v1/barcode/036000291452?lot=private", "GET /api/v1/barcode/{code}", 200},
		"not found":    {"GET", "/nowhere", "none", 404},
		"bad":          {"GET", "/api/v1/recalls?limit=0", "GET /api/v1/recalls", 422},
		"not modified": {"GET", "/api/v1/sources", "GET /api/v1/sources", 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for range 2 { // computed, then from memory
				b.log.Reset()
				r := b.do(t, test.method, test.target, "", "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "X-Request-Id", "r1")
				lines := bufio.NewScanner(strings.NewReader(b.log.String()))
				lines.Scan()
				var line map[string]any
				if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
					t.Fatal(err)
				}
				if lines.Scan() {
					t.Errorf("a second line: %s", lines.Text())
				}
				for field, want := range map[string]any{
					"msg": "request", "method": test.method, "route": test.route, "status": test.status, "bytes": float64(len(r.body)),
					"request_id": "r1", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "remote": "192.0.2.0/24", "caller": "anonymous",
				} {
					if line[field] != want {
						t.Errorf("%s is %v, want %v", field, line[field], want)
					}
				}
				if _, ok := line["duration_ms"].(float64); !ok {
					t.Error("no duration_ms")
				}
				if strings.Contains(b.log.String(), "private") {
					t.Errorf("the log tells what was asked: %s", b.log)
				}
			}
		})
	}
}

func TestSecurityHeadersAreOnEverything(t *testing.T) {
	b := newBench(t)
	for _, target := range []string{"/health", "/api/v1/recalls", "/api/v1/recalls", "/nowhere", "/api/v1/recalls?x=1", "/openapi.json", "/api/v1/barcode/1"} {
		h := b.get(t, target).Header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", target, h)
		}
	}
}

func TestServerHasEveryLimit(t *testing.T) {
	s := Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes < 2<<20 {
		t.Errorf("%+v", s)
	}
}

func TestACodeOfAMebibyteGetsAProblemFromTheRealServer(t *testing.T) {
	b := newBench(t)
	server := httptest.NewUnstartedServer(nil)
	server.Config = Server(b)
	server.Start()
	defer server.Close()
	res, err := server.Client().Get(server.URL + "/api/v1/barcode/" + strings.Repeat("9", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 414 || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}
