package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/crownsafe/api/internal/config"
)

// healthcheckPatience is how long the server may take to answer: it asks nobody for
// the answer itself.
const healthcheckPatience = 3 * time.Second

// healthcheckCommand asks the server in the same container how it is. It is for
// images that have no other program to ask with.
type healthcheckCommand struct {
	Addr string `help:"Address that the server listens on." placeholder:"HOST:PORT"`
	Path string `help:"What to ask for." default:"/health" placeholder:"PATH"`
}

// Run ends without an error when the server answers 200.
func (c *healthcheckCommand) Run(s *session) error {
	addr := c.Addr
	if addr == "" {
		cfg, err := config.Load(s.ctx, s.env.lookup)
		if err != nil {
			return err
		}
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(cfg.Port))
	}
	ctx, cancel := context.WithTimeout(s.ctx, healthcheckPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+c.Path, http.NoBody)
	if err != nil {
		return usage("asking %s for %s: %w", addr, c.Path, err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req) // by no proxy, and no redirect is followed
	if err != nil {
		return fmt.Errorf("asking %s for %s: %w", addr, c.Path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s with %s", addr, c.Path, resp.Status)
	}
	return nil
}
