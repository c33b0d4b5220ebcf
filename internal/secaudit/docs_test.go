package secaudit

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of checks into docs/security.md")

const (
	page       = "../../docs/security.md"
	tableBegin = "| check | category | worst | passes when | counts |\n|---|---|---|---|---|\n"
)

// TestEveryCheckIsDocumented holds the table in docs/security.md to the rules.
func TestEveryCheckIsDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), tableBegin)
	if !found {
		t.Fatalf("%s has no table of checks", page)
	}
	have, after := rest, ""
	if end := strings.Index(rest, "\n\n"); end >= 0 {
		have, after = rest[:end+1], rest[end+1:]
	}
	var want strings.Builder
	for _, d := range Describe() {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s | %s |\n", d.ID, d.Category, d.Worst, d.About, d.Where)
	}
	if have == want.String() {
		return
	}
	if !*update {
		t.Fatalf("the table of checks in %s is not that of the rules; run this test with -update", page)
	}
	if err := os.WriteFile(page, []byte(before+tableBegin+want.String()+after), 0o644); err != nil { //nolint:gosec // a page for everybody
		t.Fatal(err)
	}
}
