package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/net/html"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

const limitsOn = "CROWNSAFE_RATE_LIMIT=on"

// TestLimitsOfTheProgram: with the default settings an address has 120 calls at once.
func TestLimitsOfTheProgram(t *testing.T) {
	t.Parallel()
	// One call a minute comes back, so that the machine's speed doesn't count.
	s := program.Serve(t, t.TempDir(), limitsOn, "CROWNSAFE_RATE_ADDRESS=1")
	allowed := 0
	for range 130 {
		resp := s.Get("/api/v1/recalls?limit=1", nil)
		switch resp.StatusCode {
		case http.StatusOK:
			allowed++
		case http.StatusTooManyRequests:
			if resp.Header.Get("Retry-After") == "" || resp.Header.Get("Ratelimit") == "" {
				t.Fatalf("a 429 without its headers: %v", resp.Header)
			}
		default:
			t.Fatalf("%s", resp.Status)
		}
	}
	if allowed < 100 || allowed > 101 {
		t.Errorf("%d of 130 were allowed, want 100", allowed)
	}
	if resp := s.Get("/health", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("/health: %s", resp.Status)
	}
}

// TestProcessesShareLimits asks three processes in turn, which share a Redis.
func TestProcessesShareLimits(t *testing.T) {
	t.Parallel()
	address, prefix := testenv.Redis(t)
	var pods []*program.Server
	for range 3 {
		pods = append(pods, program.Serve(t, t.TempDir(), limitsOn, "CROWNSAFE_RATE_ADDRESS=1", "CROWNSAFE_REDIS_TIMEOUT=10s",
			"REDIS_URL="+address, "CROWNSAFE_REDIS_PREFIX="+prefix))
	}
	allowed := 0
	for i := range 240 {
		if pods[i%3].Get("/api/v1/recalls?limit=1", nil).StatusCode == http.StatusOK {
			allowed++
		}
	}
	// Each may have let a few through before it heard of the others.
	if allowed < 100 || allowed > 120 {
		t.Errorf("%d of 240 were allowed by three processes together, want 100", allowed)
	}
	for _, pod := range pods {
		if resp := pod.Get("/api/v1/recalls?limit=1", nil); resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("still %s", resp.Status)
		}
	}
}

// TestSlowConnections opens many that send a byte of their header now and then, and
// many that send half a body; others are answered meanwhile. When they are too many,
// who comes from another address is answered still.
func TestSlowConnections(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_MAX_CONNECTIONS=400", "CROWNSAFE_MAX_CONNECTIONS_PER_ADDRESS=350")
	slow := openSlowly(t, s, 300)
	for range 50 {
		for _, c := range slow[:10] {
			_, _ = io.WriteString(c, "a") // it may have been closed
		}
		if resp := s.Get("/api/v1/recalls?limit=1", nil); resp.StatusCode != http.StatusOK {
			t.Fatalf("a lookup meanwhile: %s", resp.Status)
		}
	}
	openSlowly(t, s, 300)
	elsewhere := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext,
	}}
	resp, err := elsewhere.Get(s.Base + "/api/v1/recalls?limit=1")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("a lookup from another address meanwhile: %v %v", resp, err)
	}
	resp.Body.Close()
	if refused := s.Metrics()["crownsafe_connections_refused_total"]; refused < 200 {
		t.Errorf("%v connections of one address were refused, want 200 or more of 600", refused)
	}
	// Who doesn't finish his header is turned away, however often a byte comes.
	began := time.Now()
	if err := slow[0].SetReadDeadline(began.Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(slow[0]); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// openSlowly opens connections that send half a request.
func openSlowly(t *testing.T, s *program.Server, n int) (slow []net.Conn) {
	t.Helper()
	for i := range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.Base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		beginning := "GET /api/v1/recalls HTTP/1.1\r\nHost: localhost\r\nX-A: "
		if i%2 == 1 {
			beginning = "POST /api/v1/verdict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
		}
		_, _ = io.WriteString(c, beginning) // it may have been closed
		slow = append(slow, c)
	}
	return slow
}

// hostile are texts that do something where they are taken for more than text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `'"--></style></script><script>alert(1)</script>`,
	`javascript:alert(1)`, `<a href="javascript:alert(1)">x</a>`, `<iframe srcdoc="<script>alert(1)</script>">`, `{{.}} {{template "x"}} ${7*7} <%= 1 %>`,
	"=HYPERLINK(\"http://evil.example\",\"x\")", "@SUM(1+1)*cmd|' /C calc'!A0", "+1+1", "-1+1", "\u202etxet\u202c \u200b\u2066", "</textarea><script>alert(1)</script>", `\"};alert(1);//`,
}

// TestHostileNotices stores notices whose every text tries to do something, and
// shows every page and export with them: nothing of theirs is active.
func TestHostileNotices(t *testing.T) {
	t.Parallel()
	var recalls []map[string]any
	for i, text := range hostile {
		r := program.CPSCRecall(i, text)
		for _, field := range []string{"Title", "ConsumerContact"} {
			r[field] = fmt.Sprintf("Vantor%d Moonbeam cribs %s", i, text)
		}
		r["Description"] = fmt.Sprintf("This recall involves Vantor%d Moonbeam cribs. %s", i, text)
		r["URL"] = []string{"javascript:alert(1)", `https://www.cpsc.gov/"><script>alert(1)</script>`, "data:text/html,<script>alert(1)</script>"}[i%3]
		r["Products"] = []map[string]any{{"Name": fmt.Sprintf("Vantor%d Moonbeam cribs %s", i, text), "Description": text, "Model": text, "Type": text, "CategoryID": "", "NumberOfUnits": text}}
		r["Hazards"] = []map[string]any{{"Name": text, "HazardType": text, "HazardTypeID": ""}}
		r["Remedies"], r["RemedyOptions"] = []map[string]any{{"Name": text}}, []map[string]any{{"Option": text}}
		r["Images"] = []map[string]any{{"URL": "javascript:alert(1)", "Caption": text}, {"URL": "https://127.0.0.1/x.png?" + url.QueryEscape(text), "Caption": text}}
		r["Retailers"], r["Injuries"] = []map[string]any{{"Name": text, "CompanyID": ""}}, []map[string]any{{"Name": text}}
		r["Manufacturers"] = []map[string]any{{"Name": fmt.Sprintf("Vantor%d %s", i, text), "CompanyID": ""}}
		recalls = append(recalls, r)
	}
	data := t.TempDir()
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "cpsc.json", recalls), "--data", data); got.Code != 0 {
		t.Fatalf("%d %s", got.Code, got.Stderr)
	}
	s := program.Serve(t, data, "CROWNSAFE_FEED_US_CPSC=http://127.0.0.1:1")
	var page struct{ Items []map[string]any }
	s.Get("/api/v1/recalls?agency=us-cpsc&limit=100&q=moonbeam", &page)
	if len(page.Items) < len(hostile) {
		t.Fatalf("%d notices, want %d at least", len(page.Items), len(hostile))
	}
	shown := 0
	for i, text := range hostile {
		for _, target := range []string{
			"/?q=" + url.QueryEscape(fmt.Sprintf("Vantor%d Moonbeam cribs", i)), "/?q=" + url.QueryEscape(text), "/?brand=" + url.QueryEscape(text) + "&model=" + url.QueryEscape(text),
			fmt.Sprintf("/?brand=Vantor%d&name=Moonbeam+cribs&lot=%s", i, url.QueryEscape(text)), "/nowhere/" + url.PathEscape(text), "/docs?" + url.QueryEscape(text), "/status",
		} {
			if inert(t, s, target) {
				shown++
			}
		}
	}
	if shown < len(hostile) {
		t.Errorf("only %d pages showed a notice", shown)
	}
	plainData(t, s)
}

// inert parses a page and looks for what would be active. It reports whether the
// page shows a hostile notice at all.
func inert(t *testing.T, s *program.Server, target string) (shows bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("%s is %s", target, resp.Header.Get("Content-Type"))
	}
	if policy := resp.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("%s: policy %q", target, policy)
	}
	document, err := html.Parse(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range document.Descendants() {
		if n.Type == html.TextNode {
			shows = shows || strings.Contains(n.Data, "Moonbeam cribs") && strings.Contains(n.Data, "Vantor")
			continue
		}
		if slices.Contains([]string{"script", "iframe", "object", "embed", "svg", "base"}, n.Data) {
			t.Errorf("%s has an element %s: %v", target, n.Data, n.Attr)
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", a.Key == "style":
				t.Errorf("%s: <%s %s=%q>", target, n.Data, a.Key, a.Val)
			case slices.Contains([]string{"href", "src", "action", "formaction"}, a.Key) && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:")):
				t.Errorf("%s: <%s %s=%q>", target, n.Data, a.Key, a.Val)
			}
		}
	}
	return shows
}

// plainData looks at what goes to programs: it is JSON by its type and by its form,
// so that no browser takes it for a page.
func plainData(t *testing.T, s *program.Server) {
	t.Helper()
	for _, target := range []string{"/api/v1/recalls?agency=us-cpsc&limit=100", "/api/v1/changes?limit=1000", "/api/v1/recalls/" + program.CPSCID(1)} {
		var v any
		resp := s.Get(target, &v)
		if resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", target, resp.Header)
		}
	}
	resp, err := http.Get(s.Base + "/api/v1/export/recalls.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	unpacked, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for decode := json.NewDecoder(unpacked); ; lines++ {
		var line map[string]any
		if err := decode.Decode(&line); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if lines <= len(hostile) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the export has %d lines, and is %q", lines, resp.Header.Get("Content-Disposition"))
	}
}
