package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/secaudit"
)

// auditEvery is how often the security audit is taken.
const auditEvery = 10 * time.Minute

// audits keeps what the last audit found.
type audits struct {
	taking sync.Mutex // held while an audit is taken
	target *secaudit.Target
	known  map[string]secaudit.Severity // findings that were told of

	last  atomic.Pointer[secaudit.Report]
	first chan struct{} // closed when the first was taken, or could not be
	once  sync.Once
}

// errNoAudit says that no audit could be taken yet.
var errNoAudit = errors.New("no security audit could be taken yet")

// LastAudit implements api.Audit.
func (l *audits) LastAudit(ctx context.Context) (secaudit.Report, error) {
	select {
	case <-l.first:
	case <-ctx.Done():
		return secaudit.Report{}, ctx.Err()
	}
	if report := l.last.Load(); report != nil {
		return *report, nil
	}
	return secaudit.Report{}, errNoAudit
}

// tried ends the wait for the first audit.
func (l *audits) tried() { l.once.Do(func() { close(l.first) }) }

// forHealth is what the health score needs of the last audit, nil before the first.
func (l *audits) forHealth() *health.Audit {
	report := l.last.Load()
	if report == nil {
		return nil
	}
	known := &health.Audit{RunAt: report.RunAt, Every: auditEvery, Counts: counts(report)}
	for _, check := range report.Findings() {
		known.Findings = append(known.Findings, health.Finding{ID: check.ID, Severity: string(check.Severity), Detail: check.Detail, Remedy: check.Remedy})
	}
	if report.RiskLevel != secaudit.None {
		known.Worst = string(report.RiskLevel)
	}
	return known
}

func counts(report *secaudit.Report) map[string]int {
	found := map[string]int{}
	for _, severity := range secaudit.Severities() {
		found[string(severity)] = report.Count(severity)
	}
	return found
}

// TakeAudit gathers the facts, probes the handler, and keeps what was found. It
// tells the log of findings that are new, and of those that are gone.
func (a *App) TakeAudit(ctx context.Context) (secaudit.Report, error) {
	a.audits.taking.Lock()
	defer a.audits.taking.Unlock()
	defer a.audits.tried()
	if a.audits.target == nil {
		target, err := a.probed()
		if err != nil {
			return secaudit.Report{}, err
		}
		a.audits.target = target
	}
	facts := a.facts(ctx)
	report := secaudit.Run(ctx, &facts, a.audits.target)
	if err := ctx.Err(); err != nil { // the probes were cut short
		return report, err
	}
	a.tell(ctx, &report)
	a.Metrics.Audited(counts(&report))
	a.audits.last.Store(&report)
	return report, nil
}

// tell writes what changed since the audit before into the log: what is critical as
// an error, what is high as a warning.
func (a *App) tell(ctx context.Context, report *secaudit.Report) {
	found := map[string]secaudit.Severity{}
	for _, check := range report.Findings() {
		found[check.ID] = check.Severity
		if a.audits.known[check.ID] == check.Severity {
			continue
		}
		level := map[secaudit.Severity]slog.Level{secaudit.Critical: slog.LevelError, secaudit.High: slog.LevelWarn}[check.Severity] // else info
		a.Logger.Log(ctx, level, "security finding", "severity", check.Severity, "check", check.ID, "detail", check.Detail, "remedy", check.Remedy)
	}
	for id := range a.audits.known {
		if _, still := found[id]; !still {
			a.Logger.Info("security finding is mended", "check", id)
		}
	}
	a.audits.known = found
}

// keepAuditing takes the audit now and every ten minutes, until ctx ends.
func (a *App) keepAuditing(ctx context.Context) {
	ticker := time.NewTicker(auditEvery)
	defer ticker.Stop()
	for {
		if _, err := a.TakeAudit(ctx); err != nil && ctx.Err() == nil {
			a.Logger.Error("the security audit could not be taken", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Permit takes the audit that a start in production depends on, and returns the
// critical findings that forbid it; none elsewhere, and none where the settings
// override them.
func (a *App) Permit(ctx context.Context) ([]secaudit.Check, error) {
	if a.Config.Environment != config.Production {
		return nil, nil
	}
	report, err := a.TakeAudit(ctx)
	if err != nil {
		return nil, err
	}
	critical := report.Findings()[:report.Count(secaudit.Critical)]
	if len(critical) > 0 && a.Config.Secrets.AuditOverride {
		a.Logger.Error("starting in spite of critical security findings, for CROWNSAFE_AUDIT_OVERRIDE is on", "findings", len(critical))
		return nil, nil
	}
	return critical, nil
}

// probed is the handler for the probes, and where in it they find what they ask for.
func (a *App) probed() (*secaudit.Target, error) {
	accounts, forge := a.Accounts.Probed()
	handler, err := a.handler(accounts)
	if err != nil {
		return nil, fmt.Errorf("building the handler for the audit: %w", err)
	}
	return &secaudit.Target{
		Handler: handler, Forge: forge, Member: "/api/v1/me", AllowedOrigin: listedOrigin(a.Config.Edge.Origins()),
		Operators: operatorPaths(),
		Lookup:    "/api/v1/recalls", Page: "/", Body: "/api/v1/verdict", MostBody: 1 << 20, Burst: 4 * mostProbed, Limited: a.Limiter != nil,
		HTTPS: strings.HasPrefix(strings.ToLower(a.Config.PublicURL), "https://"), Private: privateWords(a.Config.Data),
	}, nil
}

// operatorPaths are addresses of everything that only operators may read.
func operatorPaths() []string {
	paths := api.OperatorPaths()
	for i, path := range paths {
		paths[i] = strings.ReplaceAll(path, "{agency}", "us-cpsc")
	}
	return paths
}

// listedOrigin is one of the origins that are listed; empty: none is, or all are.
func listedOrigin(origins []string) string {
	if len(origins) == 0 || slices.Contains(origins, "*") {
		return ""
	}
	return origins[0]
}

// privateWords are names of this machine that no answer may have in it. A short one
// could stand in any text.
func privateWords(data string) []string {
	var words []string
	if host, err := os.Hostname(); err == nil {
		words = append(words, host)
	}
	if folder, err := filepath.Abs(data); err == nil {
		words = append(words, folder)
	}
	return slices.DeleteFunc(words, func(word string) bool { return len(word) < 6 })
}
