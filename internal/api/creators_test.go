package api

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/account"
)

// TestWhatCreatesTakesIdempotencyKeys: every POST that is answered by a 201, or by a
// 202 alone, may be sent again.
func TestWhatCreatesTakesIdempotencyKeys(t *testing.T) {
	found := 0
	for path, methods := range readDocument(t).Paths {
		op, ok := methods["post"]
		if !ok {
			continue
		}
		creates := op.Responses["201"] != nil || op.Responses["202"] != nil && op.Responses["200"] == nil
		takes := false
		for _, param := range op.Parameters {
			takes = takes || param.Name == onceHeader && param.In == "header"
		}
		if takes != creates || access[op.OperationID].creates != creates {
			t.Errorf("POST %s creates something: %t; takes %s: %t", path, creates, onceHeader, takes)
		}
		if creates {
			found++
		}
	}
	if found < 2 { // users and keys
		t.Errorf("only %d operations create something", found)
	}
}

// gate is a store in which the next one who makes a key or a user waits, and
// nobody else.
type gate struct {
	account.Store
	shut          atomic.Bool
	entered, open chan struct{}
}

func (g *gate) pass() {
	if g.shut.CompareAndSwap(true, false) {
		close(g.entered)
		<-g.open
	}
}

func (g *gate) CreateKey(ctx context.Context, k account.Key) error {
	g.pass()
	return g.Store.CreateKey(ctx, k)
}

func (g *gate) CreateUser(ctx context.Context, u account.User) error {
	g.pass()
	return g.Store.CreateUser(ctx, u)
}

// creation is an operation that creates something.
type creation struct {
	path, body, other string
	status            int
	shows             func() []string
	count             func() int // of what there is
}

// creations are the operations that create something, over a store.
func creations(t *testing.T, p *people, owner *somebody) map[string]creation {
	return map[string]creation{
		"a key": {
			"/api/v1/keys", `{"name":"shop"}`, `{"name":"app"}`, 201, func() []string { return owner.shows },
			func() int {
				keys, err := p.kept.Keys(t.Context(), owner.ID)
				if err != nil {
					t.Fatal(err)
				}
				return len(keys)
			},
		},
		"a user": {
			"/api/v1/auth/register", `{"email":"ada@example.org","password":"` + peoplesPassword + `"}`, `{"email":"eve@example.org","password":"` + peoplesPassword + `"}`,
			202, func() []string { return nil },
			func() int {
				users, err := p.kept.Users(t.Context(), "", 0)
				if err != nil {
					t.Fatal(err)
				}
				return len(users)
			},
		},
	}
}

// TestWhatIsCreatedIsCreatedOnce over a real store.
func TestWhatIsCreatedIsCreatedOnce(t *testing.T) {
	p := newPeople(t, straight)
	owner := p.newUser(t, account.Member)
	for what, c := range creations(t, p, owner) {
		t.Run(what, func(t *testing.T) {
			post := func(key, body string) reply {
				return p.do(t, "POST", c.path, body, append(slices.Clone(c.shows()), onceHeader, key)...)
			}
			before := c.count()
			first, again := post("k", c.body), post("k", c.body)
			if first.StatusCode != c.status || again.StatusCode != c.status || !bytes.Equal(first.body, again.body) || again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%d %s, then %d %s", first.StatusCode, first.body, again.StatusCode, again.body)
			}
			if got := decode[Problem](t, post("k", c.other), 422); got.Code != codeKeyReused {
				t.Errorf("another body: %+v", got)
			}
			if got := post(strings.Repeat("k", maxKeyLength+1), c.body); got.StatusCode != 422 {
				t.Errorf("a key that is too long: %d", got.StatusCode)
			}
			if got := c.count() - before; got != 1 {
				t.Errorf("%d were made", got)
			}
			if got := post(strings.Repeat("k", maxKeyLength), c.other); got.StatusCode != c.status || c.count()-before != 2 {
				t.Errorf("the longest key: %d, %d made", got.StatusCode, c.count()-before)
			}
			p.clock = p.clock.Add(24*time.Hour - time.Second)
			p.signIn(t, owner)
			if late := post("k", c.body); !bytes.Equal(late.body, first.body) || c.count()-before != 2 {
				t.Errorf("a second before its end: %d %s, %d made", late.StatusCode, late.body, c.count()-before)
			}
			p.clock = p.clock.Add(2 * time.Second)
			p.signIn(t, owner)
			if over := post("k", c.other); over.StatusCode != c.status || over.Header.Get("Idempotent-Replayed") != "" {
				t.Errorf("after its end: %d %v", over.StatusCode, over.Header)
			}
		})
	}
}

// TestWhatIsBeingCreatedIsInProgress: who asks again while the first request is under
// way is told so, however many they are, and gets its answer afterwards.
func TestWhatIsBeingCreatedIsInProgress(t *testing.T) {
	g := &gate{}
	p := newPeople(t, func(st account.Store) account.Store { g.Store = st; return g })
	owner := &somebody{User: account.User{Email: "owner@example.org"}}
	u, err := p.service().Accounts.CreateUser(t.Context(), owner.Email, peoplesPassword, account.Member)
	if err != nil {
		t.Fatal(err)
	}
	owner.User = u
	p.signIn(t, owner)
	for what, c := range creations(t, p, owner) {
		t.Run(what, func(t *testing.T) {
			g.entered, g.open = make(chan struct{}), make(chan struct{})
			g.shut.Store(true)
			before := c.count()
			headers := append(slices.Clone(c.shows()), onceHeader, "k")
			var first reply
			var wg sync.WaitGroup
			wg.Go(func() { first = p.do(t, "POST", c.path, c.body, headers...) })
			<-g.entered
			var meanwhile []reply
			for range 3 {
				meanwhile = append(meanwhile, p.do(t, "POST", c.path, c.body, headers...))
			}
			close(g.open)
			wg.Wait()
			for _, r := range meanwhile {
				if got := decode[Problem](t, r, 409); got.Code != codeInProgress || r.Header.Get("Retry-After") == "" {
					t.Errorf("%+v", got)
				}
			}
			if r := p.do(t, "POST", c.path, c.body, headers...); first.StatusCode != c.status || !bytes.Equal(r.body, first.body) {
				t.Errorf("%d %s, then %d %s", first.StatusCode, first.body, r.StatusCode, r.body)
			}
			if got := c.count() - before; got != 1 {
				t.Errorf("%d were made", got)
			}
		})
	}
}
