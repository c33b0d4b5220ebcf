package chaos

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// opsToken admits the test to what is monitored.
const opsToken = "the-chaos-test's-own-token-of-operators"

// TestCacheFails breaks Redis in every way that operators know, one after the
// other, under one process that is never restarted.
func TestCacheFails(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	// So few notices are searched sooner than Redis is asked.
	s := program.Serve(t, t.TempDir(), r.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken, "CROWNSAFE_CACHE_WORTH=0s")
	tr := drive(t, s.Base)
	for _, fault := range []struct {
		name        string
		happen, end func()
		answers     bool // Redis answers all the while
	}{
		{"cut", r.way.Cut, r.way.Heal, false},
		{"hanging", r.way.Hang, r.way.Heal, false},
		{"slow, by 2 s", func() { r.way.Slow(2 * time.Second) }, r.way.Heal, false},
		{"flushed", func() { r.say("FLUSHALL") }, func() {}, true},
		{"full", func() { r.say("CONFIG SET maxmemory 1") }, func() { r.say("CONFIG SET maxmemory 0") }, true},
		{"killed, and started again", r.kill, r.start, false},
	} {
		t.Run(fault.name, func(t *testing.T) {
			r.t = t
			testenv.Eventually(t, program.Patience, "the cache is well", func() bool { return cacheOf(t, s).Status == "healthy" })
			asked := cacheOf(t, s)
			tr.more(100)
			testenv.Eventually(t, program.Patience, "the cache is in use", func() bool {
				now := cacheOf(t, s)
				return now.Hits+now.Misses > asked.Hits+asked.Misses
			})
			fault.happen()
			tr.more(300)
			if !fault.answers {
				testenv.Eventually(t, program.Patience, "the cache is said to fail", func() bool { return cacheOf(t, s).Status == "unhealthy" })
				if got := check(t, s, "cache"); got != "no answer" {
					t.Errorf("healthz says of the cache: %s", got)
				}
			}
			fault.end()
			testenv.Eventually(t, program.Patience, "the cache is well again", func() bool {
				now := cacheOf(t, s)
				return now.Status == "healthy" && now.Far.Breaker == "closed" && now.Far.Listening
			})
			tr.more(100)
			tr.unharmed("while the cache was " + fault.name)
		})
	}
}

// TestStartWithoutTheCache: a process starts, says so, and uses it when it comes.
func TestStartWithoutTheCache(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	r.way.Cut()
	s := program.Serve(t, t.TempDir(), r.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
	tr := drive(t, s.Base)
	tr.more(50)
	if got := check(t, s, "cache"); got != "no answer" {
		t.Errorf("healthz says of the cache: %s", got)
	}
	r.way.Heal()
	testenv.Eventually(t, program.Patience, "the cache is in use", func() bool {
		now := cacheOf(t, s)
		return now.Status == "healthy" && now.Far.Breaker == "closed" && now.Far.Listening
	})
	tr.more(50)
	tr.unharmed("from the start without the cache to its coming")
}

// redis is a Redis of its own behind a way that can fail.
type redis struct {
	t      *testing.T
	server *server.Redis
	way    *testenv.Way
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	r := testenv.OwnRedis(t)
	return &redis{t, r, testenv.NewWay(t, r.Addr())}
}

func (r *redis) setting() string { return "REDIS_URL=redis://" + r.way.Addr() + "/0" }

// say gives Redis a command past the way, and waits for its "+OK".
func (r *redis) say(command string) {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.server.Addr())
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		r.t.Fatal(err)
	}
	answer := make([]byte, 5)
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "+OK\r\n" {
		r.t.Fatalf("%s: %q, %v", command, answer, err)
	}
}

func (r *redis) kill() {
	if err := r.server.Kill(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *redis) start() {
	if err := r.server.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

// cacheStats is what an operator sees of the cache.
type cacheStats struct {
	Status       string
	Hits, Misses int64
	Far          struct {
		Breaker   string
		Listening bool
	}
}

func cacheOf(t *testing.T, s *program.Server) (stats cacheStats) {
	t.Helper()
	operator(t, s, "/api/v1/monitoring/azure-cache-stats", &stats)
	return stats
}

// operator asks as one.
func operator(t *testing.T, s *program.Server, path string, into any) {
	t.Helper()
	if resp := s.Do(http.MethodGet, path, "", into, "Authorization: Bearer "+opsToken); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", path, resp.StatusCode)
	}
}

// check is what healthz says of a part, which is well but for that.
func check(t *testing.T, s *program.Server, part string) string {
	t.Helper()
	var health struct{ Checks map[string]string }
	if resp := s.Get("/api/healthz", &health); resp.StatusCode != http.StatusOK {
		t.Errorf("healthz is %d", resp.StatusCode)
	}
	return health.Checks[part]
}
