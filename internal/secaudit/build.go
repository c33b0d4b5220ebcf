package secaudit

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// listed are the advisories about what this program is made of. advisories.json is
// written by hand from the Go vulnerability database; docs/security.md tells how it
// is brought up to date.
//
//go:embed advisories.json
var listed []byte

// advisoryAge is the age from which the list is too old to be relied on.
const advisoryAge = 180 * 24 * time.Hour

// stdlib is how the Go vulnerability database names Go itself.
const stdlib = "stdlib"

// advisories is the content of advisories.json.
type advisories struct {
	AsOf string     `json:"as_of"` // YYYY-MM-DD
	List []advisory `json:"advisories"`
}

// advisory says which versions of a module are known to have a fault.
type advisory struct {
	ID      string   `json:"id"`
	Module  string   `json:"module"`
	Summary string   `json:"summary"`
	Ranges  []ranges `json:"ranges"`
}

// ranges holds versions from Introduced on (empty: the first) to before Fixed
// (empty: none is), without the v in front.
type ranges struct {
	Introduced string `json:"introduced"`
	Fixed      string `json:"fixed"`
}

// affects reports whether a version (v1.2.3) has the fault.
func (a *advisory) affects(version string) bool {
	return slices.ContainsFunc(a.Ranges, func(r ranges) bool {
		return (r.Introduced == "" || semver.Compare(version, "v"+r.Introduced) >= 0) && (r.Fixed == "" || semver.Compare(version, "v"+r.Fixed) < 0)
	})
}

// readAdvisories reads the list; a test holds that it can be read.
func readAdvisories() (advisories, time.Time, error) {
	var known advisories
	if err := json.Unmarshal(listed, &known); err != nil {
		return known, time.Time{}, fmt.Errorf("reading the list of advisories: %w", err)
	}
	asOf, err := time.Parse(time.DateOnly, known.AsOf)
	if err != nil {
		return known, time.Time{}, fmt.Errorf("reading the list of advisories: %w", err)
	}
	return known, asOf, nil
}

func buildRules() []rule {
	const category = "dependency versions"
	return []rule{
		{
			id: "advisories-modules", category: category, worst: High, scope: everywhere,
			about: "no module in the program is one that an advisory is about", remedy: "build with the fixed version: go get MODULE@VERSION",
			facts: func(f *Facts) verdict {
				return advised(f, func(module string) (string, bool) {
					version, in := f.Build.Modules[module]
					return version, in && module != stdlib
				})
			},
		},
		{
			id: "advisories-go", category: category, worst: High, scope: everywhere,
			about: "the version of Go that built the program is not one that an advisory is about", remedy: "build with the newest patch of Go",
			facts: func(f *Facts) verdict {
				return advised(f, func(module string) (string, bool) { return goVersion(f.Build.GoVersion), module == stdlib })
			},
		},
		{
			id: "advisories-age", category: category, worst: Low,
			about: "the list of advisories is younger than 180 days", remedy: "use a newer release of crownsafe; run govulncheck -mode=binary meanwhile",
			facts: func(f *Facts) verdict {
				_, asOf, err := readAdvisories()
				if age := f.At.Sub(asOf); err != nil || age > advisoryAge {
					return fail(Low, "the list of advisories is of %s: what was found since isn't in it", asOf.Format(time.DateOnly))
				}
				return pass("the list of advisories is of %s", asOf.Format(time.DateOnly))
			},
		},
		{
			id: "build-record", category: category, worst: Low, scope: production,
			about: "the program carries the record of what it was built from, and that is a commit", remedy: "run a released build, or build from a clean working tree",
			facts: func(f *Facts) verdict {
				switch {
				case !f.Build.Known:
					return fail(Low, "the program doesn't say which modules it is made of, so that none could be looked up")
				case f.Build.Modified:
					return fail(Low, "the program was built from changes that are in no commit")
				}
				return pass("%d modules, Go %s", len(f.Build.Modules), f.Build.GoVersion)
			},
		},
	}
}

// advised finds the advisories about what the program has. A version that can't be
// read, such as that of a module that was replaced by a folder, is passed over.
func advised(f *Facts, has func(module string) (version string, in bool)) verdict {
	known, _, err := readAdvisories()
	if err != nil {
		return fail(High, "the list of advisories can't be read")
	}
	var found []string
	looked := map[string]bool{}
	for _, a := range known.List {
		version, in := has(a.Module)
		if !in || !semver.IsValid(version) {
			continue
		}
		looked[a.Module] = true
		if a.affects(version) {
			found = append(found, fmt.Sprintf("%s: %s %s (%s)", a.ID, a.Module, version, a.Summary))
		}
	}
	if len(found) > 0 {
		return fail(High, "%s", strings.Join(found, "; "))
	}
	return pass("%d of the program's parts are in the list, in versions that are fixed", len(looked))
}

// goVersion turns go1.26.8 into v1.26.8, without what a distribution adds.
func goVersion(text string) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(text, "go"), " ")
	version, _, _ = strings.Cut(version, "-")
	if before, after, is := strings.Cut(version, "rc"); is {
		version = before + ".0-rc." + after
	}
	return "v" + version
}
