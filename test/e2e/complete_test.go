package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

func TestMissingFromTwoCompleteDumpsIsWithdrawn(t *testing.T) {
	t.Parallel()
	data, all := t.TempDir(), make([]any, 40)
	for i := range all {
		all[i] = program.CPSCRecall(i, program.CPSCDescription(i))
	}
	whole := program.WriteJSON(t, "whole.json", all)
	fewer := program.WriteJSON(t, "fewer.json", all[1:])
	shrunk := program.WriteJSON(t, "shrunk.json", all[3:])
	imported := func(code int, says string, args ...string) {
		t.Helper()
		got := program.Run(t, nil, append([]string{"import", "--data", data}, args...)...)
		if got.Code != code || !strings.Contains(got.Stdout+got.Stderr, says) {
			t.Fatalf("import %v: exit %d without %q\n%s%s", args, got.Code, says, got.Stdout, got.Stderr)
		}
	}
	status := func() string {
		s := program.Serve(t, data)
		defer s.Kill()
		var notice struct{ Status string }
		if resp := s.Get("/api/v1/recalls/us-cpsc:60-001", &notice); resp.StatusCode != http.StatusOK {
			t.Fatalf("the notice answers %d", resp.StatusCode)
		}
		return notice.Status
	}
	imported(0, "40", whole)
	imported(0, "39", fewer) // a plain file says nothing of what it lacks
	imported(0, "39", fewer)
	imported(1, "more than 5 %", "--complete", shrunk)
	imported(1, "more than 5 %", "--complete", shrunk)
	if state, reason := sourceState(t, data, "us-cpsc"); state != "partial" || !strings.Contains(reason, "more than 5 %") {
		t.Errorf("after a dump that was stopped the source is %s: %s", state, reason)
	}
	if got := status(); got != "active" {
		t.Fatalf("after files that prove nothing it is %s", got)
	}
	imported(0, "1 missing, 0 withdrawn", "--complete", fewer)
	imported(0, "1 missing, 1 withdrawn", "--complete", fewer)

	s := program.Serve(t, data)
	var feed struct {
		Items []struct{ ID, Change string }
	}
	s.Get("/api/v1/changes?since=0&limit=1000", &feed)
	tombstones := ""
	for _, c := range feed.Items {
		if c.Change == "tombstone" {
			tombstones += c.ID
		}
	}
	var gone struct{ Items []struct{ ID, Status string } }
	s.Get("/api/v1/recalls?status=withdrawn", &gone)
	if tombstones != "us-cpsc:60-001" || len(gone.Items) != 1 || gone.Items[0].ID != tombstones {
		t.Errorf("tombstones %q, withdrawn %+v", tombstones, gone.Items)
	}
	s.Kill()
	imported(0, "40", whole) // an old file does not bring it back
	if got := status(); got != "withdrawn" {
		t.Errorf("after a plain file it is %s", got)
	}
	imported(0, "1 back", whole, "--complete")
	if got := status(); got != "active" {
		t.Errorf("back in a complete dump it is %s", got)
	}
}

func TestDumpOfWhichEveryRecordIsRejected(t *testing.T) {
	t.Parallel()
	all := make([]any, 30)
	for i := range all {
		broken := program.CPSCRecall(i, program.CPSCDescription(i))
		broken["RecallDate"], broken["LastPublishDate"] = "soon", ""
		all[i] = broken
	}
	file := program.WriteJSON(t, "broken.json", all)
	for _, args := range [][]string{{"import", file}, {"import", "--complete", file}} {
		data := t.TempDir()
		if got := program.Run(t, nil, append(args, "--data", data)...); got.Code != 1 || !strings.Contains(got.Stdout, "all 30 records were rejected") || strings.Contains(got.Stderr, "{") {
			t.Errorf("%v: exit %d\n%s%s", args[:2], got.Code, got.Stdout, got.Stderr)
		}
		if state, reason := sourceState(t, data, "us-cpsc"); state != "partial" || !strings.Contains(reason, "rejected") {
			t.Errorf("%v: the source is %s: %s", args[:2], state, reason)
		}
	}
}

// sourceState asks a server of its own for the state of one source.
func sourceState(t *testing.T, data, agency string) (state, reason string) {
	t.Helper()
	s := program.Serve(t, data)
	defer s.Kill()
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		if src.Agency == agency {
			return src.State, src.Reason
		}
	}
	return "", "it is not listed"
}

// NHTSA's feed has the child seats only, its files everything.
func TestSyncOfChildSeatsNeverWithdrawsVehicles(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	row := func(kind, letter string, i int) map[string]any {
		return map[string]any{
			"nhtsa_id": fmt.Sprintf("20%s%06d", letter, i), "recall_type": kind, "manufacturer": "Vantor", "subject": "Buckle may open",
			"component": "CHILD SEAT", "report_received_date": "2020-05-02T00:00:00.000",
		}
	}
	var seats, everything []any
	for i := range 40 {
		seats = append(seats, row("Child Seat", "C", i))
	}
	everything = append(everything, seats...)
	for i := range 60 {
		everything = append(everything, row("Vehicle", "V", i))
	}
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "all.json", everything), "--data", data); got.Code != 0 || !strings.Contains(got.Stdout, "100") {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	f.says(http.StatusOK, program.Encoded(t, seats[1:]))
	for _, says := range []string{"0 withdrawn", "1 withdrawn", "0 withdrawn"} {
		got := program.Run(t, []string{"CROWNSAFE_FEED_US_NHTSA=" + f.URL}, "sync", "us-nhtsa", "--data", data)
		if got.Code != 0 || !strings.Contains(got.Stdout, "done") || !strings.Contains(got.Stdout, says) {
			t.Fatalf("exit %d without %q\n%s%s", got.Code, says, got.Stdout, got.Stderr)
		}
	}
	s := program.Serve(t, data)
	var gone struct{ Items []struct{ ID string } }
	s.Get("/api/v1/recalls?status=withdrawn", &gone)
	if len(gone.Items) != 1 || gone.Items[0].ID != "us-nhtsa:20C000000" {
		t.Errorf("withdrawn: %+v", gone.Items)
	}
	f.says(http.StatusOK, program.Encoded(t, seats[:30]))
	if got := program.Run(t, []string{"CROWNSAFE_FEED_US_NHTSA=" + f.URL}, "sync", "us-nhtsa", "--data", data); got.Code != 1 || !strings.Contains(got.Stdout, "partial") || !strings.Contains(got.Stderr, "more than 5 %") {
		t.Errorf("a dump that shrinks: exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	var list sources
	testenv.Eventually(t, program.Patience, "sources says that the last dump was stopped", func() bool {
		s.Get("/api/v1/sources", &list)
		for _, src := range list.Items {
			if src.Agency == "us-nhtsa" {
				return src.State == "partial" && strings.Contains(src.Reason, "more than 5 %")
			}
		}
		return false
	})
}

func TestQuarantineOverTheNetwork(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	broken := program.CPSCRecall(1, program.CPSCDescription(1))
	broken["RecallDate"], broken["LastPublishDate"] = "soon", ""
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "broken.json", []any{program.CPSCRecall(0, program.CPSCDescription(0)), broken}), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	const target = "/api/v1/sources/us-cpsc/quarantine"
	type page struct {
		Items []struct{ Reason, Excerpt string }
	}
	var kept page
	open := program.Serve(t, data)
	if resp := open.Get(target, &kept); resp.StatusCode != http.StatusOK || len(kept.Items) != 1 || !strings.Contains(kept.Items[0].Reason, "soon") {
		t.Fatalf("%d %+v", resp.StatusCode, kept)
	}
	guarded := program.Serve(t, data, "CROWNSAFE_OPS_TOKEN=a-token-for-operators")
	if resp := guarded.Get(target, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the token: %d", resp.StatusCode)
	}
	if resp := program.Serve(t, data, "ENVIRONMENT=production", "SECRET_KEY="+rand.Text()+rand.Text()).Get(target, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("in production without a token: %d", resp.StatusCode)
	}
	if strings.Contains(guarded.Logs.String(), "a-token-for-operators") {
		t.Error("the token stands in the log")
	}
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "good.json", []any{program.CPSCRecall(1, program.CPSCDescription(1))}), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	if open.Get(target, &kept); len(kept.Items) != 0 {
		t.Errorf("a record that was read well later is still in quarantine: %+v", kept)
	}
}

func TestLagIsMeasuredOfNewsOnly(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	mirror := "CROWNSAFE_FEED_US_NHTSA=" + f.URL
	seat := func(i int, day string) map[string]any {
		return map[string]any{
			"nhtsa_id": fmt.Sprintf("26C%06d", i), "recall_type": "Child Seat", "manufacturer": "Vantor", "subject": "Buckle may open",
			"component": "CHILD SEAT", "report_received_date": day + "T00:00:00.000",
		}
	}
	today := time.Now().UTC().Format(time.DateOnly)
	measured := func(s *program.Server) (lag struct {
		P50, P95 *float64
		Notices  int
	}) {
		var list struct {
			Items []struct {
				Agency string
				Lag    json.RawMessage `json:"lag_seconds"`
			}
		}
		s.Get("/api/v1/sources", &list)
		for _, src := range list.Items {
			if src.Agency == "us-nhtsa" {
				if err := json.Unmarshal(src.Lag, &lag); err != nil {
					t.Fatal(err)
				}
			}
		}
		return lag
	}
	synced := func(seats ...any) {
		t.Helper()
		f.says(http.StatusOK, program.Encoded(t, seats))
		if got := program.Run(t, []string{mirror}, "sync", "us-nhtsa", "--data", data); got.Code != 0 {
			t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
		}
	}
	synced(seat(1, "2010-03-02"), seat(2, today))
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly) // of the first poll's day or later
	s := program.Serve(t, data)
	synced(seat(1, "2010-03-02"), seat(2, today), seat(3, "2010-03-05"), seat(4, tomorrow))
	testenv.Eventually(t, program.Patience, "one notice was measured", func() bool { return measured(s).Notices > 0 })
	if got := measured(s); got.Notices != 1 || got.P50 == nil || *got.P50 != 0 || *got.P95 != 0 {
		t.Errorf("%+v, want only the notice that was published after the first poll", got)
	}
}
