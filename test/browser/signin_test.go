//go:build browser

package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/crownsafe/api/test/program"
)

const (
	operatorsAddress  = "ada@example.org"
	operatorsPassword = "velvet-otter-climbs-37"
)

// withOperator starts a server on which somebody is an operator, and who else comes
// is nobody.
func withOperator(t *testing.T) *program.Server {
	t.Helper()
	data := t.TempDir()
	cmd := program.Command(t.Context(), nil, "user", "create", "--role", "operator", operatorsAddress, "--data", data)
	cmd.Stdin = strings.NewReader(operatorsPassword + "\n")
	if made := program.Finish(t, cmd); made.Code != 0 {
		t.Fatalf("making the operator ended with %d: %s", made.Code, made.Stderr)
	}
	return program.Serve(t, data, "CROWNSAFE_OPS_TOKEN=a-token-that-nobody-shows-here-at-all")
}

func TestAnOperatorSignsInAndOut(t *testing.T) {
	s := withOperator(t)
	for _, as := range looks {
		t.Run(as.name, func(t *testing.T) {
			tb := open(t, as)
			tb.do(chromedp.Navigate(s.Base+"/ops"), chromedp.Click(`a[href="/signin"]`, chromedp.ByQuery), chromedp.WaitVisible("#email", chromedp.ByQuery))
			tb.forgive("401") // the operators' page before
			tb.fits(as)
			tb.shoot("signin-" + as.name)
			signIn := func(password string) {
				tb.do(
					chromedp.SetValue("#email", operatorsAddress, chromedp.ByQuery), chromedp.SetValue("#password", password, chromedp.ByQuery),
					chromedp.Click(".card button", chromedp.ByQuery),
				)
			}
			signIn("something-else-entirely")
			tb.do(chromedp.WaitVisible("[role=alert]", chromedp.ByQuery))
			tb.forgive("401") // the wrong password
			tb.fits(as)
			tb.shoot("signin-wrong-" + as.name)
			signIn(operatorsPassword)
			tb.do(chromedp.WaitVisible("#ops-score", chromedp.ByQuery))
			tb.until("the operators' page is live", `location.pathname === "/ops" && document.getElementById("live").textContent === "Live."`)
			tb.fits(as)
			tb.shoot("ops-signed-in-" + as.name)
			tb.do(chromedp.Click(`form[action="/signout"] button`, chromedp.ByQuery), chromedp.WaitVisible("#email", chromedp.ByQuery))
			tb.do(chromedp.Navigate(s.Base + "/ops"))
			if got := tb.text("main"); !strings.Contains(got, "for operators") || strings.Contains(got, "Database") {
				t.Errorf("signed out, the operators' page says: %s", got)
			}
			tb.forgive("401")
		})
	}
}
