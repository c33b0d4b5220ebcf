package safetygate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/safetygate"
)

const (
	list    = "/safety-gate-alerts/api/download/weeklyReport/list/xml/en"
	detail  = "/safety-gate-alerts/api/download/weeklyReport/detail/xml/"
	dataset = "/api/explore/v2.1/catalog/datasets/healthref-europe-rapex-en"
	exports = dataset + "/exports/json"
	records = dataset + "/records"
)

// thisWeek is a last success in the week of now (a Sunday), lastWeek isn't.
var (
	thisWeek = now().AddDate(0, 0, -2)
	lastWeek = now().AddDate(0, 0, -8)
)

func page(total, from, to int) string {
	var rows []string
	for i := from; i < to; i++ {
		rows = append(rows, fmt.Sprintf(`{"alert_number":"SR/%05d/26","alert_date":"2026-11-20","modification_date":"2026-11-21T08:00:00+00:00","product_name":"lamp","rapex_url":"u"}`, i))
	}
	return fmt.Sprintf(`{"total_count":%d,"results":[%s]}`, total, strings.Join(rows, ","))
}

// server answers every question well.
func server(t *testing.T) *agencytest.Server {
	s := agencytest.New(t)
	s.On(list, agencytest.Answer(http.StatusOK, string(read(t, "weekly-list.xml")), "Content-Type", "text/xml"))
	for _, id := range []string{"10000001", "10000343", "10000344"} {
		s.On(detail+id, report(t))
	}
	s.On(exports, agencytest.JSON(string(read(t, "mirror-fr.json"))))
	s.On(records, agencytest.JSON(page(1, 0, 1)))
	return s
}

func report(t *testing.T) agencytest.Step {
	return agencytest.Answer(http.StatusOK, string(read(t, "weekly.xml")), "Content-Type", "text/xml")
}

// asked returns the paths that were asked, and checks the client's manners.
func asked(t *testing.T, s *agencytest.Server) []string {
	t.Helper()
	var paths []string
	for _, r := range s.Requests() {
		paths = append(paths, r.URL.Path)
		if !strings.Contains(r.UserAgent(), "CrownSafe") {
			t.Errorf("asked as %q, without a contact", r.UserAgent())
		}
	}
	return paths
}

func TestFetch(t *testing.T) {
	for name, c := range map[string]struct {
		last time.Time
		want []string
	}{
		"never polled":             {time.Time{}, []string{list, detail + "10000001", detail + "10000343", detail + "10000344", exports}},
		"first poll of the week":   {lastWeek, []string{list, detail + "10000343", detail + "10000344", exports}},
		"another poll of the week": {thisWeek, []string{list, detail + "10000343", detail + "10000344", records}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server(t)
				payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: c.last, Now: now()})
				if err != nil {
					t.Fatal(err)
				}
				if got := asked(t, s); strings.Join(got, " ") != strings.Join(c.want, " ") {
					t.Errorf("asked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
				if len(payloads) != len(c.want)-1 {
					t.Errorf("%d payloads, want all answers but the list", len(payloads))
				}
				for _, p := range payloads {
					if p.Complete {
						t.Errorf("%s was taken for a complete dump; it is no word of the agency's on what it took back", p.URL)
					}
				}
			})
		})
	}
}

// The list's own addresses end in a comma, with which the site answers 400, and
// without "search" it answers a page of JavaScript.
func TestReportsAreAskedWithSearchAndWithoutComma(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		began := time.Now()
		if _, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err != nil {
			t.Fatal(err)
		}
		reports := 0
		for _, r := range s.Requests() {
			id, is := strings.CutPrefix(r.URL.Path, detail)
			if !is {
				continue
			}
			reports++
			if q := r.URL.Query(); q.Get("search") != "WEB_REPORT|:|"+id || q.Get("language") != "en" || strings.HasSuffix(r.URL.RawQuery, ",") {
				t.Errorf("asked %s", r.URL)
			}
		}
		if took := time.Since(began); took < time.Duration(reports)*time.Second {
			t.Errorf("%d reports were asked for within %s; want one a second at most", reports, took)
		}
	})
}

func TestFetchPagesThroughTheChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		s.On(records, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
			q := r.URL.Query()
			if want := "modification_date>'2026-11-13'"; q.Get("where") != want || q.Get("limit") != "100" || q.Get("order_by") != "modification_date,alert_number" {
				t.Errorf("asked %v, want where %s, 100 rows, oldest first", q, want)
			}
			if q.Get("offset") == "0" {
				return agencytest.JSON(page(150, 0, 100))
			}
			return agencytest.JSON(page(150, 100, 150))
		}))
		payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
		if err != nil || len(payloads) != 4 {
			t.Errorf("%d payloads, error %v; want two reports and two pages", len(payloads), err)
		}
	})
}

// An ignored condition gives the whole register, as does a re-dated one.
func TestFetchFallsBackToTheExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		s.On(records, agencytest.JSON(page(31_118, 0, 100)))
		payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
		if err != nil || len(payloads) != 3 || !strings.Contains(payloads[2].URL, "/exports/json") {
			t.Errorf("%d payloads, error %v; want two reports and the export", len(payloads), err)
		}
	})
}

func TestNothingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		s.On(records, agencytest.JSON(`{"total_count":0,"results":[]}`))
		if payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()}); err != nil || len(payloads) != 3 {
			t.Errorf("%d payloads, error %v; want two reports and an empty page", len(payloads), err)
		}
	})
}

// Half of the sources failing is told, and doesn't keep the other half away.
func TestFetchReportsTrouble(t *testing.T) {
	javascript := agencytest.Answer(http.StatusOK, `<!doctype html><html><head><title>Safety Gate</title><script src="main.js"></script></head></html>`)
	for name, c := range map[string]struct {
		path  string
		step  agencytest.Step
		want  int // payloads all the same, of the four
		wrong bool
	}{
		"the list is an apology":          {list, agencytest.Apologise(), 1, true},
		"the list names no report":        {list, agencytest.Answer(http.StatusOK, `<Safety-Gate><weeklyReport><reference>Report</reference></weeklyReport></Safety-Gate>`), 1, true},
		"the list is cut":                 {list, agencytest.Answer(http.StatusOK, string(read(t, "weekly-list.xml"))[:700]), 1, false},
		"the firewall":                    {list, agencytest.Answer(http.StatusForbidden, "blocked"), 1, false},
		"too many questions":              {list, agencytest.TooMany(time.Hour), 1, false},
		"silence":                         {list, agencytest.Hang(), 1, false},
		"a report is a page of script":    {detail + "10000343", javascript, 3, true},
		"a report is refused as bad":      {detail + "10000343", agencytest.Answer(http.StatusBadRequest, "bad request"), 3, false},
		"a report is not there":           {detail + "10000343", agencytest.Answer(http.StatusNotFound, ""), 3, false},
		"the firewall wakes up":           {detail + "10000343", agencytest.Answer(http.StatusForbidden, "blocked"), 2, false},
		"a report's connection is cut":    {detail + "10000343", agencytest.Cut(string(read(t, "weekly.xml")), 900), 3, false},
		"the export is an apology":        {exports, agencytest.Apologise(), 3, true},
		"the export is the portal's word": {exports, agencytest.JSON(`{"error_code":"InternalError","message":"sorry"}`), 3, true},
		"the export is empty":             {exports, agencytest.JSON(`[]`), 3, true},
		"the export is refused":           {exports, agencytest.Refuse(), 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := server(t)
				s.On(c.path, c.step)
				payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
				if err == nil || len(payloads) != c.want {
					t.Errorf("%d payloads, error %v; want %d and an error", len(payloads), err, c.want)
				}
				var answer *agency.AnswerError
				if errors.As(err, &answer) != c.wrong {
					t.Errorf("error %v; an AnswerError: %t", err, c.wrong)
				}
			})
		})
	}
}

func TestDeliverEndsTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		stop := errors.New("the disk is full")
		calls := 0
		err := newAgency().Fetch(t.Context(), s.Client(), agency.Since{Now: now()}, func(agency.Payload) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("error %v after %d deliveries, want the receiver's own after the first", err, calls)
		}
	})
}

// One proxy can stand for the site and for the copy of its register.
func TestBaseURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := agencytest.New(t)
		s.On("/api/download/weeklyReport/list/xml/en", agencytest.Refuse())
		s.On(exports, agencytest.JSON(string(read(t, "mirror-fr.json"))))
		a := safetygate.New(safetygate.Options{BaseURL: "http://proxy.test/", Now: now})
		if payloads, err := s.Fetch(t.Context(), a, agency.Since{Now: now()}); err == nil || len(payloads) != 1 {
			t.Errorf("%d payloads, error %v; want the export and what the list failed with", len(payloads), err)
		}
		for _, r := range s.Requests() {
			if r.URL.Host != "proxy.test" {
				t.Errorf("asked %s past the proxy", r.URL)
			}
		}
	})
}
