package auth_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/mail"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/store/sqlite"
	"github.com/crownsafe/api/internal/testenv"
)

const (
	ada      = "Ada@Example.org"
	password = "velvet-otter-climbs-37"
	another  = "copper-lantern-drifts-52"
)

var (
	home      = auth.Origin{Address: netip.MustParseAddr("203.0.113.7"), Agent: "test"}
	elsewhere = auth.Origin{Address: netip.MustParseAddr("198.51.100.9")}
)

// bench is the service over a real store, with a clock that a test turns and a box
// for letters.
type bench struct {
	*auth.Service
	store  account.Store
	mu     sync.Mutex
	clock  time.Time
	sent   []mail.Message
	full   bool // no letter is taken
	broken bool // the audit log can't be written
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func (b *bench) Send(m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full {
		return mail.ErrFull
	}
	b.sent = append(b.sent, m)
	return nil
}

func (b *bench) Full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.full
}

// letters waits for what is written beside requests, and returns all letters.
func (b *bench) letters(t *testing.T) []mail.Message {
	t.Helper()
	b.Settle(t.Context())
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent
}

// letter takes the last letter's token.
func (b *bench) letter(t *testing.T) string {
	t.Helper()
	sent := b.letters(t)
	if len(sent) == 0 {
		t.Fatal("no letter was sent")
	}
	return regexp.MustCompile(`crs_[vp][tr]_[0-9A-Za-z]+`).FindString(sent[len(sent)-1].Text)
}

// failing is a store whose audit log can be broken.
type failing struct {
	account.Store
	b *bench
}

func (f failing) AppendEntry(ctx context.Context, e account.Entry) (account.Entry, error) {
	if f.b.broken {
		return e, store.ErrFull
	}
	return f.Store.AppendEntry(ctx, e)
}

func (b *bench) another(change ...func(*auth.Options)) *auth.Service {
	o := auth.Options{
		Store: failing{b.store, b}, Seeds: func() [][]byte { return [][]byte{[]byte(strings.Repeat("s", 32))} }, PublicURL: "https://example.org",
		Post: b, Verified: true, Cost: bcrypt.MinCost, Now: b.now, OperatorToken: func() string { return "operators-token" },
	}
	for _, c := range change {
		c(&o)
	}
	return auth.New(o)
}

// onEveryStore runs a test over both stores.
func onEveryStore(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) account.Store{
		"sqlite": func(t *testing.T) account.Store {
			st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			return st
		},
		"postgres": func(t *testing.T) account.Store {
			st, err := postgres.Open(t.Context(), postgres.Options{URL: testenv.Postgres(t), MaxConns: 4})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			if _, err := st.MigrateUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			return st
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{store: open(t), clock: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)}
			b.Service = b.another()
			test(t, b)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// member makes a confirmed user and signs in.
func (b *bench) member(t *testing.T) auth.SignedIn {
	t.Helper()
	must(t, b.Register(t.Context(), ada, password, home))
	must(t, b.Verify(t.Context(), b.letter(t), home))
	in, err := b.Login(t.Context(), ada, password, home)
	must(t, err)
	return in
}

func bearer(token string) auth.Credentials {
	return auth.Credentials{Authorization: []string{"Bearer " + token}}
}

func TestTheLifeOfAnAccount(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		ctx := t.Context()
		must(t, b.Register(ctx, ada, password, home))
		_, err := b.Login(ctx, "ada@EXAMPLE.org", password, home)
		wants(t, "before the address is confirmed", err, auth.ErrUnverified)
		token := b.letter(t)
		must(t, b.Verify(ctx, token, home))
		wants(t, "a token twice", b.Verify(ctx, token, home), auth.ErrInvalid)
		in, err := b.Login(ctx, "ada@EXAMPLE.org", password, home)
		must(t, err)
		caller, err := b.Authenticate(ctx, bearer(in.AccessToken))
		must(t, err)
		if caller.UserID != in.User.ID || caller.Role != account.Member || caller.Kind != auth.AsUser {
			t.Fatalf("the caller is %+v", caller)
		}
		key, text, err := b.CreateKey(ctx, caller, auth.NewKey{Name: "shop", Scopes: []auth.Scope{auth.ScopeLookup}}, home)
		must(t, err)
		byKey, err := b.Authenticate(ctx, auth.Credentials{APIKey: []string{text}})
		must(t, err)
		if byKey.KeyID != key.ID || !byKey.May(account.Reader, auth.ScopeLookup) || byKey.May(account.Member, auth.ScopeAccount) {
			t.Errorf("the key's caller is %+v", byKey)
		}
		_, _, err = b.CreateKey(ctx, byKey, auth.NewKey{Name: "of a key"}, home)
		wants(t, "a key that makes keys", err, auth.ErrForbidden)
		_, _, err = b.CreateKey(ctx, caller, auth.NewKey{Name: "x", Scopes: []auth.Scope{auth.ScopeMonitor}}, home)
		wants(t, "a member's key that monitors", err, auth.ErrForbidden)
		held, err := b.Export(ctx, caller, home)
		must(t, err)
		if len(held.Keys) != 1 || len(held.Sessions) != 1 || len(held.Entries) < 4 {
			t.Errorf("exported %d keys, %d sessions, %d entries", len(held.Keys), len(held.Sessions), len(held.Entries))
		}
		wants(t, "deleted by a wrong password", b.Delete(ctx, caller, another, home), auth.ErrCredentials)
		must(t, b.Delete(ctx, caller, password, home))
		_, err = b.Authenticate(ctx, bearer(in.AccessToken))
		wants(t, "the token of who is gone", err, auth.ErrInvalid)
		_, err = b.Authenticate(ctx, auth.Credentials{APIKey: []string{text}})
		wants(t, "the key of who is gone", err, auth.ErrInvalid)
		_, err = b.Login(ctx, ada, password, home)
		wants(t, "who is gone", err, auth.ErrCredentials)
	})
}

func TestARefreshTokenIsGoodOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in := b.member(t)
		b.wait(time.Minute)
		next, err := b.Refresh(t.Context(), in.RefreshToken, home)
		must(t, err)
		_, err = b.Authenticate(t.Context(), bearer(next.AccessToken))
		must(t, err)
		_, err = b.Refresh(t.Context(), in.RefreshToken, elsewhere)
		wants(t, "a token twice", err, auth.ErrInvalid)
		_, err = b.Authenticate(t.Context(), bearer(next.AccessToken))
		wants(t, "the session that somebody has a copy of", err, auth.ErrInvalid)
		_, err = b.Refresh(t.Context(), next.RefreshToken, home)
		wants(t, "its last refresh token", err, auth.ErrInvalid)
	})
}

func TestSessionsEndInTime(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in := b.member(t)
		b.wait(auth.AccessLasts)
		_, err := b.Authenticate(t.Context(), bearer(in.AccessToken))
		wants(t, "an access token after its time", err, auth.ErrInvalid)
		for day := 0; ; day += 20 {
			b.wait(20 * 24 * time.Hour)
			next, err := b.Refresh(t.Context(), in.RefreshToken, home)
			if err != nil {
				wants(t, "a refresh", err, auth.ErrInvalid)
				if day != 80 {
					t.Errorf("the session ended after %d days", day)
				}
				return
			}
			in = next
		}
	})
}

func TestBrowsersSessionsEndInTime(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		cookie, err := b.LoginBrowser(t.Context(), ada, password, home)
		must(t, err)
		comes := func(as auth.Kind) {
			t.Helper()
			caller, err := b.Authenticate(t.Context(), auth.Credentials{Cookie: cookie})
			if must(t, err); caller.Kind != as {
				t.Errorf("the caller is %+v, want %s", caller, as)
			}
		}
		for used := time.Duration(0); used < auth.SessionLasts-auth.CookieLasts; used += auth.CookieLasts / 2 {
			comes(auth.AsUser)
			b.wait(auth.CookieLasts / 2)
		}
		comes(auth.AsUser)
		b.wait(auth.CookieLasts - time.Minute)
		comes(auth.AsUser)
		b.wait(time.Minute)
		comes(auth.Anonymous) // though it was in use all the time
	})
}

func TestLogoutEndsTheSessionEverywhere(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in, other := b.member(t), b.another()
		caller, err := other.Authenticate(t.Context(), bearer(in.AccessToken))
		must(t, err)
		must(t, b.Logout(t.Context(), caller, home))
		_, err = b.Authenticate(t.Context(), bearer(in.AccessToken))
		wants(t, "in the same process", err, auth.ErrInvalid)
		b.wait(time.Second)
		_, err = other.Authenticate(t.Context(), bearer(in.AccessToken))
		wants(t, "in another, a second later", err, auth.ErrInvalid)
		_, err = b.Refresh(t.Context(), in.RefreshToken, home)
		wants(t, "its refresh token", err, auth.ErrInvalid)
	})
}

func TestWrongPasswordsHoldBack(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t) // signed in at home
		for range 6 {
			_, err := b.Login(t.Context(), ada, another, elsewhere)
			wants(t, "a wrong password", err, auth.ErrCredentials)
		}
		_, err := b.Login(t.Context(), ada, password, elsewhere)
		wants(t, "the right one, held back", err, auth.ErrCredentials)
		_, err = b.Login(t.Context(), ada, password, home)
		must(t, err) // nobody is kept out of where they are signed in
		_, err = b.Login(t.Context(), ada, password, elsewhere)
		must(t, err) // and that forgets the wrong ones
		var wait *auth.WaitError
		for range 40 {
			if _, err = b.Login(t.Context(), "nobody@example.org", another, elsewhere); errors.As(err, &wait) {
				break
			}
			wants(t, "an address of nobody's", err, auth.ErrCredentials)
		}
		if wait == nil || wait.For <= 0 {
			t.Errorf("who guesses from one address is not held back: %v", err)
		}
	})
}

// TestEverySignInIsCounted, whatever becomes of it.
func TestEverySignInIsCounted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		counted := map[string]int{}
		b.Service = b.another(func(o *auth.Options) { o.SignIn = func(outcome string) { counted[outcome]++ } })
		b.member(t) // done
		for range 5 {
			_, err := b.Login(t.Context(), ada, another, elsewhere)
			wants(t, "a wrong password", err, auth.ErrCredentials)
		}
		_, err := b.LoginBrowser(t.Context(), ada, password, elsewhere)
		wants(t, "held back", err, auth.ErrCredentials)
		_, err = b.OperatorCookie(t.Context(), "not the operator's token", elsewhere)
		wants(t, "a wrong token", err, auth.ErrCredentials)
		b.broken = true
		if _, err = b.Login(t.Context(), ada, password, home); !errors.Is(err, store.ErrFull) {
			t.Errorf("without an audit log: %v", err)
		}
		b.broken = false
		if diff := cmp.Diff(map[string]int{"done": 1, "refused": 6, "locked": 1, "failed": 1}, counted); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for range 40 {
			_, _ = b.Login(t.Context(), "nobody@example.org", another, elsewhere)
		}
		if counted["limited"] == 0 {
			t.Errorf("nobody was limited: %v", counted)
		}
	})
}

func TestResetAnswersAlikeAndEndsEverything(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in := b.member(t)
		letters := len(b.letters(t))
		must(t, b.RequestReset(t.Context(), "nobody@example.org", elsewhere))
		if len(b.letters(t)) != letters {
			t.Error("nobody got a letter")
		}
		must(t, b.RequestReset(t.Context(), ada, elsewhere))
		must(t, b.RequestReset(t.Context(), ada, elsewhere))
		if sent := len(b.letters(t)); sent != letters+1 {
			t.Errorf("%d letters in a minute", sent-letters)
		}
		token := b.letter(t)
		var weak *auth.WeakPassword
		if err := b.Reset(t.Context(), token, "ada@example.org", home); !errors.As(err, &weak) {
			t.Errorf("the address as a password: %v", err)
		}
		must(t, b.Reset(t.Context(), token, another, home))
		wants(t, "a token twice", b.Reset(t.Context(), token, password, home), auth.ErrInvalid)
		_, err := b.Authenticate(t.Context(), bearer(in.AccessToken))
		wants(t, "a session from before", err, auth.ErrInvalid)
		_, err = b.Login(t.Context(), ada, password, home)
		wants(t, "the old password", err, auth.ErrCredentials)
		_, err = b.Login(t.Context(), ada, another, home)
		must(t, err)
		b.wait(2 * time.Minute)
		must(t, b.RequestReset(t.Context(), ada, home))
		token = b.letter(t)
		b.wait(auth.ResetLasts)
		wants(t, "a token after its time", b.Reset(t.Context(), token, password, home), auth.ErrInvalid)
	})
}

func TestWhatTheAuditLogCannotBeToldIsNotDone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		in := b.member(t)
		caller, err := b.Authenticate(t.Context(), bearer(in.AccessToken))
		must(t, err)
		b.broken = true
		_, _, err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop"}, home)
		wants(t, "a key", err, store.ErrFull)
		wants(t, "a role", b.SetRole(t.Context(), ada, account.Admin), store.ErrFull)
		_, err = b.Login(t.Context(), ada, password, home)
		wants(t, "a sign-in", err, store.ErrFull)
		wants(t, "a deletion", b.Delete(t.Context(), caller, password, home), store.ErrFull)
		must(t, b.Logout(t.Context(), caller, home)) // an end that isn't written down is better than none
		b.broken = false
		keys, err := b.KeysOf(t.Context(), ada)
		must(t, err)
		user, err := b.UserByEmail(t.Context(), ada)
		must(t, err)
		if len(keys) != 0 || user.Role != account.Member {
			t.Errorf("%d keys, role %s", len(keys), user.Role)
		}
	})
}

func TestAKeyIsReplacedWithOverlap(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		caller, err := b.Authenticate(t.Context(), bearer(b.member(t).AccessToken))
		must(t, err)
		old, oldText, err := b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop"}, home)
		must(t, err)
		_, text, err := b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Replaces: old.ID, Overlap: time.Hour}, home)
		must(t, err)
		shows := func(text string) error {
			_, err := b.Authenticate(t.Context(), auth.Credentials{APIKey: []string{text}})
			return err
		}
		must(t, errors.Join(shows(oldText), shows(text)))
		b.wait(time.Hour)
		wants(t, "the old one after the overlap", shows(oldText), auth.ErrInvalid)
		must(t, shows(text))
		other := auth.Caller{Kind: auth.AsUser, Role: account.Admin, UserID: "01a2099f-172d-734f-8e87-b420bb61d5e1"}
		keys, err := b.Keys(t.Context(), caller)
		must(t, err)
		wants(t, "another's key", b.RevokeKey(t.Context(), other, keys[0].ID, elsewhere), store.ErrNotFound)
		must(t, b.RevokeKey(t.Context(), caller, keys[0].ID, home))
		wants(t, "a revoked one", shows(text), auth.ErrInvalid)
	})
}

func TestABrowsersSessionGoesOnWhileItIsUsed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		cookie, err := b.LoginBrowser(t.Context(), ada, password, home)
		must(t, err)
		for range 3 {
			b.wait(auth.CookieLasts - time.Minute)
			caller, err := b.Authenticate(t.Context(), auth.Credentials{Cookie: cookie})
			must(t, err)
			if !caller.Cookie || caller.Kind != auth.AsUser {
				t.Fatalf("the caller is %+v", caller)
			}
		}
		_, err = b.Refresh(t.Context(), cookie, home)
		wants(t, "a cookie as a refresh token", err, auth.ErrInvalid)
		b.wait(auth.CookieLasts)
		caller, err := b.Authenticate(t.Context(), auth.Credentials{Cookie: cookie})
		if must(t, err); caller.Kind != auth.Anonymous {
			t.Errorf("after its time: %+v", caller)
		}
		ops, err := b.OperatorCookie(t.Context(), "operators-token", home)
		must(t, err)
		changed := b.another(func(o *auth.Options) { o.OperatorToken = func() string { return "a-new-token" } })
		for service, want := range map[*auth.Service]auth.Kind{b.Service: auth.OperatorToken, changed: auth.Anonymous} {
			caller, err := service.Authenticate(t.Context(), auth.Credentials{Cookie: ops})
			if must(t, err); caller.Kind != want {
				t.Errorf("the operator's cookie: %+v, want %s", caller, want)
			}
		}
	})
}

func TestAHashIsMadeCostlierAtTheNextSignIn(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		dearer := b.another(func(o *auth.Options) { o.Cost = bcrypt.MinCost + 1 })
		_, err := dearer.Login(t.Context(), ada, password, home)
		must(t, err)
		user, err := b.UserByEmail(t.Context(), ada)
		must(t, err)
		if cost, err := bcrypt.Cost(user.PasswordHash); err != nil || cost != bcrypt.MinCost+1 {
			t.Errorf("cost %d, %v", cost, err)
		}
	})
}

func TestAnOperatorWhoSignsOutTakesEveryCopyOfTheCookieAlong(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		other := b.another()
		shows := func(s *auth.Service, cookie string, want auth.Kind) auth.Caller {
			t.Helper()
			caller, err := s.Authenticate(t.Context(), auth.Credentials{Cookie: cookie})
			if must(t, err); caller.Kind != want {
				t.Errorf("the cookie is %s's, want %s", caller.Kind, want)
			}
			return caller
		}
		left, err := b.OperatorCookie(t.Context(), "operators-token", home)
		must(t, err)
		kept, err := b.OperatorCookie(t.Context(), "operators-token", home)
		must(t, err)
		caller := shows(b.Service, left, auth.OperatorToken)
		shows(other, left, auth.OperatorToken)
		must(t, b.Logout(t.Context(), caller, home))
		must(t, b.Logout(t.Context(), caller, home))
		shows(b.Service, left, auth.Anonymous)
		b.wait(time.Second)
		shows(other, left, auth.Anonymous)
		b.wait(auth.CookieLasts - time.Minute)
		shows(b.another(), left, auth.Anonymous)
		shows(other, kept, auth.OperatorToken)
		ends := 0
		must(t, b.store.Entries(t.Context(), 0, 0, func(e account.Entry) error {
			if e.Action == "session.end" && e.Actor == "operator-token" && e.Subject == "session:"+caller.SessionID {
				ends++
			}
			return nil
		}))
		if ends != 1 {
			t.Errorf("%d entries of the end", ends)
		}
	})
}

func TestReplacingMakesNoMoreKeysThanThereMayBe(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		caller, err := b.Authenticate(t.Context(), bearer(b.member(t).AccessToken))
		must(t, err)
		first, _, err := b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop"}, home)
		must(t, err)
		for range auth.MaxKeys - 1 {
			_, _, err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Replaces: first.ID, Overlap: time.Hour}, home)
			must(t, err)
		}
		_, _, err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Replaces: first.ID, Overlap: time.Hour}, home)
		wants(t, "one more, with an overlap", err, auth.ErrTooManyKeys)
		_, _, err = b.CreateKey(t.Context(), caller, auth.NewKey{Name: "shop", Replaces: first.ID}, home)
		must(t, err)
	})
}

func TestABrowsersSessionEndsHoweverMuchItIsUsed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, b *bench) {
		b.member(t)
		cookie, err := b.LoginBrowser(t.Context(), ada, password, home)
		must(t, err)
		began, kind := b.now(), auth.AsUser
		for kind == auth.AsUser && b.now().Sub(began) < 2*auth.SessionLasts {
			b.wait(10 * time.Hour)
			caller, err := b.Authenticate(t.Context(), auth.Credentials{Cookie: cookie})
			must(t, err)
			kind = caller.Kind
		}
		if lasted := b.now().Sub(began); lasted < auth.SessionLasts || lasted > auth.SessionLasts+10*time.Hour {
			t.Errorf("the session lasted %s", lasted)
		}
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "x.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	x := &bench{store: st, clock: time.Now()}
	s := x.another(func(o *auth.Options) { o.Verified = false })
	if err := s.Register(b.Context(), ada, password, home); err != nil {
		b.Fatal(err)
	}
	in, err := s.Login(b.Context(), ada, password, home)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Authenticate(b.Context(), bearer(in.AccessToken)); err != nil {
			b.Fatal(err)
		}
	}
}
