package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/store"
)

// TestALogThatWasLeftBehindIsNoPartOfWhatIsRestored: of a store whose process was killed
// and whose file is gone its log may be there still. SQLite would take it for that of the
// file that comes into its place.
func TestALogThatWasLeftBehindIsNoPartOfWhatIsRestored(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{true, false} {
		from := openTemp(t)
		full, want := fullBackup(t, from)
		path := filepath.Join(t.TempDir(), "crownsafe.db")
		there := openAt(t, path)
		rejections(t, there, 300)
		log, err := os.ReadFile(path + "-wal")
		if err != nil || len(log) == 0 {
			t.Fatalf("there is no log: %d bytes, %v", len(log), err)
		}
		if err := there.Close(); err != nil {
			t.Fatal(err)
		}
		if lost {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, []byte("no file of SQLite's at all"), 0o600)
		}
		if err := errors.Join(err, os.WriteFile(path+"-wal", log, 0o600)); err != nil {
			t.Fatal(err)
		}
		r, err := OpenRestoration(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Apply(t.Context(), "full", true, strings.NewReader(full)), r.Finish(t.Context()), r.Close()); err != nil {
			t.Fatal(err)
		}
		if got := digestOf(t, openAt(t, path)); got.SHA256() != want.SHA256() {
			t.Errorf("where the file was lost: %v, what was restored is %+v", lost, got)
		}
		if kept, err := os.ReadFile(path + replaced + "-wal"); lost && (err != nil || len(kept) != len(log)) {
			t.Errorf("%d bytes of the log are kept beside, %v", len(kept), err)
		}
	}
}

// TestTwoRestorationsAtOnce: who was overtaken doesn't put the half of another into the
// place of the store.
func TestTwoRestorationsAtOnce(t *testing.T) {
	t.Parallel()
	from := openTemp(t)
	full, _ := fullBackup(t, from)
	path := filepath.Join(t.TempDir(), "crownsafe.db")
	var both [2]*Restoration
	for i := range both {
		r, err := OpenRestoration(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		both[i] = r
	}
	if err := both[0].Apply(t.Context(), "full", true, strings.NewReader(full)); err != nil {
		t.Fatal(err)
	}
	if err := both[1].Apply(t.Context(), "full", true, strings.NewReader(full[:len(full)/2])); err == nil {
		t.Fatal("half of a text is applied")
	}
	if err := both[0].Finish(t.Context()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("Finish of who was overtaken: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a store")
	}
}

func rejections(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		if err := s.Reject(t.Context(), []store.Rejection{{Agency: "us-example", Reason: strings.Repeat("x", 500), Raw: "raw", Position: i}}); err != nil {
			t.Fatal(err)
		}
	}
}

// fullBackup writes everything that a store holds.
func fullBackup(t *testing.T, s *Store) (string, store.Digest) {
	t.Helper()
	rejections(t, s, 3)
	var full strings.Builder
	if err := s.BackUp(t.Context(), "full", func(v store.BackupView) error { return v.WriteFull(t.Context(), &full) }); err != nil {
		t.Fatal(err)
	}
	return full.String(), digestOf(t, s)
}

func digestOf(t *testing.T, s *Store) (d store.Digest) {
	t.Helper()
	err := s.Snapshot(t.Context(), func(view store.Snapshot) (err error) {
		d, err = store.DigestOf(t.Context(), view, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
