package deploy

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/crownsafe/api/internal/testenv"
	"github.com/crownsafe/api/test/program"
)

// host is what kubelets' probes ask for: the pod's address.
const host = "10.244.1.7:8001"

// TestThePodRuns starts the image as the manifests of production say: their user,
// settings, files and arguments, in a root of its own that it can't write to, on real
// servers, after the migration's job. Only the addresses of servers are others, and no
// agency is polled.
func TestThePodRuns(t *testing.T) {
	t.Parallel()
	root, final := builtImage(t)
	pods := everyPod(t, "production")
	redis, prefix := testenv.Redis(t)
	account, container := testenv.Azure(t)
	token := rand.Text() + rand.Text()
	secrets := filepath.Join(root, "run/secrets/crownsafe")
	if err := os.MkdirAll(secrets, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"database-url": testenv.Postgres(t), "redis-url": redis, "secret-key": rand.Text() + rand.Text(), "ops-token": token,
		"smtp-url": "smtps://crownsafe:" + rand.Text() + "@127.0.0.1:465",
	} {
		file := filepath.Join(secrets, name)
		if err := os.WriteFile(file, []byte(secret), os.FileMode(pods["api"].Volumes[2].Secret.DefaultMode)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file, -1, ownGroup()); err != nil {
			t.Fatal(err)
		}
	}
	migrate := pods["migrate"].Containers[0]
	var settings []string
	for _, v := range migrate.Env {
		settings = append(settings, v.Name+"="+v.Value)
	}
	if said, err := inside(t, root, settings, append(final.words(t, "ENTRYPOINT"), migrate.Args...)...).CombinedOutput(); err != nil {
		t.Fatalf("the migration: %v\n%s", err, said)
	}

	port := freePort(t)
	settings = nil
	for name, value := range variables(t, render(t, kubernetesFolder+"/overlays/production")) {
		settings = append(settings, name+"="+value)
	}
	settings = append(settings, "PORT="+port, "CROWNSAFE_OFFLINE=1", "CROWNSAFE_REDIS_PREFIX="+prefix,
		"AZURE_STORAGE_CONNECTION_STRING="+account, "CROWNSAFE_AZURE_CONTAINER="+container, "CROWNSAFE_DRAIN=100ms")
	api := pods["api"].Containers[0]
	server := start(t, inside(t, root, settings, append(final.words(t, "ENTRYPOINT"), api.Args...)...))
	healthcheck := func() error {
		said, err := inside(t, root, settings, final.words(t, "HEALTHCHECK")...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}
	base := "http://127.0.0.1:" + port
	testenv.Eventually(t, program.Patience, "the startup probe succeeds", func() bool {
		if server.ended() {
			t.Fatalf("the server ended:\n%s", server.said())
		}
		return ask(t, base+api.StartupProbe.HTTPGet.Path, "") == http.StatusOK
	})
	for path, want := range map[string]int{
		api.ReadinessProbe.HTTPGet.Path: http.StatusOK, api.LivenessProbe.HTTPGet.Path: http.StatusOK, "/api/healthz": http.StatusOK,
		"/api/v1/barcode/850044968008": http.StatusOK, "/metrics": http.StatusUnauthorized,
	} {
		if got := ask(t, base+path, ""); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	if got := ask(t, base+"/metrics", token); got != http.StatusOK {
		t.Errorf("/metrics with the token: %d", got)
	}
	if err := healthcheck(); err != nil {
		t.Errorf("the image's own check: %v", err)
	}
	server.stop(t)
	if err := healthcheck(); err == nil {
		t.Error("the image's own check finds a server that has ended")
	}
	for _, wrong := range []string{"read-only file system", "permission denied", token} {
		if strings.Contains(server.said(), wrong) {
			t.Errorf("the log has %q:\n%s", wrong, server.said())
		}
	}
}

// ownGroup is the group that the image's user is in, as files outside are told of it.
func ownGroup() int {
	if os.Geteuid() == 0 {
		return imageUser
	}
	return os.Getegid()
}

// freePort is one that nobody listens on, and below those that the system gives away
// by itself, so that nobody else is given it meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		n, err := rand.Int(rand.Reader, big.NewInt(20_000))
		if err != nil {
			t.Fatal(err)
		}
		port := strconv.FormatInt(10_000+n.Int64(), 10)
		if listener, err := net.Listen("tcp", ":"+port); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// ask asks as a kubelet does, and returns the status; 0 when nobody answers.
func ask(t *testing.T, address, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // the status is what was asked for
	return resp.StatusCode
}

// running is a command that goes on until it is stopped.
type running struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
	mu   sync.Mutex
	log  bytes.Buffer
}

func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = r, r
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = cmd.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-r.done
	})
	return r
}

// Write takes what the command says.
func (r *running) Write(said []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(said)
}

func (r *running) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// stop ends the command as a kubelet does, and holds it to end well.
func (r *running) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		t.Fatalf("the command does not end:\n%s", r.said())
	}
	if r.err != nil {
		t.Errorf("the command ended with %v:\n%s", r.err, r.said())
	}
}
