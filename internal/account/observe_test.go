package account

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

// TestEveryOperationIsObserved calls every method of a store, of which there is
// none behind, so that a new one can't be forgotten or named after another.
func TestEveryOperationIsObserved(t *testing.T) {
	t.Parallel()
	var ended []string
	s := Observe(struct{ Store }{}, func(ctx context.Context, operation string) (context.Context, func(error)) {
		return ctx, func(err error) {
			if !errors.Is(err, errPanicked) {
				t.Errorf("%s is said to have gone like this: %v", operation, err)
			}
			ended = append(ended, operation)
		}
	})
	var want []string
	methods := reflect.TypeFor[Store]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		want = append(want, snake(name))
		method := reflect.ValueOf(s).MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < method.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type().In(j)))
		}
		func() {
			defer func() { _ = recover() }() // there is no store behind
			method.Call(args)
		}()
		if len(ended) != i+1 || ended[i] != snake(name) {
			t.Fatalf("%s was observed as %q", name, ended[min(i, len(ended)):])
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(Operations()))); diff != "" {
		t.Errorf("Operations: %s", diff)
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

// logOnly is a store with a log and a key, that may fail.
type logOnly struct {
	Store
	log   list
	fault error
	saw   any
}

type markKey struct{}

func (l *logOnly) Entries(ctx context.Context, after int64, limit int, yield func(Entry) error) error {
	l.saw = ctx.Value(markKey{})
	if err := l.log.Entries(ctx, after, limit, yield); err != nil {
		return err
	}
	return l.fault
}

func (l *logOnly) KeyByHash(ctx context.Context, hash []byte) (Key, User, error) {
	l.saw = ctx.Value(markKey{})
	return Key{Hash: hash}, User{ID: "owner"}, l.fault
}

// TestObservationTellsWhoseFaultItIs holds a store's errors apart from its
// caller's, who may just have seen enough.
func TestObservationTellsWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	fault, enough := errors.New("no answer"), errors.New("enough")
	for name, c := range map[string]struct{ fault, yields, told, returned error }{
		"all is well":           {nil, nil, nil, nil},
		"the store fails":       {fault, nil, fault, fault},
		"the caller has enough": {fault, enough, nil, enough},
	} {
		inner := &logOnly{log: chain(2), fault: c.fault}
		told := errors.New("nothing was told")
		s := Observe(inner, func(ctx context.Context, _ string) (context.Context, func(error)) {
			return context.WithValue(ctx, markKey{}, name), func(err error) { told = err }
		})
		if err := s.Entries(t.Context(), 0, 0, func(Entry) error { return c.yields }); err != c.returned || told != c.told || inner.saw != name {
			t.Errorf("%s: returned %v, told %v, in the context of %v", name, err, told, inner.saw)
		}
		inner.saw = nil
		key, owner, err := s.KeyByHash(t.Context(), []byte{1})
		if string(key.Hash) != "\x01" || owner.ID != "owner" || err != c.fault || told != c.fault || inner.saw != name {
			t.Errorf("%s: returned %v, told %v, in the context of %v", name, err, told, inner.saw)
		}
	}
}
