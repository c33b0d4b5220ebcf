// Command coverage adds up what several runs of the tests covered, says where the
// least is covered, and fails below a bound.
//
//	go run ./test/coverage -within github.com/crownsafe/api/internal/ -at-least 80 .build/coverage/unit .build/coverage/integration
//
// The folders hold what `go test -args -test.gocoverdir=FOLDER` and programs that
// were built with -cover leave. A statement counts once, however many runs reach
// it. It exits 1 below the bound, and 2 when it was used wrongly.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() { os.Exit(realMain(os.Args[1:], os.Stdout, os.Stderr)) }

func realMain(args []string, out, faults io.Writer) int {
	flags := flag.NewFlagSet("coverage", flag.ContinueOnError)
	flags.SetOutput(faults)
	within := flags.String("within", "", "count only packages whose import path has this `prefix`")
	bound := flags.Float64("at-least", 0, "the share of statements, in `percent`, below which it fails")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		fmt.Fprintln(faults, "usage: coverage [-within PREFIX] [-at-least PERCENT] FOLDER...")
		return 2
	}
	packages, err := measure(flags.Args())
	if err != nil {
		fmt.Fprintln(faults, "coverage:", err)
		return 1
	}
	maps.DeleteFunc(packages, func(name string, _ *share) bool { return !strings.HasPrefix(name, *within) })
	total := report(out, packages)
	if total < *bound {
		fmt.Fprintf(faults, "coverage: %.1f %% is covered, %.1f %% is the least\n", total, *bound)
		return 1
	}
	return 0
}

// measure reads all folders at once.
func measure(folders []string) (map[string]*share, error) {
	scratch, err := os.MkdirTemp("", "crownsafe-coverage-*")
	if err != nil {
		return nil, fmt.Errorf("making room for the profile: %w", err)
	}
	defer os.RemoveAll(scratch)
	profile := filepath.Join(scratch, "profile")
	said, err := exec.Command("go", "tool", "covdata", "textfmt", "-i="+strings.Join(folders, ","), "-o="+profile).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w: %s", strings.Join(folders, ", "), err, said)
	}
	file, err := os.Open(profile)
	if err != nil {
		return nil, fmt.Errorf("reading the profile: %w", err)
	}
	defer file.Close()
	return read(file)
}

// share is how much of a package is covered, in statements.
type share struct{ covered, all int }

func (s share) percent() float64 {
	return 100 * float64(s.covered) / float64(max(s.all, 1))
}

// read adds up a profile in the text form of `go tool cover`: after the line with
// the mode, each line is FILE:BLOCK STATEMENTS COUNT.
func read(profile io.Reader) (map[string]*share, error) {
	type block struct {
		statements int
		covered    bool
	}
	blocks := map[string]block{}
	lines := bufio.NewScanner(profile)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "mode:") {
			continue
		}
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("the profile has the line %q", lines.Text())
		}
		statements, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("the profile has the line %q: %w", lines.Text(), err)
		}
		blocks[fields[0]] = block{statements, blocks[fields[0]].covered || fields[2] != "0"}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the profile: %w", err)
	}
	if len(blocks) == 0 {
		return nil, errors.New("the profile is empty: no test has run")
	}
	packages := map[string]*share{}
	for place, b := range blocks {
		name := path.Dir(place)
		if packages[name] == nil {
			packages[name] = &share{}
		}
		packages[name].all += b.statements
		if b.covered {
			packages[name].covered += b.statements
		}
	}
	return packages, nil
}

// report prints the packages, least covered first, and returns the whole's percentage.
func report(out io.Writer, packages map[string]*share) float64 {
	var total share
	names := slices.SortedFunc(maps.Keys(packages), func(a, b string) int {
		return cmp.Or(cmp.Compare(packages[a].percent(), packages[b].percent()), cmp.Compare(a, b))
	})
	for _, name := range names {
		s := packages[name]
		fmt.Fprintf(out, "%5.1f %%  %5d of %5d  %s\n", s.percent(), s.covered, s.all, name)
		total.covered += s.covered
		total.all += s.all
	}
	fmt.Fprintf(out, "%5.1f %%  %5d of %5d  all\n", total.percent(), total.covered, total.all)
	return total.percent()
}
