package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// feed is a fake agency whose answer a test exchanges.
type feed struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
}

func newFeed(t *testing.T) *feed {
	t.Helper()
	f := &feed{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.answer.Load())(w, r) }))
	t.Cleanup(f.Close)
	return f
}

func (f *feed) says(status int, body string) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.UserAgent(), "CrownSafe") || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // the client may have gone
	})
	f.answer.Store(&handler)
}

func TestSyncTakesTheLiveFeedIn(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	mirror := []string{"CROWNSAFE_FEED_US_CPSC=" + f.URL}
	raw, err := json.Marshal([]any{program.CPSCRecall(1, program.CPSCDescription(1)), program.CPSCRecall(2, program.CPSCDescription(2))})
	if err != nil {
		t.Fatal(err)
	}
	f.says(http.StatusOK, string(raw))
	if got := program.Run(t, mirror, "sync", "us-cpsc", "--data", data); got.Code != 0 || !strings.Contains(got.Stdout, "2 added") {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if got := program.Run(t, nil, "check", "--brand", "Vantor1", "--model", "VM-10001", "--data", data); got.Code != 3 {
		t.Errorf("the synced notice is not found: exit %d\n%s", got.Code, got.Stdout)
	}
	s := program.Serve(t, data)
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		if src.Agency == "us-cpsc" && (src.State != "ok" || src.Notices != 2) {
			t.Errorf("after a good poll: %+v", src)
		}
	}
}

func TestSyncNeverTakesAnErrorForNothing(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	mirror := []string{"CROWNSAFE_FEED_US_CPSC=" + f.URL}
	for _, c := range []struct{ name, body, says string }{
		{"an error with status 200", `[{"RecallID":0,"RecallNumber":null,"Title":"Error retrieving Recalls: down for repairs."}]`, "down for repairs"},
		{"an apology page", "<!DOCTYPE html><html><body>We are sorry</body></html>", "us-cpsc"},
		{"no recalls at all", "[]", "no recalls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.says(http.StatusOK, c.body)
			if got := program.Run(t, mirror, "sync", "us-cpsc", "--data", data); got.Code != 1 || !strings.Contains(got.Stdout+got.Stderr, c.says) {
				t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
		})
	}
	s := program.Serve(t, data)
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		if src.Agency == "us-cpsc" && src.State != "failing" {
			t.Errorf("after failed polls: %+v", src)
		}
	}
}

func TestSourcesNeverShowAddressesOfFailedPolls(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "one.json", []any{program.CPSCRecall(0, program.CPSCDescription(0))}), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	address := gone.URL
	gone.Close()
	got := program.Run(t, []string{"CROWNSAFE_FEED_US_CPSC=" + address}, "sync", "us-cpsc", "--data", data)
	if got.Code != 1 || !strings.Contains(got.Stderr, address) || strings.Contains(got.Stdout, address) {
		t.Fatalf("exit %d; the whole error belongs on the standard error\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	s := program.Serve(t, data)
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		if src.Agency == "us-cpsc" && (src.State != "failing" || !strings.HasSuffix(src.Reason, "the connection was refused")) {
			t.Errorf("%+v", src)
		}
	}
	for _, path := range []string{"/api/v1/sources", "/"} {
		resp, err := http.Get(s.Base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || strings.Contains(string(body), strings.TrimPrefix(address, "http://")) {
			t.Errorf("%s shows the feed's address, %v", path, err)
		}
	}
}

func TestSyncOfAnUnknownAgency(t *testing.T) {
	t.Parallel()
	if got := program.Run(t, nil, "sync", "us-cspc", "--data", t.TempDir()); got.Code != 2 || !strings.Contains(got.Stderr, "us-cpsc") {
		t.Errorf("exit %d, %q", got.Code, got.Stderr)
	}
}

func TestSettingsThatCannotBeUsedStopTheStart(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"DATABASE_URL=mysql://crown:hunter2@db/crown", "DATABASE_URL=postgres://crown:hunter2@db:none/crown", "REDIS_URL=http://:hunter2@cache",
		"AZURE_STORAGE_CONNECTION_STRING=AccountKey=hunter2", "CROWNSAFE_DATABASE_POOL_SIZE=hunter2",
	} {
		variable, _, _ := strings.Cut(setting, "=")
		got := program.Run(t, []string{setting}, "serve", "--data", t.TempDir())
		if got.Code != 1 || !strings.Contains(got.Stderr, variable) || strings.Contains(got.Stderr, "hunter2") || strings.Count(got.Stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q", setting, got.Code, got.Stderr)
		}
	}
}

func TestABlankTokenStopsTheStart(t *testing.T) {
	t.Parallel()
	got := program.Run(t, []string{"CROWNSAFE_OPS_TOKEN= "}, "serve", "--data", t.TempDir())
	if got.Code != 1 || !strings.Contains(got.Stderr, "CROWNSAFE_OPS_TOKEN") || strings.Count(got.Stderr, "\n") != 1 {
		t.Errorf("exit %d, %q", got.Code, got.Stderr)
	}
}
