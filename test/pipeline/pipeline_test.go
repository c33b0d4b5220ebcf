package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

func theFiles(t *testing.T) files {
	t.Helper()
	read := func(path string) string {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	return files{
		workflow:   read(".github/workflows/ci-cd-pipeline.yml"),
		makefile:   read("Makefile"),
		operations: read("docs/operations.md"),
		exists: func(path string) bool {
			_, err := os.Stat(filepath.Join(root, path))
			return err == nil
		},
	}
}

func TestThePipelineKeepsItsRules(t *testing.T) {
	t.Parallel()
	for _, fault := range faults(theFiles(t)) {
		t.Error(fault)
	}
}

// TestOneWorkflow: the rules are about this one.
func TestOneWorkflow(t *testing.T) {
	t.Parallel()
	found, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestExceptionsHaveReasons: what the scanner for insecure code may find.
func TestExceptionsHaveReasons(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(root, ".gosec-exceptions"))
	if err != nil {
		t.Fatal(err)
	}
	exception := regexp.MustCompile(`^\S+:G\d{3}(,G\d{3})* # \S.{10,}$`)
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !exception.MatchString(line) {
			t.Errorf("not PATTERN:RULES # reason: %q", line)
		}
	}
}

// TestRequire: the first step of jobs that need settings.
func TestRequire(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"CROWNSAFE_TEST_ONE":                    "",
		"CROWNSAFE_TEST_ONE CROWNSAFE_TEST_TWO": "CROWNSAFE_TEST_TWO is not set",
		"CROWNSAFE_TEST_EMPTY":                  "CROWNSAFE_TEST_EMPTY is not set",
	} {
		cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "require", "SETTINGS="+names)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CROWNSAFE_TEST_ONE=a value", "CROWNSAFE_TEST_EMPTY=")
		said, err := cmd.CombinedOutput()
		if (err == nil) != (want == "") || !strings.Contains(string(said), want) || strings.Contains(string(said), "a value") {
			t.Errorf("%s: %v: %s", names, err, said)
		}
	}
}

// TestWhoMaySign: by hand, where no REPOSITORY is named, the images of this repository's
// two branches are accepted, and nobody else's.
func TestWhoMaySign(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "--dry-run", "image-verify", "API_IMAGE=a@sha256:1", "OPS_IMAGE=b@sha256:2")
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REPOSITORY=") })
	said, err := cmd.CombinedOutput()
	found := regexp.MustCompile(`--certificate-identity-regexp '([^']+)'`).FindAllStringSubmatch(string(said), -1)
	if err != nil || len(found) != 4 {
		t.Fatalf("%v: %s", err, said)
	}
	const workflow = "https://github.com/crownsafe/api/.github/workflows/ci-cd-pipeline.yml"
	for _, one := range found {
		signer := regexp.MustCompile(one[1])
		for identity, want := range map[string]bool{
			workflow + "@refs/heads/main": true, workflow + "@refs/heads/staging": true,
			workflow + "@refs/heads/develop": false, workflow + "@refs/pull/7/merge": false, workflow + "@refs/heads/main2": false,
			"https://github.com/somebody/api/.github/workflows/ci-cd-pipeline.yml@refs/heads/main": false,
		} {
			if signer.MatchString(identity) != want {
				t.Errorf("%s: accepted: %t, by %s", identity, !want, signer)
			}
		}
	}
}

// TestEachFaultIsFound spoils one thing at a time.
func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	good := theFiles(t)
	known := faults(good)
	for _, test := range []struct{ where, old, new, says string }{
		{"workflow", "branches: [main, staging, develop]", "branches: [main]", "the trigger push is"},
		{"workflow", "  schedule:\n", "  pull_request_target:\n    branches: [main]\n  schedule:\n", "there is the trigger pull_request_target"},
		{"workflow", "name: 3. Unit tests", "name: 2. Unit tests", "no job is of stage 3"},
		{"workflow", "- run: make lint", "- run: make lint\n        continue-on-error: true", "a step of quality goes on after an error"},
		{"workflow", "name: 1. Code quality", "name: 1. Code quality\n    continue-on-error: true", "quality goes on after an error"},
		{"workflow", "- run: make lint", "- run: make lint || true", "heeds no failure"},
		{"workflow", "- run: make lint", `- run: make lint A="${{ github.head_ref }}"`, "writes an expression into its script"},
		{"workflow", "permissions: {}", "permissions: write-all", "reading the workflow"},
		{"workflow", "permissions: {}", "permissions:\n  contents: read", "the workflow's own permissions are not {}"},
		{"workflow", "      contents: read\n", "      contents: write\n", "quality may write contents, and needn't"},
		{"workflow", "      contents: read\n    steps:", "      contents: read\n      id-token: write\n    steps:", "quality may write id-token, and needn't"},
		{"workflow", "persist-credentials: false", "persist-credentials: true", "quality keeps the repository's token"},
		{"workflow", "@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "@v6", "docs/operations.md doesn't list actions/checkout@v6"},
		{"workflow", "@de0fac2e4500dabe0009e67214ff5f5447ce83dd", "@de0fac2", "docs/operations.md doesn't list actions/checkout@de0fac2"},
		{"workflow", "# v6.0.2", "# v6.0.1", `is called "v6.0.1" beside it`},
		{"workflow", "          version: 1.22.0\n", "", `zizmorcore/zizmor-action brings its tool as it is today: version is ""`},
		{"operations", "`snyk/actions/setup@9adf32b1121593767fc3c057af55b55db032dc04`", "`snyk/actions/setup@v1`", "which nothing uses"},
		{"workflow", "make lint", "make linted", "quality calls make linted, which make help doesn't list"},
		{"workflow", "make browser", "make unit", "no stage calls make browser"},
		{"makefile", "browser: ## ", "browser: # ", "browser calls make browser, which make help doesn't list"},
		{"makefile", "go run ./test/smoke", "go run ./test/smoked", "make smoke uses ./test/smoked, which isn't there"},
		{"makefile", "--config .gitleaks.toml", "--config .gitleak.toml", "make secrets uses .gitleak.toml"},
		{"makefile", "staticcheck@v0.8.2", "staticcheck@latest", "a tool is taken as it is today: @latest"},
		{"makefile", "staticcheck@v0.8.2", "staticcheck", "a tool has no exact version"},
		{"workflow", "github.event.pull_request.head.repo.full_name == github.repository", "true", "snyk needs secrets, and is run for forks"},
		{"workflow", "make require SETTINGS=SNYK_TOKEN", "make require SETTINGS=PATH", "snyk goes on without SNYK_TOKEN"},
		{"operations", "`SNYK_TOKEN`", "`SNYK`", "docs/operations.md doesn't tell of the secret SNYK_TOKEN"},
		{"workflow", "RESOURCE_GROUP CLUSTER REGISTRY", "RESOURCE_GROUP CLUSTER", "staging goes on without the variable REGISTRY"},
		{"workflow", "node:22.22.0-bookworm@sha256:20a424ecd1d2064a44e12fe287bf3dae443aab31dc5e0c0cb6c74bef9c78911c", "node:22.22.0-bookworm", `make integration installs Debian's packages, and integration runs it in "node:22.22.0-bookworm"`},
		{"workflow", "    container:\n      image: node:22.22.0-bookworm@sha256:20a424ecd1d2064a44e12fe287bf3dae443aab31dc5e0c0cb6c74bef9c78911c\n      options: --privileged --shm-size=1g\n", "", `make browser installs Debian's packages, and browser runs it in ""`},
		{"workflow", "'test/k8s/tools/go.sum', ", "", "kubernetes builds the tools of make k8s each time"},
		{"workflow", "--privileged ", "", "integration lets no test mount a full disk"},
		{"workflow", "git config --system", "git config --local", "performance has a clone that git takes for somebody else's"},
		{"operations", "`node:22.22.0-bookworm", "`node", "docs/operations.md doesn't tell of the image node:22.22.0-bookworm"},
		{"workflow", "needs: [quality, security, snyk, coverage", "needs: [security, snyk, coverage", "publish doesn't wait for quality"},
		{"workflow", "needs: [publish, staging]", "needs: [publish]", "production waits for [publish]"},
		{"workflow", "      name: production\n", "      name: staging\n", `production is deployed in the environment "staging"`},
		{"workflow", "timeout-minutes: 50\n", "timeout-minutes: 0\n", "unit may run for hours"},
	} {
		spoilt := good
		text := map[string]*string{"workflow": &spoilt.workflow, "makefile": &spoilt.makefile, "operations": &spoilt.operations}[test.where]
		*text = strings.ReplaceAll(*text, test.old, test.new)
		if *text == map[string]string{"workflow": good.workflow, "makefile": good.makefile, "operations": good.operations}[test.where] {
			t.Errorf("%q stands no more in the %s", test.old, test.where)
			continue
		}
		found := slices.DeleteFunc(faults(spoilt), func(f string) bool { return slices.Contains(known, f) })
		if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, test.says) }) {
			t.Errorf("%q for %q: not found: %q\nfound: %q", test.new, test.old, test.says, found)
		}
	}
}
