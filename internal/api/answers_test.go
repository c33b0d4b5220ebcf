package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/source"
)

// reads are one call of every read.
var reads = []string{
	"/api/v1/recalls?q=snoozle", "/api/recalls", "/api/v1/recalls/us-cpsc:26-100", "/api/v1/recalls/us-cpsc:26-100?as_of=2026-11-22",
	"/api/v1/recalls/us-cpsc:26-100/revisions", "/api/v1/barcode/036000291452", "/api/barcode?code=036000291452", "/api/v1/sources", "/api/v1/changes",
}

func TestReadsCarryTheirValidators(t *testing.T) {
	b := newBench(t)
	for _, target := range reads {
		t.Run(target, func(t *testing.T) {
			for _, call := range []string{"computed", "remembered"} {
				r := b.get(t, target)
				if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/json" {
					t.Fatalf("%s: %d %s", call, r.StatusCode, r.body)
				}
				tag := r.Header.Get("ETag")
				if !strings.HasPrefix(tag, `W/"`) || r.Header.Get("Crown-Safe-Serial") != "30" || !strings.Contains(r.Header.Get("Cache-Control"), "stale-if-error") {
					t.Errorf("%s: headers %v", call, r.Header)
				}
				for _, wants := range []string{tag, strings.TrimPrefix(tag, "W/"), `"x", ` + tag, "*"} {
					same := b.get(t, target, "If-None-Match", wants)
					if same.StatusCode != 304 || len(same.body) != 0 || same.Header.Get("ETag") != tag || same.Header.Get("Crown-Safe-Serial") != "30" || same.Header.Get("Content-Type") != "" {
						t.Errorf("%s, If-None-Match %s: %d %v", call, wants, same.StatusCode, same.Header)
					}
				}
				if other := b.get(t, target, "If-None-Match", `W/"other"`); other.StatusCode != 200 || string(other.body) != string(r.body) {
					t.Errorf("%s: another tag got %d", call, other.StatusCode)
				}
				head := b.do(t, http.MethodHead, target, "")
				if head.StatusCode != 200 || head.Header.Get("ETag") != tag || head.Header.Get("Content-Length") != r.Header.Get("Content-Length") || head.Header.Get("Content-Length") == "" {
					t.Errorf("%s: HEAD %d %v", call, head.StatusCode, head.Header)
				}
			}
		})
	}
}

func TestStarNeverTurnsAnErrorIntoA304(t *testing.T) {
	b := newBench(t)
	for target, status := range map[string]int{
		"/api/v1/barcode/036000291453": 422, "/api/v1/recalls/us-cpsc:99-999": 404, "/api/v1/recalls?cursor=%2B": 422, "/api/v1/recalls/us-cpsc:99-999?as_of=2026-01-01": 404,
	} {
		if r := b.get(t, target, "If-None-Match", "*"); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", target, r.StatusCode, status)
		}
	}
}

func TestA304IsAnsweredWithoutComputing(t *testing.T) {
	counted := &countingLookup{}
	b := newBench(t, func(d *Dependencies) { counted.Lookup = d.Lookup; d.Lookup = counted })
	tag := b.get(t, "/api/v1/barcode/036000291452").Header.Get("ETag")
	b.clock = b.clock.Add(time.Minute) // the kept answer is too old; the tag is not
	if r := b.get(t, "/api/v1/barcode/036000291452", "If-None-Match", tag); r.StatusCode != 304 {
		t.Errorf("status %d", r.StatusCode)
	}
	if counted.calls != 1 {
		t.Errorf("the lookup was asked %d times, want once", counted.calls)
	}
}

type countingLookup struct {
	Lookup
	mu    sync.Mutex
	calls int
}

func (c *countingLookup) Barcode(snap *catalogue.Snapshot, code string, u recall.Unit) (recall.Verdict, error) {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	return c.Lookup.Barcode(snap, code, u)
}

// A serial that comes to stand for other notices, in another store or after a
// backup was restored, has neither the kept answers of before nor their tags.
func TestTheSameSerialOfAnotherHistory(t *testing.T) {
	t.Parallel()
	last := fixture()[28].ID // of a change that tells of the notice: it isn't withdrawn
	target := "/api/v1/recalls/" + last
	const exported = "/api/v1/export/recalls.ndjson.gz"
	for name, identity := range map[string]string{"another store": "another store", "a restored backup": "the store"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.loadAs(t, "the store")
			before, export := b.get(t, target), b.get(t, exported).Header.Get("ETag")
			changed := newMemoryStore()
			for _, n := range fixture() {
				if n.ID == last {
					n.Title = "What this serial stands for now"
				}
				changed.put(n, start)
			}
			b.store = changed
			b.loadAs(t, identity)
			after := b.get(t, target, "If-None-Match", before.Header.Get("ETag"))
			if after.Header.Get("Crown-Safe-Serial") != before.Header.Get("Crown-Safe-Serial") {
				t.Fatalf("the serials are %s and %s", before.Header.Get("Crown-Safe-Serial"), after.Header.Get("Crown-Safe-Serial"))
			}
			if b.get(t, exported, "If-None-Match", export).StatusCode != http.StatusOK {
				t.Error("the export has the tag of before")
			}
			if before.StatusCode != http.StatusOK || after.StatusCode != http.StatusOK || !strings.Contains(string(after.body), "What this serial stands for now") {
				t.Errorf("%d %s, want the notice as it is now", after.StatusCode, after.body)
			}
		})
	}
}

func TestTheSameQuestionHasTheSameTag(t *testing.T) {
	b := newBench(t)
	tests := map[string][2]string{
		"both versions of a path":     {"/api/v1/recalls?q=snoozle", "/api/recalls?q=snoozle"},
		"order of parameters":         {"/api/v1/recalls?q=snoozle&limit=5", "/api/v1/recalls?limit=5&q=snoozle"},
		"default spelled out":         {"/api/v1/recalls", "/api/v1/recalls?limit=20"},
		"lists by comma or repeated":  {"/api/v1/recalls?hazard=fall,fire", "/api/v1/recalls?hazard=fire&hazard=fall&hazard=fire"},
		"country in lower case":       {"/api/v1/recalls?country=us", "/api/v1/recalls?country=US"},
		"code in path or query":       {"/api/v1/barcode/036000291452", "/api/barcode?code=036000291452"},
		"escapes that needn't be":     {"/api/v1/recalls?q=snoozle", "/api/v1/recalls?q=%73noozle"},
		"a date as its first instant": {"/api/v1/recalls?published_from=2026-11-01", "/api/v1/recalls?published_from=2026-11-01T00:00:00Z"},
	}
	for name, targets := range tests {
		t.Run(name, func(t *testing.T) {
			one, other := b.get(t, targets[0]), b.get(t, targets[1])
			if one.StatusCode != 200 || one.Header.Get("ETag") != other.Header.Get("ETag") || string(one.body) != string(other.body) {
				t.Errorf("%d %s and %d %s", one.StatusCode, one.Header.Get("ETag"), other.StatusCode, other.Header.Get("ETag"))
			}
		})
	}
	seen := map[string]string{}
	for _, target := range append([]string{"/api/v1/recalls?limit=5", "/api/v1/barcode/036000291452?lot=A", "/api/v1/barcode/036000291452?model=A"}, reads[:6]...) {
		tag := b.get(t, target).Header.Get("ETag")
		if before := seen[tag]; before != "" {
			t.Errorf("%s and %s have one tag", before, target)
		}
		seen[tag] = target
	}
}

func TestAgesAreCountedAnewButKeepTheTag(t *testing.T) {
	b := newBench(t)
	for _, target := range []string{"/api/v1/barcode/036000291452", "/api/v1/sources"} {
		b.clock = start
		first := b.get(t, target)
		b.clock = start.Add(900 * time.Millisecond)
		if r := b.get(t, target); string(r.body) != string(first.body) {
			t.Errorf("%s: another answer within the same second", target)
		}
		b.clock = start.Add(30 * time.Second)
		later := b.get(t, target)
		if !strings.Contains(string(first.body), `"age_seconds":412`) || !strings.Contains(string(later.body), `"age_seconds":442`) {
			t.Errorf("%s: ages are not counted anew:\n%s\n%s", target, first.body, later.body)
		}
		if first.Header.Get("ETag") != later.Header.Get("ETag") {
			t.Errorf("%s: the age changed the tag", target)
		}
	}
}

func TestASourcesStateChangesTheAnswerWithinASecond(t *testing.T) {
	b := newBench(t)
	before := b.get(t, "/api/v1/barcode/036000291452")
	b.sources.state = source.Failing
	b.clock = b.clock.Add(time.Second)
	after := b.get(t, "/api/v1/barcode/036000291452", "If-None-Match", before.Header.Get("ETag"))
	if after.StatusCode != 200 || !strings.Contains(string(after.body), `"state":"failing"`) {
		t.Errorf("%d %s", after.StatusCode, after.body)
	}
}

func TestANewSerialChangesTheAnswerAtOnce(t *testing.T) {
	b := newBench(t)
	target := "/api/v1/barcode/4006381333931"
	before := decode[recall.Verdict](t, b.get(t, target), 200)
	tag := b.get(t, target).Header.Get("ETag")
	n := fixture()[3]
	n.Products[0].GTINs = []recall.PrintedGTIN{{GTIN: "04006381333931", Printed: "4006381333931", From: "upc"}}
	n.Products[0].Models = nil
	b.store.put(n, start)
	b.load(t)
	r := b.get(t, target, "If-None-Match", tag)
	after := decode[recall.Verdict](t, r, 200)
	if before.Verdict != recall.NoMatch || after.Verdict != recall.Affected || after.Serial != 31 || r.Header.Get("Crown-Safe-Serial") != "31" {
		t.Errorf("before %s, after %s at serial %d", before.Verdict, after.Verdict, after.Serial)
	}
}

func TestErrorsAreNotKept(t *testing.T) {
	b := newBench(t)
	if r := b.get(t, "/api/v1/recalls/us-cpsc:26-200"); r.StatusCode != 404 {
		t.Fatal(r.StatusCode)
	}
	n := fixture()[0]
	n.ID = "us-cpsc:26-200"
	b.store.put(n, start)
	b.load(t)
	if r := b.get(t, "/api/v1/recalls/us-cpsc:26-200"); r.StatusCode != 200 {
		t.Errorf("after it appeared: %d", r.StatusCode)
	}
}

func TestSwapsUnderLoadFailNoRequest(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				target := reads[(worker+i)%len(reads)]
				if r := b.get(t, target); r.StatusCode != 200 {
					t.Errorf("%s: %d %s", target, r.StatusCode, r.body)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			b.load(t)
		}
	})
	wg.Wait()
}

func TestTheMemoryForAnswersIsBounded(t *testing.T) {
	b := newBench(t)
	const bound = 256 << 10
	s := b.Handler.(*service)
	s.answers = newAnswers(bound)
	for i := range 60 {
		if r := b.get(t, fmt.Sprintf("/api/v1/recalls?q=snoozle+%d", i)); r.StatusCode != 200 {
			t.Fatal(r.StatusCode)
		}
	}
	s.answers.kept.CleanUp()
	if got := s.answers.kept.WeightedSize(); got > bound || got < bound/2 {
		t.Errorf("%d bytes are kept of at most %d", got, bound)
	}
	long := "/api/v1/recalls?q=" + strings.Repeat("%61", 400)
	b.get(t, long)
	if _, ok := s.answers.kept.GetIfPresent(long); ok {
		t.Error("an answer to a very long address is kept")
	}
}
