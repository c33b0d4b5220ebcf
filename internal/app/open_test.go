package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestNothingStaysOpen, neither work beside the caller nor a file, whichever step of
// the start failed, and when the program is closed. Nobody answers where the servers are said to be.
func TestNothingStaysOpen(t *testing.T) {
	const nobody = "redis://127.0.0.1:1/0"
	list := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(list, []byte(strings.Repeat("0", 40)+":1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		settings map[string]string
		fault    string // the beginning of what the error says; "": there is none
	}{
		"nothing":                {map[string]string{"REDIS_URL": nobody, "CROWNSAFE_BREACHED_PASSWORDS": list}, ""},
		"the cache":              {map[string]string{"REDIS_URL": "http://127.0.0.1:1"}, "REDIS_URL"},
		"the objects":            {map[string]string{"REDIS_URL": nobody, "AZURE_STORAGE_CONNECTION_STRING": "nonsense"}, "AZURE_STORAGE_CONNECTION_STRING"},
		"the breached passwords": {map[string]string{"REDIS_URL": nobody, "CROWNSAFE_BREACHED_PASSWORDS": "/nowhere/list"}, "CROWNSAFE_BREACHED_PASSWORDS"},
		"the mail server":        {map[string]string{"REDIS_URL": nobody, "CROWNSAFE_BREACHED_PASSWORDS": list, "CROWNSAFE_SMTP_URL": "http://127.0.0.1:1", "CROWNSAFE_MAIL_FROM": "a@example.org"}, "CROWNSAFE_SMTP_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			before, leaks := openFiles(t), goleak.IgnoreCurrent()
			cfg, _, err := Settings(t.Context(), func(name string) (string, bool) { value, ok := c.settings[name]; return value, ok })
			if err != nil {
				t.Fatal(err)
			}
			cfg.Data = filepath.Join(t.TempDir(), "data")
			a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), "test")
			switch {
			case c.fault == "" && err == nil:
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			case err == nil, c.fault == "", !strings.HasPrefix(err.Error(), c.fault):
				t.Fatalf("it ends with %v, want a fault of %q", err, c.fault)
			}
			goleak.VerifyNone(t, leaks)
			if after := openFiles(t); !slices.Equal(before, after) {
				t.Errorf("files that are open: before %q, afterwards %q", before, after)
			}
		})
	}
}

// openFiles lists the regular files that the process has open; none where the system
// doesn't tell.
func openFiles(t *testing.T) (names []string) {
	t.Helper()
	const folder = "/proc/self/fd"
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name, err := os.Readlink(filepath.Join(folder, entry.Name()))
		if err == nil && strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "/proc/") && !strings.HasPrefix(name, "/dev/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
