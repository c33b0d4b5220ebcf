package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMeasureParts_aMissingServerIsAMissedGoal(t *testing.T) {
	t.Parallel()
	s := &servers{postgres: place{name: "PostgreSQL", failed: errors.New("npm is missing")}, redis: place{name: "Redis"}}
	var progress bytes.Buffer
	r := &run{progress: &progress}
	var measured []string
	note := func(what string, err error) func(context.Context, *servers) error {
		return func(context.Context, *servers) error { measured = append(measured, what); return err }
	}
	err := r.measureParts(t.Context(), s, []part{
		{"imports", []*place{&s.postgres}, note("imports", nil)},
		{"both", []*place{&s.redis, &s.postgres}, note("both", nil)},
		{"caches", []*place{&s.redis}, note("caches", nil)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"caches"}, measured); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}
	if missed(r.rows) != 2 || !strings.Contains(progress.String(), "NOT MEASURED") || !strings.Contains(progress.String(), "npm is missing") {
		t.Errorf("rows %+v; said %q", r.rows, progress.String())
	}
	broken := errors.New("broken")
	if err := r.measureParts(t.Context(), s, []part{{"caches", []*place{&s.redis}, note("", broken)}}); !errors.Is(err, broken) {
		t.Errorf("an error of a measurement becomes %v", err)
	}
}

func TestProgram_withFurtherSettings(t *testing.T) {
	t.Parallel()
	p := &program{path: "/bin/true", folder: t.TempDir(), log: "serve.log"}
	other := p.with("production", "REDIS_URL=redis://localhost")
	if cmd := other.command(t.Context()); !slices.Contains(cmd.Env, "REDIS_URL=redis://localhost") || other.log == p.log {
		t.Errorf("environment %q, log %s", cmd.Env, other.log)
	}
	if cmd := p.command(t.Context()); slices.Contains(cmd.Env, "REDIS_URL=redis://localhost") {
		t.Error("the program itself has them too")
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	find := lookup([]string{"DATABASE_URL=postgres://u:p=q@h/d"})
	if value, ok := find("DATABASE_URL"); !ok || value != "postgres://u:p=q@h/d" {
		t.Errorf("%q, %v", value, ok)
	}
	if value, ok := find("DATABASE"); ok {
		t.Errorf("half a name finds %q", value)
	}
}

func TestMeasurePart_refusesWhatIsNone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := measurePart(t.Context(), quick, "other", t.TempDir(), &out); err == nil || out.Len() > 0 {
		t.Errorf("error %v, result %q", err, out.String())
	}
}
