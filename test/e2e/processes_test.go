package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestTwoProcessesPollOneAgency lets a second process come while the first one
// waits for the agency's answer, and kills the first one then.
func TestTwoProcessesPollOneAgency(t *testing.T) {
	t.Parallel()
	data, f := t.TempDir(), newFeed(t)
	mirror := []string{"CROWNSAFE_FEED_US_CPSC=" + f.URL}
	asked := make(chan struct{}, 100)
	patient := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	f.answer.Store(&patient)
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	first := program.Command(ctx, mirror, "sync", "us-cpsc", "--data", data)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-ctx.Done():
		t.Fatal("the first process never asked")
	}

	second := func() (state string, code int) {
		got := program.Run(t, mirror, "sync", "us-cpsc", "--data", data, "--json")
		var said struct{ State, Reason string }
		if err := json.Unmarshal([]byte(got.Stdout), &said); err != nil {
			t.Fatalf("%v: %s%s", err, got.Stdout, got.Stderr)
		}
		return said.State, got.Code
	}
	if state, code := second(); state != "elsewhere" || code != 0 {
		t.Errorf("while the first process polls: %s, exit %d", state, code)
	}
	if got := program.Run(t, mirror, "replay", "us-cpsc", "--data", data); got.Code != 1 || !strings.Contains(got.Stderr, "another process") {
		t.Errorf("a replay meanwhile: exit %d, %s", got.Code, got.Stderr)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was killed
	f.says(http.StatusOK, program.Encoded(t, []any{program.CPSCRecall(1, program.CPSCDescription(1))}))
	state, code := "", 0
	testenv.Eventually(t, 30*time.Second, "the second process takes over", func() bool {
		state, code = second()
		return state != "elsewhere"
	})
	if state != "done" || code != 0 {
		t.Errorf("the heir's poll: %s, exit %d", state, code)
	}

	// The killed process's run seems to go on, and is in nobody's way.
	s := program.Serve(t, data)
	var list sources
	s.Get("/api/v1/sources", &list)
	for _, src := range list.Items {
		if src.Agency == "us-cpsc" && (src.State != "ok" || src.Notices != 1) {
			t.Errorf("%+v", src)
		}
	}
}

// TestAStoppedServerLeavesASnapshot looks into the data directory after a stop; and
// whatever lies there, the next start takes the store's word.
func TestAStoppedServerLeavesASnapshot(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	folder := filepath.Join(data, "snapshots")
	stopped := func() []string {
		t.Helper()
		s := program.Serve(t, data)
		var verdict struct{ Verdict string }
		s.Get("/api/v1/barcode/"+starterBarcode, &verdict)
		if verdict.Verdict != "affected" {
			t.Errorf("verdict %s", verdict.Verdict)
		}
		s.Signal(syscall.SIGTERM)
		if err := s.Wait(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.snapshot"))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	files := stopped()
	if len(files) != 1 {
		t.Fatalf("the folder holds %v", files)
	}
	if err := os.WriteFile(files[0], []byte("no snapshot"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := stopped(); len(again) != 1 {
		t.Errorf("the folder holds %v", again)
	}
}
