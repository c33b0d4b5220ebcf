package blob_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
)

// killedSpool names the folder to the process that TestUploadsSurviveAKill kills.
const killedSpool = "CROWNSAFE_TEST_KILLED_SPOOL"

// TestMain lets the test's program be the process that is killed.
func TestMain(m *testing.M) {
	if spool := os.Getenv(killedSpool); spool != "" {
		enqueueForEver(spool)
	}
	os.Exit(m.Run())
}

// stuck never takes an object.
type stuck struct{ blob.Store }

func (stuck) Put(ctx context.Context, _ string, _ io.Reader, _ blob.PutOptions) (blob.Info, error) {
	<-ctx.Done()
	return blob.Info{}, ctx.Err()
}

// enqueueForEver prints the key of each upload that was taken.
func enqueueForEver(spool string) {
	u, err := blob.NewUploads(stuck{}, blob.UploadOptions{Spool: spool, Workers: 1})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		key := fmt.Sprintf("k/%d", i)
		if _, err := u.Enqueue(context.Background(), key, strings.NewReader(strings.Repeat(key, 10_000)), blob.PutOptions{}); err != nil {
			panic(err)
		}
		fmt.Println(key)
	}
}

// A process is killed while it takes uploads: all that it had taken are stored
// by the next, whole, and once.
func TestUploadsSurviveAKill(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spool := t.TempDir()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), killedSpool+"="+spool)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var taken []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if taken = append(taken, lines.Text()); len(taken) == 25 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(taken) < 25 {
		t.Fatalf("it took only %d uploads", len(taken))
	}
	r := openRemote(t)
	u := uploading(t, r, blob.UploadOptions{Spool: spool})
	drain(t, u)
	for _, key := range taken {
		if got := content(t, r, key); got != strings.Repeat(key, 10_000) {
			t.Errorf("%s holds %d bytes", key, len(got))
		}
		if got := r.attempts(key); got != 1 {
			t.Errorf("%s was stored %d times", key, got)
		}
	}
	wantSpool(t, spool, 0)
}
