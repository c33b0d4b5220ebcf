package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"
)

// Redis is a running Redis without persistence.
type Redis struct{ *process }

// StartRedis runs Debian's Redis with further settings of redis.conf, such as
// "--maxmemory", "2mb".
func StartRedis(ctx context.Context, i *Installer, settings ...string) (*Redis, error) {
	if err := i.Debian(ctx, "redis-server", "redis-server"); err != nil {
		return nil, err
	}
	p, err := newProcess("redis")
	if err != nil {
		return nil, err
	}
	p.answer = p.pong
	p.make = func() *exec.Cmd {
		args := []string{"--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--dir", p.folder, "--save", "", "--appendonly", "no", "--databases", "64"}
		return p.command("redis-server", append(args, settings...)...)
	}
	if err := p.Start(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &Redis{p}, nil
}

// URL names the server's first database.
func (s *Redis) URL() string { return "redis://" + s.addr() + "/0" }

// pong asks for the simplest answer that Redis has; one that wants a password says
// so, and that is an answer too.
func (p *process) pong(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if line != "+PONG\r\n" && line[0] != '-' {
		return fmt.Errorf("said %q", line)
	}
	return nil
}
