// Package e2e tests the real binary from outside: what a person runs, what a
// client asks, what a broken disk does to it. It knows nothing of the program's
// insides beyond what the README and the API's contract say.
package e2e

import (
	"os"
	"testing"

	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }
