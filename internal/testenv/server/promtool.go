package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Promtool returns where Prometheus' own checker is. Where it is missing it is
// unpacked from Debian's package and not installed with it: that would bring a
// server, which nobody wants to run.
func (i *Installer) Promtool(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("promtool"); err == nil {
		return path, nil
	}
	root, err := folder()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("making a folder for promtool: %w", err)
	}
	unlock, err := lockFolder(root)
	if err != nil {
		return "", err
	}
	defer unlock()
	home := filepath.Join(root, "prometheus")
	program := filepath.Join(home, "usr", "bin", "promtool")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	return program, i.unpack(ctx, "prometheus", root, home)
}

// unpack puts the files of a package of Debian's into a folder. It is made beside
// its place and moved at the end, as by NPM.
func (i *Installer) unpack(ctx context.Context, pkg, root, home string) error {
	half, err := os.MkdirTemp(root, "half-")
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", pkg, err)
	}
	defer os.RemoveAll(half) //nolint:errcheck // what stays behind is a half folder that nobody looks at
	download := func() error {
		fmt.Fprintln(i.Log, "servers: apt-get download", pkg)
		cmd := exec.CommandContext(ctx, "apt-get", "download", pkg)
		cmd.Dir = half
		return run(cmd)
	}
	if err := download(); err != nil {
		if os.Geteuid() != 0 {
			return errors.Join(err, errors.New("promtool is missing: install it (apt-get install prometheus)"))
		}
		if i.apt.Do(func() { i.err = i.aptGet(ctx, "update") }); i.err != nil { // the lists may be missing or old
			return i.err
		}
		if err := download(); err != nil {
			return err
		}
	}
	archives, err := filepath.Glob(filepath.Join(half, pkg+"_*.deb"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("unpacking %s: apt-get left %d archives: %w", pkg, len(archives), err)
	}
	files := filepath.Join(half, "files")
	if err := run(exec.CommandContext(ctx, "dpkg", "-x", archives[0], files)); err != nil {
		return err
	}
	if err := os.Rename(files, home); err != nil {
		return fmt.Errorf("unpacking %s: %w", pkg, err)
	}
	return nil
}
