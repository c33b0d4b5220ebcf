package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.opentelemetry.io/otel/trace"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/store"
)

// TestAFaultNamesTheTraceItWasIn, which its log line has from its context.
func TestAFaultNamesTheTraceItWasIn(t *testing.T) {
	t.Parallel()
	var cfg config.Config
	s := logged(t, cfg, slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	at := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{0xcd}})
	s.of("app").ErrorContext(trace.ContextWithSpanContext(t.Context(), at), "something fails")
	faults := s.traffic.Faults(1)
	if len(faults) != 1 || faults[0].TraceID != at.TraceID().String() {
		t.Errorf("%+v, want the trace %s", faults, at.TraceID())
	}
}

func TestUntilWhenAServerCanBeVerified(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ends := func(days ...int) (chain []*x509.Certificate) {
		for _, n := range days {
			chain = append(chain, &x509.Certificate{NotAfter: noon.AddDate(0, 0, n)})
		}
		return chain
	}
	for name, test := range map[string]struct {
		state tls.ConnectionState
		days  int
	}{
		"the first end of a chain":                 {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{ends(90, 30, 900)}}, 30},
		"the last of several chains":               {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{ends(90, 30), ends(90, 800)}}, 90},
		"what is sent along and nobody needs":      {tls.ConnectionState{PeerCertificates: ends(90, 800, -5), VerifiedChains: [][]*x509.Certificate{ends(90, 800, 900)}}, 90},
		"a server's own where nobody verifies":     {tls.ConnectionState{PeerCertificates: ends(90, -5)}, 90},
		"one chain has ended, and another has not": {tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{ends(90, -5), ends(90, 60)}}, 60},
	} {
		if got, want := goodUntil(test.state), noon.AddDate(0, 0, test.days); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := goodUntil(tls.ConnectionState{}); !got.IsZero() {
		t.Errorf("without a certificate: %s", got)
	}
}

// TestTheMemoryIsLimited as the control group says. It changes the process, so
// nothing runs beside it.
func TestTheMemoryIsLimited(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	debug.SetMemoryLimit(math.MaxInt64)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, err := range []error{memlimit.ErrNoLimit, errors.New("no such file")} {
		limitMemory(func() (uint64, error) { return 0, err }, logger)
		if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
			t.Errorf("%v: the limit is %d", err, got)
		}
	}
	t.Setenv("GOMEMLIMIT", "3GiB")
	limitMemory(memlimit.Limit(10<<30), logger)
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("GOMEMLIMIT isn't heard: the limit is %d", got)
	}
	t.Setenv("GOMEMLIMIT", "")
	limitMemory(memlimit.Limit(10<<30), logger)
	if got := debug.SetMemoryLimit(-1); got != 9<<30 {
		t.Errorf("of 10 GiB the limit is %d", got)
	}
	if !strings.Contains(log.String(), "limit_bytes=9663676416") {
		t.Errorf("the log says %s", &log)
	}
}

// TestOneReadingOfTheDatabase: whoever asks how it does hears the same.
func TestOneReadingOfTheDatabase(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		condition store.Condition
		err, want error
		words     string
	}{
		"well":         {store.Condition{Schema: 7, Known: 7}, nil, nil, ""},
		"gone":         {store.Condition{}, store.ErrUnavailable, store.ErrUnavailable, "no answer"},
		"a standby":    {store.Condition{ReadOnly: true, Schema: 7, Known: 7}, nil, store.ErrReadOnly, "takes no changes"},
		"not migrated": {store.Condition{Schema: 6, Known: 7}, nil, store.ErrNotMigrated, "schema is missing or too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := program(t, t.TempDir(), openStore(t))
			p.App.Store = fixed{p.App.Store, test.condition, test.err}
			if err := p.askStore(t.Context()); !errors.Is(err, test.want) {
				t.Errorf("healthz hears %v, want %v", err, test.want)
			}
			if got := p.databaseHealth(t.Context()).Failing; got != test.words {
				t.Errorf("the dashboard says %q, want %q", got, test.words)
			}
			if got := (monitor{p.App}).Database(t.Context()).Status; (got == "healthy") != (test.want == nil) {
				t.Errorf("operators hear %q", got)
			}
		})
	}
}

// fixed is a store in a condition.
type fixed struct {
	Store
	condition store.Condition
	err       error
}

func (f fixed) Condition(context.Context) (store.Condition, error) { return f.condition, f.err }
