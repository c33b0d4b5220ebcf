package pipeline

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// files are what the rules are about, as texts, so that a test can spoil them.
type files struct {
	workflow, makefile, operations string
	exists                         func(path string) bool
}

// faults lists what is wrong, one line each.
func faults(f files) []string {
	w, err := parse(f.workflow)
	if err != nil {
		return []string{err.Error()}
	}
	r := &review{files: f, workflow: w, makefile: parseMakefile(f.makefile)}
	r.triggers()
	r.stages()
	r.gates()
	r.permissions()
	r.pins()
	r.calls()
	r.secrets()
	r.order()
	r.tools()
	r.machines()
	r.kept()
	slices.Sort(r.found)
	return slices.Compact(r.found)
}

type review struct {
	files
	workflow workflow
	makefile makefile
	found    []string
}

func (r *review) faultf(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}

// jobs are gone through in the order of their names.
func (r *review) jobs() []string { return slices.Sorted(maps.Keys(r.workflow.Jobs)) }

func (r *review) triggers() {
	want := map[string]trigger{
		"push":         {branches: []string{"main", "staging", "develop"}},
		"pull_request": {branches: []string{"main", "staging"}},
		"schedule":     {crons: []string{"0 2 * * *"}},
	}
	for name, t := range want {
		if got, there := r.workflow.On[name]; !there || !slices.Equal(got.branches, t.branches) || !slices.Equal(got.crons, t.crons) {
			r.faultf("the trigger %s is %v, not %v", name, got, t)
		}
	}
	for name := range r.workflow.On {
		if _, known := want[name]; !known {
			r.faultf("there is the trigger %s", name)
		}
	}
}

// stages are numbered in the names of jobs.
const stages = 9

func (r *review) stages() {
	for n := range stages {
		prefix := fmt.Sprintf("%d. ", n+1)
		if !slices.ContainsFunc(r.jobs(), func(name string) bool { return strings.HasPrefix(r.workflow.Jobs[name].Name, prefix) }) {
			r.faultf("no job is of stage %d", n+1)
		}
	}
	for _, name := range r.jobs() {
		if r.workflow.Jobs[name].TimeoutMinutes == 0 {
			r.faultf("%s may run for hours: it has no timeout-minutes", name)
		}
	}
}

// unheeded are ways in which a shell goes on after a failure.
var unheeded = regexp.MustCompile(`\|\|\s*(true|:|echo|exit 0)|set \+e|;\s*true\b`)

func (r *review) gates() {
	for _, name := range r.jobs() {
		j := r.workflow.Jobs[name]
		if j.ContinueOnError != "" {
			r.faultf("%s goes on after an error", name)
		}
		for _, s := range j.Steps {
			switch {
			case s.ContinueOnError != "":
				r.faultf("a step of %s goes on after an error", name)
			case unheeded.MatchString(s.Run):
				r.faultf("a step of %s heeds no failure: %s", name, s.Run)
			case strings.Contains(s.Run, "${{"):
				r.faultf("a step of %s writes an expression into its script: %s", name, s.Run)
			case strings.Contains(j.If, "always()"):
				r.faultf("%s runs whatever failed before", name)
			}
		}
	}
}

// permissions: every job reads the contents. What writes is allowed only to those
// that use it.
func (r *review) permissions() {
	if p := r.workflow.Permissions; p == nil || len(*p) > 0 {
		r.faultf("the workflow's own permissions are not {}")
	}
	for _, name := range r.jobs() {
		j := r.workflow.Jobs[name]
		if j.Permissions == nil {
			r.faultf("%s has no permissions of its own", name)
			continue
		}
		for what, level := range *j.Permissions {
			switch {
			case what == "contents" && level == "read":
			case what == "id-token" && level == "write" && j.uses("azure/login"):
			case what == "attestations" && level == "write" && j.uses("actions/attest-build-provenance"):
			default:
				r.faultf("%s may %s %s, and needn't", name, level, what)
			}
		}
		for _, s := range j.Steps {
			if s.Uses.name == "actions/checkout" && s.With["persist-credentials"] != "false" {
				r.faultf("%s keeps the repository's token after the checkout", name)
			}
		}
	}
}

func (j job) uses(name string) bool {
	return slices.ContainsFunc(j.Steps, func(s step) bool { return s.Uses.name == name })
}

var (
	fullSHA  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	exactTag = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)
	// A row of the page's table of actions.
	pinRow = regexp.MustCompile("(?m)^\\| `([\\w-]+/[\\w/-]+)@([\\w.]+)` \\| ([^|]+) \\|")
)

// brings are actions that fetch a tool, with the setting that says which version.
var brings = map[string]string{
	"actions/setup-go":         "go-version",
	"snyk/actions/setup":       "snyk-version",
	"zizmorcore/zizmor-action": "version",
}

var exactVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+$`)

func (r *review) pins() {
	listed := map[string]string{}
	for _, row := range pinRow.FindAllStringSubmatch(r.operations, -1) {
		listed[row[1]+"@"+row[2]] = strings.TrimSpace(row[3])
	}
	used := map[string]bool{}
	for _, name := range r.jobs() {
		for _, s := range r.workflow.Jobs[name].Steps {
			a := s.Uses
			if a.name == "" {
				continue
			}
			pin := a.name + "@" + a.pin
			used[pin] = true
			version, there := listed[pin]
			if setting := brings[a.name]; setting != "" && !exactVersion.MatchString(s.With[setting]) {
				r.faultf("%s brings its tool as it is today: %s is %q", a.name, setting, s.With[setting])
			}
			switch {
			case !there:
				r.faultf("docs/operations.md doesn't list %s", pin)
			case fullSHA.MatchString(a.pin) && (!exactTag.MatchString(a.comment) || version != a.comment):
				r.faultf("%s is called %q beside it and %q in docs/operations.md", pin, a.comment, version)
			case !fullSHA.MatchString(a.pin) && !exactTag.MatchString(a.pin):
				r.faultf("%s is pinned neither by a full SHA nor by an exact tag", pin)
			}
		}
	}
	for pin := range listed {
		if !used[pin] {
			r.faultf("docs/operations.md lists %s, which nothing uses", pin)
		}
	}
}

// demanded are the targets that some stage has to call: the developers' own list,
// with test as its two halves.
var demanded = []string{
	"lint", "security", "snyk", "unit", "integration", "cover", "bench", "eval", "browser", "k8s", "soak", "restore-drill", "test-pitr", "performance",
	"image", "image-push", "image-sign", "deploy", "backup-today",
}

var (
	makeCall = regexp.MustCompile(`(?m)^\s*make ([^\n]+)$`)
	goCall   = regexp.MustCompile(`\bgo (?:run|test) [^\n]*?(\./[\w/.-]+)`)
	fileUsed = regexp.MustCompile(`(?:--config|-f|-overlay) '?([\w./-]+/?[\w.-]+)`)
)

// calls: a step is an action or a few lines, and what it calls is there.
func (r *review) calls() {
	called := map[string]bool{}
	for _, name := range r.jobs() {
		for _, s := range r.workflow.Jobs[name].Steps {
			if strings.Count(strings.TrimSpace(s.Run), "\n") > 4 {
				r.faultf("a step of %s has more lines than belong into a workflow", name)
			}
			for _, call := range makeCall.FindAllStringSubmatch(s.Run, -1) {
				for _, target := range targetsOf(call[1]) {
					called[target] = true
					if !r.makefile.listed[target] {
						r.faultf("%s calls make %s, which make help doesn't list", name, target)
					}
				}
			}
		}
	}
	for _, target := range demanded {
		if !called[target] {
			r.faultf("no stage calls make %s", target)
		}
	}
	for target, recipe := range r.makefile.targets {
		recipe = strings.ReplaceAll(recipe, "$(DOCKERFILE)", "deploy/docker/Dockerfile")
		paths := goCall.FindAllStringSubmatch(recipe, -1)
		paths = append(paths, fileUsed.FindAllStringSubmatch(recipe, -1)...)
		for _, path := range paths {
			if path := strings.TrimSuffix(path[1], "/..."); path != "." && !r.exists(path) {
				r.faultf("make %s uses %s, which isn't there", target, path)
			}
		}
	}
}

// targetsOf reads the arguments of make: what is no setting is a target. A
// setting's value may be quoted.
func targetsOf(arguments string) []string {
	arguments = regexp.MustCompile(`[A-Z_]+=("[^"]*"|\S*)`).ReplaceAllString(arguments, "")
	return strings.Fields(arguments)
}

var (
	secretUsed   = regexp.MustCompile(`secrets\.([A-Z_]+)`)
	variableUsed = regexp.MustCompile(`vars\.([A-Z_]+)`)
)

// Conditions under which a job isn't run for a fork's pull request.
var withoutForks = []string{
	"github.event_name == 'push'", "github.event_name == 'schedule'",
	"github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository",
}

// secrets: a job that needs one leaves forks out, and begins by failing where one, or a
// variable, isn't set.
func (r *review) secrets() {
	for _, name := range r.jobs() {
		j := r.workflow.Jobs[name]
		needed, variables := map[string]bool{}, map[string]bool{}
		required := ""
		for _, s := range j.Steps {
			for _, values := range []map[string]string{s.With, s.Env} {
				for _, value := range values {
					for _, found := range secretUsed.FindAllStringSubmatch(value, -1) {
						needed[found[1]] = true
					}
					for _, found := range variableUsed.FindAllStringSubmatch(value, -1) {
						variables[found[1]] = true
					}
				}
			}
			if strings.HasPrefix(s.Run, "make require ") {
				required = s.Run
			}
		}
		for variable := range variables {
			if !regexp.MustCompile(`\b` + variable + `\b`).MatchString(required) {
				r.faultf("%s goes on without the variable %s", name, variable)
			}
		}
		if len(needed) == 0 {
			continue
		}
		if !slices.ContainsFunc(withoutForks, func(c string) bool { return j.If == c || strings.HasPrefix(j.If, c+" &&") }) {
			r.faultf("%s needs secrets, and is run for forks: %s", name, j.If)
		}
		for secret := range needed {
			if !regexp.MustCompile(`\b` + secret + `\b`).MatchString(required) {
				r.faultf("%s goes on without %s", name, secret)
			}
			if !strings.Contains(r.operations, "`"+secret+"`") {
				r.faultf("docs/operations.md doesn't tell of the secret %s", secret)
			}
		}
	}
}

// order: nothing is published before all that is checked, production comes after
// staging, and each has its environment.
func (r *review) order() {
	before := map[string]bool{}
	r.before("publish", before)
	for _, name := range r.jobs() {
		number := r.workflow.Jobs[name].Name[:1]
		if number >= "1" && number <= "5" && !before[name] {
			r.faultf("publish doesn't wait for %s", name)
		}
	}
	for name, needs := range map[string][]string{"staging": {"publish"}, "production": {"publish", "staging"}} {
		j := r.workflow.Jobs[name]
		if !slices.Equal(j.Needs, needs) {
			r.faultf("%s waits for %v, not for %v", name, j.Needs, needs)
		}
		if string(j.Environment) != name {
			r.faultf("%s is deployed in the environment %q", name, j.Environment)
		}
	}
}

func (r *review) before(name string, seen map[string]bool) {
	for _, earlier := range r.workflow.Jobs[name].Needs {
		seen[earlier] = true
		r.before(earlier, seen)
	}
}

var (
	floating    = regexp.MustCompile(`@(latest|main|master|HEAD)\b`)
	toolVersion = regexp.MustCompile(`(?m)^[A-Z]+ := [a-z][\w.-]*\.[a-z]+/\S+?(@v\d+\.\d+\.\d+\S*)?$`)
)

// tools are of exact versions.
func (r *review) tools() {
	for _, text := range []string{r.files.makefile, r.files.workflow} {
		if found := floating.FindString(text); found != "" {
			r.faultf("a tool is taken as it is today: %s", found)
		}
	}
	for _, tool := range toolVersion.FindAllStringSubmatch(r.files.makefile, -1) {
		if tool[1] == "" {
			r.faultf("a tool has no exact version: %s", tool[0])
		}
	}
}

// installing are the targets that install Debian's packages where they are missing, which
// is for root to do: PostgreSQL 15, Redis, Chromium, wrk.
var installing = []string{"integration", "browser", "performance", "bench", "soak", "restore-drill"}

var debianImage = regexp.MustCompile(`^[a-z./-]+:\d+\.\d+\.\d+-bookworm@sha256:[0-9a-f]{64}$`)

// machines: runners are no Debian and their user is not root, so that jobs which install
// Debian's packages have a container of it, pinned by its digest and with its rights.
func (r *review) machines() {
	for _, name := range r.jobs() {
		j, installs, trusts := r.workflow.Jobs[name], "", false
		for _, s := range j.Steps {
			trusts = trusts || strings.Contains(s.Run, `git config --system --add safe.directory "$GITHUB_WORKSPACE"`)
			for _, call := range makeCall.FindAllStringSubmatch(s.Run, -1) {
				for _, target := range targetsOf(call[1]) {
					if slices.Contains(installing, target) {
						installs = target
					}
				}
			}
		}
		switch image := j.Container.Image; {
		case installs == "" && image == "":
		case !debianImage.MatchString(image):
			r.faultf("make %s installs Debian's packages, and %s runs it in %q", installs, name, image)
		case !strings.Contains(r.operations, "`"+image+"`"):
			r.faultf("docs/operations.md doesn't tell of the image %s", image)
		case !strings.Contains(j.Container.Options, "--privileged"):
			r.faultf("%s lets no test mount a full disk", name)
		case !trusts:
			r.faultf("%s has a clone that git takes for somebody else's", name)
		}
	}
}

// kept: what takes half an hour to build is built once for each version of it.
func (r *review) kept() {
	for _, name := range r.jobs() {
		keeps := false
		for _, s := range r.workflow.Jobs[name].Steps {
			keeps = keeps || s.Uses.name == "actions/cache" && s.With["path"] == "~/.cache/crownsafe-k8s" && strings.Contains(s.With["key"], "'test/k8s/tools/go.sum'")
			if s.Run == "make k8s" && !keeps {
				r.faultf("%s builds the tools of make k8s each time", name)
			}
		}
	}
}
