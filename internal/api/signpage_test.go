package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/store"
)

// cable is the way to a store of accounts, which can be cut.
type cable struct {
	account.Store
	cut atomic.Bool
}

func (c *cable) SessionBySecret(ctx context.Context, secret []byte) (account.Session, error) {
	if c.cut.Load() {
		return account.Session{}, store.ErrUnavailable
	}
	return c.Store.SessionBySecret(ctx, secret)
}

func (c *cable) EndSession(ctx context.Context, user, id string, at time.Time) error {
	if c.cut.Load() {
		return store.ErrUnavailable
	}
	return c.Store.EndSession(ctx, user, id, at)
}

// posted sends a form as a page of ours would, with a cookie or "".
func (p *people) posted(t *testing.T, path, kind, form, cookie string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: p.service().Accounts.CookieName(), Value: cookie})
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result()
}

const formKind = "application/x-www-form-urlencoded"

// signedIn signs a browser in that shows a cookie, or "", and returns its new one.
func (p *people) signedIn(t *testing.T, u *somebody, cookie string) string {
	t.Helper()
	form := url.Values{"email": {u.Email}, "password": {peoplesPassword}}.Encode()
	res := p.posted(t, "/signin", formKind, form, cookie)
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) != 1 {
		t.Fatalf("signing in is answered with %d and %v", res.StatusCode, res.Cookies())
	}
	return res.Cookies()[0].Value
}

// admitted is the status of what shows a cookie.
func (p *people) admitted(cookie string) int {
	r := httptest.NewRequest(http.MethodGet, "/api/v1/me", nil)
	r.AddCookie(&http.Cookie{Name: p.service().Accounts.CookieName(), Value: cookie})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Code
}

func TestSigningInAnewEndsTheSessionBefore(t *testing.T) {
	t.Parallel()
	p := newPeople(t, straight)
	u := p.newUser(t, account.Member)
	first := p.signedIn(t, u, "")
	if got := p.admitted(first); got != http.StatusOK {
		t.Fatalf("the first cookie: %d", got)
	}
	second := p.signedIn(t, u, first)
	if got := p.admitted(first); got != http.StatusUnauthorized {
		t.Errorf("the first cookie afterwards: %d", got)
	}
	if got := p.admitted(second); got != http.StatusOK {
		t.Errorf("the second cookie: %d", got)
	}
}

func TestASignOutThatCanNotBeSaysSo(t *testing.T) {
	t.Parallel()
	way := &cable{}
	p := newPeople(t, func(st account.Store) account.Store { way.Store = st; return way })
	cookie := p.signedIn(t, p.newUser(t, account.Member), "")
	way.cut.Store(true)
	if res := p.posted(t, "/signout", formKind, "", cookie); res.StatusCode != http.StatusServiceUnavailable || len(res.Cookies()) != 0 {
		t.Errorf("without the store signing out is answered with %d and %v", res.StatusCode, res.Cookies())
	}
	way.cut.Store(false)
	if res := p.posted(t, "/signout", formKind, "", cookie); res.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out is answered with %d", res.StatusCode)
	}
	if got := p.admitted(cookie); got != http.StatusUnauthorized {
		t.Errorf("the cookie afterwards: %d", got)
	}
}

func TestFormsOfOtherKindsAndSizes(t *testing.T) {
	t.Parallel()
	p := newPeople(t, straight)
	for _, c := range []struct {
		kind, form string
		status     int
	}{
		{"application/json", `{"email":"a@example.org","password":"x"}`, http.StatusUnsupportedMediaType},
		{"", "email=a", http.StatusUnsupportedMediaType},
		{formKind, "email=" + strings.Repeat("a", maxAccountBytes), http.StatusRequestEntityTooLarge},
	} {
		if res := p.posted(t, "/signin", c.kind, c.form, ""); res.StatusCode != c.status {
			t.Errorf("%q of %d bytes: %d, want %d", c.kind, len(c.form), res.StatusCode, c.status)
		}
	}
}

func TestKeysAreNotNamedByWhatCanNotBeShown(t *testing.T) {
	t.Parallel()
	p := newPeople(t, straight)
	u := p.newUser(t, account.Member)
	for _, name := range []string{`\u001b]0;title\u0007`, `two\nlines`, `zero\u200bwidth`, `\u0000`} {
		if res := p.do(t, "POST", "/api/v1/keys", `{"name":"`+name+`","scopes":["lookup"]}`, u.shows...); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

// TestAWrongPasswordIsNoWrongToken: whoever deletes an account is signed in, and is
// not to be sent to sign in anew.
func TestAWrongPasswordIsNoWrongToken(t *testing.T) {
	t.Parallel()
	p := newPeople(t, straight)
	u := p.newUser(t, account.Member)
	res := p.do(t, "DELETE", "/api/v1/me", `{"password":"not the password"}`, u.shows...)
	if res.StatusCode != http.StatusUnprocessableEntity || res.Header.Get("Www-Authenticate") != "" {
		t.Errorf("%d, %q", res.StatusCode, res.Header.Get("Www-Authenticate"))
	}
}
