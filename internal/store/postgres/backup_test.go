package postgres

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
	"github.com/crownsafe/api/internal/testenv"
)

func TestBackups(t *testing.T) {
	t.Parallel()
	storetest.ExerciseBackups(t, func(t *testing.T) storetest.Backups {
		restored := relaxed(testenv.Postgres(t))
		return storetest.Backups{
			Open: func() store.Store { return migrated(t, relaxed(testenv.Postgres(t))) },
			Restoration: func() store.Restoration {
				r, err := OpenRestoration(t.Context(), restored)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { r.Close() })
				return r
			},
			Restored: func() store.Store { return open(t, restored) },
			Shell: func(texts ...string) store.Store {
				opts := relaxed(testenv.Postgres(t))
				config, err := pgx.ParseConfig(opts.URL)
				if err != nil {
					t.Fatal(err)
				}
				conn, err := pgx.ConnectConfig(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(t.Context())
				// All in one session, as by `gunzip -c FULL INCREMENT... | psql`.
				shell := exec.CommandContext(t.Context(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null")
				shell.Env = append(shell.Environ(), serverOf(opts, conn)...)
				shell.Stdin = strings.NewReader(strings.Join(texts, ""))
				if said, err := shell.CombinedOutput(); err != nil || len(said) > 0 {
					t.Fatalf("psql: %v\n%s", err, said)
				}
				return open(t, opts)
			},
		}
	})
}
