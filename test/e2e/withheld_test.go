package e2e

import (
	"strings"
	"testing"

	"github.com/crownsafe/api/test/program"
)

// An agency whose feed wants a key that is not set is named, and nothing fails
// because of it.
func TestAgencyWithoutItsKey(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	const variable = "CROWNSAFE_KEY_KR_KATS"
	got := program.Run(t, nil, "sync", "kr-kats", "--data", data)
	if got.Code != 0 || !strings.HasPrefix(got.Stdout, "kr-kats: not polled: ") || !strings.Contains(got.Stdout, variable) {
		t.Errorf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if state, reason := sourceState(t, data, "kr-kats"); state != "never" || !strings.Contains(reason, variable) {
		t.Errorf("it is %s: %s", state, reason)
	}
}
