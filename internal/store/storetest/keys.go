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

// appKey makes an invented key of a user, different for each n.
func appKey(n int, userID string) account.Key {
	return account.Key{
		ID: idOf("key", n), UserID: userID, Name: fmt.Sprintf("Shop %d", n), Prefix: fmt.Sprintf("cs_%04d", n),
		Hash: hashOf(fmt.Sprintf("key %d", n)), Scopes: []string{"lookup", "account"}, CreatedAt: minute(n),
	}
}

func withKeys(t testing.TB, s account.Store, keys ...account.Key) {
	t.Helper()
	for _, k := range keys {
		do(t, s.CreateKey(t.Context(), k))
	}
}

func keysComeBack(t *testing.T, s account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, s, u)
	plain, full := appKey(1, u.ID), appKey(2, u.ID)
	full.Scopes, full.ExpiresAt, full.RevokedAt, full.LastUsedAt = nil, minute(9), minute(8), minute(7)
	withKeys(t, s, plain, full)
	for _, want := range []account.Key{plain, full} {
		same(t, "by id", must(s.Key(ctx, u.ID, want.ID))(t), want)
		key, owner, err := s.KeyByHash(ctx, want.Hash)
		do(t, err)
		same(t, "by hash", key, want)
		same(t, "its owner", owner, u)
	}
	same(t, "all", must(s.Keys(ctx, u.ID))(t), []account.Key{full, plain})
	again := appKey(3, u.ID)
	again.Hash = plain.Hash
	if err := s.CreateKey(ctx, again); err == nil {
		t.Error("two keys with one hash")
	}
}

func keysOfOthers(t *testing.T, s account.Store) {
	ctx, one, other := t.Context(), person(1), person(2)
	with(t, s, one, other)
	key := appKey(1, one.ID)
	withKeys(t, s, key)
	refused(t, "reading another's", second(s.Key(ctx, other.ID, key.ID)), store.ErrNotFound)
	refused(t, "revoking another's", s.RevokeKey(ctx, other.ID, key.ID, minute(2)), store.ErrNotFound)
	refused(t, "replacing another's", s.ReplaceKey(ctx, appKey(2, other.ID), key.ID, minute(2)), store.ErrNotFound)
	same(t, "another's keys", must(s.Keys(ctx, other.ID))(t), []account.Key(nil))
	same(t, "the key", must(s.Key(ctx, one.ID, key.ID))(t), key)
	do(t, s.RevokeKey(ctx, one.ID, key.ID, minute(2)))
	refused(t, "revoking one again", s.RevokeKey(ctx, one.ID, key.ID, minute(3)), store.ErrNotFound)
	key.RevokedAt = minute(2)
	same(t, "revoked", must(s.Key(ctx, one.ID, key.ID))(t), key)
}

func keysReplaced(t *testing.T, s account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, s, u)
	lasting, short, expired, revoked := appKey(1, u.ID), appKey(2, u.ID), appKey(3, u.ID), appKey(4, u.ID)
	short.ExpiresAt, expired.ExpiresAt, revoked.RevokedAt = minute(15), minute(10), minute(5)
	withKeys(t, s, lasting, short, expired, revoked)
	for _, gone := range []account.Key{expired, revoked} {
		refused(t, "replacing one that isn't good", s.ReplaceKey(ctx, appKey(10, u.ID), gone.ID, minute(20)), store.ErrNotFound)
	}
	twice := appKey(10, u.ID)
	twice.Hash = short.Hash
	if err := s.ReplaceKey(ctx, twice, lasting.ID, minute(20)); err == nil {
		t.Error("a key was replaced by one that can't be")
	}
	same(t, "after what failed", must(s.Keys(ctx, u.ID))(t), []account.Key{revoked, expired, short, lasting})
	do(t, s.ReplaceKey(ctx, appKey(10, u.ID), lasting.ID, minute(20)))
	do(t, s.ReplaceKey(ctx, appKey(11, u.ID), short.ID, minute(20)))
	lasting.ExpiresAt = minute(20)
	same(t, "replaced", must(s.Keys(ctx, u.ID))(t), []account.Key{appKey(11, u.ID), appKey(10, u.ID), revoked, expired, short, lasting})

	// While it is good it can be replaced again, which never lets it be good for longer.
	do(t, s.ReplaceKey(ctx, appKey(12, u.ID), lasting.ID, minute(30)))
	same(t, "replaced again, for longer", must(s.Key(ctx, u.ID, lasting.ID))(t), lasting)
	do(t, s.ReplaceKey(ctx, appKey(13, u.ID), lasting.ID, minute(18)))
	lasting.ExpiresAt = minute(18)
	same(t, "replaced again, for less", must(s.Key(ctx, u.ID, lasting.ID))(t), lasting)
	refused(t, "replaced after the overlap", s.ReplaceKey(ctx, appKey(18, u.ID), lasting.ID, minute(40)), store.ErrNotFound)
	for n := 10; n < 14; n++ {
		same(t, "one that took its place", must(s.Key(ctx, u.ID, appKey(n, u.ID).ID))(t), appKey(n, u.ID))
	}
}

// keysBounded: a key counts while it is good, whatever is to become of it.
func keysBounded(t *testing.T, s account.Store) {
	ctx, u, other := t.Context(), person(1), person(2)
	with(t, s, u, other)
	revoked, expired, expiring := appKey(1, u.ID), appKey(2, u.ID), appKey(3, u.ID)
	revoked.RevokedAt, expired.ExpiresAt, expiring.ExpiresAt = minute(3), minute(100), minute(101)
	withKeys(t, s, revoked, expired, expiring, appKey(500, other.ID))
	for n := range account.MaxKeys - 1 {
		withKeys(t, s, appKey(100+n, u.ID))
	}
	// At minute 100 there are 49 and the one that is about to expire.
	late := func(n int) account.Key {
		k := appKey(n, u.ID)
		k.CreatedAt = minute(100)
		return k
	}
	refused(t, "one too many", s.CreateKey(ctx, late(200)), account.ErrTooMany)
	refused(t, "one too many, with an overlap", s.ReplaceKey(ctx, late(201), appKey(100, u.ID).ID, minute(101)), account.ErrTooMany)
	same(t, "the one that wasn't replaced", must(s.Key(ctx, u.ID, appKey(100, u.ID).ID))(t), appKey(100, u.ID))
	do(t, s.ReplaceKey(ctx, late(202), appKey(100, u.ID).ID, minute(100))) // which makes room
	refused(t, "one too many again", s.CreateKey(ctx, late(203)), account.ErrTooMany)
	refused(t, "another's", s.ReplaceKey(ctx, late(204), appKey(500, other.ID).ID, minute(100)), store.ErrNotFound)
	do(t, s.RevokeKey(ctx, u.ID, appKey(101, u.ID).ID, minute(100)))
	do(t, s.CreateKey(ctx, late(205)))
	refused(t, "in place of a revoked one, and another", s.CreateKey(ctx, late(206)), account.ErrTooMany)
	do(t, s.CreateKey(ctx, appKey(501, other.ID)))
}

// processesKeys: of many who make the last key for one user at once, a new one or one
// in place of another, each of another one, one succeeds.
func processesKeys(t *testing.T, stores []account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, stores[0], u)
	for n := range account.MaxKeys - 1 {
		withKeys(t, stores[0], appKey(n, u.ID))
	}
	for round := range 6 {
		var made atomic.Int64
		var last atomic.Pointer[string]
		together(stores, func(s account.Store, worker int) {
			k := appKey(1000+100*round+worker, u.ID)
			var err error
			if round%2 == 0 {
				err = s.CreateKey(ctx, k)
			} else {
				err = s.ReplaceKey(ctx, k, appKey(worker, u.ID).ID, minute(100_000))
			}
			switch {
			case err == nil:
				made.Add(1)
				last.Store(&k.ID)
			case !errors.Is(err, account.ErrTooMany):
				t.Errorf("making a key: %v", err)
			}
		})
		if made.Load() != 1 {
			t.Fatalf("round %d: %d made the last key", round, made.Load())
		}
		do(t, stores[0].RevokeKey(ctx, u.ID, *last.Load(), minute(0)))
	}
}

func keysTouched(t *testing.T, s account.Store) {
	ctx, u := t.Context(), person(1)
	with(t, s, u)
	one, two, three := appKey(1, u.ID), appKey(2, u.ID), appKey(3, u.ID)
	withKeys(t, s, one, two, three)
	do(t, s.TouchKeys(ctx, map[string]time.Time{one.ID: minute(5), two.ID: minute(6), idOf("key", 99): minute(7)}))
	do(t, s.TouchKeys(ctx, map[string]time.Time{one.ID: minute(4), two.ID: minute(8)}))
	one.LastUsedAt, two.LastUsedAt = minute(5), minute(8)
	same(t, "touched", must(s.Keys(ctx, u.ID))(t), []account.Key{three, two, one})
}

func tokens(t *testing.T, s account.Store) {
	ctx, one, other := t.Context(), person(1), person(2)
	with(t, s, one, other)
	token := func(n int, u account.User, purpose account.Purpose) account.Token {
		return account.Token{Hash: hashOf(fmt.Sprintf("token %d", n)), UserID: u.ID, Purpose: purpose, CreatedAt: minute(n), ExpiresAt: minute(n + 30)}
	}
	save := func(tokens ...account.Token) {
		t.Helper()
		for _, token := range tokens {
			do(t, s.SaveToken(ctx, token))
		}
	}
	first, second := token(1, one, account.PurposeReset), token(2, one, account.PurposeReset)
	verify, theirs := token(3, one, account.PurposeVerify), token(4, other, account.PurposeReset)
	beside := token(5, one, account.PurposeVerify)
	verify.Pending, beside.Pending = []byte("one's hash"), []byte("another's hash")
	save(first, verify, theirs, second, beside)
	same(t, "all of one user's", must(s.TokensOf(ctx, one.ID))(t), []account.Token{beside, verify, second})
	use := func(token account.Token, now time.Time) (account.Token, error) {
		return s.UseToken(ctx, token.Hash, token.Purpose, now)
	}
	_, err := use(first, minute(5))
	refused(t, "one that another took the place of", err, store.ErrNotFound)
	wrong := second
	wrong.Purpose = account.PurposeVerify
	_, err = use(wrong, minute(5))
	refused(t, "one of another purpose", err, store.ErrNotFound)
	_, err = use(verify, minute(33))
	refused(t, "one that has expired", err, store.ErrNotFound)
	for _, want := range []account.Token{second, verify, theirs, beside} {
		same(t, "the token", must(use(want, minute(32).Add(-time.Microsecond)))(t), want)
		_, err = use(want, minute(5))
		refused(t, "one that was used", err, store.ErrNotFound)
	}
	save(first) // its place is free again
	same(t, "the token", must(use(first, minute(5)))(t), first)
}

func attempts(t *testing.T, s account.Store) {
	ctx := t.Context()
	begin := func(owner, key, fingerprint string, at int) account.Attempt {
		t.Helper()
		return must(s.BeginAttempt(ctx, owner, key, []byte(fingerprint), minute(at), time.Minute, time.Hour))(t)
	}
	refused(t, "one that nobody began", second(s.KnownAttempt(ctx, "user:1", "a")), store.ErrNotFound)
	one := begin("user:1", "a", "one", 0)
	same(t, "the first", leaseless(one), account.Attempt{First: true, Fingerprint: []byte("one")})
	under := account.Attempt{Fingerprint: []byte("one")}
	same(t, "while it is under way", begin("user:1", "a", "one", 0), under)
	same(t, "another request with its key", begin("user:1", "a", "two", 0), under)
	same(t, "another's with its key", leaseless(begin("user:2", "a", "two", 0)), account.Attempt{First: true, Fingerprint: []byte("two")})
	two := begin("user:1", "b", "two", 0)
	same(t, "another key", leaseless(two), account.Attempt{First: true, Fingerprint: []byte("two")})
	do(t, s.FinishAttempt(ctx, "user:1", "a", one.Lease, []byte("answer")))
	do(t, s.FinishAttempt(ctx, "user:1", "b", two.Lease, []byte{}))
	under.Answer = []byte("answer")
	same(t, "when it is done", begin("user:1", "a", "one", 59), under)
	same(t, "only looked at", must(s.KnownAttempt(ctx, "user:1", "a"))(t), under)
	if empty := begin("user:1", "b", "two", 59); empty.First || empty.Answer == nil || len(empty.Answer) > 0 {
		t.Errorf("an empty answer came back as %+v", empty)
	}
	if theirs := begin("user:2", "a", "two", 0); theirs.First || theirs.Answer != nil {
		t.Errorf("another's attempt is %+v", theirs)
	}
}

// leaseless returns an attempt without its lease, of which only the store knows what
// it is.
func leaseless(a account.Attempt) account.Attempt {
	a.Lease = 0
	return a
}

func attemptsAnew(t *testing.T, s account.Store) {
	ctx := t.Context()
	begin := func(key string, at time.Time) account.Attempt {
		t.Helper()
		return must(s.BeginAttempt(ctx, "user:1", key, []byte(at.String()), at, time.Minute, time.Hour))(t)
	}
	for name, story := range map[string]struct {
		finish func(key string, lease account.Lease)
		after  time.Duration // from when on it may be begun anew
	}{
		"left": {func(string, account.Lease) {}, time.Minute},
		"answered": {func(key string, lease account.Lease) {
			do(t, s.FinishAttempt(ctx, "user:1", key, lease, []byte("answer")))
		}, time.Hour},
		"forgotten": {func(key string, lease account.Lease) { do(t, s.FinishAttempt(ctx, "user:1", key, lease, nil)) }, 0},
	} {
		begun := begin(name, minute(0))
		if !begun.First {
			t.Errorf("%s: not the first", name)
		}
		story.finish(name, begun.Lease)
		if story.after > 0 && begin(name, minute(0).Add(story.after-time.Microsecond)).First {
			t.Errorf("%s: begun anew too soon", name)
		}
		want := account.Attempt{First: true, Fingerprint: []byte(minute(0).Add(story.after).String())}
		same(t, name, leaseless(begin(name, minute(0).Add(story.after))), want)
		want.First = false
		same(t, name+": another after it", begin(name, minute(0).Add(story.after)), want)
	}
}

// attemptsTooLate: one who took longer than the lease finds that another has begun
// anew, with the same request, and neither answers in that one's place nor takes the
// attempt away.
func attemptsTooLate(t *testing.T, s account.Store) {
	ctx, print := t.Context(), []byte("the same")
	for _, owner := range []string{"user:1", "user:2"} {
		begin := func(at time.Time) account.Attempt {
			t.Helper()
			return must(s.BeginAttempt(ctx, owner, "a", print, at, time.Minute, time.Hour))(t)
		}
		late, present := begin(minute(0)), begin(minute(1))
		if !late.First || !present.First || late.Lease == present.Lease {
			t.Fatalf("begun as %+v, and anew as %+v", late, present)
		}
		answer := []byte("late")
		if owner == "user:2" {
			answer = nil
		}
		do(t, s.FinishAttempt(ctx, owner, "a", late.Lease, answer))
		same(t, "while the other is at work", begin(minute(1)), account.Attempt{Fingerprint: print})
		do(t, s.FinishAttempt(ctx, owner, "a", present.Lease, []byte("present")))
		do(t, s.FinishAttempt(ctx, owner, "a", late.Lease, answer))
		same(t, "when the other is done", begin(minute(2)), account.Attempt{Fingerprint: print, Answer: []byte("present")})
	}
}

func attemptsOfOwners(t *testing.T, s account.Store) {
	ctx, one, other := t.Context(), person(1), person(2)
	with(t, s, one, other)
	withKeys(t, s, appKey(1, one.ID), appKey(2, one.ID), appKey(3, other.ID))
	owners := []string{"user:" + one.ID, "key:" + appKey(1, one.ID).ID, "key:" + appKey(2, one.ID).ID, "user:" + other.ID, "key:" + appKey(3, other.ID).ID, "anonymous"}
	begin := func() (first []string) {
		t.Helper()
		for _, owner := range owners {
			if must(s.BeginAttempt(ctx, owner, "a", nil, minute(0), time.Hour, 24*time.Hour))(t).First {
				first = append(first, owner)
			}
		}
		return first
	}
	same(t, "the first", begin(), owners)
	var kept []account.KeptAttempt
	for _, owner := range []string{owners[1], owners[2], owners[0]} {
		kept = append(kept, account.KeptAttempt{Owner: owner, Key: "a", KeepUntil: minute(24 * 60)})
	}
	same(t, "those of a user and their keys", must(s.AttemptsOf(ctx, one.ID))(t), kept)
	do(t, s.RevokeKey(ctx, one.ID, appKey(2, one.ID).ID, minute(1)))
	do(t, s.Sweep(ctx, minute(2), minute(0)))
	same(t, "gone with a key", begin(), owners[2:3])
	do(t, s.DeleteUser(ctx, one.ID))
	// The swept key is nobody's any more: what began in its name since is kept.
	same(t, "gone with a user", begin(), owners[:2])
}

func processesUse(t *testing.T, stores []account.Store) {
	with(t, stores[0], person(1))
	do(t, stores[0].SaveToken(t.Context(), account.Token{Hash: hashOf("t"), UserID: person(1).ID, Purpose: account.PurposeReset, ExpiresAt: minute(9)}))
	var used atomic.Int64
	together(stores, func(s account.Store, _ int) {
		_, err := s.UseToken(t.Context(), hashOf("t"), account.PurposeReset, minute(1))
		if err == nil {
			used.Add(1)
		} else if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("UseToken: %v", err)
		}
	})
	if used.Load() != 1 {
		t.Errorf("%d used a token", used.Load())
	}
}

// processesBegin: of many who begin one attempt one is the first, when nobody
// knew of it and when the one before was left.
func processesBegin(t *testing.T, stores []account.Store) {
	for round := range 4 {
		at := minute(round)
		var first atomic.Int64
		together(stores, func(s account.Store, worker int) {
			attempt, err := s.BeginAttempt(t.Context(), "user:1", "a", fmt.Append(nil, worker), at, time.Minute, time.Hour)
			if err != nil {
				t.Errorf("BeginAttempt: %v", err)
			}
			if attempt.First {
				first.Add(1)
			}
			if len(attempt.Fingerprint) == 0 {
				t.Error("an attempt without the fingerprint of the first")
			}
		})
		if first.Load() != 1 {
			t.Errorf("round %d: %d were the first", round, first.Load())
		}
	}
	// Some give theirs up while others look at it.
	var begun atomic.Int64
	together(stores, func(s account.Store, _ int) {
		for range 5 {
			attempt, err := s.BeginAttempt(t.Context(), "user:1", "b", []byte("x"), minute(0), time.Minute, time.Hour)
			if err == nil && attempt.First {
				begun.Add(1)
				err = s.FinishAttempt(t.Context(), "user:1", "b", attempt.Lease, nil)
			}
			if err != nil {
				t.Errorf("beginning and giving up: %v", err)
			}
		}
	})
	if begun.Load() == 0 {
		t.Error("nobody began")
	}
}

func processesTouch(t *testing.T, stores []account.Store) {
	with(t, stores[0], person(1))
	used, later := map[string]time.Time{}, map[string]time.Time{}
	for n := range 20 {
		withKeys(t, stores[0], appKey(n, person(1).ID))
		used[appKey(n, person(1).ID).ID], later[appKey(n, person(1).ID).ID] = minute(50), minute(51)
	}
	together(stores, func(s account.Store, worker int) {
		touched := used
		if worker%2 == 0 {
			touched = later
		}
		if err := s.TouchKeys(t.Context(), touched); err != nil {
			t.Errorf("TouchKeys: %v", err)
		}
	})
	if keys := must(stores[0].Keys(t.Context(), person(1).ID))(t); slices.ContainsFunc(keys, func(k account.Key) bool { return !k.LastUsedAt.Equal(minute(51)) }) {
		t.Error("a key's use moved backwards")
	}
}
