package azure

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/testenv"
)

// mostMemory is how much 1,000 uploads at once may take over what the process
// has when it is idle.
const mostMemory = 64 << 20

// BenchmarkUploads uploads 1,000 objects of 1 MiB that all come at once, and
// reports how much memory the process had at most over what it had before.
func BenchmarkUploads(b *testing.B) {
	const objects, size = 1000, 1 << 20
	connection, container := testenv.Azure(b)
	s, err := Open(Options{ConnectionString: connection, Container: container})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	spool := b.TempDir()
	for b.Loop() {
		u, err := blob.NewUploads(blob.Guard(s, blob.GuardOptions{}), blob.UploadOptions{Spool: spool})
		if err != nil {
			b.Fatal(err)
		}
		debug.FreeOSMemory()
		idle := resident(b)
		stop := make(chan struct{})
		most := watch(b, stop)
		var group sync.WaitGroup
		start := time.Now()
		for i := range objects {
			group.Go(func() {
				content := io.LimitReader(noise{rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)})}, size)
				if _, err := u.Enqueue(b.Context(), fmt.Sprintf("k/%d", i), content, blob.PutOptions{}); err != nil {
					b.Error(err)
				}
			})
		}
		group.Wait()
		enqueued := time.Since(start)
		ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
		if err := u.Drain(ctx); err != nil {
			b.Error(err)
		}
		cancel()
		close(stop)
		over := <-most - idle
		b.ReportMetric(float64(over)/(1<<20), "MiB-over-idle")
		b.ReportMetric(objects/time.Since(start).Seconds(), "objects/s")
		b.ReportMetric(enqueued.Seconds(), "s-to-enqueue-all")
		if stats := u.Stats(); stats.Done != objects || over > mostMemory {
			b.Errorf("%d of %d are uploaded, with %d MiB over idle", stats.Done, objects, over>>20)
		}
	}
}

// noise is content that no two objects have in common.
type noise struct{ *rand.ChaCha8 }

// resident is what the process has of the machine's memory, in bytes.
func resident(b *testing.B) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("VmRSS:"))
	kilobytes, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes << 10
}

// watch returns the most that was resident until stop.
func watch(b *testing.B, stop <-chan struct{}) <-chan int64 {
	most := make(chan int64, 1)
	go func() {
		look := time.NewTicker(5 * time.Millisecond)
		defer look.Stop()
		for peak := resident(b); ; {
			select {
			case <-look.C:
				peak = max(peak, resident(b))
			case <-stop:
				most <- peak
				return
			}
		}
	}()
	return most
}
