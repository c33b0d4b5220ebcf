// Command k8s checks the manifests of deploy/k8s with the tools that operators and
// clusters use: kustomize, kubectl-validate, kube-score, and a real kube-apiserver
// with its etcd, which is asked for a dry run of all of it with PodSecurity's
// "restricted" enforced. There are no nodes and no controllers: what is checked is
// what a cluster would accept, not what it would run. It is what `make k8s` runs.
//
// The tools are built from their modules once (about half an hour on two
// processors) and kept in the user's cache folder.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// kustomizations are what is built and checked: what an operator applies, and what
// may be added.
var kustomizations = []string{
	"deploy/k8s/overlays/staging", "deploy/k8s/overlays/staging/migration",
	"deploy/k8s/overlays/production", "deploy/k8s/overlays/production/migration",
	"test/deploy/testdata/components",
}

// definitions are of the kinds that other controllers bring to a cluster.
const definitions = "test/k8s/crds"

// ignored are the opinions of kube-score that deploy/k8s doesn't share. A pod whose image
// is on the node starts while the registry is down, and its tag or digest never means
// another. Pods are spread over hosts by topology, which kube-score doesn't know of.
var ignored = []string{"container-image-pull-policy", "deployment-has-host-podantiaffinity"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := realMain(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "k8s:", err)
		os.Exit(1)
	}
}

func realMain(ctx context.Context) error {
	t, err := prepareTools(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "crownsafe-k8s-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // what stays behind is in the system's temporary folder
	var files []string
	for _, k := range kustomizations {
		file := filepath.Join(work, strings.ReplaceAll(k, "/", "-")+".yaml")
		built, err := t.run(ctx, kustomizeTool, "build", k)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, built, 0o600); err != nil {
			return fmt.Errorf("keeping what was built of %s: %w", k, err)
		}
		files = append(files, file)
	}
	fmt.Println("kustomize: built", len(files))
	if _, err := t.run(ctx, validateTool, append([]string{"--version", validatedVersion, "--local-crds", definitions}, files...)...); err != nil {
		return err
	}
	fmt.Println("kubectl-validate: every field is known to Kubernetes", validatedVersion)
	score := []string{"score", "--output-format", "ci", "--exit-one-on-warning", "--kubernetes-version", "v" + validatedVersion}
	for _, test := range ignored {
		score = append(score, "--ignore-test", test)
	}
	if said, err := t.run(ctx, scoreTool, append(score, files...)...); err != nil {
		return fmt.Errorf("%w\n%s", err, notOK(said))
	}
	fmt.Println("kube-score: nothing to say")
	return dryRun(ctx, t, work, files)
}

// notOK leaves out what kube-score is content with.
func notOK(said []byte) string {
	var lines []string
	for line := range strings.Lines(string(said)) {
		if !strings.HasPrefix(line, "[OK]") && !strings.HasPrefix(line, "[SKIPPED]") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// run runs a tool to its end and returns what it wrote; in an error stands what it
// said was wrong.
func (t tools) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, t.path(name), args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		said := stderr.Bytes()
		if len(said) == 0 && name != scoreTool {
			said = stdout.Bytes()
		}
		return stdout.Bytes(), fmt.Errorf("%s %s: %w\n%s", name, args[0], err, said)
	}
	return stdout.Bytes(), err
}
