package chaos

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestObjectsFail breaks the account of objects in every way that operators know,
// one after the other, under one process that polls an agency meanwhile: what the
// agency says is served all the same, and its bytes are archived later.
func TestObjectsFail(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(*account){
		"cut":                  func(a *account) { a.way.Cut() },
		"hanging":              func(a *account) { a.way.Hang() },
		"slow, by 20 s":        func(a *account) { a.way.Slow(20 * time.Second) },
		"cut in mid-upload":    func(a *account) { a.way.Limit(2000) },
		"stopped":              func(a *account) { a.stop() },
		"answering with a 503": func(a *account) { a.sick.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, world := startAccount(t), startAgencies(t)
			close(world.letGo)
			data := t.TempDir()
			happen(a)
			s := program.Serve(t, data, append(world.settings(), a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)...)
			tr := drive(t, s.Base)
			testenv.Eventually(t, 3*program.Patience, "the notices of the agency are served", func() bool {
				return status(t, s, "/api/v1/recalls/"+program.CPSCID(1)) == http.StatusOK
			})
			if name != "cut in mid-upload" { // which small requests survive
				if got := check(t, s, "storage"); got != "no answer" {
					t.Errorf("healthz says of the storage: %s", got)
				}
				if n := storageOf(t, s).Uploads.Queued; n == 0 {
					t.Error("nothing waits to be uploaded")
				}
			}
			a.heal()
			testenv.Eventually(t, 3*program.Patience, "what waited is uploaded", func() bool {
				now := storageOf(t, s)
				return now.Status == "healthy" && now.Uploads.Queued == 0 && now.Uploads.Failed == 0
			})
			tr.unharmed("while the account was " + name)
			s.Signal(syscall.SIGTERM)
			if err := s.Wait(); err != nil {
				t.Errorf("the end: %v\n%s", err, s.Logs)
			}
			// A replay reads the archived bytes, whole, and finds nothing to change.
			again := program.Serve(t, data, a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
			testenv.Eventually(t, program.Patience, "the payload is on record", func() bool {
				got := program.Run(t, []string{a.setting()}, "replay", "us-cpsc", "--data", data)
				return got.Code == 0 && strings.Contains(got.Stdout, "2 unchanged")
			})
			again.Kill()
		})
	}
}

// TestStartWithoutObjects: a process starts, says so, and uses them when they come.
func TestStartWithoutObjects(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	a.way.Cut()
	s := program.Serve(t, t.TempDir(), a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
	if got := check(t, s, "storage"); got != "no answer" {
		t.Errorf("healthz says of the storage: %s", got)
	}
	a.heal()
	testenv.Eventually(t, program.Patience, "the account is in use", func() bool { return check(t, s, "storage") == "ok" })
}

// TestEverythingFails: with all three servers gone questions are answered, and
// afterwards all is as before.
func TestEverythingFails(t *testing.T) {
	t.Parallel()
	db, r, a := startDatabase(t), startRedis(t), startAccount(t)
	s := program.Serve(t, t.TempDir(), db.setting(), r.setting(), a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
	whole(t, s)
	tr := drive(t, s.Base)
	tr.more(100)
	db.way.Cut()
	r.way.Cut()
	a.way.Cut()
	testenv.Eventually(t, program.Patience, "healthz says that the database fails", func() bool { return status(t, s, "/api/healthz") == http.StatusServiceUnavailable })
	tr.more(500)
	if got := status(t, s, "/api/readyz"); got != http.StatusOK {
		t.Errorf("readyz is %d", got)
	}
	db.way.Heal()
	r.way.Heal()
	a.heal()
	whole(t, s)
	for _, part := range []string{"cache", "storage"} {
		testenv.Eventually(t, program.Patience, part+" is well again", func() bool { return check(t, s, part) == "ok" })
	}
	tr.unharmed("while everything was cut")
}
