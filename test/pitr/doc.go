// Package pitr loses a PostgreSQL and sets it back to a moment with pgBackRest, by
// the recipe of docs/disaster-recovery.md ("To a point in time"): backups and the
// write-ahead log go, encrypted, to an Azurite that speaks TLS. `make test-pitr` runs
// it (build tag pitr: other tests need no pgBackRest). It knows nothing of the
// program's insides.
package pitr
