package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// cluster is what kubectl's context names, seen through one namespace.
type cluster struct {
	kubectl   string
	namespace string
	out       io.Writer     // what is being done is told here
	every     time.Duration // between two looks at a job
	timeout   time.Duration // of each job
	now       func() time.Time
}

// ask runs kubectl and returns what it printed.
func (c *cluster) ask(ctx context.Context, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, c.kubectl, append([]string{"--namespace", c.namespace}, args...)...)
	var out, faults bytes.Buffer
	command.Stdout, command.Stderr = &out, &faults
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(faults.Bytes()))
	}
	return out.Bytes(), nil
}

// do runs kubectl, tells of it, and passes on what it says.
func (c *cluster) do(ctx context.Context, args ...string) error {
	fmt.Fprintln(c.out, "kubectl", strings.Join(args, " "))
	said, err := c.ask(ctx, args...)
	if err != nil {
		return err
	}
	_, err = c.out.Write(said)
	return err
}

func (c *cluster) apply(ctx context.Context, overlay string) error {
	return c.do(ctx, "apply", "-k", overlay)
}

// revision returns the number of the deployment's version that runs now, or "" when
// nothing was rolled out yet.
func (c *cluster) revision(ctx context.Context) (string, error) {
	said, err := c.ask(ctx, "get", "deployment", deployment, "--ignore-not-found", "-o", "json")
	if err != nil || len(bytes.TrimSpace(said)) == 0 {
		return "", err
	}
	var found struct {
		Metadata struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(said, &found); err != nil {
		return "", fmt.Errorf("reading the deployment: %w", err)
	}
	revision := found.Metadata.Annotations["deployment.kubernetes.io/revision"]
	if revision == "" {
		return "", fmt.Errorf("the deployment %s has no revision to go back to", deployment)
	}
	return revision, nil
}

// rolloutPatience is what a rollout may take; what isn't up by then is taken back.
const rolloutPatience = 20 * time.Minute

func (c *cluster) rolledOut(ctx context.Context) error {
	return c.do(ctx, "rollout", "status", "deployment/"+deployment, "--timeout", min(c.timeout, rolloutPatience).String())
}

// back brings a version back that ran before.
func (c *cluster) back(ctx context.Context, revision string) error {
	if revision == "" {
		return errors.New("this was the first release: there is no version to bring back")
	}
	fmt.Fprintf(c.out, "bringing revision %s back\n", revision)
	if err := c.do(ctx, "rollout", "undo", "deployment/"+deployment, "--to-revision", revision); err != nil {
		return fmt.Errorf("the version before could NOT be brought back: %w", err)
	}
	if err := c.rolledOut(ctx); err != nil {
		return fmt.Errorf("the version before could NOT be brought back: %w", err)
	}
	return nil
}

// job is what a Job tells of itself.
type job struct {
	Metadata struct {
		Name              string
		CreationTimestamp time.Time
		OwnerReferences   []struct{ Kind, Name string }
	}
	Status struct {
		Conditions []struct{ Type, Status, Message string }
	}
}

// is tells whether the Job has a condition, and what it says about it.
func (j job) is(condition string) (said string, is bool) {
	for _, c := range j.Status.Conditions {
		if c.Type == condition && c.Status == "True" {
			return c.Message, true
		}
	}
	return "", false
}

// done waits until a Job is complete. A Job that failed is an error at once.
func (c *cluster) done(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	fmt.Fprintf(c.out, "waiting for the job %s\n", name)
	look := time.NewTicker(c.every)
	defer look.Stop()
	for {
		var j job
		said, err := c.ask(ctx, "get", "job", name, "-o", "json")
		if err != nil {
			return err
		}
		if err := json.Unmarshal(said, &j); err != nil {
			return fmt.Errorf("reading the job %s: %w", name, err)
		}
		if _, complete := j.is("Complete"); complete {
			return nil
		}
		if why, failed := j.is("Failed"); failed {
			return fmt.Errorf("the job %s failed: %s", name, why)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the job %s: %w", name, ctx.Err())
		case <-look.C:
		}
	}
}
