package e2e

import (
	"strings"
	"testing"
)

// An agency whose feed wants a key that is not set is named, and nothing fails
// because of it.
func TestAgencyWithoutItsKey(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	const variable = "CROWNSAFE_KEY_KR_KATS"
	got := run(t, nil, "sync", "kr-kats", "--data", data)
	if got.code != 0 || !strings.HasPrefix(got.stdout, "kr-kats: not polled: ") || !strings.Contains(got.stdout, variable) {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if state, reason := sourceState(t, data, "kr-kats"); state != "never" || !strings.Contains(reason, variable) {
		t.Errorf("it is %s: %s", state, reason)
	}
}
