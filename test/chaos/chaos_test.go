// Package chaos runs the real binary on real PostgreSQL, Redis and Azurite,
// breaks the ways between them while people ask, and holds what happens against
// the table of docs/failure-modes.md. It knows nothing of the program's insides.
package chaos

import (
	"os"
	"testing"

	"github.com/crownsafe/api/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }
