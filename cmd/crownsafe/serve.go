package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/crownsafe/api/internal/app"
)

type serveCommand struct {
	Addr string `help:"Address to listen on; beats PORT." placeholder:"HOST:PORT"`
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(s *session) (err error) {
	a, err := s.build()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	a.Config.Addr = c.Addr
	app.LimitMemory(a.Logger)
	if err := s.permitted(a); err != nil {
		return err
	}
	if err := a.Start(s.ctx); err != nil {
		return err
	}
	app.Settle()
	listener, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", a.Config.ListenAddr())
	if err != nil {
		return fmt.Errorf("listening on %s: %w; choose another address with --addr", a.Config.ListenAddr(), err)
	}
	return a.Serve(s.ctx, listener)
}
