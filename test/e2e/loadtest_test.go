package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// loaded is the report of a load test, as far as the contract has it.
type loaded struct {
	Endpoints []struct {
		Name                         string
		Requests, Failures           int
		RPS, Avg, P50, P95, P99, Max float64
		P999                         float64
		Causes                       []struct{ Status, Count int }
	}
	Total   struct{ Requests, Failures int }
	LeftOut []struct{ Name, Reason string } `json:"left_out"`
}

func readLoad(t *testing.T, text string) (l loaded) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return l
}

// TestLoadTest asks the service for everything that the guide has, with what it drew
// from its catalogue, and all of it is answered as it should be.
func TestLoadTest(t *testing.T) {
	t.Parallel()
	token := strong()
	settings := []string{"CROWNSAFE_OPS_TOKEN=" + token}
	server := program.Serve(t, t.TempDir(), settings...)
	folder := t.TempDir()
	page, file := filepath.Join(folder, "report.html"), filepath.Join(folder, "report.json")
	got := program.Run(t, settings, "loadtest", "--rate", "100", server.Base, "--duration", "2s", "--warm-up", "1s", "--json", "--html", page, "--output", file,
		"--threshold", "failures<=0", "--threshold", "barcode:p99<1000s")
	if got.Code != 0 {
		t.Fatalf("exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
	}
	report := readLoad(t, got.Stdout)
	names := []string{"health", "healthz", "dashboard", "audit", "cache-stats", "storage", "recalls", "barcode", "verdict", "batch", "search"}
	for i, e := range report.Endpoints {
		if i >= len(names) || e.Name != names[i] {
			t.Fatalf("the endpoints are not %v: %s", names, got.Stdout)
		}
		if e.Requests > 0 && !(0 < e.P50 && e.P50 <= e.P95 && e.P95 <= e.P99 && e.P99 <= e.P999 && e.P999 <= e.Max) {
			t.Errorf("the times of %s are out of order: %+v", e.Name, e)
		}
	}
	if report.Total.Requests != 200 || report.Total.Failures != 0 || len(report.LeftOut) != 0 {
		t.Errorf("%s", got.Stdout)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != got.Stdout {
		t.Errorf("the file is not what was printed: %v", err)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "<svg") {
		t.Errorf("the page has no plot: %v", err)
	}
	if strings.Contains(got.Stdout+got.Stderr, token) {
		t.Error("the operators' token is shown")
	}

	t.Run("without the operators' token", func(t *testing.T) {
		got := program.Run(t, nil, "loadtest", server.Base, "--users", "3", "--duration", "300ms", "--warm-up", "0s", "--json")
		report := readLoad(t, got.Stdout)
		if got.Code != 0 || len(report.Endpoints) != 7 || len(report.LeftOut) != 4 || !strings.Contains(got.Stderr, "dashboard: it is for operators, and CROWNSAFE_OPS_TOKEN is not set") {
			t.Errorf("exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
		}
	})
	t.Run("with a wrong one", func(t *testing.T) {
		got := program.Run(t, []string{"CROWNSAFE_OPS_TOKEN=" + strong()}, "loadtest", server.Base, "--duration", "300ms")
		if got.Code != 1 || !strings.Contains(got.Stderr, "401") {
			t.Errorf("exit %d: %s", got.Code, got.Stderr)
		}
	})
	t.Run("a threshold is missed", func(t *testing.T) {
		got := program.Run(t, nil, "loadtest", server.Base, "--only", "health,search", "--duration", "300ms", "--warm-up", "0s", "--threshold", "search:p95<0.001us")
		if got.Code != 1 || !strings.Contains(got.Stdout, "missed: search:p95<0.001us") {
			t.Errorf("exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
		}
	})
	t.Run("wrong usage", func(t *testing.T) {
		for _, args := range [][]string{{}, {server.Base, "--threshold", "p98<1ms"}, {server.Base, "--users", "2", "--rate", "3"}, {server.Base, "--only", "nothing"}, {server.Base, "--users", "0"}, {server.Base, "--rate", "0"}, {"compare", file}} {
			if got := program.Run(t, nil, append([]string{"loadtest"}, args...)...); got.Code != 2 {
				t.Errorf("%v: exit %d: %s", args, got.Code, got.Stderr)
			}
		}
	})
	t.Run("compared", func(t *testing.T) {
		if got := program.Run(t, nil, "loadtest", "compare", file, "--fail", file); got.Code != 0 || !strings.Contains(got.Stdout, "+0.0%") {
			t.Errorf("with itself: exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		slower := filepath.Join(folder, "slower.json")
		if err := os.WriteFile(slower, []byte(strings.ReplaceAll(string(text), `"failures": 0`, `"failures": 1`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := program.Run(t, nil, "loadtest", "compare", "--fail", file, slower); got.Code != 1 || !strings.Contains(got.Stdout, "worse") {
			t.Errorf("with failures: exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
		}
	})
}

// TestLoadTestSaysThatItIsLimited beforehand and afterwards, and counts every refusal.
func TestLoadTestSaysThatItIsLimited(t *testing.T) {
	t.Parallel()
	server := program.Serve(t, t.TempDir(), "CROWNSAFE_RATE_LIMIT=on", "CROWNSAFE_RATE_ADDRESS=120")
	got := program.Run(t, nil, "loadtest", server.Base, "--only", "barcode", "--rate", "200", "--duration", "2s", "--warm-up", "0s", "--json", "--threshold", "failures<1%")
	report := readLoad(t, got.Stdout)
	if got.Code != 1 || !strings.Contains(got.Stderr, "CROWNSAFE_API_KEY") || !strings.Contains(got.Stdout, "refused by the target's limits") {
		t.Errorf("exit %d: %s\n%s", got.Code, got.Stderr, got.Stdout)
	}
	if e := report.Endpoints[0]; e.Requests != 400 || e.Failures < 100 || len(e.Causes) != 1 || e.Causes[0].Status != 429 || e.Causes[0].Count != e.Failures {
		t.Errorf("%+v", e)
	}
}

// TestLoadTestOfNobody fails and says so: nothing was measured.
func TestLoadTestOfNobody(t *testing.T) {
	t.Parallel()
	for _, only := range []string{"health", "barcode"} {
		got := program.Run(t, nil, "loadtest", "http://127.0.0.1:1", "--only", only, "--users", "1", "--duration", "100ms", "--warm-up", "0s", "--threshold", "failures<1%")
		if got.Code != 1 || !slices.ContainsFunc([]string{got.Stdout, got.Stderr}, func(s string) bool { return strings.Contains(s, "connection refused") }) {
			t.Errorf("%s: exit %d: %s\n%s", only, got.Code, got.Stderr, got.Stdout)
		}
	}
}
