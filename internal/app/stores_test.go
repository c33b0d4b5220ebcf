package app

import (
	"encoding/base64"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/cache"
	"github.com/crownsafe/api/internal/cache/memory"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secret"
)

// TestAccountsThatShareACacheShareNothing: what is cached of an object in one
// account is never told of the object of that name in another, as when two
// deployments use one Redis or a deployment moves.
func TestAccountsThatShareACacheShareNothing(t *testing.T) {
	t.Parallel()
	shared := cache.New(memory.Open(memory.Options{}), nil, cache.Options{})
	t.Cleanup(func() {
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, account := range []string{"one", "other"} {
		cfg := config.Config{AzureStorage: config.Secret("AccountName=" + account + ";AccountKey=" + base64.StdEncoding.EncodeToString([]byte("key")))}
		cfg.Storage.Container = "crownsafe"
		objects, err := openObjects(cfg, secret.NewKeyring(""), shared, logged(t, cfg, slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := objects.SignURL(t.Context(), "photo.jpg", blob.Read, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := url.Parse(signed.URL); err != nil || u.Host != account+".blob.core.windows.net" {
			t.Errorf("the URL of the object in account %q is at %q, %v", account, u.Host, err)
		}
	}
}
