package postgres

import (
	"io/fs"
	"testing"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

var _ store.Store = (*Store)(nil)

// on makes places on a server for stores with these options, whose schema comes
// from other migrations than the program's own where some are given.
func on(database func(testing.TB) string, schema fs.FS, change func(*Options)) storetest.Place {
	return func(t *testing.T) func() store.Store {
		opts := relaxed(database(t))
		made := opts
		made.migrations = schema
		migrated(t, made)
		change(&opts)
		return func() store.Store { return open(t, opts) }
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{"15": testenv.Postgres, "current": testenv.CurrentPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, on(database, nil, func(*Options) {}))
		})
	}
}

// Behind a pooler nothing may be prepared.
func TestStoreBehindPooler(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, on(testenv.CurrentPostgres, nil, func(opts *Options) { opts.StatementCache = -1 }))
}

// While one release follows another, programs work on a schema that isn't theirs.
func TestStoreOnOtherSchemas(t *testing.T) {
	t.Parallel()
	for name, schema := range map[string]fs.FS{
		"of the release before":        files(t, 1, nil),
		"that a later release adds to": files(t, 0, expansion),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.ExerciseContent(t, on(testenv.CurrentPostgres, schema, func(*Options) {}))
		})
	}
}
