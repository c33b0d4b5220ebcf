package e2e

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
	// canarySerial is of a unit that is asked about; nobody else must hear of it.
	canarySerial = "CANARY-51N7"
)

// TestAVerdictsTrace: the spans of one question, within the caller's trace, and the
// log line that belongs to it.
func TestAVerdictsTrace(t *testing.T) {
	t.Parallel()
	receiver, data := program.StartReceiver(t), t.TempDir()
	if got := program.Run(t, nil, "import", program.CPSCFile(t, 3), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	s := program.Serve(t, data, receiver.Setting(), "CROWNSAFE_TRACE_RATIO=1")
	var answer struct{ Verdict string }
	response := s.Do(http.MethodPost, "/api/v1/verdict", `{"brand":"Vantor1","model":"VM-10001","serial":"`+canarySerial+`"}`, &answer,
		"Traceparent: 00-"+callersTrace+"-"+callersSpan+"-01", "Tracestate: vendor=1", "X-Request-Id: asked-once")
	tree := receiver.Trace(callersTrace, "POST /api/v1/verdict")
	if tree.Parent != callersSpan || !strings.Contains(response.Header.Get("Traceparent"), callersTrace+"-"+tree.ID+"-01") {
		t.Errorf("the caller's span is %s, the answer names %s, and the span is %s under %s", callersSpan, response.Header.Get("Traceparent"), tree.ID, tree.Parent)
	}
	for name, want := range map[string]any{
		"http.request.method": "POST", "http.route": "/api/v1/verdict", "http.response.status_code": int64(200),
		"crownsafe.request_id": "asked-once", "crownsafe.caller": "anonymous",
	} {
		if tree.Attributes[name] != want {
			t.Errorf("%s is %v, want %v", name, tree.Attributes[name], want)
		}
	}
	for name, want := range map[string]any{"service.name": "crownsafe", "service.version": "v0.0.0-e2e", "deployment.environment.name": "development"} {
		if tree.Resource[name] != want {
			t.Errorf("%s is %v, want %v", name, tree.Resource[name], want)
		}
	}
	verdict := tree.Find("verdict")
	if verdict == nil {
		t.Fatalf("no verdict in\n%s", tree)
	}
	if verdict.Attributes["crownsafe.verdict"] != answer.Verdict {
		t.Errorf("the span says %v, the answer %s", verdict.Attributes["crownsafe.verdict"], answer.Verdict)
	}
	if n, ok := verdict.Attributes["crownsafe.notices_considered"].(int64); !ok || n != 3 {
		t.Errorf("notices considered: %v", verdict.Attributes["crownsafe.notices_considered"])
	}
	if on, _ := verdict.Attributes["crownsafe.matched_on"].([]string); !slices.Contains(on, "model") {
		t.Errorf("matched on: %v", verdict.Attributes["crownsafe.matched_on"])
	}
	if !strings.Contains(s.Logs.String(), `"trace_id":"`+callersTrace+`"`) {
		t.Errorf("the log doesn't tell of the trace:\n%s", s.Logs)
	}
	testenv.Eventually(t, program.Patience, "the log line is exported with its span", func() bool {
		return slices.ContainsFunc(receiver.Records(), func(r program.Record) bool {
			return r.Body == "request" && r.Trace == callersTrace && r.Span == tree.ID && r.Attributes["route"] == "POST /api/v1/verdict"
		})
	})
	if strings.Contains(receiver.Raw(), canarySerial) || strings.Contains(s.Logs.String(), canarySerial) {
		t.Error("what was asked about is told to others")
	}
}

// TestAnIngestsTrace: the spans of one sync, from the agency to the store, and of
// what it causes beside.
func TestAnIngestsTrace(t *testing.T) {
	t.Parallel()
	receiver, f := program.StartReceiver(t), newFeed(t)
	f.says(http.StatusOK, program.Encoded(t, []any{program.CPSCRecall(1, program.CPSCDescription(1)), program.CPSCRecall(2, program.CPSCDescription(2))}))
	got := program.Run(t, []string{receiver.Setting(), "CROWNSAFE_TRACE_RATIO=1", "CROWNSAFE_FEED_US_CPSC=" + f.URL + "?key=hunter2"}, "sync", "us-cpsc", "--data", t.TempDir())
	if got.Code != 0 {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	tree := receiver.First("ingest poll", func(*program.Span) bool { return true })
	t.Logf("\n%s", tree)
	if tree.Parent != "" || tree.Failed || tree.Attributes["crownsafe.agency"] != "us-cpsc" || tree.Attributes["crownsafe.records.added"] != int64(2) || tree.Attributes["crownsafe.run.state"] != "done" {
		t.Errorf("the run: %+v", tree.Span)
	}
	for _, path := range [][]string{
		{"GET"}, {"ingest archive"}, {"ingest archive", "blob put"}, {"ingest parse"}, {"ingest parse", "blob get"},
		{"store start_run"}, {"store record_payload"}, {"ingest store"}, {"ingest store", "store apply"}, {"store finish_run"},
	} {
		if tree.Find(path...) == nil {
			t.Errorf("no %v in\n%s", path, tree)
		}
	}
	if asked := tree.Find("GET"); asked != nil && asked.Attributes["http.response.status_code"] != int64(200) {
		t.Errorf("the question to the agency: %+v", asked.Span)
	}
	if strings.Contains(receiver.Raw(), "hunter2") {
		t.Error("a key in the agency's address is told to others")
	}
}

// TestAReceiverThatIsDownHarmsNobody: neither a request nor the stop.
func TestAReceiverThatIsDownHarmsNobody(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_OTLP_ENDPOINT="+gone.URL, "CROWNSAFE_TRACE_RATIO=1", "CROWNSAFE_DRAIN=0s")
	for range 50 {
		if response := s.Get("/api/v1/recalls?limit=1", nil); response.StatusCode != http.StatusOK {
			t.Fatalf("answered %d", response.StatusCode)
		}
	}
	testenv.Eventually(t, program.Patience, "the log says that nothing is exported", func() bool { return strings.Contains(s.Logs.String(), "traces can't be exported") })
	s.Signal(syscall.SIGTERM)
	if err := s.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if log := s.Logs.String(); strings.Count(log, "traces can't be exported") != 1 {
		t.Errorf("the log says more than once that nothing is exported:\n%s", log)
	}
}

// TestLevelsChangeWhileTheProgramRuns by package, for operators.
func TestLevelsChangeWhileTheProgramRuns(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_LOG_LEVELS=api=warn", "CROWNSAFE_OPS_TOKEN=letmein")
	const path, token = "/api/v1/monitoring/log-levels", "Authorization: Bearer letmein"
	type levels struct {
		Default  string
		Packages map[string]string
		Known    []string
	}
	var now levels
	s.Do(http.MethodGet, path, "", &now, token)
	if now.Default != "info" || len(now.Packages) != 1 || now.Packages["api"] != "warn" || !slices.Contains(now.Known, "ingest") {
		t.Errorf("the levels are %+v", now)
	}
	s.Get("/api/v1/recalls?limit=1", nil)
	if log := s.Logs.String(); strings.Contains(log, `"msg":"request"`) {
		t.Errorf("requests are logged below api's level:\n%s", log)
	}
	for body, status := range map[string]int{
		`{"default":"info","packages":{"nobody":"debug"}}`: http.StatusUnprocessableEntity,
		`{"default":"loud","packages":{}}`:                 http.StatusUnprocessableEntity,
		`{"default":"info","packages":{"api":"loud"}}`:     http.StatusUnprocessableEntity,
	} {
		if response := s.Do(http.MethodPut, path, body, nil, token); response.StatusCode != status {
			t.Errorf("%s is answered %d", body, response.StatusCode)
		}
	}
	if response := s.Do(http.MethodPut, path, `{"default":"info","packages":{}}`, nil); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("somebody without a token is answered %d", response.StatusCode)
	}
	s.Do(http.MethodPut, path, `{"default":"info","packages":{"api":"info"}}`, &now, token)
	if now.Packages["api"] != "info" {
		t.Errorf("after the change the levels are %+v", now)
	}
	s.Get("/api/v1/recalls?limit=2", nil)
	testenv.Eventually(t, program.Patience, "requests are logged", func() bool { return strings.Contains(s.Logs.String(), `"msg":"request"`) })
	if !strings.Contains(s.Logs.String(), "the log's levels were changed") {
		t.Errorf("the log doesn't tell of the change:\n%s", s.Logs)
	}
}

// TestProfilesHaveAListenerOfTheirOwn: where the settings say, and nowhere else.
func TestProfilesHaveAListenerOfTheirOwn(t *testing.T) {
	t.Parallel()
	const profile = "/debug/pprof/goroutine?debug=1"
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_DEBUG_ADDR=127.0.0.1:0")
	found := regexp.MustCompile(`"answering profiles","package":"app","addr":"([^"]+)"`).FindStringSubmatch(s.Logs.String())
	if found == nil {
		t.Fatalf("the log doesn't tell where profiles are answered:\n%s", s.Logs)
	}
	debug := *s
	debug.Base = "http://" + found[1]
	if response := debug.Get(profile, nil); response.StatusCode != http.StatusOK {
		t.Errorf("a profile is answered %d", response.StatusCode)
	}
	for _, path := range []string{profile, "/debug/pprof/"} {
		if response := s.Get(path, nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s of the service is answered %d", path, response.StatusCode)
		}
	}
	if response := debug.Get("/api/v1/recalls", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("the service answers %d where profiles are", response.StatusCode)
	}
	if without := program.Serve(t, t.TempDir()); strings.Contains(without.Logs.String(), "profiles") {
		t.Errorf("profiles are answered by default:\n%s", without.Logs)
	}
}
