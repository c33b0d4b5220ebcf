package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The tools, by the names of their programs.
const (
	kustomizeTool = "kustomize"
	validateTool  = "kubectl-validate"
	scoreTool     = "kube-score"
	kubectlTool   = "kubectl"
	etcdTool      = "etcd"
	serverTool    = "kube-apiserver"
)

// validatedVersion is the newest of which kubectl-validate has the schemas.
const validatedVersion = "1.30"

// toolsModule is the module of those tools whose versions depend on one another; it
// names the version of Kubernetes, and keeps it all out of the product's go.mod.
const toolsModule = "test/k8s/tools"

// ofModule are built from the module, the others by their exact versions.
var (
	ofModule = map[string]string{
		etcdTool:    "go.etcd.io/etcd/server/v3",
		serverTool:  "k8s.io/kubernetes/cmd/kube-apiserver",
		kubectlTool: "k8s.io/kubernetes/cmd/kubectl",
	}
	ofVersion = map[string]string{
		kustomizeTool: "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2",
		validateTool:  "sigs.k8s.io/kubectl-validate@v0.0.4",
		scoreTool:     "github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
	}
)

// stamp tells the server which version it is; built plainly it takes itself for none.
const stamp = "-X k8s.io/component-base/version.gitVersion=v1.35.4 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=35"

// tools is the folder that the programs are in.
type tools string

// path has the version in it of a program that the module's doesn't tell.
func (t tools) path(name string) string {
	if _, version, ofVersion := strings.Cut(ofVersion[name], "@"); ofVersion {
		name += "-" + version
	}
	return filepath.Join(string(t), name)
}

// prepareTools builds the programs that aren't in the user's cache yet. Each version of
// the module has a folder of its own there, and in it each of the other programs a name.
func prepareTools(ctx context.Context) (tools, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a folder for the tools: %w", err)
	}
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(toolsModule, name))
		if err != nil {
			return "", fmt.Errorf("reading the tools' module (run make k8s at the root of the repository): %w", err)
		}
		sum.Write(content)
	}
	t := tools(filepath.Join(cache, "crownsafe-k8s", hex.EncodeToString(sum.Sum(nil))[:12]))
	if err := os.MkdirAll(string(t), 0o755); err != nil {
		return "", fmt.Errorf("making a folder for the tools: %w", err)
	}
	for name, source := range ofVersion {
		if err := t.build(ctx, name, source, func(folder string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", source)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+folder)
			return cmd
		}); err != nil {
			return "", err
		}
	}
	for name, source := range ofModule {
		if err := t.build(ctx, name, source, func(folder string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w "+stamp, "-o", filepath.Join(folder, name), source)
			cmd.Dir, cmd.Env = toolsModule, append(os.Environ(), "CGO_ENABLED=0")
			return cmd
		}); err != nil {
			return "", err
		}
	}
	return t, nil
}

// build makes a program beside its place and moves it there at the end, so that who is
// interrupted leaves no half.
func (t tools) build(ctx context.Context, name, source string, with func(folder string) *exec.Cmd) error {
	if _, err := os.Stat(t.path(name)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fmt.Println("building", source)
	half, err := os.MkdirTemp(string(t), "half-")
	if err != nil {
		return fmt.Errorf("building %s: %w", name, err)
	}
	defer os.RemoveAll(half) //nolint:errcheck // what stays behind is a half folder that nobody looks at
	cmd := with(half)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("building %s: %w", name, err))
	}
	if err := os.Rename(filepath.Join(half, name), t.path(name)); err != nil {
		return fmt.Errorf("building %s: %w", name, err)
	}
	return nil
}
