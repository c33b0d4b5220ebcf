package loadtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// target stands in for the service as far as requests are made of its catalogue. It
// notes who showed what where.
type target struct {
	lock  sync.Mutex
	feeds []int64           // since, as they were asked for
	keys  map[string]string // path: the key and the token that came with it
}

const lastSerial = 5000

func (s *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	s.keys[r.URL.Path] = r.Header.Get("X-API-Key") + " " + r.Header.Get("Authorization")
	s.lock.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/api/v1/changes" {
		_, _ = w.Write([]byte(`{"hits":1,"misses":3}`))
		return
	}
	since, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	s.lock.Lock()
	s.feeds = append(s.feeds, since)
	s.lock.Unlock()
	w.Header().Set("Crown-Safe-Serial", strconv.Itoa(lastSerial))
	w.Header().Set("RateLimit-Policy", `"address";q=120;w=60`)
	_, _ = fmt.Fprintf(w, `{"items":[
		{"serial":%[1]d,"id":"a","change":"tombstone","notice":null},
		{"serial":%[2]d,"id":"us-cpsc:%[2]d","change":"upsert","notice":{"id":"us-cpsc:%[2]d","agency":"us-cpsc","status":"active","countries":["US"],"products":[
			{"name":"Vantor Moonbeam crib","brand":"Vantor","models":["VM-1"],"gtins":[{"gtin":"00041220787340","printed":"0 41220 78734 0"},{"gtin":"00041220787357","printed":"41220787357"}],
			 "units":[{"kind":"lot","from":"X9","except":true},{"kind":"lot","from":"A17","except":false}]},
			{"name":"  ","brand":"Nobody","models":[],"gtins":[],"units":[]}]}},
		{"serial":%[3]d,"id":"us-cpsc:%[3]d","change":"upsert","notice":{"id":"us-cpsc:%[3]d","agency":"us-cpsc","status":"withdrawn","countries":["US"],"products":[{"name":"Withdrawn lamp","brand":"Gone","models":[],"gtins":[],"units":[]}]}}
	]}`, since+1, since+2, since+3)
}

// TestWhatIsAskedIsOfTheCatalogue: of its whole length, of notices that stand, and only
// of what they say for certain.
func TestWhatIsAskedIsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	s := &target{keys: map[string]string{}}
	p := simple(serving(t, s.ServeHTTP))
	p.Only, p.OpsToken, p.APIKey = nil, "the-token", "the-key"
	test := prepared(t, p)
	if s.feeds[0] != 0 || s.feeds[len(s.feeds)-1] < lastSerial*4/5 || len(s.feeds) > 12 {
		t.Errorf("drew from %v of %d", s.feeds, lastSerial)
	}
	if len(test.LeftOut()) != 0 || len(test.endpoints) != len(Names()) {
		t.Errorf("left out %v", test.LeftOut())
	}
	if len(test.Notes()) != 1 || !strings.Contains(test.Notes()[0], `"address";q=120;w=60`) {
		t.Errorf("of the limits it says %q", test.Notes())
	}
	asked := map[string][]request{}
	for _, e := range test.endpoints {
		asked[e.name] = e.requests
	}
	for _, r := range asked["barcode"] {
		if q := r.url.Query(); q.Get("code") != "00041220787340" || q.Get("lot") != "A17" || r.never == "" {
			t.Errorf("barcode: %s", r.url)
		}
	}
	if len(asked["barcode"]) != stretches {
		t.Errorf("%d barcodes; each of the %d notices prints one for certain", len(asked["barcode"]), stretches)
	}
	for _, r := range asked["verdict"] {
		if got := string(r.body); got != `{"brand":"Vantor","lot":"A17","model":"VM-1","name":"Vantor Moonbeam crib"}` {
			t.Errorf("verdict: %s", got)
		}
	}
	for _, r := range asked["batch"] {
		var body struct{ Units []map[string]string }
		if err := json.Unmarshal(r.body, &body); err != nil || len(body.Units) != stretches || body.Units[0]["gtin"] == "" || body.Units[1]["name"] == "" {
			t.Errorf("batch: %s", r.body)
		}
	}
	for _, r := range asked["search"] {
		if q := r.url.Query().Get("q"); !strings.HasPrefix(q, "Vantor ") || strings.Contains(q, "Gone") {
			t.Errorf("search: %q", q)
		}
	}
	filters := map[string]bool{}
	for _, r := range asked["recalls"] {
		filters[r.url.RawQuery] = true
	}
	for _, want := range []string{"limit=20", "audience=infant&limit=50", "agency=us-cpsc&limit=20&facets=category&facets=hazard", "country=US&limit=20"} {
		if !filters[want] {
			t.Errorf("nobody asks for %s: %v", want, filters)
		}
	}
}

// TestSecretsGoWhereTheyBelong: the operators' token to what is theirs, the key to the rest.
func TestSecretsGoWhereTheyBelong(t *testing.T) {
	t.Parallel()
	s := &target{keys: map[string]string{}}
	p := simple(serving(t, s.ServeHTTP))
	p.Only, p.OpsToken, p.APIKey, p.Rate, p.Duration = nil, "the-token", "the-key", 500, time.Second
	report := prepared(t, p).Run(t.Context(), quiet)
	if len(s.keys) != 11 { // lists and searches share a path, and the changes are one more
		t.Errorf("asked for %v", s.keys)
	}
	for path, shown := range s.keys {
		want := "the-key "
		if strings.Contains(path, "/monitoring/") || strings.Contains(path, "azure-storage") {
			want = " Bearer the-token"
		}
		if shown != want {
			t.Errorf("%s was shown %q", path, shown)
		}
	}
	if report.Cache == nil || report.Cache.Hits != 0 || report.Cache.HitRate != nil {
		t.Errorf("the cache: %+v", report.Cache)
	}
}

// TestPicker keeps to the mix, and asks for some things far oftener than for others.
func TestPicker(t *testing.T) {
	t.Parallel()
	few := &endpoint{course: course{name: "health", weight: 1}, requests: make([]request, 1)}
	many := &endpoint{course: course{name: "barcode", weight: 9}, requests: make([]request, 1000)}
	for i := range many.requests {
		many.requests[i].url = &url.URL{RawQuery: strconv.Itoa(i)}
	}
	test := &Test{plan: Plan{Seed: 7}, endpoints: []*endpoint{few, many}}
	choice, again := test.picker(1), test.picker(1)
	var asked [2]int
	of := map[*request]int{}
	for range 10_000 {
		i, r := choice.next()
		if j, same := again.next(); i != j || r != same {
			t.Fatal("the same seed asks for something else")
		}
		asked[i]++
		of[r]++
	}
	if asked[0] < 800 || asked[0] > 1200 {
		t.Errorf("%v of 10,000 at weights 1 and 9", asked)
	}
	if first := of[&many.requests[0]]; first < 500 || len(of) < 300 {
		t.Errorf("the most popular was asked for %d times, and %d different ones in all", first, len(of))
	}
}
