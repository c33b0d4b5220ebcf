package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv/server"
)

// The variables that name running servers. `make test` starts servers and sets
// them; whoever has servers of his own sets them himself.
const (
	PostgresVariable        = "CROWNSAFE_TEST_POSTGRES"         // a URL whose user may create databases
	CurrentPostgresVariable = "CROWNSAFE_TEST_POSTGRES_CURRENT" // the same, of the current major
	RedisVariable           = "CROWNSAFE_TEST_REDIS"            // a URL
	AzureVariable           = "CROWNSAFE_TEST_AZURE"            // a connection string
	PromtoolVariable        = "CROWNSAFE_TEST_PROMTOOL"         // no server: the path of Prometheus' checker
)

// need returns a variable; a test without its server fails.
func need(t testing.TB, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Fatalf("%s is not set, and this test needs the server that it names: run `make test`, or "+
			"`go run ./test/servers go test ./...`, which start it", variable)
	}
	return value
}

// Postgres makes an empty database on the test server, returns its URL, and
// removes the database at the end of the test.
func Postgres(t testing.TB) string {
	t.Helper()
	return database(t, need(t, PostgresVariable))
}

// CurrentPostgres is Postgres on the server of the current major.
func CurrentPostgres(t testing.TB) string {
	t.Helper()
	return database(t, need(t, CurrentPostgresVariable))
}

func database(t testing.TB, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	made, err := server.NewDatabase(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when the test's context has ended
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.DropDatabase(ctx, address, made); err != nil {
			t.Error(err)
		}
	})
	return made
}

// Redis returns the URL of the test server, and a prefix for keys that no other
// test has.
func Redis(t testing.TB) (address, prefix string) {
	t.Helper()
	return need(t, RedisVariable), "test-" + strings.ToLower(rand.Text()) + ":"
}

// Promtool runs Prometheus' checker on what it reads from its standard input, in a
// folder, and returns what it said; the test fails with it.
func Promtool(t testing.TB, dir, input string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need(t, PromtoolVariable), args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return string(said)
}

// Azure returns the connection string of the test server, and the name of a
// container that no other test has and that isn't there yet.
func Azure(t testing.TB) (connection, container string) {
	t.Helper()
	return need(t, AzureVariable), fmt.Sprintf("test-%s", strings.ToLower(rand.Text()))
}
