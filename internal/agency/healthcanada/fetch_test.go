package healthcanada_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/healthcanada"
)

const dumpPath = "/sites/default/files/opendata-donneesouvertes/HCRSAMOpenData.json"

var recently = agency.Since{LastSuccess: now().Add(-time.Hour), Now: now()}

// numbered writes a row of its own page.
func numbered(nid int, fields map[string]any) string {
	all := map[string]any{"NID": fmt.Sprint(nid), "URL": fmt.Sprintf("https://recalls-rappels.canada.ca/en/alert-recall/p%d", nid)}
	for name, value := range fields {
		all[name] = value
	}
	return row(all)
}

// aPage answers a notice's page.
func aPage() agencytest.Step {
	return agencytest.Answer(http.StatusOK, `<!DOCTYPE html><html><main><h1>x</h1><h2>Affected products</h2><p>Lot number 4417.</p></main></html>`)
}

// asked returns the paths of the pages that were asked for.
func asked(server *agencytest.Server) []string {
	paths := []string{}
	for _, r := range server.Requests() {
		if page, ok := strings.CutPrefix(r.URL.Path, "/en/alert-recall/"); ok {
			paths = append(paths, page)
		}
	}
	return paths
}

func TestFetchTakesTheFileAndThePagesThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(dumpPath, agencytest.JSON(rows(
			numbered(1, map[string]any{"Last updated": "2026-11-18"}),
			numbered(2, nil),
			numbered(3, map[string]any{"Last updated": "2026-10-01"}),
			numbered(4, map[string]any{"Organization": "Medical devices", "Title": "Pump", "Product": "Pump"}),
			numbered(5, map[string]any{"Organization": "CFIA", "Title": "Infant cereal recalled", "Product": "Infant cereal"}),
			row(map[string]any{"NID": "6", "URL": "https://recalls-rappels.canada.ca/fr/avis-rappel/p6"}),
			numbered(7, map[string]any{"URL": ""}),
			`{"NID":{}}`,
		)))
		for _, page := range []string{"p1", "p2", "p5"} {
			server.On("/en/alert-recall/"+page, aPage())
		}
		payloads, err := server.Fetch(t.Context(), newAgency(), recently)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"p2", "p5", "p1"}, asked(server)); diff != "" {
			t.Errorf("pages asked for, the latest change first (-want +got):\n%s", diff)
		}
		if len(payloads) != 4 || !payloads[0].Complete || payloads[1].Complete {
			t.Fatalf("%d payloads; want the complete file and three pages", len(payloads))
		}
		for i, want := range []string{"ca-hc:2", "ca-hc:5", "ca-hc:1"} {
			payload := payloads[i+1]
			if r := newAgency().Recognise(payload.URL, payload.Body); r.Format != healthcanada.FormatPage {
				t.Fatalf("the page of %s is recognised as %+v", want, r)
			}
			record := parse(t, healthcanada.FormatPage, string(payload.Body)).Records[0]
			if record.Notice.ID != want || len(record.Notice.Products[0].Units) != 1 {
				t.Errorf("a page by itself gives %s with units %v, want %s with a lot", record.Notice.ID, record.Notice.Products[0].Units, want)
			}
		}
	})
}

func TestFetchLooksBackFurtherTheFirstTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(dumpPath, agencytest.JSON(rows(numbered(1, map[string]any{"Last updated": "2026-10-01"}), numbered(2, map[string]any{"Last updated": "2026-01-01"}))))
		server.On("/en/alert-recall/p1", aPage())
		if _, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"p1"}, asked(server)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFetchAsksForPagesOfTheSiteAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(dumpPath, agencytest.JSON(rows(
			numbered(1, nil),
			numbered(2, map[string]any{"URL": "http://169.254.169.254/en/alert-recall/p2"}),
			numbered(3, map[string]any{"URL": "https://recalls-rappels.canada.ca.example/en/alert-recall/p3"}),
			numbered(4, map[string]any{"URL": "https://recalls-rappels.canada.ca@localhost/en/alert-recall/p4"}),
			numbered(5, map[string]any{"URL": "https://recalls-rappels.canada.ca:8443/en/alert-recall/p5"}),
		)))
		for _, page := range []string{"p1", "p2", "p3", "p4", "p5"} {
			server.On("/en/alert-recall/"+page, aPage())
		}
		if _, err := server.Fetch(t.Context(), newAgency(), recently); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"p1"}, asked(server)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// ignore takes payloads.
func ignore(agency.Payload) error { return nil }

func TestFetchAsksForAPageOnceForEachChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		changed := numbered(1, map[string]any{"Issue": "Fall hazard"})
		server.On(dumpPath, agencytest.JSON(rows(numbered(1, nil))), agencytest.JSON(rows(numbered(1, nil))), agencytest.JSON(rows(changed)))
		server.On("/en/alert-recall/p1", aPage())
		a, client := newAgency(), server.Client()
		for _, want := range []int{1, 1, 2} {
			if err := a.Fetch(t.Context(), client, recently, ignore); err != nil {
				t.Fatal(err)
			}
			if got := len(asked(server)); got != want {
				t.Errorf("%d pages asked for so far, want %d", got, want)
			}
		}
	})
}

func TestFetchAsksForTheFileOnItsChangeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(dumpPath, agencytest.Unchangeable(rows(numbered(1, nil)), `"v1"`))
		server.On("/en/alert-recall/p1", agencytest.Answer(http.StatusForbidden, "no"), aPage())
		a, client := newAgency(), server.Client()
		for i, test := range []struct {
			delivered int
			fails     bool
		}{{1, true}, {2, false}, {0, false}} {
			delivered := 0
			err := a.Fetch(t.Context(), client, recently, func(agency.Payload) error { delivered++; return nil })
			if delivered != test.delivered || (err != nil) != test.fails {
				t.Errorf("poll %d: %d payloads, error %v; want %d, an error: %v", i+1, delivered, err, test.delivered, test.fails)
			}
		}
	})
}

func TestFetchWorksOffManyPagesOverSeveralPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		var list []string
		for i := range 100 {
			list = append(list, numbered(1000+i, nil))
			server.On(fmt.Sprintf("/en/alert-recall/p%d", 1000+i), aPage())
		}
		server.On(dumpPath, agencytest.Unchangeable(rows(list...), `"v1"`))
		a, client := newAgency(), server.Client()
		began := time.Now()
		for _, want := range []int{60, 100, 100} {
			if err := a.Fetch(t.Context(), client, recently, ignore); err != nil {
				t.Fatal(err)
			}
			if got := len(asked(server)); got != want {
				t.Errorf("%d pages asked for so far, want %d", got, want)
			}
		}
		if took := time.Since(began); took < 98*time.Second {
			t.Errorf("100 pages within %s: one a second is polite", took)
		}
	})
}

func TestFetchOfBadPages(t *testing.T) {
	for name, test := range map[string]struct {
		step  agencytest.Step
		is    error
		fails bool
		pages []string
	}{
		"gone":                 {step: agencytest.Answer(http.StatusNotFound, "no"), pages: []string{"p1", "p2"}},
		"without its section":  {step: agencytest.Answer(http.StatusOK, "<html><h1>x</h1></html>"), pages: []string{"p1", "p2"}},
		"an apology":           {step: agencytest.Apologise(), fails: true, pages: []string{"p1"}},
		"refused":              {step: agencytest.Answer(http.StatusForbidden, "no"), fails: true, pages: []string{"p1"}},
		"too many":             {step: agencytest.TooMany(time.Hour), fails: true, pages: []string{"p1"}},
		"half a page":          {step: agencytest.Answer(http.StatusOK, "<html><main>"), fails: true, is: agency.ErrTruncated, pages: []string{"p1"}},
		"a dropped connection": {step: agencytest.Cut("<html></html>", 3), fails: true, is: agency.ErrTruncated, pages: []string{"p1", "p1", "p1"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On(dumpPath, agencytest.JSON(rows(numbered(1, nil), numbered(2, nil))))
				server.On("/en/alert-recall/p1", test.step)
				server.On("/en/alert-recall/p2", aPage())
				payloads, err := server.Fetch(t.Context(), newAgency(), recently)
				if (err != nil) != test.fails || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error %v, want one: %v, that wraps %v", err, test.fails, test.is)
				}
				if len(payloads) == 0 || !payloads[0].Complete {
					t.Error("the file itself was not handed over")
				}
				if diff := cmp.Diff(test.pages, asked(server)); diff != "" {
					t.Errorf("pages asked for (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestFetchStopsWithItsContextAndItsTaker(t *testing.T) {
	full := errors.New("full")
	server := agencytest.New(t)
	server.On(dumpPath, agencytest.JSON(rows(numbered(1, nil), numbered(2, nil))))
	server.On("/en/alert-recall/p1", aPage())
	for _, after := range []int{1, 2} {
		delivered := 0
		err := newAgency().Fetch(t.Context(), server.Client(), recently, func(agency.Payload) error {
			if delivered++; delivered == after {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || delivered != after {
			t.Errorf("error %v after %d payloads, want the taker's after %d", err, delivered, after)
		}
	}
}

func TestFetchOfWhatIsNotTheFile(t *testing.T) {
	whole := rows(row(nil), row(nil))
	for name, test := range map[string]struct {
		step agencytest.Step
		says string
		is   error
		as   bool // an AnswerError
	}{
		"a web page with status 200": {step: agencytest.Apologise(), says: "Service unavailable", as: true},
		"an empty list":              {step: agencytest.JSON("[]"), says: "no notices at all", as: true},
		"an array of something else": {step: agencytest.JSON(`[{"id":1}]`), says: "something else", as: true},
		"half an answer":             {step: agencytest.JSON(whole[:len(whole)/2]), is: agency.ErrTruncated},
		"refused":                    {step: agencytest.Answer(http.StatusForbidden, "no"), says: "403"},
		"no network":                 {step: agencytest.Refuse(), says: "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On(dumpPath, test.step)
				payloads, err := server.Fetch(t.Context(), newAgency(), recently)
				if err == nil || len(payloads) != 0 {
					t.Fatalf("%d payloads, error %v; want none and an error", len(payloads), err)
				}
				if !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error %v, want one that says %q and wraps %v", err, test.says, test.is)
				}
				if _, as := errors.AsType[*agency.AnswerError](err); as != test.as {
					t.Errorf("error %v; an AnswerError: %v, want %v", err, as, test.as)
				}
			})
		})
	}
}

func TestDescribe(t *testing.T) {
	d := newAgency().Describe()
	if d.Code != "ca-hc" || d.Country != "CA" || !strings.Contains(d.Attribution, "Open Government Licence") || !d.Republish || d.Interval >= d.Objective {
		t.Errorf("%+v", d)
	}
}
