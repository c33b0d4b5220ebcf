package sqlite

import (
	"io/fs"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pressly/goose/v3"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/ledger"
	"github.com/crownsafe/api/internal/store/storetest"
)

// A file of the first schema, with what it held, is brought up to date.
func TestMigrationFromTheFirstSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	writer, err := connect(path, 1, url.Values{"_pragma": {"journal_mode(WAL)"}})
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	const day = 86_400_000_000 // microseconds
	for _, row := range []string{
		`INSERT INTO rejection (agency, native_id, reason, excerpt, raw, position, seen_at) VALUES ('us-example', 'us-example:00 0-01', 'no title', '', 'raw/1', 1, 86400000000)`,
		`INSERT INTO payload (agency, key, source_url, format, fetched_at, size) VALUES ('us-example', 'raw/1', 'https://recalls.example/1', 'json', 86400000000, 9), ('us-example', 'raw/2', 'all.json', 'json', 172800000000, 9)`,
		`INSERT INTO run (agency, kind, state, reason, started_at, finished_at, read, added, revised, unchanged, older, rejected) VALUES ('us-example', 'poll', 'done', '', 1, 86400000000, 1, 0, 0, 0, 0, 1)`,
	} {
		if _, err := writer.ExecContext(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}

	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := func(days int64) time.Time { return ledger.Time(days * day) }
	payloads, err := s.Payloads(t.Context(), "us-example")
	if err != nil {
		t.Fatal(err)
	}
	want := []store.ArchivedPayload{
		{Agency: "us-example", Key: "raw/1", SourceURL: "https://recalls.example/1", Format: "json", Live: true, Size: 9, FetchedAt: at(1), LastFetchedAt: at(1)},
		{Agency: "us-example", Key: "raw/2", SourceURL: "all.json", Format: "json", Size: 9, FetchedAt: at(2), LastFetchedAt: at(2)},
	}
	if diff := cmp.Diff(want, payloads); diff != "" {
		t.Errorf("payloads (-want +got):\n%s", diff)
	}
	sources, err := s.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]store.SourceRecord{{Agency: "us-example", LastSuccess: at(1), FirstSuccess: at(1), Rejected: 1}}, sources,
		cmpopts.IgnoreFields(store.SourceRecord{}, "LastPoll")); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	good := storetest.Copy(storetest.Notice(1))
	good.Notice.Provenance.FetchedAt = at(1)
	if _, err := s.Apply(t.Context(), []store.Incoming{good}, at(3)); err != nil {
		t.Fatal(err)
	}
	if left, err := s.Rejections(t.Context(), "us-example", nil, 0); err != nil || len(left) != 0 {
		t.Errorf("a rejection of the first schema is not settled by its notice: %+v, %v", left, err)
	}
}
