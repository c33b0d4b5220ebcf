package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/health"
	"github.com/crownsafe/api/internal/secaudit"
	"github.com/crownsafe/api/internal/secret"
	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/postgres"
	"github.com/crownsafe/api/internal/testenv"
)

const strong = "kX9v2Lq8Zr4Tn7Wb1Yc6Hd3Jf5Mg0PsQuAeVxRyBzCwDt"

// opened builds the program from variables, as the commands do.
func opened(t *testing.T, settings map[string]string) *App {
	t.Helper()
	cfg, secrets, err := Settings(t.Context(), func(name string) (string, bool) { value, ok := settings[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data = filepath.Join(t.TempDir(), "data")
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Secrets = secrets
	return a
}

func taken(t *testing.T, a *App) secaudit.Report {
	t.Helper()
	report, err := a.TakeAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestSettingsTurnChecksRed: what is set is what is found, through the whole
// program.
func TestSettingsTurnChecksRed(t *testing.T) {
	t.Parallel()
	production := func(more ...string) map[string]string {
		settings := map[string]string{"ENVIRONMENT": "production", "SECRET_KEY": strong}
		for _, pair := range more {
			name, value, _ := strings.Cut(pair, "=")
			settings[name] = value
		}
		return settings
	}
	mailing := func(password, host string) map[string]string {
		return production("CROWNSAFE_MAIL_FROM=a@crown.example", "CROWNSAFE_SMTP_URL=smtp://u:"+password+"@"+host)
	}
	const account = "DefaultEndpointsProtocol=https;AccountName=crown;AccountKey=bm90IGEgcmVhbCBrZXksIGJ1dCBsb25nIGVub3VnaA=="
	for _, c := range []struct {
		check      string
		red, green map[string]string
	}{
		{"secret-key-set", map[string]string{"ENVIRONMENT": "production"}, production()},
		{"secret-length", production("CROWNSAFE_OPS_TOKEN=short"), production("CROWNSAFE_OPS_TOKEN=" + strong[1:])},
		{"secret-length", production("CROWNSAFE_SECRET_KEY_PREVIOUS=" + strong[1:] + ",short"), production("CROWNSAFE_SECRET_KEY_PREVIOUS=" + strong[1:])},
		{"secret-reuse", production("CROWNSAFE_OPS_TOKEN=" + strong), production("CROWNSAFE_OPS_TOKEN=" + strong[2:])},
		{"secret-reuse", production("REDIS_URL=rediss://:" + strong + "@r.example"), production()},
		{"server-password-placeholder", production("DATABASE_URL=postgres://u:changeme@db.example/x"), production("DATABASE_URL=postgres://u:" + strong[:20] + "@db.example/x")},
		{"server-password-placeholder", mailing("changeme", "mail.example"), mailing(strong[:20], "mail.example")},
		{"server-password-length", mailing(strong[:15], "mail.example"), mailing(strong[:15], "localhost")},
		{"secret-reuse", production("CROWNSAFE_MAIL_FROM=a@crown.example", "CROWNSAFE_SMTP_URL=smtp://u:"+strong+"@mail.example"), mailing(strong[:20], "mail.example")},
		{"database-tls", production("DATABASE_URL=postgres://u:p@db.example/x"), production("DATABASE_URL=postgres://u:p@db.example/x?sslmode=verify-full")},
		{"database-tls", production("DATABASE_URL=postgres://u:p@db.example/x?sslmode=require"), production("DATABASE_URL=postgres://u:p@127.0.0.1/x?sslmode=disable")},
		{"redis-tls", production("REDIS_URL=redis://:p@r.example"), production("REDIS_URL=rediss://:p@r.example")},
		{"redis-tls", production("REDIS_URL=rediss://:p@r.example?skip_verify=true"), production("REDIS_URL=redis://localhost:6379,[::1]:6380")},
		{"redis-auth", production("REDIS_URL=rediss://r.example"), production("REDIS_URL=rediss://u:p@r.example")},
		{"storage-tls", production("AZURE_STORAGE_CONNECTION_STRING=" + strings.Replace(account, "https", "http", 1)), production("AZURE_STORAGE_CONNECTION_STRING=" + account)},
		{"storage-credential", production("AZURE_STORAGE_CONNECTION_STRING=" + account), production()},
		{"public-url", production("CROWNSAFE_PUBLIC_URL=http://crown.example"), production("CROWNSAFE_PUBLIC_URL=https://crown.example")},
		{"contact", production(), production("CROWNSAFE_CONTACT=ops@crown.example")},
		{"log-level", production("CROWNSAFE_LOG_LEVEL=debug"), production()},
		{"feeds-tls", production("CROWNSAFE_FEED_US_CPSC=http://mirror.example"), production("CROWNSAFE_FEED_US_CPSC=http://127.0.0.1:1")},
		{"audit-override", production("CROWNSAFE_AUDIT_OVERRIDE=1"), production()},
		{"debug-listener", production("CROWNSAFE_DEBUG_ADDR=:6060"), production("CROWNSAFE_DEBUG_ADDR=127.0.0.1:6060")},
		{"telemetry-tls", production("CROWNSAFE_OTLP_ENDPOINT=http://collector.example:4318"), production("CROWNSAFE_OTLP_ENDPOINT=http://localhost:4318")},
		{"rate-limit-on", production("CROWNSAFE_RATE_LIMIT=off"), production()},
		{"trusted-proxies", production("CROWNSAFE_TRUSTED_PROXIES=0.0.0.0/0"), production("CROWNSAFE_TRUSTED_PROXIES=10.0.0.0/8,192.0.2.7")},
		{"development-exposed", map[string]string{"CROWNSAFE_PUBLIC_URL": "https://crown.example"}, nil},
		{"database-server", production(), production("DATABASE_URL=postgres://u:p@db.example/x")},
		{"cache-server", production(), production("REDIS_URL=redis://r.example")},
		{"storage-server", production(), production("AZURE_STORAGE_CONNECTION_STRING=" + account)},
	} {
		for _, red := range []bool{true, false} {
			settings := c.green
			if red {
				settings = c.red
			}
			a := opened(t, settings)
			a.asked = asked{} // no server of these is there
			facts := a.facts(t.Context())
			report := secaudit.Run(t.Context(), &facts, nil)
			i := slices.IndexFunc(report.Checks, func(check secaudit.Check) bool { return check.ID == c.check })
			if check := report.Checks[i]; check.Passed == red {
				t.Errorf("%s: passed %v: %s", c.check, check.Passed, check.Detail)
			}
		}
	}
}

// TestTheEmbeddedDefaultIsWell: on a laptop nothing is found but that it runs as
// root, if it does; and every probe finds what it asks for.
func TestTheEmbeddedDefaultIsWell(t *testing.T) {
	t.Parallel()
	a := opened(t, nil)
	report := taken(t, a)
	for _, check := range report.Findings() {
		if check.ID != "root" {
			t.Errorf("found %+v", check)
		}
	}
	known := a.audits.forHealth()
	if !known.RunAt.Equal(report.RunAt) || known.Counts["LOW"] != report.Totals.Low || known.Counts["CRITICAL"] != 0 {
		t.Errorf("told to the health score: %+v", known)
	}
}

// TestEveryOperatorsAddressIsProbed: what needs an operator in the contract is
// among what the audit asks for.
func TestEveryOperatorsAddressIsProbed(t *testing.T) {
	t.Parallel()
	target, err := opened(t, nil).probed()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/metrics", "/ops", "/api/v1/monitoring/security-audit", "/api/v1/sources/us-cpsc/quarantine", "/api/v1/azure-storage/health"} {
		if !slices.Contains(target.Operators, path) {
			t.Errorf("%s is for operators and is not probed", path)
		}
	}
	for _, path := range target.Operators {
		if strings.ContainsAny(path, "{}") {
			t.Errorf("%s is no address yet", path)
		}
	}
}

// TestRoleOfARealServer: a superuser is found out.
func TestRoleOfARealServer(t *testing.T) {
	t.Parallel()
	a := opened(t, map[string]string{"DATABASE_URL": testenv.Postgres(t)})
	d := a.databaseFacts(t.Context())
	if !d.Asked || d.Embedded || !d.Local {
		t.Errorf("facts %+v", d)
	}
	a.asked.role = func(context.Context) (postgres.Role, error) { return postgres.Role{}, store.ErrUnavailable }
	if d := a.databaseFacts(t.Context()); d.Asked {
		t.Errorf("a server that doesn't answer tells of its role: %+v", d)
	}
}

// TestASignedAddressOutlivesTheRotationOfItsKey, through the file that the key
// comes from.
func TestASignedAddressOutlivesTheRotationOfItsKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strong)
	a := opened(t, map[string]string{"SECRET_KEY_FILE": path, "ENVIRONMENT": "production"})
	if _, err := a.Objects.Put(t.Context(), "a", strings.NewReader("content"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	sign := func() string {
		t.Helper()
		signed, err := a.Objects.SignURL(t.Context(), "a", blob.Read, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(signed.URL)
		if err != nil {
			t.Fatal(err)
		}
		return u.RequestURI()
	}
	before, key := sign(), a.Keys.Current(secret.SignedObjects)
	write(strong[1:])
	if err := a.refreshSecrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := sign()
	if before == after || cmp.Equal(key, a.Keys.Current(secret.SignedObjects)) {
		t.Error("the new key is not in use")
	}
	for _, address := range []string{before, after} {
		answer := httptest.NewRecorder()
		a.Objects.signed.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
		if body, err := io.ReadAll(answer.Result().Body); err != nil || string(body) != "content" {
			t.Errorf("%d %s, %v", answer.Code, body, err)
		}
	}
}

// TestPendingSecrets: what is only read at the start, and has changed since, is a
// finding; so is a source that can't be read.
func TestPendingSecrets(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "redis")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("redis://:" + strong[:20] + "@127.0.0.1:1/0")
	a := opened(t, map[string]string{"REDIS_URL_FILE": path})
	passes := func(id string) bool {
		t.Helper()
		_ = a.refreshSecrets(t.Context()) // what is wrong is looked at below
		report := taken(t, a)
		return report.Checks[slices.IndexFunc(report.Checks, func(c secaudit.Check) bool { return c.ID == id })].Passed
	}
	if !passes("secret-pending") || !passes("secret-refresh") || !passes("secret-file-mode") {
		t.Error("found before anything changed")
	}
	write("redis://:" + strong[1:21] + "@127.0.0.1:1/0")
	if passes("secret-pending") {
		t.Error("a password that has changed is not found")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if passes("secret-file-mode") {
		t.Error("a file that everybody may read is not found")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if passes("secret-refresh") {
		t.Error("a file that is gone is not found")
	}
}

// TestOldSecretsAreFound by the time of their file.
func TestOldSecretsAreFound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strong), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-100 * 24 * time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[string]bool{"2160h": false, "4320h": true} {
		report := taken(t, opened(t, map[string]string{"SECRET_KEY_FILE": path, "CROWNSAFE_SECRET_MAX_AGE": limit}))
		i := slices.IndexFunc(report.Checks, func(c secaudit.Check) bool { return c.ID == "secret-age" })
		if check := report.Checks[i]; check.Passed != want || !want && check.Severity != secaudit.Low {
			t.Errorf("with %s: %+v", limit, check)
		}
	}
}

// TestFindingsAreToldOnce, and again when they are mended.
func TestFindingsAreToldOnce(t *testing.T) {
	t.Parallel()
	a := opened(t, map[string]string{"CROWNSAFE_OPS_TOKEN": "short"})
	told := &lines{}
	a.Logger = slog.New(slog.NewTextHandler(told, nil))
	for range 3 {
		taken(t, a)
	}
	if n := strings.Count(told.String(), "check=secret-length"); n != 1 || !strings.Contains(told.String(), "level=ERROR") {
		t.Errorf("told %d times:\n%s", n, told)
	}
	a.Config.OpsToken, a.Secrets = config.Secret(strong), nil
	taken(t, a)
	if !strings.Contains(told.String(), `msg="security finding is mended" check=secret-length`) {
		t.Errorf("that it is mended is not told:\n%s", told)
	}
}

// TestAnAuditThatFailsIsSaid: who asks for the first is not left waiting for it.
func TestAnAuditThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	a := opened(t, nil)
	gone, end := context.WithCancel(t.Context())
	end()
	if _, err := a.TakeAudit(gone); err == nil {
		t.Error("an audit that was cut short was taken for one")
	}
	if _, err := a.audits.LastAudit(t.Context()); !errors.Is(err, errNoAudit) {
		t.Errorf("after a first audit that failed: %v", err)
	}
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/api/v1/monitoring/security-audit", nil)
	request.RemoteAddr = "127.0.0.1:40000"
	answer := httptest.NewRecorder()
	if handler.ServeHTTP(answer, request); answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	want := taken(t, a)
	if got, err := a.audits.LastAudit(t.Context()); err != nil || !got.RunAt.Equal(want.RunAt) {
		t.Errorf("after one that didn't: %v", err)
	}
}

// TestDebugLinesAreFoundWhereverTheyAreSet: for all, for one package, or while it runs.
func TestDebugLinesAreFoundWhereverTheyAreSet(t *testing.T) {
	t.Parallel()
	if !opened(t, map[string]string{"CROWNSAFE_LOG_LEVELS": "blob=debug"}).settingFacts().Debug {
		t.Error("a package's own level is not seen")
	}
	a := opened(t, nil)
	for _, set := range []struct {
		normal slog.Level
		own    map[string]slog.Level
		debug  bool
	}{
		{slog.LevelDebug, nil, true},
		{slog.LevelWarn, map[string]slog.Level{"api": slog.LevelInfo, "mail": slog.LevelDebug - 4}, true},
		{slog.LevelInfo, map[string]slog.Level{"api": slog.LevelError}, false},
	} {
		if err := a.seen.levels.Set(set.normal, set.own); err != nil {
			t.Fatal(err)
		}
		if got := a.settingFacts().Debug; got != set.debug {
			t.Errorf("with %s and %v: %v", set.normal, set.own, got)
		}
	}
}

// TestOnlyARefusalIsTheCredentials: an agency that answers with an apology, or with
// nothing that can be read, has not refused the credential.
func TestOnlyARefusalIsTheCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		body    string
		refused bool
	}{
		"401": {http.StatusUnauthorized, "", true}, "403": {http.StatusForbidden, "", true}, "404": {http.StatusNotFound, "", false},
		"an apology": {http.StatusOK, `{"resultCode":"5000","resultMsg":"HTTP status 401","resultData":[]}`, false}, "a page": {http.StatusOK, "<html>", false},
	} {
		feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		t.Cleanup(feed.Close)
		a := opened(t, map[string]string{"CROWNSAFE_KEY_KR_KATS": strong, "CROWNSAFE_FEED_KR_KATS": feed.URL})
		if err := a.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		kats, err := a.Runner.Agency("kr-kats")
		if err != nil {
			t.Fatal(err)
		}
		if run, err := a.Runner.Poll(t.Context(), kats, nil); err == nil || run.Reason == "" {
			t.Errorf("%s: polled with %v, %q", name, err, run.Reason)
		}
		if err := a.Sources.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.agencyFacts(); len(got) != 1 || got[0].Rejected != c.refused {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// vacuous lists the probes that had nothing to ask for.
func vacuous(report secaudit.Report) []string {
	var ids []string
	for _, check := range report.Checks {
		if check.Vacuous {
			ids = append(ids, check.ID)
		}
	}
	return ids
}

// TestNoProbeIsThereForShow: by default only what needs a list of origins, or is of
// production alone, has nothing to ask for; where all is set every probe asks.
func TestNoProbeIsThereForShow(t *testing.T) {
	t.Parallel()
	if got := vacuous(taken(t, opened(t, nil))); !slices.Equal(got, []string{"cors-lookalike", "hsts"}) {
		t.Errorf("by default these have nothing to ask for: %v", got)
	}
	for _, origins := range []string{"https://shop.example", "https://shop.example:8443", "https://*.shop.example", "https://*.shop.example:*,https://other.example"} {
		report := taken(t, opened(t, map[string]string{
			"ENVIRONMENT": "production", "SECRET_KEY": strong, "CROWNSAFE_PUBLIC_URL": "https://crown.example", "CROWNSAFE_CORS_ORIGINS": origins,
		}))
		if got := vacuous(report); len(got) > 0 {
			t.Errorf("with all set, and %s, these have nothing to ask for: %v", origins, got)
		}
		for _, check := range report.Findings() {
			if check.Category == "CORS" || check.Category == "JWT" || check.Category == "access" || check.Category == "requests" || check.Category == "headers" {
				t.Errorf("with %s: found %+v", origins, check)
			}
		}
	}
}

// TestABrokenMatcherOfOriginsIsSeen, in front of the handler that serves.
func TestABrokenMatcherOfOriginsIsSeen(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(origin string) bool{
		"prefixes": func(origin string) bool { return strings.HasPrefix(origin, "https://shop.example") },
		"suffixes": func(origin string) bool { return strings.HasSuffix(origin, "shop.example") },
	} {
		a := opened(t, map[string]string{"CROWNSAFE_CORS_ORIGINS": "https://shop.example"})
		target, err := a.probed()
		if err != nil {
			t.Fatal(err)
		}
		sound := target.Handler
		target.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if origin := r.Header.Get("Origin"); broken(origin) {
				r.Header.Set("Origin", "https://shop.example")
				w = &forgiving{w, origin}
			}
			sound.ServeHTTP(w, r)
		})
		a.audits.target = target
		report := taken(t, a)
		if i := slices.IndexFunc(report.Checks, func(c secaudit.Check) bool { return c.ID == "cors-lookalike" }); report.Checks[i].Passed {
			t.Errorf("a matcher that takes %s is not seen", name)
		}
	}
}

// forgiving allows the origin that asks, whichever it is.
type forgiving struct {
	http.ResponseWriter
	origin string
}

func (f *forgiving) WriteHeader(status int) {
	f.Header().Set("Access-Control-Allow-Origin", f.origin)
	f.ResponseWriter.WriteHeader(status)
}

// TestASoundProductionIsHealthy: with all that can be set right, and what this
// machine and a test's build can't be left out, what is left is that no backup is
// known of, and the service is healthy.
func TestASoundProductionIsHealthy(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"ENVIRONMENT": "production", "CROWNSAFE_PUBLIC_URL": "https://crown.example", "CROWNSAFE_CONTACT": "ops@crown.example", "CROWNSAFE_MIGRATE": "0",
		"CROWNSAFE_AZURE_ACCOUNT_URL": "https://crown.blob.core.windows.net", "CROWNSAFE_MAIL_FROM": "safe@crown.example",
		"CROWNSAFE_CORS_ORIGINS": "https://shop.example", "CROWNSAFE_TRUSTED_PROXIES": "10.0.0.0/8",
		"CROWNSAFE_BACKUP_RECIPIENT": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
	}
	for name, value := range map[string]string{
		"SECRET_KEY": strong, "CROWNSAFE_OPS_TOKEN": strong[1:], "DATABASE_URL": "postgres://u:" + strong[:24] + "@db.example/x?sslmode=verify-full",
		"REDIS_URL": "rediss://u:" + strong[1:25] + "@r.example", "CROWNSAFE_SMTP_URL": "smtps://u:" + strong[2:26] + "@mail.example",
	} {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(value), 0o400); err != nil {
			t.Fatal(err)
		}
		settings[name+"_FILE"] = path
	}
	a := opened(t, settings)
	a.asked.role = func(context.Context) (postgres.Role, error) { return postgres.Role{}, nil }
	a.asked.publicAccess = func(context.Context) (string, error) { return "", nil }
	facts := a.facts(t.Context())
	facts.Host.Root, facts.Host.CoreDumps, facts.Host.Umask = false, false, 0o027
	facts.Build.Known, facts.Build.Modified = true, false
	target, err := a.probed()
	if err != nil {
		t.Fatal(err)
	}
	report := secaudit.Run(t.Context(), &facts, target)
	if found := report.Findings(); len(found) != 1 || found[0].ID != "backup-age" || found[0].Severity != secaudit.Low {
		t.Errorf("found %+v", found)
	}
	a.audits.last.Store(&report)
	audit := a.audits.forHealth()
	score := health.Score(health.Subsystems{
		Security:   health.Security{RunAt: &audit.RunAt, Worst: audit.Worst, Findings: audit.Counts},
		RecallData: health.RecallData{Loaded: true},
	})
	if score.Status != health.Healthy || score.Score != 95 {
		t.Errorf("%d %s %+v", score.Score, score.Status, score.Penalties)
	}
}
