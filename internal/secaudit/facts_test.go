package secaudit

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const good = "kX9v2Lq8Zr4Tn7Wb1Yc6Hd3Jf5Mg0PsQ+/uAeVxRyBzCwDt"

func ownSecret(variable, value string) Secret {
	return Secret{Variable: variable, Source: "vault", Strength: Measure(value), Since: now.Add(-time.Hour), SinceSource: "by the vault"}
}

// sound are the facts of a production service that nothing is wrong with.
func sound() *Facts {
	return &Facts{
		At: now, Environment: "production", SecretKeySet: true, SecretMaxAge: 90 * 24 * time.Hour,
		Secrets: []Secret{
			ownSecret("SECRET_KEY", good),
			{Variable: "DATABASE_URL", Use: Server, Source: "file", Strength: Measure(good[1:30]), Since: now.Add(-time.Hour), Mode: 0o400},
			{Variable: "CROWNSAFE_KEY_KR_KATS", Use: Issued, Source: "vault", Strength: Measure(good[2:20])},
		},
		Settings: Settings{
			PublicURL: "https://crown.example.org", RateLimit: true, TrustedProxies: []string{"10.0.0.0/8", "fd00::/16", "192.0.2.1"},
			DebugAddr: "127.0.0.1:6060", ServerTimeouts: true,
		},
		Database: Database{TLS: TLSFull, Asked: true},
		Cache:    Cache{TLS: TLSFull, Password: true},
		Storage:  Storage{TLS: TLSFull, Credential: Identity},
		Host: Host{Umask: 0o027, Files: []HostFile{
			{"the data directory", DataFolder, fs.ModeDir | 0o755&^0o005}, {"secret.key", KeyFile, 0o600}, {"crownsafe.db", DatabaseFile, 0o640},
		}},
		Build:    Build{Known: true, GoVersion: "go1.26.8", Modules: map[string]string{"golang.org/x/net": "v0.62.0", "github.com/jackc/pgx/v5": "v5.12.0"}},
		Agencies: []Agency{{Code: "kr-kats"}},
		Backup:   Backup{LastAt: now.Add(-20 * time.Hour), Encrypted: true},
	}
}

// fault is a fact that turns a check red, with the severity that it has then.
type fault struct {
	severity Severity
	change   func(*Facts)
}

// inOwn changes what is known of the first secret.
func inOwn(change func(*Secret)) func(*Facts) {
	return func(f *Facts) { change(&f.Secrets[0]) }
}

func ownValue(value string) func(*Facts) {
	return inOwn(func(s *Secret) { s.Strength = Measure(value) })
}

func openFolder(f *Facts) { f.Host.Files[0].Mode = 0o755 }

// faults holds for each check of facts what turns it red.
var faults = map[string][]fault{
	"secret-key-set": {{Critical, func(f *Facts) { f.SecretKeySet = false }}},
	"secret-length":  {{Critical, ownValue(good[:31])}},
	"secret-placeholder": {
		{Critical, ownValue("your-secret-key-here-with-32-chars-or-more")}, {Critical, ownValue("changeme-changeme-changeme-changeme-1")},
		{Critical, ownValue("please replace me: EXAMPLE 1234567890 abcdef")}, {Critical, ownValue("secret")}, {Critical, ownValue("Dev2026")},
	},
	"secret-entropy":              {{High, ownValue(strings.Repeat("a", 64))}, {High, ownValue("0123456789012345678901234567890123456789")}, {High, ownValue("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")}, {High, ownValue(strings.Repeat("x7q", 20))}},
	"server-password-placeholder": {{Critical, func(f *Facts) { f.Secrets[1].Strength = Measure("password") }}, {High, func(f *Facts) { f.Secrets[1].Strength, f.Secrets[1].Local = Measure("postgres"), true }}},
	"server-password-length":      {{High, func(f *Facts) { f.Secrets[1].Strength = Measure(good[:15]) }}},
	"issued-key-placeholder":      {{Medium, func(f *Facts) { f.Secrets[2].Strength = Measure("YOUR_KEY") }}},
	"secret-reuse":                {{High, inOwn(func(s *Secret) { s.SameAs = []string{"CROWNSAFE_OPS_TOKEN"} })}},
	"secret-age":                  {{Medium, inOwn(func(s *Secret) { s.Since = now.Add(-91 * 24 * time.Hour) })}},
	"secret-source":               {{Low, inOwn(func(s *Secret) { s.Source = "environment" })}},
	"secret-file-mode":            {{Medium, inOwn(func(s *Secret) { s.Mode = 0o644 })}, {Medium, inOwn(func(s *Secret) { s.Mode = 0o620 })}},
	"secret-refresh":              {{Medium, inOwn(func(s *Secret) { s.Failing = true })}},
	"secret-pending":              {{Medium, inOwn(func(s *Secret) { s.Pending = true })}},
	"audit-override":              {{High, func(f *Facts) { f.Override = true }}},

	"development-exposed": {{Low, func(f *Facts) { f.Environment = "development" }}},
	"public-url":          {{High, func(f *Facts) { f.Settings.PublicURL = "http://crown.example.org" }}, {Medium, func(f *Facts) { f.Settings.PublicURL = "" }}},
	"contact":             {{Low, func(f *Facts) { f.Settings.DefaultContact = true }}},
	"feeds-tls":           {{Medium, func(f *Facts) { f.Settings.PlainFeeds = []string{"us-cpsc"} }}},
	"telemetry-tls":       {{Medium, func(f *Facts) { f.Settings.PlainTelemetry = true }}},
	"trusted-proxies": {
		{High, func(f *Facts) { f.Settings.TrustedProxies = []string{"0.0.0.0/0"} }}, {High, func(f *Facts) { f.Settings.TrustedProxies = []string{"::/0"} }},
	},
	"rate-limit-on":   {{High, func(f *Facts) { f.Settings.RateLimit = false }}},
	"migrates-itself": {{Low, func(f *Facts) { f.Settings.MigratesItself = true }}},
	"log-level":       {{Medium, func(f *Facts) { f.Settings.Debug = true }}},
	"debug-listener": {
		{High, func(f *Facts) { f.Settings.DebugAddr = ":6060" }}, {High, func(f *Facts) { f.Settings.DebugAddr = "0.0.0.0:6060" }}, {High, func(f *Facts) { f.Settings.DebugAddr = "10.0.0.1:6060" }},
	},
	"server-timeouts":    {{Medium, func(f *Facts) { f.Settings.ServerTimeouts = false }}},
	"backup-age":         {{Low, func(f *Facts) { f.Backup.LastAt = time.Time{} }}, {Medium, func(f *Facts) { f.Backup.LastAt = now.Add(-27 * time.Hour) }}},
	"backup-restorable":  {{Critical, func(f *Facts) { f.Backup.Unrestorable = "it is damaged" }}},
	"backup-encryption":  {{Medium, func(f *Facts) { f.Backup.Encrypted = false }}},
	"agency-credentials": {{Medium, func(f *Facts) { f.Agencies[0].Rejected = true }}},

	"database-server":       {{High, func(f *Facts) { f.Database.Embedded = true }}},
	"cache-server":          {{High, func(f *Facts) { f.Cache.Embedded = true }}},
	"storage-server":        {{High, func(f *Facts) { f.Storage.Embedded = true }}},
	"database-tls":          {{High, func(f *Facts) { f.Database.TLS = TLSNone }}, {Medium, func(f *Facts) { f.Database.TLS = TLSUnverified }}, {Low, func(f *Facts) { f.Database.TLS = TLSAuthority }}},
	"database-role":         {{High, func(f *Facts) { f.Database.Superuser = true }}, {Medium, func(f *Facts) { f.Database.Powers = []string{"create roles"} }}},
	"redis-tls":             {{High, func(f *Facts) { f.Cache.TLS = TLSNone }}, {Medium, func(f *Facts) { f.Cache.TLS = TLSUnverified }}},
	"redis-auth":            {{High, func(f *Facts) { f.Cache.Password = false }}},
	"storage-tls":           {{High, func(f *Facts) { f.Storage.TLS = TLSNone }}},
	"storage-credential":    {{Medium, func(f *Facts) { f.Storage.Credential = AccountKey }}, {Low, signedFor(30 * 24 * time.Hour)}},
	"storage-emulator-key":  {{Critical, func(f *Facts) { f.Storage.PublishedKey = true }}, {High, func(f *Facts) { f.Storage.PublishedKey, f.Storage.Local = true, true }}},
	"storage-signature-end": {{High, signedFor(-time.Hour)}, {Medium, signedFor(time.Hour)}, {Medium, signedFor(500 * 24 * time.Hour)}},
	"storage-public":        {{High, func(f *Facts) { f.Storage.PublicAccess = "blob" }}},

	"data-folder-mode":   {{High, func(f *Facts) { f.Host.Files[0].Mode = 0o777 }}, {Medium, openFolder}},
	"key-file-mode":      {{High, func(f *Facts) { f.Host.Files[1].Mode = 0o640 }}},
	"database-file-mode": {{High, func(f *Facts) { openFolder(f); f.Host.Files[2].Mode = 0o666 }}, {Medium, func(f *Facts) { openFolder(f); f.Host.Files[2].Mode = 0o644 }}},
	"root":               {{Medium, func(f *Facts) { f.Host.Root = true }}},
	"umask":              {{Medium, func(f *Facts) { f.Host.Umask = 0 }}},
	"core-dumps":         {{Low, func(f *Facts) { f.Host.CoreDumps = true }}},

	"advisories-modules": {{High, func(f *Facts) { f.Build.Modules["golang.org/x/net"] = "v0.35.0" }}, {High, func(f *Facts) { f.Build.Modules["github.com/jackc/pgx/v5"] = "v5.5.3" }}},
	"advisories-go":      {{High, func(f *Facts) { f.Build.GoVersion = "go1.25.4" }}, {High, func(f *Facts) { f.Build.GoVersion = "go1.26.2 X:nocoverageredesign" }}, {High, func(f *Facts) { f.Build.GoVersion = "go1.26rc1" }}},
	"advisories-age":     {{Low, func(f *Facts) { f.At = now.Add(365 * 24 * time.Hour) }}},
	"build-record":       {{Low, func(f *Facts) { f.Build.Known = false }}, {Low, func(f *Facts) { f.Build.Modified = true }}},
}

func signedFor(left time.Duration) func(*Facts) {
	return func(f *Facts) { f.Storage.Credential, f.Storage.Expires = Signature, now.Add(left) }
}

func checkOf(t *testing.T, report Report, id string) Check {
	t.Helper()
	i := slices.IndexFunc(report.Checks, func(c Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no check %s", id)
	}
	return report.Checks[i]
}

// TestFactsTurnChecksRedAndGreen: nothing is found in a sound service, and each
// fault is found by its check, with its severity.
func TestFactsTurnChecksRedAndGreen(t *testing.T) {
	t.Parallel()
	green := Run(t.Context(), sound(), nil)
	if found := green.Findings(); len(found) > 0 || green.RiskLevel != None || green.Totals != (Totals{}) || !green.RunAt.Equal(now) {
		t.Fatalf("a sound service: %s, %+v", green.RiskLevel, found)
	}
	for id, list := range faults {
		for i, fault := range list {
			facts := sound()
			fault.change(facts)
			report := Run(t.Context(), facts, nil)
			check := checkOf(t, report, id)
			if check.Passed || check.Severity != fault.severity {
				t.Errorf("%s, fault %d: passed %v, %s: %s", id, i, check.Passed, check.Severity, check.Detail)
			}
			if report.Count(fault.severity) == 0 || !slices.ContainsFunc(report.Findings(), func(c Check) bool { return c.ID == id }) {
				t.Errorf("%s, fault %d: not among the findings", id, i)
			}
		}
	}
}

// TestEveryCheckHasItsFault: a check without a red case could not fail.
func TestEveryCheckHasItsFault(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range rules() {
		if seen[r.id] || r.id == "" || r.category == "" || r.about == "" || r.remedy == "" || (r.facts == nil) == (r.probe == nil) {
			t.Errorf("check %q is there twice or not whole", r.id)
		}
		seen[r.id] = true
		if r.facts != nil && len(faults[r.id]) == 0 || r.probe != nil && len(flaws[r.id]) == 0 {
			t.Errorf("check %s has no fault that turns it red", r.id)
		}
		worst := Severity("")
		for _, f := range faults[r.id] {
			if worst == "" || f.severity.atMost(worst) == worst {
				worst = f.severity
			}
		}
		if r.facts != nil && worst != r.worst {
			t.Errorf("check %s is said to find %s at worst, and finds %s", r.id, r.worst, worst)
		}
	}
	for id := range maps.Keys(faults) {
		if !seen[id] {
			t.Errorf("there is no check %s", id)
		}
	}
	if len(seen) < 40 {
		t.Errorf("there are only %d checks", len(seen))
	}
}

// TestDevelopmentIsNobodysProduction: there nothing is worse than LOW but what
// somebody has set wrongly.
func TestDevelopmentIsNobodysProduction(t *testing.T) {
	t.Parallel()
	scopes := map[string]scope{}
	for _, r := range rules() {
		scopes[r.id] = r.scope
	}
	for id, list := range faults {
		for _, fault := range list {
			facts := sound()
			fault.change(facts)
			facts.Environment = "development"
			check := checkOf(t, Run(t.Context(), facts, nil), id)
			want := Low
			if scopes[id] == everywhere {
				want = fault.severity
			}
			if passed := scopes[id] == production; check.Passed != passed || !passed && check.Severity != want {
				t.Errorf("%s in development: passed %v, %s", id, check.Passed, check.Severity)
			}
		}
	}
}

// TestServersOnTheSameMachine need no encryption.
func TestServersOnTheSameMachine(t *testing.T) {
	t.Parallel()
	facts := sound()
	facts.Database = Database{Local: true, TLS: TLSNone, Asked: true}
	facts.Cache = Cache{Local: true, TLS: TLSNone}
	facts.Storage = Storage{Local: true, TLS: TLSNone, Credential: Identity}
	report := Run(t.Context(), facts, nil)
	if found := report.Findings(); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	facts := sound()
	facts.Override, facts.Host.Root, facts.Settings.DefaultContact, facts.SecretKeySet = true, true, true, false
	report := Run(t.Context(), facts, nil)
	if want := (Totals{1, 1, 1, 1}); report.Totals != want || report.RiskLevel != Critical {
		t.Errorf("totals %+v, risk %s", report.Totals, report.RiskLevel)
	}
	var order []Severity
	for _, check := range report.Findings() {
		order = append(order, check.Severity)
	}
	if !slices.Equal(order, Severities()) {
		t.Errorf("findings come as %v", order)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, random := range []string{
		"3f1c9a7be2d84065b1f0c6e7a9d35824", "zQ8v-Lk2_Yt7Rw4Xn1Bc6Md9Ph3Gj5Sf", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		"J5ZK7QX2MWT4RVN6HPYB3CDLFGA2SEU6XQ7WKM4T",
	} {
		if s := Measure(random); s.Placeholder || s.Bits < minOwnBits || s.Length != len(random) {
			t.Errorf("%s: %+v", random, s)
		}
	}
	if s := Measure(""); s != (Strength{}) {
		t.Errorf("nothing: %+v", s)
	}
}

func TestAdvisoriesCanBeRead(t *testing.T) {
	t.Parallel()
	known, asOf, err := readAdvisories()
	if err != nil || len(known.List) == 0 || asOf.After(time.Now()) {
		t.Fatalf("%d advisories as of %s: %v", len(known.List), asOf, err)
	}
	for _, a := range known.List {
		if a.ID == "" || a.Module == "" || a.Summary == "" || len(a.Ranges) == 0 {
			t.Errorf("advisory %+v is not whole", a)
		}
		for _, r := range a.Ranges {
			if before := "v" + r.Introduced; r.Introduced != "" && !a.affects(before) || r.Fixed != "" && a.affects("v"+r.Fixed) {
				t.Errorf("advisory %s has a range that is none: %+v", a.ID, r)
			}
		}
	}
}
