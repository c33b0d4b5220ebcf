package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckAnswersForAList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list, out := filepath.Join(dir, "stock.csv"), filepath.Join(dir, "answers.csv")
	text := "\ufeffShelf;Barcode;Brand;Product\r\nB1;4006381333931;;\r\nB2;" + starterBarcode + ";;\r\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	piped := run(t, nil, "check", "--file", list, "--data", filepath.Join(dir, "data"))
	if piped.code != 3 || !strings.Contains(piped.stdout, "B2;"+starterBarcode+";;;affected;") || !strings.Contains(piped.stdout, "B1;4006381333931;;;no_match;") {
		t.Errorf("exit %d\n%s%s", piped.code, piped.stdout, piped.stderr)
	}
	told := run(t, nil, "check", "--data", filepath.Join(dir, "data"), "--out", out, "--file", list)
	written, err := os.ReadFile(out)
	if err != nil || told.code != 3 || string(written) != piped.stdout || !strings.Contains(told.stdout, "2 rows: 1 affected, 1 no_match") {
		t.Errorf("exit %d, %v\n%s%s\n%s", told.code, err, told.stdout, told.stderr, written)
	}
	cmd := command(t.Context(), nil, "check", "--file", "-", "--data", filepath.Join(dir, "data"))
	cmd.Stdin = strings.NewReader("ean,lot\n850044968009,\n")
	if got := finish(t, cmd); got.code != 5 || !strings.Contains(got.stdout, ",error,") {
		t.Errorf("a barcode that was misread: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}
