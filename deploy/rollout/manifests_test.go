package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

const manifestsFolder = "../k8s"

// TestTheManifestsHaveWhatIsNamed: the command and the manifests agree on names.
func TestTheManifestsHaveWhatIsNamed(t *testing.T) {
	t.Parallel()
	there, serving := map[string]bool{}, map[string]bool{}
	err := fs.WalkDir(os.DirFS(manifestsFolder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		file, err := os.Open(filepath.Join(manifestsFolder, path))
		if err != nil {
			return err
		}
		defer file.Close()
		for documents := yaml.NewDecoder(file); ; {
			var d struct {
				Kind     string
				Metadata struct {
					Name   string
					Labels map[string]string
				}
			}
			err := documents.Decode(&d)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			there[d.Kind+"/"+d.Metadata.Name] = true
			serving[d.Kind] = serving[d.Kind] || d.Metadata.Labels["app.kubernetes.io/component"] == "api"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Deployment/" + deployment, "CronJob/" + backupJob, "Job/" + migrationJob, "Namespace/crownsafe"} {
		if !there[name] {
			t.Errorf("deploy/k8s has no %s", name)
		}
	}
	// What is applied before the first migration, and what after it.
	for kind, want := range map[string]bool{
		"Deployment": true, "HorizontalPodAutoscaler": true, "Namespace": false, "ServiceAccount": false, "SecretStore": false, "ExternalSecret": false, "NetworkPolicy": false,
	} {
		if serving[kind] != want {
			t.Errorf("a %s is of the component api: %t", kind, serving[kind])
		}
	}
}

// TestEnvironmentsTakeTheImages writes a release into each environment, and finds
// the two images that the pipeline makes enough for all of them.
func TestEnvironmentsTakeTheImages(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"staging", "production"} {
		r := release{cluster: &cluster{}, overlay: filepath.Join(manifestsFolder, "overlays", environment)}
		for _, argument := range []string{apiImage, opsImage} {
			if err := r.addImage(argument); err != nil {
				t.Fatal(err)
			}
		}
		folder, err := r.withImages()
		if err != nil {
			t.Errorf("%s: %v", environment, err)
			continue
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	}
}
