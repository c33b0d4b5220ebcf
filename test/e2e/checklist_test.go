package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crownsafe/api/test/program"
)

func TestCheckAnswersForAList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list, out := filepath.Join(dir, "stock.csv"), filepath.Join(dir, "answers.csv")
	text := "\ufeffShelf;Barcode;Brand;Product\r\nB1;4006381333931;;\r\nB2;" + starterBarcode + ";;\r\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	piped := program.Run(t, nil, "check", "--file", list, "--data", filepath.Join(dir, "data"))
	if piped.Code != 3 || !strings.Contains(piped.Stdout, "B2;"+starterBarcode+";;;affected;") || !strings.Contains(piped.Stdout, "B1;4006381333931;;;no_match;") {
		t.Errorf("exit %d\n%s%s", piped.Code, piped.Stdout, piped.Stderr)
	}
	told := program.Run(t, nil, "check", "--data", filepath.Join(dir, "data"), "--out", out, "--file", list)
	written, err := os.ReadFile(out)
	if err != nil || told.Code != 3 || string(written) != piped.Stdout || !strings.Contains(told.Stdout, "2 rows: 1 affected, 1 no_match") {
		t.Errorf("exit %d, %v\n%s%s\n%s", told.Code, err, told.Stdout, told.Stderr, written)
	}
	cmd := program.Command(t.Context(), nil, "check", "--file", "-", "--data", filepath.Join(dir, "data"))
	cmd.Stdin = strings.NewReader("ean,lot\n850044968009,\n")
	if got := program.Finish(t, cmd); got.Code != 5 || !strings.Contains(got.Stdout, ",error,") {
		t.Errorf("a barcode that was misread: exit %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
}
