package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/crownsafe/api/internal/account"
	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/recall"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/telemetry"
)

// newMetrics makes the metrics, with a series for everything that is known now.
func newMetrics(cfg config.Config, version string) *telemetry.Metrics {
	var codes []string
	for _, ag := range Agencies(cfg) {
		codes = append(codes, ag.Describe().Code)
	}
	return telemetry.NewMetrics(telemetry.NewRegistry(), telemetry.Options{
		Version: version, Agencies: codes, Operations: slices.Concat(store.Operations(), account.Operations()), Backend: backendOf(cfg),
	})
}

// measure hands the metrics to whoever does the work.
func (a *App) measure() {
	a.Lookup.Observe(func(o recall.Outcome) { a.Metrics.Verdict(string(o)) })
	a.Runner.Polled = func(run store.Run) { a.Metrics.Poll(run.Agency, string(run.State), run.Rejected) }
	a.Metrics.Follow(a.stateSince(time.Now()))
}

func (a *App) metricsHandler() http.Handler {
	return a.Metrics.Handler(slog.NewLogLogger(a.Logger.Handler(), slog.LevelWarn).Writer())
}

// seenBy notes how long the certificates of a server are good for.
func seenBy(m *telemetry.Metrics, peer string) func(tls.ConnectionState) {
	return func(state tls.ConnectionState) {
		if until := goodUntil(state); !until.IsZero() {
			m.CertificateSeen(peer, until)
		}
	}
}

// goodUntil is until when a server can be verified as it was now: a chain is good
// until the first of it ends, and the last chain counts. What else a server sends
// along, such as an old cross-signed certificate, nobody needs. Where nobody
// verifies it is the end of the server's own certificate, and zero without any.
func goodUntil(state tls.ConnectionState) (until time.Time) {
	for _, chain := range state.VerifiedChains {
		if end := firstEnd(chain); end.After(until) {
			until = end
		}
	}
	if len(state.VerifiedChains) == 0 && len(state.PeerCertificates) > 0 {
		return state.PeerCertificates[0].NotAfter
	}
	return until
}

func firstEnd(chain []*x509.Certificate) time.Time {
	return slices.MinFunc(chain, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }).NotAfter
}

// observeQueries counts what the store is asked.
func observeQueries(m *telemetry.Metrics) store.Observation {
	return func(ctx context.Context, operation string) (context.Context, func(error)) {
		began := time.Now()
		return ctx, func(err error) { m.Query(operation, time.Since(began), databaseFailed(err)) }
	}
}

// answers are errors by which a store answers: it did its work.
var answers = []error{
	store.ErrNotFound, store.ErrNotEmpty, store.ErrClosed, account.ErrTaken, account.ErrReused, account.ErrEnded,
	context.Canceled, // whoever asked has gone away
}

func databaseFailed(err error) bool {
	return err != nil && !slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}

// observeObjects counts what the store of objects is asked.
func observeObjects(m *telemetry.Metrics) func(operation string, took time.Duration, err error) {
	return func(operation string, took time.Duration, err error) {
		failed := storageFailed(err)
		m.Object(operation, took, failed)
		if operation != "put" {
			return
		}
		result := "stored"
		switch {
		case errors.Is(err, blob.ErrExists):
			result = "exists"
		case err != nil:
			result = "failed"
		}
		m.Upload(result, took)
	}
}

func storageFailed(err error) bool {
	answers := []error{blob.ErrNotFound, blob.ErrExists, blob.ErrChanged, blob.ErrRange, context.Canceled}
	return err != nil && !slices.ContainsFunc(answers, func(answer error) bool { return errors.Is(err, answer) })
}

// firstCount is how long after the start objects are counted at the latest.
const firstCount = time.Minute

// keepCounting counts the bytes of all objects now and then, until ctx ends. The
// last count stands while the store doesn't answer.
func (a *App) keepCounting(ctx context.Context) {
	every := a.Config.Storage.CountEvery
	for wait := min(firstCount, every); ; wait = every {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if bytes, err := bytesOf(ctx, a.Objects.guard); err == nil {
			a.stored.Store(bytes)
		} else if ctx.Err() == nil {
			a.Logger.Warn("the objects could not be counted; the last count stands", "error", err)
		}
	}
}

// bytesOf adds up the sizes of all objects.
func bytesOf(ctx context.Context, objects blob.Store) (int64, error) {
	const page = 5000
	var sum int64
	for after := ""; ; {
		list, err := objects.List(ctx, "", after, page)
		if err != nil {
			return 0, err
		}
		for _, info := range list {
			sum += info.Size
		}
		if len(list) < page {
			return sum, nil
		}
		after = list[len(list)-1].Key
	}
}
