package auth_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store"
)

// confirm uses a letter's token and reports with which of the passwords one can sign
// in then.
func (b *bench) confirm(t *testing.T, token string) (good []string) {
	t.Helper()
	must(t, b.Verify(t.Context(), token, home))
	for _, p := range []string{password, another} {
		if _, err := b.Login(t.Context(), ada, p, home); err == nil {
			good = append(good, p)
		}
	}
	return good
}

func TestALetterConfirmsThePasswordThatItWasAskedForWith(t *testing.T) {
	for name, passwords := range map[string][2]string{"somebody else came first": {another, password}, "somebody else came second": {password, another}} {
		for _, used := range []int{0, 1} {
			t.Run(name, func(t *testing.T) {
				onEveryStore(t, func(t *testing.T, b *bench) {
					var tokens []string
					for _, p := range passwords { // within a minute
						must(t, b.Register(t.Context(), ada, p, elsewhere))
						tokens = append(tokens, b.letter(t))
					}
					if good := b.confirm(t, tokens[used]); !slices.Equal(good, []string{passwords[used]}) {
						t.Errorf("confirming registration %d lets these in: %q", used, good)
					}
					wants(t, "the other letter, after that", b.Verify(t.Context(), tokens[1-used], home), auth.ErrInvalid)
				})
			})
		}
	}
}

func TestAConfirmationEndsWhatOthersBegan(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		open := b.another(func(o *auth.Options) { o.Verified = false }) // one signs in before the address is confirmed
		must(t, open.Register(t.Context(), ada, another, elsewhere))
		in, err := open.Login(t.Context(), ada, another, elsewhere)
		must(t, err)
		theirs, err := open.Authenticate(t.Context(), bearer(in.AccessToken))
		must(t, err)
		_, key, err := open.CreateKey(t.Context(), theirs, auth.NewKey{Name: "left behind"}, elsewhere)
		must(t, err)
		must(t, open.Register(t.Context(), ada, password, home))
		_, err = open.Authenticate(t.Context(), bearer(in.AccessToken))
		must(t, err) // nothing is proved yet
		must(t, open.Verify(t.Context(), b.letter(t), home))
		_, err = open.Authenticate(t.Context(), bearer(in.AccessToken))
		wants(t, "a session from before", err, auth.ErrInvalid)
		_, err = open.Authenticate(t.Context(), auth.Credentials{APIKey: []string{key}})
		wants(t, "a key from before", err, auth.ErrInvalid)
		_, err = open.Refresh(t.Context(), in.RefreshToken, elsewhere)
		wants(t, "a refresh token from before", err, auth.ErrInvalid)
	})
}

// Whoever only asks for another letter named no password: one is chosen with it.
func TestAnotherLetterAsksForAPassword(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		must(t, b.Register(t.Context(), ada, another, elsewhere))
		first := b.letter(t)
		must(t, b.RequestVerification(t.Context(), ada, home))
		second := b.letter(t)
		b.wait(time.Second)
		must(t, b.Reset(t.Context(), second, password, home))
		_, err := b.Login(t.Context(), ada, password, home)
		must(t, err)
		wants(t, "the first letter, after that", b.Verify(t.Context(), first, home), auth.ErrInvalid)
	})
}

func TestAPasswordThatWasSetSinceStays(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		must(t, b.Register(t.Context(), ada, another, elsewhere))
		b.wait(time.Minute)
		must(t, b.SetPassword(t.Context(), ada, password)) // on the command line
		wants(t, "a letter from before", b.Verify(t.Context(), b.letter(t), home), auth.ErrInvalid)
	})
}

// What a request can tell of an address is the same whether somebody has it or not.
func TestNothingTellsWhoseAddressItIs(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		b.wait(time.Hour)
		release := make(chan struct{})
		held := b.another(func(o *auth.Options) { o.Store = &holding{b.store, release} })
		defer held.Settle(t.Context())
		defer close(release)
		for _, email := range []string{ada, "nobody@example.org"} {
			must(t, held.RequestReset(t.Context(), email, home)) // the lookup doesn't end, and nobody waits for it
			must(t, held.RequestVerification(t.Context(), email, home))
		}
		b.mu.Lock()
		b.full = true
		b.mu.Unlock()
		for _, email := range []string{ada, "nobody@example.org"} {
			for range 2 {
				wants(t, "registering "+email, b.Register(t.Context(), email, password, home), auth.ErrLetters)
				wants(t, "a reset for "+email, b.RequestReset(t.Context(), email, home), auth.ErrLetters)
			}
		}
		_, err := b.UserByEmail(t.Context(), "nobody@example.org")
		wants(t, "an account without a letter", err, store.ErrNotFound)
	})
}

// holding is a store that doesn't find anybody until it is released.
type holding struct {
	account.Store
	release chan struct{}
}

func (h *holding) UserByEmail(ctx context.Context, key string) (account.User, error) {
	select {
	case <-h.release:
	case <-ctx.Done():
		return account.User{}, ctx.Err()
	}
	return h.Store.UserByEmail(ctx, key)
}

func TestLettersGoToTheAddressThatIsStored(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		must(t, b.Register(t.Context(), "ADA@example.org", password, home))
		sent := b.letters(t)
		if to := sent[len(sent)-1].To; len(sent) != 2 || to != ada {
			t.Errorf("letter %d went to %s", len(sent), to)
		}
	})
}
