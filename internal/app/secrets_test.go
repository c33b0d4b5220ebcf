package app

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secret"
)

// TestSecretKeyIsMadeOnce: processes that start together on one data directory
// sign with the same key, and only its owner may read it.
func TestSecretKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Environment: config.Development, Data: t.TempDir()}
	keys := make([][]byte, 10)
	var starting sync.WaitGroup
	for i := range keys {
		starting.Go(func() {
			ring, err := openKeyring(cfg)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = ring.Current(secret.SignedObjects)
		})
	}
	starting.Wait()
	for _, key := range keys {
		if len(key) != 32 || !bytes.Equal(key, keys[0]) {
			t.Fatalf("the keys are %x", keys)
		}
	}
	path := filepath.Join(cfg.Data, "secret.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(cfg.Data); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeyring(cfg); err == nil {
		t.Error("a short key was taken")
	}
}

// TestSecretKeyThatIsSet beats the file, which isn't made; other purposes have
// other keys, and outside of development none is made up.
func TestSecretKeyThatIsSet(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Environment: "production", Data: t.TempDir()}
	if ring, err := openKeyring(cfg); err != nil || ring.Current(secret.SignedObjects) != nil || len(ring.All(secret.SignedObjects)) != 0 {
		t.Errorf("without one: %v, %v", ring, err)
	}
	cfg.SecretKey = "0123456789012345678901234567890123456789"
	ring, err := openKeyring(cfg)
	if err != nil {
		t.Fatal(err)
	}
	one, other := ring.Current(secret.SignedObjects), ring.Current("another purpose")
	if len(one) != 32 || bytes.Equal(one, other) {
		t.Errorf("the keys are %x and %x", one, other)
	}
	if files, err := os.ReadDir(cfg.Data); err != nil || len(files) != 0 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}

// TestAMadeKeyOutlivesAChangeOfThePrevious: no variable has it, and it goes on signing.
func TestAMadeKeyOutlivesAChangeOfThePrevious(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "previous")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strong)
	a := opened(t, map[string]string{"CROWNSAFE_SECRET_KEY_PREVIOUS_FILE": path})
	before := a.Keys.Current(secret.AccessTokens)
	write(strong[1:])
	if err := a.refreshSecrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := a.Keys.Current(secret.AccessTokens); len(before) == 0 || !bytes.Equal(before, after) || len(a.Keys.All(secret.AccessTokens)) != 2 {
		t.Errorf("it signs with %x after %x, and takes %d keys", after, before, len(a.Keys.All(secret.AccessTokens)))
	}
}
