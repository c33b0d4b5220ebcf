package disk

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

// killedFolder names the folder to the process that TestKilled kills.
const killedFolder = "CROWNSAFE_TEST_KILLED_OBJECTS"

// TestMain lets the test's program be the process that is killed.
func TestMain(m *testing.M) {
	if folder := os.Getenv(killedFolder); folder != "" {
		putForEver(folder)
	}
	os.Exit(m.Run())
}

// putForEver replaces two objects over and over, and prints a line for each time.
func putForEver(folder string) {
	s, err := Open(folder)
	if err != nil {
		panic(err)
	}
	for n := 0; ; n++ {
		key := []string{"a", "b/c"}[n%2]
		opts := blob.PutOptions{ContentType: numberedType(n)}
		if _, err := s.Put(context.Background(), key, strings.NewReader(numbered(n)), opts); err != nil {
			panic(err)
		}
		fmt.Println(n)
	}
}

// A process is killed while it replaces objects, several times, in one folder:
// all is known of the version that is there.
func TestKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "objects")
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), killedFolder+"="+folder)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if done++; done == 5+round {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		s, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b/c"} {
			if _, err := s.Head(t.Context(), key); err != nil {
				t.Errorf("%s, which was put, is gone: %v", key, err)
			}
			wantOneVersion(t, s, key)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
