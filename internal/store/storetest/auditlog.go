package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
)

func entry(n int) account.Entry {
	return account.Entry{
		At: minute(n), Action: "session.start", Actor: "user:" + idOf("user", n), Subject: "session:" + idOf("session", n),
		Outcome: "done", Network: "192.0.2.0", TraceID: fmt.Sprintf("%032x", n),
	}
}

func logOf(t testing.TB, s account.Store, after int64, limit int) []account.Entry {
	t.Helper()
	var all []account.Entry
	do(t, s.Entries(t.Context(), after, limit, func(e account.Entry) error {
		all = append(all, e)
		return nil
	}))
	return all
}

func entries(t *testing.T, s account.Store) {
	ctx := t.Context()
	same(t, "an empty log", logOf(t, s, 0, 0), []account.Entry(nil))
	same(t, "the head of an empty log", must(account.Verify(ctx, s, account.Head{}))(t), account.Head{})
	var want []account.Entry
	var last account.Entry
	for n := range 5 {
		e := entry(n)
		if n == 3 {
			e = account.Entry{}
		}
		last = e.Seal(last)
		want = append(want, last)
		same(t, "what was stored", must(s.AppendEntry(ctx, e))(t), last)
		same(t, "the last", must(s.LastEntry(ctx))(t), last)
	}
	same(t, "all", logOf(t, s, 0, 0), want)
	same(t, "the first two", logOf(t, s, 0, 2), want[:2])
	same(t, "two in the middle", logOf(t, s, 2, 2), want[2:4])
	same(t, "after the last", logOf(t, s, 5, 2), []account.Entry(nil))
	enough := errors.New("enough")
	seen := 0
	if err := s.Entries(ctx, 0, 0, func(account.Entry) error { seen++; return enough }); !errors.Is(err, enough) || seen != 1 {
		t.Errorf("the error of yield came back as %v after %d entries", err, seen)
	}
	head := must(account.Verify(ctx, s, account.Head{Seq: 2, Hash: want[1].Hash}))(t)
	same(t, "the head", head, account.Head{Seq: 5, Hash: want[4].Hash})
}

// entriesGrow reads more than one page, while the log grows for a while.
func entriesGrow(t *testing.T, s account.Store) {
	const first, more = 505, 20
	var last account.Entry
	for n := range first {
		last = must(s.AppendEntry(t.Context(), entry(n)))(t)
	}
	want, added := int64(0), 0
	do(t, s.Entries(t.Context(), 0, 0, func(e account.Entry) error {
		if want++; e.Seq != want {
			t.Fatalf("entry %d in place of %d", e.Seq, want)
		}
		if added < more {
			added++
			last = must(s.AppendEntry(t.Context(), entry(first+added)))(t)
		}
		return nil
	}))
	if want != first+more {
		t.Errorf("%d entries were read, want %d", want, first+more)
	}
	head := must(account.Verify(t.Context(), s, account.Head{}))(t)
	same(t, "the head", head, account.Head{Seq: last.Seq, Hash: last.Hash})
}

func processesAppend(t *testing.T, stores []account.Store) {
	const each = 10
	var lock sync.Mutex
	numbers := map[int64]bool{}
	together(stores, func(s account.Store, worker int) {
		for n := range each {
			e, err := s.AppendEntry(t.Context(), entry(worker*each+n))
			if err != nil {
				t.Errorf("AppendEntry: %v", err)
			}
			lock.Lock()
			numbers[e.Seq] = true
			lock.Unlock()
		}
	})
	all := len(stores) * workers * each
	if len(numbers) != all {
		t.Errorf("%d numbers for %d entries", len(numbers), all)
	}
	if head := must(account.Verify(t.Context(), stores[1], account.Head{}))(t); head.Seq != int64(all) {
		t.Errorf("the log ends at %d, want %d", head.Seq, all)
	}
}

func accountsCancelled(t *testing.T, s account.Store) {
	with(t, s, person(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"CreateUser":   s.CreateUser(ctx, person(2)),
		"User":         second(s.User(ctx, person(1).ID)),
		"FailLogin":    second(s.FailLogin(ctx, person(1).ID)),
		"StartSession": s.StartSession(ctx, signIn(1, person(1).ID), secret(1)),
		"AppendEntry":  second(s.AppendEntry(ctx, entry(1))),
		"Entries":      s.Entries(ctx, 0, 0, func(account.Entry) error { return nil }),
		"BeginAttempt": second(s.BeginAttempt(ctx, "user:1", "a", nil, minute(1), time.Minute, time.Hour)),
		"Sweep":        s.Sweep(ctx, minute(1), minute(1)),
	} {
		refused(t, what, err, context.Canceled)
	}
	same(t, "the users", must(s.Users(t.Context(), "", 0))(t), []account.User{person(1)})
	same(t, "the log", logOf(t, s, 0, 0), []account.Entry(nil))
}
