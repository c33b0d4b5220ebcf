package rappelconso_test

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

const (
	dataset = "/api/explore/v2.1/catalog/datasets/rappelconso-v2-gtin-espaces"
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
		rows = append(rows, fmt.Sprintf(`{"numero_fiche":"2026-11-%04d","rappel_guid":"g","date_publication":"2026-11-20","libelle":"lampe","identification_produits":["$"]}`, i))
	}
	return fmt.Sprintf(`{"total_count":%d,"results":[%s]}`, total, strings.Join(rows, ","))
}

func TestFetchTakesTheExport(t *testing.T) {
	for name, last := range map[string]time.Time{"never polled": {}, "first poll of the week": lastWeek} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(exports, agencytest.JSON(string(read(t, "v2-explore.json"))))
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: last, Now: now()})
			if err != nil || len(payloads) != 1 || !payloads[0].Complete {
				t.Errorf("payloads %v, error %v; want one that is complete", len(payloads), err)
			}
		})
	}
}

func TestFetchPagesThroughTheNews(t *testing.T) {
	s := agencytest.New(t)
	s.On(records, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		q := r.URL.Query()
		if want := "date_publication>'2026-11-13'"; q.Get("where") != want || q.Get("limit") != "100" || q.Get("order_by") != "date_publication,id" {
			t.Errorf("asked %v, want where %s, 100 rows, oldest first", q, want)
		}
		if q.Get("offset") == "0" {
			return agencytest.JSON(page(150, 0, 100))
		}
		return agencytest.JSON(page(150, 100, 150))
	}))
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
	if err != nil || len(payloads) != 2 {
		t.Fatalf("%d payloads, error %v; want 2", len(payloads), err)
	}
	for _, p := range payloads {
		if p.Complete {
			t.Error("news were taken for a complete dump")
		}
	}
	if agent := s.Requests()[0].UserAgent(); !strings.Contains(agent, "CrownSafe") {
		t.Errorf("asked as %q; the portal's firewall refuses nameless agents", agent)
	}
}

func TestFetchFallsBackToTheExport(t *testing.T) {
	s := agencytest.New(t)
	s.On(records, agencytest.JSON(page(10_001, 0, 100)))
	s.On(exports, agencytest.JSON(string(read(t, "v2-explore.json"))))
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
	if err != nil || len(payloads) != 1 || !payloads[0].Complete {
		t.Errorf("%d payloads, error %v; want the export, because pages end at 10,000 rows", len(payloads), err)
	}
}

func TestFetchRefusesApologies(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200": agencytest.Apologise(),
		"the portal's own error":     agencytest.JSON(`{"error_code":"ODSQLError","message":"no"}`),
		"something else":             agencytest.JSON(`{"total":1}`),
		"an empty export":            agencytest.JSON(`[]`),
	} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(exports, step)
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
			var answer *agency.AnswerError
			if !errors.As(err, &answer) || len(payloads) != 0 {
				t.Errorf("%d payloads, error %v; want an AnswerError and nothing delivered", len(payloads), err)
			}
		})
	}
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"refused":      agencytest.Refuse(),
		"cut":          agencytest.Cut(`[{"numero_fiche":`, 5),
		"the firewall": agencytest.Answer(http.StatusForbidden, "no"),
		"silence":      agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := agencytest.New(t)
				s.On(exports, step)
				if payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}
