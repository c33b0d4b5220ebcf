package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/test/program"
)

// canary is a secret that would be seen anywhere: no other text has it, and signs
// in it must be escaped.
func canary(variable string) string {
	sum := sha256.Sum256([]byte(variable))
	return "cAnArY/" + hex.EncodeToString(sum[:8]) + "+Zq7Lx9!w=Tn5#" + hex.EncodeToString(sum[8:16])
}

// seeded gives every variable that holds a secret a value with its canary in it.
// What isn't listed takes the canary itself.
func seeded(t *testing.T) map[string]string {
	t.Helper()
	escaped := func(variable string) string { return url.QueryEscape(canary(variable)) }
	special := map[string]string{
		"DATABASE_URL":                    "postgres://crown:" + strings.ReplaceAll(escaped("DATABASE_URL"), "+", "%20") + "@127.0.0.1:1/crown?sslmode=require",
		"REDIS_URL":                       "rediss://crown:" + escaped("REDIS_URL") + "@127.0.0.1:1/0",
		"AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://127.0.0.1:1/account;SharedAccessSignature=sv=2022-11-02&se=2027-06-01&sig=" + escaped("AZURE_STORAGE_CONNECTION_STRING"),
		"CROWNSAFE_SMTP_URL":              "smtp://crown:" + escaped("CROWNSAFE_SMTP_URL") + "@127.0.0.1:1",
		"CROWNSAFE_OTLP_HEADERS":          "authorization=" + canary("CROWNSAFE_OTLP_HEADERS"),
	}
	values := map[string]string{}
	for _, name := range config.SecretVariables() {
		values[name] = canary(name)
		if value, ok := special[name]; ok {
			values[name] = value
		}
	}
	if len(values) < 7 {
		t.Fatalf("only %d variables hold secrets", len(values))
	}
	return values
}

// disguises are the forms in which a text could be written: as it is, escaped, in
// hexadecimal, and in base64 wherever it begins.
func disguises(text string) [][]byte {
	forms := []string{text, url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text)), fmt.Sprintf("%q", text)}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 {
			coded := encoding.EncodeToString([]byte(strings.Repeat(" ", shift) + text))
			forms = append(forms, coded[(shift*8+5)/6+1:len(coded)-3])
		}
	}
	var list [][]byte
	for _, form := range forms {
		list = append(list, []byte(form))
	}
	return list
}

// lookout finds canaries in what a program writes.
type lookout struct {
	t     *testing.T
	forms map[string][][]byte // by variable

	mu   sync.Mutex
	seen int
}

func newLookout(t *testing.T) *lookout {
	l := &lookout{t: t, forms: map[string][][]byte{}}
	for _, name := range config.SecretVariables() {
		l.forms[name] = disguises(canary(name))
	}
	return l
}

// found returns the variables whose canary is in a text.
func (l *lookout) found(text []byte) []string {
	var names []string
	for name, forms := range l.forms {
		for _, form := range forms {
			if bytes.Contains(text, form) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

func (l *lookout) check(where string, text []byte) {
	l.t.Helper()
	l.mu.Lock()
	l.seen += len(text)
	l.mu.Unlock()
	for _, name := range l.found(text) {
		l.t.Errorf("%s tells the secret in %s:\n%.2000s", where, name, text)
	}
}

// run runs a command to its end and looks at what it prints.
func (l *lookout) run(settings []string, args ...string) program.Result {
	l.t.Helper()
	got := program.Run(l.t, settings, args...)
	l.check("crownsafe "+strings.Join(args, " "), []byte(got.Stdout+got.Stderr))
	return got
}

// folder looks at every file below a folder.
func (l *lookout) folder(dir string) {
	l.t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			l.check("the file "+entry.Name(), text)
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// ask sends a request and looks at the whole answer.
func (l *lookout) ask(s *program.Server, method, path, body string, header ...string) int {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, s.Base+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	l.check(method+" "+path, append([]byte(fmt.Sprint(resp.Header)), raw...))
	return resp.StatusCode
}

// parrot is an agency that refuses everybody and repeats what it was sent.
func parrot(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "%s is refused: %v", r.URL, r.Header)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// settingsOf are the settings of a program that finds nothing where it looks for its
// servers, and logs everything.
func settingsOf(t *testing.T, values map[string]string) []string {
	t.Helper()
	agency := parrot(t)
	settings := []string{"ENVIRONMENT=production", "CROWNSAFE_LOG_LEVEL=debug", "CROWNSAFE_OFFLINE=0", "CROWNSAFE_DRAIN=0s", "CROWNSAFE_GRACE=1s", "CROWNSAFE_MAIL_FROM=crown@example.org"}
	for _, feed := range []string{"AU_ACCC", "CA_HC", "DE_LMW", "EU_SAFETY_GATE", "FR_RAPPELCONSO", "KR_KATS", "NZ_MBIE", "UK_FSA", "UK_OPSS", "US_CPSC", "US_FDA", "US_FSIS", "US_NHTSA"} {
		settings = append(settings, "CROWNSAFE_FEED_"+feed+"="+agency)
	}
	for name, value := range values {
		settings = append(settings, name+"="+value)
	}
	return settings
}

// TestNoSecretIsEverTold runs the program with canaries for secrets, given in the
// environment and in files, through what works and what fails, and looks for them
// in everything that it writes.
func TestNoSecretIsEverTold(t *testing.T) {
	t.Parallel()
	values := seeded(t)
	files := map[string]string{}
	for name, value := range values {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		files[name+"_FILE"] = path
	}
	for how, given := range map[string]map[string]string{"environment": values, "files": files} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			l, data := newLookout(t), t.TempDir()
			settings := settingsOf(t, given)
			for _, args := range [][]string{
				{"audit", "--all"}, {"audit", "--json"}, {"migrate", "status", "--json"}, {"sync", "kr-kats", "--json"}, {"version", "--json"}, {"check", "--brand", "x"},
				{"import", program.CPSCFile(t, 1)},
			} {
				l.run(settings, append(args, "--data", data)...)
			}
			l.serve(data, settings)
			embedded := map[string]string{}
			for name, value := range given {
				if base := strings.TrimSuffix(name, "_FILE"); base != "DATABASE_URL" && base != "REDIS_URL" && base != "AZURE_STORAGE_CONNECTION_STRING" {
					embedded[name] = value
				}
			}
			l.run(settingsOf(t, embedded), "sync", "kr-kats", "--data", data)
			l.serve(data, settingsOf(t, embedded))
			l.folder(data)
			if l.seen < 100_000 {
				t.Errorf("only %d bytes were looked at", l.seen)
			}
		})
	}
}

// serve starts the service, asks it for everything with good and bad credentials,
// and ends it so that it prints all that goes on in it.
func (l *lookout) serve(data string, settings []string) {
	l.t.Helper()
	s := program.Serve(l.t, data, settings...)
	token := "Authorization: Bearer " + canary("CROWNSAFE_OPS_TOKEN")
	for _, path := range []string{
		"/health", "/api/healthz", "/api/readyz", "/api/v1/sources", "/api/v1/recalls?q=crib", "/", "/status", "/ops", "/metrics", "/openapi.json", "/docs",
		"/api/v1/monitoring/system-health-dashboard", "/api/v1/monitoring/security-audit", "/api/v1/monitoring/azure-cache-stats",
		"/api/v1/monitoring/database", "/api/v1/azure-storage/health", "/api/v1/sources/kr-kats/quarantine", "/nothing",
	} {
		l.ask(s, http.MethodGet, path, "", token)
		l.ask(s, http.MethodGet, path, "")
		for name := range l.forms {
			l.ask(s, http.MethodGet, path, "", "Authorization: Bearer "+canary(name)+"x", "X-Api-Key: "+canary(name), "Cookie: session="+canary(name))
		}
	}
	if status := l.ask(s, http.MethodGet, "/api/v1/monitoring/security-audit", "", token); status != http.StatusOK {
		l.t.Errorf("the operator's token is answered %d", status)
	}
	secret := canary("SECRET_KEY")
	for _, body := range []string{`{"password":"` + secret + `"}`, `{"token":["` + secret + `"]}`, `{`, `[]`, `{"email":"somebody@example.org","password":"three herons on a wire"}`} {
		for _, path := range []string{"/api/v1/verdict", "/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/keys"} {
			l.ask(s, http.MethodPost, path, body, "Content-Type: application/json")
		}
	}
	s.Signal(syscall.SIGQUIT) // every goroutine's stack
	_ = s.Wait()              // it dies of it
	if !strings.Contains(s.Logs.String(), "goroutine ") {
		l.t.Error("the program did not print its goroutines")
	}
	l.check("the log", []byte(s.Logs.String()))
}

// TestUnusableSecretsAreNotTold: what a mistake in a setting makes the program say.
func TestUnusableSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	l := newLookout(t)
	for name, value := range seeded(t) {
		for how, settings := range map[string][]string{
			"a blank at its end": {name + "=" + value + " "},
			"the secret as path": {name + "_FILE=" + canary(name)},
			"both":               {name + "=" + value, name + "_FILE=/" + canary(name)},
			"a broken reference": {name + "=keyvault://" + canary(name)},
		} {
			got := l.run(settings, "serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0")
			if got.Code != 1 || !strings.Contains(got.Stderr, name) {
				t.Errorf("%s, %s: exit %d\n%s", name, how, got.Code, got.Stderr)
			}
		}
	}
	for name, value := range map[string]string{
		"DATABASE_URL": "postgres://crown:" + canary("DATABASE_URL") + "@db:port/x?sslmode=never", "REDIS_URL": "redis://:" + canary("REDIS_URL") + "@h#1:x/9",
		"AZURE_STORAGE_CONNECTION_STRING": "AccountName=a;AccountKey=" + canary("AZURE_STORAGE_CONNECTION_STRING"),
	} {
		if got := l.run([]string{name + "=" + value}, "audit", "--data", t.TempDir()); got.Code != 1 || !strings.Contains(got.Stderr, name) {
			t.Errorf("%s: exit %d\n%s", name, got.Code, got.Stderr)
		}
	}
}

// TestCanariesAreSeen: the lookout finds a secret in each of its disguises.
func TestCanariesAreSeen(t *testing.T) {
	t.Parallel()
	l, secret := newLookout(t), canary("SECRET_KEY")
	for _, text := range []string{
		"key=" + secret + ";", "?key=" + url.QueryEscape(secret) + "&", "/" + url.PathEscape(secret), hex.EncodeToString([]byte("x" + secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("a" + secret + "b")),
		base64.URLEncoding.EncodeToString([]byte("ab:" + secret)), base64.StdEncoding.EncodeToString([]byte("user:pw" + secret)),
	} {
		if found := l.found([]byte(text)); len(found) != 1 || found[0] != "SECRET_KEY" {
			t.Errorf("in %q is seen %v", text, found)
		}
	}
	if found := l.found([]byte("nothing to see")); len(found) != 0 {
		t.Errorf("in nothing is seen %v", found)
	}
}
