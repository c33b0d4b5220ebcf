package opss_test

import (
	"encoding/json"
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
	search = "/api/search.json"
	prefix = "/product-safety-alerts-reports-recalls/"
)

// thisWeek is a last success in the week of now (a Sunday).
var thisWeek = now().AddDate(0, 0, -2)

func link(i int) string { return fmt.Sprintf("%srecall-2609-%04d", prefix, i) }

// results writes a page of the search: notices from to to, one a day, newest first.
func results(total, from, to int) string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf(`{"title":"Product Recall: Lamp (2609-%04d)","link":%q,"public_timestamp":%q,"document_type":"product_safety_alert_report_recall"}`,
			i, link(i), now().AddDate(0, 0, -i).Format(time.RFC3339)))
	}
	return fmt.Sprintf(`{"results":[%s],"total":%d,"start":%d,"suggested_queries":[]}`, strings.Join(list, ","), total, from)
}

func content(i int) string {
	return string(item("", map[string]any{"base_path": link(i), "title": fmt.Sprintf("Product Recall: Lamp (2609-%04d)", i)}))
}

// serve answers the content API for some notices.
func serve(s *agencytest.Server, from, to int) {
	for i := from; i < to; i++ {
		s.On("/api/content"+link(i), agencytest.JSON(content(i)))
	}
}

// fetch fetches in a bubble, where pauses take no time.
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
				s.On(search, agencytest.JSON(results(103, 0, 100)), agencytest.JSON(results(103, 100, 103)))
				serve(s, 0, 103)
			}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
				if err != nil || len(payloads) != 103 || !payloads[102].Complete || payloads[101].Complete {
					t.Fatalf("%d payloads, error %v; want 103 of which the last ends a complete dump", len(payloads), err)
				}
				q := s.Requests()[1].URL.Query()
				if q.Get("start") != "100" || q.Get("count") != "100" || q.Get("filter_format") != "product_safety_alert_report_recall" || q.Get("order") != "-public_timestamp" {
					t.Errorf("asked %v", q)
				}
				var it struct {
					Title string `json:"title"`
				}
				if err := json.Unmarshal(payloads[7].Body, &it); err != nil || it.Title != "Product Recall: Lamp (2609-0007)" {
					t.Errorf("payload 7 is %q (%v)", it.Title, err)
				}
			})
		})
	}
}

func TestFetchTakesTheNews(t *testing.T) {
	fetch(t, thisWeek, func(s *agencytest.Server) {
		s.On(search, agencytest.JSON(results(3746, 0, 100)))
		serve(s, 0, 6) // two days since the last success, three before it
	}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 6 {
			t.Fatalf("%d payloads, error %v; want 6", len(payloads), err)
		}
		for _, p := range payloads {
			if p.Complete {
				t.Error("news were taken for a complete dump")
			}
		}
	})
}

func TestFetchKeepsToTheSpeedLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := agencytest.New(t)
		s.On(search, agencytest.JSON(results(30, 0, 30)))
		serve(s, 0, 30)
		start := time.Now()
		if _, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 3*time.Second {
			t.Errorf("30 questions took %s; GOV.UK allows ten a second", took)
		}
	})
}

func TestFetchSurvivesWhatIsGone(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(search, agencytest.JSON(results(4, 0, 4)))
		serve(s, 0, 4)
		s.On("/api/content"+link(1), agencytest.Answer(http.StatusGone, "gone"))
		s.On("/api/content"+link(2), agencytest.Answer(http.StatusNotFound, `{"error":{"status":404}}`))
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 2 || !payloads[1].Complete {
			t.Errorf("%d payloads, error %v; want the 2 that are there", len(payloads), err)
		}
	})
}

func TestFetchWithABrokenItemIsNotComplete(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(search, agencytest.JSON(results(4, 0, 4)))
		serve(s, 0, 4)
		s.On("/api/content"+link(1), agencytest.Apologise())
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		_, answered := errors.AsType[*agency.AnswerError](err)
		if !answered || len(payloads) != 3 || payloads[2].Complete {
			t.Errorf("%d payloads, error %v; want the other 3, not complete, and an AnswerError", len(payloads), err)
		}
	})
}

func TestFetchGivesUpWhenNothingWorks(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(search, agencytest.JSON(results(50, 0, 50)))
		serve(s, 0, 50)
		for i := range 50 {
			s.On("/api/content"+link(i), agencytest.Apologise())
		}
	}, func(t *testing.T, s *agencytest.Server, payloads []agency.Payload, err error) {
		if err == nil || len(payloads) != 0 || len(s.Requests()) > 10 {
			t.Errorf("%d payloads after %d questions, error %v", len(payloads), len(s.Requests()), err)
		}
	})
}

func TestFetchRefusesWrongLists(t *testing.T) {
	older := strings.Replace(results(2, 0, 2), now().Format(time.RFC3339), "2020-01-01T00:00:00Z", 1)
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200": agencytest.Apologise(),
		"the filter ignored":         agencytest.JSON(`{"results":[{"link":"` + prefix + `x"},{"link":"/foreign-travel-advice/x","document_type":"travel_advice"}],"total":400000}`),
		"the order ignored":          agencytest.JSON(older),
		"something else":             agencytest.JSON(`{"errors":["no such field"]}`),
	} {
		t.Run(name, func(t *testing.T) {
			fetch(t, time.Time{}, func(s *agencytest.Server) {
				s.On(search, step)
				serve(s, 0, 2)
			}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
				if _, answered := errors.AsType[*agency.AnswerError](err); !answered {
					t.Errorf("%d payloads, error %v; want an AnswerError", len(payloads), err)
				}
				for _, p := range payloads {
					if p.Complete {
						t.Error("half a list was taken for a complete dump")
					}
				}
			})
		})
	}
}

func TestFetchOfAListThatEndsEarlyIsNotComplete(t *testing.T) {
	fetch(t, time.Time{}, func(s *agencytest.Server) {
		s.On(search, agencytest.JSON(results(150, 0, 100)), agencytest.JSON(results(150, 100, 100)))
		serve(s, 0, 100)
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err == nil || len(payloads) != 100 || payloads[99].Complete {
			t.Errorf("%d payloads, error %v; want the 100, not complete, and an error", len(payloads), err)
		}
	})
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"refused":      agencytest.Refuse(),
		"cut":          agencytest.Cut(results(1, 0, 1), 40),
		"the firewall": agencytest.Answer(http.StatusForbidden, "no"),
		"too many":     agencytest.TooMany(2 * time.Hour),
		"silence":      agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			fetch(t, thisWeek, func(s *agencytest.Server) { s.On(search, step) }, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
				if err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}

func TestFetchWaitsAsAsked(t *testing.T) {
	fetch(t, thisWeek, func(s *agencytest.Server) {
		s.On(search, agencytest.TooMany(5*time.Second), agencytest.JSON(results(1, 0, 1)))
		serve(s, 0, 1)
	}, func(t *testing.T, _ *agencytest.Server, payloads []agency.Payload, err error) {
		if err != nil || len(payloads) != 1 {
			t.Errorf("%d payloads, error %v; want the notice after the pause", len(payloads), err)
		}
	})
}
