package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

// neighbour is one of many in a network of IPv6, each with a /64 of their own.
func neighbour(n int) auth.Origin {
	return auth.Origin{Address: netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1, byte(n >> 8), byte(n), 15: 1})}
}

// TestAFamiliarNetworkIsNoWayToGuessForEver: whoever sits where the user is signed in
// has more tries than others, and not endlessly many, however many addresses they have.
func TestAFamiliarNetworkIsNoWayToGuessForEver(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		_, err := b.Login(t.Context(), ada, password, neighbour(0))
		must(t, err)
		locked, from := 0, 1
		b.Service = b.another(func(o *auth.Options) {
			o.SignIn = func(outcome string) {
				if outcome == "locked" {
					locked++
				}
			}
		})
		tried := func(tries int) int {
			before := locked
			for range tries {
				from++
				_, err := b.Login(t.Context(), ada, another, neighbour(from))
				wants(t, "a wrong password", err, auth.ErrCredentials)
			}
			return tries - (locked - before)
		}
		if n := tried(60); n < 20 || n > 30 {
			t.Errorf("%d passwords were tried at once", n)
		}
		_, err = b.Login(t.Context(), ada, password, neighbour(0))
		wants(t, "the right one, held back", err, auth.ErrCredentials)
		day := 0
		for range 24 * 12 {
			b.wait(5 * time.Minute)
			day += tried(2)
		}
		if day < 100 || day > 200 { // four an hour beside the four that are tried for anybody
			t.Errorf("%d passwords were tried in a day", day)
		}
		must(t, b.RequestReset(t.Context(), ada, elsewhere))
		must(t, b.Reset(t.Context(), b.letter(t), another+"-anew", elsewhere))
		_, err = b.Login(t.Context(), ada, another+"-anew", neighbour(0))
		must(t, err) // a letter ends the pause
		if n := tried(15); n != 15 {
			t.Errorf("%d of 15 were tried at a new password: the old one's are counted", n)
		}
	})
}

// TestTheRightPasswordEndsTheCountOfItsNetwork: nobody's own slips add up.
func TestTheRightPasswordEndsTheCountOfItsNetwork(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		_, err := b.Login(t.Context(), ada, password, neighbour(0))
		must(t, err)
		for round := range 4 {
			for n := range 12 {
				_, err := b.Login(t.Context(), ada, another, neighbour(100*round+n))
				wants(t, "a wrong password", err, auth.ErrCredentials)
			}
			_, err := b.Login(t.Context(), ada, password, neighbour(0))
			must(t, err)
		}
	})
}

// TestTwoProcessesMakeNoMoreKeysThanThereMayBe, and the audit log says of each whether
// it was made.
func TestTwoProcessesMakeNoMoreKeysThanThereMayBe(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		caller, err := b.Authenticate(t.Context(), bearer(b.member(t).AccessToken))
		must(t, err)
		var made atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			process := b.another()
			group.Go(func() {
				for range 15 {
					_, text, err := process.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop"}, home)
					if err == nil {
						made.Add(1)
						continue
					}
					if wants(t, "one too many", err, auth.ErrTooManyKeys); text != "" {
						t.Error("a key that wasn't made has a text")
					}
				}
			})
		}
		group.Wait()
		keys, err := b.Keys(t.Context(), caller)
		must(t, err)
		if made.Load() != auth.MaxKeys || len(keys) != auth.MaxKeys {
			t.Errorf("%d were made, %d are there", made.Load(), len(keys))
		}
		_, _, err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Replaces: keys[0].ID, Overlap: time.Hour}, home)
		wants(t, "in place of one, with an overlap", err, auth.ErrTooManyKeys)
		told := map[string]int{}
		must(t, b.store.Entries(t.Context(), 0, 0, func(e account.Entry) error {
			if e.Action == "key.create" {
				told[e.Subject] += map[string]int{"done": 1, "refused": -1}[e.Outcome]
			}
			return nil
		}))
		for _, key := range keys {
			if told["key:"+key.ID]--; told["key:"+key.ID] != 0 {
				t.Errorf("the log doesn't tell once of key %s", key.ID)
			}
		}
		for subject, n := range told {
			if n != 0 {
				t.Errorf("the log says of %s that it was made", subject)
			}
		}
	})
}

// TestASessionSlidesToItsLastDay: what is refreshed late says itself when it ends.
func TestASessionSlidesToItsLastDay(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in := b.member(t)
		last := in.Session.CreatedAt.Add(auth.SessionLasts)
		for range 4 { // the 80th day
			b.wait(20 * 24 * time.Hour)
			next, err := b.Refresh(t.Context(), in.RefreshToken, home)
			must(t, err)
			want := b.now().Add(auth.RefreshLasts)
			if last.Before(want) {
				want = last
			}
			if !next.Session.ExpiresAt.Equal(want) {
				t.Errorf("refreshed on %s it ends on %s, want %s", b.now(), next.Session.ExpiresAt, want)
			}
			in = next
		}
		b.wait(10*24*time.Hour - time.Microsecond)
		in, err := b.Refresh(t.Context(), in.RefreshToken, home)
		must(t, err)
		if !in.Session.ExpiresAt.Equal(last) {
			t.Errorf("at its end it ends on %s, want %s", in.Session.ExpiresAt, last)
		}
		b.wait(time.Microsecond)
		_, err = b.Refresh(t.Context(), in.RefreshToken, home)
		wants(t, "after its end", err, auth.ErrInvalid)
	})
}

// TestAccountsThatNobodyConfirmsGo, and the audit log tells it.
func TestAccountsThatNobodyConfirmsGo(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		must(t, b.Register(t.Context(), "never@example.org", password, elsewhere))
		must(t, b.Register(t.Context(), "again@example.org", password, elsewhere))
		gone, err := b.UserByEmail(t.Context(), "never@example.org")
		must(t, err)
		sweeps := func(s *auth.Service, left ...string) {
			t.Helper()
			must(t, s.DeleteAbandoned(t.Context()))
			var emails []string
			must(t, b.Users(t.Context(), func(u account.User) error {
				emails = append(emails, strings.ToLower(u.Email))
				return nil
			}))
			if strings.Join(emails, " ") != strings.Join(left, " ") {
				t.Errorf("left are %q, want %q", emails, left)
			}
		}
		b.wait(auth.AbandonedAfter - time.Hour)
		must(t, b.Register(t.Context(), "again@example.org", another, home)) // another letter is on its way
		sweeps(b.Service, "ada@example.org", "never@example.org", "again@example.org")
		b.wait(2 * time.Hour)
		open := b.another(func(o *auth.Options) { o.Verified = false })
		sweeps(open, "ada@example.org", "never@example.org", "again@example.org") // nobody need confirm there
		b.broken = true
		wants(t, "what the log can't be told", b.DeleteAbandoned(t.Context()), store.ErrFull)
		b.broken = false
		sweeps(b.Service, "ada@example.org", "again@example.org")
		must(t, b.Verify(t.Context(), b.letter(t), home))
		b.wait(2 * auth.AbandonedAfter)
		sweeps(b.Service, "ada@example.org", "again@example.org")
		entry, err := b.entry(t, "user.abandon")
		if must(t, err); entry.Subject != "user:"+gone.ID || entry.Actor != "system" || entry.Outcome != "done" {
			t.Errorf("the log says %+v", entry)
		}
		must(t, b.Register(t.Context(), "never@example.org", password, home)) // the address is free again
		must(t, b.Verify(t.Context(), b.letter(t), home))
	})
}

// entry returns the only entry of the audit log of an action.
func (b *bench) entry(t *testing.T, action string) (entry account.Entry, err error) {
	t.Helper()
	n := 0
	err = b.store.Entries(t.Context(), 0, 0, func(e account.Entry) error {
		if e.Action == action {
			entry, n = e, n+1
		}
		return nil
	})
	if n != 1 {
		t.Errorf("%d entries of %s", n, action)
	}
	return entry, err
}

// removing is a store in which a user goes at the last moment before something is
// kept for them.
type removing struct {
	account.Store
	once sync.Once
}

func (r *removing) remove(t *testing.T, id string) {
	r.once.Do(func() { must(t, r.DeleteUser(t.Context(), id)) })
}

// TestWhoIsRemovedThisVeryMoment registers anew, or learns that the letter is good no more.
func TestWhoIsRemovedThisVeryMoment(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		must(t, b.Register(t.Context(), ada, password, home))
		user, err := b.UserByEmail(t.Context(), ada)
		must(t, err)
		token := b.letter(t)
		verifying := &onVerified{removing: removing{Store: b.store}, t: t}
		err = b.another(func(o *auth.Options) { o.Store = verifying }).Verify(t.Context(), token, home)
		wants(t, "confirming", err, auth.ErrInvalid)
		if _, err := b.UserByEmail(t.Context(), ada); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("user %s is there: %v", user.ID, err)
		}
		must(t, b.Register(t.Context(), ada, password, home))
		saving := &onSaved{removing: removing{Store: b.store}, t: t}
		must(t, b.another(func(o *auth.Options) { o.Store = saving }).Register(t.Context(), ada, another, home))
		must(t, b.Verify(t.Context(), b.letter(t), home))
		_, err = b.Login(t.Context(), ada, another, home)
		must(t, err)
	})
}

type onVerified struct {
	removing
	t *testing.T
}

func (r *onVerified) SetVerified(ctx context.Context, id string, at time.Time) error {
	r.remove(r.t, id)
	return r.Store.SetVerified(ctx, id, at)
}

type onSaved struct {
	removing
	t *testing.T
}

func (r *onSaved) SaveToken(ctx context.Context, token account.Token) error {
	r.remove(r.t, token.UserID)
	return r.Store.SaveToken(ctx, token)
}

// TestAnExportHasEverything that is kept about a person, and nothing of another's.
func TestAnExportHasEverything(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		must(t, b.Register(ctx, "other@example.org", password, elsewhere))
		must(t, b.Verify(ctx, b.letter(t), elsewhere))
		others, err := b.Login(ctx, "other@example.org", password, elsewhere)
		must(t, err)
		b.member(t) // a session that stays
		caller, err := b.Authenticate(ctx, bearer(b.loggedIn(t).AccessToken))
		must(t, err)
		key, _, err := b.CreateKey(ctx, caller, auth.NewKey{Name: "shop"}, home)
		must(t, err)
		must(t, b.RevokeKey(ctx, caller, key.ID, home))
		left := b.loggedIn(t)
		must(t, b.EndSession(ctx, caller, left.Session.ID, home))
		stolen := b.loggedIn(t)
		_, err = b.Refresh(ctx, stolen.RefreshToken, home)
		must(t, err)
		_, err = b.Refresh(ctx, stolen.RefreshToken, elsewhere)
		wants(t, "a stolen token", err, auth.ErrInvalid)
		for range 5 {
			_, err = b.Login(ctx, ada, another, elsewhere)
			wants(t, "a wrong password", err, auth.ErrCredentials)
		}
		_, err = b.Login(ctx, ada, password, elsewhere)
		wants(t, "held back", err, auth.ErrCredentials)
		must(t, b.RequestReset(ctx, ada, elsewhere))
		b.Settle(ctx)
		_, err = b.store.BeginAttempt(ctx, "user:"+caller.UserID, "an order", nil, b.now(), time.Minute, time.Hour)
		must(t, err)

		held, err := b.Export(ctx, caller, home)
		must(t, err)
		ended := 0
		for _, session := range held.Sessions {
			if !session.EndedAt.IsZero() {
				ended++
			}
			if session.UserID != caller.UserID {
				t.Errorf("a session of %s", session.UserID)
			}
		}
		if len(held.Sessions) != 4 || ended != 2 || len(held.Keys) != 1 || len(held.Tokens) != 1 || len(held.Attempts) != 1 {
			t.Errorf("exported %d sessions, of which %d ended, %d keys, %d tokens, %d attempts", len(held.Sessions), ended, len(held.Keys), len(held.Tokens), len(held.Attempts))
		}
		if held.User.Failures != 5 || held.User.LockedUntil.IsZero() {
			t.Errorf("exported %d failures, locked until %s", held.User.Failures, held.User.LockedUntil)
		}
		complete := func(held auth.Holdings) {
			t.Helper()
			says := map[string]int{}
			for _, e := range held.Entries {
				says[e.Action+" "+e.Outcome+" "+e.Reason]++
				if strings.Contains(e.Subject, others.Session.ID) || strings.Contains(e.Subject+e.Actor, others.User.ID) {
					t.Errorf("another's entry: %+v", e)
				}
			}
			for _, want := range []string{
				"user.register done ", "user.verify done ", "session.start done ", "session.start refused password", "session.start refused held_back",
				"session.end done ", "session.reuse refused reused", "key.create done ", "key.revoke done ", "user.reset_request done ", "user.export done ",
			} {
				if says[want] == 0 {
					t.Errorf("no entry of %q among %v", want, says)
				}
			}
		}
		complete(held)
		// What is swept out of the store is still told of in the log.
		must(t, b.store.Sweep(ctx, b.now().Add(time.Minute), b.now()))
		held, err = b.Export(ctx, caller, home)
		must(t, err)
		if len(held.Sessions) != 2 || len(held.Keys) != 0 {
			t.Fatalf("%d sessions and %d keys are left: the test says nothing", len(held.Sessions), len(held.Keys))
		}
		complete(held)
	})
}

// loggedIn signs the member in once more.
func (b *bench) loggedIn(t *testing.T) auth.SignedIn {
	t.Helper()
	in, err := b.Login(t.Context(), ada, password, home)
	must(t, err)
	return in
}
