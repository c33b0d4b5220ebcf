package kats_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
	"github.com/crownsafe/api/internal/agency/kats"
)

const (
	listPath   = "/openapi/api/recall/recallList.json"
	detailPath = "/openapi/api/recall/recallDetail.json"

	nothing = `{"resultCode":"2000","resultMsg":"SUCCESS","resultData":[]}`
)

// thisWeek is a last success in the week of now, a Sunday.
var thisWeek = now().AddDate(0, 0, -2)

func listed(uids ...string) string {
	var records []string
	for _, uid := range uids {
		records = append(records, fmt.Sprintf(`{"recallUid":%q,"recallProductName":"x","publishDate":"20261120"}`, uid))
	}
	return answer(records...)
}

// days answers the list by its condition.
func days(byDay map[string]string) agencytest.Step {
	return agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		q := r.URL.Query()
		if q.Get("conditionKey") == "all" {
			return agencytest.JSON(byDay["all"])
		}
		if body, ok := byDay[q.Get("conditionValue")]; ok {
			return agencytest.JSON(body)
		}
		return agencytest.JSON(nothing)
	})
}

func details() agencytest.Step {
	return agencytest.ByQuery(func(r *http.Request) agencytest.Step {
		return agencytest.JSON(fmt.Sprintf(`{"resultCode":"2000","resultMsg":"SUCCESS","resultData":{"recallUid":%q,"recallProductName":"x","publishDate":"20261120","recallFiles":[]}}`, r.URL.Query().Get("recallUid")))
	})
}

func TestFetchAsksDayByDayAndForDetails(t *testing.T) {
	s := agencytest.New(t)
	s.On(listPath, days(map[string]string{"20261120": listed("7", "8"), "20261118": `{"resultCode":"2000","resultMsg":"조회된 데이터가 없습니다."}`}))
	s.On(detailPath, details())
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{LastSuccess: thisWeek, Now: now()})
	if err != nil || len(payloads) != 3 {
		t.Fatalf("%d payloads, error %v; want a list and two details", len(payloads), err)
	}
	asked := map[string]bool{}
	for _, r := range s.Requests() {
		if r.Header.Get("AuthKey") != key {
			t.Errorf("%s was asked without the key", r.URL)
		}
		asked[r.URL.Query().Get("conditionValue")] = true
	}
	for _, day := range []string{"20261122", "20261121", "20261113"} {
		if !asked[day] {
			t.Errorf("%s was not asked for; asked %v", day, asked)
		}
	}
	for _, p := range payloads {
		if p.Complete || strings.Contains(p.URL, key) {
			t.Errorf("payload of %s, complete %v", p.URL, p.Complete)
		}
	}
}

func TestFetchTakesTheWholeListOnceAWeek(t *testing.T) {
	s := agencytest.New(t)
	s.On(listPath, days(map[string]string{"all": listed("1", "2", "3")}))
	payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
	if err != nil || len(payloads) != 1 || !payloads[0].Complete {
		t.Errorf("%d payloads, error %v; want one that is complete", len(payloads), err)
	}
}

func TestFetchWithoutAKey(t *testing.T) {
	s := agencytest.New(t)
	_, err := s.Fetch(t.Context(), kats.New(kats.Options{Now: now}), agency.Since{Now: now()})
	if !errors.Is(err, kats.ErrNoKey) || len(s.Requests()) != 0 {
		t.Errorf("error %v after %d questions; want ErrNoKey and none", err, len(s.Requests()))
	}
}

func TestFetchRefusesWhatIsNoAnswer(t *testing.T) {
	var many []string
	for i := range 1001 {
		many = append(many, fmt.Sprint(i))
	}
	for name, step := range map[string]agencytest.Step{
		"a web page with status 200":      agencytest.Apologise(),
		"an error with status 200":        agencytest.JSON(`{"resultCode":"4001","resultMsg":"인증키 오류"}`),
		"short bodies for every day":      agencytest.JSON(`{"message":"nothing"}`),
		"a filter that was ignored":       agencytest.JSON(listed(many...)),
		"a long answer of something else": agencytest.JSON(`{"message":"` + strings.Repeat("x", 300) + `"}`),
		"an empty whole list":             agencytest.JSON(nothing),
	} {
		t.Run(name, func(t *testing.T) {
			s := agencytest.New(t)
			s.On(listPath, step)
			payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()})
			var said *agency.AnswerError
			if !errors.As(err, &said) || len(payloads) != 0 {
				t.Errorf("%d payloads, error %v; want an AnswerError and nothing delivered", len(payloads), err)
			}
		})
	}
}

func TestFetchReportsTrouble(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"refused":       agencytest.Refuse(),
		"cut":           agencytest.Cut(listed("1"), 30),
		"cut in a body": agencytest.JSON(listed("1")[:60]),
		"the firewall":  agencytest.Answer(http.StatusForbidden, "no"),
		"too often":     agencytest.TooMany(time.Hour),
		"silence":       agencytest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := agencytest.New(t)
				s.On(listPath, step)
				if payloads, err := s.Fetch(t.Context(), newAgency(), agency.Since{Now: now()}); err == nil || len(payloads) != 0 {
					t.Errorf("%d payloads, error %v; want an error and nothing delivered", len(payloads), err)
				}
			})
		})
	}
}

// Some services repeat the key that they were shown. It must not get into the
// errors that runs keep, nor into the log.
func TestTheKeyStaysSecret(t *testing.T) {
	for name, step := range map[string]agencytest.Step{
		"in an error":         agencytest.JSON(`{"resultCode":"4001","resultMsg":"unknown key ` + key + `"}`),
		"in a status":         agencytest.Answer(http.StatusForbidden, "unknown key "+key),
		"in a page":           agencytest.Answer(http.StatusOK, "<html><title>unknown key "+key+"</title></html>"),
		"in a strange answer": agencytest.JSON(`{"said":"` + key + strings.Repeat("x", 300) + `"}`),
		"in a busy server":    agencytest.Answer(http.StatusServiceUnavailable, key),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := agencytest.New(t)
				s.On(listPath, step)
				client := agency.NewClient(agency.ClientOptions{Transport: s, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				err := newAgency().Fetch(t.Context(), client, agency.Since{Now: now()}, func(agency.Payload) error { return nil })
				if err == nil {
					t.Fatal("no error")
				}
				said := err.Error()
				if status, ok := errors.AsType[*agency.StatusError](err); ok {
					said += status.Said
				}
				if strings.Contains(said+log.String(), key) {
					t.Errorf("the key is in %q or the log %q", said, log.String())
				}
			})
		})
	}
}
