package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityPageNamesTestsThatExist holds docs/security.md to the repository: each
// of the ten points names tests, and every test that is named exists.
func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	exist := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range declared.FindAllSubmatch(source, -1) {
			exist[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`")
	points := 0
	for line := range strings.Lines(string(page)) {
		tests := named.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| API") {
			points++
			if len(tests) == 0 {
				t.Errorf("no test stands for %.40q", line)
			}
		}
		for _, test := range tests {
			if !exist[test[1]] {
				t.Errorf("there is no test %s", test[1])
			}
		}
	}
	if points != 10 || len(exist) < 100 {
		t.Errorf("%d points of 10, %d tests in the repository", points, len(exist))
	}
}
