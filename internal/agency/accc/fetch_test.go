package accc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/accc"
	"github.com/crownsafe/api/internal/agency/agencytest"
)

const (
	folder   = "/search-consumer-product-recalls/"
	feedPath = "/rss/feed.xml/psa_recall"
	register = "/views/ajax"
)

// polled is a poll after one that succeeded.
var polled = agency.Since{LastSuccess: now().Add(-time.Hour), Now: now()}

// feedOf writes a feed of recalls by their slugs.
func feedOf(slugs ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0" xml:base="https://www.productsafety.gov.au/"><channel>`)
	for _, slug := range slugs {
		fmt.Fprintf(&b, `<item><title>%s</title><link>https://www.productsafety.gov.au%s%s</link><pubDate>Tue, 29 Sep 2026 00:00:00 +0000</pubDate><description>&lt;h3&gt;Product description&lt;/h3&gt;&lt;p&gt;A drum.&lt;/p&gt;</description></item>`, slug, folder, slug)
	}
	return b.String() + `</channel></rss>`
}

// registerOf writes an answer of the register.
func registerOf(slugs ...string) string {
	cards := `<div class="view-empty">No results</div>`
	if len(slugs) > 0 {
		cards = ""
	}
	for _, slug := range slugs {
		cards += `<div class="card-wrapper"><h2><a href="` + folder + slug + `">` + slug + `</a></h2></div>`
	}
	raw, err := json.Marshal([]map[string]any{
		{"command": "settings", "settings": map[string]any{}}, {"command": "insert", "method": "replaceWith", "data": cards},
	})
	if err != nil {
		panic(err) // strings are always JSON
	}
	return string(raw)
}

func recallAt(slug string) string {
	return page("https://www.productsafety.gov.au"+folder+slug, "Recall published", "3 July 2026", "Product description", "A drum.")
}

func delivered(payloads []agency.Payload) string {
	var out []string
	for _, p := range payloads {
		u, err := url.Parse(p.URL)
		if err != nil {
			return err.Error()
		}
		out = append(out, strings.TrimPrefix(u.Path, folder))
		if p.Complete {
			out = append(out, "complete")
		}
	}
	return strings.Join(out, " ")
}

func TestFetchReadsWhatIsNewAndOneMonthOfTheRegister(t *testing.T) {
	server := agencytest.New(t)
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf("new", "newer")))
	server.On(register, agencytest.JSON(registerOf("old", "older")))
	for _, slug := range []string{"new", "newer", "old", "older"} {
		server.On(folder+slug, agencytest.Answer(http.StatusOK, recallAt(slug)))
	}
	a := newAgency()
	for poll, want := range []string{"new newer old older", "old older"} {
		payloads, err := server.Fetch(t.Context(), a, polled)
		if err != nil {
			t.Fatal(err)
		}
		if got := delivered(payloads); got != want {
			t.Errorf("poll %d delivered %q, want %q", poll, got, want)
		}
	}
	for _, r := range server.Requests() {
		if r.URL.Path != register {
			continue
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.Parse(time.DateOnly, form.Get("accc_published_date[min]"))
		if err != nil || from.Day() != 1 {
			t.Errorf("the month begins on %q", form.Get("accc_published_date[min]"))
		}
		if to := form.Get("accc_published_date[max]"); to != from.AddDate(0, 1, -1).Format(time.DateOnly) {
			t.Errorf("the month from %s ends on %q", from, to)
		}
		if form.Get("layout") != "full_width" || r.Header.Get("X-Requested-With") == "" || r.URL.Query().Get("page") != "0" {
			t.Errorf("the question lacks what the register demands: %v, %v", form, r.Header)
		}
	}
}

func TestFetchAsksAgainForWhatTheFeedChanged(t *testing.T) {
	server := agencytest.New(t)
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf("drum")), agencytest.Answer(http.StatusOK, strings.Replace(feedOf("drum"), "A drum", "A drum of lead", 1)))
	server.On(register, agencytest.JSON(registerOf()))
	server.On(folder+"drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
	a := newAgency()
	for range 2 {
		payloads, err := server.Fetch(t.Context(), a, polled)
		if err != nil || delivered(payloads) != "drum" {
			t.Errorf("delivered %q, error %v", delivered(payloads), err)
		}
	}
}

func TestEveryMonthHasItsTurn(t *testing.T) {
	asked := map[string]bool{}
	server := agencytest.New(t)
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf()))
	server.On(register, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		asked[form.Get("accc_published_date[min]")] = true
		return agencytest.JSON(registerOf())
	}))
	const months = 40*12 + 11 // of 1986 to November 2026
	for hour := range months {
		since := polled
		since.Now = since.Now.Add(time.Duration(hour-months/2) * time.Hour)
		if since.Now.Month() != now().Month() {
			since.Now = now() // the register grows by a month: that has its turn in the next round
		}
		if _, err := server.Fetch(t.Context(), newAgency(), since); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) < 450 || asked[""] {
		t.Errorf("%d months of %d were asked for", len(asked), months)
	}
}

func TestFetchIsBounded(t *testing.T) {
	var slugs []string
	server := agencytest.New(t)
	for i := range 100 {
		slug := fmt.Sprintf("drum-%d", i)
		slugs = append(slugs, slug)
		server.On(folder+slug, agencytest.Answer(http.StatusOK, recallAt(slug)))
	}
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf(slugs...)))
	server.On(register, agencytest.JSON(registerOf()))
	a := newAgency()
	for poll, want := range []int{60, 40, 0} {
		payloads, err := server.Fetch(t.Context(), a, polled)
		if err != nil || len(payloads) != want {
			t.Errorf("poll %d delivered %d pages, error %v; want %d", poll, len(payloads), err, want)
		}
	}
}

func TestFirstFetchHandsOverTheFeedsOnce(t *testing.T) {
	server := agencytest.New(t)
	server.On(feedPath, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		if r.URL.Query().Get("f[0]") == "topic:10001" {
			return agencytest.Answer(http.StatusOK, feedOf("cot"))
		}
		return agencytest.Answer(http.StatusOK, feedOf())
	}))
	server.On(register, agencytest.JSON(registerOf()))
	a := newAgency()
	for poll, want := range []string{feedPath, ""} {
		payloads, err := server.Fetch(t.Context(), a, agency.Since{Now: now()})
		if got := delivered(payloads); err != nil || got != want {
			t.Errorf("poll %d delivered %q, error %v; want %q", poll, got, err, want)
		}
	}
}

func TestFetchGoesPastPagesThatAreNotThere(t *testing.T) {
	server := agencytest.New(t)
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf("gone", "food", "drum")))
	server.On(folder+"gone", agencytest.Answer(http.StatusNotFound, "<!DOCTYPE html><html><title>Page not found</title></html>"))
	// Food recalls lead to the food authority's site.
	server.On(folder+"food", agencytest.Answer(http.StatusOK, page("https://www.foodstandards.gov.au/food-recalls/recall-alert/food")))
	server.On(folder+"drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
	server.On(register, agencytest.JSON(registerOf()))
	payloads, err := server.Fetch(t.Context(), newAgency(), polled)
	if err != nil || delivered(payloads) != "drum" {
		t.Errorf("delivered %q, error %v; want the drum alone", delivered(payloads), err)
	}
}

func TestFetchFails(t *testing.T) {
	emptyFrame := `[{"command":"insert","data":"<div class=\"view-content\"></div>1 - 24 of 8,218 items shown"}]`
	good := agencytest.Answer(http.StatusOK, feedOf("drum"))
	for name, test := range map[string]struct {
		feed, page, register agencytest.Step
		says                 string
		is                   error
		answer               bool
		got                  string
	}{
		"the feed is an apology":          {feed: agencytest.Apologise(), says: "Service unavailable", answer: true, got: "old"},
		"the feed is another's":           {feed: agencytest.Answer(http.StatusOK, `<rss><channel><item/></channel></rss>`), says: "no feed", answer: true, got: "old"},
		"the feed is cut":                 {feed: agencytest.Answer(http.StatusOK, feedOf("drum")[:200]), is: agency.ErrTruncated, got: "old"},
		"the feed leads to itself":        {feed: redirect, says: "redirect", got: "old"},
		"the site refuses us":             {feed: agencytest.Answer(http.StatusForbidden, "Access Denied"), says: "403"},
		"the site wants a pause":          {feed: agencytest.TooMany(time.Hour), says: "429"},
		"a page is an apology":            {feed: good, page: agencytest.Apologise(), says: "Service unavailable", answer: true, got: "old"},
		"a page is cut":                   {feed: good, page: agencytest.Answer(http.StatusOK, recallAt("drum")[:150]), is: agency.ErrTruncated, got: "old"},
		"a page's connection breaks":      {feed: good, page: agencytest.Cut(recallAt("drum"), 100), is: agency.ErrTruncated, got: "old"},
		"a page is refused":               {feed: good, page: agencytest.Answer(http.StatusForbidden, "Access Denied"), says: "403"},
		"the register's frame is empty":   {feed: good, register: agencytest.JSON(emptyFrame), says: "lists no recalls", answer: true, got: "drum"},
		"the register is an apology":      {feed: good, register: agencytest.Apologise(), says: "Service unavailable", answer: true, got: "drum"},
		"the register is wrapped":         {feed: good, register: agencytest.Answer(http.StatusOK, "<textarea>[]</textarea>"), says: "commands", answer: true, got: "drum"},
		"the register's server is broken": {feed: good, register: agencytest.Answer(http.StatusInternalServerError, "oops"), says: "500", got: "drum"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On(feedPath, test.feed)
				server.On(folder+"drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
				server.On(folder+"old", agencytest.Answer(http.StatusOK, recallAt("old")))
				server.On(register, agencytest.JSON(registerOf("old")))
				if test.page != nil {
					server.On(folder+"drum", test.page)
				}
				if test.register != nil {
					server.On(register, test.register)
				}
				payloads, err := server.Fetch(t.Context(), newAgency(), polled)
				if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error = %v, want one that says %q and wraps %v", err, test.says, test.is)
				}
				if _, is := errors.AsType[*agency.AnswerError](err); is != test.answer {
					t.Errorf("error = %v; an AnswerError: %v, want %v", err, is, test.answer)
				}
				if got := delivered(payloads); got != test.got {
					t.Errorf("delivered %q, want %q", got, test.got)
				}
			})
		})
	}
}

// redirect leads to where it was asked, as the feed's address has done.
func redirect(r *http.Request) (*http.Response, error) {
	return agencytest.Answer(http.StatusFound, "", "Location", r.URL.String())(r)
}

func TestFetchStopsWhenTheTakerFails(t *testing.T) {
	server := agencytest.New(t)
	server.On(feedPath, agencytest.Answer(http.StatusOK, feedOf("drum")))
	server.On(folder+"drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
	server.On(register, agencytest.JSON(registerOf()))
	full := errors.New("the disk is full")
	a := newAgency()
	err := a.Fetch(t.Context(), server.Client(), polled, func(agency.Payload) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v, want the taker's own", err)
	}
	if asked := len(server.Requests()); asked != 2 {
		t.Errorf("%d questions, want those for the feed and the page alone", asked)
	}
	// What could not be taken is asked for again.
	payloads, err := server.Fetch(t.Context(), a, polled)
	if err != nil || delivered(payloads) != "drum" {
		t.Errorf("then delivered %q, error %v", delivered(payloads), err)
	}
}

func TestMirror(t *testing.T) {
	server := agencytest.New(t)
	server.On("/au"+feedPath, agencytest.Answer(http.StatusOK, feedOf("drum")))
	server.On("/au"+folder+"drum", agencytest.Answer(http.StatusOK, recallAt("drum")))
	server.On("/au"+register, agencytest.JSON(registerOf()))
	a := accc.New(accc.Options{BaseURL: "https://mirror.example/au/", Now: now})
	payloads, err := server.Fetch(t.Context(), a, polled)
	if err != nil || len(payloads) != 1 {
		t.Errorf("%d payloads, error %v", len(payloads), err)
	}
	for _, r := range server.Requests() {
		if r.URL.Host != "mirror.example" {
			t.Errorf("asked %s", r.URL)
		}
	}
}
