package storetest

import (
	"testing"
	"time"

	"github.com/crownsafe/api/internal/store"
)

// The sizes of benchmarks: of a batch as ingest makes it, and of a catalogue.
const (
	benchmarkBatch   = 500
	benchmarkNotices = 20_000
)

// Benchmark measures an adapter: what an import asks of it, and what a start does.
// Notices are of a usual size; see Notice.
func Benchmark(b *testing.B, place Place) {
	b.Run("Apply", func(b *testing.B) { benchmarkApply(b, place(b)()) })
	b.Run("ApplyTracked", func(b *testing.B) { benchmarkTracked(b, place(b)()) })
	b.Run("ApplyRevised", func(b *testing.B) { benchmarkRevised(b, place(b)()) })
	b.Run("ApplyUnchanged", func(b *testing.B) { benchmarkUnchanged(b, place(b)()) })
	b.Run("Changes", func(b *testing.B) { benchmarkChanges(b, place(b)()) })
	b.Run("Serial", func(b *testing.B) { benchmarkSerial(b, place(b)()) })
	b.Run("Load", func(b *testing.B) { benchmarkLoad(b, place) })
}

// batchOf makes the copies of count invented notices.
func batchOf(from, count int) []store.Incoming {
	batch := make([]store.Incoming, count)
	for i := range batch {
		batch[i] = Copy(Notice(from + i))
	}
	return batch
}

func perSecond(b *testing.B, notices int) {
	b.ReportMetric(float64(notices)*float64(b.N)/b.Elapsed().Seconds(), "notices/s")
}

// benchmarkApply stores batches of new notices.
func benchmarkApply(b *testing.B, s store.Store) {
	from := 0
	for b.Loop() {
		b.StopTimer()
		batch := batchOf(from, benchmarkBatch)
		from += benchmarkBatch
		b.StartTimer()
		if _, err := s.Apply(b.Context(), batch, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, benchmarkBatch)
}

// benchmarkTracked stores batches of new notices in a store that is backed up, and so
// keeps track of what changes.
func benchmarkTracked(b *testing.B, s store.Store) {
	backups, ok := s.(store.Backups)
	if !ok {
		b.Fatalf("%T makes no backups", s)
	}
	if err := backups.BackUp(b.Context(), "benchmark", func(store.BackupView) error { return nil }); err != nil {
		b.Fatal(err)
	}
	benchmarkApply(b, s)
}

// benchmarkRevised stores a further revision of each notice.
func benchmarkRevised(b *testing.B, s store.Store) {
	batch := batchOf(0, benchmarkBatch)
	for version := int64(1); b.Loop(); version++ {
		b.StopTimer()
		for i := range batch {
			batch[i] = titled(batch[i], time.Duration(version).String())
			batch[i].Version = version
		}
		b.StartTimer()
		if _, err := s.Apply(b.Context(), batch, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, benchmarkBatch)
}

// benchmarkUnchanged offers the same batch again.
func benchmarkUnchanged(b *testing.B, s store.Store) {
	batch := batchOf(0, benchmarkBatch)
	for b.Loop() {
		if _, err := s.Apply(b.Context(), batch, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, benchmarkBatch)
}

func fillUp(b *testing.B, s store.Store) {
	b.Helper()
	for from := 0; from < benchmarkNotices; from += benchmarkBatch {
		if _, err := s.Apply(b.Context(), batchOf(from, benchmarkBatch), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkChanges reads a whole catalogue, as every start does.
func benchmarkChanges(b *testing.B, s store.Store) {
	fillUp(b, s)
	for b.Loop() {
		read := 0
		err := s.Changes(b.Context(), 0, 0, func(store.Stored) error { read++; return nil })
		if err != nil || read != benchmarkNotices {
			b.Fatal(read, err)
		}
	}
	perSecond(b, benchmarkNotices)
}

// benchmarkSerial is what a running server asks several times a second.
func benchmarkSerial(b *testing.B, s store.Store) {
	for b.Loop() {
		if _, err := s.Serial(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkLoad copies a store into an empty one of the same kind.
func benchmarkLoad(b *testing.B, place Place) {
	from := place(b)()
	fillUp(b, from)
	for b.Loop() {
		b.StopTimer()
		to := place(b)()
		b.StartTimer()
		if _, err := store.CopyAll(b.Context(), from, to, nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, benchmarkNotices)
}
