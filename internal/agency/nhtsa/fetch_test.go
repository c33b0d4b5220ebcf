package nhtsa_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
)

const dataset = "/resource/6axg-epim.json"

func page(from, to int) string {
	rows := []string{}
	for i := from; i < to; i++ {
		rows = append(rows, fmt.Sprintf(`{"nhtsa_id":"20C%06d","recall_type":"Child Seat","subject":"Buckle","report_received_date":"2020-05-02T00:00:00.000"}`, i))
	}
	return "[" + strings.Join(rows, ",") + "]"
}

func TestFetchTakesAllChildRestraints(t *testing.T) {
	for name, c := range map[string]struct {
		total int
		want  []bool // whether each payload ends the dump
	}{
		"one page":           {71, []bool{true}},
		"two pages":          {1001, []bool{false, true}},
		"exactly one page":   {1000, []bool{true}},
		"exactly two pages":  {2000, []bool{false, true}},
		"some pages and one": {2001, []bool{false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(dataset, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
				q := r.URL.Query()
				if q.Get("$where") != "recall_type='Child Seat'" || q.Get("$order") != "nhtsa_id" || q.Get("$limit") != "1000" {
					t.Errorf("asked %v", q)
				}
				var offset int
				if _, err := fmt.Sscan(q.Get("$offset"), &offset); err != nil {
					t.Errorf("offset %q: %v", q.Get("$offset"), err)
				}
				return agencytest.JSON(page(offset, min(offset+1000, c.total)))
			}))
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
			if err != nil || len(payloads) != len(c.want) {
				t.Fatalf("%d payloads, error %v; want %d", len(payloads), err, len(c.want))
			}
			records := 0
			for i, p := range payloads {
				if p.Complete != c.want[i] {
					t.Errorf("payload %d ends the dump: %v, want %v", i, p.Complete, c.want[i])
				}
				parsed, err := parse(t, p.Body)
				if err != nil {
					t.Fatal(err)
				}
				records += len(parsed.Records)
			}
			if records != c.total {
				t.Errorf("%d records, want %d", records, c.total)
			}
		})
	}
}

func TestFetchRefusesWhatIsNoDump(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200": agencytest.Apologise(),
		"the portal's error":         agencytest.JSON(`{"code":"x","error":true,"message":"no"}`),
		"nothing at all":             agencytest.JSON(`[]`),
		"the filter was ignored":     agencytest.JSON(`[{"nhtsa_id":"20V001000","recall_type":"Vehicle"}]`),
		"rows of something else":     agencytest.JSON(`[{"a":1}]`),
		"half an answer":             agencytest.JSON(page(0, 3)[:100]),
	} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(dataset, step)
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
			if answer := (*agency.AnswerError)(nil); !errors.As(err, &answer) || len(payloads) != 0 {
				t.Errorf("%d payloads, error %v; want an AnswerError and nothing delivered", len(payloads), err)
			}
		})
	}
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"refused":    agencytest.Refuse(),
		"cut":        agencytest.Cut(page(0, 3), 20),
		"forbidden":  agencytest.Answer(http.StatusForbidden, "no"),
		"overloaded": agencytest.Answer(http.StatusServiceUnavailable, "later"),
		"silence":    agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := agencytest.New(t)
				s.On(dataset, step)
				if payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}
