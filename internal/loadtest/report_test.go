package loadtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// reported is a report of two endpoints, one of which never answered.
func reported(p95 time.Duration) *Report {
	r := newRecords(2, time.Unix(0, 0), time.Unix(10, 0))
	for i := range 1000 {
		took := p95 / 2
		if i >= 900 {
			took = p95
		}
		r.add(&result{endpoint: 0, due: time.Unix(1, 0), took: took})
		r.add(&result{endpoint: 1, due: time.Unix(1, 0), took: took, failed: &Cause{503, "<script>alert(1)</script>"}})
	}
	r.look(time.Unix(2, 0), time.Second)
	r.look(time.Unix(3, 0), time.Second) // nothing came
	t := &Test{plan: Plan{Users: 3, Duration: 10 * time.Second, Seed: 4}, endpoints: []*endpoint{{course: course{name: "barcode"}}, {course: course{name: "search"}}}}
	t.target, _ = (&Plan{Target: "http://127.0.0.1:8001", Users: 1, Duration: 1, Timeout: 1}).check()
	return t.report(r, time.Unix(0, 0), 10*time.Second)
}

// alike says whether two figures are the same as JSON has them.
var alike = cmp.Comparer(func(a, b Figure) bool {
	return !a.Known() && !b.Known() || math.Abs(float64(a-b)) <= 0.001
})

// TestReportForPrograms has the members that the contract names, for each endpoint.
func TestReportForPrograms(t *testing.T) {
	t.Parallel()
	r := reported(20 * time.Millisecond)
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var plain struct{ Endpoints []map[string]any }
	if err := json.Unmarshal(text.Bytes(), &plain); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]any{
		{"name": "barcode", "requests": 1000.0, "failures": 0.0, "rps": 100.0, "avg": 11.0, "p50": 10.007, "p95": 20.0, "p99": 20.0, "p999": 20.0, "max": 20.0},
		{"name": "search", "requests": 1000.0, "failures": 1000.0, "rps": 100.0, "avg": nil, "p50": nil, "p95": nil, "p99": nil, "p999": nil, "max": nil},
	} {
		for member, value := range want {
			if got, ok := plain.Endpoints[i][member]; !ok || !cmp.Equal(value, got, cmpopts.EquateApprox(0.001, 0)) {
				t.Errorf("%s of %s is %v, not %v", member, want["name"], got, value)
			}
		}
	}
	again, err := ReadReport(&text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again, alike); diff != "" {
		t.Errorf("read again (-written +read)\n%s", diff)
	}
	for _, other := range []string{"", "{}", `{"endpoints":[]}`, "<html>"} {
		if _, err := ReadReport(strings.NewReader(other)); err == nil {
			t.Errorf("%q passes for a report", other)
		}
	}
}

// TestReportForPeople is one well-formed page that runs nothing and asks for nothing,
// whatever a server says of its failures.
func TestReportForPeople(t *testing.T) {
	t.Parallel()
	r := reported(20 * time.Millisecond)
	if r.Judge([]Threshold{threshold(t, "p99<1ms")}) {
		t.Error("20 ms are less than 1")
	}
	var text bytes.Buffer
	if err := r.WriteHTML(&text); err != nil {
		t.Fatal(err)
	}
	page := text.String()
	for _, never := range []string{"<script", "http-equiv=\"refresh\"", " src=", " href=", "NaN", "ZgotmplZ", "%!"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, want := range []string{"barcode", "&lt;script&gt;", "p99&lt;1ms", "missed", `<path class="c0" d="M`, "closed loop, 3 users"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	reader := xml.NewDecoder(strings.NewReader(page))
	reader.Strict, reader.AutoClose, reader.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := reader.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}

// TestAxes: the ends of an axis hold every value, and ticks are few.
func TestAxes(t *testing.T) {
	t.Parallel()
	for _, most := range []float64{math.NaN(), 0, 0.003, 1, 9.99, 10, 101, 5000, 98_765} {
		a := linear(most)
		if most > a.high || len(a.ticks) < 3 || len(a.ticks) > mostTicks+2 || a.ticks[len(a.ticks)-1] > a.high*1.001 {
			t.Errorf("up to %g: %+v", most, a)
		}
	}
	for _, ends := range [][2]float64{{math.Inf(1), 0}, {0.05, 0.05}, {0.2, 900}, {1, 1}, {10, 100}} {
		a := logarithmic(ends[0], ends[1])
		if p := a.place(ends[1]); !(a.low < a.high) || p < 0 || p > 1 {
			t.Errorf("%v: %+v", ends, a)
		}
	}
}

func threshold(t *testing.T, text string) Threshold {
	t.Helper()
	got, err := ParseThreshold(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	r := reported(20 * time.Millisecond)
	for text, met := range map[string]bool{
		"p99<25ms": true, "p99<20ms": false, "barcode:p95<65ms": true, "barcode:p95<0.01s": false, "p50 <= 11": true, "p99.9<1s": true, "p999<900us": false,
		"barcode:failures<0.1%": true, "failures<0.1%": false, "failures<=50%": true, "failures<1000": false, "failures<1001": true,
		"rps>199": true, "rps>=200/s": true, "rps>200": false, "barcode:requests>=100": true, "max<20.1ms": true, "avg>5ms": true,
		"search:p95<100s": false, "search:p95>0ms": false, // nothing was answered
		"audit:p95<1s": false, // not asked
	} {
		if got := r.Judge([]Threshold{threshold(t, text)}); got != met {
			t.Errorf("%s: met %t: %+v", text, got, r.Thresholds[len(r.Thresholds)-1])
		}
	}
	for _, text := range []string{"", "p99", "p99<", "p98<1ms", "p99=1ms", "nobody:p99<1ms", "p99<1%", "failures<1ms", "rps>1ms", "p99<1.2.3ms", "barcode:<1", "p99<-1ms"} {
		if _, err := ParseThreshold(text); !errors.Is(err, ErrPlan) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	base, allow := reported(20*time.Millisecond), Allowance{Percent: 25, Slack: 2}
	if c := Compare(base, reported(20*time.Millisecond), allow); c.Worse() || len(c.Unlike) > 0 {
		t.Errorf("the same is worse: %+v", c)
	}
	if c := Compare(base, reported(24*time.Millisecond), allow); c.Worse() {
		t.Errorf("a fifth more is worse: %+v", c)
	}
	if c := Compare(reported(time.Millisecond), reported(2*time.Millisecond), allow); c.Worse() {
		t.Errorf("a millisecond more is worse: %+v", c)
	}
	few, slow := reported(20*time.Millisecond), reported(60*time.Millisecond)
	few.Endpoints, slow.Endpoints = few.Endpoints[:1], slow.Endpoints[:1]
	few.Total, slow.Total = Endpoint{}, Endpoint{}
	few.Endpoints[0].Requests = 15 // nothing lies beyond any percentile but by chance
	if c := Compare(few, slow, allow); c.Worse() {
		t.Errorf("15 requests tell of something: %+v", c)
	}
	for name, spoil := range map[string]func(*Report){
		"slower":        func(r *Report) { *r = *reported(30 * time.Millisecond) },
		"lower rate":    func(r *Report) { r.Endpoints[0].RPS *= 0.7 },
		"failures":      func(r *Report) { r.Endpoints[0].Failures = 1 },
		"never answers": func(r *Report) { r.Endpoints[0].P95 = none },
		"not asked":     func(r *Report) { r.Endpoints = r.Endpoints[1:] },
	} {
		now := reported(20 * time.Millisecond)
		spoil(now)
		if c := Compare(base, now, allow); !c.Worse() {
			t.Errorf("%s is not worse: %+v", name, c)
		}
	}
	other := reported(20 * time.Millisecond)
	other.Users = 100
	other.Endpoints = append(other.Endpoints, Endpoint{Name: "batch", RPS: 5})
	c := Compare(base, other, allow)
	if len(c.Unlike) != 1 || c.Worse() || c.Rows[len(c.Rows)-1].Endpoint != "batch" {
		t.Errorf("another load: %+v", c)
	}
}
