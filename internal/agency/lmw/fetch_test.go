package lmw_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/lmw"
)

const path = "/verbraucherschutz/baystmuv-verbraucherinfo/rest/api/warnings/merged"

// thisWeek is a last success in the week of now, a Sunday.
var thisWeek = now().AddDate(0, 0, -2)

func page(total, from, to int) string {
	var docs []string
	for i := from; i < to; i++ {
		docs = append(docs, fmt.Sprintf(`{"_type":".FoodWarning","id":%d,"publishedDate":1767225600000,"title":"Zisch","product":{}}`, i))
	}
	return fmt.Sprintf(`{"response":{"docs":[%s],"numFound":%d}}`, strings.Join(docs, ","), total)
}

type asked struct {
	Rows  int      `json:"rows"`
	Start int      `json:"start"`
	Fq    []string `json:"fq"`
}

func readQuestion(t *testing.T, r *http.Request) asked {
	t.Helper()
	var body map[string]asked
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked by %s %q with %q: %v", r.Method, r.Header.Get("Content-Type"), raw, err)
	}
	if fmt.Sprint(body["food"]) != fmt.Sprint(body["products"]) {
		t.Errorf("food and products were asked for differently: %v", body)
	}
	return body["food"]
}

func TestFetchPagesThroughEverythingOnceAWeek(t *testing.T) {
	s := agencytest.New(t)
	s.On(path, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		if got, want := r.Header.Get("Authorization"), "baystmuv-vi-1.0 os=ios, key="+lmw.DefaultKey; got != want {
			t.Errorf("Authorization %q, want %q", got, want)
		}
		q := readQuestion(t, r)
		if len(q.Fq) != 0 || q.Rows != 500 {
			t.Errorf("asked %+v, want 500 rows of everything", q)
		}
		return agencytest.JSON(page(700, q.Start, min(q.Start+500, 700)))
	}))
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
	if err != nil || len(payloads) != 2 {
		t.Fatalf("%d payloads, error %v; want 2", len(payloads), err)
	}
	for _, p := range payloads {
		if p.Complete {
			t.Error("the portal takes warnings down after a time: what it shows is no complete dump")
		}
	}
}

func TestFetchAsksForNews(t *testing.T) {
	t.Run("of the last weeks", func(t *testing.T) {
		s := agencytest.New(t)
		s.On(path, agencytest.ByQuery(func(r *http.Request) agencytest.Step {
			want := fmt.Sprintf("[publishedDate > %d]", thisWeek.AddDate(0, 0, -14).UnixMilli())
			if q := readQuestion(t, r); fmt.Sprint(q.Fq) != want {
				t.Errorf("filter %v, want %s", q.Fq, want)
			}
			return agencytest.JSON(page(3, 0, 3))
		}))
		payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
		if err != nil || len(payloads) != 1 {
			t.Errorf("%d payloads, error %v; want 1", len(payloads), err)
		}
	})
	t.Run("of which there are none", func(t *testing.T) {
		s := agencytest.New(t)
		s.On(path, agencytest.JSON(page(0, 0, 0)))
		payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
		if err != nil || len(payloads) != 0 {
			t.Errorf("%d payloads, error %v; want nothing and no error", len(payloads), err)
		}
	})
	t.Run("with its own key", func(t *testing.T) {
		s := agencytest.New(t)
		s.On("/rest/warnings/merged", agencytest.JSON(page(0, 0, 0)))
		a := lmw.New(lmw.Options{BaseURL: "https://mirror.example/rest/", Key: "another", Now: now})
		if _, err := s.Fetch(t.Context(), a, agency.Since{LastSuccess: thisWeek, Now: now()}); err != nil {
			t.Fatal(err)
		}
		if got := s.Requests()[0].Header.Get("Authorization"); !strings.HasSuffix(got, "key=another") {
			t.Errorf("Authorization %q", got)
		}
	})
}

func TestFetchRefusesWhatIsNoAnswer(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200": agencytest.Apologise(),
		"an error of its own":        agencytest.JSON(`{"status":401,"message":"key unknown"}`),
		"no warnings at all":         agencytest.JSON(page(0, 0, 0)),
		"records of something else":  agencytest.JSON(`{"response":{"docs":[{"id":1}],"numFound":1}}`),
		"an envelope without a list": agencytest.JSON(`{"response":{"numFound":0}}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(path, step)
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
			var answer *agency.AnswerError
			if !errors.As(err, &answer) || len(payloads) != 0 {
				t.Errorf("%d payloads, error %v; want an AnswerError and nothing delivered", len(payloads), err)
			}
		})
	}
}

func TestFetchSaysThatItIsNotWhole(t *testing.T) {
	s := agencytest.New(t)
	s.On(path, agencytest.JSON(page(700, 0, 500))) // whatever start says
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
	if !errors.Is(err, agency.ErrTruncated) || len(payloads) == 0 {
		t.Errorf("%d payloads, error %v; want what came, and ErrTruncated", len(payloads), err)
	}
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"refused":       agencytest.Refuse(),
		"cut":           agencytest.Cut(page(3, 0, 3), 40),
		"cut in a body": agencytest.JSON(page(3, 0, 3)[:60]),
		"the firewall":  agencytest.Answer(http.StatusForbidden, "no"),
		"too often":     agencytest.TooMany(time.Hour),
		"silence":       agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := agencytest.New(t)
				s.On(path, step)
				if payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}
