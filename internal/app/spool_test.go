package app

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/internal/blob"
	"github.com/crownsafe/api/internal/blob/disk"
)

func TestSpoolIsClearedOfWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "spool", "payload-123456.gz")
	other := filepath.Join(dir, "spool", "readme.txt")
	if err := os.Mkdir(filepath.Join(dir, "spool"), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{left, other} {
		if err := os.WriteFile(path, []byte("half a payload"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := prepareSpool(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what was left this moment is still there: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("a file that is no payload: %v", err)
	}
}

// atHalf calls do between two halves of a text.
func atHalf(text string, do func()) io.Reader {
	half := len(text) / 2
	return io.MultiReader(strings.NewReader(text[:half]), readerFunc(func([]byte) (int, error) { do(); return 0, io.EOF }), strings.NewReader(text[half:]))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Another process may start, and clear the folder, while a payload is written.
func TestClearingTheSpoolLeavesAPayloadThatIsBeingWrittenWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spool, err := prepareSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := disk.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	archive, text := blob.NewArchive(blobs, spool), strings.Repeat("a recall of lamps\n", 50_000)
	put, err := archive.PutRaw(t.Context(), "us-cpsc", atHalf(text, func() {
		if _, err := prepareSpool(dir); err != nil {
			t.Error(err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := archive.OpenRaw(t.Context(), put.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if got, err := io.ReadAll(raw); err != nil || !bytes.Equal(got, []byte(text)) {
		t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
	}
}
