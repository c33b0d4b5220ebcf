package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// owned makes an object of somebody's for each place in which an operation takes the
// id of one: a path, or an operation with a field of its body. The request names the
// object, and is good but for who sends it.
var owned = map[string]func(t *testing.T, p *people, whose *somebody) (id, body string){
	"DELETE /api/v1/me/sessions/{id}": func(t *testing.T, p *people, whose *somebody) (string, string) {
		return p.anotherSession(t, whose).SessionID, ""
	},
	"DELETE /api/v1/keys/{id}": func(t *testing.T, p *people, whose *somebody) (string, string) {
		return p.newKey(t, whose, auth.ScopeLookup).ID, ""
	},
	"POST /api/v1/keys replaces": func(t *testing.T, p *people, whose *somebody) (string, string) {
		return p.newKey(t, whose, auth.ScopeLookup).ID, `{"name":"another","replaces":"{id}","overlap_hours":0}`
	},
}

// namesAnObject reports whether a field of a body holds an object's id.
func namesAnObject(name string, s *schema) bool {
	return name == "id" || strings.HasSuffix(name, "_id") || s.Format == "uuid" || strings.HasPrefix(strings.ToLower(s.Description), "id of ")
}

// ownedPlaces walks the document for every place of an operation on its caller's own
// account in which an id stands.
func ownedPlaces(t *testing.T) map[string]need {
	places := map[string]need{}
	d := readDocument(t)
	for path, methods := range d.Paths {
		for method, op := range methods {
			n := access[op.OperationID]
			if !n.owns {
				continue
			}
			pattern := strings.ToUpper(method) + " " + path
			if strings.Contains(path, "{") {
				places[pattern] = n
			}
			at, fields := d.fields(op)
			for i, field := range fields {
				if namesAnObject(at[i][len(at[i])-1], field) {
					places[pattern+" "+strings.Join(at[i], ".")] = n
				}
			}
		}
	}
	return places
}

// belongings is everything that the store keeps of a user.
func (p *people) belongings(t *testing.T, s *somebody) any {
	t.Helper()
	user, err := p.kept.User(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := p.kept.Sessions(t.Context(), s.ID, p.now())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := p.kept.Keys(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return []any{user, sessions, keys}
}

// TestObjectsOfOthers tries every operation that takes the id of somebody's object
// with another's id, as everybody else: it is as if there were none, and nothing
// becomes of it. An operation that comes new into the document is tried by itself.
func TestObjectsOfOthers(t *testing.T) {
	t.Parallel()
	places := ownedPlaces(t)
	if known := slices.Sorted(maps.Keys(owned)); !slices.Equal(slices.Sorted(maps.Keys(places)), known) {
		t.Fatalf("the document takes ids of people's objects at %q, and the test can make objects for %q", slices.Sorted(maps.Keys(places)), known)
	}
	t.Run("as it is", func(t *testing.T) { tryOthers(t, newPeople(t, straight), places) })
	// Where whoever looks first overlooks whose a key is, what is done still doesn't.
	careless := &anyonesKeys{}
	t.Run("by what is done alone", func(t *testing.T) {
		tryOthers(t, newPeople(t, func(s account.Store) account.Store {
			careless.Store = s
			return careless
		}), places)
	})
	if careless.overlooked == 0 {
		t.Error("nothing was overlooked: the test says nothing of it")
	}
}

// anyonesKeys is a store that shows everybody's keys to everybody.
type anyonesKeys struct {
	account.Store
	overlooked int
}

func (a *anyonesKeys) Key(ctx context.Context, userID, id string) (account.Key, error) {
	users, err := a.Users(ctx, "", 0)
	if err != nil {
		return account.Key{}, err
	}
	for _, u := range users {
		if k, err := a.Store.Key(ctx, u.ID, id); err == nil {
			if u.ID != userID {
				a.overlooked++
			}
			return k, nil
		}
	}
	return a.Store.Key(ctx, userID, id)
}

func tryOthers(t *testing.T, p *people, places map[string]need) {
	owner := p.newUser(t, account.Member)
	others := map[string]*somebody{}
	for _, role := range []account.Role{account.Member, account.Operator, account.Admin} {
		others[string(role)] = p.newUser(t, role)
	}
	for place, n := range places {
		t.Run(strings.ReplaceAll(place, "/", "|"), func(t *testing.T) {
			id, body := owned[place](t, p, owner)
			method, rest, _ := strings.Cut(place, " ")
			path, _, _ := strings.Cut(rest, " ")
			ask := func(id string, headers []string) reply {
				fill := strings.NewReplacer("{id}", id)
				return p.do(t, method, fill.Replace(path), fill.Replace(body), headers...)
			}
			before := p.belongings(t, owner)
			try := func(who string, headers []string, want int) {
				t.Helper()
				theirs, none := ask(id, headers), ask("01890000-0000-7000-8000-000000000000", headers)
				got, fresh := decode[Problem](t, theirs, want), decode[Problem](t, none, want)
				if got.Code != fresh.Code || got.Detail != fresh.Detail {
					t.Errorf("%s: another's object is answered %q, and one that nobody has %q", who, got.Detail, fresh.Detail)
				}
				if diff := cmp.Diff(before, p.belongings(t, owner)); diff != "" {
					t.Errorf("%s: the owner's things were changed:\n%s", who, diff)
				}
			}
			for role, other := range others {
				try("an "+role, other.shows, 404)
				for scope, key := range other.keys {
					want := 403 // no key may do it
					if n.scope == scope {
						want = 404
					}
					try(fmt.Sprintf("a key for %s of an %s", scope, role), []string{"X-API-Key", key}, want)
				}
			}
			try("the operator's token", []string{"Authorization", "Bearer " + operatorsToken}, 403)
			try("nobody", nil, 401)
			if r := ask(id, owner.shows); r.StatusCode >= 300 {
				t.Errorf("the owner: %d %s", r.StatusCode, r.body)
			}
			if cmp.Equal(before, p.belongings(t, owner)) {
				t.Error("the owner's own request changed nothing: the others' prove nothing")
			}
		})
	}
}
