package cpsc_test

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
)

const (
	path     = "/RestWebServices/Recall"
	aRecall  = `[{"RecallID":1,"RecallNumber":"26901","RecallDate":"2026-01-05","Title":"Toys"}]`
	anError  = `[{"RecallID":0,"RecallNumber":null,"Title":"Error retrieving Recalls: no database."}]`
	noRecall = `[]`
)

var (
	monday  = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	tuesday = monday.AddDate(0, 0, 1)
)

func TestFetchAsksForLittleOftenAndForEverythingOnceAWeek(t *testing.T) {
	for name, test := range map[string]struct {
		since    agency.Since
		query    string
		complete bool
	}{
		"never polled":              {agency.Since{Now: tuesday}, "format=json", true},
		"polled an hour ago":        {agency.Since{LastSuccess: tuesday.Add(-time.Hour), Now: tuesday}, "RecallDateStart=2026-11-10&format=json", false},
		"first poll of a new week":  {agency.Since{LastSuccess: monday.Add(-7 * time.Hour), Now: monday}, "format=json", true},
		"the same week a year ago":  {agency.Since{LastSuccess: tuesday.AddDate(-1, 0, 0), Now: tuesday}, "format=json", true},
		"earlier in the first week": {agency.Since{LastSuccess: monday, Now: tuesday}, "RecallDateStart=2026-11-10&format=json", false},
	} {
		t.Run(name, func(t *testing.T) {
			server := agencytest.New(t)
			server.On(path, agencytest.JSON(aRecall))
			payloads, err := server.Fetch(t.Context(), newAgency(), test.since)
			if err != nil {
				t.Fatal(err)
			}
			if got := server.Requests()[0].URL.RawQuery; got != test.query {
				t.Errorf("asked %q, want %q", got, test.query)
			}
			bodies, complete := payloadsOf(payloads)
			if diff := cmp.Diff([]string{aRecall}, bodies); diff != "" {
				t.Errorf("payloads (-want +got):\n%s", diff)
			}
			if complete[0] != test.complete {
				t.Errorf("complete = %v, want %v", complete[0], test.complete)
			}
		})
	}
}

func TestFetchOfAFewDays(t *testing.T) {
	recently := agency.Since{LastSuccess: tuesday.Add(-time.Hour), Now: tuesday}
	many := "[" + strings.TrimSuffix(strings.Repeat(strings.Trim(aRecall, "[]")+",", 2001), ",") + "]"
	for name, test := range map[string]struct {
		step agencytest.Step
		says string // in the error; "": no error and no payload
		is   error
		as   bool // an AnswerError
	}{
		"no recalls in two weeks":    {step: agencytest.JSON(noRecall)},
		"an error with status 200":   {step: agencytest.JSON(anError), says: "no database", as: true},
		"a web page with status 200": {step: agencytest.Apologise(), says: "Service unavailable", as: true},
		"the filter was ignored":     {step: agencytest.JSON(many), says: "ignored the filter"},
		"half an answer":             {step: agencytest.JSON(aRecall[:40]), is: agency.ErrTruncated},
		"a dropped connection":       {step: agencytest.Cut(aRecall, 40), is: agency.ErrTruncated},
		"no network":                 {step: agencytest.Refuse(), says: "connection refused"},
		"refused":                    {step: agencytest.Answer(http.StatusForbidden, "no"), says: "403"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On(path, test.step)
				payloads, err := server.Fetch(t.Context(), newAgency(), recently)
				if len(payloads) != 0 {
					t.Errorf("delivered %d payloads, want none", len(payloads))
				}
				if (err != nil) != (test.says != "" || test.is != nil) || err != nil && !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error = %v, want one that says %q and wraps %v", err, test.says, test.is)
				}
				if _, as := errors.AsType[*agency.AnswerError](err); as != test.as {
					t.Errorf("error = %v; an AnswerError: %v, want %v", err, as, test.as)
				}
			})
		})
	}
}

func TestFetchOfEverythingFallsBackOnWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		// Everything at once fails, and so does the whole of 2001.
		server.On(path, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
			q := r.URL.Query()
			from, to := q.Get("RecallDateStart"), q.Get("RecallDateEnd")
			switch {
			case from == "", from == "2001-01-01" && to == "2001-12-31":
				return agencytest.JSON(anError)
			case from[:4] == "1999", from[:4] == "2001":
				return agencytest.JSON(fmt.Sprintf(`[{"RecallID":1,"RecallNumber":"26901","Title":"%s %s"}]`, from, to))
			}
			return agencytest.JSON(noRecall)
		}))
		payloads, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday})
		if err != nil {
			t.Fatal(err)
		}
		bodies, complete := payloadsOf(payloads)
		want := []string{
			`[{"RecallID":1,"RecallNumber":"26901","Title":"1999-01-01 1999-12-31"}]`,
			`[{"RecallID":1,"RecallNumber":"26901","Title":"2001-01-01 2001-07-01"}]`,
			`[{"RecallID":1,"RecallNumber":"26901","Title":"2001-07-02 2001-12-31"}]`,
		}
		if diff := cmp.Diff(want, bodies); diff != "" {
			t.Errorf("payloads (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]bool{false, false, true}, complete); diff != "" {
			t.Errorf("complete (-want +got):\n%s", diff)
		}
	})
}

func TestFetchOfEverythingIsNotCompleteWhenAWindowFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(path, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
			switch from := r.URL.Query().Get("RecallDateStart"); {
			case from == "", from >= "2001":
				return agencytest.JSON(anError)
			case from[:4] == "1999":
				return agencytest.JSON(aRecall)
			}
			return agencytest.JSON(noRecall)
		}))
		payloads, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday})
		if _, ok := errors.AsType[*agency.AnswerError](err); !ok {
			t.Errorf("error = %v, want an AnswerError", err)
		}
		bodies, complete := payloadsOf(payloads)
		if len(bodies) != 1 || complete[0] {
			t.Errorf("payloads %v, complete %v; want what was read, not complete", bodies, complete)
		}
	})
}

func TestFetchOfEverythingWithoutANetworkAsksNoWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := agencytest.New(t)
		server.On(path, agencytest.Refuse())
		if _, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday}); err == nil {
			t.Error("no error")
		}
		if got := len(server.Requests()); got != 3 {
			t.Errorf("asked %d times, want the client's 3", got)
		}
	})
}

func TestAnEmptyDumpIsNoDump(t *testing.T) {
	server := agencytest.New(t)
	server.On(path, agencytest.JSON(noRecall))
	payloads, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday})
	if _, ok := errors.AsType[*agency.AnswerError](err); !ok || len(payloads) != 0 {
		t.Errorf("%d payloads, error %v; want none and an AnswerError: an empty dump would withdraw everything", len(payloads), err)
	}
}
