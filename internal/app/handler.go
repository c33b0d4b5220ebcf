package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/auth"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/exports"
	"github.com/crownsafe/api/internal/web"
)

// Handler builds the HTTP face: the API and the pages over it.
func (a *App) Handler() (http.Handler, error) { return a.handler(nil) }

// handler builds the HTTP face. One that is for the audit's probes only is the same
// but for what counts and logs, for what probes do is nobody's traffic, and for whose
// accounts it knows; nil: it is for everybody.
func (a *App) handler(probed *auth.Service) (http.Handler, error) {
	var kinds []web.ProblemKind
	for _, kind := range api.Kinds() {
		kinds = append(kinds, web.ProblemKind(kind))
	}
	pages, err := web.New(web.Dependencies{
		Catalogue: a.Catalogue, Lookup: a.Lookup, Sources: a.Sources,
		OpenAPI: api.OpenAPI(a.Version), Problems: kinds, Version: a.Version,
		Photos: a.Photos, PhotoOrigin: a.Objects.origin,
		Offline: a.Config.Offline, Board: a.Health, Traffic: a.Traffic, Audit: a.audits.forHealth, Ending: a.ending, SignIn: api.SignInPage,
	})
	if err != nil {
		return nil, fmt.Errorf("building the pages: %w", err)
	}
	var shared api.SharedAnswers
	if a.Config.RedisURL != "" {
		shared = api.ShareAnswers(a.Cache, a.Config.Cache.Worth)
	}
	d := api.Dependencies{
		Catalogue: a.Catalogue, Lookup: a.Lookup, Sources: a.Sources, History: a.Store, Quarantine: a.Store, Ping: a.askStore,
		Draining: a.Draining, Logger: a.seen.of("api"), Tracer: a.seen.tracer(), LogLevels: a.seen.levels, Now: time.Now, Version: a.Version, Pages: pages,
		Monitored: monitor{a}, Audit: &a.audits, Board: a.Health, Traffic: a.Traffic, Shared: shared, Objects: a.Objects.signed,
		Accounts: a.Accounts, Authenticator: a.Accounts, CookieName: a.Accounts.CookieName(),
		Exports:   exports.New(a.Objects, a.uploads.Load, a.seen.of("exports")),
		Observer:  a.Metrics,
		Metrics:   a.metricsHandler(),
		Operators: api.Operators{Token: a.opsToken, Loopback: a.Config.Environment == config.Development},
		Limits:    a.limits(a.Limiter), Proxies: a.proxies(), Origins: a.Config.Edge.Origins(), PublicURL: a.Config.PublicURL,
		Once: a.once(),
	}
	if probed != nil {
		d.Accounts, d.Authenticator = probed, probed
		d.Logger, d.Tracer, d.Observer, d.Traffic = slog.New(slog.DiscardHandler), nil, nil, nil
		d.Limits = a.limitsForProbes()
	}
	return api.New(d)
}
