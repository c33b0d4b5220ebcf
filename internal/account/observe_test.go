package account

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOperationsNamesWhatIsObserved calls every operation: metrics begin with a
// series for each that is named.
func TestOperationsNamesWhatIsObserved(t *testing.T) {
	t.Parallel()
	var begun, ended []string
	s := Observe(nil, func(ctx context.Context, operation string) (context.Context, func(error)) {
		begun = append(begun, operation)
		return ctx, func(err error) {
			if !errors.Is(err, errPanicked) {
				t.Errorf("%s is said to have gone like this: %v", operation, err)
			}
			ended = append(ended, operation)
		}
	})
	for i := range reflect.TypeFor[Store]().NumMethod() {
		method := reflect.ValueOf(s).MethodByName(reflect.TypeFor[Store]().Method(i).Name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		func() {
			defer func() { _ = recover() }() // there is no store behind
			method.Call(args)
		}()
	}
	want := slices.Sorted(slices.Values(Operations()))
	for _, got := range [][]string{begun, ended} {
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("observed: %s", diff)
		}
	}
}

// oneEntry is a store whose log has one entry.
type oneEntry struct{ Store }

func (oneEntry) Entries(_ context.Context, _ int64, _ int, yield func(Entry) error) error {
	return yield(Entry{Seq: 1})
}

func TestACallersOwnErrorIsNotTheStores(t *testing.T) {
	t.Parallel()
	var told error
	s := Observe(oneEntry{}, func(ctx context.Context, _ string) (context.Context, func(error)) {
		return ctx, func(err error) { told = err }
	})
	own := errors.New("enough")
	if err := s.Entries(t.Context(), 0, 0, func(Entry) error { return own }); !errors.Is(err, own) || told != nil {
		t.Errorf("the caller got %v, and the store is said to have gone like this: %v", err, told)
	}
}
