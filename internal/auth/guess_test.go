package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// counted counts the questions about keys.
type counted struct {
	account.Store
	keys int
}

func (c *counted) KeyByHash(ctx context.Context, hash []byte) (account.Key, account.User, error) {
	c.keys++
	k, u, err := c.Store.KeyByHash(ctx, hash)
	if err != nil {
		err = fmt.Errorf("counted: %w", err)
	}
	return k, u, err
}

// TestWhoIsAskedAbout: what was good here before is looked up whatever Ask says; what
// is new only if it may be, and then no more than once in a while.
func TestWhoIsAskedAbout(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		user, err := b.store.UserByEmail(t.Context(), "ada@example.org")
		must(t, err)
		caller := auth.Caller{Kind: auth.AsUser, Role: user.Role, UserID: user.ID}
		var keys [3]string
		for i := range keys {
			_, keys[i], err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Scopes: []auth.Scope{auth.ScopeLookup}}, home)
			must(t, err)
		}
		known, fresh, gone := keys[0], keys[1], keys[2]
		store := &counted{Store: b.store}
		s := b.another(func(o *auth.Options) { o.Store = store })
		asked, no := 0, errors.New("not now")
		var answer error
		as := func(key string) error {
			_, err := s.Authenticate(t.Context(), auth.Credentials{APIKey: []string{key}, Ask: func() error { asked++; return answer }})
			return err
		}
		must(t, as(known))
		answer = no
		b.wait(time.Minute)
		if err := as(known); err != nil || store.keys != 2 || asked != 1 {
			t.Errorf("a known key: %v, %d questions, Ask was called %d times", err, store.keys, asked)
		}
		if err := as(fresh); !errors.Is(err, no) || store.keys != 2 {
			t.Errorf("a new key: %v, %d questions", err, store.keys)
		}
		answer = nil
		must(t, as(fresh))
		must(t, b.store.DeleteUser(t.Context(), user.ID))
		for range 3 {
			if err := as(gone); !errors.Is(err, auth.ErrInvalid) {
				t.Errorf("a key that nobody has: %v", err)
			}
		}
		if store.keys != 4 {
			t.Errorf("%d questions, want 4", store.keys)
		}
	})
}
