package api

import (
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/testenv"
)

// TestAnOutageOfAccountsIsToldAsOne and not as a fault of the program, nor as a
// letter that is on its way.
func TestAnOutageOfAccountsIsToldAsOne(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	way := testenv.NewWay(t, address.Host)
	address.Host = way.Addr()
	st, err := postgres.Open(t.Context(), postgres.Options{URL: address.String(), MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if _, err := st.MigrateUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	accounts := auth.New(auth.Options{
		Store: st, Seeds: func() [][]byte { return [][]byte{make([]byte, 32)} }, PublicURL: "https://recalls.example", Post: nowhere{}, Cost: bcrypt.MinCost,
	})
	if _, err := accounts.CreateUser(t.Context(), ada, adasPassword, account.Member); err != nil {
		t.Fatal(err)
	}
	b := wholeBench(t, func(d *Dependencies) { d.Accounts = accounts })
	const credentials = `{"email":"` + ada + `","password":"` + adasPassword + `"}`
	if r := b.sendFrom(1, "/api/v1/auth/login", credentials); r.StatusCode != http.StatusOK {
		t.Fatalf("before: %d", r.StatusCode)
	}
	way.Cut()
	for path, content := range map[string]string{
		"/api/v1/auth/login": credentials, "/api/v1/auth/register": credentials, "/api/v1/auth/reset": `{"email":"` + ada + `"}`,
		"/api/v1/auth/verify": `{"email":"` + ada + `"}`, "/signin": "email=" + ada + "&password=" + url.QueryEscape(adasPassword),
	} {
		r := b.sendFrom(1, path, content)
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d, Retry-After %q", path, r.StatusCode, r.Header.Get("Retry-After"))
		}
	}
}
