package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// unobserved are the methods of a store that aren't observed.
var unobserved = []string{"Close", "PoolStats", "Watch"}

// TestEveryOperationIsObserved calls every method of a store, so that a new one
// can't be forgotten: the embedded store would answer it unobserved.
func TestEveryOperationIsObserved(t *testing.T) {
	t.Parallel()
	var begun, ended []string
	type mark struct{}
	s := Observe(struct{ Store }{}, func(ctx context.Context, operation string) (context.Context, func(error)) {
		begun = append(begun, operation)
		return context.WithValue(ctx, mark{}, operation), func(err error) {
			if !errors.Is(err, errPanicked) {
				t.Errorf("%s is said to have gone like this: %v", operation, err)
			}
			ended = append(ended, operation)
		}
	})
	var want []string
	methods := reflect.TypeFor[interface {
		Store
		Identified
	}]()
	for i := range methods.NumMethod() {
		m := methods.Method(i)
		if slices.Contains(unobserved, m.Name) {
			continue
		}
		want = append(want, snake(m.Name))
		if m.Name == "Identity" { // of a store that has none
			continue
		}
		method := reflect.ValueOf(s).MethodByName(m.Name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		func() {
			defer func() { _ = recover() }() // there is no store behind
			method.Call(args)
		}()
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(Operations()))); diff != "" {
		t.Errorf("Operations: %s", diff)
	}
	want = slices.DeleteFunc(want, func(name string) bool { return name == "identity" })
	for _, got := range [][]string{begun, ended} {
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("observed: %s", diff)
		}
	}
}

// snake writes a method's name as operations are named.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// changing is a store with two changes, and an identity.
type changing struct {
	Store
	fault error
	saw   any
}

type markKey struct{}

func (c *changing) Changes(ctx context.Context, _ int64, _ int, yield func(Stored) error) error {
	c.saw = ctx.Value(markKey{})
	for serial := range int64(2) {
		if err := yield(Stored{Serial: serial + 1}); err != nil {
			return err
		}
	}
	return c.fault
}

func (*changing) Identity(context.Context) (string, error) { return "this one", nil }

// TestObservationTellsWhoseFaultItIs holds a store's errors apart from its
// caller's, who may just have seen enough.
func TestObservationTellsWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	for _, c := range []struct {
		name                          string
		fault, yields, told, returned error
	}{
		{"all is well", nil, nil, nil, nil},
		{"the store fails", ErrUnavailable, nil, ErrUnavailable, ErrUnavailable},
		{"the caller has enough", ErrUnavailable, enough, nil, enough},
	} {
		inner := &changing{fault: c.fault}
		told := errors.New("nothing was told")
		s := Observe(inner, func(ctx context.Context, _ string) (context.Context, func(error)) {
			return context.WithValue(ctx, markKey{}, c.name), func(err error) { told = err }
		})
		err := s.Changes(t.Context(), 0, 0, func(Stored) error { return c.yields })
		if !errors.Is(err, c.returned) || !errors.Is(told, c.told) || told != nil && c.told == nil {
			t.Errorf("%s: returned %v and told %v", c.name, err, told)
		}
		if inner.saw != c.name {
			t.Errorf("%s: the store went on with another context", c.name)
		}
		if identity, err := IdentityOf(t.Context(), s); err != nil || identity != "this one" {
			t.Errorf("the identity is %q, %v", identity, err)
		}
	}
}
