package load

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crownsafe/api/internal/app"
)

// loaded imports all notices and loads the catalogue.
func loaded(b *testing.B, data string) *app.App {
	b.Helper()
	importInto(b, data, writeCorpus(b, 0, notices))
	a := open(b, data)
	if err := a.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkSnapshotSave writes the catalogue's snapshot to the disk.
func BenchmarkSnapshotSave(b *testing.B) {
	a := loaded(b, b.TempDir())
	defer shut(b, a)
	b.ReportAllocs()
	for b.Loop() {
		a.Snapshots.Folder = filepath.Join(b.TempDir(), "snapshots")
		if err := a.Snapshots.Save(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	files, err := filepath.Glob(filepath.Join(a.Snapshots.Folder, "*.snapshot"))
	if err != nil || len(files) != 1 {
		b.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/notices, "file-B/notice")
}

// BenchmarkSnapshotRestore loads the catalogue from its snapshot, without a
// store: BenchmarkStart is the same with one.
func BenchmarkSnapshotRestore(b *testing.B) {
	data := b.TempDir()
	a := loaded(b, data)
	if err := a.Snapshots.Save(b.Context()); err != nil {
		b.Fatal(err)
	}
	shut(b, a)
	for b.Loop() {
		b.StopTimer()
		a := open(b, data)
		b.StartTimer()
		if _, err := a.Snapshots.Restore(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		shut(b, a)
		b.StartTimer()
	}
}
