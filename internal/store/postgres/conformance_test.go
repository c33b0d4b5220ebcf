package postgres

import (
	"testing"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

var _ store.Store = (*Store)(nil)

func TestStore(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{
		"PostgreSQL 15": testenv.Postgres, "current PostgreSQL": testenv.CurrentPostgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(t *testing.T) func() store.Store {
				url := database(t)
				if _, err := open(t, url).MigrateUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				return func() store.Store { return open(t, url) }
			})
		})
	}
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
