package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/crownsafe/api/internal/testenv/server"
)

// command is the program on one stack.
type command struct {
	binary, data string
	settings     []string
}

func (c command) prepare(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.binary, append(args, "--data", c.data)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "CROWNSAFE_OFFLINE=1"}, c.settings...)
	return cmd
}

func (c command) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := c.prepare(ctx, append(args, "--json")...)
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("crownsafe %s: %w: %s", strings.Join(args, " "), err, complained.String())
	}
	return said.Bytes(), nil
}

// made is what the command says of a backup.
type made struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"duration_seconds"`
	Size    int64   `json:"size"`
	Changed int64   `json:"changed_rows"`
}

func (c command) backup(ctx context.Context, kind string) (m made, err error) {
	said, err := c.run(ctx, "backup", "create", kind)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(said, &m)
}

// lose makes backups while others write, takes the store away, and gets it back.
func lose(ctx context.Context, s settings, out io.Writer, c command, stack, elsewhere string) error {
	if err := os.MkdirAll(c.data, 0o750); err != nil {
		return err
	}
	writing, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- write(writing, c, s) }()
	full, err := c.backup(ctx, "--full")
	if err != nil {
		return err
	}
	var rows int64
	longest := 0.0
	for range s.rounds {
		select {
		case <-time.After(s.pause):
		case err := <-ended:
			return fmt.Errorf("the writers ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
		m, err := c.backup(ctx, "--incremental")
		if err != nil {
			return err
		}
		rows, longest = rows+m.Changed, max(longest, m.Seconds)
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	back, err := c.elsewhere(ctx, elsewhere)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := back.run(ctx, "backup", "restore"); err != nil {
		return err
	}
	restored := time.Since(began)
	if err := back.ready(ctx); err != nil {
		return err
	}
	const every = 4 * time.Minute
	_, err = fmt.Fprintf(out, "| %s | %.0f MB in %.0f s | %d rows, %.1f s at the longest | %.0f s | %.0f s | %.0f s |\n", stack, float64(full.Size)/1e6, full.Seconds,
		rows, longest, restored.Seconds(), time.Since(began).Seconds(), every.Seconds()+longest)
	return err
}

// elsewhere is the same stack after the loss: an empty database, or another folder,
// with the backups alone.
func (c command) elsewhere(ctx context.Context, data string) (command, error) {
	back := command{binary: c.binary, data: data, settings: c.settings}
	if err := os.MkdirAll(data, 0o750); err != nil {
		return back, err
	}
	if len(c.settings) > 0 {
		_, address, _ := strings.Cut(c.settings[0], "=")
		empty, err := server.NewDatabase(ctx, address)
		if err != nil {
			return back, err
		}
		back.settings = append([]string{"DATABASE_URL=" + empty}, c.settings[1:]...)
		return back, nil
	}
	back.settings = []string{"CROWNSAFE_BACKUP_FOLDER=" + filepath.Join(c.data, "backups")}
	return back, nil
}

// ready starts the service, waits until it can answer, and ends it.
func (c command) ready(ctx context.Context) error {
	const addr = "127.0.0.1:18099"
	cmd := c.prepare(ctx, "serve", "--addr", addr)
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait()         //nolint:errcheck // it is killed
	defer cmd.Process.Kill() //nolint:errcheck // it may have ended
	deadline := time.Now().Add(10 * time.Minute)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		resp, err := http.Get("http://" + addr + "/api/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the service isn't ready")
}

// startServers starts what the whole stack needs, and returns its settings, the
// database's first.
func startServers(ctx context.Context, _ string, log io.Writer) ([]string, func() error, error) {
	installer := &server.Installer{Log: log}
	db, err := server.StartDurablePostgres(ctx, installer)
	if err != nil {
		return nil, nil, err
	}
	azurite, err := server.StartAzurite(ctx, installer)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	url, err := server.NewDatabase(ctx, db.URL("postgres"))
	if err != nil {
		return nil, nil, errors.Join(err, db.Close(), azurite.Close())
	}
	settings := []string{"DATABASE_URL=" + url, "AZURE_STORAGE_CONNECTION_STRING=" + azurite.ConnectionString()}
	return settings, func() error { return errors.Join(db.Close(), azurite.Close()) }, nil
}
