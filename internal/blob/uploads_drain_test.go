package blob_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/crownsafe/api/internal/blob"
)

// What Drain can't wait for is kept, and uploaded by the next who uses the folder.
func TestDrainKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	r, spool := openRemote(t), t.TempDir()
	r.before = func(context.Context, string, int) error { return blob.ErrUnavailable }
	u := uploading(t, r, blob.UploadOptions{Spool: spool})
	first, second := enqueue(t, u, "a", "first", blob.PutOptions{ContentType: "text/csv"}), enqueue(t, u, "a", "second", blob.PutOptions{})
	if _, err := blob.NewUploads(r, blob.UploadOptions{Spool: spool}); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("a second user of the folder: %v, want ErrBusy", err)
	}
	hurry, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := u.Drain(hurry); !errors.Is(err, blob.ErrStopped) || !strings.Contains(err.Error(), "2 are kept") {
		t.Errorf("Drain: %v, want ErrStopped with the number", err)
	}
	for _, upload := range []*blob.Upload{first, second} {
		if _, err := wait(t, upload); !errors.Is(err, blob.ErrStopped) {
			t.Errorf("what is kept: %v, want ErrStopped", err)
		}
	}
	// Neither half a file nor a damaged one keeps the next from starting.
	for name, bytes := range map[string]string{"x.part": "half", "00000000000000000001.upload": "damaged"} {
		if err := os.WriteFile(filepath.Join(spool, name), []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.failing(nil)
	var told []string
	again := uploading(t, r, blob.UploadOptions{Spool: spool, Finished: func(key string, info blob.Info, err error) {
		told = append(told, fmt.Sprintln(key, info.Size, err))
	}})
	drain(t, again)
	if diff := cmp.Diff([]string{"a 5 <nil>\n", "a 6 <nil>\n"}, told); diff != "" {
		t.Errorf("Finished was told (-want +got):\n%s", diff)
	}
	if got := content(t, r, "a"); got != "second" {
		t.Errorf("it holds %q", got)
	}
	wantSpool(t, spool, 1) // the damaged one, put aside
}

func TestUploadsEndTheirGoroutines(t *testing.T) {
	// Not parallel: it counts everybody's goroutines.
	before := goleak.IgnoreCurrent()
	r := openRemote(t)
	u := uploading(t, r, blob.UploadOptions{})
	enqueue(t, u, "a", "x", blob.PutOptions{})
	drain(t, u)
	goleak.VerifyNone(t, before)
}
