package chaos

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// TestStartWithoutTheDatabase: with a snapshot of the catalogue a process answers
// from it and says how old it is, without one it says that it can't tell; and it
// goes on by itself when the database comes.
func TestStartWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	db, data := startDatabase(t), t.TempDir()
	db.notices++
	if got := program.Run(t, []string{db.setting()}, "import", db.file(), "--data", data); got.Code != 0 {
		t.Fatalf("the import ended with %d: %s", got.Code, got.Stderr)
	}
	before := program.Serve(t, data, db.setting())
	before.Signal(syscall.SIGTERM) // it leaves a snapshot behind
	if err := before.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, before.Logs)
	}
	db.way.Cut()

	t.Run("with a snapshot", func(t *testing.T) {
		s := program.Serve(t, data, db.setting())
		if got := status(t, s, "/api/readyz"); got != http.StatusOK {
			t.Errorf("readyz is %d", got)
		}
		var health struct{ Checks map[string]string }
		if resp := s.Get("/api/healthz", &health); resp.StatusCode != http.StatusServiceUnavailable || health.Checks["database"] != "no answer" {
			t.Errorf("healthz is %d: %v", resp.StatusCode, health.Checks)
		}
		var verdict struct {
			Verdict string
			Serial  int64
		}
		s.Do(http.MethodPost, "/api/v1/verdict", `{"brand":"Vantor1","model":"VM-10001"}`, &verdict)
		if verdict.Verdict != "affected" || verdict.Serial == 0 {
			t.Errorf("the verdict is %+v", verdict)
		}
		tr := drive(t, s.Base)
		tr.more(200)
		db.way.Heal()
		whole(t, s)
		db.t = t
		db.notices++
		db.nothingHalfWritten(s)
		tr.unharmed("from the start without the database to its coming")
		db.way.Cut()
	})
	t.Run("without a snapshot", func(t *testing.T) {
		s := program.Serve(t, t.TempDir(), db.setting())
		if got := status(t, s, "/api/readyz"); got != http.StatusServiceUnavailable {
			t.Errorf("readyz is %d", got)
		}
		var verdict struct{ Verdict, Advice string }
		if resp := s.Do(http.MethodPost, "/api/v1/verdict", `{"brand":"Vantor1","model":"VM-10001"}`, &verdict); resp.StatusCode != http.StatusOK || verdict.Verdict != "cannot_tell" {
			t.Errorf("the verdict is %d %+v", resp.StatusCode, verdict)
		}
		db.way.Heal()
		whole(t, s)
		s.Do(http.MethodPost, "/api/v1/verdict", `{"brand":"Vantor1","model":"VM-10001"}`, &verdict)
		if verdict.Verdict != "affected" {
			t.Errorf("after the database came the verdict is %+v", verdict)
		}
	})
	t.Run("other commands say so", func(t *testing.T) {
		db.way.Cut()
		defer db.way.Heal()
		db.t = t
		db.importFails()
	})
	t.Run("the log has no secret", func(t *testing.T) {
		if strings.Contains(before.Logs.String(), servicePassword) {
			t.Error("the password is in the log")
		}
	})
}
