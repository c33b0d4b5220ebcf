package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestRollingUpdate replaces three processes one by one under load, as the Deployment
// of deploy/k8s does: one more comes and is ready, then one less is there. No question
// fails, and every process that is stopped ends well.
func TestRollingUpdate(t *testing.T) {
	t.Parallel()
	redis, prefix := testenv.Redis(t)
	settings := []string{"DATABASE_URL=" + testenv.Postgres(t), "REDIS_URL=" + redis, "CROWNSAFE_REDIS_PREFIX=" + prefix, "CROWNSAFE_DRAIN=1s"}
	service := startBalancer(t)
	var old []*program.Server
	appear := func() *program.Server {
		s := program.Serve(t, t.TempDir(), settings...)
		service.add(t, s)
		testenv.Eventually(t, program.Patience, "the new process is ready", func() bool { return service.sends(s) })
		return s
	}
	for range 3 {
		old = append(old, appear())
	}
	people := drive(t, service.base)
	people.more(100)
	for i, s := range old {
		replacement := appear()
		people.more(100)
		s.Signal(syscall.SIGTERM)
		if err := s.Wait(); err != nil {
			t.Errorf("process %d ended with %v:\n%s", i, err, s.Logs)
		}
		if service.sends(s) || !service.sends(replacement) {
			t.Errorf("after the %d. step the old process is thought ready, or the new one isn't", i+1)
		}
		people.more(100)
	}
	people.end()
	people.unharmed("while all processes were replaced")
	if service.lost > 0 {
		t.Errorf("%d times nobody was ready", service.lost)
	}
	t.Logf("%d questions", people.asked.Load())
}

// TestThreeProcesses share one PostgreSQL and one Redis: what one of them ingests all
// serve within a second, and a caller's limit is one limit. Then the database is killed,
// and every one stays ready.
func TestThreeProcesses(t *testing.T) {
	t.Parallel()
	db, world := startDatabase(t), startAgencies(t)
	redis, prefix := testenv.Redis(t)
	settings := append(world.settings(), db.setting(), "REDIS_URL="+redis, "CROWNSAFE_REDIS_PREFIX="+prefix, "CROWNSAFE_REDIS_TIMEOUT=10s",
		"CROWNSAFE_RATE_LIMIT=on", "CROWNSAFE_RATE_ADDRESS=1", "CROWNSAFE_TRUSTED_PROXIES=127.0.0.0/8")
	var pods []*program.Server
	for range 3 {
		pods = append(pods, program.Serve(t, t.TempDir(), settings...))
	}
	callers := 0
	// Each question comes from another network, as through an ingress.
	ask := func(pod *program.Server, path string) int {
		callers++
		return pod.Do(http.MethodGet, path, "", nil, fmt.Sprintf("X-Forwarded-For: 11.%d.%d.1", callers/256%256, callers%256)).StatusCode
	}
	serves := func(pod *program.Server) bool {
		return ask(pod, "/api/v1/recalls/"+program.CPSCID(1)) == http.StatusOK
	}

	<-world.first
	if slices.ContainsFunc(pods, serves) {
		t.Error("the notice is there before the agency has told of it")
	}
	close(world.letGo)
	testenv.Eventually(t, program.Patience, "one process serves the notice", func() bool { return slices.ContainsFunc(pods, serves) })
	testenv.Eventually(t, time.Second, "every process serves the notice", func() bool {
		return !slices.ContainsFunc(pods, func(pod *program.Server) bool { return !serves(pod) })
	})
	if n := world.asked.Load(); n != 1 {
		t.Errorf("the agency was asked %d times by three processes", n)
	}

	allowed := 0
	for i := range 240 {
		switch got := pods[i%3].Do(http.MethodGet, "/api/v1/recalls?limit=1", "", nil, "X-Forwarded-For: 9.9.9.9").StatusCode; got {
		case http.StatusOK:
			allowed++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("a lookup: %d", got)
		}
	}
	// A burst of 100; each process may have let a few through before it heard of the others.
	if allowed < 100 || allowed > 130 {
		t.Errorf("%d of 240 were allowed by three processes together, want 100", allowed)
	}

	db.kill()
	for i, pod := range pods {
		testenv.Eventually(t, program.Patience, "healthz says that the database fails", func() bool {
			return probed(t.Context(), pod.Base, "/api/healthz") == http.StatusServiceUnavailable
		})
		for _, path := range []string{"/api/readyz", "/health"} {
			if got := probed(t.Context(), pod.Base, path); got != http.StatusOK {
				t.Errorf("without the database the probe of process %d on %s is answered %d", i, path, got)
			}
		}
		if !serves(pod) {
			t.Errorf("without the database process %d doesn't serve what it knows", i)
		}
	}
	db.start()
	for _, pod := range pods {
		testenv.Eventually(t, program.Patience, "the service is whole again", func() bool {
			return probed(t.Context(), pod.Base, "/api/healthz") == http.StatusOK
		})
		if strings.Contains(pod.Logs.String(), servicePassword) {
			t.Error("the log has the password of the database")
		}
	}
}
