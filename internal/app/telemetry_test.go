package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/crownsafe/api/internal/config"
)

// logged is how a program is seen that logs to a logger and exports nothing.
func logged(t *testing.T, cfg config.Config, logger *slog.Logger) *seen {
	t.Helper()
	s, err := see(cfg, logger, "test", "here")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEveryLoggerIsOfAKnownPackage: a package that levels can't be set for would
// log at the default whatever operators do.
func TestEveryLoggerIsOfAKnownPackage(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	given, call := []string{}, regexp.MustCompile(`\.of\("(\w+)"\)`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range call.FindAllStringSubmatch(string(source), -1) {
			given = append(given, found[1])
		}
	}
	slices.Sort(given)
	if given = slices.Compact(given); !slices.Equal(given, loggingPackages) {
		t.Errorf("loggers are given to %v, levels can be set for %v", given, loggingPackages)
	}
}
