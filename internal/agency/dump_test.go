package agency_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
)

func TestSeriesEndsWithItsLastPayload(t *testing.T) {
	for _, complete := range []bool{true, false} {
		var got []string
		s := agency.NewSeries(func(p agency.Payload) error {
			got = append(got, fmt.Sprint(p.URL, p.Complete))
			return nil
		})
		if !s.Empty() {
			t.Error("a new series is not empty")
		}
		for _, url := range []string{"a", "b", "c"} {
			if err := s.Add(agency.Payload{URL: url}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.End(complete); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"afalse", "bfalse", fmt.Sprint("c", complete)}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSeriesPassesOnThatTheReceiverWantsNoMore(t *testing.T) {
	full := errors.New("full")
	s := agency.NewSeries(func(agency.Payload) error { return full })
	if err := s.Add(agency.Payload{}); err != nil {
		t.Errorf("the first payload is held back: %v", err)
	}
	if err := s.Add(agency.Payload{}); !errors.Is(err, full) {
		t.Errorf("error = %v, want the receiver's", err)
	}
}

func TestNarrowerMayWork(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"an error with status 200": {fmt.Errorf("asking: %w", &agency.AnswerError{}), true},
		"half an answer":           {fmt.Errorf("asking: %w", agency.ErrTruncated), true},
		"trouble at the server":    {fmt.Errorf("asking: %w", &agency.StatusError{Status: 503}), true},
		"a refusal":                {&agency.StatusError{Status: 403}, false},
		"no connection":            {errors.New("connection refused"), false},
	} {
		if got := agency.NarrowerMayWork(test.err); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
