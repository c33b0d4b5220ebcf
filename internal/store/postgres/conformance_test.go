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
	for name, database := range map[string]func(testing.TB) string{"15": testenv.Postgres, "current": testenv.CurrentPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(t *testing.T) func() store.Store {
				opts := relaxed(database(t))
				migrated(t, opts)
				return func() store.Store { return open(t, opts) }
			})
		})
	}
}
