package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// prerequisites are what has to be there for the rest to be accepted: it is applied for
// good, to a cluster that ends with the check.
var prerequisites = []string{"Namespace", "ServiceAccount"}

// dryRun lets a cluster judge every manifest, and every pod that they would make:
// PodSecurity enforces its rules on pods alone.
func dryRun(ctx context.Context, t tools, work string, files []string) error {
	c, err := startCluster(ctx, t, work)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.kubectl(ctx, "apply", "--filename", definitions); err != nil {
		return err
	}
	if _, err := c.kubectl(ctx, "wait", "--for=condition=Established", "--timeout=60s", "--filename", definitions); err != nil {
		return err
	}
	var pods []string
	for _, file := range files {
		objects, err := readObjects(file)
		if err != nil {
			return err
		}
		first, made := file+".first", file+".pods"
		if err := errors.Join(writeObjects(first, only(objects, prerequisites)), writeObjects(made, podsOf(objects))); err != nil {
			return err
		}
		if len(only(objects, prerequisites)) > 0 {
			if _, err := c.kubectl(ctx, "apply", "--filename", first); err != nil {
				return err
			}
		}
		for _, f := range []string{file, made} {
			said, err := c.kubectl(ctx, "apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "--filename", f)
			if err != nil {
				return err
			}
			fmt.Printf("kube-apiserver: %s: %d accepted\n", filepath.Base(f), strings.Count(string(said), "(server dry run)"))
		}
		pods = append(pods, made)
	}
	return c.refuses(ctx, pods[0])
}

// refuses holds the cluster itself to what it is for: a pod that would be accepted isn't
// any more with one thing wrong.
func (c *cluster) refuses(ctx context.Context, pods string) error {
	good, err := os.ReadFile(pods)
	if err != nil {
		return fmt.Errorf("reading the pods: %w", err)
	}
	for _, fault := range []struct{ from, to, says string }{
		{"runAsNonRoot: true", "runAsNonRoot: false", "violates PodSecurity"},
		{"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "violates PodSecurity"},
		{"type: RuntimeDefault", "type: Unconfined", "violates PodSecurity"},
		{"cpu: 500m", "cpu: 5000m", "must be less than or equal to cpu limit"},
		{"enableServiceLinks:", "enableServiceLink:", "unknown field"},
	} {
		bad := bytes.ReplaceAll(good, []byte(fault.from), []byte(fault.to))
		if bytes.Equal(bad, good) {
			return fmt.Errorf("no pod has %q", fault.from)
		}
		file := pods + ".bad"
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			return fmt.Errorf("writing bad pods: %w", err)
		}
		_, err := c.kubectl(ctx, "apply", "--dry-run=server", "--validate=strict", "--filename", file)
		if err == nil || !strings.Contains(err.Error(), fault.says) {
			return fmt.Errorf("the cluster did not refuse %q for %q, but said: %w", fault.to, fault.says, err)
		}
		fmt.Printf("kube-apiserver: %s is refused\n", fault.to)
	}
	return nil
}

// object is a manifest.
type object map[string]any

func readObjects(file string) ([]object, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading what was built: %w", err)
	}
	var list []object
	for documents := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var o object
		switch err := documents.Decode(&o); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		list = append(list, o)
	}
}

func writeObjects(file string, list []object) error {
	var content bytes.Buffer
	encoder := yaml.NewEncoder(&content)
	for _, o := range list {
		if err := encoder.Encode(o); err != nil {
			return fmt.Errorf("writing manifests: %w", err)
		}
	}
	if err := os.WriteFile(file, content.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing manifests: %w", err)
	}
	return nil
}

// only returns the objects of some kinds.
func only(list []object, kinds []string) (some []object) {
	for _, kind := range kinds {
		for _, o := range list {
			if o["kind"] == kind {
				some = append(some, o)
			}
		}
	}
	return some
}

// podsOf makes the pods that the objects' templates would.
func podsOf(list []object) (pods []object) {
	for _, o := range list {
		template, _ := at(o, "spec", "template").(object)
		if o["kind"] == "CronJob" {
			template, _ = at(o, "spec", "jobTemplate", "spec", "template").(object)
		}
		if template == nil {
			continue
		}
		metadata := object{"name": at(o, "metadata", "name"), "namespace": at(o, "metadata", "namespace"), "labels": at(template, "metadata", "labels")}
		pods = append(pods, object{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
	}
	return pods
}

// at follows a path through an object; nil where it ends.
func at(o object, path ...string) any {
	var here any = o
	for _, name := range path {
		inside, _ := here.(object)
		here = inside[name]
	}
	return here
}
