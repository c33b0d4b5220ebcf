package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/catalogue"
	"github.com/crownsafe/api/internal/recall"
)

// identified is a store that can be told from others.
type identified struct {
	*memoryStore
	identity string
}

func (s identified) Identity(context.Context) (string, error) { return s.identity, nil }

// loadAs loads the catalogue as that of a store.
func (b *bench) loadAs(t *testing.T, identity string) {
	t.Helper()
	if err := b.board.Load(t.Context(), identified{b.store, identity}); err != nil {
		t.Fatal(err)
	}
}

// noted is SharedAnswers that knows all answers, or none.
type noted struct {
	canned []byte // nil: computes
	asked  []string
}

func (n *noted) Body(_ context.Context, q SharedQuestion, compute func() ([]byte, error)) ([]byte, error) {
	n.asked = append(n.asked, q.Of.tag()+" "+q.Name)
	if n.canned != nil {
		return n.canned, nil
	}
	return compute()
}

// Searches with words or facets are shared; nothing else is, verdicts least of all.
func TestWhatIsShared(t *testing.T) {
	t.Parallel()
	shared := &noted{canned: []byte(`{"items":[],"total":0,"facets":{}}`)}
	b := newBench(t, func(d *Dependencies) { d.Shared = shared })
	b.loadAs(t, "the store")
	for _, target := range []string{
		"/api/v1/recalls?q=stroller", "/api/v1/recalls?facets=agency,year", "/api/v1/recalls?q=stroller&facets=agency&agency=us-cpsc&limit=3",
	} {
		before := len(shared.asked)
		if r := b.get(t, target); string(r.body) != string(shared.canned) || r.Header.Get("ETag") == "" || r.Header.Get("Crown-Safe-Serial") != "30" {
			t.Errorf("%s answers %s, %v, want what others made", target, r.body, r.Header)
		}
		if len(shared.asked) != before+1 {
			t.Errorf("%s was looked for %d times", target, len(shared.asked)-before)
		}
	}
	shared.asked = nil
	for _, target := range []string{
		"/api/v1/recalls", "/api/v1/recalls?agency=us-cpsc&limit=5", "/api/v1/recalls?q=%20", "/api/v1/recalls/us-cpsc:26-100",
		"/api/v1/recalls/us-cpsc:26-100/revisions", "/api/v1/barcode/00036000291452", "/api/v1/sources", "/api/v1/changes?since=0",
	} {
		if r := b.get(t, target); r.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s answers %s", target, r.body)
		}
	}
	b.do(t, http.MethodPost, "/api/v1/verdict", `{"code":"00036000291452","lot":"A17"}`)
	b.do(t, http.MethodPost, "/api/v1/verdict:batch", `{"units":[{"code":"00036000291452"}]}`)
	if len(shared.asked) != 0 {
		t.Errorf("these were looked for too: %q", shared.asked)
	}
}

// What could be another answer has another name.
func TestNamesOfSharedAnswers(t *testing.T) {
	t.Parallel()
	shared := &noted{}
	name := func(identity, target string, change ...func(*Dependencies)) string {
		t.Helper()
		b := newBench(t, append(change, func(d *Dependencies) { d.Shared = shared })...)
		b.loadAs(t, identity)
		shared.asked = nil
		if r := b.get(t, target); r.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %s", target, r.body)
		}
		if len(shared.asked) != 1 {
			t.Fatalf("%s was looked for under %q", target, shared.asked)
		}
		return shared.asked[0]
	}
	const target = "/api/v1/recalls?q=stroller&agency=us-cpsc,eu-safety-gate"
	first := name("the store", target)
	for what, same := range map[string]string{
		"another process":   name("the store", target),
		"otherwise spelled": name("the store", "/api/v1/recalls?agency=eu-safety-gate&q=%20stroller&agency=us-cpsc&limit=20"),
	} {
		if same != first {
			t.Errorf("%s: %q, want %q", what, same, first)
		}
	}
	restored := func(last recall.Notice) string {
		t.Helper()
		b := newBench(t, func(d *Dependencies) { d.Shared = shared })
		b.store = newMemoryStore()
		for _, before := range fixture()[:29] {
			b.store.put(before, start)
		}
		b.store.put(last, start)
		b.loadAs(t, "the store")
		shared.asked = nil
		b.get(t, target)
		return shared.asked[0]
	}
	n := fixture()[29] // which is withdrawn
	n.Title = "What came under this serial after a backup was restored"
	ofWithdrawn := restored(n)
	n.Status = recall.Active
	seen := []string{first}
	for what, other := range map[string]string{
		"another store":    name("another store", target),
		"another release":  name("the store", target, func(d *Dependencies) { d.Version = "next" }),
		"another question": name("the store", target+"&limit=3"),
		"other sources":    name("the store", target, func(d *Dependencies) { d.Sources.(*fixedSources).state = "stale" }),
		"a restored store": restored(n),
		"a restored store with another withdrawn notice": ofWithdrawn,
	} {
		if slices.Contains(seen, other) {
			t.Errorf("%s has the name %q of something else", what, other)
		}
		seen = append(seen, other)
	}
}

// Without a store that can be told from others nothing is shared: another's serial
// may have the same number.
func TestUnknownStoreIsNotShared(t *testing.T) {
	t.Parallel()
	shared := &noted{canned: []byte(`{}`)}
	b := newBench(t, func(d *Dependencies) { d.Shared = shared })
	page := decode[RecallPage](t, b.get(t, "/api/v1/recalls?q=stroller"), http.StatusOK)
	if len(page.Items) == 0 || len(shared.asked) != 0 {
		t.Errorf("it was looked for under %q, and %d items were found", shared.asked, len(page.Items))
	}
}

// dead is a far level that doesn't answer.
type dead struct{ *memory.Store }

func (dead) Get(ctx context.Context, _ cache.Key) (cache.Answer, error) {
	<-ctx.Done()
	return cache.Answer{}, cache.ErrUnavailable
}

func (dead) Ping(ctx context.Context) error {
	<-ctx.Done()
	return cache.ErrUnavailable
}

// shareAll shares answers whatever they cost.
func shareAll(c *cache.Cache) *shared { return ShareAnswers(c, 0).(*shared) }

// What is cheaper to make than to ask for isn't shared.
func TestOnlyCostlyAnswersAreShared(t *testing.T) {
	t.Parallel()
	const worthSharing = 2 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
		defer c.Close()
		one, other := ShareAnswers(c, worthSharing), ShareAnswers(c, worthSharing)
		ask := func(of SharedAnswers, name string, class int, cost time.Duration) {
			t.Helper()
			if _, err := of.Body(t.Context(), SharedQuestion{Of: Edition{"d", 1}, Name: name, Class: class}, func() ([]byte, error) {
				time.Sleep(cost)
				return []byte("x"), nil
			}); err != nil {
				t.Error(err)
			}
		}
		count := func() int64 { s := c.Stats().PerOperation["search"]; return s.Hits + s.Misses }
		for i := range 100 {
			ask(one, fmt.Sprint("cheap ", i), 2, worthSharing*9/10)
			ask(other, fmt.Sprint("cheap ", i), 2, worthSharing*9/10)
		}
		if got := count(); got != 0 {
			t.Errorf("of cheap ones %d were looked for", got)
		}
		for i := range 100 {
			ask(one, fmt.Sprint("costly ", i), 3, 3*worthSharing)
			ask(other, fmt.Sprint("costly ", i), 3, 3*worthSharing)
		}
		if s := c.Stats().PerOperation["search"]; s.Hits < 80 || s.Misses < 80 {
			t.Errorf("of 100 costly ones that two asked for %d were found and %d not", s.Hits, s.Misses)
		}
		before := count()
		ask(one, "cheap", 2, 0)
		if got := count(); got != before {
			t.Error("then a cheap one was looked for")
		}
		for i := range 100 {
			ask(one, fmt.Sprint("cheap now ", i), 3, 0)
		}
		before = count()
		ask(one, "cheap now", 3, 0)
		if got := count(); got != before {
			t.Error("what has become cheap is looked for")
		}
	})
}

func TestSearchClasses(t *testing.T) {
	t.Parallel()
	seen := map[int]string{}
	for _, words := range []string{"", "a", "a b", strings.Repeat("a ", mostWords), strings.Repeat("a ", 200)} {
		for _, facets := range [][]string{nil, {"year"}} {
			class, ok := searchClass(&catalogue.Query{Words: words, Facets: facets})
			if ok != (words != "" || facets != nil) || class < 0 || class >= classes {
				t.Errorf("%.10q with %q: class %d, %t", words, facets, class, ok)
			}
			if other, ok := seen[class]; ok && len(words) < 2*mostWords {
				t.Errorf("%.10q with %q has the class of %.10q", words, facets, other)
			}
			seen[class] = words
		}
	}
}

func TestSharedAnswersOfACache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
		defer c.Close()
		shared := shareAll(c)
		var computed atomic.Int64
		body := func(of Edition, name string) string {
			t.Helper()
			got, err := shared.Body(t.Context(), SharedQuestion{Of: of, Name: name}, func() ([]byte, error) {
				computed.Add(1)
				return []byte(of.tag() + name), nil
			})
			if err != nil || string(got) != of.tag()+name {
				t.Errorf("Body of %+v %s: %q, %v", of, name, got, err)
			}
			return string(got)
		}
		check := func(what string, want int64) {
			t.Helper()
			if got := computed.Swap(0); got != want {
				t.Errorf("%s: %d were made, want %d", what, got, want)
			}
		}
		one, two := Edition{"d", 1}, Edition{"d", 2}
		body(one, "a")
		body(one, "a")
		body(one, "b")
		check("of one edition", 2)
		body(two, "a")
		body(two, "a")
		check("of the next", 1)
		if got := c.Stats().PerOperation["search"].Invalidations; got != 1 {
			t.Errorf("%d invalidations, want that of the edition before", got)
		}
		body(one, "a") // another request has still the snapshot of before
		body(two, "a")
		check("of the one before", 1)
		if got := c.Stats().PerOperation["search"].Invalidations; got != 1 {
			t.Errorf("%d invalidations, want no more: the later one is good", got)
		}
		time.Sleep(sharedTTL)
		body(two, "a")
		check("after its time", 1)
		wrong := fieldProblem(codeBadCursor, "query.cursor", "is not a cursor of this search", "x")
		for range 2 {
			if _, err := shared.Body(t.Context(), SharedQuestion{Of: two, Name: "bad"}, func() ([]byte, error) { return nil, wrong }); err != error(wrong) { //nolint:errorlint // it is the very one
				t.Errorf("what the request has wrong came back as %v", err)
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if got, err := shared.Body(gone, SharedQuestion{Of: two, Name: "c"}, func() ([]byte, error) { return []byte("c"), nil }); err != nil || string(got) != "c" {
			t.Errorf("for who has gone: %q, %v", got, err)
		}
	})
}

// A dead Redis costs the first search 50 ms and the others nothing.
func TestSearchWithoutRedis(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := cache.New(memory.Open(memory.Options{}), dead{memory.Open(memory.Options{})}, cache.Options{})
		defer c.Close()
		b := newBench(t, func(d *Dependencies) { d.Shared = shareAll(c) })
		b.loadAs(t, "the store")
		for i, target := range []string{"/api/v1/recalls?q=stroller", "/api/v1/recalls?q=snoozle", "/api/v1/recalls?facets=year", "/api/v1/recalls?q=brake&facets=agency"} {
			begun := time.Now()
			page := decode[RecallPage](t, b.get(t, target), http.StatusOK)
			took, most := time.Since(begun), time.Duration(0)
			if i == 0 {
				most = cache.DefaultTimeout
			}
			if len(page.Items) == 0 || took > most {
				t.Errorf("%s found %d in %s, want some in %s", target, len(page.Items), took, most)
			}
		}
	})
}

// Two processes answer the same, from one's work.
func TestProcessesShareAnswers(t *testing.T) {
	t.Parallel()
	c := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
	defer c.Close()
	share := func(d *Dependencies) { d.Shared = shareAll(c) }
	a, b := newBench(t, share), newBench(t, share)
	a.loadAs(t, "the store")
	b.loadAs(t, "the store")
	const target = "/api/v1/recalls?q=stroller&facets=agency"
	first, second := a.get(t, target), b.get(t, target)
	if string(first.body) != string(second.body) || first.Header.Get("ETag") != second.Header.Get("ETag") {
		t.Errorf("they answer\n%s\n%s", first.body, second.body)
	}
	if s := c.Stats().PerOperation["search"]; s.Loads != 1 || s.Hits != 1 {
		t.Errorf("Stats: %+v", s)
	}
	n := fixture()[0]
	n.Title = "Tumblewick recalls Snoozle stroller again"
	b.store.put(n, start)
	b.loadAs(t, "the store")
	page := decode[RecallPage](t, b.get(t, target), http.StatusOK)
	if !slices.ContainsFunc(page.Items, func(i RecallItem) bool { return i.Title == n.Title }) {
		t.Error("what is new isn't found")
	}
	if r := b.get(t, "/api/v1/recalls?q=stroller&cursor=nonsense"); r.StatusCode/100 != 4 {
		t.Errorf("a bad cursor: %s, %s", r.Status, r.body)
	}
}
