package secret

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// canary is what no error may hold.
const canary = "canary-hunter2"

// vault is a vault of a test: secrets by name.
type vault map[string]Value

func (v vault) Read(_ context.Context, ref Reference) (Value, error) {
	value, ok := v[ref.Name]
	if !ok {
		return Value{}, errors.New("there is no such secret")
	}
	return value, nil
}

func environment(settings map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := settings[name]
		return value, ok
	}
}

var variables = []string{"SECRET_KEY", "DATABASE_URL", "OPS"}

func resolved(t *testing.T, settings map[string]string, v Reader) *Resolver {
	t.Helper()
	r := NewResolver(variables, environment(settings), v)
	if err := r.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSecretsComeFromThreePlaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	write(t, path, "from a file\r\n")
	since := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	r := resolved(t, map[string]string{
		"SECRET_KEY_FILE": path, "DATABASE_URL": "keyvault://crown/db", "OPS": "from the environment", "PORT": "1", "PORT_FILE": "not a secret's",
	}, vault{"db": {Text: "from a vault", ChangedAt: since}})
	for name, want := range map[string]string{
		"SECRET_KEY": "from a file", "DATABASE_URL": "from a vault", "OPS": "from the environment", "PORT": "1", "PORT_FILE": "not a secret's",
	} {
		if got, ok := r.Lookup(name); got != want || !ok {
			t.Errorf("%s is %q, %v", name, got, ok)
		}
	}
	if _, set := r.Lookup("SECRET"); set {
		t.Error("a variable that isn't set is")
	}
	origins := r.Origins()
	if !origins[2].ChangedAt.After(since) {
		t.Errorf("the file's time is not told: %+v", origins[2])
	}
	origins[2].ChangedAt = time.Time{}
	want := []Origin{{Variable: "DATABASE_URL", Source: Vault, ChangedAt: since}, {Variable: "OPS", Source: Environment}, {Variable: "SECRET_KEY", Source: File, Path: path}}
	if diff := cmp.Diff(want, origins); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

// TestUnusableSourcesNameTheVariable, and nothing that could be a secret.
func TestUnusableSourcesNameTheVariable(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	empty, huge := filepath.Join(folder, "empty"), filepath.Join(folder, "huge")
	write(t, empty, " \n")
	write(t, huge, strings.Repeat("x", maxFileBytes+1))
	for name, settings := range map[string]map[string]string{
		"both":                   {"SECRET_KEY": canary, "SECRET_KEY_FILE": "/" + canary},
		"no such file":           {"SECRET_KEY_FILE": canary},
		"an empty file":          {"SECRET_KEY_FILE": empty},
		"a huge file":            {"SECRET_KEY_FILE": huge},
		"a folder":               {"SECRET_KEY_FILE": folder},
		"no such secret":         {"SECRET_KEY": "keyvault://crown/" + canary},
		"no name":                {"SECRET_KEY": "keyvault://" + canary},
		"a host elsewhere":       {"SECRET_KEY": "keyvault://vault.example.org/" + canary},
		"an address":             {"SECRET_KEY": "keyvault://user:" + canary + "@crown/key"},
		"a version that is none": {"SECRET_KEY": "keyvault://crown/key/" + canary},
	} {
		err := NewResolver(variables, environment(settings), vault{}).Resolve(t.Context())
		if err == nil || !strings.Contains(err.Error(), "SECRET_KEY") || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	const version = "0123456789abcdef0123456789abcdef"
	for text, want := range map[string]Reference{
		"keyvault://crown/key":                           {Host: "crown.vault.azure.net", Name: "key"},
		"KEYVAULT://Crown-1/Key-2":                       {Host: "crown-1.vault.azure.net", Name: "Key-2"},
		"keyvault://crown/key/" + version:                {Host: "crown.vault.azure.net", Name: "key", Version: version},
		"keyvault://crown.vault.azure.net/key":           {Host: "crown.vault.azure.net", Name: "key"},
		"keyvault://crown.vault.usgovcloudapi.net/key":   {Host: "crown.vault.usgovcloudapi.net", Name: "key"},
		"keyvault://crown.vault.azure.cn/key/" + version: {Host: "crown.vault.azure.cn", Name: "key", Version: version},
	} {
		if got, is, err := ParseReference(text); got != want || !is || err != nil {
			t.Errorf("%s: %+v, %v, %v", text, got, is, err)
		}
	}
	for _, text := range []string{"", "key", "https://crown.vault.azure.net/secrets/key", "keyvault:crown/key"} {
		if _, is, err := ParseReference(text); is || err != nil {
			t.Errorf("%q is a reference: %v", text, err)
		}
	}
	for _, text := range []string{
		"keyvault://", "keyvault://crown", "keyvault://crown/", "keyvault:///key", "keyvault://crown/key/", "keyvault://crown/a_b", "keyvault://crown/key/1/2",
		"keyvault://crown.example.org/key", "keyvault://vault.azure.net/key", "keyvault://a.b.vault.azure.net/key", "keyvault://crown:443/key", "keyvault://c/key",
	} {
		if _, is, err := ParseReference(text); !is || err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestRefresh: a file or a vault is read anew; what fails keeps what it had, and
// says so until it is well.
func TestRefresh(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ops")
	write(t, path, "one")
	kept := vault{"key": {Text: "first"}}
	r := resolved(t, map[string]string{"OPS_FILE": path, "SECRET_KEY": "keyvault://crown/key", "DATABASE_URL": "fixed"}, kept)
	refreshed := func(wantErr string, want ...string) {
		t.Helper()
		var changed []string
		err := r.Refresh(t.Context(), func(names []string) { changed = names })
		if diff := cmp.Diff(want, changed); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
		if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("the error is %v", err)
		}
	}
	holds := func(name, want string, failing bool) {
		t.Helper()
		got, _ := r.Lookup(name)
		for _, origin := range r.Origins() {
			if origin.Variable == name && (got != want || origin.Failing != failing) {
				t.Errorf("%s is %q, failing %v", name, got, origin.Failing)
			}
		}
	}
	refreshed("")
	write(t, path, "two\n")
	kept["key"] = Value{Text: "second"}
	refreshed("", "OPS", "SECRET_KEY")
	holds("OPS", "two", false)
	holds("SECRET_KEY", "second", false)

	write(t, path, "") // as an editor leaves it while it writes
	delete(kept, "key")
	refreshed("OPS_FILE")
	holds("OPS", "two", true)
	holds("SECRET_KEY", "second", true)

	write(t, path, "two")
	kept["key"] = Value{Text: "third"}
	refreshed("", "SECRET_KEY")
	holds("OPS", "two", false)
	if !r.Refreshable() || resolved(t, map[string]string{"OPS": "fixed"}, nil).Refreshable() {
		t.Error("what can change while the program runs is not told apart")
	}
}

// TestWhatWasReadLastIsUsedLast: nobody refreshes while what was read is put to use.
func TestWhatWasReadLastIsUsedLast(t *testing.T) {
	t.Parallel()
	kept := vault{"key": {Text: "first"}}
	r := resolved(t, map[string]string{"SECRET_KEY": "keyvault://crown/key"}, kept)
	kept["key"] = Value{Text: "second"}
	used := ""
	err := r.Refresh(t.Context(), func([]string) {
		used, _ = r.Lookup("SECRET_KEY")
		if r.refreshing.TryLock() {
			r.refreshing.Unlock()
			t.Error("another may read a newer secret meanwhile, and be overtaken")
		}
	})
	if err != nil || used != "second" {
		t.Errorf("used %q, %v", used, err)
	}
	if err := r.Refresh(t.Context(), func([]string) { t.Error("what hasn't changed is told") }); err != nil {
		t.Error(err)
	}
}

// impatient is a vault that answers who waits for it, and nobody else.
type impatient struct{ vault }

func (v impatient) Read(ctx context.Context, ref Reference) (Value, error) {
	if err := ctx.Err(); err != nil {
		return Value{}, err
	}
	return v.vault.Read(ctx, ref)
}

// TestWhoHangsUpSpoilsNoSource: that somebody no longer waits tells nothing of a vault.
func TestWhoHangsUpSpoilsNoSource(t *testing.T) {
	t.Parallel()
	kept := vault{"key": {Text: "first"}}
	r := resolved(t, map[string]string{"SECRET_KEY": "keyvault://crown/key"}, impatient{kept})
	failing := func() bool { return r.Origins()[0].Failing }
	refresh := func(ctx context.Context) error { return r.Refresh(ctx, func([]string) {}) }
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if err := refresh(gone); !errors.Is(err, context.Canceled) || failing() {
		t.Errorf("after somebody hung up: %v, failing %v", err, failing())
	}
	delete(kept, "key")
	if err := refresh(t.Context()); err == nil || !failing() {
		t.Errorf("of a vault without the secret: %v, failing %v", err, failing())
	}
	if err := refresh(gone); err == nil || !failing() {
		t.Errorf("one that failed is well because somebody hung up: %v, failing %v", err, failing())
	}
}
