package chaos

import (
	"maps"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestMetricsWhileEverythingHangs: scrapes go on and tell of each server that fails,
// and of its return.
func TestMetricsWhileEverythingHangs(t *testing.T) {
	t.Parallel()
	db, r, a := startDatabase(t), startRedis(t), startAccount(t)
	s := program.Serve(t, t.TempDir(), db.setting(), r.setting(), a.setting(), "CROWNSAFE_OPS_TOKEN="+opsToken)
	tr := drive(t, s.Base)
	tr.more(100)
	scrape := func() program.Metrics { return s.Metrics("Authorization: Bearer " + opsToken) }
	const (
		serials, age  = `database_errors_total{operation="serial"}`, "crownsafe_catalogue_age_seconds"
		cache, object = `crownsafe_breaker_state{breaker="cache",state="closed"}`, `crownsafe_breaker_state{breaker="storage",state="closed"}`
		requests      = `http_requests_total{endpoint="/api/v1/verdict",method="POST",status_code="200"}`
	)
	well := scrape()
	testenv.Eventually(t, program.Patience, "all is well", func() bool {
		well = scrape()
		return well[cache] == 1 && well[object] == 1 && well[age] < 2 && well["app_health_score"] >= 70
	})
	db.way.Hang()
	r.way.Hang()
	a.way.Hang()
	var ill, now program.Metrics
	defer func() {
		if t.Failed() {
			for _, name := range []string{cache, object, age, serials, "app_health_score"} {
				t.Logf("%s: %v at first, %v while everything hung, %v at the end", name, well[name], ill[name], now[name])
			}
		}
	}()
	testenv.Eventually(t, program.Patience, "every server is said to fail", func() bool {
		tr.more(20)
		status(t, s, "/api/healthz") // asks for the objects, which nobody else does
		ill = scrape()
		return ill[serials] > well[serials] && ill[age] > 3 && ill[cache] == 0 && ill[object] == 0 && ill["app_health_score"] < well["app_health_score"]
	})
	for name := range maps.Keys(well) {
		if _, there := ill[name]; !there {
			t.Errorf("while everything hangs there is no %s", name)
		}
	}
	if ill[requests] <= well[requests] {
		t.Errorf("requests aren't counted meanwhile: %v, then %v", well[requests], ill[requests])
	}
	db.way.Heal()
	r.way.Heal()
	a.heal()
	testenv.Eventually(t, program.Patience, "all is well again", func() bool {
		status(t, s, "/api/healthz")
		now = scrape()
		return now[cache] == 1 && now[object] == 1 && now[age] < 2 && now["app_health_score"] >= well["app_health_score"]
	})
	tr.unharmed("while everything hung")
}
