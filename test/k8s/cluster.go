package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// patience bounds how long the server may take to answer.
const patience = 2 * time.Minute

// cluster is a kube-apiserver with its etcd, on ports and in a folder of their own.
type cluster struct {
	tools  tools
	folder string
	server string // its address
	ended  chan error
	stop   context.CancelFunc
	count  int
}

// startCluster returns when the server is ready. Close ends it.
func startCluster(ctx context.Context, t tools, work string) (c *cluster, err error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c = &cluster{tools: t, folder: filepath.Join(work, "cluster"), server: "https://127.0.0.1:" + ports[2], ended: make(chan error, 2), stop: stop}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if err := c.writeKeys(); err != nil {
		return c, err
	}
	etcd, peers := "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	if err := c.launch(ctx, etcdTool, "--data-dir", filepath.Join(c.folder, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers); err != nil {
		return c, err
	}
	key := filepath.Join(c.folder, "accounts.key")
	if err := c.launch(ctx, serverTool, "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", ports[2],
		"--cert-dir", filepath.Join(c.folder, "certificates"), "--token-auth-file", filepath.Join(c.folder, "tokens"),
		"--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key, "--service-account-signing-key-file", key); err != nil {
		return c, err
	}
	deadline := time.After(patience)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := c.kubectl(ctx, "get", "--raw", "/readyz")
		if err == nil {
			return c, nil
		}
		select {
		case <-tick.C:
		case ended := <-c.ended:
			return c, fmt.Errorf("the cluster ended before it was ready: %w", ended)
		case <-deadline:
			return c, fmt.Errorf("the cluster isn't ready: %w", err)
		case <-ctx.Done():
			return c, ctx.Err()
		}
	}
}

// writeKeys writes what signs the tokens of service accounts, and the token that the
// administrator shows.
func (c *cluster) writeKeys() error {
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return fmt.Errorf("making the cluster's folder: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key of service accounts: %w", err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("writing the key of service accounts: %w", err)
	}
	token := rand.Text()
	for name, content := range map[string][]byte{
		"accounts.key": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}),
		"tokens":       []byte(token + ",admin,admin,system:masters\n"),
		"kubeconfig": fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: own
contexts: [{name: own, context: {cluster: own, user: admin}}]
clusters: [{name: own, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: admin, user: {token: %q}}]
`, c.server, filepath.Join(c.folder, "certificates", "apiserver.crt"), token),
	} {
		if err := os.WriteFile(filepath.Join(c.folder, name), content, 0o600); err != nil {
			return fmt.Errorf("writing the cluster's files: %w", err)
		}
	}
	return nil
}

// launch starts a program that goes on until Close; what it says is in a file.
func (c *cluster) launch(ctx context.Context, name string, args ...string) error {
	log, err := os.Create(filepath.Join(c.folder, name+".log"))
	if err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, c.tools.path(name), args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	c.count++
	go func() {
		err := cmd.Wait()
		said, readErr := os.ReadFile(log.Name())
		c.ended <- errors.Join(fmt.Errorf("%s: %w\n%s", name, err, said[max(0, len(said)-2000):]), readErr)
	}()
	return nil
}

// Close ends both and waits for them.
func (c *cluster) Close() {
	c.stop()
	for ; c.count > 0; c.count-- {
		<-c.ended
	}
}

// kubectl asks the cluster as its administrator.
func (c *cluster) kubectl(ctx context.Context, args ...string) ([]byte, error) {
	return c.tools.run(ctx, kubectlTool, append(args, "--kubeconfig", filepath.Join(c.folder, "kubeconfig"))...)
}

// freePorts returns ports of the loopback interface that nobody listens on.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a port: %w", err)
		}
		defer listener.Close()
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}
