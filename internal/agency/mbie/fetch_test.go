package mbie_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/mbie"
)

// polled is a poll in whose turn the list's pages from the 2nd on are.
var polled = agency.Since{LastSuccess: now().Add(-time.Hour), Now: time.Unix(0, 0)}

// listOf writes a page of a list of so many recalls.
func listOf(total int, slugs ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html><head><link rel="canonical" href="https://www.productsafety.govt.nz/recalls"></head><body><p>Found %d results in "all categories"</p>`, total)
	for _, slug := range slugs {
		fmt.Fprintf(&b, `<article class="recall"><a href="/recalls/%s"><time datetime="2026-07-03T00:00:00+12:00">3 July 2026</time><h1>%s</h1></a><a href="/recalls?category=13">Toys</a></article>`, slug, slug)
	}
	return b.String() + `</body></html>`
}

func recallAt(slug string) string {
	return strings.Replace(drum(slug, "<p>A drum</p>"), "larkmere-toy-drum", slug, 1)
}

// serve makes a server of the list's pages, by where they start, and of the
// notices on them.
func serve(t *testing.T, lists map[string][]string, total int) *agencytest.Server {
	server := agencytest.New(t)
	server.On("/recalls", agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		if r.URL.Query().Get("resolved") != "1" {
			t.Errorf("%s leaves archived recalls out", r.URL)
		}
		return agencytest.Answer(http.StatusOK, listOf(total, lists[r.URL.Query().Get("start")]...))
	}))
	for _, slugs := range lists {
		for _, slug := range slugs {
			server.On("/recalls/"+slug, agencytest.Answer(http.StatusOK, recallAt(slug)))
		}
	}
	return server
}

func delivered(payloads []agency.Payload) string {
	var out []string
	for _, p := range payloads {
		u, err := url.Parse(p.URL)
		if err != nil {
			return err.Error()
		}
		out = append(out, strings.TrimPrefix(u.Path, "/recalls/"))
		if p.Complete {
			out = append(out, "complete")
		}
	}
	return strings.Join(out, " ")
}

func TestFetchReadsWhatIsNewAndTwoPartsOfTheList(t *testing.T) {
	server := serve(t, map[string][]string{"": {"new", "newer"}, "12": {"old"}, "24": {"older"}, "36": {"oldest"}, "48": {"first"}}, 60)
	a := newAgency()
	for poll, want := range []string{"new newer old older", "oldest first", "old older"} {
		since := polled
		since.Now = since.Now.Add(time.Duration(poll) * time.Hour)
		payloads, err := server.Fetch(t.Context(), a, since)
		if err != nil {
			t.Fatal(err)
		}
		if got := delivered(payloads); got != want {
			t.Errorf("poll %d delivered %q, want %q", poll, got, want)
		}
	}
}

func TestFetchAsksAgainForWhatTheListChanged(t *testing.T) {
	server := serve(t, map[string][]string{"": {"drum"}}, 1)
	a := newAgency()
	if _, err := server.Fetch(t.Context(), a, polled); err != nil {
		t.Fatal(err)
	}
	server.On("/recalls", agencytest.Answer(http.StatusOK, strings.Replace(listOf(1, "drum"), "<time", "<span>Archived 1 July 2026</span><time", 1)))
	payloads, err := server.Fetch(t.Context(), a, polled)
	if err != nil || delivered(payloads) != "drum" {
		t.Errorf("delivered %q, error %v; want the drum again", delivered(payloads), err)
	}
}

func TestFetchIsBounded(t *testing.T) {
	var slugs []string
	for i := range 100 {
		slugs = append(slugs, fmt.Sprintf("drum-%d", i))
	}
	payloads, err := serve(t, map[string][]string{"": slugs}, 100).Fetch(t.Context(), newAgency(), polled)
	if err != nil || len(payloads) != 40 {
		t.Errorf("%d pages, error %v; want 40", len(payloads), err)
	}
}

func TestFetchFails(t *testing.T) {
	good := agencytest.Answer(http.StatusOK, listOf(2, "gone", "drum"))
	for name, test := range map[string]struct {
		list, page agencytest.Step
		says       string
		is         error
		answer     bool
	}{
		"the list is an apology":     {list: agencytest.Apologise(), says: "Service unavailable", answer: true},
		"the list is empty":          {list: agencytest.Answer(http.StatusOK, listOf(0)), says: "without a title", answer: true},
		"the list is no page":        {list: agencytest.JSON("{}"), says: "lists no recalls", answer: true},
		"the site refuses us":        {list: agencytest.Answer(http.StatusForbidden, "no"), says: "403"},
		"the site wants a pause":     {list: agencytest.TooMany(time.Hour), says: "429"},
		"no network":                 {list: agencytest.Refuse(), says: "connection refused"},
		"a page is an apology":       {list: good, page: agencytest.Apologise(), says: "Service unavailable", answer: true},
		"a page is cut":              {list: good, page: agencytest.Answer(http.StatusOK, recallAt("drum")[:150]), is: agency.ErrTruncated},
		"a page's connection breaks": {list: good, page: agencytest.Cut(recallAt("drum"), 100), is: agency.ErrTruncated},
		"a page's server is broken":  {list: good, page: agencytest.Answer(http.StatusBadGateway, "oops"), says: "502"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On("/recalls", test.list)
				server.On("/recalls/gone", agencytest.Answer(http.StatusNotFound, "gone"))
				if test.page != nil {
					server.On("/recalls/drum", test.page)
				}
				payloads, err := server.Fetch(t.Context(), newAgency(), polled)
				if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error = %v, want one that says %q and wraps %v", err, test.says, test.is)
				}
				if _, is := errors.AsType[*agency.AnswerError](err); is != test.answer {
					t.Errorf("error = %v; an AnswerError: %v, want %v", err, is, test.answer)
				}
				if len(payloads) != 0 {
					t.Errorf("delivered %q", delivered(payloads))
				}
			})
		})
	}
}

func TestFetchStopsWhenTheTakerFails(t *testing.T) {
	server := serve(t, map[string][]string{"": {"new"}, "12": {"old"}}, 20)
	full := errors.New("the disk is full")
	err := newAgency().Fetch(t.Context(), server.Client(), polled, func(agency.Payload) error { return full })
	if asked := len(server.Requests()); !errors.Is(err, full) || asked != 2 {
		t.Errorf("error %v after %d questions, want the taker's own after two", err, asked)
	}
}

func TestMirror(t *testing.T) {
	server := agencytest.New(t)
	server.On("/nz/recalls", agencytest.Answer(http.StatusOK, listOf(1, "drum")))
	server.On("/nz/recalls/drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
	a := mbie.New(mbie.Options{BaseURL: "https://mirror.example/nz/", Now: now})
	payloads, err := server.Fetch(t.Context(), a, polled)
	if err != nil || len(payloads) != 1 {
		t.Errorf("%d payloads, error %v", len(payloads), err)
	}
}
