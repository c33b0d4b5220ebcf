//go:build browser

package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/crownsafe/api/internal/testenv/server"
	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// look is how somebody looks at a page.
type look struct {
	name          string
	width, height int64
	mobile, dark  bool
}

var looks = []look{
	{name: "desktop", width: 1280, height: 800},
	{name: "desktop-dark", width: 1280, height: 800, dark: true},
	{name: "phone", width: 360, height: 740, mobile: true},
	{name: "phone-dark", width: 360, height: 740, mobile: true, dark: true},
}

// tab is a page that is looked at.
type tab struct {
	t   *testing.T
	ctx context.Context

	lock       sync.Mutex
	complaints []string // of the browser: errors, refused scripts and styles
}

// open starts a browser of its own with one tab. What the browser complains of
// fails the test at its end.
func open(t *testing.T, as look) *tab {
	t.Helper()
	if err := (&server.Installer{Log: t.Output()}).Debian(t.Context(), "chromium", "chromium"); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := context.WithTimeout(context.Background(), 2*program.Patience)
	allocator, free := chromedp.NewExecAllocator(ctx, options...)
	browsing, quit := chromedp.NewContext(allocator)
	tb := &tab{t: t, ctx: browsing}
	t.Cleanup(func() {
		if err := chromedp.Cancel(browsing); err != nil {
			t.Logf("closing the browser: %v", err)
		}
		quit()
		free()
		cancel()
		tb.lock.Lock()
		defer tb.lock.Unlock()
		for _, c := range tb.complaints {
			t.Errorf("the browser complains: %s", c)
		}
	})
	chromedp.ListenTarget(browsing, tb.hear)
	tb.do(cdplog.Enable(), runtime.Enable())
	tb.as(as)
	return tb
}

// hear notes what the browser complains of.
func (tb *tab) hear(event any) {
	var complaint string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			complaint = fmt.Sprintf("console: %v", e.Args)
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelError || e.Entry.Level == cdplog.LevelWarning {
			complaint = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if complaint == "" {
		return
	}
	tb.lock.Lock()
	defer tb.lock.Unlock()
	tb.complaints = append(tb.complaints, complaint)
}

// forgive forgets the complaints that hold a text, which the test has brought about.
func (tb *tab) forgive(text string) {
	tb.lock.Lock()
	defer tb.lock.Unlock()
	var rest []string
	for _, c := range tb.complaints {
		if !strings.Contains(c, text) {
			rest = append(rest, c)
		}
	}
	tb.complaints = rest
}

func (tb *tab) do(actions ...chromedp.Action) {
	tb.t.Helper()
	if err := chromedp.Run(tb.ctx, actions...); err != nil {
		tb.t.Fatal(err)
	}
}

// as makes the tab look as somebody's does.
func (tb *tab) as(l look) {
	tb.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	tb.do(
		emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.mobile),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	)
}

// text is what a page or a part of it says.
func (tb *tab) text(selector string) (text string) {
	tb.t.Helper()
	tb.do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return text
}

// until waits until an expression of JavaScript is true, while the page lives on.
func (tb *tab) until(what, expression string) {
	tb.t.Helper()
	var now bool
	err := chromedp.Run(tb.ctx, chromedp.Poll(expression, &now, chromedp.WithPollingTimeout(program.Patience)))
	if err != nil || !now {
		tb.t.Fatalf("not within %s: %s (%v)\n%s", program.Patience, what, err, tb.text("main"))
	}
}

// shoot keeps a picture of the whole page.
func (tb *tab) shoot(name string) {
	tb.t.Helper()
	var picture []byte
	tb.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		picture, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).Do(ctx)
		return err
	}))
	folder := os.Getenv("CROWNSAFE_SCREENSHOTS")
	if folder == "" {
		folder = filepath.Join(os.TempDir(), "crownsafe-screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tb.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// contrasts is a function of JavaScript that returns the visible texts of the page
// whose contrast with what is behind them is below 4.5:1 (WCAG 2.2, 1.4.3).
const contrasts = `(() => {
	const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
	const parse = (colour) => { const n = colour.match(/[\d.]+/g).map(Number); return { rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 }; };
	const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
	const behind = (element) => {
		for (let e = element; e; e = e.parentElement) {
			const c = parse(getComputedStyle(e).backgroundColor);
			if (c.a === 1) return c.rgb;
		}
		return [255, 255, 255];
	};
	const weak = [];
	for (const e of document.querySelectorAll("body *")) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
		const box = e.getBoundingClientRect();
		if (!own || box.width < 2 || box.right < 0 || e.tagName === "OPTION") continue;
		const style = getComputedStyle(e);
		const a = light(parse(e.namespaceURI.endsWith("svg") ? style.fill : style.color).rgb), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) weak.push(ratio.toFixed(2) + " " + e.className + " " + e.textContent.trim().slice(0, 40));
	}
	return weak;
})()`

// fits checks what holds for every page in every look.
func (tb *tab) fits(as look) {
	tb.t.Helper()
	var wide struct {
		Content, Window int64
		Widest          string
	}
	tb.do(chromedp.Evaluate(`(() => {
		const widest = [...document.querySelectorAll("body *")].filter((e) => !e.closest(".scroll") && !e.matches(".skip")).sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)[0];
		return { Content: document.documentElement.scrollWidth, Window: window.innerWidth, Widest: widest.outerHTML.slice(0, 120) };
	})()`, &wide))
	if wide.Window != as.width || wide.Content > as.width {
		tb.t.Errorf("%s: the page is %d wide in a window of %d, which is to be %d; what reaches furthest: %s", as.name, wide.Content, wide.Window, as.width, wide.Widest)
	}
	var brightness float64
	tb.do(chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3`, &brightness))
	if as.dark != (brightness < 64) {
		tb.t.Errorf("%s: the background's brightness is %v of 255", as.name, brightness)
	}
	var weak []string
	tb.do(chromedp.Evaluate(contrasts, &weak))
	if len(weak) > 0 {
		tb.t.Errorf("%s: too little contrast:\n%s", as.name, strings.Join(weak, "\n"))
	}
}
