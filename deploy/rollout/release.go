package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
)

// What the manifests of deploy/k8s call things.
const (
	deployment   = "crownsafe-api"
	migrationJob = "crownsafe-migrate"
	backupJob    = "crownsafe-backup"
	// notServing selects what stands beside the pods that serve.
	notServing = "app.kubernetes.io/component!=api"
)

// image is an entry of a kustomization's list of images.
type image struct {
	Name    string `yaml:"name"`
	NewName string `yaml:"newName"`
	Digest  string `yaml:"digest"`
}

// release is one version on its way into one environment.
type release struct {
	cluster *cluster
	overlay string   // folder of the environment's kustomization; the migration's is below it
	images  []image  // by digest
	backup  bool     // before anything is changed
	check   []string // the command that says whether the new version does its work
}

func (r *release) run(ctx context.Context) error {
	before, err := r.cluster.revision(ctx)
	if err != nil {
		return err
	}
	if r.backup && before != "" { // before the first release there is nothing to lose
		name := fmt.Sprintf("%s-before-%d", backupJob, r.cluster.now().Unix())
		if err := r.cluster.backUp(ctx, name); err != nil {
			return fmt.Errorf("nothing was changed: %w", err)
		}
	}
	manifests, err := r.withImages()
	if err != nil {
		return err
	}
	defer os.RemoveAll(manifests)
	overlay := filepath.Join(manifests, "overlays", filepath.Base(r.overlay))
	if before == "" {
		// The migration needs the namespace, the account and the secrets. The pods come after
		// it: with them, and without a schema, the next attempt would try to back something up.
		if err := r.cluster.do(ctx, "apply", "-k", overlay, "--selector", notServing); err != nil {
			return err
		}
	}
	if err := r.migrate(ctx, filepath.Join(overlay, "migration")); err != nil {
		return fmt.Errorf("the version before goes on running: %w", err)
	}
	if err := r.rollOut(ctx, overlay); err != nil {
		// It was cancelled, or failed: the way back is gone either way.
		return errors.Join(err, r.cluster.back(context.WithoutCancel(ctx), before))
	}
	return nil
}

// withImages copies the manifests and writes the release's images into the copy's
// kustomizations, so that a checkout stays as it is.
func (r *release) withImages() (folder string, err error) {
	root := filepath.Dir(filepath.Dir(filepath.Clean(r.overlay)))
	folder, err = os.MkdirTemp("", "crownsafe-rollout-*")
	if err != nil {
		return "", fmt.Errorf("making room for the manifests: %w", err)
	}
	if err := os.CopyFS(folder, os.DirFS(root)); err != nil {
		return "", errors.Join(fmt.Errorf("copying the manifests of %s: %w", root, err), os.RemoveAll(folder))
	}
	overlay := filepath.Join(folder, "overlays", filepath.Base(r.overlay))
	for _, dir := range []string{overlay, filepath.Join(overlay, "migration")} {
		if err := setImages(filepath.Join(dir, "kustomization.yaml"), r.images); err != nil {
			return "", errors.Join(err, os.RemoveAll(folder))
		}
	}
	return folder, nil
}

// setImages replaces the images of a kustomization. Each that it names must be
// among them: a forgotten one would be rolled out as it was.
func setImages(file string, images []image) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the kustomization: %w", err)
	}
	var kustomization map[string]any
	if err := yaml.Unmarshal(content, &kustomization); err != nil {
		return fmt.Errorf("reading the kustomization %s: %w", file, err)
	}
	named, _ := kustomization["images"].([]any)
	for _, entry := range named {
		fields, _ := entry.(map[string]any)
		if !slices.ContainsFunc(images, func(i image) bool { return i.Name == fields["name"] }) {
			return fmt.Errorf("the kustomization %s needs the image %v, and no digest of it was given", file, fields["name"])
		}
	}
	kustomization["images"] = images
	if content, err = yaml.Marshal(kustomization); err != nil {
		return fmt.Errorf("writing the kustomization %s: %w", file, err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return fmt.Errorf("writing the kustomization: %w", err)
	}
	return nil
}

// migrate runs the migration's job. A job can't be changed, so that the last one
// is removed first.
func (r *release) migrate(ctx context.Context, overlay string) error {
	if err := r.cluster.do(ctx, "delete", "job", migrationJob, "--ignore-not-found", "--wait"); err != nil {
		return err
	}
	if err := r.cluster.apply(ctx, overlay); err != nil {
		return err
	}
	return r.cluster.done(ctx, migrationJob)
}

// rollOut applies the environment and waits until all pods are of the new version
// and the check is content with them.
func (r *release) rollOut(ctx context.Context, overlay string) error {
	if err := r.cluster.apply(ctx, overlay); err != nil {
		return err
	}
	if err := r.cluster.rolledOut(ctx); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, r.check[0], r.check[1:]...)
	command.Stdout, command.Stderr = r.cluster.out, r.cluster.out
	if err := command.Run(); err != nil {
		return fmt.Errorf("the new version fails its check %q: %w", r.check, err)
	}
	return nil
}
