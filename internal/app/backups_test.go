package app

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/crownsafe/api/internal/backup"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/secaudit"
)

// TestWhatIsKnownOfBackups reaches the audit and the metrics: that there is one, that
// it could be restored, and that it can't be any more.
func TestWhatIsKnownOfBackups(t *testing.T) {
	t.Parallel()
	a := opened(t, map[string]string{"ENVIRONMENT": "staging", "CROWNSAFE_BACKUP_FOLDER": t.TempDir()})
	if err := a.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func() {
		t.Helper()
		if err := a.Backups.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if a.backupState() != nil || !a.backupFacts().LastAt.IsZero() {
		t.Errorf("without a backup: %+v, %+v", a.backupState(), a.backupFacts())
	}
	m, err := a.Backups.Create(t.Context(), backup.Full, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	look()
	if s := a.backupState(); s == nil || !math.IsNaN(s.AgeSeconds) || s.Bytes != m.Size || s.Unrestorable {
		t.Errorf("of one that nobody tried: %+v", s)
	}
	if _, v, err := a.Backups.Verify(t.Context(), "", nil); err != nil || !v.OK {
		t.Fatalf("%+v, %v", v, err)
	}
	look()
	if s, f := a.backupState(), a.backupFacts(); math.IsNaN(s.AgeSeconds) || s.Unrestorable || f.Unrestorable != "" || !f.LastAt.Equal(m.StartedAt) {
		t.Errorf("of a good one: %+v, %+v", s, f)
	}

	path := filepath.Join(a.Config.Backups.Folder, m.Object)
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was[len(was)/2] ^= 1
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, was, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, v, err := a.Backups.Verify(t.Context(), "", nil); err != nil || v.OK {
		t.Fatalf("%+v, %v", v, err)
	}
	look()
	if s := a.backupState(); !s.Unrestorable {
		t.Errorf("of a damaged one: %+v", s)
	}
	report, err := a.TakeAudit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range report.Findings() {
		if check.ID == "backup-restorable" && check.Severity == secaudit.Critical {
			return
		}
	}
	t.Errorf("the audit finds %+v", report.Findings())
}

// TestWhatKilledProcessesVerifiedInIsRemoved when another backup is verified, and what
// others are at work in isn't.
func TestWhatKilledProcessesVerifiedInIsRemoved(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Data: t.TempDir()}
	long := time.Now().Add(-2 * abandonedAfter)
	for _, name := range []string{".verify-left", ".verify-used"} {
		folder := filepath.Join(cfg.Data, name)
		file := filepath.Join(folder, "crownsafe.db.restoring")
		err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(file, []byte("half"), 0o600), os.Chtimes(file, long, long), os.Chtimes(folder, long, long))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(cfg.Data, ".verify-used", "crownsafe.db.restoring"), time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	scratch, err := fileScratch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(scratch.Close(), scratch.Remove(t.Context())); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(cfg.Data, ".*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".verify-used" {
		t.Errorf("there are %q, %v", left, err)
	}
}
