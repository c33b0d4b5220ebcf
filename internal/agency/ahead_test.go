package agency_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/crownsafe/api/internal/agency"
)

// numbers is an array of the numbers from 1 up to last.
func numbers(last int) *json.Decoder {
	list := make([]string, last)
	for i := range list {
		list[i] = fmt.Sprint(i + 1)
	}
	return agency.NewJSONDecoder(strings.NewReader("[" + strings.Join(list, ",") + "]"))
}

func TestEachElementAhead_keepsTheOrder(t *testing.T) {
	t.Parallel()
	const last = 1000
	delivered := 0
	err := agency.EachElementAhead(numbers(last), func(position int, raw json.RawMessage) func() error {
		said := string(raw)
		return func() error {
			delivered++
			if position != delivered || said != fmt.Sprint(delivered) {
				return fmt.Errorf("element %d, %s, comes as number %d", position, said, delivered)
			}
			return nil
		}
	})
	if err != nil || delivered != last {
		t.Errorf("%d of %d elements: %v", delivered, last, err)
	}
}

// The first element isn't ready before another one has been worked on.
func TestEachElementAhead_worksOnSeveralAtOnce(t *testing.T) {
	t.Parallel()
	other := make(chan struct{})
	err := agency.EachElementAhead(numbers(2), func(position int, _ json.RawMessage) func() error {
		if position == 1 {
			<-other
		} else {
			close(other)
		}
		return func() error { return nil }
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEachElementAhead_endsWithTheFirstError(t *testing.T) {
	t.Parallel()
	const last, failing = 100_000, 5
	broken := errors.New("broken")
	var worked atomic.Int64
	delivered := 0
	err := agency.EachElementAhead(numbers(last), func(position int, _ json.RawMessage) func() error {
		worked.Add(1)
		return func() error {
			delivered++
			if position == failing {
				return broken
			}
			return nil
		}
	})
	if !errors.Is(err, broken) || delivered != failing || worked.Load() > last/10 {
		t.Errorf("error %v after %d elements, %d of them worked on", err, delivered, worked.Load())
	}
}

func TestEachElementAhead_panicsWhereItWasCalled(t *testing.T) {
	t.Parallel()
	delivered := 0
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "element 3") || !strings.Contains(v, "ahead_test.go") || delivered != 2 {
			t.Errorf("%d elements, and then a panic: %.100s", delivered, v)
		}
	}()
	_ = agency.EachElementAhead(numbers(10), func(position int, _ json.RawMessage) func() error {
		if position == 3 {
			panic("element 3")
		}
		return func() error { delivered++; return nil }
	})
}
