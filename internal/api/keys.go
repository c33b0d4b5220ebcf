package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/auth"
)

// Key is an API key as its owner sees it.
type Key struct {
	ID         string     `json:"id" format:"uuid"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix" doc:"the beginning of the key"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at" nullable:"true" doc:"null: never"`
	RevokedAt  *time.Time `json:"revoked_at" nullable:"true" doc:"null: it wasn't"`
	LastUsedAt *time.Time `json:"last_used_at" nullable:"true" doc:"to the minute; null: never"`
}

// NewKey is a key that was just made.
type NewKey struct {
	Key
	Secret string `json:"key" doc:"the key itself, shown now and never again"`
}

// KeyList lists a user's keys.
type KeyList struct {
	Items []Key `json:"items"`
}

// KeyRequest asks for a key.
type KeyRequest struct {
	Name         string     `json:"name" minLength:"1" maxLength:"100" doc:"by which its owner knows it"`
	Scopes       []string   `json:"scopes,omitempty" maxItems:"3" uniqueItems:"true" enum:"lookup,account,monitor" doc:"what it may be used for; missing: lookup. monitor is for operators"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty" doc:"missing: never"`
	Replaces     string     `json:"replaces,omitempty" maxLength:"64" doc:"id of the key that this one takes the place of"`
	OverlapHours *int       `json:"overlap_hours,omitempty" minimum:"0" maximum:"720" doc:"how long the replaced key stays good; missing: 24"`
}

type keyPath struct {
	ID string `path:"id" maxLength:"64" doc:"of the key"`
}

// defaultOverlap is how many hours a replaced key stays good.
const defaultOverlap = 24

func (s *service) registerKeys(api huma.API) {
	keys := func(id, method, path, summary, description string, errors ...int) huma.Operation {
		return operation(id, method, path, tagAccounts, summary, description, append(errors, http.StatusServiceUnavailable)...)
	}
	handlePerson(s, api, keys("list-keys", http.MethodGet, "/api/v1/keys", "My keys", "Newest first, those that are good no more for a week longer."), http.StatusOK,
		func(ctx context.Context, p person, _ *struct{}) (*response[KeyList], error) {
			list, err := s.Accounts.Keys(ctx, p.caller)
			return replied(KeyList{keysOf(list)}), err
		})
	handlePerson(s, api, keys("create-key", http.MethodPost, "/api/v1/keys", "Make a key",
		"The key is in this answer and nowhere else afterwards. At most 50 good ones. To rotate a key, name the old one in `replaces`.",
		http.StatusNotFound), http.StatusCreated, s.createKey)
	handlePerson(s, api, keys("revoke-key", http.MethodDelete, "/api/v1/keys/{id}", "Revoke a key",
		"It is refused at once by the process that answers, and within a second by all others.", http.StatusNotFound, http.StatusUnprocessableEntity), http.StatusNoContent,
		func(ctx context.Context, p person, in *keyPath) (*nothing, error) {
			return said, s.Accounts.RevokeKey(ctx, p.caller, in.ID, p.origin)
		})
}

func (s *service) createKey(ctx context.Context, p person, in *struct{ Body KeyRequest }) (*response[NewKey], error) {
	k := auth.NewKey{Name: strings.TrimSpace(in.Body.Name), Replaces: in.Body.Replaces, Overlap: defaultOverlap * time.Hour}
	if k.Name == "" {
		return nil, fieldProblem(codeInvalid, "body.name", "is blank", "")
	}
	for _, scope := range in.Body.Scopes {
		k.Scopes = append(k.Scopes, auth.Scope(scope))
	}
	if in.Body.Scopes == nil {
		k.Scopes = []auth.Scope{auth.ScopeLookup}
	}
	if in.Body.ExpiresAt != nil {
		if k.Expires = in.Body.ExpiresAt.UTC(); !k.Expires.After(s.Now()) {
			return nil, fieldProblem(codeOutOfRange, "body.expires_at", "lies in the past", k.Expires.Format(time.RFC3339))
		}
	}
	if in.Body.OverlapHours != nil {
		if in.Body.Replaces == "" {
			return nil, fieldProblem(codeInvalid, "body.overlap_hours", "goes with replaces", "")
		}
		k.Overlap = time.Duration(*in.Body.OverlapHours) * time.Hour
	}
	made, secret, err := s.Accounts.CreateKey(ctx, p.caller, k, p.origin)
	if err != nil {
		return nil, err
	}
	return replied(NewKey{Key: keyOf(made), Secret: secret}), nil
}

func keysOf(list []account.Key) []Key {
	items := make([]Key, len(list))
	for i, k := range list {
		items[i] = keyOf(k)
	}
	return items
}

func keyOf(k account.Key) Key {
	return Key{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, Scopes: append([]string{}, k.Scopes...), CreatedAt: k.CreatedAt.UTC(),
		ExpiresAt: momentOf(k.ExpiresAt), RevokedAt: momentOf(k.RevokedAt), LastUsedAt: momentOf(k.LastUsedAt),
	}
}

// momentOf is a time that may be missing.
func momentOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
