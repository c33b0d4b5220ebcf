package secaudit

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/egress"
)

func settingRules() []rule {
	const category = "environment"
	return []rule{
		{
			id: "development-exposed", category: category, worst: Low,
			about:  "what is reached under a public name doesn't run as development",
			remedy: "set ENVIRONMENT=production, which is stricter about who may see what",
			facts: func(f *Facts) verdict {
				if u, err := url.Parse(f.Settings.PublicURL); f.Environment == "development" && err == nil && u.Host != "" && !egress.ThisMachine(u.Hostname()) {
					return fail(Low, "CROWNSAFE_PUBLIC_URL names another host than this machine, and ENVIRONMENT is development")
				}
				return pass("ENVIRONMENT is %s", f.Environment)
			},
		},
		{
			id: "public-url", category: category, worst: High, scope: production,
			about: "`CROWNSAFE_PUBLIC_URL` is set, and is https", remedy: "set CROWNSAFE_PUBLIC_URL=https://…, and have TLS end in front of the service",
			facts: func(f *Facts) verdict {
				switch u, err := url.Parse(f.Settings.PublicURL); {
				case f.Settings.PublicURL == "":
					return fail(Medium, "CROWNSAFE_PUBLIC_URL is not set: the addresses that the service gives out lead to localhost")
				case err != nil || !strings.EqualFold(u.Scheme, "https"):
					return fail(High, "CROWNSAFE_PUBLIC_URL is not https: what people send can be read and changed on its way")
				}
				return pass("clients come over https")
			},
		},
		{
			id: "contact", category: category, worst: Low, scope: production,
			about: "`CROWNSAFE_CONTACT` tells agencies whom to write to", remedy: "set CROWNSAFE_CONTACT to your mail address or page",
			facts: func(f *Facts) verdict {
				if f.Settings.DefaultContact {
					return fail(Low, "CROWNSAFE_CONTACT is not set: an agency that is asked too often blocks you, since it can't tell you")
				}
				return pass("agencies can reach you")
			},
		},
		{
			id: "feeds-tls", category: category, worst: Medium,
			about: "mirrors of feeds on other machines are asked over https", remedy: "give the mirror's https address: what comes without TLS could be anybody's",
			facts: func(f *Facts) verdict {
				if list := f.Settings.PlainFeeds; len(list) > 0 {
					return fail(Medium, "without TLS: %s", strings.Join(list, ", "))
				}
				return pass("every feed comes over https, or from this machine")
			},
		},
		{
			id: "telemetry-tls", category: category, worst: Medium,
			about: "traces and logs leave the machine over https only", remedy: "give CROWNSAFE_OTLP_ENDPOINT as https, or run a collector beside the service",
			facts: func(f *Facts) verdict {
				if f.Settings.PlainTelemetry {
					return fail(Medium, "CROWNSAFE_OTLP_ENDPOINT is another machine, without TLS")
				}
				return pass("none leaves this machine without TLS")
			},
		},
		{
			id: "trusted-proxies", category: "rate limits", worst: High,
			about: "the caller's address is not taken from everybody's word", remedy: "list the addresses of your proxies only in CROWNSAFE_TRUSTED_PROXIES",
			facts: trustedProxies,
		},
		{
			id: "rate-limit-on", category: "rate limits", worst: High, scope: production,
			about: "`CROWNSAFE_RATE_LIMIT` is on", remedy: "set CROWNSAFE_RATE_LIMIT=on",
			facts: func(f *Facts) verdict {
				if !f.Settings.RateLimit {
					return fail(High, "nobody is limited: passwords can be guessed, and one caller can take everything")
				}
				return pass("callers are limited")
			},
		},
		{
			id: "migrates-itself", category: category, worst: Low, scope: production,
			about:  "with a database of its own, a job changes the schema and not the service, whose role then needs no right to",
			remedy: "run crownsafe migrate up before a rollout and set CROWNSAFE_MIGRATE=0",
			facts: func(f *Facts) verdict {
				if f.Settings.MigratesItself && !f.Database.Embedded {
					return fail(Low, "the service itself changes the database's schema at its start")
				}
				return pass("the service doesn't change the schema of a server")
			},
		},
		{
			id: "log-level", category: "log level", worst: Medium, scope: production,
			about: "the log has no debug lines", remedy: "set CROWNSAFE_LOG_LEVEL=info",
			facts: func(f *Facts) verdict {
				if f.Settings.Debug {
					return fail(Medium, "debug lines are logged, which tell more of requests than is meant to be kept")
				}
				return pass("no debug lines are logged")
			},
		},
		{
			id: "debug-listener", category: "debug switches", worst: High,
			about: "`CROWNSAFE_DEBUG_ADDR` is not set, or a loopback address", remedy: "give CROWNSAFE_DEBUG_ADDR as 127.0.0.1:PORT, and reach it by port forwarding",
			facts: func(f *Facts) verdict {
				addr := f.Settings.DebugAddr
				if addr == "" {
					return pass("no profiles are answered")
				}
				if host, _, err := net.SplitHostPort(addr); err != nil || !egress.ThisMachine(host) {
					return fail(High, "profiles, which show memory, are answered to other machines")
				}
				return pass("profiles are answered to this machine only")
			},
		},
		{
			id: "server-timeouts", category: "rate limits", worst: Medium,
			about: "the server bounds how long a request's headers, body and answer may take", remedy: "this is the program's own fault: report it",
			facts: func(f *Facts) verdict {
				if !f.Settings.ServerTimeouts {
					return fail(Medium, "a client that sends slowly can hold a connection for ever")
				}
				return pass("slow clients are cut off")
			},
		},
		{
			id: "backup-age", category: "backups", worst: Medium, scope: production,
			about:  "a backup was made within the last day and two hours; while the service knows of none at all, LOW",
			remedy: "set CROWNSAFE_BACKUP_SCHEDULE, or have a job run `crownsafe backup create` every day; docs/disaster-recovery.md tells how",
			facts: func(f *Facts) verdict {
				const most = 26 * time.Hour
				switch age := f.At.Sub(f.Backup.LastAt); {
				case f.Backup.LastAt.IsZero():
					return fail(Low, "the service knows of no backup: that there are any is for whoever runs the database to see to")
				case age > most:
					return fail(Medium, "the newest backup is %d hours old", int(age/time.Hour))
				}
				return pass("the newest backup is from %s", f.Backup.LastAt.UTC().Format(time.RFC3339))
			},
		},
		{
			id: "backup-restorable", category: "backups", worst: Critical,
			about:  "the newest backup that somebody tried to restore could be",
			remedy: "make a full backup and verify it at once (crownsafe backup create --full, then verify); then find out what happened to the one that is bad",
			facts: func(f *Facts) verdict {
				if why := f.Backup.Unrestorable; why != "" {
					return fail(Critical, "the newest backup can't be restored: %s", why)
				}
				return pass("no backup is known to be bad")
			},
		},
		{
			id: "backup-encryption", category: "backups", worst: Medium, scope: production,
			about: "`CROWNSAFE_BACKUP_RECIPIENT` is set, so that backups are encrypted", remedy: "make a key with age-keygen, keep the private one apart, and set CROWNSAFE_BACKUP_RECIPIENT to the public one",
			facts: func(f *Facts) verdict {
				if !f.Backup.Encrypted {
					return fail(Medium, "CROWNSAFE_BACKUP_RECIPIENT is not set: whoever reads a backup reads accounts and hashes")
				}
				return pass("backups are encrypted")
			},
		},
		{
			id: "agency-credentials", category: "agency credentials", worst: Medium,
			about: "no agency refuses the credential that is set for it", remedy: "ask the agency for another key and set it",
			facts: func(f *Facts) verdict {
				var refused []string
				for _, a := range f.Agencies {
					if a.Rejected {
						refused = append(refused, a.Code)
					}
				}
				if len(refused) > 0 {
					return fail(Medium, "refused by %s: its notices are missing", strings.Join(refused, ", "))
				}
				return pass("%s", lookedAt(len(f.Agencies)))
			},
		},
	}
}

// trustedProxies finds ranges that hold so many addresses that they are not those
// of proxies.
func trustedProxies(f *Facts) verdict {
	for _, text := range f.Settings.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			continue // a single address
		}
		if prefix.Addr().Is4() && prefix.Bits() < 8 || prefix.Addr().Is6() && prefix.Bits() < 16 {
			return fail(High, "%s is trusted: anybody can say from which address they come, and is never limited", prefix)
		}
	}
	return pass("%s", lookedAt(len(f.Settings.TrustedProxies)))
}
