// Command licences reads the licence of every module that the program is built
// from, and fails when one isn't among those that let it be passed on as it is:
// with no more asked than that the notices are kept.
//
//	go run ./test/licences ./cmd/crownsafe
//
// It prints each module with what its files say. It exits 1 when one says
// something else, or nothing, and must not know what the modules are for.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are licences by their SPDX identifiers.
var allowed = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib"}

// enough is the share of a file, in percent, that has to be words of a known
// licence. A line about the copyright and a file of notices leave less than the whole.
const enough = 75

func main() { os.Exit(realMain(os.Args[1:], os.Stdout, os.Stderr)) }

func realMain(packages []string, out, faults io.Writer) int {
	if len(packages) == 0 {
		fmt.Fprintln(faults, "usage: licences PACKAGE...")
		return 2
	}
	modules, err := modulesOf(packages)
	if err != nil {
		fmt.Fprintln(faults, "licences:", err)
		return 1
	}
	failed := 0
	for _, m := range modules {
		says, err := licenceOf(m.Dir)
		if err != nil {
			failed++
			fmt.Fprintf(faults, "%s %s: %v\n", m.Path, m.Version, err)
			continue
		}
		fmt.Fprintf(out, "%-60s %-12s %s\n", m.Path, m.Version, strings.Join(says, ", "))
	}
	if failed > 0 {
		fmt.Fprintf(faults, "licences: %d of %d modules must not be built in\n", failed, len(modules))
		return 1
	}
	return 0
}

// module is what the go command tells of one.
type module struct {
	Path, Version, Dir string
	Main               bool
}

// modulesOf lists the modules that packages are built from, but for our own.
func modulesOf(packages []string) ([]module, error) {
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	listed, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the modules of %s: %w: %s", strings.Join(packages, " "), err, said.Bytes())
	}
	var modules []module
	for decoder := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p struct{ Module *module }
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the list of modules: %w", err)
		}
		if p.Module != nil && !p.Module.Main && !slices.Contains(modules, *p.Module) {
			modules = append(modules, *p.Module)
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.txt|\.md)?$`)

// licenceOf returns the licences that a module's own file gives.
func licenceOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for its licence: %w", err)
	}
	var says []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading its licence: %w", err)
		}
		found := licensecheck.Scan(text)
		if found.Percent < enough {
			return nil, fmt.Errorf("%s is %.0f %% of known licences", entry.Name(), found.Percent)
		}
		for _, match := range found.Match {
			if !slices.Contains(allowed, match.ID) {
				return nil, fmt.Errorf("%s gives %s", entry.Name(), match.ID)
			}
			if !slices.Contains(says, match.ID) {
				says = append(says, match.ID)
			}
		}
	}
	if len(says) == 0 {
		return nil, errors.New("it has no licence")
	}
	return says, nil
}
