package openfda_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
)

const noMatch = `{"error":{"code":"NOT_FOUND","message":"No matches found!"}}`

var (
	tuesday  = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	recently = agency.Since{LastSuccess: tuesday.Add(-time.Hour), Now: tuesday}
)

// onKinds makes all three endpoints react alike.
func onKinds(server *agencytest.Server, choose func(r *http.Request) agencytest.Step) {
	for _, kind := range []string{"food", "drug", "device"} {
		server.On("/"+kind+"/enforcement.json", agencytest.ByQuery(choose))
	}
}

// pageOf answers one page of as many reports as there are in all.
func pageOf(r *http.Request, total int) agencytest.Step {
	var skip int
	if _, err := fmt.Sscan(r.URL.Query().Get("skip"), &skip); err != nil {
		return agencytest.Answer(http.StatusBadRequest, err.Error())
	}
	reports := slices.Repeat([]string{report(nil)}, min(1000, total-skip))
	return agencytest.JSON(fmt.Sprintf(`{"meta":{"results":{"skip":%d,"limit":1000,"total":%d}},"results":[%s]}`, skip, total, strings.Join(reports, ",")))
}

func TestFetchPagesThroughTheLastMonthOfEachKind(t *testing.T) {
	server := agencytest.New(t)
	onKinds(server, func(r *http.Request) agencytest.Step {
		if strings.HasPrefix(r.URL.Path, "/drug") {
			return agencytest.Answer(http.StatusNotFound, noMatch)
		}
		return pageOf(r, 1500)
	})
	payloads, err := server.Fetch(t.Context(), newAgency(), recently)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, r := range server.Requests() {
		asked = append(asked, strings.TrimPrefix(r.URL.String(), "https://api.fda.gov"))
	}
	const query = "/enforcement.json?search=report_date:[20261025+TO+20261124]&sort=report_date:asc&limit=1000&skip="
	want := []string{"/food" + query + "0", "/food" + query + "1000", "/drug" + query + "0", "/device" + query + "0", "/device" + query + "1000"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if len(payloads) != 4 {
		t.Errorf("%d payloads, want 4: nothing is delivered where nothing matches", len(payloads))
	}
	for _, p := range payloads {
		if p.Complete {
			t.Error("a month is no complete dump")
		}
	}
}

func TestTheDumpOfAWeekIsCompleteWithItsLastAnswer(t *testing.T) {
	server := agencytest.New(t)
	onKinds(server, func(r *http.Request) agencytest.Step {
		if strings.Contains(r.URL.RawQuery, "[2019") && !strings.HasPrefix(r.URL.Path, "/device") {
			return pageOf(r, 1)
		}
		return agencytest.Answer(http.StatusNotFound, noMatch)
	})
	payloads, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday})
	if err != nil {
		t.Fatal(err)
	}
	var complete []bool
	for _, p := range payloads {
		complete = append(complete, p.Complete)
	}
	if diff := cmp.Diff([]bool{false, true}, complete); diff != "" {
		t.Errorf("complete (-want +got):\n%s", diff)
	}
	if got, want := len(server.Requests()), 3*(2026-2004+1); got != want {
		t.Errorf("asked %d times, want %d: every year of every kind", got, want)
	}
}

func TestAWindowThatHoldsTooMuchIsSplit(t *testing.T) {
	server := agencytest.New(t)
	onKinds(server, func(r *http.Request) agencytest.Step {
		switch query := r.URL.RawQuery; {
		case !strings.HasPrefix(r.URL.Path, "/food"):
			return agencytest.Answer(http.StatusNotFound, noMatch)
		case strings.Contains(query, "[20261025+TO+20261124]"):
			return pageOf(r, 30000)
		}
		return pageOf(r, 2)
	})
	payloads, err := server.Fetch(t.Context(), newAgency(), recently)
	if err != nil {
		t.Fatal(err)
	}
	var windows []string
	for _, p := range payloads {
		_, window, _ := strings.Cut(p.URL, "report_date:")
		window, _, _ = strings.Cut(window, "&")
		windows = append(windows, window)
	}
	if diff := cmp.Diff([]string{"[20261025+TO+20261108]", "[20261109+TO+20261124]"}, windows); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

func TestFetchThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		step agencytest.Step
		says string
		as   bool // an AnswerError
		is   error
	}{
		"an error with status 200":      {step: agencytest.JSON(`{"error":{"code":"SERVER_ERROR","message":"sorry"}}`), says: "SERVER_ERROR: sorry", as: true},
		"a web page with status 200":    {step: agencytest.Apologise(), says: "Service unavailable", as: true},
		"404 that is not about a match": {step: agencytest.Answer(http.StatusNotFound, "no such path"), says: "404"},
		"half an answer":                {step: agencytest.JSON(string(results(report(nil)))[:80]), is: agency.ErrTruncated},
		"fewer reports than announced":  {step: agencytest.JSON(`{"meta":{"results":{"total":5}},"results":[` + report(nil) + `]}`), says: "4", is: agency.ErrTruncated},
		"the key is used up":            {step: agencytest.TooMany(time.Hour), says: "429"},
		"no network":                    {step: agencytest.Refuse(), says: "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				onKinds(server, func(*http.Request) agencytest.Step { return test.step })
				payloads, err := server.Fetch(t.Context(), newAgency(), agency.Since{Now: tuesday})
				if err == nil || !strings.Contains(err.Error(), test.says) || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("error = %v, want one that says %q and wraps %v", err, test.says, test.is)
				}
				if _, as := errors.AsType[*agency.AnswerError](err); as != test.as {
					t.Errorf("error = %v; an AnswerError: %v, want %v", err, as, test.as)
				}
				for _, p := range payloads {
					if p.Complete {
						t.Error("a dump that failed is not complete")
					}
				}
			})
		})
	}
}
