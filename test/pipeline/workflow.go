// Package pipeline holds the pipeline to its rules: what it calls exists, its gates
// gate, it may do no more than it needs, and what it runs of others is pinned. It
// reads the workflow, the Makefile and the operations' page, and runs nothing.
package pipeline

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflow is what is looked at of a GitHub workflow.
type workflow struct {
	On          map[string]trigger
	Permissions *map[string]string
	Jobs        map[string]job
}

type trigger struct {
	branches []string
	crons    []string
}

// UnmarshalYAML takes the schedule's list, and the branches of the other triggers.
func (t *trigger) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		var times []struct{ Cron string }
		err := node.Decode(&times)
		for _, at := range times {
			t.crons = append(t.crons, at.Cron)
		}
		return err
	}
	var pushed struct{ Branches []string }
	err := node.Decode(&pushed)
	t.branches = pushed.Branches
	return err
}

type job struct {
	Name            string
	If              string
	Needs           []string
	Permissions     *map[string]string
	Environment     environment
	Container       container
	TimeoutMinutes  int    `yaml:"timeout-minutes"`
	ContinueOnError string `yaml:"continue-on-error"`
	Steps           []step
}

// environment is written as a name, or as a name with an address.
type environment string

func (e *environment) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode((*string)(e))
	}
	var named struct{ Name string }
	err := node.Decode(&named)
	*e = environment(named.Name)
	return err
}

// container is what a job's steps run in, if not on the runner itself.
type container struct{ Image, Options string }

type step struct {
	Uses            action
	Run             string
	If              string
	With            map[string]string
	Env             map[string]string
	ContinueOnError string `yaml:"continue-on-error"`
}

// action is a step of somebody else's: OWNER/NAME@PIN, with the comment beside it.
type action struct{ name, pin, comment string }

func (a *action) UnmarshalYAML(node *yaml.Node) error {
	a.name, a.pin, _ = strings.Cut(node.Value, "@")
	a.comment = strings.TrimSpace(strings.TrimPrefix(node.LineComment, "#"))
	return nil
}

func parse(text string) (workflow, error) {
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		return workflow{}, fmt.Errorf("reading the workflow: %w", err)
	}
	return w, nil
}

// makefile is what is looked at of a Makefile.
type makefile struct {
	targets map[string]string // name to recipe
	listed  map[string]bool   // those that make help lists
}

var targetLine = regexp.MustCompile(`^([a-z0-9-]+):[^=]*?(##)?`)

func parseMakefile(text string) makefile {
	m := makefile{map[string]string{}, map[string]bool{}}
	current := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "\t") {
			m.targets[current] += line
			continue
		}
		if found := targetLine.FindStringSubmatch(line); found != nil && !strings.Contains(line, ":=") && !strings.Contains(line, ": export ") {
			current = found[1]
			m.targets[current] += ""
			m.listed[current] = m.listed[current] || strings.Contains(line, " ## ")
		}
	}
	return m
}
