package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/health"
)

// callers are everybody who may call, by what they show.
var callers = map[string]auth.Caller{
	"Bearer reader-of-nothing": {Kind: auth.AsUser, Role: account.Reader, UserID: "reader", SessionID: "s0"},
	"Bearer member":            {Kind: auth.AsUser, Role: account.Member, UserID: "member", SessionID: "s1"},
	"Bearer other-member":      {Kind: auth.AsUser, Role: account.Member, UserID: "other", SessionID: "s2"},
	"Bearer operator":          {Kind: auth.AsUser, Role: account.Operator, UserID: "operator", SessionID: "s3"},
	"Bearer admin":             {Kind: auth.AsUser, Role: account.Admin, UserID: "admin", SessionID: "s4"},
	"key no scopes":            {Kind: auth.AsKey, Role: account.Admin, UserID: "admin", KeyID: "k0"},
	"key lookup":               {Kind: auth.AsKey, Role: account.Admin, UserID: "admin", KeyID: "k1", Scopes: []auth.Scope{auth.ScopeLookup}},
	"key account":              {Kind: auth.AsKey, Role: account.Member, UserID: "member", KeyID: "k2", Scopes: []auth.Scope{auth.ScopeAccount}},
	"key monitor":              {Kind: auth.AsKey, Role: account.Operator, UserID: "operator", KeyID: "k3", Scopes: []auth.Scope{auth.ScopeMonitor}},
	"key monitor of a member":  {Kind: auth.AsKey, Role: account.Member, UserID: "member", KeyID: "k4", Scopes: []auth.Scope{auth.ScopeMonitor}},
	"cookie member":            {Kind: auth.AsUser, Role: account.Member, UserID: "member", SessionID: "s5", Cookie: true},
	"Bearer " + operatorsToken: {Kind: auth.OperatorToken, Role: account.Operator},
	"nothing":                  auth.Nobody,
}

// knownCallers authenticates callers.
type knownCallers struct{ down error }

func (k knownCallers) Authenticate(_ context.Context, shown auth.Credentials) (auth.Caller, error) {
	if k.down != nil {
		return auth.Nobody, k.down
	}
	name := shown.Cookie
	switch {
	case len(shown.Authorization)+len(shown.APIKey) > 1:
		return auth.Nobody, auth.ErrSeveral
	case len(shown.Authorization) == 1:
		name = shown.Authorization[0]
	case len(shown.APIKey) == 1:
		name = "key " + shown.APIKey[0]
	case shown.Cookie != "":
		name = "cookie " + shown.Cookie
	}
	c, ok := callers[name]
	if !ok {
		return auth.Nobody, auth.ErrInvalid
	}
	return c, nil
}

// show puts what a caller shows into a request.
func show(r *http.Request, name string) {
	kind, rest, _ := strings.Cut(name, " ")
	switch kind {
	case "Bearer":
		r.Header.Set("Authorization", name)
	case "key":
		r.Header.Set("X-API-Key", rest)
	case "cookie":
		r.AddCookie(&http.Cookie{Name: SessionCookie, Value: rest})
	}
}

type calmBoard struct{}

func (calmBoard) Dashboard() health.Dashboard { return health.Dashboard{} }

// wholeBench has everything that there can be.
func wholeBench(t testing.TB, change ...func(*Dependencies)) *bench {
	t.Helper()
	return newBench(t, append([]func(*Dependencies){func(d *Dependencies) {
		d.Quarantine, d.Monitored, d.Board, d.Authenticator = &memoryQuarantine{}, wellMonitored(), calmBoard{}, knownCallers{}
		d.Operators = Operators{Token: showing(operatorsToken)}
		d.Objects, d.Metrics = http.NotFoundHandler(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
		d.Pages = pages{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a page")) })}
	}}, change...)...)
}

// everyRoute lists the routes of a bench: patterns of the mux.
func everyRoute(b *bench) []string { return slices.Sorted(maps.Keys(b.Handler.(*service).mux.needs)) }

// asked makes a request that reaches a route.
func asked(pattern string) *http.Request {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = http.MethodGet, pattern
	}
	path = strings.NewReplacer("{id}", "us-cpsc:26-100", "{code}", "036000291452", "{agency}", "us-cpsc", "{$}", "").Replace(path)
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		path = before + "x" + after
	}
	if strings.HasSuffix(path, "/") && path != "/" {
		path += "x"
	}
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (b *bench) answer(r *http.Request) *http.Response {
	rec := httptest.NewRecorder()
	b.ServeHTTP(rec, r)
	return rec.Result()
}

// TestEveryOperationStandsInTheTable walks the document and the mux, and the table:
// none has what the others don't.
func TestEveryOperationStandsInTheTable(t *testing.T) {
	b := wholeBench(t)
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Security    []map[string][]string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(OpenAPI("test"), &document); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for path, methods := range document.Paths {
		for method, op := range methods {
			pattern := strings.ToUpper(method) + " " + path
			n, listed := access[op.OperationID]
			if _, routed := b.Handler.(*service).mux.needs[pattern]; !listed || !routed {
				t.Errorf("%s (%s): in the table %t, in the mux %t", pattern, op.OperationID, listed, routed)
			}
			used[op.OperationID], used[pattern] = true, true
			if closed := len(op.Security) > 0 && len(op.Security[0]) > 0; closed == n.public() {
				t.Errorf("%s: the document says that it is closed: %t", op.OperationID, closed)
			}
			for status, want := range map[string]bool{"401": !n.public() || n.budget != unlimited, "403": !n.public() || op.OperationID == "auth-login", "429": n.budget != unlimited} {
				if _, has := op.Responses[status]; has != want {
					t.Errorf("%s: the document has a %s: %t", op.OperationID, status, has)
				}
			}
		}
	}
	for _, pattern := range everyRoute(b) {
		if _, listed := access[pattern]; !listed && !used[pattern] {
			t.Errorf("%s is neither an operation nor in the table", pattern)
		}
		used[pattern] = true
	}
	for id := range access {
		if !used[id] {
			t.Errorf("%s stands in the table, and nothing is called so", id)
		}
	}
}

// TestWhatStandsNotInTheTableCannotBeServed: a route that was forgotten stops the start.
func TestWhatStandsNotInTheTableCannotBeServed(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a route that the table doesn't have was taken")
		}
	}()
	newRoutes().page("GET /forgotten", http.NotFoundHandler())
}

// TestEveryOperationForEverybody calls every route as everybody and compares what
// becomes of it with the table.
func TestEveryOperationForEverybody(t *testing.T) {
	b := wholeBench(t)
	for _, pattern := range everyRoute(b) {
		n := b.Handler.(*service).mux.needs[pattern]
		for name, caller := range callers {
			r := asked(pattern)
			show(r, name)
			res := b.answer(r)
			want := "goes through"
			switch {
			case n.owns && caller.UserID == "" && caller.Kind != auth.Anonymous:
				want = "403"
			case n.public() || caller.May(n.role, n.scope):
			case caller.Kind == auth.Anonymous:
				want = "401"
			default:
				want = "403"
			}
			got := fmt.Sprint(res.StatusCode)
			if got != "401" && got != "403" {
				got = "goes through"
			}
			if got != want {
				t.Errorf("%s as %q: %d, want that it is %s", pattern, name, res.StatusCode, want)
			}
			if res.StatusCode == 401 && !strings.HasPrefix(res.Header.Get("Www-Authenticate"), "Bearer") {
				t.Errorf("%s as %q: a 401 without a challenge", pattern, name)
			}
		}
		for _, bad := range []string{"Bearer nonsense", "key nonsense", "Basic bWU6cHc="} {
			r := asked(pattern)
			show(r, bad)
			if strings.HasPrefix(bad, "Basic") {
				r.Header.Set("Authorization", bad)
			}
			probe := n.ignores || n.public() && n.budget == unlimited
			if res := b.answer(r); (res.StatusCode == 401) == probe {
				t.Errorf("%s with %q: %d", pattern, bad, res.StatusCode)
			}
		}
	}
}

// TestWhoCannotBeTold: what anybody may ask is answered, what needs somebody is not,
// and nobody is taken for anybody.
func TestWhoCannotBeTold(t *testing.T) {
	b := wholeBench(t, func(d *Dependencies) { d.Authenticator = knownCallers{down: errors.New("no database at db.internal")} })
	for target, want := range map[string]int{"/api/v1/barcode/036000291452": 200, "/api/v1/sources": 200, "/health": 200, "/api/v1/monitoring/database": 503} {
		r := b.get(t, target, "X-API-Key", "monitor")
		if r.StatusCode != want || strings.Contains(string(r.body), "db.internal") {
			t.Errorf("%s: %d %s", target, r.StatusCode, r.body)
		}
	}
	if r := b.get(t, "/api/v1/monitoring/database", "Authorization", "Bearer "+operatorsToken); r.StatusCode != 200 {
		t.Errorf("the operator's token needs no database: %d", r.StatusCode)
	}
}

// TestAnOldCookieIsNobodys: a browser goes on sending it.
func TestAnOldCookieIsNobodys(t *testing.T) {
	b := newBench(t)
	r := asked("GET /api/v1/sources")
	r.AddCookie(&http.Cookie{Name: SessionCookie, Value: "old"})
	if res := b.answer(r); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
}

func TestSeveralCredentialsAreRefused(t *testing.T) {
	b := wholeBench(t)
	for _, headers := range [][]string{
		{"Authorization", "Bearer member", "X-API-Key", "lookup"},
		{"Authorization", "Bearer " + operatorsToken, "X-API-Key", "monitor"},
	} {
		p := decode[Problem](t, b.get(t, "/api/v1/sources", headers...), 401)
		if !strings.Contains(p.Detail, "More than one") {
			t.Errorf("%+v", p)
		}
	}
}

// TestScopesAreNamed: a key's owner may do more than the key.
func TestScopesAreNamed(t *testing.T) {
	b := wholeBench(t)
	r := b.get(t, "/api/v1/monitoring/database", "X-API-Key", "lookup")
	p := decode[Problem](t, r, 403)
	if p.Code != "forbidden" || !strings.Contains(p.Detail, "monitor") || !strings.Contains(r.Header.Get("Www-Authenticate"), `scope="monitor"`) {
		t.Errorf("%+v, %q", p, r.Header.Get("Www-Authenticate"))
	}
	p = decode[Problem](t, b.get(t, "/api/v1/monitoring/database", "Authorization", "Bearer member"), 403)
	if !strings.Contains(p.Detail, "operator") {
		t.Errorf("%+v", p)
	}
}
