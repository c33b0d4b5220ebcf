package e2e

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/internal/testenv/vault"
	"github.com/crownsafe/api/test/program"
)

// audited is the answer of the security audit.
type audited struct {
	Checks []struct {
		ID, Category, Severity, Detail, Remedy string
		Passed                                 bool
	}
	Totals    map[string]int
	RiskLevel string    `json:"risk_level"`
	RunAt     time.Time `json:"run_at"`
}

func (a audited) passed(t *testing.T, id string) bool {
	t.Helper()
	for _, check := range a.Checks {
		if check.ID == id {
			return check.Passed
		}
	}
	t.Fatalf("there is no check %s", id)
	return false
}

func strong() string { return rand.Text() + rand.Text() }

// TestAuditForbidsAStartInProduction while something critical is found, and says
// what to do; mended or overridden, the same service starts.
func TestAuditForbidsAStartInProduction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		check    string
		settings []string
		shown    string
	}{
		"no secret key":       {"secret-key-set", nil, ""},
		"a short one":         {"secret-length", []string{"SECRET_KEY=0f3b9a"}, "0f3b9a"},
		"a placeholder":       {"secret-placeholder", []string{"SECRET_KEY=your-secret-key-change-me-in-production"}, "your-secret-key"},
		"a short token":       {"secret-length", []string{"SECRET_KEY=" + strong(), "CROWNSAFE_OPS_TOKEN=hunter2"}, "hunter2"},
		"a placeholder token": {"secret-placeholder", []string{"SECRET_KEY=" + strong(), "CROWNSAFE_OPS_TOKEN=changeme-changeme-changeme-changeme"}, "changeme-changeme"},
	} {
		settings := append([]string{"ENVIRONMENT=production"}, c.settings...)
		got := program.Run(t, settings, "serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0")
		if got.Code != 1 || !strings.Contains(got.Stderr, "crownsafe: CRITICAL "+c.check) || !strings.Contains(got.Stderr, "remedy: ") {
			t.Errorf("%s: exit %d\n%s", name, got.Code, got.Stderr)
		}
		if c.shown != "" && strings.Contains(got.Stderr, c.shown) {
			t.Errorf("%s: the secret is printed:\n%s", name, got.Stderr)
		}
		if elsewhere := program.Serve(t, t.TempDir(), append(settings, "ENVIRONMENT=staging")...); elsewhere.Get("/health", nil).StatusCode != http.StatusOK {
			t.Errorf("%s: staging doesn't start", name)
		}
	}
	overridden := program.Serve(t, t.TempDir(), "ENVIRONMENT=production", "CROWNSAFE_AUDIT_OVERRIDE=1")
	if !strings.Contains(overridden.Logs.String(), "CROWNSAFE_AUDIT_OVERRIDE is on") || !strings.Contains(overridden.Logs.String(), `"check":"secret-key-set"`) {
		t.Errorf("the override is not told of:\n%s", overridden.Logs)
	}
	mended := program.Serve(t, t.TempDir(), "ENVIRONMENT=production", "SECRET_KEY="+strong())
	if mended.Get("/health", nil).StatusCode != http.StatusOK {
		t.Error("the mended service doesn't answer")
	}
}

// TestSecurityAudit: the endpoint and the command tell the same, 200 whatever is
// found, and with the embedded default nothing worse than low.
func TestSecurityAudit(t *testing.T) {
	t.Parallel()
	const path = "/api/v1/monitoring/security-audit"
	data := t.TempDir()
	s := program.Serve(t, data)
	var served audited
	if resp := s.Get(path, &served); resp.StatusCode != http.StatusOK {
		t.Fatalf("%d", resp.StatusCode)
	}
	if len(served.Checks) < 30 || served.Totals["CRITICAL"]+served.Totals["HIGH"]+served.Totals["MEDIUM"] != 0 || served.RunAt.IsZero() {
		t.Errorf("the embedded default: %+v", served)
	}
	for _, check := range served.Checks {
		if check.ID == "" || check.Category == "" || check.Severity == "" || check.Detail == "" || check.Remedy == "" {
			t.Errorf("a check is not whole: %+v", check)
		}
	}
	got := program.Run(t, nil, "audit", "--json", "--data", data)
	var printed audited
	if err := json.Unmarshal([]byte(got.Stdout), &printed); err != nil || got.Code != 0 || len(printed.Checks) != len(served.Checks) || printed.RiskLevel != served.RiskLevel {
		t.Errorf("exit %d, %v, %d checks, risk %s\n%s", got.Code, err, len(printed.Checks), printed.RiskLevel, got.Stderr)
	}

	key := strong()
	production := []string{"ENVIRONMENT=production", "SECRET_KEY=" + key, "CROWNSAFE_OPS_TOKEN=" + key}
	if got := program.Run(t, production, "audit", "--data", t.TempDir()); got.Code != 1 || !strings.Contains(got.Stdout, "secret-reuse") || !strings.Contains(got.Stdout, "database-server") {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	bad := program.Serve(t, t.TempDir(), production...)
	var found audited
	resp := bad.Do(http.MethodGet, path, "", &found, "Authorization: Bearer "+key)
	if resp.StatusCode != http.StatusOK || found.RiskLevel != "HIGH" || found.Totals["HIGH"] < 3 || found.passed(t, "secret-reuse") {
		t.Errorf("%d, risk %s, %v", resp.StatusCode, found.RiskLevel, found.Totals)
	}
	if resp := bad.Get(path, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
	if !strings.Contains(bad.Logs.String(), `"level":"WARN","msg":"security finding"`) {
		t.Errorf("a high finding is no warning in the log:\n%s", bad.Logs)
	}
}

// TestAuditSeesTheMachine: what others may do with files turns checks red.
func TestAuditSeesTheMachine(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data") // made by the program
	look := func() audited {
		t.Helper()
		var found audited
		got := program.Run(t, nil, "audit", "--json", "--data", data)
		if err := json.Unmarshal([]byte(got.Stdout), &found); err != nil {
			t.Fatalf("%v\n%s", err, got.Stderr)
		}
		return found
	}
	if found := look(); !found.passed(t, "key-file-mode") || !found.passed(t, "data-folder-mode") {
		t.Errorf("a new data directory: %+v", found)
	}
	for path, check := range map[string]string{data: "data-folder-mode", filepath.Join(data, "secret.key"): "key-file-mode"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o007); err != nil {
			t.Fatal(err)
		}
		if look().passed(t, check) {
			t.Errorf("%s passes while everybody may write to it", check)
		}
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
		if !look().passed(t, check) {
			t.Errorf("%s is still red", check)
		}
	}
}

// TestSecretsRotateWithoutARestart: a token in a file and one in a vault are used
// as soon as they are read; while a source can't be read the last one stands.
func TestSecretsRotateWithoutARestart(t *testing.T) {
	t.Parallel()
	const guarded = "/api/v1/monitoring/security-audit"
	first, second := strong(), strong()
	admits := func(s *program.Server, token string) bool {
		return s.Do(http.MethodGet, guarded, "", nil, "Authorization: Bearer "+token).StatusCode == http.StatusOK
	}
	rotated := func(s *program.Server) {
		t.Helper()
		testenv.Eventually(t, program.Patience, "the new token is taken", func() bool { return admits(s, second) })
		if admits(s, first) {
			t.Error("the token before is still taken")
		}
		if strings.Contains(s.Logs.String(), first) || strings.Contains(s.Logs.String(), second) {
			t.Error("a token stands in the log")
		}
	}
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(first + "\n")
	byFile := program.Serve(t, t.TempDir(), "CROWNSAFE_OPS_TOKEN_FILE="+path, "CROWNSAFE_SECRET_REFRESH=1s")
	if !admits(byFile, first) {
		t.Fatal("the file's token is not taken")
	}
	write("") // as it is for a moment while it is written
	testenv.Eventually(t, program.Patience, "the log tells of the file", func() bool {
		return strings.Contains(byFile.Logs.String(), "CROWNSAFE_OPS_TOKEN_FILE cannot be used: the file is empty")
	})
	if !admits(byFile, first) {
		t.Error("a file that can't be read takes the token away")
	}
	write(second)
	rotated(byFile)

	v := vault.Start(t)
	v.Set("ops", first, time.Now())
	byVault := program.Serve(t, t.TempDir(), append(v.Environment(), "CROWNSAFE_OPS_TOKEN=keyvault://crown/ops", "CROWNSAFE_SECRET_REFRESH=1s")...)
	if !admits(byVault, first) {
		t.Fatalf("the vault's token is not taken:\n%s", byVault.Logs)
	}
	v.Set("ops", second, time.Now())
	rotated(byVault)

	if got := program.Run(t, append(v.Environment(), "SECRET_KEY=keyvault://crown/none"), "audit", "--data", t.TempDir()); got.Code != 1 ||
		!strings.Contains(got.Stderr, "SECRET_KEY refers to a Key Vault that cannot be used: there is no such secret") {
		t.Errorf("exit %d\n%s", got.Code, got.Stderr)
	}
}
