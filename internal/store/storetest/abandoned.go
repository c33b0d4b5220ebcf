package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// usersAbandoned: whoever did anything about their account stays.
func usersAbandoned(t *testing.T, s account.Store) {
	ctx, before, now := t.Context(), minute(50), minute(100)
	token := func(n int, u account.User, purpose account.Purpose, expires int) {
		do(t, s.SaveToken(ctx, account.Token{Hash: secret(n), UserID: u.ID, Purpose: purpose, CreatedAt: minute(n), ExpiresAt: minute(expires)}))
	}
	var abandoned, others []string
	for n, story := range []struct {
		stays bool
		as    func(u *account.User)
		has   func(n int, u account.User)
	}{
		{stays: false},
		{stays: true, as: func(u *account.User) { u.VerifiedAt = minute(60) }},
		{stays: true, as: func(u *account.User) { u.DisabledAt = minute(60) }},
		{stays: true, as: func(u *account.User) { u.Role = account.Operator }},
		{stays: true, as: func(u *account.User) { u.CreatedAt = minute(50) }},
		{stays: false, as: func(u *account.User) { u.CreatedAt, u.PasswordAt = minute(49), minute(90) }},
		{stays: true, has: func(n int, u account.User) { signedIn(t, s, u.ID, n) }},
		{stays: true, has: func(n int, u account.User) {
			k := appKey(n, u.ID)
			k.RevokedAt = minute(60)
			withKeys(t, s, k)
		}},
		{stays: true, has: func(n int, u account.User) { token(n, u, account.PurposeVerify, 101) }},
		{stays: true, has: func(n int, u account.User) { token(n, u, account.PurposeReset, 101) }},
		{stays: false, has: func(n int, u account.User) { token(n, u, account.PurposeVerify, 100) }},
		{stays: false, has: func(_ int, u account.User) {
			must(s.BeginAttempt(ctx, "user:"+u.ID, "key", nil, minute(1), time.Minute, time.Hour))(t)
		}},
	} {
		u := person(n)
		if story.as != nil {
			story.as(&u)
		}
		with(t, s, u)
		if story.has != nil {
			story.has(n, u)
		}
		if story.stays {
			others = append(others, u.ID)
		} else {
			abandoned = append(abandoned, u.ID)
		}
	}
	list := func(after string, limit int) []string {
		return must(s.AbandonedUsers(ctx, before, now, after, limit))(t)
	}
	same(t, "abandoned", list("", 0), abandoned)
	same(t, "the first two", list("", 2), abandoned[:2])
	same(t, "those after them", list(abandoned[1], 5), abandoned[2:])
	for _, id := range others {
		refused(t, "one who isn't", s.DeleteAbandoned(ctx, id, before, now), store.ErrNotFound)
	}
	for _, id := range abandoned {
		do(t, s.DeleteAbandoned(ctx, id, before, now))
		refused(t, "one who is gone", second(s.User(ctx, id)), store.ErrNotFound)
	}
	same(t, "abandoned afterwards", list("", 0), []string(nil))
	same(t, "all who are left", len(must(s.Users(ctx, "", 0))(t)), len(others))
	everywhere(t, s, func(table, column string, value any) {
		for _, id := range abandoned {
			if text, _ := value.(string); text == id || text == "user:"+id {
				t.Errorf("table %s, column %s: something is left of who was abandoned", table, column)
			}
		}
	})
}

// processesAbandon: at the very moment at which users are removed as abandoned some
// prove their address, or ask for a letter. Each is gone, or has what they did.
func processesAbandon(t *testing.T, stores []account.Store) {
	const people = 12
	for n := range people {
		with(t, stores[0], person(n))
	}
	proved, written := make([]error, people), make([]error, people)
	together(stores, func(s account.Store, worker int) {
		for n := range people {
			id := person(n).ID
			switch worker {
			case 0:
				proved[n] = s.SetVerified(t.Context(), id, minute(99))
			case workers:
				written[n] = s.SaveToken(t.Context(), account.Token{Hash: hashOf(fmt.Sprint(n)), UserID: person(people - 1 - n).ID, Purpose: account.PurposeReset, ExpiresAt: minute(200)})
			default:
				if err := s.DeleteAbandoned(t.Context(), id, minute(50), minute(100)); err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Errorf("DeleteAbandoned: %v", err)
				}
			}
		}
	})
	for n := range people {
		_, err := stores[0].User(t.Context(), person(n).ID)
		for what, did := range map[string]error{"proved the address": proved[n], "asked for a letter": written[people-1-n]} {
			if did != nil && !errors.Is(did, store.ErrNotFound) {
				t.Errorf("who %s: %v", what, did)
			}
			if did == nil && err != nil {
				t.Errorf("somebody %s and is gone: %v", what, err)
			}
		}
	}
}
