package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/crownsafe/api/internal/auth"
)

// overStore authenticates callers as package auth does: what nobody has needs the store.
type overStore struct{ asked int }

func (o *overStore) Authenticate(ctx context.Context, shown auth.Credentials) (auth.Caller, error) {
	c, err := knownCallers{}.Authenticate(ctx, shown)
	if err == nil {
		return c, nil
	}
	if err := shown.Ask(); err != nil {
		return auth.Nobody, err
	}
	o.asked++
	if len(shown.Authorization)+len(shown.APIKey) == 0 {
		return auth.Nobody, nil // a cookie of nobody's
	}
	return auth.Nobody, auth.ErrInvalid
}

// TestGuessesReachTheStoreNoOftenerThanTheyMay, whatever they are tried at.
func TestGuessesReachTheStoreNoOftenerThanTheyMay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target, kind string
		most         int
		last         int
	}{
		"keys at a lookup":        {"GET /api/v1/sources", "key", 10, 429},
		"keys at an answer kept":  {"GET /api/v1/barcode/{code}", "key", 10, 429},
		"keys for operators":      {"GET /api/v1/monitoring/database", "key", 10, 429},
		"keys for scrapers":       {"GET /metrics", "key", 10, 429},
		"keys at a probe":         {"GET /health", "key", 0, 200},
		"cookies at a probe":      {"GET /api/readyz", "cookie", 0, 200},
		"keys at nothing":         {"GET /api/v1/nowhere", "key", 0, 404},
		"keys at another method":  {"DELETE /api/v1/recalls", "key", 0, 405},
		"keys where they sign in": {"GET /signin", "key", 10, 429},
		"cookies at a lookup":     {"GET /api/v1/sources", "cookie", 120, 429},
		"cookies for operators":   {"GET /api/v1/monitoring/database", "cookie", 150, 429},
		"cookies for scrapers":    {"GET /metrics", "cookie", 10, 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &overStore{}
			b := limitedBenchWith(t, func(d *Dependencies) { d.Authenticator = store })
			var last *http.Response
			for i := range 400 {
				last = b.call(from1, c.target, fmt.Sprintf("%s made-up-%d", c.kind, i))
			}
			if store.asked != c.most || last.StatusCode != c.last {
				t.Errorf("the store was asked %d times, want %d; the last answer is %d, want %d", store.asked, c.most, last.StatusCode, c.last)
			}
			if last.StatusCode == 429 && last.Header.Get("Retry-After") == "" {
				t.Error("a 429 without Retry-After")
			}
			if res := b.call(from1, "GET /api/v1/monitoring/database", "Bearer "+operatorsToken); res.StatusCode != 200 {
				t.Errorf("the operator from the same address: %d", res.StatusCode)
			}
		})
	}
}
