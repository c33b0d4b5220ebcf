package agency_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/agency"
)

func TestEachRecord(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		want    []string
		cut     bool
	}{
		"array":                 {`[{"a":1},{"a":2}]`, []string{`{"a":1}`, `{"a":2}`}, false},
		"list in an object":     {"\ufeff" + ` {"total":2,"results":[{"a":1},{"a":2}]}`, []string{`{"a":1}`, `{"a":2}`}, false},
		"one record":            {`{"b":[1],"a":1}`, []string{`{"a":1,"b":[1]}`}, false},
		"empty list":            {`{"results":[]}`, nil, false},
		"cut array":             {`[{"a":1},{"a"`, []string{`{"a":1}`}, true},
		"cut list":              {`{"results":[{"a":1}]`, []string{`{"a":1}`}, true},
		"cut in the one record": {`{"a":1,"b":`, nil, true},
		"nothing":               {"", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := agency.EachRecord(strings.NewReader(c.payload), []string{"results"}, func(position int, raw json.RawMessage) error {
				if position != len(got)+1 {
					t.Errorf("position %d, want %d", position, len(got)+1)
				}
				got = append(got, string(raw))
				return nil
			})
			if c.cut != errors.Is(err, agency.ErrTruncated) || !c.cut && err != nil {
				t.Errorf("error %v, want ErrTruncated: %t", err, c.cut)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEachRecordReturnsTheCallersError(t *testing.T) {
	stop := errors.New("enough")
	for _, payload := range []string{`[1,2]`, `{"results":[1,2]}`, `{"a":1}`} {
		err := agency.EachRecord(strings.NewReader(payload), []string{"results"}, func(int, json.RawMessage) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("%s: error %v, want the caller's own", payload, err)
		}
	}
}
