package egress_test

import (
	"testing"

	"github.com/crownsafe/api/internal/egress"
)

func TestThisMachine(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.8.8": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example.org": false, "0.0.0.0": false, "10.0.0.1": false, "127.0.0.1.example.org": false, "::": false,
	} {
		if got := egress.ThisMachine(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
