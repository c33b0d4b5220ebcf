package chaos

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestTracesOfTheFullStack: one sync, one search and one failure on PostgreSQL,
// Redis and Azure's blobs, as they are exported by the real binary.
func TestTracesOfTheFullStack(t *testing.T) {
	t.Parallel()
	db, world, receiver := startDatabase(t), startAgencies(t), program.StartReceiver(t)
	close(world.letGo)
	redis, prefix := testenv.Redis(t)
	connection, container := testenv.Azure(t)
	settings := append(world.settings(), db.setting(), receiver.Setting(), "CROWNSAFE_TRACE_RATIO=1",
		"REDIS_URL="+redis, "CROWNSAFE_REDIS_PREFIX="+prefix, "AZURE_STORAGE_CONNECTION_STRING="+connection, "CROWNSAFE_AZURE_CONTAINER="+container,
		"CROWNSAFE_SNAPSHOT_EVERY=1s")
	s := program.Serve(t, t.TempDir(), settings...)
	whole(t, s)

	run := receiver.First("ingest poll", func(s *program.Span) bool { return s.Attributes["crownsafe.agency"] == "us-cpsc" })
	t.Logf("\n%s", run)
	for _, path := range [][]string{
		{"GET"}, {"ingest archive", "blob put"}, {"ingest parse", "blob get"}, {"ingest store", "store apply"},
		{"store start_run", "StartRun"}, {"store finish_run", "FinishRun"},
	} {
		if run.Find(path...) == nil {
			t.Errorf("no %v in\n%s", path, run)
		}
	}
	if run.Failed || run.Attributes["crownsafe.records.added"] != int64(2) {
		t.Errorf("the run: %+v", run.Span)
	}
	stored := run.Find("ingest store")
	follow := receiver.First("catalogue follow", func(s *program.Span) bool {
		return stored != nil && slices.Contains(s.Links, stored.Trace+"-"+stored.ID)
	})
	receiver.First("snapshot save", func(s *program.Span) bool { return slices.Contains(s.Links, follow.Trace+"-"+follow.ID) })

	db.way.Cut()
	const trace = "00000000000000000000000000000abc"
	response := s.Do(http.MethodGet, "/api/v1/recalls/us-fda:H-0249-2026/revisions", "", nil, "Traceparent: 00-"+trace+"-00f067aa0ba902b7-00")
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("without the database answered %d", response.StatusCode)
	}
	failed := receiver.Trace(trace, "GET /api/v1/recalls/{id}/revisions")
	t.Logf("\n%s", failed)
	if !failed.Failed || failed.Attributes["http.response.status_code"] != int64(http.StatusServiceUnavailable) || len(failed.Exceptions) == 0 {
		t.Errorf("the failing request: %+v", failed.Span)
	}
	if asked := failed.Find("store revisions"); asked == nil || !asked.Failed || len(asked.Exceptions) == 0 {
		t.Errorf("what failed isn't told:\n%s", failed)
	}
	if told := receiver.Raw() + s.Logs.String(); strings.Contains(told, servicePassword) {
		t.Error("the database's password is told")
	}
}

// TestOnlyFailuresAreExportedAtRatio0: of a thousand requests the one that failed,
// whole, and with what was asked about in none.
func TestOnlyFailuresAreExportedAtRatio0(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-51N7"
	db, receiver := startDatabase(t), program.StartReceiver(t)
	s := program.Serve(t, t.TempDir(), db.setting(), receiver.Setting(), "CROWNSAFE_TRACE_RATIO=0")
	whole(t, s)
	for range 200 {
		s.Do(http.MethodPost, "/api/v1/verdict", `{"gtin":"00041220787340","serial":"`+canary+`"}`, nil)
		s.Get("/api/v1/barcode/00041220787340?serial="+canary, nil)
		s.Get("/api/v1/recalls?q="+canary, nil)
		s.Get("/api/v1/barcode/"+canary, nil)
	}
	db.way.Cut()
	s.Get("/api/v1/recalls/"+canary+"/revisions?x="+canary, nil)
	s.Get("/api/v1/recalls/us-fda:H-0249-2026/revisions", nil)
	failed := receiver.First("GET /api/v1/recalls/{id}/revisions", func(s *program.Span) bool { return s.Failed })
	if failed.Find("store revisions") == nil {
		t.Errorf("the failing request isn't whole:\n%s", failed)
	}
	for _, span := range receiver.Spans() {
		if strings.Contains(span.Name, "/verdict") || strings.Contains(span.Name, "/barcode") || span.Name == "verdict" {
			t.Errorf("exported: %+v", span)
		}
	}
	testenv.Eventually(t, program.Patience, "the log is exported", func() bool {
		return slices.ContainsFunc(receiver.Records(), func(r program.Record) bool { return r.Trace == failed.Trace && r.Body == "request failed" })
	})
	if strings.Contains(receiver.Raw(), canary) {
		t.Error("what was asked about is exported")
	}
	if strings.Contains(s.Logs.String(), canary) {
		t.Error("what was asked about is in the log")
	}
}
