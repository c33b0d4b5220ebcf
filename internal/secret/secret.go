// Package secret says where secrets come from, and keeps them fresh: a variable
// of the environment holds one itself, or a reference to a secret of an Azure Key
// Vault, or a second variable names the file that holds it. From the secret key it
// derives the keys that the service signs with, through its rotations.
//
// It knows nothing of what a secret is for, and no error of it holds one: not its
// value, and neither a path nor a reference, for a secret may stand there by mistake.
package secret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Source is the kind of place that a secret comes from.
type Source string

// The sources of secrets.
const (
	Environment Source = "environment" // the variable itself
	File        Source = "file"        // the file that VARIABLE_FILE names
	Vault       Source = "vault"       // the Key Vault that the variable refers to
	Made        Source = "made"        // by the program, in its data directory
)

// fileSuffix ends the name of the variable that names the file of another's secret.
const fileSuffix = "_FILE"

// maxFileBytes bounds what is read of a file; no secret is nearly as long.
const maxFileBytes = 64 << 10

// Value is a secret as its source has it now.
type Value struct {
	Text string
	// ChangedAt is when the source last changed it, by its own word; zero: it
	// doesn't say.
	ChangedAt time.Time
}

// Reader reads a secret out of a vault. Its errors hold no secret.
type Reader interface {
	Read(ctx context.Context, ref Reference) (Value, error)
}

// Origin tells of a secret that is set, without telling it.
type Origin struct {
	Variable string
	Source   Source
	Path     string // of a file; else empty
	// ChangedAt is when its source last changed it; zero: the source doesn't say.
	ChangedAt time.Time
	// Failing says that its source could not be read of late; the last value that
	// it had still stands.
	Failing bool
}

// Resolver finds the secrets that the environment names. The zero value is of no
// use; NewResolver makes one.
type Resolver struct {
	variables []string
	lookup    func(string) (string, bool)
	vault     Reader

	refreshing sync.Mutex // held while sources are asked
	mu         sync.RWMutex
	found      map[string]held
}

// held is a secret with where it comes from.
type held struct {
	Value
	source  Source
	path    string
	ref     Reference
	failing bool
}

// NewResolver makes a resolver for the variables that hold secrets, from lookup
// (os.LookupEnv in the program). Nothing is read before Resolve.
func NewResolver(variables []string, lookup func(string) (string, bool), vault Reader) *Resolver {
	return &Resolver{variables: slices.Clone(variables), lookup: lookup, vault: vault, found: map[string]held{}}
}

// Resolve reads every secret for the first time. An error names its variable.
func (r *Resolver) Resolve(ctx context.Context) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	places := map[string]held{}
	for _, name := range r.variables {
		place, set, err := r.place(name)
		if err != nil {
			return err
		}
		if set {
			places[name] = place
		}
	}
	read, err := r.readAll(ctx, places)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = read
	return nil
}

// place says where a variable's secret is. A variable that is set to nothing
// counts as not set.
func (r *Resolver) place(name string) (held, bool, error) {
	text, _ := r.lookup(name)
	path, _ := r.lookup(name + fileSuffix)
	switch {
	case text != "" && path != "":
		return held{}, false, fmt.Errorf("%s and %s%s are both set; unset one of them", name, name, fileSuffix)
	case path != "":
		return held{source: File, path: path}, true, nil
	case text == "":
		return held{}, false, nil
	}
	ref, is, err := ParseReference(text)
	switch {
	case err != nil:
		return held{}, false, fmt.Errorf("%s %w", name, err)
	case is:
		return held{source: Vault, ref: ref}, true, nil
	}
	return held{source: Environment, Value: Value{Text: text}}, true, nil
}

// readAll reads secrets from their places, side by side. What could not be read
// keeps what it had and is marked, unless ctx ended: that tells nothing of a source.
// The errors are joined.
func (r *Resolver) readAll(ctx context.Context, places map[string]held) (map[string]held, error) {
	var mu sync.Mutex
	read, failed := map[string]held{}, map[string]error{}
	var group errgroup.Group
	group.SetLimit(8)
	for name, place := range places {
		group.Go(func() error {
			value, err := r.read(ctx, name, place)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[name] = err
				place.failing = place.failing || ctx.Err() == nil
			} else {
				place.Value, place.failing = value, false
			}
			read[name] = place
			return nil
		})
	}
	_ = group.Wait() // none returns an error
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		errs = append(errs, failed[name])
	}
	return read, errors.Join(errs...)
}

func (r *Resolver) read(ctx context.Context, name string, place held) (Value, error) {
	switch place.source {
	case File:
		value, err := readFile(place.path)
		if err != nil {
			return Value{}, fmt.Errorf("%s%s cannot be used: %w", name, fileSuffix, err)
		}
		return value, nil
	case Vault:
		value, err := r.vault.Read(ctx, place.ref)
		if err == nil && strings.TrimSpace(value.Text) == "" {
			err = errors.New("the secret is empty")
		}
		if err != nil {
			return Value{}, fmt.Errorf("%s refers to a Key Vault that cannot be used: %w", name, err)
		}
		return value, nil
	}
	return place.Value, nil
}

// readFile reads a secret from a file, without the line's end that editors put
// there.
func readFile(path string) (Value, error) {
	file, err := os.Open(path)
	if err != nil {
		return Value{}, fmt.Errorf("opening the file: %w", withoutPath(err))
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return Value{}, fmt.Errorf("looking at the file: %w", withoutPath(err))
	case info.IsDir():
		return Value{}, errors.New("it is a folder")
	case info.Size() > maxFileBytes:
		return Value{}, fmt.Errorf("the file has more than %d bytes", maxFileBytes)
	}
	content := make([]byte, maxFileBytes+1)
	n, err := readFull(file, content)
	if err != nil {
		return Value{}, fmt.Errorf("reading the file: %w", withoutPath(err))
	}
	text := strings.TrimRight(string(content[:n]), "\r\n")
	if strings.TrimSpace(text) == "" {
		return Value{}, errors.New("the file is empty")
	}
	return Value{Text: text, ChangedAt: info.ModTime()}, nil
}

// withoutPath takes the path out of an error of the file system: somebody may
// have set a secret where its file's path belongs.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// Lookup is the environment with the secrets resolved, for config.Load.
func (r *Resolver) Lookup(name string) (string, bool) {
	if !slices.Contains(r.variables, name) {
		return r.lookup(name)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	secret, set := r.found[name]
	return secret.Text, set
}

// Refresh reads anew what can change while the program runs, and tells use of the
// variables whose secret did, if any. Nobody else refreshes before use returns, so
// that what was read last is used last. A source that can't be read leaves its secret
// as it was; the error names its variable.
func (r *Resolver) Refresh(ctx context.Context, use func(changed []string)) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	r.mu.RLock()
	before := maps.Clone(r.found)
	r.mu.RUnlock()
	after, err := r.readAll(ctx, before)
	var changed []string
	for name, secret := range after {
		if secret.Text != before[name].Text {
			changed = append(changed, name)
		}
	}
	r.mu.Lock()
	r.found = after
	r.mu.Unlock()
	if slices.Sort(changed); len(changed) > 0 {
		use(changed)
	}
	return err
}

// Refreshable reports whether any secret can change while the program runs.
func (r *Resolver) Refreshable() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, secret := range r.found {
		if secret.source != Environment {
			return true
		}
	}
	return false
}

// Origins tells of every secret that is set, in order of variable.
func (r *Resolver) Origins() []Origin {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var list []Origin
	for _, name := range slices.Sorted(maps.Keys(r.found)) {
		s := r.found[name]
		list = append(list, Origin{Variable: name, Source: s.source, Path: s.path, ChangedAt: s.ChangedAt, Failing: s.failing})
	}
	return list
}
