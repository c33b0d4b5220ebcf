package app

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/blob/azure"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/egress"
	"github.com/crownsafe/api/internal/ingest"
	"github.com/crownsafe/api/internal/secaudit"
	"github.com/crownsafe/api/internal/source"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
)

// askTimeout bounds what the audit waits for a server.
const askTimeout = 2 * time.Second

// asked is what servers are asked for the audit; nil: there is no such server.
type asked struct {
	role         func(context.Context) (postgres.Role, error)
	publicAccess func(context.Context) (string, error)
}

// roleIn returns what asks a store for its role, before the store is wrapped.
func roleIn(st store.Store) func(context.Context) (postgres.Role, error) {
	if server, ok := st.(*postgres.Store); ok {
		return server.Role
	}
	return nil
}

// facts gathers what the audit judges.
func (a *App) facts(ctx context.Context) secaudit.Facts {
	cfg := &a.Config
	f := secaudit.Facts{
		At: time.Now(), Environment: cfg.Environment,
		SecretKeySet: a.secretNow(secretKeyVariable, cfg.SecretKey) != "", SecretMaxAge: cfg.Secrets.MaxAge, Override: cfg.Secrets.AuditOverride,
		Settings: a.settingFacts(), Database: a.databaseFacts(ctx), Cache: cacheFacts(string(cfg.RedisURL)), Storage: a.storageFacts(ctx),
		Host: hostFacts(cfg.Data, cfg.DatabaseURL == ""), Build: buildFacts(), Agencies: a.agencyFacts(), Backup: a.backupFacts(),
	}
	f.Secrets = a.secretFacts(f.At)
	return f
}

func (a *App) settingFacts() secaudit.Settings {
	cfg := &a.Config
	server := api.Server(nil)
	s := secaudit.Settings{
		PublicURL: cfg.PublicURL, DefaultContact: cfg.Contact == config.DefaultContact, Debug: a.logsDebug(), MigratesItself: cfg.Migrate,
		RateLimit: cfg.Edge.RateLimit == "on",
		DebugAddr: cfg.Traces.DebugAddr, PlainTelemetry: plainElsewhere(cfg.Traces.OTLPEndpoint),
		ServerTimeouts: server.ReadHeaderTimeout > 0 && server.ReadTimeout > 0 && server.WriteTimeout > 0 && server.IdleTimeout > 0,
	}
	for agency, feed := range cfg.Feeds.ByAgency() {
		if plainElsewhere(feed) {
			s.PlainFeeds = append(s.PlainFeeds, agency)
		}
	}
	slices.Sort(s.PlainFeeds)
	for _, network := range cfg.Edge.Proxies() {
		s.TrustedProxies = append(s.TrustedProxies, network.String())
	}
	return s
}

// logsDebug reports that debug lines are logged of anything, by the levels as they
// are now: operators can change them.
func (a *App) logsDebug() bool {
	normal, own := a.seen.levels.Get()
	lowest := slices.Min(slices.AppendSeq([]slog.Level{normal}, maps.Values(own)))
	return lowest <= slog.LevelDebug
}

// plainElsewhere reports that an address is another machine's, without TLS.
func plainElsewhere(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !egress.ThisMachine(u.Hostname())
}

func (a *App) databaseFacts(ctx context.Context) secaudit.Database {
	if a.Config.DatabaseURL == "" {
		return secaudit.Database{Embedded: true}
	}
	var d secaudit.Database
	if described, err := postgres.Describe(string(a.Config.DatabaseURL)); err == nil { // Open has read it
		d.Local = described.Local
		d.TLS = map[string]secaudit.TLS{"require": secaudit.TLSUnverified, "verify-ca": secaudit.TLSAuthority, "verify-full": secaudit.TLSFull}[described.Mode]
	}
	if d.TLS == "" {
		d.TLS = secaudit.TLSNone
	}
	if a.asked.role == nil {
		return d
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if role, err := a.asked.role(ctx); err == nil {
		d.Asked, d.Superuser, d.Powers = true, role.Superuser, role.Powers
	}
	return d
}

// cacheFacts reads what the address of a Redis says, which its adapter has read
// before. It may name several hosts, which url.Parse doesn't know of.
func cacheFacts(address string) secaudit.Cache {
	if address == "" {
		return secaudit.Cache{Embedded: true}
	}
	scheme, password, hosts, query := splitRedis(address)
	c := secaudit.Cache{Password: password != "", Local: scheme == "unix", TLS: secaudit.TLSNone}
	if scheme == "rediss" {
		c.TLS = secaudit.TLSFull
		if skip := query.Get("skip_verify"); skip == "true" || skip == "1" {
			c.TLS = secaudit.TLSUnverified
		}
	}
	if scheme != "unix" {
		c.Local = !slices.ContainsFunc(slices.Concat(hosts, query["addr"]), func(host string) bool {
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			return !egress.ThisMachine(strings.Trim(host, "[]"))
		})
	}
	return c
}

// splitRedis takes the address of a Redis apart.
func splitRedis(address string) (scheme, password string, hosts []string, query url.Values) {
	scheme, rest, _ := strings.Cut(address, "://")
	authority, tail := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority, tail = rest[:end], rest[end:]
	}
	at := strings.LastIndexByte(authority, '@')
	if at >= 0 {
		_, password, _ = strings.Cut(authority[:at], ":")
		if plain, err := url.PathUnescape(password); err == nil {
			password = plain
		}
	}
	_, options, _ := strings.Cut(tail, "?")
	query, _ = url.ParseQuery(options) // what can't be read is left out
	return strings.ToLower(scheme), password, strings.Split(authority[at+1:], ","), query
}

func (a *App) storageFacts(ctx context.Context) secaudit.Storage {
	cfg := &a.Config
	if !remoteBlobs(*cfg) {
		return secaudit.Storage{Embedded: true}
	}
	described, err := azure.Describe(azure.Options{ConnectionString: string(cfg.AzureStorage), AccountURL: cfg.Storage.AccountURL})
	if err != nil { // Open has read it
		return secaudit.Storage{TLS: secaudit.TLSNone}
	}
	s := secaudit.Storage{
		Local: described.Local, TLS: secaudit.TLSNone, PublishedKey: described.Published, Expires: described.Expires,
		Credential: map[string]secaudit.Credential{"key": secaudit.AccountKey, "signature": secaudit.Signature, "identity": secaudit.Identity}[described.Way],
	}
	if described.TLS {
		s.TLS = secaudit.TLSFull
	}
	if a.asked.publicAccess == nil {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if access, err := a.asked.publicAccess(ctx); err == nil {
		s.PublicAccess = access
	}
	return s
}

func hostFacts(data string, embedded bool) secaudit.Host {
	h := secaudit.Host{Root: os.Geteuid() == 0, Umask: umask(), CoreDumps: coreDumps()}
	add := func(what, path string, kind secaudit.FileKind) {
		if info, err := os.Stat(path); err == nil {
			h.Files = append(h.Files, secaudit.HostFile{What: what, Kind: kind, Mode: info.Mode()})
		}
	}
	add("the data directory", data, secaudit.DataFolder)
	add("secret.key", secretKeyFile(data), secaudit.KeyFile)
	if embedded {
		for _, name := range []string{"crownsafe.db", "crownsafe.db-wal", "crownsafe.db-shm"} {
			add(name, filepath.Join(data, name), secaudit.DatabaseFile)
		}
	}
	return h
}

func buildFacts() secaudit.Build {
	b := secaudit.Build{GoVersion: runtime.Version(), Modules: map[string]string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Known = true
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		b.Modules[module.Path] = module.Version
	}
	b.Modified = slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.modified" && s.Value == "true" })
	return b
}

func (a *App) agencyFacts() []secaudit.Agency {
	if a.Config.KeyKATS == "" {
		return nil
	}
	const code = "kr-kats"
	agency := secaudit.Agency{Code: code}
	for _, s := range a.Sources.List(a.Catalogue.Current()) {
		if s.Agency == code && s.State == source.Failing {
			agency.Rejected = ingest.Refused(s.Reason)
		}
	}
	return []secaudit.Agency{agency}
}

// usualUmask stands for one that can't be read.
const usualUmask = 0o022
