//go:build browser

package browser

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

// TestTheOperatorsPageFollowsTheService: the page that stands open turns red when
// the database and Redis die, and green when they are back, without being reloaded.
func TestTheOperatorsPageFollowsTheService(t *testing.T) {
	db, redis := testenv.Own(t, server.StartDebianPostgres), testenv.OwnRedis(t)
	s := serve(t, "DATABASE_URL="+db.URL("postgres"), "REDIS_URL="+redis.URL())
	tb := open(t, looks[0])
	tb.do(chromedp.Navigate(s.Base+"/ops"), chromedp.Evaluate(`window.loadedOnce = true`, nil))
	tb.until("the page says that it is live", `document.getElementById("live").textContent === "Live."`)
	tb.until("all is well", `document.querySelector("#ops-score .healthy") !== null`)

	if err := db.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := redis.Kill(); err != nil {
		t.Fatal(err)
	}
	tb.until("the score falls", `document.querySelector("#ops-score .degraded .word")?.textContent === "Degraded"`)
	tb.until("both are said to fail", `document.querySelectorAll("#ops-subsystems li.unhealthy").length === 2`)
	if got := tb.text("#ops-score"); !strings.Contains(got, "−25") {
		t.Errorf("the score says: %s", got)
	}
	tb.do(chromedp.Evaluate(`fetch("/api/v1/recalls/us-cpsc:60-001/revisions").then((r) => r.status)`, nil)) // needs the database
	tb.until("the error is told of", `document.querySelector("#ops-faults").textContent.includes("503")`)
	for _, as := range looks {
		tb.as(as)
		tb.fits(as)
		tb.shoot("ops-degraded-" + as.name)
	}
	tb.forgive("503")

	if err := db.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := redis.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	tb.until("all is well again", `document.querySelector("#ops-score .healthy") !== null && document.querySelectorAll("#ops-subsystems li.unhealthy").length === 0`)
	var once bool
	tb.do(chromedp.Evaluate(`window.loadedOnce === true`, &once))
	if !once {
		t.Error("the page was loaded anew")
	}

	s.Kill()
	tb.until("the page says that it is not live any more", `document.getElementById("live").textContent !== "Live."`)
	tb.forgive("ERR_")
}

// TestTheStatusPageTellsOfAnOutage: without the database it says from when the
// notices are.
func TestTheStatusPageTellsOfAnOutage(t *testing.T) {
	db := testenv.Own(t, server.StartDebianPostgres)
	s := serve(t, "DATABASE_URL="+db.URL("postgres"))
	if err := db.Kill(); err != nil {
		t.Fatal(err)
	}
	tb := open(t, looks[2])
	testenv.Eventually(t, program.Patience, "the page says so", func() bool {
		tb.do(chromedp.Navigate(s.Base + "/status"))
		return strings.Contains(tb.text("main"), "not with the latest notices")
	})
	tb.fits(looks[2])
	tb.shoot("status-outage-phone")
}
