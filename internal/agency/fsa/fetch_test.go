package fsa_test

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
)

const listPath = "/food-alerts/id"

// thisWeek is a last success in the week of now (a Sunday).
var thisWeek = now().AddDate(0, 0, -2)

func notation(i int) string { return fmt.Sprintf("FSA-PRIN-%02d-2026", i) }

func entry(i int) string {
	return fmt.Sprintf(`{"@id":"http://data.food.gov.uk/food-alerts/id/%s","notation":%q,"title":"Corvane recalls Fig Roll %d","created":"2026-03-02","modified":%q}`,
		notation(i), notation(i), i, now().AddDate(0, 0, -i).Format(time.RFC3339))
}

func answer(from, to int) string {
	var items []string
	for i := from; i < to; i++ {
		items = append(items, entry(i))
	}
	return `{"@context":"http://data.food.gov.uk/food-alerts/c","meta":{"limit":100},"items":[` + strings.Join(items, ",") + `]}`
}

func serve(s *agencytest.Server, from, to int) {
	for i := from; i < to; i++ {
		s.On(listPath+"/"+notation(i)+".json", agencytest.JSON(answer(i, i+1)))
	}
}

func fetch(t *testing.T, since time.Time, script func(*agencytest.Server), check func(*testing.T, *agencytest.Server, []agency.Payload, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := agencytest.New(t)
		script(s)
		payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: since, Now: now()})
		check(t, s, payloads, err)
	})
}

func TestFetchTakesEverythingOnceAWeek(t *testing.T) {
	for name, last := range map[string]time.Time{"never polled": {}, "first poll of the week": now().AddDate(0, 0, -8)} {
		t.Run(name, func(t *testing.T) {
			fetch(t, last, func(s *agencytest.Server) {
				s.On(listPath, agencytest.JSON(answer(0, 100)), agencytest.JSON(answer(100, 102)))
				serve(s, 0, 102)
			}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
				if err != nil || len(payloads) != 102 || !payloads[101].Complete || payloads[0].Complete {
					t.Fatalf("%d payloads, error %v; want 102 of which the last ends a complete dump", len(payloads), err)
				}
				first, second := s.Requests()[0].URL.Query(), s.Requests()[1].URL.Query()
				if first.Has("since") || first.Get("_limit") != "100" || second.Get("_offset") != "100" {
					t.Errorf("asked %v, then %v", first, second)
				}
			})
		})
	}
}

func TestFetchTakesTheNews(t *testing.T) {
	fetch(t, thisWeek, func(s *agencytest.Server) {
		s.On(listPath, agencytest.JSON(answer(0, 3)))
		serve(s, 0, 3)
	}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 3 || payloads[2].Complete {
			t.Errorf("%d payloads, error %v; want 3 that are no complete dump", len(payloads), err)
		}
		if since := s.Requests()[0].URL.Query().Get("since"); since != "2026-11-18T06:00:00Z" {
			t.Errorf("asked since %q", since)
		}
	})
}

func TestFetchOfNothingNew(t *testing.T) {
	fetch(t, thisWeek, func(s *agencytest.Server) { s.On(listPath, agencytest.JSON(answer(0, 0))) },
		func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
			if err != nil || len(payloads) != 0 {
				t.Errorf("%d payloads, error %v; want neither", len(payloads), err)
			}
		})
}

func TestFetchSurvivesIgnoredFilters(t *testing.T) {
	fetch(t, thisWeek, func(s *agencytest.Server) {
		s.On(listPath, agencytest.JSON(answer(0, 150)), agencytest.JSON(answer(0, 0))) // neither since nor the limit
		serve(s, 0, 5)
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 5 {
			t.Errorf("%d payloads, error %v; want the 5 of the last days", len(payloads), err)
		}
	})
}

func TestFetchEndsWherePagesRepeat(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(listPath, agencytest.JSON(answer(0, 100)))
		serve(s, 0, 100)
	}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
		_, answered := errors.AsType[*agency.AnswerError](err)
		if !answered || len(payloads) != 100 || payloads[99].Complete || len(s.Requests()) != 102 {
			t.Errorf("%d payloads after %d questions, error %v; want the 100, not complete, and an AnswerError", len(payloads), len(s.Requests()), err)
		}
	})
}

func TestFetchSurvivesWhatIsGone(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(listPath, agencytest.JSON(answer(0, 3)))
		serve(s, 0, 3)
		s.On(listPath+"/"+notation(1)+".json", agencytest.Answer(http.StatusNotFound, "not found"))
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 2 || !payloads[1].Complete {
			t.Errorf("%d payloads, error %v; want the 2 that are there", len(payloads), err)
		}
	})
}

func TestFetchWithABrokenItemIsNotComplete(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(listPath, agencytest.JSON(answer(0, 3)))
		serve(s, 0, 3)
		s.On(listPath+"/"+notation(1)+".json", agencytest.Answer(http.StatusInternalServerError, "oh"))
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err == nil || len(payloads) != 2 || payloads[1].Complete {
			t.Errorf("%d payloads, error %v; want the other 2, not complete, and an error", len(payloads), err)
		}
	})
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200": agencytest.Apologise(),
		"something else":             agencytest.JSON(`{"error":"no"}`),
		"refused":                    agencytest.Refuse(),
		"cut":                        agencytest.Cut(answer(0, 1), 40),
		"the firewall":               agencytest.Answer(http.StatusForbidden, "no"),
		"too many":                   agencytest.TooMany(2 * time.Hour),
		"silence":                    agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			fetch(t, thisWeek, func(s *agencytest.Server) { s.On(listPath, step) }, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
				if err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}
