package sqlite

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
	"github.com/crownsafe/api/internal/store/storetest"
)

// batchOf makes the copies of count invented notices.
func batchOf(from, count int) []store.Incoming {
	batch := make([]store.Incoming, count)
	for i := range batch {
		batch[i] = storetest.Copy(storetest.Notice(from + i))
	}
	return batch
}

func openTemp(t testing.TB) *Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "crownsafe.db"))
}

func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkLoad reads a catalogue of 20,000 notices, as every start does.
func BenchmarkLoad(b *testing.B) {
	s := openTemp(b)
	const notices, batch = 20_000, 500
	for from := 0; from < notices; from += batch {
		if _, err := s.Apply(b.Context(), batchOf(from, batch), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	doc, _ := json.Marshal(storetest.Notice(1))
	for b.Loop() {
		read := 0
		err := s.Changes(b.Context(), 0, 0, func(store.Stored) error { read++; return nil })
		if err != nil || read != notices {
			b.Fatal(read, err)
		}
	}
	b.ReportMetric(float64(notices)*float64(b.N)/b.Elapsed().Seconds(), "notices/s")
	b.ReportMetric(float64(len(doc)), "B/notice")
}

// BenchmarkApply stores batches of 500 new notices.
func BenchmarkApply(b *testing.B) {
	s := openTemp(b)
	const size = 500
	from := 0
	for b.Loop() {
		b.StopTimer()
		batch := batchOf(from, size)
		from += size
		b.StartTimer()
		if _, err := s.Apply(b.Context(), batch, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "notices/s")
}

// BenchmarkApplyUnchanged offers the same batch of 500 again.
func BenchmarkApplyUnchanged(b *testing.B) {
	s := openTemp(b)
	batch := batchOf(0, 500)
	for b.Loop() {
		if _, err := s.Apply(b.Context(), batch, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(batch))*float64(b.N)/b.Elapsed().Seconds(), "notices/s")
}

// BenchmarkSerial is what a running server asks several times a second.
func BenchmarkSerial(b *testing.B) {
	s := openTemp(b)
	for b.Loop() {
		if _, err := s.Serial(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
