package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLifetime(t *testing.T) {
	t.Parallel()
	l := NewLifetime()
	stopped, stop := context.WithCancel(t.Context())
	use, done, err := l.Use(stopped)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-use.Done()
	if err := l.Because(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller's end is %v", err)
	}
	done()

	var inUse atomic.Int64
	var begun sync.WaitGroup
	for range 10 {
		begun.Add(1)
		go func() {
			use, done, err := l.Use(t.Context())
			begun.Done()
			if err != nil {
				t.Errorf("Use: %v", err)
				return
			}
			inUse.Add(1)
			<-use.Done()
			if err := l.Because(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("the store's end is %v", err)
			}
			inUse.Add(-1)
			done()
		}()
	}
	begun.Wait()
	for range 2 {
		l.End()
		if n := inUse.Load(); n != 0 {
			t.Errorf("%d uses go on", n)
		}
	}
	if _, _, err := l.Use(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Use of what has ended: %v", err)
	}
}
