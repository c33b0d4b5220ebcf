package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/mail"
	"github.com/crownsafe/api/internal/store/sqlite"
)

const peoplesPassword = "velvet-otter-climbs-37"

// people is an API with accounts in a real store, and a log of everything.
type people struct {
	*bench
	kept account.Store
	log  *bytes.Buffer
	made int // users
}

// box takes letters.
type box struct{}

func (box) Send(mail.Message) error { return nil }
func (box) Full() bool              { return false }

// newPeople makes an API over a store in a file. around may put something between
// the service and the store.
func newPeople(t *testing.T, around func(account.Store) account.Store, change ...func(*Dependencies)) *people {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	p := &people{kept: st, log: &bytes.Buffer{}}
	p.bench = wholeBench(t, append(change, func(d *Dependencies) {
		d.Logger = slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		d.Accounts = accountsIn(around(st), d)
		d.Authenticator, d.Once = d.Accounts, onceIn(st)
	})...)
	return p
}

// accountsIn are the accounts in a store, as one process knows them.
func accountsIn(st account.Store, d *Dependencies) *auth.Service {
	return auth.New(auth.Options{
		Store: st, Seeds: func() [][]byte { return [][]byte{[]byte(strings.Repeat("s", 32))} }, PublicURL: "https://example.org",
		Post: box{}, Verified: true, Cost: 4, Now: d.Now, Logger: d.Logger, OperatorToken: showing(operatorsToken),
	})
}

func straight(s account.Store) account.Store { return s }

// somebody is a user who is signed in, with a key for each thing that a key of
// theirs can be for.
type somebody struct {
	account.User
	session string
	shows   []string // the header that shows the access token
	keys    map[auth.Scope]string
}

// newUser makes a user, or signs the same one in again.
func (p *people) newUser(t *testing.T, role account.Role) *somebody {
	t.Helper()
	p.made++
	u, err := p.service().Accounts.CreateUser(t.Context(), fmt.Sprintf("user-%d@example.org", p.made), peoplesPassword, role)
	if err != nil {
		t.Fatal(err)
	}
	s := &somebody{User: u, keys: map[auth.Scope]string{}}
	p.signIn(t, s)
	for _, scope := range auth.Scopes() {
		if scope != auth.ScopeMonitor || auth.Reaches(role, account.Operator) {
			s.keys[scope] = p.newKey(t, s, scope).Secret
		}
	}
	return s
}

func (p *people) service() *service { return p.Handler.(*service) }

func (p *people) signIn(t *testing.T, s *somebody) {
	t.Helper()
	in := p.anotherSession(t, s)
	s.session, s.shows = in.SessionID, []string{"Authorization", "Bearer " + in.AccessToken}
}

func (p *people) anotherSession(t *testing.T, s *somebody) SignedIn {
	t.Helper()
	return decode[SignedIn](t, p.do(t, "POST", "/api/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, s.Email, peoplesPassword)), 200)
}

func (p *people) newKey(t *testing.T, s *somebody, scope auth.Scope) NewKey {
	t.Helper()
	return decode[NewKey](t, p.do(t, "POST", "/api/v1/keys", fmt.Sprintf(`{"name":"a key","scopes":[%q]}`, scope), s.shows...), 201)
}

// document is the API's document as far as tests walk it.
type document struct {
	Paths      map[string]map[string]documented
	Components struct{ Schemas map[string]*schema }
}

type documented struct {
	OperationID string `json:"operationId"`
	Parameters  []struct{ Name, In string }
	RequestBody struct {
		Content map[string]struct{ Schema *schema }
	} `json:"requestBody"`
	Responses map[string]any
}

type schema struct {
	Ref         string `json:"$ref"`
	Type        any
	Format      string
	Description string
	Properties  map[string]*schema
	Items       *schema
}

func readDocument(t *testing.T) *document {
	t.Helper()
	d := &document{}
	if err := json.Unmarshal(OpenAPI("test"), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// fields returns the fields of an operation's JSON body, those of objects and lists
// within it included; at is the way to each.
func (d *document) fields(op documented) (at [][]string, of []*schema) {
	var walk func(way []string, s *schema)
	walk = func(way []string, s *schema) {
		for s.Ref != "" {
			s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
		}
		if s.Items != nil {
			walk(append(way, ""), s.Items)
		}
		for name, property := range s.Properties {
			further := append(append([]string{}, way...), name)
			at, of = append(at, further), append(of, property)
			walk(further, property)
		}
	}
	if content, ok := op.RequestBody.Content["application/json"]; ok {
		walk(nil, content.Schema)
	}
	return at, of
}
