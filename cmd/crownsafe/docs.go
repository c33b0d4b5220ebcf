package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/crownsafe/api/internal/api"
	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/internal/reference"
)

// docsCommand writes the API reference of this very program.
type docsCommand struct {
	Out string `help:"Folder to write reference.md, reference.html and openapi.json to; without it the Markdown is printed." placeholder:"DIR" type:"path"`
}

// apiVersion is the version that the reference is of; the program's own changes with
// every build.
const apiVersion = "2.0.0"

// Run needs neither a store nor settings: the document is part of the program.
func (c *docsCommand) Run(s *session) error {
	document := api.OpenAPI(apiVersion)
	if s.json {
		_, err := s.env.stdout.Write(document)
		return wrapped(err)
	}
	parsed, err := reference.Parse(document)
	if err != nil {
		return err
	}
	facts, err := c.facts(s)
	if err != nil {
		return err
	}
	if c.Out == "" {
		return parsed.Markdown(s.env.stdout, facts)
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("making the folder for the reference: %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{
		"openapi.json":   func(w io.Writer) error { _, err := w.Write(document); return err },
		"reference.md":   func(w io.Writer) error { return parsed.Markdown(w, facts) },
		"reference.html": func(w io.Writer) error { return parsed.HTML(w, facts) },
	} {
		var page bytes.Buffer // written whole or not at all
		if err := write(&page); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.Out, name), page.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing the reference: %w", err)
		}
	}
	_, err = fmt.Fprintf(s.env.stdout, "wrote openapi.json, reference.md and reference.html to %s\n", c.Out)
	return wrapped(err)
}

func wrapped(err error) error {
	if err != nil {
		return fmt.Errorf("printing the reference: %w", err)
	}
	return nil
}

// facts are the codes of errors, and the limits that hold where nobody set others.
func (c *docsCommand) facts(s *session) (*reference.Facts, error) {
	defaults, err := config.Load(s.ctx, func(string) (string, bool) { return "", false })
	if err != nil {
		return nil, err
	}
	e := defaults.Edge
	f := &reference.Facts{Address: e.RateAddress, Key: e.RateKey, User: e.RateUser, SignIns: e.RateSignIn, Operators: e.RateOperator}
	for _, k := range api.Kinds() {
		f.Errors = append(f.Errors, reference.ErrorKind(k))
	}
	return f, nil
}
