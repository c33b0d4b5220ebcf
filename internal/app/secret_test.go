package app

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/crownsafe/api/internal/config"
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
			var err error
			if keys[i], err = derivedKey(cfg, signingObjects); err != nil {
				t.Error(err)
			}
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
	if _, err := derivedKey(cfg, signingObjects); err == nil {
		t.Error("a short key was taken")
	}
}

// TestSecretKeyThatIsSet beats the file, which isn't made; other purposes have
// other keys, and outside of development none is made up.
func TestSecretKeyThatIsSet(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Environment: "production", Data: t.TempDir()}
	if key, err := derivedKey(cfg, signingObjects); key != nil || err != nil {
		t.Errorf("without one: %x, %v", key, err)
	}
	cfg.SecretKey = "0123456789012345678901234567890123456789"
	one, err := derivedKey(cfg, signingObjects)
	if err != nil {
		t.Fatal(err)
	}
	other, err := derivedKey(cfg, "another purpose")
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != 32 || bytes.Equal(one, other) {
		t.Errorf("the keys are %x and %x", one, other)
	}
	if files, err := os.ReadDir(cfg.Data); err != nil || len(files) != 0 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
}
