// Package load holds benchmarks that run the whole program in this process, for
// profiles of what the command in test/load/bench measures from outside:
//
//	go test ./test/load -run '^$' -bench Import -benchtime 1x -cpuprofile /tmp/import.prof
package load

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/app"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/load/corpus"
)

const (
	notices = 20_000
	seed    = 1
)

// writeCorpus writes the notices to a file and returns its path.
func writeCorpus(b *testing.B, first, end int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "recalls.json")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(corpus.Write(f, corpus.Between(seed, first, end)), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

func open(b *testing.B, data string) *app.App {
	b.Helper()
	return openWith(b, data, "")
}

// openWith is open with a database of PostgreSQL's, unless its URL is empty.
func openWith(b *testing.B, data, database string) *app.App {
	b.Helper()
	cfg, err := config.Load(b.Context(), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	cfg.Data, cfg.Offline, cfg.DatabaseURL = data, true, config.Secret(database)
	a, err := app.Open(b.Context(), cfg, slog.New(slog.DiscardHandler), "v0.0.0-bench")
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	return a
}

func shut(b *testing.B, a *app.App) {
	b.Helper()
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
}

func importInto(b *testing.B, data, path string) {
	b.Helper()
	importWith(b, open(b, data), path)
}

func importWith(b *testing.B, a *app.App, path string) {
	b.Helper()
	defer shut(b, a)
	report, err := a.Runner.Import(b.Context(), []string{path}, nil)
	if err != nil || len(report) != 1 || report[0].Tally.Added != notices {
		b.Fatalf("%+v, %v", report, err)
	}
}

// BenchmarkImport takes all notices into an empty data directory.
func BenchmarkImport(b *testing.B) {
	path := writeCorpus(b, 0, notices)
	for b.Loop() {
		begin := time.Now()
		importInto(b, b.TempDir(), path)
		b.ReportMetric(notices/time.Since(begin).Seconds(), "notices/s")
	}
}

// BenchmarkPostgresImport takes all notices into an empty database.
func BenchmarkPostgresImport(b *testing.B) {
	path := writeCorpus(b, 0, notices)
	app.PrepareBulk()
	for b.Loop() {
		b.StopTimer()
		a := openWith(b, b.TempDir(), testenv.Postgres(b))
		b.StartTimer()
		begin := time.Now()
		importWith(b, a, path)
		b.ReportMetric(notices/time.Since(begin).Seconds(), "notices/s")
	}
}

// BenchmarkStart opens a data directory that holds all notices and loads the
// catalogue.
func BenchmarkStart(b *testing.B) {
	data := b.TempDir()
	importInto(b, data, writeCorpus(b, 0, notices))
	for b.Loop() {
		a := open(b, data)
		if err := a.Load(context.WithoutCancel(b.Context())); err != nil {
			b.Fatal(err)
		}
		shut(b, a)
	}
}

// BenchmarkSearch answers searches that were never asked before, without a
// connection.
func BenchmarkSearch(b *testing.B) {
	data := b.TempDir()
	importInto(b, data, writeCorpus(b, 0, notices))
	a := open(b, data)
	defer shut(b, a)
	if err := a.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	handler, err := a.Handler()
	if err != nil {
		b.Fatal(err)
	}
	queries := corpus.Queries(seed, 100)
	farEnd := time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)
	for n := 0; b.Loop(); n++ {
		target := "/api/v1/recalls?q=" + url.QueryEscape(queries[n%len(queries)]) +
			"&published_to=" + farEnd.Add(time.Duration(n)*time.Second).Format(time.RFC3339)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != http.StatusOK {
			b.Fatalf("%s answered %d: %s", target, w.Code, w.Body)
		}
	}
}
