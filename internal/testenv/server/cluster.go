package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// What follows is for tests of programs that work on a server's files beside it,
// such as those that back it up.

// Data is the folder of the server's cluster.
func (s *Postgres) Data() string { return s.data() }

// Folder is the server's, and the home of its user. The cluster's is in it.
func (s *Postgres) Folder() string { return s.folder }

// Command prepares a program that works as the server's user.
func (s *Postgres) Command(ctx context.Context, program string, args ...string) *exec.Cmd {
	as := s.command(program)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = as.Dir, as.Env, as.SysProcAttr
	return cmd
}

// Write makes a file in the server's folder that only its user may read, and returns
// its path.
func (s *Postgres) Write(name, content string) (path string, err error) {
	path = filepath.Join(s.folder, name)
	if err := s.write(path, content); err != nil {
		return "", fmt.Errorf("writing a file for %s: %w", s.name, err)
	}
	return path, nil
}

// Lose ends the server as a crash would and removes everything in the cluster's
// folder. The server can be started again when its files are back.
func (s *Postgres) Lose() error {
	if err := errors.Join(s.Kill(), os.RemoveAll(s.data()), os.Mkdir(s.data(), 0o700)); err != nil {
		return fmt.Errorf("losing a cluster: %w", err)
	}
	if s.owner == nil {
		return nil
	}
	return os.Chown(s.data(), int(s.owner.Uid), int(s.owner.Gid))
}
