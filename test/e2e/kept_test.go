package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// takeExport returns the export, and its length where it was told beforehand.
func takeExport(t *testing.T, s *program.Server, method string) (body []byte, length int64) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.Base+"/api/v1/export/recalls.ndjson.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", method, resp.StatusCode, err)
	}
	return body, resp.ContentLength
}

func keptExports(t *testing.T, data string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "blobs", "exports", "recalls-*.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAnExportIsKeptAndSentAgain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := program.Run(t, nil, "import", program.CPSCFile(t, 1200), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	s := program.Serve(t, data)
	made, length := takeExport(t, s, http.MethodGet)
	if length >= 0 {
		t.Errorf("the first has a length, %d, before it is made", length)
	}
	testenv.Eventually(t, program.Patience, "the export is kept", func() bool { return len(keptExports(t, data)) == 1 })
	again, length := takeExport(t, s, http.MethodGet)
	if !bytes.Equal(made, again) || length != int64(len(made)) {
		t.Errorf("%d bytes of %d, want the %d that were made", len(again), length, len(made))
	}
	if _, length := takeExport(t, s, http.MethodHead); length != int64(len(made)) {
		t.Errorf("HEAD tells of %d bytes", length)
	}
	s.Kill()

	// A process that is started anew has the same, and without the object makes the same.
	s = program.Serve(t, data)
	if kept, length := takeExport(t, s, http.MethodGet); !bytes.Equal(made, kept) || length != int64(len(made)) {
		t.Errorf("after a start: %d bytes of %d", len(kept), length)
	}
	if err := os.Remove(keptExports(t, data)[0]); err != nil {
		t.Fatal(err)
	}
	if anew, length := takeExport(t, s, http.MethodGet); !bytes.Equal(made, anew) || length >= 0 {
		t.Errorf("made anew: %d bytes of %d", len(anew), length)
	}
}

func TestNoAgencyIsAskedForPicturesOffline(t *testing.T) {
	t.Parallel()
	recall := program.CPSCRecall(1, program.CPSCDescription(1))
	recall["Images"] = []map[string]any{{"URL": "https://pictures.invalid/1.jpg", "Caption": ""}}
	data := t.TempDir()
	if got := program.Run(t, nil, "import", program.WriteJSON(t, "cpsc.json", []any{recall}), "--data", data); got.Code != 0 {
		t.Fatalf("exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	s := program.Serve(t, data)
	resp, err := http.Get(s.Base + "/?brand=Vantor1&model=VM-10001")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	picture := "/photos/" + program.CPSCID(1) + "/1"
	if page, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(page, []byte(`src="`+picture+`"`)) {
		t.Errorf("%d, %v, without its picture:\n%s", resp.StatusCode, err, page)
	}
	if got := s.Get(picture, nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("%d", got.StatusCode)
	}
}
