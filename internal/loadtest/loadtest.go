// Package loadtest asks a running Crown Safe for what its users and monitors ask
// for, as often as they do or oftener, and reports how fast and how well it was
// answered.
//
// There are two ways to ask. In the closed loop a number of users each wait for one
// answer before they ask for the next: it finds the most that a server can do. In
// the open loop requests come at a fixed rate whether earlier ones have been
// answered or not, as those of people who don't know of one another do, and a
// request's time is counted from when it was due to be sent. So a server that
// stalls is charged for everybody who would have come meanwhile, which a tool that
// waits for it forgets (Gil Tene calls that coordinated omission).
//
// The package knows the public HTTP contract of the service and nothing of its
// insides: what it asks for it draws from the target's own catalogue over the API.
package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Plan says whom to ask for what, how often, and for how long.
type Plan struct {
	// Target is the address of the service, such as http://127.0.0.1:8001.
	Target string
	// Users are how many ask in the closed loop, each on a connection of its own.
	Users int
	// Rate is requests a second in the open loop. Above 0 it beats Users.
	Rate float64
	// Duration is how long requests are measured, and WarmUp how long others are sent
	// before that are not.
	Duration, WarmUp time.Duration
	// Timeout is the longest that an answer is waited for.
	Timeout time.Duration
	// Only names the endpoints to ask, all of them when it is empty; Without leaves some out.
	Only, Without []string
	// OpsToken is shown to the endpoints for operators, which are left out where it is
	// empty; APIKey to those for everybody, so that a key's limits count.
	OpsToken, APIKey string
	// Seed chooses what is asked for, and in which order.
	Seed uint64
}

// Bounds of a plan that are wrong usage beyond.
const (
	mostUsers = 10_000
	mostRate  = 100_000
)

// ErrPlan is matched by errors about a plan that nobody could carry out.
var ErrPlan = errors.New("the plan cannot be carried out")

func planError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrPlan, fmt.Errorf(format, args...))
}

// check returns the target as an address, without a slash at its end.
func (p *Plan) check() (*url.URL, error) {
	target, err := url.Parse(p.Target)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return nil, planError("%q is not an address like http://127.0.0.1:8001", p.Target)
	}
	if target.User != nil || target.RawQuery != "" || target.Fragment != "" {
		return nil, planError("the target is an address without user, query and fragment")
	}
	target.Path = strings.TrimRight(target.Path, "/")
	switch {
	case p.Rate < 0 || p.Rate > mostRate:
		return nil, planError("a rate lies above 0 and up to %d requests a second", mostRate)
	case p.Rate == 0 && (p.Users < 1 || p.Users > mostUsers):
		return nil, planError("users are 1 to %d", mostUsers)
	case p.Duration <= 0 || p.WarmUp < 0 || p.Timeout <= 0:
		return nil, planError("duration and timeout are longer than nothing")
	}
	for _, name := range slices.Concat(p.Only, p.Without) {
		if !slices.Contains(Names(), name) {
			return nil, planError("there is no endpoint %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return target, nil
}

// Test is a load that is ready to run.
type Test struct {
	plan      Plan
	client    *http.Client
	endpoints []*endpoint
	leftOut   []LeftOut
	notes     []string
	heads     headers
	target    *url.URL
	inFlight  int
}

// LeftOut is an endpoint that isn't asked, and why.
type LeftOut struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Prepare asks the target what it has and makes the requests of it. An error that
// matches ErrPlan is the plan's; any other is that the target can't be asked.
func Prepare(ctx context.Context, p Plan) (*Test, error) {
	target, err := p.check()
	if err != nil {
		return nil, err
	}
	t := &Test{plan: p, target: target, client: newClient(&p), heads: headersOf(&p), inFlight: mostInFlight}
	if err := t.choose(ctx); err != nil {
		t.client.CloseIdleConnections()
		return nil, err
	}
	return t, nil
}

// LeftOut are the endpoints that won't be asked though the plan has them.
func (t *Test) LeftOut() []LeftOut { return t.leftOut }

// Notes say what whoever reads the figures should know beforehand, in sentences.
func (t *Test) Notes() []string { return t.notes }

// newClient makes a client that keeps as many connections as there may be requests
// at once, follows nobody to where a token doesn't belong, and asks for bodies as
// they are, since unpacking them would be its own work.
func newClient(p *Plan) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // each user has a connection
	connections := p.Users
	if p.Rate > 0 {
		connections = mostInFlight
	}
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: time.Minute,
			DisableCompression: true, Protocols: protocols, TLSHandshakeTimeout: p.Timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
