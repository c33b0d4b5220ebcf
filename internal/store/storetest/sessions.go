package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// signIn makes an invented session of a user, different for each n, good for an hour.
func signIn(n int, userID string) account.Session {
	return account.Session{
		ID: idOf("session", n), UserID: userID, Kind: account.SessionAPI,
		CreatedAt: minute(n), LastUsedAt: minute(n), ExpiresAt: minute(n + 60),
		Agent: fmt.Sprintf("Phone %d", n), Network: "192.0.2.0",
	}
}

// signedIn starts invented sessions of a user, whose secrets are named like them.
func signedIn(t testing.TB, s account.Store, userID string, numbers ...int) []account.Session {
	t.Helper()
	var sessions []account.Session
	for _, n := range numbers {
		sessions = append(sessions, signIn(n, userID))
		do(t, s.StartSession(t.Context(), signIn(n, userID), secret(n)))
	}
	return sessions
}

func secret(n int) []byte { return hashOf(fmt.Sprintf("secret %d", n)) }

func sessionsComeBack(t *testing.T, s account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, s, u, person(2))
	all := signedIn(t, s, u.ID, 1, 2)
	ended := signIn(3, u.ID)
	ended.Kind, ended.EndedAt, ended.Agent, ended.Network = account.SessionBrowser, minute(4), "", ""
	do(t, s.StartSession(ctx, ended, secret(3)))
	signedIn(t, s, person(2).ID, 4)
	for i, want := range append(all, ended) {
		same(t, "by id", must(s.Session(ctx, want.ID))(t), want)
		same(t, "by secret", must(s.SessionBySecret(ctx, secret(i+1)))(t), want)
	}
	same(t, "all of one user's", must(s.SessionsOf(ctx, u.ID))(t), []account.Session{ended, all[1], all[0]})
	same(t, "the live ones", must(s.Sessions(ctx, u.ID, minute(60)))(t), []account.Session{all[1], all[0]})
	same(t, "those that are live at the end of one", must(s.Sessions(ctx, u.ID, minute(61)))(t), all[1:])
	if err := s.StartSession(ctx, signIn(5, u.ID), secret(1)); err == nil {
		t.Error("a second session with a secret")
	}
	refused(t, "a session that failed to start", second(s.Session(ctx, signIn(5, u.ID).ID)), store.ErrNotFound)
}

func sessionsRotate(t *testing.T, s account.Store) {
	ctx := t.Context()
	with(t, s, person(1))
	want := signedIn(t, s, person(1).ID, 1)[0]
	for n := 2; n < 5; n++ {
		want.LastUsedAt, want.ExpiresAt = minute(n), minute(n+100)
		same(t, "rotated", must(s.RotateSecret(ctx, secret(n-1), secret(n), minute(n), minute(n+100)))(t), want)
		same(t, "by id", must(s.Session(ctx, want.ID))(t), want)
		same(t, "by the new secret", must(s.SessionBySecret(ctx, secret(n)))(t), want)
		refused(t, "by the old secret", second(s.SessionBySecret(ctx, secret(n-1))), store.ErrNotFound)
	}
	if err := second(s.RotateSecret(ctx, secret(4), secret(2), minute(5), minute(100))); err == nil {
		t.Error("a secret that was given out before is given out again")
	}
	same(t, "after a change that failed", must(s.SessionBySecret(ctx, secret(4)))(t), want)
}

func sessionsReuse(t *testing.T, s account.Store) {
	ctx := t.Context()
	with(t, s, person(1))
	all := signedIn(t, s, person(1).ID, 1, 10)
	must(s.RotateSecret(ctx, secret(1), secret(2), minute(11), minute(90)))(t)
	want := must(s.RotateSecret(ctx, secret(2), secret(3), minute(12), minute(91)))(t)
	want.EndedAt = minute(13)
	for _, old := range []int{1, 2} { // the first ends it, whichever it is
		session, err := s.RotateSecret(ctx, secret(old), secret(4), minute(13), minute(92))
		expected := account.ErrReused
		if old == 2 {
			expected = account.ErrEnded
		}
		refused(t, "a secret that was replaced", err, expected)
		same(t, "the session", session, want)
	}
	session, err := s.RotateSecret(ctx, secret(3), secret(4), minute(13), minute(92))
	refused(t, "the present secret of a session that has ended", err, account.ErrEnded)
	same(t, "the session", session, want)
	same(t, "by the present secret", must(s.SessionBySecret(ctx, secret(3)))(t), want)
	refused(t, "by a secret that was never given out", second(s.SessionBySecret(ctx, secret(4))), store.ErrNotFound)
	same(t, "the live ones", must(s.Sessions(ctx, person(1).ID, minute(13)))(t), all[1:])
}

func sessionsOver(t *testing.T, s account.Store) {
	ctx := t.Context()
	with(t, s, person(1))
	expired, ended := signedIn(t, s, person(1).ID, 1)[0], signedIn(t, s, person(1).ID, 2)[0]
	do(t, s.EndSession(ctx, person(1).ID, ended.ID, minute(3)))
	ended.EndedAt = minute(3)
	for n, want := range []account.Session{expired, ended} {
		session, err := s.RotateSecret(ctx, secret(n+1), secret(n+10), minute(61), minute(200))
		refused(t, "rotating", err, account.ErrEnded)
		same(t, "the session", session, want)
		same(t, "what is stored", must(s.SessionBySecret(ctx, secret(n+1)))(t), want)
		refused(t, "ending", s.EndSession(ctx, person(1).ID, want.ID, minute(61)), store.ErrNotFound)
	}
	must(s.RotateSecret(ctx, secret(1), secret(3), minute(61).Add(-time.Microsecond), minute(200)))(t)
}

func sessionsTouched(t *testing.T, s account.Store) {
	ctx := t.Context()
	with(t, s, person(1))
	all := signedIn(t, s, person(1).ID, 1, 2)
	want := all[0]
	touch := func(at, expires time.Time) {
		t.Helper()
		do(t, s.TouchSession(ctx, want.ID, at, expires))
		same(t, "touched", must(s.Session(ctx, want.ID))(t), want)
	}
	want.LastUsedAt = minute(10)
	touch(minute(10), time.Time{})
	want.ExpiresAt = minute(80)
	touch(minute(10), minute(80))
	touch(minute(9), minute(90)) // earlier than what is stored
	want.LastUsedAt, want.ExpiresAt = minute(11), minute(70)
	touch(minute(11), minute(70))
	same(t, "another", must(s.Session(ctx, all[1].ID))(t), all[1])
}

func sessionsEnd(t *testing.T, s account.Store) {
	ctx, one, other := t.Context(), person(1), person(2)
	with(t, s, one, other)
	mine, theirs := signedIn(t, s, one.ID, 1, 2, 3, 4), signedIn(t, s, other.ID, 5)
	refused(t, "ending another's", s.EndSession(ctx, one.ID, theirs[0].ID, minute(6)), store.ErrNotFound)
	do(t, s.EndSession(ctx, one.ID, mine[0].ID, minute(6)))
	refused(t, "ending one again", s.EndSession(ctx, one.ID, mine[0].ID, minute(7)), store.ErrNotFound)
	mine[0].EndedAt = minute(6)
	same(t, "ended", must(s.Session(ctx, mine[0].ID))(t), mine[0])
	// The second has expired by then.
	ended := must(s.EndSessions(ctx, one.ID, mine[2].ID, minute(62)))(t)
	same(t, "all but one", ended, []string{mine[3].ID})
	same(t, "what is left", must(s.Sessions(ctx, one.ID, minute(62)))(t), mine[2:3])
	ended = must(s.EndSessions(ctx, one.ID, "", minute(7)))(t)
	slices.Sort(ended)
	same(t, "all", ended, []string{mine[1].ID, mine[2].ID})
	same(t, "none is left", must(s.Sessions(ctx, one.ID, minute(1)))(t), []account.Session(nil))
	same(t, "another's", must(s.Sessions(ctx, other.ID, minute(7)))(t), theirs)
}

// processesRotate: one of many with one secret gets a new one. The next ends the
// session, and all others find it so.
func processesRotate(t *testing.T, stores []account.Store) {
	with(t, stores[0], person(1))
	id := signedIn(t, stores[0], person(1).ID, 1)[0].ID
	var rotated, reused, ended atomic.Int64
	together(stores, func(s account.Store, worker int) {
		session, err := s.RotateSecret(t.Context(), secret(1), secret(10+worker), minute(2), minute(70))
		switch {
		case err == nil:
			rotated.Add(1)
		case errors.Is(err, account.ErrReused):
			reused.Add(1)
		case errors.Is(err, account.ErrEnded):
			ended.Add(1)
		default:
			t.Errorf("RotateSecret: %v", err)
		}
		if session.ID != id {
			t.Errorf("RotateSecret returned session %q", session.ID)
		}
	})
	if rotated.Load() != 1 || reused.Load() != 1 || ended.Load() != int64(workers*len(stores)-2) {
		t.Errorf("%d rotated, %d reused, %d found it ended", rotated.Load(), reused.Load(), ended.Load())
	}
	if session := must(stores[0].Session(t.Context(), id))(t); session.Live(minute(3)) {
		t.Error("a session goes on of whose secret there is a copy")
	}
}
