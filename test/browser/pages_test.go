//go:build browser

package browser

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/ean"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/crownsafe/api/test/program"
)

// upc stands on the first of the invented cribs.
const upc = "036000291452"

// serve starts a server with a few invented notices, the first with a barcode.
func serve(t *testing.T, settings ...string) *program.Server {
	t.Helper()
	data := t.TempDir()
	first := program.CPSCRecall(0, program.CPSCDescription(0))
	first["ProductUPCs"] = []map[string]any{{"UPC": upc}}
	file := program.WriteJSON(t, "cpsc.json", []map[string]any{first, program.CPSCRecall(1, program.CPSCDescription(1))})
	if got := program.Run(t, settings, "import", file, "--data", data); got.Code != 0 {
		t.Fatalf("the import ended with %d: %s", got.Code, got.Stderr)
	}
	return program.Serve(t, data, settings...)
}

func TestEveryPageInEveryLook(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/", "/?q=Vantor0+Moonbeam+cribs", "/status", "/ops", "/docs", "/docs/errors", "/signin", "/reset", "/reset?token=of-a-letter", "/verify", "/nowhere"} {
		t.Run(path, func(t *testing.T) {
			name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "+", "-").Replace(path), "-")
			if name == "" {
				name = "home"
			}
			tb := open(t, looks[0])
			tb.do(chromedp.Navigate(s.Base + path))
			for _, as := range looks {
				tb.as(as)
				tb.do(chromedp.Navigate(s.Base+path), chromedp.WaitVisible("main h1", chromedp.ByQuery))
				tb.fits(as)
				tb.shoot(name + "-" + as.name)
			}
			if path == "/nowhere" {
				tb.forgive("404")
			}
		})
	}
}

// TestALookupByHand does what a parent does: types what stands on the product, and
// the model when asked for it.
func TestALookupByHand(t *testing.T) {
	s := serve(t)
	for _, as := range looks {
		t.Run(as.name, func(t *testing.T) {
			tb := open(t, as)
			tb.do(
				chromedp.Navigate(s.Base+"/"),
				chromedp.SendKeys("#q", "Vantor0 Moonbeam cribs"+kb.Enter, chromedp.ByQuery),
				chromedp.WaitVisible("#answer", chromedp.ByQuery),
			)
			tb.fits(as)
			tb.shoot("lookup-asked-" + as.name)
			if got := tb.text(".verdict"); !strings.Contains(strings.ToLower(got), "model") {
				t.Errorf("without the model the page says: %s", got)
			}
			tb.do(
				chromedp.SendKeys("#need", "VM-10000", chromedp.ByQuery),
				chromedp.Click(".need button", chromedp.ByQuery),
				chromedp.WaitVisible(".verdict.affected", chromedp.ByQuery),
			)
			tb.fits(as)
			tb.shoot("lookup-affected-" + as.name)
			if got := tb.text("main"); !strings.Contains(got, "Stop using the crib") {
				t.Errorf("the page doesn't say what to do: %s", got)
			}
		})
	}
}

// TestAPhotoOfABarcode uploads a picture through the form.
func TestAPhotoOfABarcode(t *testing.T) {
	s := serve(t)
	picture := filepath.Join(t.TempDir(), "barcode.png")
	if err := os.WriteFile(picture, drawn(t, "0"+upc), 0o600); err != nil {
		t.Fatal(err)
	}
	tb := open(t, looks[2])
	tb.do(
		chromedp.Navigate(s.Base+"/"),
		chromedp.SetUploadFiles("#photo", []string{picture}, chromedp.ByQuery),
		chromedp.Click(".photo button", chromedp.ByQuery),
		chromedp.WaitVisible("#answer", chromedp.ByQuery),
	)
	tb.fits(looks[2])
	tb.shoot("photo-phone")
	if got := tb.text("main"); !strings.Contains(got, "Vantor0") {
		t.Errorf("the page doesn't tell of the crib: %s", got)
	}
	// What is no photo is said to be none, and nothing is looked up.
	text := filepath.Join(t.TempDir(), "barcode.png")
	if err := os.WriteFile(text, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	tb.do(
		chromedp.Navigate(s.Base+"/"),
		chromedp.SetUploadFiles("#photo", []string{text}, chromedp.ByQuery),
		chromedp.Click(".photo button", chromedp.ByQuery),
		chromedp.WaitVisible(".verdict.trouble", chromedp.ByQuery),
	)
	tb.forgive("415")
}

// drawn is a picture of an EAN-13.
func drawn(t *testing.T, digits string) []byte {
	t.Helper()
	code, err := ean.Encode(digits)
	if err != nil {
		t.Fatal(err)
	}
	scaled, err := barcode.Scale(code, 95*5, 200)
	if err != nil {
		t.Fatal(err)
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, bordered{scaled, 60}); err != nil {
		t.Fatal(err)
	}
	return encoded.Bytes()
}

// TestPagesWithoutAScript: everything that the pages tell is there without one.
func TestPagesWithoutAScript(t *testing.T) {
	s := serve(t)
	tb := open(t, looks[0])
	tb.do(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(s.Base+"/ops"))
	for selector, want := range map[string]string{"#ops-score": "Healthy", "#ops-subsystems": "Database", "#ops-agencies": "us-cpsc", "#live": "reload"} {
		if got := tb.text(selector); !strings.Contains(got, want) {
			t.Errorf("%s says %q, not %q", selector, got, want)
		}
	}
	tb.do(chromedp.Navigate(s.Base + "/status"))
	if got := tb.text("main"); !strings.Contains(got, "Working") {
		t.Errorf("the status page says: %s", got)
	}
}

func TestTheOperatorsPageIsForOperators(t *testing.T) {
	s := serve(t, "CROWNSAFE_OPS_TOKEN=a-token-that-nobody-shows-here-at-all")
	tb := open(t, looks[2])
	tb.do(chromedp.Navigate(s.Base + "/ops"))
	if got := tb.text("main"); !strings.Contains(got, "for operators") || strings.Contains(got, "Database") {
		t.Errorf("the page says: %s", got)
	}
	tb.fits(looks[2])
	tb.shoot("ops-refused-phone")
	tb.forgive("401")
}
