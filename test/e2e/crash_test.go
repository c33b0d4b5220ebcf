package e2e

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// TestKillDuringImportLosesAndDoublesNothing kills the real process at random
// points of an import, again and again on the same data directory, then lets it
// finish: the outcome must be that of an import that nobody disturbed.
func TestKillDuringImportLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	file := program.CPSCFile(t, 6000)
	undisturbed := t.TempDir()
	started := time.Now()
	if got := program.Run(t, nil, "import", file, "--data", undisturbed); got.Code != 0 {
		t.Fatalf("exit %d\n%s", got.Code, got.Stderr)
	}
	took := time.Since(started)

	data := t.TempDir()
	killed := 0
	for range 8 {
		// The moment of death is drawn over the time that a whole import takes.
		if program.KilledAfter(t, time.Duration(rand.Int64N(int64(took))), nil, "import", file, "--data", data) {
			killed++
		}
	}
	if killed == 0 {
		t.Fatal("no import was killed: the test showed nothing")
	}
	if got := program.Run(t, nil, "import", file, "--data", data); got.Code != 0 {
		t.Fatalf("after %d kills: exit %d\n%s", killed, got.Code, got.Stderr)
	}
	if left, err := os.ReadDir(filepath.Join(data, "spool")); err != nil || len(left) != 0 {
		t.Errorf("after %d kills the spool holds %v, %v", killed, left, err)
	}
	if diff := cmp.Diff(dump(t, undisturbed), dump(t, data)); diff != "" {
		t.Errorf("after %d kills the notices differ:\n%s", killed, diff)
	}
}

// TestStopUnderLoadLosesNoAcceptedRequest sends SIGTERM while clients ask as
// fast as they can: every request that got an answer got a whole and good one,
// and the only failures are connections refused once the server is gone.
func TestStopUnderLoadLosesNoAcceptedRequest(t *testing.T) {
	t.Parallel()
	s := program.Serve(t, t.TempDir())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	stop := make(chan struct{})
	var answered, broken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := client.Get(s.Base + "/api/v1/barcode/" + starterBarcode)
				if err != nil {
					return // refused: the listener is gone, nothing was accepted
				}
				_, readErr := io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if readErr != nil || resp.StatusCode != http.StatusOK {
					broken.Add(1)
				}
				answered.Add(1)
			}
		})
	}
	testenv.Eventually(t, program.Patience, "some requests are answered", func() bool { return answered.Load() > 500 })
	s.Signal(syscall.SIGTERM)
	if err := s.Wait(); err != nil {
		t.Errorf("the server did not end in order: %v\n%s", err, s.Logs)
	}
	close(stop)
	wg.Wait()
	if broken.Load() > 0 {
		t.Errorf("%d of %d requests were cut or refused by a status", broken.Load(), answered.Load())
	}
}

func TestReadinessFlipsBeforeTheEnd(t *testing.T) {
	s := program.Serve(t, t.TempDir(), "CROWNSAFE_DRAIN=10s") // however slow the machine is
	if resp := s.Get("/api/readyz", nil); resp.StatusCode != http.StatusOK {
		t.Fatalf("readyz answered %d", resp.StatusCode)
	}
	s.Signal(syscall.SIGTERM)
	testenv.Eventually(t, 10*time.Second, "readyz says no while requests are still answered", func() bool {
		ready, live := s.Get("/api/readyz", nil), s.Get("/health", nil)
		return ready.StatusCode == http.StatusServiceUnavailable && live.StatusCode == http.StatusOK
	})
}
