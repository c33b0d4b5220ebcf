package fsis_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crownsafe/api/internal/agency"
	"github.com/crownsafe/api/internal/agency/agencytest"
)

const path = "/fsis/api/recall/v/1"

var recently = agency.Since{LastSuccess: now().Add(-time.Hour), Now: now()}

func TestFetchTakesEverything(t *testing.T) {
	server := agencytest.New(t)
	server.On(path, agencytest.JSON(rows(row(nil))))
	for _, since := range []agency.Since{recently, {Now: now()}} {
		payloads, err := server.Fetch(t.Context(), newAgency(), since)
		if err != nil || len(payloads) != 1 || !payloads[0].Complete {
			t.Fatalf("payloads %+v, error %v; want one complete dump", payloads, err)
		}
	}
	for _, r := range server.Requests() {
		if r.URL.RawQuery != "" {
			t.Errorf("asked with %q: only the unfiltered answer has an ETag", r.URL.RawQuery)
		}
	}
}

func TestFetchAsksForChangesOnly(t *testing.T) {
	server := agencytest.New(t)
	server.On(path, agencytest.Unchangeable(rows(row(nil)), `"v1"`))
	client := server.Client()
	refuse := errors.New("the store is full")
	for _, test := range []struct {
		name      string
		deliver   error
		delivered int
	}{
		{"the first poll fails to store", refuse, 1},
		{"and is repeated", nil, 1},
		{"nothing is new then", nil, 0},
	} {
		delivered := 0
		err := newAgency().Fetch(t.Context(), client, recently, func(agency.Payload) error { delivered++; return test.deliver })
		if !errors.Is(err, test.deliver) || delivered != test.delivered {
			t.Errorf("%s: error %v, %d payloads; want %v, %d", test.name, err, delivered, test.deliver, test.delivered)
		}
	}
}

func TestFetchOfWhatIsNoDump(t *testing.T) {
	whole := rows(row(nil), row(nil))
	for name, test := range map[string]struct {
		step agencytest.Step
		says string
		is   error
		as   bool // an AnswerError
	}{
		"a web page with status 200": {step: agencytest.Apologise(), says: "Service unavailable", as: true},
		"an empty list":              {step: agencytest.JSON("[]"), says: "no recalls at all", as: true},
		"an array of something else": {step: agencytest.JSON(`[{"id":1}]`), says: "something else", as: true},
		"an object":                  {step: agencytest.JSON(`{"message":"no route"}`), says: "where an array belongs"},
		"half an answer":             {step: agencytest.JSON(whole[:len(whole)/2]), is: agency.ErrTruncated},
		"a dropped connection":       {step: agencytest.Cut(whole, 40), is: agency.ErrTruncated},
		"refused by the firewall":    {step: agencytest.Answer(http.StatusForbidden, "<html><title>Access Denied</title>"), says: "403"},
		"too many, for a long time":  {step: agencytest.TooMany(time.Hour), says: "429"},
		"an error of the server":     {step: agencytest.Answer(http.StatusInternalServerError, "oops"), says: "500"},
		"no network":                 {step: agencytest.Refuse(), says: "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := agencytest.New(t)
				server.On(path, test.step)
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
	if d.Code != "us-fsis" || d.Country != "US" || d.Licence == "" || d.Attribution == "" || !d.Republish || d.Interval >= d.Objective {
		t.Errorf("%+v", d)
	}
}
