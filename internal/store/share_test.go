package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSharedCondition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		broken := errors.New("broken")
		shared := ShareCondition(func(ctx context.Context) (Condition, error) {
			asked++
			time.Sleep(300 * time.Millisecond) // it takes a while
			if asked == 3 {
				return Condition{}, broken
			}
			return Condition{Schema: int64(asked)}, ctx.Err()
		})
		get := func(want int64, wantErr error) {
			t.Helper()
			if c, err := shared.Get(t.Context()); c.Schema != want || !errors.Is(err, wantErr) {
				t.Errorf("got answer %d, %v, want %d, %v", c.Schema, err, want, wantErr)
			}
		}
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { get(1, nil) })
		}
		group.Wait()
		time.Sleep(999 * time.Millisecond)
		get(1, nil)
		time.Sleep(time.Millisecond)
		get(2, nil)
		time.Sleep(time.Second)
		get(0, broken)
		time.Sleep(999 * time.Millisecond)
		get(0, broken) // an error is an answer too
		time.Sleep(time.Millisecond)

		// Who gives up waiting leaves the question to the others.
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		group.Go(func() { get(4, nil) })
		if _, err := shared.Get(hurried); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gave up got %v", err)
		}
		group.Wait()
		if asked != 4 {
			t.Errorf("asked %d times", asked)
		}
		shared.Close()
		get(0, ErrClosed)
	})
}

// A question that isn't answered has an end.
func TestSharedConditionEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := ShareCondition(func(ctx context.Context) (Condition, error) {
			<-ctx.Done()
			return Condition{}, ctx.Err()
		})
		start := time.Now()
		if _, err := shared.Get(t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > conditionWithin {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}
